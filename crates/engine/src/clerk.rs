//! What becomes of a conclusion, in the shard that reached it: clerks write while the shard goes on to the next.

use crate::engine::Record;
use crate::models::Shadowed;
use habitus_detect::Words;
use habitus_model::{
    AccountKind, Assessment, AttackerProfile, Blind, Confidence, Contribution, Decision, Family, Grounds,
    Nats, RiskLevel, RiskScore,
};

/// What a shard concluded about one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Kind of account it was judged as.
    pub kind: AccountKind,
    /// Total log-odds, uncapped.
    pub log_odds: Nats,
    /// `−ln p` of the total, as the histograms of its tenant show.
    pub surprise: Nats,
    /// Calibrated score.
    pub score: RiskScore,
    /// Its level.
    pub level: RiskLevel,
    /// How much stands behind it.
    pub confidence: Confidence,
    /// The attacker profile that explains the event best.
    pub profile: AttackerProfile,
    /// What it says by itself of what is used and done, nats: a step of the account's belief.
    pub own_nats: f64,
    /// Exact additive explanation. Absent: the clerk reads none of this record.
    pub contributions: Option<Vec<Contribution>>,
    /// Its evidence by family, if it is explained.
    pub grounds: Option<Grounds>,
    /// What the model in shadow says; absent if there is none.
    pub shadow: Option<Shadowed>,
    /// Signals that could not speak, with why.
    pub blind: Vec<(Family, Blind)>,
    /// What follows.
    pub decision: Decision,
}

/// Takes note of what a shard concludes. Each shard has one of its own; no note may depend on which.
pub trait Clerk: Send {
    /// What is noted of one record.
    type Note: Send;

    /// Whether reasons are read of every record. Nothing else depends on it.
    fn reads_all(&self) -> Words;

    /// Whether reasons are read of a record with this score; asked where not all are.
    fn reads(&self, record: &Record, score: RiskScore) -> bool;

    /// Takes note. What the stage after the accounts has to see first is noted behind the rest of its epoch, by the first
    /// clerk; notes are given out in the order of the records all the same.
    fn note(&mut self, record: &Record, judged: Judged) -> Self::Note;
}

/// Notes everything as an [`Assessment`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Scribe;

impl Clerk for Scribe {
    type Note = Assessment;

    fn reads_all(&self) -> Words {
        Words::Wanted
    }

    fn reads(&self, _: &Record, _: RiskScore) -> bool {
        true
    }

    fn note(&mut self, record: &Record, judged: Judged) -> Assessment {
        judged.assessment(record)
    }
}

impl Judged {
    /// With the names of the record it was concluded of. Without an explanation if none was made.
    #[must_use]
    pub fn assessment(self, record: &Record) -> Assessment {
        let Record { context, uid, .. } = record;
        Assessment {
            uid: uid.clone(),
            time: context.time,
            tenant: context.tenant.clone(),
            account: context.account.clone(),
            kind: self.kind,
            log_odds: self.log_odds,
            score: self.score,
            level: self.level,
            confidence: self.confidence,
            profile: self.profile,
            contributions: self.contributions.unwrap_or_default(),
            blind: self.blind,
            grounds: self.grounds,
            decision: self.decision,
        }
    }
}
