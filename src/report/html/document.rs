//! HTML written by hand: one page that needs nothing else and runs nothing.
//!
//! What was recorded comes in as text only. Markup in it is spelt out, and so is what would hide or reorder letters. The
//! page forbids every request and every script, also its own: it has none.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::model::Span;
use crate::report::escaped;

/// Longer texts are cut: a page is for reading.
const MAX_TEXT: usize = 6000;

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded and nothing runs; only this very style counts.
static ALLOWED: LazyLock<String> = LazyLock::new(|| {
    let hash = base64(&Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
});

/// A page in the making.
#[derive(Debug)]
pub(in crate::report) struct Document {
    text: String,
    /// Elements that are open.
    open: Vec<&'static str>,
}

impl Document {
    /// With everything up to the main part, in which what follows stands.
    pub(in crate::report) fn new(title: &str) -> Self {
        let mut page = Self { text: "<!DOCTYPE html>\n".to_owned(), open: Vec::new() };
        page.open("html", &[("lang", "en")]);
        page.open("head", &[]);
        page.text.push_str("<meta charset=\"utf-8\">\n");
        page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &ALLOWED)]);
        page.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
        page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
        page.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        page.line("title", &[], title);
        // The hash in the policy is of these very bytes.
        let _ = writeln!(page.text, "<style>{STYLE}</style>");
        page.close();
        page.open("body", &[]);
        page.line("a", &[("class", "skip"), ("href", "#main")], "Skip to the findings");
        page
    }

    /// Opens an element; the next ones stand inside it.
    pub(in crate::report) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push('\n');
        self.open.push(name);
    }

    /// Closes the element that was opened last.
    pub(in crate::report) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            let _ = writeln!(self.text, "</{name}>");
        }
    }

    /// An element with text in it.
    pub(in crate::report) fn line(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.text.push_str(&inert(text));
        let _ = writeln!(self.text, "</{name}>");
    }

    /// An element with pieces of text in it, each in an element of its own or, where that has no name, as it is.
    pub(in crate::report) fn pieces(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        pieces: &[(&'static str, &str)],
    ) {
        self.start(name, attributes);
        for (inner, text) in pieces {
            if inner.is_empty() {
                self.text.push_str(&inert(text));
            } else {
                let _ = write!(self.text, "<{inner}>{}</{inner}>", inert(text));
            }
        }
        let _ = writeln!(self.text, "</{name}>");
    }

    /// An element that has nothing in it.
    pub(in crate::report) fn void(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push('\n');
    }

    /// An entry of a list of terms.
    pub(in crate::report) fn term(&mut self, term: &str, said: &str) {
        self.line("dt", &[], term);
        self.line("dd", &[], said);
    }

    /// The head of a table: what it is, and its columns.
    pub(in crate::report) fn table(&mut self, caption: &str, columns: &[&str]) {
        self.open("table", &[]);
        self.line("caption", &[], caption);
        self.open("thead", &[]);
        self.open("tr", &[]);
        for column in columns {
            self.line("th", &[("scope", "col")], column);
        }
        self.close();
        self.close();
        self.open("tbody", &[]);
    }

    pub(in crate::report) fn close_table(&mut self) {
        self.close();
        self.close();
    }

    /// A recorded text with its line breaks, and the words that matter marked. `label` says what it is to who only hears
    /// the page; who uses a keyboard can move in it.
    pub(in crate::report) fn code(&mut self, label: &str, text: &str, spans: &[Span]) {
        self.start("pre", &[("tabindex", "0"), ("role", "group"), ("aria-label", label)]);
        self.text.push_str("<code>");
        let shown = &text[..text.floor_char_boundary(MAX_TEXT)];
        let mut at = 0;
        for span in spans {
            let start = span.start.max(at);
            let (Some(before), Some(marked)) = (shown.get(at..start), shown.get(start..span.end)) else { continue };
            if !marked.is_empty() {
                let _ = write!(self.text, "{}<mark>{}</mark>", lines(before), lines(marked));
                at = span.end;
            }
        }
        self.text.push_str(&lines(&shown[at..]));
        self.text.push_str("</code></pre>\n");
        if shown.len() < text.len() {
            self.line("p", &[("class", "quiet")], &format!("… and {} bytes more", text.len() - shown.len()));
        }
    }

    /// Small bars, and `said` for who does not see them.
    pub(in crate::report) fn bars(&mut self, counts: &[u64], said: &str) {
        const WIDE: usize = 6;
        const HIGH: u64 = 24;
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let (width, height) = ((counts.len() * WIDE).to_string(), HIGH.to_string());
        let view = format!("0 0 {width} {height}");
        self.open(
            "svg",
            &[("role", "img"), ("aria-label", said), ("width", &width), ("height", &height), ("viewBox", &view)],
        );
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let tall = (count * HIGH).div_ceil(most);
            let (x, y, tall) = ((at * WIDE).to_string(), (HIGH - tall).to_string(), tall.to_string());
            let wide = (WIDE - 1).to_string();
            self.start("rect", &[("x", &x), ("y", &y), ("width", &wide), ("height", &tall)]);
            self.text.push_str("</rect>\n");
        }
        self.close();
    }

    /// The whole of it; what is still open is closed.
    pub(in crate::report) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", inert(value));
        }
        self.text.push('>');
    }
}

/// Text that is nothing but text, on one line, between tags and in attributes.
fn inert(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for char in escaped(text).chars() {
        match char {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            char => written.push(char),
        }
    }
    written
}

/// The same with its line breaks.
fn lines(text: &str) -> String {
    text.split('\n').map(inert).collect::<Vec<_>>().join("\n")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut written = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            written.push(if at <= part.len() { char::from(letter) } else { '=' });
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Document, base64};
    use crate::model::Span;

    fn body(write: impl FnOnce(&mut Document)) -> String {
        let mut page = Document::new("t");
        let start = page.text.len();
        write(&mut page);
        page.text[start..].to_owned()
    }

    #[test]
    fn nothing_recorded_is_markup() {
        let text = "<b>&\"'\u{202e}\u{1b}[0m\n</style>";
        let shown = "&lt;b&gt;&amp;&quot;&#39;\\u{202e}\\u{1b}[0m\\n&lt;/style&gt;";
        assert_eq!(
            body(|page| page.line("p", &[("title", text)], text)),
            format!("<p title=\"{shown}\">{shown}</p>\n")
        );
        let shown = shown.replace("\\n", "\n");
        assert!(body(|page| page.code("c", text, &[])).ends_with(&format!("<code>{shown}</code></pre>\n")));
    }

    #[test]
    fn words_are_marked_once_and_in_whole_letters() {
        let code = |text: &str, spans: &[(usize, usize)]| {
            let spans: Vec<_> = spans.iter().map(|(start, end)| Span::new(*start, *end)).collect();
            let said = body(|page| page.code("c", text, &spans));
            said.split_once("<code>").unwrap().1.replace("</code></pre>\n", "")
        };
        assert_eq!(code("rm -rf a b", &[(0, 2), (7, 8)]), "<mark>rm</mark> -rf <mark>a</mark> b");
        assert_eq!(code("rm a", &[(0, 4), (1, 3)]), "<mark>rm a</mark>");
        assert_eq!(code("rm ä", &[(0, 4), (9, 12)]), "rm ä");
        assert!(code(&"x".repeat(7000), &[(6500, 6501)]).contains("1000 bytes more"));
    }

    #[test]
    fn bars_say_what_they_show() {
        let said = body(|page| page.bars(&[1, 0, 4], "5 in 3 days"));
        assert!(said.starts_with("<svg role=\"img\" aria-label=\"5 in 3 days\" width=\"18\""), "{said}");
        assert_eq!(said.matches("<rect").count(), 2);
    }

    /// The vectors of RFC 4648, chapter 10.
    #[test]
    fn base64_of_the_standard() {
        for (text, written) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(base64(text.as_bytes()), written);
        }
    }
}
