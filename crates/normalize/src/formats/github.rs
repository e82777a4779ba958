//! GitHub: being written.

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// GitHub.
pub struct GitHub;

impl Format for GitHub {
    fn name(&self) -> &'static str {
        "github"
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
