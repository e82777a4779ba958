//! From words to the syntax tree, by binding strength, with a limit on depth.

use super::lexer::{Word, words};
use super::limits;
use super::syntax::{Binary, Kind, Literal, Node, Span, Unary, Wrong};

/// Reads a condition; gives its tree and the number of its parts.
///
/// # Errors
/// The first thing that is wrong: too long, too deep, or not the language.
pub fn parse(text: &str) -> Result<(Node, usize), Wrong> {
    if text.len() > limits::CONDITION_BYTES_MAX {
        let message = format!("a condition of more than {} bytes", limits::CONDITION_BYTES_MAX);
        return Err(Wrong::new(&(0..text.len()), message).label("too long"));
    }
    let mut parser = Parser {
        words: words(text)?,
        at: 0,
        end: text.len(),
        depth: 0,
        nodes: 0,
    };
    let node = parser.choice()?;
    match parser.words.get(parser.at) {
        None => Ok((node, parser.nodes)),
        Some((_, span)) => Err(Wrong::new(span, "the condition goes on where it should end")
            .help("join two conditions with `&&` or `||`")),
    }
}

struct Parser {
    words: Vec<(Word, Span)>,
    at: usize,
    end: usize,
    depth: usize,
    nodes: usize,
}

impl Parser {
    fn choice(&mut self) -> Result<Node, Wrong> {
        self.deeper()?;
        let condition = self.binary(0)?;
        let node = if self.take("?") {
            let then = self.binary(0)?;
            self.expect(":")?;
            let otherwise = self.choice()?;
            let span = condition.span.start..otherwise.span.end;
            let kind = Kind::Choice(Box::new(condition), Box::new(then), Box::new(otherwise));
            self.node(span, kind)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn binary(&mut self, above: u8) -> Result<Node, Wrong> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|operator| operator.binding() > above) {
            self.at += 1;
            let right = self.binary(operator.binding())?;
            let span = left.span.start..right.span.end;
            left = self.node(span, Kind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Binary> {
        let operator = match &self.words.get(self.at)?.0 {
            Word::Name(name) if name == "in" => Binary::In,
            Word::Sign(sign) => match *sign {
                "||" => Binary::Or,
                "&&" => Binary::And,
                "==" => Binary::Equal,
                "!=" => Binary::Unequal,
                "<" => Binary::Less,
                "<=" => Binary::AtMost,
                ">" => Binary::More,
                ">=" => Binary::AtLeast,
                "+" => Binary::Plus,
                "-" => Binary::Minus,
                "*" => Binary::Times,
                "/" => Binary::Over,
                "%" => Binary::Modulo,
                _ => return None,
            },
            _ => return None,
        };
        Some(operator)
    }

    fn unary(&mut self) -> Result<Node, Wrong> {
        let start = self.here().start;
        let operator = if self.take("!") {
            Unary::Not
        } else if self.take("-") {
            if let Some(number) = self.negative(start)? {
                return self.postfix(number);
            }
            Unary::Minus
        } else {
            let first = self.primary()?;
            return self.postfix(first);
        };
        self.deeper()?;
        let operand = self.unary()?;
        self.depth -= 1;
        let span = start..operand.span.end;
        self.node(span, Kind::Unary(operator, Box::new(operand)))
    }

    /// A number after `-`: one literal, so that the least whole number can be written.
    fn negative(&mut self, start: usize) -> Result<Option<Node>, Wrong> {
        let literal = match self.words.get(self.at) {
            Some((Word::Int(digits), span)) => Literal::Int(whole(&format!("-{digits}"), span)?),
            Some((Word::Double(number), _)) => Literal::Double(-number),
            _ => return Ok(None),
        };
        let span = start..self.here().end;
        self.at += 1;
        self.node(span, Kind::Literal(literal)).map(Some)
    }

    fn postfix(&mut self, first: Node) -> Result<Node, Wrong> {
        let mut node = first;
        loop {
            let start = node.span.start;
            if self.take(".") {
                let (name, name_span) = self.name()?;
                if self.take("(") {
                    let arguments = self.list(")")?;
                    let span = start..self.before();
                    let kind = Kind::Call(Some(Box::new(node)), name, name_span, arguments);
                    node = self.node(span, kind)?;
                } else {
                    let span = start..name_span.end;
                    node = self.node(span, Kind::Select(Box::new(node), name, name_span))?;
                }
            } else if self.take("[") {
                let index = self.choice()?;
                self.expect("]")?;
                let span = start..self.before();
                node = self.node(span, Kind::Index(Box::new(node), Box::new(index)))?;
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Result<Node, Wrong> {
        let Some((word, span)) = self.words.get(self.at).cloned() else {
            return Err(
                Wrong::new(&self.here(), "the condition ends too early").label("something is missing")
            );
        };
        self.at += 1;
        let kind = match word {
            Word::Int(digits) => Kind::Literal(Literal::Int(whole(&digits, &span)?)),
            Word::Double(number) => Kind::Literal(Literal::Double(number)),
            Word::Text(text) => Kind::Literal(Literal::Text(text)),
            Word::Name(name) => return self.named(name, span),
            Word::Sign("(") => {
                let mut inner = self.choice()?;
                self.expect(")")?;
                inner.span = span.start..self.before();
                return Ok(inner);
            }
            Word::Sign("[") => Kind::List(self.list("]")?),
            Word::Sign(sign) => {
                return Err(Wrong::new(&span, format!("`{sign}` where a value should stand")));
            }
        };
        let span = span.start..self.before();
        self.node(span, kind)
    }

    fn named(&mut self, name: String, span: Span) -> Result<Node, Wrong> {
        let literal = match name.as_str() {
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            "null" => Some(Literal::Null),
            "in" => return Err(Wrong::new(&span, "`in` where a value should stand")),
            _ => None,
        };
        if let Some(literal) = literal {
            return self.node(span, Kind::Literal(literal));
        }
        if self.take("(") {
            let arguments = self.list(")")?;
            let whole = span.start..self.before();
            return self.node(whole, Kind::Call(None, name, span, arguments));
        }
        self.node(span, Kind::Ident(name))
    }

    /// Values up to the closing bracket; a comma may follow the last.
    fn list(&mut self, close: &'static str) -> Result<Vec<Node>, Wrong> {
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.choice()?);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn name(&mut self) -> Result<(String, Span), Wrong> {
        match self.words.get(self.at).cloned() {
            Some((Word::Name(name), span)) => {
                self.at += 1;
                Ok((name, span))
            }
            _ => Err(Wrong::new(&self.here(), "a name should follow the point")),
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.words.get(self.at), Some((Word::Sign(next), _)) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Wrong> {
        if self.take(sign) {
            return Ok(());
        }
        let wrong = Wrong::new(&self.here(), format!("`{sign}` is missing"));
        Err(wrong.label(format!("expected `{sign}`")))
    }

    fn here(&self) -> Span {
        match self.words.get(self.at) {
            Some((_, span)) => span.clone(),
            None => self.end..self.end,
        }
    }

    /// End of the word before this one.
    fn before(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.words.get(at));
        last.map_or(0, |(_, span)| span.end)
    }

    fn deeper(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth <= limits::CONDITION_DEPTH_MAX {
            return Ok(());
        }
        let message = format!("a condition nested deeper than {}", limits::CONDITION_DEPTH_MAX);
        Err(Wrong::new(&self.here(), message).label("too deep"))
    }

    fn node(&mut self, span: Span, kind: Kind) -> Result<Node, Wrong> {
        self.nodes += 1;
        if self.nodes <= limits::CONDITION_NODES_MAX {
            return Ok(Node { span, kind });
        }
        let message = format!("a condition of more than {} parts", limits::CONDITION_NODES_MAX);
        Err(Wrong::new(&span, message).label("too large"))
    }
}

fn whole(digits: &str, span: &Span) -> Result<i64, Wrong> {
    let out_of_range = |_| Wrong::new(span, "a whole number out of range");
    digits.parse().map_err(out_of_range)
}
