//! Transcripts that are one JSON document instead of lines: read whole, up to a limit, record by record.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::line::At;

/// A document longer than this is refused.
const MAX_DOCUMENT: usize = 512 << 20;

/// Whether a file that starts like `head` is one document (a list, or an object over many lines) rather than an object
/// per line.
pub(crate) fn is_document(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let first = memchr::memchr(b'\n', head).map_or(&[][..], |end| head.get(..end).unwrap_or_default().trim_ascii_end());
    head.starts_with(b"[") || first == b"{" || first.starts_with(b"{") && first.ends_with(b",")
}

/// A document in memory.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    /// Why the input could not be read to its end.
    pub(crate) broke: Option<io::Error>,
}

impl Document {
    /// Reads the rest of the input; `None` when it is longer than [`MAX_DOCUMENT`]. Where the input cannot be read any
    /// further, what came before is kept and the error stands in [`Document::broke`].
    pub(crate) fn read(input: &mut dyn BufRead) -> Option<Self> {
        let mut bytes = Vec::new();
        let broke = input.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut bytes).err();
        if bytes.len() > MAX_DOCUMENT {
            return None;
        }
        let text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Some(Self { text, broke })
    }

    /// The text without a byte order mark.
    pub(crate) fn text(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }

    /// Hands every element to `each`, with its line and offset: those of a top-level list, or of the lists named in `lists`
    /// of a top-level object.
    ///
    /// # Errors
    /// When the document is not JSON; every element before the damage has been handed out.
    pub(crate) fn each(
        &self,
        lists: &[&str],
        each: &mut dyn FnMut(&RawValue, At) -> ControlFlow<()>,
    ) -> Result<(), serde_json::Error> {
        let text = self.text();
        let start = text.as_ptr() as usize;
        let (mut line, mut counted) = (1, 0);
        let mut stopped = false;
        let mut located = |element: &RawValue| {
            let offset = (element.get().as_ptr() as usize).saturating_sub(start);
            let between = text.as_bytes().get(counted..offset).unwrap_or_default();
            line += memchr::memchr_iter(b'\n', between).count() as u64;
            counted = counted.max(offset);
            let flow = each(element, At { line, offset: (offset + self.text.len() - text.len()) as u64 });
            stopped = flow.is_break();
            flow
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = deserializer.deserialize_any(Top { lists, each: &mut located }).and_then(|()| deserializer.end());
        if stopped { Ok(()) } else { read }
    }
}

type Each<'f> = dyn FnMut(&RawValue) -> ControlFlow<()> + 'f;

/// The document itself: a list, or an object with lists in it.
struct Top<'l, 'f> {
    lists: &'l [&'l str],
    each: &'l mut Each<'f>,
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages or an object with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Elements { each: self.each }.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<super::Word<'de>>()? {
            if self.lists.contains(&name.text()) {
                map.next_value_seed(Elements { each: self.each })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// One of its lists.
struct Elements<'l, 'f> {
    each: &'l mut Each<'f>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&RawValue>()? {
            if (self.each)(element).is_break() {
                return Err(A::Error::custom("nobody wants more"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut bytes = text.as_bytes();
        let document = Document::read(&mut bytes).unwrap();
        let mut seen = String::new();
        let read = document.each(&["messages"], &mut |element, at| {
            seen += &format!("L{}@{} {} ", at.line, at.offset, element.get());
            ControlFlow::Continue(())
        });
        assert_eq!(format!("{seen}{}", if read.is_ok() { "ok" } else { "broken" }), expected);
    }

    #[test]
    fn elements_are_located() {
        check("{\n \"a\": [9],\n \"messages\": [1,\n  {\"x\":2}]\n}", "L3@27 1 L4@32 {\"x\":2} ok");
    }

    #[test]
    fn a_list_is_a_document_too() {
        check("[{\"x\":2}, 7]", "L1@1 {\"x\":2} L1@10 7 ok");
    }

    #[test]
    fn what_stands_before_the_damage_is_read() {
        check("{\"messages\":[1,2,{\"x\":", "L1@13 1 L1@15 2 broken");
    }

    #[test]
    fn a_document_spans_lines() {
        assert!(is_document(b"{\n  \"a\": 1"));
        assert!(is_document(b"{ \"a\": 1,\r\n"));
        assert!(!is_document(b"{\"a\":1}\n{\"a\":2}\n"));
        assert!(!is_document(b"{\"cut off\n{\"a\":2}\n"));
    }
}
