//! What PAM modules say under any program's name (pam_unix(8), pam_sss(8), pam_faillock(8), pam_winbind(8), pam_access(8)).
//!
//! For sshd, sudo and su these lines accompany the program's own, which is the one that counts as a logon or a switch;
//! for every other program (FTP servers, display managers, login) they are the only word on it.

use super::said::{Origin, Said};
use habitus_model::activity::AccountChangeActivity::{Lock, PasswordChange, PasswordReset};
use habitus_model::activity::AuthenticationActivity::{Logoff, Logon, Other};
use habitus_model::{Activity, FailureReason, Status};

/// A PAM module's message: whose, for which service, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pam<'m> {
    /// PAM service, often the program: `sshd`, `sudo`, `su-l`.
    pub service: &'m str,
    /// What the module said.
    pub message: &'m str,
}

impl<'m> Pam<'m> {
    /// Recognises `pam_unix(sshd:auth): …`, `(pam_unix) …`, `PAM 2 more authentication failures; …`, or the module's
    /// bare words under a tag like `su(pam_unix)[77]:`. `program` is the service where the message names none.
    pub fn parse(program: &'m str, message: &'m str) -> Option<Self> {
        if let Some(message) = message.strip_prefix("(pam_").and_then(|m| m.split_once(") ")) {
            return Some(Self {
                service: program,
                message: message.1,
            });
        }
        if let Some((service, message)) = module(message) {
            return Some(Self { service, message });
        }
        let bare = message.strip_prefix("PAM ").unwrap_or(message);
        OPENINGS
            .iter()
            .any(|opening| bare.starts_with(opening))
            .then_some(Self {
                service: program,
                message: bare,
            })
            .or_else(|| {
                more_failures(bare).map(|_| Self {
                    service: program,
                    message: bare,
                })
            })
    }

    /// What it says; absent if it names nobody, or is of a service that runs jobs.
    pub fn read(self) -> Option<Said<'m>> {
        if JOBS.contains(&self.service) {
            return None;
        }
        self.outcome()
            .or_else(|| self.session())
            .or_else(|| self.password())
            .or_else(|| self.account())
    }

    fn outcome(self) -> Option<Said<'m>> {
        if self.message.starts_with("check pass; user unknown") || self.message == "User unknown" {
            // The line that follows has the host, and no name either: pam_unix never writes names that do not exist.
            let said = Said::authentication("pam authentication", Other);
            return Some(
                said.failed(FailureReason::UserDoesNotExist)
                    .detail("user unknown"),
            );
        }
        let (said, fields) = if let Some(fields) = self.message.strip_prefix("authentication failure; ") {
            (
                self.authentication().failed(FailureReason::InvalidCredentials),
                fields,
            )
        } else if let Some(fields) = self.message.strip_prefix("authentication success; ") {
            (self.authentication().succeeded(), fields)
        } else {
            let fields = more_failures(self.message)?;
            (
                self.authentication().failed(FailureReason::InvalidCredentials),
                fields,
            )
        };
        let who = Fields::parse(fields);
        let said = match (self.is_switch(), who.ruser, who.user) {
            (true, Some(by), Some(user)) if by != user => said.user(by).target(user),
            (_, ruser, user) => Said {
                user: user.or(ruser),
                ..said
            },
        };
        Some(match who.rhost {
            Some(host) => said.from(Origin { host, port: None }),
            None => said,
        })
    }

    /// `session opened for user NAME(uid=1) by NAME(uid=0)`, `session closed for user NAME`.
    fn session(self) -> Option<Said<'m>> {
        if let Some(user) = self.message.strip_prefix("session closed for user ") {
            return Some(Said::authentication("session closed", Logoff).user(account(user)?));
        }
        if let Some(why) = self.message.strip_prefix("Failed to create session: ") {
            let said = Said::authentication("Failed to create session", Other);
            return Some(said.failed(FailureReason::Other).detail(why));
        }
        let rest = self.message.strip_prefix("session opened for user ")?;
        let (user, by) = rest.rsplit_once(" by ").unwrap_or((rest, ""));
        let user = account(user)?;
        // A session is opened only for those who have got in (pam_open_session(3)).
        let said = Said::authentication("session opened", Other).succeeded();
        Some(match self.service {
            "sshd" => said.user(user),
            _ if self.is_switch() => Said {
                // The kernel's user 0 is root by definition, also where nobody's name is known.
                user: account(by).or((by == "(uid=0)").then_some("root")),
                ..said.target(user)
            },
            // Display managers and login say nothing else of a logon.
            _ => Said {
                status: Status::Success,
                ..Said::authentication("session opened", Logon).user(user)
            },
        })
    }

    fn password(self) -> Option<Said<'m>> {
        if let Some(user) = self.message.strip_prefix("password changed for ") {
            let user = account(user)?;
            return Some(match self.service {
                // Tools that only root may run set somebody else's password.
                "chpasswd" | "newusers" => Said::change("password changed", PasswordReset, user),
                // passwd(1) is how people change their own; that root may change another's, the line does not tell.
                _ => Said::new("password changed", Activity::AccountChange(PasswordChange))
                    .succeeded()
                    .user(user),
            });
        }
        let rest = self.message.strip_prefix("expired password for user ")?;
        let said = Said::authentication("expired password", Other).user(account(rest)?);
        Some(said.detail("expired password"))
    }

    fn account(self) -> Option<Said<'m>> {
        let said = self.authentication();
        let message = self.message;
        if let Some(rest) = message.strip_prefix("Consecutive login failures for user ") {
            let user = account(rest)?;
            return Some(Said::change("account temporarily locked", Lock, user));
        }
        if let Some(rest) = message.strip_prefix("account ") {
            let (user, why) = rest.split_once(" has ")?;
            return Some(
                said.user(account(user)?)
                    .failed(FailureReason::AccountDisabled)
                    .detail(why),
            );
        }
        if let Some(rest) = message.strip_prefix("user '") {
            return winbind(said, rest);
        }
        if let Some(rest) = message.strip_prefix("access denied for user `") {
            let (user, rest) = rest.rsplit_once("' from `")?;
            let host = rest.trim_end_matches('\'');
            let said = said.user(user).failed(FailureReason::PolicyDenied);
            return Some(said.from(Origin { host, port: None }));
        }
        if let Some(user) = message.strip_prefix("Invalid verification code for ") {
            return Some(said.user(account(user)?).failed(FailureReason::MfaFailed));
        }
        let rest = message.strip_prefix("received for user ")?;
        let (user, why) = rest.split_once(": ")?;
        Some(said.user(user).failed(sssd_reason(why)).detail(why))
    }

    fn authentication(self) -> Said<'m> {
        let accompanies = self.service == "sshd" || self.is_switch();
        Said::authentication("pam authentication", if accompanies { Other } else { Logon })
    }

    fn is_switch(self) -> bool {
        matches!(
            self.service,
            "su" | "su-l" | "sudo" | "sudo-i" | "runuser" | "runuser-l" | "polkit-1" | "doas"
        )
    }
}

/// Services that run jobs, not people's logons: their sessions tell nothing about an identity.
const JOBS: [&str; 8] = [
    "cron",
    "crond",
    "CRON",
    "atd",
    "anacron",
    "systemd-user",
    "fcron",
    "systemd",
];

/// Words that only PAM modules open a message with.
const OPENINGS: [&str; 5] = [
    "authentication failure; ",
    "authentication success; ",
    "session opened for user ",
    "session closed for user ",
    "check pass; user unknown",
];

/// `pam_unix(sshd:auth): MESSAGE`.
fn module(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("pam_")?;
    let (head, message) = rest.split_once("): ")?;
    let (module, service) = head.split_once('(')?;
    let (service, _phase) = service.split_once(':').unwrap_or((service, ""));
    let is_name = module.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((service, message))
}

/// `2 more authentication failures; FIELDS`: gives the fields.
fn more_failures(message: &str) -> Option<&str> {
    let (count, rest) = message.split_once(" more authentication failure")?;
    let (_, fields) = rest.split_once("; ")?;
    (!count.is_empty() && count.bytes().all(|b| b.is_ascii_digit())).then_some(fields)
}

/// A user's name without the id behind it: `alice(uid=1000)`, `alice (root enforced)`.
fn account(text: &str) -> Option<&str> {
    let name = text.split('(').next().unwrap_or(text).trim();
    let name = name.trim_matches(['[', ']']);
    let name = name.split(' ').next().unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// `NAME' granted access`, `NAME' denied access (incorrect password or invalid membership)`.
fn winbind<'m>(said: Said<'m>, rest: &'m str) -> Option<Said<'m>> {
    let (user, what) = rest.rsplit_once("' ")?;
    if what.starts_with("denied access") {
        return Some(
            said.user(user)
                .failed(FailureReason::InvalidCredentials)
                .detail(what),
        );
    }
    what.starts_with("granted access")
        .then(|| said.user(user).succeeded())
}

/// Numbers of PAM's results (`_pam_types.h`) as pam_sss writes them: `7 (Authentication failure)`.
fn sssd_reason(why: &str) -> FailureReason {
    match why.split(' ').next() {
        Some("7") => FailureReason::InvalidCredentials,
        Some("10") => FailureReason::UserDoesNotExist,
        Some("6" | "28") => FailureReason::PolicyDenied,
        Some("12" | "27") => FailureReason::PasswordExpired,
        Some("13") => FailureReason::AccountDisabled,
        _ => FailureReason::Other,
    }
}

/// `logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root`.
///
/// `ruser` may be what the client typed, so the last `rhost=` counts; `user=` is there only for accounts that exist.
struct Fields<'m> {
    ruser: Option<&'m str>,
    rhost: Option<&'m str>,
    user: Option<&'m str>,
}

impl<'m> Fields<'m> {
    fn parse(text: &'m str) -> Self {
        let (before, after) = text.rsplit_once("rhost=").unwrap_or((text, ""));
        let (rhost, user) = after.split_once("user=").unwrap_or((after, ""));
        let ruser = before.split_once("ruser=").map_or("", |(_, ruser)| ruser);
        let some = |text: &'m str| {
            let text = text.trim();
            let text = text.strip_suffix("[preauth]").map_or(text, str::trim_end);
            (!text.is_empty()).then_some(text)
        };
        Self {
            ruser: some(ruser),
            rhost: some(rhost),
            user: some(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::activity::AuthenticationActivity;

    fn said<'m>(program: &'m str, message: &'m str) -> Option<Said<'m>> {
        Pam::parse(program, message).and_then(Pam::read)
    }

    #[test]
    fn failures_name_user_and_host() {
        for (program, message, user, host) in [
            (
                "sshd",
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root",
                "root",
                "203.0.113.7",
            ),
            (
                "sshd",
                "(pam_unix) authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=h.example  user=root",
                "root",
                "h.example",
            ),
            (
                "sshd",
                "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root",
                "root",
                "203.0.113.7",
            ),
            (
                "vsftpd",
                "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=192.0.2.1 rhost=203.0.113.7",
                "x rhost=192.0.2.1",
                "203.0.113.7",
            ),
        ] {
            let said = said(program, message).unwrap();
            assert_eq!(
                (said.user, said.from, said.status),
                (Some(user), Some(host), Status::Failure),
                "{message}"
            );
        }
    }

    #[test]
    fn a_switch_has_two_accounts() {
        let failed = said(
            "su",
            "authentication failure; logname= uid=1342 euid=0 tty= ruser=alice rhost=  user=root",
        )
        .unwrap();
        assert_eq!(
            (failed.user, failed.target, failed.from),
            (Some("alice"), Some("root"), None)
        );
        let opened = said(
            "sudo",
            "pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)",
        )
        .unwrap();
        assert_eq!((opened.user, opened.target), (Some("alice"), Some("root")));
        let by_root = said(
            "su",
            "pam_unix(su:session): session opened for user news by (uid=0)",
        )
        .unwrap();
        assert_eq!((by_root.user, by_root.target), (Some("root"), Some("news")));
    }

    #[test]
    fn sessions_of_sshd_accompany_and_those_of_displays_count() {
        let ssh = said(
            "sshd",
            "pam_unix(sshd:session): session opened for user alice(uid=1) by (uid=0)",
        )
        .unwrap();
        assert_eq!((ssh.user, ssh.status), (Some("alice"), Status::Success));
        let display = said(
            "gdm",
            "pam_unix(gdm-password:session): session opened for user alice(uid=1) by (uid=0)",
        )
        .unwrap();
        assert_eq!(display.status, Status::Success);
        assert_eq!(
            display.activity,
            Said::authentication("", AuthenticationActivity::Logon).activity
        );
        assert_eq!(
            said(
                "CRON",
                "pam_unix(cron:session): session opened for user root by (uid=0)"
            ),
            None
        );
    }

    #[test]
    fn other_modules_are_read() {
        let locked = said(
            "sshd",
            "pam_faillock(sshd:auth): Consecutive login failures for user bob account temporarily locked",
        )
        .unwrap();
        assert_eq!(locked.target, Some("bob"));
        let denied = said("sshd", "pam_winbind(sshd:account): user 'CORP\\bob' denied access (incorrect password or invalid membership)").unwrap();
        assert_eq!((denied.user, denied.status), (Some("CORP\\bob"), Status::Failure));
        let access = said(
            "sshd",
            "pam_access(sshd:account): access denied for user `bob' from `203.0.113.7'",
        )
        .unwrap();
        assert_eq!(
            (access.failure, access.from),
            (Some(FailureReason::PolicyDenied), Some("203.0.113.7"))
        );
        let sss = said(
            "sshd",
            "pam_sss(sshd:auth): received for user bob: 7 (Authentication failure)",
        )
        .unwrap();
        assert_eq!(sss.failure, Some(FailureReason::InvalidCredentials));
        assert_eq!(
            said("passwd", "pam_unix(passwd:chauthtok): password changed for bob")
                .unwrap()
                .user,
            Some("bob")
        );
        for (message, reason) in [
            (
                "pam_unix(sshd:auth): check pass; user unknown",
                FailureReason::UserDoesNotExist,
            ),
            (
                "pam_systemd(sshd:session): Failed to create session: Maximum number of sessions (8192) reached",
                FailureReason::Other,
            ),
        ] {
            let said = said("sshd", message).unwrap();
            assert_eq!((said.user, said.failure), (None, Some(reason)), "{message}");
            assert!(said.is_worth_an_event());
        }
    }
}
