//! Several reports of one run: `--format markdown=pr.md --format sarif=nearmiss.sarif --format text`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};

use crate::report::change::{self, ChangeReport, Told};

use super::side::Git;
use super::terminal;

/// What `--format` takes, for `--help`: it is made from the shelf.
pub(super) fn formats(names: impl Iterator<Item = &'static str>) -> String {
    format!("How to tell it: {}", names.collect::<Vec<_>>().join(", "))
}

/// How to tell it, and where.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArguments {
    /// How to tell it: text, markdown, github, gitlab, sarif, junit, json; `FORMAT=FILE` writes a file; repeatable
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "text")]
    format: Vec<Wanted>,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Add the Markdown to the summary of the GitHub job: to the file that `GITHUB_STEP_SUMMARY` names
    #[arg(long)]
    github_summary: bool,
    /// Show secrets as they were recorded
    #[arg(long)]
    pub(super) no_redact: bool,
}

/// A format, and its file where it has one.
#[derive(Clone)]
struct Wanted {
    report: &'static dyn ChangeReport,
    file: Option<PathBuf>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={:?}", self.report.name(), self.file)
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (name, file) = word.split_once('=').map_or((word, None), |(name, file)| (name, Some(file)));
        if file == Some("") {
            return Err(format!("`{word}` names no file"));
        }
        let report = change::by_name(name).ok_or_else(|| {
            let known: Vec<_> = change::REPORTS.iter().map(|report| report.name()).collect();
            format!("there are {}", known.join(", "))
        })?;
        Ok(Self { report, file: file.map(PathBuf::from) })
    }
}

/// The variable that names the file of a job's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Reports that can be written: the words make sense together, and their places are known.
pub(super) struct Reports {
    wanted: Vec<Wanted>,
    summary: Option<PathBuf>,
}

impl ReportArguments {
    /// Refuses what cannot be done before the long work begins.
    pub(super) fn reports(&self) -> anyhow::Result<Reports> {
        let mut wanted = self.format.clone();
        let mut open: Vec<&mut Wanted> = wanted.iter_mut().filter(|wanted| wanted.file.is_none()).collect();
        if open.len() > 1 {
            let names: Vec<_> = open.iter().map(|wanted| wanted.report.name()).collect();
            bail!(
                "only one report goes to one place: write `--format {}=FILE` for the others",
                names.join("=FILE` or `")
            );
        }
        match (open.first_mut(), &self.output) {
            (Some(open), Some(file)) => open.file = Some(file.clone()),
            (None, Some(_)) => bail!("`--output` is for a `--format` without a file, and all have one"),
            _ => {}
        }
        let mut files: Vec<&Path> = wanted.iter().filter_map(|wanted| wanted.file.as_deref()).collect();
        files.sort_unstable();
        if let Some(twice) = files.windows(2).find(|pair| pair[0] == pair[1]) {
            bail!("two reports would be written to {}", twice[0].display());
        }
        let summary = if self.github_summary {
            let file = std::env::var_os(SUMMARY).filter(|file| !file.is_empty());
            Some(file.map(PathBuf::from).with_context(|| {
                format!("`--github-summary` is for jobs of GitHub Actions, which set {SUMMARY}; it is not set here")
            })?)
        } else {
            None
        };
        Ok(Reports { wanted, summary })
    }
}

impl Reports {
    /// Writes them all; what goes to standard output comes last, so that it tells of files that are there.
    pub(super) fn tell(&self, told: &Told<'_>) -> anyhow::Result<()> {
        for Wanted { report, file } in self.wanted.iter().filter(|wanted| wanted.file.is_some()) {
            let mut out = terminal::output(file.as_deref(), report.is_styled())?;
            let shown = file.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
            report
                .tell(told, &mut *out)
                .and_then(|()| out.flush())
                .with_context(|| format!("failed to write {shown}"))?;
        }
        if let Some(summary) = &self.summary {
            let shown = summary.display().to_string();
            // Earlier steps of the job have written to it as well.
            let file = OpenOptions::new().append(true).create(true).open(summary);
            let mut file = file.with_context(|| format!("failed to write {shown}"))?;
            let markdown = change::by_name("markdown").context("the Markdown report is gone")?;
            markdown.tell(told, &mut file).with_context(|| format!("failed to write {shown}"))?;
        }
        for Wanted { report, .. } in self.wanted.iter().filter(|wanted| wanted.file.is_none()) {
            let mut out = terminal::output(None, report.is_styled())?;
            report.tell(told, &mut *out)?;
            out.flush()?;
        }
        Ok(())
    }
}

/// The working folder as seen from the top of its repository; empty where there is none.
pub(super) fn folder_in_repository() -> String {
    let git = Git { folder: PathBuf::new() };
    git.run(&["rev-parse", "--show-prefix"]).map(|prefix| prefix.trim_end_matches('\n').to_owned()).unwrap_or_default()
}

/// A word of a command line that a shell reads as it is.
pub(super) fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@%+=,^~".contains(char);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('~') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, quoted};

    #[test]
    fn a_format_may_have_a_file() {
        let wanted: Wanted = "sarif=a=b.sarif".parse().unwrap();
        assert_eq!((wanted.report.name(), wanted.file), ("sarif", Some("a=b.sarif".into())));
        assert!("sarif=".parse::<Wanted>().is_err());
        assert!("sarf".parse::<Wanted>().unwrap_err().contains("markdown"));
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("origin/main"), "origin/main");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("~x"), "'~x'");
    }
}
