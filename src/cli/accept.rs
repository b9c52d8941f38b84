//! `nearmiss accept`: say yes to a change that the gate asks about.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::{Acceptance, Day};

use super::gate::{Against, Judged};
use super::{exit, terminal};

/// Accept loosenings by their ids, each with a reason: writes `.nearmiss/accepted/ID.toml` for you to commit
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Ids of changes as `gate` shows them, or the start of them
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// Accept every loosening
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Why it is right
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The last day on which it counts: `2027-01-31`
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Recorded logs, where the gate was given some [default: `[gate] traces` of nearmiss.toml]
    #[arg(long, value_name = "PATH")]
    traces: Vec<PathBuf>,
    #[command(flatten)]
    against: Against,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    terminal::refuse_to_write_in_ci()?;
    if arguments.reason.trim().is_empty() {
        bail!("say why: an empty reason helps nobody");
    }
    let Judged { compared, acceptances, accepted, .. } = arguments.against.run(arguments.traces)?;
    let open: Vec<&Group> = compared.impact.groups(Transition::Loosened).collect();
    let chosen = if arguments.all { open.clone() } else { chosen(&arguments.ids, &open)? };
    if chosen.is_empty() {
        terminal::note("nothing is loosened: there is nothing to accept");
        return Ok(exit::OK);
    }
    std::fs::create_dir_all(&accepted).with_context(|| format!("failed to make {}", accepted.display()))?;
    for group in chosen {
        let acceptance = Acceptance::of(group, arguments.reason.clone(), arguments.by.clone(), arguments.until);
        let file = accepted.join(acceptance.file_name());
        let again = acceptances.iter().any(|earlier| earlier.id == group.id);
        std::fs::write(&file, acceptance.written()).with_context(|| format!("failed to write {}", file.display()))?;
        let verb = if again { "changed" } else { "wrote" };
        terminal::note(&format!("{verb} {} ({} -> {}): commit it", file.display(), group.base, group.head));
    }
    Ok(exit::OK)
}

fn chosen<'g>(ids: &[String], open: &[&'g Group]) -> anyhow::Result<Vec<&'g Group>> {
    let mut chosen = Vec::new();
    for id in ids {
        let found: Vec<&&Group> = open.iter().filter(|group| group.id.to_string().starts_with(id.as_str())).collect();
        match found[..] {
            [group] => chosen.push(*group),
            [] => bail!("no loosening is called `{id}`; `nearmiss gate` shows the ids"),
            _ => bail!("`{id}` is the start of several ids; write more of it"),
        }
    }
    Ok(chosen)
}
