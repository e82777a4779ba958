//! What the sources of pure crates must not name. Code under `#[cfg(test)]` may.

use proc_macro2::{TokenStream, TokenTree};
use std::path::{Path, PathBuf};

/// Paths that mean I/O, a clock, the machine, or chance. A prefix stands for all below it.
const FORBIDDEN_PATHS: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net", "TcpStream"],
    &["std", "net", "TcpListener"],
    &["std", "net", "UdpSocket"],
    &["std", "net", "ToSocketAddrs"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "os"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "io", "stderr"],
    &["std", "hash", "RandomState"],
    &["std", "collections", "hash_map", "RandomState"],
    &["jiff", "Timestamp", "now"],
    &["jiff", "Zoned", "now"],
];

/// Macros that talk to the terminal.
const FORBIDDEN_MACROS: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];

/// Checks every `.rs` file below the folder; broken rules as `path: sentence`.
pub fn check_folder(root: &Path, folder: &Path) -> Vec<String> {
    let files = rust_files(folder);
    assert!(!files.is_empty(), "no Rust file below {}", folder.display());
    let mut broken = Vec::new();
    for file in files {
        let content = std::fs::read_to_string(&file).expect("a source file is text");
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        broken.extend(check(&content).into_iter().map(|what| format!("{shown}: {what}")));
    }
    broken
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Names in the source that a pure crate must not use.
fn check(content: &str) -> Vec<String> {
    let tokens: TokenStream = content.parse().expect("a source file is Rust");
    let mut broken = Vec::new();
    walk(tokens, &mut broken);
    broken
}

fn walk(tokens: TokenStream, broken: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_test_attribute(&tokens, at) {
            at = end_of_item(&tokens, at + 2);
            continue;
        }
        match token {
            TokenTree::Ident(word) => {
                check_macro(&word.to_string(), tokens.get(at + 1), broken);
                if starts_path(&tokens, at) {
                    check_path(&tokens, at, &mut Vec::new(), broken);
                }
            }
            TokenTree::Group(group) => walk(group.stream(), broken),
            _ => {}
        }
        at += 1;
    }
}

fn check_macro(word: &str, next: Option<&TokenTree>, broken: &mut Vec<String>) {
    let called = matches!(next, Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
    if called && FORBIDDEN_MACROS.contains(&word) {
        broken.push(format!("names `{word}!`"));
    }
}

/// Follows `a::b::{c, d::e}` from the token at `at`, with `prefix` before it.
fn check_path(tokens: &[TokenTree], at: usize, prefix: &mut Vec<String>, broken: &mut Vec<String>) {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => {
            let depth = prefix.len();
            prefix.push(word.to_string());
            if FORBIDDEN_PATHS.iter().any(|path| path == prefix) {
                broken.push(format!("names `{}`", prefix.join("::")));
            } else if is_colon(tokens.get(at + 1)) && is_colon(tokens.get(at + 2)) {
                check_path(tokens, at + 3, prefix, broken);
            }
            prefix.truncate(depth);
        }
        Some(TokenTree::Group(group)) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for (index, token) in inner.iter().enumerate() {
                if matches!(token, TokenTree::Ident(_)) && starts_path(&inner, index) {
                    check_path(&inner, index, prefix, broken);
                }
            }
        }
        _ => {}
    }
}

/// Whether the word at `at` is the first of its path: nothing before it, or `::` with no word before that.
fn starts_path(tokens: &[TokenTree], at: usize) -> bool {
    let back = |steps: usize| at.checked_sub(steps).and_then(|before| tokens.get(before));
    let follows_colons = is_colon(back(1)) && is_colon(back(2));
    !follows_colons || !matches!(back(3), Some(TokenTree::Ident(_)))
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':')
}

/// Whether `#[cfg(test)]` or `#[test]` starts at `at`.
fn is_test_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let (Some(TokenTree::Punct(mark)), Some(TokenTree::Group(group))) = (tokens.get(at), tokens.get(at + 1))
    else {
        return false;
    };
    let attribute: String = group.stream().to_string().split_whitespace().collect();
    mark.as_char() == '#' && (attribute == "cfg(test)" || attribute == "test")
}

/// The position after the item: after its `;` or its braces.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::Brace,
        _ => false,
    };
    let length = tokens.iter().skip(from).position(ends);
    length.map_or(tokens.len(), |length| from + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_names(content: &str, expected: &[&str]) {
        assert_eq!(check(content), expected, "{content}");
    }

    #[test]
    fn forbidden_names_are_found_however_they_are_written() {
        check_names("use std::fs;", &["names `std::fs`"]);
        check_names("use std::fs::File;", &["names `std::fs`"]);
        check_names(
            "use std::{fmt, time::{Duration, Instant}};",
            &["names `std::time::Instant`"],
        );
        check_names(
            "fn f() { let x = std::time::SystemTime::now(); }",
            &["names `std::time::SystemTime`"],
        );
        check_names("fn f() { ::std::env::var(\"x\"); }", &["names `std::env`"]);
        check_names("fn f() { g!(std::thread::sleep(d)) }", &["names `std::thread`"]);
        check_names("fn f() { if true { println!(\"x\") } }", &["names `println!`"]);
        check_names(
            "use std::net::{IpAddr, TcpStream as T};",
            &["names `std::net::TcpStream`"],
        );
    }

    #[test]
    fn other_names_and_tests_are_free() {
        check_names("use std::net::IpAddr; use std::time::Duration;", &[]);
        check_names("//! std::fs println!\nconst A: &str = \"std::fs\";", &[]);
        check_names("#[cfg(test)] mod tests { use std::fs; } fn f() {}", &[]);
        check_names("#[cfg(test)] use std::fs; use std::env;", &["names `std::env`"]);
        check_names("#[cfg(not(test))] use std::fs;", &["names `std::fs`"]);
        check_names("fn env() { self::std_fs(); }", &[]);
    }
}
