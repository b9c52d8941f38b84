//! What the walk hands on, one line a command: its words and what surrounds them; then effects and gaps.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::classify::command::{Invocation, Stream};
use crate::classify::{Catalog, Known, Language, Scene, Word};
use crate::model::{
    Action, ActionId, Actor, Kind, Origin, Outcome, Resource, ResourceKind, Surroundings, Understanding,
};

/// Notes a command instead of handing it to the catalogue; a few programs get the output that the tests need.
pub(super) fn recorded(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Option<Stream> {
    scene.shell.seen().as_ref()?;
    let mut line = invocation.words.iter().map(shown).collect::<Vec<_>>().join("|");
    for (name, value) in invocation.assignments {
        write!(line, " {name}={}", value.as_deref().unwrap_or("?")).unwrap();
    }
    if invocation.stdin.connected {
        write!(line, " <{}", flow(invocation.stdin)).unwrap();
    }
    match scene.cwd.as_deref() {
        Some("/w") => {}
        cwd => write!(line, " in {}", cwd.unwrap_or("?")).unwrap(),
    }
    scene.shell.seen().as_mut()?.push(line);
    let mut out = Stream { connected: true, ..Stream::default() };
    match &*invocation.words[0].text {
        "curl" => out.remote = true,
        "base64" => out.decoded = true,
        "cat" if invocation.words.len() == 1 => out = invocation.stdin.clone(),
        "cat" => out.carries.push(Resource::new(ResourceKind::File, invocation.words[1].text.clone())),
        "sh" if invocation.words.len() > 1 => {
            let file = scene
                .files
                .get(&format!("/w/{}", invocation.words[1].text))
                .or_else(|| scene.files.get(&invocation.words[1].text))
                .cloned();
            if let Some(file) = file {
                let line = format!("  file is {}", flow(&file));
                scene.shell.seen().as_mut()?.push(line);
            }
        }
        _ => {}
    }
    Some(out)
}

/// A word with `‹…›` round what is not known, `!` for what is known not to be empty, `*` behind a pattern.
fn shown(word: &Word) -> String {
    let (mut shown, mut at) = (String::new(), 0);
    for part in &word.unknown {
        let guarded = if part.guarded { "!" } else { "" };
        write!(shown, "{}‹{}{guarded}›", &word.text[at..part.start], &word.text[part.start..part.end]).unwrap();
        at = part.end;
    }
    shown.push_str(&word.text[at..]);
    if word.glob {
        shown.push_str(" (glob)");
    }
    shown
}

fn flow(stream: &Stream) -> String {
    let mut shown = String::new();
    if let Some((text, _)) = &stream.text {
        write!(shown, "{text:?}").unwrap();
    }
    for resource in &stream.carries {
        write!(shown, "[{} {}]", resource.kind, resource.name).unwrap();
    }
    for (is, name) in [(stream.remote, "remote"), (stream.decoded, "decoded")] {
        shown.push_str(if is { name } else { "" });
    }
    if shown.is_empty() { "?".to_owned() } else { shown }
}

fn action(text: &str) -> Action {
    Action {
        id: ActionId(0),
        time: None,
        actor: Arc::new(Actor::default()),
        session: Arc::from(""),
        kind: Kind::Shell,
        text: Arc::from(text),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings {
            cwd: Some("/w".to_owned()),
            home: Some("/home/u".to_owned()),
            ..Surroundings::default()
        }),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: Arc::from(""), line: 1, offset: 0, format: "" },
    }
}

fn walked(text: &str) -> (Vec<String>, Understanding) {
    let (catalog, known, action) = (Catalog::builtin(), Known::default(), action(text));
    let mut scene = Scene::new(&catalog, &action, &known, true);
    *scene.shell.seen() = Some(Vec::new());
    scene.run(Language::Shell, text, 0);
    let seen = scene.shell.seen().take().unwrap_or_default();
    (seen, scene.finish())
}

fn rendered(text: &str) -> String {
    let (mut lines, found) = walked(text);
    for effect in &found.effects {
        let mut line = format!("-> {} {} {}", effect.operation, effect.resource.kind, effect.resource.name);
        if let Some(code) = effect.code {
            write!(line, " {code}").unwrap();
        }
        if let Some(zone) = effect.zone {
            write!(line, " {zone}").unwrap();
        }
        write!(line, " {}", effect.by).unwrap();
        if let Some(span) = effect.span {
            write!(line, " `{}`", &text[span.start..span.end]).unwrap();
        }
        lines.push(line);
    }
    for gap in &found.gaps {
        lines.push(format!("gap {} {}: {}", gap.kind, gap.hides, gap.detail));
    }
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let expected = expected.trim().lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    let found = rendered(text).lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    assert_eq!(found, expected, "\nof: {text}");
}

#[test]
fn probe() {
    let Ok(lines) = std::fs::read_to_string("/tmp/wt/shell-probe.txt") else { return };
    for line in lines.split("\n---\n") {
        println!("=== {line}\n{}", rendered(line));
        println!("   template: {}", walked(line).1.template);
    }
}

/// Runs on a stack as small as a worker's and must come back soon.
fn survives(text: String) -> Understanding {
    let start = std::time::Instant::now();
    let shape: String = text.chars().take(24).collect();
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || walked(&text).1);
    let found = thread.unwrap().join().unwrap();
    assert!(start.elapsed().as_secs() < 20, "`{shape}` took {:?}", start.elapsed());
    found
}

#[test]
fn nesting_of_every_bracket_neither_overflows_nor_hangs() {
    let shapes: &[(&str, &str, &str)] = &[
        ("(", "rm -rf /", ")"),
        ("( ", "rm -rf /", " )"),
        ("{ ", "rm -rf /;", " }"),
        ("$(", "rm -rf /", ")"),
        ("echo $(", "rm -rf /", ")"),
        ("echo \"$(", "rm -rf /", ")\""),
        ("`", "rm -rf /", "`"),
        ("cat <(", "rm -rf /", ")"),
        ("[[ ( ", "-n x", " ) ]]"),
        ("[[ ", "-n x", " ]]"),
        ("if ", "rm -rf /", "; then a; fi"),
        ("if a; then ", "rm -rf /", "; fi"),
        ("while a; do ", "rm -rf /", "; done"),
        ("for i in a; do ", "rm -rf /", "; done"),
        ("case a in b) ", "rm -rf /", ";; esac"),
        ("((", "1", "))"),
        ("$((", "1", "))"),
        ("echo $((1+", "1", "))"),
        ("${x:-", "/", "}"),
        ("\"${x:-", "/", "}\""),
        ("\"", "rm -rf /", "\""),
        ("'", "rm -rf /", "'"),
        ("{a,", "b", "}"),
        ("{", "b", ",c}"),
        ("a() { ", "rm -rf /", "; }"),
        ("! ", "rm -rf /", ""),
        ("time ", "rm -rf /", ""),
        ("coproc ", "rm -rf /", ""),
        ("eval ", "rm -rf /", ""),
        ("command ", "rm -rf /", ""),
        ("a && ", "rm -rf /", ""),
        ("a | ", "rm -rf /", ""),
        ("a; ", "rm -rf /", ""),
        ("a\n", "rm -rf /", ""),
        ("x=1 ", "rm -rf /", ""),
        ("<x ", "rm -rf /", ""),
        ("cat <<E\n", "rm -rf /", "\nE\n"),
        ("cat <<E <<F\n", "rm -rf /", "\nE\nF\n"),
        ("@(", "a", ")"),
        ("a[", "1", "]"),
        ("\\", "`", ""),
        ("`\\", "`", "`"),
        ("$", "a", ""),
        ("<", "a", ""),
        ("<<", "a", ""),
        ("\"'", "a", ""),
        ("~", "a", ""),
        ("*", "a", ""),
        ("[", "a", ""),
        (";;", "a", ""),
    ];
    for (open, inside, close) in shapes {
        for times in [30, 90, 150, 1_000, 10_000] {
            let closed = format!("{}{inside}{}", open.repeat(times), close.repeat(times));
            let unclosed = format!("{}{inside}", open.repeat(times));
            for text in [closed, unclosed] {
                let t = std::time::Instant::now();
                println!("start {open:?} x {times} {}", text.len());
                survives(text);
                if t.elapsed().as_millis() > 200 {
                    println!("{open:?} x {times}: {:?}", t.elapsed());
                }
            }
        }
    }
}
#[test]
fn code_in_code_shares_one_depth() {
    let groups = "( ".repeat(20);
    let ends = " )".repeat(20);
    let mut text = "rm -rf /".to_owned();
    for _ in 0..6 {
        text = format!("{groups}eval '{}'{ends}", text.replace('\'', "'\\''"));
    }
    let found = survives(text);
    assert!(found.gaps.iter().any(|gap| gap.kind == crate::model::GapKind::TooDeep));
    survives("f() { ( ( ( eval f; ) ) ) }; f".to_owned());
    survives("alias a='( ( eval a ) )'; a".to_owned());
    survives(format!("{}rm -rf /{}", "eval \"$(".repeat(20), ")\"".repeat(20)));
}
