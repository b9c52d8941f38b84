//! One incident as it is written down.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;

use crate::engine::Config;
use crate::engine::near_miss::barrier::Distance;
use crate::model::{Action, ActorKind, Decision, Issue, words};
use crate::reader::{Out, Source, detect};

/// An incident, ready to be played.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The name of its file.
    pub id: String,
    pub title: String,
    /// `2017-01-31`, or only as much of it as is known.
    pub date: String,
    pub decidable: Decidable,
    pub sources: Vec<String>,
    pub story: String,
    pub config: Config,
    /// Why a policy is not held to it, when it is not.
    pub known: Option<String>,
    /// In order; `true` for what only leads up to it.
    pub actions: Vec<(Action, bool)>,
    pub twins: Vec<Twin>,
}

/// The same act but for one condition, harmless.
#[derive(Clone, Debug)]
pub struct Twin {
    pub differs: String,
    /// Its own mapping, where it needs another one.
    pub config: Option<Config>,
    /// Why it may be stopped all the same.
    pub known: Option<String>,
    /// How near it is to the rules that stop the incident.
    pub near: Option<Nearness>,
    pub actions: Vec<(Action, bool)>,
}

/// How near a twin has to be, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Nearness {
    Near(Steps),
    /// The word `none`: another kind of act.
    Far(Never),
}

/// `{ rule = "files.destroy-home", distance = 1, missing = ["target"] }`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// The nearest of the rules that stop the incident.
    pub rule: String,
    pub distance: u32,
    /// The facts of what does not hold, as an explanation names barriers.
    pub missing: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Never {
    None,
}

impl Nearness {
    /// Whether this is how near it is.
    pub(super) fn is(&self, near: Option<&Distance>) -> bool {
        match (self, near) {
            (Self::Near(steps), Some(near)) => {
                let certain = near.least == near.most;
                certain && near.least == steps.distance && near.rule == steps.rule && near.missing == steps.missing
            }
            (Self::Far(Never::None), None) => true,
            _ => false,
        }
    }
}

words! {
    /// The least that has to be known to tell an incident from its twins.
    Decidable {
        Text = "text",
        Context = "context",
        Payload = "payload",
        Sequence = "sequence",
        State = "state",
        /// Nothing in the record tells them apart.
        Invisible = "invisible",
    }
}

impl Incident {
    /// What has to become of it at least.
    pub fn expects(&self) -> Decision {
        match self.decidable {
            _ if self.known.is_some() => Decision::Allow,
            Decidable::Invisible => Decision::Undecided,
            _ => Decision::Ask,
        }
    }
}

/// A file that is no incident.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct CorpusError {
    pub file: String,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    date: String,
    actor: ActorKind,
    decidable: Decidable,
    #[allow(dead_code, reason = "said for readers of the file")]
    certainty: Certainty,
    sources: Vec<String>,
    story: String,
    #[serde(default)]
    config: String,
    known: Option<String>,
    action: Vec<toml::Table>,
    #[serde(default)]
    twin: Vec<WrittenTwin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Certainty {
    Verbatim,
    Reconstructed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTwin {
    differs: String,
    config: Option<String>,
    known: Option<String>,
    near: Option<Nearness>,
    /// It does without what led up to the incident.
    #[serde(default)]
    fresh: bool,
    action: Vec<toml::Table>,
}

impl Incident {
    /// Reads one file; `id` is its name without the ending.
    ///
    /// # Errors
    /// When it is no TOML of this shape, when a record in it is not understood as a whole, or when its mapping is wrong.
    pub fn parse(id: &str, text: &str) -> Result<Self, CorpusError> {
        let wrong = |problem: String| CorpusError { file: format!("{id}.toml"), problem };
        let written: Written = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let config = |text: &str| Config::parse(&format!("{id}.toml"), text).map_err(|error| wrong(error.to_string()));
        let kind = written.actor;
        let actions = records(id, kind, &written.action).map_err(wrong)?;
        let before: Vec<&toml::Table> = written.action.iter().filter(|record| leads_up(record)).collect();
        let mut twins = Vec::new();
        for twin in &written.twin {
            let lead = before.iter().copied().filter(|_| !twin.fresh).cloned();
            let all: Vec<toml::Table> = lead.chain(twin.action.iter().cloned()).collect();
            twins.push(Twin {
                differs: twin.differs.clone(),
                config: twin.config.as_deref().map(config).transpose()?,
                known: twin.known.clone(),
                near: twin.near.clone(),
                actions: records(id, kind, &all).map_err(wrong)?,
            });
        }
        if actions.iter().all(|(_, before)| *before) {
            return Err(wrong("every action only leads up to it".to_owned()));
        }
        Ok(Self {
            id: id.to_owned(),
            title: written.title,
            date: written.date,
            decidable: written.decidable,
            sources: written.sources,
            story: written.story,
            config: config(&written.config)?,
            known: written.known,
            actions,
            twins,
        })
    }
}

fn leads_up(record: &toml::Table) -> bool {
    record.get("before").and_then(toml::Value::as_bool).unwrap_or(false)
}

/// The records through the reader of our own format, so that both mean the same.
pub(in crate::engine) fn records(
    id: &str,
    actor: ActorKind,
    records: &[toml::Table],
) -> Result<Vec<(Action, bool)>, String> {
    let mut lines = String::new();
    for record in records {
        let mut record = record.clone();
        record.remove("before");
        record.entry("kind").or_insert_with(|| "shell".into());
        record.entry("session").or_insert_with(|| id.into());
        let mut who = toml::Table::new();
        who.insert("name".to_owned(), actor.word().into());
        who.insert("kind".to_owned(), actor.word().into());
        record.entry("actor").or_insert(who.into());
        lines.push_str(&serde_json::to_string(&record).map_err(|error| error.to_string())?);
        lines.push('\n');
    }
    let reader = detect::by_name("actions").ok_or_else(|| "there is no reader for actions".to_owned())?;
    let source = Source { file: Arc::from(format!("{id}.toml")), options: Arc::default(), database: None };
    let mut read = Read::default();
    reader.read(&mut io::Cursor::new(lines), &source, &mut read).map_err(|error| error.to_string())?;
    match read.problem {
        Some(problem) => Err(problem),
        None if read.actions.len() != records.len() => Err("not every record was read".to_owned()),
        None => Ok(read.actions.into_iter().zip(records.iter().map(leads_up)).collect()),
    }
}

#[derive(Default)]
struct Read {
    actions: Vec<Action>,
    problem: Option<String>,
}

impl Out for Read {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        self.actions.push(action);
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {}

    fn issue(&mut self, issue: Issue) -> ControlFlow<()> {
        self.problem.get_or_insert(format!("record {}: {} ({})", issue.line, issue.problem, issue.advice));
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "title = 't'\ndate = '2020'\nactor = 'human'\ndecidable = 'text'\ncertainty = 'verbatim'\nsources = []\nstory = 's'\n";

    #[test]
    fn what_leads_up_to_it_leads_up_to_its_twins() {
        let text = format!(
            "{HEAD}[[action]]\nbefore = true\ntext = 'ls'\n[[action]]\ntext = 'rm x'\n\
             [[twin]]\ndiffers = 'd'\naction = [{{ text = 'rm y' }}]\n[[twin]]\ndiffers = 'd'\nfresh = true\naction = [{{ text = 'rm y' }}]\n"
        );
        let incident = Incident::parse("x", &text).unwrap();
        let texts = |actions: &[(Action, bool)]| actions.iter().map(|(a, _)| a.text.to_string()).collect::<Vec<_>>();
        assert_eq!(texts(&incident.actions), ["ls", "rm x"]);
        assert_eq!(texts(&incident.twins[0].actions), ["ls", "rm y"]);
        assert_eq!(texts(&incident.twins[1].actions), ["rm y"]);
    }

    #[test]
    fn a_record_that_is_not_understood_is_an_error() {
        let error = Incident::parse("x", &format!("{HEAD}[[action]]\ntext = 'ls'\ncolour = 1\n")).unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
        assert!(Incident::parse("x", HEAD).is_err());
    }
}
