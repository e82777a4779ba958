//! Networks: the class of an address, from lists, databases, the event's own word, and well-known operators.

mod known;

use crate::tables::AddressFacts;
use habitus_model::account::named;
use habitus_model::{Asn, Endpoint, Network, NetworkClass, Text};
use known::{FIXED, FIXED_WORDS, HOSTING, HOSTING_WORDS, MOBILE, MOBILE_WORDS, RELAY, RELAY_WORDS};

/// Longest organisation name examined, in bytes; registries' names are below 100.
pub(crate) const ORGANISATION_BYTES_MAX: usize = 128;

/// The network an event came from: what the event says first, then what the tables say. `trade` is [`by_name`], or
/// what remembers its answers.
pub(crate) fn of(
    src: &Endpoint,
    facts: &AddressFacts,
    trade: impl FnOnce(&str) -> Option<NetworkClass>,
) -> Network {
    let stated = src.organisation.as_deref().and_then(named).map(Text::new);
    let asn = src.asn.or(facts.asn);
    // A name from the tables goes with the tables' number only.
    let from_tables = facts.organisation.clone().filter(|_| asn == facts.asn);
    let organisation = stated.or(from_tables);
    let by_operator = || {
        asn.and_then(by_asn)
            .or_else(|| organisation.as_deref().and_then(trade))
    };
    let class = class_of(src, facts, by_operator);
    Network {
        ip: src.ip.map(|ip| ip.to_canonical()),
        asn,
        organisation,
        class,
    }
}

/// The most specific word wins: one's own lists, then what the address itself is, then measured classes (anonymous-IP
/// database), the source's remark, the connection type, and last the operator's trade.
fn class_of(
    src: &Endpoint,
    facts: &AddressFacts,
    by_operator: impl FnOnce() -> Option<NetworkClass>,
) -> NetworkClass {
    let anonymised = match src.is_anonymised {
        // "Not a proxy" rules out neither hosting nor mobile, so only the accusation says anything.
        Some(true) => Some(NetworkClass::Relay),
        Some(false) | None => None,
    };
    let internal = facts.is_internal.then_some(NetworkClass::Private);
    facts
        .listed
        .or(internal)
        .or(facts.anonymous)
        .or(anonymised)
        .or(facts.connection)
        .or_else(by_operator)
        .unwrap_or(NetworkClass::Unknown)
}

/// The class of a well-known operator. O(log n).
fn by_asn(asn: Asn) -> Option<NetworkClass> {
    let lists: [(&[u32], NetworkClass); 4] = [
        (&RELAY, NetworkClass::Relay),
        (&HOSTING, NetworkClass::Hosting),
        (&MOBILE, NetworkClass::Mobile),
        (&FIXED, NetworkClass::Fixed),
    ];
    lists
        .into_iter()
        .find(|(list, _)| list.binary_search(&asn.get()).is_ok())
        .map(|(_, class)| class)
}

/// The class an operator's name tells, by the beginnings of its words.
pub(crate) fn by_name(organisation: &str) -> Option<NetworkClass> {
    if organisation.len() > ORGANISATION_BYTES_MAX {
        return None;
    }
    let name = organisation.to_lowercase();
    let says = |words: &[&str]| {
        name.split(|c: char| !c.is_alphanumeric())
            .any(|word| words.iter().any(|known| word.starts_with(known)))
    };
    let lists: [(&[&str], NetworkClass); 4] = [
        (&RELAY_WORDS, NetworkClass::Relay),
        (&HOSTING_WORDS, NetworkClass::Hosting),
        (&MOBILE_WORDS, NetworkClass::Mobile),
        (&FIXED_WORDS, NetworkClass::Fixed),
    ];
    lists
        .into_iter()
        .find(|(words, _)| says(words))
        .map(|(_, class)| class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetworkClass::{Corporate, Fixed, Hosting, Mobile, Private, Relay, Unknown};

    #[test]
    fn lists_are_sorted_and_disjoint() {
        let mut all = Vec::new();
        for list in [&HOSTING[..], &RELAY, &MOBILE, &FIXED] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
            all.extend_from_slice(list);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a number stands in two lists");
        for words in [&RELAY_WORDS[..], &HOSTING_WORDS, &MOBILE_WORDS, &FIXED_WORDS] {
            assert!(words.windows(2).all(|pair| pair[0] < pair[1]), "{words:?}");
        }
    }

    #[test]
    fn operators_tell_their_trade() {
        for (asn, want) in [(16509, Hosting), (13335, Relay), (22394, Mobile), (7922, Fixed)] {
            assert_eq!(by_asn(Asn::new(asn).unwrap()), Some(want), "{asn}");
        }
        assert_eq!(by_asn(Asn::new(64512).unwrap()), None);
        for (name, want) in [
            ("AT&T Mobility LLC", Some(Mobile)),
            ("Celcom Axiata Wireless", Some(Mobile)),
            ("Example Cable Communications", Some(Fixed)),
            ("GOOGLE-CLOUD-PLATFORM", Some(Hosting)),
            ("Some VPN Services Ltd", Some(Relay)),
            ("Observer Newspapers", None),
            ("Stadtwerke Musterstadt", None),
        ] {
            assert_eq!(by_name(name), want, "{name}");
        }
    }

    #[test]
    fn the_most_specific_word_wins() {
        let mut src = Endpoint {
            asn: Asn::new(16509),
            ..Endpoint::default()
        };
        let mut facts = AddressFacts::default();
        assert_eq!(of(&src, &AddressFacts::default(), by_name).class, Hosting);
        facts.connection = Some(Mobile);
        assert_eq!(of(&src, &facts, by_name).class, Mobile);
        src.is_anonymised = Some(true);
        assert_eq!(of(&src, &facts, by_name).class, Relay);
        facts.anonymous = Some(Hosting);
        assert_eq!(of(&src, &facts, by_name).class, Hosting);
        facts.is_internal = true;
        assert_eq!(of(&src, &facts, by_name).class, Private);
        facts.listed = Some(Corporate);
        assert_eq!(of(&src, &facts, by_name).class, Corporate);
    }

    #[test]
    fn a_clean_bill_and_placeholders_say_nothing() {
        let src = Endpoint {
            is_anonymised: Some(false),
            organisation: Some(Text::new("-")),
            ..Endpoint::default()
        };
        let network = of(&src, &AddressFacts::default(), by_name);
        assert_eq!((network.class, network.organisation), (Unknown, None));
    }

    #[test]
    fn a_tables_name_goes_with_its_number_only() {
        let src = Endpoint {
            asn: Asn::new(64500),
            ..Endpoint::default()
        };
        let facts = AddressFacts {
            asn: Asn::new(64501),
            organisation: Some(Text::new("Another")),
            ..AddressFacts::default()
        };
        let network = of(&src, &facts, by_name);
        assert_eq!((network.asn, network.organisation), (Asn::new(64500), None));
    }
}
