//! The guide's examples are real, and it names every kind and every field.

use crate::world::http::{answer, site};
use crate::world::{Room, order, responder};
use habitus_responders::Settings;
use habitus_responders::exporters::ExporterSettings;
use habitus_responders::responders::ResponderSettings;
use std::fs;

fn guide() -> String {
    fs::read_to_string(habitus_testkit::workspace_root().join("docs/responders.md")).unwrap()
}

/// The TOML blocks of a text.
fn examples(text: &str) -> Vec<String> {
    text.split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_example_is_read_by_the_real_settings() {
    let mut kinds = Vec::new();
    for example in examples(&guide()) {
        let settings: Settings =
            toml::from_str(&example).unwrap_or_else(|error| panic!("{error}\n{example}"));
        kinds.extend(settings.responder.iter().map(ResponderSettings::kind));
        kinds.extend(settings.exporter.iter().map(ExporterSettings::kind));
    }
    for kind in ResponderSettings::KINDS.iter().chain(ExporterSettings::KINDS) {
        assert!(kinds.contains(kind), "no example of `{kind}`");
    }
}

#[test]
fn every_field_stands_in_its_section() {
    let guide = guide();
    let source = habitus_testkit::workspace_root().join("crates/responders/src");
    let responders = ResponderSettings::KINDS.iter().map(|kind| ("responders", kind));
    for (folder, kind) in responders.chain(ExporterSettings::KINDS.iter().map(|kind| ("exporters", kind))) {
        let file = source.join(folder).join(format!("{kind}.rs"));
        let text = fs::read_to_string(&file)
            .or_else(|_| fs::read_to_string(source.join(folder).join(kind).join("mod.rs")));
        let text = text.unwrap();
        let body = text
            .split("pub struct Settings {")
            .nth(1)
            .unwrap()
            .split("\n}")
            .next()
            .unwrap();
        let heading = format!("\n## `{kind}`");
        let section = guide
            .split(&heading)
            .nth(1)
            .unwrap_or_else(|| panic!("no section `{kind}`"));
        let section = section.split("\n## ").next().unwrap();
        for line in body.lines().filter_map(|line| line.trim().strip_prefix("pub ")) {
            let field = line.split(':').next().unwrap();
            let common = ["name", "allow_networks", "ca_file"].contains(&field);
            assert!(
                common || section.contains(&format!("`{field}`")),
                "`{kind}` does not tell of `{field}`"
            );
        }
    }
}

/// The guide's own code accepts what we send, and nothing else.
#[tokio::test]
async fn the_shown_verification_verifies() {
    let site = site(|_, _| answer(200, &[], "")).await;
    let room = Room::new();
    let previous = room.secret("previous", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let fields = format!(
        "{}\nprevious_secret = {previous}",
        room.http_responders(&site.url()).remove(0).1
    );
    assert!(responder("webhook", &fields).carry_out(&order()).await.is_done());
    let seen = site.one();
    let guide = guide();
    let code = guide
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let headers: std::collections::BTreeMap<_, _> = seen
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let script = format!(
        "{code}\nheaders = {}\nbody = bytes({:?})\nold, new = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='\n\
         now = 1767323045\nassert verify(new, headers, body, now) and verify(old, headers, body, now + 299)\n\
         assert not verify(new, headers, body + b' ', now)\nassert not verify(new, headers, body, now + 301)\n\
         assert not verify('whsec_' + 'A' * 32, headers, body, now)\nprint('verified')",
        serde_json::to_string(&headers).unwrap(),
        seen.body
    );
    let Ok(run) = std::process::Command::new("python3")
        .args(["-c", &script])
        .output()
    else {
        println!("skipped: no python3");
        return;
    };
    assert_eq!(
        run.stdout,
        b"verified\n",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
