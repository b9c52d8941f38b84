//! `nearmiss accept`: say yes to pending snapshots, and to loosenings that the gate asks about.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::{Acceptance, Day};

use super::gate::{Against, Judged};
use super::pending::{self, Pending, Shelf};
use super::side::Side;
use super::{exit, terminal};

/// Accept pending snapshots by name, and loosenings by id with a reason, for you to commit
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Snapshots by name, corpus or file as `test` shows them; changes by id, or the start of it, as `gate` shows them
    #[arg(value_name = "NAME|ID")]
    words: Vec<String>,
    /// Accept every pending snapshot
    #[arg(long)]
    all: bool,
    /// Why a change is right; it is written to `.nearmiss/accepted/ID.toml`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME", requires = "reason")]
    by: Option<String>,
    /// The last day on which it counts: `2027-01-31`
    #[arg(long, value_name = "DAY", requires = "reason")]
    until: Option<Day>,
    /// Recorded logs in which the changes show [default: `[gate] traces` of nearmiss.toml]
    #[arg(long, value_name = "PATH")]
    traces: Vec<PathBuf>,
    #[command(flatten)]
    against: Against,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    terminal::refuse_to_write_in_ci()?;
    let (config, folder) = Side::config(arguments.against.config.clone())?;
    let pending = Shelf::of(&config, &folder).pending()?;
    let (names, ids) = sorted(&arguments.words, &pending)?;
    if names.is_empty() && ids.is_empty() && !arguments.all {
        bail!("name snapshots or changes, or say `--all` for every pending snapshot; {}", pending::listed(&pending));
    }
    if arguments.reason.is_some() && ids.is_empty() {
        bail!("snapshots need no reason; changes are named by the ids that `nearmiss gate` shows");
    }
    let snapshots = if arguments.all { pending.iter().collect() } else { pending::chosen(&pending, &names)? };
    // All is known before anything is written: who misspelt one word has accepted nothing.
    let changes = (!ids.is_empty()).then(|| Changes::found(arguments, &ids)).transpose()?;
    if snapshots.is_empty() && changes.is_none() {
        terminal::note(&pending::listed(&pending));
    }
    for one in snapshots {
        one.accept()?;
        terminal::note(&format!("accepted {}: commit it", one.file.display()));
    }
    changes.map_or(Ok(()), |changes| changes.write())?;
    Ok(exit::OK)
}

/// Names of pending snapshots, and what can only be ids of changes.
fn sorted(words: &[String], pending: &[Pending]) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let (names, others): (Vec<String>, Vec<String>) =
        words.iter().cloned().partition(|word| pending.iter().any(|one| one.is_called(word)));
    for word in &others {
        let is_id = (1..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            bail!("`{word}` is no pending snapshot and no id of a change; {}", pending::listed(pending));
        }
    }
    Ok((names, others))
}

/// Acceptances to write.
struct Changes {
    folder: PathBuf,
    /// With whether it takes the place of an earlier one.
    acceptances: Vec<(Acceptance, bool)>,
}

impl Changes {
    fn found(arguments: Arguments, ids: &[String]) -> anyhow::Result<Self> {
        let Some(reason) = arguments.reason.filter(|reason| !reason.trim().is_empty()) else {
            bail!("say why {} is right: `--reason \"…\"`", ids.join(", "));
        };
        let Judged { compared, acceptances: earlier, accepted: folder, .. } =
            arguments.against.run(arguments.traces)?;
        let open: Vec<&Group> = compared.impact.groups(Transition::Loosened).collect();
        let acceptances = chosen(ids, &open)?.into_iter().map(|group| {
            let again = earlier.iter().any(|earlier| earlier.id == group.id);
            (Acceptance::of(group, reason.clone(), arguments.by.clone(), arguments.until), again)
        });
        Ok(Self { folder, acceptances: acceptances.collect() })
    }

    fn write(self) -> anyhow::Result<()> {
        let Self { folder, acceptances } = self;
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        for (acceptance, again) in acceptances {
            let file = folder.join(acceptance.file_name());
            std::fs::write(&file, acceptance.written())
                .with_context(|| format!("failed to write {}", file.display()))?;
            let verb = if again { "changed" } else { "wrote" };
            terminal::note(&format!("{verb} {} ({}): commit it", file.display(), acceptance.transition));
        }
        Ok(())
    }
}

fn chosen<'g>(ids: &[String], open: &[&'g Group]) -> anyhow::Result<Vec<&'g Group>> {
    let mut chosen = Vec::new();
    for id in ids {
        let id = id.to_ascii_lowercase();
        let found: Vec<&&Group> = open.iter().filter(|group| group.id.to_string().starts_with(&id)).collect();
        match found[..] {
            [group] => chosen.push(*group),
            [] => bail!("no pending snapshot and no loosening is called `{id}`; `nearmiss gate` shows the ids"),
            _ => bail!("`{id}` is the start of several ids; write more of it"),
        }
    }
    Ok(chosen)
}
