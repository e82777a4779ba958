//! The session's cookie.

use crate::access::Secret;
use http::{HeaderMap, HeaderValue, header};

/// The cookie's name. `__Host-` binds it to this host, to `/` and to TLS (RFC 6265bis 4.1.3.2).
const fn name(https: bool) -> &'static str {
    if https {
        "__Host-habitus"
    } else {
        "habitus-session"
    }
}

/// The session that the cookie names; absent if there is none that could be.
pub(crate) fn session(headers: &HeaderMap, https: bool) -> Option<Secret> {
    let wanted = name(https);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then(|| Secret::presented(value))?)
}

/// Sets the session's cookie. It ends with the browser; the server ends it earlier.
pub(crate) fn set(secret: &Secret, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
        name(https),
        secret.reveal()
    );
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Takes the cookie away.
pub(crate) fn clear(https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}",
        name(https)
    );
    HeaderValue::try_from(text).ok()
}
