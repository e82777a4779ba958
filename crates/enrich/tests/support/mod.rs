//! A small writer of MaxMind DB files, after the published format (MaxMind DB File Format Specification 2.0), so that
//! tests need no database from outside; and where the reference data lies, if it is there.
#![allow(dead_code, reason = "each test file uses its own part")]

use serde_json::Value;
use std::net::IpAddr;
use std::path::PathBuf;

/// A database of 24-bit records over IPv6 (IPv4 under `::/96`) with one record a network.
pub fn mmdb(database_type: &str, networks: &[(&str, Value)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut tree = vec![[Slot::Empty; 2]];
    for (network, record) in networks {
        let offset = data.len();
        encode(record, &mut data);
        insert(&mut tree, network, offset);
    }
    let nodes = tree.len();
    let mut out = Vec::new();
    for slot in tree.iter().flatten() {
        let value = match slot {
            Slot::Empty => nodes,
            Slot::Node(node) => *node,
            Slot::Data(offset) => nodes + 16 + offset,
        };
        out.extend_from_slice(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let metadata = serde_json::json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000_u64,
        "database_type": database_type, "description": {"en": "written by a test"}, "ip_version": 6,
        "languages": ["en"], "node_count": nodes, "record_size": 24,
    });
    encode(&metadata, &mut out);
    out
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    Data(usize),
}

fn insert(tree: &mut Vec<[Slot; 2]>, network: &str, offset: usize) {
    let (ip, bits) = network.split_once('/').expect("a network");
    let bits: u32 = bits.parse().expect("a prefix length");
    let (address, bits) = match ip.parse().expect("an address") {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), bits + 96),
        IpAddr::V6(ip) => (ip.to_bits(), bits),
    };
    let mut node = 0;
    for depth in 0..bits {
        let side = usize::from(address >> (127 - depth) & 1 == 1);
        if depth + 1 == bits {
            tree[node][side] = Slot::Data(offset);
            return;
        }
        node = match tree[node][side] {
            Slot::Node(next) => next,
            Slot::Empty | Slot::Data(_) => {
                tree.push([Slot::Empty; 2]);
                let next = tree.len() - 1;
                tree[node][side] = Slot::Node(next);
                next
            }
        };
    }
}

/// Types of the specification: 2 string, 3 double, 5 uint16, 6 uint32, 7 map, 9 uint64, 11 array, 14 boolean.
fn encode(value: &Value, out: &mut Vec<u8>) {
    encode_as(6, value, out);
}

/// Whole numbers have the width that the field's reader expects.
fn number_kind(key: &str) -> u8 {
    match key {
        "build_epoch" => 9,
        "binary_format_major_version"
        | "binary_format_minor_version"
        | "ip_version"
        | "record_size"
        | "accuracy_radius" => 5,
        _ => 6,
    }
}

fn encode_as(kind: u8, value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => {
            control(2, text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Bool(yes) => control(14, usize::from(*yes), out),
        Value::Number(number) if number.is_f64() => {
            control(3, 8, out);
            out.extend_from_slice(&number.as_f64().unwrap().to_be_bytes());
        }
        Value::Number(number) => {
            let number = number.as_u64().expect("a whole number");
            let bytes = number.to_be_bytes();
            let skip = bytes.iter().take_while(|byte| **byte == 0).count();
            control(kind, 8 - skip, out);
            out.extend_from_slice(&bytes[skip..]);
        }
        Value::Object(fields) => {
            control(7, fields.len(), out);
            for (key, value) in fields {
                encode(&Value::String(key.clone()), out);
                encode_as(number_kind(key), value, out);
            }
        }
        Value::Array(items) => {
            control(11, items.len(), out);
            items.iter().for_each(|item| encode(item, out));
        }
        Value::Null => panic!("the format has no null"),
    }
}

fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (size, more) = match u8::try_from(size) {
        Ok(size) if size < 29 => (size, None),
        _ => (29, Some(u8::try_from(size - 29).expect("short values only"))),
    };
    if kind > 7 {
        out.extend_from_slice(&[size, kind - 7]);
    } else {
        out.push(kind << 5 | size);
    }
    out.extend(more);
}

/// A file of the reference data; `None`, with a word about it, where that data is absent.
pub fn reference(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HABITUS_REFERENCE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no reference data at {}", path.display());
    None
}
