//! Inputs that are known to hurt parsers (RELIABILITY S-04 and S-11).

/// One record each.
pub fn records() -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{".to_vec(),
        b"{}".to_vec(),
        b"{\"a\":1e999999,\"a\":2}".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        b"{\"a\":\"\xff\xfe\"}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"<Event><System><EventID>4624</EventID></System></Event>".to_vec(),
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bbbb\">]><Event>&b;</Event>".to_vec(),
        b"Jan  1 00:00:00 host sshd[1]: Accepted password for x from ::ffff:192.0.2.1 port 99999 ssh2"
            .to_vec(),
        b"<34>1 2026-01-01T00:00:00Z host sshd 1 - - Failed password for invalid user  from 192.0.2.1"
            .to_vec(),
    ];
    found.push([b"{\"a\":".repeat(100_000), b"1".to_vec()].concat());
    found.push([b"[".repeat(100_000), b"]".repeat(100_000)].concat());
    found.push(b"<Event>".repeat(20_000));
    found.push([b"{\"a\":\"".to_vec(), vec![b'x'; 900_000], b"\"}".to_vec()].concat());
    found.push(vec![b' '; 100_000]);
    found.push(many_keys(100_000));
    found.push(vec![b'a'; 2 << 20]);
    found
}

/// Whole inputs, with records that are too long, never end, or stand within others.
pub fn framing() -> Vec<Vec<u8>> {
    let mut found = records();
    found.push(b"{\"Records\":[{\"a\":1},{\"b\":[{}]}],\"c\":2}\n[{\"d\":1},{\"e\":\n2}]\nline\n<Event a='b'>\n</Event>\n".to_vec());
    found.push(b"{\"a\":\"\n{\"b\":1}\n".repeat(500));
    found.push(b"{\"Records\":[".repeat(5_000));
    found.push(b"<Event>\n".repeat(5_000));
    found.push(b"{\"a\":\"\\\"".repeat(10_000));
    found
}

fn many_keys(count: usize) -> Vec<u8> {
    let members: Vec<String> = (0..count).map(|key| format!("\"k{key}\":{key}")).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}
