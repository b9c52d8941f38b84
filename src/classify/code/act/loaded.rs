//! Code that code loads or evaluates from files: `require("/tmp/x.js")`, `dofile(…)`, `exec(open(f).read())`.

use crate::classify::command;
use crate::classify::{Language, Scene, Word};
use crate::model::{CodeOrigin, GapKind, Hides};

use super::super::lexer::Kind;
use super::super::value::{Reading, Value};
use super::super::walk::Call;
use super::execute;
use super::made::Made;

/// What stands at the beginning of paths that lead to the program's own files.
const OWN: &[&str] = &[
    "__dirname",
    "__DIR__",
    "__FILE__",
    "__file__",
    "import.meta",
    "FindBin",
    "process.cwd",
    "getcwd",
    "Rails.root",
    "Dir.pwd",
    "dirname(",
    "base_path",
    "root",
    "ROOT",
    "here",
];

/// What the call loads: a file is run as its interpreter would run it, a module by its name is the program's own affair.
pub(super) fn run(scene: &mut Scene<'_>, reading: &Reading<'_>, language: Language, value: &Value, call: &Call) {
    let Some(word) = value.word() else { return };
    if value.remote || word.text.starts_with("http://") || word.text.starts_with("https://") {
        return execute(scene, call.span, &call.name, CodeOrigin::Remote);
    }
    if word.is_known() {
        if let Some((head, code)) = word.text.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
            if head.ends_with("base64") {
                return execute(scene, call.span, &call.name, CodeOrigin::Decoded);
            }
            return super::super::hand_over(scene, language, &code.replace("%20", " "), word.span);
        }
        if is_path(language, call, &word.text) {
            command::load(scene, word, language, &call.name, call.span);
        }
        return;
    }
    // Perl's `require Some::Module` is a name and no value.
    let bare = call.items.first().and_then(|(from, to)| reading.tokens.get(*from..*to));
    let class = |token: &super::super::lexer::Token<'_>| match token.kind {
        Kind::Name => token.text.starts_with(|first: char| first.is_ascii_uppercase()),
        _ => token.is(b':'),
    };
    if language == Language::Perl
        && bare.is_some_and(|tokens| tokens.iter().all(class) || matches!(tokens, [one] if is_pragma(one.text)))
    {
        return;
    }
    let first = word.unknown.first();
    let own = first.is_some_and(|part| part.start > 0 || OWN.iter().any(|mark| part.name.contains(mark)));
    if own {
        if word.text.starts_with('/') && first.is_some_and(|part| part.start > 1) {
            command::load(scene, word, language, &call.name, call.span);
        }
        return;
    }
    scene.gap(GapKind::DynamicCode, Hides::Anything, call.span, &*word.text);
    execute(scene, call.span, &call.name, CodeOrigin::Dynamic);
}

fn is_pragma(name: &str) -> bool {
    !name.starts_with(['$', '@']) && !matches!(name, "shift" | "pop")
}

fn is_path(language: Language, call: &Call, text: &str) -> bool {
    const ENDINGS: &[&str] =
        &[".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".pl", ".pm", ".php", ".inc", ".lua", ".R", ".r", ".so"];
    let rooted = ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start));
    let always = match language {
        Language::Php => true,
        _ => {
            matches!(&*call.name, "dofile" | "loadfile" | "source" | "sys.source" | "require_relative" | "load" | "do")
        }
    };
    !text.ends_with(".json") && !text.is_empty() && (rooted || always || ENDINGS.iter().any(|it| text.ends_with(it)))
}

/// Code that is read from files and evaluated; `false` when the value holds none.
pub(super) fn evaluated(scene: &mut Scene<'_>, language: Language, value: &Value, call: &Call) -> bool {
    if value.files.is_empty() || value.decoded {
        return false;
    }
    for file in &value.files {
        if is_stdin(file) {
            scene.gap(GapKind::HiddenCode, Hides::Anything, call.span, "what is read from standard input");
            execute(scene, call.span, &call.name, CodeOrigin::Dynamic);
        } else {
            command::load(scene, file, language, &call.name, call.span);
        }
    }
    true
}

/// Bytes that are made into objects: from outside they can be anything, from a file of one's own they are one's own.
pub(super) fn unpacked(scene: &mut Scene<'_>, made: &Made<'_, '_>, value: &Value, call: &Call) {
    let safe = made.option("Loader").or_else(|| made.argument(1));
    if safe.is_some_and(|loader| loader.words.iter().any(|word| word.text.contains("Safe")))
        || made.says("weights_only")
    {
        return;
    }
    if value.remote || value.word().is_some_and(|word| word.text.starts_with("http")) {
        return execute(scene, call.span, &call.name, CodeOrigin::Remote);
    }
    let span = call.items.first().and_then(|(from, to)| made.reading.span(*from, *to));
    let said = span.and_then(|span| made.reading.code.get(span.start..span.end)).unwrap_or("");
    // What was packed right here is one's own.
    if ["dumps(", "Marshal.dump(", "serialize("]
        .iter()
        .any(|packs| said.starts_with(packs) || said.contains(&format!(".{packs}")))
    {
        return;
    }
    let typed = ["stdin", "STDIN", "php://input"].iter().any(|name| said.contains(name));
    if typed || value.files.iter().any(is_stdin) {
        if scene.stdin_remote {
            return execute(scene, call.span, &call.name, CodeOrigin::Remote);
        }
        return scene.gap(GapKind::HiddenCode, Hides::Anything, call.span, &*call.name);
    }
    let paths = value.files.iter().chain(value.words.iter().filter(|word| word.is_known()));
    if let Some(origin) = paths.clone().find_map(|file| command::fetched(scene, file)) {
        return execute(scene, call.span, &call.name, origin);
    }
    if !value.files.is_empty() {
        return;
    }
    if value.decoded {
        return execute(scene, call.span, &call.name, CodeOrigin::Decoded);
    }
    // What these take is a path, or a file that is open: one of the workspace, wherever it is.
    let last = call.name.rsplit('.').next().unwrap_or("");
    let path = matches!(last, "open" | "read_pickle" | "retrieve" | "unsafe_load_file")
        || last == "load" && !call.name.starts_with("Marshal");
    if !path && value.words.iter().any(|word| !word.is_known()) {
        scene.gap(GapKind::DynamicCode, Hides::Anything, call.span, said);
    }
}

fn is_stdin(file: &Word) -> bool {
    matches!(&*file.text, "0" | "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" | "php://stdin" | "php://input")
        || file.text.contains("stdin.fd")
}
