//! Prints how often owners and attackers show something new: `cargo run --release -p habitus-sim --example novelty -- consumer 1`.

use habitus_model::{Prefix, Status};
use habitus_sim::{Label, Labelled, Regime, WorldConfig, generate};
use std::collections::{BTreeMap, BTreeSet};

/// What an account has shown so far: logins, and the values of each column.
type Seen = BTreeMap<String, (u32, BTreeSet<(usize, String)>)>;

const COLUMNS: [&str; 6] = [
    "country",
    "asn",
    "prefix",
    "address",
    "user agent",
    "country+agent",
];

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    let regime = match std::env::args().nth(1).as_deref() {
        Some("enterprise") => Regime::Enterprise,
        _ => Regime::Consumer,
    };
    let seed = std::env::args()
        .nth(2)
        .and_then(|arg| arg.parse().ok())
        .unwrap_or(1);
    let world = generate(&WorldConfig::new(seed, regime));
    let mut rows: BTreeMap<String, (u32, [u32; 6])> = BTreeMap::new();
    let mut seen = Seen::new();
    let mut probes = world.attacks().peekable();
    for labelled in world.legitimate().filter(|l| l.event.status == Status::Success) {
        while let Some(probe) = probes.next_if(|probe| probe.event.time < labelled.event.time) {
            count(&mut rows, &mut seen, &probe);
        }
        count(&mut rows, &mut seen, &labelled);
    }
    println!(
        "{:<30} {:>8} {}",
        "what",
        "logins",
        COLUMNS.map(|c| format!("{c:>14}")).join("")
    );
    for (what, (all, new)) in rows {
        let shares = new.map(|n| format!("{:>13.1}%", 100.0 * f64::from(n) / f64::from(all)));
        println!("{what:<30} {all:>8} {}", shares.join(""));
    }
}

fn count(rows: &mut BTreeMap<String, (u32, [u32; 6])>, seen: &mut Seen, labelled: &Labelled) {
    let Some(account) = labelled.event.account_id() else {
        return;
    };
    let (logins, shown) = seen.entry(account.to_string()).or_default();
    let values = values(labelled);
    let new = values.clone().map(|value| u32::from(!shown.contains(&value)));
    let [country, _, _, _, agent, _] = new;
    let new = [new[0], new[1], new[2], new[3], new[4], country & agent];
    if *logins > 0 {
        let band = match *logins {
            1 => "1",
            2..=3 => "2-3",
            4..=10 => "4-10",
            11..=50 => "11-50",
            _ => ">50",
        };
        let names = match labelled.label {
            Label::Attack(_) | Label::Scenario(_) => vec![labelled.label.name().to_owned()],
            Label::Legitimate(cohort) => {
                vec![
                    format!("owner {}", cohort.name()),
                    format!("owner after {band}"),
                    "owner".to_owned(),
                ]
            }
        };
        for name in names {
            let row = rows.entry(name).or_default();
            row.0 += 1;
            row.1.iter_mut().zip(new).for_each(|(sum, n)| *sum += n);
        }
    }
    if matches!(labelled.label, Label::Legitimate(_)) {
        *logins += 1;
        shown.extend(values);
    }
}

fn values(labelled: &Labelled) -> [(usize, String); 6] {
    let src = &labelled.event.src;
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    [
        (0, text(src.country.as_deref())),
        (1, src.asn.map(|asn| asn.to_string()).unwrap_or_default()),
        (2, src.ip.map(|ip| Prefix::of(ip).to_string()).unwrap_or_default()),
        (3, src.ip.map(|ip| ip.to_string()).unwrap_or_default()),
        (4, text(labelled.event.client.user_agent.as_deref())),
        (5, String::new()),
    ]
}
