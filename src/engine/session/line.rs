//! Where in an action's text the command of an effect stands: only its words say what kind of `stash` it is.

use crate::model::{Effect, Span};

/// The simple command that an effect's words belong to, without what is chained before and after it.
pub(super) fn command<'t>(text: &'t str, effect: &Effect) -> &'t str {
    let Some(span) = effect.span.filter(|span| text.get(span.start..span.end).is_some()) else { return text };
    let start = text[..span.start].rfind(SEPARATORS).map_or(0, |at| at + 1);
    let end = text[span.end..].find(SEPARATORS).map_or(text.len(), |at| span.end + at);
    text[start..end].trim()
}

const SEPARATORS: [char; 6] = [';', '&', '|', '\n', '(', ')'];

/// Whether the second only ever runs when the first has succeeded: `&&` and nothing else stands between them.
pub(super) fn follows(text: &str, first: Option<Span>, second: Option<Span>) -> bool {
    let (Some(first), Some(second)) = (first, second) else { return false };
    text.get(first.end..second.start).is_some_and(|between| {
        let without = between.replace("&&", " ");
        between.contains("&&") && !without.contains([';', '&', '|', '\n', '(', ')', '{', '}'])
    })
}

/// Whether a command has one of these switches, alone or among the letters of a short group.
pub(super) fn has_switch(command: &str, letter: char, long: &[&str]) -> bool {
    command.split_whitespace().any(|word| {
        let short = word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(letter));
        short || long.contains(&word)
    })
}

/// What a command names, without its switches: `git clone --depth 1 URL x` leaves `git clone URL x` when `valued` has
/// `--depth`.
pub(super) fn operands<'c>(command: &'c str, valued: &[&str]) -> Vec<&'c str> {
    let mut words = command.split_whitespace();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        if valued.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            found.push(word.trim_matches(['"', '\'']));
        }
    }
    found
}

/// `name` as seen from `folder`; `None` when it hangs on something that is not known.
pub(super) fn below(folder: Option<&str>, name: &str) -> Option<String> {
    if name.is_empty() || name.contains(['$', '*', '`', '~']) {
        return None;
    }
    if name.starts_with('/') {
        return Some(name.trim_end_matches('/').to_owned());
    }
    let mut parts: Vec<&str> = folder?.trim_end_matches('/').split('/').collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Operation, Resource, ResourceKind};

    #[test]
    fn a_command_is_cut_out_of_its_line() {
        let text = "cd x && git stash -u && git clean -fd";
        let mut effect = Effect::new(Operation::Update, Resource::new(ResourceKind::WorkingTree, ""));
        let at = text.find("git stash").unwrap();
        effect.span = Some(Span::new(at, at + 9));
        assert_eq!(command(text, &effect), "git stash -u");
        let clean = text.find("git clean").unwrap();
        assert!(follows(text, effect.span, Some(Span::new(clean, clean + 9))));
        assert!(!follows(
            &text.replace(" && git clean", " ;; git clean"),
            effect.span,
            Some(Span::new(clean, clean + 9))
        ));
    }

    #[test]
    fn switches_and_operands() {
        assert!(has_switch("git clean -fdx", 'x', &[]));
        assert!(!has_switch("git clean --fix", 'x', &[]));
        assert_eq!(operands("git clone --depth 1 u/r x", &["--depth"]), ["git", "clone", "u/r", "x"]);
        assert_eq!(below(Some("/a/b"), "../c/./d"), Some("/a/c/d".to_owned()));
        assert_eq!(below(Some("/a/b"), "$X"), None);
    }
}
