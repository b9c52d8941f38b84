//! The parameters of a call as options of a command line.

use serde_json::{Map, Value};

use crate::classify::naming;

/// More parameters than this are not looked at.
const MOST: usize = 4_000;
/// Nor are parameters nested deeper than this.
const DEEPEST: usize = 24;

/// The parameters of a call as options: `--name` and its value, if it has one.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) given: Vec<(String, Option<String>)>,
    /// There were more than are looked at.
    pub(super) left_out: bool,
}

impl Options {
    /// As the AWS command line has them: `dbInstanceIdentifier` is `--db-instance-identifier`, what is no single value
    /// stands as JSON.
    pub(super) fn kebab(values: &Map<String, Value>, renamed: impl Fn(&str) -> Option<&'static str>) -> Self {
        let mut options = Self::default();
        for (key, value) in values {
            let name = kebab(key);
            let name = renamed(&name).map_or(name, str::to_owned);
            options.kebab_value(&name, value);
        }
        options
    }

    fn kebab_value(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(true) => self.push(format!("--{name}"), None),
            // Both ways to say it.
            Value::Bool(false) => {
                self.push(format!("--no-{name}"), None);
                self.push(format!("--{name}"), Some("false".to_owned()));
            }
            Value::String(text) => self.push(format!("--{name}"), Some(text.clone())),
            Value::Number(number) => self.push(format!("--{name}"), Some(number.to_string())),
            Value::Array(items) => {
                for item in items.iter().filter(|item| !item.is_object() && !item.is_array()) {
                    self.kebab_value(name, item);
                }
                if items.iter().any(|item| item.is_object() || item.is_array()) {
                    self.push(format!("--{name}"), Some(value.to_string()));
                }
            }
            Value::Object(fields) => self.kebab_object(name, value, fields),
        }
    }

    fn kebab_object(&mut self, name: &str, value: &Value, fields: &Map<String, Value>) {
        // EC2 writes `{"value": false}` for one value and `{"items": [{"instanceId": "i-1"}]}` for a list of names.
        if let (1, Some(inner)) = (fields.len(), fields.get("value")) {
            return self.kebab_value(name, inner);
        }
        if let Some(Value::Array(items)) = fields.get("items") {
            for (key, item) in items.iter().filter_map(Value::as_object).flatten() {
                if let Value::String(text) = item {
                    self.push(format!("--{}s", kebab(key)), Some(text.clone()));
                }
            }
        }
        if !fields.is_empty() {
            self.push(format!("--{name}"), Some(value.to_string()));
        }
    }

    /// By their paths: `{"spec": {"replicas": 0}}` is `--spec.replicas=0`. Lists have no place in a path; a list that
    /// is empty, and an object, is given as `[]` and `{}`.
    pub(super) fn dotted(values: &Map<String, Value>) -> Self {
        let mut options = Self::default();
        for (key, value) in values {
            options.dotted_value(key, value, 0);
        }
        options
    }

    fn dotted_value(&mut self, path: &str, value: &Value, depth: usize) {
        if depth > DEEPEST {
            self.left_out = true;
            return;
        }
        match value {
            Value::Null => self.push(format!("--{path}"), Some("null".to_owned())),
            Value::Bool(value) => self.push(format!("--{path}"), Some(value.to_string())),
            Value::Number(number) => self.push(format!("--{path}"), Some(number.to_string())),
            Value::String(text) => self.push(format!("--{path}"), Some(text.clone())),
            Value::Array(items) if items.is_empty() => self.push(format!("--{path}"), Some("[]".to_owned())),
            Value::Object(fields) if fields.is_empty() => self.push(format!("--{path}"), Some("{}".to_owned())),
            Value::Array(items) => items.iter().for_each(|item| self.dotted_value(path, item, depth + 1)),
            Value::Object(fields) => {
                for (key, field) in fields {
                    self.dotted_value(&format!("{path}.{key}"), field, depth + 1);
                }
            }
        }
    }

    pub(super) fn push(&mut self, name: String, value: Option<String>) {
        // A name that is none would be taken for another word of the command.
        let sane = name.len() > 2 && name.len() < 400 && !name.contains(['=', ' ', '\n']);
        match (self.given.len() < MOST, sane) {
            (false, _) => self.left_out = true,
            (true, true) => self.given.push((name, value)),
            (true, false) => {}
        }
    }

    /// The value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
    }
}

/// `DeleteDBInstance` and `dBInstanceIdentifier` as the command line writes them.
pub(super) fn kebab(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        // A name that was `DBInstance` before its first letter was made small.
        (Some(first), Some(second)) if first.is_lowercase() && second.is_uppercase() => {
            naming::words(&format!("{}{}", first.to_uppercase(), &name[first.len_utf8()..])).join("-")
        }
        _ => naming::words(name).join("-"),
    }
}
