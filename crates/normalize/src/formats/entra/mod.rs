//! Microsoft Entra ID: sign-ins, directory audits, risk detections, risky users, and requests to Microsoft Graph.
//!
//! Sources: Microsoft Graph v1.0 reference (signIn, directoryAudit, riskDetection, riskyUser); Microsoft Entra monitoring
//! documentation, "sign-in logs schema" and "audit log schema" of the diagnostic settings; Azure Monitor reference
//! (tables SigninLogs, AADNonInteractiveUserSignInLogs, AuditLogs), whose names differ in case only.
//!
//! A diagnostic record is a Graph object (`properties`) in an envelope (`time`, `category`, `resultType`,
//! `callerIpAddress`); names are looked for in the object first. The time of a sign-in is when it began
//! (`createdDateTime`), not when the envelope was written, which is up to minutes later.

mod audit;
pub(super) mod codes;
mod finding;
mod graph;
pub(super) mod operations;
mod risk;
mod signin;
mod view;

use crate::envelope::{self, Inner, Marks};
use crate::format::{Format, Reading, Recognition, Record};
use crate::json::Json;
use habitus_model::{Event, Rejection, RejectionKind};
use std::borrow::Cow;
use view::View;

/// Microsoft Entra ID.
pub struct Entra;

const NAME: &str = "entra";

const MARKS: Marks = Marks {
    is_own: is_record,
    text: &["aadiam"],
};

/// Categories of Entra's diagnostic settings that this format reads. Sorted.
const CATEGORIES: [&str; 11] = [
    "ADFSSignInLogs",
    "AuditLogs",
    "ManagedIdentitySignInLogs",
    "MicrosoftGraphActivityLogs",
    "NonInteractiveUserSignInLogs",
    "RiskyServicePrincipals",
    "RiskyUsers",
    "ServicePrincipalRiskEvents",
    "ServicePrincipalSignInLogs",
    "SignInLogs",
    "UserRiskEvents",
];

/// Tables of Azure Monitor with the same records. Sorted.
const TABLES: [&str; 9] = [
    "AADManagedIdentitySignInLogs",
    "AADNonInteractiveUserSignInLogs",
    "AADRiskyServicePrincipals",
    "AADRiskyUsers",
    "AADServicePrincipalSignInLogs",
    "AADUserRiskEvents",
    "AuditLogs",
    "MicrosoftGraphActivityLogs",
    "SigninLogs",
];

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    SignIn,
    Audit,
    Risk,
    Finding,
    Graph,
    /// Another object of Microsoft Graph or log of Entra: no identity acts in it.
    Other,
}

impl Format for Entra {
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
                "an Entra record is a JSON object",
            ));
        };
        for inner in envelope::open(document, MARKS, &reading.options.limits)? {
            out.extend(event(&inner, reading)?);
        }
        Ok(())
    }
}

fn is_record(document: &Json<'_>) -> bool {
    if let Some(kind) = document.str("@odata.type") {
        return kind.starts_with("#microsoft.graph.");
    }
    is_diagnostic(document) || is_table_row(document) || is_graph(document)
}

fn is_diagnostic(document: &Json<'_>) -> bool {
    if !document.has("properties") {
        return false;
    }
    let resource = document
        .str("resourceId")
        .or_else(|| document.str("resourceid"))
        .unwrap_or("");
    if resource.to_ascii_lowercase().contains("/microsoft.aadiam") {
        return true;
    }
    let is_ours = document
        .str("category")
        .is_some_and(|name| CATEGORIES.binary_search(&name).is_ok());
    // Other Azure services have `AuditLogs` too, of another shape.
    is_ours && (resource.is_empty() || document.at("properties.initiatedBy").is_some())
}

fn is_table_row(document: &Json<'_>) -> bool {
    document.has("TimeGenerated")
        && document
            .str("Type")
            .is_some_and(|table| TABLES.binary_search(&table).is_ok())
}

fn is_graph(document: &Json<'_>) -> bool {
    let has = |key| document.has(key);
    let is_sign_in = has("createdDateTime")
        && (has("appId") || has("appDisplayName"))
        && (has("conditionalAccessStatus") || has("clientAppUsed") || has("signInEventTypes"));
    let is_audit = has("activityDisplayName")
        && has("activityDateTime")
        && (has("initiatedBy") || has("loggedByService"));
    let is_detection = has("riskEventType") && (has("detectedDateTime") || has("activityDateTime"));
    let is_risky = has("riskState") && has("riskLastUpdatedDateTime");
    is_sign_in || is_audit || is_detection || is_risky
}

fn event(inner: &Inner<'_>, reading: &Reading<'_>) -> Result<Option<Event>, Rejection> {
    let record = inner.record.as_ref();
    let body = record
        .get("properties")
        .and_then(|properties| envelope::structured(properties, &reading.options.limits))
        .unwrap_or(Cow::Borrowed(record));
    let view = View {
        record,
        body: &body,
        index: inner.index,
        reading,
    };
    match shape(&view) {
        Shape::SignIn => signin::read(&view).map(Some),
        Shape::Audit => audit::read(&view).map(Some),
        Shape::Risk => risk::read(&view).map(Some),
        Shape::Finding => finding::read(&view).map(Some),
        Shape::Graph => graph::read(&view).map(Some),
        Shape::Other => Ok(None),
    }
}

fn shape(view: &View<'_>) -> Shape {
    let category = view.str("category").or_else(|| view.str("Type")).unwrap_or("");
    if let Some("#microsoft.graph.security.alert" | "#microsoft.graph.security.incident") =
        view.body.str("@odata.type")
    {
        Shape::Finding
    } else if category == "MicrosoftGraphActivityLogs" {
        Shape::Graph
    } else if view.get("activityDisplayName").is_some() || view.get("initiatedBy").is_some() {
        Shape::Audit
    } else if view.get("riskEventType").is_some() || view.get("riskLastUpdatedDateTime").is_some() {
        Shape::Risk
    } else if view.get("createdDateTime").is_some() && view.get("appId").is_some()
        || category.to_ascii_lowercase().ends_with("signinlogs")
    {
        Shape::SignIn
    } else if category == "AuditLogs" {
        Shape::Audit
    } else {
        Shape::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::hostile;
    use crate::{FormatChoice, Normalizer, Options};
    use habitus_model::Status;
    use proptest::prelude::proptest;

    const SAMPLE: &str = include_str!("../../../../../fixtures/formats/entra/sample.log");

    fn read(text: &str) -> Vec<Event> {
        let mut out = Vec::new();
        Normalizer::new(FormatChoice::Auto, Options::default())
            .normalize(text.as_bytes(), 1, &mut out)
            .unwrap();
        out
    }

    #[test]
    fn names_are_sorted() {
        assert!(CATEGORIES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(TABLES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_sign_in_is_when_it_began_and_interrupts_are_failures() {
        let event = &read(SAMPLE.lines().nth(2).unwrap())[0];
        assert_eq!(event.status, Status::Failure);
        assert!(!event.proves_identity());
        let late = &read(SAMPLE.lines().nth(1).unwrap())[0];
        assert_eq!(late.time.as_millis(), 1_772_434_990_765);
    }

    #[test]
    fn longitude_zero_is_a_place() {
        let event = &read(SAMPLE.lines().next().unwrap())[0];
        assert!(event.src.coordinates.is_some());
    }

    #[test]
    fn a_detection_has_its_own_time_and_proves_nothing() {
        let event = &read(SAMPLE.lines().nth(10).unwrap())[0];
        assert_eq!(event.activity.class_uid(), 2004);
        assert_eq!(event.status, Status::Unknown);
        // Found at 07:30 on 2 March, about an activity of the evening before.
        assert_eq!(event.time.as_millis(), 1_772_436_600_000);
    }

    #[test]
    fn service_principals_of_one_name_are_two_accounts() {
        let of = |id: &str| {
            let text = format!(
                r#"{{"category":"ServicePrincipalSignInLogs","properties":{{"createdDateTime":"2026-01-02T03:04:05Z",
                    "appId":"a","servicePrincipalId":"{id}","servicePrincipalName":"backup"}}}}"#
            );
            read(&text)[0].account_id()
        };
        assert_ne!(of("1"), of("2"));
    }

    proptest! {
        #[test]
        fn hostile_records_never_panic(record in hostile::record(SAMPLE)) {
            hostile::read(&Entra, &record);
        }
    }
}
