//! The rule that was found, as Cedar with a sentence to edit and examples of what it stops and what it lets pass.

use crate::model::{Decision, Environment, Finding, Kind, Operation, SessionFacts};

use super::view::{flags, quoted};
use super::{Found, Seen};

/// A rule that is not in Cedar's layout yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: String,
    pub decision: Decision,
    conditions: Vec<String>,
    scope: String,
    message: String,
    /// Of what it stops, then of what passes; each as it stands in an annotation.
    blocks: Vec<String>,
    allows: Vec<String>,
}

impl Draft {
    /// `taken` says which ids are used already; `shown` takes secrets out.
    pub fn new(
        found: &Found,
        chosen: &[Seen],
        decision: Decision,
        taken: impl Fn(&str) -> bool,
        shown: impl Fn(&str) -> String,
    ) -> Self {
        let operations: Vec<&str> = found.anchor.operations.iter().map(|operation| operation.word()).collect();
        let action = match &operations[..] {
            [one] => format!("action == Action::\"{one}\""),
            several => {
                let listed: Vec<String> = several.iter().map(|word| format!("Action::\"{word}\"")).collect();
                format!("action in [{}]", listed.join(", "))
            }
        };
        let resource = found.anchor.kind.map(|kind| format!(" is {kind}")).unwrap_or_default();
        let session = found.conditions.iter().any(|condition| condition.contains("context.session."));
        let mut blocks: Vec<String> = chosen
            .iter()
            .zip(&found.environments)
            .filter_map(|(seen, environment)| {
                let facts = session.then_some(&seen.facts);
                example(&seen.finding, *environment, facts, &shown)
            })
            .collect();
        blocks.sort();
        blocks.dedup();
        let allows =
            found.passes.iter().filter_map(|(finding, environment)| example(finding, *environment, None, &shown));
        let stem = id(found);
        let id = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") }).find(|id| !taken(id));
        Self {
            id: id.unwrap_or(stem),
            decision,
            conditions: found.conditions.clone(),
            scope: format!("forbid (principal, {action}, resource{resource})"),
            message: message(found),
            blocks,
            allows: allows.collect(),
        }
    }

    /// The same without an example that does not hold when it stands alone.
    #[must_use]
    pub fn without(mut self, example: &str) -> Self {
        for examples in [&mut self.blocks, &mut self.allows] {
            examples.retain(|line| !line.ends_with(example));
        }
        self
    }

    pub fn examples(&self) -> usize {
        self.blocks.len() + self.allows.len()
    }

    /// In Cedar.
    pub fn text(&self) -> String {
        let severity = if self.decision == Decision::Block { "high" } else { "medium" };
        let mut text = format!("@id({})\n", quoted(&self.id));
        let mut note = |key: &str, value: &str| text.push_str(&format!("@{key}({})\n", quoted(value)));
        note("decision", self.decision.word());
        note("severity", severity);
        note("message", &self.message);
        note("advice", "Say here what to do instead.");
        let stops = if self.decision == Decision::Block { "blocks" } else { "asks" };
        for (key, examples) in [(stops, &self.blocks), ("allows", &self.allows)] {
            if !examples.is_empty() {
                // A line of its own for each, as people write them.
                let lines: Vec<String> = examples
                    .iter()
                    .map(|line| {
                        let line = quoted(line);
                        line[1..line.len() - 1].to_owned()
                    })
                    .collect();
                text.push_str(&format!("@{key}(\"{}\")\n", lines.join("\n")));
            }
        }
        text.push_str(&self.scope);
        if !self.conditions.is_empty() {
            text.push_str(&format!("\nwhen {{ {} }}", self.conditions.join(" && ")));
        }
        text.push_str(";\n");
        text
    }
}

fn id(found: &Found) -> String {
    let operation = found.anchor.operations.first().map_or("stop", |operation| operation.word());
    let kind = found.anchor.kind.map(|kind| format!("-{}", kind.word().to_ascii_lowercase())).unwrap_or_default();
    let environment = found.conditions.iter().find_map(|condition| {
        let rest = condition.strip_prefix("resource in Environment::\"")?;
        Some(format!("-in-{}", rest.trim_end_matches('"')))
    });
    format!("own.{operation}{kind}{}", environment.unwrap_or_default())
}

/// What the rule is about, as a sentence to begin with.
fn message(found: &Found) -> String {
    let does: Vec<&str> = found.anchor.operations.iter().map(|operation| verb(*operation)).collect();
    let what = found.anchor.kind.map_or("something".to_owned(), |kind| {
        let word = kind.word();
        let article = if word.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {word}")
    });
    let circumstances = found.conditions.iter().filter_map(|condition| {
        let word = |start: &str| condition.strip_prefix(start).map(|rest| rest.trim_end_matches('"').to_owned());
        if let Some(environment) = word("resource in Environment::\"") {
            return Some(format!(" in {environment}"));
        }
        match condition.as_str() {
            "context.extent == Extent::\"all\"" => Some(" as a whole".to_owned()),
            "context.guard_off" => Some(", with the question about it switched off".to_owned()),
            "context.elevated" => Some(", with raised rights".to_owned()),
            "context.cascades" => Some(", with all that depends on it".to_owned()),
            "!context.approved" => Some(" without approval".to_owned()),
            _ => None,
        }
    });
    format!("This {} {what}{}.", does.join(" or "), circumstances.collect::<String>())
}

const fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "reads",
        Operation::List => "lists",
        Operation::Create => "makes",
        Operation::Update => "changes",
        Operation::Delete => "deletes from",
        Operation::Drop => "removes",
        Operation::Alter => "reconfigures",
        Operation::Rewrite => "rewrites",
        Operation::Grant => "gives rights on",
        Operation::Revoke => "takes rights on",
        Operation::Escalate => "takes the rights of",
        Operation::Execute => "runs",
        Operation::Export => "sends out",
        Operation::Fetch => "brings in",
        Operation::Stop => "stops",
        Operation::Disable => "switches off",
        Operation::Connect => "connects to",
        Operation::Unknown => "does something unknown to",
    }
}

/// One line of an example: a bracket with what the text does not say, and the text. `None` for what one line cannot say.
fn example(
    finding: &Finding,
    environment: Environment,
    facts: Option<&SessionFacts>,
    shown: &impl Fn(&str) -> String,
) -> Option<String> {
    let action = &finding.action;
    let text = match action.kind {
        Kind::Tool | Kind::Api => action.arguments.as_deref()?,
        Kind::Shell | Kind::Sql | Kind::Exec => &action.text,
    };
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    let mut words = vec![format!("env={environment}"), format!("actor={}", action.actor.kind)];
    let mut add = |key: &str, value: &str| {
        // A bracket is divided at spaces and ends at `]`.
        if !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c.is_control() || c == ']') {
            words.push(format!("{key}={value}"));
        }
    };
    add("kind", action.kind.word());
    add("tool", action.tool.as_deref().unwrap_or_default());
    for group in &action.actor.groups {
        add("group", group);
    }
    let around = &action.surroundings;
    for (key, value) in [
        ("cwd", &around.cwd),
        ("home", &around.home),
        ("host", &around.host),
        ("user", &around.user),
        ("database", &around.database),
        ("account", &around.account),
        ("cluster", &around.cluster),
        ("dialect", &around.dialect),
    ] {
        add(key, &shown(value.as_deref().unwrap_or_default()));
    }
    if let Some(facts) = facts {
        let denials = (facts.denials > 0).then(|| format!("denials:{}", facts.denials));
        let said: Vec<String> =
            flags(facts).into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()).chain(denials).collect();
        add("session", &said.join(","));
    }
    if action.approved {
        words.push("approved".to_owned());
    }
    Some(format!("[{}] {}", words.join(" "), shown(text)))
}
