//! The syntax tree of a condition: what was written, and where.

use std::ops::Range;

/// Bytes of the condition's text.
pub type Span = Range<usize>;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it was written.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `true`, `60`, `0.5`, `"x"`.
    Literal(Literal),
    /// A name.
    Ident(String),
    /// `of.field`; the span is that of the field.
    Select(Box<Node>, String, Span),
    /// `of[at]`.
    Index(Box<Node>, Box<Node>),
    /// `name(args)` or `target.name(args)`; the span is that of the name.
    Call(Option<Box<Node>>, String, Span, Vec<Node>),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `!a`, `-a`.
    Unary(Unary, Box<Node>),
    /// `a op b`.
    Binary(Binary, Box<Node>, Box<Node>),
    /// `c ? a : b`.
    Choice(Box<Node>, Box<Node>, Box<Node>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` and `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Double(f64),
    /// Text.
    Text(String),
}

/// Operators before one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `!`
    Not,
    /// `-`
    Minus,
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `in`
    In,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// `%`
    Modulo,
}

impl Binary {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Binary::Or => "||",
            Binary::And => "&&",
            Binary::Equal => "==",
            Binary::Unequal => "!=",
            Binary::Less => "<",
            Binary::AtMost => "<=",
            Binary::More => ">",
            Binary::AtLeast => ">=",
            Binary::In => "in",
            Binary::Plus => "+",
            Binary::Minus => "-",
            Binary::Times => "*",
            Binary::Over => "/",
            Binary::Modulo => "%",
        }
    }

    /// How tightly it binds (CEL's grammar); higher binds tighter.
    pub const fn binding(self) -> u8 {
        match self {
            Binary::Or => 1,
            Binary::And => 2,
            Binary::Equal
            | Binary::Unequal
            | Binary::Less
            | Binary::AtMost
            | Binary::More
            | Binary::AtLeast
            | Binary::In => 3,
            Binary::Plus | Binary::Minus => 4,
            Binary::Times | Binary::Over | Binary::Modulo => 5,
        }
    }
}

/// What is wrong with a condition, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where in the condition.
    pub span: Span,
    /// What; lower case without a final stop.
    pub message: String,
    /// What is written below the place.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Wrong {
    /// Something wrong at a place.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        Self {
            span: span.clone(),
            message: message.into(),
            label: "here".to_owned(),
            help: None,
        }
    }

    /// With the words below the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
