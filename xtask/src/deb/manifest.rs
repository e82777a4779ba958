//! `[package.metadata.deb]` of the app's manifest.

use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// What the package is called and what it holds.
#[derive(Debug)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// The workspace's version.
    pub version: String,
    /// One line about it.
    pub description: String,
    /// The rest.
    pub deb: Deb,
}

/// Keys as cargo-deb names them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Deb {
    /// Name and address.
    pub maintainer: String,
    /// Who has the copyright. Read by cargo-deb; the licence file says it here.
    #[expect(dead_code, reason = "a key for cargo-deb that must be allowed to be there")]
    pub copyright: String,
    /// The licence. Read by cargo-deb.
    #[expect(dead_code, reason = "a key for cargo-deb that must be allowed to be there")]
    pub license_file: (String, String),
    /// Debian section.
    pub section: String,
    /// Debian priority.
    pub priority: String,
    /// Packages it needs.
    pub depends: String,
    /// Some lines about it.
    pub extended_description: String,
    /// Files that an administrator changes.
    pub conf_files: Vec<String>,
    /// Folder of `postinst` and the like.
    pub maintainer_scripts: PathBuf,
    /// Files, with where they go.
    pub assets: Vec<Asset>,
}

/// A file of the package.
#[derive(Debug, Deserialize)]
#[serde(try_from = "(String, String, String)")]
pub struct Asset {
    /// Where it is, from the app's folder; below `target/` it is built.
    pub source: String,
    /// Where it goes: a folder if it ends with `/`.
    pub to: String,
    /// Its permissions.
    pub mode: u32,
}

impl TryFrom<(String, String, String)> for Asset {
    type Error = String;

    fn try_from((source, to, mode): (String, String, String)) -> Result<Self, String> {
        let mode = u32::from_str_radix(&mode, 8).map_err(|_| format!("`{mode}` is no octal mode"))?;
        Ok(Self { source, to, mode })
    }
}

impl Asset {
    /// Where it goes, with its name.
    pub fn destination(&self) -> String {
        let name = self.source.rsplit('/').next().unwrap_or(&self.source);
        if self.to.ends_with('/') {
            format!("{}{name}", self.to)
        } else {
            self.to.clone()
        }
    }
}

#[derive(Deserialize)]
struct App {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    description: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    deb: Deb,
}

#[derive(Deserialize)]
struct Root {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    package: Version,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Manifest {
    /// Reads the manifests of the app and of the workspace at `root`.
    ///
    /// # Errors
    /// A sentence, when one cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let app: App = parse(&root.join("app/Cargo.toml"))?;
        let workspace: Root = parse(&root.join("Cargo.toml"))?;
        Ok(Self {
            name: app.package.name,
            version: workspace.workspace.package.version,
            description: app.package.description,
            deb: app.package.metadata.deb,
        })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
