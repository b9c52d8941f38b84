//! The history of tcsh and csh, usually `~/.history`.
//!
//! `#+1700000000` on a line of its own, then `rm -rf build`

use std::io::{self, BufRead};

use crate::reader::history::stamps::Stamped;
use crate::reader::history::{named, seconds};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from tcsh_history`.
#[derive(Clone, Copy, Debug)]
pub struct TcshHistory;

const STAMPED: Stamped =
    Stamped { format: "tcsh_history", stamp: |line| seconds(line.trim_ascii_end().strip_prefix(b"#+")?) };

impl Reader for TcshHistory {
    fn name(&self) -> &'static str {
        "tcsh_history"
    }

    fn about(&self) -> &'static str {
        "tcsh and csh history, usually ~/.history"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        match STAMPED.count(sample) {
            (true, _) => Match::Certain,
            (_, 1..) => Match::Likely,
            _ if sample.name == ".history" || named(sample.name, &["csh_history"]) => Match::Maybe,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        STAMPED.read(input, source, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn entries() {
        assert_eq!(
            read_all(&TcshHistory, ".history", b"#+1700000000\nls\n#+1700000001\nforeach x (a b)\nrm $x\nend\n"),
            "L1 shell \"ls\" session=.history actor=human:unknown time=2023-11-14T22:13:20Z exec=yes\n\
             L3 shell \"foreach x (a b)\\nrm $x\\nend\" session=.history actor=human:unknown \
             time=2023-11-14T22:13:21Z exec=yes\n",
        );
    }

    #[test]
    fn detected() {
        let sure = |name: &str, head: &str| {
            TcshHistory.detect(&Sample { head: head.as_bytes(), complete: true, name, tables: &[] })
        };
        assert_eq!(sure("x", "#+1700000000\nls\n"), Match::Certain);
        assert_eq!(sure(".history", "ls\n"), Match::Maybe);
        assert_eq!(sure("x", "#1700000000\nls\n"), Match::No);
    }
}
