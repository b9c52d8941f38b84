//! Reads the times of a Postgres log: `2026-11-22 15:44:43.772 CET`, ISO 8601 of the wrappers, `%n` epochs.

use std::sync::Arc;

use crate::model::{Issue, Timestamp};

/// A time, and how far it reaches into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) time: Timestamp,
    pub(crate) length: usize,
    /// The zone was missing or is not known; the time was read as UTC.
    pub(crate) zone_guessed: bool,
}

/// The note for times whose zone had to be guessed; worth one per file.
pub(crate) fn zone_note(file: &Arc<str>, line: u64, offset: u64) -> Issue {
    Issue {
        file: Arc::clone(file),
        line,
        offset,
        problem: "the time zone of this log is not known, its times are read as UTC".into(),
        advice: "set `log_timezone` to `UTC` on the server".into(),
        lost: false,
    }
}

/// Reads a time from the start of `text`.
pub(crate) fn read_time(text: &str) -> Option<Read> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let mark = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|byte| allowed.contains(byte));
    if !(mark(4, b"-") && mark(7, b"-") && mark(10, b" T") && mark(13, b":") && mark(16, b":")) {
        return read_epoch(bytes);
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let mut length = 19;
    let mut micros = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    micros *= 1_000_000;
    if mark(length, b".,") {
        let digits = bytes[length + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            let fraction = number(length + 1, length + 1 + digits.min(6))?;
            micros += fraction * 10i64.pow(6 - digits.min(6) as u32);
            length += 1 + digits;
        }
    }
    let (minutes, zone) = read_zone(text.get(length..)?);
    let time = Timestamp(micros - minutes.unwrap_or(0) * 60_000_000);
    Some(Read { time, length: length + zone, zone_guessed: minutes.is_none() })
}

/// `1795362283.772`: `%n`.
fn read_epoch(bytes: &[u8]) -> Option<Read> {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    if whole != 10 || bytes.get(whole) != Some(&b'.') {
        return None;
    }
    let fraction = digits(whole + 1);
    if fraction != 3 && fraction != 6 {
        return None;
    }
    let length = whole + 1 + fraction;
    let number = |part: &[u8]| part.iter().fold(0i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    let micros =
        number(&bytes[..whole]) * 1_000_000 + number(&bytes[whole + 1..length]) * if fraction == 3 { 1_000 } else { 1 };
    Some(Read { time: Timestamp(micros), length, zone_guessed: false })
}

/// Minutes east of Greenwich, and the length of what says so.
fn read_zone(text: &str) -> (Option<i64>, usize) {
    let space = usize::from(text.starts_with(' '));
    let zone = &text.as_bytes()[space..];
    match zone.first() {
        Some(sign @ (b'+' | b'-')) => {
            let digits = |from: usize| {
                zone.get(from..from + 2)
                    .filter(|two| two.iter().all(u8::is_ascii_digit))
                    .map(|two| i64::from(two[0] - b'0') * 10 + i64::from(two[1] - b'0'))
            };
            let Some(hours) = digits(1) else { return (None, 0) };
            let colon = usize::from(zone.get(3) == Some(&b':'));
            let (minutes, length) = digits(3 + colon).map_or((0, 3), |minutes| (minutes, 5 + colon));
            let east = hours * 60 + minutes;
            (Some(if *sign == b'-' { -east } else { east }), space + length)
        }
        Some(byte) if byte.is_ascii_uppercase() => {
            let length = zone.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            let minutes =
                ZONES.iter().find(|(name, _)| name.as_bytes() == &zone[..length]).map(|(_, minutes)| *minutes);
            // `10:00:00 LOG:` has no zone at all; only a word that is one, or stands where one must, is taken.
            if minutes.is_none() && (length > 5 || zone.get(length) == Some(&b':')) {
                return (None, 0);
            }
            (minutes, space + length)
        }
        _ => (None, 0),
    }
}

/// What `log_timezone` prints. Where two regions share a name the more populous one is meant.
const ZONES: &[(&str, i64)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("SAST", 120),
    ("MSK", 180),
    ("IST", 330),
    ("PKT", 300),
    ("WIB", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("NST", -210),
    ("NDT", -150),
    ("AST", -240),
    ("ADT", -180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
];

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant's algorithm); a log line is read far more often
/// than a calendar library is worth.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = read_time(text).map_or("none".into(), |read| {
            format!("{}{} |{}", read.time, if read.zone_guessed { " guessed" } else { "" }, &text[read.length..])
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn times_of_all_prefixes() {
        check("2026-11-22 15:44:43.772 UTC [7182]", "2026-11-22T15:44:43.772Z | [7182]");
        check("2026-11-22 15:44:43 CEST:10.0.0.1", "2026-11-22T13:44:43Z |:10.0.0.1");
        check("2026-11-22 15:44:43-0330 x", "2026-11-22T19:14:43Z | x");
        check("2026-11-22 15:44:43.1 +05:30 x", "2026-11-22T10:14:43.1Z | x");
        check("2026-11-22T15:44:43.123456789Z x", "2026-11-22T15:44:43.123456Z | x");
        check("1795362334.312 [7]", "2026-11-22T15:45:34.312Z | [7]");
        check("2026-02-29 24:00:00 UTC", "2026-03-02T00:00:00Z |");
    }

    #[test]
    fn unknown_zones_are_said() {
        check("2026-11-22 15:44:43 XYZ [1]", "2026-11-22T15:44:43Z guessed | [1]");
        check("2026-11-22 15:44:43 LOG:  x", "2026-11-22T15:44:43Z guessed | LOG:  x");
        check("2026-13-22 15:44:43 UTC", "none");
        check("2026-11-22", "none");
    }
}
