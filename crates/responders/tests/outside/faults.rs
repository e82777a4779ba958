//! Slow and failing targets (RELIABILITY R-10, one attempt at a time): what each fault means, within the time limits.

use crate::world::http::{answer, raw, read_request, site, tls_site};
use crate::world::tls::Authority;
use crate::world::{
    NAME, Room, built, clock, exporter_toml, finding, order, quick, responder, responder_toml,
};
use habitus_responders::{Fault, Names, Outcome, build};
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Carries the order out with every HTTP responder, and exports a finding with every HTTP exporter, all at once.
async fn everywhere(address: SocketAddr, expected: &str, but: &[(&str, &str)]) {
    let room = Room::new();
    let url = format!("http://{address}");
    let wanted = |kind: &str| {
        but.iter()
            .find(|(other, _)| *other == kind)
            .map_or(expected, |(_, outcome)| outcome)
    };
    let mut running = JoinSet::new();
    for (kind, fields) in room.http_responders(&url) {
        let registry = responder(kind, &fields);
        running.spawn(async move { (kind, vec![registry.carry_out(&order()).await]) });
    }
    for (kind, fields) in room.http_exporters(&url) {
        let registry = built(&exporter_toml(kind, &fields), &quick());
        running.spawn(async move {
            let (_, exporter) = registry.exporters().next().unwrap();
            let outcomes = exporter.export(&[finding(), finding()]).await;
            assert_eq!(outcomes.len(), 2);
            (kind, outcomes)
        });
    }
    let finished = timeout(Duration::from_secs(8), running.join_all()).await;
    for (kind, outcomes) in finished.unwrap() {
        assert!(
            outcomes.iter().all(|outcome| outcome.name() == wanted(kind)),
            "{kind}: {outcomes:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    everywhere(address, "retry", &[]).await;
}

#[tokio::test]
async fn errors_of_the_server_are_for_later() {
    for status in [500, 502, 503, 504, 408, 425] {
        let site = site(move |_, _| answer(status, &[], "broken")).await;
        everywhere(site.address, "retry", &[]).await;
    }
}

#[tokio::test]
async fn refusals_are_final() {
    for status in [400, 401, 403, 404, 410, 422] {
        let site = site(move |_, _| answer(status, &[], "no")).await;
        everywhere(site.address, "failed", &[]).await;
    }
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_the_responders_fault_and_a_bad_order_its_own() {
    for (status, expected) in [
        (401, Fault::Responder),
        (410, Fault::Responder),
        (400, Fault::Order),
        (422, Fault::Order),
    ] {
        let site = site(move |_, _| answer(status, &[], "")).await;
        let room = Room::new();
        for (kind, fields) in room.http_responders(&site.url()) {
            let outcome = responder(kind, &fields).carry_out(&order()).await;
            assert!(
                matches!(&outcome, Outcome::Failed { fault, .. } if *fault == expected),
                "{kind}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_wait_that_is_asked_for_is_handed_on() {
    let site = site(|_, _| answer(429, &[("retry-after", "7")], "slow down")).await;
    let room = Room::new();
    for (kind, fields) in room.http_responders(&site.url()) {
        let outcome = responder(kind, &fields).carry_out(&order()).await;
        let wanted = Some(Duration::from_secs(7));
        assert!(
            matches!(&outcome, Outcome::Retry { after, .. } if *after == wanted),
            "{kind}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn silence_after_the_request_leaves_it_open() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        pending::<()>().await;
    })
    .await;
    everywhere(address, "unknown", &[]).await;
}

#[tokio::test]
async fn a_reset_after_the_request_leaves_it_open() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.set_zero_linger();
        drop(stream);
    })
    .await;
    everywhere(address, "unknown", &[]).await;
}

#[tokio::test]
async fn headers_that_drip_leave_it_open() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: "
            .iter()
            .chain(b"z".repeat(10_000).iter())
        {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    everywhere(address, "unknown", &[]).await;
}

#[tokio::test]
async fn headers_without_end_leave_it_open() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"x-more: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    everywhere(address, "unknown", &[]).await;
}

#[tokio::test]
async fn what_is_no_http_leaves_it_open() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
    })
    .await;
    everywhere(address, "unknown", &[]).await;
}

/// The status has told; only a bulk answer is needed to know how the items went.
#[tokio::test]
async fn a_body_that_drips_changes_nothing_about_the_status() {
    let address = raw(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            .await;
        while stream.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    everywhere(address, "done", &[("ecs_bulk", "unknown")]).await;
}

#[tokio::test]
async fn a_gibibyte_of_answer_is_not_read() {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let address = raw(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            read_request(&mut stream).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
                .await;
            let zeros = vec![b'0'; 65_536];
            while stream.write_all(&zeros).await.is_ok() && counter.load(Ordering::Relaxed) < 1 << 30 {
                counter.fetch_add(zeros.len(), Ordering::Relaxed);
            }
        }
    })
    .await;
    everywhere(address, "done", &[("ecs_bulk", "unknown")]).await;
    // Six connections; what stands in the sockets' buffers was written too.
    let written = written.load(Ordering::Relaxed);
    assert!(written < 6 * 16 * 1024 * 1024, "{written} bytes left the server");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let trap = site(|_, _| answer(200, &[], "trapped")).await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/trap", trap.url());
        let site = site(move |_, _| answer(status, &[("location", &target)], "")).await;
        everywhere(site.address, "failed", &[]).await;
    }
    assert_eq!(trap.seen().len(), 0);
}

/// Success, then no answer: the repeat carries the same key, and the other side can tell.
#[tokio::test]
async fn a_repeat_carries_the_same_key() {
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    let address = raw(move |mut stream: TcpStream| {
        let kept = Arc::clone(&kept);
        async move {
            let request = read_request(&mut stream).await;
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(String::from_utf8(request).unwrap());
                kept.len()
            };
            if number % 2 == 1 {
                pending::<()>().await;
            }
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
    })
    .await;
    let room = Room::new();
    for (kind, fields) in room.http_responders(&format!("http://{address}")) {
        heard.lock().unwrap().clear();
        let registry = responder(kind, &fields);
        assert_eq!(registry.carry_out(&order()).await.name(), "unknown", "{kind}");
        assert!(registry.carry_out(&order()).await.is_done(), "{kind}");
        let heard = heard.lock().unwrap().clone();
        // The clock of the test stands, so a repeat is the same to the byte: key, signature and body.
        assert_eq!(heard.len(), 2, "{kind}");
        assert_eq!(heard[0], heard[1], "{kind}");
    }
}

struct NeverNames;

#[async_trait::async_trait]
impl Names for NeverNames {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        pending().await
    }
}

struct NoNames;

#[async_trait::async_trait]
impl Names for NoNames {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[tokio::test]
async fn names_that_do_not_resolve_are_for_later() {
    let room = Room::new();
    let text = responder_toml(
        "webhook",
        &format!("url = \"https://hooks.example.com/x\"\nsecret = {}", room.whsec()),
    );
    let settings = toml::from_str(&text).unwrap();
    for guard in [quick().with_names(NeverNames), quick().with_names(NoNames)] {
        let outcome = timeout(Duration::from_secs(5), async {
            build(&settings, &guard, &clock())
                .unwrap()
                .carry_out(&order())
                .await
        })
        .await
        .unwrap();
        assert_eq!(outcome.name(), "retry", "{outcome:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_nobody_answers_is_for_later() {
    let address = raw(|stream| async move {
        pending::<()>().await;
        drop(stream);
    })
    .await;
    let room = Room::new();
    for (kind, fields) in room.http_responders(&format!("https://{address}")) {
        let outcome = responder(kind, &fields).carry_out(&order()).await;
        assert_eq!(outcome.name(), "retry", "{kind}: {outcome:?}");
    }
}

#[tokio::test]
async fn only_the_named_authority_is_believed() {
    let room = Room::new();
    let ours = Authority::new(&room, "ours.pem");
    let theirs = Authority::new(&room, "theirs.pem");
    let site = tls_site(|_, _| answer(200, &[], "ok"), ours.acceptor(&["127.0.0.1"])).await;
    let misnamed = tls_site(
        |_, _| answer(200, &[], "ok"),
        ours.acceptor(&["elsewhere.example"]),
    )
    .await;
    for (address, ca, expected) in [
        (site.address, Some(&ours), "done"),
        (site.address, Some(&theirs), "retry"),
        (site.address, None, "retry"),
        (misnamed.address, Some(&ours), "retry"),
    ] {
        for (kind, fields) in room.http_responders(&format!("https://{address}")) {
            let ca = ca.map_or_else(String::new, |ca| {
                format!("ca_file = \"{}\"", ca.ca_file.display())
            });
            let outcome = responder(kind, &format!("{fields}\n{ca}"))
                .carry_out(&order())
                .await;
            assert_eq!(outcome.name(), expected, "{kind}: {outcome:?}");
            if expected == "retry" {
                assert!(format!("{outcome:?}").contains("TLS"), "{outcome:?}");
            }
        }
    }
    assert_eq!(misnamed.seen().len(), 0);
}

/// Secrets are in requests and nowhere else: not in outcomes, debug output or errors.
#[tokio::test]
async fn no_secret_leaves_in_words() {
    const CANARIES: [&str; 4] = ["R0UT1NG", "services/T/B/x", "t0ken", "AAECAwQFBgcICQ"];
    let room = Room::new();
    let site = site(|seen, _| {
        let echo: Vec<u8> = [
            seen.target.as_bytes(),
            &seen.body,
            seen.header("authorization").as_bytes(),
        ]
        .concat();
        answer(400, &[], echo)
    })
    .await;
    let mut said = String::new();
    let urls = [site.url(), "http://127.0.0.1:1".to_owned()];
    for url in &urls {
        for (kind, fields) in room.http_responders(url) {
            let registry = responder(kind, &fields);
            said.push_str(&format!("{registry:?} {:?}", registry.carry_out(&order()).await));
        }
        for (kind, fields) in room.http_exporters(url) {
            let registry = built(&exporter_toml(kind, &fields), &quick());
            let (name, exporter) = registry.exporters().next().unwrap();
            assert_eq!(name, NAME);
            said.push_str(&format!("{:?}", exporter.export(&[finding()]).await));
        }
    }
    for canary in CANARIES {
        assert!(!said.contains(canary), "{canary} in {said}");
    }
    assert!(!said.contains("jane"), "{said}");
}
