//! Shell patterns as far as `${x#p}`, `${x%p}` and `${x/p/r}` need them: `*`, `?` and plain letters.

/// Values longer than this are left alone: matching at every place is quadratic.
const MAX_VALUE: usize = 1_024;

/// `text` without what `pattern` matches at its start or end.
pub(super) fn trimmed<'x>(text: &'x str, pattern: &str, prefix: bool, longest: bool) -> &'x str {
    if text.len() > MAX_VALUE || pattern.len() > MAX_VALUE {
        return text;
    }
    let mut cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if prefix == longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (left, right) = text.split_at(cut);
        if prefix && matches(left, pattern) {
            return right;
        }
        if !prefix && matches(right, pattern) {
            return left;
        }
    }
    text
}

/// `text` with the first or every match of `pattern` replaced.
pub(super) fn replaced(text: &str, pattern: &str, with: &str, all: bool) -> String {
    if pattern.is_empty() || text.len() > MAX_VALUE {
        return text.to_owned();
    }
    if !pattern.contains(['*', '?']) {
        return if all { text.replace(pattern, with) } else { text.replacen(pattern, with, 1) };
    }
    // A pattern that takes everything is all that is worth following.
    if matches(text, pattern) { with.to_owned() } else { text.to_owned() }
}

/// Whether `pattern` takes all of `text`; linear but for the last star.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut rule, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(rule) {
            Some(b'*') => {
                star = Some((rule, at));
                rule += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[at] => {
                at += 1;
                rule += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                (at, rule) = (from + 1, back + 1);
            }
        }
    }
    pattern[rule..].iter().all(|byte| *byte == b'*')
}
