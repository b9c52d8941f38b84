//! `nearmiss formats`: what can be read.

use std::io::Write;

use crate::reader::READERS;

/// List every log and transcript format that can be read
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments) -> anyhow::Result<u8> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "Detected by content; name one with `--from NAME` where detection is not sure.\n")?;
    let widest = READERS.iter().map(|reader| reader.name().len()).max().unwrap_or(0);
    for reader in READERS {
        writeln!(out, "  {:<widest$}  {}", reader.name(), reader.about())?;
    }
    writeln!(
        out,
        "\ngzip, zstd and bzip2 are unpacked, also by content. Any other JSON, CSV or Parquet is read with `--map FILE`, which says\nwhat its fields are (docs/mapping.md)."
    )?;
    Ok(super::exit::OK)
}
