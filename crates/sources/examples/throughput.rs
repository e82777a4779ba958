//! Measures the parts of this crate on synthetic data: `cargo run --release -p habitus-sources --example throughput`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints, and may fail"
)]

use flate2::write::GzEncoder;
use habitus_model::math;
use habitus_sources::decompress::Decompressed;
use habitus_sources::{Batch, Framer, Limits, SortKey, Sorter};
use std::io::{Cursor, Read, Write};
use std::sync::Arc;

const RECORDS: u64 = 300_000;

fn main() {
    let ndjson = lines("\n");
    let limits = Limits::local();
    frame("NDJSON, 700-byte lines", &ndjson, 400);
    frame(
        "one array on one line",
        &[b"[", lines(",").as_slice(), b"{}]"].concat(),
        100,
    );
    frame(
        "pretty-printed objects",
        &lines("\n").iter().flat_map(pretty).collect::<Vec<_>>(),
        100,
    );
    frame(
        "text",
        &b"Nov 21 02:48:16 host sshd[4242]: Failed password for root from 192.0.2.1 port 4242 ssh2\n"
            .repeat(1 << 20),
        100,
    );

    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&ndjson).unwrap();
    let gz = encoder.finish().unwrap();
    let zs = zstd::encode_all(ndjson.as_slice(), 3).unwrap();
    for (name, bytes) in [("gzip, decompressed", gz), ("zstd, decompressed", zs)] {
        let mut reader =
            Decompressed::new(name, Box::new(Cursor::new(bytes)), &limits, Arc::default()).unwrap();
        let start = cpu_seconds();
        let n = std::io::copy(&mut reader.by_ref(), &mut std::io::sink()).unwrap();
        report(name, n, start);
    }
    for memory_mib in [1024, 32] {
        sort(memory_mib);
    }
}

/// Records of about 700 bytes with nested objects and an array, as OCSF events have them.
fn lines(end: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..RECORDS {
        let filler = "x".repeat(usize::try_from(i % 40).unwrap());
        write!(
            out,
            r#"{{"class_uid":3002,"activity_id":1,"time":17000{i:08},"metadata":{{"uid":"e-{i}","version":"1.8.0","product":{{"name":"idp","vendor_name":"example"}}}},"user":{{"name":"user{}@example.com","uid":"{i}","type_id":1}},"src_endpoint":{{"ip":"192.0.2.{}","location":{{"country":"DE","city":"Bonn","coordinates":[7.1,50.7]}},"autonomous_system":{{"number":64496,"name":"Example Net"}}}},"http_request":{{"user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"}},"status_id":1,"is_mfa":true,"observables":[{{"name":"user.name","type_id":4}},{{"name":"src_endpoint.ip","type_id":2}}],"raw":"{filler}"}}{end}"#,
            i % 1000,
            i % 250,
        )
        .unwrap();
    }
    out
}

/// A line break after every opening brace; the sample's strings hold none.
fn pretty(byte: &u8) -> Vec<u8> {
    match byte {
        b'{' => b"{\n  ".to_vec(),
        _ => vec![*byte],
    }
}

fn frame(name: &str, input: &[u8], rounds: u64) {
    let mut batch = Batch::new();
    let (mut records, mut bytes) = (0_usize, 0_u64);
    let rounds = (rounds / 100).max(1);
    let start = cpu_seconds();
    for _ in 0..rounds {
        let mut framer = Framer::new(name, input, &Limits::local());
        while framer.fill(&mut batch).unwrap() {
            records += batch.len();
        }
        bytes += u64::try_from(input.len()).unwrap();
    }
    report(&format!("framing: {name} ({records} records)"), bytes, start);
}

fn sort(memory_mib: usize) {
    let start = cpu_seconds();
    let mut sorter = Sorter::new(memory_mib << 20, &std::env::temp_dir());
    let item = [b'x'; 350];
    for line in 0..RECORDS {
        // Two hours of disorder, as merged files have it.
        let time = i64::try_from(line * 100 + line.wrapping_mul(7919) % 7_200_000).unwrap();
        sorter.push(SortKey { time, file: 0, line }, &item).unwrap();
    }
    let mut sorted = sorter.finish().unwrap();
    let mut bytes = Vec::new();
    let mut n = 0;
    while sorted.next_into(&mut bytes).unwrap().is_some() {
        n += 1;
    }
    report(
        &format!("sorting {n} items with {memory_mib} MiB"),
        RECORDS * 350,
        start,
    );
}

fn report(name: &str, bytes: u64, start: f64) {
    let seconds = cpu_seconds() - start;
    println!(
        "{name}: {:.0} MB per second of processor time",
        math::from_u64(bytes) / 1e6 / seconds
    );
}

/// Processor time of this process so far, all threads, from `/proc` (Linux). Unlike a clock it tells the same story on a
/// machine that is busy with other things.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos: u64 = tasks
        .map(|task| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            stat.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        })
        .sum();
    math::from_u64(nanos) / 1e9
}
