//! Syslog messages (RFC 5424) with OCSF or CEF inside.

use super::Part;
use crate::guard::{Reach, Scope, Unreached};
use crate::responder::NOTIFY_ONLY;
use crate::settings::{Tools, Wrong, tls};
use crate::syslog_frame::{counted, is_hostname, message};
use crate::{Fault, Outcome, Responder, cef, json, notice};
use async_trait::async_trait;
use habitus_model::{Action, Order};
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Largest datagram: a UDP payload over IPv4 has at most 65,507 bytes (RFC 768 and 791).
const DATAGRAM_BYTES_MAX: usize = 65_507;
/// How long a receiver may take to notice the end and to complain: on the wire there is no other acknowledgement.
const FAREWELL: Duration = Duration::from_millis(500);

/// A syslog message to a collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// Host name or address of the collector.
    pub host: String,
    /// Port. Absent: 6514 for `tls`, 601 for `tcp`, 514 for `udp`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How it travels. Absent: `tls`. The others only reach networks that `allow_networks` names.
    #[serde(default)]
    pub transport: Transport,
    /// What the message holds. Absent: `ocsf`.
    #[serde(default)]
    pub format: Format,
    /// Our name in the header. Absent: `-`, not told.
    #[serde(default = "hostname_default")]
    pub hostname: String,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// How a message travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TLS with octet counting (RFC 5425).
    #[default]
    Tls,
    /// TCP with octet counting (RFC 6587).
    Tcp,
    /// One datagram (RFC 5426). Nobody notices when it is lost.
    Udp,
}

/// What a line holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An OCSF 1.8 Detection Finding as JSON.
    #[default]
    Ocsf,
    /// CEF.
    Cef,
}

struct Syslog {
    reach: Reach,
    host: String,
    port: u16,
    transport: Transport,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    format: Format,
    hostname: String,
}

impl Format {
    /// The order on one line without its end.
    pub(crate) fn line(self, order: &Order) -> Vec<u8> {
        match self {
            Format::Ocsf => json::line(&notice::ocsf(order)),
            Format::Cef => cef::line(order).into_bytes(),
        }
    }
}

impl Transport {
    const fn port(self) -> u16 {
        match self {
            Transport::Tls => 6514,
            Transport::Tcp => 601,
            Transport::Udp => 514,
        }
    }
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.ca_file.iter_mut().collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        if !is_hostname(&self.hostname) {
            let help = "write up to 255 printable ASCII characters without spaces, or leave it out";
            return Err(Wrong::new("hostname", "cannot stand in a syslog header", help));
        }
        let scope = if self.transport == Transport::Tls {
            Scope::Anywhere
        } else {
            Scope::NamedOnly
        };
        let reach = tools.reach(&self.allow_networks, scope)?;
        super::literal_may_be_reached(&reach, &self.host)?;
        let tls = match self.transport {
            Transport::Tls => {
                let config = tls(self.ca_file.as_deref())?;
                Some((
                    TlsConnector::from(Arc::new(config)),
                    super::server_name(&self.host)?,
                ))
            }
            Transport::Tcp | Transport::Udp => None,
        };
        Ok(Arc::new(Syslog {
            reach,
            host: self.host.clone(),
            port: self.port.unwrap_or(self.transport.port()),
            transport: self.transport,
            tls,
            format: self.format,
            hostname: self.hostname.clone(),
        }))
    }
}

#[async_trait]
impl Responder for Syslog {
    fn kind(&self) -> &'static str {
        "syslog"
    }

    fn actions(&self) -> &'static [Action] {
        NOTIFY_ONLY
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let message = message(order, &self.hostname, &self.format.line(order));
        match self.transport {
            Transport::Udp => self.datagram(&message).await,
            Transport::Tcp | Transport::Tls => self.stream(&counted(&message)).await,
        }
    }
}

impl Syslog {
    async fn datagram(&self, message: &[u8]) -> Outcome {
        if message.len() > DATAGRAM_BYTES_MAX {
            return Outcome::failed(Fault::Order, "the message does not fit into a datagram");
        }
        let socket = match self.reach.udp(&self.host, self.port).await {
            Ok(socket) => socket,
            Err(unreached) => return super::unreached(&unreached),
        };
        match socket.send(message).await {
            Ok(_) => Outcome::done("sent; UDP acknowledges nothing"),
            Err(error) => Outcome::retry(format!("not sent: {}", error.kind())),
        }
    }

    async fn stream(&self, frame: &[u8]) -> Outcome {
        let limits = self.reach.limits();
        let connection = match self.reach.tcp(&self.host, self.port).await {
            Ok(connection) => connection,
            Err(unreached) => return super::unreached(&unreached),
        };
        let sending = async {
            match &self.tls {
                None => send(connection, frame).await,
                Some((connector, name)) => match self.encrypted(connector, name, connection).await {
                    Ok(connection) => send(connection, frame).await,
                    Err(outcome) => outcome,
                },
            }
        };
        timeout(limits.whole.saturating_sub(limits.connect), sending)
            .await
            .unwrap_or(Outcome::unknown("not taken in time"))
    }

    async fn encrypted(
        &self,
        connector: &TlsConnector,
        name: &ServerName<'static>,
        connection: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Outcome> {
        let shaking = timeout(
            self.reach.limits().connect,
            connector.connect(name.clone(), connection),
        );
        let late = || super::unreached(&Unreached::Late);
        let shaken = shaking.await.map_err(|_| late())?;
        shaken.map_err(|error| Outcome::retry(format!("TLS: {}", super::tls_words(&error))))
    }
}

/// One frame on a connection of its own. A connection that stays open would swallow the first message after the receiver has
/// gone; here the end of the stream, which the receiver sees, brings its refusal to light if there is one.
async fn send(mut connection: impl AsyncRead + AsyncWrite + Unpin, frame: &[u8]) -> Outcome {
    let written = async {
        connection.write_all(frame).await?;
        connection.flush().await?;
        connection.shutdown().await
    };
    if let Err(error) = written.await {
        return Outcome::unknown(format!("the connection broke while sending: {}", error.kind()));
    }
    let mut answer = [0; 64];
    match timeout(FAREWELL, connection.read(&mut answer)).await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            Outcome::unknown("the receiver reset the connection")
        }
        _ => Outcome::done("sent; syslog acknowledges nothing"),
    }
}

fn hostname_default() -> String {
    "-".to_owned()
}
