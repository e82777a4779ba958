//! Server-side request forgery (RELIABILITY S-15): payloads against trap listeners on both loopback addresses, which nobody
//! must reach unless the responder names the network.

use crate::world::{Room, clock, order, quick, responder_toml};
use habitus_responders::{Guard, Names, Registry, Settings, build};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

/// Listens on loopback, IPv4 and IPv6, TCP and UDP, on one port, and counts who comes.
struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let caught = Arc::new(AtomicUsize::new(0));
        let v4 = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = v4.local_addr().unwrap().port();
        let udp = UdpSocket::bind(("127.0.0.1", port)).await.unwrap();
        let mut listeners = vec![v4];
        for address in ["[::1]", "127.0.0.2", "127.255.255.254"] {
            // A machine may have no IPv6.
            listeners.extend(TcpListener::bind(format!("{address}:{port}")).await);
        }
        for listener in listeners {
            let caught = Arc::clone(&caught);
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    caught.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let counter = Arc::clone(&caught);
        tokio::spawn(async move {
            while udp.recv(&mut [0; 16]).await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, caught }
    }

    /// Who came so far.
    fn so_far(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }

    /// Who came, after a while for stragglers.
    async fn caught(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.so_far()
    }
}

/// A name server in an attacker's hands: names tell their own answers.
struct EvilNames {
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl Names for EvilNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let answers = match host {
            "loopback.evil.test" => vec!["127.0.0.1"],
            "loopback6.evil.test" => vec!["::1"],
            "mapped.evil.test" => vec!["::ffff:127.0.0.1"],
            "compatible.evil.test" => vec!["::127.0.0.1"],
            "nat64.evil.test" => vec!["64:ff9b::7f00:1"],
            "6to4.evil.test" => vec!["2002:7f00:1::1"],
            "teredo.evil.test" => vec!["2001:0:7f00:1::1"],
            "zero.evil.test" => vec!["0.0.0.0"],
            "zero6.evil.test" => vec!["::"],
            "metadata.evil.test" => vec!["169.254.169.254"],
            "many.evil.test" => vec!["10.0.0.1", "127.0.0.1", "::1", "192.168.0.1", "fe80::1"],
            // Rebinding: nothing at first, loopback as soon as it is asked again.
            "rebind.evil.test" if self.asked.fetch_add(1, Ordering::SeqCst) == 0 => vec!["203.0.113.1"],
            "rebind.evil.test" => vec!["127.0.0.1"],
            // Every other name: what the system makes of it.
            other => {
                let found = tokio::net::lookup_host((other, 0)).await?;
                return Ok(found.map(|address| address.ip()).collect());
            }
        };
        Ok(answers.into_iter().map(|text| text.parse().unwrap()).collect())
    }
}

fn guard() -> Guard {
    quick().with_names(EvilNames {
        asked: AtomicUsize::new(0),
    })
}

/// Hosts that all mean this machine or its neighbourhood, however they are written.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.0x0.0x0.0x1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "0x0",
    "127.000.000.001",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "ip6-localhost",
    "ｌｏｃａｌｈｏｓｔ",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[2a00::5efe:127.0.0.1]",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.168.257",
    "100.64.0.1",
    "198.18.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "loopback.evil.test",
    "loopback6.evil.test",
    "mapped.evil.test",
    "compatible.evil.test",
    "nat64.evil.test",
    "6to4.evil.test",
    "teredo.evil.test",
    "zero.evil.test",
    "zero6.evil.test",
    "metadata.evil.test",
    "many.evil.test",
    "rebind.evil.test",
];

/// Whole URLs that hide their host or their scheme. `PORT` is the trap's.
const URLS: &[&str] = &[
    "https://user@127.0.0.1:PORT/",
    "https://example.com@127.0.0.1:PORT/",
    "https://example.com:443@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@example.com/",
    "https://127.0.0.1:PORT?@example.com/",
    "https://example.com%40127.0.0.1:PORT/",
    "https://127.0.0.1:PORT\\\\@example.com/",
    "https:\\\\\\\\127.0.0.1:PORT/",
    "https:127.0.0.1:PORT/",
    "https:///127.0.0.1:PORT/",
    "https:////127.0.0.1:PORT/",
    "https://\\t127.0.0.1:PORT/",
    "https://127.0.0\\t.1:PORT/",
    "https://127.0.0.1\\n:PORT/",
    "  https://127.0.0.1:PORT/",
    "HTTPS://127.0.0.1:PORT/",
    "hTTp://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://loopback.evil.test:PORT/",
    "http://[::1]:PORT/",
    "ftp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_x",
    "dict://127.0.0.1:PORT/",
    "unix:/var/run/docker.sock",
    "ws://127.0.0.1:PORT/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT",
    "http://",
    "https://:PORT/",
    "",
];

fn registry(text: &str) -> Option<Registry> {
    let settings: Settings = toml::from_str(text).unwrap();
    build(&settings, &guard(), &clock()).ok()
}

/// Tries twice, because of the names that change their mind.
async fn attempt(text: &str) {
    if let Some(registry) = registry(text) {
        for _ in 0..2 {
            let outcome = registry.carry_out(&order()).await;
            assert!(
                !outcome.is_done() && outcome.name() != "unknown",
                "{text}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn webhooks_reach_nothing_inside() {
    assert!(HOSTS.len() + URLS.len() >= 80);
    let (trap, room) = (Trap::set().await, Room::new());
    let secret = room.whsec();
    let port = trap.port;
    let hosts = HOSTS.iter().flat_map(|host| {
        [
            format!("https://{host}:{port}/x"),
            format!("http://{host}:{port}/x"),
        ]
    });
    let urls = URLS.iter().map(|url| url.replace("PORT", &port.to_string()));
    for url in hosts.chain(urls) {
        attempt(&responder_toml(
            "webhook",
            &format!("url = \"{url}\"\nsecret = {secret}"),
        ))
        .await;
        assert_eq!(trap.so_far(), 0, "{url}");
    }
    assert_eq!(trap.caught().await, 0);
}

#[tokio::test]
async fn mail_and_syslog_reach_nothing_inside() {
    let trap = Trap::set().await;
    for host in HOSTS {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let at = format!("host = \"{host}\"\nport = {}", trap.port);
        for transport in ["tls", "tcp", "udp"] {
            attempt(&responder_toml(
                "syslog",
                &format!("{at}\ntransport = \"{transport}\""),
            ))
            .await;
        }
        for tls in ["implicit", "starttls", "none"] {
            let people = "from = \"habitus@example.com\"\nto = [\"soc@example.com\"]";
            attempt(&responder_toml(
                "email",
                &format!("{at}\ntls = \"{tls}\"\n{people}"),
            ))
            .await;
        }
        assert_eq!(trap.so_far(), 0, "{host}");
    }
    assert_eq!(trap.caught().await, 0);
}

/// The trap works: who names the network is let in, by every way.
#[tokio::test]
async fn a_network_that_is_named_is_reached() {
    let (trap, room) = (Trap::set().await, Room::new());
    let port = trap.port;
    let allow = "allow_networks = [\"127.0.0.0/8\"]";
    let secret = room.whsec();
    let people = "from = \"habitus@example.com\"\nto = [\"soc@example.com\"]";
    let ways = [
        (
            "webhook",
            format!("url = \"http://127.0.0.1:{port}/\"\nsecret = {secret}\n{allow}"),
        ),
        (
            "webhook",
            format!("url = \"https://loopback.evil.test:{port}/\"\nsecret = {secret}\n{allow}"),
        ),
        (
            "webhook",
            format!("url = \"http://2130706433:{port}/\"\nsecret = {secret}\n{allow}"),
        ),
        (
            "syslog",
            format!("host = \"loopback.evil.test\"\nport = {port}\n{allow}"),
        ),
        (
            "syslog",
            format!("host = \"127.0.0.1\"\nport = {port}\ntransport = \"tcp\"\n{allow}"),
        ),
        (
            "syslog",
            format!("host = \"127.0.0.1\"\nport = {port}\ntransport = \"udp\"\n{allow}"),
        ),
        (
            "email",
            format!("host = \"127.0.0.1\"\nport = {port}\n{people}\n{allow}"),
        ),
    ];
    for (count, (kind, fields)) in ways.iter().enumerate() {
        let registry = registry(&responder_toml(kind, fields)).unwrap();
        registry.carry_out(&order()).await;
        assert!(trap.caught().await > count, "{fields}");
    }
}

/// Of several addresses only those are used that may be.
#[tokio::test]
async fn refused_addresses_among_others_are_left_out() {
    let (trap, room) = (Trap::set().await, Room::new());
    let fields = format!(
        "url = \"https://many.evil.test:{}/\"\nsecret = {}\nallow_networks = [\"192.168.0.0/24\"]",
        trap.port,
        room.whsec()
    );
    let registry = registry(&responder_toml("webhook", &fields)).unwrap();
    assert_eq!(registry.carry_out(&order()).await.name(), "retry");
    assert_eq!(trap.caught().await, 0);
}

/// The environment may name a proxy; the proxy would look the name up itself.
#[test]
fn no_proxy_is_taken_from_the_environment() {
    if std::env::var_os("HABITUS_TEST_PROXIED").is_some() {
        return inside_a_proxied_environment();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let trap = runtime.block_on(Trap::set());
    let proxy = format!("http://127.0.0.1:{}", trap.port);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reach::no_proxy_is_taken_from_the_environment"])
        .env("HABITUS_TEST_PROXIED", "1")
        .envs(
            [
                "http_proxy",
                "HTTP_PROXY",
                "https_proxy",
                "HTTPS_PROXY",
                "all_proxy",
                "ALL_PROXY",
            ]
            .map(|n| (n, &proxy)),
        )
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stdout)
    );
    assert_eq!(runtime.block_on(trap.caught()), 0);
}

fn inside_a_proxied_environment() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let room = Room::new();
        let fields = format!("url = \"https://metadata.evil.test/\"\nsecret = {}", room.whsec());
        let outcome = registry(&responder_toml("webhook", &fields))
            .unwrap()
            .carry_out(&order())
            .await;
        assert_eq!(outcome.name(), "failed", "{outcome:?}");
    });
}
