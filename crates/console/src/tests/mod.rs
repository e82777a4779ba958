//! The console over real sockets, against a product that remembers what it was asked.

mod bodies;
mod fake;
mod inline;
mod limits;
mod manners;
mod matrix;
mod people;
mod shippers;
mod streams;
mod tls;

use crate::Console;
use crate::access::{Access, NewToken, Role, Scope, csrf_of};
use crate::settings::{Clock, Settings};
use fake::Fake;
use habitus_model::{EventTime, TenantId, Text};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::ServerConfig;

const START_MS: i64 = 1_767_225_600_000;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server under test.
struct Server {
    address: SocketAddr,
    client: Client,
    access: Arc<Access>,
    fake: Arc<Fake>,
    clock: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A session as a browser holds it.
struct Browser {
    cookie: String,
    csrf: String,
}

async fn server() -> Server {
    server_with(Settings::default()).await
}

async fn server_with(settings: Settings) -> Server {
    start(settings, None).await
}

async fn start(settings: Settings, tls: Option<Arc<ServerConfig>>) -> Server {
    // Another test may have been first.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(START_MS));
    let (access, _) = Access::open(&folder.path().join("access.json"), at(&clock)).unwrap();
    let access = Arc::new(access);
    let fake = Arc::new(Fake::default());
    let ticking = Arc::clone(&clock);
    let console = Console::new(
        fake.product(),
        Arc::clone(&access),
        settings,
        Clock::new(move || at(&ticking)),
    );
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        console.serve(vec![listener], tls, shutdown).await.unwrap();
    });
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    Server {
        address,
        client,
        access,
        fake,
        clock,
        stop: Some(stop),
        running,
        _folder: folder,
    }
}

fn at(clock: &AtomicI64) -> EventTime {
    EventTime::from_millis(clock.load(Ordering::SeqCst)).unwrap()
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    fn now(&self) -> EventTime {
        at(&self.clock)
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    fn token(&self, scopes: &[Scope]) -> String {
        self.token_for(scopes, None)
    }

    fn token_for(&self, scopes: &[Scope], source: Option<&str>) -> String {
        let new = NewToken {
            name: "test".to_owned(),
            scopes: scopes.to_vec(),
            source: source.map(Text::new),
            tenant: TenantId::default(),
            expires: None,
        };
        self.access.create_token(new, "test", self.now()).unwrap().1
    }

    /// Signs a user of this role in.
    fn browser(&self, role: Role) -> Browser {
        let name = format!("the-{}", role.name());
        // There from the second time on.
        let _ = self
            .access
            .create_user(&name, role, TenantId::default(), self.now());
        let link = self.access.issue_link(&name, self.now()).unwrap();
        let secret = link.path().split_once('=').unwrap().1.to_owned();
        let signed = self.access.redeem(&secret, LOOPBACK, self.now()).unwrap();
        Browser {
            cookie: format!("habitus-session={}", signed.session.reveal()),
            csrf: csrf_of(&signed.session),
        }
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.running.await.unwrap();
    }
}

fn with_token(request: RequestBuilder, token: &str) -> RequestBuilder {
    request.header("authorization", format!("Bearer {token}"))
}

fn with_json(request: RequestBuilder, body: &str) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_owned())
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Sends, and checks that the answer is a problem document of this status and code.
async fn problem(request: RequestBuilder, status: u16, code: &str) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(
        header(&response, "content-type"),
        Some("application/problem+json")
    );
    assert!(header(&response, "x-request-id").is_some());
    if matches!(status, 429 | 503) {
        let seconds: u32 = header(&response, "retry-after").unwrap().parse().unwrap();
        assert!(seconds >= 1);
    }
    let document = json(response).await;
    assert_eq!(document["status"], status);
    assert_eq!(document["code"], code, "{document}");
    assert_eq!(document["type"], "about:blank");
    assert!(!document["title"].as_str().unwrap().is_empty());
    document
}
