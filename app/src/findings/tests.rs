use super::*;
use habitus_model::{
    AccountId, AccountKind, Activity, AttackerProfile, Client, Confidence, Contribution, Decision,
    Disposition, EventUid, Nats, Network, Place, Reason, RiskScore, Signal, Status,
};

fn flagged(account: Option<&str>, uid: u32, hour: i64, score: f64) -> Flagged {
    let time = EventTime::from_millis(1_767_225_600_000 + hour * 3_600_000).unwrap();
    let account = account.map(AccountId::new);
    let context = Context {
        tenant: TenantId::default(),
        account: account.clone(),
        kind: AccountKind::Human,
        time,
        utc_offset: None,
        activity: Activity::from_ocsf(3002, 1),
        status: Status::Success,
        strong_factor: false,
        place: Place::default(),
        network: Network {
            ip: Some("2001:db8::7".parse().unwrap()),
            ..Network::default()
        },
        client: Client::default(),
    };
    let contribution = |signal, family, nats| Contribution {
        signal: Signal(signal),
        family,
        nats: Nats(nats),
        reason: Reason::new("first visit <script>", vec![]),
    };
    let score = RiskScore::new(score);
    let assessment = Assessment {
        uid: EventUid::new(format!("e-{uid}")),
        time,
        tenant: TenantId::default(),
        account,
        kind: AccountKind::Human,
        log_odds: Nats(8.0),
        score,
        level: score.level(),
        confidence: Confidence::new(0.7),
        profile: AttackerProfile::Opportunistic,
        contributions: vec![
            contribution("new_country", Some(Family::Network), 9.0),
            contribution("known_device", Some(Family::Device), -2.0),
            contribution("prior", None, 1.0),
        ],
        blind: Vec::new(),
        decision: Decision {
            disposition: Disposition::Review,
            because: "",
        },
    };
    Flagged {
        context,
        source: Text::new("okta"),
        assessment,
    }
}

fn group(events: Vec<Flagged>) -> Vec<Finding> {
    let mut grouping = Grouping::new(60.0, 24);
    let mut closed = Vec::new();
    for event in events {
        grouping.push(event, &mut closed);
    }
    grouping.finish(&mut closed);
    closed
}

#[test]
fn a_window_is_a_day_from_its_first_event() {
    let alice = |uid, hour| flagged(Some("alice"), uid, hour, 70.0);
    let found = group(vec![
        alice(1, 0),
        flagged(Some("bob"), 2, 1, 90.0),
        alice(3, 23),
        alice(4, 24),
        alice(5, 47),
    ]);
    let told: Vec<_> = found
        .iter()
        .map(|f| (f.worst.assessment.account.as_ref().unwrap().as_str(), f.count))
        .collect();
    assert_eq!(told, [("alice", 2), ("bob", 1), ("alice", 2)]);
    assert_ne!(found[0].uid, found[2].uid);
    assert_eq!(group(vec![alice(1, 0)])[0].uid, found[0].uid);
}

#[test]
fn the_worst_event_is_among_the_evidence() {
    let mut events: Vec<Flagged> = (0..30).map(|uid| flagged(Some("alice"), uid, 0, 61.0)).collect();
    events.push(flagged(Some("alice"), 99, 1, 95.0));
    events.push(flagged(Some("alice"), 100, 1, 62.0));
    let found = group(events);
    assert_eq!(found[0].count, 32);
    assert_eq!(found[0].events.len(), EVIDENCES_MAX);
    assert_eq!(found[0].events[EVIDENCES_MAX - 1].assessment.uid.as_str(), "e-99");
    assert_eq!(found[0].worst.assessment.uid.as_str(), "e-99");
}

#[test]
fn findings_are_valid_ocsf() {
    for account in [Some("alice"), None] {
        let found = group(vec![flagged(account, 1, 0, 70.0), flagged(account, 2, 1, 85.0)]);
        let object = to_ocsf(&found[0]);
        assert_eq!(habitus_testkit::ocsf::validate(&object), [""; 0], "{object:#}");
        assert_eq!(object["risk_score"], 85);
        assert_eq!(
            object["finding_info"]["attacks"][0]["sub_technique"]["uid"],
            "T1078.004"
        );
    }
}
