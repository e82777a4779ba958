//! Networks of safelists and of `cidr("…")`: one host has one spelling, whether it comes as IPv4 or inside IPv6.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. IPv4 inside IPv6 (`::ffff:192.0.2.0/120`) is unwrapped.
///
/// # Errors
/// What to write instead.
pub fn parse(text: &str) -> Result<IpNet, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(ip.to_canonical()));
    }
    let network = text.parse::<IpNet>().map_err(|_| {
        "write a network such as `10.0.0.0/8` or `2001:db8::/32`, or a single address".to_owned()
    })?;
    let network = unmapped(network);
    if network.trunc() == network {
        Ok(network)
    } else {
        let whole = network.trunc();
        Err(format!(
            "host bits are set: write `{whole}` for the network, or the address alone for one host"
        ))
    }
}

/// Whether the network holds the address, whichever way it is written.
pub fn holds(network: &IpNet, ip: IpAddr) -> bool {
    network.contains(&ip.to_canonical())
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(ip, bits)| Ipv4Net::new(ip, bits).ok())
        .map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: &str, ip: &str, held: bool) {
        let network = parse(network).unwrap();
        assert_eq!(holds(&network, ip.parse().unwrap()), held, "{network} {ip}");
    }

    #[test]
    fn networks_hold_their_hosts_in_every_spelling() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check("::ffff:192.0.2.0/120", "192.0.2.200", true);
        check("::ffff:192.0.2.0/120", "192.0.3.1", false);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("198.51.100.7", "198.51.100.7", true);
        check("198.51.100.7", "198.51.100.8", false);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "192.0.2.1", false);
    }

    #[test]
    fn what_is_no_network_is_refused_with_advice() {
        assert!(parse("192.0.2.7/24").unwrap_err().contains("192.0.2.0/24"));
        for bad in ["", "10.0.0.0/33", "10.0.0", "example.com", "2001:db8::/129"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
