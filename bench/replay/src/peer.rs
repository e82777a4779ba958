//! The least that a reader of a log does: what replay is held against, in the same run.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;

/// What is asked.
#[derive(Debug, Args)]
pub struct Peer {
    /// What is done to the file
    #[arg(value_enum)]
    pub deed: Deed,
    /// The file
    pub file: PathBuf,
    /// Threads
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deed {
    /// Read it and copy it once in memory
    Memcpy,
    /// Parse each line into a struct of the fields that scoring reads, with `serde_json`
    Serde,
    /// The same with `sonic-rs`
    Sonic,
}

impl Deed {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Deed::Memcpy => "memcpy",
            Deed::Serde => "serde",
            Deed::Sonic => "sonic",
        }
    }
}

/// The fields that scoring reads, borrowed from the line.
#[derive(Debug, Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    time: i64,
    type_uid: u32,
    status_id: u32,
    #[serde(borrow)]
    user: User<'a>,
    #[serde(borrow)]
    src_endpoint: Endpoint<'a>,
    #[serde(borrow)]
    http_request: Request<'a>,
    is_mfa: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct Endpoint<'a> {
    #[serde(borrow)]
    ip: Cow<'a, str>,
    #[serde(borrow)]
    location: Location<'a>,
    autonomous_system: System,
}

#[derive(Debug, Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    country: Cow<'a, str>,
    lat: Option<f64>,
    long: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct System {
    number: u32,
}

#[derive(Debug, Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    user_agent: Cow<'a, str>,
}

impl Event<'_> {
    /// Something that depends on every field, so that none is left out by the compiler.
    fn weight(&self) -> u64 {
        let texts = [
            &self.metadata.uid,
            &self.user.name,
            &self.src_endpoint.ip,
            &self.src_endpoint.location.country,
            &self.http_request.user_agent,
        ];
        let text: usize = texts.iter().map(|text| text.len()).sum();
        let place = &self.src_endpoint.location;
        let numbers = u64::from(self.type_uid ^ self.status_id)
            ^ u64::from(self.src_endpoint.autonomous_system.number)
            ^ self.time.unsigned_abs()
            ^ place.lat.unwrap_or(0.0).to_bits()
            ^ place.long.unwrap_or(0.0).to_bits();
        numbers ^ u64::from(self.is_mfa == Some(true)) ^ u64::try_from(text).unwrap_or(0)
    }
}

/// Does it, and prints a number that depends on all of it.
pub fn command(asked: &Peer) -> io::Result<()> {
    let bytes = fs::read(&asked.file)?;
    let weigh = match asked.deed {
        Deed::Memcpy => return copy(&bytes),
        Deed::Serde => |line: &[u8]| {
            serde_json::from_slice::<Event<'_>>(line)
                .map(|event| event.weight())
                .ok()
        },
        Deed::Sonic => |line: &[u8]| {
            sonic_rs::from_slice::<Event<'_>>(line)
                .map(|event| event.weight())
                .ok()
        },
    };
    let parts = split(&bytes, asked.threads.max(1));
    let sums: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = parts
            .iter()
            .map(|part| scope.spawn(|| sum(part, weigh)))
            .collect();
        started.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut total = 0_u64;
    for sum in sums {
        let sum = sum.map_err(|_| io::Error::other("a thread panicked"))?;
        total = total.wrapping_add(sum?);
    }
    println!("{total}");
    Ok(())
}

fn copy(bytes: &[u8]) -> io::Result<()> {
    let copied = bytes.to_vec();
    println!("{}", copied.len());
    Ok(())
}

fn sum(part: &[u8], weigh: impl Fn(&[u8]) -> Option<u64>) -> io::Result<u64> {
    let mut sum = 0_u64;
    for line in part.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let weight = weigh(line).ok_or_else(|| io::Error::other("a line is no event of the generator"))?;
        sum = sum.wrapping_add(weight);
    }
    Ok(sum)
}

/// As many parts of about equal size, each of whole lines.
fn split(bytes: &[u8], parts: usize) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut found = Vec::with_capacity(parts);
    for left in (1..=parts).rev() {
        let about = rest.len() / left;
        let tail = rest.get(about..).unwrap_or_default();
        let end = tail
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |n| about + n + 1);
        let (part, later) = rest.split_at(end.min(rest.len()));
        found.push(part);
        rest = later;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_lines_and_nothing_is_lost() {
        let text = b"one\ntwo\nthree\nfour\nfive";
        for parts in 1..8 {
            let found = split(text, parts);
            assert_eq!(found.len(), parts);
            assert_eq!(found.concat(), text);
            for part in found
                .iter()
                .filter(|part| !part.is_empty() && !part.ends_with(b"five"))
            {
                assert!(part.ends_with(b"\n"), "{parts}");
            }
        }
    }
}
