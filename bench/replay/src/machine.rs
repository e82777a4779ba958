//! The machine a figure was measured on, for the page that tells it.

use std::fs;
use std::num::NonZero;
use std::thread;

/// Processor, cores, memory and kernel; parts that the system does not tell are left out. Linux: reads `/proc`.
#[must_use]
pub fn description() -> String {
    let told = |path| fs::read_to_string(path).unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut parts = vec![format!("{cores} cores")];
    parts.extend(value(&told("/proc/cpuinfo"), "model name").map(str::to_owned));
    parts.extend(gib(&told("/proc/meminfo")).map(|gib| format!("{gib:.0} GiB")));
    let kernel = told("/proc/sys/kernel/osrelease");
    if !kernel.trim().is_empty() {
        parts.push(format!("Linux {}", kernel.trim()));
    }
    parts.join(", ")
}

/// The value behind a name and a colon.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
}

fn gib(meminfo: &str) -> Option<f64> {
    let kib = value(meminfo, "MemTotal")?.strip_suffix("kB")?;
    Some(kib.trim().parse::<f64>().ok()? / 1_048_576.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_documented() {
        let cpu = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(value(cpu, "model name"), Some("Some CPU @ 2 GHz"));
        assert_eq!(gib("MemTotal:       8388608 kB\nMemFree: 1 kB\n"), Some(8.0));
        assert!(description().contains("cores"));
    }
}
