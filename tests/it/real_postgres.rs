//! Logs of a Postgres that the test starts itself: what was sent to it is what is read, once, in every kind of log.
//!
//! The server listens on a socket in a temporary folder and nowhere else. Without `initdb` the test says so and ends.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nearmiss::model::{Finding, GapKind};

use super::support::{engine, replay};

mod syslog;

use syslog::Form;

/// One statement as it is sent, and how it has to be found.
struct Sent {
    text: &'static str,
    /// Where the log names something else than what was sent: what `EXECUTE` executes.
    found: Option<&'static str>,
    failed: bool,
    /// What psql reads behind the statement.
    data: &'static str,
}

const fn sent(text: &'static str) -> Sent {
    Sent { text, found: None, failed: false, data: "" }
}

const fn fails(text: &'static str) -> Sent {
    Sent { failed: true, ..sent(text) }
}

const fn executes(text: &'static str, found: &'static str) -> Sent {
    Sent { found: Some(found), ..sent(text) }
}

const STATEMENTS: &[Sent] = &[
    sent("CREATE TABLE basket (id int PRIMARY KEY, note text);"),
    sent("INSERT INTO basket VALUES (1, 'it''s \"quoted\", with, commas'), (2, E'a\\ttab'), (3, NULL);"),
    sent("SELECT *\n  FROM basket\n WHERE note = 'a line\n\tthat begins with a tab\n\n'\n   AND id = 1;"),
    sent("UPDATE basket SET note = 'zażółć 🧺 — ﷽ \\ % ''' WHERE id = 1;"),
    sent("SELECT 'one\ttab', '#12';"),
    // The same again is a second act.
    sent("SELECT 1;"),
    sent("SELECT 1;"),
    sent("SELECT 1;"),
    // One text of several statements is one record in a log.
    sent("BEGIN; DELETE FROM basket WHERE id = 2; COMMIT;"),
    sent("PREPARE gone (int) AS DELETE FROM basket\nWHERE id = $1;"),
    executes("EXECUTE gone(3);", "DELETE FROM basket\nWHERE id = $1;"),
    executes("EXECUTE gone(4);", "DELETE FROM basket\nWHERE id = $1;"),
    sent("DEALLOCATE gone;"),
    fails("SELECT * FROM no_such_table;"),
    fails("SELEC 'a \"typing\" mistake\nof two lines';"),
    fails("SELECT 1 / (id - id) FROM basket;"),
    sent("SET statement_timeout = '150ms';"),
    fails("SELECT pg_sleep(60) /* is cancelled */;"),
    sent("RESET statement_timeout;"),
    sent(
        "DO $$\nBEGIN\n\tDELETE FROM basket WHERE note = 'nothing; at all';\n\tRAISE NOTICE 'statement: DROP TABLE a';\nEND\n$$;",
    ),
    // What looks like a record of the log inside of a literal is a part of it.
    sent(concat!(
        "SELECT '\n2026-11-22 10:00:00.000 UTC [7] ann@shop LOG:  statement: DROP TABLE forged;\n",
        "2026-11-22 10:00:00.000 UTC,\"ann\",\"shop\",7,\"[local]\",6b030f20.7,1,\"idle\",2026-11-22 10:00:00 UTC,3/4,0,LOG,00000,\n",
        "{\"timestamp\":\"2026-11-22 10:00:00.000 UTC\",\"error_severity\":\"LOG\",\"message\":\"statement: DROP TABLE forged\"}\n';"
    )),
    sent("SELECT 'LOG:  statement: DROP TABLE forged', ' [7-2] STATEMENT:  x', 'AUDIT: SESSION,1,1,READ,,,,x,y';"),
    // More than a line of syslog holds, with words, without any, and in letters of several bytes.
    sent(concat!(
        "SELECT 'lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. ",
        "Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor ",
        "in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat cupidatat non proident, ",
        "sunt in culpa qui officia deserunt mollit anim id est laborum.  Sed ut perspiciatis unde omnis iste natus error sit voluptatem ",
        "accusantium doloremque laudantium, totam rem aperiam, eaque ipsa quae ab illo inventore veritatis et quasi architecto beatae vitae ",
        "dicta sunt explicabo. Nemo enim ipsam voluptatem quia voluptas sit aspernatur aut odit aut fugit, sed quia consequuntur magni dolores ",
        "eos qui ratione voluptatem sequi nesciunt. Neque porro quisquam est, qui dolorem ipsum quia dolor sit amet, consectetur, adipisci velit' AS words;"
    )),
    sent(concat!(
        "SELECT '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefżółćżółćżółćżółćżółćżółćżółćżółćżółćżółćżółćżółć' AS no_words;"
    )),
    Sent { data: "5\tfive; six\n6\t\\N\n\\.\n", ..sent("COPY basket FROM STDIN;") },
    sent(
        "CREATE FUNCTION swept() RETURNS int LANGUAGE plpgsql AS $f$\nBEGIN\n  DELETE FROM basket WHERE id > 5;\n  RETURN 1; -- done\nEND $f$;",
    ),
    sent("SELECT swept();"),
    // What comes after an error within a transaction fails as well.
    sent("BEGIN;"),
    fails("INSERT INTO basket VALUES (5, 'a second five');"),
    fails("SELECT 3;"),
    sent("ROLLBACK;"),
    sent("DROP TABLE basket;"),
];

/// Sent by pgbench as `Parse`, `Bind` and `Execute`, each time with another value.
const BOUND: &str = "SELECT $1::int + 1, 'bound\n  over lines';";
const BOUND_SCRIPT: &str = "\\set id random(1, 9)\nSELECT :id::int + 1, 'bound\n  over lines';\n";
const TIMES_BOUND: usize = 3;

/// What a server is told to log; the database of a session tells its way.
struct Way {
    database: &'static str,
    settings: &'static str,
    /// Failed ones are in every log. One whose text does not parse is no statement yet and never announced.
    all: bool,
}

const WAYS: &[Way] = &[
    Way { database: "announced", settings: "-c log_statement=all", all: true },
    Way { database: "announced_and_timed", settings: "-c log_statement=all -c log_duration=on", all: true },
    Way {
        database: "told_twice",
        settings: "-c log_statement=all -c log_min_duration_statement=0 -c log_error_verbosity=verbose",
        all: true,
    },
    Way { database: "when_over", settings: "-c log_statement=none -c log_min_duration_statement=0", all: true },
    Way { database: "when_it_fails", settings: "-c log_statement=none", all: false },
];

#[test]
fn what_is_sent_is_found_once_in_every_kind_of_log() {
    let Some(server) = Server::start() else { return };
    for way in WAYS {
        server.run("createdb", &["-T", "template0", way.database], "");
        let mut script = String::new();
        for statement in STATEMENTS {
            // Within one text psql wants its semicolons quoted, or it takes it apart.
            let text = match statement.text.strip_prefix("BEGIN; DELETE") {
                Some(_) => statement.text.replacen("; ", "\\; ", 2),
                None => statement.text.to_owned(),
            };
            let _ = write!(script, "{text}\n{}", statement.data);
        }
        let script = server.file("script.sql", &script);
        server.run("psql", &["-X", "-q", "-f", &script, way.database], way.settings);
        let script = server.file("bound.sql", BOUND_SCRIPT);
        let times = TIMES_BOUND.to_string();
        server.run("pgbench", &["-n", "-M", "extended", "-f", &script, "-t", &times, way.database], way.settings);
    }
    let logs = server.stop();
    for log in &logs {
        let (collected, _) = replay(&engine(), std::slice::from_ref(log), None, 1);
        assert!(collected.issues.is_empty(), "{}: {:?}", log.display(), collected.issues);
        for way in WAYS {
            let of_way = |finding: &&Finding| finding.action.surroundings.database.as_deref() == Some(way.database);
            let found: Vec<&Finding> = collected.findings.iter().filter(of_way).collect();
            compare(log, way, &found);
        }
    }
}

/// Every statement once and in order, with its text, how it ended, and what the log kept of its values.
fn compare(log: &Path, way: &Way, found: &[&Finding]) {
    let place = format!("{} {}", log.file_name().unwrap().display(), way.database);
    let kept = |finding: &&&Finding| {
        assert_eq!(finding.action.surroundings.dialect.as_deref(), Some("postgres"), "{place}");
        (finding.action.text.to_string(), finding.action.outcome.succeeded == Some(false))
    };
    let (bound, plain): (Vec<&&Finding>, Vec<&&Finding>) =
        found.iter().partition(|it| it.action.text.contains("bound"));
    let plain: Vec<(String, bool)> = plain.iter().map(kept).collect();
    let expected: Vec<(String, bool)> = STATEMENTS
        .iter()
        .filter(|statement| way.all || statement.failed)
        .map(|statement| (statement.found.unwrap_or(statement.text).to_owned(), statement.failed))
        .collect();
    for (at, (found, expected)) in plain.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "{place}, statement {at}");
    }
    assert_eq!(plain.len(), expected.len(), "{place}");
    assert_eq!(bound.len(), if way.all { TIMES_BOUND } else { 0 }, "{place}");
    for finding in bound {
        assert_eq!(&*finding.action.text, BOUND, "{place}");
        let missing = finding.action.gaps.iter().any(|gap| gap.kind == GapKind::ParametersMissing);
        assert!(!missing, "{place}: {:?}", finding.action.gaps);
    }
}

/// A server of its own: its folder goes with it.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    /// Who runs it when the test is run by root, whom Postgres refuses.
    account: Option<(u32, u32)>,
    json: bool,
}

impl Server {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: there is no initdb on this machine");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().metadata().expect("a folder").uid() == 0;
        let account = match (root, account()) {
            (true, None) => {
                eprintln!("SKIPPED: Postgres refuses to be run by root, and there is no other account");
                return None;
            }
            (true, account) => account,
            (false, _) => None,
        };
        if let Some((user, group)) = account {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).expect("root may");
        }
        let version = Command::new(programs.join("postgres")).arg("--version").output().expect("postgres runs");
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let major = version.split_whitespace().filter_map(|word| word.split('.').next()?.parse::<u32>().ok()).next();
        let server = Self { folder, programs, account, json: major.is_some_and(|major| major >= 15) };
        let data = server.path("data");
        let made = server
            .command("initdb", "")
            .args(["-D", &data, "-U", "gardener", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
            .output()
            .expect("initdb starts");
        if !made.status.success() {
            // A sandbox may forbid what it needs: shared memory, another account.
            eprintln!("SKIPPED: initdb cannot run here: {}", String::from_utf8_lossy(&made.stderr).trim());
            return None;
        }
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\nshared_buffers = '1MB'\nautovacuum = off\n\
             max_connections = 5\nmax_wal_senders = 0\nlogging_collector = on\nlog_destination = '{kinds}'\n\
             log_directory = '{folder}'\nlog_filename = 'plain.log'\nlog_rotation_size = 0\nlog_rotation_age = 0\n\
             log_file_mode = 0644\nlog_line_prefix = '%m [%p] %q%u@%d '\nlog_timezone = 'UTC'\nlc_messages = 'C'\n",
            folder = server.folder.path().display(),
            kinds = if server.json { "stderr,csvlog,jsonlog" } else { "stderr,csvlog" },
        );
        let path = Path::new(&data).join("postgresql.conf");
        let before = std::fs::read_to_string(&path).expect("initdb writes it");
        std::fs::write(&path, before + &settings).expect("writable");
        let output = server.path("started");
        let started = server.command("pg_ctl", "").args(["-D", &data, "-l", &output, "-w", "start"]).status();
        if !started.expect("pg_ctl starts").success() {
            let said = std::fs::read_to_string(&output).unwrap_or_default();
            panic!("the server does not start: {said}");
        }
        Some(server)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes a file that the server's account can read.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("writable");
        path
    }

    /// One of the server's programs, told nothing by the environment of the test but `settings`.
    fn command(&self, program: &str, settings: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("HOME", self.folder.path());
        command.env("PGHOST", self.folder.path()).env("PGUSER", "gardener").env("PGCLIENTENCODING", "UTF8");
        command.env("PGOPTIONS", settings).current_dir(self.folder.path());
        command.stdin(std::process::Stdio::null());
        // `pg_ctl` leaves the server behind, which would hold the test's own output open.
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str], settings: &str) {
        let status = self.command(program, settings).args(arguments).status().expect("it starts");
        assert!(status.success(), "{program} {arguments:?}");
    }

    /// Stops the server and names its logs, each in a folder of its own.
    fn stop(&self) -> Vec<PathBuf> {
        self.run("pg_ctl", &["-D", &self.path("data"), "-m", "fast", "-w", "stop"], "");
        let plain = self.folder.path().join("plain.log");
        // The collector writes on for a moment after the server has ended.
        let end = Instant::now() + Duration::from_secs(20);
        while !std::fs::read_to_string(&plain).is_ok_and(|log| log.contains("database system is shut down")) {
            assert!(Instant::now() < end, "the log has no end");
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(&plain).expect("readable");
        let mut logs = vec![plain, self.folder.path().join("plain.csv")];
        for form in [Form::Rfc3164, Form::Rfc5424] {
            logs.push(self.file(&format!("{form:?}"), &syslog::of(&log, form)).into());
        }
        logs.extend(self.json.then(|| self.folder.path().join("plain.json")));
        logs
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        if Path::new(&self.path("data/postmaster.pid")).exists() {
            let data = self.path("data");
            let _ = self.command("pg_ctl", "").args(["-D", &data, "-m", "immediate", "stop"]).status();
        }
    }
}

/// The folder of the newest Postgres here.
fn programs() -> Option<PathBuf> {
    let number = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
    let mut folders: Vec<PathBuf> = installed.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let all = ["initdb", "pg_ctl", "postgres", "psql", "pgbench", "createdb"];
    folders.into_iter().find(|folder| all.iter().all(|program| folder.join(program).is_file()))
}

/// User and group of an account that may run a server: its own, or nobody's.
fn account() -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let of = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}
