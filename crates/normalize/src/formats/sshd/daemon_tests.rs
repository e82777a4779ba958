//! Messages of the daemon, as data.

use super::*;

/// Outcome, user, origin, port, message; empty where the message names none.
const MESSAGES_READ: &str = r"
Success; alice; 203.0.113.7; 4022; Accepted password for alice from 203.0.113.7 port 4022 ssh2
Success; alice; 2001:db8::7; 4022; Accepted publickey for alice from 2001:db8::7 port 4022 ssh2: RSA SHA256:abc
Failure; bob; host.example; 9; Failed password for bob from host.example port 9 ssh2
Failure; x y; 203.0.113.7; 9; Failed password for invalid user x y from 203.0.113.7 port 9 ssh2
Failure; ; 203.0.113.7; 9; Failed keyboard-interactive for <invalid username> from 203.0.113.7 port 9 ssh2
Failure; x; 203.0.113.7; ; Failed password for illegal user x from 203.0.113.7
Failure; ; 203.0.113.7; 9; Invalid user  from 203.0.113.7 port 9
Unknown; git; 203.0.113.7; 9; Postponed publickey for git from 203.0.113.7 port 9 ssh2 [preauth]
Failure; x; host.example; ; error: PAM: Authentication failure for illegal user x from host.example via 192.0.2.1
Failure; root; 203.0.113.7; 9; error: maximum authentication attempts exceeded for root from 203.0.113.7 port 9 ssh2 [preauth]
Failure; root; ; ; Disconnecting: Too many authentication failures for root [preauth]
Failure; bob; 203.0.113.7; ; User bob from 203.0.113.7 not allowed because not listed in AllowUsers
Failure; bob; ; ; User bob not allowed because account is locked
Failure; root; 203.0.113.7; 9; ROOT LOGIN REFUSED FROM 203.0.113.7 port 9
Failure; a b; 203.0.113.7; 9; Connection closed by authenticating user a b 203.0.113.7 port 9 [preauth]
Failure; bob; 203.0.113.7; 9; Disconnected from authenticating user bob 203.0.113.7 port 9 [preauth]
Failure; warez; 203.0.113.7; 9; Postponed keyboard-interactive for invalid user warez from 203.0.113.7 port 9 ssh2 [preauth]
Failure; ; ; ; Disconnecting: Too many authentication failures [preauth]
Failure; ; ; ; Authentication refused: bad ownership or modes for file /home/bob/.ssh/authorized_keys
Unknown; ; ; ; Accepted key RSA SHA256:abc found at /home/bob/.ssh/authorized_keys:1
Failure; admin; 203.0.113.7; 9; kernel: [  970.699397] Failed password for user admin from 203.0.113.7 port 9 ssh2
Failure; admin; 2001:db8::7; 9; kernel:[12970.699398] Failed password for admin from 2001:db8::7 port 9 ssh2
Failure; ; 203.0.113.7; 9; Connection closed by invalid user  203.0.113.7 port 9 [preauth]
Unknown; ; 203.0.113.7; 9; Connection reset by 203.0.113.7 port 9
Unknown; alice; 203.0.113.7; 9; Disconnected from user alice 203.0.113.7 port 9
Failure; x; 203.0.113.7; 9; Disconnecting invalid user x 203.0.113.7 port 9: Too many authentication failures [preauth]
Unknown; ; 203.0.113.7; ; Received disconnect from 203.0.113.7: 11: Bye Bye [preauth]
Unknown; ; 203.0.113.7; 9; error: Received disconnect from 203.0.113.7 port 9:3: Auth fail
Unknown; ; 203.0.113.7; ; Did not receive identification string from 203.0.113.7
Unknown; ; 203.0.113.7; 9; Bad protocol version identification ' from 192.0.2.1' from 203.0.113.7 port 9
Unknown; ; 203.0.113.7; 9; fatal: Unable to negotiate with 203.0.113.7 port 9: no matching cipher found.
Unknown; ; 203.0.113.7; ; reverse mapping checking getaddrinfo for a.example [203.0.113.7] failed - POSSIBLE BREAK-IN ATTEMPT!
Unknown; alice; 203.0.113.7; 9; Starting session: command for alice from 203.0.113.7 port 9 id 0
Failure; alice; 203.0.113.7; ; Authentication tried for alice with correct key but not from a permitted host (host=h.example, ip=203.0.113.7).
";

#[test]
fn every_message_is_read() {
    for case in MESSAGES_READ.trim().lines() {
        let fields: Vec<&str> = case.splitn(5, "; ").collect();
        let [status, user, from, port, message] = fields.try_into().unwrap();
        let said = read(message).unwrap_or_else(|| panic!("{message}"));
        assert_eq!(said.status.caption(), status, "{message}");
        assert_eq!(said.user.unwrap_or(""), user, "{message}");
        assert_eq!(said.from.unwrap_or(""), from, "{message}");
        assert_eq!(said.port, port.parse().ok(), "{message}");
    }
}

#[test]
fn what_names_nobody_is_ignored() {
    for message in [
        "Server listening on 0.0.0.0 port 22.",
        "User child is on pid 77",
        "input_userauth_request: invalid user x [preauth]",
        "Accepted key of somebody",
        "kernel: [x] Failed password for admin from 203.0.113.7 port 9 ssh2",
        "Failed to create session",
        "",
    ] {
        assert_eq!(read(message), None, "{message}");
    }
}

#[test]
fn names_that_look_like_addresses_deceive_nobody() {
    for (message, user, from) in [
        (
            "Failed password for invalid user x from 192.0.2.1 port 1 ssh2 from 203.0.113.7 port 9 ssh2",
            "x from 192.0.2.1 port 1 ssh2",
            "203.0.113.7",
        ),
        (
            "Failed password for invalid user x from 192.0.2.1 port 1 ssh2: RSA SHA256:a from 203.0.113.7 port 9 ssh2",
            "x from 192.0.2.1 port 1 ssh2: RSA SHA256:a",
            "203.0.113.7",
        ),
        (
            "Failed password for bob from 203.0.113.7 port 9 ssh1: ruser from 192.0.2.1",
            "bob",
            "203.0.113.7",
        ),
        (
            "Failed hostbased for bob from 203.0.113.7 port 9 ssh2: RSA 8c:e3, client user \"x from 192.0.2.1 port 1 ssh2\", client host \"h\"",
            "bob",
            "203.0.113.7",
        ),
        (
            "Invalid user x from 192.0.2.1 port 1 from 203.0.113.7 port 9",
            "x from 192.0.2.1 port 1",
            "203.0.113.7",
        ),
        (
            "Connection closed by invalid user x 192.0.2.1 port 1 203.0.113.7 port 9 [preauth]",
            "x 192.0.2.1 port 1",
            "203.0.113.7",
        ),
    ] {
        let said = read(message).unwrap();
        assert_eq!((said.user, said.from), (Some(user), Some(from)), "{message}");
    }
}

#[test]
fn keys_and_certificates_are_credentials() {
    let key = read("Accepted publickey for a from 203.0.113.7 port 9 ssh2: ED25519 SHA256:abc").unwrap();
    assert_eq!((key.credential, key.issuer), (Some("SHA256:abc"), None));
    let certificate = read(
        "Accepted publickey for a from 203.0.113.7 port 9 ssh2: ED25519-CERT SHA256:abc ID a@example.com (serial 7) CA RSA SHA256:def",
    )
    .unwrap();
    assert_eq!(
        (certificate.credential, certificate.issuer),
        (Some("SHA256:abc"), Some("SHA256:def"))
    );
}

#[test]
fn only_verdicts_are_logons() {
    let activity = |message| read(message).unwrap().activity;
    let logon = Said::authentication("", Logon).activity;
    assert_eq!(
        activity("Failed password for a from 203.0.113.7 port 9 ssh2"),
        logon
    );
    assert_eq!(
        activity("Failed publickey for invalid user a from 203.0.113.7 port 9 ssh2"),
        logon
    );
    assert_ne!(
        activity("Failed publickey for a from 203.0.113.7 port 9 ssh2"),
        logon
    );
    assert_ne!(
        activity("error: PAM: Authentication failure for a from 203.0.113.7"),
        logon
    );
}
