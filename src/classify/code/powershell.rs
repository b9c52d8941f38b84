//! PowerShell: pipelines of cmdlets and programs, `iex`, `-EncodedCommand`.

use crate::classify::{Language, Scene, http, paths};
use crate::model::{CodeOrigin, Effect, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use Operation as O;
use ResourceKind as K;

mod cmdlets;
mod effects;
mod flow;
mod functions;
mod state;
mod words;

use cmdlets::{CMDLETS, HARMLESS};
use effects::{by_name, cmdlet, execute, note};
use flow::{Flow, interpolated};
use state::{State, listing, lists};
use words::{Parameters, assigned, is_expression, pieces, word, words};

/// Finds what a script does.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let cwd = scene.cwd.clone();
    let mut state = State::default();
    for (at, _) in text.match_indices('&').take(64) {
        // `& ("Remove" + "-Item")`; a path that is put together is a script of one's own.
        let rest = text[at + 1..].trim_start();
        let path = ["(join-path", "(resolve-path", "(get-item"];
        let own = path.iter().any(|start| rest.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)));
        let single = !text[..at].ends_with('&') && !rest.starts_with('&');
        if rest.starts_with('(') && single && !own {
            let span = Span::new(at, at + 1);
            scene.gap(GapKind::DynamicCode, Hides::Anything, Some(span), rest.lines().next().unwrap_or_default());
        }
    }
    let blocks = functions::blocks(text);
    let functions = functions::functions(text, &blocks);
    let within = |at: usize| functions.iter().any(|function| (function.whole.0..function.whole.1).contains(&at));
    // The script's own parameters are what it is called with.
    if let Some(own) = blocks.iter().find(|block| !within(block.from)) {
        let said: Vec<String> =
            scene.arguments.iter().flat_map(|words| words.iter().map(|word| word.text.clone())).collect();
        state.give(functions::given(&own.parameters, &said));
    }
    let called: Vec<bool> = functions.iter().map(|function| is_called(text, function)).collect();
    let whole = Script { text, blocks: &blocks, functions: &functions, called: &called };
    part(scene, &whole, (0, text.len()), &mut state, 0);
    scene.cwd = cwd;
}

/// A script with what it defines.
struct Script<'s> {
    text: &'s str,
    blocks: &'s [functions::Block],
    functions: &'s [functions::Function],
    /// Which of the functions are called: those are read where that happens.
    called: &'s [bool],
}

/// Whether the name of a function stands outside of its definition.
fn is_called(text: &str, function: &functions::Function) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(&*function.name).take(256).any(|(at, name)| {
        let own = (function.whole.0..function.whole.1).contains(&at);
        let letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '$' | '.' | '/' | '\\');
        !own && !lower[..at].ends_with(letter) && !lower[at + name.len()..].starts_with(letter)
    })
}

/// Reads the commands of one part of a script.
fn part(scene: &mut Scene<'_>, script: &Script<'_>, (start, end): (usize, usize), state: &mut State, depth: usize) {
    const DEEP: usize = 6;
    let text = script.text;
    let mut pending: Option<String> = None;
    for (from, to, piped) in pieces(&text[start..end]) {
        let (from, to) = (start + from, start + to);
        let defines = |it: &functions::Function| from >= it.whole.0 && to <= it.whole.1 && start < it.body.0;
        let elsewhere = script.functions.iter().zip(script.called).any(|(it, called)| *called && defines(it));
        if elsewhere || script.blocks.iter().any(|block| from < block.to && to > block.from) {
            continue;
        }
        let span = Span::new(from, to);
        state.downloaded &= piped;
        if !piped {
            state.listed = None;
            state.flow = None;
        }
        let piece = &text[from..to];
        for code in interpolated(piece) {
            super::hand_over(scene, Language::PowerShell, code, Some(span));
        }
        // `$folders = @("a", "b")`
        if let Some(name) = pending.take().filter(|_| piece.trim_start().starts_with(['"', '\''])) {
            let items: Vec<String> = words(piece.trim()).into_iter().map(|word| state.filled(word)).collect();
            state.give(vec![(name, Some(items.concat()))]);
            continue;
        }
        let opens = piece.trim().strip_suffix('@').map(|head| head.trim_end());
        pending = opens.and_then(|head| head.strip_suffix('=')).and_then(|head| {
            let name = head.trim().strip_prefix('$')?.to_ascii_lowercase();
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
        });
        let words: Vec<String> = words(assigned(piece.trim())).into_iter().map(|word| state.filled(word)).collect();
        let name = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        let function = script.functions.iter().find(|it| it.name == name && !(it.whole.0..it.whole.1).contains(&from));
        match function.filter(|_| depth < DEEP) {
            Some(function) => {
                let outer = state.give(function.given(&words[1..]));
                part(scene, script, function.body, state, depth + 1);
                state.give(outer);
            }
            None => command(scene, text, piece, span, state),
        }
    }
}

/// `powershell -NoProfile -EncodedCommand …`, `pwsh -c …`: the code in its words.
pub(super) fn program(scene: &mut Scene<'_>, words: &[String], span: Option<Span>) {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let option = word.to_ascii_lowercase();
        let option = option.trim_start_matches(['-', '/']);
        if !word.starts_with(['-', '/']) || (option.starts_with('c') && "command".starts_with(option)) {
            let from = if word.starts_with(['-', '/']) { at + 1 } else { at };
            let code = words.get(from..).unwrap_or_default().join(" ");
            return super::hand_over(scene, Language::PowerShell, &code, span);
        }
        if option.starts_with('e') && (option == "ec" || "encodedcommand".starts_with(option)) {
            return encoded(scene, words.get(at + 1).map_or("", |word| word), span);
        }
        if option.starts_with('f') && "file".starts_with(option) {
            let mut effect =
                Effect::new(O::Execute, Resource::new(K::Code, words.get(at + 1).cloned().unwrap_or_default()));
            effect.code = Some(CodeOrigin::Local);
            effect.span = span;
            effect.by = "powershell".to_owned();
            return scene.effect(effect);
        }
        let takes_value = [
            "executionpolicy",
            "windowstyle",
            "inputformat",
            "outputformat",
            "version",
            "ep",
            "configurationname",
            "workingdirectory",
        ];
        at += if takes_value.iter().any(|name| name.starts_with(option)) { 2 } else { 1 };
    }
}

/// Base64 of UTF-16LE, as `-EncodedCommand` takes it.
fn encoded(scene: &mut Scene<'_>, text: &str, span: Option<Span>) {
    let mut effect = Effect::new(O::Execute, Resource::new(K::Code, ""));
    effect.code = Some(CodeOrigin::Decoded);
    effect.span = span;
    effect.by = "powershell -EncodedCommand".to_owned();
    scene.effect(effect);
    let units = super::encoding::base64(text).map(|bytes| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    });
    // Text in the wrong encoding decodes as well, to letters nobody would write.
    let readable = |code: &String| code.bytes().filter(u8::is_ascii).count() * 2 > code.len();
    match units.and_then(|units| String::from_utf16(&units).ok()).filter(readable) {
        Some(code) => super::hand_over(scene, Language::PowerShell, &code, span),
        None => scene.gap(GapKind::DynamicCode, Hides::Anything, span, "encoded command"),
    }
}

fn command(scene: &mut Scene<'_>, whole: &str, text: &str, span: Span, state: &mut State) {
    let text = text.trim();
    // `& "C:\x.exe"` runs what stands in quotes; without the sign it is a text.
    let called = whole.get(..span.start).is_some_and(|before| before.trim_end().ends_with('&'));
    if text.starts_with(['"', '\'']) && !called {
        return literal(scene, text, span, state);
    }
    state.bind(text);
    let bound = text;
    let text = assigned(text);
    // `$action = "Stop"`: a text, not a program.
    if bound.len() != text.len() && text.starts_with(['"', '\'']) && !text.contains([' ', '(']) {
        return;
    }
    let text =
        if text.starts_with('$') { text.split_once(" in ").map_or(text, |(_, right)| right.trim()) } else { text };
    if bound.len() != text.len() && text.starts_with(['"', '\'']) && bound.contains(" in ") {
        return;
    }
    let sourced = text.starts_with(". ");
    let text = text.trim_start_matches(". ").trim_start();
    let words: Vec<String> = words(text).into_iter().map(|word| state.filled(word)).collect();
    let Some(first) = words.first() else { return };
    // `foreach ($f in $folders)`, `$folders | Remove-Item`: a variable is no program.
    if text.starts_with('$') && words.len() == 1 && !called && !sourced && !first.contains('$') {
        state.listed = Some(first.clone());
        return;
    }
    computed(scene, first, text, called || sourced, span);
    let lower = first.to_ascii_lowercase();
    let program = lower.rsplit(['\\', '/']).next().unwrap_or("");
    let program = program.strip_suffix(".exe").unwrap_or(program);
    let whole = text.to_ascii_lowercase();
    let fetches =
        ["downloadstring", "downloadfile", "downloaddata", "webclient"].iter().any(|name| whole.contains(name));
    let parameters = Parameters::of(&words);
    match program {
        "iwr" | "invoke-webrequest" | "irm" | "invoke-restmethod" | "curl" | "wget" | "start-bitstransfer" => {
            state.downloaded = true;
            let url = parameters.named(&["uri", "source"]).or_else(|| parameters.operands.first().copied());
            let Some(url) = url else { return };
            let method = parameters.named(&["method"]).unwrap_or("");
            let body = parameters.named(&["body"]);
            let sent = parameters.named(&["infile"]).map(|file| paths::resource(scene, &word(file, span), K::File));
            let body = http::Body {
                present: body.is_some() || sent.is_some(),
                text: body,
                carries: sent.as_slice(),
                hidden: body.is_some_and(|body| body.starts_with('$')),
                ..http::Body::default()
            };
            let url = word(url, span);
            http::request(scene, &http::Request { method, url: &url, body, span: Some(span), by: program });
            if let Some(file) = parameters.named(&["outfile", "destination"]) {
                note(scene, O::Update, K::File, file, span, program, &parameters);
                state.fetched.push(base_name(file));
            }
        }
        _ if state.fetched.contains(&base_name(first)) => execute(scene, span, first, CodeOrigin::Remote),
        "iex" | "invoke-expression" => {
            let code = parameters.operands.first().copied().or_else(|| parameters.named(&["command"]));
            match code {
                Some(code) if !code.contains('$') => {
                    super::hand_over(scene, Language::PowerShell, code, Some(span));
                }
                _ if code.is_none() || state.downloaded => {
                    // What is run comes from what stands beside it; the next piece says what that is.
                    execute(scene, span, program, CodeOrigin::Remote);
                }
                code => {
                    scene.gap(GapKind::DynamicCode, Hides::Anything, Some(span), code.unwrap_or(""));
                    execute(scene, span, program, CodeOrigin::Dynamic);
                }
            }
        }
        "powershell" | "pwsh" => self::program(scene, &words, Some(span)),
        "cmd" => super::hand_over(scene, Language::Cmd, text, Some(span)),
        "invoke-command" | "icm" => {
            if let Some(host) = parameters.named(&["computername", "session"]) {
                let mut effect = Effect::new(O::Execute, Resource::new(K::Host, host));
                effect.code = Some(CodeOrigin::Elsewhere);
                effect.span = Some(span);
                effect.by = program.to_owned();
                scene.effect(effect);
            }
        }
        "start-process" | "saps" | "start" => {
            let mut all: Vec<&str> = parameters.named(&["filepath"]).into_iter().collect();
            all.extend(parameters.operands.iter().copied());
            if all.first().is_some_and(|file| state.fetched.contains(&base_name(file))) {
                return execute(scene, span, program, CodeOrigin::Remote);
            }
            all.extend(parameters.named(&["argumentlist", "args"]).into_iter().flat_map(|text| text.split([' ', ','])));
            super::hand_over(scene, Language::Shell, &super::quoted(&all), Some(span));
        }
        "invoke-sqlcmd" | "invoke-sqlcmd2" | "invoke-dbaquery" => {
            if let Some(query) = parameters.named(&["query"]) {
                return super::hand_over(scene, Language::Sql, query, Some(span));
            }
            execute(scene, span, program, CodeOrigin::Local);
        }
        "set-location" | "cd" | "sl" | "chdir" | "push-location" => {
            let target = parameters.target();
            if !target.is_empty() {
                scene.cwd = (!target.contains('$')).then(|| paths::normalise(scene, target));
            }
        }
        "add-type" => {
            scene.gap(GapKind::HiddenCode, Hides::Anything, Some(span), "Add-Type");
        }
        _ if fetches => {
            state.downloaded = true;
            state.asking = true;
            if let Some(url) = words.iter().find(|word| word.contains("://")) {
                let url = word(url, span);
                let body = http::Body::default();
                http::request(
                    scene,
                    &http::Request { method: "GET", url: &url, body, span: Some(span), by: "WebClient" },
                );
            }
        }
        "where-object" | "where" | "?" | "select-object" | "select" => {
            if let Some(flow) = &mut state.flow {
                flow.narrow();
            }
            // Some of what is listed, not all.
            if let Some(below) = state.listed.as_mut().filter(|listed| listed.ends_with("/*") || *listed == "*") {
                below.push_str("?*");
            }
        }
        // Every process there is, for what they are piped into.
        "get-process" | "gps" if parameters.target().is_empty() => state.listed = Some("*".to_owned()),
        program if HARMLESS.contains(&program) => {}
        program => match CMDLETS.iter().find(|row| row.2.split(' ').any(|name| name == program)) {
            Some(&(operation, kind, _)) => {
                if lists(program) {
                    state.listed = Some(listing(&parameters));
                }
                let piped = state.listed.take().filter(|_| parameters.target().is_empty() && operation != O::List);
                // What is piped in is removed one by one, however deep the listing went.
                let one_by_one = piped.as_ref().is_some_and(|names| !names.ends_with("/*"));
                let kept = |word: &&String| !(one_by_one && word.to_ascii_lowercase().starts_with("-r"));
                let filled: Vec<String> = words.iter().filter(kept).cloned().chain(piped.clone()).collect();
                let mark = scene.mark();
                cmdlet(scene, operation, kind, span, program, &Parameters::of(&filled), &whole);
                if let Some(flow) = &state.flow {
                    flow.widen(scene, mark);
                }
                if operation == O::List {
                    state.listed = Some(listing(&parameters));
                }
            }
            None if is_expression(first) => {
                if words.len() == 1 && !first.starts_with(['.', '-', '=']) && !first.contains('$') {
                    // `'C:\a' | Remove-Item`
                    state.listed = Some(first.clone());
                }
                let each = ["$_.", "$PSItem."].iter().find_map(|each| first.strip_prefix(each));
                if let (Some(method), Some(flow)) = (each, &state.flow) {
                    flow.called(scene, method, span);
                }
                let listed = state.listed.clone().filter(|_| text.to_ascii_lowercase().starts_with("$_.delete"));
                if let Some(listed) = listed {
                    note(scene, O::Delete, K::File, &listed, span, "Delete", &parameters);
                }
                if whole.contains("frombase64string") {
                    scene.gap(GapKind::DynamicCode, Hides::Nothing, Some(span), "FromBase64String");
                }
                if let Some(operation) = file_method(&whole) {
                    state.calling = Some(operation);
                } else if whole.contains("]::delete") {
                    let name = words.iter().find(|word| word.contains(['\\', '/'])).map_or("", |word| word);
                    note(scene, O::Delete, K::File, name, span, "Delete", &parameters);
                }
            }
            None => match first.split_once('-').filter(|_| is_cmdlet(first)) {
                Some((verb, noun)) => {
                    let verb = verb.to_ascii_lowercase();
                    by_name(scene, (&*verb, noun), span, program, &parameters, state.flow.as_ref());
                    if matches!(&*verb, "get" | "search" | "find") {
                        state.flow = Some(Flow::of(noun, &parameters));
                    }
                }
                // A program like any other.
                None => super::hand_over(scene, Language::Shell, &super::quoted(&words), Some(span)),
            },
        },
    }
    if let Some((_, target)) = text.rsplit_once('>') {
        let name = target.split_whitespace().next().unwrap_or("").trim_matches(['"', '\'']);
        if !name.is_empty() && !name.starts_with(['$', '&', '=']) && !text.contains("->") {
            note(scene, O::Update, K::File, name, span, ">", &parameters);
        }
    }
}

/// `& $args[0]`, `. $x`, `[scriptblock]::Create($x)`: what is run stands in a variable that nobody knows.
fn computed(scene: &mut Scene<'_>, first: &str, text: &str, called: bool, span: Span) {
    const MADE: &[&str] = &["[scriptblock]::create", "invokecommand.invokescript", "invokecommand.newscriptblock"];
    let lower = text.to_ascii_lowercase();
    let variable = called && first.starts_with(['$', '(']) && !first.contains(['/', '\\']);
    if variable || MADE.iter().any(|name| lower.contains(name)) {
        scene.gap(GapKind::DynamicCode, Hides::Anything, Some(span), text);
    }
}

/// Texts that stand for themselves: what is piped on, or what a download is given.
fn literal(scene: &mut Scene<'_>, text: &str, span: Span, state: &mut State) {
    let items: Vec<String> = text.split(',').map(|item| item.trim().trim_matches(['"', '\'']).to_owned()).collect();
    if std::mem::take(&mut state.asking)
        && let Some(address) = items.first().filter(|item| item.contains("://"))
    {
        let url = word(address, span);
        let body = http::Body::default();
        http::request(scene, &http::Request { method: "GET", url: &url, body, span: Some(span), by: "WebClient" });
        if let Some(file) = items.get(1) {
            note(scene, O::Update, K::File, file, span, "DownloadFile", &Parameters::of(&[]));
            state.fetched.push(base_name(file));
        }
        return;
    }
    if let Some(operation) = state.calling.take() {
        let all = ["-Recurse".to_owned(), "-Recurse".to_owned()];
        // `Move` and `Copy` change what stands second, too.
        let file = items.first().map_or("", |item| item);
        let whole = operation == O::Delete && text.to_ascii_lowercase().contains("$true");
        let parameters = Parameters::of(if whole { &all } else { &[] });
        return note(
            scene,
            operation,
            if whole { K::Folder } else { K::File },
            file,
            span,
            if operation == O::Delete { "Delete" } else { "IO.File" },
            &parameters,
        );
    }
    state.listed = Some(items.join(","));
}

/// What a method of .NET's `File` and `Directory` does to the path that it is given first.
fn file_method(call: &str) -> Option<O> {
    let (class, method) = call.rsplit_once("]::")?;
    let known = ["file", "directory", "fileinfo", "streamwriter"].iter().any(|name| class.ends_with(name));
    Some(match method {
        "delete" => O::Delete,
        _ if !known => return None,
        "writealltext" | "writealllines" | "writeallbytes" | "appendalltext" | "appendalllines" | "create"
        | "createtext" | "openwrite" | "setattributes" | "setaccesscontrol" | "move" | "replace" => O::Update,
        "readalltext" | "readalllines" | "readallbytes" | "openread" | "opentext" => O::Read,
        _ => return None,
    })
}

fn base_name(file: &str) -> String {
    file.rsplit(['\\', '/']).next().unwrap_or(file).to_ascii_lowercase()
}

/// Whether a word is the name of a cmdlet: an approved verb and a noun.
pub(super) fn is_cmdlet(word: &str) -> bool {
    const VERBS: &str = " add clear close compare compress confirm connect convert convertfrom convertto copy debug deny disable \
         disconnect dismount edit enable enter exit expand export find foreach format get grant group hide import initialize \
         install invoke join limit lock measure merge mount move new open optimize out ping pop protect publish push read \
         receive redo register remove rename repair request reset resize resolve restart restore resume revoke save search \
         select send set show skip sort split start step stop submit suspend switch sync tee test trace unblock undo \
         uninstall unlock unprotect unpublish unregister update use wait watch where write ";
    let Some((verb, noun)) = word.split_once('-') else { return false };
    let capital = noun.starts_with(|first: char| first.is_ascii_uppercase());
    let lower = word.to_ascii_lowercase();
    let listed = || HARMLESS.contains(&&*lower) || CMDLETS.iter().any(|row| row.2.split(' ').any(|name| name == lower));
    noun.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && VERBS.contains(&format!(" {} ", verb.to_ascii_lowercase()))
        && (capital || listed())
}

#[cfg(test)]
mod tests {
    use crate::classify::{Language, seen};

    fn check(text: &str, expected: &str) {
        assert_eq!(seen::code(Language::PowerShell, text), expected, "{text}");
    }

    #[test]
    fn cmdlets_are_known() {
        check(r"Remove-Item -Recurse -Force C:\data", "delete Folder `C:/data` all guard-off cascades");
        check(r"ri C:\data -rec -WhatIf", "delete Folder `C:/data` all dry-run cascades");
        check("Remove-Item -Recurse C:/*", "drop Folder `C:/` all cascades");
        check("Get-ChildItem /x | Sort-Object Name", "list Folder `/x`");
        check("Stop-Computer", "stop Host ``");
        check("Format-Volume -DriveLetter D", "drop Device `D` all");
        check("Set-ExecutionPolicy Bypass", "disable Safeguard `executionpolicy`");
        check("Write-Host 'Remove-Item -Recurse /'", "");
        check("git status; Set-Content -Path /x/a -Value y", "Shell code: git status");
    }

    #[test]
    fn downloads_that_are_run_are_remote_code() {
        check(
            "iwr https://a.example/x.ps1 | iex",
            "fetch Endpoint `a.example/x.ps1` external a.example @host=a.example\nexecute Code `` unresolved remote",
        );
        check("iex 'Stop-Computer'", "PowerShell code: Stop-Computer");
        check("iex $x", "execute Code `` unresolved dynamic\ngap dynamic-code hides anything: $x");
    }

    #[test]
    fn encoded_commands_are_decoded() {
        let code: String = "U3RvcC1Db21wdXRlcg==".to_owned();
        check(
            &format!("powershell -enc {code}"),
            "execute Code `` decoded\ngap dynamic-code hides anything: encoded command",
        );
        check("powershell -e UwB0AG8AcAAtAEMAbwBtAHAAdQB0AGUAcgA=", "PowerShell code: Stop-Computer");
    }
}
