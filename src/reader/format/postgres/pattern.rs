//! Reads what stands before `LOG:` by a given `log_line_prefix`: `%m [%p] %q%u@%d `

use super::prefix::Head;
use super::time::read_time;
use super::words::{Found, find_label, label_at};

/// A prefix longer than this is none; the text of the message is not looked into.
const MAX_PREFIX: usize = 2048;

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
        parts.extend((!text.is_empty()).then_some(Part::Text(text)));
        Self { parts }
    }

    /// Reads the prefix of a line, if the line has this prefix and a label after it.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<(Head<'a>, Found)> {
        let mut head = Head::default();
        let line = &line[..line.floor_char_boundary(MAX_PREFIX)];
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

#[cfg(test)]
mod tests {
    use super::super::prefix::tests::show;
    use super::*;

    #[track_caller]
    fn check_given(prefix: &str, line: &str, expected: &str) {
        assert_eq!(show(Pattern::new(prefix).read(line), line), expected);
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
