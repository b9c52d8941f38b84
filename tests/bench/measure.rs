//! What one core decides in a second.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::query::Filter;
use nearmiss::engine::{Config, Engine, Session};
use nearmiss::model::{Action, ActionId, Actor, Kind, Origin, Outcome, Surroundings};
use nearmiss::policy::{self, LoadOptions, Policy};

use crate::commands;

const DISTINCT: usize = 40_000;
const REPEATED: usize = 2_000_000;

pub(crate) fn engine(oracle: bool) -> Engine {
    let sources = policy::builtin("recommended").expect("a built-in pack");
    let policy = Policy::load(&sources, &LoadOptions::default()).expect("the built-in pack loads");
    Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), oracle)
}

pub(crate) fn actions(kind: Kind, texts: Vec<String>) -> Vec<Action> {
    let actor = Arc::new(Actor::default());
    let surroundings = Arc::new(Surroundings {
        dialect: (kind == Kind::Sql).then(|| "postgres".to_owned()),
        ..Surroundings::default()
    });
    let session: Arc<str> = Arc::from("bench");
    let file: Arc<str> = Arc::from("bench");
    let action = |(line, text): (usize, String)| Action {
        id: ActionId(line as u64),
        time: None,
        actor: Arc::clone(&actor),
        session: Arc::clone(&session),
        kind,
        text: Arc::from(text),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::clone(&surroundings),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: Arc::clone(&file), line: line as u64, offset: 0, format: "bench" },
    };
    texts.into_iter().enumerate().map(action).collect()
}

/// Each action in a session of its own, as if it came from somebody else: the time for all of them.
fn decided(engine: &Engine, actions: &[Action]) -> Duration {
    let started = Instant::now();
    for action in actions {
        black_box(engine.decide(action.clone(), &mut Session::default()));
    }
    started.elapsed()
}

fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn distinct(name: &str, kind: Kind, texts: &dyn Fn(usize) -> Vec<String>) {
    let all = actions(kind, texts(DISTINCT));
    let warm = engine(false);
    decided(&warm, &all[..DISTINCT / 10]);
    let fast = per_second(DISTINCT, decided(&engine(false), &all));
    let some = &all[..DISTINCT / 8];
    let slow = per_second(some.len(), decided(&engine(true), some));
    println!("{name:<28} {fast:>12.0} /s   {:>6.1} × the same judged by Cedar's authorizer", fast / slow);
}

pub(crate) fn shell() {
    distinct("distinct shell commands", Kind::Shell, &commands::shell);
}

pub(crate) fn sql() {
    distinct("distinct SQL statements", Kind::Sql, &commands::sql);
}

pub(crate) fn repeated() {
    for (kind, texts) in [(Kind::Shell, commands::shell(200)), (Kind::Sql, commands::sql(200))] {
        let engine = engine(false);
        let few = actions(kind, texts);
        let first = per_second(few.len(), decided(&engine, &few));
        let started = Instant::now();
        let mut session = Session::default();
        for action in few.iter().cycle().take(REPEATED) {
            black_box(engine.decide(action.clone(), &mut session));
        }
        let rate = per_second(REPEATED, started.elapsed());
        println!("repeated {kind:<19} {rate:>12.0} /s   {:>6.1} × the first time", rate / first);
    }
}

/// What choosing costs beside deciding: findings asked in a second, of 40,000 different ones.
pub(crate) fn filters() {
    let engine = engine(false);
    let all = actions(Kind::Shell, commands::shell(DISTINCT));
    let findings: Vec<_> = all.iter().map(|action| engine.decide(action.clone(), &mut Session::default())).collect();
    let started = Instant::now();
    for action in all.iter().cycle().take(REPEATED) {
        black_box(engine.decide(action.clone(), &mut Session::default()));
    }
    let decided = per_second(REPEATED, started.elapsed());
    for text in [
        "decision(block) & !environment(development)",
        "effect(operation(delete, drop) & area(home)) | actor(=claude)",
        "text(~node_modules) & rule(files.)",
        "text(/(?i)drop\\s+table/) | resource(#*.customers)",
    ] {
        let filter = Filter::parse(text).expect("a filter");
        let started = Instant::now();
        let chosen = findings.iter().cycle().take(REPEATED).filter(|finding| filter.matches(finding)).count();
        let rate = per_second(REPEATED, started.elapsed());
        black_box(chosen);
        println!("{text:<62} {rate:>12.0} /s   {:>6.1} × remembered decisions", rate / decided);
    }
}
