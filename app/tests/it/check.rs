//! `habitus check config` and `habitus completions`.

use crate::support::Place;
use serde_json::Value;

#[test]
fn a_sound_configuration_holds() {
    let place = Place::new();
    place.write("offices.txt", "203.0.113.0/24 # Berlin\n");
    place.write("c.toml", "[[enrich.ip_list]]\nname = 'offices'\nkind = 'corporate'\npath = 'offices.txt'\n[replay]\nthreads = 3\n");
    let ended = place.run(&["check", "config", "c.toml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    let printed = place.run(&["check", "config", "c.toml", "--print-config"]).ok();
    assert!(
        printed.contains("replay.threads = 3 # file")
            && printed.contains("findings.window_hours = 24 # default"),
        "{printed}"
    );
    place.write("printed.toml", &printed);
    place.run(&["check", "config", "printed.toml"]).ok();
}

#[test]
fn every_problem_is_shown_where_it_stands() {
    let place = Place::new();
    place.write("c.toml", "[findings]\nfrom_scor = 50\n\n[replai]\n");
    let ended = place.run(&["check", "config", "c.toml"]);
    assert_eq!(ended.code, 78);
    for text in [
        "did you mean `from_score`?",
        "did you mean `replay`?",
        "c.toml:2:1",
        "c.toml:4:2",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    let json = place.run(&["check", "config", "c.toml", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["ok"], json["problems"].as_array().unwrap().len()),
        (&Value::Bool(false), 2)
    );
    assert_eq!(json["problems"][0]["line"], 2);
}

#[test]
fn files_that_are_named_are_looked_at_unless_offline() {
    let place = Place::new();
    place.write("bad.txt", "203.0.113.0/24\nexample.com\n");
    place.write("no.mmdb", "not a database");
    place.write("c.toml", "[enrich]\ncity_mmdb = 'no.mmdb'\nasn_mmdb = 'gone.mmdb'\n[[enrich.ip_list]]\nname = 'x'\nkind = 'tor'\npath = 'bad.txt'\n");
    let ended = place.run(&["check", "config", "c.toml"]);
    assert_eq!(ended.code, 78);
    for text in [
        "line 2 is no address",
        "gone.mmdb",
        "database cannot be read",
        "c.toml:2:",
        "c.toml:7:",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    assert_eq!(place.run(&["check", "config", "c.toml", "--offline"]).code, 0);
    assert_eq!(place.run(&["check", "config", "gone.toml"]).code, 78);
}

#[test]
fn values_that_cannot_be_are_refused() {
    let place = Place::new();
    for text in [
        "replay.memory = '1X'",
        "findings.from_score = 'high'",
        "[[enrich.ip_list]]\nname = 'a'\nkind = 'home'\npath = 'b'",
        "a = ",
        "enrich.ip_list = 3",
    ] {
        place.write("c.toml", text);
        let ended = place.run(&["check", "config", "c.toml"]);
        assert_eq!(ended.code, 78, "{text}");
        assert!(ended.stderr.contains("c.toml:"), "{text}: {}", ended.stderr);
    }
}

#[test]
fn rules_may_name_the_responders_of_the_configuration_and_no_others() {
    let place = Place::new();
    place.write(
        "habitus.toml",
        "[[responder]]\nkind = 'file'\nname = 'soc'\npath = 'a.ndjson'\n\n\
         [[exporter]]\nkind = 'ocsf'\nname = 'lake'\npath = 'b.ndjson'\n",
    );
    let check = |responder: &str, more: &[&str]| {
        place.write(
            "policy.toml",
            format!(
                "mode = \"recommend\"\n\n[[rule]]\nname = \"tell\"\nwhen = 'score >= 60'\n\
                 actions = [{{ action = \"notify\", responder = \"{responder}\" }}]\n"
            ),
        );
        let arguments = [&["check", "policy", "policy.toml"], more].concat();
        let ended = place.run(&arguments);
        (ended.code, ended.stderr)
    };
    let configured = ["--config", "habitus.toml"];
    assert_eq!(check("soc", &configured).0, 0);
    for (name, label) in [
        ("sock", "did you mean `soc`?"),
        ("lake", "an exporter: it sends findings and carries out no orders"),
        ("pager", "configured: soc"),
    ] {
        let (code, told) = check(name, &configured);
        assert_eq!(code, 78, "{told}");
        assert!(
            told.contains(label) && told.contains("policy.toml:6:45"),
            "{told}"
        );
    }
    assert_eq!(
        check("pager", &["--config", "habitus.toml", "--responder", "pager"]).0,
        0
    );
    assert_eq!(
        check("pager", &[]).0,
        0,
        "who is not told of responders does not check them"
    );
    assert_eq!(check("soc", &["--config", "gone.toml"]).0, 78);
    place.write("empty.toml", "");
    let (code, told) = check("soc", &["--config", "empty.toml"]);
    assert!(
        code == 78 && told.contains("no responder is configured"),
        "{told}"
    );
}

#[test]
fn shells_get_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]).ok();
        assert!(script.contains("replay") && script.contains("probes"), "{shell}");
    }
}
