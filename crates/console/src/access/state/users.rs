//! Users.

use super::super::password::PasswordHash;
use super::{AccessError, State, USERS_MAX, check_name};
use crate::access::Role;
use crate::product::time;
use habitus_model::{EventTime, TenantId, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub(super) role: Role,
    pub(super) tenant: TenantId,
    pub(super) password: Option<PasswordHash>,
    pub(super) created: EventTime,
}

/// A user as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// The name.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Whose data the person may see.
    pub tenant: String,
    /// Whether a password is set; if not, only one-time links let the person in.
    pub has_password: bool,
    /// When it was made.
    #[serde(with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub created: EventTime,
}

impl State {
    /// Adds a user without a password.
    pub(crate) fn create_user(
        &mut self,
        name: &str,
        role: Role,
        tenant: TenantId,
        now: EventTime,
    ) -> Result<UserView, AccessError> {
        check_name("name", name)?;
        check_name("tenant", tenant.as_str())?;
        // Names that differ in case only would be mistaken for each other.
        if self.users.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(AccessError::Exists);
        }
        if self.users.len() >= USERS_MAX {
            return Err(AccessError::TooMany("users"));
        }
        let user = User {
            role,
            tenant,
            password: None,
            created: now,
        };
        let view = user.view(name);
        self.users.insert(Text::new(name), user);
        Ok(view)
    }

    /// Gives a user another role. Its sessions end, so that none keeps what it may no longer do.
    pub(crate) fn set_role(&mut self, name: &str, role: Role) -> Result<UserView, AccessError> {
        if role != Role::Admin {
            self.check_not_last_admin(name)?;
        }
        let user = self.users.get_mut(name).ok_or(AccessError::NotFound)?;
        user.role = role;
        let view = user.view(name);
        self.end_sessions_of(name);
        Ok(view)
    }

    /// Sets a password that was hashed before. Other sessions end (ASVS 7.4.3).
    pub(crate) fn set_password(&mut self, name: &str, hash: PasswordHash) -> Result<(), AccessError> {
        let user = self.users.get_mut(name).ok_or(AccessError::NotFound)?;
        user.password = Some(hash);
        self.end_sessions_of(name);
        Ok(())
    }

    /// Removes a user with sessions and links.
    pub(crate) fn remove_user(&mut self, name: &str) -> Result<(), AccessError> {
        self.check_not_last_admin(name)?;
        self.users.remove(name).ok_or(AccessError::NotFound)?;
        self.end_sessions_of(name);
        self.links.retain(|_, link| link.user != name);
        Ok(())
    }

    /// Every user, by name.
    pub(crate) fn users(&self) -> Vec<UserView> {
        self.users.iter().map(|(name, user)| user.view(name)).collect()
    }

    /// Whether there is nobody yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The password of a user who has one.
    pub(crate) fn password_of(&self, name: &str) -> Option<PasswordHash> {
        self.users.get(name)?.password.clone()
    }

    /// An admin who has no way in: no password, no session, no link. Absent if every admin has one.
    pub(crate) fn stranded_admin(&self, now: EventTime) -> Option<Text> {
        let mut admins = self.users.iter().filter(|(_, user)| user.role == Role::Admin);
        let has_way = |(name, user): &(&Text, &User)| {
            user.password.is_some()
                || self
                    .sessions
                    .values()
                    .any(|session| session.user == **name && session.lives(now))
        };
        if admins.clone().any(|admin| has_way(&admin)) {
            return None;
        }
        admins.next().map(|(name, _)| name.clone())
    }

    fn check_not_last_admin(&self, name: &str) -> Result<(), AccessError> {
        let is_admin = self.users.get(name).is_some_and(|user| user.role == Role::Admin);
        let admins = self
            .users
            .values()
            .filter(|user| user.role == Role::Admin)
            .count();
        if is_admin && admins == 1 {
            return Err(AccessError::LastAdmin);
        }
        Ok(())
    }
}

impl User {
    fn view(&self, name: &str) -> UserView {
        UserView {
            name: name.to_owned(),
            role: self.role,
            tenant: self.tenant.to_string(),
            has_password: self.password.is_some(),
            created: self.created,
        }
    }
}
