//! MaxMind-format databases: what is read of them, and how they fail.
//!
//! Only the paths we need are decoded, not whole records (a path costs a third of a record). A record that does not
//! decode is an unknown answer: the database is data from outside, and one bad record must not stop the rest.

use crate::tables::{TableError, TableVersion};
use habitus_model::{Asn, Coordinates, CountryCode, Km, NetworkClass, Place, Text};
use maxminddb::{LookupResult, PathElement, Reader, path};
use std::net::IpAddr;

/// Longest name taken from a record, in bytes. MaxMind's longest city names stay below 100.
const NAME_BYTES_MAX: usize = 200;

/// A database of one kind, read from bytes.
pub(crate) struct Mmdb {
    reader: Reader<Vec<u8>>,
}

/// What a database must be about, as its `database_type` says.
pub(crate) struct Kind {
    /// Name in errors and versions.
    pub(crate) table: &'static str,
    /// Words of which the type must contain one, in lower case.
    pub(crate) words: &'static [&'static str],
    /// What to give, for people.
    pub(crate) wanted: &'static str,
}

pub(crate) const CITY: Kind = Kind {
    table: "place",
    words: &["city", "country", "enterprise", "location"],
    wanted: "a City, Country or Enterprise database",
};
pub(crate) const ASN: Kind = Kind {
    table: "asn",
    words: &["asn", "isp", "enterprise"],
    wanted: "an ASN or ISP database",
};
pub(crate) const ANONYMOUS: Kind = Kind {
    table: "anonymous-ip",
    words: &["anonymous"],
    wanted: "an Anonymous-IP or Anonymous-Plus database",
};
pub(crate) const CONNECTION: Kind = Kind {
    table: "connection-type",
    words: &["connection-type"],
    wanted: "a Connection-Type database",
};

impl Mmdb {
    /// Reads the metadata and checks that the database is about the right thing. Records are not read: see
    /// [`Mmdb::verify`].
    pub(crate) fn read(kind: &Kind, bytes: Vec<u8>) -> Result<Self, TableError> {
        let reader = Reader::from_source(bytes).map_err(|error| unreadable(kind, &error))?;
        let found = reader.metadata().database_type.clone();
        let lower = found.to_lowercase();
        if kind.words.iter().any(|word| lower.contains(word)) {
            Ok(Self { reader })
        } else {
            Err(TableError::WrongKind {
                table: kind.table,
                found: found.chars().take(80).collect(),
                wanted: kind.wanted,
            })
        }
    }

    /// Reads every record once. O(database): a second or so for the largest.
    pub(crate) fn verify(&self, kind: &Kind) -> Result<(), TableError> {
        self.reader.verify().map_err(|error| unreadable(kind, &error))
    }

    pub(crate) fn version(&self, kind: &Kind) -> TableVersion {
        let metadata = self.reader.metadata();
        TableVersion {
            table: Text::new(kind.table),
            version: Text::from(format!("{} {}", metadata.database_type, metadata.build_epoch)),
            built_s: Some(metadata.build_epoch),
            attribution: attribution(&metadata.database_type).map(Text::new),
        }
    }

    /// Country, city and point of a City, Country or Enterprise database.
    pub(crate) fn place(&self, ip: IpAddr) -> Option<Place> {
        let record = self.record(ip)?;
        let lat: Option<f64> = value(&record, &path!["location", "latitude"]);
        let lon: Option<f64> = value(&record, &path!["location", "longitude"]);
        // MaxMind writes 16 bits; other writers are not so sparing, and the reader is strict about widths.
        let radius = &path!["location", "accuracy_radius"];
        let radius =
            value::<u16>(&record, radius).map_or_else(|| value::<u32>(&record, radius), |km| Some(km.into()));
        let country: Option<&str> = value(&record, &path!["country", "iso_code"]);
        let coordinates = lat.zip(lon).and_then(|(lat, lon)| Coordinates::new(lat, lon));
        Some(Place {
            country: country.and_then(CountryCode::new),
            region: name(&record, &path!["subdivisions", 0, "names", "en"]),
            city: name(&record, &path!["city", "names", "en"]),
            coordinates,
            radius: radius
                .filter(|_| coordinates.is_some())
                .map(|km| Km(f64::from(km))),
        })
    }

    /// Number and organisation of an ASN or ISP database.
    pub(crate) fn system(&self, ip: IpAddr) -> Option<(Asn, Option<Text>)> {
        let record = self.record(ip)?;
        let number: Option<u32> = value(&record, &path!["autonomous_system_number"]);
        let organisation = name(&record, &path!["autonomous_system_organization"]);
        Some((number.and_then(Asn::new)?, organisation))
    }

    /// Class by an Anonymous-IP database. A VPN in a data centre is a VPN: people sit behind it.
    pub(crate) fn anonymity(&self, ip: IpAddr) -> Option<NetworkClass> {
        let record = self.record(ip)?;
        let says = |key: &'static str| value::<bool>(&record, &[PathElement::Key(key)]) == Some(true);
        let relay = [
            "is_anonymous_vpn",
            "is_public_proxy",
            "is_residential_proxy",
            "is_tor_exit_node",
        ];
        if relay.into_iter().any(says) {
            Some(NetworkClass::Relay)
        } else if says("is_hosting_provider") {
            Some(NetworkClass::Hosting)
        } else if says("is_anonymous") {
            Some(NetworkClass::Relay)
        } else {
            None
        }
    }

    /// Class by a Connection-Type database. Its "Corporate" is anybody's leased line, not this organisation's, hence
    /// fixed; satellite terminals, like phones, say little about where they are.
    pub(crate) fn connection(&self, ip: IpAddr) -> Option<NetworkClass> {
        let record = self.record(ip)?;
        match value::<&str>(&record, &path!["connection_type"])? {
            "Cable/DSL" | "Dialup" | "Corporate" => Some(NetworkClass::Fixed),
            "Cellular" | "Satellite" => Some(NetworkClass::Mobile),
            _ => None,
        }
    }

    fn record(&self, ip: IpAddr) -> Option<LookupResult<'_, Vec<u8>>> {
        let record = self.reader.lookup(ip).ok()?;
        record.has_data().then_some(record)
    }
}

fn value<'a, T: serde::Deserialize<'a>>(
    record: &LookupResult<'a, Vec<u8>>,
    path: &[PathElement<'_>],
) -> Option<T> {
    record.decode_path(path).ok().flatten()
}

fn name(record: &LookupResult<'_, Vec<u8>>, path: &[PathElement<'_>]) -> Option<Text> {
    let text: &str = value(record, path)?;
    (!text.is_empty() && text.len() <= NAME_BYTES_MAX).then(|| Text::new(text))
}

fn unreadable(kind: &Kind, error: &maxminddb::MaxMindDbError) -> TableError {
    TableError::Unreadable {
        table: kind.table,
        reason: error.to_string().chars().take(200).collect(),
    }
}

/// What the licences of well-known free databases ask to be shown.
fn attribution(database_type: &str) -> Option<&'static str> {
    let free = [
        (
            "GeoLite2",
            "This product includes GeoLite2 Data created by MaxMind, available from https://www.maxmind.com",
        ),
        ("DBIP", "IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"),
    ];
    free.into_iter()
        .find(|(prefix, _)| database_type.starts_with(prefix))
        .map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ANY: Kind = Kind {
        table: "any",
        words: &[""],
        wanted: "anything",
    };

    /// Most of these are of no type that we accept, so they are read here behind the type check.
    #[test]
    fn known_malformed_databases_are_errors_or_unknown() {
        let root = std::env::var_os("HABITUS_REFERENCE_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
            PathBuf::from,
        );
        let root = root.join("reference/maxmind");
        if !root.exists() {
            println!("skipped: no reference data at {}", root.display());
            return;
        }
        let (mut refused, mut damaged, mut sound) = (0, 0, 0);
        for folder in [
            "bad-data/libmaxminddb",
            "bad-data/maxminddb-golang",
            "bad-data/maxminddb-python",
            "test-data",
        ] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                let Ok(database) = Mmdb::read(&ANY, bytes) else {
                    refused += 1;
                    continue;
                };
                match database.verify(&ANY) {
                    Ok(()) => sound += 1,
                    Err(_) => damaged += 1,
                }
                let _ = database.version(&ANY);
                for first in 0..=255_u8 {
                    for ip in [
                        IpAddr::from([first, 1, 1, 1]),
                        IpAddr::from([u16::from(first) << 8, 0x218, 0, 0, 0, 0, 0, 1]),
                    ] {
                        let _ = (
                            database.place(ip),
                            database.system(ip),
                            database.anonymity(ip),
                            database.connection(ip),
                        );
                    }
                }
            }
        }
        println!("{refused} refused, {damaged} damaged, {sound} sound");
        assert!(refused > 0 && damaged > 0 && sound > 0);
    }
}
