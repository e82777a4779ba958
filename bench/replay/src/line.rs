//! A login as a line of OCSF, with as much around it as such lines have.

use crate::world::{Login, START_MS, Spot, mixed};
use clap::ValueEnum;
use std::fmt::{self, Write};

/// How much each event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// What scoring reads and little else, about 350 bytes.
    Login,
    /// As products write it, about 700 bytes.
    Ocsf,
}

impl Kind {
    /// The name of its file.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Login => "login",
            Kind::Ocsf => "ocsf",
        }
    }
}

const COUNTRIES: [&str; 12] = [
    "DE", "FR", "US", "GB", "IN", "BR", "JP", "PL", "ES", "NL", "SE", "IT",
];

const AGENTS: [&str; 8] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36 Edg/{}.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
];
/// Browsers publish every four weeks; the log covers three such steps.
const VERSION_FIRST: u64 = 143;
const VERSION_MS: u64 = 28 * 86_400_000;

/// Appends the line and its line feed.
///
/// # Errors
/// None: writing to memory does not fail.
pub fn write(login: &Login, kind: Kind, out: &mut String) -> fmt::Result {
    match kind {
        Kind::Login => bare(login, out),
        Kind::Ocsf => full(login, out),
    }
}

fn bare(login: &Login, out: &mut String) -> fmt::Result {
    let Login {
        number,
        time,
        account,
        ..
    } = login;
    write!(
        out,
        r#"{{"metadata":{{"uid":"e-{number:08}"}},"time":{time},"type_uid":300201,"status_id":{},"user":{{"name":"p{account}@example.com"}},"#,
        status(login).0,
    )?;
    let [a, b, c, d] = login.spot.address;
    write!(
        out,
        r#""src_endpoint":{{"ip":"{a}.{b}.{c}.{d}","location":{{"country":"{}"}},"autonomous_system":{{"number":{}}}}},"#,
        country(login.spot),
        asn(login.spot),
    )?;
    out.push_str(r#""http_request":{"user_agent":""#);
    agent(login, out);
    out.push_str("\"}}\n");
    Ok(())
}

fn full(login: &Login, out: &mut String) -> fmt::Result {
    let Login {
        number,
        time,
        account,
        ..
    } = login;
    let (status_id, status) = status(login);
    write!(
        out,
        r#"{{"activity_id":1,"activity_name":"Logon","category_uid":3,"class_uid":3002,"type_uid":300201,"severity_id":1,"status_id":{status_id},"status":"{status}","time":{time},"metadata":{{"version":"1.8.0","uid":"e-{number:08}","product":{{"name":"identity","vendor_name":"example"}}}},"#,
    )?;
    write!(
        out,
        r#""user":{{"name":"p{account}@example.com","uid":"{:08x}","type_id":1}},"#,
        mixed(u64::from(*account), 5) >> 32,
    )?;
    let [a, b, c, d] = login.spot.address;
    let (latitude, longitude) = point(login.spot);
    write!(
        out,
        r#""src_endpoint":{{"ip":"{a}.{b}.{c}.{d}","location":{{"country":"{}","city":"City {}","lat":{latitude},"long":{longitude}}},"autonomous_system":{{"number":{},"name":"Provider {}"}}}},"#,
        country(login.spot),
        login.spot.city,
        asn(login.spot),
        login.spot.provider,
    )?;
    out.push_str(r#""http_request":{"user_agent":""#);
    agent(login, out);
    writeln!(
        out,
        r#""}},"auth_protocol_id":4,"is_mfa":{},"service":{{"name":"portal"}},"session":{{"uid":"{:016x}"}}}}"#,
        mixed(u64::from(*account), 11) % 3 == 0,
        mixed(u64::from(*number), 13),
    )
}

fn status(login: &Login) -> (u8, &'static str) {
    if login.succeeded {
        (1, "Success")
    } else {
        (2, "Failure")
    }
}

fn country(spot: Spot) -> &'static str {
    pick(&COUNTRIES, u64::from(spot.city))
}

/// Numbers that are assigned to nobody (RFC 6996).
fn asn(spot: Spot) -> u32 {
    4_200_000_000 + spot.city / 12 % 30 * 40 + spot.provider
}

/// Degrees with two decimals, within what every parser reads.
fn point(spot: Spot) -> (String, String) {
    let drawn = mixed(u64::from(spot.city), 17);
    let degrees = |whole: u64, hundredths: u64| format!("{whole}.{hundredths:02}");
    (
        degrees(30 + drawn % 30, (drawn >> 8) % 100),
        degrees((drawn >> 16) % 100, (drawn >> 24) % 100),
    )
}

fn agent(login: &Login, out: &mut String) {
    let habit = mixed(u64::from(login.account), 19 + u64::from(login.device));
    let template = pick(&AGENTS, habit);
    // Some update at once, some weeks later.
    let age = login.time.saturating_sub(START_MS);
    let version = VERSION_FIRST + (age + habit % VERSION_MS) / VERSION_MS;
    let mut parts = template.split("{}");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let _ = write!(out, "{version}");
        out.push_str(part);
    }
}

fn pick(list: &[&'static str], at: u64) -> &'static str {
    let length = u64::try_from(list.len()).unwrap_or(1).max(1);
    let index = usize::try_from(at % length).unwrap_or(0);
    list.get(index).copied().unwrap_or_default()
}
