//! What sudo and su say when somebody becomes somebody else (sudoers(5) "Event logging"; su of util-linux, shadow, BSD
//! and Solaris).

use super::said::Said;
use habitus_model::FailureReason;
use habitus_model::activity::AuthenticationActivity::AccountSwitch;

/// Reads a message of sudo: `alice : [REASON ; ]TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls -l`.
pub fn sudo(message: &str) -> Option<Said<'_>> {
    let (user, rest) = message.split_once(" : ")?;
    let user = user.trim();
    if user.is_empty() || rest.starts_with("(command continued)") {
        return None;
    }
    let mut said = Said::authentication("sudo", AccountSwitch).user(user).succeeded();
    for field in rest.split(" ; ") {
        let field = field.trim();
        match field.split_once('=') {
            Some(("USER", target)) => said.target = Some(target),
            // The command is the last field; its arguments may hold anything, secrets and further ` ; ` included.
            Some(("COMMAND", command)) => {
                said.command = command.split_whitespace().next();
                break;
            }
            Some((name, _)) if is_field_name(name) => {}
            _ => said = said.failed(sudo_reason(field)).detail(field),
        }
    }
    (said.target.is_some() || said.command.is_some()).then_some(said)
}

/// Reads a message of su.
pub fn su(message: &str) -> Option<Said<'_>> {
    let said = Said::authentication("su", AccountSwitch);
    let failed = Said::authentication("su", AccountSwitch).failed(FailureReason::InvalidCredentials);
    if let Some(rest) = message.strip_prefix("FAILED SU (to ") {
        return util_linux(failed, rest);
    }
    if let Some(rest) = message.strip_prefix("(to ") {
        return util_linux(said.succeeded(), rest);
    }
    if let Some(rest) = strip_any(message, &["FAILED su for ", "FAILED SU for "]) {
        let (target, user) = rest.rsplit_once(" by ")?;
        return Some(failed.user(user).target(target));
    }
    if let Some(rest) = message.strip_prefix("Successful su for ") {
        let (target, user) = rest.rsplit_once(" by ")?;
        return Some(said.succeeded().user(user).target(target));
    }
    if let Some(rest) = message.strip_prefix("'su ") {
        return solaris(rest);
    }
    if let Some(rest) = message.strip_prefix("BAD SU ") {
        return bsd(failed, rest);
    }
    bsd(said.succeeded(), message)
}

/// `root) alice on pts/0`.
fn util_linux<'m>(said: Said<'m>, rest: &'m str) -> Option<Said<'m>> {
    let (target, rest) = rest.split_once(") ")?;
    let (user, _tty) = rest.rsplit_once(" on ")?;
    Some(said.user(user).target(target))
}

/// `alice to root on /dev/ttyp1`.
fn bsd<'m>(said: Said<'m>, rest: &'m str) -> Option<Said<'m>> {
    let (who, _tty) = rest.rsplit_once(" on ")?;
    let (user, target) = who.split_once(" to ")?;
    let are_names = !user.contains(' ') && !target.contains(' ');
    are_names.then(|| said.user(user).target(target))
}

/// `root' succeeded for alice on /dev/pts/1`, `root' failed for alice on /dev/pts/1`.
fn solaris(rest: &str) -> Option<Said<'_>> {
    let (target, rest) = rest.split_once("' ")?;
    let said = Said::authentication("su", AccountSwitch);
    let (said, rest) = match rest.strip_prefix("succeeded for ") {
        Some(rest) => (said.succeeded(), rest),
        None => {
            let rest = rest.strip_prefix("failed for ")?;
            (said.failed(FailureReason::InvalidCredentials), rest)
        }
    };
    let user = rest.split(" on ").next()?;
    Some(said.user(user).target(target))
}

fn strip_any<'m>(text: &'m str, openings: &[&str]) -> Option<&'m str> {
    openings.iter().find_map(|opening| text.strip_prefix(opening))
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase())
}

/// sudo's reasons are sentences: `3 incorrect password attempts`, `user NOT in sudoers`, `command not allowed`.
fn sudo_reason(words: &str) -> FailureReason {
    if words.contains("incorrect password") || words.contains("authentication failure") {
        FailureReason::InvalidCredentials
    } else if words.contains("NOT") || words.contains("not allowed") || words.contains("not permitted") {
        FailureReason::PolicyDenied
    } else {
        FailureReason::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::Status;

    #[test]
    fn sudo_names_who_becomes_whom_and_why_not() {
        let done = sudo(
            "   alice : TTY=pts/4 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/tail -f x ; USER=eve",
        )
        .unwrap();
        assert_eq!(
            (done.user, done.target, done.command),
            (Some("alice"), Some("root"), Some("/usr/bin/tail"))
        );
        assert_eq!(done.status, Status::Success);
        for (reason, failure) in [
            ("3 incorrect password attempts", FailureReason::InvalidCredentials),
            ("user NOT in sudoers", FailureReason::PolicyDenied),
            ("command not allowed", FailureReason::PolicyDenied),
            ("a password is required", FailureReason::Other),
        ] {
            let line = format!("alice : {reason} ; TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls");
            let said = sudo(&line).unwrap();
            assert_eq!(
                (said.status, said.failure),
                (Status::Failure, Some(failure)),
                "{reason}"
            );
        }
        assert_eq!(sudo("alice : (command continued) x"), None);
        assert_eq!(sudo("unable to resolve host web01"), None);
    }

    #[test]
    fn every_su_is_read() {
        for (message, status) in [
            ("(to root) alice on pts/0", Status::Success),
            ("FAILED SU (to root) alice on pts/0", Status::Failure),
            ("FAILED su for root by alice", Status::Failure),
            ("Successful su for root by alice", Status::Success),
            ("alice to root on /dev/ttyp1", Status::Success),
            ("BAD SU alice to root on /dev/ttyp1", Status::Failure),
            ("'su root' succeeded for alice on /dev/pts/1", Status::Success),
            ("'su root' failed for alice on /dev/pts/1", Status::Failure),
        ] {
            let said = su(message).unwrap_or_else(|| panic!("{message}"));
            assert_eq!(
                (said.user, said.target, said.status),
                (Some("alice"), Some("root"), status),
                "{message}"
            );
        }
        assert_eq!(su("+ /dev/pts/0 alice:root"), None);
    }
}
