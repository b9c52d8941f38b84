//! One row per action, as CSV or Parquet: for spreadsheets and notebooks. The only door to polars.

use std::io::{self, Write};

use polars::io::{csv, parquet};
use polars::prelude::{Column, CsvWriter, DataFrame, ParquetWriter, PolarsResult, SerWriter};

use crate::model::{Finding, Issue};

use super::{Ended, Heading, Report, Telling, redacted};

pub(super) const CSV: Table = Table { name: "csv", about: "one row per action, as CSV", parquet: false };
pub(super) const PARQUET: Table = Table { name: "parquet", about: "one row per action, as Parquet", parquet: true };

#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    about: &'static str,
    parquet: bool,
}

impl Report for Table {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn is_binary(&self) -> bool {
        self.parquet
    }

    fn start<'w>(&self, heading: Heading, out: &'w mut dyn Write) -> Box<dyn Telling + 'w> {
        Box::new(Rows {
            sink: if self.parquet { Sink::NewParquet(out) } else { Sink::NewCsv(out) },
            no_redact: heading.no_redact,
            columns: Columns::default(),
        })
    }
}

/// Rows written at once: memory stays flat however long the replay is.
const BATCH: usize = 16_384;

struct Rows<'w> {
    sink: Sink<'w>,
    no_redact: bool,
    columns: Columns,
}

/// A file that gets its header from the first batch.
#[allow(clippy::large_enum_variant, reason = "there is one per replay")]
enum Sink<'w> {
    NewCsv(&'w mut dyn Write),
    NewParquet(&'w mut dyn Write),
    Csv(csv::write::BatchedWriter<&'w mut dyn Write>),
    Parquet(parquet::write::BatchedWriter<&'w mut dyn Write>),
    /// Writing failed before; the error was told.
    Broken,
}

impl Sink<'_> {
    fn write(&mut self, frame: &DataFrame) -> PolarsResult<()> {
        *self = match std::mem::replace(self, Sink::Broken) {
            Sink::NewCsv(out) => Sink::Csv(CsvWriter::new(out).batched(frame.schema())?),
            Sink::NewParquet(out) => Sink::Parquet(ParquetWriter::new(out).batched(frame.schema())?),
            open => open,
        };
        match self {
            Sink::Csv(writer) => writer.write_batch(frame),
            Sink::Parquet(writer) => writer.write_batch(frame),
            _ => Ok(()),
        }
    }

    fn finish(self) -> PolarsResult<()> {
        match self {
            Sink::Csv(mut writer) => writer.finish(),
            Sink::Parquet(writer) => writer.finish().map(drop),
            _ => Ok(()),
        }
    }
}

impl Rows<'_> {
    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.columns).into_frame().map_err(io::Error::other)?;
        self.sink.write(&frame).map_err(io::Error::other)
    }
}

/// The columns as they grow; a row is one action.
#[derive(Default)]
struct Columns {
    id: Vec<String>,
    time: Vec<Option<String>>,
    actor: Vec<String>,
    actor_kind: Vec<&'static str>,
    session: Vec<String>,
    kind: Vec<&'static str>,
    text: Vec<String>,
    environment: Vec<&'static str>,
    executed: Vec<&'static str>,
    decision: Vec<&'static str>,
    severity: Vec<Option<&'static str>>,
    rules: Vec<String>,
    effects: Vec<String>,
    gaps: Vec<String>,
    template: Vec<String>,
    file: Vec<String>,
    line: Vec<u64>,
}

impl Telling for Rows<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.columns.push(finding, self.no_redact);
        if self.columns.id.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn issue(&mut self, _issue: &Issue) -> io::Result<()> {
        // Rows are actions; what could not be read goes to standard error, said by `cli`.
        Ok(())
    }

    fn finish(mut self: Box<Self>, _ended: &Ended) -> io::Result<()> {
        // The last batch may be empty: a table without rows still has its columns.
        self.flush()?;
        self.sink.finish().map_err(io::Error::other)
    }
}

impl Columns {
    fn push(&mut self, finding: &Finding, no_redact: bool) {
        let Finding { action, understanding, verdict, environment, .. } = finding;
        let mut rules: Vec<&str> = verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
        rules.dedup();
        let effects: Vec<String> = understanding
            .effects
            .iter()
            .map(|effect| format!("{} {} {}", effect.operation, effect.resource.kind, effect.resource.name))
            .collect();
        let mut gaps: Vec<&str> = understanding.gaps.iter().chain(&action.gaps).map(|gap| gap.kind.word()).collect();
        gaps.dedup();
        let shown = |text: &str| if no_redact { text.to_owned() } else { redacted(text).into_owned() };
        self.id.push(action.id.to_string());
        self.time.push(action.time.map(|time| time.to_string()));
        self.actor.push(action.actor.name.clone());
        self.actor_kind.push(action.actor.kind.word());
        self.session.push(action.session.to_string());
        self.kind.push(action.kind.word());
        self.text.push(shown(&action.text));
        self.environment.push(environment.word());
        self.executed.push(action.outcome.executed.word());
        self.decision.push(verdict.decision.word());
        self.severity.push(verdict.severity().map(crate::model::Severity::word));
        self.rules.push(rules.join(" "));
        self.effects.push(shown(&effects.join("; ")));
        self.gaps.push(gaps.join(" "));
        self.template.push(shown(&understanding.template));
        self.file.push(action.origin.file.to_string());
        self.line.push(action.origin.line);
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        DataFrame::new_infer_height(vec![
            Column::new("id".into(), self.id),
            Column::new("time".into(), self.time),
            Column::new("actor".into(), self.actor),
            Column::new("actor_kind".into(), self.actor_kind),
            Column::new("session".into(), self.session),
            Column::new("kind".into(), self.kind),
            Column::new("text".into(), self.text),
            Column::new("environment".into(), self.environment),
            Column::new("executed".into(), self.executed),
            Column::new("decision".into(), self.decision),
            Column::new("severity".into(), self.severity),
            Column::new("rules".into(), self.rules),
            Column::new("effects".into(), self.effects),
            Column::new("gaps".into(), self.gaps),
            Column::new("template".into(), self.template),
            Column::new("file".into(), self.file),
            Column::new("line".into(), self.line),
        ])
    }
}
