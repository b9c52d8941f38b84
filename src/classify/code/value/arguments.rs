//! The words that a script is called with: `sys.argv[1]`, `process.argv.slice(2)`, `@ARGV`, `args.path` of argparse.

use crate::classify::{Language, Word};

use super::super::lexer::Kind;
use super::Reading;

/// An option or operand that a script declares: `add_argument("--out", default="x")`.
#[derive(Clone, Debug)]
pub(in crate::classify::code) struct Declared {
    /// `--out`, `-o`; an operand has its plain name.
    pub(in crate::classify::code) names: Vec<String>,
    /// The word behind it is its value.
    pub(in crate::classify::code) takes: bool,
    /// What it is when the call does not say it.
    pub(in crate::classify::code) usual: Option<Word>,
}

/// The lists that hold those words, and the place of the first of them.
const LISTS: &[(&str, usize)] = &[
    ("sys.argv", 1),
    ("process.argv", 2),
    ("Bun.argv", 2),
    ("Deno.args", 0),
    ("ARGV", 0),
    ("$ARGV", 0),
    ("@ARGV", 0),
    ("$argv", 1),
    ("$_SERVER[argv]", 1),
    ("os.Args", 1),
    ("commandArgs(trailingOnly=TRUE)", 1),
    ("commandArgs(TRUE)", 1),
    ("commandArgs(T)", 1),
    ("argv", 1),
    ("arg", 1),
];

impl Reading<'_> {
    /// The tokens `from..to` without spaces and quotes; nothing when there are many.
    pub(super) fn spelled(&self, from: usize, to: usize) -> Option<String> {
        const MOST: usize = 12;
        let tokens = self.tokens.get(from..to).filter(|tokens| tokens.len() <= MOST)?;
        let mut text = String::new();
        for token in tokens {
            match &token.kind {
                Kind::Text(word) => text.push_str(&word.text),
                _ => text.push_str(token.text),
            }
        }
        Some(text)
    }

    /// The word of the call that `text` means, an expression without spaces and quotes.
    pub(super) fn argument(&self, text: &str) -> Option<Word> {
        let words = self.arguments.as_deref()?;
        if let Some((object, name)) = text.split_once('.')
            && self.namespaces.contains(object)
        {
            return self.declared(name);
        }
        let (rest, base) = behind(text)?;
        let word = match rest {
            ".first" | ".shift" | ".shift()" => words.first(),
            ".last" | ".pop" | ".pop()" | "[-1]" => words.last(),
            _ => {
                let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
                let at: usize = inner.parse().ok()?;
                words.get(at.checked_sub(base)?)
            }
        };
        word.cloned()
    }

    /// The words of the call that `text` means.
    pub(super) fn arguments(&self, text: &str) -> Option<Vec<Word>> {
        let words = self.arguments.as_deref()?;
        let (rest, base) = behind(text)?;
        let from = match rest {
            "" if base == 0 || self.language == Language::R => base,
            _ => {
                let slice = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(":]"));
                let call = || rest.strip_prefix(".slice(").and_then(|rest| rest.strip_suffix(')'));
                slice.or_else(call)?.parse().ok()?
            }
        };
        words.get(from.checked_sub(base)?..).map(<[Word]>::to_vec)
    }

    /// What a parser of the command line makes of it under `name`.
    fn declared(&self, name: &str) -> Option<Word> {
        let words = self.arguments.as_deref()?;
        let is = |declared: &&Declared| {
            declared.names.iter().any(|known| known.trim_start_matches('-').replace('-', "_") == name)
        };
        let wanted = self.declared.iter().find(is)?;
        let mut operands = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if !word.text.starts_with('-') || word.text == "-" {
                operands.push(word);
                continue;
            }
            let (option, joined) =
                word.text.split_once('=').map_or((&*word.text, None), |(it, value)| (it, Some(value)));
            let known = self.declared.iter().find(|declared| declared.names.iter().any(|name| name == option));
            let value = match (joined, known) {
                (Some(value), _) => Some(Word { text: value.to_owned(), ..word.clone() }),
                (None, Some(known)) if known.takes => rest.next().cloned(),
                _ => None,
            };
            if wanted.names.iter().any(|name| name == option) {
                return value;
            }
        }
        if wanted.names.iter().any(|name| name.starts_with('-')) {
            return wanted.usual.clone();
        }
        let operand = |declared: &&Declared| declared.names.iter().all(|name| !name.starts_with('-'));
        let at = self.declared.iter().filter(operand).position(|declared| declared.names == wanted.names)?;
        operands.get(at).map(|word| Word::clone(word)).or_else(|| wanted.usual.clone())
    }
}

/// What stands behind the name of a list of the call's words, and the place of the first of them.
fn behind(text: &str) -> Option<(&str, usize)> {
    LISTS.iter().find_map(|(name, base)| {
        let rest = text.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['[', '.'])).then_some((rest, *base))
    })
}
