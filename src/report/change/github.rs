//! Annotations of GitHub Actions: lines of standard output that the runner shows at lines of the pull request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::remark::{Level, Remark, remarks};
use super::{ChangeReport, Told};

/// The runner shows so many per kind and step; the last one says how many there are beside.
const MAX_PER_KIND: usize = 10;

#[derive(Debug)]
pub(super) struct Github;

impl ChangeReport for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations for a job of GitHub Actions"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut kinds: BTreeMap<Level, Vec<Remark<'_>>> = BTreeMap::new();
        for remark in remarks(told) {
            kinds.entry(remark.level).or_default().push(remark);
        }
        // A step that has nothing to remark shows that it ran.
        let state = match told.gate {
            Some(gate) if gate.passed() => "gate passed: ",
            Some(_) => "gate failed: ",
            None => "",
        };
        writeln!(out, "::notice title=nearmiss::{state}{}", data(&told.headline()))?;
        for (level, remarks) in kinds {
            let word = match level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "notice",
            };
            let room = if level == Level::Note { MAX_PER_KIND - 1 } else { MAX_PER_KIND };
            let shown = if remarks.len() > room { room - 1 } else { remarks.len() };
            for Remark { spot, title, message, .. } in &remarks[..shown] {
                let (file, title) = (property(&spot.file), property(title));
                writeln!(out, "::{word} file={file},line={},title={title}::{}", spot.line, data(message))?;
            }
            if remarks.len() > shown {
                let more = remarks.len() - shown;
                writeln!(out, "::{word} title=nearmiss::and {more} more; the other reports have all of them")?;
            }
        }
        out.flush()
    }
}

/// What stands behind `::`. Only a line that starts with `::` is a command, so no line may end.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(data("50 %\n::stop-commands::x"), "50 %25%0A::stop-commands::x");
        assert_eq!(property("a,file=b::c"), "a%2Cfile=b%3A%3Ac");
    }
}
