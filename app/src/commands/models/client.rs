//! Requests to a running server.

use crate::failure::{Failure, Trouble};
use reqwest::{Method, Url, redirect};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A promotion waits for what came before it to be judged.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server, and what it knows us by.
pub struct Client {
    base: Url,
    token: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// Of an address and a file with a token.
    ///
    /// # Errors
    /// An address that is none, a token that cannot be read, or one that would travel in the clear.
    pub fn new(server: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let usage = |message: &str| Failure::new(Trouble::Usage, message);
        let base: Url = server
            .parse()
            .map_err(|_| usage("`--server` is no address").help("write http://127.0.0.1:7171"))?;
        let is_local = base.host_str().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        if base.scheme() != "https" && !is_local {
            return Err(usage("a token does not travel to another machine in the clear")
                .help("give the server's https address with `--server`"));
        }
        let file = token_file.ok_or_else(|| {
            usage("`--token-file` is missing")
                .help("`habitus token create` or `POST /v1/tokens` makes a token")
        })?;
        let token = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(
                Trouble::Unavailable,
                format!("`{}` cannot be read: {error}", file.display()),
            )
        })?;
        // One provider of cryptography for all of rustls; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|_| Failure::new(Trouble::Unavailable, "no HTTP client can be made"))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            base,
            token: token.trim().to_owned(),
            http,
            runtime,
        })
    }

    /// # Errors
    /// See [`Client::ask`].
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None)
    }

    /// # Errors
    /// See [`Client::ask`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(body))
    }

    /// One request.
    ///
    /// # Errors
    /// Nobody answers, or the answer is no; then with the server's own words.
    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let unavailable = |message: String| Failure::new(Trouble::Unavailable, message);
        let url = self
            .base
            .join(path)
            .map_err(|_| Failure::new(Trouble::Usage, "`--server` is no address"))?;
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(&self.token)
            .header("accept", "application/json");
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let (status, text) = self
            .runtime
            .block_on(async {
                let response = request.send().await?;
                Ok::<_, reqwest::Error>((response.status(), response.text().await?))
            })
            .map_err(|_| {
                unavailable(format!("nobody answers at {}", self.base))
                    .help("`--server` names another address")
            })?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let said = answer
            .get("detail")
            .and_then(Value::as_str)
            .unwrap_or("no reason given");
        let trouble = match status.as_u16() {
            401 | 403 | 404 | 409 | 422 => Trouble::Usage,
            _ => Trouble::Unavailable,
        };
        let failure = Failure::new(trouble, format!("the server says no: {said}"));
        Err(match status.as_u16() {
            401 | 403 => {
                failure.help("to look takes a token of scope read, to change something one of scope admin")
            }
            _ => failure,
        })
    }
}

/// A part of a path in which nothing means anything else.
pub fn escaped(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if plain(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_travel_in_the_clear() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("token");
        std::fs::write(&file, "hbt_x\n").unwrap();
        let refused = |server: &str| {
            Client::new(server, Some(&file))
                .err()
                .map(|error| error.to_string())
        };
        for local in [
            "http://127.0.0.1:7171",
            "http://[::1]:7171",
            "http://localhost:1",
            "https://id.example.com",
        ] {
            assert_eq!(refused(local), None, "{local}");
        }
        for far in [
            "http://id.example.com",
            "http://192.0.2.7:7171",
            "ftp://192.0.2.7",
        ] {
            assert!(
                refused(far).is_some_and(|why| why.contains("in the clear")),
                "{far}"
            );
        }
        assert!(refused("7171").is_some());
    }

    #[test]
    fn ids_lead_nowhere_else() {
        assert_eq!(escaped("3"), "3");
        assert_eq!(escaped("../x?y"), "%2E%2E%2Fx%3Fy");
    }
}
