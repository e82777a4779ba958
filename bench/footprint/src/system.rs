//! What the kernel tells of this process. Linux: reads `/proc`.

use habitus_model::math::from_i64;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::io;
use std::time::Instant;

/// CPU time of this thread so far, seconds.
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (from_i64(time.tv_sec), from_i64(time.tv_nsec));
    seconds + nanoseconds / 1e9
}

/// Memory of this process that is in RAM, MiB.
///
/// # Errors
/// The kernel does not tell.
pub fn resident_mib() -> io::Result<f64> {
    mib_of("/proc/self/status", "VmRSS:")
}

/// Memory that programs may still take, MiB.
///
/// # Errors
/// The kernel does not tell.
pub fn available_mib() -> io::Result<f64> {
    mib_of("/proc/meminfo", "MemAvailable:")
}

fn mib_of(path: &str, name: &str) -> io::Result<f64> {
    let told = fs::read_to_string(path)?;
    in_mib(&told, name).ok_or_else(|| io::Error::other(format!("{path} has no {name}")))
}

fn in_mib(told: &str, name: &str) -> Option<f64> {
    let value = told.lines().find_map(|line| line.strip_prefix(name))?;
    let kib = value.trim().strip_suffix("kB")?.trim();
    Some(kib.parse::<f64>().ok()? / 1_024.0)
}

/// The clock on the wall, for latencies.
#[expect(clippy::disallowed_methods, reason = "to measure time is what this is for")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_documented() {
        assert_eq!(in_mib("VmPeak:\t 9 kB\nVmRSS:\t  2048 kB\n", "VmRSS:"), Some(2.0));
        assert_eq!(in_mib("VmRSS:\t 1 MB\n", "VmRSS:"), None);
        assert!(resident_mib().unwrap() > 0.5 && available_mib().unwrap() > 1.0);
    }

    #[test]
    fn work_takes_time_and_sleep_does_not() {
        let before = cpu_seconds();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let slept = cpu_seconds() - before;
        let mut sum = 0_u64;
        let until = now() + std::time::Duration::from_millis(200);
        while now() < until {
            sum = std::hint::black_box(sum + 1);
        }
        let worked = cpu_seconds() - before - slept;
        assert!(slept < 0.05 && worked > slept, "{slept} {worked}");
    }
}
