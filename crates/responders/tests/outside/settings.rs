//! Settings that are wrong say where, why and how to mend it, and never hold a secret.

use crate::world::{Room, exporter_toml, order, responder, responder_toml, try_build};
use habitus_model::Action;
use habitus_responders::{Fault, Guard, Outcome, Settings};

#[test]
fn each_mistake_names_its_field() {
    let room = Room::new();
    let key = room.whsec();
    let short = room.secret("short", "whsec_AAEC");
    let people = "from = \"habitus@example.com\"\nto = [\"soc@example.com\"]";
    for (text, field, needle) in [
        (
            responder_toml(
                "webhook",
                &format!("url = \"http://hooks.example.com/\"\nsecret = {key}"),
            ),
            "url",
            "plain http",
        ),
        (
            responder_toml(
                "webhook",
                &format!("url = \"https://u:p@hooks.example.com/\"\nsecret = {key}"),
            ),
            "url",
            "password",
        ),
        (
            responder_toml("webhook", &format!("url = \"https://10.0.0.1/\"\nsecret = {key}")),
            "url",
            "private",
        ),
        (
            responder_toml("webhook", &format!("url = \"hooks\"\nsecret = {key}")),
            "url",
            "not a URL",
        ),
        (
            responder_toml(
                "webhook",
                &format!("url = \"https://a.example/\"\nsecret = {short}"),
            ),
            "secret",
            "24 to 64",
        ),
        (
            responder_toml("webhook", "url = \"https://a.example/\"\nsecret = \"hunter2\""),
            "secret",
            "env:NAME",
        ),
        (
            responder_toml(
                "webhook",
                "url = \"https://a.example/\"\nsecret = \"env:HABITUS_NO_SUCH\"",
            ),
            "secret",
            "not set",
        ),
        (
            responder_toml(
                "webhook",
                &format!("url = \"https://a.example/\"\nsecret = {key}\nallow_networks = [\"0.0.0.0/0\"]"),
            ),
            "allow_networks",
            "everything",
        ),
        (
            responder_toml(
                "webhook",
                &format!("url = \"https://a.example/\"\nsecret = {key}\nallow_networks = [\"10\"]"),
            ),
            "allow_networks",
            "no network",
        ),
        (
            responder_toml(
                "webhook",
                &format!("url = \"https://a.example/\"\nsecret = {key}\nca_file = \"/nowhere\""),
            ),
            "ca_file",
            "cannot be read",
        ),
        (
            responder_toml("slack", "url = \"https://hooks.slack.com/services/T/B/hunter2\""),
            "url",
            "never the secret",
        ),
        (
            responder_toml(
                "slack",
                &format!(
                    "url = {}\nlink = \"https://x\"",
                    room.secret("u", "https://hooks.slack.com/x")
                ),
            ),
            "link",
            "{finding}",
        ),
        (
            responder_toml(
                "email",
                "host = \"mail.example.com\"\nfrom = \"x\"\nto = [\"soc@example.com\"]",
            ),
            "from",
            "no mail",
        ),
        (
            responder_toml(
                "email",
                "host = \"mail.example.com\"\nfrom = \"a@b.example\"\nto = []",
            ),
            "to",
            "no recipient",
        ),
        (
            responder_toml(
                "email",
                "host = \"mail.example.com\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\\r\\nBcc: c@d.example\"]",
            ),
            "to",
            "no mail",
        ),
        (
            responder_toml(
                "email",
                &format!("host = \"mail.example.com\"\nuser = \"u\"\n{people}"),
            ),
            "password",
            "missing",
        ),
        (
            responder_toml("email", &format!("host = \"127.0.0.1\"\n{people}")),
            "host",
            "loopback",
        ),
        (
            responder_toml("syslog", "host = \"collector:514\""),
            "host",
            "no host",
        ),
        (
            responder_toml("syslog", "host = \"c.example\"\nhostname = \"two words\""),
            "hostname",
            "header",
        ),
        (
            responder_toml("file", "path = \"/nowhere/at/all\""),
            "path",
            "appended",
        ),
        (
            responder_toml(
                "file",
                &format!("path = \"{}\"\nrotate_bytes = 0", room.path("f").display()),
            ),
            "rotate_bytes",
            "0",
        ),
        (exporter_toml("ocsf", ""), "url", "missing"),
        (
            exporter_toml("ocsf", "url = \"https://a.example\"\npath = \"/tmp/x\""),
            "url",
            "beside",
        ),
        (
            exporter_toml("ecs_bulk", "url = \"https://a.example\"\nindex = \"A/../b\""),
            "index",
            "no name",
        ),
    ] {
        let errors = try_build(&text, &Guard::default()).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}");
        let said = errors[0].to_string();
        assert_eq!(errors[0].field(), field, "{said}");
        assert!(said.contains(needle), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!errors[0].help().is_empty());
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_names_are_unique() {
    let room = Room::new();
    let file = format!("path = \"{}\"", room.path("a").display());
    let text = [
        responder_toml("file", &file),
        responder_toml("file", &format!("path = \"{}\"", room.path("b").display())),
        responder_toml("file", &file).replace("\"it\"", "\"other\""),
        responder_toml("file", &file).replace("\"it\"", "\"two words\""),
    ]
    .concat();
    let errors = try_build(&text, &Guard::default()).unwrap_err();
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].contains("used twice") && said[1].contains("its own file") && said[2].contains("not a name"),
        "{said:?}"
    );
}

#[test]
fn unknown_fields_and_kinds_are_errors() {
    for text in [
        responder_toml(
            "webhook",
            "url = \"https://a.example\"\nsecret = \"env:X\"\nsecrt = \"env:Y\"",
        ),
        responder_toml("slac", "url = \"env:X\""),
        responder_toml("syslog", "host = \"a\"\ntransport = \"carrier-pigeon\""),
        exporter_toml("ocsf", "urls = \"https://a.example\""),
        "[responders]\n".to_owned(),
    ] {
        assert!(toml::from_str::<Settings>(&text).is_err(), "{text}");
    }
    assert_eq!(toml::from_str::<Settings>("").unwrap(), Settings::default());
}

#[test]
fn relative_paths_start_at_the_configuration() {
    let text =
        responder_toml("file", "path = \"out/alerts.ndjson\"") + &exporter_toml("ocsf", "path = \"/abs/x\"");
    let mut settings: Settings = toml::from_str(&text).unwrap();
    settings.resolve_paths(std::path::Path::new("/etc/habitus"));
    let said = toml::to_string(&settings).unwrap();
    assert!(
        said.contains("\"/etc/habitus/out/alerts.ndjson\"") && said.contains("\"/abs/x\""),
        "{said}"
    );
}

#[tokio::test]
async fn who_only_tells_does_not_accept_to_block() {
    let room = Room::new();
    let registry = responder("file", &format!("path = \"{}\"", room.path("f").display()));
    for action in [Action::Challenge, Action::Block, Action::Revoke] {
        let mut order = order();
        order.action = action;
        let outcome = registry.carry_out(&order).await;
        assert!(
            matches!(
                outcome,
                Outcome::Failed {
                    fault: Fault::Order,
                    ..
                }
            ),
            "{outcome:?}"
        );
    }
    let mut stray = order();
    stray.responder = "nobody".into();
    let outcome = registry.carry_out(&stray).await;
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
    assert_eq!(std::fs::read(room.path("f")).unwrap(), b"");
}
