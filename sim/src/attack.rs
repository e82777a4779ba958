//! Takeovers: an attacker who has the password, and perhaps some of the victim's surroundings.

use crate::act::{Act, Agents, Outcome};
use crate::atlas::{self, COUNTRIES, CountryIx};
use crate::client::{Device, Form, Platform, Shop};
use crate::clock::Clock;
use crate::deed::Deed;
use crate::label::{AttackKind, Label};
use crate::network::ProviderIx;
use crate::people::{Factor, Person};
use crate::providers::Kind;
use crate::rng::Rng;
use crate::spot::Line;
use crate::tenant::Tenant;

/// What the attackers of a world have in common: where most of them sit.
#[derive(Debug)]
pub(crate) struct Underworld {
    top_country: CountryIx,
    /// Providers that campaigns use, with the country of their exits.
    top_providers: Vec<(ProviderIx, CountryIx)>,
}

/// A person with the time of the first successful login: before it there is nothing to take over.
pub(crate) type Victim<'a> = (&'a Person, i64);

/// Draws until a condition holds, at most so often; then the attempt is given up.
const TRIES: u32 = 200;

impl Underworld {
    pub(crate) fn draw(rng: &mut Rng, tenant: &Tenant) -> Option<Self> {
        let top_country = foreign(rng, tenant)?;
        let mut top_providers = Vec::new();
        for nth in 0..3 {
            let country = if nth < 2 {
                top_country
            } else {
                foreign(rng, tenant)?
            };
            let provider = exit_provider(rng, tenant, country)?;
            top_providers.push((provider, country));
        }
        Some(Self {
            top_country,
            top_providers,
        })
    }

    /// Where a foreign attacker comes from. The shares of the top country and of the top three providers hold
    /// together: two of the three providers lie in the top country.
    pub(crate) fn place(&self, rng: &mut Rng, tenant: &Tenant) -> Option<(ProviderIx, CountryIx)> {
        let params = &tenant.params.attackers;
        let by_providers = params.top_providers_share;
        let in_top_anyway = by_providers * 2.0 / 3.0;
        let luck = rng.unit();
        if luck < by_providers {
            return rng.pick(&self.top_providers).copied();
        }
        let country = if luck < by_providers + params.top_country_share - in_top_anyway {
            self.top_country
        } else {
            foreign(rng, tenant)?
        };
        Some((exit_provider(rng, tenant, country)?, country))
    }
}

/// Draws one takeover; `None` if no victim or network fits (a world of one account that never logs in).
pub(crate) fn draw(
    rng: &mut Rng,
    tenant: &Tenant,
    (underworld, victims, agents): (&Underworld, &[Victim<'_>], &mut Agents),
    kind: AttackKind,
) -> Option<Act> {
    let (victim, ms) = fitting(rng, tenant, victims, kind)?;
    let (line, country) = match kind {
        AttackKind::ForeignTakeover => {
            let (provider, country) = underworld.place(rng, tenant)?;
            (line_of(rng, tenant, provider, country)?, country)
        }
        AttackKind::SameCountryTakeover => (other_provider(rng, tenant, victim, ms)?, victim.country),
        AttackKind::SameProviderTakeover
        | AttackKind::SimilarClientTakeover
        | AttackKind::IdenticalClientTakeover
        | AttackKind::KeyedClientTakeover => (same_provider(rng, tenant, victim, ms)?, victim.country),
    };
    let device = equipment(rng, tenant, victim, (kind, country, ms));
    Some(Act {
        ms,
        account: victim.ix,
        spot: line.at(&tenant.networks, ms)?,
        agent: agents.intern(device.user_agent(ms)),
        device_uid: None,
        factor: relayed_factor(rng, victim, &device),
        outcome: Outcome::Success,
        deed: Deed::Login,
        session: None,
        label: Label::Attack(kind),
        uid: rng.bits(),
    })
}

/// A victim as the kind asks for: with or without a key on the devices.
fn fitting<'a>(
    rng: &mut Rng,
    tenant: &Tenant,
    victims: &[Victim<'a>],
    kind: AttackKind,
) -> Option<(&'a Person, i64)> {
    let wanted = match kind {
        AttackKind::ForeignTakeover | AttackKind::SameCountryTakeover | AttackKind::SameProviderTakeover => {
            return target(rng, tenant, victims);
        }
        AttackKind::SimilarClientTakeover | AttackKind::IdenticalClientTakeover => false,
        AttackKind::KeyedClientTakeover => true,
    };
    (0..TRIES).find_map(|_| {
        let (victim, ms) = target(rng, tenant, victims)?;
        (victim.wardrobe.shows_keys(ms) == Some(wanted)).then_some((victim, ms))
    })
}

/// A random account, all alike however active, and a random time after its first login; by the clock of people
/// like the victim, or of people in a country that attacks come from.
fn target<'a>(rng: &mut Rng, tenant: &Tenant, victims: &[Victim<'a>]) -> Option<(&'a Person, i64)> {
    let params = &tenant.params.attackers;
    let days = usize::try_from(tenant.config.days.max(1)).unwrap_or(1);
    for _ in 0..TRIES {
        let (victim, first_ms) = *rng.pick(victims)?;
        let day = tenant.first_day() + i64::try_from(rng.below(days)).unwrap_or(0);
        let clock = Clock::draw(rng, tenant.config.regime);
        let offset = if rng.chance(params.victim_hours_share) {
            atlas::country(victim.country).offset_minutes
        } else {
            atlas::country(foreign(rng, tenant)?).offset_minutes
        };
        let ms = clock.moment(rng, day, offset);
        if first_ms < ms && ms < tenant.end_ms {
            return Some((victim, ms));
        }
    }
    None
}

/// A country that attacks come from and the tenant's people do not live in.
fn foreign(rng: &mut Rng, tenant: &Tenant) -> Option<CountryIx> {
    let abroad = (0..COUNTRIES.len()).filter(|ix| !tenant.is_home(*ix));
    rng.weighted(abroad, |ix| atlas::country(*ix).attacks)
}

/// A provider to come out of in a country: a home line, a carrier, or servers, as the attackers of this world mix
/// them; a home line where there is nothing else.
fn exit_provider(rng: &mut Rng, tenant: &Tenant, country: CountryIx) -> Option<ProviderIx> {
    let params = &tenant.params.attackers;
    let luck = rng.unit();
    let kinds: &[Kind] = if luck < params.residential_share {
        &[Kind::Fixed]
    } else if luck < params.residential_share + params.mobile_share {
        &[Kind::Mobile]
    } else {
        &[Kind::Hosting, Kind::Vpn]
    };
    let wanted = tenant.networks.pick(rng, country, kinds);
    wanted.or_else(|| tenant.networks.pick(rng, country, &[Kind::Fixed]))
}

pub(crate) fn line_of(
    rng: &mut Rng,
    tenant: &Tenant,
    provider: ProviderIx,
    country: CountryIx,
) -> Option<Line> {
    let city = rng.below(atlas::country(country).cities.len());
    let mut line = Line::fixed(rng, &tenant.networks, provider, (country, city))?;
    // Servers and VPNs hand out IPv4 here, to owners and attackers alike.
    let kind = tenant.networks.get(provider)?.kind;
    let ipv6 = matches!(kind, Kind::Fixed | Kind::Mobile);
    line.ipv6 = ipv6 && rng.chance(tenant.params.networks.ipv6_share);
    Some(line)
}

pub(crate) fn other_provider(rng: &mut Rng, tenant: &Tenant, victim: &Person, ms: i64) -> Option<Line> {
    let home = victim.home(ms).map(|(_, line)| line.provider);
    let carrier = victim.phone.map(|line| line.provider);
    for _ in 0..TRIES {
        let provider = exit_provider(rng, tenant, victim.country)?;
        if Some(provider) != home && Some(provider) != carrier {
            return line_of(rng, tenant, provider, victim.country);
        }
    }
    None
}

/// The victim's home provider, mostly in the victim's city (neighbours, or a proxy asked for by city), and another
/// prefix than the victim has at the time.
pub(crate) fn same_provider(rng: &mut Rng, tenant: &Tenant, victim: &Person, ms: i64) -> Option<Line> {
    let home = victim.home(ms)?.1;
    let prefix = |line: &Line| line.at(&tenant.networks, ms).map(|spot| spot.slot);
    for _ in 0..TRIES {
        let city = if rng.chance(0.6) {
            victim.city
        } else {
            rng.below(atlas::country(victim.country).cities.len())
        };
        let mut line = Line::fixed(rng, &tenant.networks, home.provider, (victim.country, city))?;
        line.ipv6 = home.ipv6;
        if prefix(&line) != prefix(home) {
            return Some(line);
        }
    }
    None
}

/// What the attacker logs in with: the better informed, the more like the victim's.
fn equipment(
    rng: &mut Rng,
    tenant: &Tenant,
    victim: &Person,
    (kind, country, ms): (AttackKind, CountryIx, i64),
) -> Device {
    let shop = Shop {
        params: &tenant.params.devices,
        country,
        at_ms: ms,
        stuck_share: tenant.params.attackers.stuck_share,
    };
    let known = victim.wardrobe.choose(rng, ms, None).map(|used| used.device);
    let likely = known.map_or(Platform::Windows, |device| device.platform);
    match kind {
        AttackKind::ForeignTakeover => {
            let forms = [(Form::Computer, 0.72), (Form::Phone, 0.28)];
            let form = rng.weighted(forms, |form| form.1).map_or(Form::Computer, |f| f.0);
            let scripted = rng.chance(tenant.params.attackers.automation_share);
            Device::draw(rng, if scripted { Form::Tool } else { form }, shop)
        }
        AttackKind::SameCountryTakeover => Device::draw(rng, likely.form(), shop),
        AttackKind::SameProviderTakeover => {
            let platform = likely.renewed(rng);
            Device::with_platform(rng, platform, shop)
        }
        // The model as well, but updated at another time.
        AttackKind::SimilarClientTakeover => {
            let mut device = Device::with_platform(rng, likely, shop);
            device.browser = known.map_or(device.browser, |device| device.browser);
            device
        }
        AttackKind::IdenticalClientTakeover | AttackKind::KeyedClientTakeover => known
            .cloned()
            .unwrap_or_else(|| Device::with_platform(rng, likely, shop)),
    }
}

/// An attacker's device is new, so the second factor is asked for, and a takeover that succeeded got it by
/// relaying or fatigue. What cannot be phished is gone around by a fallback.
fn relayed_factor(rng: &mut Rng, victim: &Person, device: &Device) -> Option<Factor> {
    if device.form == Form::Tool {
        return None;
    }
    match victim.factor {
        Some(Factor::WebAuthn) => Some(if rng.chance(0.5) { Factor::Sms } else { Factor::Otp }),
        factor => factor,
    }
}
