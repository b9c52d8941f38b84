//! The log of the Linux audit daemon: programs that were run, with everybody's login behind them.
//!
//! `type=EXECVE msg=audit(1700000000.123:45): argc=3 a0="rm" a1="-r" a2=2F746D702F612062`

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::sudo::words;
use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from auditd`
#[derive(Clone, Copy, Debug)]
pub struct Auditd;

/// So many events are held until all of their records are here; those of several processors come mixed.
const MAX_HELD: usize = 1024;
/// A title is cut at this length.
const MAX_TITLE: usize = 127;

impl Reader for Auditd {
    fn name(&self) -> &'static str {
        "auditd"
    }

    fn about(&self) -> &'static str {
        "Linux audit log (audit.log, ausearch --raw): executed programs and sudo commands"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let records = text.lines().take(100).filter(|line| Record::of(line).is_some()).count();
        if records > 0 { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        let mut log = AuditLog { recorder, held: VecDeque::new(), first: 0, known: HashMap::new() };
        read_lines(&mut log, input, source, out)
    }
}

/// One line.
#[derive(Debug)]
struct Record<'a> {
    node: &'a str,
    sort: &'a str,
    /// `1700000000.123:45`
    stamp: &'a str,
    rest: &'a str,
}

impl<'a> Record<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let start = line.find("type=")?;
        let before = &line[..start];
        let node = before.rsplit("node=").next().filter(|_| before.contains("node=")).unwrap_or("").trim();
        let (sort, rest) = line[start + 5..].split_once(' ')?;
        // The kernel's own messages have no `msg=`.
        let rest = rest.strip_prefix("msg=").unwrap_or(rest).strip_prefix("audit(")?;
        let (stamp, rest) = rest.split_once(')')?;
        let (time, serial) = stamp.split_once(':')?;
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (seconds, fraction) = time.split_once('.')?;
        let sort = sort.strip_suffix(']').and_then(|sort| sort.strip_prefix("UNKNOWN[")).unwrap_or(sort);
        let whole = number(seconds) && number(fraction) && number(serial) && !sort.is_empty();
        whole.then(|| Self { node, sort: named(sort), stamp, rest: rest.trim_start_matches([':', ' ']) })
    }

    fn time(&self) -> Option<Timestamp> {
        let (seconds, fraction) = self.stamp.split(':').next()?.split_once('.')?;
        let micros = format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
        Some(Timestamp(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?))
    }
}

/// The kernel writes numbers.
fn named(sort: &str) -> &str {
    match sort {
        "1300" => "SYSCALL",
        "1302" => "PATH",
        "1307" => "CWD",
        "1309" => "EXECVE",
        "1320" => "EOE",
        "1327" => "PROCTITLE",
        "1123" => "USER_CMD",
        other => other,
    }
}

/// Calls `field` with each name and value, and whether it is in quotes; also those that are enriched, behind `\x1d`,
/// and those inside `msg='…'`.
fn each_field<'a>(text: &'a str, mut field: impl FnMut(&'a str, &'a str, bool)) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\x1d', '\'', ',']);
        let Some(equals) = rest.find('=') else { return };
        let name = rest[..equals].rsplit([' ', '\x1d', '\'']).next().unwrap_or("");
        rest = &rest[equals + 1..];
        if name == "msg" && rest.starts_with('\'') {
            continue;
        }
        if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find('"').unwrap_or(inner.len());
            field(name, &inner[..end], true);
            rest = inner.get(end + 1..).unwrap_or("");
        } else {
            let end = rest.find([' ', '\x1d', '\'']).unwrap_or(rest.len());
            field(name, &rest[..end], false);
            rest = &rest[end..];
        }
    }
}

/// A value that whoever acts can choose: in quotes, or as hexadecimal bytes when something in it could mislead.
fn untrusted(value: &str, quoted: bool) -> String {
    if quoted {
        return value.to_owned();
    }
    String::from_utf8_lossy(&bytes(value).unwrap_or_else(|| value.as_bytes().to_vec())).into_owned()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

/// Everything that was said about one event.
#[derive(Debug, Default)]
struct Event {
    place: Place,
    time: Option<Timestamp>,
    key: String,
    node: String,
    records: u64,
    executes: bool,
    refused: bool,
    auid: String,
    auid_name: String,
    uid: String,
    uid_name: String,
    ses: String,
    comm: String,
    exe: String,
    cwd: String,
    argc: Option<usize>,
    /// By number, then by part: long ones come in several records.
    args: BTreeMap<usize, BTreeMap<usize, String>>,
    title: Option<(Vec<String>, bool)>,
    /// What sudo says it was asked for.
    command: Option<String>,
    acct: String,
}

const UNSET: &[&str] = &["4294967295", "-1", "unset", ""];

impl Event {
    fn take(&mut self, record: &Record<'_>) {
        self.records += 1;
        match record.sort {
            "SYSCALL" => self.syscall(record.rest),
            "EXECVE" => self.execve(record.rest),
            "CWD" => each_field(record.rest, |name, value, quoted| {
                if name == "cwd" {
                    self.cwd = untrusted(value, quoted);
                }
            }),
            "PROCTITLE" => each_field(record.rest, |name, value, quoted| {
                if name == "proctitle" {
                    let whole = if quoted { value.as_bytes().to_vec() } else { bytes(value).unwrap_or_default() };
                    let words = whole.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
                    self.title = Some((words.collect(), whole.len() >= MAX_TITLE));
                }
            }),
            "USER_CMD" => self.user_command(record.rest),
            _ => {}
        }
    }

    fn who(&mut self, name: &str, value: &str) {
        let slot = match name {
            "auid" => &mut self.auid,
            "AUID" => &mut self.auid_name,
            "uid" => &mut self.uid,
            "UID" => &mut self.uid_name,
            "ses" => &mut self.ses,
            _ => return,
        };
        value.clone_into(slot);
    }

    fn syscall(&mut self, rest: &str) {
        let (mut arch, mut number) = ("", "");
        each_field(rest, |name, value, quoted| match name {
            "arch" => arch = value,
            "syscall" => number = value,
            "SYSCALL" => self.executes |= matches!(value, "execve" | "execveat"),
            "success" => self.refused = value == "no",
            "comm" => self.comm = untrusted(value, quoted),
            "exe" => self.exe = untrusted(value, quoted),
            _ => self.who(name, value),
        });
        self.executes |= matches!(
            (arch, number),
            (_, "execve" | "execveat")
                | ("c000003e" | "x86_64", "59" | "322")
                | ("40000003" | "i386", "11" | "358")
                | ("c00000b7" | "aarch64", "221" | "281")
        );
    }

    fn execve(&mut self, rest: &str) {
        each_field(rest, |name, value, quoted| {
            if name == "argc" {
                self.argc = value.parse().ok();
                return;
            }
            // `a3`, or `a3[1]` for the second part of a long one.
            let Some(name) = name.strip_prefix('a') else { return };
            let (number, part) = match name.split_once('[') {
                Some((number, part)) => (number, part.trim_end_matches(']').parse().ok()),
                None => (name, Some(0)),
            };
            if let (Ok(number), Some(part)) = (number.parse(), part) {
                self.args.entry(number).or_default().insert(part, untrusted(value, quoted));
            }
        });
    }

    fn user_command(&mut self, rest: &str) {
        each_field(rest, |name, value, quoted| match name {
            "cwd" => self.cwd = untrusted(value, quoted),
            "cmd" => self.command = Some(untrusted(value, quoted)),
            "acct" => self.acct = untrusted(value, quoted),
            "res" => self.refused = value.starts_with("failed") || value == "0",
            _ => self.who(name, value),
        });
    }

    /// The words that were run, and whether some are missing.
    fn argv(&mut self) -> Option<(Vec<String>, bool)> {
        if let Some(command) = &self.command {
            let mut argv = vec!["sudo".to_owned()];
            argv.extend(words(command));
            return Some((argv, false));
        }
        if !self.args.is_empty() {
            let there = self.args.len();
            let mut argv: Vec<String> =
                std::mem::take(&mut self.args).into_values().map(|parts| parts.into_values().collect()).collect();
            // Of a call that failed the record names who called.
            if !self.refused {
                self.name_program(&mut argv);
            }
            return Some((argv, self.argc.is_some_and(|argc| argc > there)));
        }
        if !self.executes {
            return None;
        }
        if let Some((title, cut)) = self.title.take().filter(|(title, _)| title.iter().any(|word| !word.is_empty())) {
            return Some((title, cut));
        }
        (!self.exe.is_empty()).then(|| (vec![self.exe.clone()], true))
    }

    /// The first word is what the caller says the program is called; the kernel knows which one it was.
    fn name_program(&self, argv: &mut [String]) {
        let base = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
        let said = argv.iter().take(2).map(|word| base(word)).collect::<Vec<_>>();
        let Some(first) = said.first() else { return };
        let known = |name: &String| {
            // `comm` has room for 15 bytes.
            !name.is_empty() && (*name == base(&self.exe) || name.get(..15).unwrap_or(name) == self.comm)
        };
        if !self.exe.starts_with('/') || known(first) || said.get(1).is_some_and(known) {
            return;
        }
        argv[0].clone_from(&self.exe);
    }

    fn found(mut self) -> Option<Found> {
        let (argv, cut) = self.argv()?;
        let mut found = Found::exec(argv, self.place);
        if cut {
            found.lacks(GapKind::Truncated, Hides::Anything, "arguments");
        }
        found.time = self.time;
        found.native.clone_from(&self.key);
        let number = |id: &str| if id == "0" { "root".to_owned() } else { id.to_owned() };
        let name = |id: &str, name: &str| if UNSET.contains(&name) { number(id) } else { name.to_owned() };
        let user = name(&self.uid, &self.uid_name);
        if UNSET.contains(&self.auid.as_str()) {
            // Nobody logged in for this: something that was started with the machine.
            found.by(&user, ActorKind::Service);
        } else {
            found.by(name(&self.auid, &self.auid_name), ActorKind::Unknown);
        }
        let session = if UNSET.contains(&self.ses.as_str()) { "no login" } else { &self.ses };
        found.session = if self.node.is_empty() { session.to_owned() } else { format!("{session}@{}", self.node) };
        found.surroundings.cwd = some(&self.cwd).filter(|cwd| cwd.starts_with('/'));
        found.surroundings.host = some(&self.node);
        found.surroundings.user = some(&user);
        found.outcome.executed = if self.refused { Executed::No } else { Executed::Yes };
        Some(found)
    }
}

struct AuditLog {
    recorder: Recorder,
    held: VecDeque<Event>,
    /// The number of the first event that is held.
    first: usize,
    known: HashMap<String, usize>,
}

impl Log for AuditLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let Some(record) = Record::of(line) else {
            return out.issue(self.recorder.lost(place, "not a record of an audit log", ""));
        };
        let key = format!("{} {}", record.node, record.stamp);
        let at = match self.known.get(&key) {
            Some(at) => *at,
            None => {
                let (time, node) = (record.time(), record.node.to_owned());
                self.held.push_back(Event { place, time, node, key: key.clone(), ..Event::default() });
                let at = self.first + self.held.len() - 1;
                self.known.insert(key, at);
                at
            }
        };
        if let Some(event) = self.held.get_mut(at - self.first) {
            event.take(&record);
        }
        while self.held.len() > MAX_HELD {
            self.release(out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while !self.held.is_empty() {
            self.release(out)?;
        }
        ControlFlow::Continue(())
    }
}

impl AuditLog {
    fn release(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(event) = self.held.pop_front() else { return ControlFlow::Continue(()) };
        self.first += 1;
        self.known.remove(&event.key);
        let records = event.records;
        let found = event.found();
        for _ in u64::from(found.is_some())..records {
            out.nothing();
        }
        match found {
            Some(found) => out.action(self.recorder.action(found)),
            None => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(read_all(&Auditd, "audit.log", input.as_bytes()).trim_end(), expected);
    }

    const SYSCALL: &str = "arch=c000003e syscall=59 success=yes exit=0 a0=55 a1=55 ppid=1 pid=2 auid=1000 uid=0 ses=3 comm=\"rm\" exe=\"/usr/bin/rm\" key=\"exec\"";

    #[test]
    fn records_of_one_event_are_joined() {
        check(
            &format!(
                "type=SYSCALL msg=audit(1700000000.123:45): {SYSCALL}\x1dAUID=\"ann\" UID=\"root\"\n\
                 type=SYSCALL msg=audit(1700000000.124:46): arch=c000003e syscall=2 auid=1000\n\
                 type=EXECVE msg=audit(1700000000.123:45): argc=3 a0=\"rm\" a1=\"-r\" a2=2F746D702F612062\n\
                 type=CWD msg=audit(1700000000.123:45):  cwd=\"/srv\"\n\
                 type=PROCTITLE msg=audit(1700000000.123:45): proctitle=726D\n"
            ),
            "L1 exec \"rm -r '/tmp/a b'\" argv=[\"rm\", \"-r\", \"/tmp/a b\"] session=3 actor=unknown:ann time=2023-11-14T22:13:20.123Z exec=yes cwd=/srv user=root\n\
             nothing: 4",
        );
    }

    #[test]
    fn a_program_that_calls_itself_another_is_named_by_the_kernel() {
        check(
            &format!(
                "node=web1 type=SYSCALL msg=audit(1700000000.123:45): {SYSCALL}\n\
                 node=web1 type=EXECVE msg=audit(1700000000.123:45): argc=2 a0=\"kworker\" a1=\"/data\"\n"
            ),
            "L1 exec \"/usr/bin/rm /data\" argv=[\"/usr/bin/rm\", \"/data\"] session=3@web1 actor=unknown:1000 time=2023-11-14T22:13:20.123Z exec=yes host=web1 user=root\n\
             nothing: 1",
        );
    }

    #[test]
    fn long_arguments_come_in_parts_and_missing_ones_are_said() {
        check(
            "type=EXECVE msg=audit(1700000000.1:1): argc=3 a0=\"echo\" a1_len=8 a1[0]=61622063\n\
             type=EXECVE msg=audit(1700000000.1:1): a1[1]=64656667\n",
            "L1 exec \"echo 'ab cdefg'\" argv=[\"echo\", \"ab cdefg\"] session=no login actor=service: time=2023-11-14T22:13:20.1Z exec=yes gap=truncated/anything\n\
             nothing: 1",
        );
    }

    #[test]
    fn sudo_commands_and_broken_lines() {
        check(
            "type=USER_CMD msg=audit(1700000000.1:1): pid=9 uid=1000 auid=1000 ses=6 msg='cwd=\"/root\" cmd=6C73202D6C exe=\"/usr/bin/sudo\" terminal=? res=failed'\n\
             type=EXECVE msg=audit(): argc=1\n",
            "L2 issue: not a record of an audit log\n\
             L1 exec \"sudo ls -l\" argv=[\"sudo\", \"ls\", \"-l\"] session=6 actor=unknown:1000 time=2023-11-14T22:13:20.1Z exec=no cwd=/root user=1000",
        );
    }
}
