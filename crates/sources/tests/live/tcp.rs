use crate::support::{Started, listen};
use habitus_sources::live::{MESSAGE_BYTES_MAX, SourceKind, SourceSettings};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

fn settings() -> SourceSettings {
    listen(SourceSettings::new(SourceKind::SyslogTcp, "lan"))
}

#[tokio::test]
async fn both_framings_arrive_with_their_origin() {
    let started = Started::one(settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream
        .write_all(b"<38>Jan  5 10:00:00 h sshd[1]: line\n24 <38>1 - h sshd - - - a\nb")
        .await
        .unwrap();
    stream
        .write_all(b"<38>1 2026-01-05T10:00:00Z h app - - - {\"a\":1}\r\nlast")
        .await
        .unwrap();
    drop(stream);
    let lines = started.sink.wait_for(4, 5).await;
    assert_eq!(
        lines,
        [
            "<38>Jan  5 10:00:00 h sshd[1]: line",
            "<38>1 - h sshd - - - a b",
            "<38>1 2026-01-05T10:00:00Z h app - - - {\"a\":1}",
            "last"
        ]
    );
    let origin = started.sink.batches()[0].origin;
    assert_eq!(origin, Some("127.0.0.1".parse().unwrap()));
    let health = started.wait_health("closed", |health| health.open == 0).await;
    assert_eq!((health.received, health.accepted, health.faults), (4, 4, 0));
    assert!(health.last_event.is_some());
}

#[tokio::test]
async fn a_quiet_sender_waits_no_longer_than_the_flush() {
    let started = Started::one(settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    let begin = Instant::now();
    stream.write_all(b"<38>one\n").await.unwrap();
    started.sink.wait_for(1, 5).await;
    assert!(begin.elapsed() >= Duration::from_millis(40), "batches gather");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn counted_messages_split_at_every_byte_of_the_wire() {
    let started = Started::one(settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"13 <38>1 - h - a12 <38>b\nb\nb\nb\n<38>c\n" {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let lines = started.sink.wait_for(3, 5).await;
    assert_eq!(lines, ["<38>1 - h - a", "<38>b b b b", "<38>c"]);
}

#[tokio::test]
async fn hostile_lengths_cost_nothing_and_the_connection_lives() {
    let started = Started::one(settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream.write_all(b"99999999999 <38>a\n").await.unwrap();
    stream.write_all(b"0 <38>b\n").await.unwrap();
    let long = MESSAGE_BYTES_MAX + 1;
    let counted = format!("{long} <{}{}", "x".repeat(long - 1), "5 <38>c");
    stream.write_all(counted.as_bytes()).await.unwrap();
    stream
        .write_all(format!("{}\n<38>d\n", "y".repeat(5 * MESSAGE_BYTES_MAX)).as_bytes())
        .await
        .unwrap();
    let lines = started.sink.wait_for(4, 10).await;
    assert_eq!(lines, ["99999999999 <38>a", "0 <38>b", "<38>c", "<38>d"]);
    assert_eq!(started.health().oversized, 2);
    // A count that is never fulfilled.
    stream.write_all(b"65536 <38>").await.unwrap();
    drop(stream);
    started.wait_health("closed", |health| health.open == 0).await;
    assert_eq!(started.sink.lines().len(), 4);
}

#[tokio::test]
async fn slow_and_silent_senders_lose_their_places() {
    let mut settings = settings();
    settings.idle_seconds = Some(1);
    settings.connections_max = Some(40);
    let started = Started::one(settings).await;
    let mut slow = Vec::new();
    for n in 0..40 {
        let mut stream = TcpStream::connect(started.address()).await.unwrap();
        // Half of them say nothing, half begin a message and drip.
        if n % 2 == 0 {
            stream.write_all(b"500 <38>").await.unwrap();
        }
        slow.push(stream);
    }
    started.wait_health("all open", |health| health.open == 40).await;
    for _ in 0..20 {
        for stream in slow.iter_mut().step_by(2) {
            let _ = stream.write_all(b"x").await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let health = started.wait_health("all closed", |health| health.open == 0).await;
    assert_eq!(health.timed_out, 40);
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream.write_all(b"<38>welcome\n").await.unwrap();
    started.sink.wait_for(1, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_closed_in_order() {
    const LIMIT: usize = 50;
    let mut settings = settings();
    settings.connections_max = Some(LIMIT);
    let started = Started::one(settings).await;
    let address = started.address();
    let mut kept = Vec::new();
    for _ in 0..LIMIT {
        kept.push(TcpStream::connect(address).await.unwrap());
    }
    started
        .wait_health("all open", |health| health.open == LIMIT as u64)
        .await;
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..100 {
        attempts.spawn(async move {
            for _ in 0..100 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0, "an end, no reset");
            }
        });
    }
    attempts.join_all().await;
    assert_eq!(started.health().turned_away, 10_000);
    assert_eq!(started.health().open, LIMIT as u64);
    for stream in &mut kept {
        stream.write_all(b"<38>still here\n").await.unwrap();
    }
    started.sink.wait_for(LIMIT, 10).await;
    drop(kept);
    started.wait_health("all closed", |health| health.open == 0).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"<38>a place again\n").await.unwrap();
    started.sink.wait_for(LIMIT + 1, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusing_sink_stops_the_sender_and_loses_nothing() {
    const LINES: usize = 200_000;
    let started = Started::one(settings()).await;
    started.sink.refuses.store(true, SeqCst);
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    let sender = tokio::spawn(async move {
        for block in 0..LINES / 1_000 {
            let block: String = (0..1_000)
                .map(|n| format!("<38>line {:06} {}\n", block * 1_000 + n, "x".repeat(80)))
                .collect();
            stream.write_all(block.as_bytes()).await.unwrap();
        }
    });
    let refused = started
        .wait_health("refused", |health| health.refused >= 10)
        .await;
    assert!(
        !sender.is_finished(),
        "18 MB do not fit into the socket's buffers"
    );
    assert!(
        refused.bytes < 256 * 1024,
        "and are not taken into ours: {refused:?}"
    );
    assert!(refused.last_fault.unwrap().text.contains("the disk is full"));
    started.sink.refuses.store(false, SeqCst);
    sender.await.unwrap();
    let lines = started.sink.wait_for(LINES, 60).await;
    for (n, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("<38>line {n:06} ")), "{n}: {line}");
    }
    let (health, _) = started.stop().await;
    assert_eq!(health.dropped, 0);
}

#[tokio::test]
async fn a_shutdown_hands_over_what_was_read() {
    let started = Started::one(settings()).await;
    let mut stream = TcpStream::connect(started.address()).await.unwrap();
    stream.write_all(b"<38>one\n<38>two\n").await.unwrap();
    started
        .wait_health("received", |health| health.received == 2)
        .await;
    let (health, lines) = started.stop().await;
    assert_eq!(lines, ["<38>one", "<38>two"]);
    assert_eq!((health.open, health.dropped), (0, 0));
}

#[tokio::test]
async fn dropped_sources_let_go_of_everything() {
    let started = Started::one(settings()).await;
    let address = started.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    started.wait_health("open", |health| health.open == 1).await;
    drop(started);
    let read = stream.read(&mut [0; 1]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    tokio::net::TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_an_error_and_starts_nothing() {
    let started = Started::one(settings()).await;
    let mut again = settings();
    again.listen = Some(started.address());
    again.name = "again".to_owned();
    let sink = started.sink.clone();
    let failed = Started::with(&[settings(), again], sink, "/nonexistent".as_ref()).await;
    let text = failed.err().unwrap().to_string();
    assert!(text.contains("cannot listen on"), "{text}");
}
