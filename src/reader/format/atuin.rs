//! atuin's history of a shell: the table `history` of `~/.local/share/atuin/history.db`. Newer ones say who typed a command:
//! a person, or an agent in the same shell.
//!
//! `history(id, timestamp, duration, exit, command, cwd, session, hostname, deleted_at, author, intent, author_kind)`, times
//! in nanoseconds, `hostname` as `host:user`, `exit` and `duration` -1 while nothing is known of the end.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::{ActorKind, Executed, GapKind, Hides, Outcome, Timestamp};
use crate::reader::recorder::{Found, Place, Recorder, some};
use crate::reader::sqlite::{Database, Row};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Atuin;

const NAME: &str = "atuin";
/// What stands in place of a command that was deleted: so many letters and digits by chance.
const NOISE: usize = 32;

impl Reader for Atuin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "atuin's shell history (~/.local/share/atuin/history.db)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let columns = ["id", "timestamp", "duration", "exit", "command", "cwd", "session", "hostname"];
        if sample.has_table("history", &columns) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut recorder = Recorder::new(source, NAME);
        let _ = database.each("history", source, out, &mut |row, out| one(&mut recorder, row, out));
        Ok(())
    }
}

fn one(recorder: &mut Recorder, row: &Row<'_>, out: &mut dyn Out) -> ControlFlow<()> {
    let place = Place { line: row.number(), offset: row.offset };
    let text = |column: &str| row.text(column).unwrap_or_default();
    let command = text("command");
    let deleted = row.integer("deleted_at").is_some();
    let is_noise = deleted && command.len() == NOISE && command.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if command.trim().is_empty() && !deleted {
        return out.issue(recorder.lost(place, "a row without a command", ""));
    }
    let mut found = Found::shell(if is_noise { String::new() } else { command }, place);
    if deleted {
        found.lacks(GapKind::Redacted, Hides::Anything, "deleted from the history by its user");
    }
    found.native = text("id");
    found.session = text("session");
    found.time = row.integer("timestamp").map(|time| Timestamp(time / 1_000));
    let hostname = text("hostname");
    let (host, user) = hostname.split_once(':').unwrap_or((&hostname, ""));
    found.surroundings.host = some(host);
    found.surroundings.user = some(user);
    // Commands that were taken over from another history have no folder.
    found.surroundings.cwd = some(&text("cwd")).filter(|cwd| cwd != "unknown");
    let author = text("author");
    let kind = match row.integer("author_kind") {
        Some(1) => ActorKind::Agent,
        Some(_) => ActorKind::Human,
        // Unless an agent says otherwise, the author is the account.
        None if author.is_empty() || author == user => ActorKind::Human,
        None => ActorKind::Agent,
    };
    let name = [author.as_str(), user, "unknown"].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    found.by(name, kind);
    let code = row.integer("exit").and_then(|code| i32::try_from(code).ok()).filter(|code| *code >= 0);
    found.outcome = Outcome {
        executed: Executed::Yes,
        succeeded: code.map(|code| code == 0),
        exit_code: code,
        ..Outcome::default()
    };
    out.action(recorder.action(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn who_ran_it_where_and_how_it_ended() {
        let bytes = include_bytes!("../../../corpora/atuin/history.db");
        let seen = read_all(&Atuin, "history.db", bytes);
        for line in [
            r#"L1 shell "git status" session=018f-term-1 actor=human:ada time=2026-03-02T08:00:00.25Z exec=yes ok exit=0 cwd=/home/ada/shop host=desk user=ada"#,
            r#"L4 shell "terraform destroy -auto-approve" session=018f-term-1 actor=agent:claude-code time=2026-03-02T08:03:00Z exec=yes failed exit=1 cwd=/home/ada/shop/infra host=desk user=ada"#,
            r#"L5 shell "" session=018f-term-1 actor=human:ada time=2026-03-02T08:04:00Z exec=yes host=desk user=ada gap=redacted/anything"#,
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
