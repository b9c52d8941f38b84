//! What a policy says of itself: `@severity("high")`.

use std::sync::Arc;

/// The annotations of one policy. Cedar runs its parser over the key each time it is asked for one.
#[derive(Clone, Debug, Default)]
pub(super) struct Annotations(Arc<[(String, String)]>);

impl Annotations {
    pub(super) fn of(policy: &cedar_policy::Policy) -> Self {
        Self(policy.annotations().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// Those at the head of a statement, and what follows them. `None` for what is not written as we write it in our
    /// packs: Cedar then has to say what it means.
    pub(super) fn split(statement: &str) -> Option<(Self, &str)> {
        let mut found = Vec::new();
        let mut rest = statement;
        while let Some(annotation) = rest.strip_prefix('@') {
            let (key, value) = annotation.split_once("(\"")?;
            let (value, after) = string(value)?;
            found.push((key.to_owned(), value));
            rest = after.strip_prefix(')')?.trim_start();
        }
        Some((Self(found.into()), rest))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// The value of a string whose opening quote is taken off, and what follows its closing quote.
fn string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (plain, after) = rest.split_at(rest.find(['"', '\\'])?);
        value.push_str(plain);
        if let Some(rest) = after.strip_prefix('"') {
            return Some((value, rest));
        }
        let mut chars = after.chars();
        value.push(match (chars.next(), chars.next()?) {
            (_, 'n') => '\n',
            (_, same @ ('"' | '\\')) => same,
            _ => return None,
        });
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, expected: Option<(&[(&str, &str)], &str)>) {
        let found = Annotations::split(statement);
        let found = found.as_ref().map(|(annotations, rest)| (annotations.iter().collect::<Vec<_>>(), *rest));
        assert_eq!(found, expected.map(|(annotations, rest)| (annotations.to_vec(), rest)));
    }

    #[test]
    fn annotations_are_taken_off() {
        check("permit;", Some((&[], "permit;")));
        check(
            "@id(\"a.b\")\n@blocks(\"x \\\"y\\\"\\n\nz\") permit;",
            Some((&[("id", "a.b"), ("blocks", "x \"y\"\n\nz")], "permit;")),
        );
    }

    #[test]
    fn what_we_do_not_write_is_left_to_cedar() {
        check("@id permit;", None);
        check("@id(\"\\u{41}\") permit;", None);
        check("@id(\"a\" /", None);
        check("@id(\"a", None);
    }
}
