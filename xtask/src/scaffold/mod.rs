//! `cargo xtask new format|feature|detector NAME`: a new part with its file, its line in the list, its fixtures.
//!
//! The part compiles at once and does nothing; its own test fails until somebody writes it. Everything is checked
//! before anything is written.

mod list;
mod parts;

use parts::{KINDS, Kind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Longest name, characters: it becomes a metric label and a folder.
const NAME_LENGTH_MAX: usize = 32;

/// One file to write, with its whole content.
#[derive(Debug, PartialEq, Eq)]
struct Write {
    path: PathBuf,
    content: String,
}

/// Runs the command and tells what to do next.
pub fn command(root: &Path, kind: &str, name: &str) -> ExitCode {
    match create(root, kind, name) {
        Ok(written) => {
            for path in written {
                println!("wrote {}", path.display());
            }
            println!(
                "next: write the part, replace the fixtures, name the source in SOURCE.md, run `cargo xtask test --fast`"
            );
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Creates the part; the paths written, relative to the root.
fn create(root: &Path, kind: &str, name: &str) -> Result<Vec<PathBuf>, String> {
    let kind = KINDS
        .iter()
        .find(|known| known.name == kind)
        .ok_or_else(|| format!("no kind `{kind}`: choose format, feature or detector"))?;
    check_name(name)?;
    let writes = plan(root, kind, name)?;
    for write in &writes {
        write_file(&root.join(&write.path), &write.content)?;
    }
    Ok(writes.into_iter().map(|write| write.path).collect())
}

fn check_name(name: &str) -> Result<(), String> {
    let is_snake = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__");
    if !is_snake {
        return Err(format!(
            "`{name}` is not snake_case: letters a to z, digits, single `_` between words"
        ));
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(format!("`{name}` has more than {NAME_LENGTH_MAX} characters"));
    }
    if syn::parse_str::<syn::Ident>(name).is_err() || matches!(name, "mod" | "auto" | "tests") {
        return Err(format!("`{name}` is a reserved word"));
    }
    Ok(())
}

/// Every file with its content; fails before anything is written.
fn plan(root: &Path, kind: &Kind, name: &str) -> Result<Vec<Write>, String> {
    let list = kind.list();
    let text = read(root, &list)?;
    let here = |message: String| format!("{}: {message}", list.display());
    if list::modules(&text)
        .map_err(here)?
        .iter()
        .any(|known| known == name)
    {
        return Err(format!("there is a {} `{name}` already", kind.name));
    }
    let mut changed = list::with_module(&text, name).map_err(here)?;
    if kind.has_catalogue {
        let entry = format!("&{name}::{}", type_name(name));
        changed = list::with_entry(&changed, name, &entry).map_err(here)?;
    }
    let mut writes = vec![Write {
        path: list,
        content: changed,
    }];
    for (path, content) in kind.files {
        let path = PathBuf::from(filled(path, name));
        if root.join(&path).exists() {
            return Err(format!("`{}` exists already", path.display()));
        }
        writes.push(Write {
            path,
            content: filled(content, name),
        });
    }
    for (path, addition) in kind.appended {
        let path = PathBuf::from(path);
        let content = format!("{}\n{}", read(root, &path)?, filled(addition, name));
        writes.push(Write { path, content });
    }
    Ok(writes)
}

fn read(root: &Path, path: &Path) -> Result<String, String> {
    std::fs::read_to_string(root.join(path)).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn write_file(path: &Path, content: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("`{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    std::fs::write(path, content).map_err(told)
}

/// The template with `NAME` and `TYPE` filled in.
fn filled(template: &str, name: &str) -> String {
    template.replace("NAME", name).replace("TYPE", &type_name(name))
}

/// `one_login` becomes `OneLogin`.
fn type_name(name: &str) -> String {
    let mut result = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        result.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        result.push_str(letters.as_str());
    }
    result
}

#[cfg(test)]
mod tests;
