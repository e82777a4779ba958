//! `habitus try`: the whole product on an invented organisation with attacks in its log.

mod organisation;

use super::serve::runtime;
use crate::config::Loaded;
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::{Running, now};
use crate::telemetry;
use crate::terminal::{BOLD, FAINT, RED, RESET, Talk};
use bytes::Bytes;
use clap::Args;
use habitus_console::product::{Content, FindingsQuery, Product, Submission, Who};
use habitus_model::{TenantId, Text};
use habitus_sim::{Labelled, Planted};
use organisation::{Organisation, lines};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  habitus try                    an invented organisation lives on your machine until Ctrl-C
  habitus try --seed 9           another organisation
  habitus try --dir demo --keep  keep what it knows in ./demo, for `habitus serve --data-dir demo`";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Try {
    /// Decides the organisation and the attacks
    #[arg(long, value_name = "N", default_value_t = 7, env = "HABITUS_SEED")]
    seed: u64,
    /// Number of accounts
    #[arg(long, value_name = "N", default_value_t = 300, env = "HABITUS_ACCOUNTS", value_parser = clap::value_parser!(u32).range(10..=5_000))]
    accounts: u32,
    /// Address of the console; 127.0.0.1:7171, or a free port if that is taken
    #[arg(long, value_name = "ADDRESS", env = "HABITUS_LISTEN")]
    listen: Option<SocketAddr>,
    /// Where to keep the data while it runs; a new temporary directory if not given
    #[arg(long, value_name = "DIR", env = "HABITUS_DIR")]
    dir: Option<PathBuf>,
    /// Leave the data there at the end
    #[arg(long, env = "HABITUS_KEEP")]
    keep: bool,
}

/// Life goes on so many times faster than it was, until it has caught up: an event every few seconds.
const PACE: i64 = 60;
/// Lines sent at once.
const LINES: usize = 4_000;
/// Name of the source.
const SOURCE: Text = Text::const_new("invented-idp");

/// Starts the server, lets it learn the past, and lets life go on.
///
/// # Errors
/// Whatever keeps it from serving.
pub fn run(asked: &Try, talk: Talk) -> Result<Outcome, Failure> {
    let home = Home::new(asked)?;
    // The console shows what happens; a log is for those who ask for it.
    let mut loaded = Loaded::default();
    let is_asked_for = std::env::var_os("HABITUS_LOG").is_some();
    let _telemetry = is_asked_for.then(|| telemetry::start(&loaded)).transpose()?;
    loaded.config.serve.data_dir.clone_from(&home.dir);
    loaded.config.serve.listen = asked.listen.unwrap_or_else(usual_or_free);
    let ended = runtime(&loaded)?.block_on(live(asked, &loaded, talk));
    home.leave(asked.keep, talk);
    ended.map(|()| Outcome::Done)
}

async fn live(asked: &Try, loaded: &Loaded, talk: Talk) -> Result<(), Failure> {
    let (seed, accounts) = (asked.seed, asked.accounts);
    let organisation = tokio::task::spawn_blocking(move || Organisation::new(seed, accounts, now()));
    let organisation = organisation
        .await
        .map_err(|_| Failure::new(Trouble::Bug, "the organisation could not be invented"))?;
    let running = Running::start(loaded).await?;
    let product = running.server().product();
    let past = organisation.past.chunks(LINES);
    for some in past {
        send(&product, some).await?;
    }
    running.server().settle().await?;
    tell(&product, &organisation, accounts, talk).await?;
    talk.line(format_args!("\nThe console: {BOLD}{}{RESET}", running.url()));
    if let Some(link) = running.link() {
        talk.line(format_args!(
            "Sign in:     {BOLD}{}{link}{RESET}  {FAINT}(works once, within 15 minutes){RESET}",
            running.url()
        ));
    }
    talk.line(format_args!(
        "Life goes on, {PACE} times faster than it was. Ctrl-C ends it."
    ));
    let life = tokio::spawn(go_on(product, organisation));
    let served = running.serve(|| Ok(loaded.clone())).await;
    life.abort();
    served
}

/// What was found in the past, and how much of what was planted.
async fn tell(
    product: &Product,
    organisation: &Organisation,
    accounts: u32,
    talk: Talk,
) -> Result<(), Failure> {
    let past = organisation.past.len();
    let query = FindingsQuery {
        limit: Some(200),
        ..FindingsQuery::default()
    };
    let who = visitor();
    let page = product.desk.findings(&who, &query).await.map_err(refused)?;
    let mut caught: BTreeSet<Planted> = BTreeSet::new();
    for row in &page.items {
        let finding = product.desk.finding(&who, &row.id).await.map_err(refused)?;
        let attacks = finding
            .events
            .iter()
            .filter_map(|event| organisation.planted.get(&event.uid));
        caught.extend(attacks);
    }
    let of = |one: &Labelled| organisation.planted.get(one.event.uid.as_str()).copied();
    let planted: BTreeSet<Planted> = organisation.past.iter().filter_map(of).collect();
    talk.line(format_args!(
        "An invented organisation: {accounts} accounts, {} days, {past} events, {} attacks hidden in them.",
        organisation::PAST_DAYS,
        planted.len()
    ));
    talk.line(format_args!(
        "{BOLD}{} findings{RESET}, and {BOLD}{} of the {} attacks{RESET} are among them{}. The worst:\n",
        page.total
            .unwrap_or(u64::try_from(page.items.len()).unwrap_or(u64::MAX)),
        caught.len(),
        planted.len(),
        missed(planted.difference(&caught))
    ));
    for row in page.items.iter().take(5) {
        let finding = product.desk.finding(&who, &row.id).await.map_err(refused)?;
        talk.line(format_args!("{RED}{:5.1}{RESET}  {}", row.risk_score, row.title));
        talk.line(format_args!("       {FAINT}{}{RESET}", finding.sentence));
    }
    Ok(())
}

/// What was not found, by kind.
fn missed<'a>(attacks: impl Iterator<Item = &'a Planted>) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for attack in attacks {
        *kinds.entry(attack.kind.name()).or_default() += 1;
    }
    if kinds.is_empty() {
        return String::new();
    }
    let told = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.replace('_', " ")));
    format!(" (missed: {})", told.collect::<Vec<_>>().join(", "))
}

/// Plays the present until it has caught up with the clock, and then as it comes.
async fn go_on(product: Product, organisation: Organisation) {
    let began = now().as_millis();
    let begins = organisation.begins.as_millis();
    for one in organisation.present {
        loop {
            let passed = now().as_millis() - began;
            let reached = (begins + passed * PACE).min(now().as_millis());
            let ahead = one.event.time.as_millis() - reached;
            if ahead <= 0 {
                break;
            }
            let wait = u64::try_from((ahead / PACE).clamp(50, 10_000)).unwrap_or(1_000);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        if let Err(failure) = send(&product, std::slice::from_ref(&one)).await {
            tracing::warn!(%failure, "an invented event was not taken");
        }
    }
}

async fn send(product: &Product, events: &[Labelled]) -> Result<(), Failure> {
    let submission = Submission {
        who: visitor(),
        source: Some(SOURCE),
        format: Some(Text::const_new("ocsf")),
        content: Content::Whole(Bytes::from(lines(events.iter()))),
    };
    product.intake.ingest(submission).await.map(drop).map_err(refused)
}

fn visitor() -> Who {
    Who {
        name: Text::const_new("habitus try"),
        tenant: TenantId::default(),
        address: None,
        request: Text::const_new("try"),
    }
}

fn refused(refusal: habitus_console::product::Refusal) -> Failure {
    Failure::new(Trouble::Bug, format!("the demonstration was refused: {refusal}"))
}

/// The usual address, or a free port if something listens there.
fn usual_or_free() -> SocketAddr {
    let usual = crate::config::Serve::default().listen;
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::new(usual.ip(), 0),
    }
}

/// Where the data is.
struct Home {
    dir: PathBuf,
    temporary: Option<tempfile::TempDir>,
    /// The directory was made for this.
    is_ours: bool,
}

impl Home {
    fn new(asked: &Try) -> Result<Self, Failure> {
        if let Some(dir) = &asked.dir {
            let is_ours = !dir.exists();
            return Ok(Self {
                dir: dir.clone(),
                temporary: None,
                is_ours,
            });
        }
        let made = tempfile::Builder::new().prefix("habitus-try-").tempdir();
        let made = made.map_err(|error| {
            let message = format!("cannot make a directory for the demonstration: {error}");
            Failure::new(Trouble::Unavailable, message).help("name one with --dir")
        })?;
        Ok(Self {
            dir: made.path().to_owned(),
            temporary: Some(made),
            is_ours: true,
        })
    }

    /// Removes what was made, unless it is to be kept. A directory that was there before is left alone.
    fn leave(self, keep: bool, talk: Talk) {
        if keep {
            if let Some(temporary) = self.temporary {
                drop(temporary.keep());
            }
            talk.line(format_args!(
                "Kept: habitus serve --data-dir {}",
                self.dir.display()
            ));
            return;
        }
        if self.temporary.is_none() && self.is_ours {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_sim::ScenarioKind;

    #[test]
    fn what_was_missed_is_told_by_kind() {
        let attack = |kind, campaign| Planted { kind, campaign };
        let attacks = [
            attack(ScenarioKind::LowAndSlow, 3),
            attack(ScenarioKind::DormantAccount, 4),
            attack(ScenarioKind::LowAndSlow, 5),
        ];
        assert_eq!(
            missed(attacks.iter()),
            " (missed: 1 dormant account, 2 low and slow)"
        );
        assert_eq!(missed([].iter()), "");
    }
}
