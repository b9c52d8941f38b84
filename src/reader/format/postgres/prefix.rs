//! Reads what stands before `LOG:`, by a given `log_line_prefix` (`%m [%p] %q%u@%d `) or by its looks.

use super::time::read_time;
use super::words::{Found, Label, find_label, label_at};
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
    if head.user.is_empty() && head.database.is_empty() {
        if let Some(at) = rest.rfind('@') {
            let edge = |c: char| matches!(c, ' ' | ':' | '[' | ']' | '(' | ')' | ',' | '/' | '|');
            head.user = &rest[rest[..at].rfind(edge).map_or(0, |edge| edge + 1)..at];
            head.database = &rest[at + 1..rest[at + 1..].find(edge).map_or(rest.len(), |edge| at + 1 + edge)];
        }
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

/// A `log_line_prefix`, taken apart.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// An escape, by its letter.
    Field(u8),
    /// `%q`: processes without a session stop here.
    Quit,
}

impl Pattern {
    pub(super) fn new(prefix: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut letters = prefix.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            // A width: `%-10u`. Padding is spaces, and those are let pass everywhere.
            while letters.next_if(|next| *next == '-' || next.is_ascii_digit()).is_some() {}
            match letters.next() {
                Some('%') => text.push('%'),
                Some('q') => {
                    parts.extend((!text.is_empty()).then(|| Part::Text(std::mem::take(&mut text))));
                    parts.push(Part::Quit);
                }
                Some(field) if field.is_ascii_alphabetic() => {
                    parts.extend((!text.is_empty()).then(|| Part::Text(std::mem::take(&mut text))));
                    parts.push(Part::Field(field as u8));
                }
                // Postgres ignores an escape it does not know.
                _ => {}
            }
        }
        parts.extend((!text.is_empty()).then(|| Part::Text(text)));
        Self { parts }
    }

    /// Reads the prefix of a line, if the line has this prefix and a label after it.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<(Head<'a>, Found)> {
        let mut head = Head::default();
        // A name may contain the text that should end it; a line made to have very many ways is given up.
        let found = fit(&self.parts, line, 0, &mut head, &mut 200)?;
        Some((head, found))
    }
}

fn fit<'a>(parts: &[Part], line: &'a str, at: usize, head: &mut Head<'a>, tries: &mut u32) -> Option<Found> {
    *tries = tries.checked_sub(1)?;
    let rest = line.get(at..)?;
    let Some((part, after)) = parts.split_first() else {
        return label_at(line, at + rest.bytes().take_while(|byte| *byte == b' ').count());
    };
    match part {
        Part::Text(text) => {
            let space = rest.len() - rest.trim_start_matches(' ').len();
            // Padding before a value may have been taken for the start of the text, and the other way round; the
            // last space may have been lost between the server's settings and ours.
            let end = match rest.strip_prefix(text.as_str()) {
                Some(_) => at + text.len(),
                None if rest[space..].starts_with(text.trim_start_matches(' ')) && space > 0 => {
                    at + space + text.trim_start_matches(' ').len()
                }
                None => return None,
            };
            fit(after, line, end, head, tries)
        }
        Part::Quit => {
            let before = *head;
            fit(after, line, at, head, tries).or_else(|| {
                *head = before;
                label_at(line, at + rest.bytes().take_while(|byte| *byte == b' ').count())
            })
        }
        Part::Field(letter) => {
            let start = at + rest.len() - rest.trim_start_matches(' ').len();
            match letter {
                b'm' | b't' | b'n' | b's' => {
                    let read = read_time(&line[start..])?;
                    if *letter == b's' {
                        head.started = Some(read.time);
                    } else {
                        (head.time, head.zone_guessed) = (Some(read.time), read.zone_guessed);
                    }
                    fit(after, line, start + read.length, head, tries)
                }
                b'p' | b'P' | b'l' | b'x' | b'c' | b'e' | b'v' | b'Q' => {
                    let length = line[start..].bytes().take_while(|byte| in_field(*letter, *byte)).count();
                    // An empty value keeps the space before it for the text that follows.
                    let (start, end) = if length == 0 { (at, at) } else { (start, start + length) };
                    set(head, *letter, &line[start..end]);
                    fit(after, line, end, head, tries)
                }
                _ => fit_name(*letter, after, line, at, head, tries),
            }
        }
    }
}

/// A field that may hold anything reaches to the next text of the pattern, or to the label.
fn fit_name<'a>(
    letter: u8,
    after: &[Part],
    line: &'a str,
    at: usize,
    head: &mut Head<'a>,
    tries: &mut u32,
) -> Option<Found> {
    let next = after.iter().find_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None });
    let Some(next) = next.filter(|_| !matches!(after.first(), Some(Part::Field(_)))) else {
        let found = find_label(&line[at..])?;
        set(head, letter, line[at..at + found.start].trim());
        return Some(Found { start: at + found.start, text: at + found.text, ..found });
    };
    let before = *head;
    for (length, _) in line[at..].match_indices(next) {
        *head = before;
        set(head, letter, line[at..at + length].trim());
        if let Some(found) = fit(after, line, at + length, head, tries) {
            return Some(found);
        }
        if *tries == 0 {
            return None;
        }
    }
    None
}

fn in_field(letter: u8, byte: u8) -> bool {
    match letter {
        b'c' => byte.is_ascii_hexdigit() || byte == b'.',
        b'e' => byte.is_ascii_alphanumeric(),
        b'v' => byte.is_ascii_digit() || byte == b'/',
        b'Q' => byte.is_ascii_digit() || byte == b'-',
        _ => byte.is_ascii_digit(),
    }
}

fn set<'a>(head: &mut Head<'a>, letter: u8, value: &'a str) {
    match letter {
        b'u' => head.user = value,
        b'd' => head.database = value,
        b'p' => head.pid = value,
        b'c' => head.session = value,
        b'l' => head.number = value.parse().ok(),
        _ => {}
    }
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

/// Whether a line begins a message of a Postgres log, by its looks.
pub(crate) fn looks_like_message(line: &str) -> bool {
    guess(line).is_some_and(|(_, found)| matches!(found.label, Label::Message(_)) && found.start > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(read: Option<(Head<'_>, Found)>, line: &str) -> String {
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

    #[track_caller]
    fn check_given(prefix: &str, line: &str, expected: &str) {
        assert_eq!(show(Pattern::new(prefix).read(line), line), expected);
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

    #[test]
    fn given_prefixes_are_followed() {
        let line = "2026-11-22 10:00:00.5 UTC|6b032bb6.47|4|ann    |shop|psql|LOG:  a";
        let read = "Message(Log) time=2026-11-22T10:00:00.5Z user=ann db=shop c=6b032bb6.47 l=4 | a";
        check_given("%m|%c|%l|%-7u|%d|%a|", line, read);
        let debian = "%m [%p] %q%u@%d ";
        check_given(debian, "2026-11-22 10:00:00 UTC [7] LOG:  a", "Message(Log) time=2026-11-22T10:00:00Z pid=7 | a");
        check_given(
            debian,
            "2026-11-22 10:00:00 UTC [7] ann lee@my shop LOG:  a",
            "Message(Log) time=2026-11-22T10:00:00Z pid=7 user=ann lee db=my shop | a",
        );
        check_given("%p %a %u ", "7 LOG:  x of y ann LOG:  a", "Message(Log) pid=7 user=x of y ann | a");
        check_given("%m [%p] ", "2026-11-22 10:00:00 UTC 7 LOG:  a", "none");
    }
}
