//! Where the inputs come from: fixtures, and inputs that are known to hurt.

mod hostile;
mod mmdb;

use habitus_testkit::workspace_root;
use std::io::Write;
use std::path::Path;

/// User agents as clients send them, after the vendors' documentation.
const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
    "aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8",
    "curl/8.5.0",
    "",
];

/// Networks as people list them.
const IP_LIST: &str =
    "# offices\n192.0.2.0/24\n198.51.100.7 # door\n\n2001:db8::/32\n::ffff:192.0.2.1\n0.0.0.0/0\n";

/// The corpus of a body; never empty.
pub fn of(name: &str) -> Vec<Vec<u8>> {
    match name {
        "user_agent" => USER_AGENTS
            .iter()
            .map(|agent| agent.as_bytes().to_vec())
            .collect(),
        "ip_list" => vec![IP_LIST.as_bytes().to_vec()],
        "mmdb" => vec![
            mmdb::small("Test-City"),
            mmdb::small("Test-ASN"),
            mmdb::small("Test-Anonymous-IP"),
        ],
        "decompress" => compressed(),
        "framing" => [samples(None), hostile::framing()].concat(),
        "auto" => [records(None), hostile::records()].concat(),
        format => [records(Some(format)), hostile::records()].concat(),
    }
}

/// The sample of one format, or of all.
fn samples(format: Option<&str>) -> Vec<Vec<u8>> {
    let folder = workspace_root().join("fixtures/formats");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| format.is_none_or(|format| path.ends_with(format)))
        .collect();
    found.sort();
    found
        .iter()
        .filter_map(|path| read(&path.join("sample.log")))
        .collect()
}

fn read(path: &Path) -> Option<Vec<u8>> {
    path.exists().then(|| std::fs::read(path).unwrap())
}

/// The records of the samples: lines, or blocks between lines `---`.
fn records(format: Option<&str>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for sample in samples(format) {
        let text = String::from_utf8_lossy(&sample).into_owned();
        let separator = if text.lines().any(|line| line == "---") {
            "---\n"
        } else {
            "\n"
        };
        let pieces = text
            .split(separator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty());
        found.extend(pieces.map(|piece| piece.as_bytes().to_vec()));
    }
    found
}

/// Honest streams, bombs, and one compression within another.
fn compressed() -> Vec<Vec<u8>> {
    let bomb = vec![0; 20 << 20];
    let honest = [samples(None).concat(), b"{\"a\":1}\n".repeat(50)].concat();
    vec![
        gzip(&honest),
        zstd::encode_all(honest.as_slice(), 1).unwrap(),
        gzip(&bomb),
        zstd::encode_all(bomb.as_slice(), 1).unwrap(),
        gzip(&gzip(&honest)),
        [gzip(&honest), gzip(b"second member\n")].concat(),
        honest,
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
