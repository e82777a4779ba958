//! What each event id means: class, activity, and which of its fields name whom.
//!
//! Source: Microsoft Learn, "Advanced security auditing FAQ" and the page of each event (`event-4624` and so on).

use super::record::WinRecord;
use habitus_model::Activity;
use habitus_model::activity::AccountChangeActivity as Account;
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::activity::AuthorizeSessionActivity as Session;
use habitus_model::activity::EntityManagementActivity as Entity;
use habitus_model::activity::GroupManagementActivity as Group;
use habitus_model::activity::UserAccessActivity as Access;

/// Which fields name whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// Target logs on, Subject asked for it (a service, the machine).
    Logon,
    /// Target, and nobody else.
    Target,
    /// Subject, and nobody else.
    Subject,
    /// Subject acts upon Target.
    Manage,
    /// Target was locked out by the machine, which is the Subject.
    Lockout,
    /// Subject uses the credentials of Target.
    Explicit,
    /// Subject creates, changes or deletes the group Target.
    Group,
    /// Subject puts Member into the group Target, or takes it out.
    Member,
    /// Subject gives rights to `TargetSid`, or takes them.
    Rights,
    /// Target asks the key distribution centre for a ticket.
    Ticket,
    /// Target's password is checked, asked by a workstation.
    Ntlm,
    /// Account (`AccountName`) takes up or leaves a terminal session.
    Terminal,
    /// Subject asks a RADIUS server to be let in.
    Radius,
    /// `Param1` of domain `Param2` from address `Param3` (TerminalServices-RemoteConnectionManager).
    RemoteDesktop,
    /// `User` with `SessionID` from `Address` (TerminalServices-LocalSessionManager).
    LocalSession,
    /// `UserId` of the audit logs on at AD FS, whose own account wrote the event.
    Federation,
    /// Anybody the event names.
    Anybody,
}

/// Events of AD FS (Microsoft Learn, "AD FS events": 1200 and 1202 succeeded, 1201 and 1203 failed).
pub const FEDERATION: std::ops::RangeInclusive<u32> = 1_200..=1_203;

/// One line of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Event id.
    pub id: u32,
    /// Class and activity.
    pub activity: Activity,
    /// Who is who.
    pub roles: Roles,
}

const NO_CLASS: Activity = Activity::Other {
    class_uid: 0,
    activity_id: 0,
};

/// The rule of an event that no table names: no identity class, and whoever is named.
const ANYTHING: Rule = Rule {
    id: 0,
    activity: NO_CLASS,
    roles: Roles::Anybody,
};

const fn auth(id: u32, activity: Auth, roles: Roles) -> Rule {
    Rule {
        id,
        activity: Activity::Authentication(activity),
        roles,
    }
}

const fn account(id: u32, activity: Account) -> Rule {
    Rule {
        id,
        activity: Activity::AccountChange(activity),
        roles: Roles::Manage,
    }
}

const fn group(id: u32, activity: Group) -> Rule {
    let roles = match activity {
        Group::AddUser | Group::RemoveUser => Roles::Member,
        _ => Roles::Group,
    };
    Rule {
        id,
        activity: Activity::GroupManagement(activity),
        roles,
    }
}

const fn rule(id: u32, activity: Activity, roles: Roles) -> Rule {
    Rule { id, activity, roles }
}

/// Events of the channel Security, sorted by id.
const SECURITY: &[Rule] = &[
    rule(1102, Activity::EntityManagement(Entity::Delete), Roles::Subject),
    auth(1200, Auth::Other, Roles::Federation),
    auth(1201, Auth::Other, Roles::Federation),
    auth(1202, Auth::Logon, Roles::Federation),
    auth(1203, Auth::Logon, Roles::Federation),
    auth(4624, Auth::Logon, Roles::Logon),
    auth(4625, Auth::Logon, Roles::Logon),
    auth(4634, Auth::Logoff, Roles::Target),
    auth(4647, Auth::Logoff, Roles::Target),
    auth(4648, Auth::AccountSwitch, Roles::Explicit),
    rule(
        4672,
        Activity::AuthorizeSession(Session::AssignPrivileges),
        Roles::Subject,
    ),
    rule(
        4704,
        Activity::UserAccess(Access::AssignPrivileges),
        Roles::Rights,
    ),
    rule(
        4705,
        Activity::UserAccess(Access::RevokePrivileges),
        Roles::Rights,
    ),
    rule(
        4717,
        Activity::UserAccess(Access::AssignPrivileges),
        Roles::Rights,
    ),
    rule(
        4718,
        Activity::UserAccess(Access::RevokePrivileges),
        Roles::Rights,
    ),
    account(4720, Account::Create),
    account(4722, Account::Enable),
    account(4723, Account::PasswordChange),
    account(4724, Account::PasswordReset),
    account(4725, Account::Disable),
    account(4726, Account::Delete),
    group(4727, Group::Create),
    group(4728, Group::AddUser),
    group(4729, Group::RemoveUser),
    group(4730, Group::Delete),
    group(4731, Group::Create),
    group(4732, Group::AddUser),
    group(4733, Group::RemoveUser),
    group(4734, Group::Delete),
    group(4735, Group::Other),
    group(4737, Group::Other),
    account(4738, Account::Other),
    rule(4739, Activity::EntityManagement(Entity::Update), Roles::Subject),
    rule(4740, Activity::AccountChange(Account::Lock), Roles::Lockout),
    account(4741, Account::Create),
    account(4742, Account::Other),
    account(4743, Account::Delete),
    group(4744, Group::Create),
    group(4745, Group::Other),
    group(4746, Group::AddUser),
    group(4747, Group::RemoveUser),
    group(4748, Group::Delete),
    group(4749, Group::Create),
    group(4750, Group::Other),
    group(4751, Group::AddUser),
    group(4752, Group::RemoveUser),
    group(4753, Group::Delete),
    group(4754, Group::Create),
    group(4755, Group::Other),
    group(4756, Group::AddUser),
    group(4757, Group::RemoveUser),
    group(4758, Group::Delete),
    group(4759, Group::Create),
    group(4760, Group::Other),
    group(4761, Group::AddUser),
    group(4762, Group::RemoveUser),
    group(4763, Group::Delete),
    group(4764, Group::Other),
    account(4765, Account::Other),
    account(4766, Account::Other),
    account(4767, Account::Unlock),
    auth(4768, Auth::AuthenticationTicket, Roles::Ticket),
    auth(4769, Auth::ServiceTicketRequest, Roles::Ticket),
    auth(4770, Auth::ServiceTicketRenew, Roles::Ticket),
    auth(4771, Auth::Preauth, Roles::Ticket),
    auth(4772, Auth::AuthenticationTicket, Roles::Ticket),
    auth(4773, Auth::ServiceTicketRequest, Roles::Ticket),
    auth(4776, Auth::Logon, Roles::Ntlm),
    auth(4777, Auth::Logon, Roles::Ntlm),
    auth(4778, Auth::Other, Roles::Terminal),
    auth(4779, Auth::Other, Roles::Terminal),
    account(4780, Account::Other),
    account(4781, Account::Other),
    account(4794, Account::PasswordReset),
    rule(4798, NO_CLASS, Roles::Manage),
    rule(4799, NO_CLASS, Roles::Group),
    auth(4800, Auth::Other, Roles::Target),
    auth(4801, Auth::Other, Roles::Target),
    auth(4825, Auth::Logon, Roles::Terminal),
    rule(
        4964,
        Activity::AuthorizeSession(Session::AssignGroups),
        Roles::Target,
    ),
    auth(6272, Auth::Logon, Roles::Radius),
    auth(6273, Auth::Logon, Roles::Radius),
    auth(6278, Auth::Logon, Roles::Radius),
];

/// Events of other channels.
const ELSEWHERE: &[(&str, Rule)] = &[
    (
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
        auth(1149, Auth::Other, Roles::RemoteDesktop),
    ),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        auth(21, Auth::Logon, Roles::LocalSession),
    ),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        auth(23, Auth::Logoff, Roles::LocalSession),
    ),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        auth(24, Auth::Other, Roles::LocalSession),
    ),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        auth(25, Auth::Other, Roles::LocalSession),
    ),
    (
        "System",
        rule(104, Activity::EntityManagement(Entity::Delete), Roles::Subject),
    ),
];

/// The rule of an event.
pub fn of(record: &WinRecord<'_>) -> Rule {
    if record.is_security() || record.id == 1102 {
        return SECURITY
            .binary_search_by_key(&record.id, |rule| rule.id)
            .ok()
            .and_then(|at| SECURITY.get(at))
            .copied()
            .unwrap_or(ANYTHING);
    }
    let channel = record.channel.as_deref().unwrap_or("");
    ELSEWHERE
        .iter()
        .find(|(of, rule)| *of == channel && rule.id == record.id)
        .map_or(ANYTHING, |(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(SECURITY.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn ids_mean_something_only_in_their_channel() {
        let of = |channel: &'static str, id| {
            super::of(&WinRecord {
                id,
                channel: Some(channel.into()),
                ..WinRecord::default()
            })
            .activity
            .class_uid()
        };
        assert_eq!(of("Security", 4625), 3002);
        assert_eq!(of("Application", 4625), 0);
        assert_eq!(of("Security", 4663), 0);
    }
}
