//! Reads the plain part of YAML that CI files need: block maps and lists, scalars in one line, `|` texts, lists in
//! brackets. All else (anchors, tags, tabs, keys given twice, texts over several lines) is refused, in our files at least.

use serde_json::{Map, Value};

/// The one document of a file.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut reader = Reader { lines, at: 0 };
    let value = reader.block()?;
    match reader.peek()? {
        None => Ok(value),
        Some(_) => Err(reader.wrong("it belongs to nothing")),
    }
}

struct Reader {
    lines: Vec<String>,
    at: usize,
}

impl Reader {
    fn wrong(&self, problem: &str) -> String {
        format!("line {}: {problem}: {}", self.at + 1, self.lines.get(self.at).map_or("", String::as_str))
    }

    /// Indent and text of the next line that is neither blank nor a comment.
    fn peek(&mut self) -> Result<Option<(usize, String)>, String> {
        while let Some(line) = self.lines.get(self.at) {
            let text = line.trim_start_matches(' ');
            if text.starts_with('\t') {
                return Err(self.wrong("a tab indents"));
            }
            if text.is_empty() || text.starts_with('#') {
                self.at += 1;
                continue;
            }
            return Ok(Some((line.len() - text.len(), text.to_owned())));
        }
        Ok(None)
    }

    fn block(&mut self) -> Result<Value, String> {
        let Some((indent, text)) = self.peek()? else { return Ok(Value::Null) };
        if text == "-" || text.starts_with("- ") { self.list(indent) } else { self.map(indent) }
    }

    fn list(&mut self, indent: usize) -> Result<Value, String> {
        let mut list = Vec::new();
        while let Some((at, text)) = self.peek()? {
            if at != indent || !text.starts_with('-') {
                break;
            }
            let rest = text.strip_prefix("- ").ok_or_else(|| self.wrong("an item stands behind `- `"))?;
            if key(rest).is_some() {
                // The item is a map: its first key stands in this line.
                self.lines[self.at] = format!("{}{rest}", " ".repeat(indent + 2));
                list.push(self.map(indent + 2)?);
            } else {
                list.push(self.value(rest, indent)?);
            }
        }
        Ok(Value::Array(list))
    }

    fn map(&mut self, indent: usize) -> Result<Value, String> {
        let mut map = Map::new();
        while let Some((at, text)) = self.peek()? {
            if at < indent || text.starts_with("- ") {
                break;
            }
            if at > indent {
                return Err(self.wrong("it is indented too far"));
            }
            let (name, rest) = key(&text).ok_or_else(|| self.wrong("there is no key"))?;
            if map.contains_key(&name) {
                return Err(self.wrong("the key is there twice"));
            }
            let value = if without_comment(&rest).is_empty() {
                self.at += 1;
                match self.peek()? {
                    Some((inner, text)) if inner > indent || (inner == indent && text.starts_with("- ")) => {
                        self.block()?
                    }
                    _ => Value::Null,
                }
            } else {
                self.value(&rest, indent)?
            };
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }

    /// What stands in the rest of a line, and for `|` below it.
    fn value(&mut self, rest: &str, indent: usize) -> Result<Value, String> {
        let rest = without_comment(rest).to_owned();
        if rest == "|" {
            self.at += 1;
            return Ok(Value::String(self.literal(indent)));
        }
        let value = scalar(&rest).map_err(|problem| self.wrong(&problem))?;
        self.at += 1;
        Ok(value)
    }

    fn literal(&mut self, indent: usize) -> String {
        let mut text = String::new();
        let mut own = None;
        while let Some(line) = self.lines.get(self.at) {
            let depth = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() {
                if depth <= indent {
                    break;
                }
                own.get_or_insert(depth);
            }
            text.push_str(line.get(own.unwrap_or(0)..).unwrap_or(""));
            text.push('\n');
            self.at += 1;
        }
        text
    }
}

/// `key: rest`
fn key(text: &str) -> Option<(String, String)> {
    if text.starts_with(['[', '{', '"', '\'', '|']) {
        return None;
    }
    let (name, rest) = text.split_once(": ").or_else(|| Some((text.strip_suffix(':')?, "")))?;
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_. %".contains(char);
    name.chars().all(plain).then(|| (name.to_owned(), rest.trim().to_owned()))
}

fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    if text.starts_with(['"', '\'']) {
        return text.trim();
    }
    text.split_once(" #").map_or(text, |(text, _)| text).trim()
}

fn scalar(text: &str) -> Result<Value, String> {
    let inner = |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    if let Some(list) = inner('[', ']') {
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        return items.map(scalar).collect::<Result<_, _>>().map(Value::Array);
    }
    if text == "{}" {
        return Ok(Value::Object(Map::new()));
    }
    if let Some(quoted) = inner('"', '"').or_else(|| inner('\'', '\'')) {
        let odd = quoted.contains(['\\', '"', '\'']);
        return if odd { Err("quotes in quotes".to_owned()) } else { Ok(Value::String(quoted.to_owned())) };
    }
    if text.starts_with(['[', '{', '"', '\'', '&', '*', '!', '|', '>', '%', '@', '`']) || text.contains(": ") {
        return Err("this is not plain YAML".to_owned());
    }
    Ok(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" | "~" => Value::Null,
        text => text.parse::<u64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
    })
}

#[test]
fn plain_yaml_is_read_and_the_rest_refused() {
    let text = "on:\n  push: # why\nlist:\n- a\n- name: x\n  run: |\n    one\n\n      two\n  if: ${{ !x }} \nflow: [a, 2]\nnone: {}\nq: \"#\"\n";
    let expected = serde_json::json!({
        "on": { "push": null },
        "list": ["a", { "name": "x", "run": "one\n\n  two\n", "if": "${{ !x }}" }],
        "flow": ["a", 2],
        "none": {},
        "q": "#",
    });
    assert_eq!(read(text).unwrap(), expected);
    for wrong in [
        "a: 1\na: 2\n",
        "a: &x 1\n",
        "a:\n\t- b\n",
        "a: b\n  c: d\n",
        "a: \"x\\n\"\n",
        "a: b\nc\n",
        "a: >\n  b\n",
        "a: b: c\n",
    ] {
        assert!(read(wrong).is_err(), "{wrong:?} is read as {:?}", read(wrong));
    }
}
