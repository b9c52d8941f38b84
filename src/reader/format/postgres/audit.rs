//! A pgaudit line inside any log: `AUDIT: SESSION,9,2,WRITE,DELETE,TABLE,public.users,DELETE FROM users,<none>`

use std::borrow::Cow;

/// What an audit line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audited<'a> {
    /// The statement; of several in one query every line carries the whole text.
    pub(crate) text: Cow<'a, str>,
    /// pgaudit's number of the statement within its session.
    pub(crate) statement: Cow<'a, str>,
    /// The number within the statement; those beyond the first are run by a function or a `DO` block.
    pub(crate) part: Cow<'a, str>,
    /// The parameters stand in the line, or there are none.
    pub(crate) parameters_known: bool,
    /// The statement is not logged: the text is made of the command and the object that the line names.
    pub(crate) made_up: bool,
    /// Rows that were changed, with `pgaudit.log_rows`.
    pub(crate) rows: Option<u64>,
    /// The least that was done to the object that the line names, where the statement does not name it: a table behind
    /// a view, a partition, what a rule rewrites to.
    pub(crate) behind: Option<String>,
}

impl Audited<'_> {
    pub(crate) fn nested(&self) -> bool {
        &*self.part != "1"
    }
}

/// Reads what follows `AUDIT: `.
pub(crate) fn read(rest: &str) -> Option<Audited<'_>> {
    let mut fields = Vec::with_capacity(10);
    super::split(rest, &mut fields);
    if fields.len() < 9 || !matches!(&*fields[0], "SESSION" | "OBJECT") {
        return None;
    }
    let parameters_known = !fields[8].starts_with("<not logged>") && !fields[8].starts_with("<long param");
    // What is read is no change.
    let rows = fields.get(9).filter(|_| &*fields[3] == "WRITE").and_then(|rows| rows.trim().parse().ok());
    let mut text = std::mem::take(&mut fields[7]);
    // `pgaudit.log_statement = off`, `log_statement_once = on`.
    let made_up = matches!(text.trim(), "<not logged>" | "<previously logged>" | "");
    if made_up {
        text = stated(&fields[4], &fields[5], &fields[6])?.into();
    }
    let behind = match made_up || is_named(&text, &fields[6]) {
        true => None,
        false => behind(&fields[3], &fields[4], &fields[5], &fields[6]),
    };
    let part = std::mem::take(&mut fields[2]);
    Some(Audited { text, statement: fields.swap_remove(1), part, parameters_known, made_up, rows, behind })
}

/// What is done to an object that the statement does not name: rows of a table behind a view, and what CASCADE drops.
fn behind(class: &str, command: &str, sort: &str, object: &str) -> Option<String> {
    let whole = matches!(sort, "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SCHEMA");
    match class {
        "READ" | "WRITE" => stated(command, sort, object),
        _ if command.starts_with("DROP ") && whole => Some(format!("DROP {sort} {object}")),
        _ => None,
    }
}

/// Whether a statement names an object itself, or nobody asks about the object.
fn is_named(text: &str, object: &str) -> bool {
    let system = ["pg_catalog.", "information_schema.", "pg_toast."].iter().any(|schema| object.starts_with(schema));
    let name = object.rsplit('.').next().unwrap_or(object).trim_matches('"');
    let size = name.len();
    let bytes = text.as_bytes();
    let of_name = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let named = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !of_name(before) && !of_name(bytes.get(at + size)) && bytes[at..at + size].eq_ignore_ascii_case(name.as_bytes())
    };
    system || name.is_empty() || (0..=bytes.len().saturating_sub(size)).any(|at| at + size <= bytes.len() && named(at))
}

/// The least that was run, by the command and the object that are named.
///
/// `$1` stands for the condition that is not known.
fn stated(command: &str, sort: &str, object: &str) -> Option<String> {
    if command.is_empty() {
        return None;
    }
    Some(match (command, object.is_empty()) {
        ("DELETE", false) => format!("DELETE FROM {object} WHERE $1"),
        ("UPDATE", false) => format!("UPDATE {object} SET unknown = $2 WHERE $1"),
        ("INSERT", false) => format!("INSERT INTO {object} VALUES ($1)"),
        ("SELECT", false) => format!("SELECT FROM {object} WHERE $1"),
        ("TRUNCATE TABLE" | "TRUNCATE", false) => format!("TRUNCATE TABLE {object}"),
        (_, false) if command.starts_with("DROP ") => format!("{command} {object}"),
        (_, false) => format!("{command} {sort} {object}"),
        (_, true) => command.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_is_taken_from_its_quotes() {
        let line = "SESSION,3,1,WRITE,INSERT,,,\"INSERT INTO t VALUES ('a, \"\"b\"\"')\",<none>";
        let audited = read(line).expect("nine fields");
        assert_eq!(audited.text, "INSERT INTO t VALUES ('a, \"b\"')");
        assert!(!audited.nested());
        assert_eq!(read("SESSION,3,1,WRITE"), None);
    }

    #[test]
    fn an_object_that_the_statement_does_not_name_stands_behind_it() {
        let behind = |object: &str, text: &str| {
            let line = format!("SESSION,3,1,WRITE,DELETE,TABLE,{object},{text},<none>");
            read(&line).expect("nine fields").behind
        };
        assert_eq!(
            behind("public.bread_2026", "DELETE FROM bread").as_deref(),
            Some("DELETE FROM public.bread_2026 WHERE $1")
        );
        assert_eq!(behind("public.bread", "delete from Bread"), None);
        assert_eq!(behind("public.\"Bread\"", "DELETE FROM \"Bread\""), None);
        assert_eq!(behind("pg_catalog.pg_class", "DELETE FROM bread"), None);
        assert_eq!(behind("", "DELETE FROM bread"), None);
        assert_eq!(behind("public.b", "é").as_deref(), Some("DELETE FROM public.b WHERE $1"));
    }

    #[test]
    fn what_is_not_logged_is_made_of_its_object() {
        let audited = read("SESSION,3,2,WRITE,DELETE,TABLE,public.a,<not logged>,<not logged>,7").expect("ten fields");
        assert_eq!((&*audited.text, audited.made_up, audited.rows), ("DELETE FROM public.a WHERE $1", true, Some(7)));
        let audited =
            read("SESSION,3,2,DDL,DROP TABLE,TABLE,public.a,<previously logged>,<none>").expect("nine fields");
        assert_eq!(audited.text, "DROP TABLE public.a");
    }
}
