//! `nearmiss suggest`: the smallest rule that stops chosen actions and not their neighbours.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::ValueEnum;
use rustc_hash::FxHashMap;

use crate::engine::expect::{self, Case};
use crate::engine::replay::Listener;
use crate::engine::suggest::{Draft, Found, Search, Seen};
use crate::engine::{Engine, Session, run_examples};
use crate::model::{ActionId, Decision, Finding, Issue};
use crate::policy::{Source, formatted};
use crate::report::{escaped, located, redacted};

use super::replay::{InputArguments, PolicyArguments, interrupted, watch_interrupt};
use super::setup::{Setup, refused};
use super::side::{Side, texts_at};
use super::{Ended, exit, terminal};

/// Templates that are listed one by one.
const MAX_LISTED: usize = 10;

/// Write the smallest rule that stops chosen actions and not their neighbours
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nearmiss suggest 3fa9c1d2 traces/\n  nearmiss suggest 3fa9c1d2 77ab02 traces/ --decision ask -o .nearmiss/policy/own-2.cedar\n  nearmiss suggest --case .nearmiss/cases/own.toml traces/"
)]
pub(super) struct Arguments {
    /// Ids of actions (or their starts) as `replay` shows them, and the recorded logs they are in
    #[arg(required = true, value_name = "ID… PATH")]
    words: Vec<String>,
    /// Labelled actions: those that must be stopped and are not are chosen, those that must pass are spared
    #[arg(long, value_name = "FILE")]
    case: Vec<PathBuf>,
    /// What the rule decides
    #[arg(long, value_enum, default_value_t = Decides::Block)]
    decision: Decides,
    /// Write the rule to a new file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to tell it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
    #[command(flatten)]
    input: InputArguments,
    /// Policy beside which the rule will stand: a file, a folder, `REV:PATH` or `builtin:NAME`; repeatable
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decides {
    Ask,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What the new rule stops besides, by template.
#[derive(Debug)]
struct Also {
    template: String,
    count: u64,
    id: ActionId,
    text: String,
}

/// What came of it.
struct Told<'a> {
    rule: &'a str,
    draft: &'a Draft,
    found: &'a Found,
    search: &'a Search,
    /// Chosen actions that the rule stops, of all.
    stopped: (usize, usize),
    also: Vec<Also>,
    missing: usize,
}

impl Arguments {
    /// One action of a history, for whoever shows the rule somewhere else.
    pub(super) fn of(id: ActionId, paths: &[PathBuf], input: &InputArguments, policy: &PolicyArguments) -> Self {
        let paths = paths.iter().map(|path| path.display().to_string());
        Self {
            words: std::iter::once(id.to_string()).chain(paths).collect(),
            case: Vec::new(),
            decision: Decides::Ask,
            output: None,
            format: Format::Text,
            no_redact: false,
            input: input.clone(),
            policy: policy.policy.clone(),
            config: policy.config.clone(),
        }
    }
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    watch_interrupt();
    tell(&arguments, &mut anstream::stdout().lock(), &terminal::note)
}

/// Writes what there is to say to `out`, and what is worth knowing beside it to `note`.
pub(super) fn tell(arguments: &Arguments, out: &mut dyn Write, note: &dyn Fn(&str)) -> anyhow::Result<u8> {
    if let Some(file) = &arguments.output {
        terminal::refuse_to_write_in_ci()?;
        if file.exists() {
            bail!("{} is there already: name a new file", file.display());
        }
    }
    let (ids, paths) = divided(arguments)?;
    let side = || Side::here(arguments.config.clone(), &arguments.policy);
    let Setup { engine, .. } = Setup::compare(&side()?, side()?)?;
    let Chosen { seen: chosen, spared, cases } = chosen(arguments, &ids, &paths, &engine, note)?;
    let wanted: Vec<ActionId> = chosen.iter().map(|seen| seen.finding.action.id).collect();
    for seen in &chosen {
        if seen.finding.verdict.decision >= Decision::Ask {
            let rule = seen.finding.verdict.hits.first().map(|hit| hit.rule.id.clone()).unwrap_or_default();
            note(&format!("{} is stopped already, by {rule}", seen.finding.action.id));
        }
    }
    let unseen = || {
        let said: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let message = format!(
            "no one rule can stop {}: nothing that they do is of the same kind; `nearmiss explain ID PATH` shows what \
             is understood of each",
            said.join(" and ")
        );
        Ended { code: exit::FAILED, message }
    };
    let mut search = Search::new(chosen).ok_or_else(unseen)?;
    for seen in &spared {
        search.must_pass(seen);
    }
    let mut sessions = Sessions::default();
    each((&arguments.input, &paths), &engine, note, &mut |finding| {
        let session = sessions.of(finding);
        if wanted.contains(&finding.action.id) {
            engine.decide(finding.action.clone(), session);
        } else {
            search.neighbour(&engine, finding, session);
        }
    })?;
    let found = search.best().ok_or_else(unseen)?;
    let (draft, rule, head) = written(arguments, &engine, &search, &found, side()?)?;

    let engine = Setup::compare(&side()?, head)?.engine;
    let mut also: BTreeMap<String, Also> = BTreeMap::new();
    let mut stopped: Vec<ActionId> = Vec::new();
    each((&arguments.input, &paths), &engine, note, &mut |finding| {
        if !finding.verdict.hits.iter().any(|hit| hit.rule.id == draft.id) {
            return;
        }
        let action = &finding.action;
        let before = finding.base.as_ref().map_or(Decision::Allow, |base| base.verdict.decision);
        if wanted.contains(&action.id) {
            stopped.push(action.id);
        } else if before < Decision::Ask {
            let template = Some(finding.understanding.template.clone()).filter(|template| !template.is_empty());
            let template = template.unwrap_or_else(|| format!("({})", action.kind));
            let new = || Also { template: template.clone(), count: 0, id: action.id, text: action.text.to_string() };
            also.entry(template.clone()).or_insert_with(new).count += 1;
        }
    })?;
    stopped.sort_unstable();
    stopped.dedup();
    let by_rule = |case: &Case| {
        let outcome = expect::judge(&engine, case.clone());
        outcome.finding.verdict.hits.iter().any(|hit| hit.rule.id == draft.id)
    };
    let stopped = stopped.len() + cases.iter().filter(|case| by_rule(case)).count();
    let mut also: Vec<Also> = also.into_values().collect();
    also.sort_by(|a, b| (b.count, &a.template).cmp(&(a.count, &b.template)));
    let missing = search.chosen().len() + usize::from(found.passes.is_some());
    let told = Told {
        rule: &rule,
        draft: &draft,
        found: &found,
        search: &search,
        stopped: (stopped, wanted.len()),
        also,
        missing: missing.saturating_sub(draft.examples()),
    };
    if let Some(file) = &arguments.output {
        write_new(file, &rule)?;
    }
    match arguments.format {
        Format::Text => text(&told, arguments, out)?,
        Format::Json => json(&told, arguments, out)?,
    }
    Ok(exit::OK)
}

/// Ids and paths, by what they look like: what is there is a path.
fn divided(arguments: &Arguments) -> anyhow::Result<(Vec<String>, Vec<PathBuf>)> {
    let (mut ids, mut paths) = (Vec::new(), Vec::new());
    for word in &arguments.words {
        let is_id = word.len() <= 16 && word.chars().all(|c| c.is_ascii_hexdigit());
        if word == "-" {
            bail!("a log is read more than once here, which standard input cannot be: name a file");
        } else if is_id && !Path::new(word).exists() {
            ids.push(word.to_lowercase());
        } else {
            paths.push(PathBuf::from(word));
        }
    }
    if ids.is_empty() && arguments.case.is_empty() {
        bail!("say which actions: their ids as `nearmiss replay` shows them, or `--case FILE`");
    }
    if paths.is_empty() {
        bail!("say where the history is recorded: `nearmiss suggest ID… PATH…`");
    }
    Ok((ids, paths))
}

/// What the rule is made from.
#[derive(Default)]
struct Chosen {
    /// Actions that must be stopped.
    seen: Vec<Seen>,
    /// Labelled actions that must pass.
    spared: Vec<Seen>,
    /// Those of `seen` that no log has.
    cases: Vec<Case>,
}

fn chosen(
    arguments: &Arguments,
    ids: &[String],
    paths: &[PathBuf],
    engine: &Engine,
    note: &dyn Fn(&str),
) -> anyhow::Result<Chosen> {
    let mut chosen = Chosen::default();
    for file in &arguments.case {
        for (name, text) in texts_at(file)? {
            for case in expect::cases(&name, &text)? {
                let outcome = expect::judge(engine, case.clone());
                let mut session = Session::default();
                for action in case.actions.iter().rev().skip(1).rev() {
                    engine.decide(action.clone(), &mut session);
                }
                let seen = Seen::of(engine, &outcome.finding, &mut session);
                if case.expect.is_stop() && !outcome.holds() {
                    chosen.seen.push(seen);
                    chosen.cases.push(case);
                } else if !case.expect.is_stop() {
                    chosen.spared.push(seen);
                }
            }
        }
    }
    if !arguments.case.is_empty() && chosen.seen.is_empty() && ids.is_empty() {
        bail!("every case there that must be stopped is stopped already");
    }
    if ids.is_empty() {
        return Ok(chosen);
    }
    let mut found: Vec<Vec<ActionId>> = vec![Vec::new(); ids.len()];
    let mut sessions = Sessions::default();
    each((&arguments.input, paths), engine, note, &mut |finding| {
        let session = sessions.of(finding);
        let id = finding.action.id.to_string();
        let mut wanted = false;
        for (start, found) in ids.iter().zip(&mut found) {
            if id.starts_with(start.as_str()) {
                wanted |= found.is_empty();
                if !found.contains(&finding.action.id) {
                    found.push(finding.action.id);
                }
            }
        }
        if wanted {
            chosen.seen.push(Seen::of(engine, finding, session));
        } else {
            engine.decide(finding.action.clone(), session);
        }
    })?;
    for (start, found) in ids.iter().zip(&found) {
        match &found[..] {
            [] => bail!("no action there has an id that starts with `{start}`"),
            [_] => {}
            [first, second, ..] => bail!("`{start}` is ambiguous: {first} and {second} start with it"),
        }
    }
    Ok(chosen)
}

/// The rule in Cedar's layout, loaded beside the others, with the examples that hold.
fn written(
    arguments: &Arguments,
    engine: &Engine,
    search: &Search,
    found: &Found,
    mut head: Side,
) -> anyhow::Result<(Draft, String, Side)> {
    let decision = if arguments.decision == Decides::Ask { Decision::Ask } else { Decision::Block };
    let taken = |id: &str| engine.policy().rules().iter().any(|rule| rule.id == id);
    let shown = |text: &str| if arguments.no_redact { text.to_owned() } else { redacted(text).into_owned() };
    let mut draft = Draft::new(found, search.chosen(), decision, taken, shown);
    let name = arguments.output.as_ref().map_or("suggested.cedar".to_owned(), |file| file.display().to_string());
    loop {
        let source = Source { name: name.clone(), text: draft.text(), builtin: false };
        let text = formatted(&source).map_err(|errors| refused(&errors.problems))?;
        let source = Source { text: text.clone(), ..source };
        head.sources.push(source);
        let policy = head.policy(None)?;
        let own = Engine::new(head.classifier()?, policy, &head.config, false);
        let failing = own
            .policy()
            .examples()
            .iter()
            .filter(|example| example.rule.id == draft.id)
            .find(|example| !run_examples(&own, [*example]).is_empty());
        let Some(example) = failing else { return Ok((draft, text, head)) };
        // It needs more around it than an example can say.
        draft = draft.without(&example.text.clone());
        head.sources.pop();
    }
}

fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("failed to write {}", file.display());
    let mut file = std::fs::File::options().write(true).create_new(true).open(file).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}

fn text(told: &Told<'_>, arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let shown = |text: &str| {
        let text = if arguments.no_redact { text.into() } else { redacted(text) };
        escaped(&text)
    };
    match &arguments.output {
        Some(file) => writeln!(out, "wrote {}", file.display())?,
        None => writeln!(out, "{}", told.rule.trim_end())?,
    }
    let (stopped, of) = told.stopped;
    writeln!(out)?;
    writeln!(out, "// it stops {stopped} of {of} chosen actions")?;
    let count: u64 = told.also.iter().map(|also| also.count).sum();
    if count == 0 {
        writeln!(out, "// it would have stopped nothing else in this history")?;
    } else {
        writeln!(out, "// it would also have stopped: {count} actions, {} templates", told.also.len())?;
        for also in told.also.iter().take(MAX_LISTED) {
            let text: String = shown(&also.text).chars().take(90).collect();
            writeln!(out, "//   {:>5}  {}  {text}", also.count, also.id)?;
        }
        if told.also.len() > MAX_LISTED {
            writeln!(out, "//   and {} more", told.also.len() - MAX_LISTED)?;
        }
        let common: Vec<&str> = told.search.common().take(12).collect();
        writeln!(out, "// no rule of three conditions tells them apart; all that was chosen has in common:")?;
        writeln!(out, "//   {}", common.join("\n//   "))?;
    }
    if told.found.wrong > 0 {
        writeln!(out, "// it stops {} labelled actions that must pass", told.found.wrong)?;
    }
    if told.found.conditions.is_empty() {
        writeln!(out, "// nothing here needs a narrower rule: think of what this history does not show")?;
    }
    if told.missing > 0 {
        writeln!(
            out,
            "// {} chosen actions or neighbours are no examples: one line cannot say all that they hang on",
            told.missing
        )?;
    }
    out.flush()?;
    Ok(())
}

fn json(told: &Told<'_>, arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let shown = |text: &str| if arguments.no_redact { text.to_owned() } else { redacted(text).into_owned() };
    let count: u64 = told.also.iter().map(|also| also.count).sum();
    let listed: Vec<serde_json::Value> = told
        .also
        .iter()
        .map(|also| {
            serde_json::json!({
                "template": shown(&also.template), "count": also.count, "id": also.id.to_string(), "text": shown(&also.text),
            })
        })
        .collect();
    let value = serde_json::json!({
        "schema_version": 1,
        "id": told.draft.id,
        "decision": told.draft.decision.word(),
        "rule": told.rule,
        "conditions": told.found.conditions,
        "chosen": told.stopped.1,
        "stopped": told.stopped.0,
        "also": { "actions": count, "templates": listed },
        "cases_wrong": told.found.wrong,
        "in_common": told.search.common().collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)?;
    Ok(())
}

/// Sessions as far as they have come.
#[derive(Default)]
struct Sessions(FxHashMap<Arc<str>, Session>);

impl Sessions {
    fn of(&mut self, finding: &Finding) -> &mut Session {
        self.0.entry(Arc::clone(&finding.action.session)).or_default()
    }
}

/// Replays `paths` and tells `heard` every finding.
fn each(
    (input, paths): (&InputArguments, &[PathBuf]),
    engine: &Engine,
    note: &dyn Fn(&str),
    heard: &mut dyn FnMut(&Finding),
) -> anyhow::Result<()> {
    let (replay, issues) = input.replay(paths, None)?;
    for issue in &issues {
        note(&located(issue));
    }
    let mut listening = Listening { heard, actions: 0 };
    replay.run(engine, &mut listening).context("failed to start the threads")?;
    if interrupted() {
        return Err(Ended { code: exit::INTERRUPTED, message: "ended before everything was read".to_owned() }.into());
    }
    if listening.actions == 0 {
        return Err(Ended { code: exit::NOTHING, message: "there was no action in what was read".to_owned() }.into());
    }
    Ok(())
}

struct Listening<'a> {
    heard: &'a mut dyn FnMut(&Finding),
    actions: u64,
}

impl Listener for Listening<'_> {
    fn finding(&mut self, finding: &Finding) {
        self.actions += 1;
        (self.heard)(finding);
    }

    fn issue(&mut self, _issue: &Issue) {}

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
