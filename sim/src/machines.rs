//! Machine accounts: services, runners of workflows, keys of partners. They come at their hours, from their networks,
//! with their tool, for their resources.

use crate::act::{AccountIx, Act, Outcome, Registry};
use crate::catalogue::{Class, ResourceIx};
use crate::deed::{CredentialIx, Deed, Verb};
use crate::label::{Cohort, Label};
use crate::names;
use crate::providers::Kind;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use crate::spot::Line;
use crate::tenant::Tenant;
use habitus_model::{Text, math};

/// What a machine proves itself with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub method: &'static str,
    pub uid: Text,
    pub issuer: Option<Text>,
}

/// What a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trade {
    /// A service with a secret, on a schedule.
    Service,
    /// A runner with the identity of a workflow: in bursts, from a pool of addresses.
    Runner,
    /// A partner's key.
    Partner,
}

/// A machine account.
#[derive(Debug)]
pub(crate) struct Machine {
    pub account: AccountIx,
    pub trade: Trade,
    /// Where it runs, each from a time on.
    lines: Vec<(i64, Vec<Line>)>,
    /// Its tool, with the version from a time on.
    tools: Vec<(i64, String)>,
    pub credential: CredentialIx,
    resources: Vec<ResourceIx>,
    every_ms: i64,
    /// Deviation of the time between runs, share of it.
    jitter: f64,
    only_weekdays: bool,
}

/// Tools of machines: name, major and minor version as they were, further versions follow.
const TOOLS: [(&str, u32, u32); 5] = [
    ("Boto3", 1, 35),
    ("aws-sdk-go-v2", 1, 30),
    ("azsdk-python-identity", 1, 19),
    ("okta-sdk-java", 20, 0),
    ("kubernetes-client-go", 0, 31),
];

/// Much of one kind at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand {
    pub from: i64,
    /// Over so many milliseconds.
    pub span: i64,
    pub count: u32,
    pub verb: Verb,
}

/// Names and credentials of a tenant's machines come after those of its people.
pub(crate) fn draw_all(tenant: &Tenant, registry: &mut Registry) -> Vec<Machine> {
    let Some(params) = &tenant.activity else {
        return Vec::new();
    };
    let people = math::from_usize(registry.users.len());
    let count = math::to_u32((params.machine_share * people).ceil());
    let draw = |nth| {
        Machine::draw(
            &mut Rng::new(tenant.config.seed, "machine", u64::from(nth)),
            tenant,
            (nth, registry),
        )
    };
    (0..count).filter_map(draw).collect()
}

impl Machine {
    fn draw(rng: &mut Rng, tenant: &Tenant, (nth, registry): (u32, &mut Registry)) -> Option<Self> {
        let params = tenant.activity.as_ref()?;
        let trade = match nth % 4 {
            0 | 1 => Trade::Service,
            2 => Trade::Runner,
            _ => Trade::Partner,
        };
        let account = u32::try_from(registry.users.len()).ok()?;
        registry.users.push(names::machine(nth, trade));
        let credential = u32::try_from(registry.credentials.len()).ok()?;
        registry.credentials.push(credential_of(rng, nth, trade));
        let mut lines = vec![(i64::MIN, pool(rng, tenant, trade)?)];
        if rng.chance(params.machine_move_share) {
            let span = math::from_i64(tenant.end_ms - tenant.start_ms);
            let from = tenant.start_ms + math::to_i64(rng.between(0.4, 0.95) * span);
            lines.push((from, pool(rng, tenant, trade)?));
        }
        let class = |rng: &mut Rng| match rng.below(4) {
            0 => Class::Sensitive,
            1 => Class::Repository,
            2 => Class::Database,
            _ => Class::Application,
        };
        let resources = (0..2 + rng.below(4)).filter_map(|_| {
            let class = class(rng);
            registry.catalogue.pick(rng, class, None)
        });
        let resources: Vec<ResourceIx> = resources.collect();
        let minutes = rng.log_normal(params.machine_minutes, 0.7).clamp(10.0, 720.0);
        Some(Self {
            account,
            trade,
            lines,
            tools: tools(rng, tenant),
            credential,
            resources,
            every_ms: math::to_i64(minutes * 60_000.0),
            jitter: if trade == Trade::Runner {
                0.5
            } else {
                rng.between(0.001, 0.05)
            },
            only_weekdays: trade == Trade::Runner && rng.chance(0.5),
        })
    }

    /// The tool in use at a time.
    pub(crate) fn tool(&self, ms: i64) -> &str {
        let tools = self.tools.iter().rev();
        tools
            .clone()
            .find(|(from, _)| *from <= ms)
            .map_or("", |(_, tool)| tool)
    }

    /// A line it runs on at a time.
    pub(crate) fn line(&self, rng: &mut Rng, ms: i64) -> Option<Line> {
        let lines = self.lines.iter().rev().find(|(from, _)| *from <= ms)?;
        rng.pick(&lines.1).copied()
    }

    /// Everything it does in the period.
    pub(crate) fn live(&self, rng: &mut Rng, tenant: &Tenant, registry: &mut Registry) -> Vec<Act> {
        let mut acts = Vec::new();
        let mut ms = tenant.start_ms + math::to_i64(rng.unit() * math::from_i64(self.every_ms));
        while ms < tenant.end_ms {
            let idle = self.only_weekdays && crate::clock::is_weekend(ms.div_euclid(DAY_MS));
            if !idle {
                self.run(rng, tenant, (ms, registry), &mut acts);
            }
            let wobble = 1.0 + rng.normal(0.0, self.jitter).clamp(-0.9, 2.0);
            ms += math::to_i64(wobble * math::from_i64(self.every_ms)).max(1_000);
        }
        acts
    }

    /// An errand: on one of its lines, with its tool, for its things.
    pub(crate) fn errand(
        &self,
        rng: &mut Rng,
        (tenant, registry): (&Tenant, &mut Registry),
        errand: &Errand,
    ) -> Vec<Act> {
        let agent = registry.agents.intern(self.tool(errand.from).to_owned());
        let Some(line) = self.line(rng, errand.from) else {
            return Vec::new();
        };
        let acts = (0..errand.count).filter_map(|_| {
            let ms = errand.from + math::to_i64(rng.unit() * math::from_i64(errand.span));
            let resource = *rng.pick(&self.resources)?;
            Some(Act {
                ms,
                account: self.account,
                spot: line.at(&tenant.networks, ms)?,
                agent,
                device_uid: None,
                factor: None,
                outcome: Outcome::Success,
                deed: Deed::Call(self.credential, resource, errand.verb),
                session: None,
                label: Label::Legitimate(Cohort::Bulk),
                uid: rng.bits(),
            })
        });
        acts.filter(|act| act.ms < tenant.end_ms).collect()
    }

    /// One run: one to three calls, some seconds apart.
    fn run(
        &self,
        rng: &mut Rng,
        tenant: &Tenant,
        (at, registry): (i64, &mut Registry),
        acts: &mut Vec<Act>,
    ) -> Option<()> {
        let line = self.line(rng, at)?;
        let moved = self.lines.len() > 1
            && self
                .lines
                .last()
                .is_some_and(|(from, _)| *from <= at && at < from + DAY_MS);
        let agent = registry.agents.intern(self.tool(at).to_owned());
        let mut ms = at;
        for _ in 0..1 + rng.below(3) {
            let resource = *rng.pick(&self.resources)?;
            let verb = if rng.chance(0.7) { Verb::Read } else { Verb::Write };
            acts.push(Act {
                ms,
                account: self.account,
                spot: line.at(&tenant.networks, ms)?,
                agent,
                device_uid: None,
                factor: None,
                outcome: Outcome::Success,
                deed: Deed::Call(self.credential, resource, verb),
                session: None,
                label: Label::Legitimate(if moved {
                    Cohort::MachineMoved
                } else {
                    Cohort::Machine
                }),
                uid: rng.bits(),
            });
            ms += 200 + math::to_i64(rng.exponential(4_000.0));
        }
        Some(())
    }
}

/// Where a machine runs: one or two static addresses of a hoster, or the wide pool of a hoster's runners.
fn pool(rng: &mut Rng, tenant: &Tenant, trade: Trade) -> Option<Vec<Line>> {
    let country = crate::atlas::by_code(if rng.chance(0.5) { "US" } else { "DE" })?;
    let provider = tenant.networks.pick(rng, country, &[Kind::Hosting])?;
    let count = match trade {
        Trade::Service | Trade::Partner => 1 + rng.below(2),
        Trade::Runner => 24,
    };
    let lines: Vec<Line> = (0..count)
        .filter_map(|_| Line::fixed(rng, &tenant.networks, provider, (country, 0)))
        .collect();
    (!lines.is_empty()).then_some(lines)
}

/// The tool, with an upgrade now and then (assumed: every two months).
fn tools(rng: &mut Rng, tenant: &Tenant) -> Vec<(i64, String)> {
    let (name, major, minor) = rng.pick(&TOOLS).copied().unwrap_or(("Boto3", 1, 35));
    let mut tools = Vec::new();
    let (mut from, mut step) = (i64::MIN, 0);
    let mut next = tenant.start_ms;
    while next < tenant.end_ms {
        tools.push((from, format!("{name}/{major}.{}.0", minor + step)));
        next += math::to_i64(rng.exponential(60.0 * math::from_i64(DAY_MS))).max(DAY_MS);
        from = next;
        step += 1;
    }
    tools
}

fn credential_of(rng: &mut Rng, nth: u32, trade: Trade) -> Credential {
    match trade {
        Trade::Service => Credential {
            method: "client_secret",
            uid: Text::new(format!("secret-{:012x}", rng.bits() >> 16)),
            issuer: None,
        },
        Trade::Runner => Credential {
            method: "workload_identity",
            uid: Text::new(format!(
                "repo:example/service-{nth}:workflow:deploy.yml@refs/heads/main"
            )),
            issuer: Some(Text::const_new("https://token.actions.example.com")),
        },
        Trade::Partner => Credential {
            method: "api_key",
            uid: Text::new(format!("AKIA{:012X}", rng.bits() >> 16)),
            issuer: None,
        },
    }
}
