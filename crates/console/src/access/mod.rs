//! Who may come in, and what they may do: users, API tokens, one-time links, sessions and throttling.
//!
//! `state` is a state machine: time is a parameter, and fresh secrets come from `entropy` only. [`Access`] keeps it
//! in one file. Secrets are shown once and stored as hashes.

pub(crate) mod entropy;
mod password;
mod permission;
mod secret;
mod state;
mod store;
mod throttle;

pub use permission::{Permission, Role, Scope};
pub use state::{
    AccessError, LINK_MS, Link, NewToken, Principal, SESSION_IDLE_MS, SESSION_MS, Token, User, UserView,
};
pub use store::{Access, OpenError};

pub(crate) use secret::{Secret, csrf_of};
pub(crate) use state::{PrincipalKind, SignIn};
