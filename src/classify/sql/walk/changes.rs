//! INSERT, UPDATE, DELETE and MERGE, from the parser's tree.

use sqlparser::ast::{
    AssignmentTarget, Delete, FromTable, Insert, Join, JoinConstraint, JoinOperator, Merge, MergeAction,
    MergeClauseKind, ObjectName, SetExpr, TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind,
};

use crate::classify::sql::cursor::{Name, join};
use crate::classify::sql::data::at_most;
use crate::classify::sql::predicate::reach_joined;
use crate::classify::sql::{Dialect, parse, transfer};
use crate::model::{Effect, Extent, Operation, ResourceKind, Span, Zone};

use super::{Walk, number, table_name};

impl Walk<'_, '_, '_, '_> {
    pub(super) fn changes(
        &mut self,
        operation: Operation,
        name: Name,
        extent: Extent,
        count: Option<u64>,
        by: &str,
        verb: Option<Span>,
    ) {
        let resource = self.run.resource(ResourceKind::Table, &name);
        let span = join(verb, name.span).filter(|span| span.end - span.start < 200).or(name.span);
        self.run.put(operation, resource, extent, by, span, |effect: &mut Effect| effect.count = count);
    }

    pub(super) fn insert(&mut self, insert: &Insert) {
        let by = if insert.replace_into { "REPLACE" } else { "INSERT" };
        let verb = parse::span(insert.insert_token.0.span);
        let count = insert.source.as_ref().and_then(|source| match &*source.body {
            SetExpr::Values(values) => Some(values.rows.len() as u64),
            _ => None,
        });
        let extent = match count {
            // One partition is a part of a table.
            _ if insert.overwrite && insert.partitioned.as_ref().is_some_and(|parts| !parts.is_empty()) => Extent::Some,
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

    pub(super) fn delete(&mut self, delete: &Delete) {
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
        let same = self.names_of(target, &sources);
        let mut reached = reach_joined(self.run, delete.selection.as_ref(), target, &same);
        let joined = sources.iter().flat_map(|source| &source.joins).any(|join| !self.keeps_all(join, target, &same));
        if reached.extent == Extent::All && delete.selection.is_none() && joined {
            reached.extent = Extent::Some;
        }
        let narrowed =
            delete.tables.iter().chain(from.iter().filter_map(|from| table_name(&from.relation))).any(|name| {
                let written = parse::name(self.run, name).text;
                self.ctes.iter().any(|cte| cte.limited && cte.base.is_some() && cte.name.eq_ignore_ascii_case(&written))
            });
        if reached.extent == Extent::All && narrowed && self.run.dialect == Dialect::TSql {
            reached.extent = Extent::Some;
        }
        if reached.extent == Extent::One && self.has_others(target, &sources) {
            // The key may be that of another table.
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

    pub(super) fn update(&mut self, update: &Update) {
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
        let same = self.names_of(target, &sources);
        let mut reached = reach_joined(self.run, update.selection.as_ref(), target, &same);
        let joined = sources.iter().flat_map(|source| &source.joins).any(|join| !self.keeps_all(join, target, &same));
        if reached.extent == Extent::All && update.selection.is_none() && joined {
            reached.extent = Extent::Some;
        }
        if reached.extent == Extent::One && self.has_others(target, &sources) {
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

    /// The names that the table `target` has among the sources, where it stands there more than once.
    fn names_of(&self, target: &str, sources: &[&TableWithJoins]) -> Vec<String> {
        if is_one_table(sources) {
            return Vec::new();
        }
        let factors = sources
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
        let mut names = Vec::new();
        for factor in factors {
            if let TableFactor::Table { name, alias, .. } = factor
                && parse::name(self.run, name).text.eq_ignore_ascii_case(target)
            {
                // A table without another name is told by the end of its own.
                let own = || target.rsplit('.').next().unwrap_or(target).to_owned();
                names.push(alias.as_ref().map_or_else(own, |alias| alias.name.value.clone()));
            }
        }
        if names.len() > 1 { names } else { Vec::new() }
    }

    /// Whether tables other than `target` stand among the sources.
    fn has_others(&self, target: &str, sources: &[&TableWithJoins]) -> bool {
        if is_one_table(sources) {
            return false;
        }
        let factors: Vec<(String, Option<&str>)> = sources
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
            .filter_map(|factor| match factor {
                TableFactor::Table { name, alias, .. } => {
                    Some((parse::name(self.run, name).text, alias.as_ref().map(|alias| alias.name.value.as_str())))
                }
                _ => None,
            })
            .collect();
        let of_target = |name: &str| {
            name.eq_ignore_ascii_case(target)
                || factors.iter().any(|(table, alias)| {
                    table.eq_ignore_ascii_case(target) && alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
                })
        };
        factors.iter().any(|(table, _)| !of_target(table))
    }

    /// Whether a join leaves no row of the target out: with itself on its key, or an outer one.
    fn keeps_all(&self, join: &Join, target: &str, same: &[String]) -> bool {
        use JoinOperator::{CrossJoin, Inner, Join as Plain, Left, LeftOuter};
        match &join.join_operator {
            Plain(JoinConstraint::On(on)) | Inner(JoinConstraint::On(on)) => {
                !same.is_empty() && reach_joined(self.run, Some(on), target, same).extent == Extent::All
            }
            Left(_) | LeftOuter(_) | CrossJoin(_) => true,
            _ => false,
        }
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

    pub(super) fn merge(&mut self, merge: &Merge) {
        let verb = parse::span(merge.merge_token.0.span);
        let target = match table_name(&merge.table) {
            Some(name) => self.behind(name),
            None => Name { unresolved: true, ..Name::default() },
        };
        let same = self.names_of(&target.text, &[&lone(&merge.table), &lone(&merge.source)]);
        let whole = reach_joined(self.run, Some(&merge.on), &target.text, &same).extent == Extent::All;
        // Values that somebody wrote down are the source of hardly any row of a table.
        let sourceless = matches!(&merge.source, TableFactor::Derived { subquery, .. }
            if matches!(&*subquery.body, SetExpr::Select(select) if select.from.is_empty()));
        let mut seen: Vec<(Operation, Extent)> = Vec::new();
        for clause in &merge.clauses {
            let operation = match &clause.action {
                MergeAction::Delete { .. } => Operation::Delete,
                MergeAction::Update(_) | MergeAction::Insert(_) => Operation::Update,
                MergeAction::DoNothing { .. } => continue,
            };
            let all = clause.predicate.is_none()
                && match clause.clause_kind {
                    MergeClauseKind::Matched => whole,
                    MergeClauseKind::NotMatchedBySource => sourceless,
                    _ => false,
                };
            let extent = if all { Extent::All } else { Extent::Some };
            if let MergeAction::Update(update) = &clause.action
                && update.delete_predicate.is_some()
                && !seen.contains(&(Operation::Delete, Extent::Some))
            {
                seen.push((Operation::Delete, Extent::Some));
                self.changes(Operation::Delete, target.clone(), Extent::Some, None, "MERGE", verb);
            }
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

fn lone(factor: &TableFactor) -> TableWithJoins {
    TableWithJoins { relation: factor.clone(), joins: Vec::new() }
}

/// Nearly all changes name one table and nothing else.
fn is_one_table(sources: &[&TableWithJoins]) -> bool {
    matches!(sources, [only] if only.joins.is_empty())
}
