//! An event's values as 64-bit fingerprints: what profiles store in place of addresses and names.

use habitus_model::hash::HashKey;
use habitus_model::network::stable_host;
use habitus_model::{Client, Context, Prefix};

/// Fingerprints of what an event shows. Absent: the event does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keys {
    /// Country.
    pub country: Option<u64>,
    /// Autonomous system within the country: a cloud provider in another country is another network. Its upper half is the
    /// system's alone: see [`same_provider`].
    pub asn: Option<u64>,
    /// /24 or /48.
    pub prefix: Option<u64>,
    /// Address, or /64 of IPv6.
    pub host: Option<u64>,
    /// Device type, operating system and browser families, without versions.
    pub family: Option<u64>,
    /// Operating system family and device type.
    pub os: Option<u64>,
    /// Device model.
    pub model: Option<u64>,
    /// Bound client: device id or key fingerprint.
    pub client: Option<u64>,
}

impl Keys {
    /// The fingerprints of one event. Cost: up to eight short SipHashes.
    #[must_use]
    pub fn of(context: &Context, key: HashKey) -> Self {
        let country = context
            .place
            .country
            .map(|c| key.fingerprint(&("country", c.as_str())));
        let asn = context.network.asn.map(|asn| {
            within(
                key.fingerprint(&("provider", asn.get())),
                key.fingerprint(&("asn", country, asn.get())),
            )
        });
        let ip = context.network.ip;
        Self {
            country,
            asn,
            prefix: ip.map(|ip| key.fingerprint(&("prefix", Prefix::of(ip)))),
            host: ip.map(|ip| key.fingerprint(&("host", stable_host(ip)))),
            family: family(&context.client, key),
            os: context
                .client
                .os
                .as_ref()
                .map(|os| key.fingerprint(&("os", os.as_str(), context.client.device.id()))),
            model: context
                .client
                .model
                .as_ref()
                .map(|model| key.fingerprint(&("model", model.as_str()))),
            client: context
                .client
                .key
                .as_ref()
                .map(|id| key.fingerprint(&("client", id.as_str()))),
        }
    }

    /// Whether anything is known of the network.
    #[must_use]
    pub const fn has_network(&self) -> bool {
        self.country.is_some() || self.asn.is_some() || self.prefix.is_some()
    }
}

/// Whether two fingerprints are of one autonomous system, in whatever countries. Wrong once in four billion.
#[must_use]
pub fn same_provider(a: u64, b: u64) -> bool {
    a >> 32 == b >> 32
}

fn within(provider: u64, network: u64) -> u64 {
    (provider & !0xffff_ffff) | (network & 0xffff_ffff)
}

fn family(client: &Client, key: HashKey) -> Option<u64> {
    if client.os.is_none() && client.browser.is_none() {
        return None;
    }
    let os = client.os.as_deref().unwrap_or("");
    let browser = client.browser.as_deref().unwrap_or("");
    Some(key.fingerprint(&("family", client.device.id(), os, browser)))
}
