//! Sshd: being written.

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// Sshd.
pub struct Sshd;

impl Format for Sshd {
    fn name(&self) -> &'static str {
        "sshd"
    }

    fn recognise(&self, _record: &Record<'_>) -> Recognition {
        Recognition::No
    }

    fn read(
        &self,
        _record: &Record<'_>,
        _reading: &Reading<'_>,
        _out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        Ok(())
    }
}
