//! Framing against reference data that nobody on the project wrote: each line of an NDJSON file is one record.

use habitus_sources::{Batch, Framed, Framer, Limits};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    std::env::var_os("HABITUS_REFERENCE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    )
}

#[test]
fn every_line_of_an_ndjson_file_is_a_record() {
    let mut files = Vec::new();
    for dir in [
        "parser_oracle",
        "detection_oracle",
        "attack_logs/aws_cloudtrail_stratus",
    ] {
        let entries = std::fs::read_dir(root().join(dir)).into_iter().flatten();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "ndjson"));
    if files.is_empty() {
        println!("skipped: no reference data in {}", root().display());
        return;
    }
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let expected: Vec<&[u8]> = bytes
            .split(|b| *b == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .collect();
        let mut framer = Framer::new("reference", bytes.as_slice(), &Limits::local());
        let mut batch = Batch::new();
        let mut at = 0;
        while framer.fill(&mut batch).unwrap() {
            for item in batch.iter() {
                let Framed::Record(record) = item else {
                    panic!("{}: {item:?}", path.display());
                };
                assert!(
                    Some(&record.bytes) == expected.get(at),
                    "{}: record {at}",
                    path.display()
                );
                at += 1;
            }
        }
        assert_eq!(at, expected.len(), "{}", path.display());
    }
}
