//! Compressed input, recognised by its first bytes and decoded as it streams.
//!
//! gzip (RFC 1952, any number of members) and zstd (RFC 8878, any number of frames, skippable ones too). Other
//! compressions are recognised and refused with the command that mends it. Compressed data inside compressed data is
//! refused: nobody sends it by intention, and it squares the expansion. Limits are in [`Limits`].
//!
//! A bomb costs at most `ratio_after_bytes` of output plus one read, whatever it would expand to: nothing is kept.

use crate::{Error, Limits};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Block in which compressed bytes are read; zstd's recommended input size is 128 KiB + 3.
const READ_BYTES: usize = 128 * 1024;

/// Bytes that decide what an input is: the longest magic number, that of `.evtx`, has 8.
const MAGIC_BYTES: usize = 8;

/// What the first bytes of an input say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magic {
    /// gzip, RFC 1952 section 2.3.1.
    Gzip,
    /// zstd, RFC 8878 section 3.1.1, or one of its skippable frames, section 3.1.2.
    Zstd,
    /// A Windows event log file.
    Evtx,
    /// Recognised and not supported: its name and the command that converts it.
    Unsupported(&'static str, &'static str),
    /// None of these: taken as it is.
    Plain,
}

impl Magic {
    /// What `head`, the first bytes of an input, says. Eight bytes decide.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Magic::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Magic::Zstd,
            [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => Magic::Evtx,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Magic::Unsupported("xz", "xz -d FILE"),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => Magic::Unsupported("bzip2", "bzip2 -d FILE"),
            [b'P', b'K', 3, 4, ..] => Magic::Unsupported("zip", "unzip FILE"),
            [0xff, 0xfe, ..] => Magic::Unsupported("UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
            [0xfe, 0xff, ..] => Magic::Unsupported("UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
            _ => Magic::Plain,
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Magic::Gzip => Some("gzip"),
            Magic::Zstd => Some("zstd"),
            Magic::Evtx | Magic::Unsupported(..) | Magic::Plain => None,
        }
    }
}

/// A reader of decompressed bytes under limits.
///
/// Its I/O errors carry an [`Error`], to be had by `io::Error::downcast`.
pub struct Decompressed {
    input: String,
    codec: Codec,
    content: Magic,
    compression: Option<&'static str>,
    limits: Limits,
    consumed: Arc<AtomicU64>,
    consumed_before: u64,
    output_bytes: u64,
}

type Bytes = Counting<BufReader<Box<dyn Read + Send>>>;

enum Codec {
    Plain(Bytes),
    Gzip(Box<MultiGzDecoder<Bytes>>),
    Zstd(Box<zstd::Decoder<'static, Bytes>>),
    /// Bytes read ahead to look for nested compression, then the codec.
    Ahead(Cursor<Vec<u8>>, Box<Codec>),
}

impl Decompressed {
    /// Looks at the first bytes of `reader` and prepares to decode it. `input` names it in errors; `consumed`
    /// counts the compressed bytes taken from it, for a progress bar.
    ///
    /// # Errors
    /// Unsupported or nested compression, limits, and whatever reading the first bytes gives.
    pub fn new(
        input: &str,
        mut reader: Box<dyn Read + Send>,
        limits: &Limits,
        consumed: Arc<AtomicU64>,
    ) -> Result<Self, Error> {
        let head = read_head(&mut reader).map_err(|source| Error::from_read(input, source))?;
        let content = Magic::of(&head);
        let bytes = Counting {
            inner: BufReader::with_capacity(READ_BYTES, prefixed(head, reader)),
            consumed: Arc::clone(&consumed),
        };
        let codec = match content {
            Magic::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(bytes))),
            Magic::Zstd => Codec::Zstd(Box::new(zstd_decoder(bytes, limits).map_err(|source| {
                Error::Read {
                    input: input.to_owned(),
                    source,
                }
            })?)),
            Magic::Evtx | Magic::Plain => Codec::Plain(bytes),
            Magic::Unsupported(format, mend) => return Err(unsupported(input, format, mend)),
        };
        let consumed_before = consumed.load(Ordering::Relaxed);
        let this = Self {
            input: input.to_owned(),
            codec,
            content,
            compression: content.name(),
            limits: limits.clone(),
            consumed,
            consumed_before,
            output_bytes: 0,
        };
        this.look_inside()
    }

    /// What the content is once decompressed: [`Magic::Plain`] or [`Magic::Evtx`].
    #[must_use]
    pub const fn content(&self) -> Magic {
        self.content
    }

    /// Whether the input is compressed.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compression.is_some()
    }

    /// The name of the input, as errors show it.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Decodes the first bytes of compressed input and refuses what is compressed again.
    fn look_inside(mut self) -> Result<Self, Error> {
        let Some(outer) = self.compression else {
            return Ok(self);
        };
        let head = read_head(&mut self).map_err(|source| Error::from_read(&self.input, source))?;
        self.content = Magic::of(&head);
        match self.content {
            Magic::Gzip | Magic::Zstd => {
                return Err(Error::Nested {
                    inner: self.content.name().unwrap_or("compressed"),
                    input: self.input,
                    outer,
                });
            }
            Magic::Unsupported(format, mend) => return Err(unsupported(&self.input, format, mend)),
            Magic::Evtx | Magic::Plain => {}
        }
        self.codec = Codec::Ahead(Cursor::new(head), Box::new(self.codec));
        Ok(self)
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(output_bytes_max) = self.limits.output_bytes_max
            && self.output_bytes > output_bytes_max
        {
            return Err(Error::TooLarge {
                input: self.input.clone(),
                output_bytes_max,
            });
        }
        let Some(ratio_max) = self.limits.ratio_max.filter(|_| self.compression.is_some()) else {
            return Ok(());
        };
        let input_bytes = self
            .consumed
            .load(Ordering::Relaxed)
            .saturating_sub(self.consumed_before);
        let allowed = input_bytes.saturating_mul(u64::from(ratio_max));
        if self.output_bytes <= self.limits.ratio_after_bytes || self.output_bytes <= allowed {
            return Ok(());
        }
        Err(Error::Ratio {
            input: self.input.clone(),
            ratio_max,
            input_bytes,
            output_bytes: self.output_bytes,
        })
    }
}

impl Read for Decompressed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Codec::Ahead(head, _) = &mut self.codec {
            // These bytes were counted when they were decoded.
            let n = head.read(into)?;
            if n > 0 || into.is_empty() {
                return Ok(n);
            }
            let spent = std::mem::replace(
                &mut self.codec,
                Codec::Ahead(Cursor::default(), Box::new(nothing())),
            );
            if let Codec::Ahead(_, codec) = spent {
                self.codec = *codec;
            }
        }
        let read = match &mut self.codec {
            Codec::Plain(bytes) => bytes.read(into),
            Codec::Gzip(decoder) => decoder.read(into),
            Codec::Zstd(decoder) => decoder.read(into),
            Codec::Ahead(..) => Ok(0),
        };
        let n = read.map_err(|source| match self.compression {
            Some(format) if source.kind() != io::ErrorKind::Interrupted => Error::Corrupt {
                input: self.input.clone(),
                format,
                output_bytes: self.output_bytes,
                source,
            }
            .into(),
            _ => source,
        })?;
        self.output_bytes = self
            .output_bytes
            .saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        self.check()?;
        Ok(n)
    }
}

/// Counts what the decoder really consumed, not what was read ahead: a ratio over bytes read ahead would let a small
/// bomb expand further.
struct Counting<R> {
    inner: R,
    consumed: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counting<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.count(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.inner.consume(n);
        self.count(n);
    }
}

impl<R> Counting<R> {
    fn count(&self, n: usize) {
        self.consumed
            .fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Up to [`MAGIC_BYTES`] bytes, fewer only at the end of input.
fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(MAGIC_BYTES);
    let wanted = u64::try_from(MAGIC_BYTES).unwrap_or(u64::MAX);
    reader.take(wanted).read_to_end(&mut head)?;
    Ok(head)
}

fn prefixed(head: Vec<u8>, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    Box::new(Cursor::new(head).chain(reader))
}

fn zstd_decoder(bytes: Bytes, limits: &Limits) -> io::Result<zstd::Decoder<'static, Bytes>> {
    let mut decoder = zstd::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(limits.zstd_window_log_max)?;
    Ok(decoder)
}

fn unsupported(input: &str, format: &'static str, mend: &'static str) -> Error {
    Error::Unsupported {
        input: input.to_owned(),
        format,
        mend,
    }
}

/// A codec without bytes, to put in a place for a moment.
fn nothing() -> Codec {
    Codec::Plain(Counting {
        inner: BufReader::with_capacity(0, Box::new(io::empty())),
        consumed: Arc::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Decompressed, Error> {
        Decompressed::new("test", Box::new(Cursor::new(bytes)), limits, Arc::default())
    }

    fn read(bytes: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let mut reader = open(bytes, limits)?;
        reader
            .read_to_end(&mut out)
            .map_err(|e| Error::from_read("test", e))?;
        Ok(out)
    }

    #[test]
    fn members_and_frames_are_joined() {
        let gz = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(read(gz, &Limits::local()).unwrap(), b"one\ntwo\n");
        let frame = |b: &[u8]| zstd::encode_all(b, 1).unwrap();
        let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
        let zs = [skippable, frame(b"one\n"), frame(b"two\n")].concat();
        assert_eq!(read(zs, &Limits::local()).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn short_and_empty_input_is_plain() {
        for text in [&b""[..], b"a", b"\x1f", b"{}\n"] {
            assert_eq!(read(text.to_vec(), &Limits::untrusted()).unwrap(), text);
        }
        assert_eq!(read(gzip(b""), &Limits::untrusted()).unwrap(), b"");
    }

    #[test]
    fn a_bomb_stops_after_the_first_mebibyte() {
        let zeros = vec![0_u8; 64 << 20];
        for bomb in [gzip(&zeros), zstd::encode_all(&zeros[..], 19).unwrap()] {
            let mut reader = open(bomb, &Limits::untrusted()).unwrap();
            let mut block = vec![0; 64 << 10];
            let mut total = 0_usize;
            let error = loop {
                match reader.read(&mut block) {
                    Ok(n) => total += n,
                    Err(e) => break Error::from_read("test", e),
                }
            };
            assert!(matches!(error, Error::Ratio { .. }), "{error}");
            assert!(total <= (1 << 20) + block.len(), "{total}");
        }
    }

    #[test]
    fn local_files_may_be_repetitive_and_large() {
        let lines = b"the same line again\n".repeat(1 << 20);
        assert_eq!(read(gzip(&lines), &Limits::local()).unwrap().len(), lines.len());
        assert!(matches!(
            read(lines, &Limits::untrusted()),
            Err(Error::TooLarge { .. })
        ));
    }

    #[test]
    fn nested_and_foreign_compression_is_refused() {
        let nested = read(gzip(&gzip(b"x")), &Limits::local());
        assert!(matches!(nested, Err(Error::Nested { .. })));
        let zs_in_gz = read(gzip(&zstd::encode_all(&b"x"[..], 1).unwrap()), &Limits::local());
        assert!(matches!(zs_in_gz, Err(Error::Nested { inner: "zstd", .. })));
        let xz = read(b"\xfd7zXZ\x00\x00\x04".to_vec(), &Limits::local());
        assert!(matches!(xz, Err(Error::Unsupported { format: "xz", .. })));
    }

    #[test]
    fn large_zstd_windows_are_refused_from_the_network() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(25).unwrap();
        encoder.write_all(b"hello hello hello").unwrap();
        let frame = encoder.finish().unwrap();
        assert!(read(frame.clone(), &Limits::local()).is_ok());
        assert!(matches!(
            read(frame, &Limits::untrusted()),
            Err(Error::Corrupt { .. })
        ));
    }

    #[test]
    fn cut_off_data_says_so() {
        let mut gz = gzip(&b"abc\n".repeat(1000));
        gz.truncate(gz.len() - 9);
        let error = read(gz, &Limits::local()).unwrap_err().to_string();
        assert!(error.contains("gzip -t"), "{error}");
    }

    #[test]
    fn consumed_bytes_are_counted() {
        let gz = gzip(&b"abc\n".repeat(100_000));
        let consumed = Arc::new(AtomicU64::new(0));
        let size = gz.len() as u64;
        let mut reader = Decompressed::new(
            "t",
            Box::new(Cursor::new(gz)),
            &Limits::local(),
            Arc::clone(&consumed),
        )
        .unwrap();
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(consumed.load(Ordering::Relaxed), size);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(head in 0_usize..4, tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let heads: [&[u8]; 4] = [b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"];
            let _ = read([heads[head], &tail].concat(), &Limits::untrusted());
        }

        #[test]
        fn what_goes_in_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            // Content that looks compressed itself is refused, which other tests show.
            prop_assume!(Magic::of(&bytes) == Magic::Plain);
            prop_assert_eq!(&read(gzip(&bytes), &Limits::untrusted()).unwrap(), &bytes);
            let frame = zstd::encode_all(&bytes[..], 1).unwrap();
            prop_assert_eq!(&read(frame, &Limits::untrusted()).unwrap(), &bytes);
        }
    }
}
