//! Values of conditions and their types.

use crate::facts::Signals;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A value while a condition is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Unknown.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// The signals of the event.
    Signals(Signals<'a>),
}

/// What a value is, as far as it is known before there is an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `null` itself.
    Null,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// Text.
    Text,
    /// Text that is one of these words.
    Word(&'static [&'static str]),
    /// A list of text.
    Texts,
    /// A list of words.
    Words(&'static [&'static str]),
    /// A list of whole numbers.
    Ints,
    /// A list of numbers.
    Doubles,
    /// A list of yes and no.
    Bools,
    /// `[]`.
    Nothing,
    /// Names of signals to nats.
    Signals,
    /// Name of a signal of this event: what one iterates over.
    SignalName,
}

impl Type {
    /// Of a list's elements, or of a map's keys; `None` for what is neither.
    pub const fn element(self) -> Option<Self> {
        match self {
            Type::Texts => Some(Type::Text),
            Type::Words(words) => Some(Type::Word(words)),
            Type::Ints => Some(Type::Int),
            Type::Doubles => Some(Type::Double),
            Type::Bools => Some(Type::Bool),
            Type::Nothing => Some(Type::Null),
            Type::Signals => Some(Type::SignalName),
            _ => None,
        }
    }

    /// The list of such values; `None` where lists of them are not known.
    pub const fn list(self) -> Option<Self> {
        match self {
            Type::Bool => Some(Type::Bools),
            Type::Int => Some(Type::Ints),
            Type::Double => Some(Type::Doubles),
            Type::Text | Type::SignalName => Some(Type::Texts),
            Type::Word(words) => Some(Type::Words(words)),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub const fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Double)
    }

    /// Whether it is text.
    pub const fn is_text(self) -> bool {
        matches!(self, Type::Text | Type::Word(_) | Type::SignalName)
    }

    /// The words it may be, if they are few.
    pub const fn words(self) -> Option<&'static [&'static str]> {
        match self {
            Type::Word(words) => Some(words),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Null => "null",
            Type::Bool => "true or false",
            Type::Int => "a whole number",
            Type::Double => "a number",
            Type::Text | Type::SignalName => "text",
            Type::Word(_) => "a word",
            Type::Texts | Type::Words(_) => "a list of text",
            Type::Ints => "a list of whole numbers",
            Type::Doubles => "a list of numbers",
            Type::Bools => "a list of true and false",
            Type::Nothing => "an empty list",
            Type::Signals => "a map of signals",
        })
    }
}

impl Value<'_> {
    /// CEL's `==`: numbers of both kinds are compared as numbers; values of different kinds differ.
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// Which is greater; `None` for what has no order.
    pub fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        use habitus_model::math::from_i64;
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
            (Value::Int(a), Value::Double(b)) => from_i64(*a).partial_cmp(b),
            (Value::Double(a), Value::Int(b)) => a.partial_cmp(&from_i64(*b)),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}
