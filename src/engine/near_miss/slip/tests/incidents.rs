//! What passes, and one slip away from it what once happened to somebody.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::slips;
use crate::classify::{Catalog, Classifier};
use crate::engine::corpus::builtin;
use crate::engine::{Config, Engine, Session};
use crate::model::{Action, Decision, Environment, Kind, Surroundings};
use crate::policy::{Fact, LoadOptions, Policy, builtin as pack};

fn engine() -> Engine {
    let policy = Policy::load(&pack("recommended").unwrap(), &LoadOptions::default()).unwrap();
    Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false)
}

/// The slips of an action that passes with which it is stopped, each with the text it then has; nothing for one that
/// does not pass.
fn stopping(engine: &Engine, action: &Action, session: &mut Session) -> Vec<(&'static str, String)> {
    let before = session.clone();
    let finding = engine.decide(action.clone(), session);
    if finding.verdict.decision != Decision::Allow {
        return Vec::new();
    }
    let mut found = Vec::new();
    for effect in &finding.understanding.effects {
        for slipped in slips(action, effect, Fact::ALL) {
            let text = slipped.action.text.to_string();
            let verdict = engine.decide(slipped.action, &mut before.clone()).verdict;
            if verdict.decision >= Decision::Ask {
                found.push((slipped.slip, text));
            }
        }
    }
    found
}

/// Incidents of the corpus that one slip tells from a twin, and which.
const OF_TWINS: &[(&str, &str)] = &[
    ("amazon-q-2025", "dry-run-lost"),
    ("antigravity-2025-12", "quotes-lost"),
    ("claude-14411", "guard-off"),
    ("claude-21217", "parent-folder"),
    ("claude-45974", "flag-for-flag"),
    ("claude-45974", "stash-untracked-lost"),
    ("claude-8482", "flag-for-flag"),
    ("claude-8482", "guard-off"),
    ("claude-home-2025-12", "dot-slash-lost"),
    ("codespaces-2014", "dry-run-lost"),
    ("jenkins-2013", "flag-for-flag"),
    ("jenkins-2013", "guard-off"),
    ("k8s-oom-2026", "dry-run-lost"),
    ("nx-s1ngularity-2025", "guard-off"),
    ("salesforce-2019", "where-lost"),
    ("skyscanner-2021", "dry-run-lost"),
    ("spotify-2018", "guard-off"),
];

#[test]
fn one_slip_from_a_twin_stands_its_incident() {
    let engine = engine();
    let mut found = BTreeSet::new();
    for incident in builtin().unwrap() {
        for twin in &incident.twins {
            let own = engine.under(twin.config.as_ref().unwrap_or(&incident.config));
            let mut session = Session::default();
            for (action, _) in &twin.actions {
                let slips = stopping(&own, action, &mut session);
                found.extend(slips.into_iter().map(|(slip, _)| (incident.id.clone(), slip)));
            }
        }
    }
    for (incident, slip) in OF_TWINS {
        assert!(found.contains(&((*incident).to_owned(), *slip)), "{slip} does not make {incident} of its twin");
    }
}

const P: Environment = Environment::Production;
const S: Environment = Environment::Staging;
const U: Environment = Environment::Unknown;

/// The same kinds of incidents in other words: where, what passes, the slip, and what is then stopped.
const IN_OTHER_WORDS: &[(Environment, Kind, &str, &str, &str)] = &[
    (P, Kind::Shell, "rm -rf ~/games/driver/node_modules", "path-space", "rm -rf ~ /games/driver/node_modules"),
    (P, Kind::Shell, "rm -rf dist/*", "star-space", "rm -rf dist/ *"),
    (P, Kind::Shell, "rm -rf ~/'old talks'/node_modules", "quotes-lost", "rm -rf ~/old talks/node_modules"),
    (P, Kind::Shell, "rm -rf notes ./~", "dot-slash-lost", "rm -rf notes ~"),
    (P, Kind::Shell, "rm -rf ./var/cache", "dot-lost", "rm -rf /var/cache"),
    (P, Kind::Shell, "rm \"$ROOT/etc/passwd\"", "variable-empty", "rm \"/etc/passwd\""),
    (P, Kind::Shell, "cp config \"${DESTDIR}/etc/hosts\"", "variable-empty", "cp config \"/etc/hosts\""),
    (P, Kind::Shell, "cd /tmp/work; rm -rf *", "cd-failed", "rm -rf *"),
    (P, Kind::Shell, "rm -rf tmp*", "star-prefix-lost", "rm -rf *"),
    (P, Kind::Shell, "rm -rf ~/work/shop/target", "parent-folder", "rm -rf ~/work/shop"),
    (P, Kind::Shell, "rm -rf ~/.cache", "parent-folder", "rm -rf ~"),
    (P, Kind::Exec, "rm -rf /home/dev/.cache", "parent-folder", "rm -rf /home/dev"),
    (P, Kind::Sql, "DELETE FROM invoices WHERE id = 7", "where-lost", "DELETE FROM invoices"),
    (
        P,
        Kind::Sql,
        "UPDATE users SET admin = true\nWHERE id = 7",
        "where-cut-off",
        "UPDATE users SET admin = true;\nWHERE id = 7",
    ),
    (
        P,
        Kind::Shell,
        "mysql shop -e 'DELETE FROM invoices WHERE id = 7'",
        "where-lost",
        "mysql shop -e 'DELETE FROM invoices'",
    ),
    (P, Kind::Shell, "rsync -an --delete out/ www/", "dry-run-lost", "rsync -a --delete out/ www/"),
    (P, Kind::Shell, "helm uninstall shop --dry-run", "dry-run-lost", "helm uninstall shop"),
    (P, Kind::Shell, "git branch -d topic", "flag-for-flag", "git branch -D topic"),
    (P, Kind::Shell, "git reset --soft HEAD~2", "flag-for-flag", "git reset --hard HEAD~2"),
    (P, Kind::Shell, "git push --force-with-lease origin topic", "flag-for-flag", "git push --force origin topic"),
    (U, Kind::Shell, "terraform apply", "guard-off", "terraform apply -auto-approve"),
    (
        S,
        Kind::Shell,
        "kubectl delete pods -l a=b -n shop",
        "all-namespaces",
        "kubectl delete pods -l a=b --all-namespaces",
    ),
    (P, Kind::Sql, "DELETE FROM logs WHERE true LIMIT 10", "limit-lost", "DELETE FROM logs WHERE true"),
];

#[test]
fn in_other_words() {
    let engine = engine();
    let mut wrong = Vec::new();
    for (environment, kind, text, slip, expected) in IN_OTHER_WORDS {
        let surroundings = Surroundings {
            environment: Some(*environment),
            cwd: Some("/home/dev/shop".to_owned()),
            home: Some("/home/dev".to_owned()),
            ..Surroundings::default()
        };
        let action = Action { surroundings: Arc::new(surroundings), ..super::action(*kind, text) };
        let finding = engine.decide(action.clone(), &mut Session::default());
        let found = stopping(&engine, &action, &mut Session::default());
        if !found.iter().any(|(by, text)| by == slip && text == expected) {
            wrong.push(format!("{text} ({}): {found:?}", finding.verdict.decision));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
