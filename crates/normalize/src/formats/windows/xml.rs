//! Events as XML (the schema `http://schemas.microsoft.com/win/2004/08/events/event`).
//!
//! A pull parser: no tree, no recursion, depth and number of fields limited. Document type declarations are refused,
//! and with them every entity beyond XML's own five.

use super::record::{Audit, WinRecord};
use crate::limits::Limits;
use crate::stamp;
use habitus_model::{Rejection, RejectionKind, UtcOffset};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;

/// Reads one `<Event>`.
///
/// # Errors
/// [`RejectionKind::Malformed`] if it is not well-formed, not one event, or holds a document type;
/// [`RejectionKind::Limit`]; a missing `EventID`.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<WinRecord<'a>, Rejection> {
    let mut reader = Reader::from_str(text);
    let mut state = State::new(limits);
    loop {
        let event = reader
            .read_event()
            .map_err(|_| malformed("not well-formed XML", reader.error_position()))?;
        match event {
            Event::Start(element) => state.open(&element)?,
            Event::Empty(element) => {
                state.open(&element)?;
                state.close()?;
            }
            Event::End(_) => state.close()?,
            Event::Text(piece) => state.text(piece.into_inner()),
            Event::CData(piece) => state.text(piece.into_inner()),
            Event::GeneralRef(reference) => state.text(resolved(&reference, reader.buffer_position())?),
            Event::DocType(_) => {
                return Err(malformed(
                    "a document type is not allowed",
                    reader.buffer_position(),
                ));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    state.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    System,
    Data,
    Elsewhere,
}

struct State<'a, 'l> {
    limits: &'l Limits,
    depth: usize,
    section: Section,
    has_id: bool,
    is_done: bool,
    /// Name and text of the innermost open element, until a child or its end comes.
    leaf: Option<(Cow<'a, str>, Cow<'a, str>)>,
    record: WinRecord<'a>,
}

impl<'a, 'l> State<'a, 'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            depth: 0,
            section: Section::Elsewhere,
            has_id: false,
            is_done: false,
            leaf: None,
            record: WinRecord::default(),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Rejection> {
        if self.depth >= self.limits.depth_max {
            return Err(limit(format!(
                "more than {} levels of nesting",
                self.limits.depth_max
            )));
        }
        let name = element.local_name();
        let name = name.as_ref();
        match self.depth {
            0 if name != "Event" || self.is_done => {
                return Err(Rejection::new(
                    RejectionKind::Malformed,
                    "not one `Event` element",
                ));
            }
            1 => {
                self.section = match name {
                    "System" => Section::System,
                    "EventData" | "UserData" => Section::Data,
                    _ => Section::Elsewhere,
                }
            }
            2 if self.section == Section::System => self.system_attributes(name, element),
            _ => {}
        }
        self.depth += 1;
        self.leaf = match self.section {
            Section::Elsewhere => None,
            Section::System => Some((Cow::Owned(name.to_owned()), Cow::Borrowed(""))),
            Section::Data => {
                let key = attribute(element, "Name").unwrap_or_else(|| match name {
                    "Data" => String::new(),
                    other => other.to_owned(),
                });
                Some((Cow::Owned(key), Cow::Borrowed("")))
            }
        };
        Ok(())
    }

    fn system_attributes(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            "Provider" => {
                self.record.provider = attribute(element, "Name")
                    .or_else(|| attribute(element, "EventSourceName"))
                    .map(Cow::Owned);
            }
            "TimeCreated" => {
                self.record.time =
                    attribute(element, "SystemTime").and_then(|time| stamp::iso(&time, UtcOffset::default()));
            }
            "Security" => self.record.writer.sid = attribute(element, "UserID").map(Cow::Owned),
            _ => {}
        }
    }

    fn text(&mut self, piece: Cow<'a, str>) {
        if let Some((_, text)) = &mut self.leaf {
            if text.is_empty() {
                *text = piece;
            } else {
                text.to_mut().push_str(&piece);
            }
        }
    }

    fn close(&mut self) -> Result<(), Rejection> {
        self.depth = self.depth.saturating_sub(1);
        if let Some((name, text)) = self.leaf.take() {
            match self.section {
                Section::System => self.system(&name, text),
                // Depth 1 is the section's own end: an empty `<EventData/>`.
                Section::Data if self.depth > 1 => self.push(name, text)?,
                Section::Data | Section::Elsewhere => {}
            }
        }
        match self.depth {
            0 => self.is_done = true,
            1 => self.section = Section::Elsewhere,
            _ => {}
        }
        Ok(())
    }

    fn system(&mut self, name: &str, text: Cow<'a, str>) {
        match name {
            "EventID" => {
                if let Ok(id) = text.trim().parse() {
                    self.record.id = id;
                    self.has_id = true;
                }
            }
            "Channel" => self.record.channel = Some(text),
            "Computer" => self.record.computer = Some(text),
            "EventRecordID" => self.record.record_id = Some(text),
            "Keywords" => self.record.audit = Audit::from_words(&text),
            _ => {}
        }
    }

    fn push(&mut self, name: Cow<'a, str>, text: Cow<'a, str>) -> Result<(), Rejection> {
        if self.record.data.len() >= self.limits.object_keys_max {
            return Err(limit(format!("more than {} fields", self.limits.object_keys_max)));
        }
        self.record.data.push((name, text));
        Ok(())
    }

    fn finish(self) -> Result<WinRecord<'a>, Rejection> {
        if !self.is_done {
            return Err(Rejection::new(
                RejectionKind::Malformed,
                "the XML ends before its `Event` does",
            ));
        }
        if !self.has_id {
            return Err(Rejection::missing("System/EventID"));
        }
        Ok(self.record)
    }
}

/// The value of an attribute, references resolved.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        // The parser's check for duplicates is quadratic; the first of two is taken.
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).ok())
        .map(Cow::into_owned)
}

fn resolved(reference: &BytesRef<'_>, at: u64) -> Result<Cow<'static, str>, Rejection> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(Cow::Owned(character.to_string()));
    }
    resolve_predefined_entity(reference)
        .map(Cow::Borrowed)
        .ok_or_else(|| malformed("an entity that XML does not define", at))
}

fn malformed(what: &str, at: u64) -> Rejection {
    Rejection::new(RejectionKind::Malformed, format!("{what}, at byte {at}"))
}

fn limit(reason: String) -> Rejection {
    Rejection::new(RejectionKind::Limit, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WinRecord<'_>, RejectionKind> {
        parse(text, &Limits::default()).map_err(|rejection| rejection.kind)
    }

    #[test]
    fn an_event_is_read() {
        let record = read(
            r#"<?xml version="1.0"?><Event xmlns="x"><System><Provider Name='P &amp; Q'/><EventID Qualifiers="0">4624</EventID>
            <Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime="2026-01-05T10:00:00.123456789Z"/>
            <EventRecordID>7</EventRecordID><Channel>Security</Channel><Computer>dc1</Computer><Security UserID="S-1-5-18"/></System>
            <EventData><Data Name="A">x&lt;y&#65;</Data><Data>bare</Data><Data Name="B"/><Binary>00</Binary></EventData>
            <RenderingInfo><Message>m</Message></RenderingInfo></Event>"#,
        )
        .unwrap();
        assert_eq!((record.id, record.provider.as_deref()), (4624, Some("P & Q")));
        assert_eq!(record.time.unwrap().as_millis(), 1_767_607_200_123);
        assert_eq!(record.audit, Some(Audit::Success));
        assert_eq!(record.uid().as_deref(), Some("dc1/Security/7"));
        assert_eq!(record.writer.sid.as_deref(), Some("S-1-5-18"));
        let data: Vec<(&str, &str)> = record
            .data
            .iter()
            .map(|(k, v)| (k.as_ref(), v.as_ref()))
            .collect();
        assert_eq!(data, [("A", "x<yA"), ("", "bare"), ("B", ""), ("Binary", "00")]);
    }

    #[test]
    fn user_data_is_read_by_element() {
        let record = read(
            "<Event><System><EventID>1102</EventID></System><UserData><LogFileCleared xmlns='y'>\
             <SubjectUserName>alice</SubjectUserName></LogFileCleared></UserData></Event>",
        )
        .unwrap();
        assert_eq!(record.get("SubjectUserName"), Some("alice"));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<Event><System><EventID>1</EventID></System><EventData>".to_owned() + &"<a>".repeat(100);
        let wide = format!(
            "<Event><System><EventID>1</EventID></System><EventData>{}</EventData></Event>",
            "<Data>x</Data>".repeat(3_000)
        );
        for (text, kind) in [
            (
                "<!DOCTYPE Event [<!ENTITY a \"b\">]><Event/>",
                RejectionKind::Malformed,
            ),
            (
                "<Event><System><EventID>&a;</EventID></System></Event>",
                RejectionKind::Malformed,
            ),
            ("<Event><System></Event>", RejectionKind::Malformed),
            ("<Event><System>", RejectionKind::Malformed),
            ("<Other/>", RejectionKind::Malformed),
            ("<Event/>", RejectionKind::MissingField),
            (deep.as_str(), RejectionKind::Limit),
            (wide.as_str(), RejectionKind::Limit),
        ] {
            assert_eq!(read(text).unwrap_err(), kind, "{text:.60}");
        }
    }
}
