//! What a condition looks at: what would have to change for it to hold, and how much work that is to find out.

use crate::model::Nature;
use crate::policy::Request;
use crate::policy::compile::{Conjunct, Test};
use crate::policy::evaluate::truth;
use crate::policy::expression::Expr;
use crate::policy::facts::Fact;

impl Conjunct {
    /// What would have to change for it to hold.
    pub(in crate::policy) fn nature(&self) -> Nature {
        match &self.test {
            Test::Compiled(expr) if self.at_least().is_some() && natures(expr) & bit(Nature::Number) != 0 => {
                Nature::Number
            }
            Test::Compiled(expr) => cheapest(natures(expr)),
            Test::Slow(_) => cheapest(self.facts.iter().fold(0, |bits, fact| bits | bit(nature(*fact)))),
        }
    }

    /// Whether it could hold for this kind of act, by this kind of actor, on this kind of thing.
    pub(in crate::policy) fn can_hold(&self, request: &Request<'_>) -> bool {
        match &self.test {
            Test::Compiled(expr) => reach(expr, request).0,
            Test::Slow(_) => true,
        }
    }

    /// How much work it is to evaluate, as the number of its parts.
    pub(in crate::policy) fn price(&self) -> u32 {
        match &self.test {
            Test::Compiled(expr) => price(expr),
            Test::Slow(_) => u32::MAX,
        }
    }

    /// The number and the limit of `context.count >= 100`.
    pub(super) fn at_least(&self) -> Option<(Fact, i64)> {
        let Test::Compiled(expr) = &self.test else { return None };
        limit(expr, false)
    }
}

fn limit(expr: &Expr, negated: bool) -> Option<(Fact, i64)> {
    use crate::policy::expression::Literal::Long;
    let of = |expr: &Expr| match expr {
        Expr::Fact(fact) => Some(*fact),
        _ => None,
    };
    let number = |expr: &Expr| match expr {
        Expr::Value(Long(number)) => Some(*number),
        _ => None,
    };
    match (expr, negated) {
        (Expr::Not(inner), _) => limit(inner, !negated),
        // `100 <= count`, `100 < count`
        (Expr::LessOrEqual(left, right), false) => Some((of(right)?, number(left)?)),
        (Expr::Less(left, right), false) => Some((of(right)?, number(left)?.checked_add(1)?)),
        // `!(count < 100)`, `!(count <= 100)`
        (Expr::Less(left, right), true) => Some((of(left)?, number(right)?)),
        (Expr::LessOrEqual(left, right), true) => Some((of(left)?, number(right)?.checked_add(1)?)),
        _ => None,
    }
}

fn price(expr: &Expr) -> u32 {
    match expr {
        Expr::Value(_) | Expr::Fact(_) | Expr::Has(_) | Expr::Is(..) => 1,
        // Both look through lists or letters.
        Expr::Like(inner, _) => 8 + price(inner),
        Expr::In(..) => 4,
        Expr::Not(inner) | Expr::Negative(inner) | Expr::OneOf(_, inner) => 1 + price(inner),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Equal(left, right)
        | Expr::Less(left, right)
        | Expr::LessOrEqual(left, right)
        | Expr::Arithmetic(_, left, right) => 1 + price(left) + price(right),
        Expr::If(parts) => parts.iter().map(price).sum(),
    }
}

/// Whether an expression could be true, and whether it could be false, if everything but the kind of act, actor and
/// thing could be anything.
fn reach(expr: &Expr, request: &Request<'_>) -> (bool, bool) {
    match expr {
        Expr::Is(..) | Expr::In(Fact::Action, _) => fixed(expr, request),
        Expr::Equal(left, _) if **left == Expr::Fact(Fact::Action) => fixed(expr, request),
        Expr::Not(inner) => {
            let (holds, fails) = reach(inner, request);
            (fails, holds)
        }
        Expr::And(left, right) => {
            let (left, right) = (reach(left, request), reach(right, request));
            (left.0 && right.0, left.1 || right.1)
        }
        Expr::Or(left, right) => {
            let (left, right) = (reach(left, request), reach(right, request));
            (left.0 || right.0, left.1 && right.1)
        }
        _ => (true, true),
    }
}

fn fixed(expr: &Expr, request: &Request<'_>) -> (bool, bool) {
    let holds = truth(expr, request).holds;
    (holds == Ok(true), holds == Ok(false))
}

const fn bit(nature: Nature) -> u8 {
    1 << nature as u8
}

/// A condition with several ways to hold is as near as the nearest.
fn cheapest(natures: u8) -> Nature {
    let cheap = [Nature::Text, Nature::Circumstance, Nature::Number, Nature::Identity, Nature::Control];
    cheap.into_iter().find(|nature| natures & bit(*nature) != 0).unwrap_or(Nature::Text)
}

fn natures(expr: &Expr) -> u8 {
    match expr {
        Expr::Value(_) => 0,
        Expr::Fact(fact) | Expr::Has(fact) | Expr::Is(fact, _) => bit(nature(*fact)),
        Expr::Not(inner) | Expr::Negative(inner) | Expr::Like(inner, _) | Expr::OneOf(_, inner) => natures(inner),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Equal(left, right)
        | Expr::Less(left, right)
        | Expr::LessOrEqual(left, right)
        | Expr::Arithmetic(_, left, right) => natures(left) | natures(right),
        Expr::If(parts) => parts.iter().fold(0, |bits, part| bits | natures(part)),
        // Where a thing stands is a circumstance; which thing it is, is the words.
        Expr::In(Fact::Resource, places) => {
            let named = places.areas.0 != 0 || !places.others.is_empty();
            let circumstance = if places.environments != 0 { bit(Nature::Circumstance) } else { 0 };
            circumstance | if named { bit(Nature::Text) } else { 0 }
        }
        Expr::In(fact, _) => bit(nature(*fact)),
    }
}

pub(super) const fn nature(fact: Fact) -> Nature {
    match fact {
        Fact::Principal | Fact::PrincipalName => Nature::Identity,
        Fact::DryRun | Fact::GuardOff | Fact::InTransaction | Fact::Approved | Fact::Reversible | Fact::Executed => {
            Nature::Control
        }
        Fact::Environment
        | Fact::Cwd
        | Fact::Host
        | Fact::User
        | Fact::Database
        | Fact::Account
        | Fact::Cluster
        | Fact::ReadSecret
        | Fact::ReadUntrusted
        | Fact::TurnedGuardOff
        | Fact::SwitchedEnvironment
        | Fact::LastFailed
        | Fact::FolderMissing
        | Fact::DirtyTree
        | Fact::UntrackedFiles
        | Fact::LostWork
        | Fact::IsCheckout
        | Fact::MovedInPart => Nature::Circumstance,
        Fact::Count | Fact::Destroyed | Fact::DestroyedRecently | Fact::Repeated | Fact::Sweep | Fact::Denials => {
            Nature::Number
        }
        Fact::Action
        | Fact::Resource
        | Fact::ResourceName
        | Fact::Unresolved
        | Fact::Extent
        | Fact::Certainty
        | Fact::By
        | Fact::Elevated
        | Fact::Cascades
        | Fact::Code
        | Fact::Zone
        | Fact::Peer
        | Fact::Kind
        | Fact::Text => Nature::Text,
    }
}

pub(super) fn collect(expr: &Expr, names: &mut Vec<String>) {
    use crate::policy::expression::Literal;
    let mut name = |literal: &Literal| {
        if let Literal::Text(name) | Literal::Entity { id: name, .. } = literal {
            names.push(name.clone());
        }
    };
    match expr {
        Expr::Value(literal) => name(literal),
        Expr::OneOf(words, _) => words.iter().for_each(name),
        Expr::In(_, places) => places.others.iter().for_each(name),
        Expr::Not(inner) | Expr::Negative(inner) => collect(inner, names),
        Expr::And(left, right) | Expr::Or(left, right) | Expr::Equal(left, right) => {
            collect(left, names);
            collect(right, names);
        }
        Expr::If(parts) => parts.iter().for_each(|part| collect(part, names)),
        _ => {}
    }
}
