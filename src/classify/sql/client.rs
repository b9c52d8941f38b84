//! Lines for the client program itself: psql and mysql backslash commands, sqlite3 dot commands, sqlcmd, SQL*Plus.

use crate::model::{CodeOrigin, Extent, GapKind, Hides, Kind, Operation, Resource, ResourceKind, Span, Zone};

use super::cursor::Cursor;
use super::lexer::{Lexer, Token};
use super::{Run, control, dynamic, statement, transfer};
use crate::classify::command::Stream;
use crate::classify::command::{opened, written_text};
use crate::classify::{Language, Word};

/// Reads one such line; `tokens` are the statement that stands before it and that it may send.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token], line: Span) {
    let text = run.text;
    let Some(command) = text.get(line.start..line.end) else { return };
    let end = command.find([' ', '\t', '\'', '"']).unwrap_or(command.len());
    // `\!rm`, `!!dir`, `!ls` and `@script` need no space behind their mark.
    let end = ["\\!", "!!", "!", "@"].iter().find(|mark| command.starts_with(**mark)).map_or(end, |mark| mark.len());
    let (word, rest) = command.split_at(end);
    let at = line.start + end + (rest.len() - rest.trim_start().len());
    let rest = rest.trim();
    let lower = word.to_ascii_lowercase();
    if !tokens.is_empty() {
        statement::run(run, tokens);
    }
    match lower.as_str() {
        "\\!" | ".shell" | ".system" | "!!" | "!" | "host" | "system" => {
            if rest.is_empty() {
                run.put(
                    Operation::Execute,
                    Resource::new(ResourceKind::Code, ""),
                    Extent::One,
                    word,
                    Some(line),
                    |effect| {
                        effect.code = Some(CodeOrigin::Elsewhere);
                    },
                );
                run.gap(GapKind::HiddenCode, Hides::Anything, Some(line), "an interactive shell");
            } else {
                opened(run.scene, rest, Some(line));
                run.scene.run(Language::Shell, rest, at);
            }
        }
        "\\copy" => copy(run, at, rest, line),
        "\\i" | "\\ir" | "\\include" | "\\include_relative" | ".read" | "source" | "\\." | ":r" | "@" | "start" => {
            if let Some(code) = rest.strip_prefix('|') {
                run.scene.run(Language::Shell, code, at + 1);
                return;
            }
            let name = rest.trim_matches(['\'', '"']);
            let file = Word::known(name);
            if let Some((text, span)) = written_text(run.scene, &file).filter(|_| run.scene.enter_script()) {
                run.scene.run_kept(Language::Sql, &text, span);
                return;
            }
            // A script of the workspace is one with `psql -f` and with `sqlite3 x.db '.read f'`. Of what was sent to a
            // server nobody knows where it came from.
            if run.scene.action.kind != Kind::Shell {
                run.gap(GapKind::HiddenCode, Hides::Anything, Some(line), format!("script {name}"));
            }
            run.put(
                Operation::Execute,
                Resource::new(ResourceKind::File, name),
                Extent::One,
                word,
                Some(line),
                |effect| {
                    effect.code = Some(CodeOrigin::Local);
                },
            );
        }
        "\\o" | "\\out" | "\\g" | "\\gx" | "\\w" | "\\write" | ".output" | ".once" | ".excel" | "spool" | "tee"
        | ".backup" | ".save" | ".dump" | ".clone" | ":out" => output(run, word, at, rest, line),
        "\\gexec" if gexec(run, tokens, line) => {}
        "\\gexec" => {
            run.put(
                Operation::Execute,
                Resource::new(ResourceKind::Code, ""),
                Extent::Some,
                "\\gexec",
                Some(line),
                |effect| {
                    effect.code = Some(CodeOrigin::Dynamic);
                },
            );
            control::dynamic(run, Some(line), Hides::Anything);
        }
        "\\c" | "\\connect" | ".open" | "\\u" | ":connect" => {
            let name = rest.split_whitespace().next().unwrap_or_default();
            run.put(
                Operation::Connect,
                Resource::new(ResourceKind::Database, name),
                Extent::One,
                word,
                Some(line),
                |_| {},
            );
        }
        "\\password" => {
            run.put(Operation::Alter, Resource::new(ResourceKind::Role, rest), Extent::One, word, Some(line), |_| {})
        }
        "\\lo_import" | ".import" => {
            let path = rest
                .trim_start_matches(['-', ' '])
                .split_whitespace()
                .find(|word| !word.starts_with('-'))
                .unwrap_or_default();
            transfer::reads_file(run, path.trim_matches('\''), word, Some(line));
            if let Some(table) = rest.split_whitespace().last().filter(|_| lower == ".import") {
                run.put(
                    Operation::Update,
                    Resource::new(ResourceKind::Table, table),
                    Extent::Some,
                    word,
                    Some(line),
                    |_| {},
                );
            }
        }
        "\\lo_unlink" => run.put(
            Operation::Delete,
            Resource::new(ResourceKind::Item, "large object"),
            Extent::One,
            word,
            Some(line),
            |_| {},
        ),
        ".load" => super::routine::loads_library(run, rest, word, Some(line)),
        ".restore" | ".archive" | ".recover" => {
            run.put(
                Operation::Update,
                Resource::new(ResourceKind::Database, ""),
                Extent::All,
                word,
                Some(line),
                // What was there is gone, and nothing asks.
                |effect| effect.guard_off = lower == ".restore",
            );
        }
        "\\set" | "\\gset" if rest.contains('`') => {
            run.scene.run_word(Language::Shell, rest.split('`').nth(1).unwrap_or_default(), Some(line));
        }
        _ if lower.starts_with("\\d")
            || lower.starts_with("\\l")
            || lower.starts_with("\\z")
            || lower.starts_with("\\s") && lower != "\\set" =>
        {
            run.server(Operation::List, word, Some(line));
        }
        ".tables" | ".schema" | ".databases" | ".indexes" | ".indices" | ".show" | ".fullschema" => {
            run.server(Operation::List, word, Some(line))
        }
        "\\e" | "\\edit" | "\\ef" | "\\ev" => {
            run.gap(GapKind::HiddenCode, Hides::Anything, Some(line), "code written in an editor");
        }
        _ if HARMLESS.contains(&lower.trim_start_matches(['\\', '.', ':']).trim_end_matches(';')) => {}
        _ => run.gap(
            GapKind::UnknownStatement,
            Hides::Anything,
            Some(line),
            command.chars().take(60).collect::<String>(),
        ),
    }
}

/// `SELECT 'DROP TABLE ' || name FROM … \gexec`: what is known of the code that the query makes.
fn gexec(run: &mut Run<'_, '_, '_>, tokens: &[Token], line: Span) -> bool {
    let mut cursor = Cursor::new(run.text, tokens);
    if !cursor.eat("SELECT") {
        return false;
    }
    cursor.eat("DISTINCT");
    let Some(built) = dynamic::expression(run, &mut cursor) else { return false };
    dynamic::runs(run, &built, "\\gexec", Some(line));
    true
}

/// Commands that only change how the client shows things.
const HARMLESS: &[&str] = &[
    "",
    "?",
    "a",
    "auth",
    "bail",
    "bind",
    "c",
    "cd",
    "changes",
    "close_prepared",
    "conninfo",
    "copyright",
    "crosstabview",
    "crlf",
    "dbconfig",
    "dbinfo",
    "delimiter",
    "echo",
    "elif",
    "else",
    "encoding",
    "endif",
    "endpipeline",
    "eqp",
    "error",
    "errverbose",
    "exit",
    "explain",
    "f",
    "flush",
    "flushrequest",
    "g",
    "gdesc",
    "getenv",
    "getresults",
    "gset",
    "h",
    "headers",
    "help",
    "html",
    "if",
    "limit",
    "lint",
    "listvar",
    "mode",
    "nopager",
    "nowarning",
    "nullvalue",
    "on",
    "p",
    "pager",
    "parameter",
    "parse",
    "print",
    "prompt",
    "pset",
    "q",
    "qecho",
    "quit",
    "r",
    "reset",
    "restrict",
    "sendpipeline",
    "separator",
    "serverlist",
    "set",
    "setenv",
    "setvar",
    "startpipeline",
    "stats",
    "syncpipeline",
    "t",
    "timeout",
    "timer",
    "timing",
    "unrestrict",
    "unset",
    "version",
    "w",
    "warn",
    "warnings",
    "watch",
    "width",
    "x",
    "xml",
];

/// `\copy t to '/tmp/x'` is COPY with the client's files.
fn copy(run: &mut Run<'_, '_, '_>, at: usize, rest: &str, line: Span) {
    let mut lexer = Lexer::new(run.text, run.dialect);
    lexer.jump(at);
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        lexer.skip_space();
        if lexer.at >= line.end {
            break;
        }
        let Some(token) = lexer.token() else { break };
        tokens.push(token);
    }
    // The reader wants a verb in front; any token will do.
    let head = Token { kind: super::lexer::Kind::Word, start: line.start, end: line.start + 5 };
    tokens.insert(0, head);
    if rest.is_empty() || !transfer::run(run, Cursor::new(run.text, &tokens), "COPY") {
        run.gap(GapKind::Unparsed, Hides::Anything, Some(line), "\\copy");
    }
}

/// Where results go from now on: a file, or a program.
fn output(run: &mut Run<'_, '_, '_>, word: &str, at: usize, rest: &str, line: Span) {
    if let Some(code) = rest.strip_prefix('|') {
        // What the statements yield flows in.
        let stdin = Stream { connected: true, ..Stream::default() };
        run.scene.run_piped(code, Ok(at + 1), stdin);
    } else if !rest.is_empty() && !rest.starts_with('(') && rest != "stdout" && !rest.eq_ignore_ascii_case("off") {
        let path = rest.trim_matches(['\'', '"']);
        let what = Resource::new(ResourceKind::Database, "");
        transfer::export(run, what, Extent::Some, word, Some(line), Zone::Local, path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn client_commands_are_actions_too() {
        check("postgres", "\\copy users to '/tmp/u'", "export Table users (all, local /tmp/u)");
        check("postgres", "\\copy users to /tmp/u.csv csv", "export Table users (all, local /tmp/u.csv)");
        check(
            "postgres",
            "\\copy (select * from users) to u.csv",
            "read Table users (all)\nexport Table users (all, local u.csv)",
        );
        check(
            "postgres",
            "\\i setup.sql",
            "execute File setup.sql (one, local code)\ngap hidden-code: script setup.sql",
        );
        check("postgres", "SELECT 'DROP TABLE logs' \\gexec", "drop Table logs (all)");
        check(
            "postgres",
            "SELECT format('DROP TABLE %I', relname) FROM pg_class \\gexec",
            "read Table pg_class (all, internal)\ndrop Table relname (all, unresolved, lexical)\ngap unresolved-variable: relname",
        );
        check("postgres", "\\d users", "list Server (all)");
        check("sqlite", ".import /tmp/u.csv users", "read File /tmp/u.csv (all, temporary)\nupdate Table users (some)");
        check("sqlite", ".frobnicate\nDROP TABLE logs", "drop Table logs (all)\ngap unknown-statement: .frobnicate");
    }
}
