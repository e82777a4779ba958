//! Providers with their addresses, and where location databases see them.
//!
//! Each provider owns whole /16 blocks; each /24 (or, of IPv6, each /48) belongs to one of the provider's sites. So
//! an address tells provider, prefix and place, as real ones do. Which blocks a provider has is drawn per seed: the
//! facts that an event carries are the simulated ones, and they disagree with databases of the real internet.

use crate::atlas::{self, COUNTRIES, City, CountryIx};
use crate::parameters::NetworkParameters;
use crate::providers::{KNOWN, Kind, Known};
use crate::rng::{Rng, fraction, mix, spread};
use habitus_model::{Asn, Coordinates, CountryCode, Km, Text, math};
use std::collections::BTreeSet;

/// Position of a provider in [`Networks`].
pub(crate) type ProviderIx = usize;

/// A city of a country, where a provider has addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    pub country: CountryIx,
    pub city: usize,
}

/// Which edition of the location database is in use, and what share of prefixes the second one moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Edition {
    First,
    Second { moved: f64 },
}

/// A provider in this world.
#[derive(Debug)]
pub(crate) struct Provider {
    pub asn: Option<Asn>,
    pub organisation: Text,
    pub kind: Kind,
    pub weight: f64,
    pub sites: Vec<Site>,
    /// Upper 16 bits of its IPv4 blocks.
    blocks: Vec<u16>,
    /// Upper 32 bits of its IPv6 block.
    pub v6: u32,
    key: u64,
}

/// All providers of a world.
#[derive(Debug)]
pub(crate) struct Networks {
    providers: Vec<Provider>,
    city_error: f64,
    country_error: f64,
}

/// What a location database says of a prefix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Located {
    pub country: Option<CountryCode>,
    pub city: &'static str,
    pub coordinates: Option<Coordinates>,
    pub radius: Km,
}

/// Smallest number for private use, 32 bits (RFC 6996): small local providers have no registered one here.
const PRIVATE_ASN: u32 = 4_200_000_000;

impl Networks {
    /// The providers of a world: the known ones and some small local ones in each country.
    pub(crate) fn draw(seed: u64, params: &NetworkParameters) -> Self {
        let rng = &mut Rng::new(seed, "networks", 0);
        let mut free = FreeBlocks::default();
        let mut providers: Vec<Provider> = KNOWN.iter().map(|row| known(rng, row, &mut free)).collect();
        let mut number = PRIVATE_ASN;
        for country in 0..COUNTRIES.len() {
            let locals = math::to_u32(params.local_providers * rng.between(0.6, 1.4));
            let share = unnamed_share(country) / f64::from(locals.max(1));
            for _ in 0..locals {
                number += 1;
                providers.push(local(rng, (number, share), country, &mut free));
            }
        }
        Self {
            providers,
            city_error: params.city_error,
            country_error: params.country_error,
        }
    }

    /// Adds a company's own network with addresses in the given places.
    pub(crate) fn add_corporate(&mut self, rng: &mut Rng, sites: Vec<Site>) -> ProviderIx {
        self.providers.push(Provider {
            asn: Asn::new(PRIVATE_ASN + 100_000),
            organisation: Text::new("Example Corporation"),
            kind: Kind::Corporate,
            weight: 0.0,
            sites,
            // Its own block need not avoid the others': one in 50,000 is theirs, and then it is a shared building.
            blocks: FreeBlocks::default().take(rng, 1),
            v6: draw_v6(rng),
            key: rng.bits(),
        });
        self.providers.len() - 1
    }

    /// The provider at a position.
    pub(crate) fn get(&self, ix: ProviderIx) -> Option<&Provider> {
        self.providers.get(ix)
    }

    /// A provider of one of the kinds that has addresses in a country, by weight; `None` if there is none.
    pub(crate) fn pick(&self, rng: &mut Rng, country: CountryIx, kinds: &[Kind]) -> Option<ProviderIx> {
        let there = self.providers.iter().enumerate().filter(|(_, provider)| {
            kinds.contains(&provider.kind) && provider.sites.iter().any(|site| site.country == country)
        });
        rng.weighted(there, |(_, provider)| provider.weight)
            .map(|(ix, _)| ix)
    }

    /// What decides where the database sees a prefix. A new edition decides anew for some prefixes.
    fn hash(&self, provider: &Provider, slot: u32, edition: Edition) -> u64 {
        let first = mix(provider.key, 77, i64::from(slot));
        match edition {
            Edition::Second { moved } if fraction(mix(first, 78, 0)) < moved => mix(first, 79, 0),
            Edition::First | Edition::Second { .. } => first,
        }
    }

    /// What the location database says of a provider's prefix. Wrong cities and countries are properties of the
    /// prefix, so everyone behind it suffers alike.
    pub(crate) fn locate(&self, provider: &Provider, slot: u32, edition: Edition) -> Located {
        let hash = self.hash(provider, slot, edition);
        let mut site = provider.site_of(slot).unwrap_or(Site { country: 0, city: 0 });
        let luck = fraction(hash);
        if luck < self.country_error {
            site = Site {
                country: index(spread(hash, 53)),
                city: 0,
            };
        } else if luck < self.country_error + self.city_error {
            site.city = index(spread(hash, 7));
        }
        let land = atlas::country(site.country);
        let city = land.cities.get(site.city).or(land.cities.first());
        let city = city.unwrap_or(&NOWHERE);
        Located {
            country: CountryCode::new(land.code),
            city: city.name,
            coordinates: scattered(city, hash),
            radius: radius(provider.kind, hash),
        }
    }
}

impl Provider {
    /// Number of /24 prefixes.
    fn slots(&self) -> u64 {
        u64::try_from(self.blocks.len()).unwrap_or(1) * 256
    }

    /// The prefix number `nth` (spread over those there are) of a site.
    pub(crate) fn slot(&self, site: usize, nth: u64) -> u32 {
        let sites = u64::try_from(self.sites.len()).unwrap_or(1).max(1);
        let site = u64::try_from(site).unwrap_or(0) % sites;
        let rows = (self.slots() / sites).max(1);
        u32::try_from(site + sites * spread(nth, rows)).unwrap_or(0)
    }

    /// The site a prefix belongs to.
    pub(crate) fn site_of(&self, slot: u32) -> Option<Site> {
        let sites = u32::try_from(self.sites.len()).ok()?;
        let ix = slot.checked_rem(sites)?;
        self.sites.get(usize::try_from(ix).ok()?).copied()
    }

    /// The upper 24 bits of a prefix, as the whole address with 0 below.
    pub(crate) fn base(&self, slot: u32) -> u32 {
        let block = self.blocks.get(usize::try_from(slot / 256).unwrap_or(0));
        u32::from(block.copied().unwrap_or(0x0b00)) << 16 | (slot % 256) << 8
    }

    /// Position of the first site in a country.
    pub(crate) fn sites_in(&self, country: CountryIx) -> impl Iterator<Item = usize> + Clone + '_ {
        let there = move |(_, site): &(usize, &Site)| site.country == country;
        self.sites.iter().enumerate().filter(there).map(|(ix, _)| ix)
    }
}

static NOWHERE: City = City {
    name: "Oslo",
    lat: 59.91,
    lon: 10.75,
};

/// /16 blocks of public unicast space that no provider has yet.
#[derive(Default)]
struct FreeBlocks {
    taken: BTreeSet<u16>,
}

impl FreeBlocks {
    fn take(&mut self, rng: &mut Rng, count: u32) -> Vec<u16> {
        let mut blocks = Vec::new();
        while blocks.len() < usize::try_from(count).unwrap_or(1) {
            let block = u16::try_from(rng.bits() >> 48).unwrap_or(0);
            if is_public(block) && self.taken.insert(block) {
                blocks.push(block);
            }
        }
        blocks
    }
}

/// Whether a /16 lies in public unicast space (IANA special-purpose registry; whole octets are left out where only
/// a part is special).
fn is_public(block: u16) -> bool {
    let [first, second] = block.to_be_bytes();
    match first {
        0 | 10 | 127 | 224..=255 => false,
        100 => !(64..128).contains(&second),
        169 => second != 254,
        172 => !(16..32).contains(&second),
        192 => second != 0 && second != 168 && second != 88 && second != 31 && second != 52 && second != 175,
        198 => !matches!(second, 18 | 19 | 51),
        203 => second != 0,
        _ => true,
    }
}

/// An IPv6 /32 below 2000::/3, off the ranges with a meaning of their own (2001::/16, 2002::/16).
fn draw_v6(rng: &mut Rng) -> u32 {
    let bits = u32::try_from(rng.bits() >> 40).unwrap_or(0);
    0x2400_0000 | (bits & 0x07ff_ffff)
}

fn known(rng: &mut Rng, row: &Known, free: &mut FreeBlocks) -> Provider {
    let countries = row.countries.split(' ').filter_map(atlas::by_code);
    let sites = match row.kind {
        // Lines are in every city; gateways of carriers, servers and VPNs stand in the first ones.
        Kind::Fixed => countries.flat_map(|country| sites_of(country, 8)).collect(),
        Kind::Mobile => countries.flat_map(|country| sites_of(country, 3)).collect(),
        _ => countries.flat_map(|country| sites_of(country, 1)).collect(),
    };
    let blocks = match row.kind {
        Kind::Fixed => 4 + math::to_u32(row.weight * 16.0),
        _ => 2,
    };
    Provider {
        asn: Asn::new(row.asn),
        organisation: Text::new(row.organisation),
        kind: row.kind,
        weight: row.weight,
        sites,
        blocks: free.take(rng, blocks),
        v6: draw_v6(rng),
        key: rng.bits(),
    }
}

/// The share of a country's lines that no named provider has; at least 5 %.
fn unnamed_share(country: CountryIx) -> f64 {
    let code = atlas::country(country).code;
    let named = KNOWN
        .iter()
        .filter(|row| row.kind == Kind::Fixed && row.countries == code);
    (1.0 - named.map(|row| row.weight).sum::<f64>()).max(0.05)
}

/// A small provider: three in four sell lines, with about `share` of the market each; the others sell servers.
fn local(rng: &mut Rng, (number, share): (u32, f64), country: CountryIx, free: &mut FreeBlocks) -> Provider {
    let names = [
        "Fiber", "Bredband", "Netz", "Cable", "Telecom", "Online", "Connect", "City Net",
    ];
    let name = rng.pick(&names).copied().unwrap_or("Net");
    let land = atlas::country(country);
    let fixed = rng.chance(0.75);
    Provider {
        asn: Asn::new(number),
        organisation: Text::new(format!("{name} {} {}", land.code, number - PRIVATE_ASN)),
        kind: if fixed { Kind::Fixed } else { Kind::Hosting },
        weight: if fixed {
            share * rng.between(0.4, 2.2)
        } else {
            rng.between(0.005, 0.05)
        },
        sites: sites_of(country, 8).collect(),
        blocks: free.take(rng, 1),
        v6: draw_v6(rng),
        key: rng.bits(),
    }
}

fn sites_of(country: CountryIx, most: usize) -> impl Iterator<Item = Site> {
    let cities = atlas::country(country).cities.len().min(most);
    (0..cities).map(move |city| Site { country, city })
}

/// The database's point: the city's, moved by up to a quarter degree, to four decimals as vendors print them.
fn scattered(city: &City, hash: u64) -> Option<Coordinates> {
    let lat = city.lat + (fraction(mix(hash, 1, 0)) - 0.5) * 0.5;
    let lon = city.lon + (fraction(mix(hash, 2, 0)) - 0.5) * 0.5;
    Coordinates::new(math::round_to(lat, 4), math::round_to(lon, 4))
}

/// Accuracy radii as location vendors print them: 3 to 16 km are typical for fixed lines, 179 to 207 km for mobile
/// ones (Gharaibeh et al., IMC 2017; Saxon & Feamster, 2022).
fn radius(kind: Kind, hash: u64) -> Km {
    let steps: [f64; 6] = match kind {
        Kind::Fixed | Kind::Corporate => [1.0, 5.0, 5.0, 10.0, 20.0, 50.0],
        Kind::Mobile => [50.0, 100.0, 200.0, 200.0, 500.0, 500.0],
        _ => [20.0, 20.0, 50.0, 100.0, 500.0, 1000.0],
    };
    let nth = index(spread(mix(hash, 3, 0), 6));
    Km(steps.get(nth).copied().unwrap_or(100.0))
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
