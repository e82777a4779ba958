//! What may be reached from here (server-side request forgery).
//!
//! A responder's target stands in a file that more people can write than may see the inside of the network, and its name is
//! answered by a name server that anybody may own. Hence the rule is about the address that is really connected to: names
//! are looked up here, refused addresses are dropped, and the connection goes to what is left, with no second look-up.
//! There are no redirects, and no proxy is taken from the environment.

pub mod addresses;

use async_trait::async_trait;
use ipnet::IpNet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

/// Most addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 16;

/// How long and how much an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the look-up of the name, the connection and TLS together.
    pub connect: Duration,
    /// For the whole attempt.
    pub whole: Duration,
    /// Bytes of an answer that are read; the rest stays on the wire.
    pub answer_bytes_max: usize,
}

/// Looks names up. The system's resolver outside of tests.
#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of a host name, in order of preference.
    ///
    /// # Errors
    /// When the name has none or nobody answers.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Stands at the door to the network: one for all responders.
#[derive(Clone)]
pub struct Guard {
    names: Arc<dyn Names>,
    limits: Limits,
}

/// What one responder may reach: the guard's rule and the networks that it names itself.
#[derive(Clone)]
pub(crate) struct Reach {
    guard: Guard,
    allowed: Arc<[IpNet]>,
    scope: Scope,
}

/// How far a responder may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The public internet and the named networks: for encrypted connections.
    Anywhere,
    /// The named networks only: for what goes unencrypted.
    NamedOnly,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Unreached {
    /// The target is not to be reached, with the reason.
    Refused(&'static str),
    /// It could not be reached now.
    Failed(io::Error),
    /// It did not answer in time.
    Late,
}

struct SystemNames;

impl Default for Limits {
    /// 3 s to connect and 10 s in all, below the 15 s that the Standard Webhooks 1.0 give a receiver, so that a slow target
    /// does not hold the queue; 64 KiB, of which no answer that we understand needs a tenth.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            whole: Duration::from_secs(10),
            answer_bytes_max: 65_536,
        }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            names: Arc::new(SystemNames),
            limits: Limits::default(),
        }
    }
}

impl Guard {
    /// The same guard with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same guard with other names: tests answer for the name server.
    #[must_use]
    pub fn with_names(mut self, names: impl Names + 'static) -> Self {
        self.names = Arc::new(names);
        self
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn reach(&self, allowed: &[IpNet], scope: Scope) -> Reach {
        Reach {
            guard: self.clone(),
            allowed: allowed.into(),
            scope,
        }
    }
}

impl Reach {
    pub(crate) fn limits(&self) -> Limits {
        self.guard.limits
    }

    /// Whether the address may be connected to; otherwise why not.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        if addresses::named(&self.allowed, address) {
            return Ok(());
        }
        match (addresses::refusal(address), self.scope) {
            (Some(why), _) => Err(why),
            (None, Scope::NamedOnly) => Err("unencrypted outside the networks that `allow_networks` names"),
            (None, Scope::Anywhere) => Ok(()),
        }
    }

    /// The addresses of a host, a literal or a name, that may be connected to; at least one.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unreached> {
        let bare = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        let found = match bare.parse::<IpAddr>() {
            Ok(literal) => vec![literal],
            Err(_) => self
                .guard
                .names
                .addresses(bare)
                .await
                .map_err(Unreached::Failed)?,
        };
        let mut passed = Vec::new();
        let mut refused = None;
        for address in found.into_iter().take(ADDRESSES_MAX) {
            match self.check(address) {
                Ok(()) => passed.push(address),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if passed.is_empty() => Err(Unreached::Refused(why)),
            None if passed.is_empty() => Err(Unreached::Failed(io::ErrorKind::NotFound.into())),
            _ => Ok(passed),
        }
    }

    /// A TCP connection to the first address that accepts one.
    pub(crate) async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let connecting = async {
            let targets: Vec<SocketAddr> = self
                .addresses(host)
                .await?
                .into_iter()
                .map(|ip| SocketAddr::new(ip, port))
                .collect();
            TcpStream::connect(targets.as_slice())
                .await
                .map_err(Unreached::Failed)
        };
        timeout(self.guard.limits.connect, connecting)
            .await
            .unwrap_or(Err(Unreached::Late))
    }

    /// A UDP socket that sends to the first address.
    pub(crate) async fn udp(&self, host: &str, port: u16) -> Result<UdpSocket, Unreached> {
        let connecting = async {
            let found = self.addresses(host).await?;
            let first = found
                .first()
                .copied()
                .ok_or(Unreached::Failed(io::ErrorKind::NotFound.into()))?;
            let any: IpAddr = if first.is_ipv4() {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                Ipv6Addr::UNSPECIFIED.into()
            };
            let socket = UdpSocket::bind((any, 0)).await.map_err(Unreached::Failed)?;
            socket.connect((first, port)).await.map_err(Unreached::Failed)?;
            Ok(socket)
        };
        timeout(self.guard.limits.connect, connecting)
            .await
            .unwrap_or(Err(Unreached::Late))
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Display for Unreached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreached::Refused(why) => write!(f, "the target's address is refused: {why}"),
            Unreached::Failed(error) => write!(f, "no connection: {}", error.kind()),
            Unreached::Late => f.write_str("no connection in time"),
        }
    }
}

impl std::error::Error for Unreached {}

impl reqwest::dns::Resolve for Reach {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = reach.addresses(name.as_str()).await?;
            // Port 0 stands for the URL's own.
            let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
            let addresses: reqwest::dns::Addrs = Box::new(addresses);
            Ok(addresses)
        })
    }
}

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((host, 0))
            .await?
            .map(|address| address.ip())
            .collect())
    }
}
