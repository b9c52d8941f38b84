//! `make`, `just`, `npm run`, `act`, `docker build`: the lines they run stand in a file. When the text or the session
//! wrote or showed that file, the lines are read; else it is code of the workspace.

mod image;
mod jobs;
mod makefile;
mod package;
mod rakefile;

use crate::classify::command::{Stream, call::Call, interpret, within, written};
use crate::classify::{Language, Scene, Word};
use crate::model::{CodeOrigin, GapKind, Hides, Span};

/// Lines are read only so far.
const MAX_LINES: usize = 2_000;
/// `npm run` looks for its file this many folders up.
const MAX_UP: usize = 6;

/// A file's text and where in the action's text it stands.
type Text = (String, Option<Span>);

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let mut head = call.by.split(' ');
    let (program, verb) = (head.next().unwrap_or(""), head.next().unwrap_or(""));
    let wanted: Vec<String> = call.operands().map(|word| word.text.clone()).collect();
    let dry = call.levels().any(|level| level.dry_run.holds(call));
    let (shown, lines) = match program {
        "make" | "gmake" | "mingw32-make" | "nmake" | "remake" | "bmake" => {
            if let Some(rule) = call.value("--eval").cloned() {
                let lines = makefile::recipe(&rule.text.replace("\\n", "\n").replace("\\t", "\t"), &wanted);
                lines.lines().for_each(|line| within::opened(scene, line, rule.span));
                scene.run_word(Language::Shell, &lines, rule.span);
                scene.shell.take_output();
            }
            let names = ["GNUmakefile", "makefile", "Makefile"];
            let text = file(scene, call, &["-f", "--file", "--makefile"], &names);
            (
                call.value("-f").cloned().unwrap_or_else(|| Word::known("Makefile")),
                text.map(|text| (makefile::recipe(&text.0, &wanted), text.1)),
            )
        }
        "just" => {
            let text = file(scene, call, &["-f", "--justfile"], &["justfile", "Justfile", ".justfile"]);
            (first(call, "default"), text.map(|text| (makefile::just(&text.0, &wanted), text.1)))
        }
        "docker" | "podman" | "nerdctl" | "buildah" | "buildctl" if verb != "compose" => {
            return image::image(scene, call);
        }
        "docker" | "podman" | "nerdctl" => {
            jobs::compose(scene, call);
            return None;
        }
        "act" | "gitlab-runner" | "gitlab-ci-local" => {
            let ran = jobs::ci(scene, call, program);
            return if ran { None } else { unseen(scene, call, &first(call, program)) };
        }
        "task" | "go-task" => {
            let names = ["Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml", "Taskfile.dist.yml"];
            let text = file(scene, call, &["-f", "--taskfile"], &names);
            let tasks = text.and_then(|text| Some((jobs::task(&text.0, &wanted)?, text.1)));
            let lines = tasks.or_else(|| python_script(scene, call, &wanted));
            (first(call, "default"), lines)
        }
        "poe" => (first(call, "pyproject.toml"), python_script(scene, call, &wanted)),
        "composer" => {
            let text = file(scene, call, &[], &["composer.json"]);
            let lines = text.and_then(|text| Some((package::composer(&text.0, &name(verb, &wanted)?)?, text.1)));
            (first(call, "composer.json"), lines)
        }
        "deno" => {
            let text = file(scene, call, &["-c"], &["deno.json", "deno.jsonc"]);
            (first(call, "deno.json"), text.and_then(|text| Some((package::script(&text.0, wanted.first()?)?, text.1))))
        }
        "rake" | "rails" | "sail-rails" | "jets" | "hanami" | "lotus" => {
            let text = file(scene, call, &["-f"], &["Rakefile", "rakefile", "Rakefile.rb", "rakefile.rb"]);
            if let Some((code, span)) = text.and_then(|text| Some((rakefile::tasks(&text.0, &wanted)?, text.1)))
                && !dry
                && scene.enter_script()
            {
                scene.run_kept(Language::Ruby, &code, span);
                return None;
            }
            return unseen(scene, call, &first(call, "Rakefile"));
        }
        "invoke" | "nox" | "tox" => (first(call, "default"), None),
        _ => {
            if wanted.is_empty() && verb.is_empty() {
                return None;
            }
            let lines = package_json(scene).and_then(|text| Some((script_of(&text.0, verb, &wanted)?, text.1)));
            let usual = if program.starts_with(['n', 'c', 't', 'y', 'p', 'b']) { "package.json" } else { "default" };
            (first(call, usual), lines)
        }
    };
    match lines.filter(|_| !dry) {
        Some((lines, span)) if scene.enter_script() => {
            read(scene, &lines, span);
            None
        }
        _ if !dry && written::run_named(scene, call.invocation, &shown) => None,
        _ => unseen(scene, call, &shown),
    }
}

/// Runs the script of `pyproject.toml` that is asked for: `pdm run x`, `hatch run x`; `false` when none is known.
pub(super) fn of_project(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let wanted: Vec<String> = call.operands().take(1).map(|word| word.text.clone()).collect();
    let python = ["pdm", "hatch", "rye", "pixi"].iter().any(|program| call.by.starts_with(program));
    let Some((lines, span)) = python_script(scene, call, &wanted).filter(|_| python && scene.enter_script()) else {
        return false;
    };
    read(scene, &lines, span);
    true
}

/// What an installation of packages runs of the project's own.
pub(super) fn installed(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let dry = call.flag("--ignore-scripts") || call.levels().any(|level| level.dry_run.holds(call));
    let (lines, span) = package_json(scene).and_then(|text| Some((package::lifecycle(&text.0)?, text.1)))?;
    if !dry && scene.enter_script() {
        read(scene, &lines, span);
    }
    None
}

/// Code of the workspace that nobody has seen.
fn unseen(scene: &mut Scene<'_>, call: &Call<'_>, shown: &Word) -> Option<Stream> {
    let effect = interpret::code_effect(scene, shown, Some(CodeOrigin::Local));
    super::note(scene, call, Some(effect));
    None
}

/// Reads the lines of a recipe. A program among them that nobody knows is code of the workspace, as the recipe is.
fn read(scene: &mut Scene<'_>, lines: &str, span: Option<Span>) {
    let before = scene.gaps().len();
    scene.run_kept(Language::Shell, lines, span);
    scene.shell.take_output();
    let unknown = scene.take_gaps(before, |gap| gap.kind == GapKind::UnknownProgram && gap.hides == Hides::Anything);
    for gap in unknown {
        let program = Word { span: scene.inner(gap.span), ..Word::known(gap.detail) };
        let effect = interpret::code_effect(scene, &program, Some(CodeOrigin::Local));
        scene.effect(effect);
    }
}

fn first(call: &Call<'_>, usual: &str) -> Word {
    call.operand(0).cloned().unwrap_or_else(|| Word::known(usual))
}

/// The script that is asked for: `npm run x`, `npm test`, `yarn x`.
fn name(verb: &str, wanted: &[String]) -> Option<String> {
    match verb {
        "" | "run" | "run-script" | "rum" | "urn" | "exec" => wanted.first().cloned(),
        "t" | "tst" => Some("test".to_owned()),
        verb => Some(verb.to_owned()),
    }
}

/// The lines of a script of `package.json`, with what is handed to it.
fn script_of(text: &str, verb: &str, wanted: &[String]) -> Option<String> {
    let name = name(verb, wanted)?;
    let from = usize::from(wanted.first().is_some_and(|word| *word == name));
    let more: Vec<String> = wanted.iter().skip(from).filter(|word| *word != "--").cloned().collect();
    let script = package::script(text, &name)?;
    if more.is_empty() { Some(script) } else { Some(format!("{script} {}", crate::classify::code::quoted(&more))) }
}

fn package_json(scene: &Scene<'_>) -> Option<Text> {
    if scene.files.is_empty() {
        return None;
    }
    // Where the folder is not known nothing says what stands above it.
    let most = if scene.cwd.is_some() { MAX_UP } else { 0 };
    (0..=most).find_map(|up| written::text(scene, &Word::known(format!("{}package.json", "../".repeat(up)))))
}

fn python_script(scene: &Scene<'_>, call: &Call<'_>, wanted: &[String]) -> Option<Text> {
    let text = file(scene, call, &[], &["pyproject.toml"])?;
    let name = wanted.iter().find(|word| *word != "run")?;
    Some((package::python(&text.0, name)?, text.1))
}

/// The text of the file that an option names, or of the first of the usual ones that is known.
fn file(scene: &Scene<'_>, call: &Call<'_>, options: &[&str], usual: &[&str]) -> Option<Text> {
    if let Some(given) = options.iter().find_map(|option| call.value(option)) {
        if given.text == "-" || given.text == "/dev/stdin" {
            return call.invocation.stdin.text.clone();
        }
        return written::text(scene, given);
    }
    usual.iter().find_map(|name| written::text(scene, &Word::known(*name)))
}
