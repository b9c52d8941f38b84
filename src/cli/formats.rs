//! `nearmiss formats`: what can be read, and what one format is.

use std::io::Write;

use crate::reader::guide::{self, Guide};
use crate::reader::{READERS, Reader, detect};
use crate::report::escaped;

use super::{Ended, exit, terminal};

/// List every log and transcript format that can be read, or explain one
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The format to explain: what it tells, what it does not, what to set on the server, and a sample
    name: Option<String>,
}

/// Lines of a sample that are shown.
const SAMPLE_LINES: usize = 12;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut out = anstream::stdout().lock();
    if let Some(name) = &arguments.name {
        let wanted = name.replace('-', "_").to_lowercase();
        let reader = detect::by_name(&wanted).ok_or_else(|| Ended { code: exit::USAGE, message: unknown(name) })?;
        explain(reader, guide::of(reader.name()), &mut out)?;
        return Ok(exit::OK);
    }
    writeln!(out, "Detected by content; name one with `--from NAME` where detection is not sure.\n")?;
    let widest = READERS.iter().map(|reader| reader.name().len()).max().unwrap_or(0);
    for reader in READERS {
        writeln!(out, "  {:<widest$}  {}", reader.name(), reader.about())?;
    }
    writeln!(
        out,
        "\ngzip, zstd, bzip2, xz, zip and tar are unpacked, also by content. Any other JSON, CSV or Parquet is read with\n`--map FILE`, which says what its fields are (docs/mapping.md)."
    )?;
    writeln!(out, "What one tells and what it does not, with a sample:  nearmiss formats NAME")?;
    Ok(exit::OK)
}

fn unknown(name: &str) -> String {
    let word = name.to_lowercase();
    let near: Vec<_> = READERS
        .iter()
        .filter(|reader| reader.name().contains(&word) || reader.about().to_lowercase().contains(&word))
        .map(|reader| reader.name())
        .collect();
    match near[..] {
        [] => format!("no format is called `{name}`; `nearmiss formats` lists them"),
        _ => format!("no format is called `{name}`; did you mean {}?", near.join(", ")),
    }
}

fn explain(reader: &dyn Reader, guide: Option<&Guide>, out: &mut dyn Write) -> std::io::Result<()> {
    let width = terminal::width().min(100);
    writeln!(out, "\u{1b}[1m{}\u{1b}[0m", reader.name())?;
    paragraph(out, "Is", reader.about(), width)?;
    let Some(guide) = guide else { return Ok(()) };
    paragraph(out, "Known by", guide.known_by, width)?;
    paragraph(out, "Tells", guide.tells, width)?;
    paragraph(out, "Does not tell", guide.lacks, width)?;
    let read = format!("nearmiss replay PATH, or with --from {} where it is not recognised", reader.name());
    paragraph(out, "Read with", &read, width)?;
    if !guide.settings.is_empty() {
        writeln!(out, "\n\u{1b}[1mTo be set where it is recorded\u{1b}[0m")?;
        for (set, gives) in guide.settings {
            writeln!(out, "  {set}")?;
            wrapped(gives, width.saturating_sub(6), |line| writeln!(out, "      {line}"))?;
        }
    }
    let (path, bytes) = guide.sample;
    writeln!(out, "\n\u{1b}[1mSample\u{1b}[0m (made up)")?;
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().take(SAMPLE_LINES) {
        let line = escaped(line);
        let cut = line.chars().count() > width - 2;
        let shown: String = line.chars().take(if cut { width - 3 } else { width - 2 }).collect();
        writeln!(out, "  {shown}{}", if cut { "…" } else { "" })?;
    }
    let more = text.lines().count().saturating_sub(SAMPLE_LINES);
    if more > 0 {
        writeln!(out, "  … {more} more lines in corpora/{path}")?;
    }
    Ok(())
}

/// A label, and text beside it.
fn paragraph(out: &mut dyn Write, label: &str, text: &str, width: usize) -> std::io::Result<()> {
    const LABEL: usize = 15;
    let mut label = label;
    wrapped(text, width.saturating_sub(LABEL + 2), |line| {
        writeln!(out, "  {:<LABEL$}{line}", std::mem::take(&mut label))
    })
}

/// Hands out the text in lines of at most `room` columns, where its words allow it.
fn wrapped(text: &str, room: usize, mut line: impl FnMut(&str) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut open = String::new();
    for word in text.split(' ') {
        if !open.is_empty() && open.chars().count() + 1 + word.chars().count() > room {
            line(&open)?;
            open.clear();
        }
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(word);
    }
    line(&open)
}
