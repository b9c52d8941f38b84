//! Walks the parser's tree of a query or a change of rows, and notes what each part of it does.

mod changes;
mod secrets;

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, LimitClause, ObjectName, ObjectNamePart, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins,
    TopQuantity, Value, Visitor,
};

use crate::model::{Area, Extent, Operation, Resource, ResourceKind};

use super::cursor::Name;
use super::predicate::reach;
use super::{Run, parse, transfer};

/// Walks a tree and notes what each part of it does.
pub(super) struct Walk<'r, 's, 'a, 't> {
    run: &'r mut Run<'s, 'a, 't>,
    /// Tables whose reading is noted already, to say it once.
    tables: Vec<(String, Extent)>,
    /// What WITH has named so far.
    ctes: Vec<Cte>,
    /// What the columns of the query at hand are.
    asks: secrets::Asks,
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

impl<'r, 's, 'a, 't> Walk<'r, 's, 'a, 't> {
    /// `top` are the rows that a TOP which the parser does not know lets through.
    pub(super) fn new(run: &'r mut Run<'s, 'a, 't>, top: Option<Option<u64>>) -> Self {
        Self { run, tables: Vec::new(), ctes: Vec::new(), asks: secrets::Asks::default(), top }
    }
}

/// A name that WITH gives to a query.
struct Cte {
    name: String,
    /// The table behind it, when there is just one.
    base: Option<ObjectName>,
    /// It lets only some rows of that table through.
    limited: bool,
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
        self.asks = secrets::asked(select);
        for from in &select.from {
            self.reads_all(from, &mut extent_here);
        }
        self.asks = secrets::Asks::default();
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
            let mut resource = self.run.resource(ResourceKind::Table, &name);
            if secrets::reads(&name.text, self.asks, extent) {
                resource.areas = resource.areas.with(Area::Credential);
            }
            self.run.put(Operation::Read, resource, extent, "SELECT", name.span, |_| {});
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
}

fn table_name(factor: &TableFactor) -> Option<&ObjectName> {
    match factor {
        TableFactor::Table { name, args: None, .. } => Some(name),
        _ => None,
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
