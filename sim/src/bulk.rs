//! Much at once and nobody's attack: what would flood a rule that only counts. Month's end, new laptops that fetch everything,
//! people who have just come, clean-ups, searches, projects that are set up, reviews of rights, a migration, backups, releases.
//!
//! All of it is drawn from streams of its own, so that the rest of a world stays as it is.

use crate::act::{Act, Registry};
use crate::catalogue::Habits;
use crate::config::{Regime, WorldConfig};
use crate::deed::{Deed, Verb};
use crate::label::{Cohort, Label};
use crate::machines::{Errand, Machine, Trade};
use crate::releases::DAY_MS;
use crate::rng::{Rng, fraction, mix};
use crate::session;
use crate::tenant::Tenant;
use habitus_model::math;
use std::collections::BTreeMap;

/// Days of a month, of which the last two are its end, and the department that closes the books then.
const MONTH: (i64, i64) = (30, 28);
const BOOKS: u32 = 0;
/// Logins of somebody who has just come.
const JOINING_LOGINS: u32 = 3;
/// How long a migration takes, days (assumed).
const MIGRATION_DAYS: i64 = 3;

/// What was drawn for one world. Probabilities are by login unless they say otherwise. All are assumed but for what says its
/// source: that such work exists is why vendors' rules have exceptions for it.
struct Parameters {
    /// Somebody of the department works off the month.
    month_end: f64,
    /// A new device fetches what the account has: clients of file services do so at the first start (OneDrive, Dropbox).
    sync: f64,
    /// Somebody new reads up.
    joining: f64,
    /// Old things are deleted.
    clean_up: f64,
    /// Something is searched for, or an export is made.
    search: f64,
    /// Something is set up.
    project: f64,
    /// An administrator goes through everybody's rights: quarterly is what auditors ask for (PCI DSS 4.0, 7.2.4, asks for every six months).
    review: f64,
    /// Something is moved to another system, in a period.
    migration: f64,
    /// Share of machines that make backups.
    backup: f64,
    /// Things of one backup, median.
    backup_things: f64,
    /// Releases of a runner in a week.
    releases: f64,
}

/// How much, of what, within how long.
struct Work {
    verbs: &'static [(Verb, f64)],
    /// Fewest and most things; the logarithm is even between.
    things: (f64, f64),
    /// Least and most hours.
    hours: (f64, f64),
}

const MONTH_END: Work = Work {
    verbs: &[(Verb::Read, 0.6), (Verb::Write, 0.4)],
    things: (20.0, 150.0),
    hours: (1.0, 6.0),
};
const SYNC: Work = Work {
    verbs: &[(Verb::Read, 1.0)],
    things: (50.0, 400.0),
    hours: (0.2, 1.0),
};
const JOINING: Work = Work {
    verbs: &[(Verb::Read, 0.8), (Verb::List, 0.2)],
    things: (20.0, 120.0),
    hours: (1.0, 4.0),
};
const CLEAN_UP: Work = Work {
    verbs: &[(Verb::Delete, 0.9), (Verb::List, 0.1)],
    things: (15.0, 150.0),
    hours: (0.1, 0.7),
};
const SEARCH: Work = Work {
    verbs: &[(Verb::Read, 0.9), (Verb::List, 0.1)],
    things: (30.0, 250.0),
    hours: (0.2, 1.5),
};
const PROJECT: Work = Work {
    verbs: &[(Verb::Create, 0.7), (Verb::Write, 0.3)],
    things: (10.0, 60.0),
    hours: (0.5, 3.0),
};
const MIGRATION: Work = Work {
    verbs: &[
        (Verb::Read, 0.4),
        (Verb::Create, 0.3),
        (Verb::Write, 0.2),
        (Verb::Delete, 0.1),
    ],
    things: (100.0, 500.0),
    hours: (1.0, 4.0),
};
const REVIEW: Work = Work {
    verbs: &[],
    things: (10.0, 60.0),
    hours: (0.3, 1.0),
};

impl Parameters {
    fn draw(config: &WorldConfig) -> Self {
        let rng = &mut Rng::new(config.seed, "bulk parameters", 0);
        let company = config.regime != Regime::Consumer;
        let by = |rng: &mut Rng, low: f64, high: f64| rng.between(low, high);
        let work = |rng: &mut Rng, low: f64, high: f64| if company { rng.between(low, high) } else { 0.0 };
        Self {
            month_end: work(rng, 0.3, 0.8),
            sync: work(rng, 0.1, 0.5),
            joining: work(rng, 0.3, 0.8),
            clean_up: work(rng, 0.0005, 0.003),
            search: by(rng, 0.001, 0.006),
            project: work(rng, 0.0005, 0.003),
            review: work(rng, 0.01, 0.05),
            migration: work(rng, 0.4, 0.9),
            backup: work(rng, 0.05, 0.15),
            backup_things: work(rng, 30.0, 120.0),
            releases: work(rng, 0.5, 3.0),
        }
    }
}

/// Everything, from the owners' logins (in order of time) and the machines of a world.
pub(crate) fn draw(
    tenant: &Tenant,
    registry: &mut Registry,
    (logins, machines): (&[Act], &[Machine]),
) -> Vec<Act> {
    let params = Parameters::draw(&tenant.config);
    let rng = &mut Rng::new(tenant.config.seed, "bulk", 0);
    let migration = migration(rng, tenant, &params);
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    let mut acts = Vec::new();
    for login in logins {
        let nth = counts.entry(login.account).or_insert(0);
        *nth += 1;
        let habits = session::habits(tenant, login.account, &registry.catalogue);
        let occasion = Occasion {
            tenant,
            login,
            nth: *nth,
            habits: &habits,
            migration,
        };
        if let Some(work) = occasion.work(rng, &params) {
            acts.extend(occasion.done(rng, work));
        }
    }
    for (nth, machine) in (0..).zip(machines) {
        let rng = &mut Rng::new(tenant.config.seed, "machine bulk", nth);
        acts.extend(errands(rng, tenant, (registry, machine, nth), &params));
    }
    acts
}

/// First day of the migration, if there is one.
fn migration(rng: &mut Rng, tenant: &Tenant, params: &Parameters) -> Option<i64> {
    let days = math::from_i64(i64::from(tenant.config.days));
    let day = tenant.first_day() + math::to_i64(rng.between(0.35, 0.95) * days);
    rng.chance(params.migration).then_some(day)
}

/// A login after which much may be done.
struct Occasion<'a> {
    tenant: &'a Tenant,
    login: &'a Act,
    /// Number of the login among its account's, from 1.
    nth: u32,
    habits: &'a Habits,
    migration: Option<i64>,
}

impl Occasion<'_> {
    fn work(&self, rng: &mut Rng, params: &Parameters) -> Option<&'static Work> {
        let login = self.login;
        let day = login.ms.div_euclid(DAY_MS);
        let is_admin = session::is_admin(self.tenant, login.account);
        let (month, last) = MONTH;
        let closes = self.habits.department == BOOKS && day.rem_euclid(month) >= last;
        let joins = self.nth <= JOINING_LOGINS && day > self.tenant.first_day() + 7;
        let moves = is_admin || !self.habits.hosts.is_empty();
        let migrates = self
            .migration
            .is_some_and(|from| (from..from + MIGRATION_DAYS).contains(&day));
        let new_device = login.label == Label::Legitimate(Cohort::NewDevice);
        let occasions = [
            (migrates && moves, 0.5, &MIGRATION),
            (closes, params.month_end, &MONTH_END),
            (new_device, params.sync, &SYNC),
            (joins, params.joining, &JOINING),
            (is_admin, params.review, &REVIEW),
            (true, params.clean_up, &CLEAN_UP),
            (true, params.search, &SEARCH),
            (true, params.project, &PROJECT),
        ];
        // All are drawn for, so that one occasion leaves the next login's draws alone.
        let chosen = occasions.map(|(there, share, work)| (rng.chance(share) && there).then_some(work));
        chosen.into_iter().flatten().next()
    }

    fn done(&self, rng: &mut Rng, work: &Work) -> Vec<Act> {
        let (fewest, most) = work.things;
        let count = math::to_u32(fewest * math::exp(rng.unit() * math::ln(most / fewest)));
        let span = rng.between(work.hours.0, work.hours.1) * 3_600_000.0;
        let from = self.login.ms + 120_000;
        let acts = (0..count).filter_map(|_| {
            let mut act = self
                .login
                .again(from + math::to_i64(rng.unit() * span), rng.bits());
            act.deed = self.deed(rng, work)?;
            act.factor = None;
            act.label = Label::Legitimate(Cohort::Bulk);
            Some(act)
        });
        acts.filter(|act| act.ms < self.tenant.end_ms).collect()
    }

    fn deed(&self, rng: &mut Rng, work: &Work) -> Option<Deed> {
        let Some((verb, _)) = rng.weighted(work.verbs, |(_, weight)| *weight) else {
            let accounts = usize::try_from(self.tenant.config.accounts).unwrap_or(1);
            let target = u32::try_from(rng.below(accounts)).unwrap_or(0);
            return Some(Deed::Grant(target, u32::try_from(rng.below(3)).unwrap_or(0)));
        };
        Some(Deed::Request(self.habits.usual(rng)?, *verb))
    }
}

/// Backups each night, from the beginning or from some day on; releases of runners now and then.
fn errands(
    rng: &mut Rng,
    tenant: &Tenant,
    (registry, machine, nth): (&mut Registry, &Machine, u64),
    params: &Parameters,
) -> Vec<Act> {
    let days = math::from_i64(i64::from(tenant.config.days));
    let first = tenant.first_day();
    let late = rng.chance(0.5);
    let since = first + math::to_i64(if late { rng.between(0.2, 0.9) * days } else { 0.0 });
    let things = rng.log_normal(params.backup_things, 0.4).clamp(10.0, 400.0);
    let chosen = fraction(mix(u64::from(machine.account), 71, 0)) < params.backup;
    // The first one always, so that every company has a backup.
    let backs_up = machine.trade == Trade::Service && (nth == 0 || chosen);
    let mut acts = Vec::new();
    for day in first..first + math::to_i64(days) {
        let night = day * DAY_MS + 2 * 3_600_000;
        let count = math::to_u32(things * rng.between(0.85, 1.15));
        if backs_up && day >= since {
            let span = 1_800_000;
            acts.extend(machine.errand(
                rng,
                (tenant, registry),
                &Errand {
                    from: night,
                    span,
                    count,
                    verb: Verb::Read,
                },
            ));
        }
        let release = machine.trade == Trade::Runner && rng.chance(params.releases / 7.0);
        if release {
            let from = day * DAY_MS + math::to_i64(rng.between(8.0, 18.0) * 3_600_000.0);
            let count = 5 + u32::try_from(rng.below(36)).unwrap_or(0);
            acts.extend(machine.errand(
                rng,
                (tenant, registry),
                &Errand {
                    from,
                    span: 600_000,
                    count,
                    verb: Verb::Create,
                },
            ));
        }
    }
    acts
}
