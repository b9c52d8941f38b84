//! Commands recorded in the KYPO cyber range and its successor CRCZP: shells and Metasploit, with their folder.
//!
//! `[{"cmd":"nmap 10.1.26.9","cmd_type":"bash-command","wd":"/home/kali","username":"kali","sandbox_id":"123",…}]`

use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;

use serde_json::Value;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed};
use crate::reader::record::MAX_LINE;
use crate::reader::recorder::{Found, Place, Recorder, some};
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
        let mut recorder = Recorder::new(source, self.name());
        let mut bytes = Vec::new();
        let read = input.take(MAX_LINE as u64).read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = each_object(&text, |object, place| match serde_json::from_str::<Value>(object) {
            Ok(value) => record(&mut recorder, &value, place, out),
            Err(error) => out.issue(recorder.lost(place, format!("not a JSON object: {error}"), "")),
        });
        if bytes.len() == MAX_LINE {
            let place = Place { line: 0, offset: MAX_LINE as u64 };
            let _ =
                out.issue(recorder.lost(place, format!("the file is longer than {} MiB", MAX_LINE >> 20), "split it"));
        }
        read.map(|_| ())
    }
}

/// Calls `with` with every object of the outermost list, also of one that breaks off, and of JSON Lines.
fn each_object(text: &str, mut with: impl FnMut(&str, Place) -> ControlFlow<()>) -> ControlFlow<()> {
    let (mut depth, mut start, mut quoted, mut escaped, mut line) = (0u32, None, false, false, 1);
    let mut begun = Place { line: 1, offset: 0 };
    for (at, byte) in text.bytes().enumerate() {
        line += u64::from(byte == b'\n');
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => {
                if depth == 0 {
                    (start, begun) = (Some(at), Place { line, offset: at as u64 });
                }
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(start) = start.take()
                {
                    with(text.get(start..=at).unwrap_or(""), begun)?;
                }
            }
            _ => {}
        }
    }
    match start {
        Some(start) => with(text.get(start..).unwrap_or(""), begun),
        None => ControlFlow::Continue(()),
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
