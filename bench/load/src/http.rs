//! HTTP/1.1 over one connection that stays open: no more of it than this server speaks.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longest time that an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After` was given.
    pub says_when: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// What ended a measurement.
#[derive(Debug)]
pub struct Failed(String);

impl Failed {
    /// With the reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: &str) -> Result<Self, Failed> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// A connection that breaks, or an answer that is none.
    pub fn ask(&mut self, request: &[u8]) -> Result<Answer, Failed> {
        self.stream.get_mut().write_all(request)?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Failed::new("the answer has no status"))?;
        let (mut length, mut says_when) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
                Some(("retry-after", _)) => says_when = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer {
            status,
            says_when,
            body,
        })
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// A connection that breaks.
    pub fn line(&mut self) -> Result<String, Failed> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(Failed::new("the server closed the connection"));
        }
        Ok(line.trim_end().to_owned())
    }

    /// Sends bytes without waiting for an answer.
    ///
    /// # Errors
    /// A connection that breaks.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        Ok(self.stream.get_mut().write_all(bytes)?)
    }
}

/// A request with a token.
#[must_use]
pub fn request((method, path): (&str, &str), token: &str, body: &str) -> Vec<u8> {
    let kind = if path.starts_with("/v1/events") {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
