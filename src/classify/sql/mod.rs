//! SQL code: split into statements, each read on its own.
//!
//! Queries and changes of rows go to the parser (`parse`, the one door to it) and are walked as trees (`data`); when they do
//! not parse, `tokens` reads them by their words. Commands (DROP, GRANT, COPY, SET …) are read by our own readers: their
//! grammar is a verb, a kind, names and options, and no parser knows half of them.

mod access;
mod alter;
mod client;
mod control;
mod create;
mod cursor;
mod data;
mod dialect;
mod dynamic;
mod fragment;
mod functions;
mod kinds;
mod lexer;
mod parse;
mod predicate;
mod procedures;
mod routine;
mod schema;
mod settings;
mod split;
mod statement;
mod template;
mod tokens;
mod transaction;
mod transfer;
mod upkeep;
mod walk;

use crate::model::{
    Area, Certainty, Effect, Extent, GapKind, Hides, Operation, Place, Resource, ResourceKind, Reversibility, Span,
};

use super::Scene;
use cursor::{Cursor, Name};
use dialect::Dialect;
use split::{Piece, Splitter};

/// Statements beyond this are not read one by one; a gap says so.
const MAX_STATEMENTS: usize = 100_000;

/// Classifies a piece of SQL code in the scene's dialect.
pub fn run(scene: &mut Scene<'_>, text: &str) {
    let dialect = Dialect::named(scene.dialect.as_deref());
    let mut splitter = Splitter::new(text, dialect);
    let mut run = Run {
        scene,
        text,
        dialect,
        blanks: Vec::new(),
        temporary: Vec::new(),
        blocks: 0,
        looping: false,
        declares: false,
        variables: Vec::new(),
        prepared: Vec::new(),
        made: Vec::new(),
        misfit: false,
        scanned: false,
        depth: 0,
        transaction: None,
        savepoints: Vec::new(),
        certainty: Certainty::Exact,
        dry: false,
    };
    let mut tokens = Vec::new();
    let mut template = String::new();
    let outermost = run.scene.is_outermost();
    for number in 0.. {
        let Some(piece) = splitter.next_piece(&mut tokens) else { break };
        if number == MAX_STATEMENTS {
            run.gap(GapKind::TooLarge, Hides::Anything, None, "more than 100000 statements");
            break;
        }
        run.blanks = std::mem::take(&mut splitter.lexer.blanks);
        if outermost && template.len() < template::MOST {
            template::add(&mut template, text, &tokens, piece);
        }
        match piece {
            Piece::Statement => {
                let cursor = Cursor::new(text, &tokens);
                run.scene.step(|| format!("{} statement", cursor.keyword()), cursor.span(), |_| {});
                statement::run(&mut run, &tokens);
            }
            Piece::Client(line) => client::run(&mut run, &tokens, line),
        }
    }
    if splitter.lexer.unclosed {
        run.gap(GapKind::Unparsed, Hides::Anything, None, "a quote or comment is never closed");
    }
    if outermost && (splitter.lexer.unclosed || run.misfit && fragment::ends_another(text)) {
        fragment::run(&mut run);
    }
    run.finish();
    if outermost && !template.is_empty() {
        run.scene.set_template(|| template);
    }
}

/// The reading of one piece of code.
#[derive(Debug)]
struct Run<'s, 'a, 't> {
    scene: &'s mut Scene<'a>,
    text: &'t str,
    dialect: Dialect,
    /// Comments and the like in and before the current statement.
    blanks: Vec<Span>,
    /// Temporary tables made so far, in lower case.
    temporary: Vec<String>,
    /// `BEGIN … END` blocks that are open.
    blocks: usize,
    /// Inside a loop, where a LIMIT bounds one round only.
    looping: bool,
    /// Inside the declarations of a block.
    declares: bool,
    /// Variables and the code they hold.
    variables: Vec<(String, dynamic::Built)>,
    /// Statements prepared in this text, which are judged there.
    prepared: Vec<String>,
    /// Routines made in this text, with their bodies.
    made: Vec<(String, String, Span)>,
    /// A statement began like none.
    misfit: bool,
    /// The functions of the statement at hand are noted already.
    scanned: bool,
    /// How deep statements are nested (`EXPLAIN PREPARE …`).
    depth: usize,
    /// Where the effects of the open transaction start.
    transaction: Option<usize>,
    savepoints: Vec<(String, usize)>,
    certainty: Certainty,
    /// Below an EXPLAIN that only explains.
    dry: bool,
}

impl Run<'_, '_, '_> {
    /// A named thing with what its name tells about it.
    fn resource(&self, kind: ResourceKind, name: &Name) -> Resource {
        let mut resource = Resource::new(kind, name.text.clone());
        resource.unresolved = name.unresolved || name.text.is_empty();
        if matches!(kind, ResourceKind::Table | ResourceKind::View | ResourceKind::Column | ResourceKind::Index) {
            if name.text.starts_with('#')
                || name.text.starts_with('@') && self.dialect == Dialect::TSql && !name.unresolved
                || is_one_of(&name.text, &self.temporary)
                || starts(&name.text, "pg_temp.")
            {
                resource.areas = resource.areas.with(Area::Ephemeral);
            }
            if is_internal(&name.text) {
                resource.areas = resource.areas.with(Area::Internal);
            }
        }
        if matches!(kind, ResourceKind::Table | ResourceKind::View | ResourceKind::Routine) && is_trail(&name.text) {
            resource.areas = resource.areas.with(Area::Logs);
        }
        resource
    }

    /// Remembers a temporary table; beyond a point it is safe to forget them.
    fn made_temporary(&mut self, name: &str) {
        if self.temporary.len() < 256 {
            self.temporary.push(name.to_ascii_lowercase());
        }
    }

    /// Notes an effect after `change` has said what is special about it.
    fn put(
        &mut self,
        operation: Operation,
        resource: Resource,
        extent: Extent,
        by: &str,
        span: Option<Span>,
        change: impl FnOnce(&mut Effect),
    ) {
        if resource.unresolved && !resource.name.is_empty() {
            self.gap(GapKind::UnresolvedVariable, Hides::Target, span, resource.name.clone());
        }
        let mut effect = Effect::new(operation, resource);
        effect.extent = extent;
        effect.by = by.to_owned();
        effect.span = span;
        effect.certainty = self.certainty;
        effect.dry_run = self.dry;
        effect.reversible = match operation {
            Operation::Drop if matches!(self.dialect, Dialect::Snowflake | Dialect::BigQuery) => {
                Reversibility::WithBackup
            }
            Operation::Drop | Operation::Delete | Operation::Update | Operation::Rewrite | Operation::Export => {
                Reversibility::No
            }
            _ => Reversibility::Unknown,
        };
        change(&mut effect);
        self.scene.effect(effect);
    }

    /// Notes an effect that has nothing special about it.
    fn note(&mut self, operation: Operation, kind: ResourceKind, name: &Name, extent: Extent, by: &str) {
        let resource = self.resource(kind, name);
        self.put(operation, resource, extent, by, name.span, |_| {});
    }

    /// Notes an effect on the server as a whole.
    fn server(&mut self, operation: Operation, by: &str, span: Option<Span>) {
        self.put(operation, Resource::new(ResourceKind::Server, ""), Extent::All, by, span, |_| {});
    }

    fn gap(&mut self, kind: GapKind, hides: Hides, span: Option<Span>, detail: impl Into<String>) {
        self.scene.gap(kind, hides, span, detail);
    }

    /// Does `inside` as a reading by words only.
    fn lexically<R>(&mut self, inside: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.certainty, Certainty::Lexical);
        let result = inside(self);
        self.certainty = before;
        result
    }

    /// Reads what stands in a string as SQL of its own; what it does outlasts a rollback only where `elsewhere`.
    fn nested_sql(&mut self, code: &str, span: Span, place: Option<Place>) {
        let mark = self.scene.mark();
        let dry = self.dry;
        match place {
            Some(place) => self.scene.scoped(|scene| {
                scene.places.push(place);
                scene.run_word(super::Language::Sql, code, Some(span));
            }),
            None => self.scene.run_word(super::Language::Sql, code, Some(span)),
        }
        if dry {
            for effect in self.scene.since(mark) {
                effect.dry_run = true;
            }
        }
    }

    fn finish(&mut self) {
        if let Some(mark) = self.transaction.take() {
            for effect in self.scene.since(mark).iter_mut().filter(|effect| is_data(effect)) {
                effect.in_transaction = true;
                effect.reversible = Reversibility::Yes;
            }
        }
    }
}

/// Whether an effect is one that a transaction holds.
fn is_data(effect: &Effect) -> bool {
    matches!(
        effect.operation,
        Operation::Create
            | Operation::Update
            | Operation::Delete
            | Operation::Drop
            | Operation::Alter
            | Operation::Grant
            | Operation::Revoke
            | Operation::Disable
    ) && matches!(
        effect.resource.kind,
        ResourceKind::Table
            | ResourceKind::View
            | ResourceKind::Column
            | ResourceKind::Index
            | ResourceKind::Schema
            | ResourceKind::Routine
            | ResourceKind::Role
            | ResourceKind::Item
            | ResourceKind::Safeguard
    )
}

/// Whether a name says that the thing keeps who did what: `audit_log`, `billing.orders_audit`, `AuditTrail`, `sys.aud$`.
fn is_trail(name: &str) -> bool {
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    let last = last.split_once(" on ").map_or(last, |(last, _)| last);
    let lower = last.to_ascii_lowercase();
    lower == "aud$"
        || lower.split('_').any(|word| {
            let rest = word.strip_prefix("audit");
            rest.is_some_and(|rest| ["", "s", "log", "logs", "trail", "trails", "event", "events"].contains(&rest))
        })
}

/// The database's own catalogue.
fn is_internal(name: &str) -> bool {
    let mut parts = name.split('.');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let named = |names: &[&str], part: &str| names.iter().any(|name| part.eq_ignore_ascii_case(name));
    let schemas = ["pg_catalog", "information_schema", "mysql", "sys", "performance_schema", "pg_toast", "system"];
    match second {
        Some(second) => named(&schemas, first) || parts.next().is_some() && named(&schemas, second),
        None => {
            starts(first, "pg_stat")
                || named(&["sqlite_master", "sqlite_schema", "pg_authid", "pg_shadow", "pg_proc", "pg_class"], first)
        }
    }
}

fn starts(name: &str, with: &str) -> bool {
    name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

fn is_one_of(name: &str, lower: &[String]) -> bool {
    lower.iter().any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
