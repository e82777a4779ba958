//! What the tests of all modules share.

/// How many times the quick size a test runs: `HABITUS_SOAK`, 1 without it.
pub(crate) fn soak() -> u64 {
    let times = std::env::var("HABITUS_SOAK").ok();
    times.and_then(|times| times.parse().ok()).unwrap_or(1).max(1)
}
