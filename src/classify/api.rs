//! From a call of a cloud's or a cluster's API to effects: `s3.amazonaws.com:DeleteBucket`, `kubernetes:delete:pods`.
//!
//! What an operation does stands in the catalogue beside the command lines (`command/catalog`), in the same language.
//! A call becomes the words of a command: service and operation, then each parameter as an option. AWS calls its
//! operations and parameters on the command line as in the API, so that `aws.toml` describes both at once; what is
//! different there, and the APIs that have no such command line, stand in the files `*-api.toml`.

mod aws;
mod azure;
mod google;
mod kubernetes;
mod options;

use serde_json::{Map, Value};

use crate::model::{Action, Certainty, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::command::{self, Invocation, Stream};
use super::{Scene, Word, naming};
use options::Options;

/// The words of one call, as the catalogue knows them.
struct Call {
    /// The programs of the catalogue that may describe it; the first that does, does.
    programs: &'static [&'static str],
    /// What selects the operation.
    words: Vec<String>,
    options: Options,
    /// What runs somewhere else because of it, word by word.
    runs: Vec<String>,
}

/// Notes what a call does; `false` when its name is of no API that is known here.
pub(super) fn run(scene: &mut Scene<'_>, action: &Action) -> bool {
    let name = action.tool.as_deref().unwrap_or(&action.text).trim();
    let arguments = action.arguments.as_deref().unwrap_or("");
    let parsed = match arguments.trim() {
        "" | "null" => Ok(Map::new()),
        text => serde_json::from_str::<Map<String, Value>>(text),
    };
    let values = parsed.as_ref().cloned().unwrap_or_default();
    let Some(call) = kubernetes::call(name, &values)
        .or_else(|| azure::call(name, &values))
        .or_else(|| google::call(name, &values))
        .or_else(|| listed(name, &values))
        .or_else(|| aws::call(name, &values))
    else {
        return false;
    };
    let names: Vec<&str> = call.words.iter().map(String::as_str).collect();
    let catalog = scene.catalog;
    let by = call.programs.iter().find_map(|program| Some((*program, catalog.describes(program, &names)?)));
    let Some(by) = by else {
        // What nobody listed is read by the verb in its name, as a tool's is; AWS begins its names with the verb.
        let verb = call.words.last().map_or("", |operation| operation.split('-').next().unwrap_or_default());
        if !call.programs.contains(&"aws") || naming::verb(verb).is_some() {
            return false;
        }
        let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
        let mut effect = Effect::new(Operation::Unknown, resource);
        name.clone_into(&mut effect.by);
        effect.extent = Extent::Unknown;
        scene.effect(effect);
        scene.gap(GapKind::UnknownTool, Hides::Anything, None, name);
        scene.set_template(|| name.to_owned());
        return true;
    };
    if let Err(problem) = parsed {
        scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("parameters of {name}: {problem}"));
    }
    if call.options.left_out {
        scene.gap(GapKind::TooLarge, Hides::Anything, None, format!("{name} has too many parameters"));
    }
    scene.step(|| format!("api {name}"), None, |scene| described(scene, action, name, &call, by));
    scene.set_template(|| name.to_owned());
    true
}

/// Names that say themselves whose they are: `api.github.com:repo.destroy`, `m365:Exchange:New-InboxRule`.
fn listed(name: &str, values: &Map<String, Value>) -> Option<Call> {
    let (api, operation) = name.split_once(':')?;
    let programs: &'static [&'static str] = match api {
        "api.github.com" | "github" => &["api:github"],
        "m365" => &["api:m365"],
        "databricks" => &["api:databricks"],
        _ => return None,
    };
    // `Exchange:New-InboxRule`, `AzureActiveDirectory:Add member to role.`
    let words = operation.trim_end_matches('.').split([':', '.']).filter(|word| !word.is_empty());
    let words = words.map(|word| word.trim().to_ascii_lowercase().replace(' ', "-")).collect();
    Some(Call { programs, words, options: Options::dotted(values), runs: Vec::new() })
}

/// Notes what the catalogue says; `certain` when it names the operation and does not go by its verb alone.
fn described(scene: &mut Scene<'_>, action: &Action, name: &str, call: &Call, (program, certain): (&str, bool)) {
    let mut words = vec![Word::known(program)];
    words.extend(call.words.iter().map(Word::known));
    words.extend(call.options.given.iter().map(|(option, value)| word(&action.text, option, value.as_deref())));
    if !call.runs.is_empty() {
        words.push(Word::known("--"));
        words.extend(call.runs.iter().map(|run| Word { quoted: true, ..word(&action.text, "", Some(run)) }));
    }
    let span = Some(Span::new(0, action.text.len())).filter(|span| span.end > 0);
    let stdin = Stream::default();
    let before = scene.mark();
    command::run_as(scene, &Invocation { words: &words, span, stdin: &stdin, assignments: &[] }, program);
    for effect in scene.since(before) {
        // What runs because of the call keeps its own name.
        if effect.by.strip_prefix(program).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
            name.clone_into(&mut effect.by);
            if !certain && effect.certainty == Certainty::Exact {
                effect.certainty = Certainty::Inferred;
            }
        }
        effect.span = effect.span.or(span);
    }
}

/// `--option=value`, or the value alone, with the place where it stands in the text.
fn word(text: &str, option: &str, value: Option<&str>) -> Word {
    let Some(value) = value else { return Word::known(option) };
    let found = text.find(value).filter(|_| !value.is_empty());
    let span = found.map(|at| Span::new(at, at + value.len()));
    let text = if option.is_empty() { value.to_owned() } else { format!("{option}={value}") };
    Word { text, span, ..Word::default() }
}

#[cfg(test)]
mod tests;
