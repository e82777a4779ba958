//! Puts a line into a list that people keep: `mod name;` lines and, where there is one, `const ALL`.
//!
//! The list is found by parsing, not by markers, and stays in alphabetical order. What stands around it is kept
//! byte for byte.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One `mod name;` of the file.
struct Declaration {
    name: String,
    /// From the first attribute or `pub` to the semicolon.
    start: usize,
    end: usize,
    visibility: String,
}

/// Names that the file declares as modules.
///
/// # Errors
/// A sentence, when the text is not Rust.
pub fn modules(text: &str) -> Result<Vec<String>, String> {
    Ok(declarations(text, &tokens_of(text)?)
        .into_iter()
        .map(|found| found.name)
        .collect())
}

/// The text with `mod name;` in its place.
///
/// # Errors
/// A sentence, when the text is not Rust.
pub fn with_module(text: &str, name: &str) -> Result<String, String> {
    let found = declarations(text, &tokens_of(text)?);
    let visibility = found.first().map_or("", |first| first.visibility.as_str());
    let line = format!("{visibility}mod {name};");
    let text = if let Some(before) = found.iter().rev().find(|known| known.name.as_str() < name) {
        inserted(text, before.end, &format!("\n{line}"))
    } else if let Some(first) = found.first() {
        inserted(text, first.start, &format!("{line}\n"))
    } else {
        format!("{}\n\n{line}\n", text.trim_end())
    };
    Ok(text)
}

/// The text with `entry`, which starts with the module's name, in the array of `const ALL`.
///
/// # Errors
/// A sentence, when there is no such list.
pub fn with_entry(text: &str, name: &str, entry: &str) -> Result<String, String> {
    let list = array_of_all(&tokens_of(text)?).ok_or("there is no `const ALL: … = &[…]` here")?;
    let mut before = None;
    let mut first = None;
    for (start, end, module) in elements(&list) {
        first.get_or_insert(start);
        if module.as_str() < name {
            before = Some(end);
        }
    }
    Ok(match (before, first) {
        (Some(end), _) => inserted(text, end, &format!(",\n    {entry}")),
        (None, Some(start)) => inserted(text, start, &format!("{entry},\n    ")),
        (None, None) => inserted(
            text,
            list.span_open().byte_range().end,
            &format!("\n    {entry},\n"),
        ),
    })
}

fn tokens_of(text: &str) -> Result<Vec<TokenTree>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    Ok(tokens.into_iter().collect())
}

fn inserted(text: &str, at: usize, what: &str) -> String {
    let (before, after) = text.split_at(at);
    format!("{before}{what}{after}")
}

fn declarations(text: &str, tokens: &[TokenTree]) -> Vec<Declaration> {
    let mut found = Vec::new();
    // Where the item that is being read starts.
    let mut item = 0;
    for (at, window) in tokens.windows(3).enumerate() {
        if let [TokenTree::Ident(word), TokenTree::Ident(name), end] = window
            && word == "mod"
            && is_punct(end, ';')
        {
            found.push(declaration(text, tokens.get(item..=at).unwrap_or(&[]), name, end));
        }
        match window {
            // `//! …` and `#![…]` belong to the file, not to its first item.
            [first, second, _] if is_punct(first, '#') && is_punct(second, '!') => item = at + 3,
            [first, ..] if ends_item(first) => item = at + 1,
            _ => {}
        }
    }
    found
}

fn declaration(text: &str, head: &[TokenTree], name: &proc_macro2::Ident, end: &TokenTree) -> Declaration {
    let starts: Vec<usize> = head.iter().map(|token| token.span().byte_range().start).collect();
    let keyword = starts.last().copied().unwrap_or(0);
    // The visibility, if there is one, stands between the attributes and `mod`.
    let is_pub = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "pub");
    let visible = head.iter().position(is_pub).and_then(|at| starts.get(at));
    Declaration {
        name: name.to_string(),
        start: starts.first().copied().unwrap_or(keyword),
        end: end.span().byte_range().end,
        visibility: visible
            .and_then(|start| text.get(*start..keyword))
            .unwrap_or("")
            .to_owned(),
    }
}

/// A semicolon, or a body in braces.
fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// The brackets behind `const ALL: … =`.
fn array_of_all(tokens: &[TokenTree]) -> Option<Group> {
    let is_all = |pair: &[TokenTree]| matches!(pair, [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "const" && name == "ALL");
    let start = tokens.windows(2).position(is_all)?;
    let value = tokens
        .iter()
        .skip(start)
        .skip_while(|token| !is_punct(token, '='));
    value
        .take_while(|token| !is_punct(token, ';'))
        .find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.clone()),
            _ => None,
        })
}

/// Start, end and first name of each element.
fn elements(list: &Group) -> Vec<(usize, usize, String)> {
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    let mut open = false;
    for token in list.stream() {
        if is_punct(&token, ',') {
            open = false;
            continue;
        }
        let range = token.span().byte_range();
        if !open {
            found.push((range.start, range.end, String::new()));
            open = true;
        }
        if let Some((_, end, name)) = found.last_mut() {
            *end = range.end;
            if let (TokenTree::Ident(word), true) = (&token, name.is_empty()) {
                *name = word.to_string();
            }
        }
    }
    found
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
//! The list.

use crate::Format;

mod entra;
/// Sign-ins of Okta.
mod okta;

/// Every format.
pub const ALL: &[&dyn Format] = &[
    &entra::Entra,
    &okta::Okta,
];
";

    fn check(name: &str, expected_modules: &str, expected_entries: &str) {
        let text = with_module(LIST, name).unwrap();
        let text = with_entry(&text, name, &format!("&{name}::T")).unwrap();
        assert!(syn::parse_file(&text).is_ok(), "{text}");
        assert!(text.contains(expected_modules), "{text}");
        assert!(text.contains(expected_entries), "{text}");
    }

    #[test]
    fn lines_go_where_the_alphabet_says() {
        check(
            "auth0",
            "mod auth0;\nmod entra;",
            "    &auth0::T,\n    &entra::Entra,\n",
        );
        check(
            "jumpcloud",
            "mod entra;\nmod jumpcloud;\n/// Sign",
            "Entra,\n    &jumpcloud::T,\n    &okta",
        );
        check(
            "zoom",
            "mod okta;\nmod zoom;\n",
            "    &okta::Okta,\n    &zoom::T,\n];",
        );
    }

    #[test]
    fn a_first_line_keeps_clear_of_the_file_s_own_comment() {
        let text = with_module("//! Doc.\n\npub mod clock;\n", "age").unwrap();
        assert_eq!(text, "//! Doc.\n\npub mod age;\npub mod clock;\n");
    }

    #[test]
    fn comments_of_a_module_stay_with_it() {
        let text = with_module("//! Doc.\n\n/// The clock.\npub(crate) mod clock;\n", "age").unwrap();
        assert_eq!(
            text,
            "//! Doc.\n\npub(crate) mod age;\n/// The clock.\npub(crate) mod clock;\n"
        );
    }

    #[test]
    fn empty_lists_grow() {
        let text = with_entry("pub const ALL: &[&dyn D] = &[];\n", "age", "&age::Age").unwrap();
        assert_eq!(text, "pub const ALL: &[&dyn D] = &[\n    &age::Age,\n];\n");
        assert_eq!(
            with_module("//! Doc.\n", "age").unwrap(),
            "//! Doc.\n\nmod age;\n"
        );
    }

    #[test]
    fn what_is_declared_is_known_and_what_is_no_list_is_refused() {
        assert_eq!(modules(LIST).unwrap(), ["entra", "okta"]);
        assert!(modules("mod {").is_err());
        assert!(with_entry("mod a;\n", "b", "&b::B").is_err());
    }
}
