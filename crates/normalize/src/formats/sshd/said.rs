//! What one message says, before it becomes an event.

use crate::stamp::word;
use habitus_model::activity::{AccountChangeActivity, AuthenticationActivity, GroupManagementActivity};
use habitus_model::event::{AuthProtocol, FactorType};
use habitus_model::{Activity, FailureReason, Status, Text};

/// The facts of one message; names and addresses as written. Absent fields are not in the message.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<'m> {
    /// The message's own opening words.
    pub action: Text,
    /// Class and activity.
    pub activity: Activity,
    /// What the message says of success.
    pub status: Status,
    /// Why it failed.
    pub failure: Option<FailureReason>,
    /// The source's words on the failure.
    pub detail: Option<&'m str>,
    /// Who logs on or acts.
    pub user: Option<&'m str>,
    /// The account switched to, created, changed.
    pub target: Option<&'m str>,
    /// Group that a user enters or leaves.
    pub group: Option<&'m str>,
    /// Address or host name of the client.
    pub from: Option<&'m str>,
    /// Client port.
    pub port: Option<u16>,
    /// Authentication method (`publickey`, `password`).
    pub method: Option<&'m str>,
    /// Fingerprint of the key or certificate.
    pub credential: Option<&'m str>,
    /// Fingerprint of the authority that signed the certificate.
    pub issuer: Option<&'m str>,
    /// The session's number on its host.
    pub session: Option<&'m str>,
    /// Program run as somebody else.
    pub command: Option<&'m str>,
    /// From another machine, where the message says so.
    pub is_remote: Option<bool>,
}

impl<'m> Said<'m> {
    /// A message of the given class, of unknown outcome.
    pub fn new(action: impl Into<Text>, activity: Activity) -> Self {
        Self {
            action: action.into(),
            activity,
            status: Status::Unknown,
            failure: None,
            detail: None,
            user: None,
            target: None,
            group: None,
            from: None,
            port: None,
            method: None,
            credential: None,
            issuer: None,
            session: None,
            command: None,
            is_remote: None,
        }
    }

    /// A message of class Authentication.
    pub fn authentication(action: impl Into<Text>, activity: AuthenticationActivity) -> Self {
        Self::new(action, Activity::Authentication(activity))
    }

    /// A message of class Account Change that tells of something done.
    pub fn change(action: impl Into<Text>, activity: AccountChangeActivity, target: &'m str) -> Self {
        Self::new(action, Activity::AccountChange(activity))
            .succeeded()
            .target(target)
    }

    /// A message of class Group Management that tells of something done.
    pub fn group(action: impl Into<Text>, activity: GroupManagementActivity, group: &'m str) -> Self {
        let mut said = Self::new(action, Activity::GroupManagement(activity)).succeeded();
        said.group = Some(group);
        said
    }

    /// The same, by that user.
    pub fn user(mut self, user: &'m str) -> Self {
        self.user = Some(user);
        self
    }

    /// The same, upon that account.
    pub fn target(mut self, target: &'m str) -> Self {
        self.target = Some(target);
        self
    }

    /// The same, successful.
    pub fn succeeded(mut self) -> Self {
        self.status = Status::Success;
        self
    }

    /// The same, failed.
    pub fn failed(mut self, reason: FailureReason) -> Self {
        self.status = Status::Failure;
        self.failure = Some(reason);
        self
    }

    /// The same, in the source's words.
    pub fn detail(mut self, words: &'m str) -> Self {
        self.detail = Some(words);
        self
    }

    /// The same, from that address or host.
    pub fn from(mut self, origin: Origin<'m>) -> Self {
        self.from = Some(origin.host);
        self.port = origin.port;
        self.is_remote = Some(true);
        self
    }

    /// Whether it names somebody, some place or a key, or tells of a failure: else there is nothing to remember.
    pub fn is_worth_an_event(&self) -> bool {
        self.user.is_some()
            || self.target.is_some()
            || self.group.is_some()
            || self.from.is_some()
            || self.credential.is_some()
            || self.status == Status::Failure
    }

    /// The factor that the method stands for; absent for methods that may hide several.
    pub fn factor(&self) -> Option<FactorType> {
        match self.method? {
            "password" => Some(FactorType::Password),
            _ => None,
        }
    }

    /// The protocol that the method stands for.
    pub fn protocol(&self) -> AuthProtocol {
        match self.method {
            // The only GSSAPI mechanism that OpenSSH offers is Kerberos (RFC 4462 is silent, sshd_config(5) names it).
            Some("gssapi-with-mic" | "gssapi-keyex") => AuthProtocol::Kerberos,
            _ => AuthProtocol::Unknown,
        }
    }
}

/// An address or host name with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'m> {
    /// Address or host name.
    pub host: &'m str,
    /// Port.
    pub port: Option<u16>,
}

impl<'m> Origin<'m> {
    /// Reads `HOST`, `HOST port 22`, `HOST port 22:11:`, `HOST:` at the start; gives what follows.
    pub fn leading(text: &'m str) -> Option<(Self, &'m str)> {
        let (host, rest) = word(text)?;
        let (host, ended) = host.strip_suffix(':').map_or((host, false), |host| (host, true));
        let after_port = rest.strip_prefix("port ").filter(|_| !ended);
        let (port, rest) = match after_port {
            None => (None, rest),
            Some(number) => {
                let end = number.bytes().take_while(u8::is_ascii_digit).count();
                let (digits, rest) = number.split_at_checked(end)?;
                (digits.parse().ok(), rest)
            }
        };
        (!host.is_empty()).then_some((Self { host, port }, rest))
    }

    /// Reads `NAME HOST port 22` from the end; gives the name, which may hold spaces or be empty.
    pub fn trailing(text: &'m str) -> (&'m str, Self) {
        let (rest, port) = match text.rsplit_once(" port ") {
            Some((rest, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (rest, port.parse().ok()),
            _ => (text, None),
        };
        let (name, host) = rest.rsplit_once(' ').unwrap_or(("", rest));
        (name.trim(), Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_from_both_ends() {
        let origin = |host, port| Origin { host, port };
        for (text, host, port, rest) in [
            ("203.0.113.7 port 22", "203.0.113.7", Some(22), ""),
            ("203.0.113.7 port 22:11: Bye", "203.0.113.7", Some(22), ":11: Bye"),
            ("203.0.113.7: 11: Bye", "203.0.113.7", None, "11: Bye"),
            ("2001:db8::1: 11: Bye", "2001:db8::1", None, "11: Bye"),
            ("host.example", "host.example", None, ""),
        ] {
            assert_eq!(Origin::leading(text), Some((origin(host, port), rest)), "{text}");
        }
        assert_eq!(Origin::leading(":"), None);
        for (text, name, host, port) in [
            ("alice 203.0.113.7 port 22", "alice", "203.0.113.7", Some(22)),
            (
                "a 192.0.2.9 port 1 203.0.113.7 port 22",
                "a 192.0.2.9 port 1",
                "203.0.113.7",
                Some(22),
            ),
            (" 203.0.113.7 port 22", "", "203.0.113.7", Some(22)),
            ("203.0.113.7", "", "203.0.113.7", None),
        ] {
            assert_eq!(Origin::trailing(text), (name, origin(host, port)), "{text}");
        }
    }
}
