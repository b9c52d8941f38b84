//! The words that a script is called with: `sys.argv[1]`, `process.argv.slice(2)`, `@ARGV`, `args.path` of argparse.

use crate::classify::{Language, Word};

use super::super::lexer::Kind;
use super::Reading;

/// An option or operand that a script declares: `add_argument("--out", default="x")`.
#[derive(Clone, Debug)]
pub(in crate::classify::code) struct Declared {
    /// `--out`, `-o`; an operand has its plain name.
    pub(in crate::classify::code) names: Vec<String>,
    /// The parser that knows it, by its variable.
    pub(in crate::classify::code) parser: String,
    /// The word behind it is its value.
    pub(in crate::classify::code) takes: bool,
    /// It is a list of all the operands that are left.
    pub(in crate::classify::code) many: bool,
    /// What it is when the call does not say it.
    pub(in crate::classify::code) usual: Option<Word>,
}

impl Declared {
    /// Whether the code finds it under this name.
    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.trim_start_matches('-').replace('-', "_") == name)
    }
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
            return self.said(None, name)?.into_iter().next();
        }
        let (rest, base) = self.behind(text)?;
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
        if let Some((object, name)) = text.split_once('.')
            && self.namespaces.contains(object)
        {
            let many = self.declared.iter().any(|declared| declared.many && declared.is(name));
            return if many { self.said(None, name) } else { None };
        }
        let (rest, base) = self.behind(text)?;
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

    /// What stands behind the name of a list of the call's words, and the place of the first of them.
    fn behind<'e>(&self, text: &'e str) -> Option<(&'e str, usize)> {
        LISTS.iter().find_map(|(name, base)| {
            let rest = text.strip_prefix(name)?;
            // `node -e` has no script's name before them.
            let base = if self.inline && *name == "process.argv" { base - 1 } else { *base };
            (rest.is_empty() || rest.starts_with(['[', '.'])).then_some((rest, base))
        })
    }

    /// The subcommand that the call names, where the code declares parsers for such.
    pub(in crate::classify::code) fn subcommand(&self) -> Option<&str> {
        let words = self.arguments.as_deref()?;
        words.iter().filter_map(Word::value).find(|word| self.parsers.values().any(|name| name == word))
    }

    pub(in crate::classify::code) fn takes_many(&self, parser: &str, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.many && declared.parser == parser && declared.is(name))
    }

    /// What a parser of the command line makes of it under `name`: one word, or those of a list.
    pub(in crate::classify::code) fn said(&self, parser: Option<&str>, name: &str) -> Option<Vec<Word>> {
        let one = |word: Word| vec![word];
        let words = self.arguments.as_deref()?;
        let subcommand = self.subcommand();
        let asked = |declared: &&Declared| {
            self.parsers.get(&declared.parser).is_none_or(|name| Some(&**name) == subcommand)
                && parser.is_none_or(|parser| declared.parser == parser)
        };
        let wanted = self.declared.iter().filter(asked).find(|declared| declared.is(name))?;
        let (mut operands, mut dropped) = (Vec::new(), false);
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if !word.text.starts_with('-') || word.text == "-" {
                if operands.is_empty() && subcommand.is_some() && word.value() == subcommand && !dropped {
                    dropped = true;
                } else {
                    operands.push(word);
                }
                continue;
            }
            let (option, joined) =
                word.text.split_once('=').map_or((&*word.text, None), |(it, value)| (it, Some(value)));
            let known =
                self.declared.iter().filter(asked).find(|declared| declared.names.iter().any(|name| name == option));
            let value = match (joined, known) {
                (Some(value), _) => Some(Word { text: value.to_owned(), ..word.clone() }),
                (None, Some(known)) if known.takes => rest.next().cloned(),
                _ => Some(Word::known("True")),
            };
            if wanted.names.iter().any(|name| name == option) {
                return value.map(one);
            }
        }
        if wanted.names.iter().any(|name| name.starts_with('-')) {
            return wanted.usual.clone().map(one);
        }
        let operand = |declared: &&Declared| declared.names.iter().all(|name| !name.starts_with('-'));
        let at =
            self.declared.iter().filter(asked).filter(operand).position(|declared| declared.names == wanted.names)?;
        if wanted.many {
            return Some(operands.get(at..)?.iter().copied().cloned().collect());
        }
        operands.get(at).map(|word| Word::clone(word)).or_else(|| wanted.usual.clone()).map(one)
    }
}
