use std::sync::Arc;

use super::{Linker, Links};
use crate::model::{
    Action, ActionId, Actor, ActorKind, Decision, Effect, Environment, Executed, Finding, Hit, Kind, Mode, Operation,
    Origin, Outcome, Resource, ResourceKind, RuleInfo, SessionFacts, Severity, Surroundings, Timestamp, Understanding,
    Verdict,
};

/// A stopped action: who, by which log, at which second, and what it does to what.
struct Told(u64, Kind, ActorKind, &'static str, f64, &'static str, Option<(Operation, ResourceKind, &'static str)>);

impl Told {
    fn finding(&self, host: Option<&str>) -> Finding {
        let Self(id, kind, actor, format, second, text, done) = self;
        let rule = RuleInfo {
            id: "r".to_owned(),
            decision: Decision::Block,
            mode: Mode::Enforce,
            severity: Severity::High,
            message: String::new(),
            advice: String::new(),
            file: String::new(),
            line: 1,
        };
        let effects = done.iter().map(|(operation, kind, name)| Effect::new(*operation, Resource::new(*kind, *name)));
        let surroundings = Surroundings { host: host.map(str::to_owned), ..Surroundings::default() };
        Finding {
            action: Action {
                id: ActionId(*id),
                time: Some(Timestamp((second * 1e6) as i64)),
                actor: Arc::new(Actor { name: "a".to_owned(), kind: *actor, groups: Vec::new() }),
                session: format!("{format}-session").into(),
                kind: *kind,
                text: (*text).into(),
                argv: None,
                tool: None,
                arguments: None,
                surroundings: Arc::new(surroundings),
                outcome: Outcome { executed: Executed::Yes, ..Outcome::default() },
                approved: false,
                gaps: Vec::new(),
                origin: Origin { file: format!("{format}.log").into(), line: *id, offset: 0, format },
            },
            understanding: Arc::new(Understanding { effects: effects.collect(), ..Understanding::default() }),
            verdict: Arc::new(Verdict {
                decision: Decision::Block,
                hits: vec![Hit { rule: Arc::new(rule), effect: 0 }],
                ..Verdict::default()
            }),
            environment: Environment::Unknown,
            base: None,
            near: None,
            session_facts: SessionFacts::default(),
            otherwise: Arc::new([]),
        }
    }
}

fn linked(told: &[Told]) -> Links {
    let mut linker = Linker::default();
    // The order in which files are read says nothing.
    for told in told.iter().rev() {
        linker.see(&told.finding(None));
    }
    linker.links()
}

const ORDERS: Option<(Operation, ResourceKind, &str)> = Some((Operation::Drop, ResourceKind::Table, "shop.Orders"));
const AGENT: ActorKind = ActorKind::Agent;
const SOMEBODY: ActorKind = ActorKind::Unknown;

#[test]
fn what_an_agent_sent_is_told_by_the_database_and_the_host_too() {
    let links = linked(&[
        Told(1, Kind::Shell, AGENT, "claude_code", 100.0, "psql -c 'DROP TABLE shop.Orders'", ORDERS),
        Told(2, Kind::Exec, SOMEBODY, "auditd", 100.4, "psql -c 'DROP TABLE shop.Orders'", ORDERS),
        Told(
            3,
            Kind::Sql,
            SOMEBODY,
            "postgres_csv",
            100.5,
            "DROP TABLE shop.Orders",
            Some((Operation::Drop, ResourceKind::Table, "orders")),
        ),
    ]);
    let evidence: Vec<_> = links.evidence(ActionId(1)).iter().map(|evidence| (evidence.id.0, evidence.line)).collect();
    assert_eq!(evidence, [(2, 2), (3, 3)]);
    assert_eq!(links.told_by(ActionId(3)), Some(ActionId(1)));
    assert!(links.told_by(ActionId(1)).is_none());
    assert_eq!(links.len(), 2);
}

#[test]
fn every_statement_belongs_to_the_command_nearest_in_time() {
    let links = linked(&[
        Told(1, Kind::Shell, AGENT, "codex", 100.0, "./drop-orders", ORDERS),
        Told(2, Kind::Shell, AGENT, "codex", 110.0, "./drop-orders", ORDERS),
        Told(3, Kind::Sql, SOMEBODY, "postgres_csv", 101.0, "DROP TABLE orders", ORDERS),
        Told(4, Kind::Sql, SOMEBODY, "postgres_csv", 109.0, "DROP TABLE orders", ORDERS),
    ]);
    assert_eq!(links.told_by(ActionId(3)), Some(ActionId(1)));
    assert_eq!(links.told_by(ActionId(4)), Some(ActionId(2)));
}

#[test]
fn other_things_other_times_and_the_same_log_stay_apart() {
    let users = Some((Operation::Drop, ResourceKind::Table, "users"));
    let nameless = Some((Operation::Drop, ResourceKind::Table, ""));
    let links = linked(&[
        Told(1, Kind::Shell, AGENT, "codex", 100.0, "./drop-orders", ORDERS),
        Told(2, Kind::Shell, AGENT, "codex", 100.0, "./drop-orders --again", ORDERS),
        Told(3, Kind::Sql, SOMEBODY, "postgres_csv", 131.0, "DROP TABLE orders", ORDERS),
        Told(4, Kind::Sql, SOMEBODY, "postgres_csv", 100.0, "DROP TABLE users", users),
        Told(5, Kind::Shell, AGENT, "codex", 100.0, "./drop-it", nameless),
        Told(6, Kind::Sql, SOMEBODY, "mysql_general", 100.0, "DROP TABLE IF EXISTS", nameless),
    ]);
    assert!(links.is_empty(), "{links:?}");
}

#[test]
fn one_line_in_two_shells_is_two_acts() {
    let folder = Some((Operation::Delete, ResourceKind::Folder, "/srv/data"));
    let told = |id, format| Told(id, Kind::Exec, SOMEBODY, format, 100.0, "rm -rf /srv/data", folder);
    let together = |host: &str| {
        let mut linker = Linker::default();
        linker.see(&told(1, "auditd").finding(Some("web-1")));
        linker.see(&told(2, "sudo").finding(Some(host)));
        linker.links().len()
    };
    assert_eq!(together("web-1"), 1);
    assert_eq!(together("web-2"), 0);
}

#[test]
fn what_has_no_time_is_one_of_its_own() {
    let mut linker = Linker::default();
    for told in [
        Told(1, Kind::Shell, AGENT, "codex", 100.0, "./drop-orders", ORDERS),
        Told(2, Kind::Sql, SOMEBODY, "postgres_csv", 100.0, "DROP TABLE orders", ORDERS),
    ] {
        let mut finding = told.finding(None);
        finding.action.time = None;
        linker.see(&finding);
    }
    assert!(linker.links().is_empty());
}
