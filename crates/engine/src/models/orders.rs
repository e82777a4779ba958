//! What people do to models and labels, applied between two events of the log.

use super::compare::{Comparison, Hindrance};
use super::labels::Lesson;
use super::shadow::{Challenger, Former};
use super::{Happened, Models, Origin, Promote};
use crate::engine::Engine;
use crate::tenant::Tenant;
use crate::total::Kept;
use habitus_model::evidence::PerProfile;
use habitus_model::{EventTime, Family, IngestTime, TenantId, Text};
use habitus_profile::Keys;
use habitus_profile::reputation::marked;
use habitus_score::Weights;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is asked of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelChange {
    /// Make the challenger of this number the champion.
    Promote(u32),
    /// Make the champion before this one champion again; this one goes on in shadow.
    Rollback,
    /// Let these weights run in shadow, in place of the challenger.
    Propose(Box<Proposal>),
}

/// Weights and shares as a configuration has them; limits are the configuration's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Weight of each family, 0 to 10, in the order of [`Family::ALL`].
    pub families: [f64; Family::COUNT],
    /// Share of each attacker profile, above 0; they sum to 1.
    pub priors: PerProfile,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelRefused {
    /// Nothing is known of the tenant.
    #[error("the tenant has no events yet")]
    NoTenant,
    /// No model of this number is in shadow.
    #[error("no model of this number runs in shadow")]
    NoChallenger,
    /// The challenger may not be promoted.
    #[error("{}", clauses(.0))]
    Hindered(Vec<Hindrance>),
    /// Nobody was champion before.
    #[error("there is no champion to go back to")]
    NoFormer,
    /// Weights or shares are out of their range.
    #[error("weights lie between 0 and 10, and shares above 0 with the sum 1")]
    OutOfRange,
}

fn clauses(hindrances: &[Hindrance]) -> String {
    let clauses: Vec<String> = hindrances.iter().map(Hindrance::text).collect();
    clauses.join("; ")
}

impl Proposal {
    /// As weights, with the configured limits.
    #[must_use]
    pub fn applied(&self, configured: &Weights) -> Weights {
        Weights {
            families: self.families,
            priors: self.priors,
            ..*configured
        }
    }

    fn is_sound(&self) -> bool {
        let sum: f64 = self.priors.iter().sum();
        self.families.iter().all(|weight| (0.0..=10.0).contains(weight))
            && self.priors.iter().all(|share| *share > 0.0)
            && (sum - 1.0).abs() <= 1e-6
    }
}

impl Engine {
    /// Takes a changed verdict in: what it says of networks and clients holds from the next event on, what it teaches of weights may
    /// make a candidate. Returns whether a label has changed. Cost: linear in the tenant's labels; some milliseconds where a candidate
    /// is made.
    pub fn label(&mut self, lesson: &Lesson<'_>, at: IngestTime) -> bool {
        let Some(number) = self.tenant_numbers.get(&lesson.context.tenant).copied() else {
            return false;
        };
        let account = self.fingerprint(lesson.context);
        let keys = Keys::of(lesson.context, self.config.hash_key);
        let marked = marked(lesson.context, &keys);
        let Some(tenant) = self.tenants.get_mut(number).map(Arc::make_mut) else {
            return false;
        };
        if !tenant.models.labels.take(lesson, (account, marked)) {
            return false;
        }
        let (configured, rules) = (&self.config.weights, &self.config.learning);
        tenant.models.changed += 1;
        tenant.models.worked.reputation = tenant.models.labels.reputation();
        tenant.models.reconsider(&tenant.tables, (configured, rules), at);
        true
    }

    /// Changes which model is champion, or which runs in shadow.
    ///
    /// # Errors
    /// [`ModelRefused`] says why nothing changes.
    pub fn change_models(
        &mut self,
        tenant: &TenantId,
        change: &ModelChange,
        (by, at): (Text, IngestTime),
    ) -> Result<(), ModelRefused> {
        let number = self.tenant_numbers.get(tenant).ok_or(ModelRefused::NoTenant)?;
        let tenant = self.tenants.get_mut(*number).ok_or(ModelRefused::NoTenant)?;
        let tenant = Arc::make_mut(tenant);
        let configured = &self.config.weights;
        match change {
            ModelChange::Promote(model) => {
                let comparison = tenant
                    .comparison(configured)
                    .filter(|_| tenant.models.challenger().is_some_and(|one| one.number == *model))
                    .ok_or(ModelRefused::NoChallenger)?;
                if !comparison.hindrances.is_empty() {
                    return Err(ModelRefused::Hindered(comparison.hindrances));
                }
                tenant.promote((Some(by), at));
            }
            ModelChange::Rollback => tenant.roll_back((by, at))?,
            ModelChange::Propose(proposal) => {
                if !proposal.is_sound() {
                    return Err(ModelRefused::OutOfRange);
                }
                let origin = Origin::Given {
                    proposal: proposal.clone(),
                    by: by.clone(),
                };
                tenant.models.challenge(origin, &tenant.tables, (Some(by), at));
            }
        }
        tenant.models.prepare(configured);
        Ok(())
    }

    /// The models and labels of a tenant; absent: nothing is known of it.
    #[must_use]
    pub fn models(&self, tenant: &TenantId) -> Option<&Models> {
        Some(&self.tenant(tenant)?.models)
    }

    /// How the challenger of a tenant does beside its champion; absent: there is none.
    #[must_use]
    pub fn comparison(&self, tenant: &TenantId) -> Option<Comparison> {
        self.tenant(tenant)?.comparison(&self.config.weights)
    }

    /// The weights of the configuration.
    #[must_use]
    pub fn configured_weights(&self) -> &Weights {
        &self.config.weights
    }

    fn tenant(&self, tenant: &TenantId) -> Option<&Tenant> {
        let number = self.tenant_numbers.get(tenant)?;
        self.tenants.get(*number).map(Arc::as_ref)
    }

    /// Works out what follows from the configuration for a tenant that comes from a snapshot.
    pub(crate) fn prepare(&mut self, number: usize) {
        if let Some(tenant) = self.tenants.get_mut(number) {
            Arc::make_mut(tenant).models.prepare(&self.config.weights);
        }
    }

    /// Promotes a challenger as an epoch of its tenant ends, if the configuration lets it and nothing speaks against it. `at` is the
    /// time of the event that ended it.
    pub(crate) fn consider_promotion(&mut self, number: usize, at: EventTime) {
        if self.config.learning.promote != Promote::IfBetter {
            return;
        }
        let Some(tenant) = self.tenants.get_mut(number) else {
            return;
        };
        if tenant.models.challenger.is_none() {
            return;
        }
        let configured = &self.config.weights;
        let free = |comparison: Comparison| comparison.hindrances.is_empty();
        if tenant.comparison(configured).is_some_and(free) {
            let tenant = Arc::make_mut(tenant);
            let at = IngestTime::from_millis(at.as_millis()).unwrap_or(IngestTime::EPOCH);
            tenant.promote((None, at));
            tenant.models.prepare(configured);
        }
    }
}

impl Tenant {
    fn comparison(&self, configured: &Weights) -> Option<Comparison> {
        self.models.comparison(configured)
    }

    /// Makes the challenger the champion, with its calibrations; the champion is kept for the way back.
    fn promote(&mut self, (by, at): (Option<Text>, IngestTime)) {
        let Some(challenger) = self.models.challenger.take() else {
            return;
        };
        let Challenger { model, tables, .. } = *challenger;
        let number = model.number;
        let before = Former {
            model: std::mem::replace(&mut self.models.champion, model),
            tables: std::mem::replace(&mut self.tables, tables),
        };
        self.models.former = Some(Box::new(before));
        // What the running epoch has taught so far was weighed in shadow too.
        for delta in &mut self.pending {
            if let Some(shadow) = delta.total.shadow.take().filter(|shadow| shadow.model == number) {
                delta.total.nats = shadow.nats;
            }
        }
        self.forget_said();
        self.tables.settle();
        self.models.note(Happened::Promoted, (by, at), number);
    }

    /// Makes the former champion the champion again; the one in between goes on in shadow.
    fn roll_back(&mut self, (by, at): (Text, IngestTime)) -> Result<(), ModelRefused> {
        let former = *self.models.former.take().ok_or(ModelRefused::NoFormer)?;
        let number = former.model.number;
        let model = std::mem::replace(&mut self.models.champion, former.model);
        let tables = std::mem::replace(&mut self.tables, former.tables);
        let reference = self.tables.clone();
        self.models.challenger = Some(Box::new(Challenger::new(model, (tables, reference))));
        self.forget_said();
        self.tables.settle();
        self.models.note(Happened::RolledBack, (Some(by), at), number);
        Ok(())
    }

    /// Other tables than those that said something of the running epoch's events will be told of them.
    fn forget_said(&mut self) {
        for delta in &mut self.pending {
            delta.total.kept = Kept::default();
        }
    }
}
