//! The files of a part of the data directory, while a server replaces and removes some of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How a part's files change while a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// One file, replaced as a whole.
    File,
    /// A few files, each replaced as a whole or removed: all are opened before the first is copied, so that they are of one time.
    AtOnce,
    /// Numbered files of which the last grows, the first are removed, and others are replaced by a packed form of the same number.
    Growing,
    /// The same, of lines, each whole.
    Lines,
}

/// A file, open.
pub struct Source {
    /// Its name in its directory.
    pub name: String,
    /// Its content; read from the start.
    pub file: File,
    /// How much of it is copied: what it has more came later.
    pub bytes: u64,
}

/// What is made anew, or is of the process that runs.
const LEFT_OUT: &[&str] = &["lock", "reserve", "checkpoints.ndjson"];
/// Looks again so often when files go while they are being opened.
const LOOKS_MAX: usize = 10;
/// No line is longer.
const LINE_BYTES_MAX: u64 = 128 * 1024;

/// Gives the files of a part to `take`; a part that is not there has none.
///
/// # Errors
/// What cannot be read, or `take` refuses.
pub fn each(path: &Path, how: How, take: &mut dyn FnMut(Source) -> io::Result<()>) -> io::Result<()> {
    match how {
        How::File => match open(path, String::new())? {
            Some(source) => take(source),
            None => Ok(()),
        },
        How::AtOnce => {
            for source in all_at_once(path)? {
                take(source)?;
            }
            Ok(())
        }
        How::Growing | How::Lines => one_by_one(path, how, take),
    }
}

fn all_at_once(path: &Path) -> io::Result<Vec<Source>> {
    for _ in 0..LOOKS_MAX {
        let names = names(path)?;
        let opened = names.into_iter().map(|name| open(&path.join(&name), name));
        // One that is gone was replaced by another that the list does not have.
        let opened: Option<Vec<Source>> = opened.collect::<io::Result<_>>()?;
        if let Some(sources) = opened {
            return Ok(sources);
        }
    }
    Err(io::Error::other(
        "its files do not stay long enough to be copied: try again",
    ))
}

fn one_by_one(path: &Path, how: How, take: &mut dyn FnMut(Source) -> io::Result<()>) -> io::Result<()> {
    // What begins later is not copied: the file before it may have been copied before it was full.
    let stems: BTreeSet<String> = names(path)?.iter().map(|name| stem(name)).collect();
    for wanted in stems {
        let Some(mut source) = open_either(path, &wanted)? else {
            // Retention has removed it.
            continue;
        };
        if how == How::Lines {
            source.bytes = whole_lines(&source)?;
        }
        take(source)?;
    }
    Ok(())
}

/// Opens a numbered file in whichever form it has now.
fn open_either(path: &Path, wanted: &str) -> io::Result<Option<Source>> {
    for _ in 0..LOOKS_MAX {
        let mut forms = names(path)?.into_iter().filter(|name| stem(name) == wanted);
        let Some(name) = forms.next() else {
            return Ok(None);
        };
        if let Some(source) = open(&path.join(&name), name)? {
            return Ok(Some(source));
        }
    }
    Ok(None)
}

fn open(path: &Path, name: String) -> io::Result<Option<Source>> {
    match File::open(path) {
        Ok(file) => {
            let bytes = file.metadata()?.len();
            Ok(Some(Source { name, file, bytes }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Bytes of all files of a directory and of those within it; 0 for what cannot be read.
pub fn bytes_of(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let of_one = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
        _ => 0,
    };
    entries.map(of_one).sum()
}

/// Names of a directory's files, sorted.
fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let is_file = entry.file_type()?.is_file();
        names.extend(name.ok().filter(|name| {
            is_file && !LEFT_OUT.contains(&name.as_str()) && !name.ends_with(".tmp") && !name.starts_with('.')
        }));
    }
    names.sort();
    Ok(names)
}

fn stem(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Bytes up to the end of the last line that is whole.
fn whole_lines(source: &Source) -> io::Result<u64> {
    let from = source.bytes.saturating_sub(LINE_BYTES_MAX);
    let length = usize::try_from(source.bytes - from).unwrap_or(0);
    let mut tail = vec![0; length];
    source.file.read_exact_at(&mut tail, from)?;
    let last = tail.iter().rposition(|byte| *byte == b'\n');
    let whole = last.map_or(0, |last| u64::try_from(last).unwrap_or(0) + 1);
    Ok(from + whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn copied(path: &Path, how: How) -> Vec<(String, String)> {
        let mut all = Vec::new();
        each(path, how, &mut |source| {
            let mut text = String::new();
            (&source.file).take(source.bytes).read_to_string(&mut text)?;
            all.push((source.name, text));
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn lines_are_whole_and_what_is_made_anew_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("0001.audit.ndjson", "one\n"),
            ("0002.audit.ndjson", "two\nthr"),
            ("checkpoints.ndjson", "x"),
            ("lock", ""),
            ("0003.audit.ndjson.tmp", "x"),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let expected = [("0001.audit.ndjson", "one\n"), ("0002.audit.ndjson", "two\n")];
        let found = copied(dir.path(), How::Lines);
        let found: Vec<_> = found
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(copied(&dir.path().join("absent"), How::AtOnce), []);
        assert_eq!(copied(&dir.path().join("absent"), How::File), []);
    }

    #[test]
    fn a_segment_that_is_packed_meanwhile_is_copied_once_and_none_that_begins_later() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(dir.path().join(name), name).unwrap();
        write("0001.seg");
        write("0002.seg");
        let mut all = Vec::new();
        each(dir.path(), How::Growing, &mut |source| {
            if source.name == "0001.seg" {
                fs::rename(dir.path().join("0002.seg"), dir.path().join("0002.sealed")).unwrap();
                write("0003.seg");
            }
            all.push(source.name);
            Ok(())
        })
        .unwrap();
        assert_eq!(all, ["0001.seg", "0002.sealed"]);
    }
}
