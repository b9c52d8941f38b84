//! Reads what stands before `LOG:` by its looks: `2026-11-22 10:00:00.5 UTC [71] ann@shop `

use super::time::read_time;
use super::words::{Found, find_label};
use crate::model::Timestamp;

/// What a prefix tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) zone_guessed: bool,
    pub(super) started: Option<Timestamp>,
    pub(super) user: &'a str,
    pub(super) database: &'a str,
    pub(super) pid: &'a str,
    pub(super) session: &'a str,
    pub(super) number: Option<u64>,
    /// The host a syslog line names.
    pub(super) server: &'a str,
    /// Written by way of syslog: long lines come in pieces, a TAB as `#011`.
    pub(super) syslog: bool,
}

/// Finds prefix and label by looks: any of the prefixes people use says `[pid]`, `user@database` or `user=`.
pub(super) fn guess(line: &str) -> Option<(Head<'_>, Found)> {
    let found = find_label(line)?;
    let head = look(&line[..found.start]);
    // Other programs write `ERROR: ` as well; with nothing at all before it, it is a server without a prefix.
    let marked = head.time.is_some() || !head.pid.is_empty() || !head.session.is_empty();
    (found.start == 0 || marked).then_some((head, found))
}

/// Reads a prefix by looks.
pub(super) fn look(prefix: &str) -> Head<'_> {
    let mut head = Head::default();
    let at_start = read_time(prefix);
    let rest = at_start.map_or(prefix, |read| &prefix[read.length..]);
    if let Some(read) = at_start.or_else(|| read_time(prefix.get(later_time(prefix)?..)?)) {
        (head.time, head.zone_guessed) = (Some(read.time), read.zone_guessed);
    }
    look_into_brackets(rest, &mut head);
    look_for_pairs(rest, &mut head);
    if head.user.is_empty()
        && head.database.is_empty()
        && let Some(at) = rest.rfind('@')
    {
        let edge = |c: char| matches!(c, ' ' | ':' | '[' | ']' | '(' | ')' | ',' | '/' | '|');
        head.user = &rest[rest[..at].rfind(edge).map_or(0, |edge| edge + 1)..at];
        head.database = &rest[at + 1..rest[at + 1..].find(edge).map_or(rest.len(), |edge| at + 1 + edge)];
    }
    if head.pid.is_empty() && head.session.is_empty() {
        let words = || rest.split([' ', ',', ';', '|']).map(|word| word.trim_matches(['(', ')', ':']));
        let number = |word: &&str| (1..=7).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        // A session's own name is worth more than any number, which might be a line's or a port's.
        head.session = words().find(|word| is_session(word)).unwrap_or("");
        if head.session.is_empty() && at_start.is_some() {
            head.pid = words().find(number).unwrap_or("");
        }
    }
    head
}

/// Where a time starts that is not at the very start: `db-1  | 2026-11-22 …`.
fn later_time(prefix: &str) -> Option<usize> {
    let bytes = prefix.as_bytes();
    memchr::memchr_iter(b'-', bytes)
        .filter_map(|dash| dash.checked_sub(4))
        .find(|start| bytes[*start..*start + 4].iter().all(u8::is_ascii_digit))
}

fn look_into_brackets<'a>(prefix: &'a str, head: &mut Head<'a>) {
    let bytes = prefix.as_bytes();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'[', &bytes[at..]).map(|open| at + open) {
        let Some(close) = memchr::memchr(b']', &bytes[open..]).map(|close| open + close) else { return };
        at = close + 1;
        let inside = &prefix[open + 1..close];
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits(inside) {
            let before = &prefix[..open];
            if before.ends_with("postgres") || before.ends_with("postgresql") {
                head.syslog = true;
                head.server = before.trim_end_matches(|c: char| c != ' ').trim_end().rsplit(' ').next().unwrap_or("");
            }
            if head.pid.is_empty() {
                head.pid = inside;
            }
        } else if let Some((number, piece)) = inside.split_once('-').filter(|(n, m)| digits(n) && digits(m)) {
            head.syslog |= piece != "1";
            head.number = head.number.or_else(|| number.parse().ok());
        } else if let Some(pid) = inside.strip_prefix("postgres.").filter(|pid| digits(pid)) {
            (head.syslog, head.pid) = (true, pid);
        } else if is_session(inside) {
            head.session = inside;
        }
    }
}

/// `6b032bb6.3912`
fn is_session(text: &str) -> bool {
    text.split_once('.').is_some_and(|(started, pid)| {
        let hex =
            |part: &str| !part.is_empty() && part.len() <= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        started.len() == 8 && hex(started) && hex(pid)
    })
}

/// `user=ann,db=shop`, `usr=ann db=shop`
fn look_for_pairs<'a>(prefix: &'a str, head: &mut Head<'a>) {
    for equals in memchr::memchr_iter(b'=', prefix.as_bytes()) {
        let key = &prefix[prefix[..equals]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |at| at + prefix[at..].chars().next().map_or(1, char::len_utf8))
            ..equals];
        let value = &prefix[equals + 1..];
        let value = &value[..value.find([',', ' ', ']', ')', ';', '|']).unwrap_or(value.len())];
        let field = match key {
            "user" | "usr" | "u" => &mut head.user,
            "db" | "database" | "dbname" | "d" => &mut head.database,
            "pid" | "p" => &mut head.pid,
            "session" | "sess" | "sid" | "c" if is_session(value) => &mut head.session,
            _ => continue,
        };
        // The first wins: what follows may be an application's own name for itself.
        if field.is_empty() {
            *field = value;
        }
    }
}

/// Where the log's own line begins after what a container's log or the journal puts before each: `db-1  | `,
/// `2026-11-22T10:00:00.5Z stderr F `, and `Nov 22 10:00:00 db1 postgres[7]: ` before a continued line.
pub(super) fn wrapping(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    match bytes.first()? {
        b'\t' | b' ' => return None,
        b'0'..=b'9' if bytes.get(10) == Some(&b'T') => {
            let at = read_time(line)?.length;
            let stream = line[at..].strip_prefix(" stdout ").or_else(|| line[at..].strip_prefix(" stderr "))?;
            return stream.starts_with(['F', 'P']).then_some(at + 10).filter(|at| *at <= line.len());
        }
        _ => {}
    }
    let window = &bytes[..bytes.len().min(128)];
    let name =
        window.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')).count();
    let spaces = window[name..].iter().take_while(|byte| **byte == b' ').count();
    if name > 0 && window[name + spaces..].starts_with(b"| ") {
        return Some(name + spaces + 2);
    }
    let end = memchr::memmem::find(window, b"]: ")? + 3;
    (window[..end].contains(&b'[') && matches!(bytes.get(end), Some(b'\t'))).then_some(end)
}

/// `[15-2] ` in a syslog line: where the text after it starts, when it is not the first piece of a message.
pub(super) fn later_piece(line: &str) -> Option<usize> {
    let window =
        line.char_indices().take_while(|(at, _)| *at < 256).last().map_or("", |(at, c)| &line[..at + c.len_utf8()]);
    let mut from = 0;
    while let Some(open) = window[from..].find('[').map(|open| from + open) {
        let close = open + window[open..].find(']')?;
        from = close + 1;
        let inside = &window[open + 1..close];
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if inside.split_once('-').is_some_and(|(number, piece)| digits(number) && digits(piece) && piece != "1") {
            return Some((close + 2).min(line.len())).filter(|at| line.is_char_boundary(*at));
        }
    }
    None
}

/// The text after prefix and label, if the line looks as if it had them.
pub(crate) fn labelled_text(line: &str) -> Option<&str> {
    guess(line).filter(|(_, found)| found.start > 0).map(|(_, found)| &line[found.text..])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn show(read: Option<(Head<'_>, Found)>, line: &str) -> String {
        let Some((head, found)) = read else { return "none".into() };
        let mut shown = format!("{:?}", found.label);
        for (name, value) in [
            ("time", &*head.time.map_or(String::new(), |time| time.to_string())),
            ("pid", head.pid),
            ("user", head.user),
            ("db", head.database),
            ("c", head.session),
            ("l", &*head.number.map_or(String::new(), |number| number.to_string())),
            ("server", head.server),
        ] {
            if !value.is_empty() {
                shown += &format!(" {name}={value}");
            }
        }
        shown + " | " + &line[found.text..]
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(show(guess(line), line), expected);
    }

    #[test]
    fn prefixes_are_known_by_their_looks() {
        check("2026-11-22 10:00:00.5 UTC [71] LOG:  a", "Message(Log) time=2026-11-22T10:00:00.5Z pid=71 | a");
        check(
            "2026-11-22 10:00:00 CET [71] ann@shop/my app ERROR:  a",
            "Message(Error) time=2026-11-22T09:00:00Z pid=71 user=ann db=shop | a",
        );
        check(
            "2026-11-22 10:00:00 UTC:10.0.0.9(5151):ann@shop:[71]:LOG:  a",
            "Message(Log) time=2026-11-22T10:00:00Z pid=71 user=ann db=shop | a",
        );
        check("2026-11-22 10:00:00 UTC::@:[71]:LOG:  a", "Message(Log) time=2026-11-22T10:00:00Z pid=71 | a");
        check(
            "2026-11-22 10:00:00 UTC [71]: [3-1] user=ann,db=shop,app=user=x,client=10.0.0.9 DETAIL:  a",
            "Detail time=2026-11-22T10:00:00Z pid=71 user=ann db=shop l=3 | a",
        );
        check(
            "Nov 22 10:00:00 db1 postgres[71]: [3-1] 2026-11-22 10:00:00 UTC ann@shop LOG:  a",
            "Message(Log) time=2026-11-22T10:00:00Z pid=71 user=ann db=shop l=3 server=db1 | a",
        );
        check("LOG:  a", "Message(Log) | a");
        check("psql:x.sql:3: ERROR:  a", "none");
    }
}
