//! The door of this crate: an event goes in, a context comes out.

use crate::cache::Cache;
use crate::tables::{AddressFacts, Asked, Tables};
use crate::{account, client, conduct, network, place};
use habitus_model::event::FactorType;
use habitus_model::hash::HashKey;
use habitus_model::network::canonical_ip;
use habitus_model::{Client, Context, Event, NetworkClass, PromptOutcome, Status};
use std::net::IpAddr;
use std::sync::Arc;

/// Most user agents whose reading is remembered. A large organisation shows about 5,000 a month; each takes about
/// 300 bytes.
pub const CACHED_USER_AGENTS_MAX: usize = 8_192;

/// Most addresses whose facts are remembered; each takes about 250 bytes.
pub const CACHED_ADDRESSES_MAX: usize = 16_384;

/// Most operators' names whose trade is remembered; each takes about 100 bytes.
pub const CACHED_OPERATORS_MAX: usize = 2_048;

/// Turns events into contexts with one edition of the tables. One for each thread: it remembers what it worked out,
/// within named limits, and what it remembers never shows in a result.
pub struct Enricher {
    tables: Arc<Tables>,
    clients: Cache<String, Client>,
    addresses: Cache<(IpAddr, Asked), AddressFacts>,
    operators: Cache<String, Option<NetworkClass>>,
}

impl Enricher {
    /// An enricher whose caches are keyed by [`HashKey::REPLAY`].
    #[must_use]
    pub fn new(tables: Arc<Tables>) -> Self {
        Self::with_key(tables, HashKey::REPLAY)
    }

    /// An enricher whose caches are keyed by a secret of the server, so that nobody can choose user agents that
    /// crowd each other out. The key changes no result.
    #[must_use]
    pub fn with_key(tables: Arc<Tables>, key: HashKey) -> Self {
        Self {
            tables,
            clients: Cache::new(CACHED_USER_AGENTS_MAX, key),
            addresses: Cache::new(CACHED_ADDRESSES_MAX, key),
            operators: Cache::new(CACHED_OPERATORS_MAX, key),
        }
    }

    /// The tables in use.
    #[must_use]
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// What is known of an event. Never fails: what cannot be told is unknown. Measured: 0.6 µs when user
    /// agent and address were seen before, 1.5 µs for a new address, 17 µs for a new user agent.
    #[must_use]
    pub fn context(&mut self, event: &Event) -> Context {
        let (network, place) = self.origin(event);
        let client = event.client.user_agent.as_deref().map(|agent| self.client(agent));
        let kind = account::kind_of(&event.account);
        let conduct = conduct::of(event, kind);
        // A prompt that failed was asked for: nothing follows from its not being satisfied.
        let prompted = conduct.as_ref().and_then(|conduct| conduct.prompted());
        let unanswered = prompted.is_some_and(|outcome| outcome != PromptOutcome::Satisfied);
        Context {
            tenant: event.tenant.clone(),
            account: event.account_id(),
            kind,
            time: event.time,
            utc_offset: event.utc_offset,
            activity: event.activity,
            status: event.status,
            failure: event.failure,
            strong_factor: has_strong_factor(event),
            second_factor: event.auth.is_mfa.filter(|_| !unanswered),
            place,
            network,
            client: client::complete(client.unwrap_or_default(), event),
            conduct,
        }
    }

    fn origin(&mut self, event: &Event) -> (habitus_model::Network, habitus_model::Place) {
        let nothing = AddressFacts::default();
        let tables = &self.tables;
        let country = place::country_of(&event.src);
        let asked = event.src.ip.map(|ip| (canonical_ip(ip), tables.to_ask(country)));
        let answer = |(ip, asked): &(IpAddr, Asked)| tables.address(*ip, *asked);
        let facts = asked.and_then(|asked| self.addresses.get_or_insert(&asked, answer));
        let facts = facts.unwrap_or(&nothing);
        let operators = &mut self.operators;
        let trade = |name: &str| {
            // A name too long to be examined is not kept either.
            if name.len() > network::ORGANISATION_BYTES_MAX {
                return network::by_name(name);
            }
            operators.get_or_insert(name, network::by_name).copied().flatten()
        };
        (
            network::of(&event.src, facts, trade),
            place::of(&event.src, country, &facts.place),
        )
    }

    fn client(&mut self, user_agent: &str) -> Client {
        // Longer ones would be cut before they are read, so they are one key too.
        let key = client::cut(user_agent);
        let held = self.clients.get_or_insert(key, client::of_user_agent);
        held.cloned().unwrap_or_default()
    }
}

/// A factor that cannot be phished or relayed was satisfied: WebAuthn, U2F, a hardware token, or the biometric of a
/// platform where the source says that more than one factor held (NIST SP 800-63B-4, section 3.2.5; a biometric
/// alone may be a convenience unlock).
fn has_strong_factor(event: &Event) -> bool {
    let strong = |factor: &FactorType| match factor {
        FactorType::WebAuthn | FactorType::U2f | FactorType::HardwareToken => true,
        FactorType::Biometric => event.auth.is_mfa == Some(true),
        _ => false,
    };
    event.status == Status::Success && event.auth.factors.iter().any(strong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{Endpoint, Text};

    #[test]
    fn where_a_country_is_stated_a_table_of_countries_adds_nothing() {
        let tables = Tables::embedded();
        for address in ["8.8.8.8", "193.0.6.139", "2001:db8::1", "10.0.0.1"] {
            let ip = address.parse().unwrap();
            for (country, city) in [
                ("US", None),
                ("nl", Some("Utrecht")),
                ("Germany", None),
                ("EU", None),
            ] {
                let src = Endpoint {
                    country: Some(Text::new(country)),
                    city: city.map(Text::new),
                    ..Endpoint::default()
                };
                let stated = place::country_of(&src);
                let with = |asked| place::of(&src, stated, &tables.address(ip, asked).place);
                let asked = tables.to_ask(stated);
                assert_eq!(asked == Asked::AllButPlace, country != "EU");
                assert_eq!(with(asked), with(Asked::Everything), "{address} {country}");
            }
        }
    }
}
