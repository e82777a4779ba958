//! Orders: held for a person, in the outbox, on their way, done, dead.

use super::clock;
use super::core::Core;
use super::metrics::ByAction;
use habitus_console::product::{ActionRow, ActionState, Page, Refusal};
use habitus_journal::outbox::{Item, Lease, Outbox, Outcome};
use habitus_model::{IngestTime, Millis, Mode, Order, TenantId, Text};
use habitus_policy::{Held, Ruling};
use habitus_responders::{Fault, Registry};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Orders shown; older ones leave the list, never the outbox or the audit.
const ROWS_MAX: usize = 10_000;
/// Orders that wait for a person; beyond it the oldest is dropped and counted.
const HELD_MAX: usize = 10_000;
/// Orders carried out at once.
const AT_ONCE: usize = 16;
/// The worker looks at least so often.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two clean-ups of the outbox.
const LOOKS_TO_MAINTAIN: u32 = 60;

/// All orders.
pub struct Orders {
    inner: Mutex<Inner>,
    wake: Notify,
}

struct Inner {
    outbox: Outbox,
    held: BTreeMap<Text, Held>,
    held_order: VecDeque<Text>,
    rows: BTreeMap<Text, (TenantId, ActionRow)>,
    order: VecDeque<Text>,
    /// Held orders that had to go.
    dropped: u64,
}

/// What became of one try, for metrics and audit.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The order.
    pub order: Order,
    /// How the try went, in lower case.
    pub outcome: &'static str,
    /// Detail without personal data.
    pub detail: String,
}

impl Orders {
    /// Over an outbox, with what was held.
    pub fn new(outbox: Outbox, held: Vec<Held>) -> Self {
        let mut inner = Inner {
            outbox,
            held: BTreeMap::new(),
            held_order: VecDeque::new(),
            rows: BTreeMap::new(),
            order: VecDeque::new(),
            dropped: 0,
        };
        for held in held {
            inner.hold(held);
        }
        Self {
            inner: Mutex::new(inner),
            wake: Notify::new(),
        }
    }

    /// Takes what was ruled. The same ruling again changes nothing. What cannot be put on stable storage is the error.
    pub fn take(&self, ruling: &Ruling, now: IngestTime) -> Result<(), habitus_journal::Error> {
        if ruling.orders.is_empty() && ruling.held.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.lock();
        for held in &ruling.held {
            inner.hold(held.clone());
        }
        for order in &ruling.orders {
            inner.put(order, ruling.mode, now)?;
        }
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// What is held, for a snapshot.
    pub fn held(&self) -> Vec<Held> {
        let inner = self.inner.lock();
        let ids = inner.held_order.iter();
        ids.filter_map(|id| inner.held.get(id)).cloned().collect()
    }

    /// Whether an order is held for this tenant.
    pub fn holds(&self, tenant: &TenantId, id: &str) -> bool {
        let inner = self.inner.lock();
        inner
            .held
            .get(id)
            .is_some_and(|held| held.order.notice.tenant == *tenant)
    }

    /// Lets a held order go, or declines it.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn decide(&self, id: &str, approve: bool, now: IngestTime) -> Result<(), habitus_journal::Error> {
        let mut inner = self.inner.lock();
        let Some(held) = inner.held.remove(id) else {
            return Ok(());
        };
        inner.held_order.retain(|other| other != id);
        if approve {
            inner.put(&held.order, Mode::Recommend, now)?;
        } else {
            inner.mark(id, ActionState::Declined, None);
        }
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Tries a dead letter again.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] if it is none.
    pub fn retry(&self, id: &str, now: IngestTime) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        let expires = IngestTime::from_millis(now.as_millis() + 86_400_000).unwrap_or(now);
        let retried = inner
            .outbox
            .retry(id, expires, now)
            .map_err(|_| Refusal::Internal)?;
        if !retried {
            return Err(Refusal::Conflict {
                reason: "it is no dead letter".to_owned(),
            });
        }
        inner.mark(id, ActionState::Queued, None);
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// One order as it is shown.
    pub fn row(&self, tenant: &TenantId, id: &str) -> Option<ActionRow> {
        let inner = self.inner.lock();
        let (owner, row) = inner.rows.get(id)?;
        (owner == tenant).then(|| row.clone())
    }

    /// The orders of a tenant, latest first.
    pub fn rows(
        &self,
        tenant: &TenantId,
        state: Option<ActionState>,
        (after, limit): (Option<&str>, usize),
    ) -> Page<ActionRow> {
        let inner = self.inner.lock();
        let ours = inner.order.iter().rev().filter_map(|id| inner.rows.get(id));
        let ours =
            ours.filter(|(owner, row)| owner == tenant && state.is_none_or(|state| row.state == state));
        let mut rows: Vec<ActionRow> = ours
            .map(|(_, row)| row)
            .skip_while(|row| after.is_some_and(|after| row.id != after))
            .skip(usize::from(after.is_some()))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        Page {
            next: rows.last().filter(|_| more).map(|row| row.id.clone()),
            items: rows,
            total: None,
        }
    }

    /// The orders that belong to a finding, latest first, at most twenty.
    pub fn of_finding(&self, tenant: &TenantId, finding: &str) -> Vec<ActionRow> {
        let inner = self.inner.lock();
        let ours = inner.order.iter().rev().filter_map(|id| inner.rows.get(id));
        ours.filter(|(owner, row)| owner == tenant && row.finding.as_deref() == Some(finding))
            .take(20)
            .map(|(_, row)| row.clone())
            .collect()
    }

    /// Orders by state: waiting, leased, dead, held.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        let inner = self.inner.lock();
        let counts = inner.outbox.counts();
        (counts.waiting, counts.leased, counts.dead, inner.held.len())
    }

    /// Carries orders out until the process ends; each try is told to `told`.
    pub async fn carry_out(
        self: Arc<Self>,
        registry: Arc<arc_swap::ArcSwap<Registry>>,
        told: Arc<dyn Fn(Tried) + Send + Sync>,
    ) {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        for look in (0..LOOKS_TO_MAINTAIN).cycle() {
            if look == 0 {
                self.maintain();
            }
            let leases = self.due();
            for lease in leases {
                let Ok(slot) = Arc::clone(&at_once).acquire_owned().await else {
                    return;
                };
                let (this, registry, told) = (Arc::clone(&self), registry.load_full(), Arc::clone(&told));
                tokio::spawn(async move {
                    this.attempt(lease, &registry, told.as_ref()).await;
                    drop(slot);
                });
            }
            let _ = tokio::time::timeout(LOOK, self.wake.notified()).await;
        }
    }

    /// Forgets what is done long enough, and writes the file anew if most of it is history.
    fn maintain(&self) {
        match self.inner.lock().outbox.maintain(clock::now()) {
            Ok(dropped) if dropped.is_empty() => {}
            Ok(dropped) => tracing::error!(orders = dropped.len(), "orders that were given up made room"),
            Err(error) => tracing::error!(%error, "the outbox cannot be looked after"),
        }
    }

    fn due(&self) -> Vec<Lease> {
        let mut inner = self.inner.lock();
        match inner.outbox.due(clock::now(), AT_ONCE) {
            Ok(due) => {
                for id in &due.expired {
                    inner.mark(id, ActionState::Expired, None);
                }
                due.leases
            }
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                Vec::new()
            }
        }
    }

    async fn attempt(&self, lease: Lease, registry: &Registry, told: &(dyn Fn(Tried) + Send + Sync)) {
        let id = lease.item.id.clone();
        let Ok(order) = postcard::from_bytes::<Order>(&lease.item.payload) else {
            self.finish(&lease, &refused("the order cannot be read"));
            return;
        };
        let went = registry.carry_out(&order).await;
        let (outcome, detail) = outcome_of(&went);
        self.finish(&lease, &outcome);
        let attempts = lease.attempt;
        if let Some((_, row)) = self.inner.lock().rows.get_mut(&id) {
            row.attempts = attempts;
        }
        told(Tried {
            order,
            outcome: went.name(),
            detail,
        });
    }

    fn finish(&self, lease: &Lease, outcome: &Outcome) {
        use habitus_journal::outbox::Fate;
        let mut inner = self.inner.lock();
        let id = lease.item.id.as_str();
        let why = match outcome {
            Outcome::Delivered => None,
            Outcome::Failed { why, .. } | Outcome::Refused { why } => Some(why.to_string()),
        };
        match inner
            .outbox
            .done((id, lease.attempt), outcome.clone(), clock::now())
        {
            Ok(Fate::Done) => inner.mark(id, ActionState::Done, None),
            Ok(Fate::Again(_)) => inner.mark(id, ActionState::Queued, why),
            Ok(Fate::Dead) => inner.mark(id, ActionState::Dead, why),
            Ok(Fate::Unknown) => {}
            Err(error) => tracing::error!(%error, "an outcome cannot be kept"),
        }
    }
}

impl Inner {
    fn hold(&mut self, held: Held) {
        let id = held.order.id.clone();
        if self.held.contains_key(&id)
            || self
                .rows
                .get(&id)
                .is_some_and(|(_, row)| row.state != ActionState::Pending)
        {
            return;
        }
        self.show(&held.order, ActionState::Pending, Mode::Recommend);
        self.held_order.push_back(id.clone());
        self.held.insert(id, held);
        if self.held.len() > HELD_MAX
            && let Some(oldest) = self.held_order.pop_front()
        {
            self.held.remove(&oldest);
            self.dropped += 1;
        }
    }

    fn put(&mut self, order: &Order, mode: Mode, now: IngestTime) -> Result<(), habitus_journal::Error> {
        let payload = postcard::to_stdvec(order).unwrap_or_default();
        let expires = IngestTime::from_millis(order.expires.as_millis()).unwrap_or(now);
        let item = Item {
            id: order.id.clone(),
            responder: order.responder.clone(),
            payload,
            expires,
        };
        if self.outbox.put(&[item], now)? > 0 {
            self.show(order, ActionState::Queued, mode);
        }
        Ok(())
    }

    fn show(&mut self, order: &Order, state: ActionState, mode: Mode) {
        let row = ActionRow {
            id: order.id.to_string(),
            responder: order.responder.to_string(),
            action: order.action,
            state,
            mode,
            account: order.notice.account.as_ref().map(ToString::to_string),
            finding: order.notice.finding.as_ref().map(ToString::to_string),
            rule: order.notice.rule.to_string(),
            made: order.made,
            expires: order.expires,
            attempts: 0,
            error: None,
        };
        if self
            .rows
            .insert(order.id.clone(), (order.notice.tenant.clone(), row))
            .is_none()
        {
            self.order.push_back(order.id.clone());
        }
        if self.order.len() > ROWS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.rows.remove(&oldest);
        }
    }

    fn mark(&mut self, id: &str, state: ActionState, error: Option<String>) {
        if let Some((_, row)) = self.rows.get_mut(id) {
            row.state = state;
            row.error = error;
        }
    }
}

impl Core {
    /// Counts a try, and puts it into the audit.
    pub fn tell_try(&self, tried: &Tried) {
        let label = ByAction {
            action: tried.order.action.name(),
            result: tried.outcome,
        };
        self.metrics.actions.get_or_create(&label).inc();
        let notice = &tried.order.notice;
        let detail = serde_json::json!({
            "responder": tried.order.responder.as_str(),
            "action": tried.order.action.name(),
            "result": tried.outcome,
            "detail": tried.detail,
        });
        self.records.note(
            &notice.tenant,
            "order.attempt",
            Some(tried.order.id.clone()),
            (detail, &notice.policy),
        );
        self.records.commit();
    }
}

fn refused(why: &'static str) -> Outcome {
    Outcome::Refused {
        why: Text::const_new(why),
    }
}

/// A responder's outcome as the outbox takes it, and its detail. What may have happened is tried again: the order's id
/// lets the other side tell.
pub fn outcome_of(went: &habitus_responders::Outcome) -> (Outcome, String) {
    use habitus_responders::Outcome as Went;
    match went {
        Went::Done { detail } => (Outcome::Delivered, detail.clone()),
        Went::Retry { after, why } => {
            let retry_after = after.map(|after| Millis(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)));
            let why_text = Text::new(why);
            let outcome = Outcome::Failed {
                why: why_text,
                retry_after,
            };
            (outcome, why.clone())
        }
        Went::Failed {
            why,
            fault: Fault::Order,
        } => (Outcome::Refused { why: Text::new(why) }, why.clone()),
        Went::Failed {
            why,
            fault: Fault::Responder,
        }
        | Went::Unknown { why } => {
            let outcome = Outcome::Failed {
                why: Text::new(why),
                retry_after: None,
            };
            (outcome, why.clone())
        }
    }
}
