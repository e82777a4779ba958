//! What an event says of sessions, proofs and deeds, beyond where from and with what.
//!
//! Ids of sessions, tokens and credentials are secrets or lead to them: they are kept as fingerprints only.

use crate::{AccountId, Text};
use serde::{Deserialize, Serialize};

/// A name with its fingerprint: what is remembered is the fingerprint, what is shown is the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Fingerprint.
    pub key: u64,
    /// Name, as the source writes it.
    pub name: Text,
}

/// How a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PromptKind {
    /// A question that is answered with a tap or a key: push, phone call.
    Push,
    /// A code that is typed: one-time password, text message, e-mail.
    Code,
    /// A factor that cannot be phished.
    Strong,
    /// The source does not say.
    Unknown,
}

/// What became of a prompt for a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PromptOutcome {
    /// It was sent; the answer is a later event.
    Sent,
    /// It was ignored or answered wrongly, or the source does not say that it was denied.
    Failed,
    /// It was satisfied.
    Satisfied,
    /// A person refused it.
    Denied,
}

/// A prompt for a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// How it is asked for.
    pub kind: PromptKind,
    /// What became of it.
    pub outcome: PromptOutcome,
}

/// Ways in that a password alone opens, or that are easily relayed: attackers look for them (MITRE ATT&CK T1078, T1528).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grant {
    /// OAuth 2.0 device authorization grant (RFC 8628): the code can be sent to a victim.
    DeviceCode,
    /// Resource owner password credentials (RFC 6749, section 4.3): no second factor is asked for.
    Password,
    /// A protocol that knows no second factor: IMAP, POP, SMTP AUTH, NTLM.
    Legacy,
    /// A key or secret of a machine: client credentials, API key, access token.
    Key,
}

/// What was done that attackers want, whoever does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Deed {
    /// A second factor or device was added.
    FactorAdded,
    /// A second factor was removed, reset or suspended.
    FactorRemoved,
    /// A password was reset by somebody else.
    PasswordReset,
    /// A password was recovered by self-service.
    Recovery,
    /// One session was ended.
    SessionEnded,
    /// All sessions and tokens of an account were ended.
    SessionsRevoked,
    /// An account was disabled or deleted.
    AccountDisabled,
    /// An account was created or enabled.
    AccountCreated,
    /// Roles or privileges were given.
    PrivilegeGranted,
    /// A group got a member.
    MemberAdded,
    /// A key, token or secret was made.
    KeyCreated,
    /// An application was given access to somebody's data.
    ConsentGranted,
    /// Mail is forwarded, hidden, or opened to others.
    MailRule,
    /// A stored secret was read.
    SecretRead,
    /// Logging or a policy that guards access was changed.
    DefenceChanged,
}

/// What an event says of sessions, proofs and deeds. Absent fields are unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conduct {
    /// Fingerprint of the session's id.
    pub session: Option<u64>,
    /// Fingerprint of the id of the token shown or issued.
    pub token: Option<u64>,
    /// Fingerprint of the credential's id: access key, certificate, hashed token.
    pub credential: Option<u64>,
    /// Fingerprint of the TLS client fingerprint (JA3, JA4).
    pub tls: Option<u64>,
    /// Fingerprint of who vouched for a workload, and for which: the job stands in for its network.
    pub job: Option<u64>,
    /// Whether a person sat there, as the source says.
    pub interactive: Option<bool>,
    /// A prompt for a second factor.
    pub prompt: Option<Prompt>,
    /// The way in, if it is one that attackers look for or a machine's.
    pub grant: Option<Grant>,
    /// What was done, if it is something attackers want.
    pub deed: Option<Deed>,
    /// The account it was done to; absent if that is the event's own.
    pub target: Option<AccountId>,
    /// Fingerprint of another identity that stands behind the account, or that it takes on at a logon. Machines that log
    /// people in are none.
    pub behind: Option<u64>,
    /// The computer it came from, where neither an address nor a device's id tells: the host names of directories and file
    /// servers. Absent: those do, or nothing does.
    pub origin: Option<Named>,
    /// What sort of thing it is and whose: kind and namespace of the resource, or else of the application. Absent: the source
    /// names no kind.
    pub sort: Option<Named>,
    /// Application or host.
    pub application: Option<Named>,
    /// What was done to it, in the source's own words. Absent for logons.
    pub action: Option<Named>,
    /// The first resource acted upon.
    pub resource: Option<Named>,
    /// How many like things the event tells of, 2 or more. Absent: one.
    #[serde(default)]
    pub count: Option<u32>,
}

impl Conduct {
    /// Whether the event says nothing of all this.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The id that stays the same while somebody is logged in: session, else token, else credential.
    #[must_use]
    pub fn continuity(&self) -> Option<u64> {
        self.session.or(self.token).or(self.credential)
    }

    /// The outcome of a prompt of this event, if it holds one.
    #[must_use]
    pub fn prompted(&self) -> Option<PromptOutcome> {
        self.prompt.map(|prompt| prompt.outcome)
    }
}

impl Deed {
    /// Every deed, in the order of tables.
    pub const ALL: [Deed; 15] = [
        Deed::FactorAdded,
        Deed::FactorRemoved,
        Deed::PasswordReset,
        Deed::Recovery,
        Deed::SessionEnded,
        Deed::SessionsRevoked,
        Deed::AccountDisabled,
        Deed::AccountCreated,
        Deed::PrivilegeGranted,
        Deed::MemberAdded,
        Deed::KeyCreated,
        Deed::ConsentGranted,
        Deed::MailRule,
        Deed::SecretRead,
        Deed::DefenceChanged,
    ];

    /// Words that complete "it …".
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Deed::FactorAdded => "adds a second factor",
            Deed::FactorRemoved => "removes a second factor",
            Deed::PasswordReset => "resets a password",
            Deed::Recovery => "recovers a password",
            Deed::SessionEnded => "ends a session",
            Deed::SessionsRevoked => "ends all sessions",
            Deed::AccountDisabled => "disables an account",
            Deed::AccountCreated => "creates an account",
            Deed::PrivilegeGranted => "grants privileges",
            Deed::MemberAdded => "adds a member to a group",
            Deed::KeyCreated => "creates a key or secret",
            Deed::ConsentGranted => "gives an application access",
            Deed::MailRule => "changes where mail goes",
            Deed::SecretRead => "reads a secret",
            Deed::DefenceChanged => "changes logging or access policy",
        }
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|each| *each == self).unwrap_or(0)
    }
}

impl PromptKind {
    /// Number of kinds.
    pub const COUNT: usize = 4;

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            PromptKind::Push => 0,
            PromptKind::Code => 1,
            PromptKind::Strong => 2,
            PromptKind::Unknown => 3,
        }
    }
}

impl Grant {
    /// Number of grants.
    pub const COUNT: usize = 4;

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Grant::DeviceCode => 0,
            Grant::Password => 1,
            Grant::Legacy => 2,
            Grant::Key => 3,
        }
    }

    /// Words for sentences.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Grant::DeviceCode => "a device code",
            Grant::Password => "a password without a browser (ROPC)",
            Grant::Legacy => "a legacy protocol that knows no second factor",
            Grant::Key => "a key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_before_a_token_and_a_credential() {
        let mut conduct = Conduct {
            credential: Some(3),
            ..Conduct::default()
        };
        assert_eq!(conduct.continuity(), Some(3));
        conduct.token = Some(2);
        assert_eq!(conduct.continuity(), Some(2));
        conduct.session = Some(1);
        assert_eq!(conduct.continuity(), Some(1));
        assert!(!conduct.is_empty());
    }

    #[test]
    fn deeds_stand_where_the_list_says() {
        for (at, deed) in Deed::ALL.into_iter().enumerate() {
            assert_eq!(deed.index(), at);
        }
    }
}
