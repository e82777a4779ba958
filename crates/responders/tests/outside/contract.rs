//! What each target is sent, held against files written after the vendors' documentation. `HABITUS_BLESS=1` writes them anew;
//! then read the difference before you commit it.

use crate::syslog::{collector, frames};
use crate::world::http::{Seen, answer, site};
use crate::world::smtp::{Manners, server};
use crate::world::{Room, built, exporter_toml, finding, order, quick, responder};
use serde_json::{Value, json};
use std::fs;

fn check(path: &str, ours: &str) {
    let path = habitus_testkit::workspace_root()
        .join("fixtures/responders")
        .join(path);
    if std::env::var_os("HABITUS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, ours).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        ours == expected,
        "{}:\nsent\n{ours}\nexpected\n{expected}",
        path.display()
    );
}

/// The request as a file: the headers that matter, then the body.
fn shown(seen: &Seen, headers: &[&str], body: &Value) -> String {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|name| ((*name).to_owned(), seen.header(name).into()))
        .collect();
    let whole = json!({"target": seen.target, "headers": headers, "body": body});
    format!(
        "{}\n",
        serde_json::to_string_pretty(&whole)
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    )
}

#[tokio::test]
async fn http_responders_send_what_their_targets_document() {
    let site = site(|_, _| answer(200, &[], "ok")).await;
    let room = Room::new();
    let link = "link = \"https://habitus.example.com/findings/{finding}\"";
    for (number, (kind, fields)) in room.http_responders(&site.url()).into_iter().enumerate() {
        let (link, headers) = match kind {
            "webhook" => (
                "",
                &[
                    "content-type",
                    "webhook-id",
                    "webhook-timestamp",
                    "webhook-signature",
                ][..],
            ),
            _ => (link, &["content-type"][..]),
        };
        let outcome = responder(kind, &format!("{fields}\n{link}"))
            .carry_out(&order())
            .await;
        assert!(outcome.is_done(), "{outcome:?}");
        let seen = site.seen().remove(number);
        check(
            &format!("{kind}/request.json"),
            &shown(&seen, headers, &seen.json()),
        );
    }
}

#[tokio::test]
async fn lines_and_mails_are_as_documented() {
    let room = Room::new();
    for format in ["ocsf", "cef"] {
        let path = room.path(format);
        let registry = responder(
            "file",
            &format!("path = \"{}\"\nformat = \"{format}\"", path.display()),
        );
        assert!(registry.carry_out(&order()).await.is_done());
        let line = fs::read_to_string(path)
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION");
        check(&format!("file/{format}.txt"), &line);
        let (address, kept) = collector(None).await;
        let fields = format!(
            "host = \"127.0.0.1\"\nport = {}\ntransport = \"tcp\"\nformat = \"{format}\"\nallow_networks = [\"127.0.0.0/8\"]",
            address.port()
        );
        assert!(responder("syslog", &fields).carry_out(&order()).await.is_done());
        let frame = frames(&crate::world::kept(&kept, 1).await[0]).remove(0);
        let frame = String::from_utf8(frame)
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION");
        check(&format!("syslog/{format}.txt"), &format!("{frame}\n"));
    }
    let server = server(Manners::default()).await;
    let fields = format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"habitus@example.com\"\nto = [\"soc@example.com\"]\n\
         allow_networks = [\"127.0.0.0/8\"]\nlink = \"https://habitus.example.com/findings/{{finding}}\"",
        server.address.port()
    );
    assert!(responder("email", &fields).carry_out(&order()).await.is_done());
    check(
        "email/mail.txt",
        &server.mail(0).await.data.unwrap().replace("\r\n", "\n"),
    );
}

#[tokio::test]
async fn http_exporters_send_what_their_targets_document() {
    let site = site(|_, _| answer(200, &[], r#"{"code":0,"items":[{"create":{"status":201}}]}"#)).await;
    let room = Room::new();
    for (number, (kind, fields)) in room.http_exporters(&site.url()).into_iter().enumerate() {
        let registry = built(&exporter_toml(kind, &fields), &quick());
        let (_, exporter) = registry.exporters().next().unwrap();
        assert!(exporter.export(&[finding()]).await[0].is_done());
        let seen = site.seen().remove(number);
        let values: Vec<Value> = serde_json::Deserializer::from_slice(&seen.body)
            .into_iter::<Value>()
            .map(Result::unwrap)
            .collect();
        check(
            &format!("{kind}/request.json"),
            &shown(&seen, &["content-type"], &Value::Array(values)),
        );
    }
}

/// The finding that is exported is one that the schema accepts.
#[test]
fn the_finding_is_ocsf() {
    assert_eq!(habitus_testkit::ocsf::validate(&finding()), Vec::<String>::new());
}
