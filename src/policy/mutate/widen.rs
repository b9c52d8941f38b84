//! How a condition is made to say yes more often. These are all the ways there are:
//!
//! | what the condition asks | and then |
//! |---|---|
//! | `x == Environment::"production"`, `x in […]`, `[…].contains(x)` over a closed vocabulary | one further member: the next one in the vocabulary's own order that is not yet named |
//! | `resource is Table`, `principal is Agent` | the next kind as well |
//! | `x > 100`, `x >= 100`, `x < 100`, `x <= 100` | the limit moved by one, and to a tenth or to ten times |
//! | `text == "a"`, `["a", "b"].contains(text)` | every text that begins so |
//! | `text like "*.a"` | `text like "*.a*"` |
//!
//! Every such question inside a condition is widened by itself, those under a `!` as well: then the exception reaches
//! further, and the rule stops less.

use std::sync::Arc;

use cedar_policy::pst::{self, BinaryOp, PatternElem, UnaryOp, Var};

use crate::model::{
    Area, Certainty, CodeOrigin, Environment, Executed, Extent, Kind, Operation, ResourceKind, Reversibility, Zone,
};

/// The condition, once for each of its questions and each way to widen it.
pub(super) fn widened(expr: &pst::Expr) -> Vec<pst::Expr> {
    let mut found = Vec::new();
    each(expr, &|widened| widened, &mut found);
    found
}

/// `whole` puts a part back where it was.
fn each(part: &pst::Expr, whole: &dyn Fn(pst::Expr) -> pst::Expr, found: &mut Vec<pst::Expr>) {
    match part {
        pst::Expr::UnaryOp { op: UnaryOp::Not, expr } => match limit(expr, true) {
            Some(moved) => found.extend(moved.into_iter().map(|part| whole(not(part)))),
            None => each(expr, &|part| whole(not(part)), found),
        },
        pst::Expr::BinaryOp { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            let with = |left: &Arc<pst::Expr>, right: &Arc<pst::Expr>| {
                whole(pst::Expr::BinaryOp { op: *op, left: Arc::clone(left), right: Arc::clone(right) })
            };
            each(left, &|part| with(&part.into(), right), found);
            each(right, &|part| with(left, &part.into()), found);
        }
        other => {
            let parts = limit(other, false).unwrap_or_else(|| question(other).into_iter().collect());
            found.extend(parts.into_iter().map(whole));
        }
    }
}

/// A comparison with a number, its limit moved by one and by ten times; under a `!` the other way.
fn limit(expr: &pst::Expr, negated: bool) -> Option<Vec<pst::Expr>> {
    let pst::Expr::BinaryOp { op, left, right } = expr else { return None };
    let up = match op {
        BinaryOp::Less | BinaryOp::LessEq => !negated,
        BinaryOp::Greater | BinaryOp::GreaterEq => negated,
        _ => return None,
    };
    let pst::Expr::Literal(pst::Literal::Long(number)) = **right else { return None };
    let (one, ten) =
        if up { (number.checked_add(1)?, number.checked_mul(10)?) } else { (number.checked_sub(1)?, number / 10) };
    let mut limits = vec![one];
    limits.extend((ten != one && ten != number).then_some(ten));
    let with =
        |limit| pst::Expr::BinaryOp { op: *op, left: Arc::clone(left), right: literal(pst::Literal::Long(limit)) };
    Some(limits.into_iter().map(with).collect())
}

/// Any other question, widened in the one way there is for it.
fn question(expr: &pst::Expr) -> Option<pst::Expr> {
    match expr {
        pst::Expr::BinaryOp { op: BinaryOp::In, left, right } => {
            let mut members = match &**right {
                pst::Expr::Set(members) => members.clone(),
                _ => vec![Arc::clone(right)],
            };
            members.push(further(&members)?);
            Some(binary(BinaryOp::In, left, pst::Expr::Set(members)))
        }
        pst::Expr::BinaryOp { op: BinaryOp::Eq, left, right } => match &**right {
            pst::Expr::Literal(pst::Literal::String(text)) => Some(begins(left, text)),
            pst::Expr::Literal(pst::Literal::EntityUID(_)) => {
                let members = pst::Expr::Set(vec![Arc::clone(right), further(std::slice::from_ref(right))?]);
                Some(match **left {
                    pst::Expr::Var(Var::Action) => binary(BinaryOp::In, left, members),
                    _ => binary(BinaryOp::Contains, &members.into(), pst::Expr::clone(left)),
                })
            }
            _ => None,
        },
        pst::Expr::BinaryOp { op: BinaryOp::Contains, left, right } => {
            let pst::Expr::Set(members) = &**left else { return None };
            if let Some(further) = further(members) {
                let members = members.iter().cloned().chain([further]).collect();
                return Some(binary(BinaryOp::Contains, &pst::Expr::Set(members).into(), pst::Expr::clone(right)));
            }
            let texts = members.iter().map(|member| match &**member {
                pst::Expr::Literal(pst::Literal::String(text)) => Some(begins(right, text)),
                _ => None,
            });
            let likes: Vec<pst::Expr> = texts.collect::<Option<_>>()?;
            likes.into_iter().reduce(|left, right| binary(BinaryOp::Or, &left.into(), right))
        }
        pst::Expr::Like { expr, pattern } if pattern.last() != Some(&PatternElem::Wildcard) => {
            let pattern = pattern.iter().cloned().chain([PatternElem::Wildcard]).collect();
            Some(pst::Expr::Like { expr: Arc::clone(expr), pattern })
        }
        pst::Expr::Is { expr, entity_type, in_expr } => {
            let vocabulary = if matches!(**expr, pst::Expr::Var(Var::Principal)) { "Principal" } else { "Resource" };
            let name = pst::Name::unqualified(next(vocabulary, &[&entity_type.to_string()])?).ok()?;
            let is = |entity_type| pst::Expr::Is { expr: Arc::clone(expr), entity_type, in_expr: in_expr.clone() };
            Some(binary(BinaryOp::Or, &is(entity_type.clone()).into(), is(pst::EntityType::from_name(name))))
        }
        _ => None,
    }
}

/// A member of the same closed vocabulary that is not among `members`.
fn further(members: &[Arc<pst::Expr>]) -> Option<Arc<pst::Expr>> {
    let uids = members.iter().map(|member| match &**member {
        pst::Expr::Literal(pst::Literal::EntityUID(uid)) => Some(uid),
        _ => None,
    });
    let uids: Vec<&pst::EntityUID> = uids.collect::<Option<_>>()?;
    let last = uids.last()?;
    let kind = last.ty.to_string();
    let same = uids.iter().filter(|uid| uid.ty == last.ty);
    let eid = next(&kind, &same.map(|uid| uid.eid.as_str()).collect::<Vec<_>>())?;
    Some(literal(pst::Literal::EntityUID(pst::EntityUID { ty: last.ty.clone(), eid: eid.into() })))
}

/// The word after the last of `named` that is not named, from the beginning again at the end.
fn next(vocabulary: &str, named: &[&str]) -> Option<&'static str> {
    let words = words(vocabulary)?;
    let last = named.last().and_then(|last| words.iter().position(|word| word == last))?;
    words.iter().cycle().skip(last + 1).take(words.len()).find(|word| !named.contains(word)).copied()
}

/// The closed vocabularies, by the names that policies have for them.
fn words(vocabulary: &str) -> Option<Vec<&'static str>> {
    macro_rules! all {
        ($kind:ty) => {
            <$kind>::ALL.iter().map(|value| value.word()).collect()
        };
    }
    Some(match vocabulary {
        "Environment" => all!(Environment),
        "Extent" => all!(Extent),
        "Reversibility" => all!(Reversibility),
        "Certainty" => all!(Certainty),
        "CodeOrigin" => all!(CodeOrigin),
        "Zone" => all!(Zone),
        "Kind" => all!(Kind),
        "Executed" => all!(Executed),
        "Area" => all!(Area),
        "Action" => all!(Operation),
        "Resource" => all!(ResourceKind),
        "Principal" => vec!["Human", "Agent", "Service", "Unknown"],
        _ => return None,
    })
}

fn begins(text: &Arc<pst::Expr>, with: &str) -> pst::Expr {
    let pattern = with.chars().map(PatternElem::Char).chain([PatternElem::Wildcard]).collect();
    pst::Expr::Like { expr: Arc::clone(text), pattern }
}

fn binary(op: BinaryOp, left: &Arc<pst::Expr>, right: pst::Expr) -> pst::Expr {
    pst::Expr::BinaryOp { op, left: Arc::clone(left), right: right.into() }
}

fn literal(value: pst::Literal) -> Arc<pst::Expr> {
    pst::Expr::Literal(value).into()
}

fn not(expr: pst::Expr) -> pst::Expr {
    pst::Expr::UnaryOp { op: UnaryOp::Not, expr: expr.into() }
}
