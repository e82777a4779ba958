//! Accounts: who acts, and which of the many spellings is the same account.

use crate::{AccountId, Text};
use serde::{Deserialize, Serialize};

/// What sort of account it is; decides priors, not engines (SCORING 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// Nothing says; the behaviour will.
    #[default]
    Unknown,
    /// One person.
    Human,
    /// One person with administrative rights.
    Privileged,
    /// Several people: kiosks, role mailboxes.
    Shared,
    /// A machine: service accounts, workload identities, CI runners, API keys.
    Service,
    /// Somebody outside the organisation, with access to it.
    Vendor,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [AccountKind; 6] = [
        AccountKind::Unknown,
        AccountKind::Human,
        AccountKind::Privileged,
        AccountKind::Shared,
        AccountKind::Service,
        AccountKind::Vendor,
    ];

    /// The name in lower case, as verdicts and metrics write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AccountKind::Unknown => "unknown",
            AccountKind::Human => "human",
            AccountKind::Privileged => "privileged",
            AccountKind::Shared => "shared",
            AccountKind::Service => "service",
            AccountKind::Vendor => "vendor",
        }
    }
}

/// A user object as a source names it (OCSF `user`). All fields absent means the source names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// Login name, as the source writes it: `alice`, `alice@example.com`, `system:serviceaccount:ns:name`.
    pub name: Option<Text>,
    /// The source's stable id: object id, SID, principal id.
    pub uid: Option<Text>,
    /// E-mail address or UPN, if stated apart from the name.
    pub email: Option<Text>,
    /// Name for people: `Alice Doe`. Never identifies.
    pub display_name: Option<Text>,
    /// Windows or directory domain, realm or cloud account.
    pub domain: Option<Text>,
    /// What the source says of the account's kind.
    pub kind: AccountKind,
}

/// Spellings by which logs say "nobody" (FIELD 3: Elastic #4103, Keycloak `userId="null"`).
const NOBODY: [&str; 10] = [
    "",
    "-",
    "--",
    "null",
    "none",
    "nil",
    "(null)",
    "not available",
    "n/a",
    "<null>",
];

/// `text` trimmed, unless it is one of the ways in which logs write "nobody".
#[must_use]
pub fn named(text: &str) -> Option<&str> {
    let text = text.trim();
    // The longest of them has 13 bytes, and few texts begin like one.
    let begins = matches!(
        text.as_bytes().first(),
        None | Some(b'-' | b'n' | b'N' | b'(' | b'<')
    );
    if begins && text.len() <= 13 && NOBODY.iter().any(|nobody| text.eq_ignore_ascii_case(nobody)) {
        None
    } else {
        Some(text)
    }
}

impl User {
    /// A user known by login name only; absent if the name means nobody.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        named(name).map(|name| Self {
            name: Some(Text::new(name)),
            ..Self::default()
        })
    }

    /// Whether the source named anybody at all.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        self.name.is_some() || self.uid.is_some() || self.email.is_some()
    }

    /// The id under which this account's behaviour is remembered; absent if nobody is named.
    ///
    /// Lower case. An address (`alice@example.com`) stands alone; a Windows account is `domain\name` with the first
    /// label of the domain, so that `CORP` and `corp.example.com` meet; else the name; else the e-mail; else the uid.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        let name = self.name.as_deref().and_then(named);
        let email = self.email.as_deref().and_then(named);
        let spelled = match (name, email) {
            (Some(name), _) if name.contains('@') => name,
            // A bare name beside an address: the address is what other sources know.
            (Some(name), Some(email)) if email.split('@').next() == Some(name) => email,
            (Some(name), _) => return Some(self.qualified(name)),
            (None, Some(email)) => email,
            (None, None) => self.uid.as_deref().and_then(named)?,
        };
        Some(AccountId::new(lower(spelled)))
    }

    fn qualified(&self, name: &str) -> AccountId {
        if let Some((domain, tail)) = name.split_once('\\') {
            return AccountId::new(windows_id(domain, tail));
        }
        match self.domain.as_deref().and_then(named) {
            Some(domain) => AccountId::new(windows_id(domain, name)),
            None => AccountId::new(lower(name)),
        }
    }

    /// What to show for this account: name, else e-mail, else uid.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        [&self.name, &self.email, &self.uid]
            .into_iter()
            .find_map(|field| field.as_deref().and_then(named))
    }
}

/// In lower case; most names are so already.
fn lower(name: &str) -> Text {
    let is_lower = |byte: u8| byte.is_ascii() & !byte.is_ascii_uppercase();
    if name.bytes().fold(true, |all, byte| all & is_lower(byte)) {
        Text::new(name)
    } else {
        Text::new(name.to_lowercase())
    }
}

fn windows_id(domain: &str, name: &str) -> Text {
    let domain = domain.split('.').next().unwrap_or(domain).to_lowercase();
    let name = name.to_lowercase();
    if domain.is_empty() || domain == "." {
        Text::new(&name)
    } else {
        Text::new(format!("{domain}\\{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(
        name: Option<&str>,
        email: Option<&str>,
        uid: Option<&str>,
        domain: Option<&str>,
    ) -> Option<String> {
        let text = |t: Option<&str>| t.map(Text::new);
        let user = User {
            name: text(name),
            email: text(email),
            uid: text(uid),
            domain: text(domain),
            ..User::default()
        };
        user.account_id().map(|id| id.to_string())
    }

    #[test]
    fn placeholders_are_no_user_names() {
        for nobody in ["Not Available", "-", "null", "", "  ", "NULL"] {
            assert_eq!(id(Some(nobody), None, None, None), None, "{nobody:?}");
            assert!(User::by_name(nobody).is_none(), "{nobody:?}");
        }
    }

    #[test]
    fn spellings_of_one_account_meet() {
        assert_eq!(
            id(Some("Alice@Example.com"), None, None, None).as_deref(),
            Some("alice@example.com")
        );
        assert_eq!(
            id(Some("alice"), Some("alice@example.com"), None, None).as_deref(),
            Some("alice@example.com")
        );
        assert_eq!(
            id(Some("Bob"), None, None, Some("CORP.EXAMPLE.COM")).as_deref(),
            Some("corp\\bob")
        );
        assert_eq!(
            id(Some("CORP\\Bob"), None, None, None).as_deref(),
            Some("corp\\bob")
        );
        assert_eq!(id(None, None, Some("00u1AB"), None).as_deref(), Some("00u1ab"));
    }
}
