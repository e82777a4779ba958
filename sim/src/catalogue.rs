//! What there is to be used in a tenant, and what each account is used to.

use crate::config::Regime;
use crate::rng::Rng;
use habitus_model::{Resource, Text, math};

/// Position in [`Catalogue`].
pub(crate) type ResourceIx = u32;

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Application,
    Repository,
    Database,
    Host,
    /// Secrets, keys, backups, pay rolls, consoles of administration.
    Sensitive,
}

/// A thing that can be used.
#[derive(Debug, Clone)]
struct Item {
    class: Class,
    /// The department it is of; `None`: everybody's.
    department: Option<u32>,
    /// How often it is used, among those of its kind.
    weight: f64,
}

/// Everything there is to be used.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    items: Vec<Item>,
    pub departments: u32,
}

/// What one account is used to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Habits {
    pub department: u32,
    /// Resources with how often they are used.
    usual: Vec<(ResourceIx, f64)>,
    /// Hosts that the account logs in to; none for most.
    pub hosts: Vec<ResourceIx>,
}

impl Catalogue {
    /// What a tenant of that size has. Popularity falls as 1 / rank (Zipf; measured of applications and repositories
    /// alike: e.g. Kent 2015 for the hosts of LANL).
    pub(crate) fn draw(rng: &mut Rng, regime: Regime, accounts: u32) -> Self {
        let mut catalogue = Self {
            departments: if regime != Regime::Enterprise {
                1
            } else {
                3 + accounts.min(600) / 100
            },
            items: Vec::new(),
        };
        // A service is what its customers use, businesses or not; a company has departments with things of their own.
        if regime != Regime::Enterprise {
            catalogue.fill(Class::Application, 8, None);
            catalogue.fill(Class::Sensitive, 3, None);
            return catalogue;
        }
        catalogue.fill(Class::Application, 12, None);
        for department in 0..catalogue.departments {
            let some = |rng: &mut Rng, most: usize| 2 + rng.below(most);
            catalogue.fill(Class::Application, some(rng, 8), Some(department));
            catalogue.fill(Class::Repository, some(rng, 12), Some(department));
            catalogue.fill(Class::Database, some(rng, 5), Some(department));
            catalogue.fill(Class::Host, some(rng, 10), Some(department));
            catalogue.fill(Class::Sensitive, some(rng, 6), Some(department));
        }
        catalogue
    }

    fn fill(&mut self, class: Class, count: usize, department: Option<u32>) {
        let items = (0..count).map(|rank| Item {
            class,
            department,
            weight: 1.0 / (math::from_usize(rank) + 1.0),
        });
        self.items.extend(items);
    }

    /// As an event names it.
    pub(crate) fn named(&self, resource: ResourceIx) -> Option<Resource> {
        let item = self.item(resource)?;
        let kind = match item.class {
            Class::Application => "application",
            Class::Repository => "repository",
            Class::Database => "database",
            Class::Host => "host",
            Class::Sensitive => "secret",
        };
        Some(Resource {
            name: Some(Text::new(format!("{kind}-{resource}"))),
            kind: Some(Text::const_new(kind)),
            namespace: item
                .department
                .map(|department| Text::new(format!("department-{department}"))),
            ..Resource::default()
        })
    }

    fn item(&self, resource: ResourceIx) -> Option<&Item> {
        self.items.get(usize::try_from(resource).ok()?)
    }

    /// One of a class by popularity, of a department or of any.
    pub(crate) fn pick(&self, rng: &mut Rng, class: Class, department: Option<u32>) -> Option<ResourceIx> {
        let fits =
            |item: &Item| item.class == class && (department.is_none() || item.department == department);
        let items = self.items.iter().zip(0..).filter(|(item, _)| fits(item));
        rng.weighted(items, |(item, _)| item.weight).map(|(_, ix)| ix)
    }

    /// Every resource of a class.
    pub(crate) fn all(&self, class: Class) -> Vec<ResourceIx> {
        let items = self.items.iter().zip(0..);
        items
            .filter(|(item, _)| item.class == class)
            .map(|(_, ix)| ix)
            .collect()
    }
}

impl Habits {
    /// A person's habits: some of what everybody uses, more of the department's own; a sixth of the people (engineers,
    /// operators; assumed) log in to hosts.
    pub(crate) fn draw(rng: &mut Rng, catalogue: &Catalogue) -> Self {
        let department =
            u32::try_from(rng.below(usize::try_from(catalogue.departments).unwrap_or(1))).unwrap_or(0);
        let mut habits = Self {
            department,
            ..Self::default()
        };
        for _ in 0..3 + rng.below(6) {
            let own = rng.chance(0.6).then_some(department);
            let class = if rng.chance(0.7) {
                Class::Application
            } else {
                Class::Repository
            };
            if let Some(resource) = catalogue.pick(rng, class, own) {
                habits.take_up(resource, rng.exponential(1.0));
            }
        }
        // Payment data of one's own, the secrets of one's own team.
        if rng.chance(0.25)
            && let Some(resource) = catalogue
                .pick(rng, Class::Sensitive, Some(department))
                .or_else(|| catalogue.pick(rng, Class::Sensitive, None))
        {
            habits.take_up(resource, 0.15);
        }
        if rng.chance(0.16) {
            let hosts =
                (0..2 + rng.below(4)).filter_map(|_| catalogue.pick(rng, Class::Host, Some(department)));
            habits.hosts = hosts.collect();
            habits.hosts.sort_unstable();
            habits.hosts.dedup();
        }
        habits
    }

    /// From now on this is used too.
    pub(crate) fn take_up(&mut self, resource: ResourceIx, weight: f64) {
        if !self.knows(resource) {
            self.usual.push((resource, weight));
        }
    }

    /// Whether it is used.
    pub(crate) fn knows(&self, resource: ResourceIx) -> bool {
        self.usual.iter().any(|(known, _)| *known == resource) || self.hosts.contains(&resource)
    }

    /// One of the usual ones.
    pub(crate) fn usual(&self, rng: &mut Rng) -> Option<ResourceIx> {
        rng.weighted(&self.usual, |(_, weight)| *weight)
            .map(|(resource, _)| *resource)
    }

    /// Something not used before, mostly of the own department, seldom sensitive.
    pub(crate) fn new_one(&self, rng: &mut Rng, catalogue: &Catalogue) -> Option<ResourceIx> {
        let class = match rng.below(20) {
            0..=11 => Class::Application,
            12..=16 => Class::Repository,
            17 | 18 => Class::Database,
            _ => Class::Sensitive,
        };
        let own = rng.chance(0.8).then_some(self.department);
        catalogue
            .pick(rng, class, own)
            .filter(|resource| !self.knows(*resource))
    }
}
