//! What the machine gives: files, space, a disk that keeps what it says.

use super::{Check, Patient};
use crate::backup::bytes_of;
use rustix::fs::{StatVfs, statfs, statvfs};
use rustix::process::{Resource, getrlimit};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A descriptor for each of the 1,024 connections that the console takes at once, as many again for those of sources, and some
/// hundred for files.
const FILES_WANTED: u64 = 4_096;
/// With fewer the server cannot hold its own files and a few connections.
const FILES_MIN: u64 = 256;
/// What the stores set aside to come back on a full disk: 8 MiB and a little for each of the log and the outbox, 9 MiB for the
/// audit. With less, nothing is accepted.
const RESERVE_BYTES: u64 = 26 << 20;
/// Syncs that are measured.
const SYNCS: usize = 21;
/// Acknowledgements are to take 20 ms at most on the disks this is made for (RELIABILITY 5.3).
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// File systems that live in memory: tmpfs and ramfs (`statfs(2)`).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// How many files may be open.
pub fn files() -> Check {
    let limit = getrlimit(Resource::Nofile);
    let may = limit.current.unwrap_or(u64::MAX);
    let found = format!("{may} files may be open at once");
    let fix = "LimitNOFILE=65536 in the unit, or `ulimit -n 65536` before it is started";
    match may {
        0..FILES_MIN => Check::fail("files", found, fix),
        FILES_MIN..FILES_WANTED => Check::warn("files", found, fix),
        _ => Check::ok("files", found),
    }
}

/// Whether the data directory is ours alone, and can be written.
pub fn directory(patient: &Patient<'_>) -> Check {
    let (name, path) = ("data-dir", &patient.layout.0);
    let shown = path.display();
    if !path.exists() {
        let above = existing(path);
        return match try_write(&above) {
            Ok(()) => Check::ok(name, format!("`{shown}` is made at the first start")),
            Err(error) => Check::fail(
                name,
                format!("`{shown}` is not there, and cannot be made: {error}"),
                format!("make it for the user of the server: install -d -m 700 -o habitus {shown}"),
            ),
        };
    }
    let mode = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata.permissions().mode(),
        Ok(_) => {
            let found = format!("`{shown}` is no directory");
            return Check::fail(name, found, "name another with --data-dir or `serve.data_dir`");
        }
        Err(error) => {
            let found = format!("`{shown}` cannot be looked at: {error}");
            return Check::fail(name, found, "run this as the user of the server");
        }
    };
    if let Err(error) = try_write(path) {
        let found = format!("`{shown}` cannot be written: {error}");
        return Check::fail(
            name,
            found,
            "run this as the user of the server, or give the directory to it",
        );
    }
    if mode & 0o077 != 0 {
        let found = format!("others may look into `{shown}`, which holds personal data");
        return Check::warn(
            name,
            found,
            format!("chmod 700 {shown}; the server does so when it starts"),
        );
    }
    Check::ok(name, format!("`{shown}` is ours alone, and can be written"))
}

/// Whether there is space for what is set aside, and for the log to grow as long as it may.
pub fn space(patient: &Patient<'_>) -> Check {
    let name = "space";
    let path = existing(&patient.layout.0);
    let stat = match statvfs(&path) {
        Ok(stat) => stat,
        Err(error) => {
            let found = format!("the file system cannot be asked: {error}");
            return Check::fail(name, found, "run this as the user of the server");
        }
    };
    let (free, kept) = (free(&stat), bytes_of(&patient.layout.0));
    let log_max = patient.loaded.config.serve.retention_size.0.0;
    let grows = log_max.saturating_sub(kept);
    let found = format!("{} free, {} used by the data directory", shown(free), shown(kept));
    // What is set aside already need not be free.
    if free + kept.min(RESERVE_BYTES) < RESERVE_BYTES {
        let needed = shown(RESERVE_BYTES);
        let fix =
            format!("make space: with less than {needed} for coming back on a full disk nothing is accepted");
        return Check::fail(name, found, fix);
    }
    if free < grows {
        let found = format!("{found}, and the log may grow by {}", shown(grows));
        let fix = "lower `serve.retention_size` to what the disk has, so that the oldest goes before the newest is refused";
        return Check::warn(name, found, fix);
    }
    Check::ok(name, found)
}

/// How long the disk takes to keep something.
pub fn fsync(patient: &Patient<'_>) -> Check {
    let (name, path) = ("fsync", existing(&patient.layout.0));
    let is_in_memory = statfs(&path).is_ok_and(|stat| IN_MEMORY.contains(&stat.f_type));
    if is_in_memory {
        let found = "the data directory lives in memory: nothing outlives a restart of the machine";
        return Check::warn(name, found, "put `serve.data_dir` on a disk");
    }
    let times = match measure(&path) {
        Ok(times) => times,
        Err(error) => {
            let found = format!("it cannot be measured: {error}");
            return Check::fail(name, found, "mend what `data-dir` and `space` say");
        }
    };
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    let found = format!(
        "{:.1} ms as a rule, {:.1} ms at worst",
        millis(middle),
        millis(worst)
    );
    if middle > SYNC_SLOW {
        let fix = "every acknowledgement waits so long: use a disk with power-loss protection, or one that less is written to";
        return Check::warn(name, found, fix);
    }
    Check::ok(name, found)
}

/// Sorted times of syncs of one block each.
fn measure(path: &Path) -> io::Result<Vec<Duration>> {
    let probe = Probe::new(path)?;
    let mut file = &probe.file;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[7; 4_096])?;
        let started = stopwatch();
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time that a disk takes is what is measured, and nothing else reads it"
)]
fn stopwatch() -> Instant {
    Instant::now()
}

fn try_write(path: &Path) -> io::Result<()> {
    let probe = Probe::new(path)?;
    (&probe.file).write_all(b"habitus doctor")?;
    probe.file.sync_all()
}

/// A file of our own that goes when it is no longer needed.
struct Probe {
    path: PathBuf,
    file: fs::File,
}

impl Probe {
    fn new(dir: &Path) -> io::Result<Self> {
        // A name that no two run under, and that the stores leave alone.
        let path = dir.join(format!(".doctor-{}.tmp", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The directory, or the nearest one above that is there.
fn existing(path: &Path) -> PathBuf {
    let above = path.ancestors().find(|path| path.is_dir());
    let named = above.filter(|path| !path.as_os_str().is_empty());
    named.unwrap_or(Path::new(".")).to_owned()
}

/// What we may use.
fn free(stat: &StatVfs) -> u64 {
    stat.f_bavail.saturating_mul(stat.f_frsize)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Bytes as people say them.
pub fn shown(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| bytes >> shift > 0);
    match unit {
        Some((unit, shift)) => {
            let tenths = bytes.saturating_mul(10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_largest_unit_that_fits() {
        let all = [
            (0, "0 bytes"),
            (1_536, "1.5 KiB"),
            (26 << 20, "26.0 MiB"),
            (u64::MAX, "1717986918.3 GiB"),
        ];
        for (bytes, said) in all {
            assert_eq!(shown(bytes), said);
        }
    }
}
