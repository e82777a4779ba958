use super::*;
use crate::workspace_root;
use std::collections::BTreeSet;
use std::process::Output;

/// The program, if this workspace has built it: beside this test.
fn program() -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let program = test.parent()?.parent()?.join("habitus");
    if program.exists() {
        return Some(program);
    }
    println!("skipped: `cargo build -p habitus` first");
    None
}

/// Whether a tool is there.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        println!("skipped: {tool} is not installed");
    }
    found
}

fn ran(command: &mut Command) -> Output {
    let printed = command.output().unwrap();
    assert!(
        printed.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&printed.stdout),
        String::from_utf8_lossy(&printed.stderr)
    );
    printed
}

fn packaging(path: &str) -> PathBuf {
    workspace_root().join("packaging").join(path)
}

#[test]
fn the_package_installs_what_the_manifest_names() {
    let Some(program) = program().filter(|_| has("dpkg-deb")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let manner = Manner {
        compression: "none",
        time: "1767607200".to_owned(),
    };
    let package = pack(&workspace_root(), &program, dir.path(), &manner).unwrap();
    let root = dir.path().join("root");
    ran(Command::new("dpkg-deb").arg("-x").args([&package, &root]));
    let manifest = Manifest::read(&workspace_root()).unwrap();
    for asset in &manifest.deb.assets {
        let mut path = root.join(asset.destination());
        if path.starts_with(root.join("usr/share/man")) {
            path.as_mut_os_string().push(".gz");
        }
        let mode = fs::metadata(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, asset.mode, "{}", path.display());
    }
    let version = ran(Command::new(root.join("usr/bin/habitus")).arg("--version"));
    let version = String::from_utf8(version.stdout).unwrap();
    assert!(version.contains(&manifest.version), "{version}");
    let config = root.join("etc/habitus/habitus.toml");
    ran(Command::new(root.join("usr/bin/habitus"))
        .args(["check", "config"])
        .arg(&config));
    let completions = root.join("usr/share/bash-completion/completions/habitus");
    assert!(fs::read_to_string(completions).unwrap().contains("replay"));
    let sums = ran(Command::new("dpkg-deb").arg("--ctrl-tarfile").arg(&package));
    assert!(!sums.stdout.is_empty());
    let control = dir.path().join("control");
    ran(Command::new("dpkg-deb").arg("-e").args([&package, &control]));
    ran(Command::new("md5sum")
        .current_dir(&root)
        .args(["--check", "--quiet"])
        .arg(control.join("md5sums")));
    for script in ["postinst", "prerm", "postrm"] {
        ran(Command::new("sh").arg("-n").arg(control.join(script)));
    }
    let again = dir.path().join("again");
    fs::create_dir(&again).unwrap();
    let second = pack(&workspace_root(), &program, &again, &manner).unwrap();
    assert!(
        fs::read(&package).unwrap() == fs::read(second).unwrap(),
        "equal sources, equal packages"
    );
}

#[test]
fn the_unit_is_sound_and_hardened() {
    if !has("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let unit = dir.path().join("habitus.service");
    let text = fs::read_to_string(packaging("systemd/habitus.service")).unwrap();
    // The program need not be installed here, nor its manual page.
    let text = text.replace("/usr/bin/habitus", "/bin/true");
    fs::write(&unit, text.replace("Documentation=man:habitus(1)\n", "")).unwrap();
    let verified = ran(Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit));
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(!said.contains("habitus.service"), "{said}");
    // Exposure in tenths of the scale from 0 to 10: systemd calls up to 2.0 "OK".
    ran(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&unit));
}

#[test]
fn the_manual_page_names_every_command() {
    let Some(program) = program() else { return };
    let page = fs::read_to_string(packaging("man/habitus.1")).unwrap();
    let help = ran(Command::new(program).arg("--help"));
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help
        .split_once("Commands:\n")
        .unwrap()
        .1
        .split("\n\n")
        .next()
        .unwrap();
    let names = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_ascii_whitespace().next())
        .filter(|name| *name != "help");
    for name in names {
        assert!(
            page.contains(&format!("\n.B {name}\n")),
            "{name} is not in habitus.1"
        );
    }
}

#[test]
fn rules_and_dashboard_use_listed_metrics_only() {
    let list = fs::read_to_string(packaging("prometheus/metrics.md")).unwrap();
    let listed: BTreeSet<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    assert!(listed.len() > 20, "{listed:?}");
    let rules = fs::read_to_string(packaging("prometheus/habitus.rules.yml")).unwrap();
    let dashboard = fs::read_to_string(packaging("grafana/habitus.json")).unwrap();
    let mut used = BTreeSet::new();
    for text in [&rules, &dashboard] {
        for name in metrics_in(text) {
            let base = ["_bucket", "_count", "_sum"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix));
            let name = base.filter(|base| listed.contains(base)).unwrap_or(name);
            assert!(listed.contains(name), "{name} is not in metrics.md");
            used.insert(name);
        }
    }
    assert!(used.len() > 15, "{used:?}");
}

/// Words that begin with our prefix.
fn metrics_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .filter(|word| word.starts_with("habitus_"))
}

#[test]
fn the_dashboard_is_one_that_grafana_provisions() {
    let text = fs::read_to_string(packaging("grafana/habitus.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(dashboard["__inputs"][0]["name"], "DS_PROMETHEUS");
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(
            panel["targets"]
                .as_array()
                .is_some_and(|targets| !targets.is_empty())
        );
        let place = &panel["gridPos"];
        let at = |key: &str| place[key].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            assert!(x < 24, "{panel}");
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "panels overlap: {panel}");
            }
        }
    }
}

#[test]
fn the_alert_rules_say_what_their_tests_expect() {
    let promtool = std::env::var("HABITUS_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    if !has(&promtool) {
        return;
    }
    ran(Command::new(&promtool)
        .args(["check", "rules"])
        .arg(packaging("prometheus/habitus.rules.yml")));
    ran(Command::new(&promtool)
        .args(["test", "rules"])
        .arg(packaging("prometheus/habitus.test.yml")));
}

#[test]
fn a_manifest_with_an_unknown_key_is_refused() {
    let text = fs::read_to_string(workspace_root().join("app/Cargo.toml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("app")).unwrap();
    fs::copy(workspace_root().join("Cargo.toml"), dir.path().join("Cargo.toml")).unwrap();
    fs::write(
        dir.path().join("app/Cargo.toml"),
        text.replace("conf-files", "config-files"),
    )
    .unwrap();
    assert!(Manifest::read(dir.path()).unwrap_err().contains("config-files"));
}
