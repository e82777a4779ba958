//! From what was sent to what the log keeps: records framed, read, given a place and a client.

use habitus_console::product::{Content, RejectedLine};
use habitus_engine::{Learning, Record};
use habitus_enrich::{Enricher, IpListKind, Tables};
use habitus_journal::log::PAYLOAD_BYTES_MAX;
use habitus_live::{Arrival, List, Origin, Place, Said};
use habitus_model::{Event, EventTime, IngestTime, Rejection, TenantId, Text};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use habitus_policy::EventFacts;
use habitus_sources::{Batch, Framed, Framer, Limits as FrameLimits};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Rejections told of one file's content; further ones are counted. Of records that a shipper took apart all are told, since
/// its protocol answers for each.
pub const REJECTED_MAX: usize = 1_000;

/// Longest record, bytes: what the log takes, less what stands before it there.
const RAW_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - 1_024;

/// Whose records these are, where they came from, when.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Whose.
    pub tenant: TenantId,
    /// Name of the source.
    pub source: Text,
    /// Format, if the sender named one.
    pub format: Option<Text>,
    /// When they came.
    pub ingest: IngestTime,
}

/// One record that was understood.
#[derive(Debug)]
pub struct ReadRecord {
    /// As it came.
    pub raw: Vec<u8>,
    /// How many equal records came before it with what was sent, or the place it stands at: tells equal lines without an id
    /// apart.
    pub occurrence: u64,
    /// Its events, without a position in the log yet.
    pub events: Vec<Arrival>,
    /// Fields that its source does not give.
    pub missing: Missing,
}

/// Which of the fields that scoring lives on are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag for each field is what this is"
)]
pub struct Missing {
    /// Nobody is named.
    pub account: bool,
    /// No address.
    pub address: bool,
    /// No user agent, device or tool.
    pub client: bool,
    /// No time of its own.
    pub time: bool,
    /// No session.
    pub session: bool,
}

/// What was sent, read.
#[derive(Debug, Default)]
pub struct Read {
    /// Records understood, in order of time.
    pub records: Vec<ReadRecord>,
    /// Records that could not be read: the first ones.
    pub rejected: Vec<RejectedLine>,
    /// How many could not be read.
    pub rejected_count: u64,
    /// Records understood that are no business of identity.
    pub ignored: u64,
}

/// Reads records. Shared by all threads; the tables in it are replaced by replacing it.
pub struct Reader {
    options: Options,
    frame: FrameLimits,
    tables: Arc<Tables>,
    /// Enrichers keep caches, so each thread borrows one.
    enrichers: Mutex<Vec<Enricher>>,
}

/// Enrichers kept for the next who asks.
const ENRICHERS_MAX: usize = 8;

impl Reader {
    /// A reader with these options and tables.
    pub fn new(options: Options, frame: FrameLimits, tables: Arc<Tables>) -> Self {
        Self {
            options,
            frame,
            tables,
            enrichers: Mutex::new(Vec::new()),
        }
    }

    /// Looks everything up once, so that the first who asks does not wait until tables are unpacked, and the rules that most browsers
    /// ask for are compiled.
    pub fn warm(&self) {
        const BROWSERS: [&str; 4] = [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
        ];
        let sent = Sent {
            tenant: TenantId::default(),
            source: Text::default(),
            format: None,
            ingest: IngestTime::EPOCH,
        };
        for browser in BROWSERS {
            let one = format!(
                r#"{{"class_uid":3002,"activity_id":1,"time":0,"metadata":{{"uid":"warm","version":"1.8.0"}},"user":{{"name":"warm"}},"src_endpoint":{{"ip":"192.0.2.1"}},"http_request":{{"user_agent":"{browser}"}}}}"#
            );
            let _ = self.again(one.as_bytes(), 0, &sent);
        }
    }

    /// Reads what was sent.
    ///
    /// # Errors
    /// One sentence, if the format named does not exist.
    pub fn read(&self, content: &Content, sent: &Sent) -> Result<Read, String> {
        let normalizer = self.normalizer(sent)?;
        let mut enricher = self.borrow();
        let mut pass = Pass {
            normalizer: &normalizer,
            enricher: &mut enricher,
            sent,
            seen: HashMap::new(),
            rejected_max: REJECTED_MAX,
            is_new: true,
            read: Read::default(),
        };
        match content {
            Content::Whole(bytes) => pass.frame(bytes, &self.frame),
            Content::Records(records) => {
                pass.rejected_max = usize::MAX;
                for (line, record) in (1..).zip(records) {
                    pass.record(&record.content, line, record.place);
                }
            }
        }
        let mut read = pass.read;
        self.give_back(enricher);
        // A page of an API often comes latest first.
        read.records.sort_by_key(first_time);
        Ok(read)
    }

    /// Reads one record that the log kept, as it was read when it came.
    ///
    /// # Errors
    /// Why it cannot be read now; it could be once.
    pub fn again(&self, raw: &[u8], occurrence: u64, sent: &Sent) -> Result<Vec<Arrival>, String> {
        let normalizer = self.normalizer(sent)?;
        let mut enricher = self.borrow();
        let mut pass = Pass {
            normalizer: &normalizer,
            enricher: &mut enricher,
            sent,
            seen: HashMap::new(),
            rejected_max: REJECTED_MAX,
            is_new: false,
            read: Read::default(),
        };
        pass.parse(raw, 0, occurrence);
        let mut read = pass.read;
        self.give_back(enricher);
        match (read.records.pop(), read.rejected.pop()) {
            (Some(record), _) => Ok(record.events),
            (None, Some(rejected)) => Err(rejected.error),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn normalizer(&self, sent: &Sent) -> Result<Normalizer, String> {
        let choice = match &sent.format {
            Some(name) => name.parse::<FormatChoice>().map_err(|error| error.to_string())?,
            None => FormatChoice::Auto,
        };
        let mut options = self.options.clone();
        options.reference_time = EventTime::from_millis(sent.ingest.as_millis());
        Ok(Normalizer::new(choice, options))
    }

    fn borrow(&self) -> Enricher {
        let kept = self.enrichers.lock().pop();
        kept.unwrap_or_else(|| Enricher::new(Arc::clone(&self.tables)))
    }

    fn give_back(&self, enricher: Enricher) {
        let mut kept = self.enrichers.lock();
        if kept.len() < ENRICHERS_MAX {
            kept.push(enricher);
        }
    }
}

fn first_time(record: &ReadRecord) -> Option<EventTime> {
    record.events.first().map(|arrival| arrival.record.context.time)
}

/// One pass over what was sent.
struct Pass<'a> {
    normalizer: &'a Normalizer,
    enricher: &'a mut Enricher,
    sent: &'a Sent,
    /// Equal records so far, by a hash of their bytes.
    seen: HashMap<u64, u64>,
    rejected_max: usize,
    /// Whether what is read is to be kept in the log: what comes from there is not.
    is_new: bool,
    read: Read,
}

impl Pass<'_> {
    fn frame(&mut self, bytes: &[u8], limits: &FrameLimits) {
        let mut framer = Framer::new("what was sent", bytes, limits);
        let mut batch = Batch::new();
        loop {
            match framer.fill(&mut batch) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.reject(0, error.to_string()),
            }
            for framed in batch.iter() {
                match framed {
                    Framed::Record(record) => self.record(record.bytes, record.line, None),
                    Framed::Oversized { line, .. } => {
                        self.reject(line, "the record is longer than `record_bytes_max`".to_owned());
                    }
                    Framed::Broken { line, reason } => self.reject(line, reason.to_string()),
                }
            }
        }
    }

    /// Reads one record that the log does not hold yet; `place` tells it from equal ones, if its sender knows it.
    fn record(&mut self, raw: &[u8], line: u64, place: Option<u64>) {
        if raw.len() > RAW_BYTES_MAX {
            return self.reject(line, "the record is longer than the log takes".to_owned());
        }
        let occurrence = place.unwrap_or_else(|| {
            let count = self.seen.entry(habitus_model::hash::symbol(raw)).or_default();
            *count += 1;
            *count - 1
        });
        self.parse(raw, line, occurrence);
    }

    fn parse(&mut self, raw: &[u8], line: u64, occurrence: u64) {
        let mut events = Vec::new();
        // Where the source gives no id, it comes from the bytes and this number.
        match self.normalizer.normalize(raw, occurrence, &mut events) {
            Ok(0) => self.read.ignored += 1,
            Ok(_) => {
                let missing = Missing::of(&events);
                let arrivals = (0..)
                    .zip(&events)
                    .map(|(index, event)| self.arrival(event, index));
                let events = arrivals.collect();
                let raw = if self.is_new { raw.to_vec() } else { Vec::new() };
                self.read.records.push(ReadRecord {
                    raw,
                    occurrence,
                    events,
                    missing,
                });
            }
            Err(rejection) => self.reject(line, told(&rejection)),
        }
    }

    fn arrival(&mut self, event: &Event, index: u32) -> Arrival {
        let mut context = self.enricher.context(event);
        // Whose data it is, the sender's credentials say, never the data.
        context.tenant = self.sent.tenant.clone();
        Arrival {
            origin: Origin {
                place: Place { position: 0, index },
                ingest: self.sent.ingest,
                source: self.sent.source.clone(),
                format: Text::new(event.source.as_str()),
                session: event.session.clone(),
                id_is_derived: event.uid.is_derived(),
            },
            record: Record {
                uid: event.uid.clone(),
                context,
                learning: Learning::Learn,
            },
            said: self.said(event),
        }
    }

    /// What rules may ask of an event beyond its context.
    fn said(&self, event: &Event) -> Said {
        let facts = EventFacts::of(event);
        let own = |text: Option<&str>| text.map(Box::from);
        let lists = event.src.ip.map(|ip| {
            let tables = self.enricher.tables();
            let each = tables.lists_containing(ip).map(|list| {
                let meaning = match list.kind() {
                    IpListKind::Blocked => List::Blocked,
                    IpListKind::Safe => List::Safe,
                    IpListKind::Corporate | IpListKind::Relay | IpListKind::Tor => List::Other,
                };
                (Box::from(list.name()), meaning)
            });
            each.collect()
        });
        Said {
            action: own(facts.action),
            service: own(facts.service),
            method: own(facts.method),
            failure: own(facts.failure),
            mfa: facts.mfa,
            lists: lists.unwrap_or_default(),
        }
    }

    fn reject(&mut self, line: u64, error: String) {
        self.read.rejected_count += 1;
        if self.read.rejected.len() < self.rejected_max {
            self.read.rejected.push(RejectedLine { line, error });
        }
    }
}

fn told(rejection: &Rejection) -> String {
    rejection.to_string()
}

impl Missing {
    fn of(events: &[Event]) -> Self {
        let Some(event) = events.first() else {
            return Self::default();
        };
        let client = &event.client;
        Self {
            account: event.account_id().is_none(),
            address: event.src.ip.is_none(),
            client: client.user_agent.is_none()
                && client.device_uid.is_none()
                && client.os.is_none()
                && client.browser.is_none(),
            time: event.time_quality == habitus_model::TimeQuality::Assumed,
            session: event.session.is_none(),
        }
    }
}
