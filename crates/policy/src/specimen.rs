//! An event made of given facts: for the tests of policy files and of this crate.

use crate::facts::{EventFacts, Facts, Listed, Meaning, Signals};
use crate::thresholds::Thresholds;
use crate::variables;
use habitus_model::{
    AccountId, AccountKind, Activity, Asn, Client, Confidence, Context, CountryCode, DeviceType, Disposition,
    EventTime, EventUid, Nats, Network, NetworkClass, Place, RiskScore, Status, TenantId, Text,
};

/// A value given for a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A number, whole or not.
    Number(f64),
    /// An instant.
    Time(EventTime),
    /// A list of text.
    Texts(Vec<String>),
    /// Numbers by name.
    Numbers(Vec<(Text, f64)>),
}

/// An event that owns what [`Facts`] borrow. What is not given is unknown, the score 0, a logon of 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Specimen {
    /// Event id.
    pub uid: EventUid,
    /// Account, time, activity, status, place, network, client.
    pub context: Context,
    /// Score.
    pub score: RiskScore,
    /// Log-odds.
    pub log_odds: Nats,
    /// Confidence.
    pub confidence: Confidence,
    /// What the thresholds recommend; absent: what the default thresholds do.
    pub recommended: Option<Disposition>,
    /// Signals with nats.
    pub signals: Vec<(Text, f64)>,
    /// Families that speak against the owner.
    pub families: Vec<Text>,
    /// IP lists that hold the address.
    pub lists: Vec<(Text, Meaning)>,
    /// OCSF class and activity as asked for: `None` for a logon.
    class: Option<String>,
    activity: Option<String>,
    texts: [Option<Text>; 5],
    mfa: Option<bool>,
}

/// When nothing is given.
const EPOCH: EventTime = match EventTime::from_millis(0) {
    Some(time) => time,
    None => unreachable!(),
};

/// Places of the event's own words in `texts`.
const TEXTS: [&str; 5] = [
    "event.source",
    "event.action",
    "event.service",
    "event.method",
    "event.failure",
];

impl Default for Specimen {
    fn default() -> Self {
        Self {
            uid: EventUid::new("test"),
            context: Context {
                tenant: TenantId::default(),
                account: None,
                kind: AccountKind::Unknown,
                time: EPOCH,
                utc_offset: None,
                activity: Activity::from_ocsf(3002, 1),
                status: Status::Unknown,
                failure: None,
                strong_factor: false,
                second_factor: None,
                place: Place::default(),
                network: Network::default(),
                client: Client::default(),
                conduct: None,
            },
            score: RiskScore::new(0.0),
            log_odds: Nats(0.0),
            confidence: Confidence::new(1.0),
            recommended: None,
            signals: Vec::new(),
            families: Vec::new(),
            lists: Vec::new(),
            class: None,
            activity: None,
            texts: [const { None }; 5],
            mfa: None,
        }
    }
}

impl Specimen {
    /// Sets a variable.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn set(&mut self, path: &str, given: Given) -> Result<(), String> {
        match path {
            "score" => self.score = RiskScore::new(within(given, 100.0)?),
            "confidence" => self.confidence = Confidence::new(within(given, 1.0)?),
            "log_odds" => self.log_odds = Nats(number(given)?),
            "disposition" => {
                let name = text(given)?;
                let known = variables::disposition(&name);
                self.recommended = Some(known.ok_or("not a disposition")?);
            }
            "signals" => self.signals = numbers(given)?,
            "families" => self.families = texts(given)?,
            "strong_factor" => self.context.strong_factor = flag(given)?,
            "status" => self.context.status = one_of(&STATUSES, &text(given)?)?,
            "activity" => {
                self.activity = Some(text(given)?);
                self.resolve_activity()?;
            }
            "event.class" => {
                self.class = Some(text(given)?);
                self.resolve_activity()?;
            }
            "event.uid" => self.uid = EventUid::new(Text::new(text(given)?)),
            "event.tenant" => self.context.tenant = TenantId::new(Text::new(text(given)?)),
            "event.mfa" => self.mfa = Some(flag(given)?),
            "account.id" => {
                self.context.account = Some(AccountId::new(Text::new(text(given)?.to_lowercase())))
            }
            "account.kind" => self.context.kind = one_of(&KINDS, &text(given)?)?,
            "time" => match given {
                Given::Time(time) => self.context.time = time,
                _ => return Err("write a date with a time, such as 2026-01-02T03:04:05Z".to_owned()),
            },
            _ if path.starts_with("network.") => return self.set_network(path, given),
            _ if path.starts_with("client.") => return self.set_client(path, given),
            _ => return self.set_rest(path, given),
        }
        Ok(())
    }

    fn set_network(&mut self, path: &str, given: Given) -> Result<(), String> {
        let network = &mut self.context.network;
        match path {
            "network.ip" => {
                let ip: Result<std::net::IpAddr, _> = text(given)?.parse();
                network.ip = Some(ip.map_err(|_| "not an address")?.to_canonical());
            }
            "network.country" => {
                let code = text(given)?;
                self.context.place.country =
                    Some(CountryCode::new(&code).ok_or("not a country code of two letters")?);
            }
            "network.asn" => {
                let number = habitus_model::math::to_u32(number(given)?);
                network.asn = Some(Asn::new(number).ok_or("not a number of an autonomous system")?);
            }
            "network.organisation" => network.organisation = Some(Text::new(text(given)?)),
            "network.class" => network.class = one_of(&CLASSES, &text(given)?)?,
            "network.lists" => {
                let names = texts(given)?.into_iter().map(|name| (name, Meaning::Other));
                self.lists.extend(names);
            }
            "network.blocked" => self.list("blocked", Meaning::Blocked, flag(given)?),
            _ => self.list("safe", Meaning::Safe, flag(given)?),
        }
        Ok(())
    }

    fn set_client(&mut self, path: &str, given: Given) -> Result<(), String> {
        let client = &mut self.context.client;
        match path {
            "client.browser" => client.browser = Some(Text::new(text(given)?)),
            "client.version" => client.browser_version = habitus_model::math::to_u32(number(given)?),
            "client.os" => client.os = Some(Text::new(text(given)?)),
            "client.device" => client.device = one_of(&DEVICES, &text(given)?)?,
            _ => client.key = Some(Text::new(text(given)?)),
        }
        Ok(())
    }

    fn set_rest(&mut self, path: &str, given: Given) -> Result<(), String> {
        let place = TEXTS
            .iter()
            .zip(&mut self.texts)
            .find(|(known, _)| **known == path);
        if let Some((_, place)) = place {
            *place = Some(Text::new(text(given)?));
            return Ok(());
        }
        Err(match path {
            "level" => "it follows from `score`".to_owned(),
            _ => "it follows from `time`, such as 2026-01-02T03:04:05Z".to_owned(),
        })
    }

    fn list(&mut self, name: &str, meaning: Meaning, holds: bool) {
        if holds {
            self.lists.push((Text::new(name), meaning));
        }
    }

    /// Finds the activity by the names that were given so far.
    fn resolve_activity(&mut self) -> Result<(), String> {
        let snake = |caption: &str| caption.to_lowercase().replace(' ', "_");
        let matches = |activity: &Activity| {
            let named = |wanted: &Option<String>, name: &str| {
                wanted.as_deref().is_none_or(|wanted| wanted == snake(name))
            };
            named(&self.activity, activity.activity_name()) && named(&self.class, activity.class_name())
        };
        let classes = [3002, 3001, 3003, 3004, 3005, 3006, 6003];
        let ids = (1..=14).chain([0, 99]);
        let all = classes
            .into_iter()
            .flat_map(|class| ids.clone().map(move |id| Activity::from_ocsf(class, id)));
        let found = all.into_iter().find(matches);
        self.context.activity = found.ok_or("no OCSF class and activity are named so")?;
        Ok(())
    }

    /// Asks with these facts. `lists` is made by [`Specimen::listed`].
    pub fn facts<'a>(&'a self, lists: &'a [Listed<'a>]) -> Facts<'a> {
        let decision = Thresholds::default().decide(self.score, self.context.status);
        let [source, action, service, method, failure] = &self.texts;
        Facts {
            uid: &self.uid,
            tenant: &self.context.tenant,
            context: &self.context,
            kind: self.context.kind,
            score: self.score,
            level: self.score.level(),
            log_odds: self.log_odds,
            confidence: self.confidence,
            recommended: self.recommended.unwrap_or(decision.disposition),
            because: decision.because,
            signals: Signals::Named(&self.signals, &self.families),
            event: EventFacts {
                source: source.as_deref(),
                action: action.as_deref(),
                service: service.as_deref(),
                method: method.as_deref(),
                failure: failure.as_deref(),
                mfa: self.mfa,
            },
            lists,
            finding: None,
        }
    }

    /// The lists that hold its address, as facts want them.
    pub fn listed(&self) -> Vec<Listed<'_>> {
        let lists = self.lists.iter();
        lists
            .map(|(name, meaning)| Listed {
                name,
                meaning: *meaning,
            })
            .collect()
    }
}

const STATUSES: [(&str, Status); 3] = [
    ("success", Status::Success),
    ("failure", Status::Failure),
    ("other", Status::Other),
];
const KINDS: [(&str, AccountKind); 5] = [
    ("human", AccountKind::Human),
    ("privileged", AccountKind::Privileged),
    ("shared", AccountKind::Shared),
    ("service", AccountKind::Service),
    ("vendor", AccountKind::Vendor),
];
const CLASSES: [(&str, NetworkClass); 6] = [
    ("fixed", NetworkClass::Fixed),
    ("mobile", NetworkClass::Mobile),
    ("hosting", NetworkClass::Hosting),
    ("relay", NetworkClass::Relay),
    ("corporate", NetworkClass::Corporate),
    ("private", NetworkClass::Private),
];
const DEVICES: [(&str, DeviceType); 4] = [
    ("desktop", DeviceType::Desktop),
    ("mobile", DeviceType::Mobile),
    ("tablet", DeviceType::Tablet),
    ("automation", DeviceType::Automation),
];

fn one_of<T: Copy>(known: &[(&str, T)], name: &str) -> Result<T, String> {
    let found = known
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value);
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    found.ok_or_else(|| format!("it is one of: {}", names.join(", ")))
}

fn text(given: Given) -> Result<String, String> {
    match given {
        Given::Text(text) if !text.is_empty() => Ok(text),
        Given::Text(_) => Err("it is empty: leave it out if it is unknown".to_owned()),
        _ => Err("it is text".to_owned()),
    }
}

fn flag(given: Given) -> Result<bool, String> {
    match given {
        Given::Flag(flag) => Ok(flag),
        _ => Err("it is true or false".to_owned()),
    }
}

fn number(given: Given) -> Result<f64, String> {
    match given {
        Given::Number(number) => Ok(number),
        _ => Err("it is a number".to_owned()),
    }
}

fn within(given: Given, most: f64) -> Result<f64, String> {
    let number = number(given)?;
    let message = || format!("it is between 0 and {most}");
    Some(number)
        .filter(|number| (0.0..=most).contains(number))
        .ok_or_else(message)
}

fn texts(given: Given) -> Result<Vec<Text>, String> {
    match given {
        Given::Texts(texts) => Ok(texts.into_iter().map(Text::from).collect()),
        _ => Err("it is a list of text".to_owned()),
    }
}

fn numbers(given: Given) -> Result<Vec<(Text, f64)>, String> {
    match given {
        Given::Numbers(numbers) => Ok(numbers),
        _ => Err("it is a table of numbers, such as { new_country = 3.1 }".to_owned()),
    }
}
