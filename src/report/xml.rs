//! XML written by hand: elements, attributes, text. What XML cannot hold is spelt out.

use std::fmt::Write as _;

/// A document in the making.
#[derive(Debug)]
pub(super) struct Xml {
    text: String,
    /// Elements that are open.
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    /// Opens an element; the next ones stand inside it.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name);
    }

    /// Closes the element that was opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{}</{name}>", self.indent());
        }
    }

    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push_str("/>\n");
    }

    /// An element with text in it.
    pub(super) fn text(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        let _ = writeln!(self.text, ">{}</{name}>", escaped(text, false));
    }

    /// The whole of it; what is still open is closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "{}<{name}", self.indent());
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escaped(value, true));
        }
    }

    fn indent(&self) -> String {
        " ".repeat(self.open.len())
    }
}

/// Text between tags, or the value of an attribute, in which a reader would take a line break for a space.
fn escaped(text: &str, attribute: bool) -> String {
    let mut written = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\n' | '\t' if !attribute => written.push(char),
            '\n' | '\t' => {
                let _ = write!(written, "&#{};", u32::from(char));
            }
            // XML 1.0 has no place for them, not even spelt as numbers.
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(written, "\\u{{{:x}}}", u32::from(char));
            }
            char => written.push(char),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::Xml;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let mut xml = Xml::new();
        xml.open("a", &[("name", "x < \"y\" & 'z'")]);
        xml.text("b", &[], "1 > 0\n\u{1b}[0m");
        xml.empty("d", &[("e", "f\ng")]);
        xml.empty("c", &[]);
        let expected = "<a name=\"x &lt; &quot;y&quot; &amp; 'z'\">\n <b>1 &gt; 0\n\\u{1b}[0m</b>\n <d e=\"f&#10;g\"/>\n <c/>\n</a>\n";
        assert_eq!(xml.finish().split_once('\n').unwrap().1, expected);
    }
}
