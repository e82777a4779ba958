//! API tokens.

use super::super::secret::{Secret, TOKEN_PREFIX};
use super::{AccessError, Principal, PrincipalKind, State, TOKENS_MAX, check_name};
use crate::access::Scope;
use crate::product::time;
use habitus_model::{EventTime, TenantId, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token as it is stored and listed; the secret is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Public id: the beginning of the secret's hash.
    pub id: String,
    /// What it is for, in somebody's words.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The source whose events it gives; absent if the sender says.
    #[schema(value_type = Option<String>)]
    pub source: Option<Text>,
    /// Whose data it gives and sees.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    #[serde(with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub created: EventTime,
    /// From when it is no good any more; absent if never.
    #[serde(with = "time::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<EventTime>,
    /// When it was used last, as of the last change to the file or later; absent if never.
    #[serde(with = "time::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<EventTime>,
}

/// What a new token is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may be used for; at least one.
    pub scopes: Vec<Scope>,
    /// The source it is bound to.
    pub source: Option<Text>,
    /// Whose data.
    pub tenant: TenantId,
    /// From when it is no good any more.
    pub expires: Option<EventTime>,
}

impl State {
    /// Keeps a new token's hash.
    pub(crate) fn create_token(
        &mut self,
        new: NewToken,
        secret: &Secret,
        (creator, now): (&str, EventTime),
    ) -> Result<Token, AccessError> {
        check_new(&new, now)?;
        self.tokens.retain(|_, token| !token.expired(now));
        if self.tokens.len() >= TOKENS_MAX {
            return Err(AccessError::TooMany("tokens"));
        }
        let hash = secret.hashed();
        let mut scopes = new.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let token = Token {
            id: hash.id(),
            name: new.name,
            scopes,
            source: new.source,
            tenant: new.tenant,
            created_by: creator.to_owned(),
            created: now,
            expires: new.expires,
            last_used: None,
        };
        self.tokens.insert(hash, token.clone());
        Ok(token)
    }

    /// Takes a token back, at once.
    pub(crate) fn revoke_token(&mut self, id: &str) -> Result<Token, AccessError> {
        let hash = self
            .tokens
            .iter()
            .find_map(|(hash, token)| (token.id == id).then(|| hash.clone()))
            .ok_or(AccessError::NotFound)?;
        self.tokens.remove(&hash).ok_or(AccessError::NotFound)
    }

    /// Every token that is still good, latest first.
    pub(crate) fn tokens(&self, now: EventTime) -> Vec<Token> {
        let good = self.tokens.values().filter(|token| !token.expired(now));
        let mut tokens: Vec<Token> = good.cloned().collect();
        tokens.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        tokens
    }

    /// Who presents this token; `None` if it is none of ours, or expired.
    pub(crate) fn token(&mut self, presented: &str, now: EventTime) -> Option<Principal> {
        let secret = Secret::presented(presented.strip_prefix(TOKEN_PREFIX)?)?;
        // The tree is searched by hash, so the time it takes tells of the hash alone, which gives nothing away.
        let token = self.tokens.get_mut(&secret.hashed())?;
        if token.expired(now) {
            return None;
        }
        token.last_used = Some(now);
        Some(Principal {
            name: Text::new(format!("token:{}", token.id)),
            kind: PrincipalKind::Token(token.scopes.clone()),
            permissions: token
                .scopes
                .iter()
                .flat_map(|scope| scope.permissions())
                .copied()
                .collect(),
            tenant: token.tenant.clone(),
            source: token.source.clone(),
        })
    }
}

impl Token {
    fn expired(&self, now: EventTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

fn check_new(new: &NewToken, now: EventTime) -> Result<(), AccessError> {
    let printable = !new.name.chars().any(char::is_control);
    if new.name.is_empty() || new.name.chars().count() > 128 || !printable {
        return Err(AccessError::Invalid(
            "name",
            "is not 1 to 128 printable characters",
        ));
    }
    if new.scopes.is_empty() {
        return Err(AccessError::Invalid("scopes", "is empty"));
    }
    if let Some(source) = &new.source {
        check_name("source", source)?;
    }
    check_name("tenant", new.tenant.as_str())?;
    if new.expires.is_some_and(|expires| expires <= now) {
        return Err(AccessError::Invalid("expires", "is in the past"));
    }
    Ok(())
}
