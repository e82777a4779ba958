//! Debian packages that tests need: installed when run as root on Debian, else named.

use std::process::{Command, Stdio};

/// A Debian package and the reason some test needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebianPackage {
    /// The package's name.
    pub name: &'static str,
    /// Which test needs it, and what for.
    pub reason: &'static str,
}

/// Sees to it that the packages are there.
///
/// # Errors
/// A sentence for the person at the terminal, when packages are missing and cannot be installed.
pub fn ensure(packages: &[DebianPackage]) -> Result<(), String> {
    let missing: Vec<DebianPackage> = packages
        .iter()
        .copied()
        .filter(|p| !is_installed(p.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        println!("missing Debian package `{}`: {}", package.name, package.reason);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let by_hand = format!(
        "run `apt-get install --no-install-recommends {}`",
        names.join(" ")
    );
    if !is_root() {
        return Err(by_hand);
    }
    let installed = succeeds(Command::new("apt-get").args(["update", "-qq"]))
        && succeeds(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "--yes", "--no-install-recommends"])
                .args(&names),
        );
    if installed { Ok(()) } else { Err(by_hand) }
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output();
    query.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
