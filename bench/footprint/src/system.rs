//! What the kernel tells of this process. Linux: reads `/proc`.

use std::fs;
use std::io;
use std::time::Instant;

/// CPU time of this thread so far, seconds; exact to a scheduler's tick (some milliseconds) while it runs.
///
/// # Errors
/// The kernel does not tell (it was built without `CONFIG_SCHED_INFO`).
pub fn cpu_seconds() -> io::Result<f64> {
    let path = "/proc/thread-self/schedstat";
    let told = fs::read_to_string(path)?;
    let nanoseconds = told
        .split_whitespace()
        .next()
        .and_then(|field| field.parse::<f64>().ok());
    nanoseconds
        .map(|nanoseconds| nanoseconds / 1e9)
        .ok_or_else(|| io::Error::other(format!("{path} is not as the kernel's documentation says")))
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
        let before = cpu_seconds().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let slept = cpu_seconds().unwrap() - before;
        let mut sum = 0_u64;
        let until = now() + std::time::Duration::from_millis(200);
        while now() < until {
            sum = std::hint::black_box(sum + 1);
        }
        let worked = cpu_seconds().unwrap() - before - slept;
        assert!(slept < 0.05 && worked > slept, "{slept} {worked}");
    }
}
