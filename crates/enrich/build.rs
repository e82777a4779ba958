//! Turns the user-agent rules of the `ua-parser` package into Rust constants.
//!
//! That package carries uap-core's `regexes.yaml` (Apache-2.0) but exports nothing of it. So this script asks cargo
//! where the package lies and compiles the rules from there; no copy of them is kept here, and a new release of the
//! package brings its rules along. Beside each rule stands what a text must hold for it. The date of the embedded
//! location data is read in the same way.

#[path = "build/required.rs"]
mod required;

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use yaml_rust2::{Yaml, YamlLoader};

/// Lists of `regexes.yaml` with the fields we read of each, in the order in which `rules.rs` unpacks them.
const LISTS: [(&str, &str, &[&str]); 3] = [
    (
        "user_agent_parsers",
        "USER_AGENT",
        &["regex", "family_replacement", "v1_replacement", "v2_replacement"],
    ),
    (
        "os_parsers",
        "OS",
        &[
            "regex",
            "os_replacement",
            "os_v1_replacement",
            "os_v2_replacement",
        ],
    ),
    (
        "device_parsers",
        "DEVICE",
        &[
            "regex",
            "regex_flag",
            "device_replacement",
            "brand_replacement",
            "model_replacement",
        ],
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let packages = packages(&here)?;
    let (rules_dir, rules_version) = package(&packages, "ua-parser").ok_or("package ua-parser not found")?;
    let rules_file = rules_dir.join("uap-core/regexes.yaml");
    let yaml = YamlLoader::load_from_str(&fs::read_to_string(&rules_file)?)?;
    let document = yaml.first().ok_or("regexes.yaml is empty")?;

    let mut out = String::new();
    for (key, name, fields) in LISTS {
        write_list(&mut out, &document[key], (key, name, fields))?;
    }
    let released = package(&packages, "tor-geoip-db").and_then(|(dir, _)| location_data_date(&dir));
    if env::var_os("CARGO_FEATURE_EMBEDDED_GEOIP").is_some() {
        writeln!(
            out,
            "pub(crate) const LOCATION_DATA_DATE: &str = {:?};",
            released.unwrap_or_else(|| "unknown".to_owned())
        )?;
    }
    writeln!(out, "pub(crate) const RULES_VERSION: &str = {rules_version:?};")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("rules.rs"), out)?;

    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/required.rs");
    println!("cargo::rerun-if-changed={}", rules_file.display());
    println!(
        "cargo::rerun-if-changed={}",
        here.join("../../Cargo.lock").display()
    );
    Ok(())
}

/// Every package of the build, as `cargo metadata` lists them. First without touching network or lock file: what is
/// built has been fetched and locked. Only where other members of the workspace were not yet, cargo may fetch them.
fn packages(here: &Path) -> Result<serde_json::Value, Box<dyn Error>> {
    let mut refusal = String::new();
    for leave in [Some("--frozen"), Some("--offline"), None] {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version=1", "--filter-platform"])
            .arg(env::var("TARGET")?)
            .args(leave)
            .arg("--manifest-path")
            .arg(here.join("Cargo.toml"))
            .output()?;
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout)?);
        }
        refusal = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    Err(format!("cargo metadata failed: {refusal}").into())
}

/// Folder and version of a package.
fn package(metadata: &serde_json::Value, name: &str) -> Option<(PathBuf, String)> {
    let package = metadata["packages"]
        .as_array()?
        .iter()
        .find(|package| package["name"] == name)?;
    let manifest = Path::new(package["manifest_path"].as_str()?);
    Some((
        manifest.parent()?.to_owned(),
        package["version"].as_str()?.to_owned(),
    ))
}

fn write_list(
    out: &mut String,
    list: &Yaml,
    (key, name, fields): (&str, &str, &[&str]),
) -> Result<(), Box<dyn Error>> {
    let parsers = list.as_vec().ok_or_else(|| format!("{key} is not a list"))?;
    writeln!(
        out,
        "pub(crate) static {name}: [[Option<&str>; {}]; {}] = [",
        fields.len(),
        parsers.len()
    )?;
    for parser in parsers {
        let row = fields
            .iter()
            .map(|field| text(&parser[*field]))
            .collect::<Vec<_>>();
        writeln!(out, "    {row:?},")?;
    }
    writeln!(out, "];")?;
    write_choices(out, parsers, name)
}

/// What a text must hold for each rule of a list.
fn write_choices(out: &mut String, parsers: &[Yaml], name: &str) -> Result<(), Box<dyn Error>> {
    writeln!(
        out,
        "pub(crate) static {name}_CHOICES: [&[&[&str]]; {}] = [",
        parsers.len()
    )?;
    for parser in parsers {
        let pattern = text(&parser["regex"]).unwrap_or_default();
        let choices = required::choices(&pattern, text(&parser["regex_flag"]).is_some())?;
        write!(out, "    &[")?;
        for choice in choices {
            write!(out, "&{choice:?}, ")?;
        }
        writeln!(out, "],")?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// Versions in replacements are sometimes written as bare numbers.
fn text(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Real(number) => Some(number.clone()),
        _ => None,
    }
}

/// `Wed, 23 Sep 2026 04:35:31 GMT` from the export header that the package carries.
fn location_data_date(dir: &Path) -> Option<String> {
    let header = fs::read_to_string(dir.join("doc/export-info-v4.txt")).ok()?;
    let line = header
        .lines()
        .find_map(|line| line.trim().strip_prefix("Generated:"))?;
    Some(line.trim().to_owned())
}
