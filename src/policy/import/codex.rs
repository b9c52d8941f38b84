//! Execpolicy rules: `prefix_rule(pattern = [...], decision = "...", match = [...], not_match = [...])`.
//!
//! The files are Starlark; calls with lists of strings are understood, anything else is named.

use super::{ImportError, Imported, ImportedRule, Left, is_command, slug, starts_with};

/// Prefixes that one pattern with alternatives may stand for.
const MAX_PREFIXES: usize = 16;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    List(Vec<Value>),
    /// A name, a number: nothing that is understood.
    Other(String),
}

pub(super) fn read(text: &str) -> Result<Imported, ImportError> {
    let mut found = Imported::default();
    let mut scan = Scan { text, at: 0 };
    loop {
        scan.blank();
        if scan.at >= text.len() {
            return Ok(found);
        }
        let start = scan.at;
        let line = 1 + text[..start].matches('\n').count();
        let name = scan.word();
        scan.blank();
        if name.is_empty() || !scan.eats('(') {
            scan.line();
            let original = text[start..scan.at].trim().to_owned();
            found.left.push(Left { line, original, reason: "only calls are understood".to_owned() });
            continue;
        }
        let arguments = scan.arguments();
        let original = one_line(&text[start..scan.at]);
        let Some(arguments) = arguments else {
            return Err(ImportError { problem: format!("line {line}: the brackets of `{name}(` do not close") });
        };
        match if name == "prefix_rule" {
            rule(&arguments, &original)
        } else {
            Err(format!("`{name}` has no counterpart here"))
        } {
            Ok(rule) => found.rules.push(rule),
            Err(reason) => found.left.push(Left { line, original, reason }),
        }
    }
}

fn rule(arguments: &[(String, Value)], original: &str) -> Result<ImportedRule, String> {
    let get = |name: &str| arguments.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    const KEYS: &[&str] = &["pattern", "decision", "justification", "match", "not_match"];
    if let Some((key, _)) = arguments.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
        return Err(format!("`{key}` has no counterpart here"));
    }
    let decision = match get("decision") {
        None => "allow",
        Some(Value::Text(word)) => word,
        Some(_) => return Err("its `decision` is no string".to_owned()),
    };
    let decision = match decision {
        "prompt" => "ask",
        "forbidden" => "block",
        "allow" => {
            return Err("what no rule stops passes here, so an allowance says nothing; what the original asks about \
                        because nothing allows it is not asked about"
                .to_owned());
        }
        other => return Err(format!("`{other}` is no decision")),
    };
    let Some(Value::List(pattern)) = get("pattern") else { return Err("it has no `pattern`".to_owned()) };
    let prefixes = prefixes(pattern)?;
    let first = prefixes.first().ok_or("its `pattern` is empty")?;
    let mut rule = ImportedRule::new(format!("imported.{decision}-{}", slug(first)), decision, original);
    rule.message = match get("justification") {
        Some(Value::Text(why)) => why.clone(),
        _ => format!("A rule that was carried over stops `{first}`."),
    };
    let said: Vec<String> = prefixes.iter().map(|prefix| starts_with(prefix)).collect();
    rule.conditions =
        vec![is_command(), if said.len() == 1 { said.concat() } else { format!("({})", said.join(" || ")) }];
    rule.stricter =
        Some("it stops the words wherever they stand in a line, and words that only begin like them".to_owned());
    rule.stops = commands(get("match"));
    rule.passes = commands(get("not_match"));
    Ok(rule)
}

/// Every prefix that a pattern stands for, as text.
fn prefixes(pattern: &[Value]) -> Result<Vec<String>, String> {
    let mut prefixes: Vec<String> = vec![String::new()];
    for token in pattern {
        let words: Vec<&str> =
            match token {
                Value::Text(word) => vec![word],
                Value::List(words) => words
                    .iter()
                    .map(|word| {
                        if let Value::Text(word) = word { Ok(word.as_str()) } else { Err("a word of it is no string") }
                    })
                    .collect::<Result<_, _>>()?,
                Value::Other(word) => return Err(format!("`{word}` in its pattern is no string")),
            };
        prefixes = prefixes
            .iter()
            .flat_map(|prefix| words.iter().map(move |word| format!("{prefix} {word}").trim_start().to_owned()))
            .collect();
        if prefixes.len() > MAX_PREFIXES {
            return Err(format!("it stands for more than {MAX_PREFIXES} commands"));
        }
    }
    prefixes.retain(|prefix| !prefix.is_empty());
    Ok(prefixes)
}

/// Examples: strings, or lists of words.
fn commands(value: Option<&Value>) -> Vec<String> {
    let Some(Value::List(examples)) = value else { return Vec::new() };
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=@%+,".contains(c));
    let quoted = |word: &str| if plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) };
    examples
        .iter()
        .filter_map(|example| match example {
            Value::Text(text) => Some(text.clone()),
            Value::List(words) => words
                .iter()
                .map(|word| if let Value::Text(word) = word { Some(quoted(word)) } else { None })
                .collect::<Option<Vec<_>>>()
                .map(|words| words.join(" ")),
            Value::Other(_) => None,
        })
        .filter(|line| !line.trim().is_empty() && !line.contains(char::is_control))
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Spaces, line breaks and comments.
    fn blank(&mut self) {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.line();
        }
    }

    fn line(&mut self) {
        self.at += self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
    }

    fn word(&mut self) -> String {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let word: String = self.rest().chars().take_while(|letter| is_word(*letter)).collect();
        self.at += word.len();
        word
    }

    fn eats(&mut self, letter: char) -> bool {
        let is_next = self.rest().starts_with(letter);
        self.at += if is_next { letter.len_utf8() } else { 0 };
        is_next
    }

    /// `key = value` up to the closing bracket; what has no key is called by its place.
    fn arguments(&mut self) -> Option<Vec<(String, Value)>> {
        let mut arguments = Vec::new();
        loop {
            self.blank();
            if self.eats(')') {
                return Some(arguments);
            }
            let start = self.at;
            let key = self.word();
            self.blank();
            if !key.is_empty() && self.eats('=') {
                arguments.push((key, self.value(0)?));
            } else {
                self.at = start;
                let place = if arguments.is_empty() { "pattern".to_owned() } else { format!("#{}", arguments.len()) };
                arguments.push((place, self.value(0)?));
            }
            self.blank();
            if !self.eats(',') && !self.rest().starts_with(')') {
                return None;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.blank();
        if depth < 4 && self.eats('[') {
            let mut items = Vec::new();
            loop {
                self.blank();
                if self.eats(']') {
                    return Some(Value::List(items));
                }
                items.push(self.value(depth + 1)?);
                self.blank();
                if !self.eats(',') && !self.rest().starts_with(']') {
                    return None;
                }
            }
        }
        match self.rest().chars().next()? {
            quote @ ('"' | '\'') => self.string(quote).map(Value::Text),
            _ => {
                let word = self.word();
                (!word.is_empty()).then_some(Value::Other(word))
            }
        }
    }

    fn string(&mut self, quote: char) -> Option<String> {
        self.eats(quote);
        let mut text = String::new();
        let mut letters = self.text[self.at..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    other => text.push(other),
                },
                letter if letter == quote => {
                    self.at += at + quote.len_utf8();
                    return Some(text);
                }
                letter => text.push(letter),
            }
        }
        None
    }
}
