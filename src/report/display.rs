//! Recorded text made safe to look at: control characters and bidirectional marks shown, never obeyed.

use std::fmt::Write as _;

use crate::model::Span;

/// Text on one line in which nothing can move the cursor, hide or reorder: `\n`, `\x1b`, `\u{202e}` are spelt out.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        push_escaped(&mut shown, char);
    }
    shown
}

fn push_escaped(shown: &mut String, char: char) {
    match char {
        '\n' => shown.push_str("\\n"),
        '\t' => shown.push_str("\\t"),
        '\r' => shown.push_str("\\r"),
        _ if is_hostile(char) => {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(char));
        }
        _ => shown.push(char),
    }
}

/// Controls, and what changes the direction or the look of what follows without being seen itself.
fn is_hostile(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// One line of text and the line of marks below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Marked {
    pub text: String,
    pub marks: String,
}

/// The line of `text` on which the first span starts, cut to `width` columns around it, and marks below every byte that
/// a span covers. Spans that point nowhere are left out.
pub fn marked(text: &str, spans: &[Span], width: usize) -> Marked {
    let spans: Vec<Span> = spans.iter().copied().filter(|span| text.get(span.start..span.end).is_some()).collect();
    let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let end = text[first..].find('\n').map_or(text.len(), |at| first + at);
    let mut columns = Vec::new();
    for (at, char) in text[start..end].char_indices() {
        let mut shown = String::new();
        push_escaped(&mut shown, char);
        let covered = spans.iter().any(|span| (span.start..span.end).contains(&(start + at)));
        columns.extend(shown.chars().map(|char| (char, covered)));
    }
    let room = width.max(20) - 2;
    let mut from = 0;
    if columns.len() > room {
        let first_mark = columns.iter().position(|(_, covered)| *covered).unwrap_or(0);
        from = first_mark.saturating_sub(room / 4).min(columns.len() - room);
    }
    let to = columns.len().min(from + room);
    let mut line = Marked { text: String::new(), marks: String::new() };
    if from > 0 || start > 0 {
        line.text.push('…');
        line.marks.push(' ');
    }
    for (char, covered) in &columns[from..to] {
        line.text.push(*char);
        line.marks.push(if *covered { '^' } else { ' ' });
    }
    if to < columns.len() || end < text.len() {
        line.text.push('…');
    }
    line.marks.truncate(line.marks.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::{escaped, marked};
    use crate::model::Span;

    #[track_caller]
    fn check(text: &str, spans: &[(usize, usize)], width: usize, expected: &str) {
        let spans: Vec<_> = spans.iter().map(|(start, end)| Span::new(*start, *end)).collect();
        let line = marked(text, &spans, width);
        assert_eq!(format!("{}\n{}", line.text, line.marks), expected);
    }

    #[test]
    fn marks_stand_below_the_words() {
        check("rm -rf /data", &[(0, 2), (7, 12)], 80, "rm -rf /data\n^^     ^^^^^");
    }

    #[test]
    fn escapes_move_the_marks_along() {
        check(
            "a\tb \u{202e}rm",
            &[(7, 9)],
            80,
            "a\\tb \\u{202e}rm\n              ^^".replace("              ", "             ").as_str(),
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let text = format!("{}DROP TABLE t{}", "x".repeat(100), "y".repeat(100));
        check(&text, &[(100, 112)], 32, "…xxxxxxxDROP TABLE tyyyyyyyyyyy…\n        ^^^^^^^^^^^^");
    }

    #[test]
    fn the_line_with_the_mark_is_shown() {
        check("cat <<E\nDROP TABLE t\nE", &[(8, 12)], 80, "…DROP TABLE t…\n ^^^^");
    }

    #[test]
    fn a_span_beyond_the_text_is_left_out() {
        check("ls", &[(5, 9)], 80, "ls\n");
    }

    #[test]
    fn nothing_hostile_is_left() {
        assert_eq!(escaped("a\u{1b}[2Jb\u{202e}c\u{0}"), "a\\u{1b}[2Jb\\u{202e}c\\u{0}");
    }
}
