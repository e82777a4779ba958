//! A small SMTP server (RFC 5321) that keeps the mails it takes, and can misbehave at a named step.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What came in with one conversation.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// Commands in their order, with what follows them.
    pub commands: Vec<String>,
    /// The mail as it was sent, dots unstuffed; absent if none was taken.
    pub data: Option<String>,
    /// Whether the data came over TLS.
    pub encrypted: bool,
}

/// How the server behaves.
#[derive(Clone, Default)]
pub struct Manners {
    /// TLS from the first byte.
    pub implicit: Option<TlsAcceptor>,
    /// Offers STARTTLS.
    pub starttls: Option<TlsAcceptor>,
    /// Sent in the clear right behind the answer to STARTTLS.
    pub injected: &'static str,
    /// Answers a command that starts so with this line instead; an empty line is silence, `RESET` ends the connection.
    pub instead: Vec<(&'static str, &'static str)>,
}

pub struct Server {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Server {
    /// What came so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// The conversation of this number, from 0, when it has ended.
    pub async fn mail(&self, number: usize) -> Mail {
        super::kept(&self.mails, number + 1).await.swap_remove(number)
    }
}

pub async fn server(manners: Manners) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&mails);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (manners, kept) = (manners.clone(), Arc::clone(&kept));
            tokio::spawn(async move {
                let mut mail = Mail::default();
                match manners.implicit.clone() {
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            mail.encrypted = true;
                            converse(stream, &manners, &mut mail, true).await;
                        }
                    }
                    None => {
                        if let Some(stream) = converse(stream, &manners, &mut mail, true).await {
                            let acceptor = manners.starttls.clone().unwrap();
                            if let Ok(stream) = acceptor.accept(stream).await {
                                mail.encrypted = true;
                                converse(stream, &manners, &mut mail, false).await;
                            }
                        }
                    }
                }
                kept.lock().unwrap().push(mail);
            });
        }
    });
    Server { address, mails }
}

/// One conversation; gives the stream back when TLS is to begin.
async fn converse<S>(stream: S, manners: &Manners, mail: &mut Mail, greets: bool) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    if greets {
        say(&mut stream, "220 mail.test ESMTP").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        mail.commands.push(command.clone());
        let instead = manners
            .instead
            .iter()
            .find(|(start, _)| command.starts_with(start));
        if let Some((_, line)) = instead {
            match *line {
                "" => std::future::pending().await,
                "RESET" => return None,
                line => {
                    say(&mut stream, line).await?;
                    continue;
                }
            }
        }
        match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => {
                let more = if manners.starttls.is_some() && !mail.encrypted {
                    "250-STARTTLS\r\n"
                } else {
                    ""
                };
                say(
                    &mut stream,
                    &format!("250-mail.test\r\n{more}250-8BITMIME\r\n250 AUTH PLAIN LOGIN"),
                )
                .await?;
            }
            "STARTTLS" => {
                say(&mut stream, format!("220 go\r\n{}", manners.injected).trim_end()).await?;
                return Some(stream.into_inner());
            }
            "AUTH" => say(&mut stream, "235 welcome").await?,
            "MAIL" | "RCPT" => say(&mut stream, "250 ok").await?,
            "DATA" => {
                say(&mut stream, "354 go").await?;
                mail.data = Some(data(&mut stream).await?);
                match manners.instead.iter().find(|(start, _)| *start == ".") {
                    Some((_, "")) => std::future::pending().await,
                    Some((_, "RESET")) => return None,
                    Some((_, line)) => say(&mut stream, line).await?,
                    None => say(&mut stream, "250 taken").await?,
                }
            }
            "QUIT" => {
                say(&mut stream, "221 bye").await;
                return None;
            }
            _ => say(&mut stream, "500 what").await?,
        }
    }
}

async fn say<S>(stream: &mut BufReader<S>, line: &str) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
