//! `python -m`: a module that is a program we know is that program; any other is code of the workspace.

use crate::classify::command::{Stream, call::Call, interpret, within};
use crate::classify::{Scene, Word};
use crate::model::CodeOrigin;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let module = call.value("-m")?;
    if module.is_known() && scene.catalog.find(&module.text).is_some() {
        let words: Vec<Word> = std::iter::once(module).chain(call.operands()).cloned().collect();
        return Some(within::run_words(scene, call, &words, false));
    }
    let effect = interpret::code_effect(scene, module, Some(CodeOrigin::Local));
    super::note(scene, call, Some(effect));
    None
}
