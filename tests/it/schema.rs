//! JSON Schema (draft 7), as far as our schemas and the one of SARIF use it. A keyword that is not known here is
//! refused: what is not checked must not look checked.

use serde_json::Value;

pub(crate) struct Schema {
    root: Value,
}

/// Keywords that say nothing about what is valid.
const ANNOTATIONS: &[&str] =
    &["$schema", "$id", "id", "$comment", "title", "description", "default", "examples", "format", "definitions"];

impl Schema {
    pub(crate) fn new(text: &str) -> Self {
        Self { root: serde_json::from_str(text).expect("a schema is JSON") }
    }

    /// What is wrong with `value`, each with its place.
    pub(crate) fn problems(&self, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&self.root, value, "$", &mut found);
        found
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(schema, value, "", &mut found);
        found.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let keywords = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return found.push(format!("{at} may not be there")),
            schema => schema.as_object().expect("a schema is an object"),
        };
        for (keyword, argument) in keywords {
            let mut wrong = |problem: String| found.push(format!("{at}: {problem}"));
            match keyword.as_str() {
                "$ref" => {
                    let path = argument.as_str().and_then(|path| path.strip_prefix('#')).expect("a local reference");
                    let target = self.root.pointer(path).unwrap_or_else(|| panic!("{path} is not there"));
                    self.check(target, value, at, found);
                }
                "type" => {
                    let types = argument.as_array().cloned().unwrap_or_else(|| vec![argument.clone()]);
                    if !types.iter().any(|kind| is_a(value, kind.as_str().expect("a type is a word"))) {
                        wrong(format!("{value} is no {argument}"));
                    }
                }
                "enum" if !list(argument).contains(value) => wrong(format!("{value} is none of {argument}")),
                "const" if argument != value => wrong(format!("{value} is not {argument}")),
                "minimum" if value.as_f64() < argument.as_f64() && value.is_number() => {
                    wrong(format!("{value} < {argument}"))
                }
                "maximum" if value.as_f64() > argument.as_f64() && value.is_number() => {
                    wrong(format!("{value} > {argument}"))
                }
                "pattern" => {
                    let pattern = regex::Regex::new(argument.as_str().expect("a pattern is text")).expect("a pattern");
                    if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                        wrong(format!("{value} does not match {argument}"));
                    }
                }
                "minLength" if length(value) < size(argument) => wrong(format!("{value} is too short")),
                "maxLength" if value.is_string() && length(value) > size(argument) => {
                    wrong(format!("{value} is too long"))
                }
                "anyOf" if !list(argument).iter().any(|one| self.holds(one, value)) => {
                    wrong(format!("{value} fits none"))
                }
                "oneOf" if list(argument).iter().filter(|one| self.holds(one, value)).count() != 1 => {
                    wrong(format!("{value} does not fit just one"));
                }
                "not" if self.holds(argument, value) => wrong(format!("{value} must not fit")),
                "allOf" => list(argument).iter().for_each(|one| self.check(one, value, at, found)),
                "required" | "properties" | "additionalProperties" | "minProperties" => {
                    self.object(keyword, argument, schema, value, at, found);
                }
                "items" | "minItems" | "maxItems" | "uniqueItems" => self.array(keyword, argument, value, at, found),
                "enum" | "const" | "minimum" | "maximum" | "minLength" | "maxLength" | "anyOf" | "oneOf" | "not" => {}
                keyword => assert!(ANNOTATIONS.contains(&keyword), "`{keyword}` is not checked here"),
            }
        }
    }

    fn object(
        &self,
        keyword: &str,
        argument: &Value,
        schema: &Value,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let Some(object) = value.as_object() else { return };
        match keyword {
            "required" => {
                let missing = list(argument).iter().filter_map(Value::as_str).filter(|key| !object.contains_key(*key));
                found.extend(missing.map(|key| format!("{at}.{key} is missing")));
            }
            "properties" => {
                for (key, schema) in argument.as_object().expect("properties have names") {
                    if let Some(value) = object.get(key) {
                        self.check(schema, value, &format!("{at}.{key}"), found);
                    }
                }
            }
            "additionalProperties" => {
                for (key, value) in object.iter().filter(|(key, _)| schema["properties"].get(key.as_str()).is_none()) {
                    self.check(argument, value, &format!("{at}.{key}"), found);
                }
            }
            _ if object.len() < size(argument) => found.push(format!("{at} has too few members")),
            _ => {}
        }
    }

    fn array(&self, keyword: &str, argument: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let Some(array) = value.as_array() else { return };
        let wrong = match keyword {
            "items" => {
                for (index, value) in array.iter().enumerate() {
                    self.check(argument, value, &format!("{at}[{index}]"), found);
                }
                false
            }
            "minItems" => array.len() < size(argument),
            "maxItems" => array.len() > size(argument),
            _ => argument == &Value::Bool(true) && array.iter().enumerate().any(|(at, one)| array[..at].contains(one)),
        };
        if wrong {
            found.push(format!("{at} does not keep to {keyword} {argument}"));
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a size")).expect("a size")
}

/// Characters; what is no text is long enough for everything.
fn length(value: &Value) -> usize {
    value.as_str().map_or(usize::MAX, |text| text.chars().count())
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        kind => panic!("`{kind}` is no type"),
    }
}

#[test]
fn a_schema_refuses_what_it_does_not_describe() {
    let check =
        |schema: &str, value: &str| Schema::new(schema).problems(&serde_json::from_str(value).unwrap()).is_empty();
    for (schema, right, wrong) in [
        (r#"{"type":"integer"}"#, "1", "1.5"),
        (r#"{"type":["string","null"]}"#, "null", "1"),
        (r#"{"enum":["a"]}"#, r#""a""#, r#""b""#),
        (r#"{"const":1}"#, "1", "2"),
        (r#"{"minimum":1,"maximum":2}"#, "2", "3"),
        (r#"{"minimum":1}"#, "1", "0"),
        (r#"{"pattern":"^a"}"#, r#""ab""#, r#""b""#),
        (r#"{"minLength":1}"#, r#""a""#, r#""""#),
        (r#"{"maxLength":1}"#, r#""a""#, r#""ab""#),
        (r#"{"required":["a"]}"#, r#"{"a":1}"#, "{}"),
        (r#"{"properties":{"a":{"type":"null"}}}"#, r#"{"a":null}"#, r#"{"a":1}"#),
        (r#"{"properties":{"a":{}},"additionalProperties":false}"#, r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"additionalProperties":{"type":"string"}}"#, r#"{"b":"1"}"#, r#"{"b":1}"#),
        (r#"{"minProperties":1}"#, r#"{"a":1}"#, "{}"),
        (r#"{"items":{"type":"string"}}"#, r#"["a"]"#, "[1]"),
        (r#"{"minItems":1,"maxItems":1}"#, "[1]", "[1,2]"),
        (r#"{"minItems":1}"#, "[1]", "[]"),
        (r#"{"uniqueItems":true}"#, "[1,2]", "[1,1]"),
        (r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#, "null", "1"),
        (r#"{"oneOf":[{"minimum":1},{"minimum":2}]}"#, "1", "3"),
        (r#"{"allOf":[{"minimum":1},{"minimum":2}]}"#, "2", "1"),
        (r#"{"not":{"type":"null"}}"#, "1", "null"),
        (r##"{"definitions":{"a":{"type":"null"}},"items":{"$ref":"#/definitions/a"}}"##, "[null]", "[1]"),
    ] {
        assert!(check(schema, right), "{schema} refuses {right}");
        assert!(!check(schema, wrong), "{schema} takes {wrong}");
    }
}
