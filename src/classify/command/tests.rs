//! Runs the examples of every spec, and what they cannot say.

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::classify::Known;
use crate::model::{ActionId, Actor, Area, Certainty, Kind, Origin, Outcome, Surroundings, Understanding};

/// An action whose workspace is `/work/app` and whose home is `/home/me`.
pub(in crate::classify) fn action(text: &str) -> Action {
    Action {
        id: ActionId(1),
        time: None,
        actor: Arc::new(Actor::default()),
        session: "s".into(),
        kind: Kind::Shell,
        text: text.into(),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings {
            cwd: Some("/work/app".into()),
            home: Some("/home/me".into()),
            ..Surroundings::default()
        }),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: "t".into(), line: 1, offset: 0, format: "lines" },
    }
}

/// Splits at spaces; quotes group, `$name` is unknown, unquoted `*?[` are globs. Leading `A=1` are assignments.
fn split(text: &str) -> (Vec<Word>, Vec<(String, Option<String>)>) {
    let (mut words, mut assignments): (Vec<Word>, Vec<_>) = (Vec::new(), Vec::new());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let start = at;
        let mut word = Word::default();
        let mut quote = None;
        while at < bytes.len() && (quote.is_some() || bytes[at] != b' ') {
            let c = text[at..].chars().next().unwrap();
            at += c.len_utf8();
            match (quote, c) {
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.quoted = true;
                }
                (Some(open), _) if open == c => quote = None,
                (None | Some('"'), '$') => {
                    let rest = &text[at..];
                    let end = if rest.starts_with('(') {
                        rest.find(')').unwrap() + 1
                    } else {
                        rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
                    };
                    let from = word.text.len();
                    word.text.push('$');
                    word.text.push_str(&rest[..end]);
                    let name = rest[..end].trim_matches(['(', ')']).to_owned();
                    let substitution = rest.starts_with('(');
                    let to = word.text.len();
                    word.unknown.push(crate::classify::Unknown {
                        name,
                        start: from,
                        end: to,
                        substitution,
                        guarded: false,
                    });
                    at += end;
                }
                (None, '*' | '?' | '[') => {
                    word.glob = true;
                    word.text.push(c);
                }
                _ => word.text.push(c),
            }
        }
        word.span = Some(Span::new(start, at));
        if let Some(home) = word.text.strip_prefix('~').filter(|_| !word.quoted) {
            word.text = format!("/home/me{home}");
        }
        match word.text.split_once('=') {
            Some((name, value)) if words.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => {
                assignments.push((name.to_owned(), Some(value.to_owned())));
            }
            _ => words.push(word),
        }
    }
    (words, assignments)
}

/// Runs commands joined by ` | `.
pub(super) fn understood(text: &str) -> Understanding {
    let (action, catalog, known) = (action(text), Catalog::builtin(), Known::default());
    let mut scene = Scene::new(&catalog, &action, &known, false);
    let mut stdin = Stream::default();
    for part in text.split(" | ") {
        let (words, assignments) = split(part);
        let span = Some(Span::new(0, part.len()));
        // The shell runs `echo` itself.
        stdin = if words.first().is_some_and(|word| word.text == "echo") {
            let text = words[1..].iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
            Stream { connected: true, text: Some((text, None)), ..Stream::default() }
        } else {
            run(&mut scene, &Invocation { words: &words, span, stdin: &stdin, assignments: &assignments })
        };
    }
    scene.finish()
}

/// What a person would see: `drop Folder /etc (all, cascades) [system outside]`.
pub(in crate::classify) fn rendered(understanding: &Understanding) -> String {
    let mut lines = Vec::new();
    for effect in &understanding.effects {
        let mut line = format!("{} {}", effect.operation, effect.resource.kind);
        if !effect.resource.name.is_empty() {
            let name = effect.resource.name.strip_prefix("/work/app/").unwrap_or(&effect.resource.name);
            write!(line, " {name}").unwrap();
        }
        let mut notes = Vec::new();
        if effect.extent != Extent::One {
            notes.push(effect.extent.word().to_owned());
        }
        for (set, note) in [
            (effect.resource.unresolved, "unresolved"),
            (effect.cascades, "cascades"),
            (effect.guard_off, "guard-off"),
            (effect.dry_run, "dry-run"),
            (effect.elevated, "elevated"),
            (effect.certainty == Certainty::Inferred, "inferred"),
        ] {
            if set {
                notes.push(note.to_owned());
            }
        }
        notes.extend(effect.code.map(|code| code.word().to_owned()));
        notes.extend(effect.peer.as_ref().map(|peer| format!("to {peer}")));
        notes.extend(effect.zone.map(|zone| zone.word().to_owned()));
        notes.extend(effect.count.map(|count| count.to_string()));
        notes.extend(effect.places.iter().map(|place| format!("{} {}", place.kind, place.name)));
        if !notes.is_empty() {
            write!(line, " ({})", notes.join(", ")).unwrap();
        }
        let telling = [
            Area::Root,
            Area::System,
            Area::Home,
            Area::WorkspaceRoot,
            Area::Credential,
            Area::Protected,
            Area::Guard,
            Area::Startup,
            Area::Temporary,
            Area::Device,
        ];
        let areas: Vec<_> =
            effect.resource.areas.iter().filter(|area| telling.contains(area)).map(Area::word).collect();
        if !areas.is_empty() {
            write!(line, " [{}]", areas.join(" ")).unwrap();
        }
        lines.push(line);
    }
    for gap in understanding.gaps.iter().filter(|gap| gap.hides != Hides::Nothing) {
        lines.push(format!("gap {} {}", gap.kind, gap.detail));
    }
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") }
}

use crate::model::Extent;

#[track_caller]
pub(super) fn check(text: &str, expected: &str) {
    assert_eq!(rendered(&understood(text)), expected, "{text}");
}

#[test]
fn every_spec_can_be_read_and_its_examples_hold() {
    let catalog = Catalog::builtin();
    let mut wrong = String::new();
    for (file, spec) in catalog.all() {
        let spec = match spec {
            Ok(spec) => spec,
            Err(error) => {
                writeln!(wrong, "{error} at {:?}", error.span).unwrap();
                continue;
            }
        };
        for example in &spec.example {
            let found = rendered(&understood(&example.run));
            if found != example.gives {
                writeln!(wrong, "{file}: {}\n  gives {found}\n  not   {}", example.run, example.gives).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_programs_name_has_one_owner() {
    let catalog = Catalog::builtin();
    let mut seen = std::collections::BTreeMap::new();
    for (file, spec) in catalog.all() {
        for name in spec.unwrap().names {
            let before = seen.insert(name.clone(), file.to_owned());
            assert_eq!(before, None, "`{name}` is described twice");
        }
    }
}

#[test]
fn a_program_by_any_name() {
    check("/usr/bin/git stash clear", "delete WorkingTree stash (all)");
    check("git.exe stash clear", "delete WorkingTree stash (all)");
    check("./rm x", "execute Code rm (local)");
    check("/tmp/rm x", "execute Code /tmp/rm (staged) [temporary]");
    check("$CMD -rf /", "execute Code $CMD (unresolved, dynamic); gap dynamic-code $CMD");
}

#[test]
fn what_nobody_described_is_read_by_convention() {
    check(
        "frobctl delete thing --force",
        "delete Item thing (guard-off, inferred); gap unknown-program frobctl delete",
    );
    check("frobctl widgets destroy w1", "drop Item w1 (inferred); gap unknown-program frobctl widgets destroy");
    check("frobctl list widgets", "list Item widgets (inferred)");
    check(
        "frobctl ~/.ssh/id_rsa",
        "read File /home/me/.ssh/id_rsa (inferred) [credential]; gap unknown-program frobctl",
    );
    check("frobctl delete --help", "nothing");
    check("frobctl --version", "nothing");
    check("digit", "gap unknown-program digit");
}

#[test]
fn wrappers_may_be_stacked() {
    check(
        "sudo -n env -i A=1 nice -n 5 timeout 3 nohup rm -rf /etc",
        "escalate Role root; drop Folder /etc (all, cascades, guard-off, elevated) [system]",
    );
    check(
        "command busybox xargs rm -f",
        "delete File {} (some, unresolved, guard-off); gap unresolved-substitution what xargs reads",
    );
    check("echo a b | xargs rm", "delete File a; delete File b");
    let deep = format!("{} rm x", "env ".repeat(100));
    assert!(rendered(&understood(&deep)).ends_with("gap too-deep commands nested too deeply"));
}

#[test]
fn spans_are_the_words_that_say_it() {
    let said = |text: &str| -> Vec<String> {
        let spans = understood(text).effects.into_iter().filter_map(|effect| effect.span);
        spans.map(|span| text[span.start..span.end].to_owned()).collect()
    };
    assert_eq!(said("rm -rf a b"), ["a", "b"]);
    assert_eq!(said("sudo -u x git stash clear"), ["x", "git stash clear"]);
    assert_eq!(said("truncate --size=0 x"), ["x"]);
}

#[test]
fn a_users_spec_wins_and_its_errors_have_a_place() {
    let own = |text: &str| Catalog::builtin().with(vec![("own.toml".to_owned(), text.to_owned())]);
    let catalog = own("[[program]]\nnames = [\"rm\"]\neffects = [\"list Item {@0}\"]\n").unwrap();
    assert!(catalog.find("rm").unwrap().switches.0.is_empty());
    let error = own("[[program]]\nnames = [\"x\"]\neffects = [\"remove File {@0}\"]\n").unwrap_err();
    assert_eq!(error.file, "own.toml");
    assert!(error.problem.contains("`remove` is no operation"), "{}", error.problem);
    assert_eq!(error.span.map(|span| span.start), Some(37));
    assert!(own("[[program]]\nnames = [\"x\"]\nefects = []\n").unwrap_err().problem.contains("efects"));
    assert!(own("effects = []\n").is_err());
    let unfound = own("[[program]]\nnames=['x']\n").unwrap_err();
    assert!(unfound.problem.contains("on the line after"), "{}", unfound.problem);
}

#[test]
fn hostile_words_are_only_words() {
    for text in [
        "rm",
        "rm --",
        "git",
        "git -C",
        "git -c",
        "tar",
        "tar f",
        "tar -",
        "find -exec",
        "xargs -I",
        "sudo -u",
        "env -S",
        "sed -i",
        "dd of=",
        "kubectl delete",
        "chmod -",
        "rsync a: :b",
        "git push origin :",
        "ssh",
        "docker exec",
        "-",
        "--",
        "=",
        "é -é",
    ] {
        understood(text);
    }
}
