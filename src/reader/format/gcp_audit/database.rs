//! Statements that databases of Google Cloud write into the audit log: pgAudit in Cloud SQL and AlloyDB, MySQL's audit
//! plugin in Cloud SQL.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::reader::format::postgres::{Entry, Sessions, Severity};
use crate::reader::transcript::At;
use crate::reader::{Out, Source};

/// Statements that come in parts are waited for, at most so many.
const MOST_OPEN: usize = 1_024;

/// What an entry is about, beside its request.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) account: &'a str,
    /// `projects/acme/instances/orders-eu`
    pub(super) resource: &'a str,
}

/// The lines of pgAudit in one file.
#[derive(Debug)]
pub(super) struct PgAudit {
    sessions: Sessions,
    /// What has come of statements in parts; by session and number.
    open: HashMap<(String, String), String>,
}

/// The request, when it is a line of pgAudit.
pub(super) fn pgaudit(request: &Map<String, Value>) -> bool {
    is_entry(request, "PgAuditEntry")
}

fn is_entry(request: &Map<String, Value>, sort: &str) -> bool {
    request.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.rsplit('.').next() == Some(sort))
}

fn word(request: &Map<String, Value>, key: &str) -> String {
    match request.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

impl PgAudit {
    pub(super) fn new(source: &Source) -> Self {
        Self { sessions: Sessions::new("gcp_audit", source), open: HashMap::new() }
    }

    /// Takes one line, or a part of one.
    pub(super) fn take(
        &mut self,
        request: &Map<String, Value>,
        around: &Around<'_>,
        at: At,
        out: &mut dyn Out,
    ) -> ControlFlow<()> {
        let word = |key: &str| word(request, key);
        let session = word("databaseSessionId");
        let (index, count) = (word("chunkIndex").parse().unwrap_or(1u32), word("chunkCount").parse().unwrap_or(1u32));
        let number = format!("{}.{}.{}", word("statementId"), word("substatementId"), word("object"));
        let key = (session.clone(), number);
        let before = if index > 1 { self.open.remove(&key) } else { None };
        let cut = index > 1 && before.is_none();
        let mut statement = before.unwrap_or_default();
        statement.push_str(&word("statement"));
        if index < count {
            if self.open.len() >= MOST_OPEN {
                self.open.clear();
            }
            self.open.insert(key, statement);
            out.nothing();
            return ControlFlow::Continue(());
        }
        // As pgAudit has written it; what it says in `<>` stands in `[]` here.
        let mut message = format!("AUDIT: {}", word("auditType"));
        let sentinel = |text: String| match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(inner @ ("not logged" | "none" | "previously logged" | "long param suppressed")) => {
                format!("<{inner}>")
            }
            _ => text,
        };
        let parameter = Some(word("parameter")).filter(|text| !text.is_empty()).unwrap_or_else(|| "<none>".to_owned());
        let fields = [
            word("statementId"),
            word("substatementId"),
            word("auditClass"),
            word("command"),
            word("objectType"),
            word("object"),
            sentinel(statement),
            sentinel(parameter),
        ];
        for field in fields {
            let _ = write!(message, ",\"{}\"", field.replace('"', "\"\""));
        }
        let instance = around.resource.rsplit('/').next().unwrap_or_default();
        let (user, database) = (word("user"), word("database"));
        let entry = Entry {
            line: at.line,
            offset: at.offset,
            time: around.time,
            severity: Severity::Log,
            user: &user,
            database: &database,
            pid: &session,
            message: &message,
            server: instance,
            account: around.account,
            cut,
            ..Entry::default()
        };
        self.sessions.take(&entry, out)
    }

    /// Hands out what still waited.
    pub(super) fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.sessions.finish(out)
    }
}

/// A statement that MySQL's audit plugin tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) query: String,
    pub(super) user: String,
    pub(super) database: Option<String>,
    pub(super) session: String,
    pub(super) failed: bool,
}

/// The statement of a request, when it is a record of MySQL's audit plugin.
pub(super) fn mysql(request: &Map<String, Value>) -> Option<Told> {
    if !is_entry(request, "MysqlAuditEntry") {
        return None;
    }
    let word = |key: &str| word(request, key);
    let query = word("query");
    let database = request.get("objects").and_then(|objects| {
        let first = objects.as_array()?.first()?;
        Some(first.get("db")?.as_str()?.to_owned()).filter(|name| !name.is_empty())
    });
    let failed = word("status").starts_with("unsuccess") || !matches!(word("errCode").as_str(), "" | "0");
    let told = Told { query, user: word("user"), database, session: word("threadId"), failed };
    (!told.query.trim().is_empty()).then_some(told)
}
