//! Where a policy and the meaning of names come from: the working tree, a git revision, or the command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::classify::{Catalog, Classifier};
use crate::engine::Config;
use crate::engine::expect::{self, Case};
use crate::model::Operation;
use crate::policy::{self, LoadOptions, Policy, Source};
use crate::reader::map::{Map, Maps};
use crate::report::Heading;

use super::setup::refused;

/// One policy with everything that a verdict by it depends on.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) config: Config,
    /// The `nearmiss.toml` in force, as it is shown.
    pub(super) shown: Option<String>,
    /// The folder that its paths are relative to.
    pub(super) folder: PathBuf,
    /// The words that name the policies.
    pub(super) names: Vec<String>,
    pub(super) sources: Vec<Source>,
    /// Further program specs: name and text.
    specs: Vec<(String, String)>,
    place: Place,
}

/// Where the files of a side lie.
#[derive(Debug)]
enum Place {
    Tree,
    Revision {
        revision: String,
        /// From the top of the repository to the folder of `nearmiss.toml`: empty, or ending in `/`.
        prefix: String,
    },
}

impl Side {
    /// What holds in the working folder; `policy` goes before what `nearmiss.toml` says.
    pub(super) fn here(config: Option<PathBuf>, policy: &[String]) -> anyhow::Result<Self> {
        let (config, folder, shown) = configured(config)?;
        let names = if policy.is_empty() {
            let own = config.policy.paths.iter().map(|path| folder.join(path).display().to_string());
            config.policy.extends.iter().cloned().chain(own).collect()
        } else {
            policy.to_vec()
        };
        let sources = sources_of(&names)?;
        let mut side = Self { config, shown, folder, names, sources, specs: Vec::new(), place: Place::Tree };
        side.specs = side.specs()?;
        Ok(side)
    }

    /// The policies of one's own that `nearmiss.toml` names, and the folder that they are relative to.
    pub(super) fn own_paths(config: Option<PathBuf>) -> anyhow::Result<(Vec<String>, PathBuf)> {
        let (config, folder, _) = configured(config)?;
        Ok((config.policy.paths, folder))
    }

    /// The files that [`Side::here`] reads, as far as they can be found: `nearmiss.toml`, policies, specs.
    pub(super) fn files(config: Option<PathBuf>, policy: &[String]) -> Vec<PathBuf> {
        let Ok(Some(file)) = find_config(config.clone()) else { return below(policy.iter().map(PathBuf::from)) };
        let mut files = vec![file.clone()];
        let found = configured(config).map(|(config, folder, _)| {
            let own = if policy.is_empty() { config.policy.paths } else { policy.to_vec() };
            let own = own.into_iter().map(|path| if policy.is_empty() { folder.join(path) } else { path.into() });
            let specs = config.catalog.paths.iter().map(|path| folder.join(path));
            let maps = config.map.iter().map(|rule| folder.join(&rule.map));
            below(own.chain(specs).chain(maps))
        });
        files.extend(found.unwrap_or_default());
        files
    }

    /// Another policy; names mean what they mean here.
    pub(super) fn named(config: Option<PathBuf>, policy: &str) -> anyhow::Result<Self> {
        Self::here(config, &[policy.to_owned()])
    }

    /// The configuration alone, and the folder that its paths are relative to.
    pub(super) fn config(named: Option<PathBuf>) -> anyhow::Result<(Config, PathBuf)> {
        let (config, folder, _) = configured(named)?;
        Ok((config, folder))
    }

    /// What held in a revision of git: its `nearmiss.toml`, its policies, its specs. Without one in that revision, the
    /// defaults.
    pub(super) fn at(revision: &str, config: Option<PathBuf>) -> anyhow::Result<Self> {
        let file = find_config(config)?.unwrap_or_else(|| PathBuf::from("nearmiss.toml"));
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let git = Git { folder: folder.clone() };
        git.run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).map_err(|_| {
            anyhow::anyhow!(
                "git knows no revision `{revision}` here; in CI, fetch it first (actions/checkout: `fetch-depth: 0`)"
            )
        })?;
        let prefix = git.run(&["rev-parse", "--show-prefix"])?.trim_end_matches('\n').to_owned();
        let path = format!("{prefix}{name}");
        let (config, shown) = if git.files(revision, &path)?.is_empty() {
            (Config::default(), None)
        } else {
            let shown = format!("{revision}:{path}");
            (Config::parse(&shown, &git.run(&["show", &shown])?)?, Some(shown))
        };
        let names = config.policy.extends.clone();
        let sources = sources_of(&names)?;
        let place = Place::Revision { revision: revision.to_owned(), prefix: prefix.clone() };
        let mut side = Self { config, shown, folder, names, sources, specs: Vec::new(), place };
        for own in side.config.policy.paths.clone() {
            let path = joined(&prefix, &own);
            side.names.push(format!("{revision}:{path}"));
            side.sources.extend(git.sources(revision, &path)?);
        }
        side.specs = side.specs()?;
        Ok(side)
    }

    fn specs(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut specs = Vec::new();
        for path in &self.config.catalog.paths {
            specs.extend(self.texts(path)?);
        }
        Ok(specs)
    }

    /// The labelled actions that the configuration of this side names.
    pub(super) fn cases(&self) -> anyhow::Result<Vec<Case>> {
        let mut cases = Vec::new();
        for path in &self.config.test.cases {
            for (name, text) in self.texts(path)? {
                cases.extend(expect::cases(&name, &text)?);
            }
        }
        Ok(cases)
    }

    /// A file, or all `.toml` files of a folder, by a path of `nearmiss.toml`: name and text.
    fn texts(&self, path: &str) -> anyhow::Result<Vec<(String, String)>> {
        let mut texts = Vec::new();
        match &self.place {
            Place::Tree => texts = texts_at(&self.folder.join(path))?,
            Place::Revision { revision, prefix } => {
                let git = Git { folder: self.folder.clone() };
                for file in git.files(revision, &joined(prefix, path))? {
                    if file.ends_with(".toml") {
                        let name = format!("{revision}:{file}");
                        let text = git.run(&["show", &name])?;
                        texts.push((name, text));
                    }
                }
            }
        }
        Ok(texts)
    }

    /// For messages.
    pub(super) fn said(&self) -> String {
        self.names.join(" + ")
    }

    pub(super) fn classifier(&self) -> anyhow::Result<Classifier> {
        let catalog = if self.specs.is_empty() {
            Catalog::builtin()
        } else {
            Catalog::with(Catalog::builtin(), self.specs.clone())?
        };
        Ok(Classifier::new(catalog))
    }

    /// The mappings that `nearmiss.toml` names for files of no format of ours.
    pub(super) fn maps(&self) -> anyhow::Result<Maps> {
        let mut maps = Maps::default();
        for rule in &self.config.map {
            let map = map_at(&self.folder.join(&rule.map))?;
            maps.push(&rule.files, map).map_err(|problem| {
                anyhow::anyhow!("{}: {problem}", self.shown.as_deref().unwrap_or("nearmiss.toml"))
            })?;
        }
        Ok(maps)
    }

    /// The policy, checked; with `operations`, only rules about these are read where that is faster.
    pub(super) fn policy(&self, operations: Option<Vec<Operation>>) -> anyhow::Result<Policy> {
        let known = self.shown.is_some();
        let groups = || self.config.actor.iter().flat_map(|rule| rule.groups.iter().cloned()).collect();
        let labels = || self.config.label.iter().map(|rule| rule.label.clone()).collect();
        let options = LoadOptions {
            operations,
            off: self.config.policy.off.clone(),
            groups: known.then(groups),
            labels: known.then(labels),
        };
        Policy::load(&self.sources, &options).map_err(|errors| refused(&errors.problems))
    }

    pub(super) fn heading(&self, policy: &Policy) -> Heading {
        Heading {
            policies: self.names.clone(),
            policy_digest: policy.digest().to_owned(),
            rules: policy.rules().len(),
            config: self.shown.clone(),
            width: super::terminal::width(),
            ..Heading::default()
        }
    }

    /// Says what names mean on this side.
    pub(super) fn meaning(&self) -> String {
        let mut said = self.config.meaning();
        for (_, text) in &self.specs {
            said.push(' ');
            said.push_str(&crate::engine::digest(text.as_bytes()));
        }
        said
    }

    /// Names of hosts, actors, labels and programs mean the same on both sides; only the policies may differ.
    pub(super) fn means_the_same(&self, other: &Self) -> bool {
        let texts = |side: &Self| side.specs.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
        self.config.means_the_same(&other.config) && texts(self) == texts(other)
    }
}

/// The configuration in force, its folder, and how it is shown.
fn configured(named: Option<PathBuf>) -> anyhow::Result<(Config, PathBuf, Option<String>)> {
    let Some(path) = find_config(named)? else { return Ok((Config::default(), PathBuf::new(), None)) };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {shown}"))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok((Config::parse(&shown, &text)?, folder, Some(shown)))
}

/// A path of `nearmiss.toml` as git knows it: from the top of the repository, without `./`.
fn joined(prefix: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    format!("{prefix}{}", path.trim_start_matches("./").trim_end_matches('/'))
}

/// The file the user named, or the first `nearmiss.toml` from the working folder upwards.
fn find_config(named: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = named {
        return Ok(Some(path));
    }
    // By its own word (`..`) where it lies above: an absolute path would be another one on every machine.
    let mut folder = PathBuf::new();
    let here = std::env::current_dir().context("failed to find the working folder")?;
    for _ in here.ancestors() {
        let path = folder.join("nearmiss.toml");
        if path.is_file() {
            return Ok(Some(path));
        }
        folder.push("..");
    }
    Ok(None)
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
        Some((revision, path)) if !revision.is_empty() && !path.is_empty() => {
            Git { folder: PathBuf::new() }.sources(revision, path)
        }
        _ => bail!("no policy at `{name}`: name a file, a folder, `REV:PATH` or `builtin:recommended`"),
    }
}

/// git, run in one folder.
pub(super) struct Git {
    pub(super) folder: PathBuf,
}

impl Git {
    /// A file, or all `.cedar` files of a folder, as they are in a revision.
    fn sources(&self, revision: &str, path: &str) -> anyhow::Result<Vec<Source>> {
        let listed = self.files(revision, path)?;
        let files: Vec<String> = listed.into_iter().filter(|file| *file == path || file.ends_with(".cedar")).collect();
        if files.is_empty() {
            bail!("revision `{revision}` has no policy at `{path}`");
        }
        files
            .into_iter()
            .map(|file| {
                let name = format!("{revision}:{file}");
                Ok(Source { text: self.run(&["show", &name])?, name, builtin: false })
            })
            .collect()
    }

    /// Files of a revision at or below `path`, by their names from the top of the repository.
    fn files(&self, revision: &str, path: &str) -> anyhow::Result<Vec<String>> {
        let listing = self.run(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, "--", path])?;
        Ok(listing.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect())
    }

    pub(super) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().context("failed to run git")?;
        if !output.status.success() {
            bail!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("what git has is not UTF-8")
    }
}

/// Files, and the policies and specs in folders.
fn below(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            for ending in ["cedar", "toml"] {
                files.extend(files_in(&path, ending).unwrap_or_default());
            }
        } else {
            files.push(path);
        }
    }
    files
}

/// The mapping in a file.
pub(super) fn map_at(path: &Path) -> anyhow::Result<Map> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read the mapping {shown}"))?;
    Ok(Map::parse(&shown, &text)?)
}

/// A file, or all `.toml` files of a folder: name and text.
pub(super) fn texts_at(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let files = if path.is_dir() { files_in(path, "toml")? } else { vec![path.to_path_buf()] };
    let read = |file: PathBuf| {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {name}"))?;
        Ok((name, text))
    };
    files.into_iter().map(read).collect()
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
