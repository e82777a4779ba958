//! Decompression, piece by piece, that stops at the first byte too many.

use super::{Encoding, broken, too_large};
use crate::budget::Reservation;
use crate::problem::Problem;
use flate2::write::MultiGzDecoder;
use std::io::{self, Write};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation as _};

/// Bytes that a compressed byte may become (RELIABILITY S-04).
const RATIO_MAX: usize = 100;
/// Below this nobody cares how well something is compressed: a few hundred equal lines go far beyond the ratio.
const RATIO_FROM_BYTES: usize = 1024 * 1024;
/// Largest window of zstd, as a power of two: 8 MiB, which the format asks every decoder to support (RFC 8878 3.1.1.1.2).
const WINDOW_LOG_MAX: u32 = 23;
/// Piece by which output is taken from zstd.
const PIECE_BYTES: usize = 32 * 1024;

/// Takes compressed pieces, gives the content.
pub(super) struct Decoder {
    inner: Inner,
    received: usize,
}

enum Inner {
    Identity(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zstd {
        decoder: Box<ZstdDecoder<'static>>,
        sink: Sink,
        whole: bool,
    },
}

/// Where content goes: never beyond the limits.
struct Sink {
    content: Vec<u8>,
    held: Reservation,
    bytes_max: usize,
    /// Why writing failed.
    refusal: Option<Refused>,
}

#[derive(Debug, Clone, Copy)]
enum Refused {
    Size,
    Memory,
}

impl Decoder {
    pub(super) fn new(encoding: Encoding, held: Reservation, bytes_max: usize) -> Result<Self, Problem> {
        let sink = Sink {
            content: Vec::new(),
            held,
            bytes_max,
            refusal: None,
        };
        let inner = match encoding {
            Encoding::Identity => Inner::Identity(sink),
            Encoding::Gzip => Inner::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Encoding::Zstd => Inner::Zstd {
                decoder: Box::new(zstd_decoder().map_err(|_| Problem::internal())?),
                sink,
                whole: true,
            },
        };
        Ok(Self { inner, received: 0 })
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        if piece.is_empty() {
            return Ok(());
        }
        self.received = self.received.saturating_add(piece.len());
        let written = match &mut self.inner {
            Inner::Identity(sink) => sink.write_all(piece),
            Inner::Gzip(decoder) => {
                let sink = decoder.get_mut();
                sink.bytes_max = sink.bytes_max.min(allowed(self.received));
                decoder.write_all(piece)
            }
            Inner::Zstd { decoder, sink, whole } => {
                unpack(decoder, (piece, allowed(self.received)), sink).map(|finished| *whole = finished)
            }
        };
        written.map_err(|_| self.problem())
    }

    /// The content; an error if it ends in the middle, because what is missing would be lost in silence.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Reservation), Problem> {
        if let Inner::Gzip(decoder) = &mut self.inner
            && self.received > 0
            && decoder.try_finish().is_err()
        {
            return Err(self.problem());
        }
        match self.inner {
            Inner::Identity(sink) => Ok((sink.content, sink.held)),
            // An error here repeats the one above.
            Inner::Gzip(mut decoder) => {
                let sink = decoder.get_mut();
                let held = std::mem::take(&mut sink.held);
                Ok((std::mem::take(&mut sink.content), held))
            }
            Inner::Zstd {
                sink, whole: true, ..
            } => Ok((sink.content, sink.held)),
            Inner::Zstd { .. } => Err(broken("the compressed body breaks off")),
        }
    }

    fn problem(&self) -> Problem {
        let sink = match &self.inner {
            Inner::Identity(sink) | Inner::Zstd { sink, .. } => sink,
            Inner::Gzip(decoder) => decoder.get_ref(),
        };
        match sink.refusal {
            Some(Refused::Size) => too_large(),
            Some(Refused::Memory) => Problem::overloaded("overloaded", 1),
            None => broken("the compressed body is damaged"),
        }
    }
}

/// What this many compressed bytes may become.
fn allowed(received: usize) -> usize {
    received.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES)
}

fn zstd_decoder() -> io::Result<ZstdDecoder<'static>> {
    let mut decoder = ZstdDecoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
    Ok(decoder)
}

/// Unpacks one piece; gives whether a frame ended exactly with it.
fn unpack(
    decoder: &mut ZstdDecoder<'static>,
    (piece, allowed): (&[u8], usize),
    sink: &mut Sink,
) -> io::Result<bool> {
    let limit = sink.bytes_max;
    sink.bytes_max = limit.min(allowed);
    let mut rest = piece;
    let mut buffer = vec![0; PIECE_BYTES];
    let mut finished = false;
    loop {
        let status = decoder.run_on_buffers(rest, &mut buffer)?;
        sink.write_all(buffer.get(..status.bytes_written).unwrap_or_default())?;
        rest = rest.get(status.bytes_read..).unwrap_or_default();
        finished = status.remaining == 0 || (finished && status.bytes_read == 0);
        let full = status.bytes_written == buffer.len();
        if rest.is_empty() && !full {
            break;
        }
        if status.bytes_read == 0 && status.bytes_written == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    sink.bytes_max = limit;
    Ok(finished)
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.content.len().saturating_add(piece.len()) > self.bytes_max {
            self.refusal = Some(Refused::Size);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if !self.held.grow_to(self.content.len().saturating_add(piece.len())) {
            self.refusal = Some(Refused::Memory);
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.content.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    const LIMIT: usize = 16 * 1024 * 1024;

    fn decode(encoding: Encoding, content: &[u8], piece: usize) -> Result<Vec<u8>, Problem> {
        let budget = Budget::new(64 * 1024 * 1024);
        let mut decoder = Decoder::new(encoding, budget.reserve(), LIMIT)?;
        for piece in content.chunks(piece) {
            decoder.push(piece)?;
        }
        decoder.finish().map(|(content, _)| content)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// Lines that do not repeat.
    fn lines(bytes: usize) -> Vec<u8> {
        (0..)
            .flat_map(|n: u64| format!("{{\"n\":{}}}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes())
            .take(bytes)
            .collect()
    }

    #[test]
    fn content_comes_out_whatever_the_pieces() {
        let content = lines(300_000);
        let packed = [
            (Encoding::Identity, content.clone()),
            (Encoding::Gzip, gzip(&content)),
            (Encoding::Zstd, zstd::encode_all(content.as_slice(), 3).unwrap()),
        ];
        for (encoding, bytes) in packed {
            for piece in [1, 7, 4_096, 1_000_000] {
                assert!(
                    decode(encoding, &bytes, piece).unwrap() == content,
                    "{encoding:?} {piece}"
                );
            }
        }
    }

    #[test]
    fn members_and_frames_one_after_another_are_all_read() {
        let two = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(decode(Encoding::Gzip, &two, 5).unwrap(), b"a\nb\n");
        let frame = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        let two = [frame(b"a\n"), frame(b"b\n")].concat();
        assert_eq!(decode(Encoding::Zstd, &two, 5).unwrap(), b"a\nb\n");
        assert_eq!(decode(Encoding::Zstd, &two, 500).unwrap(), b"a\nb\n");
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 12 * 1024 * 1024];
        for (encoding, bytes) in [
            (Encoding::Gzip, gzip(&zeros)),
            (Encoding::Zstd, zstd::encode_all(zeros.as_slice(), 3).unwrap()),
        ] {
            let refused = decode(encoding, &bytes, 1_000).unwrap_err();
            assert_eq!(refused.code, "too_large", "{encoding:?}");
        }
    }

    #[test]
    fn a_few_equal_lines_are_no_bomb() {
        let content = b"{\"a\":1}\n".repeat(10_000);
        assert_eq!(decode(Encoding::Gzip, &gzip(&content), 1_000).unwrap(), content);
    }

    #[test]
    fn what_breaks_off_is_refused_at_every_byte() {
        let content = lines(2_000);
        for (encoding, bytes) in [
            (Encoding::Gzip, gzip(&content)),
            (Encoding::Zstd, zstd::encode_all(content.as_slice(), 3).unwrap()),
        ] {
            for end in 1..bytes.len() {
                let refused = decode(encoding, &bytes[..end], 100);
                assert!(refused.is_err(), "{encoding:?} {end} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn noise_is_refused_and_does_not_hang() {
        let noise = lines(10_000);
        assert!(decode(Encoding::Gzip, &noise, 100).is_err());
        assert!(decode(Encoding::Zstd, &noise, 100).is_err());
    }

    #[test]
    fn memory_is_given_back() {
        let budget = Budget::new(1024 * 1024);
        let mut first = Decoder::new(Encoding::Identity, budget.reserve(), LIMIT).unwrap();
        first.push(&vec![0; 900_000]).unwrap();
        let mut second = Decoder::new(Encoding::Identity, budget.reserve(), LIMIT).unwrap();
        assert_eq!(second.push(&vec![0; 900_000]).unwrap_err().code, "overloaded");
        drop(first);
        let mut third = Decoder::new(Encoding::Identity, budget.reserve(), LIMIT).unwrap();
        assert!(third.push(&vec![0; 900_000]).is_ok());
    }
}
