//! Servers on loopback, and the order that is carried out in most tests.

pub mod http;
pub mod read_back;
pub mod smtp;
pub mod tls;

use habitus_model::{
    AccountId, Action, Disposition, EventTime, EventUid, Notice, Order, RiskLevel, RiskScore, TenantId,
};
use habitus_responders::{BuildError, Clock, Guard, Limits, Registry, Settings, build};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// 2026-01-02T03:04:05.123Z.
pub const NOW_MS: i64 = 1_767_323_045_123;

/// The name of the one part that `part` builds.
pub const NAME: &str = "it";

pub fn clock() -> Clock {
    Clock::new(|| NOW_MS)
}

/// Waits until a server has kept this many, since it may be behind the client; then gives them.
pub async fn kept<T: Clone>(store: &Mutex<Vec<T>>, count: usize) -> Vec<T> {
    for _ in 0..500 {
        let found = store.lock().unwrap().clone();
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} did not come");
}

/// Patience that keeps tests quick.
pub fn quick() -> Guard {
    Guard::default().with_limits(Limits {
        connect: Duration::from_secs(2),
        whole: Duration::from_secs(3),
        ..Limits::default()
    })
}

pub fn order() -> Order {
    let at = |ms| EventTime::from_millis(ms).unwrap();
    Order {
        id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        responder: NAME.into(),
        action: Action::Notify,
        made: at(NOW_MS),
        expires: at(NOW_MS + 3_600_000),
        notice: Notice {
            finding: Some("fnd-7f3a".into()),
            event: EventUid::new("evt-000001"),
            tenant: TenantId::new("acme"),
            account: Some(AccountId::new("jane.doe@example.com")),
            time: at(NOW_MS - 1_000),
            score: RiskScore::new(82.4),
            level: RiskLevel::Critical,
            disposition: Disposition::Challenge,
            title: "Sign-in from a new country & an unseen device".to_owned(),
            reasons: vec![
                "8,100 km/h from the previous sign-in".to_owned(),
                "device never seen".to_owned(),
            ],
            rule: "takeover-high".into(),
            policy: "7".into(),
        },
    }
}

/// A folder for secrets and files of one test.
pub struct Room {
    pub folder: TempDir,
}

impl Room {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a secret; gives the reference in TOML.
    pub fn secret(&self, name: &str, value: &str) -> String {
        std::fs::write(self.path(name), value).unwrap();
        format!("\"file:{}\"", self.path(name).display())
    }

    /// A webhook key.
    pub fn whsec(&self) -> String {
        self.secret("whsec", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    }

    /// The settings of each HTTP responder towards one URL, with loopback allowed.
    pub fn http_responders(&self, url: &str) -> Vec<(&'static str, String)> {
        let allow = r#"allow_networks = ["127.0.0.0/8", "::1/128"]"#;
        vec![
            (
                "webhook",
                format!("url = \"{url}/hook\"\nsecret = {}\n{allow}", self.whsec()),
            ),
            (
                "slack",
                format!(
                    "url = {}\n{allow}",
                    self.secret("slack", &format!("{url}/services/T/B/x"))
                ),
            ),
            (
                "pagerduty",
                format!(
                    "url = \"{url}/v2/enqueue\"\nrouting_key = {}\n{allow}",
                    self.secret("key", "R0UT1NG")
                ),
            ),
        ]
    }

    /// The settings of each HTTP exporter towards one URL, with loopback allowed.
    pub fn http_exporters(&self, url: &str) -> Vec<(&'static str, String)> {
        let allow = r#"allow_networks = ["127.0.0.0/8", "::1/128"]"#;
        vec![
            ("ocsf", format!("url = \"{url}/in\"\n{allow}")),
            ("ecs_bulk", format!("url = \"{url}\"\n{allow}")),
            (
                "splunk_hec",
                format!(
                    "url = \"{url}\"\ntoken = {}\n{allow}",
                    self.secret("hec", "t0ken")
                ),
            ),
        ]
    }
}

/// Settings with one responder.
pub fn responder_toml(kind: &str, fields: &str) -> String {
    format!("[[responder]]\nname = \"{NAME}\"\nkind = \"{kind}\"\n{fields}\n")
}

/// Settings with one exporter.
pub fn exporter_toml(kind: &str, fields: &str) -> String {
    format!("[[exporter]]\nname = \"{NAME}\"\nkind = \"{kind}\"\n{fields}\n")
}

pub fn try_build(text: &str, guard: &Guard) -> Result<Registry, Vec<BuildError>> {
    let settings: Settings = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    build(&settings, guard, &clock())
}

pub fn built(text: &str, guard: &Guard) -> Registry {
    try_build(text, guard).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

/// One responder, ready.
pub fn responder(kind: &str, fields: &str) -> Registry {
    built(&responder_toml(kind, fields), &quick())
}

/// A finding as it is made elsewhere.
pub fn finding() -> serde_json::Value {
    let path = habitus_testkit::fixture("responders/finding.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
