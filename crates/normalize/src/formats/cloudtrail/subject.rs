//! Whom and what a call acts upon, from its parameters and its answer.

use super::identity;
use crate::envelope;
use crate::field;
use crate::format::Reading;
use crate::json::Json;
use habitus_model::{Activity, Event, Resource, Text, User};

/// Most resources kept of one call: a batch call may name a thousand.
const RESOURCES_MAX: usize = 16;

/// Parameters that name what a call is about, and the CloudFormation type of it. Only used where the record lists no
/// `resources`.
const NAMED_BY: [(&str, &str); 7] = [
    ("bucketName", "AWS::S3::Bucket"),
    ("secretId", "AWS::SecretsManager::Secret"),
    ("functionName", "AWS::Lambda::Function"),
    ("instanceId", "AWS::EC2::Instance"),
    ("dBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ("tableName", "AWS::DynamoDB::Table"),
    ("keyId", "AWS::KMS::Key"),
];

/// Fills target, group, privileges, resources and the issued credential.
pub fn read(event: &mut Event, record: &Json<'_>, reading: &Reading<'_>) {
    let limits = &reading.options.limits;
    let request = record
        .get_any_case("requestParameters")
        .and_then(|value| envelope::structured(value, limits));
    let response = record
        .get_any_case("responseElements")
        .and_then(|value| envelope::structured(value, limits));
    let nothing = Json::Null;
    let request = request.as_deref().unwrap_or(&nothing);
    let response = response.as_deref().unwrap_or(&nothing);
    listed(event, record);
    match event.activity {
        Activity::Authentication(_) => token(event, request, response),
        Activity::Api(_) => {
            named_by(event, request);
            event.count = started(request, response);
        }
        _ => identities(event, request, response),
    }
}

/// Machines that one call started, or was to start if it failed (EC2 API Reference, RunInstances).
fn started(request: &Json<'_>, response: &Json<'_>) -> Option<u32> {
    let items =
        |answer: &Json<'_>| i64::try_from(answer.items("instancesSet.items").len()).unwrap_or(i64::MAX);
    let asked = || {
        let sets = request.items("instancesSet.items");
        sets.first().and_then(|set| set.i64("maxCount"))
    };
    field::several(match items(response) {
        0 => asked()?,
        given => given,
    })
}

/// The record's own list, which AWS fills for some services only.
fn listed(event: &mut Event, record: &Json<'_>) {
    for item in record.items("resources").iter().take(RESOURCES_MAX) {
        let uid = item.text("ARN").or_else(|| item.text("arn"));
        if uid.is_some() {
            event.resources.push(Resource {
                name: None,
                uid,
                kind: item.text("type"),
                namespace: item.text("accountId"),
            });
        }
    }
}

fn token(event: &mut Event, request: &Json<'_>, response: &Json<'_>) {
    event.auth.token_uid = response.text("credentials.accessKeyId");
    event.target = match request.str("roleArn") {
        Some(arn) => identity::by_arn(arn).map(|role| User {
            uid: field::text(arn),
            ..role
        }),
        // GetFederationToken names the user it lets in.
        None => request.str("name").and_then(User::by_name),
    };
    if event.session.is_none() {
        event.session = request.text("roleSessionName");
    }
    // A one-time code with the call proves a second factor to STS.
    if request.at("tokenCode").is_some() || (request.at("serialNumber").is_some() && event.proves_identity())
    {
        event.auth.is_mfa = Some(event.proves_identity());
    }
}

fn identities(event: &mut Event, request: &Json<'_>, response: &Json<'_>) {
    let name = request
        .text("userName")
        .or_else(|| response.text("user.userName"))
        .or_else(|| response.text("accessKey.userName"));
    let uid = response
        .text("user.userId")
        .or_else(|| request.text("userId"))
        .or_else(|| request.text("principalId"))
        .or_else(|| request.text("memberId.userId"));
    if name.is_some() || uid.is_some() {
        event.target = Some(User {
            name,
            uid,
            ..User::default()
        });
    }
    let group = request.text("groupName").or_else(|| request.text("displayName"));
    let group_uid = response.text("group.groupId").or_else(|| request.text("groupId"));
    if matches!(event.activity, Activity::GroupManagement(_)) && (group.is_some() || group_uid.is_some()) {
        event.group = Some(Resource {
            name: group,
            uid: group_uid,
            kind: Some(Text::const_new("AWS::IAM::Group")),
            namespace: None,
        });
    }
    let privileges = [
        "policyArn",
        "policyName",
        "permissionsBoundary",
        "permissionSetArn",
    ];
    event
        .privileges
        .extend(privileges.iter().filter_map(|key| request.text(key)));
    parts(event, request, response);
}

/// Roles, keys and the rest that IAM calls are about.
fn parts(event: &mut Event, request: &Json<'_>, response: &Json<'_>) {
    const PARTS: [(&str, &str); 6] = [
        ("roleName", "AWS::IAM::Role"),
        ("instanceProfileName", "AWS::IAM::InstanceProfile"),
        ("accessKeyId", "AWS::IAM::AccessKey"),
        ("serialNumber", "AWS::IAM::VirtualMFADevice"),
        ("sAMLProviderArn", "AWS::IAM::SAMLProvider"),
        ("openIDConnectProviderArn", "AWS::IAM::OIDCProvider"),
    ];
    for (key, kind) in PARTS {
        if let Some(name) = request.text(key) {
            event.resources.push(resource(name, kind));
        }
    }
    if let Some(key) = response.text("accessKey.accessKeyId") {
        event.resources.push(resource(key, "AWS::IAM::AccessKey"));
    }
}

fn named_by(event: &mut Event, request: &Json<'_>) {
    if !event.resources.is_empty() {
        return;
    }
    for (key, kind) in NAMED_BY {
        if let Some(name) = request.text(key) {
            event.resources.push(resource(name, kind));
            return;
        }
    }
}

fn resource(name: Text, kind: &'static str) -> Resource {
    Resource {
        name: Some(name),
        uid: None,
        kind: Some(Text::const_new(kind)),
        namespace: None,
    }
}
