//! Where a copy is: a directory, or one tar file, packed or not.

use super::manifest::{MANIFEST, Manifest, is_ours};
use super::{cannot, sync_parent};
use crate::failure::{Failure, Trouble};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// zstd's own default. Segments of the log are packed already.
const ZSTD_LEVEL: i32 = 3;
/// What a file packed with zstd starts with (RFC 8878).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Largest manifest: a hundred bytes for each file of a log of 10 TiB.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// A copy being written.
pub enum Target {
    /// Into a directory.
    Directory(PathBuf),
    /// Into a tar file.
    Plain(tar::Builder<BufWriter<File>>),
    /// Into a packed tar file.
    Packed(tar::Builder<zstd::Encoder<'static, BufWriter<File>>>),
}

impl Target {
    /// Begins one at `path`; the form is that of the name it will have.
    pub fn create(path: &Path, named: &Path) -> io::Result<Self> {
        let name = named.to_string_lossy();
        if !name.ends_with(".tar") && !name.ends_with(".tar.zst") {
            make(path)?;
            return Ok(Self::Directory(path.to_owned()));
        }
        let file = BufWriter::new(new_file(path)?);
        if name.ends_with(".tar") {
            return Ok(Self::Plain(tar::Builder::new(file)));
        }
        let packed = zstd::Encoder::new(file, ZSTD_LEVEL)?;
        Ok(Self::Packed(tar::Builder::new(packed)))
    }

    /// Adds a file of exactly so many bytes.
    pub fn put(&mut self, name: &str, content: &mut dyn Read, bytes: u64) -> io::Result<()> {
        match self {
            Self::Directory(path) => write_file(&path.join(name), content),
            Self::Plain(tar) => tar.append(&header(name, bytes)?, content),
            Self::Packed(tar) => tar.append(&header(name, bytes)?, content),
        }
    }

    /// Puts it on stable storage.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Directory(path) => {
                for entry in fs::read_dir(&path)? {
                    let entry = entry?;
                    if entry.file_type()?.is_dir() {
                        File::open(entry.path())?.sync_all()?;
                    }
                }
                File::open(path)?.sync_all()
            }
            Self::Plain(tar) => sync(tar.into_inner()?),
            Self::Packed(tar) => sync(tar.into_inner()?.finish()?),
        }
    }
}

fn sync(file: BufWriter<File>) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn header(name: &str, bytes: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Brings the files of a copy into a new directory, and holds them against its manifest.
///
/// # Errors
/// What is no copy, or not whole; what cannot be read or written.
pub fn unpack(from: &Path, into: &Path) -> Result<Manifest, Failure> {
    let reading = |error: io::Error| cannot("read", from, &error);
    let is_dir = fs::metadata(from).map_err(reading)?.is_dir();
    make(into).map_err(|error| cannot("write", into, &error))?;
    if !is_dir {
        unpack_tar(from, into).map_err(reading)?;
    }
    let text = read_manifest(if is_dir { from } else { into })?;
    let manifest = Manifest::parse(&text)?;
    if is_dir {
        for held in &manifest.files {
            let copied = File::open(from.join(&held.name))
                .and_then(|mut file| write_file(&into.join(&held.name), &mut file));
            copied.map_err(|error| cannot("read", &from.join(&held.name), &error))?;
        }
    } else {
        fs::remove_file(into.join(MANIFEST)).map_err(|error| cannot("write", into, &error))?;
    }
    manifest.check(into)?;
    Ok(manifest)
}

fn read_manifest(dir: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = File::open(dir.join(MANIFEST))
        .and_then(|file| file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text));
    read.map(|_| text).map_err(|_| {
        Failure::new(
            Trouble::Data,
            format!("it is no finished copy: there is no `{MANIFEST}` in it"),
        )
        .help("name what `habitus backup --to` has written")
    })
}

fn unpack_tar(from: &Path, into: &Path) -> io::Result<()> {
    let mut file = BufReader::new(File::open(from)?);
    let is_packed = io::BufRead::fill_buf(&mut file)?.starts_with(&ZSTD_MAGIC);
    if is_packed {
        entries(zstd::Decoder::with_buffer(file)?, into)
    } else {
        entries(file, into)
    }
}

fn entries(content: impl Read, into: &Path) -> io::Result<()> {
    for entry in tar::Archive::new(content).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.to_str().filter(|name| is_ours(name));
        let Some(name) = name.filter(|_| entry.header().entry_type().is_file()) else {
            return Err(io::Error::other("it holds something that no data directory has"));
        };
        write_file(&into.join(name), &mut entry)?;
    }
    Ok(())
}

/// Writes a new file that only its owner reads, with its directory, on stable storage.
fn write_file(path: &Path, content: &mut dyn Read) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        make(parent)?;
    }
    let mut file = new_file(path)?;
    io::copy(content, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    sync_parent(path)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
