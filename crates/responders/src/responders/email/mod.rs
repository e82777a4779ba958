//! Mails over SMTP.

mod one_line;

use super::Part;
use crate::guard::{Reach, Scope};
use crate::responder::NOTIFY_ONLY;
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret_if, tls};
use crate::{Fault, Outcome, Responder, notice};
use async_trait::async_trait;
use habitus_model::{Action, Order};
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use one_line::OneLine;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most recipients: a mailing list is one.
const RECIPIENTS_MAX: usize = 20;
/// How long the server may take to say good-bye.
const FAREWELL: Duration = Duration::from_millis(500);

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

/// Where a mail stands.
enum Stage {
    /// The server has not got it.
    Before,
    /// It may have it.
    Sent,
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
        let Ok(message) = message(order, &self.from, &self.to, self.link.as_ref()) else {
            return Outcome::failed(Fault::Order, "the mail cannot be composed");
        };
        let sent = AtomicBool::new(false);
        let sending = timeout(self.reach.limits().whole, self.deliver(&message, &sent)).await;
        match sending {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(outcome)) => outcome,
            Err(_) if sent.load(Ordering::Relaxed) => {
                Outcome::unknown("no answer in time after the mail was sent")
            }
            Err(_) => Outcome::retry("the mail server was too slow"),
        }
    }
}

impl Email {
    async fn deliver(&self, message: &Message, sent: &AtomicBool) -> Result<Outcome, Outcome> {
        let mut connection = self.connect().await?;
        let taken = self.envelope(&mut connection, message).await?;
        connection
            .command(Data)
            .await
            .map_err(|error| refused(&error, &Stage::Before))?;
        sent.store(true, Ordering::Relaxed);
        connection
            .message(&message.formatted())
            .await
            .map_err(|error| refused(&error, &Stage::Sent))?;
        // The mail is taken; whether the server says good-bye changes nothing.
        let _ = timeout(FAREWELL, connection.quit()).await;
        Ok(Outcome::done(format!(
            "accepted for {taken} of {} recipients",
            self.to.len()
        )))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let before = |error: &lettre::transport::smtp::Error| refused(error, &Stage::Before);
        let tcp = self
            .reach
            .tcp(&self.host, self.port)
            .await
            .map_err(|why| super::unreached(&why))?;
        let peer = tcp
            .peer_addr()
            .map_err(|error| Outcome::retry(format!("no connection: {}", error.kind())))?;
        // An address literal: the machine's name is nobody's business.
        let hello = ClientId::default();
        let mut connection = match &self.security {
            Security::Implicit(connector, name) => {
                let tls = connector.connect(name.clone(), tcp).await;
                let tls =
                    tls.map_err(|error| Outcome::retry(format!("TLS: {}", super::tls_words(&error))))?;
                AsyncSmtpConnection::connect_with_transport(Box::new(OneLine::new(tls, peer)), &hello).await
            }
            Security::Starttls(parameters) => {
                let stream = Box::new(OneLine::new(tcp, peer));
                let mut plain = AsyncSmtpConnection::connect_with_transport(stream, &hello)
                    .await
                    .map_err(|error| before(&error))?;
                if !plain.can_starttls() {
                    return Err(Outcome::failed(
                        Fault::Responder,
                        "the mail server offers no STARTTLS",
                    ));
                }
                plain.starttls(parameters.clone(), &hello).await.map(|()| plain)
            }
            Security::None if peer.ip().is_loopback() => {
                AsyncSmtpConnection::connect_with_transport(Box::new(OneLine::new(tcp, peer)), &hello).await
            }
            Security::None => {
                return Err(Outcome::failed(
                    Fault::Responder,
                    "unencrypted mail only goes to this machine",
                ));
            }
        }
        .map_err(|error| before(&error))?;
        if let Some((user, password)) = &self.login {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let signed_in = connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await;
            signed_in.map_err(|error| before(&error))?;
        }
        Ok(connection)
    }

    /// Sender and recipients; gives how many recipients the server takes, at least one.
    async fn envelope(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<usize, Outcome> {
        let mut options = Vec::new();
        if connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = Mail::new(message.envelope().from().cloned(), options);
        connection
            .command(sender)
            .await
            .map_err(|error| refused(&error, &Stage::Before))?;
        let mut taken = 0;
        let mut last = None;
        for recipient in message.envelope().to() {
            match connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
                Ok(_) => taken += 1,
                Err(error) => last = Some(refused(&error, &Stage::Before)),
            }
        }
        match last {
            Some(outcome) if taken == 0 => Err(outcome),
            _ => Ok(taken),
        }
    }
}

/// The mail: subject and body are text from logs, made visible, so that no line of theirs becomes a header or an end of
/// data. Its id is the order's, so that a mail reader that looks at it shows a repeat once.
fn message(
    order: &Order,
    from: &Mailbox,
    to: &[Mailbox],
    link: Option<&notice::Link>,
) -> Result<Message, lettre::error::Error> {
    let made = u64::try_from(order.made.as_millis()).unwrap_or(0);
    let id: String = order.id.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut builder = Message::builder()
        .from(from.clone())
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(made))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .subject(format!("[habitus] {}", notice::headline(order)))
        .header(MIME_VERSION_1_0)
        // RFC 3834: nobody's absence note answers a machine.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    builder.body(text(order, link))
}

/// The body.
pub(crate) fn text(order: &Order, link: Option<&notice::Link>) -> String {
    let about = &order.notice;
    let mut lines = vec![notice::title(order).into_owned(), String::new()];
    let mut row = |label: &str, value: &str| lines.push(format!("{label:<10}{value}"));
    row("Account", &notice::account(order));
    row(
        "Risk",
        &format!("{} ({})", notice::points(order), about.level.caption()),
    );
    row("Decision", about.disposition.name());
    row("Time", &notice::rfc3339(about.time));
    row("Finding", &notice::name(notice::subject_uid(order)));
    row("Rule", &notice::name(&about.rule));
    row("Policy", &notice::name(&about.policy));
    if let Some(url) = link.and_then(|link| link.of(order)) {
        row("Link", &url);
    }
    let reasons = notice::reasons(order);
    if !reasons.is_empty() {
        lines.extend([String::new(), "Why:".to_owned()]);
        lines.extend(reasons.iter().map(|reason| format!("- {reason}")));
    }
    lines.push(String::new());
    lines.join("\r\n")
}

/// What a refusal or a broken connection means. The server's words may hold addresses: only its code is kept.
fn refused(error: &lettre::transport::smtp::Error, stage: &Stage) -> Outcome {
    let code = error
        .status()
        .map_or_else(|| "no code".to_owned(), |code| code.to_string());
    if error.is_permanent() {
        let fault = if matches!(stage, Stage::Sent) {
            Fault::Order
        } else {
            Fault::Responder
        };
        return Outcome::failed(fault, format!("the mail server refused: {code}"));
    }
    if error.is_transient() {
        return Outcome::retry(format!("the mail server cannot now: {code}"));
    }
    match stage {
        Stage::Sent => Outcome::unknown("the connection broke after the mail was sent"),
        Stage::Before if error.is_tls() => Outcome::retry("TLS with the mail server failed"),
        Stage::Before if error.is_client() => Outcome::failed(
            Fault::Responder,
            "the mail server lacks what the settings ask for",
        ),
        Stage::Before => Outcome::retry("the conversation with the mail server broke off"),
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
