//! The rule that content packs bring for mass downloads, deletions and creations: so many of one account within an hour.

use crate::scorer::{Login, Scorer};
use std::collections::{BTreeMap, VecDeque};

/// What is counted together (Microsoft Defender for Cloud Apps counts downloads within minutes, Palo Alto's SaaS Security and
/// Elastic's threshold rules actions within an hour).
const WINDOW_MS: i64 = 3_600_000;

/// Number of the account's deeds of one kind within the last hour; logins are none.
#[derive(Debug, Default)]
pub struct VolumeRule {
    deeds: BTreeMap<(String, u64), VecDeque<i64>>,
}

/// The account and the OCSF type of what was done; absent for logins and for nobody.
fn key(login: Login<'_>) -> Option<(String, u64)> {
    let activity = login.context.activity;
    let account = login.context.account.as_ref()?;
    (!activity.is_authentication()).then(|| (account.as_str().to_owned(), activity.type_uid()))
}

impl Scorer for VolumeRule {
    fn name(&self) -> &str {
        "volume rule"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let now = login.context.time.as_millis();
        let Some(deeds) = key(login).and_then(|key| self.deeds.get_mut(&key)) else {
            return 0.0;
        };
        while deeds.front().is_some_and(|ms| now - ms >= WINDOW_MS) {
            deeds.pop_front();
        }
        habitus_model::math::from_usize(deeds.len())
    }

    fn learn(&mut self, login: Login<'_>) {
        if let Some(key) = key(login) {
            let now = login.context.time.as_millis();
            self.deeds.entry(key).or_default().push_back(now);
        }
    }
}
