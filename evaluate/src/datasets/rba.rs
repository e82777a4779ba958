//! RBA: Wiefling et al., "Pump Up Password Security!", ACM TOPS 2022 (Zenodo 6782156), `rba-dataset.csv`.
//!
//! `index, Login Timestamp, User ID, Round-Trip Time [ms], IP Address, Country, Region, City, ASN, User Agent String, Browser
//! Name and Version, OS Name and Version, Device Type, Login Successful, Is Attack IP, Is Account Takeover`.

use super::{DatasetError, Input, Line, Rows, attack, csv_rows, date, take};
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::{AccountKind, Activity, Asn, FailureReason, Status, Text, User};
use habitus_sim::{Cohort, Label, Labelled, ScenarioKind};

pub(super) fn open(mut inputs: Vec<Input>) -> Result<Rows, DatasetError> {
    let file = take(&mut inputs, "rba", "name the file rba-dataset.csv")?;
    Ok(csv_rows(file, row))
}

fn row(line: &Line<'_>) -> Result<Labelled, DatasetError> {
    let text = |at, field| {
        line.get(at, field)
            .map(|text| Some(text).filter(|text| !matches!(*text, "" | "-")))
    };
    let said = |at, field| match line.get(at, field)? {
        "True" | "TRUE" | "true" => Ok(true),
        "False" | "FALSE" | "false" => Ok(false),
        _ => Err(line.wrong(field)),
    };
    let logon = ("rba", Activity::Authentication(Auth::Logon), "login");
    let mut event = line.event(date::iso(line.get(1, "Login Timestamp")?), logon)?;
    event.account = User {
        name: text(2, "User ID")?.map(Text::new),
        kind: AccountKind::Human,
        ..User::default()
    };
    event.src.ip = text(4, "IP Address")?.and_then(|ip| ip.parse().ok());
    event.src.country = text(5, "Country")?.map(Text::new);
    event.src.region = text(6, "Region")?.map(Text::new);
    event.src.city = text(7, "City")?.map(Text::new);
    event.src.asn = text(8, "ASN")?.and_then(|asn| Asn::new(asn.parse().ok()?));
    event.client.user_agent = text(9, "User Agent String")?.map(Text::new);
    event.client.browser = text(10, "Browser Name and Version")?.map(Text::new);
    event.client.os = text(11, "OS Name and Version")?.map(Text::new);
    let succeeded = said(13, "Login Successful")?;
    event.status = if succeeded {
        Status::Success
    } else {
        Status::Failure
    };
    event.failure = (!succeeded).then_some(FailureReason::InvalidCredentials);
    // Attackers' failures are no owner's: they count for nobody, and takeovers are the attacks.
    let label = match (said(15, "Is Account Takeover")?, said(14, "Is Attack IP")?) {
        (true, _) => attack(
            ScenarioKind::TakeoverCampaign,
            usize::try_from(line.line).unwrap_or(0),
        ),
        (false, true) if !succeeded => attack(ScenarioKind::CredentialStuffing, 0),
        (false, _) if !succeeded => Label::Legitimate(Cohort::FailedByOwner),
        (false, _) => Label::Legitimate(Cohort::Usual),
    };
    Ok(Labelled { event, label })
}
