//! One row per action, as CSV or Parquet: for spreadsheets and notebooks. The only door to polars.

use std::io::{self, Write};

use polars::prelude::{Column, CsvWriter, DataFrame, ParquetWriter, SerWriter};

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
        Box::new(Rows { out, parquet: self.parquet, no_redact: heading.no_redact, columns: Columns::default() })
    }
}

struct Rows<'w> {
    out: &'w mut dyn Write,
    parquet: bool,
    no_redact: bool,
    columns: Columns,
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
        Ok(())
    }

    fn issue(&mut self, _issue: &Issue) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>, _ended: &Ended) -> io::Result<()> {
        let mut frame = self.columns.into_frame().map_err(io::Error::other)?;
        if self.parquet {
            ParquetWriter::new(self.out).finish(&mut frame).map(drop).map_err(io::Error::other)
        } else {
            CsvWriter::new(self.out).finish(&mut frame).map_err(io::Error::other)
        }
    }
}

impl Columns {
    fn push(&mut self, finding: &Finding, no_redact: bool) {
        let Finding { action, understanding, verdict, environment } = finding;
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

    fn into_frame(self) -> polars::prelude::PolarsResult<DataFrame> {
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
