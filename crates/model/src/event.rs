//! One identity event, after OCSF 1.8, as every later stage sees it.

use crate::ocsf_enum::ocsf_enum;
use crate::units::Km;
use crate::{
    AccountId, Activity, Asn, Coordinates, EventTime, EventUid, SourceName, TenantId, Text, User, UtcOffset,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

ocsf_enum! {
    /// OCSF `status_id`.
    Status { 0 Unknown "Unknown", 1 Success "Success", 2 Failure "Failure", 99 Other "Other" }
}
ocsf_enum! {
    /// OCSF `auth_protocol_id`.
    AuthProtocol {
        0 Unknown "Unknown", 1 Ntlm "NTLM", 2 Kerberos "Kerberos", 3 Digest "Digest", 4 OpenId "OpenID",
        5 Saml "SAML", 6 OAuth2 "OAUTH 2.0", 7 Pap "PAP", 8 Chap "CHAP", 9 Eap "EAP", 10 Radius "RADIUS",
        11 Basic "Basic Authentication", 12 Ldap "LDAP", 99 Other "Other",
    }
}
ocsf_enum! {
    /// OCSF `logon_type_id`.
    LogonType {
        0 Unknown "Unknown", 1 System "System", 2 Interactive "Interactive", 3 Network "Network", 4 Batch "Batch",
        5 OsService "OS Service", 7 Unlock "Unlock", 8 NetworkCleartext "Network Cleartext",
        9 NewCredentials "New Credentials", 10 RemoteInteractive "Remote Interactive",
        11 CachedInteractive "Cached Interactive", 12 CachedRemoteInteractive "Cached Remote Interactive",
        13 CachedUnlock "Cached Unlock", 99 Other "Other",
    }
}
ocsf_enum! {
    /// OCSF `auth_factor.factor_type_id`.
    FactorType {
        0 Unknown "Unknown", 1 Sms "SMS", 2 SecurityQuestion "Security Question", 3 PhoneCall "Phone Call",
        4 Biometric "Biometric", 5 Push "Push Notification", 6 HardwareToken "Hardware Token", 7 Otp "OTP",
        8 Email "Email", 9 U2f "U2F", 10 WebAuthn "WebAuthn", 11 Password "Password", 99 Other "Other",
    }
}

/// Why a logon failed, normalised over sources (STANDARDS 4.18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureReason {
    /// No account of that name.
    UserDoesNotExist,
    /// Wrong password, key or ticket.
    InvalidCredentials,
    /// The account is disabled.
    AccountDisabled,
    /// The account is locked.
    AccountLockedOut,
    /// The password must be changed first.
    PasswordExpired,
    /// A second factor was denied, ignored or wrong.
    MfaFailed,
    /// The credentials were right and a policy said no.
    PolicyDenied,
    /// Another reason; the source's words are in `status_detail`.
    Other,
}

/// How much the event's time can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum TimeQuality {
    /// The source stamped it.
    #[default]
    Source,
    /// The stamp had no year; it was taken from the input's reference time.
    YearAssumed,
    /// The record had no stamp; the input's reference time was taken.
    Assumed,
}

/// Where the event came from (OCSF `src_endpoint`), as far as the source itself says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Endpoint {
    /// Client address; IPv4-mapped IPv6 is unwrapped by the reader.
    pub ip: Option<IpAddr>,
    /// Client port.
    pub port: Option<u16>,
    /// Host name, workstation, or a service name that stands where an address was expected (CloudTrail).
    pub hostname: Option<Text>,
    /// Proxies the source saw in between, nearest to the client first.
    pub intermediate_ips: Vec<IpAddr>,
    /// Country as the source writes it: code or English name. Enrichment makes it a code.
    pub country: Option<Text>,
    /// First-level subdivision.
    pub region: Option<Text>,
    /// City.
    pub city: Option<Text>,
    /// Point. (0, 0) is a place; absence is `None`.
    pub coordinates: Option<Coordinates>,
    /// Accuracy radius of the point.
    pub radius: Option<Km>,
    /// Autonomous system.
    pub asn: Option<Asn>,
    /// Organisation of the autonomous system, or internet provider.
    pub organisation: Option<Text>,
    /// The source itself says proxy, VPN, relay or Tor.
    pub is_anonymised: Option<bool>,
}

/// The client and device as the source reports them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientFacts {
    /// Raw user agent, cut at 1,024 bytes by the reader.
    pub user_agent: Option<Text>,
    /// Stable device id: managed device id, device token, key fingerprint of a bound client.
    pub device_uid: Option<Text>,
    /// Device or workstation name.
    pub device_name: Option<Text>,
    /// Operating system as the source parsed it; used where there is no user agent.
    pub os: Option<Text>,
    /// Browser or client application as the source parsed it; used where there is no user agent.
    pub browser: Option<Text>,
    /// Managed by the organisation.
    pub is_managed: Option<bool>,
    /// Compliant with the organisation's policy.
    pub is_compliant: Option<bool>,
    /// TLS client fingerprint (JA3 or JA4).
    pub tls_fingerprint: Option<Text>,
}

/// How the account proved itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFacts {
    /// Protocol.
    pub protocol: AuthProtocol,
    /// Kind of logon.
    pub logon_type: LogonType,
    /// Factors used or asked for, first to last.
    pub factors: Vec<FactorType>,
    /// More than one factor was satisfied. Absent: the source does not say.
    pub is_mfa: Option<bool>,
    /// From another machine. Absent: the source does not say.
    pub is_remote: Option<bool>,
    /// Grant, credential or client kind in the source's words (`deviceCode`, `ROPC`, `publickey`).
    pub method: Option<Text>,
    /// Id of the credential: access key id, certificate or key fingerprint, hashed token.
    pub credential_uid: Option<Text>,
    /// Id of the token issued.
    pub token_uid: Option<Text>,
    /// Identity provider that vouched.
    pub issuer: Option<Text>,
}

/// Something acted upon or logged in to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resource {
    /// Name.
    pub name: Option<Text>,
    /// Stable id.
    pub uid: Option<Text>,
    /// Kind in the source's words: `application`, `secrets`, `AWS::IAM::Role`.
    pub kind: Option<Text>,
    /// Namespace, repository owner or cloud account it lives in.
    pub namespace: Option<Text>,
}

/// One identity event. Absent fields are unknown; none is ever an empty string or a zero in disguise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// OCSF `metadata.uid`.
    pub uid: EventUid,
    /// When it happened.
    pub time: EventTime,
    /// How `time` is known.
    pub time_quality: TimeQuality,
    /// The client's own time zone, if the source states it (OCSF `timezone_offset`).
    pub utc_offset: Option<UtcOffset>,
    /// Whose event it is.
    pub tenant: TenantId,
    /// Format it was read by.
    pub source: SourceName,
    /// Class and activity.
    pub activity: Activity,
    /// The source's own name for what happened: `user.session.start`, `ConsoleLogin`, `4625`.
    pub action: Text,
    /// Whether it succeeded.
    pub status: Status,
    /// The source's status or error code.
    pub status_code: Option<Text>,
    /// The source's words on the status.
    pub status_detail: Option<Text>,
    /// Normalised reason of a failed logon.
    pub failure: Option<FailureReason>,
    /// The account whose behaviour this event shows: who logs on, who calls, who administers.
    pub account: User,
    /// Who caused it, where that is another identity (the Windows "subject", an impersonating administrator).
    pub actor: Option<User>,
    /// The account acted upon (created, reset, added to a group, switched to).
    pub target: Option<User>,
    /// Group concerned, for group management.
    pub group: Option<Resource>,
    /// Privileges or roles given or taken.
    pub privileges: Vec<Text>,
    /// Where it came from.
    pub src: Endpoint,
    /// What it came with.
    pub client: ClientFacts,
    /// How the account proved itself.
    pub auth: AuthFacts,
    /// Session id.
    pub session: Option<Text>,
    /// Application or host logged in to (OCSF `service` or `dst_endpoint`).
    pub service: Option<Resource>,
    /// Resources acted upon.
    pub resources: Vec<Resource>,
    /// How many like things this one event tells of (OCSF `count`): machines started by one call, messages read that the
    /// source logs together; 2 or more. Absent: one, or the source does not say.
    #[serde(default)]
    pub count: Option<u32>,
    /// Attributes without a place above, as a JSON object; kept only when the reader is asked to.
    pub unmapped: Option<Text>,
}

impl Default for AuthFacts {
    fn default() -> Self {
        Self {
            protocol: AuthProtocol::Unknown,
            logon_type: LogonType::Unknown,
            factors: Vec::new(),
            is_mfa: None,
            is_remote: None,
            method: None,
            credential_uid: None,
            token_uid: None,
            issuer: None,
        }
    }
}

impl FailureReason {
    /// The name OCSF readers expect in `status_detail`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FailureReason::UserDoesNotExist => "USER_DOES_NOT_EXIST",
            FailureReason::InvalidCredentials => "INVALID_CREDENTIALS",
            FailureReason::AccountDisabled => "ACCOUNT_DISABLED",
            FailureReason::AccountLockedOut => "ACCOUNT_LOCKED_OUT",
            FailureReason::PasswordExpired => "PASSWORD_EXPIRED",
            FailureReason::MfaFailed => "MFA_FAILED",
            FailureReason::PolicyDenied => "POLICY_DENIED",
            FailureReason::Other => "OTHER",
        }
    }
}

impl Event {
    /// An event with the five facts none can lack; everything else unknown.
    #[must_use]
    pub fn new(
        uid: EventUid,
        time: EventTime,
        source: SourceName,
        activity: Activity,
        action: impl Into<Text>,
    ) -> Self {
        Self {
            uid,
            time,
            time_quality: TimeQuality::Source,
            utc_offset: None,
            tenant: TenantId::default(),
            source,
            activity,
            action: action.into(),
            status: Status::Unknown,
            status_code: None,
            status_detail: None,
            failure: None,
            account: User::default(),
            actor: None,
            target: None,
            group: None,
            privileges: Vec::new(),
            src: Endpoint::default(),
            client: ClientFacts::default(),
            auth: AuthFacts::default(),
            session: None,
            service: None,
            resources: Vec::new(),
            count: None,
            unmapped: None,
        }
    }

    /// The account whose behaviour this is; absent if the source names nobody.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        self.account.account_id()
    }

    /// Whether the event says that an identity was proven here: only such events may teach what is normal.
    #[must_use]
    pub fn proves_identity(&self) -> bool {
        self.status == Status::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_success() {
        let time = EventTime::from_millis(0).unwrap();
        let event = Event::new(
            EventUid::new("1"),
            time,
            SourceName::new("t"),
            Activity::from_ocsf(3002, 1),
            "login",
        );
        assert!(!event.proves_identity());
        assert_eq!(event.account_id(), None);
    }
}
