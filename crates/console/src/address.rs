//! Where a request comes from.

use crate::guard::RequestId;
use axum::extract::Request;
use habitus_model::Text;
use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Hops of `X-Forwarded-For` that are looked at.
const HOPS_MAX: usize = 16;

/// The other end of the connection, put into the request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub SocketAddr);

/// Address of whoever asks, behind the proxies that are trusted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub IpAddr);

/// Who sent a request, as far as the network tells.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub address: IpAddr,
    pub request: Text,
}

impl Client {
    /// From what the outer layer found out.
    pub(crate) fn of(request: &Request) -> Self {
        Self::of_extensions(request.extensions())
    }

    /// The same from a request's extensions.
    pub(crate) fn of_extensions(extensions: &http::Extensions) -> Self {
        Self {
            address: extensions
                .get::<ClientAddress>()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0),
            request: extensions
                .get::<RequestId>()
                .map_or_else(Text::default, |id| id.0.clone()),
        }
    }
}

/// Whether this peer is a proxy that is believed.
pub(crate) fn is_trusted(peer: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&peer.to_canonical()))
}

/// The client behind `peer`: the last address of `X-Forwarded-For` that no trusted proxy has, because everything before
/// it may be the client's invention (ASVS 4.1.3, 15.3.4).
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    if !is_trusted(address, trusted) {
        return address;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.iter().rev().take(HOPS_MAX) {
        let Some(hop) = parse(hop) else {
            break;
        };
        address = hop;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    address
}

/// An address, also with a port or in brackets, as proxies write it.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = hop.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let bare = hop.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &str, expected: &str) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let found = client(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("192.0.2.1", "203.0.113.9", "192.0.2.1");
        check("10.0.0.1", "203.0.113.9", "203.0.113.9");
        check("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9");
        check("fd00::1", "2001:db8::9", "2001:db8::9");
    }

    #[test]
    fn what_a_client_invents_stands_before_what_the_proxy_saw() {
        check("10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9");
        check("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9");
        check("10.0.0.1", "203.0.113.9:4711", "203.0.113.9");
        check("10.0.0.1", "[2001:db8::9]", "2001:db8::9");
        check("10.0.0.1", "nonsense", "10.0.0.1");
        check("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.7", "10.0.0.7");
    }
}
