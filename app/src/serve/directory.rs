//! Accounts, sessions, sources, orders.

use super::core::{Shared, Work};
use super::intake::refusal;
use super::kept::{self, Kind};
use super::records::AuditDoor;
use super::{clock, shown};
use async_trait::async_trait;
use habitus_console::product::{
    self, Account, AccountRow, AccountsQuery, ActionRow, ActionsQuery, AuditNote, Changes, Decide, Decision,
    Page, Refusal, Session, SourceHealth, Who,
};
use habitus_findings::{Filter, State, View};
use habitus_live::Reducer;
use habitus_live::people::Person;
use habitus_model::{AccountId, Millis, Text};

/// Findings shown with an account.
const FINDINGS_MAX: usize = 50;
/// Accounts looked at for one page when searching.
const LOOKED_AT_MAX: usize = 50_000;

/// The door.
#[derive(Debug, Clone)]
pub struct Directory(pub Shared);

fn findings_of(reducer: &Reducer, who: &Who, account: &AccountId) -> Vec<View> {
    let filter = Filter {
        account: Some(Text::new(account.as_str())),
        tenant: Some(who.tenant.clone()),
        scope: habitus_findings::Scope::All,
        ..Filter::default()
    };
    reducer.findings().list(&filter, None, FINDINGS_MAX).findings
}

fn open(all: &[View]) -> Vec<View> {
    all.iter()
        .filter(|view| view.state != State::Closed)
        .cloned()
        .collect()
}

fn fits(person: &Person, query: &AccountsQuery) -> bool {
    let search = query.search.as_deref().unwrap_or_default().to_lowercase();
    let kind = query.kind.as_deref();
    person.account.as_str().to_lowercase().contains(&search)
        && kind.is_none_or(|kind| person.kind.name() == kind)
}

#[async_trait]
impl product::Directory for Directory {
    /// By present risk; a cursor is the id of the last account, and goes on by id.
    async fn accounts(&self, who: &Who, query: &AccountsQuery) -> Result<Page<AccountRow>, Refusal> {
        let limit = usize::from(query.limit.unwrap_or(50)).clamp(1, 200);
        let reducer = self.0.reducer.read();
        let after = query.cursor.as_deref().map(AccountId::new);
        let people = reducer.people().people(&who.tenant, after.as_ref());
        let people = people.take(LOOKED_AT_MAX).filter(|person| fits(person, query));
        let mut rows: Vec<AccountRow> = people
            .take(limit + 1)
            .map(|person| shown::account_row(person, &open(&findings_of(&reducer, who, &person.account))))
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id.clone());
        rows.sort_by(|a, b| {
            let score = |row: &AccountRow| row.risk_score.unwrap_or(0.0);
            score(b).total_cmp(&score(a)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(Page {
            items: rows,
            next,
            total: None,
        })
    }

    async fn account(&self, who: &Who, id: &str) -> Result<Account, Refusal> {
        let reducer = self.0.reducer.read();
        let id = AccountId::new(id);
        let person = reducer
            .people()
            .person(&who.tenant, &id)
            .ok_or(Refusal::NotFound)?;
        let all = findings_of(&reducer, who, &id);
        let sessions = person.sessions.iter().rev();
        let sessions = sessions.filter_map(|session| reducer.people().session(&who.tenant, session));
        Ok(shown::account(
            person,
            &open(&all),
            &all,
            sessions.map(shown::session_row).collect(),
        ))
    }

    async fn session(&self, who: &Who, id: &str) -> Result<Session, Refusal> {
        let reducer = self.0.reducer.read();
        let session = reducer.people().session(&who.tenant, id);
        session.map(shown::session).ok_or(Refusal::NotFound)
    }
}

/// The sources' door.
#[derive(Debug, Clone)]
pub struct Sources(pub Shared);

#[async_trait]
impl product::Sources for Sources {
    async fn sources(&self, who: &Who) -> Result<Vec<SourceHealth>, Refusal> {
        let mut all = self.0.health.of(&who.tenant, clock::now());
        let reducer = self.0.reducer.read();
        for source in &mut all {
            let Millis(correction) = reducer.clock_correction(&who.tenant, &Text::new(&source.name));
            source.corrected_seconds = habitus_model::math::from_i64(correction) / 1_000.0;
        }
        Ok(all)
    }

    async fn changes(&self, who: &Who) -> Result<Changes, Refusal> {
        let reducer = self.0.reducer.read();
        let standing = reducer.engine().standing(&who.tenant, clock::now().as_event());
        Ok(shown::changes(&standing))
    }
}

/// The orders' door.
#[derive(Debug, Clone)]
pub struct Actions(pub Shared);

impl Actions {
    /// A person's decision is an entry of the log, so that it holds after a crash.
    async fn settle(&self, who: &Who, id: &str, approve: bool) -> Result<(), Refusal> {
        let core = &self.0;
        if !core.orders.holds(&who.tenant, id) {
            return Err(Refusal::Conflict {
                reason: "it does not wait for approval".to_owned(),
            });
        }
        let note = AuditNote {
            tenant: Some(who.tenant.clone()),
            actor: Some(who.name.clone()),
            address: who.address,
            request: Some(who.request.clone()),
            action: if approve { "order.approve" } else { "order.decline" },
            object: Some(Text::new(id)),
            detail: None,
        };
        product::Audit::record(&AuditDoor(Shared::clone(core)), note).await?;
        let payload = serde_json::to_vec(&(id, approve)).map_err(|_| Refusal::Internal)?;
        let now = clock::now();
        let entry = kept::other(Kind::Decide, &who.tenant, now, payload);
        let (tell, told) = tokio::sync::oneshot::channel();
        let committed = move |result: habitus_journal::Result<_>| drop(tell.send(result.map(drop)));
        let committer = core.committer.get().ok_or(Refusal::ShuttingDown)?;
        committer
            .append_then(vec![entry], Box::new(committed))
            .map_err(|error| refusal(&error))?;
        told.await
            .map_err(|_| Refusal::ShuttingDown)?
            .map_err(|error| refusal(&error))?;
        core.orders
            .decide(id, approve, now)
            .map_err(|error| refusal(&error))
    }
}

#[async_trait]
impl product::Actions for Actions {
    async fn actions(&self, who: &Who, query: &ActionsQuery) -> Result<Page<ActionRow>, Refusal> {
        let limit = usize::from(query.limit.unwrap_or(50)).clamp(1, 200);
        let page = (query.cursor.as_deref(), limit);
        Ok(self.0.orders.rows(&who.tenant, query.state, page))
    }

    async fn decide(&self, who: &Who, id: &str, decide: Decide) -> Result<ActionRow, Refusal> {
        let row = self.0.orders.row(&who.tenant, id).ok_or(Refusal::NotFound)?;
        match decide.decision {
            Decision::Approve => self.settle(who, &row.id, true).await?,
            Decision::Decline => self.settle(who, &row.id, false).await?,
            Decision::Retry => self.0.orders.retry(&row.id, clock::now())?,
        }
        self.0.orders.row(&who.tenant, id).ok_or(Refusal::NotFound)
    }
}

/// Asks the reducer's thread for a snapshot, and waits until it is on stable storage.
pub async fn snapshot(core: &Shared) -> bool {
    let (tell, told) = tokio::sync::oneshot::channel();
    core.work.send(Work::Snapshot(tell)).is_ok() && told.await.is_ok()
}
