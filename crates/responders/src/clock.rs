//! The time of an attempt, as a parameter.

use std::fmt;
use std::sync::Arc;

/// Tells the time, in milliseconds since the Unix epoch. A signature carries the time of its attempt, and `Retry-After`
/// may be a date; nothing else here asks for it. Only the app reads the machine's clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// From a function that gives milliseconds since the Unix epoch.
    #[must_use]
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
