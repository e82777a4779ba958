//! Entra: being written.

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// Entra.
pub struct Entra;

impl Format for Entra {
    fn name(&self) -> &'static str {
        "entra"
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
