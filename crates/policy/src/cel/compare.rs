//! Comparisons: what may be compared with what, in one canonical form.

use super::check::{Checked, Scope, needed, part};
use super::code::{Code, ordered, same};
use super::syntax::{Binary, Kind, Literal, Node, Span, Wrong};
use super::value::Type;
use crate::nearest::nearest;

/// `a == b`.
///
/// # Errors
/// Types that are never equal, and words that do not exist.
pub fn equality((a, b): (&Node, &Node), span: &Span, scope: &Scope) -> Result<Code, Wrong> {
    let (left, right) = (part(a, scope)?, part(b, scope)?);
    let pair = (left.ty, right.ty);
    let comparable = pair.0 == Type::Null
        || pair.1 == Type::Null
        || (pair.0.is_number() && pair.1.is_number())
        || (pair.0.is_text() && pair.1.is_text())
        || pair == (Type::Bool, Type::Bool);
    if !comparable {
        let wrong = Wrong::new(span, format!("{} is never {}", pair.0, pair.1));
        return Err(wrong.label("different types"));
    }
    word_of(pair.0, b)?;
    word_of(pair.1, a)?;
    // Constants stand on the right, so that equal conditions have equal code.
    let (left, right) = match left.code {
        Code::Const(_) => (right.code, left.code),
        _ => (left.code, right.code),
    };
    if let (Code::Const(a), Code::Const(b)) = (&left, &right) {
        return Ok(Code::Const(Literal::Bool(same(a, b))));
    }
    Ok(Code::Equal(Box::new(left), Box::new(right)))
}

/// A word that is compared with text that it can never be is a slip of the pen.
fn word_of(ty: Type, written: &Node) -> Result<(), Wrong> {
    let (Some(words), Kind::Literal(Literal::Text(text))) = (ty.words(), &written.kind) else {
        return Ok(());
    };
    if words.contains(&text.as_str()) {
        return Ok(());
    }
    let wrong = Wrong::new(&written.span, format!("it is never `{text}`"));
    let wrong = match nearest(text, words) {
        Some(meant) => wrong.label(format!("did you mean `{meant}`?")),
        None => wrong.label("not one of its words"),
    };
    Err(wrong.help(format!("it is one of: {}", words.join(", "))))
}

/// `item in list`, and `name in signals`.
pub fn membership((item, list): (&Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let set = needed(list, scope)?;
    let Some(element) = set.ty.element() else {
        let wrong = Wrong::new(&list.span, "`in` asks a list or `signals`");
        return Err(wrong.label(format!("this is {}", set.ty)));
    };
    if set.ty == Type::Signals {
        let name = needed(item, scope)?;
        if !name.ty.is_text() {
            return Err(
                Wrong::new(&item.span, "signals are named by text").label(format!("this is {}", name.ty))
            );
        }
        return Ok(Checked::sure(Code::HasSignal(Box::new(name.code)), Type::Bool));
    }
    let one = part(item, scope)?;
    let comparable = element == Type::Null
        || (one.ty.is_text() && element.is_text())
        || (one.ty.is_number() && element.is_number())
        || (one.ty == Type::Bool && element == Type::Bool);
    if !comparable {
        let wrong = Wrong::new(&item.span, format!("{} is never in {}", one.ty, set.ty));
        return Err(wrong.label("different types"));
    }
    word_of(element, item)?;
    if let Kind::List(items) = &list.kind {
        items.iter().try_for_each(|written| word_of(one.ty, written))?;
    }
    let code = Code::In(Box::new(one.code), Box::new(set.code));
    Ok(Checked::sure(code, Type::Bool))
}

/// `a < b` and its kin.
pub fn order(operator: Binary, (a, b): (&Node, &Node), scope: &Scope) -> Result<Checked, Wrong> {
    let (left, right) = (needed(a, scope)?, needed(b, scope)?);
    let numbers = left.ty.is_number() && right.ty.is_number();
    // Levels are words: as text, `high` comes before `low`.
    if !numbers && (left.ty.words().is_some() || right.ty.words().is_some()) {
        let wrong = Wrong::new(&a.span, format!("`{}` has no order here", operator.sign()));
        return Err(wrong
            .label("words are compared with `==` or `in`")
            .help("for levels, compare `score`"));
    }
    let texts = left.ty.is_text() && right.ty.is_text();
    if !(numbers || texts) {
        let wrong = Wrong::new(
            &b.span,
            format!("`{}` compares two numbers or two texts", operator.sign()),
        );
        return Err(wrong.label(format!("{} against {}", left.ty, right.ty)));
    }
    if let (Code::Const(a), Code::Const(b)) = (&left.code, &right.code) {
        let holds = ordered(operator, a, b);
        return Ok(Checked::sure(Code::Const(Literal::Bool(holds)), Type::Bool));
    }
    let (operator, left, right) = match left.code {
        Code::Const(_) => (mirrored(operator), right.code, left.code),
        _ => (operator, left.code, right.code),
    };
    Ok(Checked::sure(
        Code::Order(operator, Box::new(left), Box::new(right)),
        Type::Bool,
    ))
}

/// The operator that says the same with its sides changed.
const fn mirrored(operator: Binary) -> Binary {
    match operator {
        Binary::Less => Binary::More,
        Binary::More => Binary::Less,
        Binary::AtMost => Binary::AtLeast,
        Binary::AtLeast => Binary::AtMost,
        other => other,
    }
}
