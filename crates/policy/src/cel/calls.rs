//! The functions and macros that conditions may use.

use super::check::{Checked, Scope, needed, yes_or_no};
use super::code::{Code, Each, TextTest};
use super::guards::path;
use super::limits;
use super::syntax::{Kind, Literal, Node, Span, Wrong};
use super::value::Type;
use crate::nearest::nearest;
use crate::network;

/// Every function and macro, for "did you mean".
const KNOWN: [&str; 14] = [
    "size",
    "startsWith",
    "endsWith",
    "contains",
    "containsIP",
    "cidr",
    "double",
    "has",
    "exists",
    "all",
    "exists_one",
    "filter",
    "map",
    "signals",
];

/// Checks a call.
pub fn call(
    target: Option<&Node>,
    name: (&str, &Span),
    arguments: &[Node],
    scope: &Scope,
) -> Result<Checked, Wrong> {
    match (target, name.0, arguments) {
        (Some(range), "exists", [variable, body]) => each(Each::Exists, range, (variable, body), scope),
        (Some(range), "all", [variable, body]) => each(Each::All, range, (variable, body), scope),
        (Some(range), "exists_one", [variable, body]) => {
            each(Each::ExistsOne, range, (variable, body), scope)
        }
        (Some(range), "filter", [variable, body]) => each(Each::Filter, range, (variable, body), scope),
        (Some(range), "map", [variable, body]) => each(Each::Map, range, (variable, body), scope),
        (Some(text), "startsWith", [other]) => test(TextTest::Starts, (text, other), scope),
        (Some(text), "endsWith", [other]) => test(TextTest::Ends, (text, other), scope),
        (Some(text), "contains", [other]) => test(TextTest::Contains, (text, other), scope),
        (Some(cidr), "containsIP", [ip]) => in_network(cidr, ip, scope),
        (Some(of), "size", []) | (None, "size", [of]) => size(of, scope),
        (None, "double", [of]) => double(of, scope),
        (None, "has", [of]) => has(of),
        (None, "cidr", [_]) => Err(Wrong::new(name.1, "`cidr` alone is no condition")
            .help("write `cidr(\"10.0.0.0/8\").containsIP(network.ip)`")),
        _ => Err(refused(name, arguments)),
    }
}

fn refused((name, span): (&str, &Span), arguments: &[Node]) -> Wrong {
    if name == "matches" {
        return Wrong::new(span, "regular expressions are not available in conditions")
            .help("use `startsWith`, `endsWith`, `contains` or `in`");
    }
    if KNOWN.contains(&name) {
        let message = format!("`{name}` is not called so, with {} values", arguments.len());
        return Wrong::new(span, message).help("see the functions in docs/policy.md");
    }
    let wrong = Wrong::new(span, format!("unknown function `{name}`"));
    match nearest(name, &KNOWN) {
        Some(meant) => wrong.label(format!("did you mean `{meant}`?")),
        None => wrong.label("not known"),
    }
}

fn each(each: Each, range: &Node, (variable, body): (&Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let Kind::Ident(name) = &variable.kind else {
        return Err(Wrong::new(&variable.span, "a name for each element stands here"));
    };
    if scope.locals.len() >= limits::COMPREHENSION_DEPTH_MAX {
        let message = format!("loops nested deeper than {}", limits::COMPREHENSION_DEPTH_MAX);
        return Err(Wrong::new(&variable.span, message).label("too deep"));
    }
    let over = needed(range, scope)?;
    let Some(element) = over.ty.element() else {
        let wrong = Wrong::new(&range.span, "one asks the elements of a list or of `signals`");
        return Err(wrong.label(format!("this is {}", over.ty)));
    };
    let mut inner = scope.clone();
    inner.locals.push((name.clone(), element));
    let (code, ty) = match each {
        Each::Map => {
            let mapped = needed(body, &inner)?;
            let ty = mapped.ty.list();
            let ty = ty.ok_or_else(|| Wrong::new(&body.span, "lists hold text, numbers, true or false"))?;
            (mapped.code, ty)
        }
        Each::Filter => {
            let ty = element.list().unwrap_or(Type::Nothing);
            (yes_or_no(body, &inner)?, ty)
        }
        Each::Exists | Each::All | Each::ExistsOne => (yes_or_no(body, &inner)?, Type::Bool),
    };
    Ok(Checked::sure(
        Code::Each(each, Box::new(over.code), Box::new(code)),
        ty,
    ))
}

fn test(test: TextTest, (a, b): (&Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let (a, b) = (text(a, scope)?, text(b, scope)?);
    Ok(Checked::sure(
        Code::Text(test, Box::new(a), Box::new(b)),
        Type::Bool,
    ))
}

fn text(node: &Node, scope: &Scope) -> Result<Code, Wrong> {
    let checked = needed(node, scope)?;
    if checked.ty.is_text() {
        return Ok(checked.code);
    }
    Err(Wrong::new(&node.span, "text is needed").label(format!("this is {}", checked.ty)))
}

fn in_network(cidr: &Node, ip: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let written = match &cidr.kind {
        Kind::Call(None, name, _, arguments) if name == "cidr" => arguments.first(),
        _ => None,
    };
    let Some(Node {
        kind: Kind::Literal(Literal::Text(written)),
        span,
    }) = written
    else {
        return Err(Wrong::new(&cidr.span, "`containsIP` asks a network")
            .help("write `cidr(\"10.0.0.0/8\").containsIP(network.ip)`"));
    };
    let network =
        network::parse(written).map_err(|help| Wrong::new(span, "this is no network").help(help))?;
    let ip = text(ip, scope)?;
    Ok(Checked::sure(Code::InNetwork(network, Box::new(ip)), Type::Bool))
}

fn size(of: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let checked = needed(of, scope)?;
    if checked.ty.is_text() || checked.ty.element().is_some() {
        return Ok(Checked::sure(Code::Size(Box::new(checked.code)), Type::Int));
    }
    Err(Wrong::new(&of.span, "text and lists have a size").label(format!("this is {}", checked.ty)))
}

fn double(of: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let checked = needed(of, scope)?;
    if checked.ty.is_number() {
        return Ok(Checked::sure(
            Code::ToDouble(Box::new(checked.code)),
            Type::Double,
        ));
    }
    Err(Wrong::new(&of.span, "a number is needed").label(format!("this is {}", checked.ty)))
}

/// Variables are always there, as null if they are unknown: only a signal can be missing.
fn has(of: &Node) -> Result<Checked, Wrong> {
    let spelled = path(of).unwrap_or_default();
    let Some(signal) = spelled.strip_prefix("signals.") else {
        let wrong = Wrong::new(&of.span, "`has` asks whether a signal spoke");
        return Err(wrong.help(format!("variables are always there: ask `{spelled} != null`")));
    };
    let name = Code::Const(Literal::Text(signal.to_owned()));
    Ok(Checked::sure(Code::HasSignal(Box::new(name)), Type::Bool))
}
