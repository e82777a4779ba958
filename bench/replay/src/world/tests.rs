use super::*;
use habitus_normalize::{FormatChoice, Normalizer, Options};

fn asked(kind: Kind) -> Generate {
    Generate {
        kind,
        events: 2_000,
        accounts: 500,
        seed: 9,
        out: PathBuf::new(),
    }
}

fn log(kind: Kind) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    write(&asked(kind), &path).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(log(Kind::Login), log(Kind::Login));
}

#[test]
fn events_have_the_size_that_the_table_says_and_are_understood() {
    for (kind, bytes) in [(Kind::Login, 350), (Kind::Ocsf, 700)] {
        let log = log(kind);
        let mean = log.len() / 2_000;
        assert!(mean.abs_diff(bytes) < bytes / 10, "{kind:?}: {mean}");
        let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
        let mut events = Vec::new();
        for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            normalizer.normalize(line, 1, &mut events).unwrap();
        }
        assert_eq!(events.len(), 2_000);
        let told = |event: &habitus_model::Event| event.account_id().is_some() && event.src.asn.is_some();
        assert!(events.iter().all(told), "{kind:?}");
    }
}

#[test]
fn logins_of_one_account_are_alike_and_those_of_others_are_not() {
    let spots = |account| (0..100).map(move |before| Login::after(account, before, (0, 0)).spot);
    let home = spots(7).next().unwrap().city;
    assert!(spots(7).all(|spot| spot.city == home));
    let distinct: std::collections::BTreeSet<_> = spots(7).map(|spot| spot.address).collect();
    assert!((3..40).contains(&distinct.len()), "{distinct:?}");
    assert!(!spots(8).any(|spot| distinct.contains(&spot.address)));
}

#[test]
fn a_log_that_is_kept_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut asked = asked(Kind::Login);
    asked.out = dir.path().to_path_buf();
    let path = kept(&asked).unwrap();
    assert_eq!(fs::read(&path).unwrap(), log(Kind::Login));
    fs::write(&path, "another").unwrap();
    assert_eq!(kept(&asked).unwrap(), path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "another");
    asked.seed += 1;
    assert_ne!(kept(&asked).unwrap(), path);
}

#[test]
fn few_accounts_do_most_of_the_logins() {
    let mut counts = [0_u32; 500];
    for login in World::new(&asked(Kind::Login)) {
        counts[usize::try_from(login.account).unwrap()] += 1;
    }
    let busy: u32 = counts[..50].iter().sum();
    assert!((600..1_400).contains(&busy), "{busy}");
}
