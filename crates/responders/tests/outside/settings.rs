//! Settings that are wrong say where, why and how to mend it, and never hold a secret.

use crate::world::{Room, exporter_toml, order, responder, responder_toml, try_build};
use habitus_model::Action;
use habitus_responders::{Fault, Guard, Outcome, Settings};

/// Kind, fields, the field that is wrong, and a word of the reason. `KEY`, `SHORT`, `HOOK` are references to secrets.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "webhook",
        "url = 'http://hooks.example.com/'\nsecret = KEY",
        "url",
        "plain http",
    ),
    (
        "webhook",
        "url = 'https://u:p@hooks.example.com/'\nsecret = KEY",
        "url",
        "password",
    ),
    (
        "webhook",
        "url = 'https://10.0.0.1/'\nsecret = KEY",
        "url",
        "private",
    ),
    (
        "webhook",
        "url = 'https://[::1]/'\nsecret = KEY",
        "url",
        "loopback",
    ),
    (
        "webhook",
        "url = 'http://8.8.8.8/'\nsecret = KEY",
        "url",
        "unencrypted",
    ),
    ("webhook", "url = 'hooks'\nsecret = KEY", "url", "not a URL"),
    (
        "webhook",
        "url = 'ftp://a.example/'\nsecret = KEY",
        "url",
        "neither https nor http",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = SHORT",
        "secret",
        "24 to 64",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = HOOK",
        "secret",
        "base64",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = 'hunter2'",
        "secret",
        "env:NAME",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = 'env:HABITUS_NO_SUCH'",
        "secret",
        "not set",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = KEY\nallow_networks = ['0.0.0.0/0']",
        "allow_networks",
        "everything",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = KEY\nallow_networks = ['::/0']",
        "allow_networks",
        "everything",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = KEY\nallow_networks = ['10']",
        "allow_networks",
        "no network",
    ),
    (
        "webhook",
        "url = 'https://a.example/'\nsecret = KEY\nca_file = '/nowhere'",
        "ca_file",
        "cannot be read",
    ),
    (
        "slack",
        "url = 'https://hooks.slack.com/services/T/B/hunter2'",
        "url",
        "never the secret",
    ),
    ("slack", "url = HOOK\nlink = 'https://x'", "link", "{finding}"),
    (
        "email",
        "host = 'mail.example.com'\nfrom = 'x'\nto = ['soc@example.com']",
        "from",
        "no mail",
    ),
    (
        "email",
        "host = 'mail.example.com'\nfrom = 'a@b.example'\nto = []",
        "to",
        "no recipient",
    ),
    (
        "email",
        "host = 'm.example'\nfrom = 'a@b.example'\nto = [\"a@b.example\\r\\nBcc: c@d.example\"]",
        "to",
        "no mail",
    ),
    (
        "email",
        "host = 'm.example'\nfrom = \"a\\nb <a@b.example>\"\nto = ['a@b.example']",
        "from",
        "no mail",
    ),
    (
        "email",
        "host = 'm.example'\nuser = 'u'\nfrom = 'a@b.example'\nto = ['a@b.example']",
        "password",
        "missing",
    ),
    (
        "email",
        "host = '127.0.0.1'\nfrom = 'a@b.example'\nto = ['a@b.example']",
        "host",
        "loopback",
    ),
    ("syslog", "host = 'collector:514'", "host", "no host"),
    (
        "syslog",
        "host = 'c.example'\nhostname = 'two words'",
        "hostname",
        "header",
    ),
    ("file", "path = '/nowhere/at/all'", "path", "appended"),
    ("file", "path = '/tmp'", "path", "appended"),
];

/// The same for exporters.
const EXPORT_MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("ocsf", "", "url", "missing"),
    (
        "ocsf",
        "url = 'https://a.example'\npath = '/tmp/x'",
        "url",
        "beside",
    ),
    (
        "ecs_bulk",
        "url = 'https://a.example'\nindex = 'A/../b'",
        "index",
        "no name",
    ),
    (
        "ecs_bulk",
        "url = 'https://a.example'\nindex = ''",
        "index",
        "no name",
    ),
    (
        "splunk_hec",
        "url = 'https://a.example'\ntoken = 'hunter2'",
        "token",
        "never the secret",
    ),
];

#[test]
fn each_mistake_names_its_field() {
    let room = Room::new();
    let references = [
        ("KEY", room.whsec()),
        ("SHORT", room.secret("short", "whsec_AAEC")),
        ("HOOK", room.secret("hook", "https://hooks.example.com/x")),
    ];
    let filled = |fields: &str| {
        let all = references.iter();
        all.fold(fields.to_owned(), |text, (word, reference)| {
            text.replace(word, reference)
        })
    };
    let responders = MISTAKES
        .iter()
        .map(|m| (responder_toml(m.0, &filled(m.1)), m.2, m.3));
    let exporters = EXPORT_MISTAKES
        .iter()
        .map(|m| (exporter_toml(m.0, &filled(m.1)), m.2, m.3));
    for (text, field, needle) in responders.chain(exporters) {
        let errors = try_build(&text, &Guard::default()).expect_err(&text);
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
