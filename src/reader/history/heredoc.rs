//! Which words end the heredocs that a line opens.
//!
//! Generous on purpose: quotes are not followed, for `"$(cat <<EOF` is a heredoc too. Whoever asks looks for the
//! word on a line of its own, and where that line does not exist there was no heredoc.

/// More on one line is nobody's command.
const MAX_HEREDOCS: usize = 4;

/// The word that ends a heredoc.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delimiter {
    word: Vec<u8>,
    /// `<<-`: tabs in front of the word do not count.
    tabs: bool,
}

impl Delimiter {
    pub(super) fn ends(&self, line: &[u8]) -> bool {
        let tabs = if self.tabs { line.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
        line[tabs..] == self.word
    }
}

/// The heredocs that `text` opens, in order.
pub(super) fn opened(text: &[u8]) -> Vec<Delimiter> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = memchr::memmem::find(&text[at..], b"<<") {
        at += next + 2;
        if text.get(at) == Some(&b'<') {
            // `<<<` is a string on the same line.
            at += text[at..].iter().take_while(|byte| **byte == b'<').count();
            continue;
        }
        let tabs = text.get(at) == Some(&b'-');
        at += usize::from(tabs);
        at += text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let (word, length) = unquoted(&text[at..]);
        at += length;
        if !word.is_empty() && found.len() < MAX_HEREDOCS {
            found.push(Delimiter { word, tabs });
        }
    }
    found
}

/// The word at the start of `text` without its quotes, and how long it was with them.
fn unquoted(text: &[u8]) -> (Vec<u8>, usize) {
    let (mut word, mut quote) = (Vec::new(), None);
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match (quote, byte) {
            (_, b'\n') => return (word, at),
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), byte) => word.push(byte),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'\\') => word.extend(bytes.next().map(|(_, byte)| *byte)),
            (None, b' ' | b'\t' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'`') => return (word, at),
            (None, byte) => word.push(byte),
        }
    }
    (word, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = opened(text.as_bytes());
        let shown = found.iter().map(|delimiter| {
            format!("{}{}", if delimiter.tabs { "-" } else { "" }, String::from_utf8_lossy(&delimiter.word))
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn words() {
        check("cat <<EOF > x", "EOF");
        check("cat <<'E F'; tee <<- \"X\" <<\\Y|sh", "E F -X Y");
        check("git commit -m \"$(cat <<EOF\nx\nEOF\n)\"", "EOF");
        check("grep x <<<word", "");
        check("cat <<", "");
        check("ls", "");
    }

    #[test]
    fn tabs_count_only_without_the_dash() {
        let found = opened(b"a <<-X <<X");
        assert!(found[0].ends(b"\t\tX") && found[0].ends(b"X") && !found[0].ends(b" X"));
        assert!(!found[1].ends(b"\tX"));
    }
}
