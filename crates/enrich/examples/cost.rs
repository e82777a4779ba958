//! What a context costs: `cargo run --release -p habitus-enrich --example cost [CITY.mmdb]`.

use habitus_enrich::{Enricher, Tables, client};
use habitus_model::{Activity, Event, EventTime, EventUid, SourceName, Status, Text, User};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#5.15.0 md/arch#x86_64 lang/python#3.11.9",
    "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (first_use, ()) = timed(|| drop(black_box(client::of_user_agent("kubectl/v1"))));
    let mut tables = Tables::builder();
    if let Some(path) = std::env::args_os().nth(1) {
        tables = tables.city_mmdb(std::fs::read(path)?)?;
    }
    let tables = Arc::new(tables.build());
    let events = events(4_000)?;
    let cold = per_event(
        &events,
        |event, enricher| drop(black_box(enricher.context(event))),
        &tables,
        0,
    );
    let warm = per_event(
        &events,
        |event, enricher| drop(black_box(enricher.context(event))),
        &tables,
        50,
    );
    let (agents, ()) = timed(|| {
        for agent in AGENTS.iter().cycle().take(4_000) {
            black_box(client::of_user_agent(agent));
        }
    });
    report("rules, first use", first_use);
    report("context, every address new, per event", cold);
    report("context, everything seen before, per event", warm);
    report("user agent without cache", agents / 4_000);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn report(what: &str, time: Duration) {
    println!("{what}: {time:?}");
}

/// Processor time of this thread, so that other work on the machine does not count; Linux only, else wall time.
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let result = work();
    (now().saturating_sub(start), result)
}

#[expect(clippy::disallowed_methods, reason = "measuring time is the point")]
fn now() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_processor = schedule.and_then(|text| text.split(' ').next()?.parse().ok());
    on_processor.map_or_else(
        || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default()
        },
        Duration::from_nanos,
    )
}

/// Time per event over `rounds` rounds after one to warm up; with no rounds, that of the first.
fn per_event(
    events: &[Event],
    work: impl Fn(&Event, &mut Enricher),
    tables: &Arc<Tables>,
    rounds: u32,
) -> Duration {
    let mut enricher = Enricher::new(tables.clone());
    let mut round = || events.iter().for_each(|event| work(event, &mut enricher));
    let (first, ()) = timed(&mut round);
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    if rounds == 0 {
        return first / count;
    }
    let (all, ()) = timed(|| (0..rounds).for_each(|_| round()));
    all / rounds / count
}

fn events(count: u32) -> Result<Vec<Event>, Box<dyn std::error::Error>> {
    let time = EventTime::from_millis(1_767_225_600_000).ok_or("time")?;
    let mut events = Vec::new();
    for (n, agent) in (0..count).zip(AGENTS.iter().cycle()) {
        let login = Activity::from_ocsf(3002, 1);
        let mut event = Event::new(EventUid::new("1"), time, SourceName::new("okta"), login, "login");
        event.status = Status::Success;
        event.account = User::by_name(&format!("user{}@example.com", n % 997)).unwrap_or_default();
        event.src.ip = Some(Ipv4Addr::from_bits(0x0800_0000 + n * 65_537).into());
        event.client.user_agent = Some(Text::new(agent));
        events.push(event);
    }
    Ok(events)
}
