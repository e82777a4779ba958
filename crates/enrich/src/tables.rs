//! The tables by which addresses are known: immutable, versioned, swapped as a whole.

#[cfg(feature = "embedded-geoip")]
use crate::embedded::Embedded;
use crate::ip_list::{IpList, IpListKind};
use crate::mmdb::{self, Mmdb};
use crate::{country, rules, special};
use habitus_model::network::canonical_ip;
use habitus_model::{Asn, CountryCode, NetworkClass, Place, Text};
use std::net::IpAddr;
use std::sync::Arc;

/// Most IP lists accepted; each is asked once per new address.
pub const IP_LISTS_MAX: usize = 64;

/// Everything that addresses are looked up in. Immutable: to change one table, make new tables from
/// [`Tables::to_builder`] and put them in the place of the old ones.
#[derive(Clone)]
pub struct Tables {
    parts: TablesBuilder,
}

/// Makes [`Tables`] from bytes that the caller has read. Each step checks what it is given, so that tables which
/// exist are tables which work; parts not given are unknown, never errors.
#[derive(Clone, Default)]
pub struct TablesBuilder {
    city: Option<Arc<Mmdb>>,
    asn: Option<Arc<Mmdb>>,
    anonymous: Option<Arc<Mmdb>>,
    connection: Option<Arc<Mmdb>>,
    lists: Vec<Arc<IpList>>,
    #[cfg(feature = "embedded-geoip")]
    embedded: Option<Embedded>,
}

/// Which edition of a table decided, for the record of each decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// The table: `place`, `asn`, `anonymous-ip`, `connection-type`, `embedded-country`, `user-agent-rules`, or
    /// `ip-list` and the list's name.
    pub table: Text,
    /// Edition, unique per table: type and build time of a database, release of rules, version of a list.
    pub version: Text,
    /// When it was built, in seconds since 1970-01-01 UTC. Absent: the table does not say.
    pub built_s: Option<u64>,
    /// Text that its licence asks to be shown. Absent: none is asked.
    pub attribution: Option<Text>,
}

/// Why a table was refused. Tables are validated aside; on an error the old ones stay in use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Not a MaxMind-format database, or a damaged one.
    #[error("the {table} database cannot be read: {reason}; give the unpacked .mmdb file, or fetch it again")]
    Unreadable {
        /// Which table it was meant for.
        table: &'static str,
        /// What the reader says.
        reason: String,
    },
    /// A sound database about something else.
    #[error("the {table} database is of type `{found}`; give {wanted}")]
    WrongKind {
        /// Which table it was meant for.
        table: &'static str,
        /// Its own type.
        found: String,
        /// What would do.
        wanted: &'static str,
    },
    /// More lists than are accepted.
    #[error("more than {IP_LISTS_MAX} IP lists; put networks of one kind into one list")]
    TooManyLists,
    /// Two lists of one name: a decision could not say which one decided.
    #[error("two IP lists are named `{name}`; give each its own name")]
    DuplicateList {
        /// The name.
        name: Text,
    },
}

/// What is asked of the tables about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    /// Everything.
    Everything,
    /// Everything but its place: of a country that is stated, a table of countries knows nothing more.
    AllButPlace,
}

/// What the tables say of one address, whatever the event says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AddressFacts {
    pub(crate) place: Place,
    pub(crate) asn: Option<Asn>,
    pub(crate) organisation: Option<Text>,
    /// By one's own lists.
    pub(crate) listed: Option<NetworkClass>,
    /// By an Anonymous-IP database.
    pub(crate) anonymous: Option<NetworkClass>,
    /// By a Connection-Type database.
    pub(crate) connection: Option<NetworkClass>,
    /// Private, loopback, link-local or shared.
    pub(crate) is_internal: bool,
}

impl Tables {
    /// The built-in tables only: countries, if compiled in (feature `embedded-geoip`), and user-agent rules.
    #[must_use]
    pub fn embedded() -> Self {
        Self::builder().build()
    }

    /// Tables that start from the built-in ones.
    #[must_use]
    pub fn builder() -> TablesBuilder {
        TablesBuilder {
            #[cfg(feature = "embedded-geoip")]
            embedded: Some(Embedded::new()),
            ..TablesBuilder::default()
        }
    }

    /// A builder that holds what these tables hold, to replace one part of them. Copies no table.
    #[must_use]
    pub fn to_builder(&self) -> TablesBuilder {
        self.parts.clone()
    }

    /// Every table in use with its edition, in a fixed order, for recording with each decision.
    #[must_use]
    pub fn versions(&self) -> Vec<TableVersion> {
        let parts = &self.parts;
        let databases = parts.databases().map(|(kind, database)| database.version(kind));
        let lists = parts.lists.iter().map(|list| TableVersion {
            table: Text::from(format!("ip-list {}", list.name())),
            version: Text::new(list.version()),
            built_s: None,
            attribution: None,
        });
        #[cfg(feature = "embedded-geoip")]
        let embedded = parts.embedded.iter().map(Embedded::version);
        #[cfg(not(feature = "embedded-geoip"))]
        let embedded = std::iter::empty();
        let agents = TableVersion {
            table: Text::const_new("user-agent-rules"),
            version: Text::from(format!("ua-parser {}", rules::RULES_VERSION)),
            built_s: None,
            attribution: Some(Text::const_new(
                "User-agent rules: uap-core, https://github.com/ua-parser/uap-core (Apache-2.0)",
            )),
        };
        databases.chain(lists).chain(embedded).chain([agents]).collect()
    }

    /// The texts that licences of the tables in use ask to be shown, each once.
    #[must_use]
    pub fn attributions(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        for text in self.versions().into_iter().filter_map(|table| table.attribution) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    /// The lists that hold `ip`, in the order in which they were given. O(lists × address bits).
    pub fn lists_containing(&self, ip: IpAddr) -> impl Iterator<Item = &IpList> {
        let lists = self.parts.lists.iter().map(Arc::as_ref);
        lists.filter(move |list| list.contains(ip))
    }

    /// Reads every record of every database once, which building does not do. O(all databases), about a second for
    /// each large one: for `check` and `doctor`, and before a new database goes live.
    ///
    /// # Errors
    /// The first damaged database.
    pub fn verify(&self) -> Result<(), TableError> {
        self.parts
            .databases()
            .try_for_each(|(kind, database)| database.verify(kind))
    }

    /// What is to be asked where the event states a country or does not.
    pub(crate) fn to_ask(&self, stated: Option<CountryCode>) -> Asked {
        if stated.is_some() && self.parts.city.is_none() {
            Asked::AllButPlace
        } else {
            Asked::Everything
        }
    }

    /// What all tables say of an address. Special ranges are asked of nobody but the lists: no table of the world
    /// can place them.
    pub(crate) fn address(&self, ip: IpAddr, asked: Asked) -> AddressFacts {
        let ip = canonical_ip(ip);
        let parts = &self.parts;
        let listed = self.listed_class(ip);
        if let Some(range) = special::range_of(ip) {
            return AddressFacts {
                listed,
                is_internal: range.is_internal(),
                ..AddressFacts::default()
            };
        }
        let system = parts.asn.as_ref().and_then(|table| table.system(ip));
        let (asn, organisation) = system.map_or((None, None), |(asn, name)| (Some(asn), name));
        AddressFacts {
            place: match asked {
                Asked::Everything => self.place(ip),
                Asked::AllButPlace => Place::default(),
            },
            asn,
            organisation,
            listed,
            anonymous: parts.anonymous.as_ref().and_then(|table| table.anonymity(ip)),
            connection: parts.connection.as_ref().and_then(|table| table.connection(ip)),
            is_internal: false,
        }
    }

    fn place(&self, ip: IpAddr) -> Place {
        let given = self.parts.city.as_ref().and_then(|table| table.place(ip));
        let place = given.filter(|place| !place.is_unknown());
        #[cfg(feature = "embedded-geoip")]
        let place = place.or_else(|| {
            let country = self.parts.embedded.as_ref()?.country(ip);
            Some(Place {
                country,
                ..Place::default()
            })
        });
        with_centre(place.unwrap_or_default())
    }

    /// The class of the most specific list; of equally specific ones, the first given.
    fn listed_class(&self, ip: IpAddr) -> Option<NetworkClass> {
        let mut best: Option<(u8, NetworkClass)> = None;
        for list in &self.parts.lists {
            let class = match list.kind() {
                IpListKind::Corporate => NetworkClass::Corporate,
                IpListKind::Relay | IpListKind::Tor => NetworkClass::Relay,
                IpListKind::Blocked | IpListKind::Safe => continue,
            };
            match (list.longest_match(ip), best) {
                (Some(bits), Some((held, _))) if bits <= held => {}
                (Some(bits), _) => best = Some((bits, class)),
                (None, _) => {}
            }
        }
        best.map(|(_, class)| class)
    }
}

/// Worked out here, once for an address, and not for every event.
fn with_centre(mut place: Place) -> Place {
    if place.coordinates.is_none()
        && let Some((centre, radius)) = place.country.and_then(country::centre_of)
    {
        place.coordinates = Some(centre);
        place.radius = Some(radius);
    }
    place
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.versions()).finish()
    }
}

impl TablesBuilder {
    /// Places from a City, Country or Enterprise database in MaxMind's layout (GeoLite2, GeoIP2, DB-IP).
    ///
    /// # Errors
    /// Bytes that are no such database.
    pub fn city_mmdb(mut self, bytes: Vec<u8>) -> Result<Self, TableError> {
        self.city = Some(Arc::new(Mmdb::read(&mmdb::CITY, bytes)?));
        Ok(self)
    }

    /// Autonomous systems from an ASN or ISP database.
    ///
    /// # Errors
    /// Bytes that are no such database.
    pub fn asn_mmdb(mut self, bytes: Vec<u8>) -> Result<Self, TableError> {
        self.asn = Some(Arc::new(Mmdb::read(&mmdb::ASN, bytes)?));
        Ok(self)
    }

    /// VPNs, proxies, Tor and hosting from an Anonymous-IP database.
    ///
    /// # Errors
    /// Bytes that are no such database.
    pub fn anonymous_ip_mmdb(mut self, bytes: Vec<u8>) -> Result<Self, TableError> {
        self.anonymous = Some(Arc::new(Mmdb::read(&mmdb::ANONYMOUS, bytes)?));
        Ok(self)
    }

    /// Fixed and mobile access from a Connection-Type database.
    ///
    /// # Errors
    /// Bytes that are no such database.
    pub fn connection_type_mmdb(mut self, bytes: Vec<u8>) -> Result<Self, TableError> {
        self.connection = Some(Arc::new(Mmdb::read(&mmdb::CONNECTION, bytes)?));
        Ok(self)
    }

    /// One more IP list.
    ///
    /// # Errors
    /// A second list of one name, or more than [`IP_LISTS_MAX`].
    pub fn ip_list(mut self, list: IpList) -> Result<Self, TableError> {
        if self.lists.iter().any(|held| held.name() == list.name()) {
            let name = Text::new(list.name());
            return Err(TableError::DuplicateList { name });
        }
        if self.lists.len() >= IP_LISTS_MAX {
            return Err(TableError::TooManyLists);
        }
        self.lists.push(Arc::new(list));
        Ok(self)
    }

    /// Drops every list, to give new ones.
    #[must_use]
    pub fn without_ip_lists(mut self) -> Self {
        self.lists.clear();
        self
    }

    /// Drops the built-in country table: places then come from events and given databases alone.
    #[must_use]
    pub fn without_embedded(self) -> Self {
        Self {
            #[cfg(feature = "embedded-geoip")]
            embedded: None,
            ..self
        }
    }

    /// The tables.
    #[must_use]
    pub fn build(self) -> Tables {
        Tables { parts: self }
    }

    fn databases(&self) -> impl Iterator<Item = (&'static mmdb::Kind, &Mmdb)> {
        let all = [
            (&mmdb::CITY, &self.city),
            (&mmdb::ASN, &self.asn),
            (&mmdb::ANONYMOUS, &self.anonymous),
            (&mmdb::CONNECTION, &self.connection),
        ];
        all.into_iter()
            .filter_map(|(kind, table)| table.as_deref().map(|table| (kind, table)))
    }
}
