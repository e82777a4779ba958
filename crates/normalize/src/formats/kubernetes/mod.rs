//! Kubernetes API server audit events, `audit.k8s.io/v1` and `v1beta1`.
//!
//! Source: Kubernetes documentation, "Auditing" and "kube-apiserver Audit Configuration (v1)". Taken bare, as
//! `EventList`, from Amazon EKS (CloudWatch Logs), Azure AKS (`kube-audit`), and as Google Cloud Audit Logs of GKE.
//!
//! One request has up to three stages with one `auditID`. `ResponseComplete` and `Panic` tell the outcome and become the
//! event. `RequestReceived` tells nothing that a later stage does not, and becomes none. `ResponseStarted` becomes one
//! only for sessions into a container (`exec`, `attach`, `portforward`, `proxy`), whose completion may come hours
//! later; both stages then give the same id and the same time, so that they count once.

mod activity;
mod gke;
mod subject;

use crate::envelope::{self, Inner, Marks};
use crate::format::{Format, Reading, Recognition, Record};
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::{
    AccountKind, Event, FailureReason, Rejection, RejectionKind, Resource, SourceName, Status, Text, User,
};

/// Kubernetes audit.
pub struct Kubernetes;

const NAME: &str = "kubernetes";

const MARKS: Marks = Marks {
    is_own: is_record,
    text: &["audit.k8s.io/"],
};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "apiVersion",
    "auditID",
    "impersonatedUser",
    "kind",
    "objectRef",
    "requestReceivedTimestamp",
    "responseStatus",
    "sourceIPs",
    "user",
    "userAgent",
    "verb",
];

/// Most proxies kept of `sourceIPs`, which a client can lengthen at will.
const PROXIES_MAX: usize = 8;

impl Format for Kubernetes {
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
                "a Kubernetes audit event is a JSON object",
            ));
        };
        for inner in envelope::open(document, MARKS, &reading.options.limits)? {
            if gke::is_record(&inner.record) {
                out.push(gke::event(&inner, reading)?);
            } else if says_enough(&inner.record) {
                out.push(event(&inner, reading)?);
            }
        }
        Ok(())
    }
}

/// An audit event; the core API's own `Event` (of `v1`) bears neither a verb nor an audit version. Exporters that leave
/// `apiVersion` out keep `kind` and `verb`.
fn is_record(document: &Json<'_>) -> bool {
    if document.str("kind") == Some("Event") {
        return match document.str("apiVersion") {
            Some(version) => version.starts_with("audit.k8s.io/"),
            None => document.has("verb"),
        };
    }
    let is_bare = document.has("auditID") && document.has("stage") && document.has("verb");
    is_bare || gke::is_record(document)
}

/// Whether this stage becomes an event; see the module's documentation.
fn says_enough(record: &Json<'_>) -> bool {
    match record.str("stage") {
        Some("RequestReceived") => false,
        Some("ResponseStarted") => activity::is_session(record.str("objectRef.subresource")),
        _ => true,
    }
}

fn event(inner: &Inner<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let record = inner.record.as_ref();
    let stamps = [
        record.at("requestReceivedTimestamp"),
        record.at("stageTimestamp"),
        record.at("timestamp"),
        record.get("p_event_time"),
        inner.shell.get("time"),
    ];
    let (time, quality) = stamp::or_reference(&stamps, "requestReceivedTimestamp", reading.options)?;
    let verb = record.str("verb").unwrap_or("unknown");
    let activity = activity::of(
        verb,
        record.str("objectRef.resource"),
        record.str("objectRef.subresource"),
    );
    let uid = inner.uid(record.str("auditID"), reading);
    let mut event = Event::new(uid, time, SourceName::new(NAME), activity, verb);
    event.time_quality = quality;
    event.service = cluster(inner.shell);
    event.unmapped = unmapped::rest(record, MAPPED, reading.options);
    origin(&mut event, record);
    if let Some(user) = record.at("user") {
        event.account = account(user);
        credential(&mut event, user);
    }
    event.target = record.at("impersonatedUser").map(account);
    outcome(&mut event, record);
    subject::read(&mut event, record);
    Ok(event)
}

/// `sourceIPs` begins with what the client says in `X-Forwarded-For`; the rest are the proxies after it.
fn origin(event: &mut Event, record: &Json<'_>) {
    let mut ips = record
        .items("sourceIPs")
        .iter()
        .filter_map(|item| field::ip(item.as_str()?));
    event.src.ip = ips.next();
    event.src.intermediate_ips = ips.take(PROXIES_MAX).collect();
    event.client.user_agent = record.str("userAgent").and_then(field::user_agent);
    event.auth.is_remote = event.activity.is_authentication().then_some(true);
}

fn account(user: &Json<'_>) -> User {
    let is_master = user
        .items("groups")
        .iter()
        .any(|group| group.as_str() == Some("system:masters"));
    let name = user.str("username");
    User {
        name: name.and_then(field::text),
        uid: user.text("uid"),
        kind: match name {
            Some(name) if is_machine(name) => AccountKind::Service,
            // Members of this group pass every authorization check.
            _ if is_master => AccountKind::Privileged,
            _ => AccountKind::Unknown,
        },
        ..User::default()
    }
}

/// Names of components and workloads: everything under the reserved prefix `system:` except who did not authenticate,
/// EKS's own (`eks:`), AKS's own, and service accounts of Google Cloud.
fn is_machine(name: &str) -> bool {
    (name.starts_with("system:") && name != "system:anonymous")
        || name.starts_with("eks:")
        || name == "aksService"
        || name.ends_with(".gserviceaccount.com")
}

/// EKS tells which AWS session stands behind a Kubernetes name in `user.extra`; Kubernetes itself which credential.
fn credential(event: &mut Event, user: &Json<'_>) {
    let Some(extra) = user.at("extra") else {
        return;
    };
    let first = |key: &str| extra.get(key)?.array().first()?.to_text();
    event.auth.credential_uid =
        first("authentication.kubernetes.io/credential-id").or_else(|| first("accessKeyId"));
    event.auth.issuer = first("canonicalArn").or_else(|| first("arn"));
    event.session = first("sessionName");
    // Many people may share one Kubernetes name; single sign-on names the session after the person.
    event.actor = event
        .session
        .as_deref()
        .filter(|session| {
            session.contains('@') && !event.account.name.as_deref().unwrap_or("").contains(session)
        })
        .and_then(User::by_name);
}

fn outcome(event: &mut Event, record: &Json<'_>) {
    let code = record.i64("responseStatus.code");
    let word = record.str("responseStatus.status");
    let annotations = record.at("annotations");
    let note = |key: &str| annotations?.get(key)?.as_str().and_then(field::text);
    let decision = note("authorization.k8s.io/decision");
    let is_forbidden = decision.as_deref() == Some("forbid");
    event.status_code = record.text("responseStatus.code");
    event.status_detail = record
        .text("responseStatus.message")
        .or_else(|| record.text("responseStatus.reason"))
        .or_else(|| note("authorization.k8s.io/reason"));
    event.status = match code {
        _ if is_forbidden || word == Some("Failure") => Status::Failure,
        Some(400..) => Status::Failure,
        Some(_) => Status::Success,
        None if record.str("stage") == Some("Panic") => Status::Failure,
        None if decision.is_some() => Status::Success,
        None => Status::Unknown,
    };
    if event.status == Status::Failure && event.activity.is_authentication() {
        event.failure = Some(reason(code, is_forbidden));
    }
}

fn reason(code: Option<i64>, is_forbidden: bool) -> FailureReason {
    match code {
        Some(401) => FailureReason::InvalidCredentials,
        Some(403) => FailureReason::PolicyDenied,
        _ if is_forbidden => FailureReason::PolicyDenied,
        _ => FailureReason::Other,
    }
}

/// The cluster, where the envelope names it: the log group of EKS (`/aws/eks/<cluster>/cluster`), the resource of AKS.
fn cluster(shell: &Json<'_>) -> Option<Resource> {
    let eks = shell
        .str("logGroup")
        .and_then(|group| group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster"));
    let aks = shell
        .str("resourceId")
        .filter(|id| id.to_ascii_lowercase().contains("/managedclusters/"));
    let name = eks.or_else(|| aks?.rsplit('/').next())?;
    Some(Resource {
        name: field::text(name),
        uid: aks.and_then(field::text),
        kind: Some(Text::const_new("kubernetes")),
        namespace: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::hostile;
    use crate::{FormatChoice, Normalizer, Options};
    use proptest::prelude::proptest;

    const SAMPLE: &str = include_str!("../../../../../fixtures/formats/kubernetes/sample.log");

    fn read(text: &str) -> Vec<Event> {
        let mut out = Vec::new();
        Normalizer::new(FormatChoice::Auto, Options::default())
            .normalize(text.as_bytes(), 1, &mut out)
            .unwrap();
        out
    }

    #[test]
    fn the_core_event_is_not_an_audit_event() {
        let limits = crate::Limits::default();
        for other in [
            r#"{"kind":"Event","apiVersion":"v1","involvedObject":{},"reason":"Pulled","type":"Normal"}"#,
            r#"{"kind":"Event","metadata":{},"message":"x"}"#,
            r#"{"kind":"Pod","apiVersion":"v1"}"#,
            r#"{"protoPayload":{"serviceName":"container.googleapis.com"}}"#,
        ] {
            let document = crate::json::parse(other.as_bytes(), &limits).unwrap();
            assert_eq!(
                Kubernetes.recognise(&Record::Json(&document)),
                Recognition::No,
                "{other}"
            );
        }
    }

    #[test]
    fn both_stages_of_a_session_are_one_event() {
        let stage = |stage: &str, at: &str| {
            read(&format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"{stage}","verb":"create",
                    "user":{{"username":"alice"}},"objectRef":{{"resource":"pods","subresource":"exec"}},
                    "responseStatus":{{"code":101}},"requestReceivedTimestamp":"2026-01-02T03:04:05Z",
                    "stageTimestamp":"{at}"}}"#
            ))
        };
        assert!(stage("RequestReceived", "2026-01-02T03:04:05Z").is_empty());
        let started = stage("ResponseStarted", "2026-01-02T03:04:06Z");
        let complete = stage("ResponseComplete", "2026-01-02T09:04:05Z");
        assert_eq!(
            (&started[0].uid, started[0].time),
            (&complete[0].uid, complete[0].time)
        );
    }

    #[test]
    fn a_person_behind_a_shared_name_is_the_actor() {
        let event = read(SAMPLE.lines().find(|line| line.contains("logGroup")).unwrap());
        assert_eq!(event[0].account.name.as_deref(), Some("kubernetes-admin"));
        assert_eq!(
            event[0].actor.as_ref().unwrap().name.as_deref(),
            Some("carol@example.com")
        );
        assert_eq!(event[0].service.as_ref().unwrap().name.as_deref(), Some("prod"));
    }

    proptest! {
        #[test]
        fn hostile_records_never_panic(record in hostile::record(SAMPLE)) {
            hostile::read(&Kubernetes, &record);
        }
    }
}
