//! `terraform apply PLAN`, `pulumi up`: what a plan would destroy, when the session saw the plan or made it here.

use serde_json::Value;

use crate::classify::command::{Stream, call::Call, written};
use crate::classify::given::{PLAN, PREVIEW};
use crate::classify::{Scene, Word, naming};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Reversibility};

/// More losses than this are not told one by one.
const MAX_LOSSES: usize = 64;
/// What is kept of a plan that was made to destroy everything.
const EVERYTHING: &str = "# everything will be destroyed";

/// Something that carrying out a plan takes away.
#[derive(Debug, PartialEq, Eq)]
struct Loss {
    /// `aws_db_instance.main`.
    address: String,
    /// `aws_db_instance`, `aws:rds/instance:Instance`.
    kind: String,
    /// Another one takes its place.
    replaced: bool,
}

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let verb = call.by.split(' ').nth(1).unwrap_or("");
    if verb == "plan" {
        let file = call.value("-out").filter(|_| call.flag("-destroy"))?;
        let text = Some((EVERYTHING.to_owned(), None));
        written::put(scene, file, Stream { connected: true, text, ..Stream::default() }, false);
        return None;
    }
    let usual = if call.by.starts_with("pulumi") { PREVIEW } else { PLAN };
    let file = call.operand(0).cloned().filter(|_| usual == PLAN).unwrap_or_else(|| Word::known(usual));
    let (text, _) = written::text(scene, &file)?;
    if text.contains(EVERYTHING) {
        let mut effect = Effect::new(Operation::Drop, Resource::new(ResourceKind::Stack, String::new()));
        (effect.extent, effect.reversible) = (Extent::All, Reversibility::No);
        super::note(scene, call, Some(effect));
        return None;
    }
    for loss in losses(&text).into_iter().take(MAX_LOSSES) {
        if let Some(effect) = effect(&loss) {
            super::note(scene, call, Some(effect));
        }
    }
    None
}

fn effect(loss: &Loss) -> Option<Effect> {
    // The provider says nothing about what it is.
    let name = loss.kind.split_once(['_', ':']).map_or(&*loss.kind, |(_, name)| name);
    let found = naming::meaning(&format!("delete_{}", name.replace([':', '/'], "_")), "");
    let (operation, kind) = found.map_or((Operation::Delete, ResourceKind::Item), |it| (it.operation, it.kind));
    // What holds nothing is as good when it is made anew.
    if loss.replaced && operation != Operation::Drop {
        return None;
    }
    let mut effect = Effect::new(operation, Resource::new(kind, &*loss.address));
    effect.reversible = Reversibility::No;
    Some(effect)
}

fn losses(text: &str) -> Vec<Loss> {
    let whole = text.find('{').and_then(|at| serde_json::from_str::<Value>(&text[at..]).ok());
    if let Some(plan) = whole {
        let list = |key: &str| plan.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        return list("resource_changes").iter().chain(&list("steps")).filter_map(from_json).collect();
    }
    let text = without_colours(text);
    let mut found: Vec<Loss> = text.lines().filter_map(from_line).collect();
    let count = text.lines().find_map(|line| {
        let before = line.trim().strip_prefix("Plan: ")?.split_once(" to destroy")?.0;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    if found.is_empty() && count.is_some_and(|count| count > 0) {
        found.push(Loss { address: String::new(), kind: "stack".to_owned(), replaced: false });
    }
    found
}

/// An entry of `terraform show -json`, of `terraform plan -json` or of `pulumi preview --json`.
fn from_json(entry: &Value) -> Option<Loss> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Some(urn) = text(entry.get("urn")) {
        let op = text(entry.get("op"))?;
        let kind = urn.split("::").nth(2)?.to_owned();
        return op.starts_with("delete").then(|| Loss { address: urn, kind, replaced: op.contains("replace") });
    }
    if let Some(change) = entry.get("change").filter(|change| change.get("resource").is_some()) {
        let (resource, action) = (change.get("resource")?, text(change.get("action"))?);
        let kind = text(resource.get("resource_type"))?;
        let lost = matches!(&*action, "delete" | "replace");
        return lost.then_some(Loss { address: text(resource.get("addr"))?, kind, replaced: action == "replace" });
    }
    let actions = entry.get("change")?.get("actions")?.as_array()?;
    let has = |name: &str| actions.iter().any(|action| action == name);
    let loss = Loss { address: text(entry.get("address"))?, kind: text(entry.get("type"))?, replaced: has("create") };
    has("delete").then_some(loss)
}

/// A line of a plan as people read it.
fn from_line(line: &str) -> Option<Loss> {
    let line = line.trim();
    if line.starts_with('{') {
        return from_json(&serde_json::from_str(line).ok()?);
    }
    if let Some(said) = line.strip_prefix("# ") {
        let (address, said) = said.split_once(' ')?;
        let replaced = said.contains("must be replaced") || said.contains("will be replaced");
        if !replaced && !said.contains("will be destroyed") {
            return None;
        }
        // `module.db["a"].aws_db_instance.main[0]`
        let mut parts = address.rsplit('.').skip(1);
        let kind = parts.find(|part| part.contains('_') && !part.contains('['))?;
        return Some(Loss { address: address.to_owned(), kind: kind.to_owned(), replaced });
    }
    // ` -   aws:rds:Instance  shop-db  delete`
    let mut words = line.split_whitespace();
    let replaced = match words.next()? {
        "-" => false,
        "+-" | "-+" => true,
        _ => return None,
    };
    let kind = words.find(|word| word.contains(':') && !word.ends_with(':'))?.to_owned();
    let address = words.next()?.to_owned();
    words.next().is_some_and(|word| word.starts_with("delete") || word.starts_with("replace")).then_some(Loss {
        address,
        kind,
        replaced,
    })
}

fn without_colours(text: &str) -> String {
    let (mut found, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('\u{1b}') {
        found.push_str(before);
        let end = behind.find(|c: char| c.is_ascii_alphabetic()).map_or(behind.len(), |at| at + 1);
        rest = &behind[end..];
    }
    found + rest
}

#[cfg(test)]
mod tests {
    use super::losses;

    fn check(text: &str, expected: &[(&str, &str, bool)]) {
        let seen = losses(text);
        let seen: Vec<_> = seen.iter().map(|it| (&*it.address, &*it.kind, it.replaced)).collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn plans_are_read_as_text_and_as_json() {
        check(
            "  # module.a[\"x\"].aws_db_instance.main[0] will be \u{1b}[31mdestroyed\u{1b}[0m\n  # aws_kms_key.k must be replaced\n  # aws_a.b will be created\nPlan: 1 to add, 0 to change, 2 to destroy.",
            &[
                ("module.a[\"x\"].aws_db_instance.main[0]", "aws_db_instance", false),
                ("aws_kms_key.k", "aws_kms_key", true),
            ],
        );
        check("Plan: 0 to add, 1 to change, 9 to destroy.", &[("", "stack", false)]);
        check("Plan: 3 to add, 1 to change, 0 to destroy.", &[]);
        check(
            r#"{"resource_changes":[{"address":"a_b.c","type":"a_b","change":{"actions":["delete","create"]}},{"address":"a_b.d","type":"a_b","change":{"actions":["update"]}}]}"#,
            &[("a_b.c", "a_b", true)],
        );
        check(
            r#"{"type":"planned_change","change":{"resource":{"addr":"a_b.c","resource_type":"a_b"},"action":"delete"}}
{"type":"change_summary"}"#,
            &[("a_b.c", "a_b", false)],
        );
        check(
            " -   aws:rds:Instance  shop-db  delete\n ~   aws:s3:Bucket  b  update",
            &[("shop-db", "aws:rds:Instance", false)],
        );
        check(
            r#"{"steps":[{"op":"delete","urn":"urn:pulumi:prod::shop::aws:rds/instance:Instance::db"},{"op":"same","urn":"urn:a::b::c:d::e"}]}"#,
            &[("urn:pulumi:prod::shop::aws:rds/instance:Instance::db", "aws:rds/instance:Instance", false)],
        );
    }
}
