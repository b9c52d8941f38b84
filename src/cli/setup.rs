//! From arguments, `nearmiss.toml` and policy files to an [`Engine`].

use std::path::PathBuf;

use anyhow::Context;

use crate::classify::Known;
use crate::engine::{Config, Engine, run_examples};
use crate::model::Action;
use crate::policy::{Problem, Source};
use crate::report::Heading;

use super::side::Side;

/// What the user chose on the command line.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) config: Option<PathBuf>,
    pub(super) policy: Vec<String>,
    /// Judge with Cedar's own authorizer.
    pub(super) cedar: bool,
    /// The caller runs the examples itself.
    pub(super) check: bool,
    /// Nothing else will be judged: rules about other operations need not be read.
    pub(super) only: Option<Action>,
}

/// Everything a command needs.
pub(super) struct Setup {
    pub(super) engine: Engine,
    pub(super) config: Config,
    /// The folder that paths of the configuration are relative to.
    pub(super) folder: PathBuf,
    pub(super) heading: Heading,
}

impl Setup {
    pub(super) fn new(chosen: Chosen) -> anyhow::Result<Self> {
        let side = Side::here(chosen.config, &chosen.policy)?;
        let classifier = side.classifier()?;
        let operations = chosen.only.map(|action| {
            let understood = classifier.understand(&action, &Known::default(), false);
            understood.effects.iter().map(|effect| effect.operation).collect()
        });
        let policy = side.policy(operations)?;
        let heading = side.heading(&policy);
        let engine = Engine::new(classifier, policy, &side.config, chosen.cedar).with_maps(side.maps()?);
        if !chosen.check {
            refuse_wrong_rules(&engine, &side.sources)?;
        }
        Ok(Self { engine, config: side.config, folder: side.folder, heading })
    }

    /// Two policies over the same actions: the engine judges by `head`, and by `base` as well.
    pub(super) fn compare(base: &Side, head: Side) -> anyhow::Result<Self> {
        let policy = head.policy(None)?;
        let heading = head.heading(&policy);
        let engine = Engine::new(head.classifier()?, policy, &head.config, false).with_maps(head.maps()?);
        refuse_wrong_rules(&engine, &head.sources)?;
        // Examples of the old policy that no longer hold are no reason not to compare with it.
        let before = base.policy(None).with_context(|| format!("in {}, which is compared with", base.said()))?;
        let engine = if base.means_the_same(&head) {
            engine.beside(before)
        } else {
            let meanings = format!("{} {}", base.meaning(), head.meaning());
            engine.beside_engine(Engine::new(base.classifier()?, before, &base.config, false), meanings)
        };
        Ok(Self { engine, config: head.config, folder: head.folder, heading })
    }
}

/// A rule of the user's own that does not do what its examples say is refused; the built-in ones are held to theirs by
/// our tests.
pub(super) fn refuse_wrong_rules(engine: &Engine, sources: &[Source]) -> anyhow::Result<()> {
    let own: Vec<&str> = sources.iter().filter(|source| !source.builtin).map(|source| source.name.as_str()).collect();
    if own.is_empty() {
        return Ok(());
    }
    let examples = engine.policy().examples().iter().filter(|example| own.contains(&example.rule.file.as_str()));
    let problems = run_examples(engine, examples);
    if problems.is_empty() { Ok(()) } else { Err(refused(&problems)) }
}

/// The problems of a policy as one error, each with the lines it is about.
pub(super) fn refused(problems: &[Problem]) -> anyhow::Error {
    let shown: Vec<String> = problems.iter().map(|problem| super::terminal::diagnostic(problem)).collect();
    anyhow::anyhow!("the policy cannot be used\n{}", shown.join("\n"))
}
