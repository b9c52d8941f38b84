//! From what the user named (files, folders, globs, `-`) to a list of inputs that is the same in whatever order
//! they were named, and from an input to its unpacked text.
//!
//! Nothing is skipped silently: what is not read becomes an issue that says what to do.

mod inside;

use std::collections::BTreeMap;
use std::fs::{self, File, FileType};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Sample;
use super::archive::{self, Archive};
use super::detect::SAMPLE_BYTES;
use super::sqlite::{self, Database};
use super::{binary, record, unpack};
use crate::model::Issue;

/// What was found under the paths the user named.
#[derive(Debug, Default)]
pub struct Found {
    /// Sorted by path, each file once; standard input last.
    pub inputs: Vec<Input>,
    pub issues: Vec<Issue>,
}

/// One file, or standard input.
#[derive(Debug)]
pub struct Input {
    /// The path to show, with `/` between folders: as given, and what was found below it.
    pub file: Arc<str>,
    from: From,
}

/// An input's unpacked text, from its start.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct Opened {
    /// The first bytes, at most [`SAMPLE_BYTES`]; `reader` hands them out again.
    pub sample: Vec<u8>,
    /// The whole file is in `sample`.
    pub complete: bool,
    /// Fails with a plain word (`truncated gzip data …`) after everything that is readable.
    pub reader: Box<dyn BufRead + Send>,
    /// Unpacking is part of reading it.
    pub packed: bool,
    /// Bytes of the file as it is stored that were consumed so far.
    pub bytes: Arc<AtomicU64>,
    /// How many there are, where that is known.
    pub size: Option<u64>,
    /// The file, when it is a database: `reader` need not be read then.
    pub database: Option<Arc<Database>>,
}

impl Opened {
    /// What readers are shown of it to say whether it is theirs; `name` is the input's.
    pub fn shown<'o>(&'o self, name: &'o str) -> Sample<'o> {
        let tables = self.database.as_ref().map_or(&[][..], |database| database.tables());
        Sample { head: &self.sample, complete: self.complete, name, tables }
    }
}

/// Finds the inputs under `paths`; `stdin` is what `-` stands for.
pub fn find(paths: &[PathBuf], stdin: Option<Box<dyn Read + Send>>) -> Found {
    let mut search = Search::default();
    let (dashes, paths): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|path| path.as_os_str() == "-");
    for path in paths {
        search.name(path);
    }
    let mut files = std::mem::take(&mut search.files);
    leave_out_companions(&mut files);
    let mut inputs: Vec<(Arc<str>, PathBuf)> = files.into_values().collect();
    inputs.sort();
    let inputs = inputs.into_iter().flat_map(|(file, path)| {
        let inside = inside::expand(&file, &path, &mut search.issues);
        inside.unwrap_or_else(|| vec![Input { file, from: From::File(path) }])
    });
    let mut inputs: Vec<Input> = inputs.collect();
    inputs.sort_by(|a, b| a.file.cmp(&b.file));
    if !dashes.is_empty() {
        match stdin {
            Some(stdin) => {
                let from = From::Stdin(Stdin(Mutex::new(Some(stdin))));
                inputs.push(Input { file: Arc::from("-"), from });
            }
            None => search.issue(Path::new("-"), "there is no standard input here", "name a file", true),
        }
    }
    let mut issues = search.issues;
    issues.sort_by(|a, b| (&a.file, &a.problem).cmp(&(&b.file, &b.problem)));
    issues.dedup();
    Found { inputs, issues }
}

impl Input {
    /// The file's name without its folder and without `.gz` and the like, as [`Sample::name`](super::Sample) wants it.
    pub fn name(&self) -> &str {
        let mut name = record::file_name(&self.file);
        for packed in [".gz", ".zst", ".zstd", ".bz2", ".xz"] {
            name = name.strip_suffix(packed).unwrap_or(name);
        }
        name
    }

    /// The file that it is or, of what is in an archive, that one; `None` for standard input.
    pub fn path(&self) -> Option<&Path> {
        match &self.from {
            From::File(path) => Some(path),
            From::Inside(archive, _) | From::Joined(archive, _) => Some(archive.path()),
            From::Stdin(_) => None,
        }
    }

    /// Bytes as it is stored, where that is known before it is opened.
    pub fn size(&self) -> Option<u64> {
        let path = match &self.from {
            From::File(path) => path,
            From::Inside(archive, index) => return archive.entries.get(*index).map(|entry| entry.packed),
            From::Joined(archive, _) => archive.path(),
            From::Stdin(_) => return None,
        };
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Opens it and unpacks it by its content.
    ///
    /// # Errors
    /// When it cannot be opened, when not one byte of it is readable, and when it is no text. [`Input::issue`]
    /// says it to the user.
    pub fn open(&self) -> io::Result<Opened> {
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = |raw: Box<dyn Read + Send>| {
            let counted = Counted { raw, bytes: bytes.clone() };
            Box::new(BufReader::with_capacity(unpack::BUFFER, counted)) as Box<dyn BufRead + Send>
        };
        let (raw, size) = match &self.from {
            From::File(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                (counted(Box::new(file)), metadata.is_file().then_some(metadata.len()))
            }
            From::Stdin(Stdin(slot)) => {
                let stdin = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                (counted(stdin.ok_or_else(|| io::Error::other("standard input can be read only once"))?), None)
            }
            From::Inside(archive, index) => {
                let entry = archive.entries.get(*index).ok_or(io::ErrorKind::NotFound)?;
                let count = bytes.clone();
                let raw = archive.read(entry, move |read| {
                    count.fetch_add(read, Ordering::Relaxed);
                })?;
                (raw, Some(entry.packed))
            }
            From::Joined(archive, parts) => {
                let joined = inside::Joined::open(archive, parts, bytes.clone())?;
                (Box::new(BufReader::with_capacity(unpack::BUFFER, joined)) as Box<dyn BufRead + Send>, self.size())
            }
        };
        let is_inside = matches!(self.from, From::Inside(..) | From::Joined(..));
        let (mut reader, packed) = unpack::unpack(raw)?;
        let (sample, complete) = unpack::start(&mut reader, SAMPLE_BYTES)?;
        if let Some(refused) = binary::refuse(&sample) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, refused));
        }
        let mut reader: Box<dyn BufRead + Send> = Box::new(io::Cursor::new(sample.clone()).chain(reader));
        let database = if sample.starts_with(sqlite::MAGIC) {
            let database = match &self.from {
                From::File(path) if !packed && size.is_some() => {
                    bytes.fetch_add(size.unwrap_or(0).saturating_sub(bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
                    open_database(path)
                }
                From::Inside(archive, index) => {
                    let name = archive.entries.get(*index).map_or("", |entry| entry.name.as_str());
                    let beside = |end: &str| {
                        let entry = archive.find(&format!("{name}{end}"))?;
                        archive.whole(entry, sqlite::MOST_IN_MEMORY).ok()
                    };
                    let journal = beside("-journal").is_some_and(|journal| is_hot(&*journal));
                    let wal = beside("-wal").map(|wal| Box::new(io::Cursor::new(wal)) as Box<dyn sqlite::Stored>);
                    Database::in_memory(&mut reader, wal, journal)?
                }
                _ => Database::in_memory(&mut reader, None, false)?,
            };
            Some(Arc::new(database.map_err(|problem| refused(problem.problem, problem.advice))?))
        } else {
            None
        };
        Ok(Opened { sample, complete, reader, packed: packed || is_inside, bytes, size, database })
    }

    /// The issue for an error of [`Input::open`] or of reading on.
    pub fn issue(&self, error: &io::Error) -> Issue {
        let (problem, advice) = unread(error);
        Issue { file: self.file.clone(), line: 0, offset: 0, problem, advice, lost: true }
    }
}

/// What is wrong, and what to do.
fn unread(error: &io::Error) -> (String, String) {
    let inner = error.get_ref();
    let refused = inner.and_then(|inner| inner.downcast_ref::<binary::Refused>());
    let inside = inner.and_then(|inner| inner.downcast_ref::<archive::Unread>());
    match (refused, inside) {
        (Some(refused), _) => (refused.problem.clone(), refused.advice.clone()),
        (_, Some(inside)) => (inside.problem.clone(), inside.advice.clone()),
        _ => said(error),
    }
}

/// The name of the database that a file of this name lies beside.
fn companion_of(name: &str) -> Option<&str> {
    ["-wal", "-shm", "-journal"].iter().find_map(|end| name.strip_suffix(end))
}

/// A database and what lies beside it.
fn open_database(path: &Path) -> Result<Database, sqlite::Problem> {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        File::open(name).ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))
    };
    let file = File::open(path).map_err(|error| sqlite::Problem::unreadable(&error))?;
    let wal = beside("-wal").map(|file| Box::new(file) as Box<dyn sqlite::Stored>);
    let journal = beside("-journal").is_some_and(is_hot);
    Database::open(Box::new(file), wal, journal)
}

/// Whether a journal holds what a program has not finished: one that was used up is empty or begins with zeros.
fn is_hot(mut journal: impl Read) -> bool {
    let mut magic = [0; 8];
    journal.read_exact(&mut magic).is_ok() && magic == *b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
}

fn refused(problem: String, advice: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, binary::Refused { problem, advice })
}

#[derive(Debug)]
enum From {
    File(PathBuf),
    /// An entry of an archive, by its place.
    Inside(Arc<Archive>, usize),
    /// Entries that are one document together.
    Joined(Arc<Archive>, Vec<usize>),
    Stdin(Stdin),
}

/// Standard input; it can be taken once.
struct Stdin(Mutex<Option<Box<dyn Read + Send>>>);

impl std::fmt::Debug for Stdin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stdin")
    }
}

/// Counts the stored bytes that went through, for progress.
struct Counted {
    raw: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What lies beside a database is read with it, and not for itself.
fn leave_out_companions(files: &mut BTreeMap<PathBuf, (Arc<str>, PathBuf)>) {
    let of = |path: &Path| companion_of(path.to_str()?).map(PathBuf::from);
    let is_companion =
        |path: &Path| of(path).is_some_and(|database| files.contains_key(&database) && is_database(&database));
    let companions: Vec<PathBuf> = files.keys().filter(|path| is_companion(path)).cloned().collect();
    for path in companions {
        files.remove(&path);
    }
}

fn is_database(path: &Path) -> bool {
    let mut head = [0; sqlite::MAGIC.len()];
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && head == *sqlite::MAGIC
}

#[derive(Default)]
struct Search {
    /// By the path with all links resolved, so that a file named twice is read once.
    files: BTreeMap<PathBuf, (Arc<str>, PathBuf)>,
    issues: Vec<Issue>,
}

impl Search {
    /// Takes a path as the user wrote it. What exists under that very name is not a glob.
    fn name(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) => self.take(path, metadata.file_type()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match path.to_str() {
                Some(pattern) if pattern.contains(['*', '?', '[']) => self.glob(pattern),
                _ if fs::symlink_metadata(path).is_ok() => self.dangling(path),
                _ => self.issue(path, "no such file or folder", "check the path", true),
            },
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn take(&mut self, path: &Path, kind: FileType) {
        if kind.is_dir() {
            self.walk(path);
        } else if kind.is_file() || is_stream(kind) {
            self.add(path);
        } else {
            self.not_regular(path);
        }
    }

    fn glob(&mut self, pattern: &str) {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let matches = match glob::glob_with(pattern, options) {
            Ok(matches) => matches,
            Err(error) => {
                let problem = format!("not a valid pattern: {}", error.msg);
                return self.issue(Path::new(pattern), &problem, "write `[*]` for a literal `*`", true);
            }
        };
        let mut any = false;
        for entry in matches {
            any = true;
            match entry {
                Ok(path) => self.name(&path),
                Err(error) => self.unreadable(error.path(), error.error()),
            }
        }
        if !any {
            self.issue(Path::new(pattern), "no file matches the pattern", "check the folder and the pattern", true);
        }
    }

    fn walk(&mut self, folder: &Path) {
        let mut any = false;
        for entry in walkdir::WalkDir::new(folder).follow_links(true) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    any = true;
                    // A pipe below a folder is nobody's wish: reading it could wait for ever.
                    if entry.file_type().is_file() { self.add(entry.path()) } else { self.not_regular(entry.path()) }
                }
                Err(error) => {
                    any = true;
                    let path = error.path().unwrap_or(folder).to_owned();
                    match (error.loop_ancestor(), error.io_error()) {
                        (Some(ancestor), _) => {
                            let problem =
                                format!("the link leads back to `{}`, which is read already", display(ancestor));
                            self.issue(&path, &problem, "", false);
                        }
                        (None, Some(error)) if error.kind() == io::ErrorKind::NotFound => self.dangling(&path),
                        (None, Some(error)) => self.unreadable(&path, error),
                        (None, None) => self.issue(&path, "cannot be read", "", true),
                    }
                }
            }
        }
        if !any {
            self.issue(folder, "no files in the folder", "", false);
        }
    }

    fn add(&mut self, path: &Path) {
        // A pipe such as `/dev/fd/63` has no resolved name; its own is as good.
        let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let named = (display(path), path.to_owned());
        let kept = self.files.entry(resolved).or_insert_with(|| named.clone());
        // Which of several names is shown must not depend on which came first.
        if named < *kept {
            *kept = named;
        }
    }

    fn not_regular(&mut self, path: &Path) {
        self.issue(path, "not a regular file, not read", "name a pipe itself to read from it", false);
    }

    fn dangling(&mut self, path: &Path) {
        self.issue(path, "the link points to nothing", "remove the link or restore the file", true);
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let (problem, advice) = said(error);
        self.issue(path, &problem, &advice, true);
    }

    fn issue(&mut self, path: &Path, problem: &str, advice: &str, lost: bool) {
        let (problem, advice) = (problem.to_owned(), advice.to_owned());
        self.issues.push(Issue { file: display(path), line: 0, offset: 0, problem, advice, lost });
    }
}

/// What an operating system's error means, and what to do.
fn said(error: &io::Error) -> (String, String) {
    match error.kind() {
        io::ErrorKind::NotFound => ("no such file or folder".to_owned(), "check the path".to_owned()),
        io::ErrorKind::PermissionDenied => ("permission denied".to_owned(), "make it readable for you".to_owned()),
        io::ErrorKind::UnexpectedEof => (error.to_string(), "what came before is read; copy the file again".to_owned()),
        _ => (error.to_string(), String::new()),
    }
}

#[cfg(unix)]
fn is_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: FileType) -> bool {
    false
}

/// The path with `/` between folders and without `./`, on every system.
fn display(path: &Path) -> Arc<str> {
    let mut shown = String::new();
    for part in path.components() {
        if !shown.is_empty() && !shown.ends_with('/') && part != Component::RootDir {
            shown.push('/');
        }
        match part {
            Component::CurDir => {}
            Component::RootDir => shown.push('/'),
            part => shown.push_str(&part.as_os_str().to_string_lossy()),
        }
    }
    Arc::from(if shown.is_empty() { "." } else { &shown })
}

#[cfg(test)]
mod tests;
