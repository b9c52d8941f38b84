//! What a script or a function of PowerShell is given: `param([string]$Path = "out")`, `function Clear-It($Path) { … }`.

use super::words::words;

/// Not more functions than this are followed.
const MOST: usize = 64;

/// A parameter that is declared.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    name: String,
    usual: Option<String>,
    switch: bool,
}

/// A block of parameters, and the bytes it takes.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) parameters: Vec<Parameter>,
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// The bytes of the whole definition, and of what is in its braces.
    pub(super) whole: (usize, usize),
    pub(super) body: (usize, usize),
    parameters: Vec<Parameter>,
}

/// All blocks of parameters in a script.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("param").take(MOST) {
        let alone = !lower[..at].ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '-' | '$'));
        let rest = &text[at + 5..];
        let open = at + 5 + (rest.len() - rest.trim_start().len());
        if alone
            && text.as_bytes().get(open) == Some(&b'(')
            && let Some(close) = closed(text, open)
        {
            found.push(Block { from: at, to: close + 1, parameters: declared(&text[open + 1..close]) });
        }
    }
    found
}

/// All functions that a script defines.
pub(super) fn functions(text: &str, blocks: &[Block]) -> Vec<Function> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("function ").take(MOST) {
        if lower[..at].ends_with(|last: char| !last.is_whitespace() && !matches!(last, ';' | '}' | '{')) {
            continue;
        }
        let head = &lower[at + 9..];
        let name: String =
            head.trim_start().chars().take_while(|it| it.is_alphanumeric() || matches!(it, '-' | '_' | ':')).collect();
        let after = at + 9 + (head.len() - head.trim_start().len()) + name.len();
        let Some(open) = text[after..].find('{').map(|by| after + by) else { continue };
        let Some(close) = closed(text, open) else { continue };
        let bracket = text[after..open].find('(').map(|by| after + by);
        let parameters = match bracket.and_then(|bracket| Some((bracket, closed(text, bracket)?))) {
            Some((from, to)) => declared(&text[from + 1..to]),
            None => {
                let own = blocks.iter().find(|block| block.from > open && block.to <= close);
                own.map(|block| block.parameters.clone()).unwrap_or_default()
            }
        };
        if !name.is_empty() {
            found.push(Function { name, whole: (at, close + 1), body: (open + 1, close), parameters });
        }
    }
    found
}

impl Function {
    pub(super) fn given(&self, words: &[String]) -> Vec<(String, Option<String>)> {
        given(&self.parameters, words)
    }
}

/// What the words of a call make of parameters.
pub(super) fn given(parameters: &[Parameter], words: &[String]) -> Vec<(String, Option<String>)> {
    let named = |word: &str| {
        let word = word.strip_prefix('-')?.to_ascii_lowercase();
        let (name, value) = word.split_once(':').map_or((&*word, None), |(name, value)| (name, Some(value.to_owned())));
        let fits = |parameter: &&Parameter| parameter.name == name;
        let begins = |parameter: &&Parameter| !name.is_empty() && parameter.name.starts_with(name);
        let found = parameters.iter().find(fits).or_else(|| parameters.iter().find(begins))?;
        Some((found, value))
    };
    let (mut by_name, mut operands) = (Vec::new(), Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match named(word) {
            Some((parameter, Some(value))) => by_name.push((&*parameter.name, value)),
            Some((parameter, None)) if parameter.switch => by_name.push((&*parameter.name, "$true".to_owned())),
            Some((parameter, None)) => by_name.push((&*parameter.name, rest.next().cloned().unwrap_or_default())),
            None => operands.push(word.clone()),
        }
    }
    let mut operands = operands.into_iter();
    let value = |parameter: &Parameter| {
        let said = by_name.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone());
        let switch = parameter.switch.then(|| "$false".to_owned());
        let value = said.or(switch).or_else(|| operands.next()).or_else(|| parameter.usual.clone());
        (parameter.name.clone(), value)
    };
    parameters.iter().map(value).collect()
}

/// `[Parameter(Mandatory)][string]$Path = "out", [switch]$Force`.
fn declared(text: &str) -> Vec<Parameter> {
    split(text).into_iter().filter_map(one).collect()
}

fn one(text: &str) -> Option<Parameter> {
    let mut rest = text.trim_start();
    let mut switch = false;
    loop {
        if let Some(comment) = rest.strip_prefix('#') {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        } else if rest.starts_with('[') {
            let close = closed(rest, 0)?;
            let kind = rest[1..close].to_ascii_lowercase();
            switch |= kind == "switch" || kind == "bool";
            rest = rest[close + 1..].trim_start();
        } else {
            break;
        }
    }
    let rest = rest.strip_prefix('$')?;
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = rest[..length].to_ascii_lowercase();
    let value = rest[length..].trim_start().strip_prefix('=').map(|value| {
        let value = value.trim();
        let list = value.strip_prefix("@(").and_then(|inner| inner.strip_suffix(')'));
        words(list.unwrap_or(value))
    });
    let usual = value.and_then(|words| words.into_iter().next()).filter(|word| !word.is_empty() && !word.contains('('));
    (!name.is_empty()).then_some(Parameter { name, usual, switch })
}

/// The parts between commas that stand in no bracket and no quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            byte if byte == quote => quote = 0,
            _ if quote != 0 => {}
            b'"' | b'\'' => quote = byte,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

/// Where the bracket at `open` is closed.
fn closed(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, 0);
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            byte if byte == quote => quote = 0,
            _ if quote != 0 => {}
            b'"' | b'\'' => quote = byte,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
