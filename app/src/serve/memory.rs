//! A ceiling for the memory of the whole process.
//!
//! Every part has a limit of its own; what they come to together, and what the allocator keeps besides, only the system
//! knows. Above the ceiling nothing more is taken in until there is less: refused with a time to come again, which costs a
//! sender patience, and not killed by the system, which costs everybody minutes.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often it is looked at: what comes in between is bounded by `serve.intake_memory`.
pub const LOOK: Duration = Duration::from_millis(100);
/// Of what the machine or the control group has, where nothing is configured: the rest is for the kernel's own.
const SHARE_HUNDREDTHS: u64 = 90;

/// The ceiling and what there is, bytes.
#[derive(Debug)]
pub struct Memory {
    ceiling: u64,
    resident: AtomicU64,
}

impl Memory {
    /// With a ceiling, or with nine tenths of what the machine or its control group gives; without one where neither tells.
    pub fn new(configured: Option<u64>) -> Self {
        let memory = Self {
            ceiling: configured.unwrap_or_else(usual),
            resident: AtomicU64::new(0),
        };
        memory.look();
        memory
    }

    /// Asks the system how much there is. One that does not tell leaves it at nothing.
    pub fn look(&self) {
        let resident = fs::read_to_string("/proc/self/statm").ok();
        let pages = resident.as_deref().and_then(resident_pages).unwrap_or(0);
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4_096);
        self.resident.store(pages.saturating_mul(page), Ordering::Relaxed);
    }

    /// Whether there is more than there may be, as of the last look.
    pub fn is_over(&self) -> bool {
        self.resident() > self.ceiling
    }

    /// What the process takes, bytes, as of the last look; 0 where the system does not tell.
    pub fn resident(&self) -> u64 {
        self.resident.load(Ordering::Relaxed)
    }

    /// What it may take, bytes; the largest number where there is no ceiling.
    pub const fn ceiling(&self) -> u64 {
        self.ceiling
    }
}

/// The second number of `/proc/self/statm` (proc(5)): pages that are resident.
fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn usual() -> u64 {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let machine = total(&read("/proc/meminfo")).unwrap_or(u64::MAX);
    // A control group without a limit says `max`, and one that is the whole machine's has no such file.
    let group = read("/sys/fs/cgroup/memory.max")
        .trim()
        .parse()
        .unwrap_or(u64::MAX);
    let given = machine.min(group);
    if given == u64::MAX {
        return given;
    }
    given / 100 * SHARE_HUNDREDTHS
}

/// `MemTotal` of `/proc/meminfo` (proc(5)), bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_read() {
        assert_eq!(resident_pages("28107 4021 1500 20 0 9000 0\n"), Some(4_021));
        assert_eq!(resident_pages("x"), None);
        assert_eq!(
            total("MemTotal:       24604384 kB\nMemFree: 1 kB\n"),
            Some(24_604_384 << 10)
        );
        assert_eq!(total(""), None);
    }

    #[test]
    fn the_ceiling_is_of_what_there_is() {
        let low = Memory::new(Some(1 << 20));
        assert!(low.resident() > 1 << 20, "a process takes more than a megabyte");
        assert!(low.is_over());
        let usual = Memory::new(None);
        assert!(!usual.is_over());
        assert!(usual.ceiling() > usual.resident());
    }
}
