//! What of all changes is worth telling other systems: a record each, with an id of its own.
//!
//! A function of the log: read again after a crash, the same changes give records of the same ids, so that whoever keeps ids
//! can tell each once. Growth is told as it doubles: a finding of a million events is told twenty times and not a million.

use crate::key::FindingId;
use crate::ocsf::{Lifecycle, Writer};
use crate::store::{Change, Findings, What};
use crate::triage::Triage;
use crate::view::View;
use habitus_model::Text;
use habitus_model::hash::content_digest;
use serde_json::{Value, json};

/// One thing to tell of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The finding, or the storm that tells it.
    pub finding: FindingId,
    /// Id of the record; of the first one the finding's own.
    pub record: Text,
    /// Why.
    pub occasion: Occasion,
}

/// Why something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The finding is new.
    Opened,
    /// Its level or state has changed, a person has done something, or it has doubled.
    Changed,
    /// A campaign tells it from now on. Only of interest to who was told of it before.
    Joined,
}

impl Findings {
    /// The news among changes that have just come of one event or one command.
    #[must_use]
    pub fn news(&self, changes: &[Change]) -> Vec<News> {
        changes.iter().filter_map(|change| self.news_of(change)).collect()
    }

    fn news_of(&self, change: &Change) -> Option<News> {
        let (word, occasion) = match change.what {
            What::Opened => ("opened", Occasion::Opened),
            What::Worsened(level) => (level.name(), Occasion::Changed),
            What::Reopened => ("reopened", Occasion::Changed),
            What::Touched => ("touched", Occasion::Changed),
            What::Joined => ("joined", Occasion::Joined),
            What::Grew => {
                let count = self.kept.found.get(&change.id)?.count;
                let is_told = count.is_power_of_two();
                return is_told.then(|| self.record_of("grew", &change.id, Occasion::Changed))?;
            }
            What::Folded => return self.news_of_storm(&change.id),
            What::Evicted => return None,
        };
        self.record_of(word, &change.id, occasion)
    }

    /// A storm is told as it doubles, and what it folds is not.
    fn news_of_storm(&self, folded: &FindingId) -> Option<News> {
        let (storm, _) = self.storm_of(self.index.folded_in(folded)?)?;
        match self.collapsed(&storm) {
            1 => self.record_of("opened", &storm, Occasion::Opened),
            count if count.is_power_of_two() => self.record_of("grew", &storm, Occasion::Changed),
            _ => None,
        }
    }

    fn record_of(&self, word: &str, id: &FindingId, occasion: Occasion) -> Option<News> {
        let record = match occasion {
            Occasion::Opened => Text::new(id.as_str()),
            Occasion::Changed | Occasion::Joined => {
                let parts = format!("{id} {word} {}", self.version(id)?);
                Text::from(content_digest(parts.as_bytes()))
            }
        };
        Some(News {
            finding: id.clone(),
            record,
            occasion,
        })
    }

    /// How much has happened to a finding: its events, and what people did. Grows with each; absent if it is not kept.
    fn version(&self, id: &FindingId) -> Option<u64> {
        let deeds = |triage: &Triage| {
            let kept = u64::try_from(triage.history.len()).unwrap_or(u64::MAX);
            kept.saturating_add(triage.history_dropped)
        };
        if let Some(finding) = self.kept.found.get(id) {
            return Some(finding.count.saturating_add(deeds(&finding.triage)));
        }
        let done = self.kept.storms.get(id).map_or(0, |storm| deeds(&storm.triage));
        self.storm(id).map(|_| self.collapsed(id).saturating_add(done))
    }
}

impl Writer<'_> {
    /// News as an OCSF record of the finding as it is now. A finding that people have closed meanwhile is told as closed.
    #[must_use]
    pub fn record(&self, view: &View, news: &News) -> Value {
        let lifecycle = match news.occasion {
            Occasion::Opened => Lifecycle::Create,
            Occasion::Changed | Occasion::Joined => Lifecycle::of(view),
        };
        let mut record = self.to_ocsf(view, lifecycle);
        if let Some(uid) = record.pointer_mut("/metadata/uid") {
            *uid = json!(news.record.as_str());
        }
        record
    }
}
