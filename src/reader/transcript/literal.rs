//! Arguments written as Python writes them, as JSON: `{'k': 'v', 'on': True}`, and calls like `send(to='a', n=2)`.

use serde_json::{Map, Number, Value};

/// Deeper nesting is not read.
const DEPTH: usize = 64;

/// A literal as a JSON value; JSON itself is one too. `None` when it is something else, or something follows it.
pub(crate) fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

/// A call with its name and its arguments by name; arguments without a name are called `arg1`, `arg2` and so on.
pub(crate) fn python_call(text: &str) -> Option<(String, Value)> {
    let mut reader = Reader { rest: text.trim() };
    let call = reader.call()?;
    reader.space();
    reader.rest.is_empty().then_some(call)
}

/// All calls in `[f(a=1), g()]`, or the one in `f(a=1)`.
pub(crate) fn python_calls(text: &str) -> Option<Vec<(String, Value)>> {
    let text = text.trim();
    let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return python_call(text).map(|call| vec![call]);
    };
    let mut reader = Reader { rest: inside };
    let mut calls = Vec::new();
    loop {
        calls.push(reader.call()?);
        reader.space();
        if reader.rest.is_empty() {
            return Some(calls);
        }
        reader.expect(',')?;
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.space();
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        self.space();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        begins.then(|| {
            self.rest = rest;
            name.to_owned()
        })
    }

    fn call(&mut self) -> Option<(String, Value)> {
        let name = self.name()?;
        self.expect('(')?;
        let mut arguments = Map::new();
        loop {
            self.space();
            if self.expect(')').is_some() {
                return Some((name, Value::Object(arguments)));
            }
            if !arguments.is_empty() {
                self.expect(',')?;
                if self.expect(')').is_some() {
                    return Some((name, Value::Object(arguments)));
                }
            }
            let before = self.rest;
            let named = self.name().filter(|_| {
                self.space();
                self.rest.starts_with('=') && !self.rest.starts_with("==")
            });
            let key = match named {
                Some(key) => {
                    self.expect('=')?;
                    key
                }
                None => {
                    self.rest = before;
                    format!("arg{}", arguments.len() + 1)
                }
            };
            let value = self.value(0)?;
            arguments.insert(key, value);
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        self.space();
        match self.rest.chars().next()? {
            '{' => {
                self.expect('{')?;
                let mut object = Map::new();
                loop {
                    if self.expect('}').is_some() {
                        return Some(Value::Object(object));
                    }
                    if !object.is_empty() {
                        self.expect(',')?;
                        if self.expect('}').is_some() {
                            return Some(Value::Object(object));
                        }
                    }
                    let key = match self.value(depth + 1)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    self.expect(':')?;
                    let value = self.value(depth + 1)?;
                    object.insert(key, value);
                }
            }
            open @ ('[' | '(') => {
                let close = if open == '[' { ']' } else { ')' };
                self.expect(open)?;
                let mut list = Vec::new();
                loop {
                    if self.expect(close).is_some() {
                        return Some(Value::Array(list));
                    }
                    if !list.is_empty() {
                        self.expect(',')?;
                        if self.expect(close).is_some() {
                            return Some(Value::Array(list));
                        }
                    }
                    list.push(self.value(depth + 1)?);
                }
            }
            quote @ ('\'' | '"') => self.string(quote).map(Value::String),
            _ => {
                let end = self.rest.find([',', '}', ']', ')', ':', ' ', '\n']).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                let value = match word {
                    "True" | "true" => Value::Bool(true),
                    "False" | "false" => Value::Bool(false),
                    "None" | "null" => Value::Null,
                    number => Value::Number(number.parse::<Number>().ok()?),
                };
                self.rest = rest;
                Some(value)
            }
        }
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = self.rest.get(at + c.len_utf8()..)?;
                    return Some(text);
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'u' => {
                        let code: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&code, 16).ok()?;
                        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    'x' => {
                        let code: String = chars.by_ref().take(2).map(|(_, digit)| digit).collect();
                        text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                    }
                    '\n' => {}
                    other @ ('\\' | '\'' | '"' | '/') => text.push(other),
                    other => text.extend(['\\', other]),
                },
                c => text.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = literal(text).map(|value| value.to_string());
        assert_eq!(read.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn literals() {
        check(
            r#"{'to': 'a b', "n": 2, 'on': True, 'x': [None, 1.5], 't': (1,)}"#,
            r#"{"to":"a b","n":2,"on":true,"x":[null,1.5],"t":[1]}"#,
        );
        check(r#"'it\'s \x41 \u00e9 \d'"#, r#""it's A é \\d""#);
        check("{'a': 1} x", "none");
        check("{'a': b}", "none");
        check(&"[".repeat(500), "none");
        check("'é", "none");
    }

    #[test]
    fn calls() {
        let (name, arguments) = python_call("mail.send(to='a', n = 2, 'x')").unwrap();
        assert_eq!((name.as_str(), arguments.to_string().as_str()), ("mail.send", r#"{"to":"a","n":2,"arg3":"x"}"#));
        assert_eq!(python_calls("[f(a=1), g()]").unwrap().len(), 2);
        assert_eq!(python_calls("f()").unwrap().len(), 1);
        assert!(python_calls("I would call f(a=1)").is_none());
        assert!(python_calls("[]").is_none());
    }
}
