//! From arguments, `nearmiss.toml` and policy files to an [`Engine`].

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::classify::{Catalog, Classifier, Known};
use crate::engine::{Config, Engine, run_examples};
use crate::model::Action;
use crate::policy::{self, LoadOptions, Policy, Problem, Source};
use crate::report::Heading;

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
    pub(super) heading: Heading,
}

impl Setup {
    pub(super) fn new(chosen: Chosen) -> anyhow::Result<Self> {
        let found = find_config(chosen.config)?;
        let (config, folder, shown) = match found {
            Some(path) => {
                let shown = path.display().to_string();
                let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {shown}"))?;
                let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
                (Config::parse(&shown, &text)?, folder, Some(shown))
            }
            None => (Config::default(), PathBuf::new(), None),
        };
        let (names, sources) = if chosen.policy.is_empty() {
            let own = config.policy.paths.iter().map(|path| folder.join(path).display().to_string());
            let names: Vec<String> = config.policy.extends.iter().cloned().chain(own).collect();
            let sources = sources_of(&names)?;
            (names, sources)
        } else {
            let sources = sources_of(&chosen.policy)?;
            (chosen.policy, sources)
        };
        let classifier = Classifier::new(catalog(&config, &folder)?);
        let operations = chosen.only.map(|action| {
            let understood = classifier.understand(&action, &Known::default(), false);
            understood.effects.iter().map(|effect| effect.operation).collect()
        });
        let options = LoadOptions {
            operations,
            off: config.policy.off.clone(),
            groups: shown.is_some().then(|| config.actor.iter().flat_map(|rule| rule.groups.iter().cloned()).collect()),
            labels: shown.is_some().then(|| config.label.iter().map(|rule| rule.label.clone()).collect()),
        };
        let policy = Policy::load(&sources, &options).map_err(|errors| refused(&errors.problems))?;
        let heading = Heading {
            policies: names,
            policy_digest: policy.digest().to_owned(),
            rules: policy.rules().len(),
            config: shown,
            width: super::terminal::width(),
            ..Heading::default()
        };
        let engine = Engine::new(classifier, policy, &config, chosen.cedar);
        if !chosen.check {
            refuse_wrong_rules(&engine, &sources)?;
        }
        Ok(Self { engine, config, heading })
    }
}

/// A rule of the user's own that does not do what its examples say is refused; the built-in ones are held to theirs by
/// our tests.
fn refuse_wrong_rules(engine: &Engine, sources: &[Source]) -> anyhow::Result<()> {
    let own: Vec<&str> = sources.iter().filter(|source| !source.builtin).map(|source| source.name.as_str()).collect();
    if own.is_empty() {
        return Ok(());
    }
    let examples = engine.policy().examples().iter().filter(|example| own.contains(&example.rule.file.as_str()));
    let problems = run_examples(engine, examples);
    if problems.is_empty() { Ok(()) } else { Err(refused(&problems)) }
}

/// The problems of a policy as one error, each with the lines it is about.
fn refused(problems: &[Problem]) -> anyhow::Error {
    let shown: Vec<String> = problems.iter().map(|problem| super::terminal::diagnostic(problem)).collect();
    anyhow::anyhow!("the policy cannot be used\n{}", shown.join("\n"))
}

/// The file the user named, or the first `nearmiss.toml` from the working folder upwards.
fn find_config(named: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = named {
        return Ok(Some(path));
    }
    let here = std::env::current_dir().context("failed to find the working folder")?;
    let found = here.ancestors().map(|folder| folder.join("nearmiss.toml")).find(|path| path.is_file());
    // Shown relative where that is shorter: the common case is a file right here.
    Ok(found.map(|path| path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path)))
}

fn catalog(config: &Config, folder: &Path) -> anyhow::Result<Catalog> {
    let mut extra = Vec::new();
    for path in &config.catalog.paths {
        for file in files_in(&folder.join(path), "toml")? {
            let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
            extra.push((file.display().to_string(), text));
        }
    }
    if extra.is_empty() { Ok(Catalog::builtin()) } else { Ok(Catalog::with(Catalog::builtin(), extra)?) }
}

fn sources_of(names: &[String]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for name in names {
        sources.extend(source(name)?);
    }
    Ok(sources)
}

/// The policy files behind one `--policy` word.
fn source(name: &str) -> anyhow::Result<Vec<Source>> {
    if let Some(pack) = name.strip_prefix("builtin:") {
        return policy::builtin(pack)
            .with_context(|| format!("no built-in policy is called `{pack}`; there are `recommended` and `strict`"));
    }
    let path = Path::new(name);
    if path.exists() {
        let files = if path.is_dir() { files_in(path, "cedar")? } else { vec![path.to_path_buf()] };
        if files.is_empty() {
            bail!("there is no `.cedar` file in {name}");
        }
        return files
            .into_iter()
            .map(|file| {
                let text =
                    std::fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
                Ok(Source { name: file.display().to_string(), text, builtin: false })
            })
            .collect();
    }
    match name.split_once(':') {
        Some((revision, path)) if !revision.is_empty() && !path.is_empty() => from_git(revision, path),
        _ => bail!("no policy at `{name}`: name a file, a folder, `REV:PATH` or `builtin:recommended`"),
    }
}

/// A file, or all `.cedar` files of a folder, as they are in a git revision.
fn from_git(revision: &str, path: &str) -> anyhow::Result<Vec<Source>> {
    let listing = git(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, "--", path])?;
    let files: Vec<&str> = listing
        .split('\0')
        .filter(|file| *file == path || file.ends_with(".cedar"))
        .filter(|f| !f.is_empty())
        .collect();
    if files.is_empty() {
        bail!("revision `{revision}` has no policy at `{path}`");
    }
    files
        .into_iter()
        .map(|file| {
            let text = git(&["show", &format!("{revision}:{file}")])?;
            Ok(Source { name: format!("{revision}:{file}"), text, builtin: false })
        })
        .collect()
}

fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").args(arguments).output().context("failed to run git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("the policy in git is not UTF-8")
}

/// Files with one ending in a folder, in the order of their names.
pub(super) fn files_in(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("failed to read the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("failed to read the folder {}", folder.display()))?.path();
        if path.is_dir() {
            files.extend(files_in(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
