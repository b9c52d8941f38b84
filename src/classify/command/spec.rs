//! The spec language: what a TOML file of the catalogue may say about a program.
//!
//! `catalog/README.md` explains every key. Flags, conditions, templates and command names are small languages of their
//! own, parsed while the file is read, so that a mistake is an error with the file's line.

use serde::Deserialize;

use crate::classify::Language;
use crate::model::{Area, CodeOrigin, Extent, ResourceKind, Reversibility, Zone, words};

use super::condition::Condition;
use super::flags::Flags;
use super::pattern::Patterns;
use super::programs::Handler;
use super::template::Template;

/// One `[[program]]` table, and one `[[program.command]]` table in it: both say the same things.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Spec {
    /// Programs: what they are called.
    pub names: Vec<String>,
    /// Commands: the words that select it, `stash drop|clear`.
    pub name: Patterns,
    /// The name effects are reported by, when it is not the one that was written.
    pub called: Option<String>,
    pub style: Style,
    pub options: Option<Place>,
    pub prefixes: bool,
    pub unknown: Unlisted,
    pub switches: Flags,
    pub values: Flags,
    pub optional: Flags,
    /// Options after which all words are operands: `python -m pip -q`.
    pub ends: Flags,
    /// What `lists`, `reads` and inferred commands are about.
    pub subject: Option<ResourceKind>,
    pub plain: Patterns,
    pub lists: Patterns,
    pub reads: Patterns,
    pub effects: Vec<EffectSpec>,
    /// Program: effects that hold whatever the command.
    pub always: Vec<EffectSpec>,
    pub nothing: Condition,
    pub dry_run: Condition,
    pub guard_off: Condition,
    pub cascades: Condition,
    pub places: Places,
    pub cwd: Option<Template>,
    pub code: Vec<CodeSpec>,
    pub inner: Vec<Inner>,
    pub stdout: Option<Stdout>,
    pub handler: Option<Handler>,
    /// Program: runs before whatever command is selected.
    pub before: Option<Handler>,
    pub command: Vec<Spec>,
    pub example: Vec<Example>,
}

impl Spec {
    /// Whether one of its effects depends on a variable of the shell.
    pub(super) fn asks_for_variables(&self) -> bool {
        self.effects.iter().any(|effect| effect.more.when.as_ref().is_some_and(Condition::asks_for_variables))
    }
}

words! {
    /// How options look.
    #[derive(Default)]
    Style {
        /// `--long[=value]`, `-abc`, `-n5`.
        #[default]
        Gnu = "gnu",
        /// `-long[=value]`, no clusters: terraform, java.
        DashLong = "dash-long",
        /// `/Q` or `-q`, any case: Windows.
        Slash = "slash",
        /// There are none: `dd`, `test`.
        None = "none",
    }
}

words! {
    /// Where options may stand.
    #[derive(Default)]
    Place {
        #[default]
        Anywhere = "anywhere",
        /// Everything from the first operand on is an operand: wrappers.
        First = "first",
    }
}

words! {
    /// What to do about an option that is not listed.
    #[derive(Default)]
    Unlisted {
        /// A switch, and worth a gap that hides nothing.
        #[default]
        Gap = "gap",
        /// A switch like any other.
        Switch = "switch",
        /// `--x y`: takes the next word unless that is an option too.
        Value = "value",
    }
}

words! {
    /// What an effect is about: a kind of resource, a path of either kind, or what comes in on standard input.
    Subject { Path = "Path", Stdin = "Stdin" }
}

/// `delete Path {@*}`: an operation, what it is done to, and the template of its name.
#[derive(Debug)]
pub(super) struct Does {
    pub operation: crate::model::Operation,
    pub kind: Option<ResourceKind>,
    /// Set when `kind` is not.
    pub subject: Subject,
    pub name: Template,
}

/// An effect of a program or command.
#[derive(Debug)]
pub(super) struct EffectSpec {
    pub does: Does,
    pub more: More,
}

/// What can be said about an effect beside what it does.
#[derive(Debug, Default)]
pub(super) struct More {
    pub when: Option<Condition>,
    pub unless: Condition,
    pub extent: Option<Extent>,
    pub all: Condition,
    pub some: Condition,
    pub reversible: Option<Reversibility>,
    pub cascades: Condition,
    pub guard_off: Condition,
    pub dry_run: Condition,
    pub zone: Option<Zone>,
    pub peer: Option<Template>,
    pub code: Option<CodeOrigin>,
    pub areas: Vec<Area>,
    pub by: Option<String>,
    pub count: Option<Template>,
}

/// The table form of an effect, as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EffectTable {
    does: Does,
    when: Option<Condition>,
    #[serde(default)]
    unless: Condition,
    extent: Option<Extent>,
    #[serde(default)]
    all: Condition,
    #[serde(default)]
    some: Condition,
    reversible: Option<Reversibility>,
    #[serde(default)]
    cascades: Condition,
    #[serde(default)]
    guard_off: Condition,
    #[serde(default)]
    dry_run: Condition,
    zone: Option<Zone>,
    peer: Option<Template>,
    code: Option<CodeOrigin>,
    #[serde(default)]
    areas: Vec<Area>,
    by: Option<String>,
    count: Option<Template>,
}

/// Templates of the places that a command line names; a URL gives its host and its database.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Places {
    pub host: Option<Template>,
    pub database: Option<Template>,
    pub account: Option<Template>,
    pub cluster: Option<Template>,
    pub stage: Option<Template>,
}

/// Code in another language that the command line carries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeSpec {
    #[serde(deserialize_with = "language")]
    pub language: Language,
    pub dialect: Option<String>,
    /// The code itself.
    pub from: Option<Template>,
    /// A file that holds it.
    pub file: Option<Template>,
    /// It is read from standard input.
    #[serde(default)]
    pub stdin: bool,
    pub when: Option<Condition>,
    #[serde(default)]
    pub unless: Condition,
}

/// A command that the command line carries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inner {
    /// The words of a simple command: `@*`, `@1*`, `@dashes`.
    pub words: Option<Template>,
    /// Words that stand before them: `dotnet ef`, the `kubectl` of `minikube kubectl -- get pods`.
    #[serde(default)]
    pub before: String,
    /// Text for a shell; several words are joined by spaces.
    pub shell: Option<Template>,
    #[serde(default)]
    pub elevated: bool,
    #[serde(default)]
    pub elsewhere: bool,
    /// Leading `NAME=value` words set variables.
    #[serde(default)]
    pub assignments: bool,
    pub when: Option<Condition>,
    #[serde(default)]
    pub unless: Condition,
}

/// What a program writes to standard output.
#[derive(Debug)]
pub(super) struct Stdout {
    pub is: Output,
    pub when: Option<Condition>,
    /// When the condition does not hold.
    pub otherwise: Option<Output>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StdoutTable {
    is: Output,
    when: Option<Condition>,
    #[serde(rename = "else")]
    otherwise: Option<Output>,
}

words! {
    /// What is known about a program's output.
    Output {
        /// What it reads: standard input and the files it is given.
        Passes = "passes",
        /// The things its `read` and `export` effects are about.
        Carries = "carries",
        /// Something fetched from outside.
        Remote = "remote",
        /// As `passes`, unpacked from an encoded form.
        Decoded = "decoded",
        /// Its operands, joined by spaces.
        Text = "text",
        /// Names of things below its operands.
        Lists = "lists",
        /// Nothing that matters.
        Nothing = "nothing",
    }
}

/// A command line and the effects it has; run as a test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub run: String,
    pub gives: String,
}

fn language<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
    const NAMES: &[&str] = &[
        "shell",
        "sql",
        "python",
        "javascript",
        "ruby",
        "perl",
        "php",
        "powershell",
        "cmd",
        "awk",
        "redis",
        "mongo",
        "lua",
        "r",
        "go",
    ];
    let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    Ok(match &*word {
        "shell" => Language::Shell,
        "sql" => Language::Sql,
        "python" => Language::Python,
        "javascript" => Language::JavaScript,
        "ruby" => Language::Ruby,
        "perl" => Language::Perl,
        "php" => Language::Php,
        "powershell" => Language::PowerShell,
        "cmd" => Language::Cmd,
        "awk" => Language::Awk,
        "redis" => Language::Redis,
        "mongo" => Language::Mongo,
        "lua" => Language::Lua,
        "r" => Language::R,
        "go" => Language::Go,
        other => return Err(serde::de::Error::unknown_variant(other, NAMES)),
    })
}

impl Does {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ');
        let operation = words.next().unwrap_or_default();
        let operation = crate::model::Operation::from_word(operation).ok_or_else(|| {
            format!("`{operation}` is no operation, use one of {}", listed(crate::model::Operation::ALL))
        })?;
        let kind = words.next().ok_or("an effect needs what it is done to, such as `delete File {@0}`")?;
        let subject = Subject::from_word(kind);
        let kind = match (subject, ResourceKind::from_word(kind)) {
            (None, None) => {
                return Err(format!(
                    "`{kind}` is no kind of resource, use Path, Stdin or one of {}",
                    listed(ResourceKind::ALL)
                ));
            }
            (_, known) => known,
        };
        let name = Template::parse(words.next().unwrap_or_default())?;
        Ok(Self { operation, kind, subject: subject.unwrap_or(Subject::Path), name })
    }
}

fn listed(words: &[impl std::fmt::Display]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl<'de> Deserialize<'de> for Does {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for EffectSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = EffectSpec;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an effect such as `delete File {@0}`, or a table with `does`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EffectSpec, E> {
                let does = Does::parse(text).map_err(E::custom)?;
                Ok(EffectSpec { does, more: More::default() })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<EffectSpec, A::Error> {
                let t = EffectTable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let more = More {
                    when: t.when,
                    unless: t.unless,
                    extent: t.extent,
                    all: t.all,
                    some: t.some,
                    reversible: t.reversible,
                    cascades: t.cascades,
                    guard_off: t.guard_off,
                    dry_run: t.dry_run,
                    zone: t.zone,
                    peer: t.peer,
                    code: t.code,
                    areas: t.areas,
                    by: t.by,
                    count: t.count,
                };
                Ok(EffectSpec { does: t.does, more })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Stdout {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = Stdout;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "`passes`, `carries`, `remote`, `decoded`, `text`, `lists`, or a table with `is` and `when`",
                )
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Stdout, E> {
                let is = Output::from_word(text)
                    .ok_or_else(|| E::custom(format!("`{text}` is no output, use one of {}", listed(Output::ALL))))?;
                Ok(Stdout { is, when: None, otherwise: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Stdout, A::Error> {
                let t = StdoutTable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Stdout { is: t.is, when: t.when, otherwise: t.otherwise })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
