//! Mail against a real SMTP server.

use crate::world::smtp::{Manners, server};
use crate::world::tls::Authority;
use crate::world::{Room, order, responder};
use habitus_responders::{Fault, Outcome};
use std::net::SocketAddr;
use std::time::Duration;

fn fields(address: SocketAddr, more: &str) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {}\nfrom = \"habitus <habitus@example.com>\"\nto = [\"soc@example.com\", \"oncall@example.com\"]\n\
         allow_networks = [\"127.0.0.0/8\"]\n{more}",
        address.port()
    )
}

fn trusting(authority: &Authority, tls: &str) -> String {
    format!("tls = \"{tls}\"\nca_file = \"{}\"", authority.ca_file.display())
}

#[tokio::test]
async fn a_mail_arrives_over_each_encryption() {
    let room = Room::new();
    let authority = Authority::new(&room, "ca.pem");
    let acceptor = authority.acceptor(&["127.0.0.1"]);
    for (manners, more, encrypted) in [
        (
            Manners {
                implicit: Some(acceptor.clone()),
                ..Manners::default()
            },
            trusting(&authority, "implicit"),
            true,
        ),
        (
            Manners {
                starttls: Some(acceptor.clone()),
                ..Manners::default()
            },
            trusting(&authority, "starttls"),
            true,
        ),
        (Manners::default(), "tls = \"none\"".to_owned(), false),
    ] {
        let server = server(manners).await;
        let outcome = responder("email", &fields(server.address, &more))
            .carry_out(&order())
            .await;
        assert_eq!(
            outcome,
            Outcome::Done {
                detail: "accepted for 2 of 2 recipients".to_owned()
            }
        );
        let mail = server.mail(0).await;
        assert_eq!(mail.encrypted, encrypted);
        let data = mail.data.unwrap();
        assert!(
            data.contains("Message-ID: <0f1e2d3c4b5a69788796a5b4c3d2e1f0@example.com>"),
            "{data}"
        );
        assert!(data.contains("Date: Fri, 02 Jan 2026 03:04:05 +0000"), "{data}");
    }
}

#[tokio::test]
async fn who_signs_in_does_so_with_the_secret_and_over_tls() {
    let room = Room::new();
    let authority = Authority::new(&room, "ca.pem");
    let server = server(Manners {
        starttls: Some(authority.acceptor(&["127.0.0.1"])),
        ..Manners::default()
    })
    .await;
    let login = format!(
        "user = \"habitus\"\npassword = {}",
        room.secret("password", "pass word\n")
    );
    let more = format!("{}\n{login}", trusting(&authority, "starttls"));
    let outcome = responder("email", &fields(server.address, &more))
        .carry_out(&order())
        .await;
    assert!(outcome.is_done(), "{outcome:?}");
    let commands = server.mail(0).await.commands;
    let starttls = commands.iter().position(|c| c == "STARTTLS").unwrap();
    let auth = commands
        .iter()
        .position(|c| c.starts_with("AUTH PLAIN "))
        .unwrap();
    assert!(starttls < auth, "{commands:?}");
    // \0habitus\0pass word
    assert_eq!(commands[auth], "AUTH PLAIN AGhhYml0dXMAcGFzcyB3b3Jk");
}

async fn with(instead: &'static [(&'static str, &'static str)]) -> Outcome {
    let server = server(Manners {
        instead: instead.to_vec(),
        ..Manners::default()
    })
    .await;
    responder("email", &fields(server.address, "tls = \"none\""))
        .carry_out(&order())
        .await
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    for (instead, expected) in [
        (&[("EHLO", "421 later")][..], "retry"),
        (&[("MAIL", "451 greylisted, try jane.doe@example.com")], "retry"),
        (&[("MAIL", "550 no")], "failed"),
        (&[("RCPT", "450 full")], "retry"),
        (&[("RCPT", "550 unknown jane.doe@example.com")], "failed"),
        (&[("RCPT TO:<oncall", "550 unknown")], "done"),
        (&[("DATA", "452 no room")], "retry"),
        (&[("MAIL", "RESET")], "retry"),
        (&[("DATA", "")], "retry"),
        (&[(".", "")], "unknown"),
        (&[(".", "RESET")], "unknown"),
        (&[(".", "451 scanner away")], "retry"),
        (&[(".", "554 spam")], "failed"),
        (&[("QUIT", "")], "done"),
        (&[("QUIT", "RESET")], "done"),
    ] {
        let outcome = with(instead).await;
        assert_eq!(outcome.name(), expected, "{instead:?}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("jane"), "{outcome:?}");
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let room = Room::new();
    let authority = Authority::new(&room, "ca.pem");
    let server = server(Manners::default()).await;
    let outcome = responder(
        "email",
        &fields(server.address, &trusting(&authority, "starttls")),
    )
    .carry_out(&order())
    .await;
    assert!(
        matches!(
            outcome,
            Outcome::Failed {
                fault: Fault::Responder,
                ..
            }
        ),
        "{outcome:?}"
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        server
            .mails()
            .iter()
            .all(|mail| mail.commands.iter().all(|c| c.starts_with("EHLO")))
    );
}

/// What an attacker in between slips in before TLS begins must not be taken for the server's word afterwards.
#[tokio::test]
async fn answers_injected_before_tls_break_the_conversation() {
    let room = Room::new();
    let authority = Authority::new(&room, "ca.pem");
    let server = server(Manners {
        starttls: Some(authority.acceptor(&["127.0.0.1"])),
        injected: "250-evil.test\r\n250 8BITMIME\r\n250 ok\r\n250 ok",
        ..Manners::default()
    })
    .await;
    let outcome = responder(
        "email",
        &fields(server.address, &trusting(&authority, "starttls")),
    )
    .carry_out(&order())
    .await;
    assert_eq!(outcome.name(), "retry", "{outcome:?}");
    assert!(server.mails().iter().all(|mail| mail.data.is_none()));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_believed() {
    let room = Room::new();
    let (ours, theirs) = (
        Authority::new(&room, "ours.pem"),
        Authority::new(&room, "theirs.pem"),
    );
    let acceptor = theirs.acceptor(&["127.0.0.1"]);
    for (manners, tls) in [
        (
            Manners {
                implicit: Some(acceptor.clone()),
                ..Manners::default()
            },
            "implicit",
        ),
        (
            Manners {
                starttls: Some(acceptor.clone()),
                ..Manners::default()
            },
            "starttls",
        ),
    ] {
        let server = server(manners).await;
        let outcome = responder("email", &fields(server.address, &trusting(&ours, tls)))
            .carry_out(&order())
            .await;
        assert_eq!(outcome.name(), "retry", "{tls}: {outcome:?}");
        assert!(server.mails().iter().all(|mail| mail.data.is_none()));
    }
}
