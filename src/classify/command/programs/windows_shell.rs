//! `cmd /c …` and `powershell -Command …`: all that follows is the code.

use crate::classify::command::{Stream, call::Call, interpret};
use crate::classify::{Language, Scene, Word};
use crate::model::Span;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let operands: Vec<&Word> = call.operands().collect();
    let (language, words) = match call.value("-command") {
        Some(first) => (Language::PowerShell, std::iter::once(first).chain(operands).collect()),
        None if call.program.names.iter().any(|name| name == "cmd") => {
            let start = operands.iter().position(|word| {
                ["/c", "/k", "/r"].iter().any(|option| word.text.eq_ignore_ascii_case(option))
            })?;
            (Language::Cmd, operands.get(start + 1..).unwrap_or_default().to_vec())
        }
        // Windows PowerShell takes bare words as a command.
        None if call.parsed.options.iter().all(|given| given.value.is_none() || given.names.has("-executionpolicy")) => {
            let is_file = operands.first().is_some_and(|word| word.text.ends_with(".ps1"));
            (Language::PowerShell, if is_file { Vec::new() } else { operands })
        }
        None => return None,
    };
    if let [only] = words[..] {
        interpret::run_text(scene, call, language, only);
        return None;
    }
    let (first, last) = (words.first()?, words.last()?);
    let text = words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
    let span = first.span.zip(last.span).map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
    scene.run_word(language, &text, span);
    None
}
