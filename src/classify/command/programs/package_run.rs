//! `npx`, `uvx` and the like: a package is fetched and run; when it is a program we know, we know what it does.

use crate::classify::command::{Stream, call::Call, interpret, settle, within};
use crate::classify::{Scene, Word};
use crate::model::{CodeOrigin, Effect, Operation, ResourceKind};

/// A package that is fetched for it.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    run_from(scene, call, CodeOrigin::Registry)
}

/// A program or a script of the project: `poetry run`, `bundle exec`.
pub(super) fn local(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    if !scene.files.is_empty() && super::recipes::of_project(scene, call) {
        return None;
    }
    run_from(scene, call, CodeOrigin::Local)
}

fn run_from(scene: &mut Scene<'_>, call: &Call<'_>, origin: CodeOrigin) -> Option<Stream> {
    if let Some(text) = call.value("-c") {
        return Some(within::run_shell(scene, call, std::slice::from_ref(text)));
    }
    // `mise exec node@20 -- node x.js`: what is behind the dashes is run.
    let from = call.parsed.dashes.filter(|at| *at < call.operands().len()).unwrap_or(0);
    let package = call.operand(from)?;
    // `yarn exec 'rm x'`: code in one word.
    if package.text.contains(' ') && package.is_known() {
        return Some(within::run_shell(scene, call, std::slice::from_ref(package)));
    }
    let name = bare(&package.text);
    if scene.catalog.find(name).is_some() && package.is_known() {
        let mut words: Vec<Word> = call.operands().skip(from).cloned().collect();
        if let Some(first) = words.first_mut() {
            name.clone_into(&mut first.text);
        }
        return Some(within::run_words(scene, call, &words, false));
    }
    if origin == CodeOrigin::Local {
        let effect = interpret::code_effect(scene, package, Some(origin));
        super::note(scene, call, Some(effect));
        return None;
    }
    let mut effect = Effect::new(Operation::Execute, settle::named(ResourceKind::Code, package));
    let address = package.text.starts_with("http://") || package.text.starts_with("https://");
    effect.code = Some(if address { CodeOrigin::Remote } else { origin });
    effect.span = package.span;
    super::note(scene, call, Some(effect));
    None
}

/// The program a package is run by: `@scope/tool@1.2` is `tool`, `tool==1.2` too.
fn bare(package: &str) -> &str {
    let name = package.split("==").next().unwrap_or(package);
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split('@').next().filter(|name| !name.is_empty()).unwrap_or(name)
}
