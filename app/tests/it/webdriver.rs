//! A headless Chromium over WebDriver (W3C), spoken directly: JSON over HTTP needs no client of its own.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Keys as WebDriver writes them.
pub const TAB: &str = "\u{E004}";
pub const ENTER: &str = "\u{E007}";
pub const SPACE: &str = " ";
pub const DOWN: &str = "\u{E015}";

/// How long a page may take to show what is waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one window. Dropping it ends it.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
}

impl Browser {
    /// A window of its own profile, or what is missing here.
    pub fn start(profile: &Path) -> Result<Self, String> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver =
            driver.map_err(|_| "chromedriver is not installed (Debian: chromium-driver)".to_owned())?;
        let mut told = BufReader::new(driver.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert!(told.read_line(&mut line).unwrap() > 0, "chromedriver ended");
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        let mut browser = Self {
            driver,
            address: format!("127.0.0.1:{port}"),
            session: String::new(),
        };
        let options = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--window-size=1280,1000",
                format!("--user-data-dir={}", profile.display()),
            ] },
        } } });
        let made = browser.ask("POST", "/session", &options);
        let session = made["value"]["sessionId"].as_str();
        let session = session
            .ok_or_else(|| format!("chromedriver starts no Chromium: {}", made["value"]["message"]))?;
        browser.session = format!("/session/{session}");
        Ok(browser)
    }

    pub fn go(&self, url: &str) {
        self.command("/url", &json!({ "url": url }));
    }

    /// The page's own path.
    pub fn path(&self) -> String {
        self.run("return location.pathname").as_str().unwrap().to_owned()
    }

    /// Runs a script in the page; what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Text of the page, as it is seen.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until a script returns true; between two pages there may be nothing to ask.
    pub fn wait_until(&self, script: &str) {
        let until = Instant::now() + PATIENCE;
        let tried = format!("try {{ {script} }} catch {{ return false }}");
        while self.run(&tried) != json!(true) {
            assert!(
                Instant::now() < until,
                "{script}\n{}\n{}",
                self.path(),
                self.text()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks what a selector finds, as a person does: it must be seen.
    pub fn click(&self, selector: &str) {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        self.command(&format!("/element/{id}/click"), &json!({}));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub fn press(&self, keys: &[&str]) {
        let each = keys.iter().flat_map(|key| {
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        });
        let actions: Vec<Value> = each.collect();
        self.command(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    /// Presses the tabulator until the focus is on what the selector names; fails where it never comes there.
    pub fn tab_to(&self, selector: &str) {
        for _ in 0..200 {
            self.press(&[TAB]);
            if self.run(&format!("return document.activeElement.matches({selector:?})")) == json!(true) {
                return;
            }
        }
        panic!("{selector} cannot be reached by keyboard on {}", self.path());
    }

    /// What the reader prefers: `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// How wide the window is, pixels.
    pub fn resize(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// The whole page as a picture, for people.
    pub fn picture(&self, file: &Path) {
        let height = self.run("return Math.min(document.documentElement.scrollHeight, 4000)");
        let width = self.run("return window.innerWidth");
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let taken = self.devtools(
            "Page.captureScreenshot",
            &json!({ "captureBeyondViewport": true, "clip": clip }),
        );
        let bytes = unbase64(taken["data"].as_str().unwrap());
        std::fs::write(file, bytes).unwrap();
    }

    /// What the browser complained of since the last time: errors of scripts, refused requests, violations of the policy.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    fn devtools(&self, name: &str, parameters: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        let mut answer = self.ask("POST", &format!("{}{path}", self.session), body);
        assert!(
            answer["value"]["error"].is_null(),
            "{path} {body}: {}",
            answer["value"]["message"]
        );
        answer["value"].take()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_ask(method, path, body).unwrap()
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all((head + &body).as_bytes())?;
        // It keeps the connection open whatever it is asked.
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            match line.trim().to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                None if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser only if it is told to.
        if !self.session.is_empty() {
            let _ = self.try_ask("DELETE", &self.session, &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// RFC 4648, for what is known to be whole.
fn unbase64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .bytes()
        .filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for digit in digits {
        bits = (bits << 6) | u32::try_from(digit).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).unwrap());
            bits &= (1 << held) - 1;
        }
    }
    bytes
}
