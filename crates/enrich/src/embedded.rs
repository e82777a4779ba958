//! The country table that comes with the program, so that a place is known without any database of one's own.
//!
//! IPFire's location data as packaged by the Tor project (crate `tor-geoip`, data in `tor-geoip-db`): the country of
//! IPv4 and IPv6 addresses, no city, no coordinates. The format knows autonomous systems, but the packaged data
//! leaves them out, so an ASN database still has to be given.

use crate::rules;
use crate::tables::TableVersion;
use habitus_model::{CountryCode, Text};
use std::net::IpAddr;
use std::sync::Arc;

/// Shown where the licence asks for it: CC BY-SA 4.0.
const ATTRIBUTION: &str = "Countries of addresses: IPFire Location database, https://location.ipfire.org (CC BY-SA 4.0), as packaged by the Tor Project";

/// A handle to the embedded table; cheap to copy.
#[derive(Clone)]
pub(crate) struct Embedded(Arc<tor_geoip::GeoipDb>);

impl Embedded {
    pub(crate) fn new() -> Self {
        Self(tor_geoip::GeoipDb::new_embedded())
    }

    /// Country of an address; `None` where the table does not know. O(log n).
    pub(crate) fn country(&self, ip: IpAddr) -> Option<CountryCode> {
        self.0
            .lookup_country_code(ip)
            .and_then(|code| CountryCode::new(code.get()))
    }

    pub(crate) fn version(&self) -> TableVersion {
        TableVersion {
            table: Text::new("embedded-country"),
            version: Text::new(rules::LOCATION_DATA_DATE),
            built_s: None,
            attribution: Some(Text::new(ATTRIBUTION)),
        }
    }
}
