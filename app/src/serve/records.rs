//! The audit chain: who did what, and what was decided.

use super::clock;
use super::core::Shared;
use async_trait::async_trait;
use habitus_console::product::{self, AuditEntry, AuditNote, AuditQuery, Page, Refusal, Who};
use habitus_engine::MODEL;
use habitus_journal::audit::{Audit, AuditReader, Checkpoint, Draft, Filter};
use habitus_model::{EventTime, TenantId, Text};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pages read at most to fill one with entries of a tenant.
const PAGES_MAX: usize = 50;

/// The chain.
pub struct Records {
    audit: Mutex<Audit>,
    reader: AuditReader,
}

/// Name of habitus itself as an actor.
const OURSELVES: Text = Text::const_new("habitus");
/// Key of the tenant in an entry's detail.
const TENANT: &str = "tenant";

impl Records {
    /// Over an open chain.
    pub fn new(audit: Audit) -> Self {
        let reader = audit.reader();
        Self {
            audit: Mutex::new(audit),
            reader,
        }
    }

    /// Records something that habitus did, with the versions that decided; on stable storage after [`Records::commit`].
    pub fn note(
        &self,
        tenant: &TenantId,
        action: &'static str,
        subject: Option<Text>,
        (mut detail, policy): (Value, &str),
    ) {
        if let Some(detail) = detail.as_object_mut() {
            detail.insert(TENANT.to_owned(), json!(tenant.as_str()));
        }
        let draft = Draft {
            actor: OURSELVES,
            action: Text::const_new(action),
            subject,
            detail,
            versions: BTreeMap::from([
                ("model".to_owned(), MODEL.to_owned()),
                ("policy".to_owned(), policy.to_owned()),
            ]),
        };
        if let Err(error) = self.audit.lock().append(draft, clock::now()) {
            tracing::error!(%error, "an entry of the audit could not be taken");
        }
    }

    /// Puts what was noted on stable storage.
    pub fn commit(&self) {
        if let Err(error) = self.audit.lock().commit(clock::now()) {
            tracing::error!(%error, "the audit cannot be written");
        }
    }

    /// Signed checkpoints from the one on that covers an entry, oldest first.
    pub fn checkpoints(&self, from: u64) -> Vec<Checkpoint> {
        self.audit.lock().checkpoints(from).to_vec()
    }

    /// The number of the next entry.
    pub fn ends(&self) -> u64 {
        self.audit.lock().next_seq()
    }

    /// Signs what stands there, for an orderly end.
    pub fn seal(&self) {
        if let Err(error) = self.audit.lock().checkpoint(clock::now()) {
            tracing::error!(%error, "the audit cannot be signed");
        }
    }

    /// Records what somebody does; on stable storage when it returns.
    ///
    /// # Errors
    /// A chain that cannot be written: then what is to be recorded must not be done.
    pub fn record(&self, note: AuditNote) -> Result<(), Refusal> {
        let mut detail = serde_json::Map::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                detail.insert(key.to_owned(), Value::String(value));
            }
        };
        put(TENANT, note.tenant.map(|tenant| tenant.to_string()));
        put("address", note.address.map(|address| address.to_string()));
        put("request", note.request.map(|request| request.to_string()));
        put("detail", note.detail);
        let draft = Draft {
            actor: note.actor.unwrap_or(Text::const_new("nobody")),
            action: Text::const_new(note.action),
            subject: note.object,
            detail: Value::Object(detail),
            versions: BTreeMap::new(),
        };
        let recorded = self.audit.lock().record(draft, clock::now());
        recorded.map(drop).map_err(|error| {
            tracing::error!(%error, "the audit cannot be written");
            Refusal::Internal
        })
    }

    fn entries(&self, tenant: &TenantId, query: &AuditQuery) -> Result<Page<AuditEntry>, Refusal> {
        let limit = usize::from(query.limit.unwrap_or(50)).clamp(1, 200);
        let mut before = match &query.cursor {
            Some(cursor) => Some(cursor.parse::<u64>().map_err(|_| Refusal::NotFound)?),
            None => None,
        };
        let filter = Filter {
            actor: query.actor.clone(),
            action: query.action.clone(),
            ..Filter::default()
        };
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.reader.page(&filter, before, limit).map_err(|error| {
                tracing::error!(%error, "the audit cannot be read");
                Refusal::Internal
            })?;
            let ours = page.entries.into_iter().filter(|entry| is_of(entry, tenant));
            items.extend(ours.map(shown));
            before = page.next;
            if before.is_none() || items.len() >= limit {
                break;
            }
        }
        Ok(Page {
            next: before.map(|next| next.to_string()),
            items,
            total: None,
        })
    }
}

/// Whether a tenant may see an entry: its own, and what concerns the whole installation.
fn is_of(entry: &habitus_journal::audit::AuditEntry, tenant: &TenantId) -> bool {
    let owner = entry.detail.get(TENANT).and_then(Value::as_str);
    owner.is_none_or(|owner| owner == tenant.as_str())
}

fn shown(entry: habitus_journal::audit::AuditEntry) -> AuditEntry {
    let text = |key: &str| entry.detail.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_plain = entry.detail.get("detail").is_some();
    let rest = || (!is_plain && entry.actor == OURSELVES).then(|| entry.detail.to_string());
    AuditEntry {
        position: entry.seq,
        time: EventTime::from_millis(entry.time).unwrap_or(habitus_model::IngestTime::EPOCH.as_event()),
        actor: (entry.actor != OURSELVES).then(|| entry.actor.to_string()),
        address: text("address"),
        action: entry.action.to_string(),
        object: entry.subject.as_ref().map(ToString::to_string),
        detail: text("detail").or_else(rest),
    }
}

/// The console's view.
#[derive(Debug)]
pub struct AuditDoor(pub Shared);

#[async_trait]
impl product::Audit for AuditDoor {
    async fn record(&self, note: AuditNote) -> Result<(), Refusal> {
        let core = Shared::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || core.records.record(note)).await;
        done.unwrap_or(Err(Refusal::Internal))
    }

    async fn entries(&self, who: &Who, query: &AuditQuery) -> Result<Page<AuditEntry>, Refusal> {
        let (core, tenant, query) = (Shared::clone(&self.0), who.tenant.clone(), query.clone());
        let done = tokio::task::spawn_blocking(move || core.records.entries(&tenant, &query)).await;
        done.unwrap_or(Err(Refusal::Internal))
    }
}
