//! Queries and changes of rows, read from the parser's tree.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AssignmentTarget, Delete, Expr, FromTable, Insert, LimitClause, Merge, MergeAction, MergeClauseKind, ObjectName,
    ObjectNamePart, Query, Select, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, TopQuantity, Update,
    UpdateTableFromKind, Value, Visit, Visitor,
};

use crate::model::{Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone};

use super::cursor::{Cursor, Name};
use super::lexer::{Kind, Token};
use super::predicate::reach;
use super::{Run, parse, tokens as by_words, transfer};

/// Reads a query or a change of rows; `false` when not even its verb makes sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token]) -> bool {
    let cursor = Cursor::new(run.text, tokens);
    into_file(run, cursor);
    match parse::statement(run, tokens) {
        Some(statement) if is_data(&statement) => {
            let top = top_of(cursor);
            let mut walk = Walk { run, tables: Vec::new(), ctes: Vec::new(), top };
            // The walk never breaks off.
            let _ = statement.visit(&mut walk);
            true
        }
        _ => {
            let mark = run.scene.mark();
            let known = run.lexically(|run| by_words::run(run, tokens));
            if known && run.scene.mark() == mark {
                let words: String = run.text[tokens[0].start..].chars().take(60).collect();
                run.gap(GapKind::Unparsed, Hides::Anything, cursor.span(), words);
            }
            known
        }
    }
}

/// A condition that is asked (`IF EXISTS (SELECT …)`): its queries are reads, its functions are called.
pub(super) fn condition(run: &mut Run<'_, '_, '_>, tokens: &[Token]) {
    super::functions::run(run, tokens);
    match parse::condition(run, tokens) {
        Some(expr) => {
            let mut walk = Walk { run, tables: Vec::new(), ctes: Vec::new(), top: None };
            let _ = expr.visit(&mut walk);
        }
        // `FOR r IN SELECT …`
        None => {
            run.lexically(|run| by_words::reads(run, Cursor::new(run.text, tokens), Extent::Unknown));
        }
    }
}

fn is_data(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_)
    )
}

/// `DELETE TOP (10)`, which the parser does not know.
fn top_of(mut cursor: Cursor<'_>) -> Option<Option<u64>> {
    cursor.at = 1;
    if !cursor.eat("TOP") {
        return None;
    }
    cursor.eat_punct("(");
    Some(cursor.number())
}

/// `SELECT … INTO OUTFILE '/tmp/x'`.
fn into_file(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    for phrase in ["INTO OUTFILE", "INTO DUMPFILE"] {
        let Some(at) = cursor.find(phrase) else { continue };
        cursor.at = at + 2;
        let peer = cursor.string().map_or_else(String::new, |(path, _)| path);
        let span = cursor.span_from(at);
        let resource = match cursor_table(Cursor { at: 0, ..cursor }) {
            Some(name) => run.resource(ResourceKind::Table, &name),
            None => Resource::new(ResourceKind::File, peer.clone()),
        };
        transfer::export(run, resource, Extent::All, phrase, span, Zone::Local, peer);
        return;
    }
}

/// The first table a query reads, by its words.
fn cursor_table(mut cursor: Cursor<'_>) -> Option<Name> {
    cursor.at = cursor.find("FROM")? + 1;
    cursor.name()
}

/// A name that WITH gives to a query.
struct Cte {
    name: String,
    /// The table behind it, when there is just one.
    base: Option<ObjectName>,
    /// It lets only some rows of that table through.
    limited: bool,
}

/// Walks a tree and notes what each part of it does.
struct Walk<'r, 's, 'a, 't> {
    run: &'r mut Run<'s, 'a, 't>,
    /// Tables whose reading is noted already, to say it once.
    tables: Vec<(String, Extent)>,
    /// What WITH has named so far.
    ctes: Vec<Cte>,
    /// Rows that `TOP` lets through.
    top: Option<Option<u64>>,
}

impl Visitor for Walk<'_, '_, '_, '_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let (base, limited) = match &*cte.query.body {
                    SetExpr::Select(select) => match &select.from[..] {
                        [only] => {
                            (table_name(&only.relation).cloned(), select.selection.is_some() || select.top.is_some())
                        }
                        _ => (None, false),
                    },
                    _ => (None, false),
                };
                self.ctes.push(Cte { name: cte.alias.name.value.clone(), base, limited });
            }
        }
        let limited = query.fetch.is_some() || query.limit_clause.as_ref().is_some_and(limits);
        let mut bodies = vec![&*query.body];
        while let Some(body) = bodies.pop() {
            match body {
                SetExpr::Select(select) => self.select(select, limited),
                SetExpr::SetOperation { left, right, .. } => {
                    bodies.push(right);
                    bodies.push(left);
                }
                SetExpr::Table(table) => {
                    let text = [table.schema_name.as_deref(), table.table_name.as_deref()].into_iter().flatten();
                    let name = Name { text: text.collect::<Vec<_>>().join("."), ..Name::default() };
                    self.reads(name, if limited { Extent::Some } else { Extent::All });
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

impl Walk<'_, '_, '_, '_> {
    fn select(&mut self, select: &Select, limited: bool) {
        let limited = limited
            || select
                .top
                .as_ref()
                .is_some_and(|top| !(top.percent && matches!(top.quantity, Some(TopQuantity::Constant(100..)))));
        let first = select.from.first().and_then(|from| self.table(&from.relation));
        let target = first.as_ref().map_or("", |name| &name.text);
        let condition = select.selection.as_ref().or(select.prewhere.as_ref());
        let extent = match reach(self.run, condition, target).extent {
            Extent::All if limited => Extent::Some,
            extent => extent,
        };
        let mut extent_here = extent;
        for from in &select.from {
            self.reads_all(from, &mut extent_here);
        }
        if let Some(into) = &select.into {
            for target in &into.targets {
                let name = match target {
                    Expr::Identifier(ident) => ObjectName(vec![ObjectNamePart::Identifier(ident.clone())]),
                    Expr::CompoundIdentifier(parts) => {
                        ObjectName(parts.iter().cloned().map(ObjectNamePart::Identifier).collect())
                    }
                    _ => continue,
                };
                let name = parse::name(self.run, &name);
                // `INTO @x` and, in routines, `INTO variable` make no table.
                if name.text.starts_with('@') || self.run.blocks > 0 {
                    continue;
                }
                if into.temporary {
                    self.run.made_temporary(&name.text);
                }
                self.run.note(Operation::Create, ResourceKind::Table, &name, Extent::One, "SELECT INTO");
            }
        }
    }

    /// Notes the reading of what a FROM names; the first table gets the extent, those joined to it never just one row.
    fn reads_all(&mut self, from: &TableWithJoins, extent: &mut Extent) {
        let mut open: Vec<&TableWithJoins> = vec![from];
        while let Some(next) = open.pop() {
            let factors = std::iter::once(&next.relation).chain(next.joins.iter().map(|join| &join.relation));
            for factor in factors {
                if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
                    open.push(table_with_joins);
                } else if let Some(name) = self.table(factor) {
                    self.reads(name, *extent);
                    if *extent == Extent::One {
                        *extent = Extent::Some;
                    }
                }
            }
        }
    }

    /// The name of a real table; nothing for functions, subqueries and names that `WITH` gave.
    fn table(&self, factor: &TableFactor) -> Option<Name> {
        let name = match factor {
            TableFactor::Pivot { table, .. } | TableFactor::Unpivot { table, .. } => table_name(table)?,
            other => table_name(other)?,
        };
        let is_cte = name.0.len() == 1
            && name.0[0]
                .as_ident()
                .is_some_and(|ident| self.ctes.iter().any(|cte| cte.name.eq_ignore_ascii_case(&ident.value)));
        (!is_cte).then(|| parse::name(self.run, name))
    }

    fn reads(&mut self, name: Name, extent: Extent) {
        let recent = self.tables.len().saturating_sub(64);
        if self.tables[recent..].iter().any(|(text, seen)| *text == name.text && *seen == extent) {
            return;
        }
        // DuckDB and ClickHouse read files and addresses in place of tables.
        if name.text.starts_with('@') && self.run.dialect == super::Dialect::Snowflake {
            let resource = Resource::new(ResourceKind::Bucket, name.text.clone());
            self.run.put(Operation::Read, resource, extent, "SELECT", name.span, |_| {});
        } else if name.text.contains("://") {
            transfer::fetch(self.run, &name.text, "SELECT", name.span);
        } else if name.span.is_none_or(|span| self.run.text[span.start..].starts_with('\'')) {
            let resource = transfer::server_file(&name.text);
            self.run.put(Operation::Read, resource, Extent::All, "SELECT", name.span, |_| {});
        } else {
            self.run.note(Operation::Read, ResourceKind::Table, &name, extent, "SELECT");
        }
        self.tables.push((name.text, extent));
    }

    /// The table behind a name that may be an alias or, in T-SQL, a query's name.
    fn resolve(&self, name: &ObjectName, sources: &[&TableWithJoins]) -> Name {
        let written = parse::name(self.run, name);
        let factors = sources
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
        for factor in factors {
            if let TableFactor::Table { name, alias: Some(alias), .. } = factor
                && alias.name.value.eq_ignore_ascii_case(&written.text)
            {
                return Name { span: written.span, ..self.behind(name) };
            }
        }
        self.behind(name)
    }

    fn behind(&self, name: &ObjectName) -> Name {
        let written = parse::name(self.run, name);
        match self.ctes.iter().find(|cte| cte.name.eq_ignore_ascii_case(&written.text)) {
            Some(Cte { base: Some(base), .. }) if self.run.dialect == super::Dialect::TSql => {
                Name { span: written.span, ..parse::name(self.run, base) }
            }
            _ => written,
        }
    }

    fn changes(
        &mut self,
        operation: Operation,
        name: Name,
        extent: Extent,
        count: Option<u64>,
        by: &str,
        verb: Option<Span>,
    ) {
        let resource = self.run.resource(ResourceKind::Table, &name);
        let span = super::cursor::join(verb, name.span).filter(|span| span.end - span.start < 200).or(name.span);
        self.run.put(operation, resource, extent, by, span, |effect: &mut Effect| effect.count = count);
    }

    fn insert(&mut self, insert: &Insert) {
        let by = if insert.replace_into { "REPLACE" } else { "INSERT" };
        let verb = parse::span(insert.insert_token.0.span);
        let count = insert.source.as_ref().and_then(|source| match &*source.body {
            SetExpr::Values(values) => Some(values.rows.len() as u64),
            _ => None,
        });
        let extent = match count {
            _ if insert.overwrite => Extent::All,
            Some(1) => Extent::One,
            _ => Extent::Some,
        };
        let count = count.filter(|count| *count > 1);
        if let TableObject::TableName(name) = &insert.table {
            if !(name.0.is_empty()) {
                let name = parse::name(self.run, name);
                self.changes(Operation::Update, name, extent, count, by, verb);
            }
        } else if let TableObject::TableFunction(function) = &insert.table {
            let (name, call) = (function.name.to_string(), function.to_string());
            let peer = call.split('\'').nth(1).unwrap_or_default().to_owned();
            let source = insert.source.as_ref().and_then(|source| match &*source.body {
                SetExpr::Select(select) => select.from.first().and_then(|from| self.table(&from.relation)),
                _ => None,
            });
            let resource = self.run.resource(ResourceKind::Table, &source.unwrap_or_default());
            let zone = if name.eq_ignore_ascii_case("file") { Zone::Local } else { Zone::External };
            transfer::export(self.run, resource, Extent::All, "INSERT INTO FUNCTION", verb, zone, peer);
        }
        let more = insert.multi_table_when_clauses.iter().flat_map(|when| &when.into_clauses);
        let more = more.chain(&insert.multi_table_into_clauses).chain(insert.multi_table_else_clause.iter().flatten());
        for clause in more {
            let name = parse::name(self.run, &clause.table_name);
            self.changes(Operation::Update, name, Extent::Some, None, by, verb);
        }
    }

    fn delete(&mut self, delete: &Delete) {
        let verb = parse::span(delete.delete_token.0.span);
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let using = delete.using.as_deref().unwrap_or_default();
        let sources: Vec<&TableWithJoins> = from.iter().chain(using).collect();
        let mut targets = Vec::new();
        if delete.tables.is_empty() {
            for table in from {
                match table_name(&table.relation) {
                    Some(name) => targets.push(self.resolve(name, &using.iter().collect::<Vec<_>>())),
                    None => targets.push(Name { unresolved: true, ..Name::default() }),
                }
            }
        } else {
            targets.extend(delete.tables.iter().map(|name| self.resolve(name, &sources)));
        }
        let target = targets.first().map_or("", |name| &name.text);
        let mut reached = reach(self.run, delete.selection.as_ref(), target);
        let joined =
            from.iter().any(|from| !from.joins.is_empty()) || using.iter().any(|using| !using.joins.is_empty());
        if reached.extent == Extent::All && delete.selection.is_none() && joined {
            reached.extent = Extent::Some;
        }
        let narrowed =
            delete.tables.iter().chain(from.iter().filter_map(|from| table_name(&from.relation))).any(|name| {
                let written = parse::name(self.run, name).text;
                self.ctes.iter().any(|cte| cte.limited && cte.base.is_some() && cte.name.eq_ignore_ascii_case(&written))
            });
        if reached.extent == Extent::All && narrowed && self.run.dialect == super::Dialect::TSql {
            reached.extent = Extent::Some;
        }
        let limit = delete.limit.as_ref().map(number).or(self.top.take());
        if let Some(limit) = limit.filter(|_| !self.run.looping) {
            (reached.extent, reached.count) = at_most(limit, reached.extent, reached.count);
        }
        for name in &targets {
            self.changes(Operation::Delete, name.clone(), reached.extent, reached.count, "DELETE", verb);
        }
        self.reads_others(&sources, &targets);
    }

    fn update(&mut self, update: &Update) {
        let verb = parse::span(update.update_token.0.span);
        let mut sources = vec![&update.table];
        if let Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) = &update.from {
            sources.extend(from);
        }
        let mut targets: Vec<Name> = Vec::new();
        if !update.table.joins.is_empty() {
            // MySQL: the tables that the assignments name.
            for assignment in &update.assignments {
                if let AssignmentTarget::ColumnName(column) = &assignment.target
                    && column.0.len() > 1
                {
                    let table = ObjectName(column.0[..column.0.len() - 1].to_vec());
                    let name = self.resolve(&table, &sources);
                    if !targets.iter().any(|target| target.text == name.text) {
                        targets.push(name);
                    }
                }
            }
        }
        if targets.is_empty() {
            match table_name(&update.table.relation) {
                Some(name) => targets.push(self.resolve(name, &sources[1..])),
                None => targets.push(Name { unresolved: true, ..Name::default() }),
            }
        }
        let target = targets.first().map_or("", |name| &name.text);
        let mut reached = reach(self.run, update.selection.as_ref(), target);
        let joined = sources.iter().any(|source| !source.joins.is_empty());
        if reached.extent == Extent::All && update.selection.is_none() && joined {
            reached.extent = Extent::Some;
        }
        let limit = update.limit.as_ref().map(number).or(self.top.take());
        if let Some(limit) = limit.filter(|_| !self.run.looping) {
            (reached.extent, reached.count) = at_most(limit, reached.extent, reached.count);
        }
        for name in &targets {
            self.changes(Operation::Update, name.clone(), reached.extent, reached.count, "UPDATE", verb);
        }
        self.reads_others(&sources, &targets);
    }

    fn reads_others(&mut self, sources: &[&TableWithJoins], targets: &[Name]) {
        for source in sources {
            for factor in std::iter::once(&source.relation).chain(source.joins.iter().map(|join| &join.relation)) {
                let alias = match factor {
                    TableFactor::Table { alias: Some(alias), .. } => Some(alias.name.value.as_str()),
                    _ => None,
                };
                let Some(name) = self.table(factor) else { continue };
                let is_target = |target: &Name| {
                    target.text == name.text
                        || Some(target.text.as_str()) == alias
                        || target.span.is_some() && target.span == name.span
                };
                if !targets.iter().any(is_target) {
                    self.reads(name, Extent::Some);
                }
            }
        }
    }

    fn merge(&mut self, merge: &Merge) {
        let verb = parse::span(merge.merge_token.0.span);
        let target = match table_name(&merge.table) {
            Some(name) => self.behind(name),
            None => Name { unresolved: true, ..Name::default() },
        };
        let whole = reach(self.run, Some(&merge.on), &target.text).extent == Extent::All;
        let mut seen: Vec<(Operation, Extent)> = Vec::new();
        for clause in &merge.clauses {
            let operation = match &clause.action {
                MergeAction::Delete { .. } => Operation::Delete,
                MergeAction::Update(_) | MergeAction::Insert(_) => Operation::Update,
                MergeAction::DoNothing { .. } => continue,
            };
            let all = whole && clause.predicate.is_none() && clause.clause_kind == MergeClauseKind::Matched;
            let extent = if all { Extent::All } else { Extent::Some };
            if !seen.contains(&(operation, extent)) {
                seen.push((operation, extent));
                self.changes(operation, target.clone(), extent, None, "MERGE", verb);
            }
        }
        if let Some(name) = self.table(&merge.source) {
            self.reads(name, Extent::All);
        }
    }
}

fn table_name(factor: &TableFactor) -> Option<&ObjectName> {
    match factor {
        TableFactor::Table { name, args: None, .. } => Some(name),
        _ => None,
    }
}

/// What a limit leaves of an extent.
pub(super) fn at_most(limit: Option<u64>, extent: Extent, count: Option<u64>) -> (Extent, Option<u64>) {
    match (limit, extent) {
        (Some(1), _) | (_, Extent::One) => (Extent::One, count),
        (limit, _) => (Extent::Some, limit.or(count)),
    }
}

fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.to_string().parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// `LIMIT ALL` and a mere OFFSET limit nothing.
fn limits(clause: &LimitClause) -> bool {
    match clause {
        LimitClause::LimitOffset { limit, .. } => limit.is_some(),
        LimitClause::OffsetCommaLimit { .. } => true,
    }
}

/// Whether a token could be (part of) a table's name.
pub(super) fn names_something(token: Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Param)
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn changes_are_found_wherever_they_stand() {
        check(
            "postgres",
            "WITH gone AS (DELETE FROM logs RETURNING *) INSERT INTO attic SELECT * FROM gone",
            "delete Table logs (all)\nupdate Table attic (some)",
        );
        check(
            "postgres",
            "MERGE INTO stock s USING sold d ON 1 = 1 WHEN MATCHED THEN DELETE",
            "delete Table stock (all)\nread Table sold (all)",
        );
        check(
            "mysql",
            "DELETE l FROM logs l JOIN bans b ON b.id = l.id",
            "delete Table logs (some)\nread Table bans (some)",
        );
        check(
            "mysql",
            "UPDATE logs l JOIN bans b ON b.id = l.id SET b.seen = 1",
            "update Table bans (some)\nread Table logs (some)",
        );
        check("tsql", "UPDATE l SET l.seen = 1 FROM dbo.logs AS l WHERE l.id = @id", "update Table dbo.logs (one)");
        check(
            "tsql",
            "WITH old AS (SELECT * FROM logs WHERE day < 3) DELETE FROM old",
            "read Table logs (some)\ndelete Table logs (some)",
        );
        check("tsql", "DELETE TOP (5) FROM logs", "delete Table logs (some, 5 rows)");
        check("mysql", "DELETE FROM logs LIMIT 5", "delete Table logs (some, 5 rows)");
        check(
            "postgres",
            "SELECT * INTO attic FROM logs WHERE id = 3",
            "read Table logs (one)\ncreate Table attic (one)",
        );
        check(
            "postgres",
            "SELECT * FROM logs l JOIN users u ON u.id = l.user_id WHERE l.id = 3",
            "read Table logs (one)\nread Table users (some)",
        );
        check(
            "postgres",
            "DELETE FROM ONLY {{ schema }}.logs",
            "delete Table schema.logs (all, unresolved)\ngap unresolved-variable: schema.logs",
        );
        check(
            "mysql",
            "SELECT * FROM users INTO OUTFILE '/tmp/u'",
            "export Table users (all, local /tmp/u)\nread Table users (all)",
        );
    }
}
