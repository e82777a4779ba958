//! What the engine concludes about one event.

use crate::evidence::{AttackerProfile, Family, Reason, Signal};
use crate::lead::{Accusing, lead};
use crate::{
    AccountId, AccountKind, Confidence, EventTime, EventUid, Grounds, Nats, RiskLevel, RiskScore, TenantId,
};
use serde::{Deserialize, Serialize};

/// A signal that cannot speak on this event, and why: shown, because "no alarm" must not look like "all well".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blind {
    /// The source gives no address.
    NoAddress,
    /// No table knows where the address is.
    NoPlace,
    /// No table knows the network, or the address is private.
    NoNetwork,
    /// The source gives no user agent, device or tool.
    NoClient,
    /// The account has too little history for this signal.
    ThinHistory,
    /// Nobody is named.
    NoAccount,
    /// The event is of a kind this signal does not speak on.
    NotApplicable,
}

/// One line of the explanation. All lines of an assessment sum to its log-odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contribution {
    /// Name of the observation; `prior` and `mixture` are the two lines that come from fusion itself.
    pub signal: Signal,
    /// Family; absent for the lines of fusion.
    pub family: Option<Family>,
    /// Nats; negative speaks for the owner.
    pub nats: Nats,
    /// Why.
    pub reason: Reason,
}

impl Accusing for Contribution {
    fn family(&self) -> Option<Family> {
        self.family
    }

    fn signal(&self) -> &str {
        self.signal.0
    }

    fn nats(&self) -> Nats {
        self.nats
    }
}

impl Assessment {
    /// The line it is called after; absent if nothing accuses.
    #[must_use]
    pub fn lead(&self) -> Option<&Contribution> {
        lead(&self.contributions)
    }
}

/// What is recommended or done about one event (OCSF `disposition` in spirit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Let it pass.
    Allow,
    /// Ask for another factor.
    Challenge,
    /// Let it pass; a person should look.
    Review,
    /// Refuse it.
    Deny,
    /// End what it began: sessions and tokens.
    Revoke,
}

/// The assessment with what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What is recommended.
    pub disposition: Disposition,
    /// Why, beyond the score: the rule or threshold that decided.
    pub because: &'static str,
}

/// The conclusion about one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The event.
    pub uid: EventUid,
    /// When it happened.
    pub time: EventTime,
    /// Whose event it is.
    pub tenant: TenantId,
    /// The account; absent if nobody was named.
    pub account: Option<AccountId>,
    /// Kind of account it was judged as.
    pub kind: AccountKind,
    /// Total log-odds, uncapped.
    pub log_odds: Nats,
    /// Calibrated score.
    pub score: RiskScore,
    /// Its level.
    pub level: RiskLevel,
    /// How much stands behind it.
    pub confidence: Confidence,
    /// The attacker profile that explains the event best.
    pub profile: AttackerProfile,
    /// Exact additive explanation: the nats sum to `log_odds` within 1e-6.
    pub contributions: Vec<Contribution>,
    /// Signals that could not speak, with why.
    pub blind: Vec<(Family, Blind)>,
    /// The evidence by family, for whoever learns from what people say of it. Absent if it was not explained.
    #[serde(skip)]
    pub grounds: Option<Grounds>,
    /// What follows.
    pub decision: Decision,
}

impl Blind {
    /// A phrase that completes "blind: …".
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Blind::NoAddress => "the source gives no address",
            Blind::NoPlace => "no table knows where the address is",
            Blind::NoNetwork => "no table knows the network",
            Blind::NoClient => "the source names no client",
            Blind::ThinHistory => "too little history",
            Blind::NoAccount => "nobody is named",
            Blind::NotApplicable => "does not apply to this kind of event",
        }
    }
}

impl Disposition {
    /// The name in lower case, as verdicts write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Disposition::Allow => "allow",
            Disposition::Challenge => "challenge",
            Disposition::Review => "review",
            Disposition::Deny => "deny",
            Disposition::Revoke => "revoke",
        }
    }

    /// OCSF `disposition_id` and caption.
    #[must_use]
    pub const fn ocsf(self) -> (u8, &'static str) {
        match self {
            Disposition::Allow => (1, "Allowed"),
            Disposition::Challenge => (23, "Challenge"),
            Disposition::Review => (15, "Detected"),
            Disposition::Deny => (2, "Blocked"),
            Disposition::Revoke => (24, "Access Revoked"),
        }
    }
}
