//! The front door: choose the format of a record, and read it.

use crate::format::{Format, Options, Reading, Recognition, Record};
use crate::syslog::{self, Payload};
use crate::{formats, json};
use habitus_model::{Event, Rejection, RejectionKind};

/// Which format the records are in.
#[derive(Clone, Copy)]
pub enum FormatChoice {
    /// Each record is recognised by its content.
    Auto,
    /// All records are of this format; others are rejected.
    Only(&'static dyn Format),
}

/// A format name that is not in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no log format `{name}`: choose auto or one of {known}")]
pub struct UnknownFormat {
    name: String,
    known: String,
}

/// Reads records of one input. Holds no state between records: any order and any number of threads give the same events.
pub struct Normalizer {
    choice: FormatChoice,
    options: Options,
}

impl std::str::FromStr for FormatChoice {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        if name == "auto" {
            return Ok(FormatChoice::Auto);
        }
        formats::ALL
            .iter()
            .find(|format| format.name() == name)
            .map(|format| FormatChoice::Only(*format))
            .ok_or_else(|| {
                let known: Vec<&str> = formats::ALL.iter().map(|format| format.name()).collect();
                UnknownFormat {
                    name: name.to_owned(),
                    known: known.join(", "),
                }
            })
    }
}

impl Normalizer {
    /// A normalizer for one input.
    #[must_use]
    pub fn new(choice: FormatChoice, options: Options) -> Self {
        Self { choice, options }
    }

    /// Reads one record; `line` is where it starts. Appends its events to `out` and gives their number; 0 means
    /// understood, and no business of identity. Cost: linear in the record.
    ///
    /// # Errors
    /// A [`Rejection`]; `out` is then as it was.
    pub fn normalize(&self, bytes: &[u8], line: u64, out: &mut Vec<Event>) -> Result<usize, Rejection> {
        if bytes.len() > self.options.limits.record_bytes_max {
            let limit = self.options.limits.record_bytes_max;
            return Err(Rejection::new(
                RejectionKind::Limit,
                format!("more than {limit} bytes in one record"),
            ));
        }
        let reading = Reading {
            options: &self.options,
            raw: bytes,
            line,
        };
        let before = out.len();
        let read = self.read(bytes, &reading, out);
        if read.is_err() {
            out.truncate(before);
        }
        read.map(|()| out.len() - before)
    }

    fn read(&self, bytes: &[u8], reading: &Reading<'_>, out: &mut Vec<Event>) -> Result<(), Rejection> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            let document = json::parse(bytes, &self.options.limits)?;
            return self.dispatch(&Record::Json(&document), reading, out);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Rejection::new(
                RejectionKind::Malformed,
                format!("not UTF-8 at byte {}", error.valid_up_to()),
            )
        })?;
        let text = text.trim();
        let Some(payload) = syslog::payload(text, &self.options) else {
            return self.dispatch(&Record::Text(text), reading, out);
        };
        let before = out.len();
        let read = self.read_payload(payload, reading, out);
        match (read, self.choice) {
            // A named format may know the line itself, whatever stands in it.
            (Err(refused), FormatChoice::Only(format)) => {
                out.truncate(before);
                format
                    .read(&Record::Text(text), reading, out)
                    .map_err(|_| refused)
            }
            (read, _) => read,
        }
    }

    /// Reads the record behind a syslog header, once: what stands in it is not unwrapped again. The header's time counts
    /// where the record has none.
    fn read_payload(
        &self,
        payload: Payload<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let options = Options {
            reference_time: payload.time.or(self.options.reference_time),
            ..self.options.clone()
        };
        let reading = Reading {
            options: &options,
            ..*reading
        };
        if payload.record.starts_with('{') {
            let document = json::parse(payload.record.as_bytes(), &options.limits)?;
            return self.dispatch(&Record::Json(&document), &reading, out);
        }
        self.dispatch(&Record::Text(payload.record), &reading, out)
    }

    fn dispatch(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let format = match self.choice {
            FormatChoice::Only(format) => format,
            FormatChoice::Auto => recognise(record)?,
        };
        format.read(record, reading, out)
    }
}

/// The surest format; of equally sure ones the first in the list.
fn recognise(record: &Record<'_>) -> Result<&'static dyn Format, Rejection> {
    if let Record::Json(document) = record
        && formats::is_plain_ocsf(document)
    {
        return Ok(&formats::OCSF);
    }
    asked(record)
}

fn asked(record: &Record<'_>) -> Result<&'static dyn Format, Rejection> {
    let mut best: Option<&'static dyn Format> = None;
    for format in formats::ALL {
        match format.recognise(record) {
            Recognition::Certain => return Ok(*format),
            Recognition::Likely => best = best.or(Some(*format)),
            Recognition::No => {}
        }
    }
    best.ok_or_else(|| {
        Rejection::new(
            RejectionKind::Unrecognised,
            "no format recognises this record; name one with --format",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(format: &str, record: &str) -> Result<usize, RejectionKind> {
        Normalizer::new(format.parse().unwrap(), Options::default())
            .normalize(record.as_bytes(), 1, &mut Vec::new())
            .map_err(|refused| refused.kind)
    }

    proptest! {
        /// Values that other formats look for, under names that OCSF has.
        #[test]
        fn what_is_plain_ocsf_is_ocsf_to_all_formats(
            names in proptest::sample::subsequence(OCSF_NAMES.to_vec(), 0..OCSF_NAMES.len()),
            values in proptest::collection::vec(proptest::sample::select(VALUES.to_vec()), OCSF_NAMES.len()),
        ) {
            let always = [r#""class_uid":3002"#, r#""metadata":{"uid":"x"}"#].map(str::to_owned);
            let members = names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}"));
            let text = format!("{{{}}}", always.into_iter().chain(members).collect::<Vec<_>>().join(","));
            let document = json::parse(text.as_bytes(), &Default::default()).unwrap();
            prop_assert!(formats::is_plain_ocsf(&document));
            prop_assert_eq!(asked(&Record::Json(&document)).unwrap().name(), "ocsf", "{}", text);
        }
    }

    /// Attributes of OCSF, less those that every document here has.
    const OCSF_NAMES: [&str; 12] = [
        "actor",
        "type_uid",
        "user",
        "service",
        "resources",
        "observables",
        "device",
        "status",
        "unmapped",
        "session",
        "src_endpoint",
        "time",
    ];

    const VALUES: [&str; 8] = [
        "null",
        "1",
        r#""user.login""#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"x","eventType":"y","actor":{},"published":1,"client":1}"#,
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"get","auditID":"1","stage":"x"}"#,
        r#"[{"properties":{"initiatedBy":1},"category":"SignInLogs","resourceId":"/microsoft.aadiam"}]"#,
        r#"{"action":"org.add_member","actor":"a","org":"o","user":"b"}"#,
        r#""{\"realmId\":\"r\",\"type\":\"LOGIN\",\"clientId\":\"c\",\"eventName\":\"x\",\"actor\":1}""#,
    ];

    #[test]
    fn a_payload_is_read_once_and_by_its_own_format() {
        let line = r#"<14>1 2026-03-02T08:15:40Z h app - - - "#;
        let github = r#"{"action":"org.add_member","actor":"a","org":"o","user":"b"}"#;
        for format in ["auto", "github"] {
            assert_eq!(read(format, &format!("{line}{github}")), Ok(1), "{format}");
            assert_eq!(read(format, github), Err(RejectionKind::MissingField), "{format}");
        }
        assert_eq!(
            read("auto", &format!("{line}{{\"x\": 1}}")),
            Err(RejectionKind::Unrecognised)
        );
        assert_eq!(read("auto", &format!("{line}{{x")), Err(RejectionKind::Malformed));
        assert_eq!(read("okta", &format!("{line}{{x")), Err(RejectionKind::Malformed));
        for other in ["{x", r#"{"x": 1}"#, github] {
            assert_eq!(read("sshd", &format!("{line}{other}")), Ok(0), "{other}");
        }
        let nested = format!("{line}{{\"message\":\"<14>{}\"}}", github.replace('"', "\\\""));
        assert_eq!(read("auto", &nested), Err(RejectionKind::Unrecognised));
    }
}
