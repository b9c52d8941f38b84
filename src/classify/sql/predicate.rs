//! How many rows a condition lets through: all, some, one or none.

mod shape;

use sqlparser::ast::{BinaryOperator, Expr, Query, SetExpr, TableFactor, UnaryOperator, Value};

use crate::model::Extent;

use super::{Run, parse};
use shape::{constant_truth, is_birth, is_column, is_now, last_ident, matches_all};

/// What a condition does to the extent of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) extent: Extent,
    /// Rows, where the condition lists their keys.
    pub(super) count: Option<u64>,
}

/// How far a change of the table `target` with this condition reaches.
pub(super) fn reach(run: &Run<'_, '_, '_>, condition: Option<&Expr>, target: &str) -> Reach {
    let Some(condition) = condition else { return Reach { extent: Extent::All, count: None } };
    let judge = Judge { run, target, same: &[] };
    reached(&judge, condition)
}

/// The same where the names in `same` all stand for the target: a join of a table with itself on its key leaves no row out.
pub(super) fn reach_joined(run: &Run<'_, '_, '_>, condition: Option<&Expr>, target: &str, same: &[String]) -> Reach {
    let Some(condition) = condition else { return Reach { extent: Extent::All, count: None } };
    reached(&Judge { run, target, same }, condition)
}

fn reached(judge: &Judge<'_, '_, '_, '_>, condition: &Expr) -> Reach {
    if judge.truth(condition, 0) == Some(true) {
        return Reach { extent: Extent::All, count: None };
    }
    let mut count = None;
    for part in chain(condition, &BinaryOperator::And) {
        match part {
            Expr::BinaryOp { left, op: BinaryOperator::Eq | BinaryOperator::Spaceship, right } => {
                let (left, right) = (plain(left), plain(right));
                if judge.is_key(left) && judge.is_value(right) || judge.is_key(right) && judge.is_value(left) {
                    return Reach { extent: Extent::One, count: None };
                }
            }
            Expr::InList { expr, list, negated: false } if judge.is_key(plain(expr)) => {
                if list.len() == 1 && list.iter().all(|value| judge.is_value(plain(value))) {
                    return Reach { extent: Extent::One, count: None };
                }
                count = Some(list.len() as u64);
            }
            _ => {}
        }
    }
    Reach { extent: Extent::Some, count }
}

/// What brackets, casts and signs are around.
fn plain(mut expr: &Expr) -> &Expr {
    loop {
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => expr = inner,
            Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => expr = inner,
            _ => return expr,
        }
    }
}

/// The parts that `op` joins, brackets opened.
fn chain<'e>(expr: &'e Expr, op: &BinaryOperator) -> Vec<&'e Expr> {
    let (mut parts, mut open) = (Vec::new(), vec![expr]);
    while let Some(next) = open.pop() {
        match plain(next) {
            Expr::BinaryOp { left, op: joined, right } if joined == op => {
                open.push(left);
                open.push(right);
            }
            part => parts.push(part),
        }
    }
    parts
}

/// Brackets and negations deeper than this are not looked through.
const MAX_DEPTH: usize = 40;

struct Judge<'r, 's, 'a, 't> {
    run: &'r Run<'s, 'a, 't>,
    target: &'r str,
    /// Names that all stand for the target.
    same: &'r [String],
}

impl Judge<'_, '_, '_, '_> {
    /// Whether a condition is always true or always false.
    fn truth(&self, expr: &Expr, depth: usize) -> Option<bool> {
        if depth > MAX_DEPTH {
            return None;
        }
        match plain(expr) {
            Expr::Value(value) => constant_truth(&value.value),
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => {
                self.truth(expr, depth + 1).map(|truth| !truth)
            }
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => self.truth(expr, depth + 1),
            Expr::IsTrue(inner) | Expr::IsNotFalse(inner) => self.truth(inner, depth + 1),
            Expr::IsFalse(inner) | Expr::IsNotTrue(inner) => self.truth(inner, depth + 1).map(|truth| !truth),
            Expr::IsNotNull(inner) if self.constant(inner).is_some() || self.is_row_key(plain(inner)) => Some(true),
            Expr::IsNull(inner) => match plain(inner) {
                Expr::Value(value) => Some(value.value == Value::Null),
                _ => None,
            },
            Expr::Exists { subquery, negated } => self.always_answers(subquery, depth).map(|truth| truth != *negated),
            Expr::Subquery(subquery) => self.subquery_truth(subquery, depth),
            Expr::AnyOp { right, compare_op: BinaryOperator::Eq, .. } => match plain(right) {
                Expr::Subquery(subquery) => self.is_whole_target(subquery, depth).then_some(true),
                _ => None,
            },
            Expr::Case { operand: None, conditions, else_result, .. } => {
                let decided = conditions.iter().find(|when| self.truth(&when.condition, depth + 1) != Some(false));
                match decided {
                    Some(when) if self.truth(&when.condition, depth + 1) == Some(true) => {
                        self.truth(&when.result, depth + 1)
                    }
                    Some(_) => None,
                    None => self.truth(else_result.as_deref()?, depth + 1),
                }
            }
            Expr::InSubquery { subquery, negated: false, .. } => self.is_whole_target(subquery, depth).then_some(true),
            Expr::InList { expr, list, negated } => {
                if *negated && self.is_row_key(plain(expr)) && list.iter().all(|value| self.below_keys(value)) {
                    return Some(true);
                }
                let wanted = self.constant(expr)?;
                let found = list.iter().any(|value| self.constant(value).as_ref() == Some(&wanted));
                Some(found != *negated)
            }
            Expr::Like { negated: false, expr, pattern, .. } | Expr::ILike { negated: false, expr, pattern, .. } => {
                let pattern = self.constant(pattern)?;
                let same = self.constant(expr).is_some_and(|text| text == pattern);
                (same || !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'%')).then_some(true)
            }
            Expr::RLike { negated: false, pattern, .. } => matches_all(&self.constant(pattern)?).then_some(true),
            Expr::BinaryOp { op: BinaryOperator::PGRegexMatch | BinaryOperator::PGRegexIMatch, right, .. } => {
                matches_all(&self.constant(right)?).then_some(true)
            }
            Expr::Between { expr, negated, low, high } => {
                let number = |expr: &Expr| self.constant(expr)?.parse::<f64>().ok();
                if self.is_row_key(plain(expr)) && number(low)? <= 1.0 && number(high)? >= 99_999_999.0 {
                    return Some(!*negated);
                }
                let inside = (number(low)?..=number(high)?).contains(&number(expr)?);
                Some(inside != *negated)
            }
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => self.joined(expr, op, depth),
            Expr::BinaryOp { left, op, right } => self.compared(plain(left), op, plain(right), depth),
            _ => None,
        }
    }

    fn joined(&self, expr: &Expr, op: &BinaryOperator, depth: usize) -> Option<bool> {
        // One true side decides an OR, one false side an AND.
        let decides = *op == BinaryOperator::Or;
        let parts = chain(expr, op);
        let mut all = true;
        for part in &parts {
            match self.truth(part, depth + 1) {
                Some(truth) if truth == decides => return Some(decides),
                Some(_) => {}
                None => all = false,
            }
        }
        if all {
            return Some(!decides);
        }
        // `a IS NULL OR a IS NOT NULL`: whatever a is, one of them holds.
        let covers = |null: &Expr| {
            parts.iter().any(|part| matches!((part, null), (Expr::IsNotNull(one), Expr::IsNull(other)) if one == other))
        };
        (decides && parts.len() <= 64 && parts.iter().any(|part| covers(part))).then_some(true)
    }

    fn compared(&self, left: &Expr, op: &BinaryOperator, right: &Expr, depth: usize) -> Option<bool> {
        use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, Spaceship};
        if matches!(op, Eq | GtEq | LtEq | Spaceship) && left == right && self.is_steady(left, 0) {
            return Some(true);
        }
        if *op == Eq && self.is_self_join(left, right) {
            return Some(true);
        }
        // A row cannot have been made after now.
        if matches!(op, Lt | LtEq) && is_birth(left) && is_now(right)
            || matches!(op, Gt | GtEq) && is_birth(right) && is_now(left)
        {
            return Some(true);
        }
        if let (Some(truth), Some(other)) = (self.flag(left, depth), self.flag(right, depth)) {
            return match op {
                Eq => Some(truth == other),
                NotEq => Some(truth != other),
                _ => None,
            };
        }
        // `id > 0` is how people satisfy a client that wants a condition.
        let above = |value: &Expr| self.constant(value).and_then(|text| text.parse::<f64>().ok());
        if self.is_row_key(left)
            && above(right).is_some_and(|number| {
                matches!(op, Gt) && number <= 0.0
                    || matches!(op, GtEq) && number <= 1.0
                    || matches!(op, NotEq) && number <= 0.0
            })
        {
            return Some(true);
        }
        // Nothing is shorter than nothing.
        if is_length(left)
            && above(right)
                .is_some_and(|number| matches!(op, GtEq) && number <= 0.0 || matches!(op, Gt | NotEq) && number < 0.0)
        {
            return Some(true);
        }
        let (left, right) = (self.constant(left)?, self.constant(right)?);
        let order = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right)?,
            _ => left.cmp(&right),
        };
        match op {
            Eq | Spaceship => Some(order.is_eq()),
            NotEq => Some(order.is_ne()),
            Lt => Some(order.is_lt()),
            LtEq => Some(order.is_le()),
            Gt => Some(order.is_gt()),
            GtEq => Some(order.is_ge()),
            _ => None,
        }
    }

    /// `true`, `NOT false`, a bracketed comparison: something that is itself a condition.
    fn flag(&self, expr: &Expr, depth: usize) -> Option<bool> {
        match expr {
            Expr::Value(value) => match value.value {
                Value::Boolean(truth) => Some(truth),
                _ => None,
            },
            Expr::BinaryOp { .. } | Expr::UnaryOp { op: UnaryOperator::Not, .. } => self.truth(expr, depth + 1),
            _ => None,
        }
    }

    /// The value of a literal, or of very plain arithmetic on literals.
    fn constant(&self, expr: &Expr) -> Option<String> {
        match plain(expr) {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => Some(number.to_string()),
                Value::Boolean(_) | Value::Null | Value::Placeholder(_) => None,
                other => other.clone().into_string(),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match plain(expr) {
                Expr::Value(value) => match &value.value {
                    Value::Number(number, _) => Some(format!("-{number}")),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// A subquery that yields a row whatever the data are: `SELECT 1`.
    fn always_answers(&self, query: &Query, depth: usize) -> Option<bool> {
        let SetExpr::Select(select) = &*query.body else { return None };
        if !select.from.is_empty() {
            return None;
        }
        match &select.selection {
            None => Some(true),
            Some(condition) => self.truth(condition, depth + 1),
        }
    }

    fn subquery_truth(&self, query: &Query, depth: usize) -> Option<bool> {
        let SetExpr::Select(select) = &*query.body else { return None };
        match (&select.projection[..], select.from.is_empty(), &select.selection) {
            ([sqlparser::ast::SelectItem::UnnamedExpr(expr)], true, None) => self.truth(expr, depth + 1),
            _ => None,
        }
    }

    /// `id IN (SELECT id FROM t)` on `t` itself.
    fn is_whole_target(&self, query: &Query, depth: usize) -> bool {
        let SetExpr::Select(select) = &*query.body else { return false };
        let [from] = &select.from[..] else { return false };
        let TableFactor::Table { name, args: None, .. } = &from.relation else { return false };
        from.joins.is_empty()
            && query.limit_clause.is_none()
            && query.fetch.is_none()
            && select.top.is_none()
            && select.having.is_none()
            && parse::name(self.run, name).text.eq_ignore_ascii_case(self.target)
            && select.selection.as_ref().is_none_or(|condition| self.truth(condition, depth + 1) == Some(true))
    }

    /// The column that every row has a positive value in, by the names nearly everybody uses.
    fn is_row_key(&self, expr: &Expr) -> bool {
        let Some(column) = last_ident(expr) else { return false };
        if ["id", "_id", "pk", "rowid", "ctid", "rownum", "uuid", "guid", "oid"]
            .iter()
            .any(|name| column.eq_ignore_ascii_case(name))
        {
            return true;
        }
        // `order_id` of `orders`
        let table = self.target.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let column = column.to_ascii_lowercase();
        let of = column.strip_suffix("_id").or_else(|| column.strip_suffix("id")).unwrap_or_default();
        of.len() >= 2 && (table == of || table.strip_suffix('s').is_some_and(|one| one == of))
    }

    /// A column, or a function of columns and values that gives the same twice.
    fn is_steady(&self, expr: &Expr, depth: usize) -> bool {
        match plain(expr) {
            Expr::Function(function) => {
                use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
                const STEADY: &[&str] =
                    &["coalesce", "lower", "upper", "trim", "length", "abs", "concat", "ifnull", "nvl", "isnull"];
                let name = function.name.0.last().and_then(|part| part.as_ident()).map_or("", |ident| &ident.value);
                let FunctionArguments::List(list) = &function.args else { return false };
                depth < 4
                    && STEADY.iter().any(|steady| name.eq_ignore_ascii_case(steady))
                    && list.args.iter().all(|argument| match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.is_steady(expr, depth + 1),
                        _ => false,
                    })
            }
            Expr::Value(value) => !matches!(value.value, Value::Null | Value::Placeholder(_)),
            other => is_column(other) && !self.is_place(other),
        }
    }

    /// A number that no key has.
    fn below_keys(&self, value: &Expr) -> bool {
        self.constant(value)
            .is_some_and(|text| text.is_empty() || text.parse::<f64>().is_ok_and(|number| number <= 0.0))
    }

    /// `a.id = b.id` where both are the same table.
    fn is_self_join(&self, left: &Expr, right: &Expr) -> bool {
        let (Expr::CompoundIdentifier(left_parts), Expr::CompoundIdentifier(right_parts)) = (left, right) else {
            return false;
        };
        let ([left_table @ .., left_column], [right_table @ .., right_column]) = (&left_parts[..], &right_parts[..])
        else {
            return false;
        };
        let (Some(left_table), Some(right_table)) = (left_table.last(), right_table.last()) else { return false };
        let named = |table: &str| self.same.iter().any(|name| name.eq_ignore_ascii_case(table));
        left_column.value.eq_ignore_ascii_case(&right_column.value)
            && self.is_key(left)
            && named(&left_table.value)
            && named(&right_table.value)
    }

    fn is_key(&self, expr: &Expr) -> bool {
        let column = match expr {
            Expr::Identifier(ident) if !parse::is_param(self.run, ident) => ident,
            Expr::CompoundIdentifier(parts) => match parts.last() {
                Some(last) => last,
                None => return false,
            },
            _ => return false,
        };
        let name = column.value.to_ascii_lowercase();
        matches!(name.as_str(), "id" | "uuid" | "key" | "guid" | "pk" | "_id" | "rowid" | "ctid" | "oid")
            || ["_id", "_uuid", "_key", "_guid"].iter().any(|end| name.ends_with(end))
            || column.value.ends_with("Id")
            || column.value.ends_with("ID") && column.value.len() > 2
    }

    /// A literal or a place for one.
    fn is_value(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Value(value) => value.value != Value::Null,
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => self.is_value(plain(expr)),
            Expr::TypedString(_) | Expr::Prefixed { .. } => true,
            Expr::Identifier(_) => self.is_place(expr),
            _ => false,
        }
    }

    fn is_place(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Identifier(ident) => parse::is_param(self.run, ident) || ident.value.starts_with('@'),
            _ => false,
        }
    }
}

/// `length(name)`, `char_length(…)`, `len(…)`.
fn is_length(expr: &Expr) -> bool {
    let Expr::Function(function) = plain(expr) else { return false };
    let name = function.name.to_string();
    ["length", "char_length", "character_length", "octet_length", "len"].iter().any(|it| name.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::{check, understand};
    use crate::model::Extent;

    #[test]
    fn conditions_that_hold_for_every_row_are_none() {
        check("postgres", "DELETE FROM logs", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE (2 = 2)", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE note = 'x' OR NOT FALSE", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE note IS NULL OR note IS NOT NULL", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE note = note", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE EXISTS (SELECT 1)", "delete Table logs (all)");
        check(
            "postgres",
            "DELETE FROM logs WHERE id IN (SELECT id FROM logs)",
            "delete Table logs (all)\nread Table logs (all)",
        );
        check("postgres", "DELETE FROM logs WHERE note LIKE '%'", "delete Table logs (all)");
        for always in [
            "LENGTH('x') >= 0 OR TRUE",
            "id NOT IN (0, -1)",
            "id BETWEEN 1 AND 999999999",
            "log_id IS NOT NULL",
            "note ~ '.*'",
            "id = ANY (SELECT id FROM logs)",
            "CASE WHEN 1 = 1 THEN TRUE ELSE FALSE END",
            "created_at <= now()",
            "'a' LIKE 'a'",
            "coalesce(id, 0) = coalesce(id, 0)",
        ] {
            let found = understand("postgres", &format!("DELETE FROM logs WHERE {always}"));
            assert_eq!(found.effects[0].extent, Extent::All, "{always}");
        }
        for some in
            ["id NOT IN (0, 4)", "id BETWEEN 1 AND 500", "user_id IS NOT NULL", "expires_at < now()", "note ~ 'a.*'"]
        {
            let found = understand("postgres", &format!("DELETE FROM logs WHERE {some}"));
            assert_eq!(found.effects[0].extent, Extent::Some, "{some}");
        }
        check("postgres", "DELETE FROM logs a USING logs b WHERE a.id = b.id", "delete Table logs (all)");
        check("mysql", "DELETE a FROM logs a JOIN logs b ON a.id = b.id", "delete Table logs (all)");
        check(
            "mysql",
            "DELETE a FROM logs a JOIN logs b ON a.note = b.note AND a.id > b.id",
            "delete Table logs (some)",
        );
        check("tsql", "DELETE TOP (100) PERCENT FROM logs", "delete Table logs (all)");
        check("mysql", "DELETE FROM logs LIMIT 18446744073709551615", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE id > 0", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE id IS NOT NULL", "delete Table logs (all)");
        check("postgres", "DELETE FROM logs WHERE id > 40", "delete Table logs (some)");
        check("postgres", "DELETE FROM logs WHERE tenant_id = 4 AND day < now()", "delete Table logs (one)");
        check("postgres", "DELETE FROM logs WHERE id = :id", "delete Table logs (one)");
        check("postgres", "DELETE FROM logs WHERE id IN (7, 8, 9)", "delete Table logs (some, 3 rows)");
    }
}
