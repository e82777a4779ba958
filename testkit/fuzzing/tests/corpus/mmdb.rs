//! A database of one node in MaxMind's format (MaxMind DB File Format Specification 2.0), for mutations to break.

/// A database of the given type, that says the same of every address.
pub fn small(database_type: &str) -> Vec<u8> {
    // One node with 24-bit records: both point to the data section's start, which is node count + 16.
    let tree = [0, 0, 17, 0, 0, 17];
    [
        tree.to_vec(),
        vec![0; 16],
        data(),
        b"\xab\xcd\xefMaxMind.com".to_vec(),
        metadata(database_type),
    ]
    .concat()
}

fn data() -> Vec<u8> {
    map(&[
        ("autonomous_system_number", number(6, 64_496)),
        ("autonomous_system_organization", text("Example")),
        ("city", map(&[("names", map(&[("en", text("Berlin"))]))])),
        ("country", map(&[("iso_code", text("DE"))])),
        ("is_anonymous_vpn", vec![0x01, 0x07]),
        (
            "location",
            map(&[
                ("accuracy_radius", number(5, 20)),
                ("latitude", double(52.5)),
                ("longitude", double(0.0)),
            ]),
        ),
    ])
}

fn metadata(database_type: &str) -> Vec<u8> {
    map(&[
        ("binary_format_major_version", number(5, 2)),
        ("binary_format_minor_version", number(5, 0)),
        // An unsigned 64-bit number is an extended type: 9 is written as 2 after the size.
        ("build_epoch", vec![0x04, 0x02, 0x69, 0x55, 0xb9, 0x00]),
        ("database_type", text(database_type)),
        ("description", map(&[("en", text("made up"))])),
        ("ip_version", number(5, 6)),
        ("languages", vec![0x00, 0x04]),
        ("node_count", number(6, 1)),
        ("record_size", number(5, 24)),
    ])
}

fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![7 << 5 | u8::try_from(members.len()).unwrap()];
    for (name, value) in members {
        bytes.extend(text(name));
        bytes.extend(value);
    }
    bytes
}

fn text(words: &str) -> Vec<u8> {
    let length = u8::try_from(words.len()).unwrap();
    // Lengths from 29 on follow in a byte of their own, less 29.
    let head = if length < 29 {
        vec![2 << 5 | length]
    } else {
        vec![2 << 5 | 29, length - 29]
    };
    [head, words.as_bytes().to_vec()].concat()
}

/// An unsigned number of type 5 (16 bits) or 6 (32 bits), in two bytes.
fn number(kind: u8, value: u16) -> Vec<u8> {
    [vec![kind << 5 | 2], value.to_be_bytes().to_vec()].concat()
}

fn double(value: f64) -> Vec<u8> {
    [vec![3 << 5 | 8], value.to_be_bytes().to_vec()].concat()
}
