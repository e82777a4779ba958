//! A SIEM over real sockets: keeps what it gets by id, as Elasticsearch does, and can be away, lose its answers, or refuse.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// 503, and nothing is kept.
    Away,
    /// Everything is kept, and the connection ends without an answer.
    Mute,
    /// 400: this can never be taken.
    Refusing,
    /// As it should.
    Well,
}

/// What it has.
pub struct Siem {
    pub port: u16,
    mood: Arc<Mutex<Mood>>,
    /// By path and id: the documents, and how often each came and was kept.
    kept: Arc<Mutex<BTreeMap<String, (Value, usize)>>>,
}

impl Siem {
    pub fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let siem = Self {
            port: listener.local_addr().unwrap().port(),
            mood: Arc::new(Mutex::new(mood)),
            kept: Arc::default(),
        };
        let (mood, kept) = (Arc::clone(&siem.mood), Arc::clone(&siem.kept));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mood = *mood.lock().unwrap();
                if let Some((path, body)) = read(&stream) {
                    answer(&stream, mood, (&path, &body), &mut kept.lock().unwrap());
                }
            }
        });
        siem
    }

    pub fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Documents under a path.
    pub fn documents(&self, path: &str) -> Vec<Value> {
        let kept = self.kept.lock().unwrap();
        let ours = kept.iter().filter(|(key, _)| key.starts_with(path));
        ours.map(|(_, (document, _))| document.clone()).collect()
    }

    /// How often the ids under a path were kept: by one that keeps ids, once each.
    pub fn most_often(&self, path: &str) -> usize {
        let kept = self.kept.lock().unwrap();
        let ours = kept.iter().filter(|(key, _)| key.starts_with(path));
        ours.map(|(_, (_, times))| *times).max().unwrap_or(0)
    }

    pub fn wait(&self, what: &str, until: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !until(self) {
            assert!(Instant::now() < end, "{what}: {:#?}", self.kept.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn read(stream: &TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8(body).ok()?))
}

type Kept = BTreeMap<String, (Value, usize)>;

fn answer(mut stream: &TcpStream, mood: Mood, (path, body): (&str, &str), kept: &mut Kept) {
    let (status, text) = match mood {
        Mood::Away => (503, "{}".to_owned()),
        Mood::Refusing => (400, json!({"text": "Invalid data format", "code": 6}).to_string()),
        Mood::Mute => {
            keep(path, body, kept);
            return;
        }
        Mood::Well => (200, keep(path, body, kept)),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(text.as_bytes());
}

/// Keeps what came, and says what it answers.
fn keep(path: &str, body: &str, kept: &mut Kept) -> String {
    let values: Vec<Value> = serde_json::Deserializer::from_str(body)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    if !path.starts_with("/_bulk") {
        for event in values {
            let id = event["event"]["metadata"]["uid"].as_str().unwrap().to_owned();
            kept.entry(format!("{path} {id}")).or_insert((event, 0)).1 += 1;
        }
        return json!({"text": "Success", "code": 0}).to_string();
    }
    let items = values.chunks(2).map(|pair| {
        let id = pair[0]["create"]["_id"].as_str().unwrap();
        let key = format!("/_bulk {id}");
        // As `create` is: what is there stays.
        let status = if kept.contains_key(&key) { 409 } else { 201 };
        kept.entry(key).or_insert_with(|| (pair[1].clone(), 1));
        json!({"create": {"status": status}})
    });
    json!({"errors": false, "items": items.collect::<Vec<_>>()}).to_string()
}
