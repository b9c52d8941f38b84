//! What comes out of a command: the next one in the pipe reads it.

use crate::classify::{Scene, Word};
use crate::model::{Operation, ResourceKind, Span};

use super::Stream;
use super::call::Call;
use super::spec::Output;
use super::written;

/// What a command puts on standard output, as its spec says; `mark` is where its own effects begin.
pub(super) fn output(scene: &mut Scene<'_>, call: &Call<'_>, mark: usize) -> Stream {
    let connected = Stream { connected: true, ..Stream::default() };
    let Some(stdout) = &call.spec().stdout else { return connected };
    let is = match &stdout.when {
        Some(when) if !when.holds(call) => stdout.otherwise,
        _ => Some(stdout.is),
    };
    match is {
        None | Some(Output::Nothing) => connected,
        Some(Output::Carries) => Stream { connected: true, ..carried(scene, mark) },
        Some(Output::Remote) => Stream { connected: true, remote: true, ..Stream::default() },
        Some(is @ (Output::Passes | Output::Decoded)) => {
            let found = carried(scene, mark);
            let from_files = !found.carries.is_empty();
            let stdin = call.invocation.stdin;
            let mut stream = if from_files { found } else { stdin.clone() };
            let copied = from_files.then(|| copied(scene, call)).flatten();
            stream.remote |= stdin.remote && !from_files;
            // A filter changes the text; only what merely copies it could keep it, and those say so by having no operands.
            if is == Output::Decoded || !call.parsed.operands.is_empty() || call.parsed.options.iter().any(|o| o.listed)
            {
                stream.text = None;
                narrow(&mut stream);
            }
            stream.text = stream.text.or(copied);
            stream.connected = true;
            stream.decoded |= is == Output::Decoded;
            stream
        }
        Some(Output::Text) => {
            let known = call.operands().all(Word::is_known);
            let text = call.operands().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
            let span = scene.outer(call.operand(0).and_then(|word| word.span));
            Stream { connected: true, text: known.then_some((text, span)), ..Stream::default() }
        }
        Some(Output::Lists) => {
            let under = call.operand(0).cloned().unwrap_or_else(|| Word::known("."));
            Stream { connected: true, lists_under: Some(under), ..Stream::default() }
        }
    }
}

/// What `cat` copies, when all of it is known.
fn copied(scene: &Scene<'_>, call: &Call<'_>) -> Option<(String, Option<Span>)> {
    if scene.files.is_empty() || call.by != "cat" || !call.parsed.options.is_empty() {
        return None;
    }
    let mut texts = call.operands().map(|file| written::text(scene, file));
    let (first, span) = texts.next()??;
    let rest: Vec<String> = texts.map(|text| Some(text?.0)).collect::<Option<_>>()?;
    if rest.is_empty() { Some((first, span)) } else { Some((format!("{first}\n{}", rest.join("\n")), None)) }
}

/// What the effects since `mark` would have put on standard output.
fn carried(scene: &mut Scene<'_>, mark: usize) -> Stream {
    let mut stream = Stream::default();
    for effect in scene.since(mark) {
        match effect.operation {
            Operation::Fetch => stream.remote = true,
            Operation::Read | Operation::Export
                if !effect.resource.name.is_empty() || effect.resource.kind == ResourceKind::Secret =>
            {
                stream.carries.push(effect.resource.clone());
            }
            _ => {}
        }
    }
    stream
}

/// `find . | grep old`: of everything in a folder, a filter leaves some.
fn narrow(stream: &mut Stream) {
    if let Some(under) = &mut stream.lists_under
        && let Some(base) = under.text.strip_suffix("/*")
    {
        under.text = format!("{base}/{{}}");
    }
}
