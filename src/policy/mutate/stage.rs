//! A request that can be given any values of the facts that have few of them.

use std::sync::Arc;

use crate::model::{
    Action, ActionId, Actor, ActorKind, Area, Certainty, CodeOrigin, Effect, Environment, Executed, Extent, Kind,
    Operation, Origin, Outcome, Resource, ResourceKind, Reversibility, SessionFacts, Surroundings, Zone,
};
use crate::policy::evaluate::{Truth, truth};
use crate::policy::expression::{Expr, Literal};
use crate::policy::{Fact, Request};

/// What can be given a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Fact(Fact),
    /// Whether the resource stands in it.
    Area(Area),
    /// A text: one of those that conditions compare it with, or any other.
    Text(Fact, Vec<String>),
}

impl Dimension {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Fact(fact) => values(*fact).unwrap_or(usize::MAX),
            Self::Area(_) => 2,
            Self::Text(_, texts) => texts.len() + 1,
        }
    }
}

/// How many values a fact has; `None` for names, texts and numbers.
pub(super) fn values(fact: Fact) -> Option<usize> {
    Some(match fact {
        Fact::Principal => ActorKind::ALL.len(),
        Fact::Action => Operation::ALL.len(),
        Fact::Resource => ResourceKind::ALL.len(),
        Fact::Extent => Extent::ALL.len(),
        Fact::Reversible => Reversibility::ALL.len(),
        Fact::Certainty => Certainty::ALL.len(),
        Fact::Code => CodeOrigin::ALL.len() + 1,
        Fact::Zone => Zone::ALL.len() + 1,
        Fact::Kind => Kind::ALL.len(),
        Fact::Executed => Executed::ALL.len(),
        Fact::Environment => Environment::ALL.len(),
        Fact::Unresolved
        | Fact::DryRun
        | Fact::GuardOff
        | Fact::Elevated
        | Fact::Cascades
        | Fact::InTransaction
        | Fact::Approved
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
        | Fact::MovedInPart => 2,
        _ => return None,
    })
}

/// Whether it is a text that every request has.
pub(super) const fn is_text(fact: Fact) -> bool {
    matches!(fact, Fact::By | Fact::Text | Fact::ResourceName)
}

/// The request.
pub(super) struct Stage {
    action: Action,
    effect: Effect,
    environment: Environment,
    session: SessionFacts,
    /// What has its value from a combination; everything else has any.
    dimensions: Vec<Dimension>,
    /// Texts that are none of those that conditions compare them with.
    other: Vec<Fact>,
}

impl Stage {
    pub(super) fn of(dimensions: Vec<Dimension>) -> Self {
        let action = Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::default(),
            session: "".into(),
            kind: Kind::Shell,
            text: "".into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::new(Surroundings::default()),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "".into(), line: 0, offset: 0, format: "" },
        };
        let effect = Effect::new(Operation::Read, Resource::new(ResourceKind::File, ""));
        Self {
            action,
            effect,
            environment: Environment::Unknown,
            session: SessionFacts::default(),
            dimensions,
            other: Vec::new(),
        }
    }
    /// How many combinations there are.
    pub(super) fn combinations(dimensions: &[Dimension]) -> usize {
        dimensions.iter().fold(1, |all, dimension| all.saturating_mul(dimension.size()))
    }

    /// Gives everything that was named its value in one combination: the first counts up fastest.
    pub(super) fn set_all(&mut self, mut number: usize) {
        self.other.clear();
        for dimension in std::mem::take(&mut self.dimensions) {
            let value = number % dimension.size();
            number /= dimension.size();
            match &dimension {
                Dimension::Fact(fact) => self.set(*fact, value),
                Dimension::Area(area) => {
                    let areas = &mut self.effect.resource.areas;
                    areas.0 = if value == 1 { areas.with(*area).0 } else { areas.0 & !(1 << *area as u32) };
                }
                Dimension::Text(fact, texts) => self.set_text(*fact, texts, value),
            }
            self.dimensions.push(dimension);
        }
    }

    fn set_text(&mut self, fact: Fact, texts: &[String], value: usize) {
        let text = texts.get(value).cloned().unwrap_or_else(|| {
            self.other.push(fact);
            // Longer than each of them.
            texts.concat() + "."
        });
        match fact {
            Fact::By => self.effect.by = text,
            Fact::ResourceName => self.effect.resource.name = text,
            Fact::Text => self.action.text = text.into(),
            _ => {}
        }
    }

    fn set(&mut self, fact: Fact, value: usize) {
        let yes = value == 1;
        let (action, effect, session) = (&mut self.action, &mut self.effect, &mut self.session);
        match fact {
            Fact::Principal => action.actor = Arc::new(Actor { kind: ActorKind::ALL[value], ..Actor::default() }),
            Fact::Action => effect.operation = Operation::ALL[value],
            Fact::Resource => effect.resource.kind = ResourceKind::ALL[value],
            Fact::Extent => effect.extent = Extent::ALL[value],
            Fact::Reversible => effect.reversible = Reversibility::ALL[value],
            Fact::Certainty => effect.certainty = Certainty::ALL[value],
            Fact::Code => effect.code = CodeOrigin::ALL.get(value).copied(),
            Fact::Zone => effect.zone = Zone::ALL.get(value).copied(),
            Fact::Kind => action.kind = Kind::ALL[value],
            Fact::Executed => action.outcome.executed = Executed::ALL[value],
            Fact::Environment => self.environment = Environment::ALL[value],
            Fact::Unresolved => effect.resource.unresolved = yes,
            Fact::DryRun => effect.dry_run = yes,
            Fact::GuardOff => effect.guard_off = yes,
            Fact::Elevated => effect.elevated = yes,
            Fact::Cascades => effect.cascades = yes,
            Fact::InTransaction => effect.in_transaction = yes,
            Fact::Approved => action.approved = yes,
            Fact::ReadSecret => session.read_secret = yes,
            Fact::ReadUntrusted => session.read_untrusted = yes,
            Fact::TurnedGuardOff => session.turned_guard_off = yes,
            Fact::SwitchedEnvironment => session.switched_environment = yes,
            Fact::LastFailed => session.last_failed = yes,
            Fact::FolderMissing => session.folder_missing = yes,
            Fact::DirtyTree => session.dirty_tree = yes,
            Fact::UntrackedFiles => session.untracked_files = yes,
            Fact::LostWork => session.lost_work = yes,
            Fact::IsCheckout => session.is_checkout = yes,
            Fact::MovedInPart => session.moved_in_part = yes,
            _ => {}
        }
    }

    pub(super) const fn request(&self) -> Request<'_> {
        Request {
            action: &self.action,
            effect: &self.effect,
            environment: self.environment,
            labels: &[],
            session: &self.session,
        }
    }

    pub(super) fn has(&self, fact: Fact) -> bool {
        self.dimensions.contains(&Dimension::Fact(fact))
    }

    /// What a question says, where the combination gives everything that it looks at a value.
    pub(super) fn answer(&self, question: &Expr) -> Option<Truth> {
        match question {
            Expr::Value(_) => {}
            Expr::Fact(fact) | Expr::Has(fact) => {
                self.knows(*fact).then_some(())?;
            }
            Expr::Is(fact @ (Fact::Principal | Fact::Resource | Fact::Action), _) => self.has(*fact).then_some(())?,
            Expr::In(Fact::Action, _) => self.has(Fact::Action).then_some(())?,
            // To stand in one of the places is enough.
            Expr::In(Fact::Resource, places) if self.effect.resource.areas.0 & places.areas.0 != 0 => {}
            Expr::In(Fact::Resource, places) => {
                let areas = places.areas.iter().all(|area| self.dimensions.contains(&Dimension::Area(area)));
                let environments = places.environments == 0 || self.has(Fact::Environment);
                (areas && environments && places.others.is_empty()).then_some(())?;
            }
            Expr::Equal(left, right) => return self.compared(question, left, right),
            Expr::OneOf(words, inner) => {
                let words: Vec<&Literal> = words.iter().collect();
                return self.compared_with(question, inner, &words);
            }
            Expr::Like(inner, _) => {
                let Expr::Fact(fact) = **inner else { return None };
                (self.text(fact).is_some() && !self.other.contains(&fact)).then_some(())?;
            }
            _ => return None,
        }
        Some(truth(question, &self.request()))
    }

    /// `==` between two values.
    fn compared(&self, question: &Expr, left: &Expr, right: &Expr) -> Option<Truth> {
        match (left, right) {
            (inner, Expr::Value(word)) | (Expr::Value(word), inner) => self.compared_with(question, inner, &[word]),
            (Expr::Fact(left), Expr::Fact(right)) if self.knows(*left) && self.knows(*right) => {
                Some(truth(question, &self.request()))
            }
            _ => None,
        }
    }

    /// Whether one of some words is the value.
    fn compared_with(&self, question: &Expr, inner: &Expr, words: &[&Literal]) -> Option<Truth> {
        let known = match inner {
            Expr::Value(_) => true,
            // Any other text is none of those in the list.
            Expr::Fact(fact) => match self.text(*fact) {
                Some(texts) => words.iter().all(|word| matches!(word, Literal::Text(text) if texts.contains(text))),
                None => self.knows(*fact),
            },
            _ => false,
        };
        known.then(|| truth(question, &self.request()))
    }

    /// Its whole value is given; who acts and what is acted upon have names beside their kinds.
    fn knows(&self, fact: Fact) -> bool {
        !matches!(fact, Fact::Principal | Fact::Resource) && self.has(fact)
    }

    fn text(&self, fact: Fact) -> Option<&[String]> {
        self.dimensions.iter().find_map(|dimension| match dimension {
            Dimension::Text(of, texts) if *of == fact => Some(texts.as_slice()),
            _ => None,
        })
    }
}
