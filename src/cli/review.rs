//! `nearmiss review`: look at pending snapshots one by one.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
#[cfg(unix)]
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::Context;

use crate::report::{escaped, hunks};

use super::pending::{self, Pending, Shelf};
use super::side::Side;
use super::{exit, terminal};

/// Look at pending snapshots one by one: accept, reject, or leave them for later
///
/// Where there is no terminal, it prints every difference and the commands that accept or reject it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Snapshots by name, corpus or file [default: all that are pending]
    names: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How long the signal that tells of a lost terminal may take to end us.
#[cfg(unix)]
const SIGNAL_COMES: Duration = Duration::from_secs(1);

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let (config, folder) = Side::config(arguments.config.clone())?;
    let all = Shelf::of(&config, &folder).pending()?;
    let pending =
        if arguments.names.is_empty() { all.iter().collect() } else { pending::chosen(&all, &arguments.names)? };
    if pending.is_empty() {
        terminal::note(&pending::listed(&all));
        return Ok(exit::OK);
    }
    let attended = io::stdin().is_terminal() && io::stdout().is_terminal() && !terminal::is_ci();
    if !attended {
        let config = arguments.config.as_ref().map(|path| format!(" --config {}", word(&path.display().to_string())));
        let mut out = anstream::stdout().lock();
        for one in &pending {
            print(one, config.as_deref().unwrap_or_default(), &mut out)?;
        }
        return Ok(exit::PENDING);
    }
    #[cfg(unix)]
    crate::tui::restore_at_signals()?;
    let left = decide(&pending, &mut Attended(console::Term::stdout()))?;
    Ok(if left == 0 { exit::OK } else { exit::PENDING })
}

/// One difference for whoever reads it without a terminal.
fn print(one: &Pending, config: &str, out: &mut dyn Write) -> io::Result<()> {
    head(one, out)?;
    difference(one, out)?;
    let name = word(&one.name);
    writeln!(out, "\n  to accept it: nearmiss accept {name}{config}\n  to reject it: nearmiss reject {name}{config}\n")
}

fn head(one: &Pending, out: &mut dyn Write) -> io::Result<()> {
    let kind = if one.accepted.is_some() { "changed" } else { "new" };
    writeln!(out, "{BOLD}{}{BOLD:#}  {kind}  {DIM}{}{DIM:#}\n", escaped(&one.found.source), one.file.display())
}

fn difference(one: &Pending, out: &mut dyn Write) -> io::Result<()> {
    let before = one.accepted.as_ref().map_or("", |accepted| accepted.contents.as_str());
    hunks(before, &one.found.contents, usize::MAX, out)
}

/// A word as a shell takes it.
fn word(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-/@%+=".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Somebody who looks and presses keys.
trait Reviewer {
    /// Shows a page in the place of the one before.
    fn show(&mut self, page: &str) -> io::Result<()>;
    /// The next key; `None` when there will be no more.
    fn key(&mut self) -> io::Result<Option<char>>;
}

struct Attended(console::Term);

impl Reviewer for Attended {
    fn show(&mut self, page: &str) -> io::Result<()> {
        self.0.clear_screen()?;
        anstream::stdout().write_all(page.as_bytes())
    }

    /// The terminal is raw only while this waits; Ctrl-C puts it back and ends the program.
    fn key(&mut self) -> io::Result<Option<char>> {
        loop {
            match self.0.read_key() {
                Ok(console::Key::Char(char)) => return Ok(Some(char)),
                Ok(_) => {}
                Err(error) => {
                    // A terminal ends when it is lost. That is told by a signal, whose thread may come to it after us.
                    #[cfg(unix)]
                    std::thread::sleep(SIGNAL_COMES);
                    return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
}

/// What is shown besides the question.
#[derive(Clone, Copy, Debug)]
struct View {
    info: bool,
    diff: bool,
}

/// Asks about one after the other and does at once what is answered. Returns how many are left.
fn decide(pending: &[&Pending], reviewer: &mut dyn Reviewer) -> anyhow::Result<usize> {
    let mut view = View { info: false, diff: true };
    let mut for_all = None;
    let mut done: Vec<(Answer, &Pending)> = Vec::new();
    for (at, one) in pending.iter().enumerate() {
        let answer = match for_all {
            Some(answer) => answer,
            None => match ask(one, (at + 1, pending.len()), &mut view, reviewer)? {
                Some((answer, all)) => {
                    for_all = all.then_some(answer);
                    answer
                }
                None => {
                    for_all = Some(Answer::Skip);
                    Answer::Skip
                }
            },
        };
        match answer {
            Answer::Accept => one.accept()?,
            Answer::Reject => one.reject()?,
            Answer::Skip => {}
        }
        done.push((answer, one));
    }
    let mut page = Vec::new();
    for (answer, verb, style) in
        [(Answer::Accept, "accepted", GREEN), (Answer::Reject, "rejected", RED), (Answer::Skip, "left", YELLOW)]
    {
        let those: Vec<&Pending> = done.iter().filter(|(given, _)| *given == answer).map(|(_, one)| *one).collect();
        if !those.is_empty() {
            writeln!(page, "{style}{verb}{style:#}")?;
        }
        for one in those {
            writeln!(page, "  {}  {DIM}{}{DIM:#}", escaped(&one.found.source), one.file.display())?;
        }
    }
    reviewer.show(&String::from_utf8(page).context("a page is text")?)?;
    Ok(done.iter().filter(|(answer, _)| *answer == Answer::Skip).count())
}

/// Asks about one until a key answers; `None` when the user leaves. The second of the answer is for all that remain.
fn ask(
    one: &Pending,
    (at, all): (usize, usize),
    view: &mut View,
    reviewer: &mut dyn Reviewer,
) -> anyhow::Result<Option<(Answer, bool)>> {
    loop {
        let mut page = Vec::new();
        write!(page, "{DIM}{at} of {all}{DIM:#}  ")?;
        draw(one, *view, &mut page)?;
        keys(one, *view, all - at, &mut page)?;
        reviewer.show(&String::from_utf8(page).context("a page is text")?)?;
        match reviewer.key()? {
            Some('a') => return Ok(Some((Answer::Accept, false))),
            Some('r') => return Ok(Some((Answer::Reject, false))),
            Some('s' | ' ') => return Ok(Some((Answer::Skip, false))),
            Some('A') => return Ok(Some((Answer::Accept, true))),
            Some('R') => return Ok(Some((Answer::Reject, true))),
            Some('S') => return Ok(Some((Answer::Skip, true))),
            Some('i') => view.info = !view.info,
            Some('d') => view.diff = !view.diff,
            Some('q') | None => return Ok(None),
            Some(_) => {}
        }
    }
}

fn draw(one: &Pending, view: View, page: &mut Vec<u8>) -> io::Result<()> {
    head(one, page)?;
    if view.info {
        writeln!(page, "  made by   {}", escaped(&one.found.expression))?;
        writeln!(page, "  accept    nearmiss accept {}", word(&one.name))?;
        writeln!(page, "  reject    nearmiss reject {}", word(&one.name))?;
        writeln!(page, "  waits in  {}\n", one.waiting.display())?;
    }
    if view.diff {
        return difference(one, page);
    }
    for line in one.found.contents.lines() {
        writeln!(page, "{}", escaped(line))?;
    }
    Ok(())
}

fn keys(one: &Pending, view: View, more: usize, page: &mut Vec<u8>) -> io::Result<()> {
    let reject = if one.accepted.is_some() { "keep what was accepted" } else { "throw it away" };
    writeln!(page, "\n  {GREEN}a{GREEN:#} accept  {DIM}this is how it shall be judged{DIM:#}")?;
    writeln!(page, "  {RED}r{RED:#} reject  {DIM}{reject}{DIM:#}")?;
    writeln!(page, "  {YELLOW}s{YELLOW:#} skip    {DIM}decide later{DIM:#}")?;
    let (info, diff) = (if view.info { "hide" } else { "show" }, if view.diff { "the whole text" } else { "the diff" });
    writeln!(page, "  {BOLD}i{BOLD:#} {info} info   {BOLD}d{BOLD:#} show {diff}   {BOLD}q{BOLD:#} quit")?;
    if more > 0 {
        writeln!(page, "  {DIM}A R S: the same for this one and the {more} after it{DIM:#}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::Snapshot;

    /// Presses keys and keeps what it was shown.
    struct Script {
        keys: Vec<char>,
        pages: Vec<String>,
    }

    impl Reviewer for Script {
        fn show(&mut self, page: &str) -> io::Result<()> {
            self.pages.push(anstream::adapter::strip_str(page).to_string());
            Ok(())
        }

        fn key(&mut self) -> io::Result<Option<char>> {
            Ok(if self.keys.is_empty() { None } else { Some(self.keys.remove(0)) })
        }
    }

    /// Four pending snapshots, the first of a corpus that has one; how many were left, which files are there, and what
    /// was shown.
    fn reviewed(keys: &str) -> (usize, Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::engine::Config::parse("x", "[test]\nsnapshots = \"s\"\n").unwrap();
        let shelf = Shelf::of(&config, folder.path());
        for name in ["one", "two", "three", "four"] {
            shelf.put(name, &Snapshot::new(name, "", "same\nafter\n")).unwrap();
        }
        std::fs::write(shelf.file("one"), Snapshot::new("one", "", "same\nbefore\n").written()).unwrap();
        let pending = shelf.pending().unwrap();
        let names: Vec<&str> = pending.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["four", "one", "three", "two"]);
        let mut script = Script { keys: keys.chars().collect(), pages: Vec::new() };
        let left = decide(&pending.iter().collect::<Vec<_>>(), &mut script).unwrap();
        let mut files: Vec<String> = std::fs::read_dir(folder.path().join("s"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        (left, files, script.pages)
    }

    #[test]
    fn one_key_answers_for_one() {
        let (left, files, pages) = reviewed("arsa");
        assert_eq!(left, 1);
        assert_eq!(files, ["four.snap", "one.snap", "three.snap.new", "two.snap"]);
        assert_eq!(pages.len(), 5);
        assert!(pages[4].starts_with("accepted\n  four") && pages[4].contains("rejected\n  one"), "{}", pages[4]);
    }

    #[test]
    fn a_capital_answers_for_all_that_remain() {
        let (left, files, pages) = reviewed("aR");
        assert_eq!((left, files), (0, vec!["four.snap".to_owned(), "one.snap".to_owned()]));
        assert_eq!(pages.len(), 3);
        assert_eq!(reviewed("A").0, 0);
        assert_eq!(reviewed("aS").0, 3);
    }

    #[test]
    fn who_leaves_has_said_nothing_about_the_rest() {
        for keys in ["aq", "a"] {
            let (left, files, _) = reviewed(keys);
            assert_eq!(left, 3);
            assert_eq!(files, ["four.snap", "one.snap", "one.snap.new", "three.snap.new", "two.snap.new"]);
        }
    }

    #[test]
    fn other_keys_only_change_what_is_shown() {
        let (left, _, pages) = reviewed("sxidS");
        assert_eq!(left, 4);
        // The second one: as it comes, after `x`, after `i`, after `d`.
        assert!(pages[1].contains("- before\n+ after\n") && !pages[1].contains("made by"), "{}", pages[1]);
        assert_eq!(pages[1], pages[2]);
        assert!(pages[3].contains("made by   nearmiss test one") && pages[3].contains("+ after"), "{}", pages[3]);
        assert!(pages[4].contains("\nsame\nafter\n"), "{}", pages[4]);
    }

    #[test]
    fn commands_can_be_copied() {
        assert_eq!(word("logs__day.jsonl"), "logs__day.jsonl");
        assert_eq!(word("it's $HOME"), r"'it'\''s $HOME'");
    }
}
