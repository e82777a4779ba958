//! Tables and user agents: files that people download, and words that any client sends.

use habitus_enrich::{Enricher, IpList, IpListKind, Tables, TablesBuilder};
use habitus_model::{Activity, Event, EventTime, EventUid, SourceName, Text};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Addresses whose lookups walk both halves of a database's tree.
const ADDRESSES: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
    IpAddr::V4(Ipv4Addr::BROADCAST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xffff, 0, 0, 0, 0, 0, 0, 0xffff)),
];

/// A list of networks.
pub fn ip_list(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(list) = IpList::parse("fuzz", "1", IpListKind::Corporate, text) else {
        return;
    };
    for address in ADDRESSES {
        let contained = list.contains(*address);
        assert_eq!(
            contained,
            list.longest_match(*address).is_some(),
            "two answers for one address"
        );
    }
    assert!(
        list.len() <= text.lines().count(),
        "a list has more entries than lines"
    );
}

/// A database in MaxMind's format, in each role it can have.
pub fn mmdb(bytes: &[u8]) {
    let builder = || Tables::builder().without_embedded();
    let tables = [
        builder().city_mmdb(bytes.to_vec()),
        builder().asn_mmdb(bytes.to_vec()),
        builder().anonymous_ip_mmdb(bytes.to_vec()),
        builder().connection_type_mmdb(bytes.to_vec()),
    ];
    for tables in tables.into_iter().flatten().map(TablesBuilder::build) {
        // A broken database may say so here; lookups must bear it all the same.
        let _ = tables.verify();
        let mut enricher = Enricher::new(Arc::new(tables));
        for address in ADDRESSES {
            if let Some(mut event) = event() {
                event.src.ip = Some(*address);
                check(&mut enricher, &event);
            }
        }
    }
}

/// What a client says of itself.
pub fn user_agent(bytes: &[u8]) {
    let tables = Arc::new(Tables::builder().without_embedded().build());
    let mut enricher = Enricher::new(tables);
    if let Some(mut event) = event() {
        event.client.user_agent = Some(Text::from_utf8_lossy(bytes));
        check(&mut enricher, &event);
    }
}

/// The second time the answer comes from the cache, and is the same.
fn check(enricher: &mut Enricher, event: &Event) {
    let first = enricher.context(event);
    let second = enricher.context(event);
    assert!(first.place == second.place, "a cached place differs");
    assert!(first.network == second.network, "a cached network differs");
    assert!(first.client == second.client, "a cached client differs");
}

fn event() -> Option<Event> {
    let time = EventTime::from_millis(1_782_777_600_000)?;
    let uid = EventUid::new("fuzz");
    Some(Event::new(
        uid,
        time,
        SourceName::new("fuzz"),
        Activity::from_ocsf(3002, 1),
        "login",
    ))
}
