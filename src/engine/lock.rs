//! Pins recorded logs by their content, so that a gate looks at the same actions tomorrow and on another machine.
//!
//! ```toml
//! version = 1
//!
//! [[trace]]
//! file = "traces/week47.jsonl.zst"
//! bytes = 48211
//! sha256 = "9d0e771c…"
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

/// The files of a lock by name: from the folder of the lock file, with `/` between folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pub traces: BTreeMap<String, Pinned>,
}

/// One file as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub bytes: u64,
    /// 64 hex digits.
    pub sha256: String,
}

/// A lock file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct LockError {
    pub file: String,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default)]
    trace: Vec<Trace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trace {
    file: String,
    bytes: u64,
    sha256: String,
}

impl Lock {
    /// Reads a lock file; `file` is for messages.
    ///
    /// # Errors
    /// When it is no TOML of this shape, of another version, or names a file twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, LockError> {
        let wrong = |problem: String| LockError { file: file.to_owned(), problem };
        let written: Written = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if written.version != 1 {
            return Err(wrong(format!("it is of version {}, this nearmiss reads version 1", written.version)));
        }
        let mut traces = BTreeMap::new();
        for Trace { file, bytes, sha256 } in written.trace {
            if traces.insert(file.clone(), Pinned { bytes, sha256 }).is_some() {
                return Err(wrong(format!("`{file}` is named twice")));
            }
        }
        Ok(Self { traces })
    }

    /// The text of a lock file: sorted, nothing that changes by itself.
    pub fn written(&self) -> String {
        let mut text =
            String::from("# Written by `nearmiss lock`; with `--locked`, other traces are refused.\nversion = 1\n");
        for (file, pinned) in &self.traces {
            let file = super::gate::toml_string(file);
            // Writing to a string cannot fail.
            let _ =
                write!(text, "\n[[trace]]\nfile = {file}\nbytes = {}\nsha256 = \"{}\"\n", pinned.bytes, pinned.sha256);
        }
        text
    }

    /// What is not as this lock has it, a sentence each, sorted by file.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut names: Vec<&String> = self.traces.keys().chain(found.traces.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let difference = |name: &String| match (self.traces.get(name), found.traces.get(name)) {
            (Some(_), None) => Some(format!("{name} is pinned and not there")),
            (None, Some(_)) => Some(format!("{name} is not pinned")),
            (Some(pinned), Some(found)) if pinned != found => {
                Some(format!("{name} is not what is pinned ({} bytes, pinned {})", found.bytes, pinned.bytes))
            }
            _ => None,
        };
        names.into_iter().filter_map(difference).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(files: &[(&str, u64, &str)]) -> Lock {
        let pinned = |(name, bytes, sha): &(&str, u64, &str)| {
            ((*name).to_owned(), Pinned { bytes: *bytes, sha256: (*sha).to_owned() })
        };
        Lock { traces: files.iter().map(pinned).collect() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let lock = lock(&[("b \"x\".log", 3, "ab"), ("a/c.jsonl", 0, "cd")]);
        assert_eq!(Lock::parse("traces.lock", &lock.written()).unwrap(), lock);
    }

    #[test]
    fn every_difference_is_named() {
        let pinned = lock(&[("a", 1, "aa"), ("b", 1, "bb"), ("c", 1, "cc")]);
        let found = lock(&[("a", 1, "aa"), ("b", 1, "bc"), ("d", 1, "dd")]);
        assert_eq!(
            pinned.differences(&found),
            ["b is not what is pinned (1 bytes, pinned 1)", "c is pinned and not there", "d is not pinned"]
        );
    }

    #[test]
    fn another_version_and_a_file_named_twice_are_refused() {
        assert!(Lock::parse("l", "version = 2").is_err());
        let twice = "version = 1\n[[trace]]\nfile='a'\nbytes=1\nsha256='a'\n[[trace]]\nfile='a'\nbytes=2\nsha256='b'";
        assert!(Lock::parse("l", twice).is_err());
    }
}
