//! Fields that every format reads the same way.

use habitus_model::account::named;
use habitus_model::network::canonical_ip;
use habitus_model::{Coordinates, Text};
use std::net::IpAddr;

/// Longest user agent kept, bytes: a 60 KB hostile one would cost a millisecond to parse (CRATES).
pub const USER_AGENT_BYTES_MAX: usize = 1_024;

/// Longest name or value kept in a field of an event, bytes.
pub const FIELD_BYTES_MAX: usize = 4_096;

/// An address as logs write it: IPv4 or IPv6, in brackets, with a port, with a zone, IPv4-mapped (unwrapped). Absent:
/// not an address (a host name, a service name, a placeholder).
#[must_use]
pub fn ip(text: &str) -> Option<IpAddr> {
    ip_port(text).map(|(ip, _)| ip)
}

/// Like [`ip`], with the port if there is one.
#[must_use]
pub fn ip_port(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let text = named(text)?;
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((canonical_ip(ip), None));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (host, tail) = inner.split_once(']')?;
        let port = tail.strip_prefix(':').and_then(|p| p.parse().ok());
        return host_only(host).map(|ip| (ip, port));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && let Ok(v4) = host.parse::<std::net::Ipv4Addr>()
    {
        return Some((IpAddr::V4(v4), port.parse().ok()));
    }
    host_only(text).map(|ip| (ip, None))
}

/// A user agent, cut at [`USER_AGENT_BYTES_MAX`]; absent if it says nothing.
#[must_use]
pub fn user_agent(text: &str) -> Option<Text> {
    named(text).map(|text| Text::new(cut(text, USER_AGENT_BYTES_MAX)))
}

/// A name or value, trimmed, cut at [`FIELD_BYTES_MAX`]; absent if it means nobody or nothing.
#[must_use]
pub fn text(text: &str) -> Option<Text> {
    named(text).map(|text| Text::new(cut(text, FIELD_BYTES_MAX)))
}

/// A point from two numbers that must both be there; 0.0 is a number like any other.
#[must_use]
pub fn coordinates(lat: Option<f64>, lon: Option<f64>) -> Option<Coordinates> {
    Coordinates::new(lat?, lon?)
}

/// How many like things an event tells of; absent below 2, where it is one event like any other, and beyond what anybody counts.
#[must_use]
pub fn several(count: i64) -> Option<u32> {
    u32::try_from(count).ok().filter(|count| *count >= 2)
}

/// `text` cut to at most `bytes`, at a character boundary.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

fn host_only(host: &str) -> Option<IpAddr> {
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    host.parse().ok().map(canonical_ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_dress() {
        let v4: IpAddr = "203.0.113.7".parse().unwrap();
        for text in [
            "203.0.113.7",
            " 203.0.113.7 ",
            "203.0.113.7:51514",
            "::ffff:203.0.113.7",
            "[::ffff:203.0.113.7]:443",
        ] {
            assert_eq!(ip(text), Some(v4), "{text}");
        }
        assert_eq!(
            ip_port("[2001:db8::1]:22"),
            Some(("2001:db8::1".parse().unwrap(), Some(22)))
        );
        assert_eq!(ip("fe80::1%eth0"), Some("fe80::1".parse().unwrap()));
        for none in ["", "-", "aws.internal", "LOCAL", "1.2.3", "null"] {
            assert_eq!(ip(none), None, "{none}");
        }
    }

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!([-1, 0, 1, i64::MAX].map(several), [None; 4]);
        assert_eq!(several(50), Some(50));
    }

    #[test]
    fn cuts_do_not_split_characters() {
        assert_eq!(cut("aé", 2), "a");
    }
}
