//! Code and commands that stand inside a command line: `bash -c`, `psql -f`, `sudo`, `xargs`.

use std::sync::Arc;

use crate::classify::{Language, Scene, Word, paths};
use crate::model::{Area, CodeOrigin, Effect, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::call::Call;
use super::spec::{CodeSpec, Inner};
use super::template::Template;
use super::{Invocation, Stream, inferred, interpret, settle, written};

/// Runs the code that a spec finds in a word, a file or standard input.
pub(super) fn run_code(scene: &mut Scene<'_>, call: &Call<'_>, code: &CodeSpec) {
    let outer = scene.dialect.clone();
    if let Some(dialect) = &code.dialect {
        scene.dialect = Some(dialect.clone());
    }
    if let Some(template) = &code.from {
        for word in template.words(call).iter().filter(|word| !word.text.is_empty()) {
            if let Some(whole) = spread(call, code.language, word) {
                let mark = scene.mark();
                run_text(scene, call, code.language, &whole);
                inferred(scene, mark);
            } else {
                run_text(scene, call, code.language, word);
            }
        }
    }
    if let Some(template) = &code.file {
        for word in template.words(call).iter().filter(|word| !word.text.is_empty() && word.text != "-") {
            written::run_file(scene, call, word, code.language, CodeOrigin::Local);
        }
    }
    if code.stdin {
        run_stdin(scene, call, code.language);
    }
    scene.dialect = outer;
}

/// Whether a statement of SQL begins with this word, in lower case.
pub(in crate::classify) fn begins_sql(word: &str) -> bool {
    const BEGIN: &[&str] = &[
        "alter", "analyze", "call", "copy", "create", "delete", "drop", "exec", "execute", "explain", "flush", "grant",
        "insert", "kill", "merge", "optimize", "purge", "reindex", "rename", "replace", "reset", "revoke", "select",
        "set", "show", "shutdown", "truncate", "update", "use", "vacuum", "with", "drop;",
    ];
    BEGIN.contains(&word)
}

/// `mysql -e DROP DATABASE x`: a log that joined the words has lost the quotes around the code, which goes on in the
/// words behind its first.
fn spread(call: &Call<'_>, language: Language, word: &Word) -> Option<Word> {
    let first = word.text.to_ascii_lowercase();
    let begins = match language {
        Language::Sql => begins_sql(&first),
        Language::Python => matches!(&*first, "import" | "from"),
        Language::JavaScript => matches!(&*first, "const" | "let" | "var"),
        _ => false,
    };
    let words = call.invocation.words;
    let at = words.iter().position(|known| begins && known.text == word.text && known.span == word.span)?;
    let option = |word: &Word| {
        word.text.starts_with('-')
            && word.text.as_bytes().get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
    };
    let rest = words.get(at..)?;
    let rest = rest.split(option).next().filter(|words| words.len() > 1)?;
    let text = rest.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
    let span = rest
        .first()?
        .span
        .zip(rest.last()?.span)
        .map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
    Some(Word { text, span, ..Word::default() })
}

/// Runs the code in a word; what of it is not known is a gap.
pub(super) fn run_text(scene: &mut Scene<'_>, call: &Call<'_>, language: Language, word: &Word) {
    if is_unknown_code(scene, word) {
        let mut effect = Effect::new(Operation::Execute, settle::named(ResourceKind::Code, word));
        let origin = written::origin_of_value(scene, word);
        effect.code = origin.or(Some(CodeOrigin::Dynamic));
        effect.by.clone_from(&call.by);
        effect.span = word.span;
        scene.effect(effect);
        if origin.is_none() {
            scene.gap(GapKind::DynamicCode, Hides::Anything, word.span, &*word.text);
        }
        return;
    }
    if language != Language::Shell {
        for part in &word.unknown {
            scene.gap(GapKind::UnresolvedVariable, Hides::Target, word.span, &*part.name);
        }
    }
    if language == Language::Shell {
        return scene.run_word(language, &word.text, word.span);
    }
    let fed = std::mem::replace(&mut scene.stdin_remote, call.invocation.stdin.remote);
    scene.called_inline(call.invocation.behind(word), |scene| scene.run_word(language, &word.text, word.span));
    scene.stdin_remote = fed;
}

/// The one query that a client is given, when it puts text together: nothing else can be code for another client.
pub(super) fn query(call: &Call<'_>, code: &[CodeSpec]) -> Option<Arc<str>> {
    let mut from = code.iter().filter(|code| code.language == Language::Sql).filter_map(|code| code.from.as_ref());
    let text = from.find_map(|template| {
        let words = template.words(call);
        let word = words.iter().find(|word| !word.text.is_empty())?;
        Some(word.text.clone())
    })?;
    let text = text.trim();
    let selects = text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("select"));
    (selects && text.contains(['\'', '"']) && text.len() < 4_096).then(|| text.into())
}

/// Runs what comes in on standard input.
pub(super) fn run_stdin(scene: &mut Scene<'_>, call: &Call<'_>, language: Language) {
    let stdin = call.invocation.stdin;
    if !stdin.connected {
        return;
    }
    if let Some((text, span)) = &stdin.text {
        let dash = call.invocation.words.iter().find(|word| word.text == "-");
        let arguments = dash.map(|dash| call.invocation.behind(dash)).unwrap_or_default();
        scene.called_as_file(arguments, |scene| scene.run_kept(language, text, *span));
        if !stdin.decoded {
            return;
        }
    }
    // `psql -c "select 'drop table '||x from y" | psql`: what is run are the rows.
    if language == Language::Sql
        && let Some(query) = &stdin.answers
    {
        let statement = query.trim().trim_end_matches(';');
        let span = scene.outer(call.head.or(call.invocation.span));
        // Only psql runs rows by itself, but they are put together alike everywhere.
        let outer = scene.dialect.clone();
        if outer.as_deref() != Some("mysql") {
            scene.dialect = Some("postgres".to_owned());
        }
        let mark = scene.mark();
        scene.run_kept(language, &format!("{statement} \\gexec"), span);
        scene.dialect = outer;
        if scene.since(mark).iter().any(|effect| effect.operation != Operation::Read) {
            return;
        }
    }
    let (origin, name) = match stdin.carries.first() {
        _ if stdin.remote => (CodeOrigin::Remote, String::new()),
        _ if stdin.decoded => (CodeOrigin::Decoded, String::new()),
        Some(file) if matches!(file.kind, ResourceKind::File) => (CodeOrigin::Local, file.name.clone()),
        _ => {
            scene.gap(GapKind::HiddenCode, Hides::Anything, call.invocation.span, format!("what {} reads", call.by));
            (CodeOrigin::Dynamic, String::new())
        }
    };
    let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, name));
    if let Some(file) = stdin.carries.first() {
        effect.resource.areas = file.areas;
    }
    let staged = origin == CodeOrigin::Local && effect.resource.areas.has(Area::Temporary);
    effect.code = Some(if staged { CodeOrigin::Staged } else { origin });
    effect.by.clone_from(&call.by);
    effect.span = call.head.or(call.invocation.span);
    if language == Language::Sql {
        written::says_what_it_does(scene, &effect);
    }
    scene.effect(effect);
}

/// Runs the command that stands inside another one; `None` when there is none.
pub(super) fn run_inner(scene: &mut Scene<'_>, call: &Call<'_>, inner: &Inner) -> Option<Stream> {
    let words =
        |template: &Template| template.words(call).into_iter().map(|word| word.into_owned()).collect::<Vec<_>>();
    let before = inner.before.split_ascii_whitespace().map(Word::known);
    let simple = inner.words.as_ref().map(|template| before.chain(words(template)).collect::<Vec<_>>());
    let simple = simple.filter(|words| !words.is_empty());
    let text = inner.shell.as_ref().map(words).filter(|words| words.iter().any(|word| !word.text.is_empty()));
    if simple.is_none() && text.is_none() {
        return None;
    }
    // `sudo man -P sh`: an option for something else gives a shell with raised rights to whoever sits there.
    let aside = |template: &Option<Template>| template.as_ref().is_some_and(Template::is_option);
    let side_door =
        scene.elevated && !inner.elsewhere && !inner.elevated && (aside(&inner.shell) || aside(&inner.words));
    if side_door && let Some(word) = text.as_ref().or(simple.as_ref()).and_then(|words| words.first()) {
        opened(scene, &word.text, word.span);
    }
    scene.scoped(|scene| {
        scene.elevated |= inner.elevated;
        if inner.elsewhere {
            // `docker exec -w /data`: the folder that the command line names is one over there.
            let named = interpret::folder(call).and_then(|folder| folder.value().map(str::to_owned));
            scene.go_elsewhere();
            scene.cwd = named.filter(|folder| paths::is_absolute(folder));
        }
        let mut stream = None;
        scene.step(
            || call.by.clone(),
            call.invocation.span,
            |scene| {
                if let Some(words) = simple {
                    stream = Some(run_words(scene, call, &words, inner.assignments));
                }
                if let Some(words) = text {
                    stream = Some(run_shell(scene, call, &words));
                }
            },
        );
        stream
    })
}

/// Notes a shell that opens with raised rights where nobody asked for one.
pub(in crate::classify) fn opened(scene: &mut Scene<'_>, command: &str, span: Option<Span>) {
    if scene.elevated
        && let Some(effect) = super::interactive_shell(command, span)
    {
        scene.effect(effect);
    }
}

/// Runs words as a simple command that stands in the place of `call`.
pub(super) fn run_words(scene: &mut Scene<'_>, call: &Call<'_>, words: &[Word], assignments: bool) -> Stream {
    let mut set = call.invocation.assignments.to_vec();
    let mut from = 0;
    while let Some(word) = words.get(from).filter(|_| assignments) {
        let Some((name, value)) = word.text.split_once('=') else { break };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            break;
        }
        set.push((name.to_owned(), word.is_known().then(|| value.to_owned())));
        from += 1;
    }
    let words = words.get(from..).unwrap_or_default();
    if words.is_empty() {
        return Stream::default();
    }
    let span = match (words.first().and_then(|word| word.span), words.last().and_then(|word| word.span)) {
        (Some(first), Some(last)) if first.start <= last.end => Some(Span::new(first.start, last.end)),
        _ => call.invocation.span,
    };
    let invocation = Invocation { words, span, stdin: call.invocation.stdin, assignments: &set };
    super::run_nested(scene, &invocation)
}

/// Runs words, joined by spaces, as shell code that reads the standard input of `call`.
pub(super) fn run_shell(scene: &mut Scene<'_>, call: &Call<'_>, words: &[Word]) -> Stream {
    let stdin = call.invocation.stdin.clone();
    if let [only] = words {
        if is_unknown_code(scene, only) {
            run_text(scene, call, Language::Shell, only);
            return Stream { connected: true, ..Stream::default() };
        }
        return scene.run_piped(&only.text, Err(only.span), stdin);
    }
    let text = words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
    let spans = words.first().and_then(|word| word.span).zip(words.last().and_then(|word| word.span));
    let span = spans.map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
    scene.run_piped(&text, Err(span), stdin)
}

/// Whether nothing can be read of the code in a word: all of it comes from elsewhere, or what runs first does.
fn is_unknown_code(scene: &Scene<'_>, word: &Word) -> bool {
    word.unknown.iter().any(|part| part.start == 0 && part.end == word.text.len())
        || written::origin_of_value(scene, word).is_some()
}
