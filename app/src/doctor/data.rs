//! What the data directory tells while a server may run: the clock against the log, snapshots, sources.

use super::machine::shown;
use super::{Check, Patient};
use crate::serve::{Kind, keyring};
use habitus_journal::Record;
use habitus_journal::log::newest;
use habitus_journal::storage::RealFs;
use habitus_model::IngestTime;
use habitus_sources::live::SourceKind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// A clock that went back by more than this makes ids live longer and orders expire later; less is NTP at work.
const CLOCK_BACK_MS: i64 = 5_000;
/// When this was written: a clock before it was never set.
const BUILT_MS: i64 = 1_764_460_800_000;
/// A snapshot that is this many times as old as configured did not happen.
const SNAPSHOTS_MISSED: i64 = 3;
/// A source's silence that is worth a look: most are not silent over a night and a day.
const SILENCE_MS: i64 = 36 * 3_600_000;
/// Bytes that a file is ahead of what was read of it: some seconds of a busy log.
const BEHIND_BYTES: u64 = 64 << 20;

/// The newest part of the log.
#[derive(Default)]
struct Newest {
    last: Option<IngestTime>,
    records: u64,
    lost: u64,
    /// When each source was last heard of.
    sources: BTreeMap<String, IngestTime>,
}

/// All that there is to say of it.
pub fn all(patient: &Patient<'_>) -> Vec<Check> {
    let read = read(patient);
    let newest = match &read {
        Ok(newest) => newest,
        Err(check) => return vec![clock(patient, None), check.clone()],
    };
    vec![
        clock(patient, newest.last),
        log(newest),
        snapshot(patient, newest),
        sources(patient, newest),
    ]
}

fn read(patient: &Patient<'_>) -> Result<Newest, Check> {
    let path = patient.layout.part("log");
    let mut found = Newest::default();
    if !path.is_dir() {
        return Ok(found);
    }
    let wrong = |what: String, fix: &str| Check::fail("log", what, fix);
    let keys = keyring(patient.loaded.config.serve.encryption_key.as_deref())
        .map_err(|failure| wrong(failure.to_string(), failure.advice().unwrap_or_default()))?;
    let unreadable = |error: habitus_journal::Error| {
        let failure = crate::serve::failure(error);
        wrong(failure.to_string(), failure.advice().unwrap_or_default())
    };
    let reader = newest(Arc::new(RealFs::look(&path)), keys).map_err(unreadable)?;
    let Some(mut reader) = reader else {
        return Ok(found);
    };
    for record in reader.by_ref() {
        found.take(&record.map_err(unreadable)?);
    }
    // What is being written now may look like damage at the end; it has no head, and so no records that are missed.
    found.lost = reader.damage().records_lost;
    Ok(found)
}

impl Newest {
    fn take(&mut self, record: &Record) {
        let entry = &record.entry;
        self.records += 1;
        self.last = self.last.max(Some(entry.ingested));
        if Kind::of(entry.kind) == Some(Kind::Event) {
            let heard = self
                .sources
                .entry(entry.source.to_string())
                .or_insert(entry.ingested);
            *heard = (*heard).max(entry.ingested);
        }
    }
}

/// Whether the clock can be right.
fn clock(patient: &Patient<'_>, last: Option<IngestTime>) -> Check {
    let name = "clock";
    let fix = "set it, and keep it set: systemctl enable --now systemd-timesyncd (or chrony)";
    let now = patient.now.as_millis();
    if now < BUILT_MS {
        return Check::fail(name, "the clock is before this program was written", fix);
    }
    let ahead = last.map_or(0, |last| last.as_millis() - now);
    if ahead > CLOCK_BACK_MS {
        let found = format!(
            "the clock is {} before the last entry of the log",
            duration(ahead)
        );
        return Check::fail(name, found, fix);
    }
    match last {
        Some(last) => {
            let since = duration(now - last.as_millis());
            Check::ok(name, format!("the last entry of the log came {since} ago"))
        }
        None => Check::ok(name, "nothing in the log contradicts it"),
    }
}

fn log(newest: &Newest) -> Check {
    if newest.lost > 0 {
        let found = format!("{} records of the newest segment are lost to damage", newest.lost);
        let fix = "look at the disk (dmesg, smartctl), keep a copy, and restore a backup if they are needed";
        return Check::fail("log", found, fix);
    }
    match newest.records {
        0 => Check::skip("log", "there is none yet"),
        records => Check::ok(
            "log",
            format!("{records} records in the newest segment, all whole"),
        ),
    }
}

/// Whether snapshots are taken: without them a start reads the whole log.
fn snapshot(patient: &Patient<'_>, newest: &Newest) -> Check {
    let name = "snapshot";
    let path = patient.layout.part("snapshots");
    let Some(last) = newest.last else {
        return Check::skip(name, "nothing was taken in yet");
    };
    let minutes = i64::from(patient.loaded.config.serve.snapshot_minutes);
    let limit = SNAPSHOTS_MISSED * minutes * 60_000;
    let fix =
        "the server's log says why: space, or a state that cannot be written; until then a start takes long";
    let Some((taken, bytes)) = latest(&path) else {
        let found = "none was taken yet";
        return if patient.now.as_millis() - last.as_millis() > limit {
            Check::warn(name, found, fix)
        } else {
            Check::ok(name, found)
        };
    };
    let behind = last.as_millis() - taken;
    let age = duration(patient.now.as_millis() - taken);
    let found = format!("taken {age} ago, {}", shown(bytes));
    if behind > limit {
        let found = format!("{found}, and {} of the log came since", duration(behind));
        return Check::warn(name, found, fix);
    }
    Check::ok(name, found)
}

/// When the newest snapshot was written, and its size.
fn latest(path: &Path) -> Option<(i64, u64)> {
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    let snapshots = entries.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "snap"));
    let newest = snapshots.max_by_key(fs::DirEntry::file_name)?.metadata().ok()?;
    let since = newest.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((i64::try_from(since.as_millis()).ok()?, newest.len()))
}

/// Which sources are silent, and which files are read too slowly.
fn sources(patient: &Patient<'_>, newest: &Newest) -> Check {
    let name = "sources";
    let configured = &patient.loaded.config.source;
    if configured.is_empty() && newest.sources.is_empty() {
        return Check::skip(name, "none is configured, and nothing came");
    }
    let now = patient.now.as_millis();
    let mut heard: Vec<String> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    for (source, last) in &newest.sources {
        let since = now - last.as_millis();
        heard.push(format!("`{source}` {} ago", duration(since)));
        if since > SILENCE_MS {
            wrong.push(format!("`{source}` has been silent for {}", duration(since)));
        }
    }
    for source in configured {
        if source.kind == SourceKind::Tail {
            let behind = behind(
                &patient
                    .layout
                    .part("sources")
                    .join(format!("{}.json", source.name)),
            );
            if behind > BEHIND_BYTES {
                wrong.push(format!("`{}` is {} behind its files", source.name, shown(behind)));
            }
        }
        if !newest.sources.contains_key(&source.name) && newest.records > 0 {
            wrong.push(format!("`{}` is in none of the newest records", source.name));
        }
    }
    if wrong.is_empty() {
        return Check::ok(name, format!("last heard of: {}", heard.join(", ")));
    }
    let fix =
        "look at what sends them, at their paths and permissions, and at /v1/sources of the running server";
    Check::warn(name, wrong.join("; "), fix)
}

/// Bytes of files that were not read yet, by a tail's checkpoints; 0 if there are none.
fn behind(checkpoints: &Path) -> u64 {
    let text = fs::read_to_string(checkpoints).unwrap_or_default();
    let stored: Value = serde_json::from_str(&text).unwrap_or_default();
    let files = stored
        .get("files")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let of_one = |file: &Value| {
        let path = file.get("path").and_then(Value::as_str)?;
        let read = file.get("offset").and_then(Value::as_u64)?;
        Some(fs::metadata(path).ok()?.len().saturating_sub(read))
    };
    files.iter().filter_map(of_one).sum()
}

/// A duration as people say it.
fn duration(ms: i64) -> String {
    const UNITS: [(&str, i64); 4] = [
        ("day", 86_400_000),
        ("hour", 3_600_000),
        ("minute", 60_000),
        ("second", 1_000),
    ];
    let unit = UNITS.iter().find(|(_, length)| ms >= *length);
    match unit.map(|(unit, length)| (*unit, ms / length)) {
        Some((unit, 1)) => format!("1 {unit}"),
        Some((unit, count)) => format!("{count} {unit}s"),
        None => "less than a second".to_owned(),
    }
}
