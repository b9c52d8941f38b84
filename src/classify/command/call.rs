//! One command line under one spec: what conditions and templates ask.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::classify::Word;
use crate::model::Span;

use super::Invocation;
use super::condition::is_one_of;
use super::flags::{Names, Parsed};
use super::spec::Spec;

/// One command line under one spec.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub invocation: &'c Invocation<'c>,
    pub parsed: Parsed<'c>,
    pub program: &'c Spec,
    /// The command of the program that was selected.
    pub command: Option<&'c Spec>,
    /// `git push`.
    pub by: String,
    /// The words of `by`.
    pub head: Option<Span>,
    /// Variables of the shell; only filled when the spec asks for any.
    pub variables: BTreeMap<String, Option<String>>,
}

impl<'c> Call<'c> {
    /// The command's spec, or the program's when it has no commands.
    pub(super) fn spec(&self) -> &'c Spec {
        self.command.unwrap_or(self.program)
    }

    /// The specs that hold, the narrower first.
    pub(super) fn levels(&self) -> impl Iterator<Item = &'c Spec> {
        self.command.into_iter().chain(std::iter::once(self.program))
    }

    /// Whether an option is given whose names pass `test`, with one of `values` when there are any.
    pub(super) fn has(&self, test: impl Fn(&Names<'_>) -> bool, values: &[Box<str>]) -> bool {
        self.parsed.options.iter().any(|given| {
            test(&given.names)
                && match &given.value {
                    _ if values.is_empty() => !given.value.as_ref().is_some_and(|word| is_off(&word.text)),
                    Some(word) => is_one_of(&word.text, values),
                    None => values.iter().any(|value| &**value == "true"),
                }
        })
    }

    /// Whether the option `name` is given.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.has(|names| names.has(name), &[])
    }

    /// The values of the options whose names pass `test`.
    pub(super) fn values(&self, test: impl Fn(&Names<'_>) -> bool) -> Vec<Cow<'_, Word>> {
        let given = self.parsed.options.iter().filter(|given| test(&given.names));
        given.filter_map(|given| given.value.as_ref().map(|word| Cow::Borrowed(&**word))).collect()
    }

    /// The last value of the option `name`.
    pub(super) fn value(&self, name: &str) -> Option<&Word> {
        self.parsed.options.iter().rev().find(|given| given.names.has(name)).and_then(|given| given.value.as_deref())
    }

    pub(super) fn operand(&self, at: usize) -> Option<&Word> {
        self.parsed.operands.get(at).map(|word| &**word)
    }

    pub(super) fn operands(&self) -> impl DoubleEndedIterator<Item = &Word> + ExactSizeIterator {
        self.parsed.operands.iter().map(|word| &**word)
    }

    /// Whether a variable is set for the command or in its shell, to something known or not.
    pub(super) fn sets(&self, name: &str) -> bool {
        let own = self.invocation.assignments.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        own.or_else(|| self.variables.get(name)).is_some_and(|value| value.as_deref() != Some(""))
    }

    /// A variable set for the command or in its shell, when its value is known.
    pub(super) fn variable(&self, name: &str) -> Option<Word> {
        let own = self.invocation.assignments.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        own.or_else(|| self.variables.get(name))?.as_deref().filter(|value| !value.is_empty()).map(Word::known)
    }
}

/// `--force=false` is not `--force`.
fn is_off(value: &str) -> bool {
    matches!(value, "false" | "no" | "0" | "off" | "none")
}
