//! One-time links and sessions.

use super::super::secret::{Hashed, Secret};
use super::{AccessError, Principal, PrincipalKind, State};
use habitus_model::{EventTime, Millis, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a one-time link is good, milliseconds.
pub const LINK_MS: i64 = 15 * 60_000;
/// How long a session lives without a request, milliseconds.
pub const SESSION_IDLE_MS: i64 = 30 * 60_000;
/// How long a session lives at most, milliseconds.
pub const SESSION_MS: i64 = 12 * 3_600_000;
/// Sessions of one user; a further one ends the oldest.
const SESSIONS_OF_USER_MAX: usize = 20;
/// Links not yet used or expired.
const LINKS_MAX: usize = 100;

/// A link that signs one user in, once. `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Whom it signs in.
    pub user: Text,
    /// From when it is no good any more.
    pub expires: EventTime,
    secret: Secret,
}

/// A link as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredLink {
    pub(super) user: Text,
    pub(super) expires: EventTime,
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    pub(super) user: Text,
    pub(super) created: EventTime,
    pub(super) last_seen: EventTime,
}

/// A session that just began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignIn {
    /// Whose.
    pub user: Text,
    /// The cookie's value.
    pub session: Secret,
}

impl Link {
    /// Path and query to append to the server's address: `/sign-in?link=…`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/sign-in?link={}", self.secret.reveal())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("user", &self.user)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Makes a link for a user.
    pub(crate) fn issue_link(
        &mut self,
        user: &str,
        secret: Secret,
        now: EventTime,
    ) -> Result<Link, AccessError> {
        if !self.users.contains_key(user) {
            return Err(AccessError::NotFound);
        }
        self.links.retain(|_, link| link.expires > now);
        if self.links.len() >= LINKS_MAX {
            return Err(AccessError::TooMany("links"));
        }
        let expires = now.plus(Millis(LINK_MS));
        let user = Text::new(user);
        let stored = StoredLink {
            user: user.clone(),
            expires,
        };
        self.links.insert(secret.hashed(), stored);
        Ok(Link {
            user,
            expires,
            secret,
        })
    }

    /// Uses a link up and begins a session.
    pub(crate) fn redeem(
        &mut self,
        link: &Secret,
        session: Secret,
        now: EventTime,
    ) -> Result<SignIn, AccessError> {
        let stored = self.links.remove(&link.hashed()).ok_or(AccessError::Denied)?;
        if stored.expires <= now {
            return Err(AccessError::Denied);
        }
        self.begin_session(&stored.user, session, now)
    }

    /// Begins a session of a user who has proven who they are.
    pub(crate) fn begin_session(
        &mut self,
        user: &str,
        secret: Secret,
        now: EventTime,
    ) -> Result<SignIn, AccessError> {
        if !self.users.contains_key(user) {
            return Err(AccessError::Denied);
        }
        self.sessions.retain(|_, session| session.lives(now));
        self.end_oldest_of(user);
        let user = Text::new(user);
        let session = Session {
            user: user.clone(),
            created: now,
            last_seen: now,
        };
        self.sessions.insert(secret.hashed(), session);
        Ok(SignIn {
            user,
            session: secret,
        })
    }

    /// Who holds this session; notes that it is used. `None` if there is none, or it is over.
    pub(crate) fn session(&mut self, secret: &Secret, now: EventTime) -> Option<Principal> {
        let hash = secret.hashed();
        let session = self.sessions.get_mut(&hash)?;
        if !session.lives(now) {
            self.sessions.remove(&hash);
            return None;
        }
        session.last_seen = session.last_seen.max(now);
        let name = session.user.clone();
        let user = self.users.get(&name)?;
        Some(Principal {
            kind: PrincipalKind::User(user.role),
            permissions: user.role.permissions().iter().copied().collect(),
            tenant: user.tenant.clone(),
            source: None,
            name,
        })
    }

    /// Ends a session; nothing if there is none.
    pub(crate) fn end_session(&mut self, secret: &Secret) {
        self.sessions.remove(&secret.hashed());
    }

    pub(super) fn end_sessions_of(&mut self, user: &str) {
        self.sessions.retain(|_, session| session.user != user);
    }

    fn end_oldest_of(&mut self, user: &str) {
        let mine = |(_, session): &(&Hashed, &Session)| session.user == user;
        if self.sessions.iter().filter(mine).count() < SESSIONS_OF_USER_MAX {
            return;
        }
        let oldest = self
            .sessions
            .iter()
            .filter(mine)
            .min_by_key(|(_, session)| session.last_seen);
        if let Some(hash) = oldest.map(|(hash, _)| hash.clone()) {
            self.sessions.remove(&hash);
        }
    }
}

impl Session {
    pub(super) fn lives(&self, now: EventTime) -> bool {
        now.since(self.last_seen).0 < SESSION_IDLE_MS && now.since(self.created).0 < SESSION_MS
    }
}
