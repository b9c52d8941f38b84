//! Commands recorded in the KYPO cyber range and its successor CRCZP: shells and Metasploit, with their folder.
//!
//! `[{"cmd":"nmap 10.1.26.9","cmd_type":"bash-command","wd":"/home/kali","username":"kali","sandbox_id":"123",…}]`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed};
use crate::reader::recorder::{Found, Log, Objects, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from kypo`
#[derive(Clone, Copy, Debug)]
pub struct Kypo;

impl Reader for Kypo {
    fn name(&self) -> &'static str {
        "kypo"
    }

    fn about(&self) -> &'static str {
        "KYPO cyber range command logs (useractions.json, JSON Lines): shell and Metasploit"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let start = text.trim_start();
        let marks = text.contains("\"cmd_type\"") && text.contains("\"cmd\"") && text.contains("\"sandbox_id\"");
        if start.starts_with(['[', '{']) && marks { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        read_lines(&mut Commands { recorder, objects: Objects::default() }, input, source, out)
    }
}

struct Commands {
    recorder: Recorder,
    objects: Objects,
}

impl Log for Commands {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        for (object, place) in self.objects.line(line, place) {
            self.object(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.objects.rest() {
            Some((object, place)) => self.object(&object, place, out),
            None => ControlFlow::Continue(()),
        }
    }
}

impl Commands {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        match serde_json::from_str::<Value>(object) {
            Ok(value) => record(&mut self.recorder, &value, place, out),
            Err(error) => out.issue(self.recorder.lost(place, format!("not a JSON object: {error}"), "")),
        }
    }
}

fn record(recorder: &mut Recorder, value: &Value, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
    let text = |key: &str| match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let command = text("cmd");
    if command.trim().is_empty() {
        out.nothing();
        return ControlFlow::Continue(());
    }
    let mut found = match text("cmd_type").as_str() {
        // The words of msfconsole are not those of a shell.
        "msf-command" => Found::exec(vec!["msfconsole".to_owned(), "-q".to_owned(), "-x".to_owned(), command], place),
        _ => Found::shell(command, place),
    };
    found.time = read_time(&text("timestamp_str")).map(|read| read.time);
    found.by(text("username"), ActorKind::Human);
    found.session = format!("{}/{}@{}", text("sandbox_id"), text("username"), text("hostname"));
    found.surroundings.cwd = some(&text("wd")).filter(|cwd| cwd.starts_with('/'));
    found.surroundings.host = some(&text("hostname"));
    found.surroundings.user = some(&text("username"));
    found.outcome.executed = Executed::Yes;
    out.action(recorder.action(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn lists_and_lists_that_break_off() {
        let seen = read_all(
            &Kypo,
            "k.json",
            b"[\n {\"cmd\":\"ls {\",\"cmd_type\":\"bash-command\",\"wd\":\"/srv\",\"username\":\"ann\",\"hostname\":\"h\",\"sandbox_id\":\"7\",\"timestamp_str\":\"2021-06-30T06:25:28.440Z\"},\n {\"cmd\":\"exploit\",\"cmd_type\":\"msf-command\",\"sandbox_id\":7},\n {\"cmd\":\"id",
        );
        assert_eq!(
            seen.trim_end(),
            "L2 shell \"ls {\" session=7/ann@h actor=human:ann time=2021-06-30T06:25:28.44Z exec=yes cwd=/srv host=h user=ann\n\
             L3 exec \"msfconsole -q -x exploit\" argv=[\"msfconsole\", \"-q\", \"-x\", \"exploit\"] session=7/@ actor=human: exec=yes\n\
             L4 issue: not a JSON object: EOF while parsing a string at line 1 column 10"
        );
    }
}
