//! Two texts, and the lines in which they differ.

use std::io::{self, Write};
use std::ops::Range;

use anstyle::{AnsiColor, Style};
use rustc_hash::{FxHashMap, FxHashSet};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::escaped;

const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();

/// Lines shown around every difference.
const CONTEXT: usize = 3;

/// Pairs of lines that the best comparison may look at; beyond, a quick one has to do.
const MAX_PAIRS: usize = 16 << 20;
/// How far the quick one looks ahead.
const AHEAD: usize = 2000;

/// Shows what is different in `after`: `-` and `+` before lines, `most` lines at most.
///
/// # Errors
/// When the output cannot be written.
pub fn hunks(before: &str, after: &str, most: usize, out: &mut dyn Write) -> io::Result<()> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let changes = changes(&before, &after);
    // Files come from whoever made them: nothing in them moves the cursor.
    let line = |(mark, text): &(char, &str)| match mark {
        '-' => format!("{RED}- {}{RED:#}", escaped(text)),
        '+' => format!("{GREEN}+ {}{GREEN:#}", escaped(text)),
        _ => format!("  {}", escaped(text)),
    };
    let mut left = most;
    let mut end = 0;
    for range in groups(&changes) {
        if end > 0 && left > 0 {
            writeln!(out, "{DIM}  …{DIM:#}")?;
        }
        for change in changes[range.clone()].iter().take(left) {
            writeln!(out, "{}", line(change).trim_end())?;
        }
        left = left.saturating_sub(range.len());
        end = range.end;
    }
    let all: usize = groups(&changes).iter().map(Range::len).sum();
    if all > most {
        writeln!(out, "{DIM}  … and {} more lines{DIM:#}", all - most)?;
    }
    Ok(())
}

/// Every line of both texts, with `-` when only the first has it and `+` when only the second does.
fn changes<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<(char, &'t str)> {
    let mut changes = Vec::with_capacity(before.len().max(after.len()));
    let (mut old, mut new) = (0, 0);
    for (a, b) in matches(before, after).into_iter().chain([(before.len(), after.len())]) {
        changes.extend(before[old..a].iter().map(|line| ('-', *line)));
        changes.extend(after[new..b].iter().map(|line| ('+', *line)));
        changes.extend(before.get(a).map(|line| (' ', *line)));
        (old, new) = (a + 1, b + 1);
    }
    changes
}

/// Places of lines that both have, in order.
fn matches(before: &[&str], after: &[&str]) -> Vec<(usize, usize)> {
    // What the other side does not have at all matches nothing; without it even very different texts are quickly done.
    let shared = |these: &[&str], those: &[&str]| -> Vec<usize> {
        let those: FxHashSet<&str> = those.iter().copied().collect();
        (0..these.len()).filter(|at| those.contains(these[*at])).collect()
    };
    let (old, new) = (shared(before, after), shared(after, before));
    let lines = |of: &[usize], text: &[&str]| -> Vec<String> { of.iter().map(|at| text[*at].to_owned()).collect() };
    let (a, b) = (lines(&old, before), lines(&new, after));
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let pairs = (a.len() - same).saturating_mul(b.len() - same);
    let found = if pairs <= MAX_PAIRS { exact(&a, &b) } else { quick(&a, &b) };
    found.into_iter().map(|(a, b)| (old[a], new[b])).collect()
}

fn exact(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, a, b) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            found.extend((0..len).map(|at| (old_index + at, new_index + at)));
        }
    }
    found
}

/// Takes for every line the next one like it on the other side, when it is not far: not the shortest difference, but a
/// true one.
fn quick(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let mut places: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (at, line) in a.iter().enumerate() {
        places.entry(line).or_default().push(at);
    }
    let mut next = 0;
    let mut found = Vec::new();
    for (at, line) in b.iter().enumerate() {
        let all = places.get(line.as_str()).map_or(&[][..], Vec::as_slice);
        let from = all.partition_point(|place| *place < next);
        if let Some(place) = all.get(from).filter(|place| **place < next + AHEAD) {
            found.push((*place, at));
            next = place + 1;
        }
    }
    found
}

/// The parts to show: what differs with a few lines around it.
fn groups(changes: &[(char, &str)]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in changes.iter().enumerate().filter(|(_, (mark, _))| *mark != ' ') {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(changes.len());
        match groups.last_mut().filter(|last| last.end >= around.start) {
            Some(last) => last.end = around.end,
            None => groups.push(around),
        }
    }
    groups
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
        assert_eq!(shown(before, &after, 2), "  a\n- b\n  ... and 8 more lines\n");
        assert_eq!(shown(before, before, 9), "");
    }

    #[test]
    fn very_different_texts_are_quickly_told() {
        let text = |word: &str, by: usize| -> String {
            // Half of the lines are known to the other side, in another order.
            (0..40_000).map(|line| format!("{word}{line}\nshared {}\n", line * by % 40_009)).collect()
        };
        let (before, after) = (text("a", 1), text("b", 7919));
        let (before_lines, after_lines): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        let changes = super::changes(&before_lines, &after_lines);
        let side = |without: char| -> Vec<&str> {
            changes.iter().filter(|(mark, _)| *mark != without).map(|(_, line)| *line).collect()
        };
        assert_eq!((side('+'), side('-')), (before_lines, after_lines));
    }

    #[test]
    fn nothing_in_a_file_moves_the_cursor() {
        assert_eq!(shown("", "\u{1b}[2Jx\n", 9), "+ \\u{1b}[2Jx\n");
    }
}
