//! `nearmiss corpus add`: a recorded action becomes a labelled case.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::cli::replay::{InputArguments, PolicyArguments};
use crate::cli::setup::Setup;
use crate::cli::{exit, terminal};
use crate::engine::expect::{self, Expect, NewCase, Twin, expected};
use crate::engine::replay::Listener;
use crate::engine::{Engine, Session};
use crate::model::{Action, Decision, Finding, Issue};
use crate::report::{located, redacted};

/// Actions of the same session that are kept before it at most.
const MAX_BEFORE: usize = 12;

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// The id of a recorded action (or the start of it)
    id: String,
    /// Where it is recorded
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What has to become of it: allow, undecided, ask, block, stop or pass [default: what the policy says now]
    #[arg(long, value_name = "DECISION", value_parser = parse_expect)]
    expect: Option<Expect>,
    /// What to call it [default: its text]
    #[arg(long)]
    name: Option<String>,
    /// Add its twin: what it would have been with the one thing that was missing, where a rule was near; else a commented one to
    /// fill in
    #[arg(long)]
    twin: bool,
    /// The file to add it to [default: the first file of `[test] cases` in nearmiss.toml]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
}

pub(super) fn run(arguments: &Add) -> anyhow::Result<u8> {
    terminal::refuse_to_write_in_ci()?;
    if arguments.paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("a log is read more than once here, which standard input cannot be: name a file");
    }
    let Setup { engine, config, folder, .. } = arguments.policy.setup(None)?;
    let engine = engine.with_near_misses(1);
    let file = match (&arguments.output, config.test.cases.first()) {
        (Some(file), _) => file.clone(),
        (None, Some(first)) => {
            let path = folder.join(first);
            if path.is_dir() { path.join("recorded.toml") } else { path }
        }
        (None, None) => bail!("say where with `-o FILE`, or name a file in `[test] cases` of nearmiss.toml"),
    };
    let (finding, before) = recorded(arguments, &engine)?;
    let action = &finding.action;
    let decision = finding.verdict.decision;
    let expect = arguments.expect.unwrap_or_else(|| expected(decision));
    let rule = finding.verdict.hits.first().map(|hit| hit.rule.id.as_str()).filter(|_| expect.is_stop());
    let rule = rule.filter(|_| expect.holds(decision));
    let before = needed(&engine, action, before, decision);
    let name = arguments.name.clone().unwrap_or_else(|| name(action));
    let found = if arguments.twin { engine.twin(&finding, &before) } else { None };
    let twin = match &found {
        Some(twin) => Twin::Written {
            differs: &twin.differs,
            expect: expected(twin.decision),
            rule: Some(&twin.rule.id),
            action: &twin.action,
        },
        None if arguments.twin => Twin::Blank,
        None => Twin::None,
    };
    let case = NewCase { name: &name, expect, rule, before: &before, action, twin };
    let text = case.toml(&|text| redacted(text).into_owned());

    let known = match std::fs::read_to_string(&file) {
        Ok(known) => known,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", file.display())),
    };
    let shown = file.display().to_string();
    if expect::cases(&shown, &known)?.iter().any(|case| case.name == redacted(&name)) {
        bail!("{shown} has a case called `{name}` already: give this one a `--name`");
    }
    let gap = if known.is_empty() {
        ""
    } else if known.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    // What is written must be read again before anybody relies on it.
    let whole = format!("{known}{gap}{text}");
    let written = expect::cases(&shown, &whole)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    }
    std::fs::write(&file, &whole).with_context(|| format!("failed to write {shown}"))?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "added to {shown}:\n\n{text}")?;
    if let Some(case) = written.into_iter().find(|case| case.name == redacted(&name))
        && let again = expect::judge(&engine, case).finding.verdict.decision
        && again != decision
    {
        terminal::note(&format!(
            "the recording was judged `{decision}`, the case alone is judged `{again}`: something that it hangs on is \
             not in the case (a result of an earlier command, or a text that was masked)"
        ));
    }
    if !expect.holds(decision) {
        terminal::note(&format!(
            "the policy says `{decision}` now: `nearmiss test` will fail until it says `{expect}`"
        ));
    }
    Ok(exit::OK)
}

fn parse_expect(word: &str) -> Result<Expect, String> {
    Expect::from_word(word).ok_or_else(|| "it is allow, undecided, ask, block, stop or pass".to_owned())
}

/// The first words of its text.
fn name(action: &Action) -> String {
    let line = action.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(60).collect();
    if short == line { line } else { format!("{short}…") }
}

/// The fewest actions before it without which it would be judged otherwise: the last ones that are enough, then without
/// each that changes nothing.
fn needed(engine: &Engine, action: &Action, before: Vec<Action>, decision: Decision) -> Vec<Action> {
    let same = |before: &[Action]| {
        let mut session = Session::default();
        for earlier in before {
            engine.decide(earlier.clone(), &mut session);
        }
        engine.decide(action.clone(), &mut session).verdict.decision == decision
    };
    let enough = (0..=before.len().min(MAX_BEFORE)).find(|count| same(&before[before.len() - count..]));
    let mut kept = match enough {
        Some(count) => before[before.len() - count..].to_vec(),
        // It hangs on something far back, or on what no case can say: those that are left are tried one by one.
        None if same(&before) => before,
        None => return Vec::new(),
    };
    let mut at = 0;
    while at < kept.len() && kept.len() <= 200 {
        let mut fewer = kept.clone();
        fewer.remove(at);
        if same(&fewer) {
            kept = fewer;
        } else {
            at += 1;
        }
    }
    kept
}

/// The action as it was judged, and what its session did before it.
fn recorded(arguments: &Add, engine: &Engine) -> anyhow::Result<(Finding, Vec<Action>)> {
    let (replay, issues) = arguments.input.replay(&arguments.paths, None)?;
    for issue in &issues {
        terminal::note(&located(issue));
    }
    let mut search = Search { wanted: arguments.id.to_lowercase(), found: Vec::new() };
    replay.run(engine, &mut search).context("failed to start the threads")?;
    let finding = match search.found.as_slice() {
        [] => bail!("no action there has an id that starts with `{}`", arguments.id),
        [finding] => finding.clone(),
        [first, second, ..] => {
            let (first, second) = (first.action.id, second.action.id);
            bail!("`{}` is ambiguous: {first} and {second} start with it", arguments.id)
        }
    };
    let mut lead = Lead { to: &finding.action, before: Vec::new(), over: false };
    let (replay, _) = arguments.input.replay(&arguments.paths, None)?;
    replay.run(engine, &mut lead).context("failed to start the threads")?;
    let before = lead.before;
    Ok((finding, before))
}

struct Search {
    wanted: String,
    found: Vec<Finding>,
}

impl Listener for Search {
    fn finding(&mut self, finding: &Finding) {
        let is_new = || self.found.iter().all(|found| found.action.id != finding.action.id);
        if self.found.len() < 2 && finding.action.id.to_string().starts_with(&self.wanted) && is_new() {
            self.found.push(finding.clone());
        }
    }

    fn issue(&mut self, _issue: &Issue) {}

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

struct Lead<'a> {
    to: &'a Action,
    before: Vec<Action>,
    over: bool,
}

impl Listener for Lead<'_> {
    fn finding(&mut self, finding: &Finding) {
        self.over |= finding.action.id == self.to.id;
        if !self.over && finding.action.session == self.to.session {
            self.before.push(finding.action.clone());
        }
    }

    fn issue(&mut self, _issue: &Issue) {}

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
