//! Guardrails: `input.rules` with lists of denied words or patterns of regular expressions.

use serde_json::Value;

use super::{ImportError, Imported, ImportedRule, Left, pattern, slug};

/// Words of a pattern that are spelt in every mixture.
const MAX_PARTS: usize = 5;

pub(super) fn read(text: &str) -> Result<Imported, ImportError> {
    let json: Value = serde_json::from_str(text).map_err(|error| ImportError { problem: error.to_string() })?;
    let guardrails: Vec<&Value> = json.as_array().map_or_else(|| vec![&json], |items| items.iter().collect());
    let mut found = Imported::default();
    for (at, guardrail) in guardrails.into_iter().enumerate() {
        let name = guardrail
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| format!("guardrail {}", at + 1), str::to_owned);
        let line =
            text.find(&Value::from(name.as_str()).to_string()).map_or(0, |at| 1 + text[..at].matches('\n').count());
        let rules = |side: &str| guardrail.get(side).and_then(|side| side.get("rules")).and_then(Value::as_array);
        for rule in rules("output").into_iter().flatten() {
            let reason = "results are not judged, only what is done";
            found.left.push(Left { line, original: format!("{name}: output {rule}"), reason: reason.to_owned() });
        }
        let why = guardrail.get("description").and_then(Value::as_str).filter(|why| !why.is_empty());
        for (number, rule) in rules("input").into_iter().flatten().enumerate() {
            match conditions(rule) {
                Ok((said, stricter)) => {
                    let id = format!("imported.{}-{}", slug(&name), number + 1);
                    let mut imported = ImportedRule::new(id, "block", &format!("{name}: {rule}"));
                    imported.message = why.map_or_else(|| format!("The guardrail {name} stops this."), str::to_owned);
                    imported.conditions.push(format!("({})", said.join(" || ")));
                    let scoped =
                        guardrail.get("connection_ids").and_then(Value::as_array).is_some_and(|ids| !ids.is_empty());
                    let everywhere = if scoped { "; it holds for every connection" } else { "" };
                    imported.stricter = Some(format!("{stricter}{everywhere}"));
                    found.rules.push(imported);
                }
                Err(reason) => {
                    let original = format!("{name}: {rule}");
                    found.left.push(Left { line, original, reason });
                }
            }
        }
    }
    if !found.rules.is_empty() {
        let reason = "capitals matter in Cedar's patterns: each word is stopped in capitals, in small letters and as it is \
                      written, and the verb of a statement however it is written, but no other word that mixes them";
        let original = "capitals and small letters as the same".to_owned();
        found.left.push(Left { line: 0, original, reason: reason.to_owned() });
    }
    Ok(found)
}

fn conditions(rule: &Value) -> Result<(Vec<String>, &'static str), String> {
    match rule.get("type").and_then(Value::as_str) {
        Some("deny_words_list") => {
            let words = rule.get("words").and_then(Value::as_array).into_iter().flatten();
            let words: Vec<&str> = words.filter_map(Value::as_str).filter(|word| !word.is_empty()).collect();
            if words.is_empty() {
                return Err("it names no words".to_owned());
            }
            let said = words.iter().flat_map(|word| spelt(&[word.to_string()], true, true)).collect();
            Ok((said, "parts of words count, and each word in capitals and small letters"))
        }
        Some("pattern_match") => {
            let regex = rule.get("pattern_regex").and_then(Value::as_str).unwrap_or_default();
            let Pattern { parts, starts, ends } = simple(regex)
                .ok_or_else(|| format!("the regular expression `{regex}` has no counterpart among Cedar's patterns"))?;
            Ok((spelt(&parts, !starts, !ends), "where it has spaces anything can stand, and parts of words count"))
        }
        other => Err(format!("`{}` is no kind of rule that is known", other.unwrap_or("(none)"))),
    }
}

/// The fixed parts with anything between them, as written, in capitals and in small letters; for statements also by what
/// does it, which has one spelling whatever the text has.
fn spelt(parts: &[String], open_start: bool, open_end: bool) -> Vec<String> {
    let joined = |parts: Vec<String>| {
        let parts: Vec<String> = parts.iter().map(|part| pattern(part)).collect();
        let (start, end) = (if open_start { "*" } else { "" }, if open_end { "*" } else { "" });
        format!("{start}{}{end}", parts.join("*"))
    };
    let like = |change: fn(&str) -> String| joined(parts.iter().map(|part| change(part)).collect());
    let mut patterns = vec![like(str::to_owned), like(str::to_uppercase), like(str::to_lowercase)];
    patterns.push(like(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .map_or(String::new(), |first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
    }));
    // Each word in capitals or in small letters, whatever its neighbours are in.
    if parts.len() <= MAX_PARTS {
        for spelling in 0..1 << parts.len() {
            let spell = |(at, part): (usize, &String)| {
                if spelling & 1 << at == 0 { part.to_lowercase() } else { part.to_uppercase() }
            };
            patterns.push(joined(parts.iter().enumerate().map(spell).collect()));
        }
    }
    patterns.sort();
    patterns.dedup();
    let mut said: Vec<String> = patterns.iter().map(|pattern| format!("context.text like \"{pattern}\"")).collect();
    let words: Vec<String> = parts.iter().map(|part| pattern(&part.trim().to_uppercase())).collect();
    said.push(format!("context.by like \"*{}*\"", words.join("*")));
    said
}

struct Pattern {
    parts: Vec<String>,
    starts: bool,
    ends: bool,
}

/// A regular expression of letters, spaces and `.*`; `None` for any other.
fn simple(regex: &str) -> Option<Pattern> {
    let rest = regex.trim_start_matches("(?i)");
    let (rest, starts) = rest.strip_prefix('^').map_or((rest, false), |rest| (rest, true));
    let (rest, ends) = rest.strip_suffix('$').map_or((rest, false), |rest| (rest, true));
    let mut parts = vec![String::new()];
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        let repeats =
            |letters: &mut std::iter::Peekable<std::str::Chars<'_>>| letters.next_if(|c| *c == '+' || *c == '*');
        match letter {
            '\\' => match letters.next()? {
                's' => {
                    repeats(&mut letters);
                    parts.push(String::new());
                }
                // Part of a word counts as well then.
                'b' => {}
                letter if letter.is_ascii_punctuation() => parts.last_mut()?.push(letter),
                _ => return None,
            },
            '.' => {
                repeats(&mut letters)?;
                parts.push(String::new());
            }
            '[' | ']' | '(' | ')' | '{' | '}' | '|' | '?' | '*' | '+' | '^' | '$' => return None,
            letter => parts.last_mut()?.push(letter),
        }
        if letters.peek().is_some_and(|next| matches!(next, '?' | '*' | '+' | '{')) {
            return None;
        }
    }
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then_some(Pattern { parts, starts, ends })
}
