//! Which addresses are nobody's business to be reached by a server that takes orders from a configuration.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not the public internet: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates) without the
/// globally reachable ones, with multicast (RFC 5771), and the wire server of one cloud, which has a public address.
const REFUSED_V4: &[([u8; 4], u8, &str)] = &[
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "carrier-grade NAT"),
    ([127, 0, 0, 0], 8, "loopback"),
    (
        [169, 254, 0, 0],
        16,
        "link-local, where clouds keep their metadata",
    ),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "IETF protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 88, 99, 0], 24, "6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([168, 63, 129, 16], 32, "Azure's wire server"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
];

/// Blocks within 2000::/3 that are not the public internet: IANA IPv6 Special-Purpose Address Registry, and the tunnels that carry an
/// IPv4 address inside.
const REFUSED_V6: &[([u16; 8], u8, &str)] = &[
    (
        [0x2001, 0, 0, 0, 0, 0, 0, 0],
        23,
        "IETF protocol assignments, Teredo among them",
    ),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation"),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation"),
];

/// Blocks outside 2000::/3, for a better word than "not global unicast".
const NAMED_V6: &[([u16; 8], u8, &str)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback"),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped"),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "NAT64"),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "NAT64"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast"),
];

/// Why the address is refused unless a responder names its network; `None` for the public internet.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refusal_v4(v4),
        IpAddr::V6(v6) => refusal_v6(v6),
    }
}

/// Whether a network that a responder names holds the address. An IPv6 form that carries an IPv4 address is only held by
/// an IPv6 network: whoever names 10.0.0.0/8 has not asked for a translator.
#[must_use]
pub fn named(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn refusal_v4(v4: Ipv4Addr) -> Option<&'static str> {
    let bits = v4.to_bits();
    let found = REFUSED_V4.iter().find(|(base, length, _)| {
        let base = Ipv4Addr::from(*base).to_bits();
        bits.checked_shr(32 - u32::from(*length)) == base.checked_shr(32 - u32::from(*length))
    });
    found.map(|(_, _, why)| *why)
}

fn refusal_v6(v6: Ipv6Addr) -> Option<&'static str> {
    let segments = v6.segments();
    // ISATAP (RFC 5214) hides an IPv4 address behind 0000:5efe or 0200:5efe in any prefix.
    if matches!(segments, [_, _, _, _, 0 | 0x200, 0x5efe, _, _]) {
        return Some("ISATAP");
    }
    if within(v6, &[0x2000, 0, 0, 0, 0, 0, 0, 0], 3) {
        return word(REFUSED_V6, v6);
    }
    Some(word(NAMED_V6, v6).unwrap_or("not global unicast"))
}

fn word(table: &[([u16; 8], u8, &'static str)], v6: Ipv6Addr) -> Option<&'static str> {
    let found = table.iter().find(|(base, length, _)| within(v6, base, *length));
    found.map(|(_, _, why)| *why)
}

fn within(v6: Ipv6Addr, base: &[u16; 8], length: u8) -> bool {
    let shift = 128 - u32::from(length);
    v6.to_bits().checked_shr(shift) == Ipv6Addr::from(*base).to_bits().checked_shr(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, refused: bool) {
        let parsed: IpAddr = address.parse().unwrap();
        assert_eq!(
            refusal(parsed).is_some(),
            refused,
            "{address}: {:?}",
            refusal(parsed)
        );
    }

    #[test]
    fn edges_of_blocks_are_exact() {
        for (address, refused) in [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("169.254.169.254", true),
            ("168.63.129.16", true),
            ("168.63.129.17", false),
            ("198.17.255.255", false),
            ("198.19.255.255", true),
            ("198.20.0.0", false),
            ("223.255.255.255", false),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("0.0.0.0", true),
            ("8.8.8.8", false),
        ] {
            check(address, refused);
        }
    }

    #[test]
    fn only_global_unicast_without_an_address_inside_passes() {
        for (address, refused) in [
            ("2606:4700::1111", false),
            ("2a00:1450:4001::200e", false),
            ("2001:200::1", false),
            ("::", true),
            ("::1", true),
            ("::127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a9fe:a9fe", true),
            ("64:ff9b:1::a00:1", true),
            ("2002:7f00:1::", true),
            ("2001:0:4136:e378::1", true),
            ("2001:db8::1", true),
            ("3fff::1", true),
            ("fd00:ec2::254", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("ff02::1", true),
            ("100::1", true),
            ("2a00::5efe:7f00:1", true),
            ("2a00::200:5efe:7f00:1", true),
        ] {
            check(address, refused);
        }
    }

    #[test]
    fn a_named_network_holds_its_own_family_only() {
        let networks: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(named(&networks, "10.1.2.3".parse().unwrap()));
        assert!(named(&networks, "::1".parse().unwrap()));
        assert!(!named(&networks, "::ffff:10.1.2.3".parse().unwrap()));
        assert!(!named(&networks, "127.0.0.1".parse().unwrap()));
    }
}
