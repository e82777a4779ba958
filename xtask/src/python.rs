//! What is written in Python, in virtual environments below `target`: each is made once for its list of versions.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A virtual environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environment {
    /// The list of versions, which is also what says whether an environment is the right one.
    requirements: &'static str,
    /// Where it is.
    place: &'static str,
}

/// What asks a server everything that its description allows.
pub const SCHEMATHESIS: Environment = Environment {
    requirements: "app/tests/schemathesis/requirements.txt",
    place: "target/schemathesis",
};

/// What replay is measured beside.
pub const PEERS: Environment = Environment {
    requirements: "bench/peers/requirements.txt",
    place: "target/peers",
};

/// Sees to it that an environment is there.
///
/// # Errors
/// Why it is not, and how to mend it.
pub fn prepare(root: &Path, environment: Environment) -> Result<(), String> {
    let Environment { requirements, place } = environment;
    let shown = place;
    let place = root.join(place);
    let asked = root.join(requirements);
    let installed = place.join("installed.txt");
    let wanted = fs::read(&asked).map_err(|error| format!("{requirements} cannot be read: {error}"))?;
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    println!("   making {shown}");
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&place);
    run(&mut make)
        .map_err(|why| format!("python3 makes no virtual environment (Debian: python3-venv): {why}"))?;
    let mut install = Command::new(place.join("bin/pip"));
    install
        .args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ])
        .arg("--requirement")
        .arg(&asked);
    run(&mut install).map_err(|why| format!("pip cannot install it: {why}"))?;
    fs::write(&installed, wanted).map_err(|error| format!("{shown} cannot be written: {error}"))
}

/// Runs a command; the last line it says if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    })
    .into_owned();
    let last = told.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.unwrap_or("it says nothing").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (environment, one) in [(SCHEMATHESIS, "schemathesis"), (PEERS, "duckdb")] {
            let text = fs::read_to_string(root.join(environment.requirements)).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let names: Vec<&str> = lines.map(|line| line.split_once("==").unwrap().0).collect();
            assert!(names.contains(&one), "{names:?}");
        }
    }

    #[test]
    fn an_environment_of_the_same_versions_is_used_again_and_trouble_is_told() {
        let dir = std::env::temp_dir().join(format!("habitus-xtask-{}", std::process::id()));
        fs::create_dir_all(dir.join("app/tests/schemathesis")).unwrap();
        fs::create_dir_all(dir.join(SCHEMATHESIS.place)).unwrap();
        assert!(
            prepare(&dir, SCHEMATHESIS)
                .unwrap_err()
                .contains("cannot be read")
        );
        fs::write(dir.join(SCHEMATHESIS.requirements), "nothing==1\n").unwrap();
        fs::write(dir.join(SCHEMATHESIS.place).join("installed.txt"), "nothing==1\n").unwrap();
        assert_eq!(prepare(&dir, SCHEMATHESIS), Ok(()));
        fs::remove_dir_all(&dir).unwrap();
        let told = run(Command::new("sh").args(["-c", "echo first >&2; echo why >&2; exit 1"]));
        assert_eq!(told, Err("why".to_owned()));
    }
}
