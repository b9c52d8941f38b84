//! However it ends, the terminal is as it was.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::terminal::{Key, Start, Terminal};

use super::{NIGHT, Project, assert_painted, loaded, open_group, quit};

/// How somebody, or something, ends it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Type(&'static str),
    Press(Key),
    Signal(Signal),
}

/// Every way, and the exit code that goes with it.
const WAYS: [(Way, i32); 6] = [
    (Way::Type("q"), 0),
    (Way::Press(Key::Ctrl('c')), 130),
    (Way::Signal(Signal::SIGINT), 130),
    (Way::Signal(Signal::SIGTERM), 143),
    (Way::Signal(Signal::SIGHUP), 129),
    (Way::Signal(Signal::SIGQUIT), 131),
];

#[track_caller]
fn end(mut terminal: Terminal, way: Way, code: i32) {
    match way {
        Way::Type(keys) => drop(terminal.type_keys(keys)),
        Way::Press(key) => drop(terminal.press(key)),
        Way::Signal(signal) => drop(terminal.signal(signal)),
    }
    let asked = Instant::now();
    assert_eq!(terminal.wait_exit().code(), code, "{way:?}:\n{}", terminal.text());
    // Nobody waits for what is still being read.
    assert!(asked.elapsed() < Duration::from_secs(10), "{way:?} took {:?}", asked.elapsed());
    terminal.assert_restored();
}

#[test]
fn when_everything_was_read() {
    let project = Project::new();
    for (way, code) in WAYS {
        let Some(terminal) = project.open() else { return };
        end(terminal, way, code);
    }
}

#[test]
fn while_something_is_open() {
    let project = Project::new();
    // A line being written, a box that asks, a detail, help, clicks that are taken.
    for keys in ["/rece", "i", "t", "\r", "?", "m", ":", "f"] {
        for (way, code) in [WAYS[1], WAYS[3]] {
            let Some(terminal) = project.open() else { return };
            if ["i", "t"].contains(&keys) {
                open_group(&terminal, "receipts");
                terminal.wait_for("[ ] BLOCK");
            }
            let pictures = terminal.look(|screen| screen.updates);
            terminal.type_keys(keys).wait_until("another picture", |screen| screen.updates > pictures);
            end(terminal, way, code);
        }
    }
    assert!(project.written().is_empty(), "{:?}", project.written());
}

/// A file that has a beginning and no end yet.
fn endless(project: &Project) -> File {
    let pipe = project.path("pipe.jsonl");
    // A new one every time: what nobody read stays in a pipe.
    let _ = fs::remove_file(&pipe);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Open for both: nobody has to be there yet, and it never ends.
    OpenOptions::new().read(true).write(true).open(&pipe).unwrap()
}

#[test]
fn while_it_waits_for_the_rest_of_a_file() {
    let project = Project::new();
    for (way, code) in WAYS {
        let mut writer = endless(&project);
        let Some(terminal) = project.start(&["pipe.jsonl"]).start() else { return };
        terminal.wait_for("reading");
        writer.write_all(NIGHT.as_bytes()).unwrap();
        terminal.assert_taken();
        assert!(terminal.look(|screen| screen.contains("reading")), "{}", terminal.text());
        end(terminal, way, code);
    }
}

/// A log of so many actions, in which nothing is like the line before.
fn long_log(actions: u32) -> String {
    let mut log = String::new();
    for number in 0..actions {
        // Who is in production now and then is one circumstance away from what is stopped there.
        let (verb, place) =
            if number % 100 == 1 { ("SELECT * FROM", "production") } else { ("DELETE FROM", "staging") };
        let rows = if number % 50 == 0 { String::new() } else { format!(" WHERE id = {number}") };
        log += &format!(
            "{{\"kind\":\"sql\",\"text\":\"{verb} t{number}{rows}\",\"session\":\"s{}\",\
             \"environment\":\"{place}\",\"actor\":{{\"name\":\"robin\",\"kind\":\"human\"}}}}\n",
            number / 40
        );
    }
    log
}

#[test]
fn while_it_reads() {
    let project = Project::new();
    let log = long_log(12_000);
    for (way, code) in WAYS {
        let mut writer = endless(&project);
        let Some(terminal) = project.start(&["pipe.jsonl"]).start() else { return };
        let log = log.clone();
        // What is not read any more is never written: the thread ends with the tests.
        std::thread::spawn(move || writer.write_all(log.as_bytes()));
        // Something is there to look at before all is read, and it can be looked at.
        terminal.wait_until("rows while it reads", |screen| screen.contains("reading") && screen.contains(">d1"));
        terminal.type_keys("jjk").press(Key::Enter).wait_for("what if");
        assert!(terminal.look(|screen| screen.contains("reading")), "{}", terminal.text());
        end(terminal, way, code);
    }
}

/// With another filter, while the reading before it has not ended.
#[test]
fn while_it_reads_again() {
    let project = Project::new();
    fs::write(project.path("long.jsonl"), long_log(20_000)).unwrap();
    let Some(terminal) = project.start(&["long.jsonl"]).start() else { return };
    terminal.wait_for("[near-misses").type_keys("factor(robin)").press(Key::Enter).wait_for("filter actor(robin)");
    terminal.type_keys("f").press(Key::Ctrl('u')).type_keys("kind(sql)").press(Key::Enter);
    terminal.wait_for("filter kind(sql)");
    end(terminal, Way::Signal(Signal::SIGTERM), 143);
}

#[test]
fn a_connection_that_is_lost() {
    let project = Project::new();
    let Some(mut terminal) = project.open() else { return };
    assert_eq!(terminal.hang_up().code(), 129);
    // While it reads, there is nobody either.
    let _writer = endless(&project);
    let Some(mut terminal) = project.start(&["pipe.jsonl"]).start() else { return };
    terminal.wait_for("reading");
    assert_eq!(terminal.hang_up().code(), 129);
}

#[test]
fn it_can_be_put_aside_and_taken_up_again() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    open_group(&terminal, "receipts");
    terminal.type_keys("\u{1b}").wait_for("near-misses").type_keys("m");
    terminal.wait_until("clicks for us", |screen| !screen.modes.mouse.is_empty());
    for by_key in [true, false, true] {
        if by_key {
            terminal.press(Key::Ctrl('z'));
        } else {
            terminal.signal(Signal::SIGTSTP);
        }
        wait_for_state(&terminal, 'T');
        // It may have stopped before all that it wrote was taken in.
        terminal.wait_until("the user's screen", |screen| !screen.modes.alternate && screen.modes.mouse.is_empty());
        terminal.assert_restored();
        terminal.resize(90, 28).signal(Signal::SIGCONT);
        terminal.wait_for("near-misses").wait_for("DELETE FROM receipts");
        terminal.wait_until("clicks for us again", |screen| !screen.modes.mouse.is_empty());
        terminal.assert_taken();
        assert_painted(&terminal);
    }
    quit(terminal);
}

/// Nothing can be done about SIGSTOP; a shell then takes the terminal as it is. Afterwards it is taken anew.
#[test]
fn it_goes_on_after_it_was_stopped_by_force() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.signal(Signal::SIGSTOP);
    wait_for_state(&terminal, 'T');
    terminal.restore_attributes();
    terminal.signal(Signal::SIGCONT);
    let until = Instant::now() + Duration::from_secs(30);
    while !terminal.is_raw() {
        assert!(Instant::now() < until, "it goes on, and keys are echoed");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_painted(&terminal);
    quit(terminal);
}

/// Keys behind the one that ends it were meant for the shell.
#[test]
fn nothing_is_done_after_the_end() {
    let project = Project::new();
    let Some(mut terminal) = project.open() else { return };
    open_group(&terminal, "receipts");
    terminal.wait_for("[ ] BLOCK").type_keys("qty");
    assert_eq!(terminal.wait_exit().code(), 0);
    terminal.assert_restored();
    assert!(project.written().is_empty(), "{:?}", project.written());
}

/// Waits until the kernel says so of the program.
#[track_caller]
fn wait_for_state(terminal: &Terminal, wanted: char) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", terminal.pid())).unwrap();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if state == Some(wanted) {
            return;
        }
        assert!(Instant::now() < until, "the program is {state:?}, not {wanted}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_wrong_is_said_without_taking_the_screen() {
    let project = Project::new();
    fs::write(project.path("broken.cedar"), "forbid (principal, action").unwrap();
    for (arguments, variable, code, said) in [
        (&["no-such-file.jsonl"][..], ("A", "b"), 3, "no-such-file.jsonl"),
        (&["night.jsonl", "-E", "nonsense("], ("A", "b"), 2, "nonsense"),
        (&["night.jsonl", "--policy", "broken.cedar"], ("A", "b"), 2, "broken.cedar"),
        (&["night.jsonl"], ("TERM", "dumb"), 2, "nearmiss near"),
        (&["-"], ("A", "b"), 2, "standard input"),
    ] {
        let start = project.start(arguments).env(variable.0, variable.1);
        let Some(mut terminal) = start.start() else { return };
        let ended = terminal.wait_exit().code();
        let text = terminal.text();
        assert_eq!(ended, code, "{arguments:?}:\n{text}");
        assert!(text.replace('\n', "").contains(said), "{arguments:?}:\n{text}");
        assert_eq!(terminal.look(|screen| screen.updates), 0, "a picture was painted:\n{text}");
        terminal.assert_restored();
    }
}

#[test]
fn where_there_is_no_terminal_it_says_what_to_use() {
    let project = Project::new();
    // A session of its own has no terminal.
    let mut command = Command::new("setsid");
    command.args(["--wait", env!("CARGO_BIN_EXE_nearmiss"), "tui", "night.jsonl"]).current_dir(project.0.path());
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        return eprintln!("SKIPPED: there is no `setsid` on this machine");
    };
    let said = crate::support::stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nearmiss near") && output.stdout.is_empty(), "{output:?}");
}

/// A terminal is one file, and there may be no room for more: then it does not begin, or ends, but leaves nothing behind.
#[test]
fn with_hardly_any_files_to_open() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return eprintln!("SKIPPED: there is no `prlimit` (util-linux) on this machine");
    }
    let project = Project::new();
    // With four a program can hardly be loaded.
    for files in 5..20 {
        let limit = format!("--nofile={files}");
        let Some(mut terminal) = project.start(&["night.jsonl"]).through(&["prlimit", &limit]).start() else { return };
        let pid = terminal.pid();
        let is_over = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
        let until = Instant::now() + Duration::from_secs(60);
        while !is_over() && !terminal.look(|screen| screen.updates > 0 && !screen.contains("reading")) {
            assert!(Instant::now() < until, "with {files} files it neither shows anything nor ends");
            std::thread::sleep(Duration::from_millis(10));
        }
        if !is_over() {
            terminal.type_keys("jq");
        }
        let code = terminal.wait_exit().code();
        assert!([0, 1, 2, 3].contains(&code), "with {files} files: {code}\n{}", terminal.text());
        terminal.assert_restored();
    }
}

/// Whatever is pasted where a filter is asked for, it is no reason to fall over.
#[test]
fn a_filter_that_is_far_too_deep() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    for text in ["(".repeat(20_000), "not ".repeat(20_000), "kind(sql) & ".repeat(5_000)] {
        terminal.type_keys("f").wait_for("filter: ").press(Key::Ctrl('u')).paste(&text).press(Key::Enter);
        terminal.press(Key::Esc).type_keys("j").wait_for("10 actions");
    }
    quit(terminal);
}

/// What this program itself starts with is what it leaves, also where keys are not read line by line.
#[test]
fn a_terminal_that_was_raw_stays_raw() {
    let project = Project::new();
    fs::write(project.path("raw"), "stty -icanon -echo min 3; \"$0\" tui night.jsonl; stty -a > after; stty sane")
        .unwrap();
    let script = fs::read_to_string(project.path("raw")).unwrap();
    let start = Start::nearmiss(&[]).folder(project.0.path()).program("sh");
    let Some(mut terminal) = start.arguments(&["-c", &script, env!("CARGO_BIN_EXE_nearmiss")]).start() else { return };
    terminal.wait_for("10 actions  5 sessions in").type_keys("q");
    terminal.wait_exit();
    let after = fs::read_to_string(project.path("after")).unwrap();
    for word in ["-icanon", "-echo ", "min = 3"] {
        assert!(after.contains(word), "{word} in\n{after}");
    }
}

/// Standard input and output may be anything: keys come from the terminal, and pictures go there.
#[test]
fn standard_input_and_output_are_left_alone() {
    let project = Project::new();
    let script = "\"$0\" tui night.jsonl < night.jsonl > out.txt";
    let start = Start::nearmiss(&[]).folder(project.0.path()).program("sh");
    let start = start.arguments(&["-c", script, env!("CARGO_BIN_EXE_nearmiss")]);
    let Some(terminal) = start.start().map(loaded) else { return };
    quit(terminal);
    assert_eq!(fs::read_to_string(project.path("out.txt")).unwrap(), "");
}
