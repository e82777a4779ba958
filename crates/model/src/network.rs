//! Networks: addresses, prefixes, autonomous systems and their classes.

use crate::Text;
use crate::ocsf_enum::ocsf_enum;
use crate::sentence::spell;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Autonomous system number; 0 is reserved (RFC 7607) and never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Asn(u32);

/// The neighbourhood of an address at account level: /24 of IPv4, /48 of IPv6 (SCORING 1, RELIABILITY 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Prefix(IpAddr);

ocsf_enum! {
    /// What sort of network an address belongs to; decides how much a place or a change of address proves.
    NetworkClass {
        0 Unknown "unknown", 1 Fixed "fixed", 2 Mobile "mobile", 3 Hosting "hosting", 4 Relay "vpn or relay",
        5 Corporate "corporate", 6 Private "private",
    }
}

impl NetworkClass {
    /// Whether its addresses are rented by the hour: hosting providers, relays, commercial VPNs.
    #[must_use]
    pub const fn is_rented(self) -> bool {
        matches!(self, Self::Hosting | Self::Relay)
    }
}

/// What is known of the network an event came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The address, IPv4-mapped IPv6 unwrapped. Absent if the source gives none.
    pub ip: Option<IpAddr>,
    /// Autonomous system, if known.
    pub asn: Option<Asn>,
    /// Its organisation, if known.
    pub organisation: Option<Text>,
    /// Its class.
    pub class: NetworkClass,
}

impl Asn {
    /// From a number; `None` for 0, which names no network.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

impl Prefix {
    /// The prefix of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match canonical_ip(ip) {
            IpAddr::V4(v4) => Self(IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00))),
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)))),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

impl Prefix {
    /// The prefix as text, as `Display` writes it, sooner.
    #[must_use]
    pub fn label(self) -> Text {
        let IpAddr::V4(v4) = self.0 else {
            return Text::from(self.to_string());
        };
        let mut label = String::with_capacity(18);
        for (index, octet) in v4.octets().into_iter().enumerate() {
            if index > 0 {
                label.push('.');
            }
            spell(u64::from(octet), &mut label);
        }
        label.push_str("/24");
        Text::from(label)
    }
}

impl Network {
    /// The network by its organisation and number: `Example Telecom (AS64500)`. Absent: neither is known.
    #[must_use]
    pub fn label(&self) -> Option<Text> {
        if self.asn.is_none() {
            return self.organisation.clone();
        }
        let mut label = String::with_capacity(48);
        if let Some(organisation) = &self.organisation {
            label.push_str(organisation);
            label.push_str(" (");
        }
        label.push_str("AS");
        spell(u64::from(self.asn?.get()), &mut label);
        if self.organisation.is_some() {
            label.push(')');
        }
        Some(Text::from(label))
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ip: None,
            asn: None,
            organisation: None,
            class: NetworkClass::Unknown,
        }
    }
}

/// The address with IPv4-mapped IPv6 (`::ffff:1.2.3.4`) unwrapped, so that one host has one spelling.
#[must_use]
pub fn canonical_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The host part of an IPv6 address is drawn anew every day by privacy extensions (RFC 8981), so an account
/// remembers the /64; IPv4 addresses are kept whole.
#[must_use]
pub fn stable_host(ip: IpAddr) -> IpAddr {
    match canonical_ip(ip) {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn prefixes_are_24_and_48_bits() {
        assert_eq!(Prefix::of(ip("203.0.113.77")).to_string(), "203.0.113.0/24");
        assert_eq!(Prefix::of(ip("2001:db8:1:2:3::9")).to_string(), "2001:db8:1::/48");
        assert_eq!(
            Prefix::of(ip("::ffff:203.0.113.77")),
            Prefix::of(ip("203.0.113.1"))
        );
    }

    #[test]
    fn privacy_addresses_are_one_host() {
        assert_eq!(
            stable_host(ip("2001:db8::1234:1")),
            stable_host(ip("2001:db8::ffff:2"))
        );
        assert_ne!(stable_host(ip("10.0.0.1")), stable_host(ip("10.0.0.2")));
    }
}
