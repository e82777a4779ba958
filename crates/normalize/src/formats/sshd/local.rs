//! Logons at the machine itself, and changes to its accounts: login and systemd-logind, useradd, usermod, userdel,
//! groupadd, groupdel, gpasswd, passwd, chage (shadow-utils).
//!
//! The tools say what was done, rarely by whom: then the event has a target and no account.

use super::said::{Origin, Said};
use crate::stamp::word;
use habitus_model::FailureReason;
use habitus_model::activity::AccountChangeActivity::{
    Create, Delete, Disable, Enable, Lock, Other as Changed, PasswordChange, PasswordReset, Unlock,
};
use habitus_model::activity::AuthenticationActivity::{Logon, Other};
use habitus_model::activity::GroupManagementActivity::{
    AddUser, Create as CreateGroup, Delete as DeleteGroup, RemoveUser,
};

/// Reads a message of login(1) of util-linux or shadow.
pub fn login(message: &str) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix("FAILED LOGIN ") {
        // `(1) on '/dev/tty1' FOR 'alice', Authentication failure`, `1 FROM host FOR alice, …`.
        let (before, rest) = rest.split_once(" FOR ")?;
        let (user, why) = rest.rsplit_once(", ").unwrap_or((rest, ""));
        let said = Said::authentication("FAILED LOGIN", Logon)
            .failed(login_reason(why))
            .detail(why)
            .user(user.trim_matches('\''));
        return Some(match before.split_once("FROM ") {
            Some((_, host)) => said.from(Origin { host, port: None }),
            None => said,
        });
    }
    let is_root = message.starts_with("ROOT LOGIN ");
    let rest = message
        .strip_prefix("ROOT LOGIN ")
        .or_else(|| message.strip_prefix("LOGIN ON "))?;
    let (rest, host) = match rest.rsplit_once(" FROM ") {
        Some((rest, host)) => (rest, Some(host)),
        None => (rest, None),
    };
    let user = rest
        .rsplit_once(" BY ")
        .map(|(_, user)| user)
        .or(is_root.then_some("root"))?;
    let said = Said::authentication("LOGIN", Logon).succeeded().user(user);
    Some(match host {
        Some(host) => said.from(Origin { host, port: None }),
        None => said,
    })
}

/// Reads a message of systemd-logind: `New session 3 of user alice.`
pub fn logind(message: &str) -> Option<Said<'_>> {
    let rest = message
        .strip_prefix("New session ")
        .or_else(|| message.strip_prefix("New session '"))?;
    let (session, rest) = rest.split_once(" of user ")?;
    let (user, _) = word(rest)?;
    let user = user.trim_end_matches('.').trim_matches('\'');
    let mut said = Said::authentication("New session", Other).user(user);
    said.session = Some(session.trim_matches('\''));
    (!user.is_empty()).then_some(said)
}

/// Reads a message of the tools that change accounts and groups.
pub fn tools(message: &str) -> Option<Said<'_>> {
    users(message)
        .or_else(|| groups(message))
        .or_else(|| locks(message))
}

fn users(message: &str) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix("new user: name=") {
        return Some(Said::change("new user", Create, until_comma(rest)?));
    }
    if let Some(user) = quoted_after(message, &["delete user "]) {
        return Some(Said::change("delete user", Delete, user));
    }
    if let Some(rest) = message.strip_prefix("changed password expiry for ") {
        return Some(Said::change("changed password expiry", Changed, rest));
    }
    if let Some((user, by)) = message
        .strip_prefix("password for '")
        .and_then(|rest| rest.split_once("' changed by '"))
    {
        let by = by.trim_end_matches('\'');
        let activity = if by == user { PasswordChange } else { PasswordReset };
        return Some(Said::change("password changed", activity, user).user(by));
    }
    let user = quoted_after(message, &["change user name ", "change user "])?;
    let activity = if message.ends_with(" password") {
        PasswordReset
    } else {
        Changed
    };
    Some(Said::change("change user", activity, user))
}

fn groups(message: &str) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix("new group: name=") {
        return Some(Said::group("new group", CreateGroup, until_comma(rest)?));
    }
    if let Some(rest) = message.strip_prefix("add '") {
        let (user, rest) = rest.split_once("' to group '")?;
        return Some(Said::group("add to group", AddUser, rest.split('\'').next()?).target(user));
    }
    if let Some(rest) = message.strip_prefix("delete '") {
        let (user, rest) = rest.split_once("' from group '")?;
        return Some(Said::group("delete from group", RemoveUser, rest.split('\'').next()?).target(user));
    }
    if let Some(rest) = message.strip_prefix("user ") {
        return gpasswd(rest);
    }
    let group = message.strip_prefix("group '")?.strip_suffix("' removed")?;
    Some(Said::group("group removed", DeleteGroup, group))
}

/// `alice added by root to group sudo`, `alice removed by root from group sudo`.
fn gpasswd(rest: &str) -> Option<Said<'_>> {
    if let Some((user, rest)) = rest.split_once(" added by ") {
        let (by, group) = rest.split_once(" to group ")?;
        return Some(
            Said::group("added to group", AddUser, group)
                .target(user)
                .user(by),
        );
    }
    let (user, rest) = rest.split_once(" removed by ")?;
    let (by, group) = rest.split_once(" from group ")?;
    Some(
        Said::group("removed from group", RemoveUser, group)
            .target(user)
            .user(by),
    )
}

/// usermod: `lock user 'alice' password`; chage and usermod: `change user 'alice' expiration from 'never' to …`.
fn locks(message: &str) -> Option<Said<'_>> {
    for (opening, activity) in [
        ("lock user ", Lock),
        ("unlock user ", Unlock),
        ("disable user ", Disable),
        ("enable user ", Enable),
    ] {
        if let Some(user) = quoted_after(message, &[opening]) {
            return Some(Said::change(opening.trim_end(), activity, user));
        }
    }
    None
}

fn until_comma(text: &str) -> Option<&str> {
    text.split(',')
        .next()
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// The name in quotes behind one of the openings.
fn quoted_after<'m>(message: &'m str, openings: &[&str]) -> Option<&'m str> {
    let rest = openings
        .iter()
        .find_map(|opening| message.strip_prefix(opening))?;
    rest.strip_prefix(['\'', '`'])?.split('\'').next()
}

fn login_reason(why: &str) -> FailureReason {
    match why {
        "User not known to the underlying authentication module" => FailureReason::UserDoesNotExist,
        "Authentication failure" | "" => FailureReason::InvalidCredentials,
        "User account has expired" => FailureReason::AccountDisabled,
        "Permission denied" => FailureReason::PolicyDenied,
        _ => FailureReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{Activity, Status};

    #[test]
    fn logons_at_the_machine() {
        let failed = login("FAILED LOGIN (1) on '/dev/tty1' FOR 'alice', Authentication failure").unwrap();
        assert_eq!(
            (failed.user, failed.status, failed.from),
            (Some("alice"), Status::Failure, None)
        );
        let remote = login(
            "FAILED LOGIN 1 FROM h.example FOR alice, User not known to the underlying authentication module",
        )
        .unwrap();
        assert_eq!(
            (remote.from, remote.failure),
            (Some("h.example"), Some(FailureReason::UserDoesNotExist))
        );
        assert_eq!(login("LOGIN ON tty1 BY alice").unwrap().user, Some("alice"));
        assert_eq!(login("ROOT LOGIN ON tty1").unwrap().user, Some("root"));
        let session = logind("New session 12 of user alice.").unwrap();
        assert_eq!((session.user, session.session), (Some("alice"), Some("12")));
        assert_eq!(logind("Removed session 12."), None);
    }

    #[test]
    fn accounts_change() {
        for (message, activity) in [
            ("new user: name=carol, UID=1001, GID=1001", Create),
            ("delete user 'carol'", Delete),
            ("lock user 'carol' password", Lock),
            ("unlock user 'carol' password", Unlock),
            ("change user 'carol' password", PasswordReset),
            ("password for 'carol' changed by 'root'", PasswordReset),
            ("password for 'carol' changed by 'carol'", PasswordChange),
            ("changed password expiry for carol", Changed),
        ] {
            let said = tools(message).unwrap_or_else(|| panic!("{message}"));
            assert_eq!(said.activity, Activity::AccountChange(activity), "{message}");
            assert_eq!(said.target, Some("carol"), "{message}");
        }
        assert_eq!(tools("removed group 'carol' owned by 'carol'"), None);
    }

    #[test]
    fn groups_change() {
        for (message, activity, target, group) in [
            ("add 'carol' to group 'sudo'", AddUser, Some("carol"), "sudo"),
            (
                "delete 'carol' from group 'sudo'",
                RemoveUser,
                Some("carol"),
                "sudo",
            ),
            (
                "user carol added by root to group sudo",
                AddUser,
                Some("carol"),
                "sudo",
            ),
            ("new group: name=ops, GID=1005", CreateGroup, None, "ops"),
            ("group 'ops' removed", DeleteGroup, None, "ops"),
        ] {
            let said = tools(message).unwrap_or_else(|| panic!("{message}"));
            assert_eq!(said.activity, Activity::GroupManagement(activity), "{message}");
            assert_eq!((said.target, said.group), (target, Some(group)), "{message}");
        }
        let added = tools("user carol added by root to group sudo").unwrap();
        assert_eq!(added.user, Some("root"));
        assert_eq!(tools("add 'carol' to shadow group 'sudo'"), None);
    }
}
