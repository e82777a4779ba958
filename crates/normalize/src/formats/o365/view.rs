//! One record of the common schema, and what all kinds of records say in the same way.

use super::NAME;
use crate::format::Reading;
use crate::json::{self, Json};
use crate::{field, stamp, unmapped};
use habitus_model::account::named;
use habitus_model::{
    AccountKind, Activity, Event, EventUid, Rejection, Resource, SourceName, Status, Text, User,
};

/// A record while it is read.
#[derive(Debug, Clone)]
pub struct View<'s> {
    pub record: &'s Json<'s>,
    pub reading: &'s Reading<'s>,
    pub uid: EventUid,
}

/// Where Microsoft writes that it knows no account; alerts are written by none.
const NOBODY: [&str; 5] = [
    "NOT-FOUND",
    "Unknown",
    "Not Available",
    "N/A",
    "SecurityComplianceAlerts",
];

/// How service principals stand among users.
const SERVICE_PRINCIPAL: &str = "ServicePrincipal_";

/// Class and activity of what Microsoft's protection found: Detection Finding, Create.
const FINDING: Activity = Activity::Other {
    class_uid: 2004,
    activity_id: 1,
};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "AppAccessContext",
    "ClientIP",
    "ClientIPAddress",
    "CreationTime",
    "DeviceProperties",
    "ErrorNumber",
    "ExtendedProperties",
    "Id",
    "LogonError",
    "ObjectId",
    "Operation",
    "OperationCount",
    "ResultStatus",
    "SessionId",
    "UserAgent",
    "UserId",
    "UserKey",
    "Workload",
];

impl View<'_> {
    /// A fresh event with what the common schema says.
    ///
    /// # Errors
    /// No operation, or no time that can be read.
    pub fn event(&self, activity: Activity) -> Result<Event, Rejection> {
        let action = self.operation()?;
        let stamps = [
            self.record.get("CreationTime"),
            self.record.get("CreationDate"),
            self.record.get("TimeGenerated"),
        ];
        let (time, quality) = stamp::or_reference(&stamps, "CreationTime", self.reading.options)?;
        let mut event = Event::new(
            self.uid.clone(),
            time,
            SourceName::new(NAME),
            activity,
            field::cut(action, field::FIELD_BYTES_MAX),
        );
        event.time_quality = quality;
        event.account = self.account();
        event.status = self.status();
        event.status_code = self.record.text("ResultStatus");
        self.origin(&mut event);
        self.client(&mut event);
        event.session = self.session();
        event.auth.token_uid = self.record.text("AppAccessContext.UniqueTokenId");
        event.service = self.record.text("Workload").map(|name| Resource {
            name: Some(name),
            ..Resource::default()
        });
        event.unmapped = unmapped::rest(self.record, MAPPED, self.reading.options);
        Ok(event)
    }

    /// What Microsoft's protection found: it says of an account what others do to it, and has no outcome.
    ///
    /// # Errors
    /// As [`View::event`].
    pub fn finding(&self) -> Result<Event, Rejection> {
        let mut event = self.event(FINDING)?;
        event.status = Status::Unknown;
        event.account = self.subject_of_finding().unwrap_or(event.account);
        event.status_detail = self.record.text("Name").or_else(|| self.record.text("AlertType"));
        Ok(event)
    }

    /// The name of what happened, as the record writes it, without the final stop of directory operations.
    ///
    /// # Errors
    /// It has none.
    pub fn operation(&self) -> Result<&str, Rejection> {
        let name = self.record.str("Operation").and_then(named);
        let name = name.ok_or_else(|| Rejection::missing("Operation"))?;
        Ok(name.trim_end().trim_end_matches('.'))
    }

    /// A value of a list of `{"Name": …, "Value": …}`.
    pub fn listed(&self, list: &str, name: &str) -> Option<&str> {
        self.record
            .items(list)
            .iter()
            .find(|item| {
                item.str("Name")
                    .is_some_and(|found| found.eq_ignore_ascii_case(name))
            })
            .and_then(|item| item.str("Value"))
            .and_then(named)
    }

    fn account(&self) -> User {
        let Some(name) = self.record.str("UserId").and_then(somebody) else {
            return User::default();
        };
        if let Some(id) = name.strip_prefix(SERVICE_PRINCIPAL) {
            return User {
                uid: field::text(id),
                kind: AccountKind::Service,
                ..User::default()
            };
        }
        let key = self.record.str("UserKey").and_then(somebody);
        User {
            name: field::text(name),
            uid: key
                .filter(|key| !key.eq_ignore_ascii_case(name))
                .and_then(field::text),
            kind: self.kind(name),
            ..User::default()
        }
    }

    /// `UserType` of the common schema: datacentre administrators (3), system (4), applications (5), service principals
    /// (6) and policies (7, 8) are machines, unless an address stands there: applications act for people, too.
    fn kind(&self, name: &str) -> AccountKind {
        match self.record.i64("UserType") {
            Some(3..=8) if !name.contains('@') => AccountKind::Service,
            _ => AccountKind::Unknown,
        }
    }

    /// `Success`, `Succeeded`, `True`; `PartiallySucceeded` changed something. What carries no result is written of what
    /// was done (SharePoint, Teams, Power BI).
    fn status(&self) -> Status {
        let Some(said) = self.record.str("ResultStatus").and_then(named) else {
            return Status::Success;
        };
        match said.to_ascii_lowercase().as_str() {
            "success" | "succeeded" | "true" | "partiallysucceeded" => Status::Success,
            "failed" | "failure" | "false" => Status::Failure,
            _ => Status::Other,
        }
    }

    /// The client's address: `ip`, `ip:port`, `[ip]:port`.
    fn origin(&self, event: &mut Event) {
        let address = ["ClientIP", "ClientIPAddress", "ActorIpAddress", "SenderIp"]
            .iter()
            .find_map(|key| self.record.str(key).and_then(field::ip_port));
        if let Some((ip, port)) = address {
            event.src.ip = Some(ip);
            event.src.port = port;
        }
    }

    fn client(&self, event: &mut Event) {
        event.client.user_agent = self.user_agent();
        event.client.device_uid = self.listed("DeviceProperties", "Id").and_then(field::text);
        event.client.device_name = self
            .listed("DeviceProperties", "DisplayName")
            .and_then(field::text);
        event.client.os = self.listed("DeviceProperties", "OS").and_then(field::text);
        event.client.browser = self
            .listed("DeviceProperties", "BrowserType")
            .and_then(field::text);
        let managed = self.listed("DeviceProperties", "IsCompliantAndManaged");
        event.client.is_managed = managed.and_then(|word| word.to_ascii_lowercase().parse().ok());
    }

    /// Of logons among the extended properties, of directory changes in JSON text there, of files by itself, of mailboxes
    /// behind `Client=…;`.
    fn user_agent(&self) -> Option<Text> {
        let own = self
            .record
            .str("UserAgent")
            .and_then(named)
            .or_else(|| self.listed("ExtendedProperties", "UserAgent"));
        if let Some(own) = own {
            return field::user_agent(own);
        }
        if let Some(details) = self.listed("ExtendedProperties", "additionalDetails") {
            let details = json::parse(details.as_bytes(), &self.reading.options.limits).ok()?;
            return details.str("User-Agent").and_then(field::user_agent);
        }
        let info = self.record.str("ClientInfoString")?;
        let agent = info
            .split(';')
            .map(str::trim)
            .position(|part| part.starts_with("Mozilla/"))?;
        let rest: Vec<&str> = info.split(';').skip(agent).collect();
        field::user_agent(rest.join(";").trim_end_matches(';'))
    }

    /// The sign-in's session; older records of mailboxes have one of the mailbox only.
    fn session(&self) -> Option<Text> {
        self.record
            .text("AppAccessContext.AADSessionId")
            .or_else(|| self.listed("DeviceProperties", "SessionId").and_then(field::text))
            .or_else(|| self.record.text("SessionId"))
    }

    /// Alerts name whom they are about in JSON text: the first to have done it (`f3u`), the sender (`suid`), the user (`u`),
    /// or the entity, where it is a user.
    fn subject_of_finding(&self) -> Option<User> {
        let data = self.record.str("Data")?;
        let data = json::parse(data.as_bytes(), &self.reading.options.limits).ok()?;
        let entity = data.str("eid").filter(|_| data.str("etype") == Some("User"));
        let said = ["f3u", "suid", "u"].iter().find_map(|key| data.str(key));
        let name = said.or(entity).and_then(somebody)?;
        name.contains('@')
            .then(|| User::by_name(field::cut(name, field::FIELD_BYTES_MAX)))?
    }
}

/// A name, unless it is one by which Microsoft says that it knows none.
fn somebody(name: &str) -> Option<&str> {
    named(name).filter(|name| !NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(name)))
}
