//! `nearmiss filters`: what `-E` can ask, and the options that ask it.

use std::io::Write;

use anyhow::Context;

use crate::engine::query::{Expression, Filter, Matcher, PREDICATES, Text, parse_time};
use crate::model::Timestamp;

/// List what a filter (`-E`) can ask of an action
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}", INTRODUCTION, table()))]
pub(super) struct Arguments {}

const INTRODUCTION: &str = "A filter names predicates and puts them together:
  nearmiss replay traces/ -E 'decision(>=ask) & !environment(development) & actor(=claude)'

  &  and      |  or      !  not      -  but not      ( )      all()      none()
  effect(…)   one and the same effect does all of it: effect(operation(drop) & is(Table))

In the parentheses stands what is asked; several, with commas, ask for any of them:
  ~x  contains, in any case    =x  is exactly    #x  glob, in any case    /x/  regular expression
  >=x  >x  <=x  <x   numbers and ordered words (decision, severity, before)
  x   the word or number; of names and texts: contains (rule and id: starts with)
A value with parentheses, commas or quotes stands in quotes: text(\"count(*)\").";

/// Which actions are told of; what is left out is judged all the same, because sessions need it.
#[derive(Debug, Default, clap::Args)]
pub(super) struct FilterArguments {
    #[command(flatten)]
    matching: MatchingArguments,
    /// Only actions at or after this time (`2026-11-21`, `2026-11-21T02:00Z`)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Only actions before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Only actions of actors whose name contains this
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only actions of sessions whose name contains this
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// Only actions that this rule stops (its id, or the start of it)
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
}

/// The language itself.
#[derive(Debug, Default, clap::Args)]
pub(super) struct MatchingArguments {
    /// Only actions that match: `decision(block) & !environment(development)`; repeatable, all must hold (see `nearmiss
    /// filters`)
    #[arg(short = 'E', long = "filter", value_name = "EXPR")]
    filters: Vec<String>,
}

impl MatchingArguments {
    pub(super) fn filter(&self) -> anyhow::Result<Filter> {
        self.filters
            .iter()
            .try_fold(Filter::all(), |all, text| Ok(all.and(Filter::parse(text).context("the filter cannot be read")?)))
    }
}

impl FilterArguments {
    pub(super) fn filter(&self) -> anyhow::Result<Filter> {
        let text = |name, option: &Option<String>, asked: fn(&str) -> Text| {
            option.as_ref().map(|value| (name, Matcher::Text(asked(value))))
        };
        let options = [
            self.since.map(|time| ("since", Matcher::since(time))),
            self.until.map(|time| ("until", Matcher::until(time))),
            text("actor", &self.actor, Text::contains),
            text("session", &self.session, Text::contains),
            text("rule", &self.rule, |start| Text::Starts(start.to_owned())),
        ];
        options.into_iter().flatten().try_fold(self.matching.filter()?, |all, (name, matcher)| {
            let test = Expression::test(name, vec![matcher]).with_context(|| format!("`--{name}` is no filter"))?;
            Ok(all.and(test.into()))
        })
    }
}

pub(super) fn run(_arguments: &Arguments) -> anyhow::Result<u8> {
    writeln!(anstream::stdout().lock(), "{INTRODUCTION}\n\n{}", table())?;
    Ok(super::exit::OK)
}

/// One line for every predicate: an example, what it asks, and the words of short vocabularies.
fn table() -> String {
    const MOST_LISTED: usize = 6;
    let widest = PREDICATES.iter().map(|predicate| predicate.example.chars().count()).max().unwrap_or(0);
    let lines = PREDICATES.iter().map(|predicate| {
        let words = predicate.words().filter(|words| words.len() <= MOST_LISTED);
        let words = words.map(|words| format!(": {}", words.join(", "))).unwrap_or_default();
        format!("  {:<widest$}  {}{words}", predicate.example, predicate.about)
    });
    lines.collect::<Vec<_>>().join("\n")
}
