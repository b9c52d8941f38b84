//! Bash's history (and sh, ash and ksh, which write the same lines), usually `~/.bash_history`.
//!
//! `#1700000000` on a line of its own when `HISTTIMEFORMAT` is set, then `rm -rf build`

use std::io::{self, BufRead};

use crate::reader::history::stamps::Stamped;
use crate::reader::history::{named, seconds};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from bash_history`.
#[derive(Clone, Copy, Debug)]
pub struct BashHistory;

const STAMPED: Stamped =
    Stamped { format: "bash_history", stamp: |line| seconds(line.trim_ascii_end().strip_prefix(b"#")?) };

impl Reader for BashHistory {
    fn name(&self) -> &'static str {
        "bash_history"
    }

    fn about(&self) -> &'static str {
        "bash history with or without timestamps, usually ~/.bash_history"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let named = named(sample.name, &["bash_history", ".sh_history", ".ash_history", ".ksh_history"]);
        match STAMPED.count(sample) {
            (true, _) | (_, 2..) => Match::Likely,
            (_, 1) if named => Match::Likely,
            _ if named => Match::Maybe,
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

    /// Who and where are the same for all of a file's entries.
    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        let seen = read_all(&BashHistory, "bash_history", input);
        let seen = seen.replace(" session=bash_history actor=human:unknown", "").replace(" exec=yes", "");
        assert_eq!(seen.trim_end(), expected);
    }

    #[test]
    fn whose_it_is() {
        assert_eq!(
            read_all(&BashHistory, "/home/ann/.bash_history", b"ls\n"),
            "L1 shell \"ls\" session=ann/.bash_history actor=human:ann exec=yes\n",
        );
    }

    #[test]
    fn one_entry_a_line() {
        check(b"ls\r\n\n cd /tmp\nrm x", "L1 shell \"ls\"\nL3 shell \" cd /tmp\"\nL4 shell \"rm x\"");
        check(b"", "");
    }

    #[test]
    fn timestamps_bound_entries() {
        check(
            b"#1700000000\ncat > run.sh <<X\nrm -rf /\n\nX\n#1700000001\nls\n",
            "L1 shell \"cat > run.sh <<X\\nrm -rf /\\n\\nX\" time=2023-11-14T22:13:20Z\n\
             L6 shell \"ls\" time=2023-11-14T22:13:21Z",
        );
    }

    #[test]
    fn desync() {
        check(
            b"sync\nhalt\n#1700000000\n#1700000001\nls\n",
            "L1 shell \"sync\"\nL2 shell \"halt\"\nL3 note: a timestamp without a command\n\
             L4 shell \"ls\" time=2023-11-14T22:13:21Z",
        );
        check(b"#12 is a comment\n#42\n", "L1 shell \"#12 is a comment\"\nL2 shell \"#42\"");
    }

    #[test]
    fn heredocs_without_timestamps() {
        let note = "note: no timestamps: where this heredoc ends is a guess \
                    (set HISTTIMEFORMAT, and the shell marks where a command begins)";
        check(
            b"cat <<A > x; cat <<-'B'\nrm -rf /\nA\nhalt\n\tB\nls\n",
            &format!("L1 {note}\nL1 shell \"cat <<A > x; cat <<-'B'\\nrm -rf /\\nA\\nhalt\\n\\tB\"\nL6 shell \"ls\""),
        );
        check(b"cat <<A\nls\npwd\n", "L1 shell \"cat <<A\"\nL2 shell \"ls\"\nL3 shell \"pwd\"");
        check(b"cat <<A\n#1700000000\nA\n", "L1 shell \"cat <<A\"\nL2 shell \"A\" time=2023-11-14T22:13:20Z");
    }

    #[test]
    fn a_backslash_at_the_end_goes_on() {
        check(b"ls \\\n  -l \\\\\npwd\\", "L1 shell \"ls \\\\\\n  -l \\\\\\\\\"\nL3 shell \"pwd\\\\\"");
    }

    #[test]
    fn odd_bytes() {
        check(
            b"\0\0\0\0ls\ncaf\xe9\n\0\0\n",
            "L1 note: NUL bytes are left out\nL1 shell \"ls\"\n\
             L2 note: not UTF-8; the odd bytes are shown as `\u{fffd}`\nL2 shell \"caf\u{fffd}\"\n\
             L3 note: NUL bytes are left out",
        );
    }

    #[test]
    fn an_entry_without_end_is_cut() {
        let mut input = b"#1700000000\n".to_vec();
        for _ in 0..5 {
            input.extend_from_slice(&[b'x'; 5 << 20]);
            input.push(b'\n');
        }
        let seen = read_all(&BashHistory, "h", &input);
        assert!(seen.starts_with("L1 note: the entry is too long, its end is left out\nL1 shell \"xxx"));
        assert!(seen.ends_with(" gap=truncated/anything\n"));
        assert_eq!(seen.lines().count(), 2);
    }

    #[test]
    fn many_heredocs_without_end_are_quick() {
        let input = b"cat <<A <<B <<C\n".repeat(20_000);
        assert_eq!(read_all(&BashHistory, "h", &input).lines().count(), 20_000);
    }

    proptest::proptest! {
        /// Whatever is joined or split, every line that is not a timestamp ends up in an entry, in order.
        #[test]
        fn no_line_is_dropped(lines in proptest::collection::vec(
            proptest::sample::select(vec!["#1700000000", "ls", "cat <<A", "cat <<-'B' <<A", "A", "\tB", "x \\", "", "<<<A"]), 0..30,
        )) {
            let source = Source { file: "h".into(), options: std::sync::Arc::default(), database: None };
            let mut out = crate::reader::collect::Collector::default();
            BashHistory.read(&mut lines.join("\n").as_bytes(), &source, &mut out).unwrap();
            let texts: Vec<&str> = out.actions.iter().map(|action| &*action.text).collect();
            let read: Vec<&str> = texts.iter().flat_map(|text| text.split('\n')).filter(|line| !line.is_empty()).collect();
            let given: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty() && *line != "#1700000000").collect();
            assert_eq!(read, given);
        }
    }

    #[test]
    fn detected() {
        let sure = |name: &str, head: &str| {
            BashHistory.detect(&Sample { head: head.as_bytes(), complete: true, name, tables: &[] })
        };
        assert_eq!(sure("x", "#1700000000\nls\n"), Match::Likely);
        assert_eq!(sure("x", "ls\n#1700000000\nls\n#1700000001\n"), Match::Likely);
        assert_eq!(sure("x", "ls\n#1700000000\nls\n"), Match::No);
        assert_eq!(sure("old-bash-history", "ls\n"), Match::Maybe);
        assert_eq!(sure(".psql_history", "ls\n"), Match::No);
        assert_eq!(sure("x", "#+1700000000\nls\n"), Match::No);
    }
}
