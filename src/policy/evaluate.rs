//! Evaluates compiled conditions against a request, in three values.
//!
//! Every result is what Cedar would say, plus whether it could be otherwise: when the resource's name is not resolved,
//! its name is anything and it could stand in more areas than the established ones.

use super::Request;
use super::expression::{Arithmetic, Expr, Literal, Places};
use super::facts::{Fact, Value, principal, principal_in, resource, resource_in};

/// What Cedar would say to a condition, and whether what is unknown could make it say something else.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Truth {
    pub(super) holds: Result<bool, Failure>,
    pub(super) unsure: bool,
}

/// Why a condition has no value; Cedar calls this an evaluation error.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    Missing(Fact),
    Type,
    Overflow,
    /// In Cedar's words.
    Other(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(fact) => write!(f, "`{fact}` is not known here; test for it with `has` first"),
            Self::Type => f.write_str("the types do not fit"),
            Self::Overflow => f.write_str("the number is too large"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// Evaluates one condition.
pub(super) fn truth(expr: &Expr, request: &Request<'_>) -> Truth {
    let Outcome { value, unsure } = evaluate(expr, request);
    let holds = match value {
        Ok(Value::Bool(holds)) => Ok(holds),
        Ok(_) => Err(Failure::Type),
        Err(failure) => Err(failure),
    };
    Truth { holds, unsure }
}

struct Outcome<'a> {
    value: Result<Value<'a>, Failure>,
    unsure: bool,
}

impl<'a> Outcome<'a> {
    const fn sure(value: Value<'a>) -> Self {
        Self { value: Ok(value), unsure: false }
    }

    fn holds(&self) -> Result<bool, Failure> {
        match &self.value {
            Ok(Value::Bool(holds)) => Ok(*holds),
            Ok(_) => Err(Failure::Type),
            Err(failure) => Err(failure.clone()),
        }
    }

    fn map(self, change: impl FnOnce(Value<'a>) -> Result<Value<'a>, Failure>) -> Self {
        Self { value: self.value.and_then(change), unsure: self.unsure }
    }
}

fn evaluate<'a>(expr: &'a Expr, request: &Request<'a>) -> Outcome<'a> {
    match expr {
        Expr::Value(literal) => Outcome::sure(literal.value()),
        Expr::Fact(fact) => {
            let unsure = matches!(fact, Fact::ResourceName | Fact::Resource) && request.effect.resource.unresolved;
            Outcome { value: fact.of(request).ok_or(Failure::Missing(*fact)), unsure }
        }
        Expr::Has(fact) => Outcome::sure(Value::Bool(fact.of(request).is_some())),
        Expr::Not(inner) => {
            let inner = evaluate(inner, request);
            Outcome { value: inner.holds().map(|holds| Value::Bool(!holds)), unsure: inner.unsure }
        }
        Expr::Negative(inner) => evaluate(inner, request).map(|value| match value {
            Value::Long(number) => number.checked_neg().map(Value::Long).ok_or(Failure::Overflow),
            _ => Err(Failure::Type),
        }),
        Expr::And(left, right) => lazy(left, right, false, request),
        Expr::Or(left, right) => lazy(left, right, true, request),
        Expr::If(parts) => choice(parts, request),
        Expr::Equal(left, right) => both(left, right, request, |l, r| Ok(Value::Bool(l == r))),
        Expr::Less(left, right) => numbers(left, right, request, |l, r| Ok(Value::Bool(l < r))),
        Expr::LessOrEqual(left, right) => numbers(left, right, request, |l, r| Ok(Value::Bool(l <= r))),
        Expr::Arithmetic(operation, left, right) => numbers(left, right, request, |l, r| {
            let result = match operation {
                Arithmetic::Add => l.checked_add(r),
                Arithmetic::Subtract => l.checked_sub(r),
                Arithmetic::Multiply => l.checked_mul(r),
            };
            result.map(Value::Long).ok_or(Failure::Overflow)
        }),
        Expr::Is(fact, kind) => Outcome {
            value: match fact.of(request) {
                Some(Value::Entity(entity)) => Ok(Value::Bool(entity.kind == kind)),
                Some(_) => Err(Failure::Type),
                None => Err(Failure::Missing(*fact)),
            },
            unsure: false,
        },
        Expr::In(fact, places) => within(*fact, places, request),
        Expr::OneOf(words, inner) => {
            evaluate(inner, request).map(|value| Ok(Value::Bool(words.iter().any(|word| word.value() == value))))
        }
        Expr::Like(inner, pattern) => evaluate(inner, request).map(|value| match value {
            Value::Text(text) => Ok(Value::Bool(pattern.matches(text))),
            _ => Err(Failure::Type),
        }),
    }
}

fn lazy<'a>(left: &'a Expr, right: &'a Expr, decisive: bool, request: &Request<'a>) -> Outcome<'a> {
    let truth = |expr| {
        let outcome = evaluate(expr, request);
        Truth { holds: outcome.holds(), unsure: outcome.unsure }
    };
    let Truth { holds, unsure } = lazily(truth(left), || truth(right), decisive);
    Outcome { value: holds.map(Value::Bool), unsure }
}

/// `&&` and `||`: the right side counts only when the left one is not already `decisive`.
#[inline]
pub(super) fn lazily(left: Truth, right: impl FnOnce() -> Truth, decisive: bool) -> Truth {
    if !left.unsure {
        return match left.holds {
            Ok(holds) if holds == decisive => Truth { holds: Ok(decisive), unsure: false },
            Ok(_) => right(),
            Err(failure) => Truth { holds: Err(failure), unsure: false },
        };
    }
    let right = right();
    let decides = right.holds == Ok(decisive);
    let holds = match left.holds {
        Ok(holds) if holds == decisive => Ok(decisive),
        Ok(_) => right.holds,
        Err(failure) => Err(failure),
    };
    // Whatever the left side really is, a right side that decides for certain decides.
    let unsure = right.unsure || !decides || holds != Ok(decisive);
    Truth { holds, unsure }
}

fn choice<'a>(parts: &'a [Expr; 3], request: &Request<'a>) -> Outcome<'a> {
    let [condition, then, otherwise] = parts;
    let condition = evaluate(condition, request);
    let holds = match condition.holds() {
        Ok(holds) => holds,
        Err(failure) => return Outcome { value: Err(failure), unsure: condition.unsure },
    };
    let (taken, left) = if holds { (then, otherwise) } else { (otherwise, then) };
    let taken = evaluate(taken, request);
    if !condition.unsure {
        return taken;
    }
    let left = evaluate(left, request);
    let unsure = taken.unsure || left.unsure || taken.value != left.value;
    Outcome { value: taken.value, unsure }
}

fn both<'a>(
    left: &'a Expr,
    right: &'a Expr,
    request: &Request<'a>,
    combine: impl FnOnce(Value<'a>, Value<'a>) -> Result<Value<'a>, Failure>,
) -> Outcome<'a> {
    let left = evaluate(left, request);
    let right = evaluate(right, request);
    let unsure = left.unsure || right.unsure;
    let value = match (left.value, right.value) {
        (Ok(left), Ok(right)) => combine(left, right),
        (Err(failure), _) | (_, Err(failure)) => Err(failure),
    };
    Outcome { value, unsure }
}

fn numbers<'a>(
    left: &'a Expr,
    right: &'a Expr,
    request: &Request<'a>,
    combine: impl FnOnce(i64, i64) -> Result<Value<'a>, Failure>,
) -> Outcome<'a> {
    both(left, right, request, |left, right| match (left, right) {
        (Value::Long(left), Value::Long(right)) => combine(left, right),
        _ => Err(Failure::Type),
    })
}

fn within<'a>(fact: Fact, places: &'a Places, request: &Request<'a>) -> Outcome<'a> {
    let named = |places: &[Literal]| {
        places.iter().any(|place| match (place.value(), fact) {
            (Value::Entity(place), Fact::Principal) => principal_in(request, place),
            (Value::Entity(place), Fact::Resource) => resource_in(request, place),
            (place, fact) => fact.of(request) == Some(place),
        })
    };
    let effect = request.effect;
    let about_resource = match fact {
        Fact::Resource => true,
        // A service can be the one who acts and the thing acted upon at once.
        Fact::Principal => principal(request) == resource(request),
        _ => false,
    };
    let stands = about_resource
        && (effect.resource.areas.0 & places.areas.0 != 0
            || places.environments & 1 << request.environment as u32 != 0)
        || named(&places.others);
    // Another name could stand elsewhere; the environment does not hang on the name.
    let open = about_resource && effect.resource.unresolved && (places.areas.0 != 0 || !places.others.is_empty());
    Outcome { value: Ok(Value::Bool(stands)), unsure: open && !stands }
}
