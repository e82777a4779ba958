//! The conversation with the mail server.

use super::one_line::OneLine;
use super::{Email, Security};
use crate::responders::{tls_words, unreached};
use crate::{Fault, Outcome};
use lettre::message::Message;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long the server may take to say good-bye.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where a mail stands.
enum Stage {
    /// The server has not got it.
    Before,
    /// It may have it.
    Sent,
}

/// A mail that the server has taken.
pub(super) struct Delivered {
    connection: AsyncSmtpConnection,
    taken: usize,
    of: usize,
}

impl Delivered {
    /// Whether the server says good-bye changes nothing about the outcome.
    pub(super) async fn farewell(mut self) -> Outcome {
        let _ = timeout(FAREWELL, self.connection.quit()).await;
        Outcome::done(format!("accepted for {} of {} recipients", self.taken, self.of))
    }
}

impl Email {
    /// Everything up to the server's word that it has taken the mail. `sent` becomes true when it may have.
    pub(super) async fn deliver(&self, message: &Message, sent: &AtomicBool) -> Result<Delivered, Outcome> {
        let mut connection = self.connect().await?;
        let taken = self.envelope(&mut connection, message).await?;
        let ready = connection.command(Data).await;
        ready.map_err(|error| refused(&error, &Stage::Before))?;
        sent.store(true, Ordering::Relaxed);
        let accepted = connection.message(&message.formatted()).await;
        accepted.map_err(|error| refused(&error, &Stage::Sent))?;
        Ok(Delivered {
            connection,
            taken,
            of: self.to.len(),
        })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let before = |error: &lettre::transport::smtp::Error| refused(error, &Stage::Before);
        let tcp = self
            .reach
            .tcp(&self.host, self.port)
            .await
            .map_err(|why| unreached(&why))?;
        let peer = tcp
            .peer_addr()
            .map_err(|error| Outcome::retry(format!("no connection: {}", error.kind())))?;
        // An address literal: the machine's name is nobody's business.
        let hello = ClientId::default();
        let mut connection = match &self.security {
            Security::Implicit(connector, name) => {
                let tls = connector.connect(name.clone(), tcp).await;
                let tls = tls.map_err(|error| Outcome::retry(format!("TLS: {}", tls_words(&error))))?;
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
        self.sign_in(&mut connection).await?;
        Ok(connection)
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Outcome> {
        let Some((user, password)) = &self.login else {
            return Ok(());
        };
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        let signed_in = connection
            .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .await;
        signed_in
            .map(|_| ())
            .map_err(|error| refused(&error, &Stage::Before))
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
