//! `nearmiss.toml`: which policy, and what the names in the logs mean.
//!
//! Strict: an unknown key is an error that shows the line. Paths are relative to the file's own folder.

use serde::Deserialize;

use crate::model::{ActorKind, Environment, ResourceKind};

/// The whole of `nearmiss.toml`; every table may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    pub policy: PolicyTable,
    pub replay: ReplayTable,
    pub test: TestTable,
    pub gate: GateTable,
    pub near: NearTable,
    pub catalog: CatalogTable,
    pub network: NetworkTable,
    /// Asked in order; the first that matches says the environment.
    pub environment: Vec<EnvironmentRule>,
    /// Asked in order; the first that matches says the kind; groups add up.
    pub actor: Vec<ActorRule>,
    pub label: Vec<LabelRule>,
    /// Asked in order; the first that matches says which versions were looked at.
    pub tool: Vec<ToolRule>,
    /// Asked in order; the first whose files a file is among says how it is read.
    pub map: Vec<MapRule>,
}

/// `[policy]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyTable {
    /// Packs to start from: `builtin:recommended` or `builtin:strict`.
    pub extends: Vec<String>,
    /// Ids of rules to leave out.
    pub off: Vec<String>,
    /// Files, or folders of `.cedar` files, of one's own.
    pub paths: Vec<String>,
}

impl Default for PolicyTable {
    fn default() -> Self {
        Self { extends: vec!["builtin:recommended".to_owned()], off: Vec::new(), paths: Vec::new() }
    }
}

/// `[replay]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReplayTable {
    /// Share of records (0 to 1) that must be readable; below it the exit code is 3.
    pub min_coverage: Option<f64>,
}

/// `[test]`: what a policy is held to.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TestTable {
    /// Files, or folders of `.toml` files, with labelled actions.
    pub cases: Vec<String>,
    /// Recorded logs whose outcome is pinned: files, folders or globs. Each is one snapshot.
    pub corpora: Vec<String>,
    /// The folder of the snapshots.
    pub snapshots: Option<String>,
}

/// `[gate]`: what a policy change is held to.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GateTable {
    /// The git revision to compare with where the command line names none.
    pub base: Option<String>,
    /// Recorded logs: files, folders or globs, where the command line names none.
    pub traces: Vec<String>,
    /// Pins the traces by their content.
    pub lock: Option<String>,
    /// The folder of the acceptances.
    pub accepted: String,
    /// Templates that may be newly stopped.
    pub max_new_blocks: u64,
    /// The share of all actions (0 to 1) that may be newly stopped.
    pub max_new_block_share: f64,
    /// How much less of the log may be understood: share of actions (0 to 1) that become undecided.
    pub max_new_undecided_share: f64,
}

impl Default for GateTable {
    fn default() -> Self {
        Self {
            base: None,
            traces: Vec::new(),
            lock: None,
            accepted: ".nearmiss/accepted".to_owned(),
            max_new_blocks: 25,
            max_new_block_share: 0.001,
            max_new_undecided_share: 0.005,
        }
    }
}

/// `[near]`: which allowed actions are told as near-misses.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NearTable {
    /// How many steps away a rule may be.
    pub distance: u32,
    /// A group of more actions than this is told apart, as routine.
    pub collapse_above: u64,
    /// The folder of the groups that somebody called no risk.
    pub suppressed: String,
}

impl Default for NearTable {
    fn default() -> Self {
        Self { distance: 1, collapse_above: 50, suppressed: ".nearmiss/suppressed".to_owned() }
    }
}

/// `[catalog]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CatalogTable {
    /// Folders of further program specs (`.toml`).
    pub paths: Vec<String>,
}

/// `[network]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NetworkTable {
    /// Globs on hosts and addresses that are one's own: what goes there does not leave.
    pub own: Vec<String>,
}

/// `[[environment]]`: patterns are globs without regard to case; every key that is given must match.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvironmentRule {
    /// What it is.
    pub is: Environment,
    #[serde(default)]
    pub host: Vec<String>,
    #[serde(default)]
    pub database: Vec<String>,
    #[serde(default)]
    pub account: Vec<String>,
    #[serde(default)]
    pub cluster: Vec<String>,
    #[serde(default)]
    pub cwd: Vec<String>,
    /// The account on the host or server.
    #[serde(default)]
    pub user: Vec<String>,
    #[serde(default)]
    pub session: Vec<String>,
}

/// `[[actor]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ActorRule {
    /// Globs on the actor's name, without regard to case.
    pub name: Vec<String>,
    pub kind: Option<ActorKind>,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// `[[label]]`: names things that policies can speak of as `resource in Label::"…"`; every key that is given must match.
///
/// The label `replaceable` has a meaning of its own: what has it may go like a temporary thing.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LabelRule {
    pub label: String,
    /// Globs on the resource's name, without regard to case.
    #[serde(default)]
    pub name: Vec<String>,
    /// Only resources of these kinds; empty means any.
    #[serde(default)]
    pub kind: Vec<ResourceKind>,
    #[serde(default)]
    pub host: Vec<String>,
    #[serde(default)]
    pub database: Vec<String>,
    #[serde(default)]
    pub account: Vec<String>,
    #[serde(default)]
    pub cluster: Vec<String>,
}

/// `[[tool]]`: tools that are trusted in certain versions only.
///
/// A call whose record names another version, or none, is undecided: nobody knows what that program does.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ToolRule {
    /// Globs on the tool's name, without regard to case.
    pub name: Vec<String>,
    pub versions: Vec<String>,
}

/// `[[map]]`: files of no format of ours, and the mapping that reads them (`docs/mapping.md`).
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MapRule {
    /// Globs on the file's name; with a folder in them, on the end of its path.
    pub files: Vec<String>,
    /// The mapping's file.
    pub map: String,
}

/// `nearmiss.toml` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Carries line, column and the line itself.
    #[error("{file}: {source}")]
    Syntax { file: String, source: Box<toml::de::Error> },
    #[error("{file}: `{pattern}` is not a glob: {reason}")]
    Pattern { file: String, pattern: String, reason: String },
    #[error("{file}: `min-coverage` is {value}, it must be a share between 0 and 1")]
    Coverage { file: String, value: f64 },
}

impl Config {
    /// Reads the text of a `nearmiss.toml`; `file` is for messages.
    ///
    /// # Errors
    /// On unknown keys, wrong words and patterns that are no globs.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|source| ConfigError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
        if let Some(value) = config.replay.min_coverage
            && !(0.0..=1.0).contains(&value)
        {
            return Err(ConfigError::Coverage { file: file.to_owned(), value });
        }
        for pattern in config.patterns() {
            super::mapping::glob(pattern).map_err(|error| ConfigError::Pattern {
                file: file.to_owned(),
                pattern: pattern.clone(),
                reason: error.kind().to_string(),
            })?;
        }
        Ok(config)
    }

    /// Names of hosts, actors, things and programs mean the same; policies and limits may differ.
    pub fn means_the_same(&self, other: &Self) -> bool {
        let Self {
            policy: _,
            replay: _,
            test: _,
            gate: _,
            near: _,
            catalog: _,
            network,
            environment,
            actor,
            label,
            tool,
            // How files are read is the same for both policies of a comparison.
            map: _,
        } = self;
        *network == other.network
            && *environment == other.environment
            && *actor == other.actor
            && *label == other.label
            && *tool == other.tool
    }

    /// Says which mapping this is: 16 hex digits over what [`Config::means_the_same`] compares.
    pub fn meaning(&self) -> String {
        let Self { network, environment, actor, label, tool, .. } = self;
        super::digest(format!("{network:?} {environment:?} {actor:?} {label:?} {tool:?}").as_bytes())
    }

    fn patterns(&self) -> impl Iterator<Item = &String> {
        let environments = self.environment.iter().flat_map(|rule| {
            [&rule.host, &rule.database, &rule.account, &rule.cluster, &rule.cwd, &rule.user, &rule.session]
        });
        let actors = self.actor.iter().map(|rule| &rule.name);
        let labels = self
            .label
            .iter()
            .flat_map(|rule| [&rule.name, &rule.host, &rule.database, &rule.account, &rule.cluster])
            .chain(self.tool.iter().map(|rule| &rule.name));
        environments.chain(actors).chain(labels).chain([&self.network.own]).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn unknown_keys_are_shown_where_they_stand() {
        let error = Config::parse("nearmiss.toml", "[policy]\nextend = []\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("unknown field `extend`"), "{error}");
    }

    #[test]
    fn an_empty_file_is_the_recommended_pack() {
        let config = Config::parse("nearmiss.toml", "").unwrap();
        assert_eq!(config.policy.extends, ["builtin:recommended"]);
    }

    #[test]
    fn a_wrong_environment_names_the_right_ones() {
        let error = Config::parse("nearmiss.toml", "[[environment]]\nis = \"prd\"\n").unwrap_err().to_string();
        assert!(error.contains("`production`"), "{error}");
    }

    #[test]
    fn patterns_are_checked_when_the_file_is_read() {
        let error = Config::parse("nearmiss.toml", "[[actor]]\nname = [\"a[\"]\n").unwrap_err().to_string();
        assert!(error.contains("`a[` is not a glob"), "{error}");
    }
}
