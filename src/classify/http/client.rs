//! The argument lists of `curl`, `wget`, `http`/`https`/`xh`: which requests they send and where the answers go.

mod curl;
mod httpie;
mod wget;

pub use curl::curl;
pub use httpie::httpie;
pub use wget::wget;

use crate::model::{Area, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use crate::classify::command::{Invocation, Stream};
use crate::classify::{Scene, Word, paths};

use super::{Body, Request};

/// What the words of one command line say, collected before any request is noted.
#[derive(Default)]
struct Wanted<'a> {
    method: String,
    urls: Vec<Word>,
    /// Written-out parts of the body, in order.
    text: String,
    has_body: bool,
    carries: Vec<Resource>,
    hidden: bool,
    headers: Vec<Word>,
    /// Files are handed over as files: `-F`, `-T`.
    uploads: bool,
    /// Names of variables in the body.
    variables: Vec<String>,
    /// Files the answer goes to; the program's own choice of a name is an unresolved one.
    outputs: Vec<Word>,
    /// The answer does not reach standard output.
    silent: bool,
    by: &'a str,
    span: Option<Span>,
}

impl Wanted<'_> {
    /// A word of the body; parts that are not known may be anything, a secret among it.
    fn say(&mut self, word: &Word) {
        self.has_body = true;
        self.hidden |= !word.is_known();
        self.variables.extend(word.unknown.iter().filter(|part| !part.substitution).map(|part| part.name.clone()));
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(&word.text);
    }

    /// A file whose content is sent; `-` is standard input.
    fn send_file(&mut self, scene: &mut Scene<'_>, word: &Word, stdin: &Stream) {
        self.has_body = true;
        if matches!(&*word.text, "-" | "." | "/dev/stdin") {
            self.send_stdin(stdin);
        } else {
            self.carries.push(paths::resource(scene, word, ResourceKind::File));
        }
    }

    fn send_stdin(&mut self, stdin: &Stream) {
        self.has_body = true;
        self.carries.extend(stdin.carries.iter().cloned());
        match &stdin.text {
            Some((text, _)) => self.text.push_str(text),
            None => self.hidden |= stdin.carries.is_empty(),
        }
    }

    /// A request written down in a file and sent with one's own token is a call of an API, not a file that is given away.
    fn calls_api(&mut self) {
        const LOGS_IN: &[&str] = &["authorization:", "x-api-key:", "api-key:", "apikey:", "private-token:", "x-auth"];
        let written = |resource: &Resource| {
            let name = resource.name.rsplit('/').next().unwrap_or("");
            let request = [".json", ".graphql", ".gql"].iter().any(|end| name.ends_with(end));
            request && !resource.areas.has(Area::Credential) && !resource.areas.has(Area::Outside)
        };
        let logs_in = self.headers.iter().any(|header| {
            let header = header.text.to_ascii_lowercase();
            LOGS_IN.iter().any(|name| header.starts_with(name))
        });
        if logs_in && !self.uploads && self.carries.iter().all(written) && !self.carries.is_empty() {
            self.carries.clear();
            self.text = "{}".to_owned();
        }
    }

    /// Notes every request and what is written, and says what comes out.
    fn go(mut self, scene: &mut Scene<'_>) -> Stream {
        self.calls_api();
        let headers: Vec<&str> = self.headers.iter().map(|word| &*word.text).collect();
        let mark = scene.mark();
        for url in &self.urls {
            let in_address = url.unknown.iter().filter(|part| !part.substitution).map(|part| &*part.name);
            let variables: Vec<&str> = self.variables.iter().map(|name| &**name).chain(in_address).collect();
            let body = Body {
                present: self.has_body,
                text: self.has_body.then_some(&*self.text),
                carries: &self.carries,
                hidden: self.hidden,
                headers: &headers,
                variables: &variables,
            };
            let span = url.span.or(self.span);
            super::request(scene, &Request { method: &self.method, url, body, span, by: self.by });
        }
        // A secret that was read comes out, and goes where that flows.
        let secret =
            |effect: &&mut Effect| effect.operation == Operation::Read && effect.resource.kind == ResourceKind::Secret;
        let carries = scene.since(mark).iter_mut().filter(secret).map(|effect| effect.resource.clone()).collect();
        let mut fetched_into = Vec::new();
        for output in &self.outputs {
            if output.text == "/dev/null" {
                continue;
            }
            let file = paths::resource(scene, output, ResourceKind::File);
            fetched_into.push(file.clone());
            if output.is_known() && !self.urls.is_empty() {
                // What runs it later in the same text runs what came from outside.
                let content = Stream { connected: true, remote: true, ..Stream::default() };
                scene.files.insert(scene.file_key(&file.name), content);
            }
            let mut effect = Effect::new(Operation::Update, file);
            effect.extent = Extent::All;
            effect.span = output.span.or(self.span);
            effect.by = self.by.to_owned();
            scene.effect(effect);
        }
        let flows = !self.silent && !self.urls.is_empty();
        Stream { connected: flows, remote: flows, fetched_into, carries, ..Stream::default() }
    }
}

/// The options of a command line one by one, long and short, with their values.
struct Options<'a> {
    words: std::slice::Iter<'a, Word>,
    /// The rest of a bundle of short options, and the word it stands in.
    bundle: Option<(&'a str, &'a Word)>,
    /// `--` was seen.
    ended: bool,
    /// What an option is given after `=` or glued to its letter.
    glued: Option<Word>,
}

/// One piece of a command line.
enum Piece<'a> {
    Long(&'a str),
    Short(char),
    Operand(&'a Word),
}

impl<'a> Options<'a> {
    fn of(invocation: &'a Invocation<'_>) -> Self {
        Self { words: invocation.words.get(1..).unwrap_or_default().iter(), bundle: None, ended: false, glued: None }
    }

    fn next(&mut self) -> Option<Piece<'a>> {
        self.glued = None;
        if let Some((letters, word)) = self.bundle.take() {
            return self.short(letters, word);
        }
        let word = self.words.next()?;
        if self.ended || word.text.len() < 2 || !word.text.starts_with('-') {
            return Some(Piece::Operand(word));
        }
        if word.text == "--" {
            self.ended = true;
            return self.next();
        }
        if let Some(long) = word.text.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            self.glued = value.map(|value| part(word, value));
            return Some(Piece::Long(name));
        }
        self.short(&word.text[1..], word)
    }

    fn short(&mut self, letters: &'a str, word: &'a Word) -> Option<Piece<'a>> {
        let letter = letters.chars().next()?;
        let rest = &letters[letter.len_utf8()..];
        self.bundle = (!rest.is_empty()).then_some((rest, word));
        Some(Piece::Short(letter))
    }

    /// The value of the option that was just returned.
    fn value(&mut self) -> Word {
        if let Some(glued) = self.glued.take() {
            return glued;
        }
        if let Some((rest, word)) = self.bundle.take() {
            return part(word, rest.strip_prefix('=').unwrap_or(rest));
        }
        self.words.next().cloned().unwrap_or_default()
    }
}

/// The end of a word as a word of its own.
fn part(word: &Word, end: &str) -> Word {
    let from = word.text.len() - end.len();
    let unknown = word.unknown.iter().filter(|part| part.start >= from).map(|part| {
        let mut part = part.clone();
        part.start -= from;
        part.end -= from;
        part
    });
    Word { text: end.to_owned(), unknown: unknown.collect(), ..word.clone() }
}

/// The file name a program makes of an address.
fn name_of(url: &Word) -> Word {
    let address = super::Address::of(url);
    let name = address.path_segments().next_back().unwrap_or("index.html").to_owned();
    let mut word = Word { text: name, span: url.span, ..Word::default() };
    if address.unresolved {
        word.unknown.push(crate::classify::Unknown {
            name: word.text.clone(),
            start: 0,
            end: word.text.len(),
            substitution: false,
            guarded: false,
        });
    }
    word
}

fn unknown_option(scene: &mut Scene<'_>, span: Option<Span>, name: &str) {
    // These programs only ever talk and write what their other words say.
    scene.gap(GapKind::UnknownOption, Hides::Target, span, name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::seen;

    /// Runs a command line without quotes and shows its effects and whether outside content comes out of it.
    pub(super) fn check(line: &str, expected: &str) {
        let words: Vec<Word> = line.split(' ').map(Word::known).collect();
        let mut remote = false;
        let mut seen = seen::inside(line, |scene| {
            let stdin = Stream::default();
            let invocation = Invocation { words: &words, span: None, stdin: &stdin, assignments: &[] };
            remote = match &*words[0].text {
                "curl" => curl(scene, &invocation),
                "wget" => wget(scene, &invocation),
                _ => httpie(scene, &invocation),
            }
            .remote;
        });
        if remote {
            seen.push_str("\nout remote");
        }
        assert_eq!(seen, expected, "{line}");
    }
}
