//! The state machine of access. Time is a parameter; fresh secrets are handed in.

mod sessions;
mod tokens;
mod users;

pub(crate) use sessions::SignIn;
pub use sessions::{LINK_MS, Link, SESSION_IDLE_MS, SESSION_MS};
pub use tokens::{NewToken, Token};
pub use users::{User, UserView};

use super::entropy::NoEntropy;
use super::permission::{Permission, Role, Scope};
use super::secret::Hashed;
use habitus_model::{TenantId, Text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Users there may be.
const USERS_MAX: usize = 1_000;
/// Tokens there may be, expired ones not counted.
const TOKENS_MAX: usize = 1_000;
/// Longest name of a user, token, source or tenant, characters.
const NAME_MAX: usize = 64;

/// Everything that must survive a restart. Secrets are in it as hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    users: BTreeMap<Text, User>,
    tokens: BTreeMap<Hashed, Token>,
    links: BTreeMap<Hashed, sessions::StoredLink>,
    sessions: BTreeMap<Hashed, sessions::Session>,
}

/// Somebody who has proven who they are, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user's name, or `token:<id>`.
    pub name: Text,
    /// What it is.
    pub(crate) kind: PrincipalKind,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// Whose data it may see and change.
    pub tenant: TenantId,
    /// The source whose events it gives; absent if it is bound to none.
    pub source: Option<Text>,
}

/// Kinds of principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    /// A person.
    User(Role),
    /// A machine.
    Token(Vec<Scope>),
}

/// Why access refuses something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// There is no such user or token.
    #[error("not found")]
    NotFound,
    /// There is one already.
    #[error("there is a user of this name already")]
    Exists,
    /// A field cannot be used; completes the sentence that begins with the field.
    #[error("`{0}` {1}")]
    Invalid(&'static str, &'static str),
    /// Nobody could manage users afterwards.
    #[error("this is the last admin")]
    LastAdmin,
    /// A limit is reached.
    #[error("there are too many {0} already")]
    TooMany(&'static str),
    /// Too many failures; the delay in seconds, at least 1.
    #[error("too many failed attempts")]
    Throttled(u32),
    /// Wrong name, password or link; never said which.
    #[error("sign-in failed")]
    Denied,
    /// No randomness to make a secret from.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The change could not be stored and was not made.
    #[error("the access file cannot be written")]
    Storage,
}

impl Principal {
    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

/// A name that people can tell apart and that breaks no line: letters, digits and `. _ @ + -`.
fn check_name(field: &'static str, name: &str) -> Result<(), AccessError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '+' | '-');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
        return Err(AccessError::Invalid(
            field,
            "is not 1 to 64 ASCII letters, digits and . _ @ + -",
        ));
    }
    Ok(())
}
