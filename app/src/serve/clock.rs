//! The one place where serving reads the clock.

use habitus_model::IngestTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the machine's clock; 1970 if that is out of its mind.
#[expect(
    clippy::disallowed_methods,
    reason = "a server stamps what comes in, and everything behind this function takes time as a parameter"
)]
pub fn now() -> IngestTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).ok();
    millis
        .and_then(IngestTime::from_millis)
        .unwrap_or(IngestTime::EPOCH)
}
