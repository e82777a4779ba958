//! Lists of networks given by the people who run habitus: their offices, known relays, Tor exits, blocks, exceptions.

use habitus_model::Text;
use habitus_model::network::canonical_ip;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixSet;
use std::net::IpAddr;

/// Longest list accepted, in entries. The largest public lists of relays and data centres have about half a million.
pub const IP_LIST_ENTRIES_MAX: usize = 2_000_000;

/// What being on a list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IpListKind {
    /// The organisation's own egress: offices, VPN concentrators. Makes the class `Corporate`.
    Corporate,
    /// VPN services, proxies, privacy relays. Makes the class `Relay`.
    Relay,
    /// Tor exits. Makes the class `Relay`.
    Tor,
    /// Networks nobody should come from; policies ask for it.
    Blocked,
    /// Networks that are never to be acted against; policies ask for it.
    Safe,
}

/// A named, versioned set of networks; immutable once read.
#[derive(Clone)]
pub struct IpList {
    name: Text,
    version: Text,
    kind: IpListKind,
    v4: PrefixSet<Ipv4Net>,
    v6: PrefixSet<Ipv6Net>,
}

/// What is wrong with a list, and where. Addresses are not repeated in messages, only line numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IpListError {
    /// A line is neither an address nor a network.
    #[error(
        "line {line} is no address and no network; write one a line, such as `192.0.2.0/24`, `192.0.2.7` or `2001:db8::/32`, with `#` before remarks"
    )]
    Line {
        /// Line number, from 1.
        line: usize,
    },
    /// A line has bits set behind the prefix, so that it may mean one host or its whole network.
    #[error(
        "line {line} has host bits set; write `{network}` for the whole network, or the address alone for one host"
    )]
    HostBits {
        /// Line number, from 1.
        line: usize,
        /// The network the line's prefix length would make of it.
        network: IpNet,
    },
    /// More entries than are accepted.
    #[error("more than {IP_LIST_ENTRIES_MAX} entries; merge neighbouring networks, or split the list")]
    TooLong,
}

impl IpList {
    /// Reads one network or address a line; empty lines and what follows `#` are skipped. O(n) in the text.
    ///
    /// # Errors
    /// The first line that cannot be read, by number: a list is taken whole or not at all.
    pub fn parse(
        name: impl Into<Text>,
        version: impl Into<Text>,
        kind: IpListKind,
        text: &str,
    ) -> Result<Self, IpListError> {
        let mut list = Self {
            name: name.into(),
            version: version.into(),
            kind,
            v4: PrefixSet::new(),
            v6: PrefixSet::new(),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() {
                list.insert(network_of(entry, at + 1)?);
            }
            if list.len() > IP_LIST_ENTRIES_MAX {
                return Err(IpListError::TooLong);
            }
        }
        Ok(list)
    }

    /// Name, as the configuration gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, as the configuration gives it: a date, a hash, a release.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What being on it means.
    #[must_use]
    pub const fn kind(&self) -> IpListKind {
        self.kind
    }

    /// Distinct networks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it names no network.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Prefix length, in bits of its own family, of the most specific network that holds `ip`. `None`: not listed.
    /// O(address bits).
    #[must_use]
    pub fn longest_match(&self, ip: IpAddr) -> Option<u8> {
        match canonical_ip(ip) {
            IpAddr::V4(ip) => self.v4.get_lpm(&Ipv4Net::from(ip)).map(|net| net.prefix_len()),
            IpAddr::V6(ip) => self.v6.get_lpm(&Ipv6Net::from(ip)).map(|net| net.prefix_len()),
        }
    }

    /// Whether any network of the list holds `ip`.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.longest_match(ip).is_some()
    }

    fn insert(&mut self, network: IpNet) {
        match network {
            IpNet::V4(net) => self.v4.insert(net),
            IpNet::V6(net) => self.v6.insert(net),
        };
    }
}

impl std::fmt::Debug for IpList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name, version, kind, ..
        } = self;
        write!(f, "IpList({name} {version} {kind:?}, {} networks)", self.len())
    }
}

fn network_of(entry: &str, line: usize) -> Result<IpNet, IpListError> {
    if let Ok(ip) = entry.parse::<IpAddr>() {
        return Ok(IpNet::from(canonical_ip(ip)));
    }
    let network = entry.parse::<IpNet>().map_err(|_| IpListError::Line { line })?;
    let network = unmapped(network);
    if network.trunc() == network {
        Ok(network)
    } else {
        let network = network.trunc();
        Err(IpListError::HostBits { line, network })
    }
}

/// `::ffff:192.0.2.0/120` is `192.0.2.0/24`: addresses are unwrapped before they are looked up, so lists must be too.
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

    fn list(text: &str) -> Result<IpList, IpListError> {
        IpList::parse("office", "1", IpListKind::Corporate, text)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_match_and_not_only_equal_text() {
        let list = list("# offices\r\n203.0.113.0/24 # Berlin\n\n198.51.100.7\n2001:db8:5::/48\n").unwrap();
        assert_eq!(list.len(), 3);
        for inside in [
            "203.0.113.0",
            "203.0.113.255",
            "198.51.100.7",
            "2001:db8:5:9::1",
            "::ffff:203.0.113.9",
        ] {
            assert!(list.contains(ip(inside)), "{inside}");
        }
        for outside in [
            "203.0.112.255",
            "203.0.114.0",
            "198.51.100.8",
            "2001:db8:6::1",
            "::203.0.113.9",
        ] {
            assert!(!list.contains(ip(outside)), "{outside}");
        }
    }

    #[test]
    fn the_most_specific_network_answers() {
        let list = list("0.0.0.0/0\n10.0.0.0/8\n10.1.0.0/16\n::/0").unwrap();
        assert_eq!(list.longest_match(ip("10.1.2.3")), Some(16));
        assert_eq!(list.longest_match(ip("10.2.2.3")), Some(8));
        assert_eq!(list.longest_match(ip("8.8.8.8")), Some(0));
        assert_eq!(list.longest_match(ip("2001:db8::1")), Some(0));
    }

    #[test]
    fn mapped_networks_are_networks_of_ipv4() {
        let list = list("::ffff:192.0.2.0/120\n::ffff:198.51.100.1").unwrap();
        assert!(list.contains(ip("192.0.2.200")));
        assert!(list.contains(ip("198.51.100.1")));
    }

    #[test]
    fn errors_say_where_and_what_to_write() {
        let error = list("192.0.2.0/24\n\nexample.com\n").unwrap_err();
        assert_eq!(error, IpListError::Line { line: 3 });
        assert!(error.to_string().starts_with("line 3 is no address"));
        let error = list("192.0.2.7/24").unwrap_err();
        assert!(error.to_string().contains("`192.0.2.0/24`"), "{error}");
        for bad in [
            "192.0.2.0/33",
            "1.2.3",
            "2001:db8::/129",
            "192.0.2.0/",
            "192.0.2.1-192.0.2.9",
        ] {
            assert!(matches!(list(bad), Err(IpListError::Line { line: 1 })), "{bad}");
        }
    }

    #[test]
    fn an_empty_list_holds_nobody() {
        let list = list("\u{feff}# nothing yet\n").unwrap();
        assert!(list.is_empty());
        assert!(!list.contains(ip("192.0.2.1")));
    }
}
