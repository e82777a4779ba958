//! What sudo and su say when somebody becomes somebody else (sudoers(5) "Event logging"; su of util-linux, shadow, BSD
//! and Solaris).

use super::said::Said;
use habitus_model::FailureReason;
use habitus_model::activity::AuthenticationActivity::AccountSwitch;

/// Reads a message of sudo: `alice : [REASON ; ]TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls -l`.
///
/// Who runs sudo chooses the working directory, the environment and the command's arguments, and each may hold
/// ` ; USER=bob ; COMMAND=…`. Which of several is sudo's own cannot be told, so a target is named only if all that may
/// be it agree, or one of them is root: nobody can hide that they became root, only accuse themselves of it. A reason
/// stands in front of everything that can be chosen.
pub fn sudo(message: &str) -> Option<Said<'_>> {
    let (user, rest) = message.split_once(" : ")?;
    let user = user.trim();
    if user.is_empty() || rest.starts_with("(command continued)") {
        return None;
    }
    let mut said = Said::authentication("sudo", AccountSwitch).user(user).succeeded();
    let first = rest.split(" ; ").next().unwrap_or(rest).trim();
    if !first.split_once('=').is_some_and(|(name, _)| is_field_name(name)) {
        said = said.failed(sudo_reason(first)).detail(first);
    }
    let fields = Fields::parse(rest);
    said.target = fields.target;
    // Arguments may hold secrets.
    said.command = fields
        .command
        .and_then(|command| command.split_whitespace().next());
    fields.is_any.then_some(said)
}

/// What a line of sudo says beyond doubt.
#[derive(Default)]
struct Fields<'m> {
    target: Option<&'m str>,
    command: Option<&'m str>,
    /// Whether there is a target or a command at all.
    is_any: bool,
}

impl<'m> Fields<'m> {
    fn parse(text: &'m str) -> Self {
        let mut found = Self::default();
        let (mut users, mut commands) = (Candidates::default(), 0);
        // Those since the last command: what stands behind sudo's own command is part of it.
        let mut behind = Candidates::default();
        for field in text.split(" ; ") {
            match field.trim().split_once('=') {
                Some(("USER", target)) => behind.add(target),
                Some(("COMMAND", command)) => {
                    users.merge(std::mem::take(&mut behind));
                    commands += 1;
                    found.command = Some(command);
                }
                _ => {}
            }
        }
        if commands == 0 {
            users.merge(behind);
        }
        found.is_any = users.one.is_some() || commands > 0;
        found.command = found.command.filter(|_| commands == 1);
        found.target = users.agreed();
        found
    }
}

/// Names of which one is true.
#[derive(Default)]
struct Candidates<'m> {
    one: Option<&'m str>,
    differ: bool,
    has_root: bool,
}

impl<'m> Candidates<'m> {
    fn add(&mut self, name: &'m str) {
        self.differ |= self.one.is_some_and(|one| one != name);
        self.has_root |= name == "root";
        self.one = Some(name);
    }

    fn merge(&mut self, other: Self) {
        if let Some(name) = other.one {
            self.add(name);
        }
        self.differ |= other.differ;
        self.has_root |= other.has_root;
    }

    fn agreed(&self) -> Option<&'m str> {
        match self {
            Self { has_root: true, .. } => Some("root"),
            Self { differ: true, .. } => None,
            Self { one, .. } => *one,
        }
    }
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
        for (line, target) in [
            (
                "TTY=t ; PWD=/tmp/x ; USER=bob ; COMMAND=/y ; USER=root ; COMMAND=/bin/sh",
                Some("root"),
            ),
            (
                "TTY=t ; PWD=/ ; USER=root ; COMMAND=/bin/echo ; USER=bob ; COMMAND=/y",
                Some("root"),
            ),
            (
                "TTY=t ; PWD=/x ; USER=bob ; COMMAND=/y ; USER=eve ; COMMAND=/bin/sh",
                None,
            ),
            (
                "TTY=t ; PWD=/x ; USER=eve ; COMMAND=/y ; USER=eve ; COMMAND=/bin/sh",
                Some("eve"),
            ),
        ] {
            let line = format!("alice : {line}");
            let said = sudo(&line).unwrap();
            assert_eq!((said.target, said.command), (target, None), "{line}");
        }
        let odd = sudo("alice : TTY=t ; PWD=/x ; user NOT in sudoers ; USER=root ; COMMAND=/bin/ls").unwrap();
        assert_eq!(odd.status, Status::Success);
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
