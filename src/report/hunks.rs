//! Two texts, and the lines in which they differ.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use super::escaped;

const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// Lines shown around every difference.
const CONTEXT: usize = 3;

/// Shows what is different in `after`: `-` and `+` before lines, `most` lines at most.
///
/// # Errors
/// When the output cannot be written.
pub fn hunks(before: &str, after: &str, most: usize, out: &mut dyn Write) -> io::Result<()> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            lines.push(format!("{DIM}  …{DIM:#}"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            // Files come from whoever made them: nothing in them moves the cursor.
            let text = escaped(change.value().trim_end_matches(['\r', '\n']));
            lines.push(match change.tag() {
                ChangeTag::Delete => format!("{RED}- {text}{RED:#}"),
                ChangeTag::Insert => format!("{GREEN}+ {text}{GREEN:#}"),
                ChangeTag::Equal => format!("  {text}"),
            });
        }
    }
    for line in lines.iter().take(most) {
        writeln!(out, "{}", line.trim_end())?;
    }
    if lines.len() > most {
        writeln!(out, "{DIM}  … and {} more lines{DIM:#}", lines.len() - most)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::hunks;

    fn shown(before: &str, after: &str, most: usize) -> String {
        let mut out = Vec::new();
        hunks(before, after, most, &mut out).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap().replace('…', "...")
    }

    #[test]
    fn only_what_differs_is_shown() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let after = before.replace("b\n", "B\n").replace("j\n", "");
        assert_eq!(shown(before, &after, 99), "  a\n- b\n+ B\n  c\n  d\n  e\n  ...\n  g\n  h\n  i\n- j\n");
        assert_eq!(shown(before, &after, 2), "  a\n- b\n  ... and 9 more lines\n");
        assert_eq!(shown(before, before, 9), "");
    }

    #[test]
    fn nothing_in_a_file_moves_the_cursor() {
        assert_eq!(shown("", "\u{1b}[2Jx\n", 9), "+ \\u{1b}[2Jx\n");
    }
}
