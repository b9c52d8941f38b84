//! The shelf of program specs.
//!
//! A file is a list of `[[program]]` tables. Files are cut at these lines and every table is parsed on its own when one
//! of its programs is first met, so that a cold start pays for one program and not for the shelf.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use super::spec::Spec;

macro_rules! specs {
    ($($name:literal),+ $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("catalog/", $name, ".toml")))),+]
    };
}

/// The built-in files. A new one is one line here.
const FILES: &[(&str, &str)] = specs![
    "plain",
    "files",
    "readers",
    "wrappers",
    "runners",
    "terminals",
    "git",
    "github",
    "kubernetes",
    "machines",
    "postgres",
    "databases",
    "transfer",
    "aws",
    "clouds",
    "containers",
    "infrastructure",
    "system",
    "code",
    "http",
    "languages",
    "packages",
    "distributions",
    "building",
    "migrations",
    "messaging",
    "storage",
    "delivery",
    "services",
    "secrets",
    "agents",
    "cluster-tools",
    "platforms",
    "desktop",
    "windows",
    "stores",
    "devices",
];

/// Every program nearmiss knows.
#[derive(Debug)]
pub struct Catalog {
    builtin: &'static Shelf,
    /// Asked first.
    own: Shelf,
}

/// Files cut into tables, and which table a program is described by.
#[derive(Debug, Default)]
struct Shelf {
    tables: Vec<Table>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct Table {
    file: String,
    /// Where in its file the table begins.
    at: usize,
    text: std::borrow::Cow<'static, str>,
    spec: OnceLock<Option<Box<Spec>>>,
}

/// A spec that does not say what a spec can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct SpecError {
    pub file: String,
    /// Bytes of the file, when the place is known.
    pub span: Option<Range<usize>>,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    program: Vec<Spec>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Catalog {
    /// The specs that are built in.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Shelf> = LazyLock::new(|| {
            let mut shelf = Shelf::default();
            for (file, text) in FILES {
                shelf.put(file, text, std::borrow::Cow::Borrowed);
            }
            shelf
        });
        Self { builtin: &BUILTIN, own: Shelf::default() }
    }

    /// The built-in specs and the user's own (file name and text), which win. All of the user's are read at once.
    pub fn with(self, extra: Vec<(String, String)>) -> Result<Self, SpecError> {
        let mut own = Shelf::default();
        for (file, text) in extra {
            own.put(&file, &text, |text| std::borrow::Cow::Owned(text.to_owned()));
        }
        for table in &own.tables {
            let spec = table.read()?;
            let _ = table.spec.set(Some(Box::new(spec)));
        }
        Ok(Self { own, ..self })
    }

    /// Whether a program of this name is described.
    pub(in crate::classify) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The spec of a program.
    pub(super) fn find(&self, name: &str) -> Option<&Spec> {
        self.own.find(name).or_else(|| self.builtin.find(name))
    }

    /// Every program name that is described, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> =
            self.own.by_name.keys().chain(self.builtin.by_name.keys()).map(|name| &**name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads every built-in spec now; lazily read ones that do not parse count as not there.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(&str, Result<Spec, SpecError>)> {
        self.builtin.tables.iter().map(|table| (&*table.file, table.read())).collect()
    }
}

impl Shelf {
    fn put<'t>(&mut self, file: &str, text: &'t str, keep: impl Fn(&'t str) -> std::borrow::Cow<'static, str>) {
        const HEAD: &str = "[[program]]";
        let mut start = if text.starts_with(HEAD) { Some(0) } else { text.find("\n[[program]]").map(|at| at + 1) };
        // A file without the line is kept whole, so that reading it says what is wrong with it.
        if start.is_none() && text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            start = Some(0);
        }
        while let Some(at) = start {
            let rest = &text[at..];
            let next = rest.get(1..).and_then(|rest| rest.find("\n[[program]]")).map(|next| at + 1 + next + 1);
            let table = &text[at..next.unwrap_or(text.len())];
            for name in names(table) {
                self.by_name.insert(name.to_owned(), self.tables.len());
            }
            self.tables.push(Table { file: file.to_owned(), at, text: keep(table), spec: OnceLock::new() });
            start = next;
        }
    }

    fn find(&self, name: &str) -> Option<&Spec> {
        let table = self.tables.get(*self.by_name.get(name)?)?;
        table.spec.get_or_init(|| table.read().ok().map(Box::new)).as_deref()
    }
}

/// The strings of the table's `names = [...]`, read without parsing the rest.
fn names(table: &str) -> impl Iterator<Item = &str> {
    let list = table.find("\nnames = [").map_or("", |at| &table[at + "\nnames = [".len()..]);
    let list = list.find(']').map_or("", |end| &list[..end]);
    list.split('"').skip(1).step_by(2)
}

impl Table {
    fn read(&self) -> Result<Spec, SpecError> {
        let fail = |span: Option<Range<usize>>, problem: String| SpecError {
            file: self.file.clone(),
            span: span.map(|span| span.start + self.at..span.end + self.at),
            problem,
        };
        let file: File = toml::from_str(&self.text).map_err(|error| fail(error.span(), error.message().to_owned()))?;
        let mut programs = file.program.into_iter();
        let (Some(mut spec), None) = (programs.next(), programs.next()) else {
            return Err(fail(None, "a table is not one `[[program]]`, start each with that line".into()));
        };
        // The shelf finds a program by its names as they stand, so a spec written otherwise would never be asked.
        if spec.names.is_empty() || !spec.names.iter().eq(names(&self.text)) {
            return Err(fail(None, "a program needs `names = [\"…\"]` on the line after `[[program]]`".into()));
        }
        spec.complete();
        Ok(spec)
    }
}
