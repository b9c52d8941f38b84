//! One recorded attempt to do something, with who, when, where and how it ended.

use std::fmt;
use std::sync::Arc;

use super::{Gap, Origin, words};

/// One recorded attempt: a SQL statement, a command line, an argv, an API call or a tool call.
#[derive(Clone, Debug)]
pub struct Action {
    /// Stable: the same record gives the same id on any machine and in any file order.
    pub id: ActionId,
    pub time: Option<Timestamp>,
    pub actor: Arc<Actor>,
    /// Actions of one session are in order and share one connection, conversation or login.
    pub session: Arc<str>,
    pub kind: Kind,
    /// What was attempted, as a person would read it. Spans point into this text.
    pub text: Arc<str>,
    /// The exact words of an `exec` action; `text` is then their shell-quoted form.
    pub argv: Option<Arc<[String]>>,
    /// The name of the tool or API operation of a `tool` or `api` action.
    pub tool: Option<Arc<str>>,
    /// The arguments of that call: JSON text as recorded.
    pub arguments: Option<Arc<str>>,
    pub surroundings: Arc<Surroundings>,
    pub outcome: Outcome,
    /// A human said yes to this very action, according to the record.
    pub approved: bool,
    /// What the record itself lacks: truncated, redacted, parameters missing.
    pub gaps: Vec<Gap>,
    pub origin: Origin,
}

words! {
    /// What sort of thing an action's text is.
    Kind { Shell = "shell", Sql = "sql", Exec = "exec", Tool = "tool", Api = "api" }
}

/// 64 bits of a cryptographic hash over what identifies the record; written as 16 hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u64);

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A point in time: microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many fractional digits as there are: `2026-11-22T02:00:07.25Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    pub name: String,
    pub kind: ActorKind,
    /// Groups from the user's configuration; sorted.
    pub groups: Vec<String>,
}

words! {
    /// What sort of actor: agents are held to more than people where it makes sense.
    #[derive(Default)]
    ActorKind { Human = "human", Agent = "agent", Service = "service", #[default] Unknown = "unknown" }
}

words! {
    /// Closed on purpose, and never guessed from a name alone: it comes from the user's mapping or the record.
    #[derive(Default)]
    Environment {
        Production = "production",
        Staging = "staging",
        Development = "development",
        Test = "test",
        #[default]
        Unknown = "unknown",
    }
}

/// Where an action ran, as far as the record says. `None` means the record does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Surroundings {
    pub environment: Option<Environment>,
    pub cwd: Option<String>,
    /// The home folder of whoever acted, when the record shows it.
    pub home: Option<String>,
    pub host: Option<String>,
    /// The account on that host or server (`postgres`, `root`).
    pub user: Option<String>,
    pub database: Option<String>,
    /// Cloud account, project or subscription.
    pub account: Option<String>,
    /// Kubernetes context or cluster.
    pub cluster: Option<String>,
    /// The version of the program or server that was called (`1.4.2`).
    pub version: Option<String>,
    /// The SQL dialect, by its usual lower-case name (`postgres`, `mysql`, `tsql` …).
    pub dialect: Option<String>,
}

/// How an action ended, as far as the record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub executed: Executed,
    pub succeeded: Option<bool>,
    pub exit_code: Option<i32>,
    /// Rows changed, where a log states it.
    pub rows: Option<u64>,
    /// What came back, as far as the record keeps it: the output of a command, the answer of a tool. Readers cut long
    /// ones with [`Outcome::kept`].
    pub output: Option<Arc<str>>,
}

impl Outcome {
    /// So much of an output is kept: its first and its last half.
    pub const MAX_OUTPUT: usize = 8 << 10;

    /// So much is kept of an answer that shows source code: its first and its last words say whether all went well.
    pub const MAX_WORDS: usize = 512;

    /// The part of an output that is kept.
    pub fn kept(output: &str) -> Arc<str> {
        Self::cut(output, Self::MAX_OUTPUT)
    }

    /// How much is kept of what an action says. Source code that is shown is most of a transcript, and nothing runs it
    /// as it stands; listings, plans and scripts are read as a whole.
    pub fn most(action: &str) -> usize {
        const LISTS: &[&str] = &["git", "ls", "ll", "status", "terraform", "pulumi", "tofu"];
        const SOURCE: &[&str] = &[
            "c", "cc", "cpp", "cs", "css", "h", "hpp", "html", "java", "kt", "md", "rs", "rst", "scss", "svg", "swift",
        ];
        let mut shows_source = false;
        for word in action.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.') {
            if LISTS.contains(&word) {
                return Self::MAX_OUTPUT;
            }
            shows_source |= word.rsplit_once('.').is_some_and(|(_, ending)| SOURCE.contains(&ending));
        }
        if shows_source { Self::MAX_WORDS } else { Self::MAX_OUTPUT }
    }

    /// The first and the last part of an output that is longer than `most` bytes.
    pub fn cut(output: &str, most: usize) -> Arc<str> {
        if output.len() <= most {
            return output.into();
        }
        let half = most / 2;
        let head = output.floor_char_boundary(half);
        let tail = output.ceil_char_boundary(output.len() - half);
        format!("{}\n…\n{}", &output[..head], &output[tail..]).into()
    }
}

words! {
    /// Whether the action ran at all; a call refused by a human or a guard did not.
    #[derive(Default)]
    Executed { Yes = "yes", No = "no", #[default] Unknown = "unknown" }
}
