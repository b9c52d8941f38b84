//! `make`, `just`, `npm run`, `docker build`: the lines they run stand in a file. When the same text wrote that file,
//! the lines are read; else it is code of the workspace.

use crate::classify::command::{Stream, call::Call, interpret, within, written};
use crate::classify::{Language, Scene, Word};
use crate::model::{Area, CodeOrigin, ResourceKind, Span};

/// Recipes call each other only so deep, and lines are read only so far.
const MAX_DEPTH: usize = 8;
const MAX_LINES: usize = 2_000;

/// A file's text and where in the action's text it stands.
type Text = (String, Option<Span>);

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let program = call.by.split(' ').next().unwrap_or("");
    let wanted: Vec<String> = call.operands().map(|word| word.text.clone()).collect();
    let dry = call.levels().any(|level| level.dry_run.holds(call));
    let (shown, lines) = match program {
        "make" | "gmake" | "mingw32-make" | "nmake" | "remake" | "bmake" => {
            let names = ["GNUmakefile", "makefile", "Makefile"];
            let text = file(scene, call, &["-f", "--file", "--makefile"], &names);
            (
                call.value("-f").cloned().unwrap_or_else(|| Word::known("Makefile")),
                text.map(|text| (recipe(&text.0, &wanted), text.1)),
            )
        }
        "just" => {
            let text = file(scene, call, &["-f", "--justfile"], &["justfile", "Justfile", ".justfile"]);
            (first(call, "default"), text.map(|text| (recipe(&text.0, &wanted), text.1)))
        }
        "docker" | "podman" | "nerdctl" | "buildah" | "buildctl" => {
            return image(scene, call);
        }
        "task" | "invoke" | "nox" | "tox" => (first(call, "default"), None),
        _ => {
            let text = file(scene, call, &[], &["package.json"]);
            let lines = text.and_then(|text| Some((script(&text.0, wanted.first()?)?, text.1)));
            (
                first(
                    call,
                    if program.starts_with(['n', 'c', 't', 'y', 'p', 'b']) { "package.json" } else { "default" },
                ),
                lines,
            )
        }
    };
    match lines.filter(|_| !dry) {
        Some((lines, span)) if scene.enter_script() => {
            scene.run_kept(Language::Shell, &lines, span);
            scene.shell.take_output();
        }
        _ => {
            let effect = interpret::code_effect(scene, &shown, Some(CodeOrigin::Local));
            super::note(scene, call, Some(effect));
        }
    }
    None
}

fn first(call: &Call<'_>, usual: &str) -> Word {
    call.operand(0).cloned().unwrap_or_else(|| Word::known(usual))
}

/// The text of the file that an option names, or of the first of the usual ones that was written.
fn file(scene: &Scene<'_>, call: &Call<'_>, options: &[&str], usual: &[&str]) -> Option<Text> {
    if let Some(given) = options.iter().find_map(|option| call.value(option)) {
        if given.text == "-" || given.text == "/dev/stdin" {
            return call.invocation.stdin.text.clone();
        }
        return written::text(scene, given);
    }
    usual.iter().find_map(|name| written::text(scene, &Word::known(*name)))
}

/// The lines that the wanted targets of a makefile or justfile run, those they depend on first.
fn recipe(text: &str, wanted: &[String]) -> String {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rules: Vec<(Vec<String>, Vec<String>, Vec<String>)> = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        let indented = line.starts_with([' ', '\t']);
        if indented {
            if let Some((.., lines)) = rules.last_mut() {
                lines.push(line.trim_start().trim_start_matches(['@', '-', '+']).to_owned());
            }
        } else if let Some((name, value)) = assignment(line) {
            variables.push((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
        } else if let Some((targets, needs)) = line.split_once(':').filter(|_| !line.starts_with(['#', '.'])) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (needs, inline) = needs.split_once(';').map_or((needs, None), |(needs, line)| (needs, Some(line)));
            rules.push((words(targets), words(needs), inline.into_iter().map(str::to_owned).collect()));
        }
    }
    let set = |name: &str| wanted.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    let mut asked: Vec<&str> = wanted.iter().filter(|word| !word.contains('=')).map(|word| &**word).collect();
    if asked.is_empty() {
        asked.extend(rules.first().and_then(|(targets, ..)| targets.first()).map(|target| &**target));
    }
    let mut lines = Vec::new();
    for target in asked {
        collect(&rules, target, 0, &mut lines);
    }
    let mut text = lines.join("\n");
    for (name, value) in &variables {
        let value = set(name).unwrap_or_else(|| value.clone());
        for mark in
            [format!("$({name})"), format!("${{{name}}}"), format!("{{{{{name}}}}}"), format!("{{{{ {name} }}}}")]
        {
            text = text.replace(&mark, &value);
        }
    }
    text.replace("$$", "$")
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', ' ']).trim().trim_start_matches("export ");
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then(|| (name, value.trim()))
}

fn collect(rules: &[(Vec<String>, Vec<String>, Vec<String>)], target: &str, depth: usize, lines: &mut Vec<String>) {
    if depth > MAX_DEPTH || lines.len() > MAX_LINES {
        return;
    }
    let Some((_, needs, own)) = rules.iter().find(|(targets, ..)| targets.iter().any(|name| name == target)) else {
        return;
    };
    for need in needs.iter().take(32) {
        collect(rules, need, depth + 1, lines);
    }
    lines.extend(own.iter().cloned());
}

/// A script of `package.json`, with what runs before and after it.
fn script(text: &str, name: &str) -> Option<String> {
    let package: serde_json::Value = serde_json::from_str(text).ok()?;
    let scripts = package.get("scripts")?;
    let one = |name: &str| scripts.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let main = one(name)?;
    let all: Vec<String> =
        [one(&format!("pre{name}")), Some(main), one(&format!("post{name}"))].into_iter().flatten().collect();
    Some(all.join("\n"))
}

/// The `RUN` lines of a Dockerfile: they run in the image that is built, whose files are nobody's yet.
fn image(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let given = call.value("-f").cloned();
    let folder = call.operand(0).filter(|word| !matches!(&*word.text, "." | "-")).map(|word| word.text.clone());
    let from_stdin =
        given.as_ref().is_some_and(|word| word.text == "-") || call.operand(0).is_some_and(|word| word.text == "-");
    let usual = match folder {
        Some(folder) if !folder.contains("://") => format!("{}/Dockerfile", folder.trim_end_matches('/')),
        _ => "Dockerfile".to_owned(),
    };
    let shown = given.unwrap_or_else(|| Word::known(usual));
    let text = if from_stdin { call.invocation.stdin.text.clone() } else { written::text(scene, &shown) };
    let Some((text, span)) = text.filter(|_| scene.enter_script()) else {
        let effect = interpret::code_effect(scene, &shown, Some(CodeOrigin::Local));
        super::note(scene, call, Some(effect));
        return None;
    };
    for code in run_lines(&text) {
        let before = scene.mark();
        scene.scoped(|scene| {
            scene.elsewhere = true;
            scene.cwd = None;
            let piece = [Word { span: scene.inner(span), ..Word::known(code) }];
            within::run_shell(scene, call, &piece);
        });
        for effect in scene.since(before) {
            if matches!(effect.resource.kind, ResourceKind::File | ResourceKind::Folder | ResourceKind::Package) {
                effect.resource.areas = effect.resource.areas.with(Area::Ephemeral);
            }
        }
    }
    None
}

fn run_lines(text: &str) -> Vec<String> {
    let (mut found, mut lines) = (Vec::new(), text.lines().take(MAX_LINES));
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let Some(start) = trimmed.get(..4).filter(|start| start.eq_ignore_ascii_case("run ")) else { continue };
        let mut code = trimmed[start.len()..].trim().to_owned();
        while code.ends_with('\\') {
            code.pop();
            match lines.next() {
                Some(next) if next.trim_start().starts_with('#') => code.push('\\'),
                Some(next) => code.push_str(next.trim()),
                None => break,
            }
        }
        while let Some(rest) = code.strip_prefix("--") {
            code = rest.split_once(' ').map_or_else(String::new, |(_, rest)| rest.trim_start().to_owned());
        }
        if let Some(tag) = code.strip_prefix("<<").map(|tag| tag.trim_matches(['-', '"', '\'', ' ']).to_owned()) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != tag).collect();
            code = body.join("\n");
        } else if let Ok(words) = serde_json::from_str::<Vec<String>>(&code) {
            code = crate::classify::code::quoted(&words);
        }
        found.push(code);
    }
    found
}
