//! Where it came from, what with, how it was proven, and what it was about.

use super::{Attributes, Top, flag_of, integer, member, present, text_of};
use crate::field;
use crate::json::Json;
use habitus_model::event::{AuthProtocol, FactorType, LogonType};
use habitus_model::{Activity, Asn, ClientFacts, Coordinates, Endpoint, Event, Km, Resource, Text};

/// Fills everything but the people. Cost: linear in the event.
pub(super) fn read(event: &mut Event, attributes: &Attributes<'_, '_>) {
    let top = &attributes.top;
    if let Some(src) = attributes.get("src_endpoint") {
        endpoint(&mut event.src, src);
        client_of_endpoint(&mut event.client, src);
    }
    device(&mut event.client, top);
    let request = attributes.get("http_request");
    event.client.user_agent = request
        .and_then(|request| request.get("user_agent")?.as_str())
        .and_then(field::user_agent);
    event.client.tls_fingerprint = tls_fingerprint(top);
    authentication(event, attributes);
    session(event, top);
    event.service = service(attributes);
    event.resources = resources(event.activity, attributes);
    event.group = attributes
        .get("group")
        .or_else(|| top.get("entity").and_then(|entity| member(entity, "group")))
        .and_then(group);
    event.privileges = privileges(attributes);
    if attributes.beside.is_some() {
        beside(event, attributes);
    }
}

/// What only our writer knows to say.
fn beside(event: &mut Event, attributes: &Attributes<'_, '_>) {
    let text = |name: &str| attributes.beside(name).and_then(super::text);
    if let Some(place) = attributes.beside("location") {
        location(&mut event.src, place);
    }
    if let Some(Json::Float(radius)) = attributes.beside("radius_km") {
        event.src.radius = Some(Km(*radius));
    }
    if let Some(Json::Bool(flag)) = attributes.beside("is_anonymised") {
        event.src.is_anonymised = Some(*flag);
    }
    event.client.browser = text("browser");
    event.client.tls_fingerprint = text("tls_fingerprint").or(event.client.tls_fingerprint.take());
    event.auth.method = text("auth_method").or(event.auth.method.take());
}

fn endpoint(src: &mut Endpoint, object: &Json<'_>) {
    for (name, value) in object.members() {
        match name.as_ref() {
            "ip" => {
                if let Some((ip, port)) = value.as_str().and_then(field::ip_port) {
                    src.ip = Some(ip);
                    src.port = src.port.or(port);
                }
            }
            "port" => {
                src.port = integer(value)
                    .and_then(|port| u16::try_from(port).ok())
                    .filter(|port| *port != 0)
            }
            "hostname" => src.hostname = super::text(value),
            "location" => location(src, value),
            "autonomous_system" => {
                let number = value.get("number").and_then(integer);
                src.asn = number.and_then(|number| Asn::new(u32::try_from(number).ok()?));
                src.organisation = text_of(value, "name").or(src.organisation.take());
            }
            "isp_org" | "isp" => src.organisation = src.organisation.take().or_else(|| super::text(value)),
            "intermediate_ips" => {
                src.intermediate_ips = value
                    .array()
                    .iter()
                    .filter_map(|ip| field::ip(ip.as_str()?))
                    .collect();
            }
            "proxy_endpoint" if !value.members().is_empty() => src.is_anonymised = Some(true),
            _ => {}
        }
    }
    if src.hostname.is_none() && src.ip.is_none() {
        src.hostname = text_of(object, "name").or_else(|| text_of(object, "svc_name"));
    }
}

/// `lat` and `long` since 1.1; before that `coordinates`, longitude first (GeoJSON, RFC 7946).
fn location(src: &mut Endpoint, object: &Json<'_>) {
    let (mut lat, mut long) = (None, None);
    for (name, value) in object.members() {
        match name.as_ref() {
            "country" => src.country = super::text(value),
            "region" => src.region = super::text(value),
            "city" => src.city = super::text(value),
            "lat" => lat = number(value),
            "long" => long = number(value),
            "coordinates" => {
                if let [long, lat] = value.array() {
                    src.coordinates = field::coordinates(number(lat), number(long));
                }
            }
            _ => {}
        }
    }
    if let (Some(lat), Some(long)) = (lat, long) {
        src.coordinates = Coordinates::new(lat, long);
    }
}

fn number(value: &Json<'_>) -> Option<f64> {
    match value {
        Json::Integer(number) => Some(habitus_model::math::from_i64(*number)),
        Json::Float(number) => Some(*number),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn client_of_endpoint(client: &mut ClientFacts, src: &Json<'_>) {
    client.device_uid = text_of(src, "uid").or_else(|| text_of(src, "instance_uid"));
    client.device_name = text_of(src, "name");
    client.os = src.get("os").and_then(|os| text_of(os, "name"));
}

/// `device` is the client's, unless it is the host logged in to: sources on that host report themselves there.
fn device(client: &mut ClientFacts, top: &Top<'_, '_>) {
    let Some(device) = top.member("device") else {
        return;
    };
    let host = |object: &Json<'_>| text_of(object, "hostname").map(|host| host.to_lowercase());
    let reached = top.get("dst_endpoint").and_then(host);
    if reached.is_some() && reached == host(device) {
        return;
    }
    for (name, value) in device.members() {
        match name.as_ref() {
            "uid" => client.device_uid = super::text(value).or(client.device_uid.take()),
            "name" => client.device_name = super::text(value).or(client.device_name.take()),
            "os" => client.os = text_of(value, "name").or(client.os.take()),
            "is_managed" => client.is_managed = flag_of(device, "is_managed"),
            "is_compliant" => client.is_compliant = flag_of(device, "is_compliant"),
            _ => {}
        }
    }
    if client.device_name.is_none() {
        client.device_name = text_of(device, "hostname");
    }
}

/// JA4 before JA3: it survives the shuffling of extensions.
fn tls_fingerprint(top: &Top<'_, '_>) -> Option<Text> {
    let tls = top.member("tls");
    let list = top
        .get("ja4_fingerprint_list")
        .or_else(|| tls?.get("ja4_fingerprint_list"))
        .map(Json::array)
        .unwrap_or_default();
    // `type_id` 1 is JA4 itself; the others are of the server, of HTTP, of latency.
    let ja4 = list
        .iter()
        .find(|item| item.get("type_id").and_then(integer) == Some(1))
        .or(list.first());
    ja4.and_then(|item| text_of(item, "value"))
        .or_else(|| text_of(tls?.get("ja3_hash")?, "value"))
}

fn authentication(event: &mut Event, attributes: &Attributes<'_, '_>) {
    let auth = &mut event.auth;
    auth.protocol = choice(
        attributes,
        ("auth_protocol_id", "auth_protocol"),
        AuthProtocol::ALL,
        |p| (p.id(), p.caption()),
    )
    .unwrap_or(AuthProtocol::Unknown);
    auth.logon_type = choice(attributes, ("logon_type_id", "logon_type"), LogonType::ALL, |t| {
        (t.id(), t.caption())
    })
    .unwrap_or(LogonType::Unknown);
    if auth.protocol == AuthProtocol::Other {
        let caption = AuthProtocol::Other.caption();
        auth.method = attributes.text("auth_protocol").filter(|said| said != caption);
    }
    auth.is_mfa = attributes.top.flag("is_mfa");
    auth.is_remote = attributes.top.flag("is_remote");
    let factors = attributes
        .get("auth_factors")
        .map(Json::array)
        .unwrap_or_default();
    auth.factors = factors
        .iter()
        .filter_map(|factor| {
            let factor = Attributes {
                top: Top::new(factor),
                beside: None,
            };
            choice(&factor, ("factor_type_id", "factor_type"), FactorType::ALL, |f| {
                (f.id(), f.caption())
            })
        })
        .collect();
    let token = attributes.get("authentication_token");
    auth.token_uid = token.and_then(|token| text_of(token, "uid"));
}

/// An enumeration: by its id, else by the caption in its sibling. What this version does not know is Other (99, the
/// last of the list). Absent: neither is there.
fn choice<T: Copy>(
    attributes: &Attributes<'_, '_>,
    (id, name): (&str, &str),
    all: &[T],
    describe: impl Fn(T) -> (u32, &'static str),
) -> Option<T> {
    let id = attributes.get(id).and_then(integer);
    if let Some(id) = id {
        let known = all.iter().find(|value| i64::from(describe(**value).0) == id);
        return known.or(all.last()).copied();
    }
    let said = attributes.text(name)?;
    let known = all
        .iter()
        .find(|value| describe(**value).1.eq_ignore_ascii_case(&said));
    known.or(all.last()).copied()
}

/// `session`, else the actor's session.
fn session(event: &mut Event, top: &Top<'_, '_>) {
    let session = top
        .member("session")
        .or_else(|| member(top.get("actor")?, "session"));
    let Some(session) = session else { return };
    for (name, value) in session.members() {
        match name.as_ref() {
            "uid" => event.session = super::text(value),
            "issuer" => event.auth.issuer = super::text(value),
            "credential_uid" => event.auth.credential_uid = super::text(value),
            "is_mfa" => event.auth.is_mfa = event.auth.is_mfa.or(flag_of(session, "is_mfa")),
            "is_remote" => event.auth.is_remote = event.auth.is_remote.or(flag_of(session, "is_remote")),
            "is_vpn" => event.src.is_anonymised = event.src.is_anonymised.or(flag_of(session, "is_vpn")),
            _ => {}
        }
    }
    if event.session.is_none() {
        event.session = text_of(session, "uuid");
    }
}

/// The application or host logged in to: what stands beside the event, `service`, the API's service, `dst_endpoint`.
fn service(attributes: &Attributes<'_, '_>) -> Option<Resource> {
    let top = &attributes.top;
    attributes
        .beside("service")
        .and_then(resource)
        .or_else(|| top.member("service").and_then(resource))
        .or_else(|| top.get("api")?.get("service").and_then(resource))
        .or_else(|| {
            let host = top.member("dst_endpoint")?;
            let name = ["hostname", "name", "svc_name", "ip"];
            somebody(Resource {
                name: name.into_iter().find_map(|name| text_of(host, name)),
                uid: text_of(host, "uid"),
                ..Resource::default()
            })
        })
}

fn resources(activity: Activity, attributes: &Attributes<'_, '_>) -> Vec<Resource> {
    let top = &attributes.top;
    let listed = attributes
        .beside("resources")
        .or_else(|| present(top.get("resources")))
        .map(Json::array)
        .unwrap_or_default();
    if !listed.is_empty() {
        return listed.iter().filter_map(resource).collect();
    }
    let one = top.member("resource").and_then(resource);
    let managed = || {
        let entity = top.member("entity").and_then(resource);
        let role = || {
            top.member("iam_role").and_then(resource).map(|role| Resource {
                kind: role.kind.or_else(|| Some(Text::from("role"))),
                ..role
            })
        };
        entity.or_else(role)
    };
    one.or_else(|| matches!(activity, Activity::EntityManagement(_)).then(managed)?)
        .into_iter()
        .collect()
}

/// A resource; one that is known by its kind only is one too (all pods of a namespace).
fn resource(object: &Json<'_>) -> Option<Resource> {
    let resource = Resource {
        name: text_of(object, "name"),
        uid: text_of(object, "uid"),
        kind: text_of(object, "type"),
        namespace: text_of(object, "namespace"),
    };
    (resource != Resource::default()).then_some(resource)
}

fn group(object: &Json<'_>) -> Option<Resource> {
    somebody(Resource {
        name: text_of(object, "name"),
        uid: text_of(object, "uid"),
        kind: text_of(object, "type"),
        namespace: text_of(object, "domain"),
    })
}

fn somebody(resource: Resource) -> Option<Resource> {
    (resource.name.is_some() || resource.uid.is_some()).then_some(resource)
}

/// `privileges`, else (1.9) the names of the roles given.
fn privileges(attributes: &Attributes<'_, '_>) -> Vec<Text> {
    let given = attributes.get("privileges").map(Json::array).unwrap_or_default();
    if !given.is_empty() {
        return given.iter().filter_map(super::text).collect();
    }
    let roles = attributes
        .top
        .get("iam_roles")
        .map(Json::array)
        .unwrap_or_default();
    roles.iter().filter_map(|role| text_of(role, "name")).collect()
}
