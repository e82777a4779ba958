//! A change of the tenant, ahead of the turn of those who go with it and in their turn.

use super::*;
use habitus_engine::changes::{ChangeKind, News};

const ACCOUNTS: usize = 40;
const DAYS: usize = 10;

/// A visit with the account's own client, from its own line or from where everybody moves on the last day.
fn visit(uid: usize) -> Record {
    let (day, account) = (uid / ACCOUNTS, uid % ACCOUNTS);
    let seconds = i64::try_from(day * 86_400 + account * 120).unwrap();
    let mut record = event(uid, seconds, 1);
    let context = &mut record.context;
    context.account = Some(AccountId::new(format!("user{account}")));
    let (ip, asn) = if day == DAYS {
        (format!("198.51.100.{account}"), 64_500)
    } else {
        (format!("203.0.{account}.7"), 3_320 + account % 5)
    };
    context.network.ip = Some(ip.parse().unwrap());
    context.network.asn = Asn::new(u32::try_from(asn).unwrap());
    record
}

#[test]
fn a_change_is_told_once_and_excuses_ahead_of_a_turn_as_in_it() {
    let entries = (0..(DAYS + 1) * ACCOUNTS).map(|uid| entry(&visit(uid), uid));
    let entries: Vec<Entry> = entries.collect();
    let mut reducer = Reducer::new(settings());
    let mut out = Vec::new();
    for some in entries.chunks(7) {
        reducer.apply(some.to_vec(), &Sequential, &mut out);
    }
    reducer.apply(vec![Entry::Settle], &Sequential, &mut out);
    let prefix = |output: &&Output| matches!(output, Output::Tenant { news: News::Changed(change), .. } if change.kind == ChangeKind::Prefix);
    assert_eq!(out.iter().filter(prefix).count(), 1);
    let excused = |wanted: fn(Stage) -> bool| {
        let is_excused = |output: &&Output| match output {
            Output::Verdict {
                assessment, stage, ..
            } => {
                let mut lines = assessment.contributions.iter();
                wanted(*stage) && lines.any(|line| line.signal.0 == "tenant_change")
            }
            _ => false,
        };
        out.iter().filter(is_excused).count()
    };
    let (ahead, in_turn) = (
        excused(|stage| stage == Stage::Provisional),
        excused(|stage| stage != Stage::Provisional),
    );
    // All but the first fifteen, and those who stood out too much to be counted.
    assert!(
        (20..=25).contains(&ahead) && (20..=25).contains(&in_turn),
        "{ahead} {in_turn}"
    );
}
