//! A checked condition, and its evaluation.

use super::limits;
use super::syntax::{Binary, Literal};
use super::value::Value;
use crate::facts::Facts;
use crate::network::holds;
use crate::variables::Variable;
use ipnet::IpNet;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A checked condition or a part of one. Its `Debug` text is canonical: equal text, equal meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Code {
    /// A constant.
    Const(Literal),
    /// A variable.
    Variable(&'static Variable),
    /// The variable of an enclosing `exists` and the like, counted from the outermost.
    Local(usize),
    /// Nats of the signal with this name.
    Signal(Box<Code>),
    /// Whether the signal with this name spoke.
    HasSignal(Box<Code>),
    /// `!a`
    Not(Box<Code>),
    /// `-a`
    Negate(Box<Code>),
    /// All of them.
    And(Vec<Code>),
    /// Any of them.
    Or(Vec<Code>),
    /// `a == b`
    Equal(Box<Code>, Box<Code>),
    /// `a < b` and its kin.
    Order(Binary, Box<Code>, Box<Code>),
    /// `a + b` and its kin.
    Arithmetic(Binary, Box<Code>, Box<Code>),
    /// `a in b`
    In(Box<Code>, Box<Code>),
    /// `[a, b]`
    List(Vec<Code>),
    /// `size(a)`
    Size(Box<Code>),
    /// `a.startsWith(b)` and its kin.
    Text(TextTest, Box<Code>, Box<Code>),
    /// `cidr("…").containsIP(a)`
    InNetwork(IpNet, Box<Code>),
    /// `double(a)`
    ToDouble(Box<Code>),
    /// `a.exists(x, b)` and its kin.
    Each(Each, Box<Code>, Box<Code>),
    /// `c ? a : b`
    Choice(Box<Code>, Box<Code>, Box<Code>),
}

/// Questions to a text about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `startsWith`
    Starts,
    /// `endsWith`
    Ends,
    /// `contains`
    Contains,
}

/// What is done with each element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// `exists`
    Exists,
    /// `all`
    All,
    /// `exists_one`
    ExistsOne,
    /// `filter`
    Filter,
    /// `map`
    Map,
}

/// Why a condition has no answer for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// It took more steps than a rule or an event may.
    Steps,
    /// A whole number went out of range.
    Overflow,
    /// A whole number was divided by zero.
    DivisionByZero,
    /// A signal that did not speak was asked for its nats.
    NoSuchSignal,
    /// Something unknown stood where a value was needed.
    Unknown,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Steps => "the condition takes too many steps",
            Fault::Overflow => "a whole number goes out of range",
            Fault::DivisionByZero => "a whole number is divided by zero",
            Fault::NoSuchSignal => "a signal that did not speak is asked for its nats",
            Fault::Unknown => "a value is needed and unknown",
        })
    }
}

/// One evaluation: the event, what loops are at, and the steps that are left.
pub struct Run<'a> {
    facts: &'a Facts<'a>,
    locals: Vec<Value<'a>>,
    steps: u32,
}

impl<'a> Run<'a> {
    /// An evaluation of one condition with at most so many steps.
    pub fn new(facts: &'a Facts<'a>, steps: u32) -> Self {
        Self {
            facts,
            locals: Vec::new(),
            steps: steps.min(limits::STEPS_MAX),
        }
    }

    /// Steps that are left.
    pub const fn steps_left(&self) -> u32 {
        self.steps
    }

    /// Whether the condition holds.
    pub fn holds(&mut self, code: &'a Code) -> Result<bool, Fault> {
        match self.value(code)? {
            Value::Bool(holds) => Ok(holds),
            _ => Err(Fault::Unknown),
        }
    }

    /// The value of a part.
    pub fn value(&mut self, code: &'a Code) -> Result<Value<'a>, Fault> {
        self.step(1)?;
        let value = match code {
            Code::Const(literal) => constant(literal),
            Code::Variable(variable) => (variable.read)(self.facts),
            Code::Local(at) => self.locals.get(*at).cloned().ok_or(Fault::Unknown)?,
            Code::Signal(name) => {
                let name = self.text(name)?;
                self.step(steps(self.facts.signals.len()))?;
                Value::Double(self.facts.signals.get(&name).ok_or(Fault::NoSuchSignal)?)
            }
            Code::HasSignal(name) => {
                let name = self.text(name)?;
                self.step(steps(self.facts.signals.len()))?;
                Value::Bool(self.facts.signals.get(&name).is_some())
            }
            Code::Not(inner) => Value::Bool(!self.holds(inner)?),
            Code::Negate(inner) => self.negate(inner)?,
            Code::And(parts) => Value::Bool(!self.any(parts, false)?),
            Code::Or(parts) => Value::Bool(self.any(parts, true)?),
            Code::Equal(a, b) => Value::Bool(self.value(a)?.equals(&self.value(b)?)),
            Code::Order(operator, a, b) => self.order(*operator, a, b)?,
            Code::Arithmetic(operator, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.arithmetic(*operator, a, b)?
            }
            Code::In(item, list) => self.contains(item, list)?,
            Code::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.value(item)).collect();
                Value::List(items?)
            }
            Code::Size(inner) => self.size(inner)?,
            Code::Text(test, a, b) => self.text_test(*test, a, b)?,
            Code::InNetwork(network, ip) => {
                let ip = self.text(ip)?;
                Value::Bool(ip.parse().is_ok_and(|ip| holds(network, ip)))
            }
            Code::ToDouble(inner) => match self.value(inner)? {
                Value::Int(number) => Value::Double(habitus_model::math::from_i64(number)),
                Value::Double(number) => Value::Double(number),
                _ => return Err(Fault::Unknown),
            },
            Code::Each(each, range, body) => self.each(*each, range, body)?,
            Code::Choice(condition, then, otherwise) => {
                let chosen = if self.holds(condition)? { then } else { otherwise };
                self.value(chosen)?
            }
        };
        Ok(value)
    }

    fn step(&mut self, steps: u32) -> Result<(), Fault> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(Fault::Steps)
            }
        }
    }

    /// Whether any part is `wanted`. As CEL has it, a part that does so outweighs parts that fail.
    fn any(&mut self, parts: &'a [Code], wanted: bool) -> Result<bool, Fault> {
        let mut failed = None;
        for part in parts {
            match self.holds(part) {
                Ok(holds) if holds == wanted => return Ok(true),
                Ok(_) => {}
                Err(Fault::Steps) => return Err(Fault::Steps),
                Err(fault) => failed = failed.or(Some(fault)),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    fn order(&mut self, operator: Binary, a: &'a Code, b: &'a Code) -> Result<Value<'a>, Fault> {
        let (a, b) = (self.value(a)?, self.value(b)?);
        if matches!(a, Value::Null) || matches!(b, Value::Null) {
            return Err(Fault::Unknown);
        }
        Ok(Value::Bool(stands(operator, a.order(&b))))
    }

    fn negate(&mut self, inner: &'a Code) -> Result<Value<'a>, Fault> {
        match self.value(inner)? {
            Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(Fault::Overflow),
            Value::Double(number) => Ok(Value::Double(-number)),
            _ => Err(Fault::Unknown),
        }
    }

    fn arithmetic(&mut self, operator: Binary, a: Value<'a>, b: Value<'a>) -> Result<Value<'a>, Fault> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => {
                if b == 0 && matches!(operator, Binary::Over | Binary::Modulo) {
                    return Err(Fault::DivisionByZero);
                }
                let number = match operator {
                    Binary::Plus => a.checked_add(b),
                    Binary::Minus => a.checked_sub(b),
                    Binary::Times => a.checked_mul(b),
                    Binary::Over => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                number.map(Value::Int).ok_or(Fault::Overflow)
            }
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(match operator {
                Binary::Plus => a + b,
                Binary::Minus => a - b,
                Binary::Times => a * b,
                _ => a / b,
            })),
            (Value::Text(a), Value::Text(b)) if operator == Binary::Plus => {
                // Long text costs steps, so that no loop can pile it up.
                self.step(steps(a.len() + b.len()))?;
                Ok(Value::Text(Cow::Owned(format!("{a}{b}"))))
            }
            _ => Err(Fault::Unknown),
        }
    }

    fn contains(&mut self, item: &'a Code, list: &'a Code) -> Result<Value<'a>, Fault> {
        let item = self.value(item)?;
        // A written list need not be built to be searched.
        if let Code::List(items) = list {
            for candidate in items {
                if self.value(candidate)?.equals(&item) {
                    return Ok(Value::Bool(true));
                }
            }
            return Ok(Value::Bool(false));
        }
        match self.value(list)? {
            Value::List(items) => Ok(Value::Bool(items.iter().any(|candidate| candidate.equals(&item)))),
            _ => Err(Fault::Unknown),
        }
    }

    fn size(&mut self, inner: &'a Code) -> Result<Value<'a>, Fault> {
        let size = match self.value(inner)? {
            Value::Text(text) => text.chars().count(),
            Value::List(items) => items.len(),
            Value::Signals(signals) => {
                self.step(steps(signals.len().saturating_mul(signals.len())))?;
                signals.names().len()
            }
            _ => return Err(Fault::Unknown),
        };
        Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
    }

    fn text(&mut self, code: &'a Code) -> Result<Cow<'a, str>, Fault> {
        match self.value(code)? {
            Value::Text(text) => Ok(text),
            _ => Err(Fault::Unknown),
        }
    }

    fn text_test(&mut self, test: TextTest, a: &'a Code, b: &'a Code) -> Result<Value<'a>, Fault> {
        let (a, b) = (self.text(a)?, self.text(b)?);
        // Names come from outside and may be long.
        self.step(steps(a.len()))?;
        Ok(Value::Bool(match test {
            TextTest::Starts => a.starts_with(b.as_ref()),
            TextTest::Ends => a.ends_with(b.as_ref()),
            TextTest::Contains => a.contains(b.as_ref()),
        }))
    }

    fn each(&mut self, each: Each, range: &'a Code, body: &'a Code) -> Result<Value<'a>, Fault> {
        let items = match self.value(range)? {
            Value::List(items) => items,
            Value::Signals(signals) => {
                self.step(steps(signals.len().saturating_mul(signals.len())))?;
                let names = signals.names().into_iter();
                names.map(|name| Value::Text(Cow::Borrowed(name))).collect()
            }
            _ => return Err(Fault::Unknown),
        };
        let depth = self.locals.len();
        let answer = self.over(each, items, body);
        self.locals.truncate(depth);
        answer
    }

    fn over(&mut self, each: Each, items: Vec<Value<'a>>, body: &'a Code) -> Result<Value<'a>, Fault> {
        let (mut kept, mut held, mut failed) = (Vec::new(), 0_usize, None);
        for item in items {
            self.locals.push(item);
            let value = self.value(body);
            let item = self.locals.pop().unwrap_or(Value::Null);
            match (each, value) {
                (Each::Exists, Ok(Value::Bool(true))) => return Ok(Value::Bool(true)),
                (Each::All, Ok(Value::Bool(false))) => return Ok(Value::Bool(false)),
                (Each::Map, Ok(value)) => kept.push(value),
                (Each::Filter, Ok(Value::Bool(true))) => kept.push(item),
                (_, Ok(Value::Bool(true))) => held += 1,
                (_, Ok(Value::Bool(false))) => {}
                (_, Ok(_)) => return Err(Fault::Unknown),
                (Each::Exists | Each::All, Err(fault)) if fault != Fault::Steps => {
                    failed = failed.or(Some(fault));
                }
                (_, Err(fault)) => return Err(fault),
            }
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
        Ok(match each {
            Each::Exists => Value::Bool(false),
            Each::All => Value::Bool(true),
            Each::ExistsOne => Value::Bool(held == 1),
            Each::Filter | Each::Map => Value::List(kept),
        })
    }
}

/// Steps that looking at so many bytes or names costs.
fn steps(length: usize) -> u32 {
    u32::try_from(length / 64).unwrap_or(u32::MAX)
}

/// Whether the order is the one that the operator asks for. Not-a-number has none: every comparison with it is false.
fn stands(operator: Binary, order: Option<Ordering>) -> bool {
    match operator {
        Binary::Less => order == Some(Ordering::Less),
        Binary::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Binary::More => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Whether two constants stand in this order.
pub fn ordered(operator: Binary, a: &Literal, b: &Literal) -> bool {
    stands(operator, constant(a).order(&constant(b)))
}

/// Whether two constants are equal.
pub fn same(a: &Literal, b: &Literal) -> bool {
    constant(a).equals(&constant(b))
}

fn constant(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(holds) => Value::Bool(*holds),
        Literal::Int(number) => Value::Int(*number),
        Literal::Double(number) => Value::Double(*number),
        Literal::Text(text) => Value::Text(Cow::Borrowed(text)),
    }
}
