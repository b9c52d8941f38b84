//! As much of YAML as manifests are written in: nested keys, lists, flow collections, block texts. JSON as well.
//! A document becomes its leaves: `spec.containers.name` with the value; places in lists are not told apart.

const MAX_LINES: usize = 5_000;
const MAX_DEPTH: usize = 32;

/// The leaves of one document.
#[derive(Debug, Default)]
pub(super) struct Document {
    leaves: Vec<(String, String)>,
}

impl Document {
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.leaves.iter().map(|(path, value)| (&**path, &**value))
    }

    pub(super) fn values<'d>(&'d self, path: &'d str) -> impl Iterator<Item = &'d str> {
        self.entries().filter(move |(it, _)| *it == path).map(|(_, value)| value)
    }

    pub(super) fn value<'d>(&'d self, path: &'d str) -> Option<&'d str> {
        self.values(path).next()
    }
}

/// Reads all documents of a text; the items of a `List` are documents of their own.
pub(super) fn documents(text: &str) -> Vec<Document> {
    if text.trim_start().starts_with('{') {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
        let items = json.get("items").and_then(serde_json::Value::as_array).cloned();
        return items.unwrap_or_else(|| vec![json]).iter().map(from_json).collect();
    }
    let mut found = vec![Document::default()];
    // Open keys with their columns, outermost first.
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut block: Option<(usize, String, String)> = None;
    for line in text.lines().take(MAX_LINES) {
        let column = line.len() - line.trim_start().len();
        if let Some((outer, path, body)) = &mut block {
            if line.trim().is_empty() || column > *outer {
                body.push_str(line.trim());
                body.push('\n');
                continue;
            }
            let leaf = (std::mem::take(path), body.trim_end().to_owned());
            last(&mut found).leaves.push(leaf);
            block = None;
        }
        if line.trim_end() == "---" {
            found.push(Document::default());
            open.clear();
            continue;
        }
        let (mut column, mut rest) = (column, without_comment(line).trim());
        if rest.is_empty() {
            continue;
        }
        // `- name: x` opens a list item whose keys stand behind the dash.
        let mut item = false;
        while let Some(behind) = rest.strip_prefix("- ").or(if rest == "-" { Some("") } else { None }) {
            open.retain(|(at, _)| *at < column || (*at == column && !item));
            item = true;
            column += rest.len() - behind.trim_start().len();
            rest = behind.trim_start();
        }
        let dash = column - usize::from(item);
        open.retain(|(at, _)| if item { *at <= dash } else { *at < column });
        let parent = || open.iter().map(|(_, key)| &**key).collect::<Vec<_>>().join(".");
        match key(rest) {
            Some((name, value)) if open.len() < MAX_DEPTH => {
                open.retain(|(at, _)| *at < column);
                let path = if open.is_empty() {
                    name.to_owned()
                } else {
                    format!("{}.{name}", open.iter().map(|(_, key)| &**key).collect::<Vec<_>>().join("."))
                };
                if value.is_empty() {
                    open.push((column, name.to_owned()));
                } else if matches!(value.trim_end_matches(['-', '+']), "|" | ">") {
                    block = Some((column, path, String::new()));
                } else {
                    flow(last(&mut found), &path, value, 0);
                }
            }
            _ => {
                let path = parent();
                flow(last(&mut found), &path, rest, 0);
            }
        }
    }
    if let Some((_, path, body)) = block {
        last(&mut found).leaves.push((path, body.trim_end().to_owned()));
    }
    found.retain(|document| !document.leaves.is_empty());
    found
}

fn last(found: &mut Vec<Document>) -> &mut Document {
    if found.is_empty() {
        found.push(Document::default());
    }
    let at = found.len() - 1;
    &mut found[at]
}

fn without_comment(line: &str) -> &str {
    let at = if line.trim_start().starts_with('#') { Some(0) } else { line.find(" #") };
    at.map_or(line, |at| &line[..at])
}

/// `name: value`, `"name": value`, `name:`.
fn key(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['{', '[']) {
        return None;
    }
    let (name, value) = text.strip_suffix(':').map(|name| (name, "")).or_else(|| text.split_once(": "))?;
    let name = name.trim();
    // `- echo "a: b"` is a line, no key.
    let quoted = name.starts_with(['"', '\'']);
    (quoted || !name.contains(char::is_whitespace)).then(|| (bare(name), value.trim()))
}

/// A value: a plain one, `{a: b}` or `[a, b]`.
fn flow(document: &mut Document, path: &str, value: &str, depth: usize) {
    let value = value.trim();
    let inside = |open: char, close: char| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if depth < MAX_DEPTH
        && let Some(inside) = inside('{', '}')
    {
        for part in parts(inside) {
            if let Some((name, value)) = part.split_once(':') {
                let name = name.trim().trim_matches(['"', '\'']);
                flow(document, &format!("{path}.{name}"), value, depth + 1);
            }
        }
    } else if depth < MAX_DEPTH
        && let Some(inside) = inside('[', ']')
    {
        parts(inside).into_iter().for_each(|part| flow(document, path, part, depth + 1));
    } else {
        document.leaves.push((path.to_owned(), bare(value).to_owned()));
    }
}

/// Without the quotes around it, when one and the same stands at both ends.
fn bare(text: &str) -> &str {
    let inside = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// Splits at the commas that stand directly in a flow collection.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start, mut quote) = (Vec::new(), 0_usize, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            byte if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'"' | b'\'' => quote = byte,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found.retain(|part| !part.trim().is_empty());
    found
}

fn from_json(value: &serde_json::Value) -> Document {
    fn leaves(document: &mut Document, path: &str, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(document, &path, value);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(document, path, item)),
            serde_json::Value::String(text) => document.leaves.push((path.to_owned(), text.clone())),
            other => document.leaves.push((path.to_owned(), other.to_string())),
        }
    }
    let mut document = Document::default();
    leaves(&mut document, "", value);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let seen: Vec<String> = documents(text)
            .iter()
            .flat_map(|document| document.entries().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>())
            .collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn leaves_have_their_paths() {
        check(
            "kind: Pod\nmetadata:\n  name: a # x\nspec:\n  containers:\n  - name: b\n    command: [sh, \"-c\"]\n    args:\n    - ls\n  hostPID: true",
            &[
                "kind=Pod",
                "metadata.name=a",
                "spec.containers.name=b",
                "spec.containers.command=sh",
                "spec.containers.command=-c",
                "spec.containers.args=ls",
                "spec.hostPID=true",
            ],
        );
        check("a: {b: {c: 1}}\nd: |\n  x\n  y\ne: 2", &["a.b.c=1", "d=x\ny", "e=2"]);
        check("a: 1\n---\na: 2", &["a=1", "a=2"]);
        check("{\"kind\": \"List\", \"items\": [{\"a\": [1, 2]}]}", &["a=1", "a=2"]);
        check("a:\n- b: 1\n  c: 2\n- b: 3", &["a.b=1", "a.c=2", "a.b=3"]);
    }
}
