//! A recorded action as a case: TOML as [`super::cases`] reads it.

use crate::model::{Action, Decision, Executed, Kind};

use super::Expect;

/// A case to write down.
#[derive(Clone, Debug)]
pub struct NewCase<'a> {
    pub name: &'a str,
    pub expect: Expect,
    pub rule: Option<&'a str>,
    /// What leads up to it in the same session.
    pub before: &'a [Action],
    pub action: &'a Action,
    pub twin: Twin<'a>,
}

/// The same but for one condition, judged otherwise.
#[derive(Clone, Debug)]
pub enum Twin<'a> {
    None,
    /// Commented out, to fill in.
    Blank,
    Written {
        differs: &'a str,
        expect: Expect,
        rule: Option<&'a str>,
        action: &'a Action,
    },
}

impl NewCase<'_> {
    /// With a line break at its end; `shown` takes secrets out of every text.
    pub fn toml(&self, shown: &dyn Fn(&str) -> String) -> String {
        let mut text = format!("[[case]]\nname = {}\nexpect = \"{}\"\n", quoted(&shown(self.name)), self.expect);
        if let Some(rule) = self.rule {
            text.push_str(&format!("rule = {}\n", quoted(rule)));
        }
        let own = record(self.action, shown);
        text.push_str(&format!("action = {own}\n"));
        if !self.before.is_empty() {
            let lines: Vec<String> =
                self.before.iter().map(|action| format!("  {},\n", record(action, shown))).collect();
            text.push_str(&format!("before = [\n{}]\n", lines.concat()));
        }
        match &self.twin {
            Twin::None => {}
            Twin::Blank => {
                let other = if self.expect.is_stop() { Expect::Pass } else { Expect::Stop };
                text.push_str(&format!(
                    "# The same but for one condition, judged otherwise: change it, and say what differs.\n\
                     # [[case.twin]]\n# differs = \"\"\n# expect = \"{other}\"\n# action = {own}\n"
                ));
            }
            Twin::Written { differs, expect, rule, action } => {
                text.push_str(&format!(
                    "[[case.twin]]\ndiffers = {}\nexpect = \"{expect}\"\n",
                    quoted(&shown(differs))
                ));
                if let Some(rule) = rule {
                    text.push_str(&format!("rule = {}\n", quoted(rule)));
                }
                text.push_str(&format!("action = {}\n", record(action, shown)));
            }
        }
        text
    }
}

/// What has to become of an action that is judged so now.
pub const fn expected(decision: Decision) -> Expect {
    match decision {
        Decision::Allow => Expect::Allow,
        Decision::Undecided => Expect::Undecided,
        Decision::Ask => Expect::Ask,
        Decision::Block => Expect::Block,
    }
}

/// One record as an inline table.
fn record(action: &Action, shown: &dyn Fn(&str) -> String) -> String {
    let mut fields: Vec<(&str, String)> = vec![("kind", quoted(action.kind.word()))];
    let mut called = None;
    if let (Kind::Tool | Kind::Api, Some(tool)) = (action.kind, &action.tool) {
        fields.push(("tool", quoted(tool)));
        called = action.arguments.as_deref().and_then(|arguments| inline(&shown(arguments)));
    }
    match (called, &action.argv) {
        (Some(arguments), _) => fields.push(("arguments", arguments)),
        (None, Some(argv)) => {
            let words: Vec<String> = argv.iter().map(|word| quoted(&shown(word))).collect();
            fields.push(("argv", format!("[{}]", words.join(", "))));
        }
        (None, None) => fields.push(("text", quoted(&shown(&action.text)))),
    }
    let around = &action.surroundings;
    fields.extend(around.environment.map(|environment| ("environment", quoted(environment.word()))));
    for (key, value) in [
        ("cwd", &around.cwd),
        ("home", &around.home),
        ("host", &around.host),
        ("user", &around.user),
        ("database", &around.database),
        ("account", &around.account),
        ("cluster", &around.cluster),
        ("version", &around.version),
        ("dialect", &around.dialect),
    ] {
        fields.extend(value.as_deref().map(|value| (key, quoted(&shown(value)))));
    }
    let actor = &action.actor;
    fields.push(("actor", format!("{{ name = {}, kind = \"{}\" }}", quoted(&shown(&actor.name)), actor.kind)));
    fields.extend(action.time.map(|time| ("time", quoted(&time.to_string()))));
    let outcome = match (action.outcome.executed, action.outcome.succeeded) {
        (Executed::No, _) => Some("denied"),
        (Executed::Yes, Some(false)) => Some("failed"),
        (Executed::Yes, Some(true)) => Some("ok"),
        _ => None,
    };
    fields.extend(outcome.map(|word| ("outcome", quoted(word))));
    if action.approved {
        fields.push(("approved", "true".to_owned()));
    }
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A string of TOML. JSON's escapes are TOML's, but for one character.
pub(in crate::engine) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// JSON as an inline value of TOML; `None` for what TOML cannot say.
pub(in crate::engine) fn inline(json: &str) -> Option<String> {
    fn value(json: &serde_json::Value) -> Option<String> {
        use serde_json::Value as V;
        Some(match json {
            V::Null => return None,
            V::Bool(_) | V::Number(_) => json.to_string(),
            V::String(text) => quoted(text),
            V::Array(items) => format!("[{}]", items.iter().map(value).collect::<Option<Vec<_>>>()?.join(", ")),
            V::Object(fields) => {
                let field = |(key, field): (&String, &V)| Some(format!("{} = {}", quoted(key), value(field)?));
                format!("{{ {} }}", fields.iter().map(field).collect::<Option<Vec<_>>>()?.join(", "))
            }
        })
    }
    value(&serde_json::from_str(json).ok()?)
}
