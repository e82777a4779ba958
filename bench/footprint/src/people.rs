//! Accounts of two kinds as lines of a log: consumers who log in twice, and employees who use everything.

use clap::ValueEnum;
use habitus_bench::line::{self, Kind};
use habitus_bench::world::{Login, START_MS, mixed};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// A kind of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum People {
    /// Logins only, few of them.
    Consumer,
    /// Logins, sessions, devices with keys, and what is done with resources.
    Enterprise,
}

/// Most logins of a consumer. The tail is cut so that a run ends.
const CONSUMER_MOST: u32 = 300;
/// Events of an employee: enough to fill every set of a profile.
const ENTERPRISE: u32 = 48;

const MINUTE_MS: u64 = 60_000;

impl People {
    /// Most events of any account.
    pub const fn events_most(self) -> u32 {
        match self {
            People::Consumer => CONSUMER_MOST,
            People::Enterprise => ENTERPRISE,
        }
    }

    /// Events of an account. Consumers: at least `n` with probability `1.2 / n`, so that two in five have one login, the median
    /// is two, and few have many, as in the RBA data set (Wiefling et al. 2022: 31 million logins of 3.3 million users).
    pub fn events(self, account: u32) -> u32 {
        match self {
            People::Consumer => {
                // Of 2^20 equal parts of the unit interval.
                let part = 1 + (mixed(u64::from(account), 29) >> 44);
                u32::try_from(((1 << 20) * 6 / 5) / part)
                    .unwrap_or(CONSUMER_MOST)
                    .clamp(1, CONSUMER_MOST)
            }
            People::Enterprise => ENTERPRISE,
        }
    }

    /// The event of an account that comes after `before` others, as a line. `number` is that of the event.
    ///
    /// # Errors
    /// None: writing to memory does not fail.
    pub fn write(
        self,
        (account, before): (u32, u32),
        (number, time): (u32, u64),
        out: &mut String,
    ) -> fmt::Result {
        let login = Login::after(account, before, (number, time));
        match self {
            People::Consumer => line::write(&login, Kind::Login, out),
            People::Enterprise if before.is_multiple_of(2) => employee(&login, before / 2, out),
            People::Enterprise => deed(&login, before / 2, out),
        }
    }
}

/// The time of an event that is one of `among` in a pass over all accounts. A pass takes a day.
pub fn time(pass: u32, at: u32, among: u32) -> u64 {
    let day = 24 * 60 * MINUTE_MS;
    START_MS + u64::from(pass) * day + u64::from(at) * (day - MINUTE_MS) / u64::from(among.max(1))
}

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
];

/// A login of an employee: of twelve addresses in six systems, six devices with keys, six sessions, one after the other.
fn employee(login: &Login, nth: u32, out: &mut String) -> fmt::Result {
    head(login, 300_201, out)?;
    let Login { account, .. } = login;
    write!(
        out,
        r#""is_mfa":true,"user":{{"name":"p{account}@example.com"}},"session":{{"uid":"s{account}-{}"}},"device":{{"uid":"d{account}-{}"}},"service":{{"name":"app{}"}},"#,
        nth % 6,
        nth % 6,
        nth % 12,
    )?;
    tail(login, nth, out)
}

/// Something an employee does in a session: of twelve applications, 24 actions, 24 resources.
fn deed(login: &Login, nth: u32, out: &mut String) -> fmt::Result {
    head(login, 600_302, out)?;
    let Login { account, .. } = login;
    write!(
        out,
        r#""actor":{{"user":{{"name":"p{account}@example.com"}},"session":{{"uid":"s{account}-{}"}}}},"api":{{"operation":"act{nth}","service":{{"name":"app{}"}}}},"resources":[{{"uid":"file{}-{nth}","type":"file"}}],"#,
        nth % 6,
        nth % 12,
        account % 1_000,
    )?;
    tail(login, nth, out)
}

fn head(Login { number, time, .. }: &Login, kind: u32, out: &mut String) -> fmt::Result {
    write!(
        out,
        r#"{{"metadata":{{"uid":"e-{number:08}"}},"time":{time},"type_uid":{kind},"status_id":1,"#
    )
}

fn tail(login: &Login, nth: u32, out: &mut String) -> fmt::Result {
    let [a, b, ..] = login.spot.address;
    let country = ["DE", "FR", "US", "GB"]
        .get(usize::from(nth % 12 == 11))
        .copied()
        .unwrap_or("DE");
    let agent = usize::try_from(nth % 6)
        .ok()
        .and_then(|at| AGENTS.get(at))
        .copied()
        .unwrap_or_default();
    writeln!(
        out,
        r#""src_endpoint":{{"ip":"{a}.{b}.{}.{}","location":{{"country":"{country}"}},"autonomous_system":{{"number":{}}}}},"http_request":{{"user_agent":"{agent}"}}}}"#,
        nth % 8,
        1 + nth % 12,
        4_200_000_000_u32 + login.account % 1_000 * 6 + nth % 6,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_consumers_is_two_logins_and_few_have_many() {
        let mut counts: Vec<u32> = (0..10_000)
            .map(|account| People::Consumer.events(account))
            .collect();
        counts.sort_unstable();
        assert_eq!((counts[3_800], counts[5_000], counts[6_200]), (1, 2, 3));
        let mean = f64::from(counts.iter().sum::<u32>()) / 10_000.0;
        assert!((6.0..9.0).contains(&mean), "{mean}");
        assert_eq!((counts[0], counts[9_999]), (1, CONSUMER_MOST));
    }

    #[test]
    fn passes_follow_each_other() {
        assert!(time(0, 0, 10) < time(0, 9, 10) && time(0, 9, 10) < time(1, 0, 10));
    }
}
