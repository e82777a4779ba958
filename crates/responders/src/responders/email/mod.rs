//! Mails over SMTP.

mod conversation;
mod message;
mod one_line;

use super::Part;
use crate::guard::{Reach, Scope};
use crate::responder::NOTIFY_ONLY;
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret_if, tls};
use crate::{Fault, Outcome, Responder, notice};
use async_trait::async_trait;
use habitus_model::{Action, Order};
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most recipients: a mailing list is one.
const RECIPIENTS_MAX: usize = 20;
/// A mail in plain text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// Host name of the mail server; its certificate must be for it.
    pub host: String,
    /// Port. Absent: 465 for `implicit`, 587 for `starttls`, 25 for `none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is encrypted. Absent: `implicit`. `none` only reaches this machine.
    #[serde(default)]
    pub tls: Encryption,
    /// Sender, as `habitus@example.com` or `habitus <habitus@example.com>`.
    pub from: String,
    /// Recipients, 1 to 20.
    pub to: Vec<String>,
    /// Name to sign in with. Absent: no sign-in.
    #[serde(default)]
    pub user: Option<String>,
    /// Password to sign in with, by reference. Needed with `user`.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// Where a finding is shown, with `{finding}` in place of its id. Absent: no link.
    #[serde(default)]
    pub link: Option<String>,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// From the first byte (RFC 8314 prefers it).
    #[default]
    Implicit,
    /// After the STARTTLS command, without which nothing is sent.
    Starttls,
    /// Not at all: loopback only.
    None,
}

struct Email {
    reach: Reach,
    host: String,
    port: u16,
    security: Security,
    from: Mailbox,
    to: Vec<Mailbox>,
    login: Option<(String, Secret)>,
    link: Option<notice::Link>,
}

enum Security {
    Implicit(TlsConnector, ServerName<'static>),
    Starttls(TlsParameters),
    None,
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.ca_file.iter_mut().collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        let scope = if self.tls == Encryption::None {
            Scope::NamedOnly
        } else {
            Scope::Anywhere
        };
        let reach = tools.reach(&self.allow_networks, scope)?;
        super::literal_may_be_reached(&reach, &self.host)?;
        if !(1..=RECIPIENTS_MAX).contains(&self.to.len()) {
            return Err(Wrong::new(
                "to",
                "has no recipient or more than 20",
                "name 1 to 20, or a mailing list",
            ));
        }
        let to: Result<Vec<Mailbox>, Wrong> = self.to.iter().map(|text| mailbox("to", text)).collect();
        Ok(Arc::new(Email {
            reach,
            host: self.host.clone(),
            port: self.port.unwrap_or(self.tls.port()),
            security: self.security()?,
            from: mailbox("from", &self.from)?,
            to: to?,
            login: self.login()?,
            link: notice::Link::new(self.link.as_deref())?,
        }))
    }
}

impl Settings {
    fn login(&self) -> Result<Option<(String, Secret)>, Wrong> {
        let password = secret_if("password", self.password.as_ref())?;
        let help = "give both `user` and `password`, or neither";
        match (&self.user, password) {
            (Some(user), Some(password)) => Ok(Some((user.clone(), password))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Wrong::new("password", "is missing", help)),
            (None, Some(_)) => Err(Wrong::new("user", "is missing", help)),
        }
    }

    fn security(&self) -> Result<Security, Wrong> {
        match self.tls {
            Encryption::Implicit => {
                let config = tls(self.ca_file.as_deref())?;
                Ok(Security::Implicit(
                    TlsConnector::from(Arc::new(config)),
                    super::server_name(&self.host)?,
                ))
            }
            Encryption::Starttls => self.starttls().map(Security::Starttls),
            Encryption::None => Ok(Security::None),
        }
    }

    fn starttls(&self) -> Result<TlsParameters, Wrong> {
        let wrong = |why: String| Wrong::new("ca_file", why, "name a PEM file with the authorities to trust");
        let mut builder =
            TlsParameters::builder(self.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        if let Some(path) = &self.ca_file {
            builder = builder.certificate_store(CertificateStore::None);
            for certificate in crate::tls::certificates(path).map_err(wrong)? {
                let unreadable = |_| wrong("holds a certificate that cannot be read".to_owned());
                builder = builder
                    .add_root_certificate(Certificate::from_der(certificate.to_vec()).map_err(unreadable)?);
            }
        }
        builder
            .build_rustls()
            .map_err(|_| wrong("cannot be used".to_owned()))
    }
}

impl Encryption {
    const fn port(self) -> u16 {
        match self {
            Encryption::Implicit => 465,
            Encryption::Starttls => 587,
            Encryption::None => 25,
        }
    }
}

#[async_trait]
impl Responder for Email {
    fn kind(&self) -> &'static str {
        "email"
    }

    fn actions(&self) -> &'static [Action] {
        NOTIFY_ONLY
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let Ok(message) = message::compose(order, &self.from, &self.to, self.link.as_ref()) else {
            return Outcome::failed(Fault::Order, "the mail cannot be composed");
        };
        let sent = AtomicBool::new(false);
        let sending = timeout(self.reach.limits().whole, self.deliver(&message, &sent)).await;
        match sending {
            Ok(Ok(delivered)) => delivered.farewell().await,
            Ok(Err(outcome)) => outcome,
            Err(_) if sent.load(Ordering::Relaxed) => {
                Outcome::unknown("no answer in time after the mail was sent")
            }
            Err(_) => Outcome::retry("the mail server was too slow"),
        }
    }
}

fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, Wrong> {
    let help = "write `name@example.com` or `Name <name@example.com>`";
    let plain = !text.chars().any(crate::text::acts);
    // Addresses beyond ASCII need SMTPUTF8 (RFC 6531), which few servers of companies speak.
    let parsed = text
        .parse::<Mailbox>()
        .ok()
        .filter(|mailbox| plain && mailbox.email.to_string().is_ascii());
    parsed.ok_or_else(|| Wrong::new(field, "holds something that is no mail address", help))
}
