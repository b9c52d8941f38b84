//! From Cedar's public syntax tree to rules made of conditions.
//!
//! Scope and `when` are split on `&&`, `unless` is negated, and equal conditions of different rules become one, so
//! that each is evaluated once per request. What this file does not know is left to Cedar, condition by condition.

use std::collections::HashMap;
use std::sync::OnceLock;

use cedar_policy::pst::{
    self, ActionConstraint, BinaryOp, Clause, EntityOrSlot, PatternElem, PrincipalConstraint, ResourceConstraint,
    UnaryOp, Var,
};

use super::facts::{Entity, Fact, Value};
use crate::model::{Area, Areas, Environment, Operation, ResourceKind};

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

/// One condition; equal ones of different rules are one.
#[derive(Clone, Debug)]
pub(super) struct Conjunct {
    pub(super) test: Test,
    source: pst::Expr,
    text: OnceLock<String>,
    /// The facts it looks at.
    pub(super) facts: Vec<Fact>,
    /// It only asks what kind of act, thing or actor this is.
    pub(super) is_anchor: bool,
}

impl Conjunct {
    /// As a person would write it. Printing is slow and seldom asked for.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| spelt(&self.source).to_string())
    }
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Compiled(Expr),
    /// Left to Cedar, by its text.
    Slow(Box<cedar_policy::Expression>),
}

/// One policy, as conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) permit: bool,
    pub(super) operations: u32,
    pub(super) kinds: u64,
    /// Every condition, in the order in which Cedar evaluates them.
    pub(super) all: Vec<usize>,
    /// Those that the choice by operation and kind does not already answer.
    pub(super) hot: Vec<usize>,
    /// The rule itself asks whether the name is resolved, so it is judged by what is established.
    pub(super) handles_unresolved: bool,
    /// Environments that it names without a negation.
    pub(super) environments: u32,
    /// The kind of actor that its scope names.
    pub(super) actor: Option<String>,
}

/// All conditions of a policy, each once.
#[derive(Debug, Default)]
pub(super) struct Conjuncts {
    pub(super) all: Vec<Conjunct>,
    compiled: HashMap<Expr, usize>,
}

impl Conjuncts {
    /// Compiles one policy. Fails only on templates, which have no meaning of their own.
    pub(super) fn compile(&mut self, policy: &pst::Template) -> Option<Compiled> {
        let mut rule = Compiled {
            permit: policy.effect == pst::Effect::Permit,
            operations: u32::MAX,
            kinds: u64::MAX,
            all: Vec::new(),
            hot: Vec::new(),
            handles_unresolved: false,
            environments: 0,
            actor: None,
        };
        let mut parts = Vec::new();
        scope(policy, &mut parts)?;
        for clause in policy.clauses() {
            match clause {
                Clause::When(expr) => split(expr, false, &mut parts),
                Clause::Unless(expr) => split(expr, true, &mut parts),
            }
        }
        if let PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) = &policy.principal {
            rule.actor = Some(kind.to_string());
        }
        for part in parts {
            self.add(&mut rule, part);
        }
        Some(rule)
    }

    fn add(&mut self, rule: &mut Compiled, part: pst::Expr) {
        let expr = expression(&part);
        rule.environments |= environments(expr.as_ref());
        let masks = expr.as_ref().and_then(masks);
        if let Some((operations, kinds)) = masks {
            rule.operations &= operations;
            rule.kinds &= kinds;
        }
        let known = expr.as_ref().and_then(|expr| self.compiled.get(expr).copied());
        let index = known.unwrap_or(self.all.len());
        if known.is_none() {
            if let Some(expr) = &expr {
                self.compiled.insert(expr.clone(), index);
            }
            self.all.push(conjunct(expr, part));
        }
        if let Some(conjunct) = self.all.get(index) {
            rule.handles_unresolved |= conjunct.facts.contains(&Fact::Unresolved);
        }
        rule.all.push(index);
        if masks.is_none() {
            rule.hot.push(index);
        }
    }
}

fn conjunct(expr: Option<Expr>, source: pst::Expr) -> Conjunct {
    let mut facts = Vec::new();
    let mut is_anchor = false;
    let test = match expr {
        Some(expr) => {
            is_anchor = walk(&expr, &mut facts);
            Test::Compiled(expr)
        }
        None => {
            let text = source.to_string();
            // The words say which facts it looks at, near enough: paths are printed as they are written.
            facts = Fact::ALL.iter().copied().filter(|fact| text.contains(fact.word())).collect();
            // What Cedar printed, Cedar reads; should it ever not, a number in its place fails and is counted.
            Test::Slow(Box::new(text.parse().unwrap_or_else(|_| cedar_policy::Expression::new_long(0))))
        }
    };
    facts.sort();
    facts.dedup();
    Conjunct { test, source, text: OnceLock::new(), facts, is_anchor }
}

/// The scope as expressions; `None` for a template.
fn scope(policy: &pst::Template, parts: &mut Vec<pst::Expr>) -> Option<()> {
    let entity = |slot: &EntityOrSlot| match slot {
        EntityOrSlot::Entity(entity) => Some(pst::Expr::Literal(pst::Literal::EntityUID(entity.clone())).into()),
        EntityOrSlot::Slot(_) => None,
    };
    let binary = |op, var: Var, right| pst::Expr::BinaryOp { op, left: pst::Expr::Var(var).into(), right };
    let is = |var: Var, kind: &pst::EntityType| pst::Expr::Is {
        expr: pst::Expr::Var(var).into(),
        entity_type: kind.clone(),
        in_expr: None,
    };
    match &policy.principal {
        PrincipalConstraint::Any => {}
        PrincipalConstraint::Eq(slot) => parts.push(binary(BinaryOp::Eq, Var::Principal, entity(slot)?)),
        PrincipalConstraint::In(slot) => parts.push(binary(BinaryOp::In, Var::Principal, entity(slot)?)),
        PrincipalConstraint::Is(kind) => parts.push(is(Var::Principal, kind)),
        PrincipalConstraint::IsIn(kind, slot) => {
            parts.push(is(Var::Principal, kind));
            parts.push(binary(BinaryOp::In, Var::Principal, entity(slot)?));
        }
    }
    let uid = |uid: &pst::EntityUID| pst::Expr::Literal(pst::Literal::EntityUID(uid.clone())).into();
    match &policy.action {
        ActionConstraint::Any => {}
        ActionConstraint::Eq(action) => parts.push(binary(BinaryOp::Eq, Var::Action, uid(action))),
        ActionConstraint::In(actions) => {
            let set = pst::Expr::Set(actions.iter().map(uid).collect());
            parts.push(binary(BinaryOp::In, Var::Action, set.into()));
        }
    }
    match &policy.resource {
        ResourceConstraint::Any => {}
        ResourceConstraint::Eq(slot) => parts.push(binary(BinaryOp::Eq, Var::Resource, entity(slot)?)),
        ResourceConstraint::In(slot) => parts.push(binary(BinaryOp::In, Var::Resource, entity(slot)?)),
        ResourceConstraint::Is(kind) => parts.push(is(Var::Resource, kind)),
        ResourceConstraint::IsIn(kind, slot) => {
            parts.push(is(Var::Resource, kind));
            parts.push(binary(BinaryOp::In, Var::Resource, entity(slot)?));
        }
    }
    Some(())
}

/// `a && b` and `!(a || b)` are two conditions; `!(a && b)` is one.
fn split(expr: &pst::Expr, negated: bool, parts: &mut Vec<pst::Expr>) {
    match (expr, negated) {
        (pst::Expr::BinaryOp { op: BinaryOp::And, left, right }, false)
        | (pst::Expr::BinaryOp { op: BinaryOp::Or, left, right }, true) => {
            split(left, negated, parts);
            split(right, negated, parts);
        }
        (pst::Expr::UnaryOp { op: UnaryOp::Not, expr }, negated) => split(expr, !negated, parts),
        (pst::Expr::Literal(pst::Literal::Bool(true)), false) => {}
        (expr, false) => parts.push(expr.clone()),
        (expr, true) => parts.push(pst::Expr::UnaryOp { op: UnaryOp::Not, expr: expr.clone().into() }),
    }
}

/// The same condition with `>`, `>=` and `!=` as people write them.
fn spelt(expr: &pst::Expr) -> pst::Expr {
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

/// `None` for what only Cedar knows how to evaluate.
fn expression(expr: &pst::Expr) -> Option<Expr> {
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

/// The operations and kinds that a condition leaves, if it looks at one of the two and at nothing else.
fn masks(expr: &Expr) -> Option<(u32, u64)> {
    if let Some(kinds) = among(expr, Fact::Resource, |word| ResourceKind::from_word(word).map(|kind| kind as u32)) {
        return Some((u32::MAX, kinds));
    }
    let operations = among(expr, Fact::Action, |word| Operation::from_word(word).map(|operation| operation as u32))?;
    Some((operations as u32, u64::MAX))
}

/// The set of values of one closed fact for which the condition holds, as bits.
fn among(expr: &Expr, about: Fact, bit: fn(&str) -> Option<u32>) -> Option<u64> {
    let named = |literals: &[Literal]| {
        literals.iter().try_fold(0, |bits, literal| match literal {
            Literal::Entity { kind, id } if kind == "Action" => Some(bits | bit(id).map_or(0, |bit| 1 << bit)),
            _ => None,
        })
    };
    match expr {
        Expr::Is(fact, kind) if *fact == about && about == Fact::Resource => Some(bit(kind).map_or(0, |bit| 1 << bit)),
        Expr::In(fact, places) if *fact == about && about == Fact::Action => named(&places.others),
        Expr::Equal(fact, action) if **fact == Expr::Fact(about) && about == Fact::Action => match &**action {
            Expr::Value(literal) => named(std::slice::from_ref(literal)),
            _ => None,
        },
        Expr::Or(left, right) => Some(among(left, about, bit)? | among(right, about, bit)?),
        Expr::And(left, right) => Some(among(left, about, bit)? & among(right, about, bit)?),
        Expr::Not(inner) => Some(!among(inner, about, bit)?),
        _ => None,
    }
}

/// Collects the facts of a condition; says whether it only asks what kind of act, thing or actor this is.
fn walk(expr: &Expr, facts: &mut Vec<Fact>) -> bool {
    match expr {
        Expr::Value(_) => true,
        Expr::Fact(fact) => {
            facts.push(*fact);
            *fact == Fact::Action
        }
        Expr::Has(fact) => {
            facts.push(*fact);
            false
        }
        Expr::Not(inner) | Expr::Negative(inner) | Expr::Like(inner, _) | Expr::OneOf(_, inner) => walk(inner, facts),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Equal(left, right)
        | Expr::Less(left, right)
        | Expr::LessOrEqual(left, right)
        | Expr::Arithmetic(_, left, right) => {
            let left = walk(left, facts);
            walk(right, facts) && left
        }
        Expr::If(parts) => parts.iter().fold(true, |all, part| walk(part, facts) && all),
        Expr::Is(fact, _) => {
            facts.push(*fact);
            true
        }
        Expr::In(fact, places) => {
            facts.push(*fact);
            if places.environments != 0 {
                facts.push(Fact::Environment);
            }
            *fact == Fact::Action
        }
    }
}

/// Environments that a condition asks for without a negation.
fn environments(expr: Option<&Expr>) -> u32 {
    let bit = |literal: &Literal| match literal {
        Literal::Entity { kind, id } if kind == "Environment" => {
            Environment::from_word(id).map_or(0, |environment| 1 << environment as u32)
        }
        _ => 0,
    };
    match expr {
        Some(Expr::In(Fact::Resource, places)) => places.environments,
        Some(Expr::OneOf(words, fact)) if **fact == Expr::Fact(Fact::Environment) => {
            words.iter().fold(0, |bits, word| bits | bit(word))
        }
        Some(Expr::Equal(fact, word)) if **fact == Expr::Fact(Fact::Environment) => match &**word {
            Expr::Value(word) => bit(word),
            _ => 0,
        },
        Some(Expr::Or(left, right) | Expr::And(left, right)) => environments(Some(left)) | environments(Some(right)),
        _ => 0,
    }
}
