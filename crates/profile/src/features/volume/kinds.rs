//! What is done, and how long it is counted together.

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, EntityManagementActivity as Entity,
    GroupManagementActivity as Group,
};
use serde::{Deserialize, Serialize};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VolumeKind {
    /// Something is read, listed, downloaded.
    Read,
    /// Something is made: resources, accounts, files.
    Create,
    /// Something is changed.
    Change,
    /// Something is deleted.
    Delete,
    /// Any of these, and what no kind is known of.
    Any,
}

/// How long volumes are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Span {
    /// What a tool does at once.
    Hour,
    /// A working day: what stays below notice in each hour. Sixteen hours, so that the next morning begins a new one.
    Day,
}

impl VolumeKind {
    /// Number of kinds.
    pub const COUNT: usize = 5;

    /// The kind of an activity; absent for logons and what belongs to them.
    #[must_use]
    pub const fn of(activity: Activity) -> Option<Self> {
        match activity {
            Activity::Authentication(_) | Activity::AuthorizeSession(_) => None,
            Activity::Api(api) => Some(match api {
                Api::Create => Self::Create,
                Api::Read => Self::Read,
                Api::Update => Self::Change,
                Api::Delete => Self::Delete,
                Api::Unknown | Api::Other => Self::Any,
            }),
            Activity::EntityManagement(entity) => Some(of_entities(entity)),
            Activity::AccountChange(Account::Create) | Activity::GroupManagement(Group::Create) => {
                Some(Self::Create)
            }
            Activity::AccountChange(Account::Delete) | Activity::GroupManagement(Group::Delete) => {
                Some(Self::Delete)
            }
            Activity::AccountChange(_) | Activity::GroupManagement(_) | Activity::UserAccess(_) => {
                Some(Self::Change)
            }
            Activity::Other {
                class_uid,
                activity_id,
            } => of_files(class_uid, activity_id),
        }
    }

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Read => 0,
            Self::Create => 1,
            Self::Change => 2,
            Self::Delete => 3,
            Self::Any => 4,
        }
    }

    /// The kinds that a deed of this kind counts for.
    pub(super) fn counted(self) -> [Option<Self>; 2] {
        [Some(self).filter(|kind| *kind != Self::Any), Some(Self::Any)]
    }
}

const fn of_entities(entity: Entity) -> VolumeKind {
    match entity {
        Entity::Create | Entity::Enroll => VolumeKind::Create,
        Entity::Read => VolumeKind::Read,
        Entity::Delete | Entity::Unenroll => VolumeKind::Delete,
        Entity::Unknown | Entity::Other => VolumeKind::Any,
        Entity::Update
        | Entity::Move
        | Entity::Enable
        | Entity::Disable
        | Entity::Activate
        | Entity::Deactivate
        | Entity::Suspend
        | Entity::Resume => VolumeKind::Change,
    }
}

/// Files and data, by OCSF 1.8: File System Activity, Datastore Activity, File Hosting Activity. Absent: another class.
const fn of_files(class_uid: u32, activity_id: u32) -> Option<VolumeKind> {
    Some(match (class_uid, activity_id) {
        (1001, 2 | 14) | (6005, 1 | 4) | (6006, 2 | 9 | 14 | 15) => VolumeKind::Read,
        (1001, 1) | (6005, 6) | (6006, 1 | 6) => VolumeKind::Create,
        (1001, 3 | 5 | 6 | 7 | 10) | (6005, 2 | 5) | (6006, 3 | 5 | 7 | 12 | 13) => VolumeKind::Change,
        (1001, 4) | (6005, 7) | (6006, 4) => VolumeKind::Delete,
        (1001 | 6005 | 6006, _) => VolumeKind::Any,
        _ => return None,
    })
}

impl Span {
    /// Number of spans.
    pub const COUNT: usize = 2;
    /// Every span, in the order of tables.
    pub const ALL: [Span; Self::COUNT] = [Span::Hour, Span::Day];

    /// How long it is, minutes.
    #[must_use]
    pub const fn minutes(self) -> f64 {
        match self {
            Span::Hour => 60.0,
            Span::Day => 960.0,
        }
    }

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Span::Hour => 0,
            Span::Day => 1,
        }
    }
}
