//! What happens, as it happens: a ring of messages that readers follow, each at its own pace.

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use habitus_console::product::{Live, Message, Who};
use habitus_model::TenantId;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// Messages kept for readers who come back.
const KEPT_MAX: usize = 4_096;

/// The ring. Cloning gives another handle of the same.
#[derive(Debug, Clone)]
pub struct Stream {
    ring: Arc<Mutex<Ring>>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<(TenantId, Message)>,
    last: u64,
}

impl Stream {
    /// An empty one. Ids begin at `first`, so that ids of an earlier process are not taken for ours.
    pub fn new(first: u64) -> Self {
        let ring = Ring {
            kept: VecDeque::new(),
            last: first,
        };
        Self {
            ring: Arc::new(Mutex::new(ring)),
            newest: watch::Sender::new(first),
        }
    }

    /// Tells everybody who may know. Never waits: who is too slow gets a gap.
    pub fn tell(&self, tenant: &TenantId, kind: &'static str, json: String) {
        let mut ring = self.ring.lock();
        ring.last += 1;
        let id = ring.last;
        ring.kept.push_back((tenant.clone(), Message { id, kind, json }));
        if ring.kept.len() > KEPT_MAX {
            ring.kept.pop_front();
        }
        drop(ring);
        self.newest.send_replace(id);
    }

    /// The next messages for a tenant after `after`, and the id reading goes on from.
    fn next(&self, tenant: &TenantId, after: u64) -> (Vec<Message>, u64) {
        let ring = self.ring.lock();
        let oldest = ring.kept.front().map_or(ring.last + 1, |(_, message)| message.id);
        let mut told = Vec::new();
        if after + 1 < oldest || after > ring.last {
            told.push(Message {
                id: ring.last,
                kind: "gap",
                json: "{}".to_owned(),
            });
            return (told, ring.last);
        }
        let skip = usize::try_from(after + 1 - oldest).unwrap_or(usize::MAX);
        let new = ring.kept.iter().skip(skip);
        told.extend(
            new.filter(|(owner, _)| owner == tenant)
                .map(|(_, message)| message.clone()),
        );
        (told, ring.last)
    }
}

impl Live for Stream {
    fn subscribe(&self, who: &Who, after: Option<u64>) -> BoxStream<'static, Message> {
        let mut newest = self.newest.subscribe();
        let from = after.unwrap_or(*newest.borrow_and_update());
        let (this, tenant) = (self.clone(), who.tenant.clone());
        let batches = stream::unfold(
            (this, tenant, newest, from),
            |(this, tenant, mut newest, from)| async move {
                loop {
                    newest.mark_unchanged();
                    let (told, last) = this.next(&tenant, from);
                    if !told.is_empty() || last != from {
                        return Some((told, (this, tenant, newest, last)));
                    }
                    newest.changed().await.ok()?;
                }
            },
        );
        batches.flat_map(stream::iter).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::Text;

    fn who(tenant: &str) -> Who {
        Who {
            name: Text::new("ana"),
            tenant: TenantId::new(tenant),
            address: None,
            request: Text::new("r"),
        }
    }

    #[tokio::test]
    async fn readers_get_their_own_in_order_and_resume() {
        let stream = Stream::new(100);
        let ours = TenantId::new("ours");
        let mut live = stream.subscribe(&who("ours"), None);
        stream.tell(&ours, "finding", "1".to_owned());
        stream.tell(&TenantId::new("theirs"), "finding", "2".to_owned());
        stream.tell(&ours, "finding", "3".to_owned());
        assert_eq!(live.next().await.unwrap().json, "1");
        let third = live.next().await.unwrap();
        assert_eq!((third.id, third.json.as_str()), (103, "3"));
        let mut again = stream.subscribe(&who("ours"), Some(101));
        assert_eq!(again.next().await.unwrap().id, 103);
    }

    #[tokio::test]
    async fn who_was_away_too_long_is_told_of_the_gap() {
        let stream = Stream::new(0);
        for _ in 0..=KEPT_MAX {
            stream.tell(&TenantId::new("ours"), "verdict", "{}".to_owned());
        }
        for away in [0, 1_000_000] {
            let first = stream.subscribe(&who("ours"), Some(away)).next().await.unwrap();
            assert_eq!(first.kind, "gap");
        }
    }
}
