//! Windows events: the Security log above all, as XML, as JSON of `evtx_dump`, Winlogbeat, NXLog, Azure.
//!
//! The account of an event is who logs on (Target), not the service that asked for it (Subject, here the actor); where
//! accounts are managed it is who manages. Events that are no business of identity keep class 0 and whom they name.

mod build;
mod codes;
mod json;
mod message;
mod record;
mod rules;
mod users;
mod xml;

use crate::format::{Format, Reading, Recognition, Record};
use habitus_model::{Event, Rejection};

/// Windows events.
pub struct Windows;

const NAME: &str = "windows";

impl Format for Windows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) => json::recognise(document),
            Record::Text(text) if is_xml(text) => Recognition::Certain,
            Record::Text(_) => Recognition::No,
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let mut record = match record {
            Record::Json(document) => json::read(document, reading.options)?,
            Record::Text(text) => xml::parse(text, &reading.options.limits)?,
        };
        if rules::FEDERATION.contains(&record.id) {
            message::federation(&mut record);
        }
        out.extend(build::event(&record, reading)?);
        Ok(())
    }
}

/// Whether a text is an event's XML: `<Event`, perhaps behind an XML declaration. One with a document type is ours to
/// refuse.
fn is_xml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let text = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, rest)| rest.trim_start()),
        None => text,
    };
    text.strip_prefix("<Event")
        .or_else(|| text.strip_prefix("<!DOCTYPE Event"))
        .is_some_and(|rest| rest.starts_with([' ', '>', '\t', '\r', '\n']))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
