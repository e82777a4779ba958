//! Flagged events to try things with.

use habitus_findings::{Act, Ask, Command, CommandId, FindingId, Findings, Hit, Line, Settings, View};
use habitus_model::{
    AccountId, AccountKind, Activity, Asn, AttackerProfile, Client, Confidence, Context, DeviceType,
    Disposition, EventTime, EventUid, Family, IngestTime, Nats, Network, NetworkClass, Place, RiskScore,
    Status, TenantId, Text, Verdict,
};

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR: i64 = 1_767_225_600_000;

/// A successful login of `account` with a new network, this many minutes into the year.
pub fn hit(uid: &str, account: Option<&str>, minute: i64, score: f64) -> Hit {
    let score = RiskScore::new(score);
    let mut hit = Hit {
        uid: EventUid::new(uid),
        context: context(account, minute),
        source: Text::new("okta"),
        kind: AccountKind::Human,
        score,
        log_odds: Nats(score.get() / 8.0),
        level: score.level(),
        confidence: Confidence::new(0.7),
        profile: AttackerProfile::Opportunistic,
        disposition: Disposition::Review,
        because: Text::new("review_from"),
        lines: vec![
            line("new_network", Some(Family::Network), 9.0),
            line("known_device", Some(Family::Device), -2.0),
            line("prior", None, 1.0),
        ],
        blind: Vec::new(),
        grounds: None,
    };
    from(&mut hit, "203.0.113.7");
    hit
}

fn context(account: Option<&str>, minute: i64) -> Context {
    Context {
        tenant: TenantId::default(),
        account: account.map(AccountId::new),
        kind: AccountKind::Human,
        time: at(minute),
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
    }
}

pub fn line(signal: &str, family: Option<Family>, nats: f64) -> Line {
    Line {
        signal: Text::new(signal),
        family,
        nats: Nats(nats),
        text: format!("{} seen", signal.replace('_', " ")),
    }
}

pub fn at(minute: i64) -> EventTime {
    EventTime::from_millis(NEW_YEAR + minute * 60_000).unwrap()
}

pub fn said(minute: i64) -> IngestTime {
    IngestTime::from_millis(NEW_YEAR + minute * 60_000).unwrap()
}

pub fn from(hit: &mut Hit, ip: &str) {
    hit.context.network.ip = Some(ip.parse().unwrap());
}

/// From a rented address, with this browser.
pub fn rented(hit: &mut Hit, ip: &str, browser: &str) {
    from(hit, ip);
    hit.context.network.asn = Asn::new(64_500);
    hit.context.network.class = NetworkClass::Hosting;
    hit.context.client = Client {
        device: DeviceType::Desktop,
        browser: Some(Text::new(browser)),
        ..Client::default()
    };
}

/// Stands out by this family alone.
pub fn by(hit: &mut Hit, family: Family) {
    hit.lines = vec![line("something", Some(family), 8.0)];
}

pub fn findings() -> Findings {
    Findings::new(Settings::default())
}

pub fn settled(hits: &[Hit]) -> Findings {
    let mut findings = findings();
    for hit in hits {
        findings.settle(hit);
    }
    findings
}

pub fn view(findings: &Findings, id: &FindingId) -> View {
    findings.get(id).unwrap()
}

/// What the analyst `ada` asks, `n` minutes into the year.
pub fn command(n: i64, finding: &FindingId, act: Act) -> Command {
    Command {
        id: CommandId(Text::from(format!("c-{n}"))),
        finding: finding.clone(),
        by: Text::new("ada"),
        at: said(n),
        act,
    }
}

pub fn judge(n: i64, finding: &FindingId, verdict: Verdict) -> Command {
    command(n, finding, Act::Judge(Ask::new(verdict)))
}
