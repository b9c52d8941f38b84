//! The arguments of a call: JSON as recorded, looked into by name.

use serde_json::{Map, Value};

use crate::model::{Place, PlaceKind};

/// The arguments of a call, by name.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) values: Map<String, Value>,
}

impl Arguments {
    /// Reads the recorded text; an object, an object within a string, or a lone value.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "null" {
            return Ok(Self::default());
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(values)) => Ok(Self { values: unwrapped(values) }),
            Ok(Value::String(inner)) if inner.trim_start().starts_with('{') => match serde_json::from_str(&inner) {
                Ok(Value::Object(values)) => Ok(Self { values: unwrapped(values) }),
                _ => Ok(Self::lone(Value::String(inner))),
            },
            Ok(value) => Ok(Self::lone(value)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn lone(value: Value) -> Self {
        Self { values: Map::from_iter([("input".to_owned(), value)]) }
    }

    /// The first of `names` that is there, whatever the case and the separators of its spelling.
    pub(super) fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| {
            self.values
                .get(*name)
                .or_else(|| self.values.iter().find(|(key, _)| same(key, name)).map(|(_, value)| value))
        })
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        self.get(names)?.as_str()
    }

    /// One text or a list of texts.
    pub(super) fn texts(&self, names: &[&str]) -> Vec<&str> {
        match self.get(names) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Value::Object(object) => {
                        ["path", "file_path", "filename"].iter().find_map(|key| object.get(*key)?.as_str())
                    }
                    item => item.as_str(),
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// One of `names` is there and switched on.
    pub(super) fn says(&self, names: &[&str]) -> bool {
        self.get(names).is_some_and(on)
    }

    pub(super) fn dry_run(&self) -> bool {
        self.says(&["dry_run", "simulate", "preview_only", "plan_only", "what_if", "check_only"])
    }

    pub(super) fn guard_off(&self) -> bool {
        self.says(&[
            "force",
            "confirm",
            "confirmed",
            "auto_approve",
            "skip_confirmation",
            "skip_final_snapshot",
            "yes",
            "bypass_governance_retention",
            "dangerously_disable_sandbox",
            "with_escalated_permissions",
        ]) || self.text(&["sandbox_permissions"]).is_some_and(|text| text.contains("escalated"))
    }

    /// Hosts, databases, clusters, accounts and stages that the arguments name.
    pub(super) fn places(&self) -> Vec<Place> {
        const NAMES: &[(PlaceKind, &[&str])] = &[
            (PlaceKind::Host, &["host", "hostname", "server"]),
            (PlaceKind::Database, &["database", "db", "dbname", "database_name"]),
            (PlaceKind::Cluster, &["cluster", "context", "kube_context", "cluster_name"]),
            (PlaceKind::Account, &["account", "account_id", "project_id", "subscription_id", "profile"]),
            (PlaceKind::Stage, &["environment", "env", "stage", "workspace", "target_environment"]),
        ];
        let named = |(kind, names): &(PlaceKind, &[&str])| {
            let name = self.text(names)?;
            // A `context` is often a paragraph of prose; the name of a place is one word.
            let one_word = !name.is_empty() && name.len() <= 200 && !name.contains(char::is_whitespace);
            one_word.then(|| Place { kind: *kind, name: name.to_owned() })
        };
        NAMES.iter().filter_map(named).collect()
    }
}

/// `{"params": {"projectId": …}}`: what stands in a wrapper counts as if it stood outside, where nothing of that name does.
fn unwrapped(mut values: Map<String, Value>) -> Map<String, Value> {
    const WRAPPERS: &[&str] =
        &["params", "parameters", "arguments", "args", "kwargs", "input", "inputs", "request", "options", "payload"];
    let inner: Vec<Map<String, Value>> = WRAPPERS
        .iter()
        .filter_map(|name| match values.get(*name) {
            Some(Value::Object(inner)) => Some(inner.clone()),
            _ => None,
        })
        .collect();
    for (key, value) in inner.into_iter().flatten() {
        values.entry(key).or_insert(value);
    }
    values
}

/// Whether a flag's value switches it on.
fn on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(&*text.to_ascii_lowercase(), "" | "false" | "no" | "0" | "off"),
        _ => false,
    }
}

/// `filePath`, `file_path` and `FilePath` are one name.
fn same(key: &str, name: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
    }
    key.len().abs_diff(name.len()) <= 6 && letters(key).eq(letters(name))
}
