//! What `echo` and `printf` write, when their words are known.

use crate::classify::command::Stream;
use crate::classify::{Scene, Word};
use crate::model::{Effect, Operation, Resource, ResourceKind, Span};

/// Output longer than this is not put together.
const MAX_TEXT: usize = 256 * 1024;

/// `echo` with its options.
pub(super) fn echo(scene: &mut Scene<'_>, words: &[Word], span: Option<Span>) -> Stream {
    let option = |word: &Word| {
        let letters = word.text.strip_prefix('-').unwrap_or_default();
        !letters.is_empty() && letters.bytes().all(|byte| b"neE".contains(&byte))
    };
    let options = words.iter().take_while(|word| option(word)).count();
    let has = |letter| words[..options].iter().any(|word| word.text.contains(letter));
    let rest = &words[options..];
    let mut text = known(rest).map(|values| values.join(" "));
    if has('e') {
        text = text.map(|text| escaped(&text, false));
    }
    if !has('n') {
        text = text.map(|text| text + "\n");
    }
    stream(scene, text, rest, span)
}

/// `printf` without `-v`.
pub(super) fn printf(scene: &mut Scene<'_>, words: &[Word], span: Option<Span>) -> Stream {
    let words = if words.first().is_some_and(|word| word.text == "--") { &words[1..] } else { words };
    let operands = words.get(1..).unwrap_or_default();
    let text = formatted(words);
    let mut stream = stream(scene, text, operands, span);
    // Only `'%s\n'` and the like print their operands as they are.
    let plain = |word: &Word| word.text.replace("%s", "").trim_matches(['\\', 'n', '0', ' ', '\n']).is_empty();
    if operands.is_empty() || !words.first().is_some_and(plain) {
        stream.lists = None;
    }
    stream
}

/// The text that a format and its operands make.
pub(super) fn formatted(words: &[Word]) -> Option<String> {
    let (format, operands) = words.split_first()?;
    let (format, operands) = (format.value()?, known(operands)?);
    let (mut text, mut rest) = (String::new(), operands.into_iter());
    loop {
        let (mut taken, mut letters) = (false, format.chars());
        let mut plain = String::new();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                plain.push(letter);
                if letter == '\\' {
                    plain.extend(letters.next());
                }
                continue;
            }
            text.push_str(&escaped(&std::mem::take(&mut plain), true));
            let directive = letters.by_ref().find(|letter| letter.is_ascii_alphabetic() || *letter == '%');
            match directive {
                Some('%') => text.push('%'),
                Some(kind) => {
                    let value = rest.next().unwrap_or_default();
                    taken = true;
                    match kind {
                        'b' => text.push_str(&escaped(value, false)),
                        'd' | 'i' | 'u' if value.is_empty() => text.push('0'),
                        _ => text.push_str(value),
                    }
                }
                None => {}
            }
            if text.len() > MAX_TEXT {
                return None;
            }
        }
        text.push_str(&escaped(&plain, true));
        if !taken || rest.len() == 0 {
            return Some(text);
        }
    }
}

fn known(words: &[Word]) -> Option<Vec<&str>> {
    words.iter().map(|word| word.value().filter(|text| !word.glob && text.len() < MAX_TEXT)).collect()
}

fn stream(scene: &mut Scene<'_>, text: Option<String>, words: &[Word], span: Option<Span>) -> Stream {
    let mut stream = Stream {
        connected: true,
        text: text.map(|text| (text, scene.outer(span))),
        lists: Some(words.to_vec()),
        ..Stream::default()
    };
    for part in words.iter().flat_map(|word| &word.unknown) {
        if part.substitution {
            if let Some(inner) = scene.files.get(&part.name) {
                stream.remote |= inner.remote;
                stream.decoded |= inner.decoded;
                stream.carries.extend(inner.carries.iter().cloned());
            }
        } else if is_secret(&part.name) {
            let secret = Resource::new(ResourceKind::Secret, part.name.clone());
            let mut effect = Effect::new(Operation::Read, secret.clone());
            effect.by = "echo".to_owned();
            effect.span = span;
            scene.effect(effect);
            stream.carries.push(secret);
        }
    }
    stream
}

/// Whether a variable's name says that its value is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
        || name == "PGPASS"
}

/// `\n`, `\x41`, `\101` (`\0101` for `echo -e`) and the like.
fn escaped(text: &str, octal_bare: bool) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let (mut bytes, mut letters) = (Vec::with_capacity(text.len()), text.chars().peekable());
    let mut buffer = [0; 4];
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            bytes.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        match letters.next() {
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('r') => bytes.push(b'\r'),
            Some('a') => bytes.push(7),
            Some('b') => bytes.push(8),
            Some('e' | 'E') => bytes.push(27),
            Some('f') => bytes.push(12),
            Some('v') => bytes.push(11),
            Some('c') => break,
            Some('\\') => bytes.push(b'\\'),
            other => {
                let mut number = |radix: u32, most: usize, first: u32| {
                    let mut value = first;
                    for _ in 0..most {
                        let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(radix)) else { break };
                        value = value * radix + digit;
                        letters.next();
                    }
                    value
                };
                match other {
                    Some('x') => bytes.push(number(16, 2, 0) as u8),
                    Some('u') => push(&mut bytes, number(16, 4, 0)),
                    Some('U') => push(&mut bytes, number(16, 8, 0)),
                    Some('0') => bytes.push(number(8, 3, 0) as u8),
                    Some(digit @ '1'..='7') if octal_bare => {
                        bytes.push(number(8, 2, digit.to_digit(8).unwrap_or_default()) as u8);
                    }
                    Some(other) => {
                        bytes.push(b'\\');
                        bytes.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
                    }
                    None => bytes.push(b'\\'),
                }
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn push(bytes: &mut Vec<u8>, code: u32) {
    let mut buffer = [0; 4];
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    bytes.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
}
