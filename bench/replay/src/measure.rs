//! What a whole process takes: time, CPU, memory.

use serde::Deserialize;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Taken {
    /// From start to end.
    pub wall_seconds: f64,
    /// On all cores, the kernel's part included.
    pub cpu_seconds: f64,
    /// Highest memory in RAM, MiB.
    pub peak_mib: f64,
}

/// Clock ticks of `/proc` a second: `USER_HZ`, 100 on every Linux of today (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;
const POLL: Duration = Duration::from_millis(5);

/// Runs a command to its end. Its output goes nowhere. Linux only: reads `/proc`.
///
/// # Errors
/// The command cannot be started, or fails.
pub fn run(command: &mut Command) -> io::Result<Taken> {
    let before = children_seconds()?;
    let started = now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_mib = 0.0_f64;
    let ended = loop {
        if let Some(mib) = fs::read_to_string(&status).ok().and_then(|text| peak(&text)) {
            peak_mib = peak_mib.max(mib);
        }
        match child.try_wait()? {
            Some(ended) => break ended,
            None => thread::sleep(POLL),
        }
    };
    if !ended.success() {
        return Err(io::Error::other(format!("{command:?} ended with {ended}")));
    }
    Ok(Taken {
        wall_seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: children_seconds()? - before,
        peak_mib,
    })
}

#[expect(clippy::disallowed_methods, reason = "to measure time is what this is for")]
fn now() -> Instant {
    Instant::now()
}

/// CPU of all children that have ended: fields `cutime` and `cstime` of `/proc/self/stat`.
fn children_seconds() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    children_ticks(&stat)
        .map(|ticks| ticks / TICKS_PER_SECOND)
        .ok_or_else(|| io::Error::other("/proc/self/stat is not as proc(5) says"))
}

fn children_ticks(stat: &str) -> Option<f64> {
    // The name of the program stands in brackets and may hold spaces.
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(13);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn peak(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1_024.0)
}

/// The middle one; of an even number the lower; not a number of none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_documented() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 10 20 300 40 20 0 1 0";
        assert_eq!(children_ticks(stat), Some(340.0));
        assert_eq!(peak("Name:\tx\nVmHWM:\t  2048 kB\n"), Some(2.0));
    }

    #[test]
    fn a_run_that_fails_is_an_error_and_one_that_works_takes_time() {
        assert!(run(&mut Command::new("false")).is_err());
        let taken = run(Command::new("sleep").arg("0.05")).unwrap();
        assert!(taken.wall_seconds >= 0.05 && taken.cpu_seconds < 0.05 && taken.peak_mib > 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
