//! One condition: from Cedar's syntax tree to the form that is evaluated.

use cedar_policy::pst::{self, BinaryOp, PatternElem, UnaryOp, Var};

use super::facts::{Entity, Fact, Value};
use crate::model::{Area, Areas, Environment};

/// A condition, compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Expr {
    Value(Literal),
    Fact(Fact),
    /// `context has count`
    Has(Fact),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<[Expr; 3]>),
    Equal(Box<Expr>, Box<Expr>),
    Less(Box<Expr>, Box<Expr>),
    LessOrEqual(Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `resource is Table`
    Is(Fact, String),
    /// `resource in [Area::"root", Area::"home"]`
    In(Fact, Places),
    /// `["rm", "dd"].contains(context.by)`
    OneOf(Vec<Literal>, Box<Expr>),
    Like(Box<Expr>, Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

/// The right side of an `in`: the closed vocabularies as bits, since most rules ask for those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Places {
    pub(super) areas: Areas,
    /// One bit per [`Environment`].
    pub(super) environments: u32,
    pub(super) others: Vec<Literal>,
}

impl Places {
    fn new(literals: Vec<Literal>) -> Option<Self> {
        let mut places = Self::default();
        for literal in literals {
            let Literal::Entity { kind, id } = &literal else { return None };
            match (kind.as_str(), Area::from_word(id), Environment::from_word(id)) {
                ("Area", Some(area), _) => places.areas = places.areas.with(area),
                ("Environment", _, Some(environment)) => places.environments |= 1 << environment as u32,
                _ => places.others.push(literal),
            }
        }
        Some(places)
    }
}

/// A value that a policy writes down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Literal {
    Bool(bool),
    Long(i64),
    Text(String),
    Entity { kind: String, id: String },
}

impl Literal {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Long(value) => Value::Long(*value),
            Self::Text(value) => Value::Text(value),
            Self::Entity { kind, id } => Value::Entity(Entity { kind, id }),
        }
    }
}

/// A `like` pattern: the pieces between its stars.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    fn new(elements: &[PatternElem]) -> Self {
        let mut pieces = vec![String::new()];
        for element in elements {
            match (element, pieces.last_mut()) {
                (PatternElem::Char(c), Some(piece)) => piece.push(*c),
                _ => pieces.push(String::new()),
            }
        }
        Self(pieces)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        // The leftmost place of each piece leaves the most room for the next one.
        middle.iter().all(|piece| match rest.find(piece.as_str()) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

/// `None` for what only Cedar knows how to evaluate.
pub(super) fn expression(expr: &pst::Expr) -> Option<Expr> {
    let boxed = |expr: &pst::Expr| expression(expr).map(Box::new);
    Some(match expr {
        pst::Expr::Literal(value) => Expr::Value(literal(value)?),
        pst::Expr::Var(_) | pst::Expr::GetAttr { .. } => Expr::Fact(Fact::from_word(&path(expr)?)?),
        pst::Expr::HasAttr { expr, attrs } => {
            let mut path = path(expr)?;
            for attr in attrs {
                path.push('.');
                path.push_str(attr);
            }
            match Fact::from_word(&path) {
                Some(fact) if fact.is_optional() => Expr::Has(fact),
                None if path == "context.session" => Expr::Value(Literal::Bool(true)),
                Some(Fact::Unresolved | Fact::ResourceName | Fact::PrincipalName) | None => return None,
                Some(_) => Expr::Value(Literal::Bool(true)),
            }
        }
        pst::Expr::UnaryOp { op: UnaryOp::Not, expr } => Expr::Not(boxed(expr)?),
        pst::Expr::UnaryOp { op: UnaryOp::Neg, expr } => Expr::Negative(boxed(expr)?),
        pst::Expr::BinaryOp { op: BinaryOp::In, left, right } => within(left, right)?,
        pst::Expr::BinaryOp { op: BinaryOp::Contains, left, right } => {
            let pst::Expr::Set(elements) = &**left else { return None };
            Expr::OneOf(literals(elements)?, boxed(right)?)
        }
        pst::Expr::BinaryOp { op, left, right } => {
            let (l, r) = (boxed(left)?, boxed(right)?);
            match op {
                BinaryOp::And => Expr::And(l, r),
                BinaryOp::Or => Expr::Or(l, r),
                BinaryOp::Eq => Expr::Equal(l, r),
                BinaryOp::NotEq => Expr::Not(Box::new(Expr::Equal(l, r))),
                BinaryOp::Less => Expr::Less(l, r),
                BinaryOp::LessEq => Expr::LessOrEqual(l, r),
                BinaryOp::Greater => Expr::Not(Box::new(Expr::LessOrEqual(l, r))),
                BinaryOp::GreaterEq => Expr::Not(Box::new(Expr::Less(l, r))),
                BinaryOp::Add => Expr::Arithmetic(Arithmetic::Add, l, r),
                BinaryOp::Sub => Expr::Arithmetic(Arithmetic::Subtract, l, r),
                BinaryOp::Mul => Expr::Arithmetic(Arithmetic::Multiply, l, r),
                _ => return None,
            }
        }
        pst::Expr::Like { expr, pattern } => Expr::Like(boxed(expr)?, Pattern::new(pattern)),
        pst::Expr::Is { expr, entity_type, in_expr } => {
            let Expr::Fact(fact) = expression(expr)? else { return None };
            let is = Expr::Is(fact, entity_type.to_string());
            match in_expr {
                None => is,
                Some(place) => Expr::And(Box::new(is), Box::new(within(expr, place)?)),
            }
        }
        pst::Expr::IfThenElse { cond, then_expr, else_expr } => {
            Expr::If(Box::new([expression(cond)?, expression(then_expr)?, expression(else_expr)?]))
        }
        _ => return None,
    })
}

fn within(left: &pst::Expr, right: &pst::Expr) -> Option<Expr> {
    let Expr::Fact(fact @ (Fact::Principal | Fact::Action | Fact::Resource)) = expression(left)? else { return None };
    let places = match right {
        pst::Expr::Set(elements) => literals(elements)?,
        pst::Expr::Literal(value) => vec![literal(value)?],
        _ => return None,
    };
    Some(Expr::In(fact, Places::new(places)?))
}

fn path(expr: &pst::Expr) -> Option<String> {
    Some(match expr {
        pst::Expr::Var(Var::Principal) => "principal".into(),
        pst::Expr::Var(Var::Action) => "action".into(),
        pst::Expr::Var(Var::Resource) => "resource".into(),
        pst::Expr::Var(Var::Context) => "context".into(),
        pst::Expr::GetAttr { expr, attr } => format!("{}.{attr}", path(expr)?),
        _ => return None,
    })
}

fn literals(elements: &[std::sync::Arc<pst::Expr>]) -> Option<Vec<Literal>> {
    elements
        .iter()
        .map(|element| match &**element {
            pst::Expr::Literal(value) => literal(value),
            _ => None,
        })
        .collect()
}

fn literal(value: &pst::Literal) -> Option<Literal> {
    Some(match value {
        pst::Literal::Bool(value) => Literal::Bool(*value),
        pst::Literal::Long(value) => Literal::Long(*value),
        pst::Literal::String(value) => Literal::Text(value.to_string()),
        pst::Literal::EntityUID(uid) => Literal::Entity { kind: uid.ty.to_string(), id: uid.eid.to_string() },
        _ => return None,
    })
}

/// The same condition with `>`, `>=` and `!=` as people write them. Members of a set are sorted: conditions that differ
/// in nothing else are one, and whose order was seen first must not show.
pub(super) fn spelt(expr: &pst::Expr) -> pst::Expr {
    let inner = |expr: &pst::Expr| spelt(expr).into();
    match expr {
        pst::Expr::UnaryOp { op: UnaryOp::Not, expr } => match &**expr {
            pst::Expr::BinaryOp { op, left, right } if opposite(*op).is_some() => {
                pst::Expr::BinaryOp { op: opposite(*op).unwrap_or(*op), left: inner(left), right: inner(right) }
            }
            other => pst::Expr::UnaryOp { op: UnaryOp::Not, expr: inner(other) },
        },
        pst::Expr::BinaryOp { op, left, right } => {
            pst::Expr::BinaryOp { op: *op, left: inner(left), right: inner(right) }
        }
        pst::Expr::Set(members) => {
            let mut members = members.clone();
            members.sort_by_cached_key(ToString::to_string);
            pst::Expr::Set(members)
        }
        other => other.clone(),
    }
}

/// The tree spells `a > b` out as `!(a <= b)`; people do not.
const fn opposite(op: BinaryOp) -> Option<BinaryOp> {
    match op {
        BinaryOp::Eq => Some(BinaryOp::NotEq),
        BinaryOp::Less => Some(BinaryOp::GreaterEq),
        BinaryOp::LessEq => Some(BinaryOp::Greater),
        _ => None,
    }
}
