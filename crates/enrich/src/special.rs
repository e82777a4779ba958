//! Addresses that belong to nobody in particular: private, shared, loopback, documentation.
//!
//! Source: the IANA special-purpose address registries (RFC 6890), and for each range the RFC named beside it.

use habitus_model::network::canonical_ip;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a special range is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialRange {
    /// Private use: RFC 1918, and unique local IPv6 addresses of RFC 4193.
    Private,
    /// The host itself: 127.0.0.0/8, ::1, and the unspecified addresses.
    Loopback,
    /// Link-local: RFC 3927, and fe80::/10 of RFC 4291.
    LinkLocal,
    /// Shared by the customers of a carrier-grade NAT: 100.64.0.0/10 of RFC 6598. Overlay networks use it too.
    Shared,
    /// For documentation: RFC 5737, 3849 and 9637. Never a real client; examples and tests use them as public ones.
    Documentation,
    /// Benchmarking (RFC 2544), multicast, reserved, broadcast: no client comes from there.
    Reserved,
}

impl SpecialRange {
    /// Whether an address in this range is inside somebody's network, where no table of the world can place it.
    #[must_use]
    pub const fn is_internal(self) -> bool {
        match self {
            Self::Private | Self::Loopback | Self::LinkLocal | Self::Shared => true,
            Self::Documentation | Self::Reserved => false,
        }
    }
}

/// The special range an address lies in; `None` for ordinary addresses. IPv4-mapped IPv6 is unwrapped first.
#[must_use]
pub fn range_of(ip: IpAddr) -> Option<SpecialRange> {
    match canonical_ip(ip) {
        IpAddr::V4(ip) => range_of_v4(ip),
        IpAddr::V6(ip) => range_of_v6(ip),
    }
}

fn range_of_v4(ip: Ipv4Addr) -> Option<SpecialRange> {
    use SpecialRange::{Documentation, LinkLocal, Loopback, Private, Reserved, Shared};
    let range = match ip.octets() {
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private,
        [127, ..] | [0, 0, 0, 0] => Loopback,
        [169, 254, ..] => LinkLocal,
        [100, 64..=127, ..] => Shared,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Documentation,
        [0, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [224..=255, ..] => Reserved,
        _ => return None,
    };
    Some(range)
}

fn range_of_v6(ip: Ipv6Addr) -> Option<SpecialRange> {
    use SpecialRange::{Documentation, LinkLocal, Loopback, Private, Reserved};
    let range = match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => Loopback,
        [0xfc00..=0xfdff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Documentation,
        [0xff00..=0xffff, ..] | [0x100, 0, 0, 0, ..] | [0x2001, 2, 0, ..] => Reserved,
        _ => return None,
    };
    Some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_begin_and_end_where_the_rfcs_say() {
        use SpecialRange::{Documentation, LinkLocal, Loopback, Private, Reserved, Shared};
        for (ip, want) in [
            ("10.255.255.255", Some(Private)),
            ("11.0.0.0", None),
            ("172.15.255.255", None),
            ("172.16.0.0", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("172.32.0.0", None),
            ("192.168.0.1", Some(Private)),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(Shared)),
            ("100.127.255.255", Some(Shared)),
            ("100.128.0.0", None),
            ("127.0.0.1", Some(Loopback)),
            ("169.254.1.1", Some(LinkLocal)),
            ("203.0.113.9", Some(Documentation)),
            ("198.18.0.1", Some(Reserved)),
            ("255.255.255.255", Some(Reserved)),
            ("8.8.8.8", None),
            ("::", Some(Loopback)),
            ("::1", Some(Loopback)),
            ("fd12::1", Some(Private)),
            ("fe80::1", Some(LinkLocal)),
            ("fec0::1", None),
            ("2001:db8::1", Some(Documentation)),
            ("3fff::1", Some(Documentation)),
            ("3fff:1000::1", None),
            ("2001:4860:4860::8888", None),
            ("::ffff:10.0.0.1", Some(Private)),
            ("::ffff:8.8.8.8", None),
        ] {
            assert_eq!(range_of(ip.parse().unwrap()), want, "{ip}");
        }
    }
}
