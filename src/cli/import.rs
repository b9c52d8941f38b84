//! `nearmiss import`: rules of other guards as Cedar.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::classify::{Catalog, Classifier};
use crate::engine::{Config, Engine, run_examples};
use crate::policy::import::{self, Imported, Left, Origin};
use crate::policy::{LoadOptions, Policy, Source, formatted};

use super::setup::refused;
use super::{exit, terminal};

/// Carry rules of other guards over: Claude Code permission settings, Codex execpolicy rules, hoop guardrails
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Never looser than the original: what cannot be said exactly is said stricter, or named with the reason.\n\nExamples:\n  nearmiss import .claude/settings.json -o .nearmiss/policy/claude.cedar\n  nearmiss import ~/.codex/rules/default.rules --strict"
)]
pub(super) struct Arguments {
    /// Files to carry over
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Their format, where it is not seen: claude, codex, hoop
    #[arg(long, value_name = "FORMAT", value_parser = parse_origin)]
    from: Option<Origin>,
    /// Write the rules to a new file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 1 when anything could not be carried over
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    if let Some(file) = &arguments.output {
        terminal::refuse_to_write_in_ci()?;
        if file.exists() {
            bail!("{} is there already: name a new file", file.display());
        }
    }
    let mut text = String::new();
    let mut ids = BTreeSet::new();
    let (mut rules, mut left) = (0, 0);
    for file in &arguments.files {
        let name = file.display().to_string();
        let source = std::fs::read_to_string(file).with_context(|| format!("failed to read {name}"))?;
        let origin = arguments.from.or_else(|| import::detect(&source)).with_context(|| {
            format!("{name} is in no format that is known: say which with `--from` claude, codex or hoop")
        })?;
        let mut imported = import::import(&source, origin).with_context(|| format!("failed to read {name}"))?;
        for rule in &mut imported.rules {
            let stem = rule.id.clone();
            let free = |id: &String| !ids.contains(id);
            rule.id =
                (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") }).find(free).unwrap_or(stem);
            ids.insert(rule.id.clone());
        }
        hold_examples(&mut imported)?;
        let shown = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        text.push_str(&format!("// Carried over from {shown} ({origin}).\n"));
        for Left { line, original, reason } in &imported.left {
            let at = if *line > 0 { format!("{name}:{line}") } else { name.clone() };
            terminal::note(&format!("{at}: not carried over: {}: {reason}", crate::report::escaped(original)));
            let original: String = original.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            text.push_str(&format!("// Not carried over: {original}: {reason}.\n"));
        }
        text.push('\n');
        for rule in &imported.rules {
            text.push_str(&rule.text());
            text.push('\n');
        }
        rules += imported.rules.len();
        left += imported.left.len();
    }
    if rules > 0 {
        let name = arguments.output.as_ref().map_or("imported.cedar".to_owned(), |file| file.display().to_string());
        let source = Source { name, text, builtin: false };
        text = formatted(&source).map_err(|errors| refused(&errors.problems))?;
        loaded(&text)?;
    }
    match &arguments.output {
        Some(file) => {
            let failed = || format!("failed to write {}", file.display());
            let mut file = std::fs::File::options().write(true).create_new(true).open(file).with_context(failed)?;
            file.write_all(text.as_bytes()).with_context(failed)?;
        }
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
    }
    terminal::note(&format!("{rules} rules carried over, {left} lines not"));
    Ok(if arguments.strict && left > 0 { exit::FAILED } else { exit::OK })
}

fn parse_origin(word: &str) -> Result<Origin, String> {
    Origin::from_word(word).ok_or_else(|| "it is claude, codex or hoop".to_owned())
}

/// The rules as they will stand beside a policy that allows what no rule stops.
fn loaded(text: &str) -> anyhow::Result<Engine> {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned(), builtin: false };
    let sources = [source("permit.cedar", "permit (principal, action, resource);\n"), source("imported.cedar", text)];
    let policy = Policy::load(&sources, &LoadOptions::default()).map_err(|errors| refused(&errors.problems))?;
    Ok(Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false))
}

/// Takes out the examples that do not hold here, and names them.
fn hold_examples(imported: &mut Imported) -> anyhow::Result<()> {
    if imported.rules.iter().all(|rule| rule.stops.is_empty() && rule.passes.is_empty()) {
        return Ok(());
    }
    let text: String = imported.rules.iter().map(import::ImportedRule::text).collect();
    let engine = loaded(&text)?;
    for example in engine.policy().examples() {
        if run_examples(&engine, [example]).is_empty() {
            continue;
        }
        let Some(rule) = imported.rules.iter_mut().find(|rule| rule.id == example.rule.id) else { continue };
        let (examples, reason) = if example.expect_met {
            (&mut rule.stops, "the rule does not stop this example: nothing that a policy looks at is done by it")
        } else {
            (&mut rule.passes, "the rule is stricter than the original and stops this example as well")
        };
        examples.retain(|line| line.trim() != example.text);
        let original = format!("example `{}` of {}", example.text, rule.id);
        imported.left.push(Left { line: 0, original, reason: reason.to_owned() });
    }
    Ok(())
}
