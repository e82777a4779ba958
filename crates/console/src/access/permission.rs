//! Roles of people and scopes of tokens, and what they may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Give events.
    Ingest,
    /// Ask for inline decisions.
    Assess,
    /// See findings, accounts, sessions, sources and actions.
    Read,
    /// Work on findings.
    Triage,
    /// Approve, decline and retry actions.
    Act,
    /// Read metrics.
    Metrics,
    /// Read the audit.
    Audit,
    /// Manage users and tokens.
    Admin,
}

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Judges findings.
    Analyst,
    /// Judges findings and lets actions be carried out.
    Responder,
    /// Looks after sources and metrics, and tries events out.
    Engineer,
    /// May do everything.
    Admin,
    /// Reads everything, the audit too, and changes nothing.
    Auditor,
}

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Give events, to be kept or to be judged.
    Ingest,
    /// See everything but the audit; metrics too.
    Read,
    /// Work on findings.
    Triage,
    /// Approve, decline and retry actions.
    Act,
    /// Manage users and tokens, and read the audit.
    Admin,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 8] = [
        Permission::Ingest,
        Permission::Assess,
        Permission::Read,
        Permission::Triage,
        Permission::Act,
        Permission::Metrics,
        Permission::Audit,
        Permission::Admin,
    ];

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Permission::Ingest => "ingest",
            Permission::Assess => "assess",
            Permission::Read => "read",
            Permission::Triage => "triage",
            Permission::Act => "act",
            Permission::Metrics => "metrics",
            Permission::Audit => "audit",
            Permission::Admin => "admin",
        }
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] = [
        Role::Viewer,
        Role::Analyst,
        Role::Responder,
        Role::Engineer,
        Role::Admin,
        Role::Auditor,
    ];

    /// What people of this role may do.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Act, Assess, Audit, Metrics, Read, Triage};
        match self {
            Role::Viewer => &[Read],
            Role::Analyst => &[Read, Triage],
            Role::Responder => &[Read, Triage, Act],
            Role::Engineer => &[Read, Assess, Metrics],
            Role::Admin => &Permission::ALL,
            Role::Auditor => &[Read, Audit],
        }
    }

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Analyst => "analyst",
            Role::Responder => "responder",
            Role::Engineer => "engineer",
            Role::Admin => "admin",
            Role::Auditor => "auditor",
        }
    }
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] = [
        Scope::Ingest,
        Scope::Read,
        Scope::Triage,
        Scope::Act,
        Scope::Admin,
    ];

    /// What a token with this scope may do. Working on findings needs seeing them.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Act, Admin, Assess, Audit, Ingest, Metrics, Read, Triage};
        match self {
            Scope::Ingest => &[Ingest, Assess],
            Scope::Read => &[Read, Assess, Metrics],
            Scope::Triage => &[Read, Triage],
            Scope::Act => &[Read, Act],
            Scope::Admin => &[Admin, Audit],
        }
    }

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Ingest => "ingest",
            Scope::Read => "read",
            Scope::Triage => "triage",
            Scope::Act => "act",
            Scope::Admin => "admin",
        }
    }
}
