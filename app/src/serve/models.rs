//! Champion and challenger: how they stand, and what people decide about them.

use super::clock;
use super::core::{Reply, Shared};
use super::kept::{self, Kind};
use super::records::AuditDoor;
use async_trait::async_trait;
use habitus_console::product::{
    self, AuditNote, LabelCounts, ModelCommand, ModelComparison, ModelFound, ModelHappened, ModelMover,
    ModelOrigin, ModelRow, ModelStep, Models, Refusal, Who,
};
use habitus_engine::models::{
    Comparison, Found, Happened, Model, ModelChange, ModelRefused, Origin, Proposal, Step, Tally,
};
use habitus_live::{Entry, ModelOrder};
use habitus_model::math::round_to;
use habitus_model::{AttackerProfile, Family, Text};
use habitus_score::Weights;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// The door.
#[derive(Debug, Clone)]
pub struct Modelling(pub Shared);

impl Modelling {
    fn shown(&self, who: &Who) -> Models {
        let reducer = self.0.reducer.read();
        let engine = reducer.engine();
        let configured = engine.configured_weights();
        let Some(models) = engine.models(&who.tenant) else {
            return nothing(configured);
        };
        let row_of = |model: &Model| row(model, configured);
        Models {
            labels: counts(&models.tally()),
            champion: row_of(models.champion()),
            challenger: models.challenger().map(row_of),
            former: models.former().map(row_of),
            comparison: engine.comparison(&who.tenant).map(|found| comparison(&found)),
            history: models.history().iter().map(step).collect(),
        }
    }

    /// What is asked, as the log keeps it.
    fn change(&self, command: &ModelCommand) -> Result<ModelChange, Refusal> {
        Ok(match command {
            ModelCommand::Promote(id) => ModelChange::Promote(id.parse().map_err(|_| Refusal::NotFound)?),
            ModelCommand::Rollback => ModelChange::Rollback,
            ModelCommand::Propose { weights, priors } => {
                let reducer = self.0.reducer.read();
                let configured = reducer.engine().configured_weights();
                ModelChange::Propose(Box::new(proposal(configured, weights, priors)))
            }
        })
    }

    async fn record(&self, who: &Who, change: &ModelChange) -> Result<(), Refusal> {
        let (action, object) = match change {
            ModelChange::Promote(model) => ("model.promote", Some(Text::from(model.to_string()))),
            ModelChange::Rollback => ("model.rollback", None),
            ModelChange::Propose(_) => ("model.propose", None),
        };
        let note = AuditNote {
            tenant: Some(who.tenant.clone()),
            actor: Some(who.name.clone()),
            address: who.address,
            request: Some(who.request.clone()),
            action,
            object,
            detail: None,
        };
        product::Audit::record(&AuditDoor(Shared::clone(&self.0)), note).await
    }
}

#[async_trait]
impl product::Modelling for Modelling {
    async fn models(&self, who: &Who) -> Result<Models, Refusal> {
        Ok(self.shown(who))
    }

    async fn command(&self, who: &Who, command: ModelCommand) -> Result<Models, Refusal> {
        let change = self.change(&command)?;
        // What cannot be recorded is not done.
        self.record(who, &change).await?;
        let order = ModelOrder {
            id: who.request.clone(),
            tenant: who.tenant.clone(),
            by: who.name.clone(),
            at: clock::now(),
            change,
        };
        let payload = serde_json::to_vec(&order).map_err(|_| Refusal::Internal)?;
        let entry = kept::other(Kind::Models, &who.tenant, order.at, payload);
        let (reply, replied) = oneshot::channel();
        let then = Entry::Models(Box::new(order));
        self.0.append(entry, then, Some(Reply::Models(reply))).await?;
        replied
            .await
            .map_err(|_| Refusal::ShuttingDown)?
            .map_err(|error| refused(&error))?;
        Ok(self.shown(who))
    }
}

fn refused(error: &ModelRefused) -> Refusal {
    match error {
        ModelRefused::NoChallenger => Refusal::NotFound,
        ModelRefused::NoTenant
        | ModelRefused::Hindered(_)
        | ModelRefused::NoFormer
        | ModelRefused::OutOfRange => Refusal::Conflict {
            reason: error.to_string(),
        },
    }
}

/// What is named, and the configuration's where nothing is; shares are made to sum to 1.
fn proposal(
    configured: &Weights,
    weights: &BTreeMap<String, f64>,
    priors: &BTreeMap<String, f64>,
) -> Proposal {
    let families = Family::ALL.map(|family| {
        let named = weights.get(family.name());
        named.copied().unwrap_or_else(|| configured.of(family))
    });
    let mut shares = configured.priors;
    for (share, profile) in shares.iter_mut().zip(AttackerProfile::ALL) {
        *share = priors.get(profile.name()).copied().unwrap_or(*share);
    }
    let sum: f64 = shares.iter().sum();
    Proposal {
        families,
        priors: shares.map(|share| share / sum),
    }
}

/// Of a tenant of which nothing is known.
fn nothing(configured: &Weights) -> Models {
    let champion = Model {
        number: 0,
        origin: Origin::Configured,
        made: None,
    };
    Models {
        labels: LabelCounts::default(),
        champion: row(&champion, configured),
        challenger: None,
        former: None,
        comparison: None,
        history: Vec::new(),
    }
}

fn row(model: &Model, configured: &Weights) -> ModelRow {
    let weights = model.weights(configured);
    let (origin, by, labels) = match &model.origin {
        Origin::Configured => (ModelOrigin::Configured, None, None),
        Origin::Learned { labels, .. } => (ModelOrigin::Learned, None, Some(counts(labels))),
        Origin::Given { by, .. } => (ModelOrigin::Given, Some(by.to_string()), None),
    };
    let families = Family::ALL.iter().zip(weights.families);
    let profiles = AttackerProfile::ALL.iter().zip(weights.priors);
    ModelRow {
        id: model.number.to_string(),
        origin,
        made: model.made.map(habitus_model::IngestTime::as_event),
        by,
        labels,
        weights: families
            .map(|(family, weight)| (family.name().to_owned(), round_to(weight, 4)))
            .collect(),
        priors: profiles
            .map(|(profile, share)| (profile.name().to_owned(), round_to(share, 4)))
            .collect(),
    }
}

fn counts(tally: &Tally) -> LabelCounts {
    LabelCounts {
        attacks: count(tally.attacks),
        false_alarms: count(tally.false_alarms),
        expected: count(tally.expected),
        tests: count(tally.tests),
    }
}

fn comparison(found: &Comparison) -> ModelComparison {
    let Comparison {
        volume,
        held_out,
        standard,
        hindrances,
    } = found;
    ModelComparison {
        events: volume.events,
        champion_flags: volume.champion.to_vec(),
        challenger_flags: volume.challenger.to_vec(),
        both_flag: volume.both.to_vec(),
        held_out_attacks: count(held_out.attacks),
        held_out_owners: count(held_out.owners),
        champion: found_of(&held_out.champion),
        challenger: found_of(&held_out.challenger),
        standard_attacks: count(standard.attacks),
        champion_standard: standard.champion.map(count).to_vec(),
        challenger_standard: standard.challenger.map(count).to_vec(),
        worse: held_out
            .worse
            .iter()
            .map(|mover| ModelMover {
                finding: mover.finding.to_string(),
                attack: mover.is_attack,
                champion: super::shown::cut(mover.champion),
                challenger: super::shown::cut(mover.challenger),
            })
            .collect(),
        hindrances: hindrances.iter().map(|one| one.text()).collect(),
    }
}

fn found_of(found: &Found) -> ModelFound {
    ModelFound {
        attacks: found.attacks.map(count).to_vec(),
        owners: found.owners.map(count).to_vec(),
        order: found.order.map(|order| round_to(order, 4)),
    }
}

fn step(step: &Step) -> ModelStep {
    ModelStep {
        what: match step.what {
            Happened::Made => ModelHappened::Made,
            Happened::Promoted => ModelHappened::Promoted,
            Happened::RolledBack => ModelHappened::RolledBack,
        },
        id: step.model.to_string(),
        by: step.by.as_ref().map(ToString::to_string),
        at: step.at.as_event(),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
