//! `cargo xtask deb`: the Debian package, with dpkg-deb and nothing else.
//!
//! What goes in stands in `[package.metadata.deb]` of the app's manifest, as cargo-deb reads it; of its keys only those
//! that are used there are known here. The same sources give the same package, byte for byte.

mod manifest;
#[cfg(test)]
mod tests;

use manifest::{Asset, Deb, Manifest};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What is asked.
#[derive(Debug, Default)]
struct Asked<'a> {
    /// The program to pack; absent means a release build.
    binary: Option<&'a str>,
    /// Where the package goes.
    out: Option<&'a str>,
}

/// `cargo xtask deb [--binary FILE] [--out DIR]`.
pub fn command(root: &Path, options: &[&str]) -> ExitCode {
    let asked = match options {
        [] => Asked::default(),
        ["--binary", file] => Asked {
            binary: Some(*file),
            out: None,
        },
        ["--out", dir] => Asked {
            binary: None,
            out: Some(*dir),
        },
        ["--binary", file, "--out", dir] | ["--out", dir, "--binary", file] => Asked {
            binary: Some(*file),
            out: Some(*dir),
        },
        _ => {
            eprintln!("usage: cargo xtask deb [--binary FILE] [--out DIR]");
            return ExitCode::from(2);
        }
    };
    match make(root, &asked) {
        Ok(package) => {
            println!("{}", package.display());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the program if none is given, and packs it.
fn make(root: &Path, asked: &Asked<'_>) -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = root.join(target);
    let binary = match asked.binary {
        Some(binary) => PathBuf::from(binary),
        None => release(root, &target)?,
    };
    let out = asked.out.map_or_else(|| target.join("debian"), PathBuf::from);
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    pack(root, &binary, &out, &Manner::of_release(root))
}

/// How a package is written.
#[derive(Debug)]
struct Manner {
    /// Compression, as dpkg-deb calls it.
    compression: &'static str,
    /// Time of its files, seconds since 1970.
    time: String,
}

impl Manner {
    /// As it is given away. Its files are of the time that the caller says (SOURCE_DATE_EPOCH, reproducible-builds.org),
    /// or of the last commit, so that equal sources give equal packages.
    fn of_release(root: &Path) -> Self {
        let committed = || {
            output(
                Command::new("git")
                    .current_dir(root)
                    .args(["log", "-1", "--format=%ct"]),
            )
        };
        let time = std::env::var("SOURCE_DATE_EPOCH").or_else(|_| committed());
        Self {
            compression: "xz",
            time: time.unwrap_or_else(|_| "0".to_owned()),
        }
    }
}

fn release(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .current_dir(root)
        .args(["build", "--release", "--locked", "--package", "habitus"]);
    run(&mut build)?;
    Ok(target.join("release/habitus"))
}

/// Packs the program `binary` into a file in `out`.
fn pack(root: &Path, binary: &Path, out: &Path, manner: &Manner) -> Result<PathBuf, String> {
    let manifest = Manifest::read(root)?;
    let deb = &manifest.deb;
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let name = format!("{}_{}_{architecture}", manifest.name, manifest.version);
    let tree = out.join(format!("{name}.tree"));
    remove(&tree).map_err(|error| format!("{}: {error}", tree.display()))?;
    for asset in &deb.assets {
        place(root, binary, asset, &tree).map_err(|error| format!("{}: {error}", asset.source))?;
    }
    let control = Control {
        manifest: &manifest,
        architecture: &architecture,
        root,
    };
    control
        .write(&tree)
        .map_err(|error| format!("control files: {error}"))?;
    let package = out.join(format!("{name}.deb"));
    let mut build = Command::new("dpkg-deb");
    build
        .env("SOURCE_DATE_EPOCH", &manner.time)
        .arg(format!("-Z{}", manner.compression))
        .args(["--root-owner-group", "--build"])
        .args([&tree, &package]);
    output(&mut build)?;
    remove(&tree).map_err(|error| format!("{}: {error}", tree.display()))?;
    Ok(package)
}

/// Puts a file where the package has it.
fn place(root: &Path, binary: &Path, asset: &Asset, tree: &Path) -> io::Result<()> {
    let bytes = match asset.source.strip_prefix("target/") {
        Some("release/habitus") => fs::read(binary)?,
        Some(completions) => completions_of(binary, completions)?,
        None => fs::read(root.join("app").join(&asset.source))?,
    };
    let to = tree.join(asset.destination());
    write(&to, &bytes, asset.mode)?;
    // Debian policy 12.1: manual pages are compressed; -n leaves the time out.
    if asset.destination().starts_with("usr/share/man") {
        run(Command::new("gzip").arg("-9n").arg(&to)).map_err(io::Error::other)?;
    }
    Ok(())
}

/// What the program itself says its completions are.
fn completions_of(binary: &Path, name: &str) -> io::Result<Vec<u8>> {
    let shell = match name.rsplit('/').next() {
        Some("_habitus") => "zsh",
        Some("habitus.fish") => "fish",
        _ => "bash",
    };
    let printed = Command::new(binary).args(["completions", shell]).output()?;
    if printed.status.success() && !printed.stdout.is_empty() {
        Ok(printed.stdout)
    } else {
        Err(io::Error::other("the program prints no completions"))
    }
}

/// The files of `DEBIAN/`.
struct Control<'m> {
    manifest: &'m Manifest,
    architecture: &'m str,
    root: &'m Path,
}

impl Control<'_> {
    fn write(&self, tree: &Path) -> io::Result<()> {
        let deb = &self.manifest.deb;
        let debian = tree.join("DEBIAN");
        let copyright = tree.join(format!("usr/share/doc/{}/copyright", self.manifest.name));
        let licence = fs::read(self.root.join("LICENSE"))?;
        write(&copyright, &licence, 0o644)?;
        for script in ["postinst", "prerm", "postrm"] {
            let text = fs::read_to_string(self.root.join("app").join(&deb.maintainer_scripts).join(script))?;
            let text = text.replace("\n#DEBHELPER#\n", "");
            write(&debian.join(script), text.as_bytes(), 0o755)?;
        }
        write(
            &debian.join("conffiles"),
            (deb.conf_files.join("\n") + "\n").as_bytes(),
            0o644,
        )?;
        let (sums, bytes) = sums(tree)?;
        write(&debian.join("md5sums"), sums.as_bytes(), 0o644)?;
        write(&debian.join("control"), self.text(deb, bytes).as_bytes(), 0o644)
    }

    fn text(&self, deb: &Deb, bytes: u64) -> String {
        let Manifest {
            name,
            version,
            description,
            ..
        } = self.manifest;
        let long: String = deb
            .extended_description
            .lines()
            .map(|line| format!(" {line}\n"))
            .collect();
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {}\nMaintainer: {}\nInstalled-Size: {}\nDepends: {}\n\
             Section: {}\nPriority: {}\nDescription: {description}\n{long}",
            self.architecture,
            deb.maintainer,
            bytes.div_ceil(1024),
            deb.depends,
            deb.section,
            deb.priority,
        )
    }
}

/// `md5sums` of all files in the tree, and their bytes.
fn sums(tree: &Path) -> io::Result<(String, u64)> {
    let mut files = Vec::new();
    collect(tree, &mut files)?;
    files.sort();
    let mut bytes = 0;
    let mut command = Command::new("md5sum");
    command.current_dir(tree);
    for file in &files {
        bytes += fs::metadata(file)?.len();
        command.arg(file.strip_prefix(tree).unwrap_or(file));
    }
    let printed = output(&mut command).map_err(io::Error::other)?;
    Ok((printed + "\n", bytes))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("DEBIAN") {
            collect(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn write(to: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    for directory in to.ancestors().skip(1) {
        if directory.exists() {
            break;
        }
        // The umask must not decide who may enter directories of the package.
        fs::create_dir_all(directory)?;
    }
    fs::write(to, bytes)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}

fn remove(tree: &Path) -> io::Result<()> {
    match fs::remove_dir_all(tree) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{:?}: {status}", command.get_program())),
        Err(error) => Err(format!("{:?}: {error}", command.get_program())),
    }
}

/// What a command prints, without the last line feed.
fn output(command: &mut Command) -> Result<String, String> {
    let printed = command
        .output()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if printed.status.success() {
        Ok(String::from_utf8_lossy(&printed.stdout).trim_end().to_owned())
    } else {
        let problem = String::from_utf8_lossy(&printed.stderr);
        Err(format!("{:?}: {}", command.get_program(), problem.trim_end()))
    }
}
