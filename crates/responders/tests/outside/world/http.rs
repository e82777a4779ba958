//! HTTP servers: a well-behaved one over hyper, and a raw one that may do anything.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A server that keeps what it saw.
pub struct Site {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Site {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn one(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

/// An answer with a status, headers and a body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into())).unwrap()
}

/// A server whose answer is a function of the request and its number from 0.
pub async fn site<F>(answer: F) -> Site
where
    F: Fn(&Seen, usize) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    serve(answer, None).await
}

/// The same over TLS.
pub async fn tls_site<F>(answer: F, acceptor: TlsAcceptor) -> Site
where
    F: Fn(&Seen, usize) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    serve(answer, Some(acceptor)).await
}

async fn serve<F>(answer: F, acceptor: Option<TlsAcceptor>) -> Site
where
    F: Fn(&Seen, usize) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, answer) = (Arc::clone(&seen), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (kept, answer, acceptor) = (Arc::clone(&kept), Arc::clone(&answer), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => converse(stream, kept, answer).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            converse(stream, kept, answer).await;
                        }
                    }
                }
            });
        }
    });
    Site { address, seen }
}

async fn converse<S, F>(stream: S, kept: Arc<Mutex<Vec<Seen>>>, answer: Arc<F>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&Seen, usize) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map(|body| body.to_bytes().to_vec())
                .unwrap_or_default();
            let target = parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string);
            let seen = Seen {
                target,
                headers: parts.headers,
                body,
            };
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(seen.clone());
                kept.len() - 1
            };
            Ok::<_, Infallible>(answer(&seen, number))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A server that does what it likes with each connection.
pub async fn raw<F, W>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// Reads a request with a `Content-Length`, to its last byte.
pub async fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some(end) = text.find("\r\n\r\n") else {
            if count == 0 {
                return request;
            }
            continue;
        };
        let length = text
            .split("content-length:")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if count == 0 || request.len() >= end + 4 + length {
            return request;
        }
    }
}
