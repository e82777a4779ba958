//! Syslog over UDP, TCP and TLS, received and read back.

use crate::world::tls::Authority;
use crate::world::{Room, kept as kept_by, order, responder};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// A message of RFC 5424 in its parts.
#[derive(Debug, PartialEq)]
pub struct Message {
    pub priority: u8,
    pub time: String,
    pub hostname: String,
    pub app: String,
    pub id: String,
    pub content: String,
}

/// Reads a message with nil structured data; panics on anything else.
pub fn parse(message: &[u8]) -> Message {
    let text = std::str::from_utf8(message).unwrap();
    let (priority, rest) = text.strip_prefix('<').unwrap().split_once(">1 ").unwrap();
    let fields: Vec<&str> = rest.splitn(7, ' ').collect();
    assert_eq!((fields[3], fields[5]), ("-", "-"), "{text}");
    Message {
        priority: priority.parse().unwrap(),
        time: fields[0].to_owned(),
        hostname: fields[1].to_owned(),
        app: fields[2].to_owned(),
        id: fields[4].to_owned(),
        content: fields[6].to_owned(),
    }
}

/// Splits octet-counted frames; panics on anything else.
pub fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
        found.push(bytes[space + 1..space + 1 + length].to_vec());
        bytes = &bytes[space + 1 + length..];
    }
    found
}

/// A collector that keeps each connection's bytes.
pub async fn collector(acceptor: Option<TlsAcceptor>) -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeper = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, keeper) = (acceptor.clone(), Arc::clone(&keeper));
            tokio::spawn(async move {
                match acceptor {
                    None => keep(stream, &keeper).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            keep(stream, &keeper).await;
                        }
                    }
                }
            });
        }
    });
    (address, kept)
}

async fn keep(mut stream: impl AsyncRead + Unpin, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).await;
    kept.lock().unwrap().push(bytes);
    // TLS that ends without its farewell may have been cut off.
    ended.unwrap();
}

fn fields(address: SocketAddr, more: &str) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {}\nallow_networks = [\"127.0.0.0/8\"]\n{more}",
        address.port()
    )
}

fn check(message: &Message) {
    assert_eq!(message.priority, 10 * 8 + 2);
    assert_eq!(message.time, "2026-01-02T03:04:04.123Z");
    assert_eq!((message.app.as_str(), message.id.as_str()), ("habitus", "notify"));
    let finding: Value = serde_json::from_str(&message.content).unwrap();
    assert_eq!(finding["finding_info"]["uid"], "fnd-7f3a");
    assert_eq!(habitus_testkit::ocsf::validate(&finding), Vec::<String>::new());
}

#[tokio::test]
async fn a_datagram_arrives() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let fields = fields(
        socket.local_addr().unwrap(),
        "transport = \"udp\"\nhostname = \"habitus-1.example\"",
    );
    assert!(responder("syslog", &fields).carry_out(&order()).await.is_done());
    let mut buffer = vec![0; 65_536];
    let count = tokio::time::timeout(Duration::from_secs(2), socket.recv(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    let message = parse(&buffer[..count]);
    assert_eq!(message.hostname, "habitus-1.example");
    check(&message);
}

#[tokio::test]
async fn frames_arrive_over_tcp_and_tls() {
    let room = Room::new();
    let authority = Authority::new(&room, "ca.pem");
    let tls = format!("ca_file = \"{}\"", authority.ca_file.display());
    for (acceptor, more) in [
        (None, "transport = \"tcp\"".to_owned()),
        (Some(authority.acceptor(&["127.0.0.1"])), tls.clone()),
    ] {
        let (address, kept) = collector(acceptor).await;
        let registry = responder("syslog", &fields(address, &more));
        for _ in 0..2 {
            let outcome = registry.carry_out(&order()).await;
            assert!(outcome.is_done(), "{outcome:?}");
        }
        let kept = kept_by(&kept, 2).await;
        assert_eq!(kept.len(), 2);
        for bytes in kept {
            let frames = frames(&bytes);
            assert_eq!(frames.len(), 1);
            check(&parse(&frames[0]));
        }
    }
}

#[tokio::test]
async fn faults_of_the_collector_have_their_meaning() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let outcome = responder("syslog", &fields(address, "transport = \"tcp\""))
        .carry_out(&order())
        .await;
    assert_eq!(outcome.name(), "retry", "{outcome:?}");

    let resetting = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = resetting.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = resetting.accept().await {
            let _ = stream.read(&mut [0; 16]).await;
            let _ = stream.set_zero_linger();
        }
    });
    let outcome = responder("syslog", &fields(address, "transport = \"tcp\""))
        .carry_out(&order())
        .await;
    assert_eq!(outcome.name(), "unknown", "{outcome:?}");

    let room = Room::new();
    let (ours, theirs) = (
        Authority::new(&room, "ours.pem"),
        Authority::new(&room, "theirs.pem"),
    );
    let (address, kept) = collector(Some(theirs.acceptor(&["127.0.0.1"]))).await;
    let tls = format!("ca_file = \"{}\"", ours.ca_file.display());
    let outcome = responder("syslog", &fields(address, &tls))
        .carry_out(&order())
        .await;
    assert_eq!(outcome.name(), "retry", "{outcome:?}");
    assert!(kept.lock().unwrap().is_empty());
}
