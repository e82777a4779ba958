//! From the syntax tree to code: names are found, types are checked, and what may be unknown is guarded, all before
//! there is an event.

use super::calls;
use super::code::Code;
use super::compare::{equality, membership, order};
use super::guards::{Guards, path};
use super::syntax::{Binary, Kind, Literal, Node, Span, Unary, Wrong};
use super::value::Type;
use crate::nearest::nearest;
use crate::variables::{self, Variable};

/// A checked part.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it does.
    pub code: Code,
    /// What it gives.
    pub ty: Type,
    /// The variable whose absence makes it null; absent if it cannot be.
    pub unknown: Option<&'static Variable>,
}

/// What is known where a part stands.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Variables of the loops around, outermost first.
    pub locals: Vec<(String, Type)>,
    /// What the rest of the condition makes sure of.
    pub guards: Guards,
}

impl Checked {
    /// A part that is never null.
    pub const fn sure(code: Code, ty: Type) -> Self {
        Self {
            code,
            ty,
            unknown: None,
        }
    }
}

/// Checks a whole condition.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(node: &Node) -> Result<Code, Wrong> {
    yes_or_no(node, &Scope::default())
}

/// Checks a part that must be true or false.
pub fn yes_or_no(node: &Node, scope: &Scope) -> Result<Code, Wrong> {
    let checked = needed(node, scope)?;
    if checked.ty == Type::Bool {
        return Ok(checked.code);
    }
    let wrong = Wrong::new(&node.span, "a condition is true or false");
    Err(wrong.label(format!("this is {}", checked.ty)))
}

/// Checks a part whose value is needed, so that it must not be null.
pub fn needed(node: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let checked = part(node, scope)?;
    if checked.ty == Type::Null {
        return Err(Wrong::new(&node.span, "`null` where a value is needed"));
    }
    match checked.unknown {
        None => Ok(checked),
        Some(variable) => {
            let name = variable.path;
            Err(Wrong::new(&node.span, format!("`{name}` may be null"))
                .label("null has no order, no parts and is not true")
                .help(format!(
                    "guard it with `{name} != null && …`, or compare with `==`"
                )))
        }
    }
}

/// Checks any part.
pub fn part(node: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    match &node.kind {
        Kind::Literal(literal) => Ok(constant(literal)),
        Kind::Ident(_) | Kind::Select(..) => name(node, scope),
        Kind::Index(of, key) => indexed(of, key, scope),
        Kind::Call(target, name, span, arguments) => {
            calls::call(target.as_deref(), (name, span), arguments, scope)
        }
        Kind::List(items) => list(items, scope),
        Kind::Unary(Unary::Not, inner) => {
            let code = match yes_or_no(inner, scope)? {
                Code::Const(Literal::Bool(holds)) => Code::Const(Literal::Bool(!holds)),
                Code::Not(inner) => *inner,
                code => Code::Not(Box::new(code)),
            };
            Ok(Checked::sure(code, Type::Bool))
        }
        Kind::Unary(Unary::Minus, inner) => {
            let checked = number(inner, scope)?;
            Ok(Checked::sure(Code::Negate(Box::new(checked.code)), checked.ty))
        }
        Kind::Binary(operator, a, b) => binary(*operator, (a, b), &node.span, scope),
        Kind::Choice(condition, then, otherwise) => choice((condition, then, otherwise), scope),
    }
}

fn constant(literal: &Literal) -> Checked {
    let ty = match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Double(_) => Type::Double,
        Literal::Text(_) => Type::Text,
    };
    Checked::sure(Code::Const(literal.clone()), ty)
}

/// A name with or without points: a loop's variable, a variable of the event, or a signal.
fn name(node: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    if let Kind::Ident(name) = &node.kind
        && let Some((at, (_, ty))) = scope
            .locals
            .iter()
            .enumerate()
            .rev()
            .find(|(_, (known, _))| known == name)
    {
        return Ok(Checked::sure(Code::Local(at), *ty));
    }
    let Some(path) = path(node) else {
        let Kind::Select(of, field, span) = &node.kind else {
            return Err(Wrong::new(&node.span, "a name that is not known"));
        };
        let of = needed(of, scope)?;
        let wrong = Wrong::new(span, format!("{} has no field `{field}`", of.ty));
        return Err(wrong.label("no such field"));
    };
    if let Some(signal) = path.strip_prefix("signals.") {
        return signal_nats(signal, &node.span, scope);
    }
    let Some(variable) = variables::find(&path) else {
        return Err(unknown(&path, node));
    };
    Ok(Checked {
        code: Code::Variable(variable),
        ty: variable.ty,
        unknown: (variable.may_be_null && !scope.guards.knows(&path)).then_some(variable),
    })
}

fn unknown(path: &str, node: &Node) -> Wrong {
    let known: Vec<&str> = variables::ALL.iter().map(|variable| variable.path).collect();
    let group = format!("{}.", path.split('.').next().unwrap_or(path));
    let fields: Vec<&str> = known
        .iter()
        .copied()
        .filter(|path| path.starts_with(&group))
        .collect();
    if fields.iter().any(|field| path.starts_with(&format!("{field}."))) || path.matches('.').count() > 1 {
        let wrong = Wrong::new(&node.span, format!("unknown variable `{path}`"));
        return wrong
            .label("not known")
            .help(format!("known: {}", fields.join(", ")));
    }
    if format!("{path}.") == group && !fields.is_empty() {
        let wrong = Wrong::new(&node.span, format!("`{path}` is a group of variables"));
        return wrong
            .label("name one of them")
            .help(format!("known: {}", fields.join(", ")));
    }
    let wrong = Wrong::new(&node.span, format!("unknown variable `{path}`"));
    let wrong = match nearest(path, &known) {
        Some(meant) => wrong.label(format!("did you mean `{meant}`?")),
        None => wrong.label("not known"),
    };
    let shown = if fields.is_empty() { known } else { fields };
    wrong.help(format!("known: {}", shown.join(", ")))
}

/// `signals.name` and `signals["name"]`.
fn signal_nats(signal: &str, span: &Span, scope: &Scope) -> Result<Checked, Wrong> {
    if !scope.guards.has_signal(signal) {
        return Err(Wrong::new(
            span,
            format!("the signal `{signal}` does not speak on every event"),
        )
        .label("may be missing")
        .help(format!("guard it with `\"{signal}\" in signals && …`")));
    }
    let name = Code::Const(Literal::Text(signal.to_owned()));
    Ok(Checked::sure(Code::Signal(Box::new(name)), Type::Double))
}

fn indexed(of: &Node, key: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let of = needed(of, scope)?;
    if of.ty != Type::Signals {
        let wrong = Wrong::new(&key.span, format!("{} is not asked by `[…]`", of.ty));
        return Err(wrong.help("ask a list with `in`, `exists` or `all`"));
    }
    if let Kind::Literal(Literal::Text(signal)) = &key.kind {
        return signal_nats(signal, &key.span, scope);
    }
    let name = needed(key, scope)?;
    if name.ty != Type::SignalName {
        return Err(Wrong::new(
            &key.span,
            "a signal is named by text or by the variable of a loop over `signals`",
        )
        .label(format!("this is {}", name.ty)));
    }
    Ok(Checked::sure(Code::Signal(Box::new(name.code)), Type::Double))
}

fn list(items: &[Node], scope: &Scope) -> Result<Checked, Wrong> {
    let mut codes = Vec::with_capacity(items.len());
    let mut ty = Type::Null;
    for item in items {
        let checked = needed(item, scope)?;
        let plain = if checked.ty.is_text() {
            Type::Text
        } else {
            checked.ty
        };
        if ty != Type::Null && ty != plain {
            let wrong = Wrong::new(&item.span, format!("{plain} in a list of {ty}"));
            return Err(wrong.label("another type"));
        }
        ty = plain;
        codes.push(checked.code);
    }
    let ty = if ty == Type::Null {
        Some(Type::Nothing)
    } else {
        ty.list()
    };
    let span = || items.first().map_or(0..0, |item| item.span.clone());
    let ty = ty.ok_or_else(|| Wrong::new(&span(), "lists hold text, numbers, true or false"))?;
    Ok(Checked::sure(Code::List(codes), ty))
}

fn choice((condition, then, otherwise): (&Node, &Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let code = yes_or_no(condition, scope)?;
    let then_part = part(then, &scope.when(condition, true))?;
    let other_part = part(otherwise, &scope.when(condition, false))?;
    let same = then_part.ty == other_part.ty || (then_part.ty.is_text() && other_part.ty.is_text());
    if !same {
        let message = "both branches of `? :` give the same type";
        return Err(Wrong::new(&otherwise.span, message).label(format!("this is {}", other_part.ty)));
    }
    let ty = if then_part.ty == other_part.ty {
        then_part.ty
    } else {
        Type::Text
    };
    Ok(Checked {
        code: Code::Choice(
            Box::new(code),
            Box::new(then_part.code),
            Box::new(other_part.code),
        ),
        ty,
        unknown: then_part.unknown.or(other_part.unknown),
    })
}

fn binary(operator: Binary, (a, b): (&Node, &Node), span: &Span, scope: &Scope) -> Result<Checked, Wrong> {
    match operator {
        // Where one side of `&&` is false the other may fail, in CEL, whichever stands first: each guards the other.
        Binary::And | Binary::Or => {
            let holds = operator == Binary::And;
            let left = yes_or_no(a, &scope.when(b, holds))?;
            let right = yes_or_no(b, &scope.when(a, holds))?;
            Ok(Checked::sure(joined(holds, left, right), Type::Bool))
        }
        Binary::Equal | Binary::Unequal => {
            let equal = equality((a, b), span, scope)?;
            let code = match operator {
                Binary::Equal => equal,
                _ => Code::Not(Box::new(equal)),
            };
            Ok(Checked::sure(code, Type::Bool))
        }
        Binary::In => membership((a, b), scope),
        Binary::Less | Binary::AtMost | Binary::More | Binary::AtLeast => order(operator, (a, b), scope),
        _ => arithmetic(operator, (a, b), scope),
    }
}

/// `&&` or `||` of two parts, in one flat list, without constants that decide nothing.
fn joined(is_and: bool, left: Code, right: Code) -> Code {
    let mut parts = Vec::new();
    for part in [left, right] {
        match part {
            Code::Const(Literal::Bool(holds)) if holds == is_and => {}
            Code::Const(Literal::Bool(holds)) => return Code::Const(Literal::Bool(holds)),
            Code::And(inner) if is_and => parts.extend(inner),
            Code::Or(inner) if !is_and => parts.extend(inner),
            part => parts.push(part),
        }
    }
    if parts.len() < 2 {
        return parts.pop().unwrap_or(Code::Const(Literal::Bool(is_and)));
    }
    if is_and { Code::And(parts) } else { Code::Or(parts) }
}

fn number(node: &Node, scope: &Scope) -> Result<Checked, Wrong> {
    let checked = needed(node, scope)?;
    if checked.ty.is_number() {
        return Ok(checked);
    }
    Err(Wrong::new(&node.span, "a number is needed").label(format!("this is {}", checked.ty)))
}

fn arithmetic(operator: Binary, (a, b): (&Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let (left, right) = (needed(a, scope)?, needed(b, scope)?);
    let ty = match (left.ty, right.ty) {
        (Type::Int, Type::Int) => Type::Int,
        (Type::Double, Type::Double) if operator != Binary::Modulo => Type::Double,
        (a, b) if a.is_text() && b.is_text() && operator == Binary::Plus => Type::Text,
        (a_type, b_type) => {
            let message = format!("`{}` takes two values of one kind", operator.sign());
            let wrong = Wrong::new(&b.span, message).label(format!("{a_type} and {b_type}"));
            return Err(wrong.help("write `10.0` for a number, or `double(…)`"));
        }
    };
    let code = Code::Arithmetic(operator, Box::new(left.code), Box::new(right.code));
    Ok(Checked::sure(code, ty))
}
