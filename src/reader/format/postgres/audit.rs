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
    let part = std::mem::take(&mut fields[2]);
    Some(Audited { text, statement: fields.swap_remove(1), part, parameters_known, made_up, rows })
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
    fn what_is_not_logged_is_made_of_its_object() {
        let audited = read("SESSION,3,2,WRITE,DELETE,TABLE,public.a,<not logged>,<not logged>,7").expect("ten fields");
        assert_eq!((&*audited.text, audited.made_up, audited.rows), ("DELETE FROM public.a WHERE $1", true, Some(7)));
        let audited =
            read("SESSION,3,2,DDL,DROP TABLE,TABLE,public.a,<previously logged>,<none>").expect("nine fields");
        assert_eq!(audited.text, "DROP TABLE public.a");
    }
}
