//! Bodies: read with time limits, decompressed while they arrive, within limits of size and memory.

mod decode;

use crate::budget::{Budget, Reservation};
use crate::problem::Problem;
use crate::settings::Limits;
use axum::body::Body;
use bytes::Bytes;
use decode::Decoder;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use std::time::Duration;

/// What is read of a refused body and thrown away, so that the sender hears the refusal instead of a reset.
const DRAIN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A whole body. The memory it takes is accounted for while this lives.
#[derive(Debug)]
pub(crate) struct Collected {
    pub bytes: Bytes,
    _held: Reservation,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Reads a body to its end.
///
/// # Errors
/// 413 beyond the limits, 415 for an unknown encoding, 400 for broken compression or transfer, 408 when it takes too
/// long, 503 when there is no memory for it.
pub(crate) async fn collect(
    mut body: Body,
    headers: &HeaderMap,
    budget: &Budget,
    (limits, bytes_max): (&Limits, usize),
) -> Result<Collected, Problem> {
    let collected = match begin(headers, budget, bytes_max) {
        Ok(decoder) => {
            let read = read(&mut body, decoder, (limits, bytes_max));
            match tokio::time::timeout(limits.body_time, read).await {
                Ok(collected) => collected,
                Err(_) => Err(too_slow()),
            }
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = &collected
        && problem.status != StatusCode::REQUEST_TIMEOUT
    {
        // Whether it ends or not, what was refused stays refused.
        let _ = tokio::time::timeout(DRAIN_TIME, drain(&mut body)).await;
    }
    collected
}

fn begin(headers: &HeaderMap, budget: &Budget, bytes_max: usize) -> Result<Decoder, Problem> {
    let encoding = encoding(headers)?;
    if announced(headers).is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    Decoder::new(encoding, budget.reserve(), bytes_max)
}

async fn drain(body: &mut Body) {
    let mut drained: usize = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained = drained.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if drained > DRAIN_BYTES_MAX {
            return;
        }
    }
}

async fn read(
    body: &mut Body,
    mut decoder: Decoder,
    (limits, bytes_max): (&Limits, usize),
) -> Result<Collected, Problem> {
    let mut received: usize = 0;
    loop {
        let frame = tokio::time::timeout(limits.body_pause, body.frame());
        let Some(frame) = frame.await.map_err(|_| too_slow())? else {
            break;
        };
        let frame = frame.map_err(|_| broken("the body breaks off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received = received.saturating_add(data.len());
        if received > bytes_max {
            return Err(too_large());
        }
        decoder.push(&data)?;
    }
    let (bytes, held) = decoder.finish()?;
    Ok(Collected {
        bytes: bytes.into(),
        _held: held,
    })
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, more) = (values.next(), values.next());
    let name = first.and_then(|value| value.to_str().ok()).map(str::trim);
    match (first, name, more) {
        (None, _, _) => Ok(Encoding::Identity),
        (Some(_), Some(name), None) if name.is_empty() || name.eq_ignore_ascii_case("identity") => {
            Ok(Encoding::Identity)
        }
        (Some(_), Some(name), None)
            if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") =>
        {
            Ok(Encoding::Gzip)
        }
        (Some(_), Some(name), None) if name.eq_ignore_ascii_case("zstd") => Ok(Encoding::Zstd),
        // Twice compressed is a bomb's dress; nobody sends logs so.
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "`Content-Encoding` is not gzip, zstd or identity",
        )),
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> Problem {
    Problem::too_large("the body is larger than this server takes; send smaller batches")
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        "the body does not arrive in time",
    )
}

fn broken(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "broken_body", detail)
}
