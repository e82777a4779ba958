//! Every format reads its fixtures (`fixtures/formats/<name>/`), written by hand after the vendor's documentation.
//!
//! `sample.log` holds one record per line, or records of several lines between lines `---`. `expected.ndjson` holds what
//! `habitus normalize` prints for it. `HABITUS_BLESS=1 cargo test -p habitus-normalize --test fixtures` writes it anew;
//! read the difference before committing it. `SOURCE.md` names the documents each sample was written after.

#![expect(
    clippy::unwrap_used,
    reason = "test code: a failure is what these make of a mistake"
)]

use habitus_model::{EventTime, UtcOffset};
use habitus_normalize::{FormatChoice, Normalizer, Options, formats, ocsf_out, stamp};
use std::fs;
use std::path::{Path, PathBuf};

/// The reference time of every fixture: stamps without a year lie before it.
const REFERENCE: &str = "2026-06-30T00:00:00Z";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/formats")
}

fn options() -> Options {
    Options {
        reference_time: stamp::iso(REFERENCE, UtcOffset::default()),
        keep_unmapped: true,
        ..Options::default()
    }
}

/// The records of a sample with the line each starts on.
fn records(sample: &str) -> Vec<(u64, String)> {
    let lines = sample.lines().zip(1_u64..);
    if !sample.lines().any(|line| line == "---") {
        return lines
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| (number, line.to_owned()))
            .collect();
    }
    let mut records: Vec<(u64, String)> = Vec::new();
    let mut is_open = false;
    for (line, number) in lines {
        match records.last_mut() {
            _ if line == "---" => is_open = false,
            Some((_, record)) if is_open => {
                record.push('\n');
                record.push_str(line);
            }
            _ => {
                records.push((number, line.to_owned()));
                is_open = true;
            }
        }
    }
    records
}

/// One line per event, and one per rejection, as `habitus normalize` prints them.
fn normalized(choice: FormatChoice, sample: &str) -> String {
    let normalizer = Normalizer::new(choice, options());
    let mut out = Vec::new();
    for (line, record) in records(sample) {
        let mut events = Vec::new();
        match normalizer.normalize(record.as_bytes(), line, &mut events) {
            Ok(_) => {
                for event in &events {
                    ocsf_out::write(event, &mut out);
                    out.push(b'\n');
                }
            }
            Err(rejection) => {
                let said = serde_json::json!({"line": line, "rejected": rejection.kind.name(), "reason": rejection.reason});
                out.extend_from_slice(said.to_string().as_bytes());
                out.push(b'\n');
            }
        }
    }
    String::from_utf8(out).unwrap()
}

fn bless(path: &Path, text: &str) -> bool {
    let wanted = std::env::var_os("HABITUS_BLESS").is_some();
    if wanted {
        fs::write(path, text).unwrap();
    }
    wanted
}

#[test]
fn every_format_reads_its_fixtures() {
    let mut wrong = Vec::new();
    for format in formats::ALL {
        let folder = fixtures().join(format.name());
        let Ok(sample) = fs::read_to_string(folder.join("sample.log")) else {
            wrong.push(format!("{}: no sample.log", format.name()));
            continue;
        };
        if !folder.join("SOURCE.md").exists() {
            wrong.push(format!("{}: no SOURCE.md", format.name()));
        }
        let ours = normalized(FormatChoice::Only(*format), &sample);
        if normalized(FormatChoice::Auto, &sample) != ours {
            wrong.push(format!(
                "{}: --format auto reads the sample otherwise",
                format.name()
            ));
        }
        let path = folder.join("expected.ndjson");
        if bless(&path, &ours) {
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let differing = ours.lines().zip(expected.lines()).find(|(a, b)| a != b);
        if let Some((ours, theirs)) = differing {
            wrong.push(format!(
                "{}:\n  reads    {ours}\n  expected {theirs}",
                format.name()
            ));
        } else if ours.lines().count() != expected.lines().count() {
            wrong.push(format!(
                "{}: {} lines, expected {}",
                format.name(),
                ours.lines().count(),
                expected.lines().count()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is printed is valid OCSF 1.8 and reads back to the same events.
#[test]
fn what_is_printed_is_ocsf() {
    let reader = Normalizer::new("ocsf".parse().unwrap(), options());
    let mut wrong = Vec::new();
    for format in formats::ALL {
        let Ok(sample) = fs::read_to_string(fixtures().join(format.name()).join("sample.log")) else {
            continue;
        };
        let printed = normalized(FormatChoice::Only(*format), &sample);
        for line in printed.lines().filter(|line| !line.starts_with("{\"line\"")) {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            // Classes that pass through by number keep only their header.
            if habitus_testkit::ocsf::knows(value["class_uid"].as_u64().unwrap()) {
                for error in habitus_testkit::ocsf::validate(&value) {
                    wrong.push(format!("{}: {error}\n  {line}", format.name()));
                }
            }
            let mut events = Vec::new();
            let mut again = Vec::new();
            reader.normalize(line.as_bytes(), 1, &mut events).unwrap();
            ocsf_out::write(&events[0], &mut again);
            if again != line.as_bytes() {
                wrong.push(format!(
                    "{}: reads back differently\n  {line}\n  {}",
                    format.name(),
                    String::from_utf8_lossy(&again)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reference_time_is_a_time() {
    assert!(options().reference_time.map(EventTime::as_millis) > Some(0));
}
