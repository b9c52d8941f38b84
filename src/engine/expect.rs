//! Cases: labelled actions, and what a policy has to say about them.
//!
//! ```toml
//! [[case]]
//! name = "the billing schema stays"
//! expect = "block"
//! rule = "sql.drop-outside-development"
//! action = { kind = "sql", text = "DROP SCHEMA billing CASCADE", environment = "production" }
//! [[case.twin]]
//! differs = "it is the database of the tests"
//! expect = "allow"
//! action = { kind = "sql", text = "DROP SCHEMA billing CASCADE", environment = "test" }
//! ```
//! `without` names a rule that has to stay out of it. An `effect` says what the action does, whatever its text says.
//! An action is a record of our own format; `before` lists actions that lead up to it in the same session.

mod stated;
pub(in crate::engine) mod written;

pub use stated::Stated;
pub use written::{NewCase, expected};

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::model::{Action, ActionId, ActorKind, Decision, Finding, Origin, words};

use super::corpus::records;
use super::{Engine, Session};

/// A labelled action, or a twin of one.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file it stands in, and the 1-based line of its name.
    pub file: String,
    pub line: usize,
    pub name: String,
    pub expect: Expect,
    /// The rule that has to be among those that apply; one in shadow applies without deciding.
    pub rule: Option<String>,
    /// The rule that must not be.
    pub without: Option<String>,
    /// What the labelled action does, where the case says it itself.
    pub effect: Option<Stated>,
    /// The last action is the labelled one; the others lead up to it.
    pub actions: Vec<Action>,
}

impl Case {
    /// Everything that is judged of it: two cases with the same act differ in names and places only.
    pub fn act(&self) -> String {
        let bare = |action: &Action| Action {
            id: ActionId::default(),
            session: "".into(),
            origin: Origin { file: "".into(), line: 0, offset: 0, format: "" },
            ..action.clone()
        };
        let actions: Vec<Action> = self.actions.iter().map(bare).collect();
        format!("{actions:?} {:?}", self.effect)
    }
}

words! {
    /// What has to become of a case.
    Expect {
        Allow = "allow",
        Undecided = "undecided",
        Ask = "ask",
        Block = "block",
        /// `ask` or `block`.
        Stop = "stop",
        /// `allow` or `undecided`.
        Pass = "pass",
        /// Whatever is decided, it is about one rule: `rule` or `without`.
        Any = "any",
    }
}

impl Expect {
    pub fn holds(self, decision: Decision) -> bool {
        match self {
            Self::Allow => decision == Decision::Allow,
            Self::Undecided => decision == Decision::Undecided,
            Self::Ask => decision == Decision::Ask,
            Self::Block => decision == Decision::Block,
            Self::Stop => decision >= Decision::Ask,
            Self::Pass => decision < Decision::Ask,
            Self::Any => true,
        }
    }

    /// It must be stopped.
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Ask | Self::Block | Self::Stop)
    }
}

/// What a policy said about a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub case: Case,
    /// The labelled action as it was judged, by the base as well where there is one.
    pub finding: Finding,
}

impl Outcome {
    /// The policy says what it has to.
    pub fn holds(&self) -> bool {
        self.problem().is_none()
    }

    /// What is wrong, in words.
    pub fn problem(&self) -> Option<String> {
        let Case { expect, rule, without, .. } = &self.case;
        let verdict = &self.finding.verdict;
        let rules: Vec<&str> = verdict.hits.iter().map(|hit| hit.rule.id.as_str()).collect();
        if !expect.holds(verdict.decision) {
            let by = rules.first().map(|rule| format!(" by {rule}")).unwrap_or_default();
            return Some(format!("expected {expect}, got {}{by}", verdict.decision));
        }
        let applies = |rule: &str| verdict.hits.iter().chain(&verdict.shadow).any(|hit| hit.rule.id == rule);
        if let Some(without) = without.as_deref().filter(|without| applies(without)) {
            let by =
                if rules.contains(&without) { rules.join(", ") } else { format!("no rule, and {without} in shadow") };
            return Some(format!("expected {expect} without {without}, got {} by {by}", verdict.decision));
        }
        let rule = rule.as_deref().filter(|rule| !applies(rule))?;
        let by = if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") };
        Some(format!("expected {expect} by {rule}, got {} by {by}", verdict.decision))
    }
}

/// A file of cases that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct CaseError {
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    expect: Expect,
    rule: Option<String>,
    without: Option<String>,
    action: toml::Table,
    effect: Option<Stated>,
    #[serde(default)]
    before: Vec<toml::Table>,
    #[serde(default)]
    twin: Vec<WrittenTwin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTwin {
    differs: Spanned<String>,
    expect: Expect,
    rule: Option<String>,
    without: Option<String>,
    action: toml::Table,
    effect: Option<Stated>,
    /// Those of its case, when it has none of its own.
    before: Option<Vec<toml::Table>>,
}

/// What is said of a case or of a twin.
struct Said {
    expect: Expect,
    rule: Option<String>,
    without: Option<String>,
    effect: Option<Stated>,
}

/// Reads a file of cases; `file` is for messages.
///
/// # Errors
/// When it is no TOML of this shape, or a record in it is not understood as a whole.
pub fn cases(file: &str, text: &str) -> Result<Vec<Case>, CaseError> {
    let line = |span: Option<Range<usize>>| {
        1 + text.as_bytes()[..span.map_or(0, |span| span.start).min(text.len())].iter().filter(|b| **b == b'\n').count()
    };
    let error = |line, problem| CaseError { file: file.to_owned(), line, problem };
    let read: File = toml::from_str(text).map_err(|wrong| error(line(wrong.span()), wrong.message().to_owned()))?;
    let mut cases = Vec::new();
    for written in read.case {
        let mut add = |name: String, at: usize, said: Said, before: &[toml::Table], action| {
            if said.effect.is_some() && !before.is_empty() {
                return Err(error(
                    at,
                    "an `effect` says itself what went before: `session = { denials = 3 }`".to_owned(),
                ));
            }
            if said.expect == Expect::Any && said.rule.is_none() && said.without.is_none() {
                return Err(error(
                    at,
                    "`any` expects nothing: name a `rule`, or one it has to be `without`".to_owned(),
                ));
            }
            let all: Vec<toml::Table> = before.iter().chain([action]).cloned().collect();
            let actions =
                records(&format!("{file}#{name}"), ActorKind::Unknown, &all).map_err(|wrong| error(at, wrong))?;
            let origin = |action: &Action| Origin { file: file.into(), line: at as u64, ..action.origin.clone() };
            let actions = actions.into_iter().map(|(action, _)| Action { origin: origin(&action), ..action }).collect();
            let Said { expect, rule, without, effect } = said;
            cases.push(Case { file: file.to_owned(), line: at, name, expect, rule, without, effect, actions });
            Ok(())
        };
        let name = written.name.get_ref().clone();
        let at = line(Some(written.name.span()));
        let Written { expect, rule, without, effect, .. } = written;
        add(name.clone(), at, Said { expect, rule, without, effect }, &written.before, &written.action)?;
        for twin in &written.twin {
            let at = line(Some(twin.differs.span()));
            let name = format!("{name}, but {}", twin.differs.get_ref());
            let before = twin.before.as_ref().unwrap_or(&written.before);
            let said = Said {
                expect: twin.expect,
                rule: twin.rule.clone(),
                without: twin.without.clone(),
                effect: twin.effect.clone(),
            };
            add(name, at, said, before, &twin.action)?;
        }
    }
    Ok(cases)
}

/// Judges one case in a session of its own.
pub fn judge(engine: &Engine, case: Case) -> Outcome {
    if let (Some(effect), [action]) = (&case.effect, case.actions.as_slice()) {
        let finding = engine.decide_stated(action.clone(), effect.understood(), (&effect.session, &effect.labels));
        return Outcome { case, finding };
    }
    let mut session = Session::default();
    let mut last = None;
    for action in &case.actions {
        last = Some(engine.decide(action.clone(), &mut session));
    }
    let finding = last.expect("a case has its own action");
    Outcome { case, finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[[case]]
name = "the billing schema stays"
expect = "block"
rule = "sql.drop"
action = { kind = "sql", text = "DROP SCHEMA billing", environment = "production" }
[[case.twin]]
differs = "it is a test"
expect = "pass"
action = { kind = "sql", text = "DROP SCHEMA billing", environment = "test" }
"#;

    #[test]
    fn a_case_brings_its_twins() {
        let cases = cases("c.toml", FILE).unwrap();
        let seen: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.line, case.expect)).collect();
        assert_eq!(
            seen,
            [
                ("the billing schema stays", 3, Expect::Block),
                ("the billing schema stays, but it is a test", 8, Expect::Pass)
            ]
        );
    }

    #[test]
    fn a_case_can_say_itself_what_is_done() {
        let text = r#"
[[case]]
name = "a rule stays out of it"
expect = "allow"
without = "sql.drop"
action = { kind = "sql", text = "nobody reads this" }
effect = { operation = "drop", resource = "Table", name = "orders", areas = ["own-work"], session = { denials = 3 } }
"#;
        let read = cases("c.toml", text).unwrap();
        let effect = read[0].effect.as_ref().unwrap();
        assert_eq!(effect.session.denials, 3);
        let again: Stated =
            toml::from_str::<std::collections::BTreeMap<String, Stated>>(&format!("e = {}", effect.written()))
                .unwrap()
                .remove("e")
                .unwrap();
        assert_eq!(again.understood().effects, effect.understood().effects);
        let misspelt = cases("c.toml", &text.replace("own-work", "my-work")).unwrap_err().to_string();
        assert!(misspelt.starts_with("c.toml:7: "), "{misspelt}");
        let nothing = cases("c.toml", &text.replace("\"allow\"", "\"any\"").replace("without = \"sql.drop\"\n", ""));
        assert!(nothing.unwrap_err().to_string().contains("`any` expects nothing"));
        let led = cases("c.toml", &text.replace("action =", "before = [{ text = \"ls\" }]\naction =")).unwrap_err();
        assert!(led.to_string().contains("says itself what went before"), "{led}");
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_line() {
        let wrong = |text: &str| cases("c.toml", text).unwrap_err().to_string();
        let misspelt = wrong(&FILE.replace("expect = \"block\"", "expect = \"blok\""));
        assert!(misspelt.starts_with("c.toml:4: "), "{misspelt}");
        let unknown = wrong(
            &FILE.replace("kind = \"sql\", text = \"DROP SCHEMA billing\", environment = \"test\"", "txt = \"x\""),
        );
        assert!(unknown.starts_with("c.toml:8: ") && unknown.contains("`text`"), "{unknown}");
    }
}
