//! What a finding keeps of a flagged event.

use crate::behaviour::Behaviour;
use crate::loss::Loss;
use habitus_model::lead::{Accusing, lead, reasons};
use habitus_model::{
    AccountKind, Assessment, AttackerProfile, Blind, Confidence, Context, Contribution, Disposition,
    EventTime, EventUid, Family, Grounds, Nats, RiskLevel, RiskScore, Status, Text,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Longest sentence kept of a reason, characters; names in it are cut to 80 by the model already.
const TEXT_CHARS_MAX: usize = 400;
/// Most lines kept of one explanation; fusion gives about a dozen.
const LINES_MAX: usize = 40;

/// A flagged event: whose, where from, and the verdict on it. Owns everything it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The event.
    pub uid: EventUid,
    /// Who, when, where from, with what: enough to teach the account's profile, if a person says so.
    pub context: Context,
    /// The log format it came in.
    pub source: Text,
    /// Kind of account it was judged as.
    pub kind: AccountKind,
    /// Calibrated score.
    pub score: RiskScore,
    /// Total log-odds, uncapped.
    pub log_odds: Nats,
    /// Level of the score.
    pub level: RiskLevel,
    /// How much stands behind it.
    pub confidence: Confidence,
    /// The attacker profile that explains it best.
    pub profile: AttackerProfile,
    /// What was recommended.
    pub disposition: Disposition,
    /// The rule or threshold that decided it.
    pub because: Text,
    /// The explanation; the nats sum to `log_odds`, unless more than 40 lines were cut.
    pub lines: Vec<Line>,
    /// Families that could not speak, and why.
    pub blind: Vec<(Family, Blind)>,
    /// The evidence by family, for what learns from verdicts; absent if the event was not explained.
    pub grounds: Option<Grounds>,
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Name of the observation.
    pub signal: Text,
    /// Its family; absent for the lines of fusion (`prior`, `mixture`).
    pub family: Option<Family>,
    /// Nats; negative speaks for the owner.
    pub nats: Nats,
    /// Why, lower case, without a final stop.
    pub text: String,
}

/// Guessing that no single source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guessing {
    /// At many accounts from many places (MITRE ATT&CK T1110.003).
    Spray,
    /// At one account from many addresses.
    Distributed,
}

impl Hit {
    /// Whether it is an attempt of guessing that no single source shows; absent: it is none, or one source shows it.
    pub(crate) fn guessing(&self) -> Option<Guessing> {
        let is_attempt = self.context.status == Status::Failure;
        let sprays = |line: &Line| line.accuses() && line.signal == "slow_password_spray";
        if is_attempt && self.lines.iter().any(sprays) {
            return Some(Guessing::Spray);
        }
        let lead = self.lead().filter(|_| is_attempt)?;
        (lead.signal == "distributed_guessing").then_some(Guessing::Distributed)
    }

    /// An event as it was assessed. `source` is the log format.
    #[must_use]
    pub fn new(context: &Context, assessment: &Assessment, source: &str) -> Self {
        Self {
            uid: assessment.uid.clone(),
            context: context.clone(),
            source: Text::new(source),
            kind: assessment.kind,
            score: assessment.score,
            log_odds: assessment.log_odds,
            level: assessment.level,
            confidence: assessment.confidence,
            profile: assessment.profile,
            disposition: assessment.decision.disposition,
            because: Text::new(assessment.decision.because),
            lines: assessment
                .contributions
                .iter()
                .take(LINES_MAX)
                .map(Line::new)
                .collect(),
            blind: assessment.blind.clone(),
            grounds: assessment.grounds.clone(),
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn time(&self) -> EventTime {
        self.context.time
    }

    /// The evidence it is called after; absent if nothing accuses.
    #[must_use]
    pub fn lead(&self) -> Option<&Line> {
        lead(&self.lines)
    }

    /// The evidence against the owner: what it is called after, then the rest by size.
    #[must_use]
    pub fn reasons(&self) -> Vec<&Line> {
        reasons(&self.lines)
    }

    /// Family of the evidence it is called after; absent if nothing accuses.
    #[must_use]
    pub fn lead_family(&self) -> Option<Family> {
        self.lead().and_then(|line| line.family)
    }

    /// The behaviour it is grouped by.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        Behaviour::of(self.lead_family(), self.context.status)
    }

    /// What it may cost to overlook it.
    #[must_use]
    pub fn loss(&self) -> Loss {
        Loss::of(self)
    }

    /// Orders by score, log-odds, then the earlier event: the greatest is the worst.
    #[must_use]
    pub fn worse(&self, other: &Self) -> Ordering {
        let by_score = self.score.get().total_cmp(&other.score.get());
        by_score
            .then_with(|| self.log_odds.0.total_cmp(&other.log_odds.0))
            .then_with(|| other.time().cmp(&self.time()))
            .then_with(|| other.uid.cmp(&self.uid))
    }

    /// Bytes it takes, roughly: for the limit on memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lines: usize = self
            .lines
            .iter()
            .map(|line| size_of::<Line>() + line.text.len())
            .sum();
        let ids = self.uid.as_str().len() + self.context.account.as_ref().map_or(0, |a| a.as_str().len());
        let families = self.grounds.as_ref().map_or(0, |grounds| grounds.families.len());
        size_of::<Self>()
            + lines
            + ids
            + self.blind.len() * size_of::<(Family, Blind)>()
            + families * size_of::<(Family, [f32; 5])>()
    }
}

impl Line {
    fn new(contribution: &Contribution) -> Self {
        let text = contribution.reason.to_string();
        let end = text
            .char_indices()
            .nth(TEXT_CHARS_MAX)
            .map_or(text.len(), |(at, _)| at);
        Self {
            signal: Text::new(contribution.signal.0),
            family: contribution.family,
            nats: contribution.nats,
            text: text.get(..end).unwrap_or_default().to_owned(),
        }
    }
}

impl Accusing for Line {
    fn family(&self) -> Option<Family> {
        self.family
    }

    fn signal(&self) -> &str {
        &self.signal
    }

    fn nats(&self) -> Nats {
        self.nats
    }
}
