//! The same action with other words: what a slip makes of it, and what somebody asks "what if" about.

use std::sync::Arc;

use serde_json::Value;

use crate::model::{Action, Kind};

/// Deeper arguments are not looked into.
const DEEPEST: usize = 16;

/// The action as it would have been with `text` for its text; `None` where the text is only a name for something else
/// (a call whose arguments do not have it).
///
/// An `exec` action is given to a shell then: its words were those of another text.
pub fn reword(action: &Action, text: &str) -> Option<Action> {
    let mut other = Action { text: Arc::from(text), ..action.clone() };
    match action.kind {
        Kind::Shell | Kind::Sql => {}
        Kind::Exec => {
            other.kind = Kind::Shell;
            other.argv = None;
        }
        Kind::Api => return None,
        Kind::Tool => {
            let mut arguments: Value = serde_json::from_str(action.arguments.as_deref()?).ok()?;
            replace(&mut arguments, &action.text, text, DEEPEST).then_some(())?;
            other.arguments = Some(Arc::from(arguments.to_string()));
        }
    }
    Some(other)
}

/// Puts `with` where the arguments say `old`, in the first place that does.
fn replace(value: &mut Value, old: &str, with: &str, depth: usize) -> bool {
    match value {
        Value::String(text) if text == old => {
            with.clone_into(text);
            true
        }
        Value::Array(items) if depth > 0 => items.iter_mut().any(|item| replace(item, old, with, depth - 1)),
        Value::Object(fields) if depth > 0 => fields.values_mut().any(|item| replace(item, old, with, depth - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::reword;
    use crate::model::{Action, ActionId, Actor, Kind, Origin, Outcome, Surroundings};

    fn call(arguments: &str) -> Action {
        Action {
            id: ActionId(1),
            time: None,
            actor: Arc::new(Actor::default()),
            session: "s".into(),
            kind: Kind::Tool,
            text: "rm -rf ./build".into(),
            argv: None,
            tool: Some("Bash".into()),
            arguments: Some(arguments.into()),
            surroundings: Arc::new(Surroundings::default()),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "f".into(), line: 1, offset: 0, format: "actions" },
        }
    }

    #[test]
    fn a_call_says_its_text_in_its_arguments() {
        let action = call(r#"{"description":"tidy","command":"rm -rf ./build"}"#);
        let other = reword(&action, "rm -rf ~/").unwrap();
        assert_eq!(&*other.text, "rm -rf ~/");
        let arguments: Value = serde_json::from_str(other.arguments.as_deref().unwrap()).unwrap();
        assert_eq!(arguments, json!({ "description": "tidy", "command": "rm -rf ~/" }));
        let other = reword(&call(r#"{"command":["bash","-lc","rm -rf ./build"]}"#), "ls").unwrap();
        assert_eq!(other.arguments.as_deref(), Some(r#"{"command":["bash","-lc","ls"]}"#));
    }

    #[test]
    fn a_name_for_something_else_has_no_other_words() {
        assert!(reword(&call(r#"{"path":"./build"}"#), "ls").is_none());
        assert!(reword(&call("{"), "ls").is_none());
    }
}
