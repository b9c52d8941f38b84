//! `nearmiss init`: the files to start from.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::{exit, terminal};

/// Write a commented nearmiss.toml, one rule, one case and CI files; what is there already is left alone
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder to write to
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// CI files to write [default: by what is there: `.github`, or `.gitlab-ci.yml`]
    #[arg(long, value_enum)]
    ci: Option<Ci>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ci {
    Github,
    Gitlab,
    None,
}

/// Where a file goes, and what is in it.
type File = (&'static str, &'static str);

const FILES: &[File] = &[
    ("nearmiss.toml", include_str!("init/nearmiss.toml")),
    (".nearmiss/policy/own.cedar", include_str!("init/own.cedar")),
    (".nearmiss/cases/own.toml", include_str!("init/cases.toml")),
];
const GITHUB: &[File] = &[
    (".github/workflows/nearmiss.yml", include_str!("../../ci/github/gate.yml")),
    (".github/workflows/nearmiss-comment.yml", include_str!("../../ci/github/comment.yml")),
];
const GITLAB: &[File] = &[(".gitlab/nearmiss.yml", include_str!("../../ci/gitlab/nearmiss.yml"))];

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    terminal::refuse_to_write_in_ci()?;
    let ci = match arguments.ci.unwrap_or_else(|| found(&arguments.folder)) {
        Ci::Github => GITHUB,
        Ci::Gitlab => GITLAB,
        Ci::None => &[],
    };
    let mut out = anstream::stdout().lock();
    for (name, text) in FILES.iter().chain(ci) {
        let path = arguments.folder.join(name);
        if path.exists() {
            writeln!(out, "left    {}", path.display())?;
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
        writeln!(out, "wrote   {}", path.display())?;
    }
    writeln!(
        out,
        "\nnext:   nearmiss check        is the policy sound?\n        nearmiss test         does it do what the cases say?\n        nearmiss replay PATH  what would it have stopped in your logs?"
    )?;
    Ok(exit::OK)
}

fn found(folder: &Path) -> Ci {
    if folder.join(".github").is_dir() {
        Ci::Github
    } else if folder.join(".gitlab-ci.yml").is_file() {
        Ci::Gitlab
    } else {
        Ci::None
    }
}
