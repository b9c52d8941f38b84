//! Lines that came by way of syslog, in the form of RFC 5424 and with what the daemon did to control characters.

use std::borrow::Cow;

/// `<134>1 2026-11-22T10:00:00.5Z db1 postgres 7 - - [3-1] …` as `2026-11-22T10:00:00.5Z db1 postgres[7]: [3-1] …`, the
/// way that nearly all daemons write it into a file.
///
/// The priority may be missing; so may, in the older form, everything else of this.
pub(super) fn in_older_form(line: &str) -> Option<String> {
    let rest = match line.strip_prefix('<') {
        Some(rest) => {
            let (priority, rest) = rest.split_at_checked(rest.find('>').filter(|end| *end <= 3)?)?;
            priority.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            rest.get(1..)?
        }
        None => line,
    };
    let Some(rest) = rest.strip_prefix("1 ") else {
        // The older form as it is sent.
        return line.starts_with('<').then(|| rest.to_owned());
    };
    let mut words = rest.splitn(6, ' ');
    let (time, host, name, pid) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let dated = time == "-" || time.as_bytes().get(10) == Some(&b'T') && time.starts_with(|c: char| c.is_ascii_digit());
    let (_kind, rest) = (words.next()?, words.next().filter(|_| dated)?);
    let text = match rest.strip_prefix('-') {
        Some(rest) => rest,
        None => &rest[structured(rest)?..],
    };
    let text = text.strip_prefix(' ')?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let time = if time == "-" { "" } else { time };
    let host = if host == "-" { "" } else { host };
    // A server may have another name there, by which its lines are not known.
    let name = if name.starts_with("postgres") { name } else { "postgres" };
    let pid = if pid == "-" { "0" } else { pid };
    Some(format!("{time} {host} {name}[{pid}]: {text}"))
}

/// Where `[id name="value"][id2 …]` ends.
fn structured(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped, mut open) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if open => quoted = !quoted,
            _ if quoted => {}
            b'[' if !open => open = true,
            b']' if open => open = false,
            b' ' if !open => return (at > 0).then_some(at),
            _ if !open => return None,
            _ => {}
        }
    }
    None
}

/// `#011` is a TAB: daemons write control characters as octal numbers.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('#') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('#') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()).filter(u8::is_ascii_control) {
            Some(control) => {
                plain.push(char::from(control));
                rest = &rest[at + 4..];
            }
            None => {
                plain.push('#');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_form_is_read_as_the_older_one() {
        let check = |line: &str, expected: Option<&str>| assert_eq!(in_older_form(line).as_deref(), expected, "{line}");
        check(
            "<134>1 2026-11-22T10:00:00.5Z db1 postgres 7 - - [3-1] LOG:  x",
            Some("2026-11-22T10:00:00.5Z db1 postgres[7]: [3-1] LOG:  x"),
        );
        check(
            "<134>1 2026-11-22T10:00:00+01:00 db1 pg-main 7 x [a b=\"c\\\"] d\"][e] \u{feff}[3-2] #011x",
            Some("2026-11-22T10:00:00+01:00 db1 postgres[7]: [3-2] #011x"),
        );
        check(
            "1 2026-11-22T10:00:00Z db1 postgres 7 - - LOG:  x",
            Some("2026-11-22T10:00:00Z db1 postgres[7]: LOG:  x"),
        );
        check("<134>Nov 22 10:00:00 db1 postgres[7]: LOG:  x", Some("Nov 22 10:00:00 db1 postgres[7]: LOG:  x"));
        check("Nov 22 10:00:00 db1 postgres[7]: LOG:  x", None);
        check("1 2 3 4 5 6 7", None);
        check("<é", None);
        check("<134>1 2026-11-22T10:00:00Z db1 postgres 7 - [", None);
    }

    #[test]
    fn octal_numbers_are_control_characters() {
        assert_eq!(unescaped("#011a#015#0111#12#999#"), "\ta\r\t1#12#999#");
        assert_eq!(unescaped("#01é #101"), "#01é #101");
    }
}
