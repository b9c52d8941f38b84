//! Functions that a library calls with what the command line says: `@click.command()`, `@app.command()` of typer.

use crate::classify::Language;

use super::super::lexer::Kind;
use super::super::value::{Declared, Value};
use super::Walk;

/// More commands than this are not kept.
const MOST: usize = 64;

/// A function that stands for a command or a subcommand.
#[derive(Debug)]
pub(super) struct Command {
    function: String,
    /// The word of the command line that asks for it, where there are several.
    word: String,
    parameters: Vec<String>,
}

impl Walk<'_> {
    /// Notes that the function at `at`, with decorators from `from`, is called by the command line.
    pub(super) fn command(&mut self, from: usize, at: usize) {
        let Some(function) = self.name(at + 1).map(str::to_owned) else { return };
        if self.language != Language::Python || self.functions.commands.len() >= MOST || !self.is(at + 2, b'(') {
            return;
        }
        let (mut word, mut declared) = (None, Vec::new());
        for sign in (from..at).filter(|at| self.is_decorator(*at)) {
            let Some(open) = (sign + 1..at.min(sign + 8)).find(|at| self.is(*at, b'(')) else { continue };
            let close = self.reading.tokens[open].close;
            match self.name(open - 1) {
                Some("command" | "callback") => {
                    let said = self.texts(open, close).into_iter().next();
                    word = Some(said.unwrap_or_else(|| function.replace('_', "-")));
                }
                Some("argument") => declared.extend(self.texts(open, close).into_iter().next().map(|name| {
                    let mut one = self.option_of(open, close, vec![name.to_ascii_lowercase()]);
                    one.takes = true;
                    one
                })),
                Some("option") => {
                    let names = self.texts(open, close);
                    let flag = names.iter().any(|name| name.contains('/')) || self.says(open, close, "is_flag");
                    let names = names.iter().flat_map(|name| name.split('/')).map(str::to_owned).collect();
                    let mut one = self.option_of(open, close, names);
                    one.takes &= !flag;
                    declared.push(one);
                }
                _ => {}
            }
        }
        let Some(word) = word else { return };
        let open = at + 2;
        let close = self.reading.tokens[open].close.max(open + 1);
        let items = self.reading.items(open + 1, close);
        let parameters: Vec<(String, (usize, usize))> =
            items.into_iter().filter_map(|item| Some((self.name(item.0)?.to_owned(), item))).collect();
        if declared.is_empty() {
            declared = parameters.iter().map(|(name, item)| self.typed(name, *item)).collect();
        }
        let parser = format!("def {function}");
        for mut one in declared {
            one.parser.clone_from(&parser);
            self.reading.declared.push(one);
        }
        let parameters = parameters.into_iter().map(|(name, _)| name).collect();
        self.functions.commands.push(Command { function, word, parameters });
    }

    /// Whether `@name` begins at `at`.
    pub(super) fn is_decorator(&self, at: usize) -> bool {
        self.begins(at) && self.token(at).is_some_and(|token| token.is(b'@') || token.text.starts_with('@'))
    }

    /// Several commands are told apart by the first word.
    pub(super) fn subcommands(&mut self) {
        if self.functions.commands.len() < 2 && !self.reading.code.contains(".group(") {
            return;
        }
        for command in &self.functions.commands {
            self.reading.parsers.insert(format!("def {}", command.function), command.word.clone());
        }
    }

    /// What the command line gives to the parameters of the function; nothing when it is no command.
    pub(super) fn commanded(&self, function: &str) -> Vec<(String, Option<Value>)> {
        let Some(command) = self.functions.commands.iter().find(|command| command.function == function) else {
            return Vec::new();
        };
        if self.reading.arguments.is_none() {
            return Vec::new();
        }
        let parser = format!("def {function}");
        let value = |name: &String| {
            let words = self.reading.said(Some(&parser), name);
            let list = self.reading.takes_many(&parser, name);
            (name.clone(), words.map(|words| Value { words, list, ..Value::default() }))
        };
        command.parameters.iter().map(value).collect()
    }

    /// Whether the command line asks for another command than the function at `at`.
    pub(super) fn unasked(&self, at: usize) -> bool {
        let Some(name) = self.name(at + 1) else { return false };
        let parser = format!("def {name}");
        match (self.reading.parsers.get(&parser), self.reading.subcommand()) {
            (Some(word), Some(asked)) => word != asked,
            _ => false,
        }
    }

    /// The texts among the arguments of the bracket `open..close` that are not named.
    fn texts(&self, open: usize, close: usize) -> Vec<String> {
        let text = |(from, to): (usize, usize)| match &self.token(from)?.kind {
            Kind::Text(word) if to == from + 1 => Some(word.text.clone()),
            _ => None,
        };
        self.reading.items(open + 1, close.max(open + 1)).into_iter().filter_map(text).collect()
    }

    /// The tokens behind `name=` in the bracket.
    fn named_item(&self, open: usize, close: usize, name: &str) -> Option<(usize, usize)> {
        let items = self.reading.items(open + 1, close.max(open + 1));
        items
            .into_iter()
            .find(|(from, _)| self.name(*from) == Some(name) && self.is(from + 1, b'='))
            .map(|it| (it.0 + 2, it.1))
    }

    fn says(&self, open: usize, close: usize, name: &str) -> bool {
        self.named_item(open, close, name).is_some_and(|(from, _)| self.name(from) == Some("True"))
    }

    fn option_of(&self, open: usize, close: usize, names: Vec<String>) -> Declared {
        let usual = self.named_item(open, close, "default").map(|(from, to)| self.reading.word(from, to, 0));
        let many =
            self.named_item(open, close, "nargs").is_some_and(|(from, to)| many(&self.reading.word(from, to, 0).text));
        Declared { names, parser: String::new(), takes: true, many, usual }
    }

    /// A parameter of a typer command: `path: str`, `force: bool = False`, `host: str = typer.Option("a", "--host")`.
    fn typed(&self, name: &str, (from, to): (usize, usize)) -> Declared {
        let sign = (from..to).find(|at| self.is(*at, b'='));
        let made = (from..to).find(|at| matches!(self.name(*at), Some("Option" | "Argument")) && self.is(at + 1, b'('));
        let texts = made.map(|at| self.texts(at + 1, self.reading.tokens[at + 1].close)).unwrap_or_default();
        let option = made.map_or(sign.is_some(), |at| self.name(at) == Some("Option"));
        let mut names: Vec<String> = texts.iter().filter(|text| text.starts_with('-')).cloned().collect();
        names.push(if option { format!("--{}", name.replace('_', "-")) } else { name.to_owned() });
        let within = made.map(|at| (at + 1, self.reading.tokens[at + 1].close));
        let usual = match (within, sign) {
            (Some((open, close)), Some(sign)) if open > sign => {
                let first = self.reading.items(open + 1, close).into_iter().next();
                first.map(|(from, to)| self.reading.word(from, to, 0)).filter(|word| !word.text.starts_with('-'))
            }
            (_, Some(sign)) => Some(self.reading.word(sign + 1, to, 0)),
            _ => None,
        };
        let kind = (from + 2..to).find_map(|at| self.name(at));
        let many = matches!(kind, Some("List" | "list" | "tuple" | "Tuple"));
        Declared { names, parser: String::new(), takes: kind != Some("bool"), many, usual }
    }
}

/// Whether an `nargs` takes more than one word.
pub(super) fn many(nargs: &str) -> bool {
    matches!(nargs, "-1" | "+" | "*")
}
