use super::*;
use habitus_model::hash::HashKey;

const DAY_MS: i64 = 86_400_000;
const START_MS: i64 = 1_767_225_600_000;

/// A seeded stream of numbers in `[0, 1)`.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(1);
        let bits = HashKey::REPLAY.fingerprint(&self.0) >> 11;
        habitus_model::math::from_u64(bits) / habitus_model::math::from_u64(1 << 53)
    }

    fn below(&mut self, n: u64) -> u64 {
        HashKey::REPLAY.fingerprint(&(self.unit().to_bits(), "below")) % n
    }
}

fn fp(what: &str, n: u64) -> u64 {
    HashKey::REPLAY.fingerprint(&(what, n))
}

/// Prefix, autonomous system and client family, of which the fleet is made.
type From = (u64, u64, u64);

fn showing(novelty: Novelty, account: u64, (prefix, asn, family): From, ms: i64) -> Showing {
    Showing {
        novelty,
        tenant: 0,
        keys: [
            Some(fp("prefix", prefix)),
            Some(fp("asn", asn)),
            Some(HashKey::REPLAY.fingerprint(&("fleet", asn, family))),
            None,
            Some(fp("tenant", 0)),
        ],
        account: fp("account", account),
        own_client: novelty == Novelty::Arrival,
        suspicious: false,
        line: None,
        time: EventTime::from_millis(START_MS + ms).unwrap(),
    }
}

/// The ordinary life of a tenant: logins through the working day, wrong passwords on journeys, new phones on new networks,
/// known phones on them.
struct Life {
    campaigns: Campaigns,
    chance: Chance,
    accounts: u64,
    alarms: Vec<i64>,
    changes: u64,
    named: std::collections::BTreeSet<u64>,
}

impl Life {
    fn new(seed: u64, accounts: u64) -> Self {
        Self {
            campaigns: Campaigns::default(),
            chance: Chance(seed << 32),
            accounts,
            alarms: Vec::new(),
            changes: 0,
            named: std::collections::BTreeSet::new(),
        }
    }

    fn place(&mut self) -> From {
        let asn = self.chance.below(300);
        (asn * 1_000 + self.chance.below(200), asn, self.chance.below(12))
    }

    /// One step: a login, and now and then what goes with logins.
    fn login(&mut self, ms: i64) {
        let at = EventTime::from_millis(START_MS + ms).unwrap();
        self.campaigns.tick(0, at);
        let luck = self.chance.unit();
        let novelty = match luck {
            luck if luck < 0.012 => Novelty::Guess,
            luck if luck < 0.032 => Novelty::Pair,
            luck if luck < 0.10 => Novelty::Arrival,
            _ => return,
        };
        let (account, place) = (self.chance.below(self.accounts), self.place());
        let together = self.campaigns.observe(&showing(novelty, account, place, ms));
        self.changes += u64::from(
            together
                .change
                .is_some_and(|change| self.named.insert(change.key)),
        );
        if together.guessing.is_some() && self.alarms.last().is_none_or(|last| ms - last > DAY_MS / 4) {
            self.alarms.push(ms);
        }
    }

    /// Days of life, half of all logins within four hours of the day and a third of them on weekends.
    fn live(&mut self, days: std::ops::Range<i64>, per_day: u64) {
        for day in days {
            let count = if day % 7 >= 5 { per_day / 3 } else { per_day };
            let mut times: Vec<i64> = (0..count)
                .map(|_| {
                    let hours = if self.chance.unit() < 0.5 {
                        8.0 + 4.0 * self.chance.unit()
                    } else {
                        24.0 * self.chance.unit()
                    };
                    day * DAY_MS + habitus_model::math::to_i64(hours * 3_600_000.0)
                })
                .collect();
            times.sort_unstable();
            times.into_iter().for_each(|ms| self.login(ms));
        }
    }
}

#[test]
fn ordinary_life_gives_at_most_one_false_alarm_a_month() {
    let mut alarms = 0;
    for seed in 1..=6 {
        let mut life = Life::new(seed, 3_000);
        life.live(0..90, 800);
        alarms += life.alarms.len();
    }
    assert!(alarms <= 18, "{alarms} alarms in eighteen months");
}

/// One try per account and day from two hundred addresses, spread over so many networks: accounts tried before the alarm.
fn tried_before_alarm(life: &mut Life, from_day: i64, networks: u64) -> u64 {
    let step = DAY_MS / i64::try_from(life.accounts).unwrap();
    for nth in 0..life.accounts {
        let source = nth % 200;
        let asn = 5_000 + source % networks;
        let ms = from_day * DAY_MS + step * i64::try_from(nth).unwrap();
        // The tenant lives on meanwhile.
        for _ in 0..2 {
            life.login(ms);
        }
        let guess = showing(Novelty::Guess, nth, (asn * 1_000 + source, asn, 1), ms);
        if life.campaigns.observe(&guess).guessing.is_some() {
            return nth + 1;
        }
    }
    life.accounts
}

#[test]
fn a_spray_of_one_try_a_day_is_found_before_one_account_in_a_hundred_is_tried() {
    for (accounts, networks) in [(3_000, 3), (3_000, 200), (20_000, 200)] {
        let mut life = Life::new(7, accounts);
        life.live(0..30, accounts / 4);
        let tried = tried_before_alarm(&mut life, 31, networks);
        assert!(
            tried * 100 <= accounts,
            "{tried} of {accounts} tried from {networks} networks"
        );
    }
}

#[test]
fn each_further_victim_of_a_campaign_is_surer() {
    let mut life = Life::new(3, 3_000);
    life.live(0..30, 800);
    let mut nats = Vec::new();
    for victim in 0..5_u64 {
        let ms = 31 * DAY_MS + i64::try_from(victim).unwrap() * 3_600_000;
        let from = (900_000 + victim % 2, 900, 3);
        let together = life
            .campaigns
            .observe(&showing(Novelty::Pair, 50 + victim, from, ms));
        nats.push(together.companions.map_or(0.0, |others| others.nats));
    }
    assert_eq!(nats[0], 0.0, "the first has no companions");
    assert!(nats.windows(2).all(|pair| pair[1] > pair[0]), "{nats:?}");
    assert!(nats[2] > 3.5, "the third victim: {nats:?}");
}

#[test]
fn one_victim_who_is_visited_again_is_no_campaign() {
    let mut life = Life::new(3, 3_000);
    life.live(0..30, 800);
    for hour in 0..10 {
        let again = showing(
            Novelty::Pair,
            50,
            (900_000, 900, 3),
            31 * DAY_MS + hour * 3_600_000,
        );
        assert_eq!(life.campaigns.observe(&again).companions, None);
    }
}

#[test]
fn a_vpn_that_is_rolled_out_is_no_campaign() {
    let mut life = Life::new(4, 3_000);
    life.live(0..30, 800);
    let mut worst = 0.0_f64;
    for account in 0..400_u64 {
        let ms = 31 * DAY_MS + i64::try_from(account).unwrap() * 120_000;
        // One in ten has a new computer as well.
        let novelty = if account % 10 == 9 {
            Novelty::Pair
        } else {
            Novelty::Arrival
        };
        let shown = showing(novelty, account, (800_000, 800, account % 4), ms);
        let together = life.campaigns.observe(&shown);
        worst = worst.max(together.companions.map_or(0.0, |others| others.nats));
    }
    assert!(worst < 1.0, "{worst}");
}

#[test]
fn wrong_passwords_in_a_new_office_are_no_campaign() {
    let mut life = Life::new(5, 3_000);
    life.live(0..30, 800);
    let mut alarms = 0;
    for account in 0..500_u64 {
        let ms = 31 * DAY_MS + i64::try_from(account).unwrap() * 60_000;
        let from = (700_000, 700, account % 4);
        if account % 20 == 19 {
            let guess = life
                .campaigns
                .observe(&showing(Novelty::Guess, account, from, ms));
            alarms += u32::from(guess.guessing.is_some());
        }
        life.campaigns
            .observe(&showing(Novelty::Arrival, account, from, ms));
    }
    assert_eq!(alarms, 0);
}

/// So many accounts come to a network that nobody was on, one every hour and again and again, with clients of their own but for one
/// in `foreign`: at which arrival it was taken for a change.
fn changed_after(life: &mut Life, accounts: u64, arrivals: u64, foreign: u64) -> Option<u64> {
    (0..arrivals).find(|nth| {
        let ms = 31 * DAY_MS + i64::try_from(*nth).unwrap() * 3_600_000;
        let novelty = if nth % foreign == foreign - 1 {
            Novelty::Pair
        } else {
            Novelty::Arrival
        };
        let shown = showing(novelty, 10_000 + nth % accounts, (800_000, 800, 1), ms);
        life.campaigns.observe(&shown).change.is_some()
    })
}

fn lived(seed: u64) -> Life {
    let mut life = Life::new(seed, 3_000);
    life.live(0..30, 800);
    life
}

#[test]
fn an_office_that_moves_is_a_change_once_sixteen_have_come() {
    let after = changed_after(&mut lived(4), 200, 200, 5);
    assert!(after.is_some_and(|nth| (15..30).contains(&nth)), "{after:?}");
}

#[test]
fn one_office_is_no_change_of_its_provider_and_a_vpn_with_many_exits_is() {
    let kinds = |exits: u64| {
        let mut life = lived(4);
        let mut kinds = std::collections::BTreeSet::new();
        for nth in 0..100_u64 {
            let ms = 31 * DAY_MS + i64::try_from(nth).unwrap() * 600_000;
            let from = (800_000 + nth % exits, 800, 1);
            let shown = showing(Novelty::Arrival, 10_000 + nth, from, ms);
            kinds.extend(life.campaigns.observe(&shown).change.map(|change| change.kind));
        }
        kinds.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(kinds(1), [ChangeKind::Prefix]);
    assert_eq!(kinds(25), [ChangeKind::Provider]);
}

#[test]
fn an_attacker_with_fewer_accounts_never_makes_his_network_a_change() {
    // However often he comes, and though each client fits.
    for accounts in [1, 10, 15] {
        assert_eq!(
            changed_after(&mut lived(5), accounts, 400, u64::MAX),
            None,
            "{accounts}"
        );
    }
}

#[test]
fn an_attacker_with_many_accounts_and_clients_of_his_own_does_not_either() {
    // One in two fits, which is three times as many as were measured.
    assert_eq!(changed_after(&mut lived(5), 400, 400, 2), None);
}

#[test]
fn accounts_that_stand_out_by_themselves_make_no_change_and_are_excused_by_one() {
    let from = (800_000, 800, 1);
    let odd = |nth: u64| Showing {
        suspicious: true,
        ..showing(Novelty::Arrival, 10_000 + nth, from, 31 * DAY_MS)
    };
    let mut life = lived(5);
    assert!((0..400).all(|nth| life.campaigns.observe(&odd(nth)).change.is_none()));
    let mut life = lived(5);
    assert!(changed_after(&mut life, 200, 40, u64::MAX).is_some());
    assert!(life.campaigns.observe(&odd(900)).change.is_some());
}

#[test]
fn a_change_ends_when_guesses_come_from_there_and_when_nobody_comes_any_more() {
    let from = (800_000, 800, 1);
    let mut life = lived(6);
    assert!(changed_after(&mut life, 200, 40, u64::MAX).is_some());
    let late = 31 * DAY_MS + 40 * 3_600_000;
    let arrives = |ms: i64| showing(Novelty::Arrival, 20_000, from, ms);
    assert!(life.campaigns.look(&arrives(late)).change.is_some());
    assert!(life.campaigns.look(&arrives(late + 14 * DAY_MS)).change.is_none());
    for nth in 0..40 {
        life.campaigns
            .observe(&showing(Novelty::Guess, 30_000 + nth, from, late));
    }
    assert!(life.campaigns.look(&arrives(late)).change.is_none());
}

#[test]
fn ordinary_life_names_at_most_one_change_a_year() {
    let mut named = 0;
    for seed in 11..=14 {
        let mut life = Life::new(seed, 3_000);
        life.live(0..90, 800);
        named += life.changes;
    }
    assert!(named <= 1, "{named} in a year");
}

#[test]
fn lines_that_lie_elsewhere_at_once_are_a_change_of_location_data() {
    let mut life = lived(8);
    let mut kinds = Vec::new();
    for nth in 0..40_u64 {
        let ms = 31 * DAY_MS + i64::try_from(nth).unwrap() * 60_000;
        let moved = Showing {
            line: Some(fp("line", nth)),
            ..showing(Novelty::Arrival, nth, (600_000 + nth, 600 + nth, 1), ms)
        };
        kinds.extend(life.campaigns.observe(&moved).change.map(|change| change.kind));
    }
    assert!(
        kinds.len() > 20 && kinds.iter().all(|kind| *kind == ChangeKind::Locations),
        "{kinds:?}"
    );
}

#[test]
fn a_client_of_which_nothing_is_said_moves_nobody() {
    let mut life = lived(9);
    for nth in 0..200_u64 {
        let ms = 31 * DAY_MS + i64::try_from(nth).unwrap() * 60_000;
        let shown = Showing {
            own_client: false,
            ..showing(Novelty::Arrival, nth, (800_000, 800, 1), ms)
        };
        assert_eq!(life.campaigns.observe(&shown).change, None);
    }
}

#[test]
fn looking_changes_nothing_and_state_round_trips() {
    let mut life = Life::new(6, 500);
    life.live(0..20, 300);
    let next = showing(Novelty::Pair, 7, (900_000, 900, 3), 21 * DAY_MS);
    let before = life.campaigns.state();
    let looked = life.campaigns.look(&next);
    assert_eq!(life.campaigns.state(), before);
    let mut again = Campaigns::from_state(before);
    assert_eq!(again.observe(&next), looked);
    assert_eq!(life.campaigns.observe(&next), looked);
    assert_eq!(again.state(), life.campaigns.state());
}
