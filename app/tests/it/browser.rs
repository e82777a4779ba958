//! The console in a real browser: Chromium, headless, driven over WebDriver. Pictures for people go to `target/pictures`.
//!
//! Needs chromium and chromium-driver from Debian; says so where one is missing.

use crate::serve::{AWAY, login, past};
use crate::server::{Server, token};
use crate::support::{DAY, MONDAY, Place};
use crate::webdriver::{Browser, DOWN, ENTER, SPACE};
use serde_json::Value;
use std::path::PathBuf;

/// A name that would run, break out, or turn the line around, if anything took it for more than text.
const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\">\u{202E}gpj.exe";

/// A server with habits and findings, and a browser whose reader is signed in.
struct Visit {
    browser: Browser,
    server: Server,
    token: String,
    place: Place,
}

impl Visit {
    fn begin() -> Option<Self> {
        let place = Place::new();
        let browser = match Browser::start(&place.path("profile")) {
            Ok(browser) => browser,
            Err(missing) => {
                println!("skipped: {missing}");
                return None;
            }
        };
        let token = token(&place, "ingest,read");
        let server = Server::start(&place, &[]);
        let mut visit = Self {
            browser,
            server,
            token,
            place,
        };
        visit.seed();
        let link = visit.server.link.take().unwrap();
        visit.open(&link);
        visit.browser.wait_until("return location.pathname === '/'");
        Some(visit)
    }

    /// A month of habits, one takeover, and one by somebody with a hostile name.
    fn seed(&self) {
        let mut events = past(8, 40);
        for day in 0..40 {
            let uid = format!("h-{day}");
            events.push_str(&(login(&uid, HOSTILE, MONDAY + day * DAY + 7, crate::serve::HOME) + "\n"));
        }
        self.send(&events);
        self.send(&login("odd", "user3@example.com", MONDAY + 41 * DAY, AWAY));
        let far = ("AU", "192.0.2.200", "<script>document.title='owned'</script>");
        self.send(&login("hostile", HOSTILE, MONDAY + 41 * DAY + 1, far));
        self.server
            .wait_until(&self.token, "/v1/findings", |page| page["total"] == 2);
    }

    fn send(&self, events: &str) {
        let answer = self.server.post("/v1/events", &self.token, events);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn open(&self, path: &str) {
        self.browser.go(&format!("http://{}{path}", self.server.address));
    }

    /// Pictures in both colour schemes.
    fn picture(&self, name: &str) {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/pictures");
        std::fs::create_dir_all(&dir).unwrap();
        for scheme in ["light", "dark"] {
            self.browser.prefer(scheme);
            self.browser.picture(&dir.join(format!("{name}-{scheme}.png")));
        }
    }

    /// Nothing was refused, nothing failed, nothing ran, and nobody sees a page that is wider than the window.
    fn is_clean(&self) {
        assert_eq!(
            self.browser.complaints(),
            Vec::<String>::new(),
            "{}",
            self.browser.path()
        );
        assert_ne!(self.browser.run("return document.title"), "owned");
        let foreign = "return performance.getEntriesByType('resource').filter(one => !one.name.startsWith(location.origin)).length";
        assert_eq!(self.browser.run(foreign), 0);
        for width in [320, 1_280] {
            self.browser.resize(width);
            let overflow = self
                .browser
                .run("return document.documentElement.scrollWidth - innerWidth");
            assert!(
                overflow.as_i64().unwrap() <= 0,
                "{} at {width}: {overflow}",
                self.browser.path()
            );
        }
    }

    fn end(self) {
        drop(self.browser);
        self.server.terminate();
        drop(self.place);
    }
}

#[test]
fn a_finding_is_opened_judged_and_taken_back_in_a_browser() {
    let Some(visit) = Visit::begin() else {
        return;
    };
    let browser = &visit.browser;
    assert_eq!(
        browser.run("return document.querySelectorAll('tbody tr').length"),
        2
    );
    visit.picture("queue");
    visit.is_clean();

    browser.click("a[href^='/findings/']");
    browser.wait_until("return location.pathname.startsWith('/findings/')");
    the_explanation_sums(browser);
    visit.picture("finding");
    visit.is_clean();

    // The effect is told before the verdict is given, and is what then happens.
    browser.click("input[value='false_positive']");
    browser.wait_until("return document.getElementById('preview').textContent.includes('closes')");
    visit.picture("preview");
    browser.click("form.verdict button");
    browser.wait_until("return document.body.innerText.includes('closed')");
    visit.is_clean();
    visit.open("/");
    assert_eq!(
        browser.run("return document.querySelectorAll('tbody tr').length"),
        1
    );
    visit.open("/?closed=1");
    browser.click("a[href^='/findings/']");
    browser.wait_until("return location.pathname.startsWith('/findings/')");
    browser.click("form[action$='/undo'] button");
    browser.wait_until("return !document.querySelector('.meta').innerText.includes('False positive')");
    visit.open("/");
    assert_eq!(
        browser.run("return document.querySelectorAll('tbody tr').length"),
        2
    );

    visit.open("/accounts/user3@example.com");
    assert!(browser.text().contains("41 logins learned"), "{}", browser.text());
    visit.picture("account");
    visit.is_clean();
    visit.end();
}

/// The bars add up to the score's distance from zero, as the page says in words.
fn the_explanation_sums(browser: &Browser) {
    let sum = browser.run(
        "return [...document.querySelectorAll('.bars .number')].reduce((sum, cell) => \
         sum + parseFloat(cell.textContent.replace('\\u2212', '-')), 0)",
    );
    let (sum, told) = (sum.as_f64().unwrap(), browser.text());
    let nats = told
        .split("lines sum to ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let nats: f64 = nats.replace('\u{2212}', "-").parse().unwrap();
    // A factor of ten is twenty points of the score. Every line is rounded to a tenth, and so is the sum.
    let points = nats * 20.0 / std::f64::consts::LN_10;
    let rows = browser.run("return document.querySelectorAll('.bars tr').length");
    let rounded = 0.05 * rows.as_f64().unwrap() + 0.05 * 8.7 + 0.001;
    assert!((sum - points).abs() <= rounded, "{sum} {points}");
}

#[test]
fn hostile_names_are_text_on_every_page() {
    let Some(visit) = Visit::begin() else {
        return;
    };
    let browser = &visit.browser;
    let is_shown = |text: String| {
        assert!(text.contains("<img src=x onerror="), "{text}");
        assert!(text.contains("⟨U+202E⟩") && !text.contains('\u{202E}'), "{text}");
    };
    let made = "return document.querySelectorAll('img, body script, [onerror]').length";
    is_shown(browser.text());
    assert_eq!(browser.run(made), 0);
    let page = visit.server.get("/v1/findings", &visit.token).json();
    let hostile = |item: &&Value| item["account"] == HOSTILE;
    let id = page["items"].as_array().unwrap().iter().find(hostile).unwrap()["id"].clone();
    visit.open(&format!("/findings/{}", id.as_str().unwrap()));
    is_shown(browser.text());
    assert_eq!(browser.run(made), 0);
    visit.picture("hostile");
    visit.is_clean();
    browser.click("h1 a");
    browser.wait_until("return location.pathname.startsWith('/accounts/')");
    is_shown(browser.text());
    assert_eq!(browser.run(made), 0);
    visit.picture("hostile-account");
    visit.is_clean();
    visit.end();
}

#[test]
fn the_queue_tells_of_news_and_all_of_it_goes_by_keyboard() {
    let Some(visit) = Visit::begin() else {
        return;
    };
    let browser = &visit.browser;
    // The reader's place does not move; what is new waits behind a link.
    browser.tab_to("a[href^='/findings/']");
    let focus = browser.run("return document.activeElement.href");
    browser.wait_until("return document.readyState === 'complete'");
    visit.send(&login("new", "user5@example.com", MONDAY + 41 * DAY + 2, AWAY));
    browser.wait_until("return !document.getElementById('news').hidden");
    assert!(browser.text().contains("1 new or changed"), "{}", browser.text());
    assert_eq!(browser.run("return document.activeElement.href"), focus);
    assert_eq!(
        browser.run("return document.querySelectorAll('tbody tr').length"),
        2
    );
    visit.picture("news");
    visit.is_clean();
    browser.tab_to("#news a");
    browser.press(&[ENTER]);
    browser.wait_until("return document.querySelectorAll('tbody tr').length === 3");

    browser.tab_to("a[href^='/findings/']");
    browser.press(&[ENTER]);
    browser.wait_until("return location.pathname.startsWith('/findings/')");
    browser.tab_to("input[name='verdict']");
    browser.press(&[SPACE, DOWN]);
    browser.wait_until("return document.querySelector('input[value=benign]').checked");
    browser.wait_until("return document.getElementById('preview').textContent !== ''");
    browser.tab_to("form.verdict button");
    browser.press(&[ENTER]);
    browser.wait_until("return document.querySelector('.meta').innerText.includes('Benign')");
    browser.tab_to("form[action$='/undo'] button");
    browser.press(&[ENTER]);
    browser.wait_until("return !document.querySelector('.meta').innerText.includes('Benign')");
    browser.tab_to("header form button");
    browser.press(&[ENTER]);
    browser.wait_until("return document.querySelector('input[type=password]') !== null");
    visit.picture("sign-in");
    visit.is_clean();
    visit.end();
}
