//! Where a value stands in the text it was read from.

use serde_json::value::RawValue;

use super::line::At;

/// Finds line and offset of values that were read, mostly in order, from one text.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Where the text itself begins.
    base: At,
    line: u64,
    counted: usize,
}

impl<'a> Places<'a> {
    pub(crate) fn new(text: &'a str, base: At) -> Self {
        Self { text, base, line: base.line.max(1), counted: 0 }
    }

    /// A value that was copied out of the text (unescaped) stands where the text begins.
    pub(crate) fn of(&mut self, value: &RawValue) -> At {
        let Some(offset) = (value.get().as_ptr() as usize).checked_sub(self.text.as_ptr() as usize) else {
            return self.base;
        };
        if offset > self.text.len() {
            return self.base;
        }
        if offset < self.counted {
            (self.line, self.counted) = (self.base.line.max(1), 0);
        }
        let between = self.text.as_bytes().get(self.counted..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count() as u64;
        self.counted = offset;
        At { line: self.line, offset: self.base.offset + offset as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_any_order() {
        let text = "[1,\n 2,\n{\"a\":3}]";
        let values: Vec<&RawValue> = serde_json::from_str(text).unwrap();
        let mut places = Places::new(text, At { line: 5, offset: 100 });
        let mut at = |index: usize| {
            let at = places.of(values[index]);
            (at.line, at.offset)
        };
        assert_eq!([at(0), at(2), at(1)], [(5, 101), (7, 108), (6, 105)]);
        let elsewhere: Box<RawValue> = serde_json::from_str("7").unwrap();
        assert_eq!(places.of(&elsewhere).offset, 100);
    }
}
