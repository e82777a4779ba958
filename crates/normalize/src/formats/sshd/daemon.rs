//! What OpenSSH's daemon says (auth.c, auth2.c, packet.c and sshd.c of OpenSSH portable).
//!
//! Clients choose the user name, and choose it so that it looks like an address: `x from 192.0.2.1 port 22`. Names are
//! therefore read up to the *last* place that can be the daemon's own ` from HOST port N`.
//!
//! One attempt makes several lines. `Accepted …` and `Failed … for …` are its verdict and count as Logon, and so does
//! `Invalid user …`, which is the only word on a client that offers no method. Lines that accompany a verdict (PAM's
//! own, `maximum authentication attempts exceeded`) have their outcome and activity Other, so that a counter of logons
//! sees an attempt once. So do lines on a client that leaves while it is `authenticating user …`: it did not get in,
//! and where only keys are allowed they are the one trace of a guess that sshd writes by default (auth.c logs the first
//! half of the failed keys only when verbose).

use super::said::{Origin, Said};
use crate::stamp::word;
use habitus_model::FailureReason;
use habitus_model::activity::AuthenticationActivity::{Logoff, Logon, Other};

/// Name, origin and key of an attempt.
type Named<'m> = (&'m str, Origin<'m>, Option<&'m str>);

type Reader = for<'m> fn(&'m str) -> Option<Said<'m>>;

/// Opening words, and who reads what follows them. The first that fits is taken.
const MESSAGES: &[(&str, Reader)] = &[
    ("Accepted key ", accepted_key),
    ("Accepted ", accepted),
    ("Failed ", failed),
    ("Postponed ", postponed),
    ("Partial ", postponed),
    ("Invalid user ", invalid_user),
    ("Illegal user ", invalid_user),
    ("PAM: ", pam_verdict),
    ("maximum authentication attempts exceeded for ", too_many_attempts),
    (
        "Disconnecting: Too many authentication failures",
        too_many_failures,
    ),
    ("Authentication tried for ", not_from_there),
    ("Authentication refused: ", refused_key_file),
    ("User ", not_allowed),
    ("ROOT LOGIN REFUSED FROM ", root_refused),
    ("Connection closed by ", closed),
    ("Connection reset by ", closed),
    ("Disconnected from ", disconnected),
    ("Disconnecting ", disconnecting),
    ("ssh_dispatch_run_fatal: Connection from ", disconnecting),
    ("Close session: user ", session_closed),
    ("Starting session: ", session_started),
    ("Received disconnect from ", received_disconnect),
    ("Did not receive identification string from ", no_identification),
    ("Bad protocol version identification ", bad_protocol),
    ("Protocol major versions differ for ", bad_protocol_leading),
    ("Unable to negotiate with ", negotiation),
    ("banner exchange: Connection from ", bad_banner),
    ("Timeout before authentication for connection from ", timeout),
    ("Timeout before authentication for ", timeout),
    ("Connection from ", connection),
    ("reverse mapping checking getaddrinfo for ", bad_reverse),
    ("Address ", bad_reverse_address),
    ("refused connect from ", refused),
];

/// Reads a message; absent if it names nobody and no place.
pub fn read(message: &str) -> Option<Said<'_>> {
    let message = without_kernel(message.trim());
    let message = message.strip_suffix("[preauth]").map_or(message, str::trim_end);
    let message = ["error: ", "fatal: ", "debug1: "]
        .iter()
        .find_map(|level| message.strip_prefix(level))
        .unwrap_or(message);
    MESSAGES
        .iter()
        .find_map(|(opening, reader)| message.strip_prefix(opening).map(reader))
        .flatten()
}

/// Whether a message that came without any header is the daemon's, though it names nobody.
pub fn is_bare(message: &str) -> bool {
    read(message).is_some() || message.starts_with("User child is on pid ")
}

/// Strips `kernel: [  970.699397] `, which lines bear that reached the journal through the kernel's ring.
fn without_kernel(message: &str) -> &str {
    let uptime = message
        .strip_prefix("kernel:")
        .and_then(|rest| rest.trim_start().strip_prefix('['))
        .and_then(|rest| rest.split_once(']'));
    match uptime {
        Some((number, rest)) if number.trim().parse::<f64>().is_ok() => rest.trim_start(),
        _ => message,
    }
}

/// `METHOD for [invalid user ]NAME from HOST port N ssh2[: KEY]`, as verdicts go on.
struct Attempt<'m> {
    method: &'m str,
    user: &'m str,
    is_invalid: bool,
    origin: Origin<'m>,
    key: Option<&'m str>,
}

impl<'m> Attempt<'m> {
    fn parse(text: &'m str) -> Option<Self> {
        let (method, rest) = word(text)?;
        let (user, origin, key) = name_and_origin(rest.strip_prefix("for ")?)?;
        let (user, is_invalid) = without_invalid(user);
        Some(Self {
            method,
            user,
            is_invalid,
            origin,
            key,
        })
    }

    fn said(&self, said: Said<'m>) -> Said<'m> {
        let (credential, issuer) = self.key.map_or((None, None), fingerprints);
        Said {
            method: Some(self.method),
            credential,
            issuer,
            ..named(said, self.user).from(self.origin)
        }
    }
}

fn accepted(rest: &str) -> Option<Said<'_>> {
    let attempt = Attempt::parse(rest)?;
    let said = Said::authentication(format!("Accepted {}", attempt.method), Logon);
    Some(attempt.said(said.succeeded()))
}

fn failed(rest: &str) -> Option<Said<'_>> {
    let attempt = Attempt::parse(rest)?;
    // A client offers its keys one after another, and asks by `none` what it may try: neither is a wrong guess at an
    // account that exists (fail2ban's filter of sshd leaves them out for the same reason).
    let is_offer = matches!(attempt.method, "publickey" | "none") && !attempt.is_invalid;
    let activity = if is_offer { Other } else { Logon };
    let reason = if attempt.is_invalid {
        FailureReason::UserDoesNotExist
    } else {
        FailureReason::InvalidCredentials
    };
    let said = Said::authentication(format!("Failed {}", attempt.method), activity);
    Some(attempt.said(said.failed(reason)))
}

fn postponed(rest: &str) -> Option<Said<'_>> {
    let attempt = Attempt::parse(rest)?;
    let said = Said::authentication("Postponed", Other);
    Some(attempt.said(if attempt.is_invalid {
        said.failed(FailureReason::UserDoesNotExist)
    } else {
        said
    }))
}

fn invalid_user(rest: &str) -> Option<Said<'_>> {
    let (user, origin, _) = name_and_origin(rest).or_else(|| {
        let rest = rest.strip_prefix("from ")?;
        Origin::leading(rest).map(|(origin, _)| ("", origin, None))
    })?;
    let said = Said::authentication("Invalid user", Logon).failed(FailureReason::UserDoesNotExist);
    Some(named(said, user).from(origin))
}

/// `Authentication failure for [illegal user ]NAME from HOST[ via HOST]`: auth-pam.c, before the daemon's verdict.
fn pam_verdict(rest: &str) -> Option<Said<'_>> {
    let (words, rest) = rest.split_once(" for ")?;
    let (user, host) = rest.rsplit_once(" from ")?;
    let (origin, _) = Origin::leading(host)?;
    let (user, is_invalid) = without_invalid(user);
    let reason = match words {
        _ if is_invalid || words.starts_with("User not known") => FailureReason::UserDoesNotExist,
        "User account has expired" => FailureReason::AccountDisabled,
        "Permission denied" => FailureReason::PolicyDenied,
        _ if words.eq_ignore_ascii_case("authentication failure") => FailureReason::InvalidCredentials,
        _ if words.eq_ignore_ascii_case("authentication error") => FailureReason::InvalidCredentials,
        _ => FailureReason::Other,
    };
    let said = Said::authentication("PAM", Other).failed(reason).detail(words);
    Some(named(said, user).from(origin))
}

fn too_many_attempts(rest: &str) -> Option<Said<'_>> {
    let (user, origin, _) = name_and_origin(rest)?;
    let (user, is_invalid) = without_invalid(user);
    let reason = if is_invalid {
        FailureReason::UserDoesNotExist
    } else {
        FailureReason::InvalidCredentials
    };
    let said = Said::authentication("maximum authentication attempts exceeded", Other).failed(reason);
    Some(named(said, user).from(origin))
}

fn too_many_failures(rest: &str) -> Option<Said<'_>> {
    let said = Said::authentication("Too many authentication failures", Other)
        .failed(FailureReason::InvalidCredentials);
    Some(named(said, rest.strip_prefix(" for ").unwrap_or("")))
}

/// `bad ownership or modes for file /home/alice/.ssh/authorized_keys`: the daemon would not look at anybody's keys.
fn refused_key_file(rest: &str) -> Option<Said<'_>> {
    let said = Said::authentication("Authentication refused", Other).failed(FailureReason::PolicyDenied);
    Some(Said {
        method: Some("publickey"),
        ..said.detail(rest)
    })
}

/// `RSA SHA256:… found at FILE:LINE`. Neither an outcome nor a user: anybody can offer somebody's public key, and only
/// the signature that has to follow proves that it is theirs.
fn accepted_key(rest: &str) -> Option<Said<'_>> {
    let (key, _) = rest.split_once(" found at ")?;
    let (credential, issuer) = is_key(key).then(|| fingerprints(key))?;
    Some(Said {
        method: Some("publickey"),
        credential,
        issuer,
        ..Said::authentication("Accepted key", Other)
    })
}

/// `NAME with correct key but not from a permitted host (host=H, ip=A)`.
fn not_from_there(rest: &str) -> Option<Said<'_>> {
    let (user, rest) = rest.rsplit_once(" with correct key ")?;
    let (_, host) = rest.rsplit_once("ip=")?;
    let host = host.split([')', ',']).next().unwrap_or(host);
    let said = Said::authentication("Authentication tried", Logon).failed(FailureReason::PolicyDenied);
    Some(named(said, user).from(Origin { host, port: None }))
}

/// `NAME[ from HOST] not allowed because REASON`.
fn not_allowed(rest: &str) -> Option<Said<'_>> {
    let (who, why) = rest.rsplit_once(" not allowed because ")?;
    let reason = match why {
        "account is locked" => FailureReason::AccountLockedOut,
        _ => FailureReason::PolicyDenied,
    };
    let said = |activity| {
        Said::authentication("User not allowed", activity)
            .failed(reason)
            .detail(why)
    };
    match who.rsplit_once(" from ") {
        Some((user, host)) => Some(named(said(Logon), user).from(Origin { host, port: None })),
        // Written while the account is looked up, without a place: the daemon's verdict follows and has one.
        None => Some(named(said(Other), who)),
    }
}

fn root_refused(rest: &str) -> Option<Said<'_>> {
    let (origin, _) = Origin::leading(rest)?;
    let said = Said::authentication("ROOT LOGIN REFUSED", Logon).failed(FailureReason::PolicyDenied);
    Some(said.user("root").from(origin))
}

fn closed(rest: &str) -> Option<Said<'_>> {
    Some(of_user_or_origin("Connection closed", rest))
}

fn disconnected(rest: &str) -> Option<Said<'_>> {
    // Behind authentication it is `user NAME`; before it, `authenticating user` or `invalid user`.
    let mut said = of_user_or_origin("Disconnected", rest);
    if rest.starts_with("user ") {
        said.activity = Said::authentication("", Logoff).activity;
    }
    Some(said)
}

/// `[authenticating|invalid] user NAME HOST port N: REASON`, or only `HOST port N: REASON`.
fn disconnecting(rest: &str) -> Option<Said<'_>> {
    let at = rest.rfind(" port ")?;
    let end = rest.get(at..)?.find(':').map_or(rest.len(), |colon| at + colon);
    let why = rest.get(end..)?.trim_start_matches(':').trim();
    let mut said = of_user_or_origin("Disconnecting", rest.get(..end)?);
    said.detail = (!why.is_empty()).then_some(why);
    if said.failure == Some(FailureReason::Other) && why.starts_with("Too many authentication failures") {
        said.failure = Some(FailureReason::InvalidCredentials);
    }
    Some(said)
}

fn session_closed(rest: &str) -> Option<Said<'_>> {
    let (user, origin, _) = name_and_origin(rest)?;
    Some(named(Said::authentication("Close session", Logoff), user).from(origin))
}

/// `command for NAME from HOST port N id 0`, `shell on pts/0 for NAME from …`, `subsystem 'sftp' for NAME from …`.
fn session_started(rest: &str) -> Option<Said<'_>> {
    let (_, rest) = rest.split_once(" for ")?;
    let (user, origin, _) = name_and_origin(rest)?;
    Some(named(Said::authentication("Starting session", Other), user).from(origin))
}

fn received_disconnect(rest: &str) -> Option<Said<'_>> {
    of_leading("Received disconnect", rest)
}

fn no_identification(rest: &str) -> Option<Said<'_>> {
    of_leading("Did not receive identification string", rest)
}

/// `'WHAT THE CLIENT SENT' from HOST port N`.
fn bad_protocol(rest: &str) -> Option<Said<'_>> {
    let (_, host) = rest.rsplit_once(" from ")?;
    of_leading("Bad protocol version identification", host)
}

fn bad_protocol_leading(rest: &str) -> Option<Said<'_>> {
    of_leading("Protocol major versions differ", rest)
}

fn negotiation(rest: &str) -> Option<Said<'_>> {
    of_leading("Unable to negotiate", rest)
}

fn bad_banner(rest: &str) -> Option<Said<'_>> {
    of_leading("banner exchange", rest)
}

fn timeout(rest: &str) -> Option<Said<'_>> {
    of_leading("Timeout before authentication", rest)
}

fn connection(rest: &str) -> Option<Said<'_>> {
    of_leading("Connection", rest)
}

/// `NAME [ADDRESS] failed - POSSIBLE BREAK-IN ATTEMPT!`. The name comes from the attacker's DNS.
fn bad_reverse(rest: &str) -> Option<Said<'_>> {
    let (_, rest) = rest.rsplit_once('[')?;
    let (host, _) = rest.split_once(']')?;
    of_leading("reverse mapping checking", host)
}

/// `ADDRESS maps to NAME, but this does not map back to the address`.
fn bad_reverse_address(rest: &str) -> Option<Said<'_>> {
    rest.contains(" maps to ")
        .then(|| of_leading("reverse mapping checking", rest))
        .flatten()
}

/// `NAME@HOST (ADDRESS)`, from TCP wrappers.
fn refused(rest: &str) -> Option<Said<'_>> {
    let host = match rest.rsplit_once('(') {
        Some((_, address)) => address.trim_end_matches(')'),
        None => rest,
    };
    let said = of_leading("refused connect", host)?;
    Some(said.failed(FailureReason::PolicyDenied))
}

fn of_leading<'m>(action: &'static str, rest: &'m str) -> Option<Said<'m>> {
    let (origin, _) = Origin::leading(rest)?;
    Some(Said::authentication(action, Other).from(origin))
}

/// `[authenticating |invalid |illegal ]user NAME HOST[ port N]` or `HOST[ port N]`.
fn of_user_or_origin<'m>(action: &'static str, rest: &'m str) -> Said<'m> {
    let said = Said::authentication(action, Other);
    let after = |marks: [&str; 2]| marks.iter().find_map(|mark| rest.strip_prefix(mark));
    if let Some(rest) = after(["invalid user ", "illegal user "]) {
        let (user, origin) = Origin::trailing(rest);
        let said = said.failed(FailureReason::UserDoesNotExist);
        return named(said, user).from(origin);
    }
    if let Some(rest) = rest.strip_prefix("authenticating user ") {
        let (user, origin) = Origin::trailing(rest);
        return named(said.failed(FailureReason::Other), user).from(origin);
    }
    match rest.strip_prefix("user ") {
        Some(rest) => {
            let (user, origin) = Origin::trailing(rest);
            named(said, user).from(origin)
        }
        None => {
            let (_, origin) = Origin::trailing(rest);
            said.from(origin)
        }
    }
}

/// Sets the user, unless the daemon hid it or the client sent none.
fn named<'m>(said: Said<'m>, user: &'m str) -> Said<'m> {
    let user = user.trim();
    if user.is_empty() || user == "<invalid username>" {
        said
    } else {
        said.user(user)
    }
}

/// Strips `invalid user ` and its older spellings.
fn without_invalid(user: &str) -> (&str, bool) {
    ["invalid user", "illegal user"]
        .iter()
        .find_map(|mark| user.strip_prefix(mark))
        .filter(|rest| rest.is_empty() || rest.starts_with(' '))
        .map_or(
            // Some builds write `for user NAME`; no account that is valid begins so.
            (
                user.strip_prefix("user ").unwrap_or(user),
                user == "<invalid username>",
            ),
            |rest| (rest.trim_start(), true),
        )
}

/// Splits `NAME from HOST port N ssh2[: KEY]` at the last ` from ` that the daemon can have written: one with a port, a
/// protocol and nothing or a key behind; else one with a port; else the last.
fn name_and_origin(text: &str) -> Option<Named<'_>> {
    let mut best: Option<(u8, Named<'_>)> = None;
    let mut end = text.len();
    for _ in 0..FROM_MAX {
        let Some(at) = text.get(..end).and_then(|before| before.rfind(" from ")) else {
            break;
        };
        end = at;
        let (Some(name), Some(rest)) = (text.get(..at), text.get(at + " from ".len()..)) else {
            break;
        };
        let Some((origin, rest)) = Origin::leading(rest) else {
            continue;
        };
        let (rank, key) = rank(origin, rest);
        if best.as_ref().is_none_or(|(other, _)| rank > *other) {
            best = Some((rank, (name, origin, key)));
        }
    }
    best.map(|(_, found)| found)
}

/// Most ` from ` looked at from the end. OpenSSH cuts names at 100 bytes in these lines, so at most 16 fit in one.
const FROM_MAX: usize = 20;

fn rank<'m>(origin: Origin<'m>, rest: &'m str) -> (u8, Option<&'m str>) {
    let (protocol, after) = word(rest).unwrap_or(("", ""));
    let (protocol, has_more) = protocol
        .strip_suffix(':')
        .map_or((protocol, false), |p| (p, true));
    if origin.port.is_none() {
        return (0, None);
    }
    match protocol {
        "ssh2" | "ssh1" | "ssh" if !has_more && after.is_empty() => (3, None),
        "ssh2" | "ssh1" | "ssh" if has_more && is_key(after) => (3, Some(after)),
        "ssh2" | "ssh1" | "ssh" if has_more => (2, None),
        "" | "id" => (2, None),
        _ => (1, None),
    }
}

/// `RSA SHA256:…`, `ECDSA 0e:ff:…`, `ED25519-CERT SHA256:… ID … CA …` (format_key in auth2-pubkey.c), of hostbased with
/// `, client user "…", client host "…"` behind.
fn is_key(text: &str) -> bool {
    word(text).is_some_and(|(kind, rest)| {
        kind.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
            && word(rest).is_some_and(|(print, _)| print.contains(':'))
    })
}

/// Fingerprints of the key, and of the authority that signed it.
fn fingerprints(key: &str) -> (Option<&str>, Option<&str>) {
    let print = |text| {
        let (_kind, rest) = word(text)?;
        word(rest).map(|(print, _)| print.trim_end_matches(','))
    };
    // The certificate's id is chosen by whoever asked for it to be signed: the last ` CA ` is the daemon's.
    let authority = key
        .rsplit_once(" CA ")
        .and_then(|(_, authority)| print(authority));
    (print(key), authority)
}

#[cfg(test)]
#[path = "daemon_tests.rs"]
mod tests;
