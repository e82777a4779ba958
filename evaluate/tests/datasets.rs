//! The loaders on hand-made samples of the documented layouts (`fixtures/datasets`).

use habitus_evaluate::datasets::{DATASETS, Dataset, DatasetError, Input};
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Status};
use habitus_sim::{Label, Labelled, Planted, ScenarioKind};
use std::io::Cursor;

fn dataset(name: &str) -> Dataset {
    DATASETS.into_iter().find(|dataset| dataset.name == name).unwrap()
}

fn fixture(dataset: &str, file: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/datasets");
    std::fs::read(format!("{root}/{dataset}/{file}")).unwrap()
}

fn inputs(name: &str, files: &[&str]) -> Vec<Input> {
    let input = |file: &&str| Input {
        name: (*file).to_owned(),
        bytes: Box::new(Cursor::new(fixture(name, file))),
    };
    files.iter().map(input).collect()
}

fn load(name: &str, files: &[&str]) -> Vec<Labelled> {
    let rows = (dataset(name).open)(inputs(name, files)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn planted(kind: ScenarioKind, campaign: u32) -> Label {
    Label::Scenario(Planted { kind, campaign })
}

#[test]
fn rba_rows_are_logins_and_its_takeovers_attacks() {
    let rows = load("rba", &["rba-dataset.csv"]);
    assert_eq!(rows.len(), 4);
    let own = &rows[1].event;
    assert_eq!(own.time.as_millis(), 1_580_733_823_549);
    assert_eq!(own.account_id().unwrap().as_str(), "-4324475583306591935");
    assert_eq!(own.src.asn.unwrap().get(), 29_695);
    assert_eq!(
        (own.status, own.src.city.as_deref()),
        (Status::Success, Some("Oslo"))
    );
    assert_eq!(rows[0].event.src.city, None, "a dash is no city");
    assert!(!rows[0].label.is_attack() && rows[0].event.status == Status::Failure);
    assert_eq!(rows[2].label, planted(ScenarioKind::CredentialStuffing, 0));
    assert_eq!(rows[3].label, planted(ScenarioKind::TakeoverCampaign, 5));
}

#[test]
fn lanl_authentications_are_the_red_teams_where_it_says_so() {
    let rows = load("lanl", &["auth.txt", "redteam.txt"]);
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[1].event.account.kind, AccountKind::Service);
    let attacks: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.label.is_attack())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(attacks, [3]);
    assert_eq!(rows[3].event.auth.logon_type, LogonType::Network);
    assert_eq!(
        rows[3].event.service.as_ref().unwrap().name.as_deref(),
        Some("C1003")
    );
    assert_eq!(rows[4].event.status, Status::Failure);
    assert_eq!(
        rows[4].event.target.as_ref().unwrap().name.as_deref(),
        Some("U748@DOM1")
    );
}

#[test]
fn cert_files_are_one_log_in_order_of_time() {
    let rows = load(
        "cert",
        &["http.csv", "logon.csv", "insiders.csv", "file.csv", "device.csv"],
    );
    let actions: Vec<&str> = rows.iter().map(|row| row.event.action.as_str()).collect();
    let expected = [
        "logon",
        "http_request",
        "file_copy",
        "logoff",
        "logon",
        "device_connect",
        "device_disconnect",
    ];
    assert_eq!(actions, expected);
    let site = rows[1].event.resources[0].name.as_deref();
    assert_eq!(site, Some("news.example.com"));
    let attacks = rows
        .iter()
        .filter(|row| row.label == planted(ScenarioKind::InsiderExploration, 0));
    assert_eq!(attacks.count(), 3, "all that the insider does in that time");
}

#[test]
fn clue_lines_are_logins_and_requests() {
    let rows = load("clue", &["clue.json"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].event.activity.class_uid(), 3002);
    assert_eq!(rows[0].event.src.country.as_deref(), Some("AT"));
    assert_eq!(rows[1].event.activity.class_uid(), 6003);
    assert_eq!(rows[1].event.resources[0].name.as_deref(), Some("/proj/site.ods"));
    assert!(rows.iter().all(|row| !row.label.is_attack()));
}

/// As its authors do: what one user does from a moment on is done in another's name.
#[test]
fn clue_accounts_are_hijacked_by_switching_users() {
    let mut text = String::new();
    for user in 0..25 {
        for nth in 0..130 {
            let (hour, minute) = (nth / 60, nth % 60);
            text += &format!(
                "{{\"params\":{{\"path\":\"/a\"}},\"type\":\"file_accessed\",\"time\":\"2018-01-{:02}T{hour:02}:{minute:02}:00Z\",\
                 \"uid\":\"user-{user}\",\"id\":1}}\n",
                user + 1
            );
        }
    }
    let input = Input {
        name: "clue.json".to_owned(),
        bytes: Box::new(Cursor::new(text.into_bytes())),
    };
    let rows: Vec<Labelled> = (dataset("clue").open)(vec![input])
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let attacks: Vec<&Labelled> = rows.iter().filter(|row| row.label.is_attack()).collect();
    // The tenth and the twentieth user take the names of those before them, for their last 30 events.
    assert_eq!(attacks.len(), 60);
    assert_eq!(attacks[0].event.account.name.as_deref(), Some("user-8"));
    assert_eq!(attacks[59].event.account.name.as_deref(), Some("user-18"));
}

#[test]
fn what_is_not_as_documented_is_an_error_that_names_line_and_field() {
    let broken = String::from_utf8(fixture("rba", "rba-dataset.csv"))
        .unwrap()
        .replace("2020-02-04 08:00:00.000", "43:30.8");
    let input = Input {
        name: "rba-dataset.csv".to_owned(),
        bytes: Box::new(Cursor::new(broken.into_bytes())),
    };
    let error = (dataset("rba").open)(vec![input])
        .unwrap()
        .find_map(Result::err)
        .unwrap();
    assert_eq!(
        error.to_string(),
        "line 5 of `rba-dataset.csv`: `time` is not as documented"
    );
    let missing = (dataset("lanl").open)(inputs("lanl", &["auth.txt"]))
        .err()
        .unwrap();
    assert!(matches!(missing, DatasetError::Missing("redteam", _)));
}
