//! What the console is told at start.

use habitus_model::{Disposition, EventTime, Text};
use ipnet::IpNet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings of the console.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names by which browsers and clients may address this server, without ports. Loopback names and plain addresses are
    /// always good; another name in `Host` is refused, because a foreign page may have made it point here.
    pub names: Vec<String>,
    /// Proxies whose `X-Forwarded-For` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether browsers reach this server over TLS, here or at a proxy before it: cookies are then `Secure` and HSTS is on.
    pub https: bool,
    /// Log formats that `format=` may name; empty means: any, and whoever takes the events says.
    pub formats: Vec<String>,
    /// How inline decisions are made.
    pub inline: Inline,
    /// Limits.
    pub limits: Limits,
}

/// How inline decisions are made.
#[derive(Debug, Clone)]
pub struct Inline {
    /// Deadline if the asker names none.
    pub deadline: Duration,
    /// Longest deadline an asker may name.
    pub deadline_max: Duration,
    /// The answer of `/v1/assess` when none can be computed in time.
    pub default: Disposition,
    /// Routes of forward authentication by name. `default` is used when a request names none.
    pub routes: Vec<AuthorizeRoute>,
}

/// One route of forward authentication: nginx `auth_request`, Traefik, oauth2-proxy, Envoy.
#[derive(Debug, Clone)]
pub struct AuthorizeRoute {
    /// The name, as `?route=` or Envoy's `context_extensions` give it.
    pub name: Text,
    /// What happens when no decision can be made.
    pub fail: Fail,
    /// Headers that may name the account, the first present counts. The proxy must remove them from what clients send.
    pub account_headers: Vec<String>,
    /// The source under which its events are judged; absent means the token's.
    pub source: Option<Text>,
}

/// What happens when no decision can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// Access is given.
    Open,
    /// Access is refused.
    Closed,
}

/// Limits. The defaults are for 2 cores and 1 GiB.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests at the same time; more are refused with 503.
    pub requests: usize,
    /// Live streams at the same time.
    pub streams: usize,
    /// Connections at the same time; more wait to be accepted.
    pub connections: usize,
    /// Memory of all bodies at the same time, bytes; more is refused with 503.
    pub bodies_bytes: usize,
    /// Largest body of events, compressed or not, bytes (RELIABILITY S-04).
    pub body_bytes: usize,
    /// Largest body of a command, bytes.
    pub command_bytes: usize,
    /// Largest head of a request, bytes.
    pub head_bytes: usize,
    /// Time for a TLS handshake, and for a request's head.
    pub head_time: Duration,
    /// Longest pause within a body.
    pub body_pause: Duration,
    /// Time for a whole body.
    pub body_time: Duration,
    /// Time that requests get to finish after a shutdown was asked for.
    pub drain_time: Duration,
}

/// The clock: only `app` reads one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> EventTime + Send + Sync>);

impl Clock {
    /// From a function that tells the present instant.
    pub fn new(now: impl Fn() -> EventTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> EventTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Fail {
    /// The name in lower case, as answers show it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Fail::Open => "open",
            Fail::Closed => "closed",
        }
    }
}

impl Default for Settings {
    /// On loopback, without TLS.
    fn default() -> Self {
        Self {
            names: Vec::new(),
            trusted_proxies: Vec::new(),
            https: false,
            formats: Vec::new(),
            inline: Inline::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Inline {
    /// 50 ms (RELIABILITY 5.3); what cannot be judged passes and is looked at; forward authentication fails closed.
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            deadline_max: Duration::from_secs(5),
            default: Disposition::Review,
            routes: vec![AuthorizeRoute::default()],
        }
    }
}

impl Default for AuthorizeRoute {
    /// The headers of oauth2-proxy, Traefik and the old convention of CGI, most specific first.
    fn default() -> Self {
        Self {
            name: Text::new("default"),
            fail: Fail::Closed,
            account_headers: [
                "x-auth-request-email",
                "x-forwarded-email",
                "x-auth-request-user",
                "x-forwarded-user",
                "remote-user",
            ]
            .map(str::to_owned)
            .to_vec(),
            source: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 512,
            streams: 64,
            connections: 1_024,
            bodies_bytes: 256 * 1024 * 1024,
            body_bytes: 16 * 1024 * 1024,
            command_bytes: 64 * 1024,
            head_bytes: 32 * 1024,
            head_time: Duration::from_secs(10),
            body_pause: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(20),
        }
    }
}
