//! The objects inside an OCSF event.

use super::object::Object;
use habitus_model::{AccountKind, ClientFacts, Endpoint, Event, Resource, User};

/// What stands where OCSF requires a name and the source gives none: the nil value of syslog (RFC 5424 6) and of Windows'
/// own events, which readers of logs take for nobody. Ours makes no account of it.
pub(super) const NOBODY: &str = "-";

pub(super) fn user(object: &mut Object<'_>, user: &User) {
    // OCSF wants a name or an id; an address alone serves as the name.
    let named = user.name.is_some() || user.uid.is_some();
    match (&user.name, &user.email) {
        (Some(name), _) => object.text("name", name),
        (None, Some(email)) if !named => object.text("name", email),
        (None, _) if !named => {
            // The class requires a user and the user one of name, uid and account: nothing else says that there is none.
            object.text("name", NOBODY);
        }
        (None, _) => {}
    }
    object.text_if("uid", user.uid.as_ref());
    object.text_if("email_addr", user.email.as_ref());
    object.text_if("display_name", user.display_name.as_ref());
    object.text_if("domain", user.domain.as_ref());
    match user.kind {
        AccountKind::Unknown if !named && user.email.is_none() => object.choice("type", 0, "Unknown"),
        AccountKind::Unknown => {}
        AccountKind::Human => object.choice("type", 1, "User"),
        AccountKind::Privileged => object.choice("type", 2, "Admin"),
        AccountKind::Service => object.choice("type", 4, "Service"),
        AccountKind::Shared => object.choice("type", 99, "Shared"),
        AccountKind::Vendor => object.choice("type", 99, "Vendor"),
    }
}

pub(super) fn resource(object: &mut Object<'_>, resource: &Resource) {
    object.text_if("name", resource.name.as_ref());
    object.text_if("uid", resource.uid.as_ref());
    object.text_if("type", resource.kind.as_ref());
    object.text_if("namespace", resource.namespace.as_ref());
}

/// OCSF's `group` has a domain where resources have a namespace.
pub(super) fn group(object: &mut Object<'_>, group: Option<&Resource>) {
    let Some(group) = group else {
        object.text("name", NOBODY);
        return;
    };
    object.text_if("name", group.name.as_ref());
    object.text_if("uid", group.uid.as_ref());
    object.text_if("type", group.kind.as_ref());
    object.text_if("domain", group.namespace.as_ref());
}

pub(super) fn service(object: &mut Object<'_>, service: Option<&Resource>) {
    match service {
        Some(service) => {
            object.text_if("name", service.name.as_ref());
            object.text_if("uid", service.uid.as_ref());
        }
        None => object.text("name", NOBODY),
    }
}

/// Whether the location satisfies OCSF: a point alone does not.
pub(super) fn location_is_named(src: &Endpoint) -> bool {
    src.country.is_some() || src.city.is_some() || src.region.is_some()
}

pub(super) fn has_location(src: &Endpoint) -> bool {
    location_is_named(src) || src.coordinates.is_some()
}

pub(super) fn location(object: &mut Object<'_>, src: &Endpoint) {
    object.text_if("country", src.country.as_ref());
    object.text_if("region", src.region.as_ref());
    object.text_if("city", src.city.as_ref());
    if let Some(point) = src.coordinates {
        object.float("lat", point.lat());
        object.float("long", point.lon());
    }
}

pub(super) fn endpoint(object: &mut Object<'_>, src: &Endpoint) {
    if let Some(ip) = src.ip {
        object.text("ip", &ip.to_string());
    }
    if let Some(port) = src.port {
        object.int("port", i64::from(port));
    }
    match &src.hostname {
        Some(hostname) => object.text("hostname", hostname),
        None if src.ip.is_none() => object.text("name", NOBODY),
        None => {}
    }
    if !src.intermediate_ips.is_empty() {
        object.texts(
            "intermediate_ips",
            src.intermediate_ips.iter().map(ToString::to_string),
        );
    }
    if location_is_named(src) {
        location(&mut object.object("location"), src);
    }
    if src.asn.is_some() || src.organisation.is_some() {
        let mut system = object.object("autonomous_system");
        if let Some(asn) = src.asn {
            system.id("number", asn.get());
        }
        system.text_if("name", src.organisation.as_ref());
    }
}

pub(super) fn has_device(client: &ClientFacts) -> bool {
    client.device_uid.is_some()
        || client.device_name.is_some()
        || client.os.is_some()
        || client.is_managed.is_some()
        || client.is_compliant.is_some()
}

pub(super) fn device(object: &mut Object<'_>, client: &ClientFacts) {
    object.choice("type", 0, "Unknown");
    object.text_if("uid", client.device_uid.as_ref());
    object.text_if("name", client.device_name.as_ref());
    if let Some(os) = &client.os {
        let mut system = object.object("os");
        system.text("name", os);
        system.choice("type", 0, "Unknown");
    }
    object.flag_if("is_managed", client.is_managed);
    object.flag_if("is_compliant", client.is_compliant);
}

/// Whether there is anything to say of the session; MFA and remoteness have places of their own in Authentication.
pub(super) fn has_session(event: &Event) -> bool {
    let auth = &event.auth;
    let said = event.session.is_some() || auth.issuer.is_some() || auth.credential_uid.is_some();
    said || (!event.activity.is_authentication() && (auth.is_mfa.is_some() || auth.is_remote.is_some()))
}

pub(super) fn session(object: &mut Object<'_>, event: &Event) {
    object.text_if("uid", event.session.as_ref());
    object.text_if("issuer", event.auth.issuer.as_ref());
    object.text_if("credential_uid", event.auth.credential_uid.as_ref());
    if !event.activity.is_authentication() {
        object.flag_if("is_mfa", event.auth.is_mfa);
        object.flag_if("is_remote", event.auth.is_remote);
    }
}

/// The thing managed: the first resource, the group or the user acted upon.
pub(super) fn entity(object: &mut Object<'_>, event: &Event, managed: Option<&User>) {
    let first = event.resources.first();
    if let Some(first) = first {
        object.text_if("name", first.name.as_ref());
        object.text_if("uid", first.uid.as_ref());
        if let Some(kind) = &first.kind {
            object.choice("type", 99, kind);
        }
    }
    let named = first.is_some_and(|first| first.name.is_some() || first.uid.is_some());
    if !named && event.group.is_none() && managed.is_none() {
        object.text("name", NOBODY);
    }
    if event.group.is_some() {
        group(&mut object.object("group"), event.group.as_ref());
    }
    if let Some(managed) = managed {
        user(&mut object.object("user"), managed);
    }
}
