//! Raw user agents, in the forms that browsers write since their reduction (Chrome 107 and 110, 2022 and 2023).

use crate::client::{Browser, Platform};
use crate::releases;

/// The user agent of a browser on a system, with the versions installed at `ms`.
pub(crate) fn write(platform: Platform, browser: Browser, ms: i64) -> String {
    if let Browser::Tool(agent) = browser {
        return agent.to_owned();
    }
    match platform {
        Platform::Iphone | Platform::Ipad => apple_mobile(platform, browser, ms),
        Platform::Android { model, version } => android(model, version, browser, ms),
        Platform::Mac if browser == Browser::Safari => {
            let (version, _) = releases::apple(ms);
            format!(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/{version} Safari/605.1.15"
            )
        }
        Platform::Windows | Platform::Mac | Platform::Linux | Platform::ChromeOs | Platform::Tool => {
            computer(platform, browser, ms)
        }
    }
}

fn computer(platform: Platform, browser: Browser, ms: i64) -> String {
    let system = match platform {
        Platform::Mac if browser == Browser::Firefox => "Macintosh; Intel Mac OS X 10.15",
        Platform::Mac => "Macintosh; Intel Mac OS X 10_15_7",
        Platform::Linux => "X11; Linux x86_64",
        Platform::ChromeOs => "X11; CrOS x86_64 14541.0.0",
        _ => "Windows NT 10.0; Win64; x64",
    };
    if browser == Browser::Firefox {
        let version = releases::firefox(ms);
        return format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0");
    }
    let version = releases::chrome(ms);
    let suffix = match browser {
        Browser::Edge => format!(" Edg/{version}.0.0.0"),
        // Opera follows Chromium some fourteen versions behind in its own count.
        Browser::Opera => format!(" OPR/{}.0.0.0", version - 14),
        _ => String::new(),
    };
    format!(
        "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36{suffix}"
    )
}

fn apple_mobile(platform: Platform, browser: Browser, ms: i64) -> String {
    let (version, ios) = releases::apple(ms);
    let system = if platform == Platform::Ipad {
        format!("iPad; CPU OS {ios} like Mac OS X")
    } else {
        format!("iPhone; CPU iPhone OS {ios} like Mac OS X")
    };
    let product = match browser {
        Browser::Chrome => {
            let (build, patch) = releases::chrome_build(ms);
            format!("CriOS/{}.0.{build}.{patch}", releases::chrome(ms))
        }
        Browser::Firefox => format!("FxiOS/{}.0", releases::firefox(ms)),
        _ => format!("Version/{version}"),
    };
    format!(
        "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) {product} Mobile/15E148 Safari/604.1"
    )
}

fn android(model: &str, version: u8, browser: Browser, ms: i64) -> String {
    let chrome = releases::chrome(ms);
    match browser {
        Browser::Firefox => {
            let firefox = releases::firefox(ms);
            format!(
                "Mozilla/5.0 (Android {version}; Mobile; rv:{firefox}.0) Gecko/{firefox}.0 Firefox/{firefox}.0"
            )
        }
        Browser::Samsung => {
            let (samsung, engine) = releases::samsung(ms);
            format!(
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/{samsung}.0 Chrome/{engine}.0.0.0 Mobile Safari/537.36"
            )
        }
        Browser::WebView => {
            let (build, patch) = releases::chrome_build(ms);
            let system = system_build(version);
            format!(
                "Mozilla/5.0 (Linux; Android {version}; {model} Build/{system}; wv) AppleWebKit/537.36 (KHTML, \
                 like Gecko) Version/4.0 Chrome/{chrome}.0.{build}.{patch} Mobile Safari/537.36"
            )
        }
        _ => format!(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 \
             Mobile Safari/537.36"
        ),
    }
}

/// The first public build of an Android version (Android build numbers, source.android.com).
fn system_build(version: u8) -> &'static str {
    match version {
        12 => "SP1A.210812.016",
        13 => "TP1A.220624.014",
        15 => "AP3A.240905.015",
        _ => "UP1A.231005.007",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::releases::{DAY_MS, date};

    #[test]
    fn user_agents_read_like_those_of_browsers() {
        let t = date(2025, 2, 10);
        assert_eq!(
            write(Platform::Windows, Browser::Edge, t),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 \
             Safari/537.36 Edg/135.0.0.0"
        );
        assert_eq!(
            write(Platform::Iphone, Browser::Safari, t),
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.3 Mobile/15E148 Safari/604.1"
        );
        let phone = Platform::Android {
            model: "Pixel 8",
            version: 14,
        };
        assert!(
            write(phone, Browser::WebView, t)
                .contains("Android 14; Pixel 8 Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0")
        );
    }

    #[test]
    fn the_same_browser_changes_with_its_releases() {
        let t = date(2025, 2, 10);
        let later = write(Platform::Mac, Browser::Chrome, t + 30 * DAY_MS);
        assert_ne!(write(Platform::Mac, Browser::Chrome, t), later);
    }
}
