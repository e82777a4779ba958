//! Inputs opened, recognised and cut into batches of records, one input after the other.

use crate::decompress::{Decompressed, Magic};
use crate::evtx::EvtxRecords;
use crate::input::open_error;
use crate::{Batch, Error, Framer, Limits, Location, Progress};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The records of one input, whatever it is: text or `.evtx`, compressed or not.
pub struct Records(Kind);

enum Kind {
    Framed(Box<Framer<Decompressed>>),
    Evtx(Box<EvtxRecords>),
}

/// What [`Records::open`] and [`Batches`] need to know besides the inputs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Limits on each input.
    pub limits: Limits,
    /// Where temporary files go, for `.evtx` data that cannot be sought in.
    pub temp_dir: PathBuf,
    /// Counts bytes as they lie on disk.
    pub progress: Progress,
}

impl Settings {
    /// For files that a person named: [`Limits::local`], temporary files in `temp_dir`.
    #[must_use]
    pub fn local(temp_dir: &Path) -> Self {
        Self {
            limits: Limits::local(),
            temp_dir: temp_dir.to_owned(),
            progress: Progress::new(),
        }
    }
}

impl Records {
    /// Opens `location` and looks at its first bytes.
    ///
    /// # Errors
    /// What cannot be opened, recognised or decoded; see [`Error`].
    pub fn open(location: &Location, settings: &Settings) -> Result<Self, Error> {
        let name = location.name();
        let reader = location.open()?;
        let limits = &settings.limits;
        let bytes = Decompressed::new(&name, reader, limits, settings.progress.counter())?;
        if bytes.content() != Magic::Evtx {
            let framer = Framer::new(&name, bytes, limits);
            return Ok(Self(Kind::Framed(Box::new(framer))));
        }
        let records = match location {
            Location::File { path, bytes: Some(_) } if !bytes.is_compressed() => {
                let file = File::open(path).map_err(|source| open_error(path, source))?;
                EvtxRecords::new(&name, file, limits)?.with_progress(settings.progress.clone())
            }
            Location::File { .. } | Location::Stdin => {
                EvtxRecords::spooled(&name, bytes, &settings.temp_dir, limits)?
            }
        };
        Ok(Self(Kind::Evtx(Box::new(records))))
    }

    /// Replaces the items of `batch` by the next ones; false at the end, with an empty batch.
    ///
    /// # Errors
    /// Reading or decoding fails. Items framed before are in `batch`.
    pub fn fill(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        match &mut self.0 {
            Kind::Framed(framer) => framer.fill(batch),
            Kind::Evtx(records) => Ok(records.fill(batch)),
        }
    }
}

/// Batches that go round: filled on one thread, worked off on another, and filled again. Allocated anew each time, every
/// page of them is faulted in and zeroed again. There are as many as ever were in use at once.
#[derive(Debug, Clone, Default)]
pub struct SpareBatches(Arc<Mutex<Vec<Batch>>>);

impl SpareBatches {
    /// Gives a batch back. What is in it is forgotten.
    pub fn give(&self, mut batch: Batch) {
        batch.clear();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }

    fn take(&self) -> Batch {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        held.unwrap_or_else(Batch::roomy)
    }
}

/// All batches of all inputs, in order. After an error it goes on with the next input, so that the caller decides
/// whether one bad file stops everything.
pub struct Batches {
    locations: Vec<Location>,
    settings: Settings,
    /// The input that comes next.
    next: usize,
    current: Option<Records>,
    /// The error that came after the items of the batch given out last.
    failed: Option<Error>,
    spare: SpareBatches,
}

impl Batches {
    /// Batches of `locations`; each is opened when its turn comes.
    #[must_use]
    pub fn new(locations: Vec<Location>, settings: Settings) -> Self {
        Self {
            locations,
            settings,
            next: 0,
            current: None,
            failed: None,
            spare: SpareBatches::default(),
        }
    }

    /// Where batches are given back that were worked off. Nobody has to.
    #[must_use]
    pub fn spare(&self) -> SpareBatches {
        self.spare.clone()
    }

    /// The current input's next batch; absent at its end.
    fn fill(&mut self) -> Option<Result<Batch, Error>> {
        let records = self.current.as_mut()?;
        let mut batch = self.spare.take();
        batch.input = u32::try_from(self.next.saturating_sub(1)).unwrap_or(u32::MAX);
        let failed = match records.fill(&mut batch) {
            Ok(true) => return Some(Ok(batch)),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        self.current = None;
        self.failed = failed;
        if batch.is_empty() {
            return self.failed.take().map(Err);
        }
        Some(Ok(batch))
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            if let Some(filled) = self.fill() {
                return Some(filled);
            }
            let location = self.locations.get(self.next)?;
            self.next += 1;
            match Records::open(location, &self.settings) {
                Ok(records) => self.current = Some(records),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Framed, input};
    use flate2::write::GzEncoder;
    use std::fs;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// `(input, line, text)` of all records, or the error's text.
    fn all(batches: Batches) -> Vec<String> {
        let show = |batch: Result<Batch, Error>| match batch {
            Err(error) => vec![error.to_string()],
            Ok(batch) => batch
                .iter()
                .map(|item| match item {
                    Framed::Record(r) => {
                        format!("{}:{}:{}", batch.input, r.line, String::from_utf8_lossy(r.bytes))
                    }
                    other => format!("{other:?}"),
                })
                .collect(),
        };
        batches.flat_map(show).collect()
    }

    #[test]
    fn inputs_follow_one_another_and_a_bad_one_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut cut = gzip(&b"{\"c\":1}\n".repeat(2));
        cut.truncate(cut.len() - 4);
        let files: [(&str, &[u8]); 4] = [
            ("1.log", b"one\n{\"a\":1}\n"),
            ("2.gz", &gzip(b"\n{\"b\":1}")),
            ("3.gz", &cut),
            ("4.zst", &zstd::encode_all(&b"last"[..], 1).unwrap()),
        ];
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let locations = input::resolve(&[dir.path()]).unwrap();
        let settings = Settings::local(dir.path());
        let got = all(Batches::new(locations.clone(), settings.clone()));
        assert_eq!(
            got[..5],
            [
                "0:1:one",
                "0:2:{\"a\":1}",
                "1:2:{\"b\":1}",
                "2:1:{\"c\":1}",
                "2:2:{\"c\":1}"
            ]
        );
        assert!(
            got[5].contains("3.gz") && got[5].contains("gzip -t"),
            "{}",
            got[5]
        );
        assert_eq!(got[6..], ["3:1:last"]);
        assert_eq!(Some(settings.progress.bytes()), input::total_bytes(&locations));
    }

    #[test]
    fn evtx_is_known_by_its_first_bytes_also_compressed() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = [b"ElfFile\0".as_slice(), &[0xff; 5000]].concat();
        fs::write(dir.path().join("a.log"), &bytes).unwrap();
        fs::write(dir.path().join("b.log"), gzip(&bytes)).unwrap();
        let locations = input::resolve(&[dir.path()]).unwrap();
        for text in all(Batches::new(locations, Settings::local(dir.path()))) {
            assert!(text.contains("Windows event log"), "{text}");
        }
    }
}
