//! For tests: what a reader hands out, without the arguments and the times that would drown everything else.

use crate::reader::{Reader, collect};

/// One line per action or issue.
pub(crate) fn shown(reader: &dyn Reader, name: &str, bytes: &[u8]) -> String {
    let text = collect::read_all(reader, name, bytes);
    let lines = text.lines().filter(|line| line.starts_with('L')).map(|line| {
        let line = line.split(" arguments=").next().unwrap_or(line);
        let words = line.split(' ').filter(|word| !word.starts_with("time="));
        let mut line = words.collect::<Vec<_>>().join(" ");
        line.push('\n');
        line
    });
    lines.collect()
}
