//! Attachments to the internet: lines, carriers, gateways, and the address each has at a time.
//!
//! The address is a pure function of the attachment and the time, so members of a household, colleagues in an office
//! and a later login from the same line meet the same address without anyone keeping track.

use crate::atlas::CountryIx;
use crate::network::{Networks, Provider, ProviderIx};
use crate::parameters::NetworkParameters;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::{Rng, mix, spread};
use habitus_model::math;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One address, and the prefix and provider it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub provider: ProviderIx,
    pub slot: u32,
    pub ip: IpAddr,
}

/// An attachment: a home or office line, a phone on its carrier, a gateway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub provider: ProviderIx,
    /// Position of its place among the provider's sites.
    site: usize,
    key: u64,
    /// How long it holds one address; never ends for a static one.
    lease_ms: i64,
    /// How many addresses in a row lie in one prefix.
    leases_per_prefix: i64,
    /// Probability of the first site when the prefix changes; the rest is any site (carriers' gateways).
    loyal_share: f64,
    pub ipv6: bool,
}

/// Longer than any period: a static address.
const FOREVER_MS: i64 = 40_000 * DAY_MS;

/// Prefixes that a carrier's gateway translates to: its pool is wide, not boundless (Richter et al., IMC 2016: CGN
/// pools span tens to hundreds of /24).
const CARRIER_PREFIXES: u64 = 48;

impl Line {
    /// A home line of some provider in a city, as lines there are; `None` if nobody sells any.
    pub(crate) fn home(
        rng: &mut Rng,
        networks: &Networks,
        params: &NetworkParameters,
        place: (CountryIx, usize),
    ) -> Option<Self> {
        let provider = networks.pick(rng, place.0, &[Kind::Fixed])?;
        let mut line = Self::fixed(rng, networks, provider, place)?;
        if rng.chance(params.dynamic_share) {
            let days = rng.log_normal(params.lease_days, 1.2).clamp(1.0, 400.0);
            line.lease_ms = math::to_i64(days * 86_400_000.0);
            line.leases_per_prefix = math::to_i64(rng.exponential(params.leases_per_prefix)).max(1);
        }
        line.ipv6 = rng.chance(params.ipv6_share);
        Some(line)
    }

    /// A line with a static address of a provider, in the given city if it is there, else in its country.
    pub(crate) fn fixed(
        rng: &mut Rng,
        networks: &Networks,
        provider: ProviderIx,
        (country, city): (CountryIx, usize),
    ) -> Option<Self> {
        let owner = networks.get(provider)?;
        let in_city = |site: &usize| owner.sites.get(*site).is_some_and(|s| s.city == city);
        let there = owner.sites_in(country);
        let site = there.clone().find(in_city);
        let site = site.or_else(|| rng.weighted(there, |_| 1.0))?;
        Some(Self {
            provider,
            site,
            key: rng.bits(),
            lease_ms: FOREVER_MS,
            leases_per_prefix: 1,
            loyal_share: 1.0,
            ipv6: false,
        })
    }

    /// A phone on a carrier of a country; `None` if there is no carrier.
    pub(crate) fn phone(
        rng: &mut Rng,
        networks: &Networks,
        params: &NetworkParameters,
        place: (CountryIx, usize),
    ) -> Option<Self> {
        let provider = networks.pick(rng, place.0, &[Kind::Mobile])?;
        let mut line = Self::fixed(rng, networks, provider, place)?;
        let hours = rng.log_normal(params.carrier_hours, 0.8).clamp(0.5, 96.0);
        line.lease_ms = math::to_i64(hours * 3_600_000.0);
        line.loyal_share = 0.75;
        line.ipv6 = rng.chance(params.ipv6_share);
        Some(line)
    }

    /// A server or VPN exit: the prefix is one of the provider's in the country, the address changes by the day.
    pub(crate) fn exit(
        rng: &mut Rng,
        networks: &Networks,
        provider: ProviderIx,
        country: CountryIx,
    ) -> Option<Self> {
        let mut line = Self::fixed(rng, networks, provider, (country, 0))?;
        line.lease_ms = DAY_MS;
        line.leases_per_prefix = 5;
        Some(line)
    }

    /// The address at a time; `None` only if the provider is not of this world.
    pub(crate) fn at(&self, networks: &Networks, ms: i64) -> Option<Spot> {
        let owner = networks.get(self.provider)?;
        // The phase differs by line, so that not all renew at once.
        let phase = i64::try_from(self.key % self.lease_ms.unsigned_abs()).unwrap_or(0);
        let lease = (ms + phase).div_euclid(self.lease_ms);
        let run = lease.div_euclid(self.leases_per_prefix.max(1));
        let slot = owner.slot(self.site_in(owner, run), self.nth_prefix(owner, run));
        let host = mix(self.key, 2, lease);
        let ip = if self.ipv6 && mix(self.key, 4, ms) % 10 < 7 {
            // Happy Eyeballs (RFC 8305) prefers IPv6; some connections still go out over IPv4.
            ipv6(owner.v6, slot, host, mix(self.key, 5, ms.div_euclid(DAY_MS)))
        } else {
            let last = u32::try_from(1 + spread(host, 254)).unwrap_or(1);
            IpAddr::V4(Ipv4Addr::from_bits(owner.base(slot) | last))
        };
        Some(Spot {
            provider: self.provider,
            slot,
            ip,
        })
    }

    fn site_in(&self, owner: &Provider, run: i64) -> usize {
        let hash = mix(self.key, 3, run);
        if crate::rng::fraction(hash) < self.loyal_share {
            return self.site;
        }
        let Some(home) = owner.sites.get(self.site) else {
            return self.site;
        };
        let there = owner.sites_in(home.country);
        let count = u64::try_from(there.clone().count()).unwrap_or(1);
        let nth = usize::try_from(spread(hash, count)).unwrap_or(0);
        there.clone().nth(nth).unwrap_or(self.site)
    }

    fn nth_prefix(&self, owner: &Provider, run: i64) -> u64 {
        let hash = mix(self.key, 1, run);
        if owner.kind == Kind::Mobile {
            spread(hash, CARRIER_PREFIXES)
        } else {
            hash
        }
    }
}

/// A /48 for the prefix, a /64 for the lease, a host part drawn anew each day (privacy extensions, RFC 8981).
fn ipv6(upper: u32, slot: u32, lease: u64, day: u64) -> IpAddr {
    let network = u128::from(upper) << 96 | u128::from(slot & 0xffff) << 80;
    let subnet = u128::from(lease & 0xffff) << 64;
    IpAddr::V6(Ipv6Addr::from_bits(network | subnet | u128::from(day)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas;
    use crate::config::{Regime, WorldConfig};
    use crate::network::Edition;
    use crate::parameters::Parameters;
    use habitus_model::Prefix;
    use std::collections::BTreeSet;

    fn world() -> (Networks, Parameters) {
        let params = Parameters::draw(&WorldConfig::new(1, Regime::Consumer));
        (Networks::draw(1, &params.networks), params)
    }

    #[test]
    fn a_line_holds_its_address_for_a_lease() {
        let (networks, params) = world();
        let rng = &mut Rng::new(1, "test", 0);
        let norway = atlas::by_code("NO").unwrap();
        let mut line = Line::home(rng, &networks, &params.networks, (norway, 1)).unwrap();
        line.ipv6 = false;
        line.lease_ms = 7 * DAY_MS;
        line.leases_per_prefix = 2;
        let days: Vec<Spot> = (0..140).filter_map(|d| line.at(&networks, d * DAY_MS)).collect();
        let addresses: BTreeSet<IpAddr> = days.iter().map(|spot| spot.ip).collect();
        let prefixes: BTreeSet<Prefix> = days.iter().map(|spot| Prefix::of(spot.ip)).collect();
        assert!((19..=21).contains(&addresses.len()), "{}", addresses.len());
        assert!((9..=11).contains(&prefixes.len()), "{}", prefixes.len());
        let owner = networks.get(line.provider).unwrap();
        assert!(
            days.iter()
                .all(|spot| owner.site_of(spot.slot).unwrap().country == norway)
        );
    }

    #[test]
    fn phones_hop_over_many_prefixes_of_one_carrier() {
        let (networks, params) = world();
        let rng = &mut Rng::new(1, "test", 1);
        let germany = atlas::by_code("DE").unwrap();
        let mut phone = Line::phone(rng, &networks, &params.networks, (germany, 0)).unwrap();
        phone.ipv6 = false;
        let spots: Vec<Spot> = (0..100)
            .filter_map(|d| phone.at(&networks, d * 7 * DAY_MS))
            .collect();
        let prefixes: BTreeSet<Prefix> = spots.iter().map(|spot| Prefix::of(spot.ip)).collect();
        assert!(prefixes.len() > 30, "{}", prefixes.len());
        assert!(spots.iter().all(|spot| spot.provider == phone.provider));
    }

    #[test]
    fn an_address_tells_its_prefix_and_place() {
        let (networks, params) = world();
        let rng = &mut Rng::new(1, "test", 2);
        for country in 0..atlas::COUNTRIES.len() {
            let line = Line::home(rng, &networks, &params.networks, (country, 0)).unwrap();
            let spot = line.at(&networks, 1_736_121_600_000).unwrap();
            let owner = networks.get(spot.provider).unwrap();
            let located = |edition| networks.locate(owner, spot.slot, edition);
            assert_eq!(located(Edition::First), located(Edition::First));
            assert_eq!(located(Edition::First), located(Edition::Second { moved: 0.0 }));
            if let IpAddr::V4(v4) = spot.ip {
                assert_eq!(v4.to_bits() >> 8, owner.base(spot.slot) >> 8);
            }
        }
    }
}
