//! Microsoft 365's unified audit log: logons, the directory, mailboxes, files, and what administrators do.
//!
//! Sources: Office 365 Management Activity API schema (common schema, Azure Active Directory base, account logon and STS
//! logon schemas, Exchange admin and mailbox schemas, SharePoint schema); Microsoft Purview, "Audit log activities";
//! `Search-UnifiedAuditLog`, which puts the record as text into `AuditData`.
//!
//! `CreationTime` is UTC and says so nowhere. A logon's result is its operation and `ErrorNumber`: `ResultStatus` of a
//! `UserLoginFailed` is `Success`, because writing the record succeeded.

mod directory;
mod logon;
mod operations;
mod view;

use crate::envelope::{self, Inner, Marks};
use crate::format::{Format, Reading, Recognition, Record};
use crate::json::{self, Json};
use habitus_model::{Event, Rejection, RejectionKind};
use std::borrow::Cow;
use view::View;

/// Microsoft 365's unified audit log.
pub struct O365;

const NAME: &str = "o365";

const MARKS: Marks = Marks {
    is_own: is_record,
    text: &["\"CreationTime\"", "\"Operation\""],
};

/// `RecordType` of logons: account logon (9) and security token service logon (15).
const LOGONS: [i64; 2] = [9, 15];
/// `RecordType` of directory changes: Azure Active Directory (8).
const DIRECTORY: i64 = 8;
/// `RecordType` of what Microsoft's protection found: threat intelligence (28, 41, 47, 48), alerts (40), automated
/// investigations (64, 67, 68).
const FINDINGS: [i64; 8] = [28, 40, 41, 47, 48, 64, 67, 68];

impl Format for O365 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        let Record::Json(document) = record else {
            return Recognition::No;
        };
        if exported(document).is_some() || envelope::holds(document, MARKS) {
            Recognition::Certain
        } else {
            Recognition::No
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let Record::Json(document) = record else {
            return Err(Rejection::new(
                RejectionKind::Malformed,
                "a record of the unified audit log is a JSON object",
            ));
        };
        let limits = &reading.options.limits;
        if let Some(text) = exported(document) {
            let record = json::parse(text.as_bytes(), limits)?;
            let inner = Inner {
                record: Cow::Borrowed(&record),
                shell: document,
                index: None,
            };
            out.push(event(&inner, reading)?);
            return Ok(());
        }
        for inner in envelope::open(document, MARKS, limits)? {
            out.push(event(&inner, reading)?);
        }
        Ok(())
    }
}

/// The common schema: every record has these, and no other source has all of them.
fn is_record(document: &Json<'_>) -> bool {
    let has = |key| document.has(key);
    has("CreationTime") && has("Operation") && has("UserType") && (has("RecordType") || has("Workload"))
}

/// The record in a row of `Search-UnifiedAuditLog`.
fn exported<'s>(document: &'s Json<'_>) -> Option<&'s str> {
    let text = document.str("AuditData")?;
    let is_row = document.has("RecordType") && (document.has("UserIds") || document.has("Operations"));
    (is_row || text.contains("\"CreationTime\"")).then_some(text)
}

fn event(inner: &Inner<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let view = View {
        record: &inner.record,
        reading,
        uid: inner.uid(inner.record.str("Id"), reading),
    };
    let kind = view.record.i64("RecordType");
    match kind {
        Some(kind) if LOGONS.contains(&kind) => logon::read(&view),
        Some(DIRECTORY) => directory::read(&view),
        Some(kind) if FINDINGS.contains(&kind) => view.finding(),
        _ => operations::read(&view),
    }
}

#[cfg(test)]
mod tests {
    use super::O365;
    use crate::envelope::hostile;
    use proptest::prelude::*;

    const SAMPLE: &str = include_str!("../../../../../fixtures/formats/o365/sample.log");

    proptest! {
        #[test]
        fn records_with_something_wrong_in_them_are_read_or_rejected(record in hostile::record(SAMPLE)) {
            hostile::read(&O365, &record);
        }
    }
}
