//! What shippers leave of an event that send its text but not its fields.
//!
//! The text is in the host's language and holds what clients chose (a name may hold line breaks), so little is taken
//! from it: only a few labels, in English, only for fields that the record does not have, and none that stands twice.

use super::record::WinRecord;
use std::borrow::Cow;

/// Section, label, and the field that the text shows there (Microsoft Learn, the pages of the events; "Description").
/// A section is a line that ends in a colon; the empty one is before any.
const LABELS: &[(&str, &str, &str)] = &[
    ("", "Caller IP", "ClientAddress"),
    ("", "Logon Type", "LogonType"),
    (
        "Account For Which Logon Failed",
        "Account Domain",
        "TargetDomainName",
    ),
    ("Account For Which Logon Failed", "Account Name", "TargetUserName"),
    ("Account For Which Logon Failed", "Security ID", "TargetUserSid"),
    ("Additional Information", "Client Address", "ClientAddress"),
    ("Failure Information", "Status", "Status"),
    ("Failure Information", "Sub Status", "SubStatus"),
    ("Network Information", "Client Address", "IpAddress"),
    ("Network Information", "Source Network Address", "IpAddress"),
    ("Network Information", "Source Port", "IpPort"),
    ("Network Information", "Workstation Name", "WorkstationName"),
    ("New Logon", "Account Domain", "TargetDomainName"),
    ("New Logon", "Account Name", "TargetUserName"),
    ("New Logon", "Logon ID", "TargetLogonId"),
    ("New Logon", "Security ID", "TargetUserSid"),
    ("Subject", "Account Domain", "SubjectDomainName"),
    ("Subject", "Account Name", "SubjectUserName"),
    ("Subject", "Domain", "AccountDomain"),
    ("Subject", "Logon ID", "LogonID"),
    ("Subject", "Security ID", "SubjectUserSid"),
    ("Subject", "User Name", "AccountName"),
];

type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Adds to a record without subject and target what its text says of them. Cost: linear in the text.
pub fn complete<'a>(record: &mut WinRecord<'a>, text: Option<&'a str>) {
    let has_names = record
        .data
        .iter()
        .any(|(name, _)| name == "SubjectUserName" || name == "TargetUserName");
    let is_known = record.is_security() || record.channel.as_deref() == Some("Directory Service");
    if let Some(text) = text.filter(|_| is_known && !has_names) {
        fields(text, &mut record.data);
    }
}

/// Adds to `data` the fields that `text` shows and `data` has not.
fn fields<'a>(text: &'a str, data: &mut Vec<Field<'a>>) {
    let mut found: Vec<(&'static str, &'a str)> = Vec::new();
    let mut twice: Vec<&'static str> = Vec::new();
    let mut section = "";
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let Some((label, value)) = line.split_once(':') else {
            continue;
        };
        let named = |section: &str| {
            let fits = |(s, l, _): &&(&str, &str, &'static str)| *s == section && *l == label;
            LABELS.iter().find(fits).map(|(_, _, field)| *field)
        };
        let (field, value) = match (named(section).or_else(|| named("")), value.trim()) {
            // A label of the oldest texts has its value on the next line.
            (Some(field), "") => (field, lines.next_if(|next| !next.ends_with(':')).unwrap_or("")),
            (Some(field), value) => (field, value),
            (None, "") => {
                section = label;
                continue;
            }
            (None, _) => continue,
        };
        match found.iter().any(|(other, _)| *other == field) {
            true => twice.push(field),
            false => found.push((field, value)),
        }
    }
    for (field, value) in found {
        if !twice.contains(&field) && !data.iter().any(|(name, _)| name == field) {
            data.push((Cow::Borrowed(field), Cow::Borrowed(value)));
        }
    }
}

/// Elements of the XML that AD FS writes into its audits (events 1200 to 1203), and the field each is here.
const AUDIT: [(&str, &str, &str); 4] = [
    ("<UserId>", "</UserId>", "AuditUserId"),
    ("<FailureType>", "</FailureType>", "FailureType"),
    ("<IpAddress>", "</IpAddress>", "IpAddress"),
    ("<UserAgentString>", "</UserAgentString>", "UserAgentString"),
];

/// Adds what AD FS says of a logon. Inside the XML, `<` of a name is escaped, so a name cannot pose as an element.
pub fn federation(record: &mut WinRecord<'_>) {
    let audit = record
        .data
        .iter()
        .find_map(|(_, value)| value.split_once("<AuditBase"))
        .map(|(_, audit)| audit.to_owned());
    let Some(audit) = audit else { return };
    for (opening, closing, field) in AUDIT {
        let value = audit
            .split_once(opening)
            .and_then(|(_, rest)| rest.split_once(closing))
            .map(|(value, _)| value.to_owned());
        if let Some(value) = value.filter(|_| record.get(field).is_none()) {
            record.data.push((Cow::Borrowed(field), Cow::Owned(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(String, String)> {
        let mut data = Vec::new();
        fields(text, &mut data);
        data.into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn labels_count_in_their_section() {
        assert_eq!(
            of(
                "An account failed to log on.\r\n\r\nSubject:\r\n\tAccount Name:\t\t-\r\n\r\nAccount For Which Logon Failed:\r\n\tAccount Name:\t\tjane\r\n\r\nNetwork Information:\r\n\tSource Network Address:\t203.0.113.24\r\n\tSource Port:\t\t50122\r\n"
            ),
            pairs(&[
                ("SubjectUserName", "-"),
                ("TargetUserName", "jane"),
                ("IpAddress", "203.0.113.24"),
                ("IpPort", "50122"),
            ])
        );
        assert_eq!(
            of(
                "Fetched.\r\n \r\nObject: \r\nCN=svc \r\nCaller SID: \r\nS-1-5-21-7 \r\nCaller IP: \r\n203.0.113.24:56914"
            ),
            pairs(&[("ClientAddress", "203.0.113.24:56914")])
        );
    }

    #[test]
    fn a_name_cannot_pose_as_a_field() {
        assert_eq!(
            of(
                "Account For Which Logon Failed:\r\n\tAccount Name:\tx\r\nNetwork Information:\r\n\tSource Network Address:\t192.0.2.1\r\n\r\nNetwork Information:\r\n\tSource Network Address:\t203.0.113.24\r\n"
            ),
            pairs(&[("TargetUserName", "x")])
        );
        assert_eq!(of("Account Name:\tjane\r\nUser Name: bob"), pairs(&[]));
    }

    #[test]
    fn fields_of_the_record_are_kept() {
        let mut data = vec![(Cow::Borrowed("IpAddress"), Cow::Borrowed("203.0.113.24"))];
        fields(
            "Network Information:\r\n\tSource Network Address:\t192.0.2.1",
            &mut data,
        );
        assert_eq!(data.len(), 1);
    }

    #[test]
    fn the_audit_of_a_federation_is_read() {
        let of = |text: &'static str| {
            let mut record = WinRecord {
                data: vec![("".into(), text.into())],
                ..WinRecord::default()
            };
            federation(&mut record);
            record.get("AuditUserId").map(str::to_owned)
        };
        assert_eq!(
            of("See XML.\r\n<AuditBase><UserId>jane&lt;/UserId&gt;@corp.example</UserId></AuditBase>")
                .as_deref(),
            Some("jane&lt;/UserId&gt;@corp.example")
        );
        assert_eq!(of("<UserId>jane</UserId>"), None);
    }
}
