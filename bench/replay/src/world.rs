//! A seeded population of accounts that log in: Zipf activity, one to three devices, a home, an office, a phone network.
//!
//! Made for speed and not for truth (`habitus-sim` is): values repeat as they do in real logs, so that caches and profiles
//! meet what they would meet. The same arguments give the same bytes.

use crate::line::{self, Kind};
use clap::Args;
use oorandom::Rand64;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is asked.
#[derive(Debug, Clone, Args)]
pub struct Generate {
    /// How much each event says: login (about 350 bytes) or ocsf (about 700)
    #[arg(long, value_enum, default_value = "login")]
    pub kind: Kind,
    /// Number of events
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub events: u32,
    /// Number of accounts, up to 10 million
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub accounts: u32,
    /// Decides everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Where the log goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// One login.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// Number of the event, from 0.
    pub number: u32,
    /// Milliseconds since 1970.
    pub time: u64,
    /// Number of the account.
    pub account: u32,
    /// Which of its devices: 0 to 2.
    pub device: u32,
    /// Where it came from.
    pub spot: Spot,
    /// Whether the password was right.
    pub succeeded: bool,
}

/// Where a login came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Number of the city.
    pub city: u32,
    /// Which of the city's providers.
    pub provider: u32,
    /// IPv4 address.
    pub address: [u8; 4],
}

/// First event: 2026-01-05, a Monday.
pub const START_MS: u64 = 1_767_571_200_000;
/// The log covers about so long, whatever its size: a season.
const SPAN_MS: u64 = 90 * 86_400_000;
/// Events that reach the log late, in parts of a thousand, and by how much at most: collectors retry.
const LATE_PERMILLE: u64 = 20;
const LATE_MS: u64 = 20_000;
/// Wrong passwords, in parts of a thousand: typing errors of people.
const FAILED_PERMILLE: u64 = 30;
/// Logins from somewhere else altogether, in parts of ten thousand: trips, and what should stand out.
const ELSEWHERE_PER_MYRIAD: u64 = 5;
/// Of a hundred logins, those from here on are from the office, and from a phone.
const OFFICE_FROM: u64 = 60;
const PHONE_FROM: u64 = 90;
/// Cities, and providers in each.
pub const CITIES: u32 = 400;
const PROVIDERS: u32 = 12;

/// The logins of a population, in the order in which a log would have them.
pub struct World {
    rng: Rand64,
    /// Sums of activity, by account.
    activity: Vec<f64>,
    events: u32,
    next: u32,
    seed: u64,
}

impl World {
    /// A population. Memory: eight bytes an account.
    pub fn new(asked: &Generate) -> Self {
        let mut sum = 0.0;
        let activity = (0..asked.accounts).map(|rank| {
            // Zipf with exponent 1: the busiest account is about as busy as ten thousand of the quietest.
            sum += 1.0 / (f64::from(rank) + 10.0);
            sum
        });
        Self {
            rng: Rand64::new(u128::from(asked.seed)),
            activity: activity.collect(),
            events: asked.events,
            next: 0,
            seed: asked.seed,
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.rand_range(0..below)
    }

    fn account(&mut self) -> u32 {
        let total = self.activity.last().copied().unwrap_or(1.0);
        let at = self.rng.rand_float() * total;
        let rank = self.activity.partition_point(|sum| *sum < at);
        u32::try_from(rank).unwrap_or(0)
    }

    fn spot(&mut self, account: u32) -> Spot {
        let habit = mixed(u64::from(account), self.seed);
        let home = narrow(habit % u64::from(CITIES));
        let elsewhere = self.draw(10_000) < ELSEWHERE_PER_MYRIAD;
        let city = if elsewhere {
            narrow(self.draw(u64::from(CITIES)))
        } else {
            home
        };
        let place = self.draw(100);
        let (provider, host) = match place {
            _ if elsewhere => (narrow(self.draw(u64::from(PROVIDERS))), self.draw(1 << 14)),
            ..PHONE_FROM => usual(habit, place, 0),
            _ => usual(habit, place, self.draw(1 << 12)),
        };
        Spot {
            city,
            provider,
            address: address(city, provider, host),
        }
    }
}

impl Iterator for World {
    type Item = Login;

    fn next(&mut self) -> Option<Login> {
        if self.next == self.events {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let step = SPAN_MS / u64::from(self.events.max(1));
        let late = if self.draw(1_000) < LATE_PERMILLE {
            self.draw(LATE_MS)
        } else {
            0
        };
        let account = self.account();
        Some(Login {
            number,
            time: START_MS + u64::from(number) * step - late,
            account,
            device: narrow(self.draw(devices(account))),
            spot: self.spot(account),
            succeeded: self.draw(1_000) >= FAILED_PERMILLE,
        })
    }
}

/// Provider and host of somebody at home six times in ten, in the office three times, and else on a phone network with ever
/// new addresses. `place` is below 100.
fn usual(habit: u64, place: u64, phone: u64) -> (u32, u64) {
    match place {
        ..OFFICE_FROM => (
            narrow((habit >> 8) % u64::from(PROVIDERS)),
            (habit >> 16) % (1 << 14),
        ),
        OFFICE_FROM..PHONE_FROM => (narrow((habit >> 40) % 4), (habit >> 50) % 16),
        _ => (PROVIDERS - 1, phone),
    }
}

impl Login {
    /// The login of an account that comes after `before` others of it, drawn from these numbers alone: for populations whose
    /// every account must log in a known number of times. Number and time are those of the event.
    #[must_use]
    pub fn after(account: u32, before: u32, (number, time): (u32, u64)) -> Self {
        let habit = mixed(u64::from(account), 1);
        let drawn = mixed(u64::from(account) << 32 | u64::from(before), 23);
        let city = narrow(habit % u64::from(CITIES));
        let (provider, host) = usual(habit, drawn % 100, (drawn >> 8) % (1 << 12));
        Self {
            number,
            time,
            account,
            device: narrow((drawn >> 24) % devices(account)),
            spot: Spot {
                city,
                provider,
                address: address(city, provider, host),
            },
            succeeded: true,
        }
    }
}

/// Devices of an account: one to three.
fn devices(account: u32) -> u64 {
    1 + mixed(u64::from(account), 7) % 3
}

/// An address that a public table places somewhere, and the same for the same city, provider and host.
fn address(city: u32, provider: u32, host: u64) -> [u8; 4] {
    let network = mixed(u64::from(city * PROVIDERS + provider), 3);
    let byte = |shift: u64| u8::try_from((network >> shift) & 0xff).unwrap_or(0);
    let low = u8::try_from(host & 0xff).unwrap_or(0);
    let high = u8::try_from((host >> 8) & 0x3f).unwrap_or(0);
    // 20.0.0.0 to 179.255.255.255, less the loopback network.
    let first = match 20 + byte(0) % 160 {
        127 => 128,
        other => other,
    };
    [first, byte(8), (byte(16) & 0xc0) | high, low]
}

/// A number that looks drawn, the same for the same arguments (splitmix64, Steele et al. 2014).
pub fn mixed(number: u64, salt: u64) -> u64 {
    let mut z = (number ^ salt.rotate_left(32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn narrow(small: u64) -> u32 {
    u32::try_from(small).unwrap_or(0)
}

/// Writes the log that is asked for.
///
/// # Errors
/// The file cannot be written.
pub fn command(asked: &Generate) -> io::Result<()> {
    write(asked, &asked.out)
}

/// The log that is asked for, as a file in the directory `out`; one that was made before is used again.
///
/// # Errors
/// The file cannot be written.
pub fn kept(asked: &Generate) -> io::Result<PathBuf> {
    let Generate {
        kind,
        events,
        accounts,
        seed,
        out,
    } = asked;
    let name = kind.name();
    let path = out.join(format!("{name}-{events}-{accounts}-{seed}.ndjson"));
    if !path.exists() {
        // Whole or not at all: a run that breaks off leaves a part that nobody takes for the log.
        let part = path.with_extension("part");
        write(asked, &part)?;
        fs::rename(&part, &path)?;
    }
    Ok(path)
}

/// Writes a log to a file.
///
/// # Errors
/// The file cannot be written.
pub fn write(asked: &Generate, path: &Path) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut text = String::with_capacity(1_024);
    for login in World::new(asked) {
        text.clear();
        line::write(&login, asked.kind, &mut text).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests;
