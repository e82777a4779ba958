//! Okta: being written.

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// Okta.
pub struct Okta;

impl Format for Okta {
    fn name(&self) -> &'static str {
        "okta"
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
