//! Events of tests: facts that own themselves.

use habitus_model::{
    AccountId, AccountKind, Activity, Asn, Client, Confidence, Context, CountryCode, Disposition, EventTime,
    EventUid, Nats, Network, NetworkClass, Place, RiskScore, Status, TenantId, Text,
};
use habitus_policy::{EventFacts, Facts, Listed, Meaning, Signals, Thresholds};
use proptest::prelude::*;

/// An event with its assessment.
#[derive(Debug, Clone)]
pub struct Happening {
    pub uid: EventUid,
    pub context: Context,
    pub score: f64,
    pub confidence: f64,
    pub signals: Vec<(Text, f64)>,
    pub families: Vec<Text>,
    pub lists: Vec<(String, Meaning)>,
    pub mfa: Option<bool>,
    pub recommended: Option<Disposition>,
}

pub const SIGNALS: [&str; 4] = ["new_country", "new_device", "known_device", "fast_travel"];
pub const FAMILIES: [&str; 3] = ["network", "device", "motion"];
pub const ACCOUNTS: [&str; 4] = [
    "ann@example.com",
    "bob@example.com",
    "emergency@example.com",
    "svc-build",
];

pub fn at(ms: i64) -> EventTime {
    EventTime::from_millis(ms).unwrap()
}

impl Happening {
    pub fn new(uid: &str, account: Option<&str>, score: f64) -> Self {
        Self {
            uid: EventUid::new(uid),
            context: Context {
                tenant: TenantId::default(),
                account: account.map(AccountId::new),
                kind: AccountKind::Human,
                time: at(1_767_396_600_000),
                utc_offset: None,
                activity: Activity::from_ocsf(3002, 1),
                status: Status::Success,
                failure: None,
                strong_factor: false,
                second_factor: None,
                place: Place::default(),
                network: Network::default(),
                client: Client::default(),
                conduct: None,
            },
            score,
            confidence: 0.9,
            signals: Vec::new(),
            families: Vec::new(),
            lists: Vec::new(),
            mfa: None,
            recommended: None,
        }
    }

    pub fn lists(&self) -> Vec<Listed<'_>> {
        self.lists
            .iter()
            .map(|(name, meaning)| Listed {
                name,
                meaning: *meaning,
            })
            .collect()
    }

    pub fn facts<'a>(&'a self, lists: &'a [Listed<'a>]) -> Facts<'a> {
        let score = RiskScore::new(self.score);
        let decision = Thresholds::default().decide(score, self.context.status);
        Facts {
            uid: &self.uid,
            tenant: &self.context.tenant,
            context: &self.context,
            kind: self.context.kind,
            score,
            level: score.level(),
            log_odds: Nats(self.score / 10.0),
            confidence: Confidence::new(self.confidence),
            recommended: self.recommended.unwrap_or(decision.disposition),
            because: decision.because,
            signals: Signals::Named(&self.signals, &self.families),
            event: EventFacts {
                mfa: self.mfa,
                ..EventFacts::default()
            },
            lists,
            finding: None,
        }
    }
}

fn context() -> impl Strategy<Value = Context> {
    let account = prop::option::of(prop::sample::select(ACCOUNTS.to_vec()));
    let status = prop::sample::select(Status::ALL.to_vec());
    let country = prop::option::of(prop::sample::select(vec!["DE", "BR", "RU"]));
    let ip = prop::option::of(prop::sample::select(vec![
        "10.1.2.3",
        "203.0.113.9",
        "2001:db8::5",
    ]));
    let class = prop::sample::select(NetworkClass::ALL.to_vec());
    let asn = prop::option::of(1_u32..200);
    let rest = (any::<bool>(), 0_i64..4_000_000_000_000);
    (account, status, country, ip, class, asn, rest).prop_map(
        |(account, status, country, ip, class, asn, (strong_factor, ms))| Context {
            account: account.map(AccountId::new),
            status,
            strong_factor,
            time: at(ms),
            place: Place {
                country: country.and_then(CountryCode::new),
                ..Place::default()
            },
            network: Network {
                ip: ip.map(|ip| ip.parse().unwrap()),
                asn: asn.and_then(Asn::new),
                organisation: None,
                class,
            },
            ..Happening::new("0", None, 0.0).context
        },
    )
}

/// Any event.
pub fn happening() -> impl Strategy<Value = Happening> {
    let score = prop_oneof![
        0.0..100.0,
        prop::sample::select(vec![0.0, 20.0, 60.0, 80.0, 100.0])
    ];
    let signals = prop::sample::subsequence(SIGNALS.to_vec(), 0..=4);
    let families = prop::sample::subsequence(FAMILIES.to_vec(), 0..=3);
    let list = prop::sample::select(vec![
        ("office", Meaning::Other),
        ("bad", Meaning::Blocked),
        ("good", Meaning::Safe),
    ]);
    let lists = prop::collection::vec(list, 0..3);
    let nats = prop::collection::vec(-4.0..6.0, 4);
    let uid = any::<u32>();
    (
        context(),
        score,
        (signals, nats),
        families,
        lists,
        prop::option::of(any::<bool>()),
        uid,
    )
        .prop_map(
            |(context, score, (signals, nats), families, lists, mfa, uid)| Happening {
                context,
                signals: signals.into_iter().map(Text::from).zip(nats).collect(),
                families: families.into_iter().map(Text::from).collect(),
                lists: lists
                    .into_iter()
                    .map(|(name, meaning)| (name.to_owned(), meaning))
                    .collect(),
                mfa,
                ..Happening::new(&uid.to_string(), None, score)
            },
        )
}
