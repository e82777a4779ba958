//! Who is named in an event.

use super::record::WinRecord;
use crate::field;
use habitus_model::account::named;
use habitus_model::{AccountKind, Text, User};

/// The fields that name one account.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    name: &'static [&'static str],
    domain: &'static [&'static str],
    sid: &'static [&'static str],
}

/// Who asked for it, or who acts.
pub const SUBJECT: Names = Names {
    name: &["SubjectUserName"],
    domain: &["SubjectDomainName"],
    sid: &["SubjectUserSid"],
};
/// Who logs on, or is acted upon.
pub const TARGET: Names = Names {
    name: &["TargetUserName", "OldTargetUserName"],
    domain: &["TargetDomainName"],
    sid: &["TargetUserSid", "TargetSid"],
};
/// Who is locked out: here `TargetDomainName` is the calling computer (4740).
pub const LOCKED: Names = Names {
    name: &["TargetUserName"],
    domain: &["SubjectDomainName"],
    sid: &["TargetSid"],
};
/// Whose terminal session it is.
pub const ACCOUNT: Names = Names {
    name: &["AccountName"],
    domain: &["AccountDomain"],
    sid: &[],
};
/// Who gets rights: known by security identifier alone.
pub const GRANTEE: Names = Names {
    name: &[],
    domain: &[],
    sid: &["TargetSid"],
};
/// The user of a remote desktop connection.
pub const PARAMS: Names = Names {
    name: &["Param1"],
    domain: &["Param2"],
    sid: &[],
};

/// Fields of other channels that hold `DOMAIN\name` (Sysmon, Task Scheduler, Defender, PowerShell).
const WHOLE: [&str; 6] = [
    "User",
    "UserContext",
    "Detection User",
    "UserName",
    "UserId",
    "Requester",
];

/// The account named by those fields; absent if they name nobody.
pub fn user(record: &WinRecord<'_>, names: Names) -> Option<User> {
    let sid = record.first(names.sid).and_then(sid);
    user_of(record.first(names.name), record.first(names.domain), sid)
}

/// The account named by a name, domain and security identifier.
pub fn user_of(name: Option<&str>, domain: Option<&str>, sid: Option<&str>) -> Option<User> {
    let name = name.and_then(named);
    let domain = domain.and_then(named);
    // Kerberos writes `alice@REALM` beside the realm itself: the name is alice.
    let name = name.map(|name| match (name.rsplit_once('@'), domain) {
        (Some((bare, realm)), Some(domain)) if realm.eq_ignore_ascii_case(domain) => bare,
        _ => name,
    });
    let user = User {
        name: name.and_then(field::text),
        uid: sid.and_then(field::text),
        domain: domain.and_then(field::text),
        kind: kind(name, sid),
        ..User::default()
    };
    user.is_somebody().then_some(user)
}

/// The member put into a group: a distinguished name, which is no login name, and a security identifier.
pub fn member(record: &WinRecord<'_>) -> Option<User> {
    let mut user = user_of(None, None, record.get("MemberSid").and_then(sid)).unwrap_or_default();
    match record.get("MemberName") {
        Some(path) => match common_name(path) {
            Some(common) => user.display_name = field::text(common),
            None => user.name = field::text(path),
        },
        None if user.uid.is_none() => return None,
        None => {}
    }
    if user.uid.is_none() && user.name.is_none() {
        user.name = user.display_name.take();
    }
    Some(user)
}

/// Anybody an event of another channel names: its subject, else a field that holds a whole name, else its writer.
pub fn anybody(record: &WinRecord<'_>) -> Option<User> {
    user(record, SUBJECT)
        .or_else(|| record.first(&WHOLE).and_then(whole))
        .or_else(|| user(record, TARGET))
        .or_else(|| writer(record))
}

/// The account under which the event was written.
pub fn writer(record: &WinRecord<'_>) -> Option<User> {
    let writer = &record.writer;
    user_of(
        writer.name.as_deref(),
        writer.domain.as_deref(),
        writer.sid.as_deref().and_then(sid),
    )
}

/// `DOMAIN\name` or `name`.
pub fn whole(text: &str) -> Option<User> {
    if text.starts_with("S-1-") {
        return user_of(None, None, sid(text));
    }
    match text.split_once('\\') {
        Some((domain, name)) => user_of(Some(name), Some(domain), None),
        None => user_of(Some(text), None, None),
    }
}

/// A security identifier that names somebody: not `S-1-0-0` (nobody), not a zero GUID.
fn sid(text: &str) -> Option<&str> {
    let is_nobody = text == "S-1-0-0"
        || text
            .trim_matches(['{', '}'])
            .bytes()
            .all(|b| b == b'0' || b == b'-');
    (!is_nobody).then_some(text)
}

/// The first component of a distinguished name.
fn common_name(path: &str) -> Option<&str> {
    let rest = path.get(..3).filter(|head| head.eq_ignore_ascii_case("cn="))?;
    path.get(rest.len()..)?.split(',').next()
}

/// Machines and what Windows runs under (Microsoft Learn, "Well-known SIDs"; names differ by language, identifiers do
/// not): the rest may be anybody.
fn kind(name: Option<&str>, sid: Option<&str>) -> AccountKind {
    const SIDS: [&str; 4] = ["S-1-5-7", "S-1-5-18", "S-1-5-19", "S-1-5-20"];
    // Service accounts, virtual accounts, window manager and font driver host.
    const SID_PREFIXES: [&str; 4] = ["S-1-5-80-", "S-1-5-82-", "S-1-5-90-", "S-1-5-96-"];
    const NAMES: [&str; 5] = [
        "SYSTEM",
        "LOCAL SERVICE",
        "NETWORK SERVICE",
        "ANONYMOUS LOGON",
        "IUSR",
    ];
    let by_sid = sid
        .is_some_and(|sid| SIDS.contains(&sid) || SID_PREFIXES.iter().any(|prefix| sid.starts_with(prefix)));
    let by_name = name.is_some_and(|name| {
        name.ends_with('$')
            || NAMES.iter().any(|service| name.eq_ignore_ascii_case(service))
            || name.starts_with("DWM-")
            || name.starts_with("UMFD-")
    });
    if by_sid || by_name {
        AccountKind::Service
    } else {
        AccountKind::Unknown
    }
}

/// Rights and groups, one a line or a word: `SeBackupPrivilege\n\t\tSeDebugPrivilege`, `%{S-1-5-…}`.
pub fn list(text: &str) -> Vec<Text> {
    text.split_whitespace()
        .map(|word| word.trim_start_matches("%{").trim_end_matches('}'))
        .filter_map(field::text)
        .take(LIST_MAX)
        .collect()
}

/// Most rights of one event. Windows knows 36 privileges and 10 logon rights.
const LIST_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_are_not_part_of_the_name() {
        let user = user_of(Some("alice@CORP.EXAMPLE"), Some("CORP.EXAMPLE"), None).unwrap();
        assert_eq!(user.account_id().unwrap().as_str(), "corp\\alice");
        let other = user_of(Some("alice@example.com"), Some("CORP"), None).unwrap();
        assert_eq!(other.account_id().unwrap().as_str(), "alice@example.com");
    }

    #[test]
    fn nobody_is_nobody() {
        assert_eq!(user_of(Some("-"), Some("-"), sid("S-1-0-0")), None);
        assert_eq!(
            user_of(None, None, sid("00000000-0000-0000-0000-000000000000")),
            None
        );
        assert_eq!(user_of(None, Some("CORP"), None), None);
    }

    #[test]
    fn machines_are_services() {
        for (name, sid) in [
            ("WEB01$", "S-1-5-21-1"),
            ("Système", "S-1-5-18"),
            ("DWM-1", "S-1-5-90-0-1"),
            ("anonymous logon", "S-1-5-7"),
        ] {
            assert_eq!(kind(Some(name), Some(sid)), AccountKind::Service, "{name}");
        }
        assert_eq!(kind(Some("alice"), Some("S-1-5-21-1-1104")), AccountKind::Unknown);
    }
}
