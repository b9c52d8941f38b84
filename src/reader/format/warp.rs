//! Warp, the terminal: the table `commands` of `warp.sqlite`, with what a person typed and what its agent ran.
//!
//! `commands(id, command, exit_code, start_ts, completed_ts, pwd, shell, username, hostname, session_id, is_agent_executed)`,
//! times as `2026-03-02 08:00:00.250`, in UTC.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::{ActorKind, Executed, Outcome};
use crate::reader::recorder::{Found, Place, Recorder, some};
use crate::reader::sqlite::{Database, Row};
use crate::reader::transcript::{civil_moment, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Warp;

const NAME: &str = "warp";

impl Reader for Warp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "commands of the Warp terminal, its agent's among them (warp.sqlite)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let columns = ["command", "exit_code", "start_ts", "completed_ts", "pwd", "session_id"];
        if sample.has_table("commands", &columns) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut recorder = Recorder::new(source, NAME);
        let _ = database.each("commands", source, out, &mut |row, out| one(&mut recorder, row, out));
        Ok(())
    }
}

fn one(recorder: &mut Recorder, row: &Row<'_>, out: &mut dyn Out) -> ControlFlow<()> {
    let text = |column: &str| row.text(column).unwrap_or_default();
    let command = text("command");
    if command.trim().is_empty() {
        out.nothing();
        return ControlFlow::Continue(());
    }
    let mut found = Found::shell(command, Place { line: row.number(), offset: row.offset });
    let started = text("start_ts");
    found.time = civil_moment(&started).or_else(|| moment(&started));
    found.session = row.text("session_id").map(|session| format!("warp/{session}")).unwrap_or_default();
    let user = text("username");
    if row.integer("is_agent_executed") == Some(1) {
        found.by(NAME, ActorKind::Agent);
    } else {
        found.by(if user.is_empty() { "unknown" } else { &user }, ActorKind::Human);
    }
    found.surroundings.cwd = some(&text("pwd"));
    found.surroundings.user = some(&user);
    found.surroundings.host = some(&text("hostname"));
    let code = row.integer("exit_code").and_then(|code| i32::try_from(code).ok());
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
    fn persons_and_the_agent_share_a_terminal() {
        let seen = read_all(&Warp, "warp.sqlite", include_bytes!("../../../corpora/warp/warp.sqlite"));
        for line in [
            "L1 shell \"cd infra\" session=warp/17000000001 actor=human:ada time=2026-03-02T08:00:00.25Z exec=yes ok exit=0 cwd=/home/ada host=desk user=ada",
            "L2 shell \"terraform apply -auto-approve\" session=warp/17000000001 actor=agent:warp time=2026-03-02T08:00:05Z exec=yes failed exit=1 cwd=/home/ada/infra host=desk user=ada",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
