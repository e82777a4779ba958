//! Against real files where they are at hand, and against damage done to them.

use super::*;
use crate::Framed;
use proptest::test_runner::{Config, TestRunner};
use std::path::PathBuf;

fn samples() -> Option<Vec<PathBuf>> {
    let root = std::env::var("HABITUS_REFERENCE_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let mut paths: Vec<_> = std::fs::read_dir(Path::new(&root).join("reference/evtx_raw"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "evtx"))
        .collect();
    paths.sort();
    Some(paths)
}

/// All items as `(number, record or reason)`.
fn read(mut records: EvtxRecords) -> Vec<(u64, Result<String, String>)> {
    let mut batch = Batch::new();
    let mut all = Vec::new();
    while records.fill(&mut batch) {
        all.extend(batch.iter().map(|item| match item {
            Framed::Record(r) => (r.line, Ok(String::from_utf8(r.bytes.to_vec()).unwrap())),
            Framed::Oversized { line, .. } => (line, Err("oversized".to_owned())),
            Framed::Broken { line, reason } => (line, Err(reason.to_owned())),
        }));
    }
    all
}

fn spooled(bytes: &[u8]) -> Result<EvtxRecords, Error> {
    EvtxRecords::spooled("test", bytes, &std::env::temp_dir(), &Limits::local())
}

#[test]
fn real_files_render_whole() {
    let Some(paths) = samples() else {
        println!("skipped: no reference data");
        return;
    };
    for path in paths {
        let from_file = EvtxRecords::new("test", File::open(&path).unwrap(), &Limits::local()).unwrap();
        let all = read(from_file);
        assert!(!all.is_empty(), "{}", path.display());
        for (_, item) in &all {
            let xml = item
                .as_ref()
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(xml.starts_with("<Event ") && xml.ends_with("</Event>"), "{xml}");
        }
        assert!(all.windows(2).all(|w| w[0].0 < w[1].0), "in record order");
        assert_eq!(read(spooled(&std::fs::read(&path).unwrap()).unwrap()), all);
    }
}

#[test]
fn damage_costs_what_is_damaged() {
    let Some(path) = samples().and_then(|paths| paths.into_iter().next()) else {
        println!("skipped: no reference data");
        return;
    };
    let sound = std::fs::read(path).unwrap();
    let whole = read(spooled(&sound).unwrap());
    // The chunk is given twice, the first time without its magic number.
    let mut damaged = sound.clone();
    damaged.extend_from_slice(&sound[4096..]);
    damaged[4096] = b'X';
    let all = read(spooled(&damaged).unwrap());
    assert_eq!(all.iter().filter(|(_, item)| item.is_err()).count(), 1);
    assert_eq!(all.iter().filter(|(_, item)| item.is_ok()).count(), whole.len());
}

#[test]
fn hostile_bytes_are_errors_or_items() {
    for bytes in [
        &b""[..],
        b"ElfFile\0",
        &[0; 5000],
        &[b"ElfFile\0".as_slice(), &[0xff; 200_000]].concat(),
    ] {
        if let Ok(records) = spooled(bytes) {
            assert!(read(records).iter().all(|(_, item)| item.is_err()));
        }
    }
}

#[test]
fn flipped_bytes_never_panic_the_caller() {
    let Some(path) = samples().and_then(|paths| paths.into_iter().next()) else {
        println!("skipped: no reference data");
        return;
    };
    let sound = std::fs::read(path).unwrap();
    let used = 4096..20_000_usize;
    let mut runner = TestRunner::new(Config::with_cases(200));
    let flips = proptest::collection::vec((used, proptest::num::u8::ANY), 1..30);
    let ran = runner.run(&flips, |flips| {
        let mut bytes = sound.clone();
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        for (_, item) in spooled(&bytes).map(read).unwrap_or_default() {
            assert!(!item.is_err_and(|reason| reason.contains("panicked")));
        }
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn an_unusable_directory_is_named() {
    let error = EvtxRecords::spooled("x", &b""[..], Path::new("/nonexistent/dir"), &Limits::local());
    let text = error.err().unwrap().to_string();
    assert!(
        text.contains("/nonexistent/dir") && text.contains("--temp-dir"),
        "{text}"
    );
}

#[test]
fn the_declaration_is_taken_off() {
    let xml = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Event a=\"1\"></Event>\n".to_vec();
    assert_eq!(element(xml), b"<Event a=\"1\"></Event>");
}
