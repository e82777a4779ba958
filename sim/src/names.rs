//! Names of people, so that a simulated log reads like a log.

use crate::machines::Trade;
use crate::rng::Rng;
use habitus_model::{AccountKind, Text, User};

const FIRST: [&str; 48] = [
    "anna", "ben", "carla", "david", "elena", "felix", "greta", "henrik", "ines", "jonas", "kaja", "lars",
    "maria", "nils", "olga", "pavel", "quentin", "rosa", "sven", "tara", "umar", "vera", "wanda", "xavier",
    "yara", "zoe", "amir", "bianca", "chen", "deepa", "emeka", "fatima", "george", "hana", "ivan", "julia",
    "kofi", "linh", "mateo", "noor", "oscar", "priya", "ravi", "sara", "tomas", "ulla", "viktor", "yuki",
];

const LAST: [&str; 48] = [
    "andersen", "becker", "costa", "dahl", "eriksen", "fischer", "garcia", "hansen", "ivanov", "jensen",
    "kumar", "larsen", "moreau", "nguyen", "olsen", "pereira", "quist", "rossi", "silva", "tanaka", "usman",
    "virtanen", "weber", "xu", "yilmaz", "zhang", "adeyemi", "berg", "cohen", "dubois", "evans", "ferrari",
    "gruber", "haas", "ito", "johnson", "kim", "lopez", "mensah", "novak", "okafor", "patel", "reyes",
    "singh", "torres", "urban", "vargas", "wong",
];

/// The user of account number `ix`. Names repeat beyond the combinations, so a number makes each unique.
pub(crate) fn user(rng: &mut Rng, ix: u32) -> User {
    let first = rng.pick(&FIRST).copied().unwrap_or("kim");
    let last = rng.pick(&LAST).copied().unwrap_or("lee");
    let name = format!("{first}.{last}{ix}");
    User {
        // example.com is reserved for examples (RFC 2606).
        email: Some(Text::new(format!("{name}@example.com"))),
        name: Some(Text::new(&name)),
        uid: Some(Text::new(format!("{:016x}", rng.bits()))),
        display_name: None,
        domain: None,
        kind: AccountKind::Human,
    }
}

/// The user of machine number `nth`.
pub(crate) fn machine(nth: u32, trade: Trade) -> User {
    let name = match trade {
        Trade::Service => format!("svc-{nth}"),
        Trade::Runner => format!("ci-{nth}"),
        Trade::Partner => format!("partner-{nth}"),
    };
    User {
        uid: Some(Text::new(format!("00000000-0000-4000-8000-{nth:012x}"))),
        name: Some(Text::new(name)),
        kind: AccountKind::Service,
        ..User::default()
    }
}

/// Name number `nth` that no account has, as lists of leaked passwords are full of them.
pub(crate) fn ghost(nth: u32) -> User {
    let rng = &mut Rng::new(u64::from(nth), "ghost", 0);
    let first = rng.pick(&FIRST).copied().unwrap_or("kim");
    let last = rng.pick(&LAST).copied().unwrap_or("lee");
    User {
        name: Some(Text::new(format!("{first}_{last}{nth}@example.net"))),
        ..User::default()
    }
}
