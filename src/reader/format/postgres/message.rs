//! What one message of the server says: `duration: 0.3 ms  statement: DELETE FROM users WHERE id = 3;`

use std::borrow::Cow;

use super::audit::{self, Audited};
use super::words::{self, Severity};

/// What one message of the server says about its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A statement is run now, or was run and took so long.
    Runs {
        text: Cow<'a, str>,
        how: How,
        timed: bool,
    },
    /// auto_explain shows the plan by which this was run.
    Planned(Cow<'a, str>),
    /// What is running has ended well; the statement itself was logged before, or is of no interest to the server.
    Ended,
    /// What was running has failed.
    Failed,
    Audit(Audited<'a>),
    Connected,
    Authorized {
        user: &'a str,
        database: &'a str,
    },
    Disconnected,
    /// Nothing about a statement.
    Other,
    /// Something was run, and the message does not say what.
    Hidden(&'static str),
}

/// How a statement came to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// As one text, possibly of several statements; it cannot have parameters.
    Simple,
    /// Prepared, with parameters apart.
    Prepared,
    /// More rows of something that was executed before.
    Fetch,
    /// Only known from the STATEMENT field of another message.
    Mentioned,
}

/// Reads the message of one entry.
pub(super) fn read(severity: Severity, message: &str) -> Said<'_> {
    match severity {
        Severity::Error => return Said::Failed,
        // A NOTICE is written by whoever wrote the function that raises it.
        Severity::Lesser if !message.starts_with("AUDIT: ") => return Said::Other,
        Severity::Log | Severity::Lesser => {}
    }
    if let Some(rest) = words::after(message, words::DURATION) {
        return read_duration(rest);
    }
    if let Some(said) = read_run(message, false) {
        return said;
    }
    if let Some(rest) = message.strip_prefix("AUDIT: ") {
        return audit::read(rest).map_or(Said::Hidden("an AUDIT line that is not of nine fields"), Said::Audit);
    }
    if words::after(message, words::CONNECTED).is_some() {
        return Said::Connected;
    }
    if let Some(rest) = words::after(message, words::AUTHORIZED) {
        // `user=admin database=shop application_name=psql SSL enabled (…)`, the keys in any language.
        return Said::Authorized { user: value(rest, 0), database: value(rest, 1) };
    }
    if words::after(message, words::DISCONNECTED).is_some() {
        return Said::Disconnected;
    }
    if let Some(rest) = message.strip_prefix("received replication command: ") {
        return Said::Runs { text: rest.into(), how: How::Simple, timed: false };
    }
    if message.starts_with("fastpath function call: ") {
        return Said::Hidden("a fastpath call, which is logged without its arguments");
    }
    match message.split_once(": ") {
        // `수행시간: 0.014 ms`: three digits of milliseconds are a duration, in whatever language.
        Some((_, rest)) if is_milliseconds(rest) => read_duration(rest),
        _ => Said::Other,
    }
}

fn is_milliseconds(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    whole > 0
        && text[whole..]
            .strip_prefix('.')
            .is_some_and(|fraction| digits(fraction) == 3 && fraction[3..].starts_with(' '))
}

/// Whether only a Postgres server says this, after a label that others use as well.
pub(crate) fn is_of_postgres(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "database system ",
        "starting PostgreSQL",
        "listening on ",
        "checkpoint ",
        "relation \"",
        "automatic ",
        "process ",
        "temporary file: ",
        "there is no transaction in progress",
        "permission denied for ",
        "canceling statement ",
    ];
    PHRASES.iter().any(|phrase| text.starts_with(phrase)) || read(Severity::Log, text) != Said::Other
}

/// After `duration: `.
fn read_duration(rest: &str) -> Said<'_> {
    // `0.358 ms`, `26,120 ms`, and the unit in the server's language.
    let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    let rest = rest[number..].trim_start_matches(' ');
    let unit = rest.find([' ', ',']).unwrap_or(rest.len());
    let rest = rest[unit..].trim_start_matches([' ', ',']);
    if rest.is_empty() {
        return Said::Ended;
    }
    if let Some(plan) = rest.strip_prefix("plan:") {
        return match explained(plan.trim_start()) {
            Some(text) => Said::Planned(text),
            None => Said::Hidden("an auto_explain plan without a query text"),
        };
    }
    if rest.starts_with("fastpath function call: ") {
        return Said::Hidden("a fastpath call, which is logged without its arguments");
    }
    read_run(rest, true).unwrap_or(Said::Hidden("a duration of something unknown"))
}

/// `statement: …`, `execute name: …`, and the steps before an execution.
fn read_run(text: &str, timed: bool) -> Option<Said<'_>> {
    if let Some(text) = words::after(text, words::STATEMENT) {
        return Some(Said::Runs { text: text.into(), how: How::Simple, timed });
    }
    let (how, rest) = match words::after(text, words::FETCH) {
        Some(rest) => (How::Fetch, rest),
        None => match words::after(text, words::EXECUTE) {
            Some(rest) => (How::Prepared, rest),
            // Parsing and binding do nothing by themselves, and there are bare durations for them anyway. Without
            // a duration these words begin other messages.
            None => return (timed && is_step(text)).then_some(Said::Other),
        },
    };
    // The name of the prepared statement, and of the portal after a `/`.
    let colon = rest.find(": ").or_else(|| rest.find(':'))?;
    Some(Said::Runs { text: rest[colon + 1..].into(), how, timed })
}

fn is_step(text: &str) -> bool {
    let before_colon = text.split(':').next().unwrap_or("");
    words::after(text, words::STEP).is_some() || words::STEP_LAST.iter().any(|word| before_colon.ends_with(word))
}

/// The query text of an auto_explain plan.
fn explained(plan: &str) -> Option<Cow<'_, str>> {
    if plan.starts_with('{') {
        #[derive(serde::Deserialize)]
        struct Plan<'a> {
            #[serde(borrow, rename = "Query Text")]
            text: Cow<'a, str>,
        }
        return serde_json::from_str::<Plan<'_>>(plan).ok().map(|plan| plan.text);
    }
    let text = plan.strip_prefix("Query Text: ")?;
    // The plan begins with the first line that has costs; a query has none unless it is made to.
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if line.contains("  (cost=") || line.contains(" (actual ") || line.starts_with("Query Parameters: ") {
            break;
        }
        end += line.len();
    }
    Some(text[..end].into())
}

/// The value of the `nth` pair of `a=b c=d`; a value reaches to the last space before the next `=`.
fn value(text: &str, nth: usize) -> &str {
    let Some((start, _)) = text.match_indices('=').nth(nth) else { return "" };
    let rest = &text[start + 1..];
    match rest.find('=') {
        Some(next) => rest[..next].rfind(' ').map_or("", |space| &rest[..space]),
        None => rest.split(' ').next().unwrap_or(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let shown = match read(Severity::Log, message) {
            Said::Runs { text, how, timed } => format!("{how:?}{} {text}", if timed { " timed" } else { "" }),
            Said::Planned(text) => format!("planned {text}"),
            Said::Audit(audited) => format!("audit {}", audited.text),
            other => format!("{other:?}"),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn statements_and_durations() {
        check("statement: SELECT 1;", "Simple SELECT 1;");
        check("execute <unnamed>: SELECT $1", "Prepared  SELECT $1");
        check("execute fetch from S_1/C_2: SELECT 1", "Fetch  SELECT 1");
        check("duration: 12.5 ms", "Ended");
        check("duration: 12.5 ms  statement: SELECT 1", "Simple timed SELECT 1");
        check("duration: 0.1 ms  execute S_1/C_2: SELECT 1", "Prepared timed  SELECT 1");
        check("duration: 0.1 ms  parse S_1: SELECT 1", "Other");
        check("duration: 0.1 ms statement: SELECT 1", "Simple timed SELECT 1");
        check("checkpoint starting: time", "Other");
    }

    #[test]
    fn other_languages() {
        check("Dauer: 1.5 ms  Anweisung: SELECT 1", "Simple timed SELECT 1");
        check("durée : 1.5 ms, instruction : SELECT 1", "Simple timed SELECT 1");
        check("продолжительность: 1.5 мс  выполнение S_1: SELECT 1", "Prepared timed  SELECT 1");
        check("执行时间: 1.5 ms 语句: SELECT 1", "Simple timed SELECT 1");
        check("kesto: 1.523 ms", "Ended");
        check("kesto: 1.523 ms  lause: SELECT 1", "Hidden(\"a duration of something unknown\")");
        check("실행시간: 1.5 ms  P_0 구문분석: SELECT 1", "Other");
    }

    #[test]
    fn connections_name_their_user() {
        check("connection received: host=10.0.0.9 port=51762", "Connected");
        check(
            "connection authorized: user=ann lee database=shop application_name=psql SSL enabled (protocol=TLSv1.3)",
            "Authorized { user: \"ann lee\", database: \"shop\" }",
        );
        check("connection authorized: user=ann database=shop", "Authorized { user: \"ann\", database: \"shop\" }");
    }

    #[test]
    fn explained_plans_name_their_query() {
        check(
            "duration: 3.2 ms  plan:\nQuery Text: SELECT *\nFROM t;\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)",
            "planned SELECT *\nFROM t;\n",
        );
        check(r#"duration: 3.2 ms  plan:{"Query Text":"SELECT 1","Plan":{}}"#, "planned SELECT 1");
    }
}
