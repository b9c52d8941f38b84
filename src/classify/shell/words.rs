//! From a word as written to the words the shell would make of it: quotes, tilde, variables, substitutions, splitting.

use super::tree::{Part, RawWord, Substitution};
use super::{braces, parameters, walk};
use crate::classify::command::Stream;
use crate::classify::{Scene, Unknown, Word, paths};

/// From here on, what a word is made of stays as it was written.
const MAX_WORD: usize = 64 * 1024;
const MAX_WORDS: usize = 4_096;

/// Adds the words that `raw` becomes: none, one, or several by braces, splitting and arrays.
pub(super) fn expand(scene: &mut Scene<'_>, raw: &RawWord<'_>, stdin: &Stream, out: &mut Vec<Word>) {
    if let [Part::Bare(text)] = &*raw.parts
        && !raw.braces
        && !text.bytes().any(|byte| matches!(byte, b'\\' | b'~' | b'*' | b'?' | b'['))
    {
        out.push(Word { text: (*text).to_owned(), span: raw.span, ..Word::default() });
        return;
    }
    if raw.braces {
        for parts in braces::expand(&raw.parts) {
            let mut fields = Fields::new(raw, true, out);
            for part in &parts {
                match part {
                    braces::Piece::Text(text) => fields.bare(scene, text),
                    braces::Piece::Part(part) => fields.part(scene, part, stdin),
                }
            }
            fields.finish();
        }
        return;
    }
    let mut fields = Fields::new(raw, true, out);
    for part in &raw.parts {
        fields.part(scene, part, stdin);
    }
    fields.finish();
}

/// The one word that `raw` is where the shell does not split: assignments, here-strings, redirect targets.
pub(super) fn single(scene: &mut Scene<'_>, raw: &RawWord<'_>, stdin: &Stream) -> Word {
    let mut out = Vec::with_capacity(1);
    let mut fields = Fields::new(raw, false, &mut out);
    for part in &raw.parts {
        fields.part(scene, part, stdin);
    }
    fields.finish();
    out.pop().unwrap_or_default()
}

/// What stands for one `$…` in a word.
#[derive(Debug)]
pub(super) enum Found {
    Text(String),
    /// Known in part, or a pattern.
    Word(Word),
    /// `"$@"`, `"${a[@]}"`.
    Words(Vec<Word>),
    Unknown {
        guarded: bool,
    },
}

/// The words that one raw word becomes, while it is read part by part.
struct Fields<'o> {
    word: Word,
    /// The current word has begun, though it may still be empty.
    begun: bool,
    splits: bool,
    first: bool,
    raw_span: Option<crate::model::Span>,
    separators: Option<String>,
    out: &'o mut Vec<Word>,
}

impl<'o> Fields<'o> {
    fn new(raw: &RawWord<'_>, splits: bool, out: &'o mut Vec<Word>) -> Self {
        Self {
            word: Word { span: raw.span, ..Word::default() },
            begun: !splits,
            splits,
            first: true,
            raw_span: raw.span,
            separators: None,
            out,
        }
    }

    fn part(&mut self, scene: &mut Scene<'_>, part: &Part<'_>, stdin: &Stream) {
        match part {
            Part::Bare(text) => self.bare(scene, text),
            Part::Quoted(text) => {
                self.begun = true;
                self.word.quoted = true;
                self.word.text.push_str(text);
            }
            Part::Unescaped(text) => {
                self.begun = true;
                self.word.quoted = true;
                self.word.text.push_str(text);
            }
            Part::Parameter(parameter) => {
                let found = parameters::find(scene, parameter, stdin);
                self.found(scene, found, parameter.name, parameter.written, parameter.quoted);
            }
            Part::Command(substitution) => {
                let stream = scene.step(
                    || "command substitution".to_owned(),
                    Some(substitution.span),
                    |scene| scene.scoped(|scene| walk::script(scene, &substitution.body, &Stream::default())),
                );
                self.output(scene, substitution, stream);
            }
            Part::Code(substitution, code) => {
                let stream =
                    scene.scoped(|scene| scene.run_piped(code, Err(Some(substitution.span)), Stream::default()));
                self.output(scene, substitution, stream);
            }
            Part::Arithmetic { words, written, quoted } => {
                let value = words.iter().map(|word| single(scene, word, stdin)).next_back();
                let number = value.filter(|word| word.is_known()).and_then(|word| word.text.trim().parse::<i64>().ok());
                let found = match number {
                    Some(number) => Found::Text(number.to_string()),
                    // A number in any case: never empty, never a path.
                    None => Found::Unknown { guarded: true },
                };
                self.found(scene, found, written, written, *quoted);
            }
            Part::Process(substitution) => {
                let input = if substitution.writes { stdin.clone() } else { Stream::default() };
                let stream = scene.step(
                    || "process substitution".to_owned(),
                    Some(substitution.span),
                    |scene| scene.scoped(|scene| walk::script(scene, &substitution.body, &input)),
                );
                if !substitution.writes {
                    scene.files.insert(substitution.written.to_owned(), stream);
                }
                self.unknown(substitution.written, substitution.written, true, false);
            }
        }
        self.first = false;
    }

    /// A command substitution's value; what is known of an unknown one is kept under its words.
    fn output(&mut self, scene: &mut Scene<'_>, substitution: &Substitution<'_>, stream: Stream) {
        if let Some((text, _)) = &stream.text {
            let text = text.trim_end_matches('\n').to_owned();
            self.found(scene, Found::Text(text), substitution.written, substitution.written, substitution.quoted);
            return;
        }
        // `for f in $(find x)`: each name is one of those that were found.
        if self.splits
            && !substitution.quoted
            && let Some(under) = stream.lists_under.as_ref().filter(|under| under.glob)
        {
            self.begun = true;
            self.append(under.clone());
            return;
        }
        if stream.remote || stream.decoded || !stream.carries.is_empty() {
            scene.files.insert(substitution.written.to_owned(), stream);
        }
        self.unknown(substitution.written, substitution.written, true, false);
        self.word.quoted |= substitution.quoted;
    }

    fn found(&mut self, scene: &Scene<'_>, found: Found, name: &str, written: &str, quoted: bool) {
        // Values made of values grow without end.
        let full = self.word.text.len() > MAX_WORD || self.out.len() > MAX_WORDS;
        let found = if full { Found::Unknown { guarded: false } } else { found };
        self.word.quoted |=
            quoted && !(self.word.text.is_empty() && matches!(&found, Found::Text(text) if text == "~"));
        self.begun |= quoted;
        match found {
            Found::Text(text) if quoted || !self.splits => self.word.text.push_str(&text),
            Found::Text(text) => self.split(scene, &text),
            Found::Word(word) => {
                self.begun = true;
                self.append(word);
            }
            Found::Words(words) => {
                for (at, word) in words.into_iter().enumerate() {
                    if at > 0 && self.splits {
                        self.end();
                    } else if at > 0 {
                        self.word.text.push(' ');
                    }
                    self.begun = true;
                    self.append(word);
                }
            }
            Found::Unknown { guarded } => self.unknown(name, written, false, guarded),
        }
    }

    /// Adds text that stands outside quotes.
    fn bare(&mut self, scene: &Scene<'_>, text: &str) {
        self.begun |= !text.is_empty();
        let text = if self.first && text.starts_with('~') { self.tilde(scene, text) } else { text };
        self.first = false;
        // A path of Windows says what is meant, though this shell would drop its backslashes.
        let drive = matches!(text.as_bytes(), [drive, b':', b'\\', _, ..] if drive.is_ascii_alphabetic());
        // The parser may have cut the word behind its colon.
        let begun = matches!(self.word.text.as_bytes(), [drive, b':'] if drive.is_ascii_alphabetic());
        let follows = matches!(text.as_bytes(), [b'\\', next, ..] if next.is_ascii_alphanumeric());
        if drive && self.word.text.is_empty() || begun && follows {
            self.word.text.push_str(text);
            self.word.glob |= text.contains(['*', '?']);
            return;
        }
        let closes = text.contains(']');
        let mut rest = text;
        while let Some(at) = rest.find(['\\', '*', '?', '[']) {
            self.word.text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(hidden) = rest.strip_prefix('\\') {
                self.word.quoted = true;
                let mut letters = hidden.chars();
                match letters.next() {
                    Some('\n') => {}
                    Some(letter) => self.word.text.push(letter),
                    None => self.word.text.push('\\'),
                }
                rest = letters.as_str();
            } else {
                self.word.glob |= closes || !rest.starts_with('[');
                self.word.text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
        self.word.text.push_str(rest);
    }

    /// Puts the home folder in place of a leading `~`; gives what is left to read.
    fn tilde<'x>(&mut self, scene: &Scene<'_>, text: &'x str) -> &'x str {
        let end = text.find('/').unwrap_or(text.len());
        let folder = match &text[..end] {
            "~" => scene.home.as_deref(),
            "~+" => scene.absolute_cwd(),
            "~-" => scene.shell.old_cwd.as_deref().filter(|folder| paths::is_absolute(folder)),
            _ => None,
        };
        let Some(folder) = folder else { return text };
        self.word.text.push_str(folder.strip_suffix('/').filter(|_| end < text.len()).unwrap_or(folder));
        &text[end..]
    }

    /// Adds a value that stood outside quotes: it is split and its patterns count.
    fn split(&mut self, scene: &Scene<'_>, value: &str) {
        let separators = self.separators.take().unwrap_or_else(|| match scene.variables.get("IFS") {
            Some(Some(value)) => value.clone(),
            _ => " \t\n".to_owned(),
        });
        for letter in value.chars() {
            if separators.contains(letter) {
                if self.begun || !letter.is_whitespace() {
                    self.begun = true;
                    self.end();
                }
                continue;
            }
            self.begun = true;
            self.word.glob |= matches!(letter, '*' | '?' | '[');
            self.word.text.push(letter);
        }
        self.separators = Some(separators);
    }

    fn append(&mut self, word: Word) {
        let shift = self.word.text.len();
        self.word.text.push_str(&word.text);
        self.word.unknown.extend(word.unknown.into_iter().map(|part| Unknown {
            start: part.start + shift,
            end: part.end + shift,
            ..part
        }));
        self.word.glob |= word.glob;
        self.word.quoted |= word.quoted;
    }

    fn unknown(&mut self, name: &str, written: &str, substitution: bool, guarded: bool) {
        self.begun = true;
        let start = self.word.text.len();
        self.word.text.push_str(written);
        let end = self.word.text.len();
        self.word.unknown.push(Unknown { name: name.to_owned(), start, end, substitution, guarded });
    }

    fn end(&mut self) {
        let word = std::mem::replace(&mut self.word, Word { span: self.raw_span, ..Word::default() });
        if self.begun {
            self.out.push(word);
        }
        self.begun = false;
    }

    fn finish(mut self) {
        self.end();
    }
}
