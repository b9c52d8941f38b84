//! What a part of a condition is, by its own words: a column, a constant, the time now.

use sqlparser::ast::{Expr, Value};

pub(super) fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

pub(super) fn constant_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        Value::Number(number, _) => number.to_string().parse::<f64>().ok().map(|number| number != 0.0),
        Value::SingleQuotedString(text) => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
            "f" | "false" | "n" | "no" | "off" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A pattern that every text fits.
pub(super) fn matches_all(pattern: &str) -> bool {
    matches!(pattern, "" | "." | ".*" | ".+" | "^" | "$" | "^.*" | "^.*$" | "^.+$" | ".*$" | "(.*)")
}

/// The column that says when a row was made, by the names nearly everybody uses.
pub(super) fn is_birth(expr: &Expr) -> bool {
    last_ident(expr).is_some_and(|column| {
        [
            "created_at",
            "created_on",
            "created",
            "inserted_at",
            "createdat",
            "date_created",
            "creation_date",
            "created_date",
        ]
        .iter()
        .any(|name| column.eq_ignore_ascii_case(name))
    })
}

/// `now()` and its sisters, as they are; nothing taken off.
pub(super) fn is_now(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Function(function) => {
            function.name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.as_str())
        }
        _ => last_ident(expr),
    };
    name.is_some_and(|name| {
        [
            "now",
            "current_timestamp",
            "current_date",
            "getdate",
            "getutcdate",
            "sysdate",
            "systimestamp",
            "sysdatetime",
            "localtimestamp",
        ]
        .iter()
        .any(|now| name.eq_ignore_ascii_case(now))
    })
}

pub(super) fn last_ident(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| last.value.as_str()),
        _ => None,
    }
}
