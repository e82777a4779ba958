//! A file that lines are appended to, each on stable storage before the next step, rotated by size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where lines go, how large one file grows and how many old ones stay.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) path: PathBuf,
    pub(crate) rotate_bytes: u64,
    pub(crate) keep: u32,
}

/// The writer: one at a time, in order.
#[derive(Debug)]
pub(crate) struct Lines {
    plan: Arc<Plan>,
    turn: Arc<Mutex<()>>,
}

impl Lines {
    /// # Errors
    /// When the file cannot be opened for appending.
    pub(crate) fn new(plan: Plan) -> io::Result<Self> {
        open(&plan.path)?;
        Ok(Self {
            plan: Arc::new(plan),
            turn: Arc::new(Mutex::new(())),
        })
    }

    /// Appends whole lines, each with its line break: all of them or, after an error, none.
    pub(crate) async fn append(&self, lines: Vec<u8>) -> io::Result<()> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let plan = Arc::clone(&self.plan);
        let writing = tokio::task::spawn_blocking(move || {
            // The turn is held until the write is over, also when nobody waits for it any more.
            let _turn = turn;
            append_now(&plan, &lines)
        });
        writing.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }
}

/// The file is opened anew each time: another program may have moved it away.
fn append_now(plan: &Plan, lines: &[u8]) -> io::Result<()> {
    let mut file = open(&plan.path)?;
    let mut length = file.seek(SeekFrom::End(0))?;
    let added = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    if length > 0 && length.saturating_add(added) > plan.rotate_bytes {
        rotate(plan)?;
        file = open(&plan.path)?;
        length = file.seek(SeekFrom::End(0))?;
    }
    let mend = length > 0 && !ends_with_line_break(&mut file)?;
    let written = write_synced(&mut file, mend, lines);
    if written.is_err() {
        // Half a line would become part of the next one. If the disk does not even let this happen, the next writer mends.
        let _ = file.set_len(length);
    }
    written
}

fn write_synced(file: &mut File, mend: bool, lines: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    if mend {
        // A crash left half a line; it stays by itself.
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_data()
}

fn ends_with_line_break(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// `path` becomes `path.1`, `path.1` becomes `path.2`, and the last one goes.
fn rotate(plan: &Plan) -> io::Result<()> {
    if plan.keep == 0 {
        fs::remove_file(&plan.path)?;
        return sync_folder(&plan.path);
    }
    for number in (1..plan.keep).rev() {
        let from = numbered(&plan.path, number);
        if from.exists() {
            fs::rename(from, numbered(&plan.path, number + 1))?;
        }
    }
    fs::rename(&plan.path, numbered(&plan.path, 1))?;
    sync_folder(&plan.path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Findings name people: nobody else on the machine reads them.
        options.mode(0o600);
    }
    let file = options.open(path)?;
    if is_new {
        sync_folder(path)?;
    }
    Ok(file)
}

/// A name is on stable storage when its directory is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(folder: &Path, rotate_bytes: u64, keep: u32) -> Plan {
        Plan {
            path: folder.join("out.ndjson"),
            rotate_bytes,
            keep,
        }
    }

    #[tokio::test]
    async fn files_rotate_by_size_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), 10, 2);
        let lines = Lines::new(plan.clone()).unwrap();
        for word in ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "gggg"] {
            lines.append(format!("{word}\n").into_bytes()).await.unwrap();
        }
        assert_eq!(fs::read_to_string(&plan.path).unwrap(), "gggg\n");
        assert_eq!(
            fs::read_to_string(numbered(&plan.path, 1)).unwrap(),
            "eeee\nffff\n"
        );
        assert_eq!(
            fs::read_to_string(numbered(&plan.path, 2)).unwrap(),
            "cccc\ndddd\n"
        );
        assert!(!numbered(&plan.path, 3).exists());
    }

    #[tokio::test]
    async fn half_a_line_stays_by_itself_and_a_moved_file_is_no_loss() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), 1_000, 1);
        fs::write(&plan.path, "{\"half\":").unwrap();
        let lines = Lines::new(plan.clone()).unwrap();
        lines.append(b"{}\n".to_vec()).await.unwrap();
        assert_eq!(fs::read_to_string(&plan.path).unwrap(), "{\"half\":\n{}\n");
        fs::rename(&plan.path, folder.path().join("moved")).unwrap();
        lines.append(b"[]\n".to_vec()).await.unwrap();
        assert_eq!(fs::read_to_string(&plan.path).unwrap(), "[]\n");
    }

    #[tokio::test]
    async fn many_writers_at_once_never_mix_lines() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), 1_000_000, 1);
        let lines = Arc::new(Lines::new(plan.clone()).unwrap());
        let writers: Vec<_> = (0..20)
            .map(|n| {
                let lines = Arc::clone(&lines);
                tokio::spawn(async move {
                    lines
                        .append(format!("{}\n", n.to_string().repeat(200)).into_bytes())
                        .await
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        let text = fs::read_to_string(&plan.path).unwrap();
        assert_eq!(text.lines().count(), 20);
        assert!(text.lines().all(|line| line.len() % 200 == 0));
    }
}
