//! Pictures of every screen in four sizes, and what keys do to the state: the loop around it, and the terminal, are
//! tested end to end in `tests/it`.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::act::Task;
use super::app::{App, Screen};
use super::judge::{Answer, Judging};
use super::keys::Key;
use super::{Opening, Project, export, load, view};
use crate::classify::Classifier;
use crate::classify::command::Catalog;
use crate::engine::query::Filter;
use crate::engine::replay::Replay;
use crate::engine::{Config, Engine};
use crate::model::Decision;
use crate::policy::{LoadOptions, Policy, Source};
use crate::reader::Options;
use crate::reader::input::find;
use crate::report::Heading;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

/// A terminal without a terminal: tasks are done at once.
struct Played {
    app: App,
    judging: Judging,
    quit: bool,
    copied: Vec<String>,
}

fn engine(policy: &str) -> Engine {
    let source = Source { name: "sample.cedar".to_owned(), text: policy.to_owned(), builtin: false };
    let policy = Policy::load(&[source], &LoadOptions::default()).unwrap();
    Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false)
}

const POLICY: &str = include_str!("tests/sample.cedar");

fn opening(engine: Engine, project: Option<Project>) -> Opening {
    // Paths in pictures are the same wherever the tests run.
    let sample = PathBuf::from("src/tui/tests/sample.jsonl");
    Opening {
        engine: Arc::new(engine.with_near_misses_gathered(1)),
        replay: Box::new(move |only| {
            let mut inputs = find(std::slice::from_ref(&sample), None).inputs;
            inputs.retain(|input| only.is_none_or(|only| *input.file == *only));
            let options = Arc::new(Options::default());
            Ok((Replay { inputs, reader: None, options, jobs: NonZeroUsize::MIN }, Vec::new()))
        }),
        draft: Box::new(|id| Ok(format!("@id(\"own.for-{id}\")\nforbid (principal, action, resource);\n"))),
        heading: Heading {
            policies: vec!["sample.cedar".to_owned()],
            policy_digest: "77fe9d0e77fe9d0e".to_owned(),
            rules: 6,
            ..Heading::default()
        },
        again: "src/tui/tests/sample.jsonl".to_owned(),
        bytes: None,
        filter: String::new(),
        distance: 1,
        collapse_above: 50,
        suppressions: Vec::new(),
        today: "2026-11-20".parse().unwrap(),
        changes: vec![(20_767, "4c1d".to_owned())],
        project,
        coloured: true,
    }
}

impl Played {
    fn start(size: (u16, u16), project: Option<Project>) -> Self {
        Self::of(opening(engine(POLICY), project), size)
    }

    fn of(opening: Opening, size: (u16, u16)) -> Self {
        let opening = Arc::new(opening);
        let mut played =
            Self { judging: Judging::new(&opening), app: App::new(opening, size), quit: false, copied: Vec::new() };
        played.read(Filter::all());
        played
    }

    fn read(&mut self, filter: Filter) {
        let (rows, mut picture) = load::all(&self.app.opening, filter);
        picture.elapsed = Duration::ZERO;
        let number = self.app.replay;
        self.app.rows(number, rows);
        self.app.picture(number, picture);
    }

    fn press(&mut self, key: &Key) {
        match self.app.press(key) {
            None | Some(Task::SetMouse(_) | Task::Suspend | Task::Redraw) => {}
            Some(Task::Quit) => self.quit = true,
            Some(Task::Open(entry)) => {
                let answer = self.judging.open(&entry.finding, &|| false).unwrap();
                self.app.answer(0, answer);
            }
            Some(Task::Ask(changes)) => {
                let answer = self.judging.ask(changes).unwrap();
                self.app.answer(0, answer);
            }
            Some(Task::Draft(id)) => {
                let answer = Answer::Drafted((self.app.opening.draft)(id));
                self.app.answer(0, answer);
            }
            Some(Task::Reload(filter)) => {
                self.app.start_again();
                self.read(filter);
            }
            Some(Task::Copy(text)) => self.copied.push(text),
            Some(Task::Export { file, entries }) => match export::write(&self.app, &file, &entries) {
                Ok(said) => self.app.say(said),
                Err(problem) => self.app.complain(problem),
            },
        }
    }

    /// Letters are pressed one by one; `\n` is enter, `\u{1b}` escape.
    fn keys(&mut self, keys: &str) -> &mut Self {
        for letter in keys.chars() {
            self.press(&match letter {
                '\n' => Key::Enter,
                '\u{1b}' => Key::Esc,
                '\t' => Key::Tab,
                letter => Key::Char(letter),
            });
        }
        self
    }

    fn picture(&self) -> String {
        view::draw(&self.app).text()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let picture = self.picture();
        assert!(picture.contains(text), "`{text}` is not there:\n{picture}");
    }
}

fn pinned(name: &str, keys: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/tui"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (width, height) in SIZES {
        let mut played = Played::start((width, height), Some(project(&PathBuf::from("project"))));
        let text = played.keys(keys).picture();
        assert!(!text.contains("hunter2"), "a secret is shown:\n{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "hostile text is not escaped:\n{text}");
        settings.bind(|| insta::assert_snapshot!(format!("{name}.{width}x{height}"), text));
    }
}

fn project(folder: &std::path::Path) -> Project {
    Project {
        cases: folder.join("cases/review"),
        rules: folder.join("policy"),
        suppressed: folder.join("suppressed"),
        labels: folder.join("labels"),
        by: Some("ana".to_owned()),
    }
}

#[test]
fn the_list() {
    pinned("list", "");
}

#[test]
fn the_stopped() {
    pinned("stopped", "]");
}

#[test]
fn a_detail() {
    pinned("detail", "\n");
}

#[test]
fn a_detail_with_something_otherwise() {
    pinned("what-if", "\n ");
}

#[test]
fn a_whole_text() {
    pinned("whole", "\nv");
}

#[test]
fn a_session() {
    pinned("session", "S");
}

#[test]
fn the_rules() {
    pinned("rules", "4");
}

#[test]
fn the_labels() {
    pinned("labels", "5");
}

#[test]
fn the_help() {
    pinned("help", "?");
}

#[test]
fn the_palette() {
    pinned("palette", ":la");
}

#[test]
fn what_could_not_be_read() {
    pinned("problems", "@");
}

#[test]
fn a_change_of_the_policy() {
    let before = Policy::load(
        &[Source {
            name: "before.cedar".to_owned(),
            text: POLICY.replace("resource is Schema || ", ""),
            builtin: false,
        }],
        &LoadOptions::default(),
    );
    let mut played = Played::of(opening(engine(POLICY).beside(before.unwrap()), None), (120, 40));
    played.shows("[changed 1]");
    played.shows("tightened allow -> block, now data.drop-production");
    played.keys("\n");
    played.shows("DROP SCHEMA billing CASCADE");
}

#[test]
fn any_size_is_survived() {
    for keys in ["", "\n", "\nv", "S", "4", "5", "?", ":", "/x", "\nt"] {
        let mut played = Played::start((120, 40), Some(project(&PathBuf::from("project"))));
        played.keys(keys);
        for width in [1, 7, 39, 40, 41, 60, 99, 100, 300] {
            for height in [1, 2, 9, 10, 11, 15, 29, 31, 90] {
                played.app.size = (width, height);
                let picture = played.picture();
                assert!(picture.lines().count() <= usize::from(height));
                let is_small = width < 40 || height < 10;
                assert_eq!(
                    picture.starts_with("terminal too small:"[..19.min(usize::from(width))].trim_end()),
                    is_small
                );
            }
        }
    }
}

#[test]
fn no_meaning_hangs_on_colour() {
    let mut plain = opening(engine(POLICY), None);
    plain.coloured = false;
    let mut plain = Played::of(plain, (120, 40));
    let mut commands = String::new();
    view::draw(&plain.keys("\n").app).paint(None, &mut commands);
    assert!(!commands.contains("38;5"), "{commands:?}");
    plain.shows("✘");
    plain.shows("d1 ");
}

#[test]
fn a_search_finds_while_it_is_typed() {
    let mut played = Played::start((120, 40), None);
    let all = played.app.list.shown.len();
    played.keys("/carts");
    assert_eq!(played.app.list.shown.len(), 1);
    played.keys("\n");
    played.shows("/carts");
    played.keys("\u{1b}");
    assert_eq!(played.app.list.shown.len(), all);
    played.keys("/!carts\n");
    assert_eq!(played.app.list.shown.len(), all - 1);
}

#[test]
fn a_filter_is_the_one_of_replay() {
    let mut played = Played::start((120, 40), None);
    let all = played.app.store.len();
    played.keys("factor(dana)\n");
    assert!(played.app.store.len() < all);
    played.shows("filter actor(dana)");
    assert!(played.app.list.shown.iter().all(|entry| entry.actors.iter().all(|(name, _)| &**name == "dana")));
    played.keys("f");
    played.app.prompt = Some(super::prompt::Prompt::new(super::prompt::Purpose::Filter, "nonsense("));
    played.keys("\n");
    assert!(played.app.prompt.as_ref().unwrap().problem.is_some(), "a wrong filter is told, not taken");
}

#[test]
fn what_ifs_are_judged_together_and_taken_back() {
    let mut played = Played::start((120, 40), None);
    played.keys("/invoices\n\n");
    let opened = played.app.detail.as_ref().unwrap().opened.as_ref().unwrap();
    let production = opened.what_ifs.iter().position(|what_if| what_if.decision == Decision::Block).unwrap();
    played.keys(&"j".repeat(production)).keys(" ");
    played.shows("⇒ BLOCK  data.empty-production");
    played.keys(" ");
    assert!(played.app.detail.as_ref().unwrap().asked.is_none());
    // Other words, typed.
    played.keys("i");
    played.press(&Key::Ctrl('u'));
    played.keys("SELECT 1\n");
    played.shows("⇒ ALLOW");
    played.keys("0");
    assert!(played.app.detail.as_ref().unwrap().changes.is_empty());
}

#[test]
fn labels_are_files_that_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut played = Played::start((120, 40), Some(project(folder.path())));
    played.keys("/invoices\n\nt");
    played.shows("y yes, and do not ask again");
    played.keys("n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no is no");
    played.keys("ty");
    let label = played.app.labels.done.last().unwrap().clone();
    let case = fs::read_to_string(&label.writes[1].path).unwrap();
    let cases = crate::engine::expect::cases("case.toml", &case).unwrap();
    assert_eq!(cases.len(), 2, "a case and its twin:\n{case}");
    let outcomes: Vec<_> =
        cases.into_iter().map(|case| crate::engine::expect::judge(&played.app.opening.engine, case)).collect();
    assert!(outcomes.iter().all(crate::engine::expect::Outcome::holds), "{outcomes:#?}");
    // A second label needs no second yes, and what is taken back is gone.
    played.keys("x");
    assert_eq!(played.app.labels.done.len(), 2);
    played.keys("uu");
    assert!(label.writes.iter().all(|write| !write.path.exists()));
    played.keys("Z");
    assert!(label.writes.iter().all(|write| write.path.exists()));
    // What somebody else has changed since is left alone.
    fs::write(&label.writes[1].path, "mine").unwrap();
    played.keys("u");
    assert_eq!(fs::read_to_string(&label.writes[1].path).unwrap(), "mine");
    assert!(played.app.message.as_ref().unwrap().is_problem);
    let again = Played::start((120, 40), Some(project(folder.path())));
    assert_eq!(again.app.labelled().0, 1, "what was labelled is known the next time");
}

#[test]
fn what_is_no_risk_has_a_reason_and_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut played = Played::start((120, 40), Some(project(folder.path())));
    played.keys("n\n");
    played.shows("a reason is needed");
    played.keys("filled anew every night\n");
    played.shows("until which day? 2027-02-18");
    played.keys("\ny");
    let deed = played.app.labels.done.last().unwrap();
    let file = deed.writes[1].path.display().to_string();
    let text = fs::read_to_string(&deed.writes[1].path).unwrap();
    let suppression = crate::engine::near_miss::suppression::Suppression::parse(&file, &text).unwrap();
    let hidden = played.app.looked_at().unwrap().group.clone().unwrap();
    assert!(suppression.hides(&hidden, "2027-02-18".parse().unwrap()));
    assert!(!suppression.hides(&hidden, "2027-02-19".parse().unwrap()));
}

#[test]
fn a_rule_is_drafted_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut played = Played::start((120, 40), Some(project(folder.path())));
    played.keys("\nd");
    played.shows("forbid (principal, action, resource);");
    played.keys("wy");
    let write = &played.app.labels.done.last().unwrap().writes[1];
    assert!(fs::read_to_string(&write.path).unwrap().starts_with("@id(\"own.for-"));
    assert!(write.path.starts_with(folder.path().join("policy")));
}

#[test]
fn nothing_is_written_without_a_project() {
    let mut played = Played::start((120, 40), None);
    played.keys("tnxp\ntnxp");
    assert!(played.app.labels.done.is_empty() && played.app.overlay.is_none() && played.app.prompt.is_none());
}

#[test]
fn an_export_is_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut played = Played::start((120, 40), None);
    for name in ["out.md", "out.json", "out.jsonl"] {
        let file = folder.path().join(name);
        played.keys("e");
        played.press(&Key::Ctrl('u'));
        played.keys(&format!("{}\n", file.display()));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("invoices") && !text.contains("hunter2"), "{text}");
        played.keys("e");
        played.press(&Key::Ctrl('u'));
        played.keys(&format!("{}\n", file.display()));
        assert!(played.app.message.as_ref().unwrap().is_problem, "never over a file");
    }
}

#[test]
fn every_screen_is_left_by_the_way_it_was_entered() {
    let mut played = Played::start((120, 40), None);
    played.keys("\nS4");
    assert_eq!(played.app.screen, Screen::Rules);
    for screen in [Screen::Session, Screen::Detail, Screen::List, Screen::List] {
        played.keys("\u{1b}");
        assert_eq!(played.app.screen, screen);
    }
    played.keys("q");
    assert!(played.quit);
}

#[test]
fn a_row_of_a_session_can_be_opened() {
    let mut played = Played::start((120, 40), None);
    played.keys("/carts\nS\u{67}\n");
    assert_eq!(played.app.screen, Screen::Detail);
    played.shows("SELECT count(*) FROM invoices");
    played.keys("Y");
    assert!(played.copied[0].starts_with("nearmiss explain "));
}

#[test]
fn a_copy_has_no_secrets() {
    let mut played = Played::start((120, 40), None);
    played.keys("]]/psql\ny");
    let found = played.app.list.shown.len();
    assert!(found == 0 || !played.copied[0].contains("hunter2"), "{:?}", played.copied);
}
