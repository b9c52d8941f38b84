//! What would notice a mutant that nobody notices: a case or an example of the rule, ready to be added.
//!
//! Made of a recorded action that tells the mutant from its rule, else of an example in the policy with one fact
//! changed, else of an effect of such an example with one or two facts changed; and judged as it is written before it is
//! offered.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, ActorKind, Environment, Finding, Kind, Verdict};
use crate::policy::{Example, Mutant, Mutation};

mod effects;

use super::{Engine, Fate, Study};
use crate::engine::expect;
use crate::engine::gate::toml_string;

/// What would notice a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// For a file of cases, as TOML.
    Case(String),
    /// For the rule itself: the annotation, and a line of it.
    Example { annotation: &'static str, line: String },
}

/// What to add for every mutant that is not killed, by its number; what is not found is left out.
pub(super) fn write(study: &Study, engine: &Engine) -> BTreeMap<usize, Ready> {
    let engine = engine.afresh();
    let mutants = &study.mutants;
    let open: BTreeSet<usize> = study
        .fates
        .iter()
        .enumerate()
        .filter(|(_, fate)| matches!(fate, Fate::Seen(_) | Fate::Survived))
        .map(|(number, _)| number)
        .collect();
    let mut writing = Writing { study, engine: &engine, open, found: BTreeMap::new() };
    for number in 0..mutants.all().len() {
        mutants.set_open(number, writing.open.contains(&number));
    }
    writing.take_traces();
    let examples = engine.policy().examples();
    // The rule's own first: they are about it.
    for own in [true, false] {
        for example in examples {
            if writing.open.is_empty() {
                break;
            }
            if own && !writing.open.iter().any(|number| mutants.all()[*number].rule == example.rule.id) {
                continue;
            }
            for candidate in std::iter::once(example.clone()).chain(neighbours(example, own)) {
                writing.take_example(&candidate, own);
            }
        }
    }
    effects::write(&mut writing);
    writing.found
}

/// Of the examples of other rules, only those in another environment or by somebody else: there are many.
fn neighbours(example: &Example, own: bool) -> Vec<Example> {
    let mut all = example.neighbours();
    if !own {
        all.retain(|other| other.session == example.session && other.labels == example.labels);
    }
    all
}

struct Writing<'a> {
    study: &'a Study,
    engine: &'a Engine,
    /// Mutants for which nothing was found so far.
    open: BTreeSet<usize>,
    found: BTreeMap<usize, Ready>,
}

impl Writing<'_> {
    fn take_traces(&mut self) {
        for number in self.open.clone() {
            for (action, environment) in &self.study.traces[number] {
                if self.case(number, action, *environment) {
                    break;
                }
            }
        }
    }

    /// Looks whether an example tells mutants from their rules, and writes it down for them.
    fn take_example(&mut self, example: &Example, own: bool) {
        let finding = self.engine.decide_example(example);
        for other in
            finding.otherwise.iter().filter(|other| self.open.contains(&other.mutant)).copied().collect::<Vec<_>>()
        {
            let mutant = &self.study.mutants.all()[other.mutant];
            if own && mutant.rule != example.rule.id {
                continue;
            }
            let plain = example.session == Default::default() && example.labels.is_empty();
            if plain && self.case(other.mutant, &example.action, example.environment) {
                continue;
            }
            self.example(other.mutant, example, &finding);
        }
    }

    /// An example for the mutant's rule, judged as it would be read.
    fn example(&mut self, number: usize, example: &Example, finding: &Finding) {
        let mutant = &self.study.mutants.all()[number];
        let Some(info) = mutant.info.as_ref().filter(|_| mutant.mutation != Mutation::Deleted) else { return };
        let met = finding.verdict.hits.iter().chain(&finding.verdict.shadow).any(|hit| hit.rule.id == info.id);
        let Some(read) = example.read_as(info, met) else { return };
        let again = self.engine.decide_example(&read);
        if again.otherwise.iter().any(|other| other.mutant == number && other.met != met) {
            let (annotation, line) = read.written();
            self.found.insert(number, Ready::Example { annotation, line });
            self.open.remove(&number);
            self.study.mutants.set_open(number, false);
        }
    }

    /// A case of one action, judged as it would be read.
    fn case(&mut self, number: usize, action: &Action, environment: Environment) -> bool {
        let mut session = crate::engine::Session::default();
        let verdict = self.engine.decide(action.clone(), &mut session).verdict;
        self.tried(number, &verdict, &inline(&record(action, environment).into()), None)
    }

    /// Whether a case with this action, and the effect that it states, would notice. A stated effect is about its rule
    /// unless it says that it is about the decision: what else there is to say about it is for other cases.
    fn tried(&mut self, number: usize, verdict: &Verdict, action: &str, stated: Option<(&str, bool)>) -> bool {
        let mutant = &self.study.mutants.all()[number];
        let met = verdict.hits.iter().chain(&verdict.shadow).any(|hit| hit.rule.id == mutant.rule);
        let decides = stated.is_none_or(|(_, decides)| decides)
            || matches!(mutant.mutation, Mutation::Swapped)
            || mutant.info.is_none();
        let expect = if decides { verdict.decision.word() } else { "any" };
        let (name, expect) = (toml_string(&title(mutant)), toml_string(expect));
        let mut text = format!("[[case]]\nname = {name}\nexpect = {expect}\n");
        if mutant.info.is_some() {
            text.push_str(&format!("{} = {}\n", if met { "rule" } else { "without" }, toml_string(&mutant.rule)));
        }
        text.push_str(&format!("action = {action}\n"));
        if let Some((effect, _)) = stated {
            text.push_str(&format!("effect = {effect}\n"));
        }
        let Ok(cases) = expect::cases("new", &text) else { return false };
        let Some(case) = cases.into_iter().next() else { return false };
        let outcome = expect::judge(self.engine, case.clone());
        let noticed = outcome.holds()
            && outcome.finding.otherwise.iter().any(|other| other.mutant == number && self.study.breaks(&case, other));
        if noticed {
            // Others that it tells from their rules need no case of their own.
            for other in outcome.finding.otherwise.iter().filter(|other| self.study.breaks(&case, other)) {
                if self.open.remove(&other.mutant) {
                    self.found.insert(other.mutant, Ready::Case(text.clone()));
                    self.study.mutants.set_open(other.mutant, false);
                }
            }
        }
        noticed
    }
}

fn title(mutant: &Mutant) -> String {
    let Mutant { rule, mutation, before, .. } = mutant;
    match mutation {
        Mutation::Deleted => format!("{rule} is needed"),
        Mutation::Swapped => format!("{rule} decides {before}"),
        Mutation::Dropped | Mutation::Negated => format!("{rule} needs {before}"),
        Mutation::Widened => format!("{rule} goes no further than {before}"),
    }
}

/// A value on one line.
fn inline(value: &toml::Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        toml::Value::String(text) => toml_string(text),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => format!("{number:?}"),
        toml::Value::Boolean(value) => value.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(values) => format!("[{}]", joined(values.iter().map(inline).collect())),
        toml::Value::Table(table) => {
            let bare = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty();
            let pair = |(name, value): (&String, &toml::Value)| {
                format!("{} = {}", if bare(name) { name.clone() } else { toml_string(name) }, inline(value))
            };
            format!("{{ {} }}", joined(table.iter().map(pair).collect()))
        }
    }
}

/// The action as a record of our own format; its session is not part of it.
fn record(action: &Action, environment: Environment) -> toml::Table {
    let around = &action.surroundings;
    let mut record = toml::Table::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            record.insert(key.to_owned(), value.into());
        }
    };
    put("kind", Some(action.kind.word()));
    let called = matches!(action.kind, Kind::Tool | Kind::Api);
    put("text", (!called && action.kind != Kind::Exec).then_some(&action.text));
    put("tool", action.tool.as_deref());
    put("cwd", around.cwd.as_deref());
    put("home", around.home.as_deref());
    put("host", around.host.as_deref());
    put("user", around.user.as_deref());
    put("database", around.database.as_deref());
    put("account", around.account.as_deref());
    put("cluster", around.cluster.as_deref());
    put("dialect", around.dialect.as_deref());
    put("environment", (environment != Environment::Unknown).then_some(environment.word()));
    if called && let Some(arguments) = action.arguments.as_deref() {
        let value = serde_json::from_str::<toml::Value>(arguments).unwrap_or_else(|_| arguments.into());
        record.insert("arguments".to_owned(), value);
    }
    if let Some(argv) = &action.argv {
        record.insert("argv".to_owned(), argv.iter().map(String::as_str).collect::<Vec<_>>().into());
    }
    if action.approved {
        record.insert("approved".to_owned(), true.into());
    }
    if let Some(rows) = action.outcome.rows.and_then(|rows| i64::try_from(rows).ok()) {
        let outcome = toml::Table::from_iter([("rows".to_owned(), toml::Value::from(rows))]);
        record.insert("outcome".to_owned(), outcome.into());
    }
    if action.actor.kind != ActorKind::Unknown {
        let actor = [("name", action.actor.name.as_str()), ("kind", action.actor.kind.word())];
        let actor = toml::Table::from_iter(actor.map(|(key, value)| (key.to_owned(), value.into())));
        record.insert("actor".to_owned(), actor.into());
    }
    record
}
