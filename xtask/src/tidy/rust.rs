//! Rules for Rust files: lengths, unfinished code, reasons for exceptions.

use super::Report;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::Visit;

/// Lines between a function's braces without blank lines and comments, as clippy's `too_many_lines` counts them. An
/// exception from that lint, which carries a reason, is one from this rule.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Lines above which a file should be looked at.
const FILE_LINES_GOOD: usize = 300;

/// Checks one Rust file.
pub fn check(path: &str, content: &str, report: &mut Report) {
    check_length(path, content.lines().count(), report);
    let file = match syn::parse_file(content) {
        Ok(file) => file,
        Err(error) => {
            report.error(path, line_of(error.span()), &format!("not Rust: {error}"));
            return;
        }
    };
    let mut functions = Functions {
        lines: content.lines().collect(),
        found: Vec::new(),
    };
    functions.visit_file(&file);
    for (name, line, length) in functions.found {
        if length > FUNCTION_LINES_MAX {
            let message = format!("`{name}` has {length} lines, more than {FUNCTION_LINES_MAX}");
            report.error(path, line, &message);
        }
    }
    // The text parsed above as a file, so it is a token stream as well.
    if let Ok(tokens) = content.parse::<TokenStream>() {
        check_tokens(path, tokens, report);
    }
}

fn check_length(path: &str, lines: usize, report: &mut Report) {
    if lines > FILE_LINES_MAX {
        report.error(path, lines, &format!("{lines} lines, more than {FILE_LINES_MAX}"));
    } else if lines > FILE_LINES_GOOD {
        report.warning(
            path,
            lines,
            &format!("{lines} lines; about {FILE_LINES_GOOD} is good"),
        );
    }
}

/// Functions with a body and without an exception: name, line, length in lines.
struct Functions<'a> {
    lines: Vec<&'a str>,
    found: Vec<(String, usize, usize)>,
}

impl Functions<'_> {
    fn add(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, body: &syn::Block) {
        if attributes.iter().any(excepts_length) {
            return;
        }
        let braces = &body.brace_token.span;
        // Lines count from 1, so the brace's own line number is the index of the line below it.
        let inside = line_of(braces.open())..line_of(braces.close()).saturating_sub(1);
        let length = self
            .lines
            .get(inside)
            .unwrap_or_default()
            .iter()
            .filter(|line| is_code(line))
            .count();
        self.found.push((
            signature.ident.to_string(),
            line_of(signature.fn_token.span),
            length,
        ));
    }
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

/// `#[expect(clippy::too_many_lines, …)]`.
fn excepts_length(attribute: &syn::Attribute) -> bool {
    let is_word = |token: TokenTree| matches!(token, TokenTree::Ident(word) if word == "too_many_lines");
    match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("expect") => list.tokens.clone().into_iter().any(is_word),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.attrs, &function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.attrs, &function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.attrs, &function.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

/// Walks the tokens, inside macros too, where the parser does not look.
fn check_tokens(path: &str, tokens: TokenStream, report: &mut Report) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        match token {
            TokenTree::Ident(word) if is_unfinished(&word.to_string()) && is_punct(next, '!') => {
                let message = format!("`{word}!` is not finished code");
                report.error(path, line_of(word.span()), &message);
            }
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                let inner = if is_punct(next, '!') {
                    tokens.get(index + 2)
                } else {
                    next
                };
                check_attribute(path, inner, report);
            }
            TokenTree::Group(group) => check_tokens(path, group.stream(), report),
            _ => {}
        }
    }
}

/// `#[expect(…)]` and `#[allow(…)]` need `reason = "…"`, also within `cfg_attr`.
fn check_attribute(path: &str, attribute: Option<&TokenTree>, report: &mut Report) {
    let Some(TokenTree::Group(brackets)) = attribute else {
        return;
    };
    if brackets.delimiter() == Delimiter::Bracket {
        check_exceptions(path, brackets.stream(), report);
    }
}

fn check_exceptions(path: &str, tokens: TokenStream, report: &mut Report) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for pair in tokens.windows(2) {
        let [TokenTree::Ident(word), TokenTree::Group(group)] = pair else {
            continue;
        };
        if word == "cfg_attr" {
            check_exceptions(path, group.stream(), report);
        } else if (word == "expect" || word == "allow") && !has_reason(group.stream()) {
            let message = format!("`#[{word}]` without a reason");
            report.error(path, line_of(word.span()), &message);
        }
    }
}

fn has_reason(tokens: TokenStream) -> bool {
    tokens
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(word) if word == "reason"))
}

fn is_unfinished(word: &str) -> bool {
    matches!(word, "todo" | "unimplemented" | "dbg")
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn line_of(span: Span) -> usize {
    span.start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(content: &str) -> Vec<String> {
        let mut report = Report::default();
        check("a.rs", content, &mut report);
        report.errors
    }

    fn function_of(lines: usize) -> String {
        format!("fn f() {{\n\n    // g\n{}}}\n", "    g();\n".repeat(lines))
    }

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        assert_eq!(errors(&function_of(70)), Vec::<String>::new());
        assert_eq!(
            errors(&function_of(71)),
            ["a.rs:1: `f` has 71 lines, more than 70"]
        );
        let excepted = "#[expect(clippy::too_many_lines, reason = \"a table\")]\n";
        assert_eq!(
            errors(&format!("{excepted}{}", function_of(71))),
            Vec::<String>::new()
        );
        assert_eq!(errors(&format!("impl A {{\n{}}}\n", function_of(71))).len(), 1);
        assert_eq!(errors(&format!("trait A {{\n{}}}\n", function_of(71))).len(), 1);
        assert_eq!(errors(&format!("mod a {{\n{}}}\n", function_of(71))).len(), 1);
    }

    #[test]
    fn long_files_warn_and_then_fail() {
        let mut report = Report::default();
        check("a.rs", &"// line\n".repeat(301), &mut report);
        assert_eq!((report.errors.len(), report.warnings.len()), (0, 1));
        check("a.rs", &"// line\n".repeat(501), &mut report);
        assert_eq!((report.errors.len(), report.warnings.len()), (1, 1));
    }

    #[test]
    fn unfinished_code_is_found_also_inside_macros() {
        assert_eq!(errors("fn f() { todo!() }\n").len(), 1);
        assert_eq!(errors("fn f() { assert!(unimplemented!(\"x\")) }\n").len(), 1);
        assert_eq!(
            errors("// todo!()\nfn todo() { let _ = \"todo!()\"; }\n").len(),
            0
        );
    }

    #[test]
    fn exceptions_need_a_reason() {
        assert_eq!(errors("#[expect(dead_code)]\nfn f() {}\n").len(), 1);
        assert_eq!(errors("#![allow(dead_code)]\n").len(), 1);
        assert_eq!(
            errors("#[cfg_attr(test, expect(dead_code))]\nfn f() {}\n").len(),
            1
        );
        assert_eq!(
            errors("#[expect(dead_code, reason = \"kept\")]\nfn f() {}\n").len(),
            0
        );
        assert_eq!(errors("fn f() { Some(1).expect(\"one\"); }\n").len(), 0);
    }

    #[test]
    fn what_is_not_rust_is_an_error() {
        assert_eq!(errors("fn f( {\n").len(), 1);
    }
}
