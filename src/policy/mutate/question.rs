//! The questions that conditions are made of: what they look at, and what they can say.

use super::stage::{Dimension, is_text, values};
use crate::policy::Fact;
use crate::policy::expression::{Expr, Literal};

/// The questions that a condition is made of.
pub(super) fn questions<'a>(expr: &'a Expr, note: &mut impl FnMut(&'a Expr)) {
    match expr {
        Expr::Not(inner) => questions(inner, note),
        Expr::And(left, right) | Expr::Or(left, right) => {
            questions(left, note);
            questions(right, note);
        }
        question => note(question),
    }
}

/// What texts are compared with, by fact.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<(Fact, Vec<String>)>);

impl Texts {
    pub(super) fn note(&mut self, question: &Expr) {
        let (fact, words) = match question {
            Expr::Equal(left, right) => match (&**left, &**right) {
                (Expr::Fact(fact), Expr::Value(word)) | (Expr::Value(word), Expr::Fact(fact)) => (*fact, vec![word]),
                _ => return,
            },
            Expr::OneOf(words, inner) => match &**inner {
                Expr::Fact(fact) => (*fact, words.iter().collect()),
                _ => return,
            },
            _ => return,
        };
        if !is_text(fact) {
            return;
        }
        let at = self.0.iter().position(|(known, _)| *known == fact).unwrap_or_else(|| {
            self.0.push((fact, Vec::new()));
            self.0.len() - 1
        });
        for word in words {
            if let Literal::Text(text) = word
                && !self.0[at].1.contains(text)
            {
                self.0[at].1.push(text.clone());
            }
        }
    }

    /// Adds what has to be given a value for the question to have an answer.
    pub(super) fn dimensions(&self, question: &Expr, found: &mut Vec<Dimension>) {
        let mut add = |dimension| {
            if !found.contains(&dimension) {
                found.push(dimension);
            }
        };
        match question {
            Expr::Is(fact @ (Fact::Principal | Fact::Resource | Fact::Action), _) => add(Dimension::Fact(*fact)),
            Expr::In(Fact::Action, _) => add(Dimension::Fact(Fact::Action)),
            Expr::In(Fact::Resource, places) => {
                places.areas.iter().for_each(|area| add(Dimension::Area(area)));
                if places.environments != 0 {
                    add(Dimension::Fact(Fact::Environment));
                }
            }
            Expr::Fact(Fact::Principal | Fact::Resource) => {}
            Expr::Fact(fact) | Expr::Has(fact) => match self.0.iter().find(|(known, _)| known == fact) {
                Some((_, texts)) => add(Dimension::Text(*fact, texts.clone())),
                None if values(*fact).is_some() => add(Dimension::Fact(*fact)),
                None => {}
            },
            Expr::Equal(left, right) => {
                self.dimensions(left, found);
                self.dimensions(right, found);
            }
            Expr::OneOf(_, inner) => self.dimensions(inner, found),
            _ => {}
        }
    }
}

/// What a part of a condition is; `None` where it can be an error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Long,
    Text,
    Entity,
}

pub(super) fn kind(expr: &Expr) -> Option<Kind> {
    let all = |parts: [&Expr; 2], wanted| parts.into_iter().all(|part| kind(part) == Some(wanted));
    Some(match expr {
        Expr::Value(Literal::Bool(_)) => Kind::Bool,
        Expr::Value(Literal::Long(_)) => Kind::Long,
        Expr::Value(Literal::Text(_)) => Kind::Text,
        Expr::Value(Literal::Entity { .. }) => Kind::Entity,
        Expr::Fact(fact) => return of_fact(*fact),
        Expr::Has(_) | Expr::In(..) => Kind::Bool,
        Expr::Is(fact, _) => (of_fact(*fact)? == Kind::Entity).then_some(Kind::Bool)?,
        Expr::Not(inner) => (kind(inner)? == Kind::Bool).then_some(Kind::Bool)?,
        Expr::And(left, right) | Expr::Or(left, right) => all([left, right], Kind::Bool).then_some(Kind::Bool)?,
        Expr::Less(left, right) | Expr::LessOrEqual(left, right) => {
            all([left, right], Kind::Long).then_some(Kind::Bool)?
        }
        Expr::Equal(left, right) => {
            kind(left)?;
            kind(right)?;
            Kind::Bool
        }
        Expr::OneOf(_, inner) => {
            kind(inner)?;
            Kind::Bool
        }
        Expr::Like(inner, _) => (kind(inner)? == Kind::Text).then_some(Kind::Bool)?,
        Expr::If(_) | Expr::Negative(_) | Expr::Arithmetic(..) => return None,
    })
}

fn of_fact(fact: Fact) -> Option<Kind> {
    Some(match fact {
        _ if fact.is_optional() => return None,
        Fact::Principal
        | Fact::Action
        | Fact::Resource
        | Fact::Extent
        | Fact::Reversible
        | Fact::Certainty
        | Fact::Kind
        | Fact::Executed
        | Fact::Environment => Kind::Entity,
        Fact::PrincipalName | Fact::ResourceName | Fact::By | Fact::Text => Kind::Text,
        Fact::Destroyed | Fact::DestroyedRecently | Fact::Repeated | Fact::Sweep | Fact::Denials => Kind::Long,
        fact if values(fact) == Some(2) => Kind::Bool,
        _ => return None,
    })
}

/// Whether it can be unsure where the name is not resolved.
pub(super) fn hangs_on_name(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::Has(_) | Expr::Is(..) => false,
        Expr::Fact(fact) => matches!(fact, Fact::Resource | Fact::ResourceName),
        Expr::In(fact, _) => *fact != Fact::Action,
        Expr::Not(inner) | Expr::Negative(inner) | Expr::Like(inner, _) | Expr::OneOf(_, inner) => hangs_on_name(inner),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Equal(left, right)
        | Expr::Less(left, right)
        | Expr::LessOrEqual(left, right)
        | Expr::Arithmetic(_, left, right) => hangs_on_name(left) || hangs_on_name(right),
        Expr::If(parts) => parts.iter().any(hangs_on_name),
    }
}
