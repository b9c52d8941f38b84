//! The words of PowerShell: commands of a script, words of a command, parameters of a cmdlet.

use crate::classify::{Unknown, Word};
use crate::model::Span;

/// The commands of a script: split at `;`, line ends, `|`, braces and brackets outside of quotes; the flag says that
/// something is piped in.
pub(super) fn pieces(text: &str) -> Vec<(usize, usize, bool)> {
    let (mut found, mut start, mut piped) = (Vec::new(), 0, false);
    let mut quote = 0;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'`' => drop(bytes.next()),
            byte if byte == quote => quote = 0,
            _ if quote != 0 => {}
            b'"' | b'\'' => quote = byte,
            b'#' if at == 0 || text.as_bytes()[at - 1].is_ascii_whitespace() => {
                found.push((start, at, piped));
                while bytes.next_if(|(_, byte)| *byte != b'\n').is_some() {}
                start = bytes.peek().map_or(text.len(), |(at, _)| *at);
                piped = false;
            }
            b'|' | b';' | b'\n' | b'{' | b'}' | b'(' | b')' | b'&' => {
                found.push((start, at, piped));
                start = at + 1;
                // `iex (iwr x)` and `iwr x | iex` both hand on what came before.
                piped = matches!(byte, b'|' | b'{' | b'(' | b')') || (piped && byte == b'\n');
            }
            _ => {}
        }
    }
    found.push((start, text.len(), piped));
    found.retain(|(from, to, _)| !text[*from..*to].trim().is_empty());
    found
}

pub(super) fn word(text: &str, span: Span) -> Word {
    let mut word = Word { span: Some(span), quoted: true, glob: text.contains('*'), ..Word::known(text) };
    if let Some(start) = text.find('$') {
        let end = text[start + 1..]
            .find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':' | '{' | '}'));
        let end = end.map_or(text.len(), |end| start + 1 + end);
        let name = text[start + 1..end].to_owned();
        word.unknown.push(Unknown { name, start, end, substitution: false, guarded: false });
    }
    word
}

/// `$x = Get-Thing`: the right side.
pub(super) fn assigned(text: &str) -> &str {
    match text.split_once('=') {
        Some((left, right)) if left.starts_with('$') && !left.trim().contains(' ') => right.trim(),
        _ => text,
    }
}

pub(super) fn is_expression(first: &str) -> bool {
    first.starts_with(['$', '[', ']', '"', '\'', '@', '.', '-', ',', '=', '!', '+', '<'])
        || first.starts_with(|first: char| first.is_ascii_digit())
}

/// The words of a command without their quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (_, '`') => word.extend(letters.next()),
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => (quote, any) = (Some(letter), true),
            // `a, b` is one list.
            (None, letter) if letter.is_whitespace() && word.ends_with(',') => {}
            (None, letter) if letter.is_whitespace() => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (_, letter) => word.push(letter),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// The parameters of a cmdlet: `-Name value`, `-Switch`, `-Name:value`, operands.
pub(super) struct Parameters<'w> {
    named: Vec<(String, &'w str)>,
    pub(super) operands: Vec<&'w str>,
}

impl<'w> Parameters<'w> {
    pub(super) fn of(words: &'w [String]) -> Self {
        const SWITCHES: &[&str] = &[
            "recurse",
            "force",
            "whatif",
            "confirm",
            "usebasicparsing",
            "verbose",
            "asjob",
            "passthru",
            "wait",
            "nonewline",
            "append",
            "r",
            "fo",
            "f",
        ];
        let (mut named, mut operands) = (Vec::new(), Vec::new());
        let mut words = words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let is_name = word.len() > 1
                && word.starts_with('-')
                && word[1..].starts_with(|first: char| first.is_ascii_alphabetic());
            if !is_name {
                operands.push(&**word);
                continue;
            }
            let (name, glued) =
                word[1..].split_once(':').map_or((&word[1..], None), |(name, value)| (name, Some(value)));
            let name = name.to_ascii_lowercase();
            let value = match glued {
                Some(value) => value,
                None if SWITCHES.contains(&&*name) || "recurse".starts_with(&*name) => "",
                None => words.next_if(|next| !next.starts_with('-')).map_or("", |next| next),
            };
            named.push((name, value));
        }
        Self { named, operands }
    }

    /// Parameters may be shortened: `-Rec` is `-Recurse`.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.named.iter().any(|(name, value)| wanted.starts_with(&**name) && !value.eq_ignore_ascii_case("$false"))
    }

    pub(super) fn named(&self, wanted: &[&str]) -> Option<&'w str> {
        let found = self
            .named
            .iter()
            .find(|(name, value)| !value.is_empty() && wanted.iter().any(|wanted| wanted.starts_with(&**name)));
        found.map(|(_, value)| *value)
    }

    /// What one of these parameters is given, each by its whole name.
    pub(super) fn given(&self, wanted: &[&str]) -> Option<&'w str> {
        self.named.iter().find(|(name, value)| wanted.contains(&&**name) && !value.is_empty()).map(|(_, value)| *value)
    }

    /// Every parameter with its value.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &'w str)> {
        self.named.iter().map(|(name, value)| (&**name, *value))
    }

    pub(super) fn guard_off(&self) -> bool {
        self.has("force")
            || self.named.iter().any(|(name, value)| name == "confirm" && value.eq_ignore_ascii_case("$false"))
    }

    pub(super) fn target(&self) -> &'w str {
        self.named(&[
            "path",
            "literalpath",
            "filepath",
            "name",
            "identity",
            "group",
            "driveletter",
            "computername",
            "logname",
            "number",
        ])
        .or_else(|| self.operands.first().copied())
        .unwrap_or("")
    }
}
