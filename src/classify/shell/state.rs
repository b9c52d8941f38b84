//! What a shell remembers besides its variables, which the scene holds because sessions keep them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::classify::command::Stream;
use crate::classify::{Unknown, Word};
use crate::model::Span;

/// Functions, aliases, arrays, positional parameters and the like of the current shell.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) functions: BTreeMap<String, Rc<Function>>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) arrays: BTreeMap<String, Vec<Word>>,
    /// Values of variables that are known in part: `$ROOT/build`.
    pub(super) partial: BTreeMap<String, Word>,
    /// Variables that stand for whatever a pattern finds: `for f in *.log`.
    pub(super) patterns: BTreeSet<String>,
    /// `$1 …`; `None` when they are not known.
    pub(super) positional: Option<Rc<[Word]>>,
    pub(in crate::classify) old_cwd: Option<String>,
    /// The working folder was changed to one that is not known.
    pub(in crate::classify) lost: bool,
    /// The stack of `pushd`.
    pub(super) folders: Vec<Option<String>>,
    /// Functions and aliases that are being run, innermost last.
    pub(super) calls: Vec<String>,
    /// Runs beside something else: a stage of a pipeline, or in the background.
    pub(super) beside: bool,
    pub(super) loops: usize,
    /// Ways through the code that are open, and what was set since the first of them was.
    pub(super) ways: usize,
    pub(super) sets: Vec<super::ways::Set>,
    /// How many pieces of shell code are open, and how deep their groups go together.
    pub(super) nesting: usize,
    /// Tells the text of one piece of shell code from another's.
    pub(super) code: usize,
    input: Option<Stream>,
    output: Stream,
    counted: Counted,
}

/// What goes on counting when the rest is put back after a subshell.
#[derive(Clone, Debug, Default)]
struct Counted {
    commands: usize,
    codes: usize,
    bomb: bool,
    #[cfg(test)]
    seen: Option<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) body: String,
    /// Where the body stands in the code with this number.
    pub(super) at: Span,
    pub(super) code: usize,
}

impl State {
    /// Simple commands looked at for one action; loops and calls multiply them.
    const MAX_COMMANDS: usize = 4_096;
    /// A call is as much work as the commands that fit in its body.
    const BYTES_PER_COMMAND: usize = 64;

    /// Sets what the next piece of shell code reads on standard input.
    pub fn connect(&mut self, stdin: Stream) {
        self.input = Some(stdin);
    }

    /// What the last piece of shell code wrote on standard output.
    pub fn take_output(&mut self) -> Stream {
        std::mem::take(&mut self.output)
    }

    /// Takes over a function that an earlier action of the session defined.
    pub fn define(&mut self, name: &str, body: &str) {
        // No piece of code has the number 0: the body stands nowhere in the text.
        let function = Function { body: body.to_owned(), at: Span::new(0, 0), code: 0 };
        self.functions.insert(name.to_owned(), Rc::new(function));
    }

    /// A variable whose value is not known, but where it comes from is: what stands under `key` among the files.
    pub fn set_partial(&mut self, name: &str, key: &str) {
        let text = format!("${name}");
        let unknown = Unknown { name: key.to_owned(), start: 0, end: text.len(), substitution: true, guarded: false };
        self.partial.insert(name.to_owned(), Word { text, unknown: vec![unknown], ..Word::default() });
    }

    /// Variables known in part, with what their value is made of.
    pub fn partials(&self) -> impl Iterator<Item = (&str, &str)> {
        self.partial.iter().filter_map(|(name, word)| Some((&**name, &*word.unknown.first()?.name)))
    }

    pub fn set_alias(&mut self, name: &str, text: &str) {
        self.aliases.insert(name.to_owned(), text.to_owned());
    }

    /// Names of functions with their bodies.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.functions.iter().map(|(name, function)| (&**name, &*function.body))
    }

    pub fn names_nothing(&self) -> bool {
        self.functions.is_empty() && self.aliases.is_empty()
    }

    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(name, text)| (&**name, &**text))
    }

    /// Sets `$1 …`, as in `sh -c '…' name one two`.
    pub fn set_positional(&mut self, words: &[Word]) {
        self.positional = Some(words.into());
    }

    /// Puts back the state of before a subshell; what is counted goes on.
    pub(in crate::classify) fn restore(&mut self, before: Self) {
        let counted = std::mem::take(&mut self.counted);
        let output = std::mem::take(&mut self.output);
        *self = Self { counted, output, ..before };
    }

    pub(super) fn take_input(&mut self) -> Stream {
        self.input.take().unwrap_or_default()
    }

    pub(super) fn set_output(&mut self, output: Stream) {
        self.output = output;
    }

    pub(super) fn new_code(&mut self) -> usize {
        self.counted.codes += 1;
        self.counted.codes
    }

    /// Counts one more simple command; whether it is still to be looked at.
    pub(super) fn count_command(&mut self) -> bool {
        self.counted.commands += 1;
        self.counted.commands <= Self::MAX_COMMANDS
    }

    /// Counts a call of a function; whether it is still to be looked at.
    pub(super) fn count_call(&mut self, body: &str) -> bool {
        self.counted.commands += body.len() / Self::BYTES_PER_COMMAND;
        self.counted.commands <= Self::MAX_COMMANDS
    }

    /// Where tests note the commands they see instead of handing them on.
    #[cfg(test)]
    pub(super) fn seen(&mut self) -> &mut Option<Vec<String>> {
        &mut self.counted.seen
    }

    /// Whether a bomb was seen for the first time.
    pub(super) fn first_bomb(&mut self) -> bool {
        !std::mem::replace(&mut self.counted.bomb, true)
    }
}
