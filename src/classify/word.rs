//! A word of a command line, resolved as far as it can be.

use crate::model::Span;

/// A word after quotes, `$'…'`, tilde, braces and known variables are resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The value. Parts that are not known stand as they were written (`$STEAMROOT/*`).
    pub text: String,
    /// Where the word stands in the current piece of code.
    pub span: Option<Span>,
    /// The parts of `text` that are not known.
    pub unknown: Vec<Unknown>,
    /// Has unquoted `*`, `?` or `[`: the shell may turn it into several words.
    pub glob: bool,
    /// Any part was quoted: it cannot be a reserved word, an alias or a tilde.
    pub quoted: bool,
}

/// A part of a word whose value is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The variable's name, or the substitution as written.
    pub name: String,
    /// Bytes of [`Word::text`].
    pub start: usize,
    pub end: usize,
    /// A command substitution, not a variable.
    pub substitution: bool,
    /// `${x:?}`: the shell stops when it is empty.
    pub guarded: bool,
}

impl Word {
    /// A word whose value is known and that stands nowhere in the text.
    pub fn known(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The word without its first `from` bytes: the value in `--name=value`.
    #[must_use]
    pub fn tail(&self, from: usize) -> Self {
        let verbatim = self.span.filter(|span| span.end - span.start == self.text.len());
        let unknown = self.unknown.iter().filter(|part| part.start >= from);
        Self {
            text: self.text.get(from..).unwrap_or_default().to_owned(),
            span: verbatim.map(|span| Span::new(span.start + from, span.end)).or(self.span),
            unknown: unknown
                .map(|part| Unknown { start: part.start - from, end: part.end - from, ..part.clone() })
                .collect(),
            glob: self.glob,
            quoted: self.quoted,
        }
    }

    pub fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// The value when it is known.
    pub fn value(&self) -> Option<&str> {
        self.is_known().then_some(&*self.text)
    }

    /// What would be left if every unguarded unknown part were empty: `$STEAMROOT/*` gives `/*`.
    pub fn emptied(&self) -> String {
        let (mut left, mut at) = (String::new(), 0);
        for part in self.unknown.iter().filter(|part| !part.guarded) {
            left.push_str(&self.text[at..part.start]);
            at = part.end;
        }
        left.push_str(&self.text[at..]);
        left
    }
}
