//! Keycloak: being written.

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// Keycloak.
pub struct Keycloak;

impl Format for Keycloak {
    fn name(&self) -> &'static str {
        "keycloak"
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
