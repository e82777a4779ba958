//! From what is logged and what takes time to what is exported.

use super::export::Shared;
use super::wire::{AnyValue, KeyValue, LogRecord, Span, Value, attribute};
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Only what habitus says of itself; what libraries say of the export itself would never end.
const OURS: &str = "habitus";
const INTERNAL: i32 = 1;
/// The longest text of an attribute, characters: errors of libraries may be long.
const TEXT_MAX: usize = 1_024;

/// Hands finished spans and lines to the exporter.
pub struct Otlp {
    shared: Arc<Shared>,
    ids: Ids,
}

/// Numbers that no other process draws: hashes of a counter, keyed by the operating system.
#[derive(Default)]
struct Ids {
    keys: [RandomState; 2],
    drawn: AtomicU64,
}

/// What is kept of a span while it is open.
struct Open(Span);

impl Otlp {
    /// For an exporter.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            ids: Ids::default(),
        }
    }
}

impl Ids {
    fn draw(&self) -> [[u8; 8]; 2] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        self.keys.each_ref().map(|key| key.hash_one(number).to_be_bytes())
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(OURS)
}

#[expect(
    clippy::disallowed_methods,
    reason = "spans and lines are stamped for people; nothing that is decided reads it"
)]
fn nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Otlp {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| is_ours(span.metadata())) else {
            return;
        };
        let [first, second] = self.ids.draw();
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            let Open(open) = extensions.get::<Open>()?;
            Some((open.trace_id.clone(), open.span_id.clone()))
        });
        let (trace_id, parent_span_id) = parent.unwrap_or_else(|| ([first, second].concat(), Vec::new()));
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(Open(Span {
            trace_id,
            span_id: second.to_vec(),
            parent_span_id,
            name: span.name().to_owned(),
            kind: INTERNAL,
            start_time_unix_nano: nanos(),
            end_time_unix_nano: 0,
            attributes: fields.attributes,
        }));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(Open(open)) = span.extensions_mut().get_mut::<Open>() {
            open.attributes.append(&mut fields.attributes);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !is_ours(event.metadata()) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let within = context.event_span(event).and_then(|span| {
            let extensions = span.extensions();
            let Open(open) = extensions.get::<Open>()?;
            Some((open.trace_id.clone(), open.span_id.clone()))
        });
        let (trace_id, span_id) = within.unwrap_or_default();
        let time = nanos();
        let level = *event.metadata().level();
        self.shared.log(LogRecord {
            time_unix_nano: time,
            severity_number: severity(level),
            severity_text: level.to_string(),
            body: fields.message.map(|text| AnyValue {
                value: Some(Value::Text(text)),
            }),
            attributes: fields.attributes,
            trace_id,
            span_id,
            observed_time_unix_nano: time,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let open = span.extensions_mut().remove::<Open>();
        if let Some(Open(mut span)) = open {
            span.end_time_unix_nano = nanos();
            self.shared.span(span);
        }
    }
}

/// `SeverityNumber` of the protocol's logs.
const fn severity(level: Level) -> i32 {
    match level {
        Level::TRACE => 1,
        Level::DEBUG => 5,
        Level::INFO => 9,
        Level::WARN => 13,
        Level::ERROR => 17,
    }
}

#[derive(Default)]
struct Fields {
    message: Option<String>,
    attributes: Vec<KeyValue>,
}

impl Fields {
    fn push(&mut self, field: &Field, value: Value) {
        match value {
            Value::Text(text) if field.name() == "message" => self.message = Some(text),
            value => self.attributes.push(attribute(field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, Value::Double(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::Int(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::Text(value.chars().take(TEXT_MAX).collect()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
