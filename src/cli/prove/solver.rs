//! A solver as a process of its own: questions to its standard input, answers from its standard output.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::policy::prove::{Reply, Solver};

/// Printed after every answer, so that an answer cannot be taken for that of another question.
const END: &str = "nearmiss: end of answer";

const LATE: &str = "the solver did not answer in time";

/// What a solver has to print at most for one answer.
const MAX_ANSWER: usize = 16 << 20;

/// Questions after which a solver is started anew: `(reset)` does not forget everything, and it grows slower with each
/// question (tenfold after a hundred). A start costs less than one question.
const MAX_QUESTIONS: usize = 8;

/// How cvc5 is asked, one way after the other until one of them knows, each with its share of the time in thirtieths.
/// Some questions about patterns that one way never answers take another one no time at all.
const WAYS: &[(&[&str], u32)] = &[
    (&[], 1),
    (&["--re-elim=agg"], 3),
    (&[], 2),
    (&["--decision=internal", "--re-elim=on"], 12),
    (&["--strings-fmf"], 12),
];

/// cvc5, started when it is first asked, and again when it has died.
pub(super) struct Process {
    program: PathBuf,
    /// For one question, all ways together.
    limit: Duration,
    /// One per way, where it runs.
    running: Vec<Option<Running>>,
}

struct Running {
    child: Child,
    questions: usize,
    /// Written by a thread of its own: what does not read must not stop us.
    commands: Sender<String>,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The solver that the user names in `CVC5`, or the first `cvc5` on the path.
pub(super) fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CVC5").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let name = OsString::from(format!("cvc5{}", std::env::consts::EXE_SUFFIX));
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

impl Process {
    pub(super) fn new(program: &Path, limit: Duration) -> Self {
        Self { program: program.to_path_buf(), limit, running: WAYS.iter().map(|_| None).collect() }
    }

    /// Asks two questions with known answers: what says `unsat` to everything proves nothing.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.check_way(0)
    }

    fn check_way(&mut self, way: usize) -> Result<(), String> {
        let question = |holds: &str| {
            format!(
                "(reset)\n(set-option :produce-models true)\n(set-logic ALL)\n(declare-const s String)\n\
                 (assert (str.in_re s (re.++ (str.to_re \"a\") re.all)))\n(assert (= (str.contains s \"a\") {holds}))\n"
            )
        };
        match (self.answer(way, &question("true"))?, self.answer(way, &question("false"))?) {
            (Reply::Sat(_), Reply::Unsat) => Ok(()),
            _ => Err("it does not answer two easy questions as it should".to_owned()),
        }
    }

    /// What it calls itself: `cvc5 1.0.3`. It has answered before, so it answers this.
    pub(super) fn version(program: &Path) -> String {
        let said = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
        let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let word = said.split_once("version ").and_then(|(_, rest)| rest.split_whitespace().next());
        let number = word.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(shortened);
        number.map_or_else(|| "cvc5".to_owned(), |number| format!("cvc5 {number}"))
    }

    fn start(&self, way: usize) -> Result<Running, String> {
        let (arguments, limit) = (WAYS[way].0, self.limit(way));
        let failed = |error: std::io::Error| format!("{} could not be started: {error}", self.program.display());
        let mut child = Command::new(&self.program)
            // The version that Debian has knows `like` only as an experiment.
            .args(["--lang", "smt", "--strings-exp"])
            .args(arguments)
            .arg(format!("--tlimit-per={}", limit.as_millis()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (commands, questions) = channel::<String>();
        let (send, lines) = channel();
        let running = Running { child, questions: 0, commands, lines };
        let Some((mut input, output)) = pipes else { return Err("the solver has no pipes".to_owned()) };
        let write = move || {
            let mut sent = Ok(());
            while let (true, Ok(question)) = (sent.is_ok(), questions.recv()) {
                sent = input.write_all(question.as_bytes()).and_then(|()| input.flush());
            }
        };
        let read = move || {
            let mut output = BufReader::new(output);
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|read| read > 0) {
                if send.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        };
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let started = thread("questions").spawn(write).and_then(|_| thread("answers").spawn(read));
        started.map(|_| running).map_err(|error| format!("failed to start a thread: {error}"))
    }

    fn limit(&self, way: usize) -> Duration {
        self.limit * WAYS[way].1 / 30
    }

    fn answer(&mut self, way: usize, question: &str) -> Result<Reply, String> {
        // Whatever does not end well leaves nobody knows what behind.
        let mut running = match self.running[way].take().filter(|running| running.questions < MAX_QUESTIONS) {
            Some(running) => running,
            None => self.start(way)?,
        };
        running.questions += 1;
        // It keeps time itself; this is for one that does not.
        let deadline = Instant::now() + self.limit(way).mul_f32(1.5) + Duration::from_secs(1);
        match running.answer(question, deadline) {
            Ok(reply @ (Reply::Sat(_) | Reply::Unsat)) => {
                self.running[way] = Some(running);
                Ok(reply)
            }
            Ok(Reply::Unknown) => Ok(Reply::Unknown),
            Err(error) if error == LATE => Ok(Reply::Unknown),
            Err(error) => Err(error),
        }
    }
}

impl Solver for Process {
    fn ask(&mut self, question: &str) -> Result<Reply, String> {
        let first = self.answer(0, question);
        if !matches!(first, Ok(Reply::Unknown)) {
            return first;
        }
        for way in 1..WAYS.len() {
            // Another version may not know the way: then it is none.
            if self.running[way].is_none() && self.check_way(way).is_err() {
                continue;
            }
            if let Ok(reply @ (Reply::Sat(_) | Reply::Unsat)) = self.answer(way, question) {
                return Ok(reply);
            }
        }
        Ok(Reply::Unknown)
    }
}

impl Running {
    fn answer(&mut self, question: &str, deadline: Instant) -> Result<Reply, String> {
        let said = self.told(&format!("{question}(check-sat)\n"), deadline)?;
        match said.trim() {
            "unsat" => Ok(Reply::Unsat),
            "unknown" => Ok(Reply::Unknown),
            "sat" => {
                let model = self.told("(get-model)\n", deadline)?;
                if model.starts_with('(') && !model.starts_with("(error") {
                    Ok(Reply::Sat(model))
                } else {
                    Err(format!("the solver said `{}`", shortened(&model)))
                }
            }
            other => Err(format!("the solver said `{}`", shortened(other))),
        }
    }

    /// What is printed in answer to some commands.
    fn told(&mut self, commands: &str, deadline: Instant) -> Result<String, String> {
        // When nobody takes it any more, nobody answers either, which is noticed below.
        let _ = self.commands.send(format!("{commands}(echo \"{END}\")\n"));
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.trim().trim_matches('"') == END => return Ok(said),
                Ok(line) if said.len() + line.len() < MAX_ANSWER => said.push_str(&line),
                Ok(_) => return Err("the solver does not stop talking".to_owned()),
                Err(RecvTimeoutError::Timeout) => return Err(LATE.to_owned()),
                Err(RecvTimeoutError::Disconnected) if said.trim().is_empty() => return Err(self.ended()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the solver said `{}` and ended", shortened(&said)));
                }
            }
        }
    }

    fn ended(&mut self) -> String {
        for _ in 0..20 {
            match self.child.try_wait() {
                Ok(Some(status)) => return format!("the solver ended ({status})"),
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        "the solver closed its output".to_owned()
    }
}

fn shortened(said: &str) -> String {
    crate::report::escaped(&said.trim().chars().take(120).collect::<String>())
}
