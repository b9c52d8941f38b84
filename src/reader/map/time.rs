//! When something happened, as exports write it.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::Offset;
use serde_json::Value;

use crate::model::Timestamp;
use crate::reader::format::postgres::read_time;

/// How the times of one field are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TimeFormat {
    pub(super) written: Written,
    /// The zone of times that do not say theirs.
    pub(super) zone: Option<Offset>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Written {
    /// RFC 3339, the same with a space, or a number since 1970 whose size says its unit.
    #[default]
    Standard,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// A pattern in the manner of strftime.
    Pattern(String),
}

impl Written {
    /// What `format = "…"` means.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "rfc3339" => Self::Standard,
            "epoch-s" => Self::Seconds,
            "epoch-ms" => Self::Milliseconds,
            "epoch-us" => Self::Microseconds,
            "epoch-ns" => Self::Nanoseconds,
            pattern if pattern.contains('%') => {
                // What cannot be written with a pattern cannot be read with it.
                let sometime = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
                strtime::format(pattern, &sometime)
                    .map_err(|error| format!("`{pattern}` is not a time format: {error}"))?;
                Self::Pattern(pattern.to_owned())
            }
            _ => {
                let known =
                    "`rfc3339`, `epoch-s`, `epoch-ms`, `epoch-us`, `epoch-ns`, or a pattern like `%Y-%m-%d %H:%M:%S`";
                return Err(format!("`{word}` is not a time format; write {known}"));
            }
        })
    }
}

/// What `zone = "…"` means. Names of zones mean something else on every machine, so there are none.
pub(super) fn zone(word: &str) -> Result<Offset, String> {
    if matches!(word, "UTC" | "utc" | "Z" | "z") {
        return Ok(Offset::UTC);
    }
    let wrong = || format!("`{word}` is not a zone; write `UTC` or an offset such as `+02:00`");
    let (sign, rest) = match word.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None => rest.split_at_checked(2).ok_or_else(wrong)?,
    };
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && text.is_ascii());
    let (Some(hours), Some(minutes @ 0..=59)) =
        (number(hours), number(if minutes.is_empty() { "00" } else { minutes }))
    else {
        return Err(wrong());
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map_err(|_| wrong())
}

/// The time in a text as most exports write it.
pub(in crate::reader) fn moment(text: &str) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    TimeFormat::default().read(&Value::String(text.to_owned())).map(|read| read.time)
}

/// A time, and whether its zone had to be guessed.
pub(super) struct Read {
    pub(super) time: Timestamp,
    pub(super) zone_guessed: bool,
}

impl TimeFormat {
    /// The time in a value, if it is one.
    pub(super) fn read(&self, value: &Value) -> Option<Read> {
        let sure = |time: Timestamp| Read { time, zone_guessed: false };
        let unit = match &self.written {
            Written::Standard => None,
            Written::Seconds => Some(1_000_000_000),
            Written::Milliseconds => Some(1_000_000),
            Written::Microseconds => Some(1_000),
            Written::Nanoseconds => Some(1),
            Written::Pattern(pattern) => return self.by_pattern(pattern, &text_of(value)?),
        };
        let text = text_of(value)?;
        let text = text.trim();
        if unit.is_none() && text.contains(['-', ':', 'T']) && !text.starts_with('-') {
            let read = read_time(text)?;
            // What is no zone behind a time is not half of a time.
            let rest = text.get(read.length..).unwrap_or_default().trim();
            if !matches!(rest, "" | "UTC" | "GMT") {
                return None;
            }
            let zone_guessed = read.zone_guessed && rest.is_empty();
            return Some(self.placed(read.time, zone_guessed));
        }
        epoch(text, unit).map(sure)
    }

    fn placed(&self, time: Timestamp, zone_guessed: bool) -> Read {
        match self.zone {
            Some(zone) if zone_guessed => {
                Read { time: Timestamp(time.0 - i64::from(zone.seconds()) * 1_000_000), zone_guessed: false }
            }
            _ => Read { time, zone_guessed },
        }
    }

    fn by_pattern(&self, pattern: &str, text: &str) -> Option<Read> {
        let broken = BrokenDownTime::parse(pattern, text.trim()).ok()?;
        if let Ok(time) = broken.to_timestamp() {
            return Some(Read { time: Timestamp(time.as_microsecond()), zone_guessed: false });
        }
        let at = match broken.to_datetime() {
            Ok(at) => at,
            Err(_) => broken.to_date().ok()?.at(0, 0, 0, 0),
        };
        let time = Offset::UTC.to_timestamp(at).ok()?;
        Some(self.placed(Timestamp(time.as_microsecond()), true))
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number since 1970 in units of so many nanoseconds; where nobody says, by its size: seconds until the year 5138,
/// then milliseconds, microseconds and nanoseconds of the years 1973 and later.
fn epoch(text: &str, unit: Option<i128>) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole.trim_start_matches('-')) || !digits(fraction) {
        // `1.7724e9`: as spreadsheets write large numbers.
        let number: f64 = text.parse().ok()?;
        let unit = unit.unwrap_or(1_000_000_000) as f64;
        let micros = number * unit / 1_000.0;
        return (micros.abs() < MOST as f64).then(|| Timestamp(micros.round() as i64));
    }
    let number: i128 = whole.parse().ok()?;
    let unit = unit.unwrap_or(match number.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    });
    let mut nanos = number.checked_mul(unit)?;
    let mut place = unit;
    for byte in fraction.bytes() {
        place /= 10;
        nanos += i128::from(byte - b'0') * place * if whole.starts_with('-') { -1 } else { 1 };
    }
    let micros = i64::try_from(nanos.div_euclid(1_000)).ok()?;
    (micros.abs() < MOST).then_some(Timestamp(micros))
}

/// The year 9999, in microseconds.
const MOST: i64 = 253_402_300_800_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, zone_word: &str, value: &str, expected: &str) {
        let written = if format.is_empty() { Written::Standard } else { Written::parse(format).unwrap() };
        let zone = (!zone_word.is_empty()).then(|| zone(zone_word).unwrap());
        let read = TimeFormat { written, zone }.read(&serde_json::from_str(value).unwrap());
        let seen = read
            .map_or("-".to_owned(), |read| format!("{}{}", read.time, if read.zone_guessed { " guessed" } else { "" }));
        assert_eq!(seen, expected);
    }

    #[test]
    fn as_the_standard_says() {
        check("", "", r#""2026-03-02T09:14:07.5Z""#, "2026-03-02T09:14:07.5Z");
        check("", "", r#""2026-03-02T10:14:07+01:00""#, "2026-03-02T09:14:07Z");
        check("", "", r#""2026-03-02 09:14:07""#, "2026-03-02T09:14:07Z guessed");
        check("", "+02:00", r#""2026-03-02 11:14:07""#, "2026-03-02T09:14:07Z");
        check("", "+02:00", r#""2026-03-02 09:14:07Z""#, "2026-03-02T09:14:07Z");
        check("", "", r#""2026-03-02 09:14:07 UTC""#, "2026-03-02T09:14:07Z");
        check("", "", r#""2026-03-02 09:14:07 or so""#, "-");
        check("", "", r#""noon""#, "-");
        check("", "", "true", "-");
    }

    #[test]
    fn numbers_since_1970() {
        for number in ["1772442847", "1772442847000", "1772442847000000", "1772442847000000000", "\"1772442847.000\""] {
            check("", "", number, "2026-03-02T09:14:07Z");
        }
        check("epoch-ms", "", "\"1772442847500\"", "2026-03-02T09:14:07.5Z");
        check("epoch-s", "", "1772442847.25", "2026-03-02T09:14:07.25Z");
        check("epoch-us", "", "1772442847000001", "2026-03-02T09:14:07.000001Z");
        check("epoch-ns", "", "1772442847000001999", "2026-03-02T09:14:07.000001Z");
        check("epoch-s", "", "1e300", "-");
        check("epoch-s", "", "99999999999999999999999999999999999999999999", "-");
    }

    #[test]
    fn patterns() {
        check("%d/%b/%Y:%H:%M:%S %z", "", r#""02/Mar/2026:10:14:07 +0100""#, "2026-03-02T09:14:07Z");
        check("%d.%m.%Y %H:%M:%S", "", r#""02.03.2026 09:14:07""#, "2026-03-02T09:14:07Z guessed");
        check("%d.%m.%Y %H:%M:%S", "-05:00", r#""02.03.2026 04:14:07""#, "2026-03-02T09:14:07Z");
        check("%m/%d/%Y %I:%M:%S %p", "UTC", r#""03/02/2026 09:14:07 PM""#, "2026-03-02T21:14:07Z");
        check("%Y-%m-%d", "UTC", r#""2026-03-02""#, "2026-03-02T00:00:00Z");
        check("%d.%m.%Y", "UTC", r#""2026-03-02""#, "-");
        check("%Y-%m-%d %H:%M:%S%.f", "UTC", r#""2026-03-02 09:14:07.123""#, "2026-03-02T09:14:07.123Z");
    }

    #[test]
    fn what_is_no_format_or_no_zone_says_what_is() {
        assert!(Written::parse("iso").unwrap_err().contains("`epoch-ms`"));
        assert!(Written::parse("%K").unwrap_err().contains("`%K` is not a time format"), "{:?}", Written::parse("%K"));
        assert!(zone("Europe/Oslo").unwrap_err().contains("+02:00"));
        assert!(zone("+99:00").is_err());
        assert_eq!(zone("-0530").unwrap().seconds(), -19_800);
    }
}
