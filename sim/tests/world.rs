//! What must be true of every simulated world.

use habitus_model::{Event, Prefix, Status, math};
use habitus_sim::{AttackKind, Cohort, Label, Labelled, Regime, World, WorldConfig, generate};
use std::collections::{BTreeMap, BTreeSet};

fn small(seed: u64, regime: Regime) -> WorldConfig {
    let (accounts, days) = match regime {
        Regime::Consumer => (1_500, 395),
        Regime::Business => (400, 180),
        Regime::Enterprise => (120, 90),
    };
    WorldConfig {
        accounts,
        days,
        attacks_per_kind: 400,
        ..WorldConfig::new(seed, regime)
    }
}

fn written(world: &World) -> String {
    let all = world.legitimate().chain(world.attacks());
    all.map(|labelled| serde_json::to_string(&labelled).unwrap_or_default() + "\n")
        .collect()
}

fn share(count: usize, of: usize) -> f64 {
    math::from_usize(count) / math::from_usize(of)
}

fn of_kind(world: &World, kind: AttackKind) -> Vec<Event> {
    let wanted = |labelled: &Labelled| labelled.label == Label::Attack(kind);
    world
        .attacks()
        .filter(wanted)
        .map(|labelled| labelled.event)
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for regime in Regime::ALL {
        let config = WorldConfig {
            accounts: 60,
            attacks_per_kind: 20,
            ..small(1, regime)
        };
        let first = written(&generate(&config));
        assert_eq!(first, written(&generate(&config)));
        let other = WorldConfig { seed: 2, ..config };
        assert_ne!(first, written(&generate(&other)));
    }
}

#[test]
fn events_come_in_order_with_unique_ids_within_the_period() {
    for regime in Regime::ALL {
        let world = generate(&small(2, regime));
        let (start, end) = world.period_ms();
        let mut last = i64::MIN;
        let mut uids = BTreeSet::new();
        for Labelled { event, .. } in world.legitimate() {
            let ms = event.time.as_millis();
            assert!(last <= ms && start - 3_600_000 * 24 <= ms && ms < end);
            assert!(uids.insert(event.uid.as_str().to_owned()));
            last = ms;
        }
        for Labelled { event, .. } in world.attacks() {
            assert!(uids.insert(event.uid.as_str().to_owned()));
        }
    }
}

#[test]
fn consumers_log_in_as_seldom_as_published() {
    let world = generate(&small(3, Regime::Consumer));
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for Labelled { event, .. } in world.legitimate().filter(|l| l.event.status == Status::Success) {
        *counts.entry(event.account_id().unwrap().to_string()).or_default() += 1;
    }
    let mut sorted: Vec<u32> = counts.values().copied().collect();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    let once = share(sorted.iter().filter(|n| **n == 1).count(), sorted.len());
    assert_eq!(median, 2);
    assert!((0.33..0.47).contains(&once), "{once}");
    assert!(*sorted.last().unwrap() > 50);
}

#[test]
fn employees_log_in_once_to_several_times_a_working_day() {
    let world = generate(&small(3, Regime::Enterprise));
    let logins = world
        .legitimate()
        .filter(|l| l.event.status == Status::Success)
        .count();
    let a_day = math::from_usize(logins) / (120.0 * 90.0 * 5.0 / 7.0);
    assert!((0.6..3.5).contains(&a_day), "{a_day}");
}

/// Cohorts of worlds of logins only.
const OF_LOGINS: [Cohort; 10] = [
    Cohort::FailedByOwner,
    Cohort::First,
    Cohort::Dormant,
    Cohort::Travel,
    Cohort::Vpn,
    Cohort::Borrowed,
    Cohort::NewDevice,
    Cohort::NewNetwork,
    Cohort::Mobile,
    Cohort::Usual,
];

#[test]
fn failures_and_cohorts_have_their_shares() {
    for regime in Regime::ALL {
        let world = generate(&small(4, regime));
        let mut cohorts: BTreeMap<Cohort, usize> = BTreeMap::new();
        for labelled in world.legitimate() {
            let Label::Legitimate(cohort) = labelled.label else {
                panic!("an attack among the owners' logins");
            };
            let failed = labelled.event.status == Status::Failure;
            assert_eq!(failed, cohort == Cohort::FailedByOwner);
            *cohorts.entry(cohort).or_default() += 1;
        }
        let all: usize = cohorts.values().sum();
        let failed = share(cohorts[&Cohort::FailedByOwner], all);
        let wanted = world.parameters().people.failure_share;
        assert!(
            (failed - wanted / (1.0 + wanted)).abs() < 0.02,
            "{failed} {wanted}"
        );
        for cohort in OF_LOGINS {
            let absent_by_size = regime == Regime::Enterprise && cohort == Cohort::Dormant;
            assert!(
                cohorts.contains_key(&cohort) || absent_by_size,
                "{regime:?} {cohort:?}"
            );
        }
        let special = |c: Cohort| share(cohorts[&c], all);
        assert!(
            (0.005..0.25).contains(&special(Cohort::Travel)),
            "{}",
            special(Cohort::Travel)
        );
        assert!(
            (0.005..0.60).contains(&special(Cohort::Vpn)),
            "{}",
            special(Cohort::Vpn)
        );
    }
}

#[test]
fn takeovers_are_as_near_to_the_victim_as_their_kind_says() {
    let world = generate(&small(5, Regime::Enterprise));
    let mut usual: BTreeSet<String> = BTreeSet::new();
    let mut homes: BTreeMap<String, BTreeMap<u32, u32>> = BTreeMap::new();
    let mut prefixes: BTreeMap<String, BTreeSet<Prefix>> = BTreeMap::new();
    let mut by_country: BTreeMap<String, u32> = BTreeMap::new();
    for Labelled { event, label } in world.legitimate() {
        let account = event.account_id().unwrap().to_string();
        if label == Label::Legitimate(Cohort::Usual) {
            let asn = event.src.asn.unwrap().get();
            *homes.entry(account.clone()).or_default().entry(asn).or_default() += 1;
            *by_country
                .entry(event.src.country.unwrap().to_string())
                .or_default() += 1;
        }
        prefixes
            .entry(account)
            .or_default()
            .insert(Prefix::of(event.src.ip.unwrap()));
    }
    let logins: u32 = by_country.values().sum();
    usual.extend(
        by_country
            .iter()
            .filter(|c| *c.1 * 50 > logins)
            .map(|c| c.0.clone()),
    );

    let foreign = of_kind(&world, AttackKind::ForeignTakeover);
    assert_eq!(foreign.len(), 400);
    let at_home = foreign
        .iter()
        .filter(|e| usual.contains(e.src.country.as_ref().unwrap().as_str()))
        .count();
    assert!(share(at_home, 400) < 0.02, "{at_home}");

    let near = of_kind(&world, AttackKind::SameProviderTakeover);
    let known = |e: &&Event| {
        let account = e.account_id().unwrap().to_string();
        homes
            .get(&account)
            .is_some_and(|asns| asns.contains_key(&e.src.asn.unwrap().get()))
    };
    assert!(share(near.iter().filter(known).count(), near.len()) > 0.75);
    let same_prefix = near.iter().filter(|e| {
        let account = e.account_id().unwrap().to_string();
        prefixes
            .get(&account)
            .is_some_and(|p| p.contains(&Prefix::of(e.src.ip.unwrap())))
    });
    assert!(share(same_prefix.count(), near.len()) < 0.03);
}

#[test]
fn campaigns_concentrate_foreign_takeovers() {
    let world = generate(&small(6, Regime::Consumer));
    let mut countries: BTreeMap<String, usize> = BTreeMap::new();
    let mut providers: BTreeMap<u32, usize> = BTreeMap::new();
    for event in of_kind(&world, AttackKind::ForeignTakeover) {
        *countries
            .entry(event.src.country.unwrap().to_string())
            .or_default() += 1;
        *providers.entry(event.src.asn.unwrap().get()).or_default() += 1;
    }
    let top = |counts: Vec<usize>, n: usize| {
        let mut counts = counts;
        counts.sort_unstable_by(|a, b| b.cmp(a));
        share(counts.iter().take(n).sum(), 400)
    };
    let wanted = &world.parameters().attackers;
    let country = top(countries.into_values().collect(), 1);
    assert!((country - wanted.top_country_share).abs() < 0.08, "{country}");
    let three = top(providers.into_values().collect(), 3);
    assert!(
        three > wanted.top_providers_share - 0.06 && three < 0.75,
        "{three}"
    );
}

/// No single raw field may tell an attack by its form: whatever form attackers' fields have, owners' have it too.
#[test]
fn no_form_of_a_field_gives_an_attack_away() {
    for regime in Regime::ALL {
        let world = generate(&small(7, regime));
        let owners: BTreeSet<String> = world.legitimate().map(|l| form(&l.event)).collect();
        let strange = world
            .attacks()
            .filter(|l| !owners.contains(&form(&l.event)))
            .count();
        assert!(
            share(strange, world.attacks().count()) < 0.01,
            "{regime:?}: {strange}"
        );
    }
}

/// The shape of an event: which fields are there, how ids, points and user agents are spelled.
fn form(event: &Event) -> String {
    let agent = event.client.user_agent.as_deref().unwrap_or_default();
    let system: String = agent.chars().take(20).collect();
    let agent = if agent.starts_with("Mozilla/5.0 (") {
        &system
    } else {
        "tool"
    };
    let decimals = event.src.coordinates.map(|c| {
        let ten_thousandths = c.lat() * 1e4;
        (ten_thousandths - ten_thousandths.round()).abs() < 1e-6
    });
    format!(
        "{} {agent} {:?} {decimals:?} {} {} {} {:?}",
        event.uid.as_str().len(),
        event.src.port.is_some(),
        event.src.radius.is_some(),
        event.src.city.is_some(),
        event.src.organisation.is_some(),
        event.auth.factors.len(),
    )
}

#[test]
fn times_of_day_and_milliseconds_do_not_give_attacks_away() {
    let world = generate(&small(8, Regime::Consumer));
    let odd = |labelled: &Labelled| labelled.event.time.as_millis() % 1_000 != 0;
    let owners = world.legitimate().filter(odd).count();
    let attackers = world.attacks().filter(odd).count();
    assert!(share(owners, world.legitimate().count()) > 0.99);
    assert!(share(attackers, world.attacks().count()) > 0.99);
    let hours: BTreeSet<i64> = world
        .legitimate()
        .map(|l| l.event.time.as_millis().rem_euclid(86_400_000) / 3_600_000)
        .collect();
    assert_eq!(hours.len(), 24);
}

#[test]
fn the_smallest_world_does_not_fail() {
    for regime in Regime::ALL {
        let world = generate(&WorldConfig {
            accounts: 1,
            days: 1,
            attacks_per_kind: 3,
            ..WorldConfig::new(1, regime)
        });
        assert!(world.legitimate().count() <= 60);
        assert!(world.attacks().count() <= 3 * AttackKind::ALL.len());
    }
}

#[test]
fn business_users_come_in_companies_that_share_a_line() {
    let world = generate(&small(3, Regime::Business));
    let mut lines: BTreeMap<std::net::IpAddr, BTreeSet<String>> = BTreeMap::new();
    let mut logins = 0;
    for labelled in world.legitimate() {
        let account = labelled.event.account_id().unwrap().to_string();
        lines
            .entry(labelled.event.src.ip.unwrap())
            .or_default()
            .insert(account);
        logins += 1;
        assert_eq!(
            labelled.event.client.is_managed, None,
            "the service does not manage its customers' devices"
        );
    }
    let shared = lines
        .values()
        .filter(|accounts| (3..=8).contains(&accounts.len()))
        .count();
    assert!(shared >= 25, "{shared} lines of companies");
    let a_week = math::from_usize(logins) / (400.0 * 180.0 / 7.0);
    assert!((0.3..6.0).contains(&a_week), "{a_week}");
}
