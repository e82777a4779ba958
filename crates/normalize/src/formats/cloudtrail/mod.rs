//! AWS CloudTrail: console sign-ins, STS, IAM and every other API call.
//!
//! Source: AWS CloudTrail User Guide ("CloudTrail record contents", "userIdentity element", "AWS Management Console
//! sign-in events", "Insights"). Taken bare, from `Records` files, EventBridge, CloudWatch Logs and other wrappings.

mod activity;
mod identity;
mod subject;

use crate::envelope::{self, Inner, Marks};
use crate::format::{Format, Reading, Recognition, Record};
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::account::named;
use habitus_model::event::{FactorType, LogonType};
use habitus_model::{
    Activity, Event, FailureReason, Rejection, RejectionKind, Resource, SourceName, Status, Text,
};
use identity::Principal;

/// AWS CloudTrail.
pub struct CloudTrail;

const NAME: &str = "cloudtrail";

const MARKS: Marks = Marks {
    is_own: is_record,
    text: &["amazonaws.com", "\"eventSource\"", "\"eventName\""],
};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "errorCode",
    "errorMessage",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "recipientAccountId",
    "resources",
    "sourceIPAddress",
    "userAgent",
    "userIdentity",
];

impl Format for CloudTrail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) if envelope::holds(document, MARKS) => Recognition::Certain,
            _ => Recognition::No,
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
                "a CloudTrail record is a JSON object",
            ));
        };
        for inner in envelope::open(document, MARKS, &reading.options.limits)? {
            out.push(event(&inner, reading)?);
        }
        Ok(())
    }
}

/// The event source of a record is a service's host name (S3 notifications say `aws:s3`). Insights have none at the
/// top.
fn is_record(document: &Json<'_>) -> bool {
    if document.str("eventType") == Some("AwsCloudTrailInsight")
        || document.str("p_log_type") == Some("AWS.CloudTrail")
    {
        return true;
    }
    any(document, "eventSource").is_some_and(|source| source.ends_with(".amazonaws.com"))
        && any(document, "eventName").is_some()
}

fn event(inner: &Inner<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let record = inner.record.as_ref();
    let is_insight = any(record, "eventType") == Some("AwsCloudTrailInsight");
    let name = any(record, "eventName")
        .or_else(|| record.str("insightDetails.eventName"))
        .ok_or_else(|| Rejection::missing("eventName"))?;
    let stamps = [record.get_any_case("eventTime"), record.get("p_event_time")];
    let (time, quality) = stamp::or_reference(&stamps, "eventTime", reading.options)?;
    let source = any(record, "eventSource");
    let activity = if is_insight {
        insight(record)
    } else {
        let is_read_only = record.get_any_case("readOnly").and_then(Json::as_bool);
        activity::of(source, name, is_read_only)
    };
    let uid = inner.uid(any(record, "eventID"), reading);
    let mut event = Event::new(uid, time, SourceName::new(NAME), activity, name);
    event.time_quality = quality;
    event.service = service(record, source);
    event.unmapped = unmapped::rest(record, MAPPED, reading.options);
    if is_insight {
        event.status_code = record.text("insightDetails.errorCode");
        event.status_detail = record.text("insightDetails.insightType");
        return Ok(event);
    }
    origin(&mut event, record);
    caller(&mut event, record);
    outcome(&mut event, record);
    subject::read(&mut event, record, reading);
    Ok(event)
}

/// An Insights event tells that the rate of a call or of its errors became unusual: a finding (OCSF 2004) that
/// accuses no identity.
fn insight(record: &Json<'_>) -> Activity {
    let activity_id = match record.str("insightDetails.state") {
        Some("Start") => 1,
        Some("End") => 3,
        _ => 0,
    };
    Activity::Other {
        class_uid: 2004,
        activity_id,
    }
}

fn service(record: &Json<'_>, source: Option<&str>) -> Option<Resource> {
    let name = source.or_else(|| record.str("insightDetails.eventSource"))?;
    Some(Resource {
        name: field::text(name),
        namespace: any(record, "recipientAccountId").and_then(field::text),
        kind: Some(Text::const_new("service")),
        uid: None,
    })
}

fn origin(event: &mut Event, record: &Json<'_>) {
    if let Some(source) = any(record, "sourceIPAddress") {
        match field::ip_port(source) {
            Some((ip, port)) => {
                event.src.ip = Some(ip);
                event.src.port = port;
            }
            // A service that calls on somebody's behalf stands here by name, or as "AWS Internal".
            None => event.src.hostname = field::text(source),
        }
    }
    event.client.user_agent = any(record, "userAgent").and_then(field::user_agent);
    event.auth.is_remote = event.activity.is_authentication().then_some(true);
}

fn caller(event: &mut Event, record: &Json<'_>) {
    let Some(identity) = record.get_any_case("userIdentity") else {
        return;
    };
    let Principal {
        account,
        actor,
        session,
        issuer,
        is_native,
    } = identity::principal(identity);
    event.account = account;
    event.actor = actor.or_else(|| {
        // After a console switch the record is written by the new identity.
        record
            .str("additionalEventData.SwitchFrom")
            .and_then(identity::by_arn)
    });
    event.session = session;
    event.auth.issuer = issuer.or_else(|| record.text("additionalEventData.SamlProviderArn"));
    event.auth.credential_uid = identity.text("accessKeyId");
    let said = identity
        .bool("sessionContext.attributes.mfaAuthenticated")
        .into_iter()
        .chain(record.bool("additionalEventData.MFAUsed"));
    event.auth.is_mfa = said.max().filter(|is_mfa| *is_mfa || is_native);
    // Users of IAM Identity Center are named beside their identity, which holds ids only.
    if event.account.name.is_none() {
        event.account.name = record.text("additionalEventData.UserName");
    }
    if event.action == "ConsoleLogin" {
        console(event, record, is_native);
    }
}

fn console(event: &mut Event, record: &Json<'_>, is_native: bool) {
    event.auth.logon_type = LogonType::Interactive;
    if is_native {
        event.auth.factors.push(FactorType::Password);
    }
    if let Some(device) = record.str("additionalEventData.MFAIdentifier") {
        event.auth.factors.push(if device.contains(":u2f/") {
            FactorType::U2f
        } else {
            FactorType::Otp
        });
    }
}

fn outcome(event: &mut Event, record: &Json<'_>) {
    let code = any(record, "errorCode");
    let message = any(record, "errorMessage");
    let result = result(record, &event.action);
    event.status_code = code.and_then(field::text).or_else(|| result.clone());
    event.status_detail = message.and_then(field::text);
    let has_failed = result
        .as_deref()
        .is_some_and(|word| word.eq_ignore_ascii_case("failure"));
    event.status = if code.is_some() || message.is_some() || has_failed {
        Status::Failure
    } else if event.action == "ConsoleLogin" && result.is_none() {
        Status::Unknown
    } else {
        Status::Success
    };
    if event.status == Status::Failure && event.activity.is_authentication() {
        event.failure = Some(reason(code.unwrap_or(""), message.unwrap_or("")));
    }
}

/// Sign-in events say how they went under their own name: `responseElements.ConsoleLogin`, `.SwitchRole`,
/// `serviceEventDetails.CredentialVerification`.
fn result(record: &Json<'_>, action: &str) -> Option<Text> {
    ["responseElements", "serviceEventDetails"]
        .iter()
        .find_map(|holder| record.get_any_case(holder)?.get(action)?.to_text())
        .filter(|word| word.eq_ignore_ascii_case("success") || word.eq_ignore_ascii_case("failure"))
}

/// Error codes and messages of sign-in and STS, by a part that tells the reason. STS API Reference, "Common errors";
/// CloudTrail User Guide, sign-in examples.
const REASONS: [(&str, FailureReason); 12] = [
    ("No username found", FailureReason::UserDoesNotExist),
    ("Failed authentication", FailureReason::InvalidCredentials),
    ("MultiFactorAuthentication failed", FailureReason::MfaFailed),
    ("AccessDenied", FailureReason::PolicyDenied),
    ("UnauthorizedOperation", FailureReason::PolicyDenied),
    ("RegionDisabled", FailureReason::PolicyDenied),
    ("ExpiredToken", FailureReason::InvalidCredentials),
    ("InvalidClientTokenId", FailureReason::InvalidCredentials),
    ("SignatureDoesNotMatch", FailureReason::InvalidCredentials),
    ("InvalidIdentityToken", FailureReason::InvalidCredentials),
    ("IDPRejectedClaim", FailureReason::InvalidCredentials),
    ("not authorized to perform", FailureReason::PolicyDenied),
];

fn reason(code: &str, message: &str) -> FailureReason {
    REASONS
        .iter()
        .find(|(part, _)| code.contains(part) || message.contains(part))
        .map_or(FailureReason::Other, |(_, reason)| *reason)
}

/// A string member whose name may be in another case: some data lakes write `eventname`.
fn any<'j>(record: &'j Json<'_>, key: &str) -> Option<&'j str> {
    record.get_any_case(key)?.as_str().and_then(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::hostile;
    use crate::{FormatChoice, Normalizer, Options};
    use proptest::prelude::proptest;

    const SAMPLE: &str = include_str!("../../../../../fixtures/formats/cloudtrail/sample.log");

    fn read(text: &str) -> Event {
        let mut out = Vec::new();
        Normalizer::new(FormatChoice::Auto, Options::default())
            .normalize(text.as_bytes(), 1, &mut out)
            .unwrap();
        out.remove(0)
    }

    #[test]
    fn any_error_is_a_failure() {
        let record = |rest: &str| {
            read(&format!(
                r#"{{"eventTime":"2026-01-02T03:04:05Z","eventID":"e","eventSource":"signin.amazonaws.com",{rest},
                    "userIdentity":{{"type":"IAMUser","userName":"alice"}}}}"#
            ))
        };
        for (rest, status, failure) in [
            (
                r#""eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}"#,
                Status::Success,
                None,
            ),
            (
                r#""eventName":"ConsoleLogin","responseElements":null"#,
                Status::Unknown,
                None,
            ),
            (
                r#""eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}"#,
                Status::Failure,
                Some(FailureReason::InvalidCredentials),
            ),
            (
                r#""eventName":"SwitchRole","responseElements":{"SwitchRole":"Failure"}"#,
                Status::Failure,
                Some(FailureReason::Other),
            ),
            (
                r#""eventName":"CheckMfa","responseElements":{"CheckMfa":"Failure"}"#,
                Status::Failure,
                Some(FailureReason::Other),
            ),
            (
                r#""eventName":"GetSigninToken","errorCode":"AccessDenied""#,
                Status::Failure,
                Some(FailureReason::PolicyDenied),
            ),
        ] {
            let event = record(rest);
            assert_eq!((event.status, event.failure), (status, failure), "{rest}");
        }
    }

    #[test]
    fn notifications_of_s3_are_not_cloudtrail() {
        let text = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"}}]}"#;
        let document = crate::json::parse(text.as_bytes(), &crate::Limits::default()).unwrap();
        assert_eq!(CloudTrail.recognise(&Record::Json(&document)), Recognition::No);
    }

    #[test]
    fn a_federated_caller_is_not_accused_of_missing_mfa() {
        let sso = read(SAMPLE.lines().nth(4).unwrap());
        assert_eq!(sso.auth.is_mfa, None);
        let user = read(SAMPLE.lines().nth(1).unwrap());
        assert_eq!(user.auth.is_mfa, Some(false));
    }

    proptest! {
        #[test]
        fn hostile_records_never_panic(record in hostile::record(SAMPLE)) {
            hostile::read(&CloudTrail, &record);
        }
    }
}
