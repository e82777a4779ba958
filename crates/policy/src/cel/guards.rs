//! What the rest of a condition makes sure of: `network.asn != null && network.asn > 64511` asks nothing unknown.

use super::check::Scope;
use super::syntax::{Binary, Kind, Literal, Node, Unary};

/// What is known to be there.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    paths: Vec<String>,
    signals: Vec<String>,
}

impl Guards {
    /// Whether the variable of this name is known not to be null.
    pub fn knows(&self, path: &str) -> bool {
        self.paths.iter().any(|known| known == path)
    }

    /// Whether the signal is known to have spoken.
    pub fn has_signal(&self, name: &str) -> bool {
        self.signals.iter().any(|known| known == name)
    }

    /// Adds what holds where the node is true, or where it is false.
    fn learn(&mut self, node: &Node, is_true: bool) {
        match (&node.kind, is_true) {
            (Kind::Unary(Unary::Not, inner), _) => self.learn(inner, !is_true),
            (Kind::Binary(Binary::And, a, b), true) | (Kind::Binary(Binary::Or, a, b), false) => {
                self.learn(a, is_true);
                self.learn(b, is_true);
            }
            (Kind::Binary(Binary::Unequal, a, b), true) | (Kind::Binary(Binary::Equal, a, b), false) => {
                self.compared((a, b), is_null);
            }
            (Kind::Binary(Binary::Equal, a, b), true) | (Kind::Binary(Binary::Unequal, a, b), false) => {
                self.compared((a, b), is_constant);
            }
            (Kind::Binary(Binary::In, item, list), true) => self.contained(item, list),
            (Kind::Call(None, name, _, arguments), true) if name == "has" => {
                let tested = arguments.first().and_then(path);
                let signal = tested.as_deref().and_then(|path| path.strip_prefix("signals."));
                self.signals.extend(signal.map(ToOwned::to_owned));
            }
            _ => {}
        }
    }

    fn compared(&mut self, (a, b): (&Node, &Node), with: fn(&Node) -> bool) {
        let tested = match (with(a), with(b)) {
            (false, true) => path(a),
            (true, false) => path(b),
            _ => None,
        };
        self.paths.extend(tested);
    }

    fn contained(&mut self, item: &Node, list: &Node) {
        match (&item.kind, path(list).as_deref()) {
            (Kind::Literal(Literal::Text(name)), Some("signals")) => self.signals.push(name.clone()),
            // No list holds null.
            _ => self.paths.extend(path(item)),
        }
    }
}

impl Scope {
    /// This scope where the node is true, or where it is false.
    pub fn when(&self, node: &Node, is_true: bool) -> Self {
        let mut inner = self.clone();
        inner.guards.learn(node, is_true);
        inner
    }
}

/// The name with points that a node spells; `None` if it spells none.
pub fn path(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Ident(name) => Some(name.clone()),
        Kind::Select(of, field, _) => path(of).map(|of| format!("{of}.{field}")),
        _ => None,
    }
}

fn is_null(node: &Node) -> bool {
    node.kind == Kind::Literal(Literal::Null)
}

fn is_constant(node: &Node) -> bool {
    matches!(&node.kind, Kind::Literal(literal) if *literal != Literal::Null)
}
