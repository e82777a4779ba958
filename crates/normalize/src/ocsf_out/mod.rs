//! An [`Event`] as an OCSF 1.8.0 JSON object.
//!
//! Attributes that the event's class has stand in their places. The rest of what is known stands in `unmapped.habitus`
//! under the same names, so that reading the object back gives an equal event.

mod layout;
mod object;
mod parts;

use habitus_model::event::{AuthProtocol, LogonType};
use habitus_model::{Activity, Event, TenantId, TimeQuality};
use layout::Roles;
pub(crate) use layout::user_is_target;
use object::Object;

/// The schema version written.
pub const SCHEMA_VERSION: &str = "1.8.0";

/// Appends the event as one JSON object without a line break. Deterministic. Cost: linear in the event.
pub fn write(event: &Event, out: &mut Vec<u8>) {
    let mut extra = Vec::new();
    let mut sink = Sink {
        event,
        class: event.activity.class_uid(),
        roles: layout::roles(event),
        top: Object::open(out),
        extra: Object::open(&mut extra),
    };
    sink.header();
    sink.status();
    sink.people();
    sink.origin();
    sink.authentication();
    sink.concerned();
    sink.metadata();
    sink.remainder();
    drop(sink);
    unmapped(event, &mut Object::reopen(out), &extra);
}

/// The event's object, and beside it what has no place in its class.
struct Sink<'e, 'o> {
    event: &'e Event,
    class: u32,
    roles: Roles<'e>,
    top: Object<'o>,
    extra: Object<'o>,
}

impl<'o> Sink<'_, 'o> {
    /// Where an attribute belongs: into the event if its class has it, else beside it.
    fn place(&mut self, attribute: &str) -> &mut Object<'o> {
        if layout::has(self.class, attribute) {
            &mut self.top
        } else {
            &mut self.extra
        }
    }

    fn has(&self, attribute: &str) -> bool {
        layout::has(self.class, attribute)
    }

    fn header(&mut self) {
        let activity = self.event.activity;
        let top = &mut self.top;
        top.id("class_uid", self.class);
        if class_is_named(activity) {
            top.text("class_name", activity.class_name());
        }
        top.id("category_uid", activity.category_uid());
        if let Some(name) = category_name(activity.category_uid()) {
            top.text("category_name", name);
        }
        top.id("activity_id", activity.activity_id());
        top.text("activity_name", activity.activity_name());
        top.int("type_uid", i64::try_from(activity.type_uid()).unwrap_or(i64::MAX));
        if class_is_named(activity) {
            let name = format!("{}: {}", activity.class_name(), activity.activity_name());
            top.text("type_name", &name);
        }
        top.choice("severity", 1, "Informational");
        top.int("time", self.event.time.as_millis());
        if let Some(count) = self.event.count {
            top.int("count", i64::from(count));
        }
        if let Some(offset) = self.event.utc_offset {
            top.int("timezone_offset", i64::from(offset.minutes()));
        }
    }

    fn status(&mut self) {
        let event = self.event;
        // In findings the status tells how far the work on them has come.
        let place = if is_finding(self.class) {
            &mut self.extra
        } else {
            &mut self.top
        };
        place.choice("status", event.status.id(), event.status.caption());
        self.top.text_if("status_code", event.status_code.as_ref());
        match event.failure {
            // OCSF readers expect the normalised reason; the source's own words stand beside it.
            Some(reason) => {
                self.top.text("status_detail", reason.name());
                self.extra.text_if("status_detail", event.status_detail.as_ref());
            }
            None => self.top.text_if("status_detail", event.status_detail.as_ref()),
        }
    }

    fn people(&mut self) {
        if self.has("user") && (self.roles.user.is_some() || self.class != 3006) {
            let user = self.roles.user.cloned().unwrap_or_default();
            parts::user(&mut self.top.object("user"), &user);
        }
        let session = parts::has_session(self.event);
        if session && self.has("session") {
            parts::session(&mut self.top.object("session"), self.event);
        }
        let inside_actor = session && !self.has("session");
        if self.roles.actor.is_some() || inside_actor || self.class == 6003 {
            let mut actor = self.top.object("actor");
            match self.roles.actor {
                Some(user) => parts::user(&mut actor.object("user"), user),
                None if inside_actor => {}
                None => parts::user(&mut actor.object("user"), &habitus_model::User::default()),
            }
            if inside_actor {
                parts::session(&mut actor.object("session"), self.event);
            }
        }
        if let Some(actor) = self.roles.other_actor {
            parts::user(&mut self.extra.object("actor_user"), actor);
        }
        if let Some(target) = self.roles.other_target {
            parts::user(&mut self.extra.object("target_user"), target);
        }
    }

    fn origin(&mut self) {
        let (src, client) = (&self.event.src, &self.event.client);
        let somewhere = src.ip.is_some()
            || src.port.is_some()
            || src.hostname.is_some()
            || !src.intermediate_ips.is_empty()
            || parts::location_is_named(src)
            || src.asn.is_some()
            || src.organisation.is_some();
        if somewhere || self.class == 6003 {
            parts::endpoint(&mut self.place("src_endpoint").object("src_endpoint"), src);
        }
        if parts::has_location(src) && !parts::location_is_named(src) {
            parts::location(&mut self.extra.object("location"), src);
        }
        if let Some(radius) = src.radius {
            self.extra.float("radius_km", radius.0);
        }
        self.extra.flag_if("is_anonymised", src.is_anonymised);
        if let Some(agent) = &client.user_agent {
            let mut request = self.place("http_request").object("http_request");
            request.text("user_agent", agent);
        }
        if parts::has_device(client) {
            parts::device(&mut self.top.object("device"), client);
        }
        self.extra.text_if("browser", client.browser.as_ref());
        self.extra
            .text_if("tls_fingerprint", client.tls_fingerprint.as_ref());
    }

    fn authentication(&mut self) {
        let auth = &self.event.auth;
        if auth.protocol != AuthProtocol::Unknown {
            let caption = match (auth.protocol, &auth.method) {
                (AuthProtocol::Other, Some(method)) => method.as_str(),
                (protocol, _) => protocol.caption(),
            };
            self.place("auth_protocol")
                .choice("auth_protocol", auth.protocol.id(), caption);
        }
        if auth.logon_type != LogonType::Unknown {
            self.place("logon_type")
                .choice("logon_type", auth.logon_type.id(), auth.logon_type.caption());
        }
        if !auth.factors.is_empty() {
            self.place("auth_factors")
                .objects("auth_factors", &auth.factors, |object, factor| {
                    object.choice("factor_type", factor.id(), factor.caption());
                });
        }
        if self.event.activity.is_authentication() {
            self.top.flag_if("is_mfa", auth.is_mfa);
            self.top.flag_if("is_remote", auth.is_remote);
        }
        if let Some(token) = &auth.token_uid {
            let place = self.place("authentication_token");
            place.object("authentication_token").text("uid", token);
        }
        self.extra.text_if("auth_method", auth.method.as_ref());
    }

    /// What the event is about: service, API, resources, group, privileges.
    fn concerned(&mut self) {
        let event = self.event;
        self.service();
        if self.class == 6003 {
            self.top.object("api").text("operation", &event.action);
        }
        if self.class == DETECTION_FINDING {
            // What another product found passes through with the least that OCSF requires.
            let mut info = self.top.object("finding_info");
            info.text("uid", event.uid.as_str());
            info.text("title", &event.action);
        }
        if self.class == 3004 {
            parts::entity(&mut self.top.object("entity"), event, self.roles.entity);
        }
        self.resources();
        let grants_group = self.class == 3003 && event.privileges.is_empty();
        if self.class == 3006 || (grants_group && event.group.is_some()) {
            parts::group(&mut self.top.object("group"), event.group.as_ref());
        } else if event.group.is_some() && self.class != 3004 {
            parts::group(&mut self.extra.object("group"), event.group.as_ref());
        }
        let required = self.class == 3005 || (grants_group && event.group.is_none());
        if required || !event.privileges.is_empty() {
            self.place("privileges").texts("privileges", &event.privileges);
        }
    }

    fn service(&mut self) {
        let service = self.event.service.as_ref();
        if self.has("service") {
            let named = service.filter(|service| service.name.is_some() || service.uid.is_some());
            parts::service(&mut self.top.object("service"), named);
        }
        // OCSF's service has neither kind nor namespace.
        let beyond = service.filter(|service| {
            !layout::has(self.class, "service") || service.kind.is_some() || service.namespace.is_some()
        });
        if let Some(service) = beyond {
            parts::resource(&mut self.extra.object("service"), service);
        }
    }

    fn resources(&mut self) {
        let resources = self.event.resources.as_slice();
        let Some(first) = resources.first() else {
            return;
        };
        if self.has("resources") {
            self.top.objects("resources", resources, parts::resource);
            return;
        }
        let mut is_complete = false;
        if self.has("resource") {
            parts::resource(&mut self.top.object("resource"), first);
            is_complete = resources.len() == 1;
        }
        if self.has("entity") {
            is_complete = resources.len() == 1 && first.namespace.is_none();
        }
        if !is_complete {
            self.extra.objects("resources", resources, parts::resource);
        }
    }

    fn metadata(&mut self) {
        let event = self.event;
        // The base event has neither actor nor device of its own.
        let is_other = matches!(event.activity, Activity::Other { .. });
        let with_host = is_other || parts::has_device(&event.client);
        let mut metadata = self.top.object("metadata");
        metadata.text("version", SCHEMA_VERSION);
        metadata.object("product").text("name", event.source.as_str());
        metadata.text("uid", event.uid.as_str());
        metadata.text("event_code", &event.action);
        metadata.text("log_format", event.source.as_str());
        if event.tenant != TenantId::default() {
            metadata.text("tenant_uid", event.tenant.as_str());
        }
        if with_host {
            metadata.texts("profiles", ["host"]);
        }
    }

    fn remainder(&mut self) {
        let quality = match self.event.time_quality {
            TimeQuality::Source => return,
            TimeQuality::YearAssumed => "year_assumed",
            TimeQuality::Assumed => "assumed",
        };
        self.extra.text("time_quality", quality);
    }
}

/// Writes `unmapped`: what had no place, and what the source had that an event does not know.
fn unmapped(event: &Event, top: &mut Object<'_>, extra: &[u8]) {
    let has_extra = extra != b"{}";
    if !has_extra && event.unmapped.is_none() {
        return;
    }
    let mut unmapped = top.object("unmapped");
    if has_extra {
        unmapped.json("habitus", extra);
    }
    match &event.unmapped {
        // A source that uses our name keeps its attributes one level deeper: a key must not stand twice.
        Some(source) if has_extra && source.contains("\"habitus\"") => {
            unmapped.json("source", source.as_bytes());
        }
        Some(source) => unmapped.members_of(source),
        None => {}
    }
}

const DETECTION_FINDING: u32 = 2004;

const fn is_finding(class_uid: u32) -> bool {
    class_uid / 1000 == 2
}

fn class_is_named(activity: Activity) -> bool {
    !matches!(activity, Activity::Other { class_uid, .. } if class_uid != 0)
}

fn category_name(category_uid: u32) -> Option<&'static str> {
    Some(match category_uid {
        0 => "Uncategorized",
        1 => "System Activity",
        2 => "Findings",
        3 => "Identity & Access Management",
        4 => "Network Activity",
        5 => "Discovery",
        6 => "Application Activity",
        7 => "Remediation",
        8 => "Unmanned Systems",
        _ => return None,
    })
}
