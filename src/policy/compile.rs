//! From Cedar's public syntax tree to rules made of conditions.
//!
//! Scope and `when` are split on `&&`, `unless` is negated, and equal conditions of different rules become one, so
//! that each is evaluated once per request. What this file does not know is left to Cedar, condition by condition.

use std::collections::HashMap;
use std::sync::OnceLock;

use cedar_policy::pst::{
    self, ActionConstraint, BinaryOp, Clause, EntityOrSlot, PrincipalConstraint, ResourceConstraint, UnaryOp, Var,
};

use super::expression::{Expr, Literal, expression, spelt};
use super::facts::{Fact, SessionView};
use crate::model::{Environment, Operation, ResourceKind};

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
    /// It asks for certain environments.
    pub(super) names_environment: bool,
}

impl Conjunct {
    fn new(expr: Option<Expr>, source: pst::Expr) -> Self {
        let mut facts = Vec::new();
        let mut is_anchor = false;
        let mut names_environment = false;
        let test = match expr {
            Some(expr) => {
                is_anchor = walk(&expr, &mut facts);
                names_environment = environments(&expr) != 0;
                Test::Compiled(expr)
            }
            None => {
                let text = source.to_string();
                // The words say which facts it looks at, near enough: paths are printed as they are written.
                let whole = text.contains("context.session") && !text.contains("context.session.");
                let named = |fact: &Fact| text.contains(fact.word()) || whole && fact.is_of_session();
                facts = Fact::ALL.iter().copied().filter(named).collect();
                // What Cedar printed, Cedar reads; should it ever not, a number in its place fails and is counted.
                Test::Slow(Box::new(text.parse().unwrap_or_else(|_| cedar_policy::Expression::new_long(0))))
            }
        };
        facts.sort();
        facts.dedup();
        Self { test, source, text: OnceLock::new(), facts, is_anchor, names_environment }
    }

    /// The opposite condition.
    pub(super) fn negated(&self) -> Self {
        let source = match &self.source {
            pst::Expr::UnaryOp { op: UnaryOp::Not, expr } => pst::Expr::clone(expr),
            source => pst::Expr::UnaryOp { op: UnaryOp::Not, expr: source.clone().into() },
        };
        Self::new(expression(&source), source)
    }

    pub(super) const fn source(&self) -> &pst::Expr {
        &self.source
    }

    /// The fact of `context has count`.
    pub(super) const fn asks_whether_known(&self) -> Option<Fact> {
        match &self.test {
            Test::Compiled(Expr::Has(fact)) => Some(*fact),
            _ => None,
        }
    }

    /// The operations and kinds it leaves, if it looks at one of the two and at nothing else.
    pub(super) fn masks(&self) -> Option<(u32, u64)> {
        match &self.test {
            Test::Compiled(expr) => masks(expr),
            Test::Slow(_) => None,
        }
    }

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
    /// The facts about the session that it looks at.
    pub(super) session: SessionView,
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
        let mut parts = Vec::new();
        scope(policy, &mut parts)?;
        for clause in policy.clauses() {
            match clause {
                Clause::When(expr) => split(expr, false, &mut parts),
                Clause::Unless(expr) => split(expr, true, &mut parts),
            }
        }
        let actor = match &policy.principal {
            PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => Some(kind.to_string()),
            _ => None,
        };
        let all = parts.into_iter().map(|part| self.add(part)).collect();
        Some(Compiled::new(policy.effect == pst::Effect::Permit, actor, all, &self.all))
    }

    /// Those of a policy, for more to be added.
    pub(super) fn of(conjuncts: &[Conjunct]) -> Self {
        let compiled = conjuncts.iter().enumerate().filter_map(|(index, conjunct)| match &conjunct.test {
            Test::Compiled(expr) => Some((expr.clone(), index)),
            Test::Slow(_) => None,
        });
        Self { compiled: compiled.collect(), all: conjuncts.to_vec() }
    }

    pub(super) fn add(&mut self, part: pst::Expr) -> usize {
        let expr = expression(&part);
        if let Some(known) = expr.as_ref().and_then(|expr| self.compiled.get(expr)) {
            return *known;
        }
        let index = self.all.len();
        if let Some(expr) = &expr {
            self.compiled.insert(expr.clone(), index);
        }
        self.all.push(Conjunct::new(expr, part));
        index
    }

    /// Adds a condition as it is.
    pub(super) fn push(&mut self, conjunct: Conjunct) -> usize {
        self.add(conjunct.source)
    }
}

impl Compiled {
    /// A policy that is made of these conditions.
    pub(super) fn new(permit: bool, actor: Option<String>, all: Vec<usize>, conjuncts: &[Conjunct]) -> Self {
        let mut rule = Self {
            permit,
            operations: u32::MAX,
            kinds: u64::MAX,
            hot: Vec::new(),
            handles_unresolved: false,
            environments: 0,
            actor,
            all,
            session: SessionView::default(),
        };
        for index in &rule.all {
            let Some(conjunct) = conjuncts.get(*index) else { continue };
            rule.session = rule.session.and(SessionView::of(&conjunct.facts));
            rule.handles_unresolved |= conjunct.facts.contains(&Fact::Unresolved);
            if let Test::Compiled(expr) = &conjunct.test {
                rule.environments |= environments(expr);
            }
            match conjunct.masks() {
                Some((operations, kinds)) => {
                    rule.operations &= operations;
                    rule.kinds &= kinds;
                }
                None => rule.hot.push(*index),
            }
        }
        rule
    }
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
        Expr::If(parts) => {
            let [condition, then, otherwise] = parts.each_ref().map(|part| walk(part, facts));
            condition && then && otherwise
        }
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
fn environments(expr: &Expr) -> u32 {
    let bit = |literal: &Literal| match literal {
        Literal::Entity { kind, id } if kind == "Environment" => {
            Environment::from_word(id).map_or(0, |environment| 1 << environment as u32)
        }
        _ => 0,
    };
    match expr {
        Expr::In(Fact::Resource, places) => places.environments,
        Expr::OneOf(words, fact) if **fact == Expr::Fact(Fact::Environment) => {
            words.iter().fold(0, |bits, word| bits | bit(word))
        }
        Expr::Equal(fact, word) if **fact == Expr::Fact(Fact::Environment) => match &**word {
            Expr::Value(word) => bit(word),
            _ => 0,
        },
        Expr::Or(left, right) | Expr::And(left, right) => environments(left) | environments(right),
        _ => 0,
    }
}
