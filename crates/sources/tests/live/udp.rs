use crate::support::{Started, listen};
use habitus_sources::live::{SourceKind, SourceSettings};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::net::UdpSocket;

fn settings() -> SourceSettings {
    listen(SourceSettings::new(SourceKind::SyslogUdp, "old"))
}

#[tokio::test]
async fn a_datagram_is_a_message() {
    let started = Started::one(settings()).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(started.address()).await.unwrap();
    let long = "x".repeat(60_000);
    let messages = ["<38>one\n", "<38>two\n<38>forged", "", " \n", &long];
    for message in messages {
        socket.send(message.as_bytes()).await.unwrap();
    }
    let lines = started.sink.wait_for(3, 5).await;
    assert_eq!(lines, ["<38>one", "<38>two <38>forged", long.as_str()]);
    let origin = started.sink.batches()[0].origin;
    assert_eq!(origin, Some("127.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn senders_are_told_apart() {
    let started = Started::one(settings()).await;
    for address in ["127.0.0.1:0", "127.0.0.2:0"] {
        let socket = UdpSocket::bind(address).await.unwrap();
        socket.send_to(b"<38>x", started.address()).await.unwrap();
    }
    started.sink.wait_for(2, 5).await;
    let mut origins: Vec<_> = started.sink.batches().iter().map(|batch| batch.origin).collect();
    origins.sort_unstable();
    // Both in one batch, which then names nobody, or each in its own.
    assert!(
        origins == [None] || origins.len() == 2 && !origins.contains(&None),
        "{origins:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_dropped_and_every_datagram_counted() {
    const SENT: usize = 200_000;
    let started = Started::one(settings()).await;
    started.sink.refuses.store(true, SeqCst);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(started.address()).await.unwrap();
    let message = format!("<38>{}", "f".repeat(200));
    for _ in 0..SENT {
        socket.send(message.as_bytes()).await.unwrap();
    }
    let flooded = started
        .wait_health("the queue overflows", |health| health.dropped > 0)
        .await;
    started.sink.refuses.store(false, SeqCst);
    assert!(flooded.refused > 0);
    // Received ones are taken or dropped from the queue, the rest the kernel dropped and counted.
    let all = |dropped: u64| dropped as usize + started.sink.lines().len();
    for _ in 0..500 {
        if all(started.health().dropped) == SENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let health = started.health();
    assert_eq!(all(health.dropped), SENT, "{health:?}");
    assert!(started.sink.lines().len() > 1_000);
    // And it goes on.
    let before = started.sink.lines().len();
    socket.send(b"<38>after").await.unwrap();
    assert_eq!(
        started.sink.wait_for(before + 1, 5).await.last().unwrap(),
        "<38>after"
    );
}

#[tokio::test]
async fn a_shutdown_hands_over_what_was_read() {
    let started = Started::one(settings()).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"<38>last", started.address()).await.unwrap();
    let (health, lines) = started.stop().await;
    assert_eq!((lines, health.dropped), (vec!["<38>last".to_owned()], 0));
}
