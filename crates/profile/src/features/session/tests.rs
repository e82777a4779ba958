//! Sessions begin, go on, move, end, and are used in two places.

use super::*;
use habitus_model::{Network, Place, Status, TenantId};

struct Use {
    minute: i64,
    asn: u64,
    tls: u64,
    activity: u32,
}

fn check(uses: &[(Use, Arrival)], last: Use) -> SessionSeen {
    let mut sessions = Sessions::default();
    let mut seen = None;
    for (one, arrival) in uses
        .iter()
        .map(|(one, arrival)| (one, Some(*arrival)))
        .chain([(&last, None)])
    {
        let conduct = Conduct {
            session: Some(7),
            tls: Some(one.tls),
            ..Conduct::default()
        };
        let context = context(one);
        let keys = Keys {
            asn: Some(one.asn),
            family: Some(1),
            ..Keys::default()
        };
        let scene = Scene {
            context: &context,
            conduct: &conduct,
            keys: &keys,
            network: Some(NetworkNovelty::KnownCountry),
            new_family: false,
            visits: 9.0,
        };
        let sight = Sessions::sight(Some(&sessions), &scene).unwrap();
        if let Some(arrival) = arrival {
            sessions.learn(&sight, &scene, arrival);
        }
        seen = Some(sight);
    }
    seen.unwrap()
}

fn context(one: &Use) -> Context {
    Context {
        tenant: TenantId::default(),
        account: None,
        kind: habitus_model::AccountKind::Human,
        time: habitus_model::EventTime::from_millis(one.minute * 60_000).unwrap(),
        utc_offset: None,
        activity: Activity::from_ocsf(3002, one.activity),
        status: Status::Success,
        failure: None,
        strong_factor: false,
        second_factor: None,
        place: Place::default(),
        network: Network::default(),
        client: habitus_model::Client::default(),
        conduct: None,
    }
}

const fn on(minute: i64, asn: u64, tls: u64) -> Use {
    Use {
        minute,
        asn,
        tls,
        activity: 1,
    }
}

#[test]
fn a_session_begins_is_kept_and_moves() {
    use Arrival::Clean;
    let seen = check(&[], on(0, 1, 5));
    assert_eq!(seen.relation, Relation::Begun);
    let seen = check(&[(on(0, 1, 5), Clean)], on(30, 1, 5));
    assert_eq!((seen.relation, seen.grip), (Relation::Kept, Some(Grip::Same)));
    let seen = check(&[(on(0, 1, 5), Clean)], on(30, 2, 6));
    assert_eq!(
        (seen.relation, seen.grip),
        (Relation::Moved, Some(Grip::OtherProof))
    );
    assert!((seen.idle_minutes - 30.0).abs() < 1e-9);
}

#[test]
fn what_is_suspicious_moves_no_anchor() {
    let uses = [(on(0, 1, 5), Arrival::Clean), (on(20, 2, 6), Arrival::Suspicious)];
    let seen = check(&uses, on(40, 2, 6));
    assert_eq!(
        (seen.relation, seen.grip),
        (Relation::Moved, Some(Grip::OtherProof))
    );
}

#[test]
fn two_networks_that_take_turns_are_two_places_at_once() {
    let uses = [
        (on(0, 1, 5), Arrival::Clean),
        (on(3, 2, 5), Arrival::Suspicious),
        (on(5, 1, 5), Arrival::Clean),
    ];
    assert_eq!(check(&uses, on(6, 2, 5)).at_once, Some(true));
    assert_eq!(
        check(&uses, on(30, 2, 5)).at_once,
        Some(false),
        "the turn took half an hour"
    );
    assert_eq!(
        check(&uses[..2], on(4, 2, 5)).at_once,
        Some(false),
        "it stayed where it went"
    );
    assert_eq!(
        check(&uses[..2], on(5, 1, 5)).at_once,
        None,
        "where it began is its owner"
    );
    assert_eq!(check(&uses[..1], on(5, 1, 5)).at_once, None, "one network only");
}

#[test]
fn a_move_settles_after_an_hour_and_changes_nothing_before() {
    use Arrival::Clean;
    let uses = [(on(0, 1, 5), Clean), (on(20, 2, 6), Clean)];
    let soon = check(&uses, on(25, 2, 6));
    assert_eq!(
        (soon.relation, soon.goes_on, soon.grip),
        (Relation::Moved, true, Some(Grip::OtherProof)),
        "used again at once it is no more the session's than before"
    );
    let owner = check(&uses, on(26, 1, 5));
    assert_eq!((owner.relation, owner.grip), (Relation::Kept, Some(Grip::Same)));
    assert_eq!(check(&uses, on(90, 2, 6)).relation, Relation::Kept);
}

#[test]
fn a_session_that_was_ended_is_ended() {
    let mut ended = on(10, 1, 5);
    ended.activity = 2;
    let mut sessions = Sessions::default();
    for (one, deed) in [(on(0, 1, 5), None), (ended, Some(Deed::SessionEnded))] {
        let context = context(&one);
        let (conduct, keys) = (
            Conduct {
                session: Some(7),
                deed,
                ..Conduct::default()
            },
            Keys::default(),
        );
        let scene = Scene {
            context: &context,
            conduct: &conduct,
            keys: &keys,
            network: None,
            new_family: false,
            visits: 9.0,
        };
        let seen = Sessions::sight(Some(&sessions), &scene).unwrap();
        sessions.learn(&seen, &scene, Arrival::Clean);
    }
    let later = context(&on(30, 1, 5));
    let conduct = Conduct {
        session: Some(7),
        ..Conduct::default()
    };
    let scene = Scene {
        context: &later,
        conduct: &conduct,
        keys: &Keys::default(),
        network: None,
        new_family: false,
        visits: 9.0,
    };
    assert_eq!(
        Sessions::sight(Some(&sessions), &scene).unwrap().relation,
        Relation::Ended
    );
}

#[test]
fn a_flood_of_sessions_stays_bounded() {
    let mut sessions = Sessions::default();
    for id in 0..1_000 {
        let context = context(&on(id, 1, 1));
        let conduct = Conduct {
            session: u64::try_from(id).ok(),
            ..Conduct::default()
        };
        let keys = Keys::default();
        let scene = Scene {
            context: &context,
            conduct: &conduct,
            keys: &keys,
            network: None,
            new_family: false,
            visits: 9.0,
        };
        let seen = Sessions::sight(Some(&sessions), &scene).unwrap();
        sessions.learn(&seen, &scene, Arrival::Clean);
    }
    assert_eq!(sessions.held.len(), SESSIONS_MAX);
    assert!(sessions.heap_bytes() < 4_096);
}
