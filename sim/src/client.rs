//! Devices: what a person logs in with, drawn from what is popular in a country.

use crate::agents;
use crate::atlas::{self, CountryIx};
use crate::parameters::DeviceParameters;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::Text;

/// Operating system; Android carries the model and the system's version, which some browsers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Windows,
    Mac,
    Linux,
    ChromeOs,
    Iphone,
    Ipad,
    Android { model: &'static str, version: u8 },
    Tool,
}

/// Browser, app or script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Browser {
    Chrome,
    Edge,
    Firefox,
    Safari,
    Samsung,
    Opera,
    WebView,
    Tool(&'static str),
}

/// What sort of thing it is; decides when and where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Computer,
    Phone,
    Tablet,
    Tool,
}

/// One browser on one device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Device {
    pub form: Form,
    pub platform: Platform,
    pub browser: Browser,
    /// Milliseconds between a release and its installation.
    pub lag_ms: i64,
    /// When it last updated, if it does not any more.
    pub stuck_at_ms: Option<i64>,
    /// Managed device id, if it shows one.
    pub uid: Option<Text>,
}

/// Where and when a device is drawn, and how far it keeps up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop<'a> {
    pub params: &'a DeviceParameters,
    pub country: CountryIx,
    pub at_ms: i64,
    /// Share of devices that no longer update.
    pub stuck_share: f64,
}

/// Android models by rough popularity.
const MODELS: [(&str, f64); 14] = [
    ("SM-S918B", 1.0),
    ("SM-S911B", 1.0),
    ("SM-A546B", 1.4),
    ("SM-A155F", 1.2),
    ("SM-G991B", 0.8),
    ("SM-A145R", 0.8),
    ("Pixel 7", 0.6),
    ("Pixel 8", 0.7),
    ("Redmi Note 12", 1.2),
    ("2201117TG", 0.8),
    ("M2101K6G", 0.7),
    ("CPH2483", 0.7),
    ("moto g54 5G", 0.6),
    ("V2206", 0.5),
];

/// Scripts and libraries that log in with a password.
const TOOLS: [(&str, f64); 8] = [
    ("python-requests/2.31.0", 2.0),
    ("python-requests/2.32.3", 1.5),
    ("Go-http-client/1.1", 1.0),
    ("Go-http-client/2.0", 0.8),
    ("curl/8.5.0", 0.8),
    ("okhttp/4.12.0", 1.2),
    ("axios/1.6.8", 1.0),
    ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", 0.6),
];

impl Device {
    /// A device of the given form, as they are sold in a country.
    pub(crate) fn draw(rng: &mut Rng, form: Form, shop: Shop<'_>) -> Self {
        let platform = draw_platform(rng, form, shop);
        Self::with_platform(rng, platform, shop)
    }

    /// A device with the given operating system and any browser that runs there.
    pub(crate) fn with_platform(rng: &mut Rng, platform: Platform, shop: Shop<'_>) -> Self {
        let form = platform.form();
        let stuck = rng.chance(shop.stuck_share);
        let age_ms = habitus_model::math::to_i64(rng.between(30.0, 500.0)) * DAY_MS;
        let lag_days = rng.exponential(shop.params.update_lag_days).min(60.0);
        Self {
            form,
            platform,
            browser: draw_browser(rng, platform, shop.params),
            lag_ms: habitus_model::math::to_i64(lag_days * 86_400_000.0),
            stuck_at_ms: stuck.then_some(shop.at_ms - age_ms),
            uid: None,
        }
    }

    /// Another browser on the same device; the same one if there is no other.
    pub(crate) fn second_browser(&self, rng: &mut Rng, params: &DeviceParameters) -> Self {
        let mut second = self.clone();
        for _ in 0..8 {
            second.browser = draw_browser(rng, self.platform, params);
            if second.browser != self.browser {
                break;
            }
        }
        second
    }

    /// The user agent at a time.
    pub(crate) fn user_agent(&self, at_ms: i64) -> String {
        let installed_ms = self.stuck_at_ms.unwrap_or(at_ms - self.lag_ms);
        agents::write(self.platform, self.browser, installed_ms.min(at_ms))
    }
}

impl Platform {
    /// The form of devices that run it.
    pub(crate) fn form(self) -> Form {
        match self {
            Platform::Windows | Platform::Mac | Platform::Linux | Platform::ChromeOs => Form::Computer,
            Platform::Iphone | Platform::Android { .. } => Form::Phone,
            Platform::Ipad => Form::Tablet,
            Platform::Tool => Form::Tool,
        }
    }

    /// The same system on a fresh device: Android phones change their model.
    pub(crate) fn renewed(self, rng: &mut Rng) -> Self {
        match self {
            Platform::Android { .. } => android(rng),
            same => same,
        }
    }

    /// Whether the vendor is Apple, whose browsers know a relay.
    pub(crate) fn is_apple(self) -> bool {
        matches!(self, Platform::Mac | Platform::Iphone | Platform::Ipad)
    }
}

fn draw_platform(rng: &mut Rng, form: Form, shop: Shop<'_>) -> Platform {
    let ios = atlas::country(shop.country).ios;
    match form {
        Form::Tool => Platform::Tool,
        Form::Tablet if rng.chance(0.45 + ios / 2.0) => Platform::Ipad,
        Form::Phone if rng.chance(ios) => Platform::Iphone,
        Form::Phone | Form::Tablet => android(rng),
        Form::Computer => {
            let windows = shop.params.windows_share;
            // Macs are found where iPhones are; Linux and ChromeOS share what remains.
            let mac = (1.0 - windows) * (0.3 + ios).min(0.85);
            let rest = (1.0 - windows - mac).max(0.0) / 2.0;
            let systems = [
                (Platform::Windows, windows),
                (Platform::Mac, mac),
                (Platform::Linux, rest),
                (Platform::ChromeOs, rest),
            ];
            let drawn = rng.weighted(systems, |system| system.1);
            drawn.map_or(Platform::Windows, |system| system.0)
        }
    }
}

fn android(rng: &mut Rng) -> Platform {
    let versions = [(12, 0.15), (13, 0.25), (14, 0.40), (15, 0.20)];
    let model = rng.weighted(MODELS, |model| model.1).map_or("SM-A546B", |m| m.0);
    let version = rng.weighted(versions, |v| v.1).map_or(14, |v| v.0);
    Platform::Android { model, version }
}

/// Shares of browsers by system: StatCounter 2024, rounded.
fn draw_browser(rng: &mut Rng, platform: Platform, params: &DeviceParameters) -> Browser {
    use Browser::{Chrome, Edge, Firefox, Opera, Safari, Samsung, WebView};
    let edge = params.edge_share;
    let shares: &[(Browser, f64)] = match platform {
        Platform::Windows => &[
            (Chrome, 0.86 * (1.0 - edge)),
            (Edge, edge),
            (Firefox, 0.09 * (1.0 - edge)),
            (Opera, 0.05 * (1.0 - edge)),
        ],
        Platform::Mac => &[(Chrome, 0.52), (Safari, 0.38), (Firefox, 0.07), (Edge, 0.03)],
        Platform::Linux => &[(Chrome, 0.55), (Firefox, 0.45)],
        Platform::ChromeOs => &[(Chrome, 1.0)],
        Platform::Iphone | Platform::Ipad => &[(Safari, 0.86), (Chrome, 0.12), (Firefox, 0.02)],
        Platform::Android { model, .. } if model.starts_with("SM-") => {
            &[(Chrome, 0.68), (Samsung, 0.18), (WebView, 0.11), (Firefox, 0.03)]
        }
        Platform::Android { .. } => &[(Chrome, 0.83), (WebView, 0.13), (Firefox, 0.04)],
        Platform::Tool => {
            return Browser::Tool(rng.weighted(TOOLS, |tool| tool.1).map_or("curl/8.5.0", |t| t.0));
        }
    };
    rng.weighted(shares, |share| share.1)
        .map_or(Chrome, |share| share.0)
}
