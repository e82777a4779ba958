//! Copies of a data directory: taken while a server writes to it, checked file by file when they come back.
//!
//! # Why a copy of a running server is whole
//! The log has everything; the rest only says how far of it is done. So the log is copied last: whatever the other parts say
//! is in it. Files are either replaced as a whole or only grow, and what was growing ends like after a crash, which the next
//! start mends. What was acknowledged before the copy began is in it.

mod archive;
mod collect;
mod manifest;

pub use collect::bytes_of;
pub use manifest::Manifest;

use crate::failure::{Failure, Trouble};
use crate::serve::{Layout, now};
use archive::Target;
use collect::{How, Source};
use manifest::{Hashed, MANIFEST};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is copied, in this order. A snapshot's orders are in the outbox that is copied after it, what a source has delivered is
/// in the log, and so on: each says nothing that those after it do not hold.
const PARTS: &[(&str, How)] = &[
    ("snapshots", How::AtOnce),
    ("seen", How::AtOnce),
    ("sources", How::AtOnce),
    ("outbox", How::AtOnce),
    ("exports", How::AtOnce),
    ("access.json", How::File),
    ("policy.toml", How::File),
    ("audit.key", How::File),
    ("audit", How::Lines),
    ("log", How::Growing),
];

/// Takes a copy into a directory, or into one file if the name ends in `.tar` or `.tar.zst`.
///
/// # Errors
/// A directory without data, a target that exists, what cannot be read or written. No half of a copy is left.
pub fn take(layout: &Layout, to: &Path) -> Result<Manifest, Failure> {
    if !layout.part("log").is_dir() {
        let message = format!("there is nothing to copy in `{}`", layout.0.display());
        return Err(
            Failure::new(Trouble::Data, message).help("name the data directory with --data-dir or --config")
        );
    }
    refuse_to_overwrite(to)?;
    let unfinished = beside(to, "partial");
    remove(&unfinished);
    let taken = copy(layout, (to, &unfinished));
    if taken.is_err() {
        remove(&unfinished);
    }
    taken
}

fn copy(layout: &Layout, (to, unfinished): (&Path, &Path)) -> Result<Manifest, Failure> {
    let failed = |error: std::io::Error| cannot("write", to, &error);
    let mut target = Target::create(unfinished, to).map_err(failed)?;
    let mut manifest = Manifest::new(now());
    for (part, how) in PARTS {
        collect::each(&layout.part(part), *how, &mut |source: Source| {
            let name = match how {
                How::File => (*part).to_owned(),
                How::AtOnce | How::Growing | How::Lines => format!("{part}/{}", source.name),
            };
            let mut content = Hashed::new(source.file.take(source.bytes));
            target.put(&name, &mut content, source.bytes)?;
            let (bytes, digest) = content.finish();
            if bytes != source.bytes {
                return Err(std::io::Error::other(
                    "a file was cut while it was copied: try again",
                ));
            }
            manifest.push(name, bytes, digest);
            Ok(())
        })
        .map_err(|error| cannot("copy", &layout.part(part), &error))?;
    }
    manifest.refuse_gap()?;
    let text = manifest.text()?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    target
        .put(MANIFEST, &mut text.as_bytes(), length)
        .and_then(|()| target.finish())
        .and_then(|()| fs::rename(unfinished, to))
        .and_then(|()| sync_parent(to))
        .map_err(failed)?;
    Ok(manifest)
}

/// Brings a copy back: beside the data directory first, where `check` looks at it; only then does it get the name.
///
/// # Errors
/// A data directory that holds something, a copy that is not whole, what `check` finds. Nothing is left then.
pub fn restore<T>(
    from: &Path,
    layout: &Layout,
    check: impl FnOnce(&Layout, &Manifest) -> Result<T, Failure>,
) -> Result<T, Failure> {
    refuse_to_overwrite(&layout.0)?;
    let staged = Layout(beside(&layout.0, "restoring"));
    remove(&staged.0);
    let restored = (|| {
        let manifest = archive::unpack(from, &staged.0)?;
        let checked = check(&staged, &manifest)?;
        fs::rename(&staged.0, &layout.0)
            .and_then(|()| sync_parent(&layout.0))
            .map_err(|error| cannot("write", &layout.0, &error))?;
        Ok(checked)
    })();
    if restored.is_err() {
        remove(&staged.0);
    }
    restored
}

fn refuse_to_overwrite(path: &Path) -> Result<(), Failure> {
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty || fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let message = format!("`{}` exists, and is not overwritten", path.display());
    Err(Failure::new(Trouble::Unavailable, message)
        .help("name another place, or move what is there away first"))
}

/// The same name with a word after it: on the same file system, so that it can be renamed.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{word}"));
    path.with_file_name(name)
}

/// Removes what was not finished.
fn remove(path: &Path) {
    // It may not be there, and what cannot be removed is told when it is written again.
    let _ = fs::remove_dir_all(path);
    let _ = fs::remove_file(path);
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot {what} `{}`: {error}", path.display());
    Failure::new(Trouble::Unavailable, message)
        .help("run it as the user that the server runs as, with space enough")
}
