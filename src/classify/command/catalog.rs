//! The shelf of program specs.
//!
//! A file is a list of `[[program]]` tables. Files are cut at these lines and every table is parsed on its own when one
//! of its programs is first met, so that a cold start pays for one program and not for the shelf.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use memchr::memmem;
use rustc_hash::{FxBuildHasher, FxHashMap};
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
    "network",
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
    "aws-api",
    "kubernetes-api",
    "google-api",
    "azure-api",
    "databricks-api",
    "github-api",
    "microsoft-365",
    "directories",
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
    names: Vec<Name>,
    /// Names by their hash; where two have the same, the second stands under the next free number. This is built at
    /// every start, so that it is small and holds no copies.
    by_hash: FxHashMap<u32, u32>,
}

/// A program's name: where it stands in the text of a table.
#[derive(Clone, Copy, Debug)]
struct Name {
    table: u32,
    at: u32,
    length: u32,
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
            /// Room for what there is: growing step by step would touch several times the memory.
            const NAMES: usize = 5_000;
            let mut shelf = Shelf::default();
            shelf.names.reserve(NAMES);
            shelf.by_hash.reserve(NAMES);
            shelf.tables.reserve(NAMES / 10);
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

    /// Whether a program's spec lists a command of these words; `false` in it when by their form only (`* delete-*`).
    pub(in crate::classify) fn describes(&self, program: &str, words: &[&str]) -> Option<bool> {
        let spec = self.find(program)?;
        let lists = [&spec.lists, &spec.reads, &spec.plain];
        let all = spec.command.iter().map(|command| &command.name).chain(lists);
        all.filter_map(|names| names.fit(words)).max().map(|fit| fit.exact > 0)
    }

    /// The spec of a program.
    pub(super) fn find(&self, name: &str) -> Option<&Spec> {
        self.own.find(name).or_else(|| self.builtin.find(name))
    }

    /// Every program name that is described, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.own.names().chain(self.builtin.names()).collect();
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
        let head = memmem::Finder::new("\n[[program]]");
        let find = |text: &str| head.find(text.as_bytes());
        let mut start = if text.starts_with(HEAD) { Some(0) } else { find(text).map(|at| at + 1) };
        // A file without the line is kept whole, so that reading it says what is wrong with it.
        if start.is_none() && text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            start = Some(0);
        }
        while let Some(at) = start {
            let rest = &text[at..];
            let next = rest.get(1..).and_then(find).map(|next| at + 1 + next + 1);
            let table = &text[at..next.unwrap_or(text.len())];
            self.tables.push(Table { file: file.to_owned(), at, text: keep(table), spec: OnceLock::new() });
            for (at, name) in names(table) {
                self.add(self.tables.len() - 1, at, name);
            }
            start = next;
        }
    }

    /// Adds a name of a table; one that there is already means this table from now on.
    fn add(&mut self, table: usize, at: usize, name: &str) {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let new = Name { table: short(table), at: short(at), length: short(name.len()) };
        match self.place(name) {
            (_, Some(known)) => self.names[known] = new,
            (hash, None) => {
                self.by_hash.insert(hash, short(self.names.len()));
                self.names.push(new);
            }
        }
    }

    /// The number under which a name stands, or would stand, and which of `names` it is.
    fn place(&self, name: &str) -> (u32, Option<usize>) {
        let mut hash = (FxBuildHasher.hash_one(name) >> 32) as u32;
        loop {
            let Some(known) = self.by_hash.get(&hash).map(|known| *known as usize) else { return (hash, None) };
            if self.text(self.names[known]) == name {
                return (hash, Some(known));
            }
            hash = hash.wrapping_add(1);
        }
    }

    fn text(&self, name: Name) -> &str {
        let (at, length) = (name.at as usize, name.length as usize);
        self.tables.get(name.table as usize).and_then(|table| table.text.get(at..at + length)).unwrap_or_default()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| self.text(*name))
    }

    fn find(&self, name: &str) -> Option<&Spec> {
        let name = self.names[self.place(name).1?];
        let table = self.tables.get(name.table as usize)?;
        table.spec.get_or_init(|| table.read().ok().map(Box::new)).as_deref()
    }
}

/// The strings of the table's `names = [...]` with their places, read without parsing the rest.
fn names(table: &str) -> impl Iterator<Item = (usize, &str)> {
    const HEAD: &str = "\nnames = [";
    let start = memmem::find(table.as_bytes(), HEAD.as_bytes()).map_or(table.len(), |at| at + HEAD.len());
    let end = table[start..].find(']').map_or(start, |end| start + end);
    let mut at = start;
    let pieces = table[start..end].split('"').map(move |piece| {
        let place = at;
        at += piece.len() + 1;
        (place, piece)
    });
    pieces.skip(1).step_by(2)
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
        if spec.names.is_empty() || !spec.names.iter().map(|name| &**name).eq(names(&self.text).map(|(_, name)| name)) {
            return Err(fail(None, "a program needs `names = [\"…\"]` on the line after `[[program]]`".into()));
        }
        spec.complete();
        Ok(spec)
    }
}
