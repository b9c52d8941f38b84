//! A pgaudit line inside an ordinary log: `AUDIT: SESSION,9,2,WRITE,DELETE,TABLE,public.users,DELETE FROM users,<none>`
//!
//! Logs that are mostly such lines have a reader of their own; here they must only not get lost.

use std::borrow::Cow;

/// The part of an audit line that is needed to keep its statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audited<'a> {
    /// The statement; of several in one query every line carries the whole text.
    pub(super) text: Cow<'a, str>,
    /// pgaudit's number of the statement within its session.
    pub(super) statement: Cow<'a, str>,
    /// Run by a function or a `DO` block, not sent by the client.
    pub(super) nested: bool,
    /// The parameters stand in the line, or there are none.
    pub(super) parameters_known: bool,
}

/// Reads what follows `AUDIT: `.
pub(super) fn read(rest: &str) -> Option<Audited<'_>> {
    let mut fields = Vec::with_capacity(10);
    super::split(rest, &mut fields);
    if fields.len() < 9 || !matches!(&*fields[0], "SESSION" | "OBJECT") {
        return None;
    }
    let nested = &*fields[2] != "1";
    let parameters_known = !fields[8].starts_with("<not logged>");
    let text = std::mem::take(&mut fields[7]);
    Some(Audited { text, statement: fields.swap_remove(1), nested, parameters_known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_is_taken_from_its_quotes() {
        let line = "SESSION,3,1,WRITE,INSERT,,,\"INSERT INTO t VALUES ('a, \"\"b\"\"')\",<none>";
        let audited = read(line).expect("nine fields");
        assert_eq!(audited.text, "INSERT INTO t VALUES ('a, \"b\"')");
        assert!(!audited.nested);
        assert_eq!(read("SESSION,3,1,WRITE"), None);
    }
}
