//! What Teleport tells of databases: statements, and the steps that a prepared one takes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Act;
use crate::model::{Gap, GapKind, Hides, Outcome};
use crate::reader::format::audit;
use crate::reader::format::proxied::{self, Asked, inner, missing, word};

/// More statements than this are not remembered in a session.
const MAX_PREPARED: usize = 4_096;

/// What was prepared in a session and not yet given up.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    statements: HashMap<String, String>,
    /// A portal is a statement with its values.
    portals: HashMap<String, (String, bool)>,
    /// MySQL counts statements; only their text is told when they are made.
    count: u64,
}

impl Prepared {
    fn prepare(&mut self, name: String, query: String) {
        if self.statements.len() < MAX_PREPARED {
            self.statements.insert(name, query);
        }
    }
}

/// What an event says was done to a database.
pub(super) fn act(kind: &str, event: &Map<String, Value>, prepared: &mut Prepared) -> Option<Act> {
    let word = |names: &[&str]| word(event, names);
    let protocol = word(&["db_protocol"]);
    let database = word(&["db_name"]);
    let outcome = outcome(kind, event);
    let sql = |query: &str| Asked::of_database(&protocol, query, &database);
    let done = |asked: Asked, gaps: Vec<Gap>| Some(Act { asked, gaps, outcome: outcome.clone() });
    let named = |word: String| format!("`{}`", word.replace('`', "``"));
    match kind.strip_prefix("db.session.").unwrap_or(kind) {
        "query" | "query.failed" => {
            let query = word(&["db_query"]);
            if query.trim().is_empty() {
                return None;
            }
            let mut gaps = Vec::new();
            let given = event.get("db_query_parameters").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            let open = query.contains("$1") || query.contains('?') && protocol != "postgres";
            if open && !given && matches!(sql(""), Asked::Sql(..)) {
                gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Nothing, "values"));
            }
            // An event that is too large is trimmed.
            if query.ends_with("...") && query.len() > 1_000 {
                gaps.push(audit::gap(GapKind::Truncated, Hides::Anything, "statement"));
            }
            done(sql(&query), gaps)
        }
        "postgres.statements.parse" => {
            prepared.prepare(word(&["statement_name"]), word(&["query"]));
            None
        }
        "postgres.statements.bind" => {
            let query = prepared.statements.get(&word(&["statement_name"])).cloned().unwrap_or_default();
            let given = event.get("parameters").is_some();
            if prepared.portals.len() < MAX_PREPARED {
                prepared.portals.insert(word(&["portal_name"]), (query, given));
            }
            None
        }
        "postgres.statements.execute" => {
            let portal = prepared.portals.get(&word(&["portal_name"])).cloned();
            run(&sql, portal, &outcome)
        }
        "postgres.statements.close" => {
            prepared.statements.remove(&word(&["statement_name"]));
            prepared.portals.remove(&word(&["portal_name"]));
            None
        }
        "postgres.function" => done(sql("SELECT unknown_function()"), vec![missing("which function was called")]),
        "mysql.statements.prepare" => {
            prepared.count += 1;
            prepared.prepare(prepared.count.to_string(), word(&["query"]));
            None
        }
        "mysql.statements.execute" | "mysql.statements.bulk_execute" => {
            let query = prepared.statements.get(&word(&["statement_id"])).cloned();
            run(&sql, query.map(|query| (query, event.get("parameters").is_some())), &outcome)
        }
        "mysql.create_db" => done(sql(&format!("CREATE DATABASE {}", named(word(&["schema_name"])))), Vec::new()),
        "mysql.drop_db" => done(sql(&format!("DROP DATABASE {}", named(word(&["schema_name"])))), Vec::new()),
        "mysql.shut_down" => done(sql("SHUTDOWN"), Vec::new()),
        "mysql.process_kill" => done(sql(&format!("KILL {}", word(&["process_id"]))), Vec::new()),
        "sqlserver.rpc_request" => {
            let name = word(&["proname"]);
            let parameters = event.get("parameters").and_then(Value::as_array);
            // The procedures through which drivers send statements with values.
            let text = parameters.into_iter().flatten().filter_map(Value::as_str).find(|text| text.contains(' '));
            match (name.to_ascii_lowercase().starts_with("sp_"), text) {
                (true, Some(text)) => done(sql(text), Vec::new()),
                _ => done(sql(&format!("EXEC {name}")), Vec::new()),
            }
        }
        "cassandra.batch" => {
            let children = event.get("children").and_then(Value::as_array)?;
            let queries: Vec<&str> = children.iter().filter_map(|child| child.get("query")?.as_str()).collect();
            let gaps = if queries.len() < children.len() {
                vec![missing("a prepared statement of the batch")]
            } else {
                Vec::new()
            };
            done(sql(&queries.join(";\n")), gaps)
        }
        "cassandra.prepare" => {
            prepared.prepare(word(&["query_id"]), word(&["query"]));
            None
        }
        "cassandra.execute" => {
            let query = prepared.statements.get(&word(&["query_id"])).cloned();
            run(&sql, query.map(|query| (query, true)), &outcome)
        }
        "elasticsearch.request" | "opensearch.request" => {
            let address = format!("https://{}{}", word(&["db_uri"]), word(&["path"]));
            let address = match word(&["raw_query"]) {
                query if query.is_empty() => address,
                query => format!("{address}?{query}"),
            };
            let body = match event.get("body") {
                Some(Value::String(body)) => Some(body.clone()),
                Some(Value::Null) | None => None,
                Some(body) => Some(body.to_string()),
            };
            // Methods are told by their number.
            let method = match word(&["method"]).as_str() {
                "0" => "GET".to_owned(),
                "1" => "HEAD".to_owned(),
                "2" => "POST".to_owned(),
                "3" => "PUT".to_owned(),
                "4" => "DELETE".to_owned(),
                "5" => "OPTIONS".to_owned(),
                method => method.to_owned(),
            };
            done(Asked::of_http(&method, &address, body.as_deref()), Vec::new())
        }
        "dynamodb.request" | "app.session.dynamodb.request" => {
            let target = word(&["target"]);
            let operation = target.rsplit('.').next().unwrap_or_default();
            let body = inner(event, &["body"]).cloned();
            let gaps = if body.is_none() { vec![missing("the parameters of the request")] } else { Vec::new() };
            let asked = Asked::Api(format!("dynamodb.amazonaws.com:{operation}"), body.unwrap_or_default());
            (!operation.is_empty()).then(|| Act { asked, gaps, outcome })
        }
        _ => None,
    }
}

/// A prepared statement is run; what it is may have been told in another file.
fn run(sql: &dyn Fn(&str) -> Asked, prepared: Option<(String, bool)>, outcome: &Outcome) -> Option<Act> {
    let (query, given) = prepared.filter(|(query, _)| !query.trim().is_empty()).unwrap_or_default();
    let mut gaps = Vec::new();
    if query.is_empty() {
        gaps.push(missing("the statement that was prepared"));
    } else if !given {
        gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Nothing, "values"));
    }
    let text = if query.is_empty() { "EXECUTE prepared" } else { query.as_str() };
    Some(Act { asked: sql(text), gaps, outcome: outcome.clone() })
}

fn outcome(kind: &str, event: &Map<String, Value>) -> Outcome {
    let stated = event.get("success").and_then(Value::as_bool);
    let failed = kind.ends_with(".failed") || stated == Some(false) || word(event, &["code"]).ends_with('W');
    let code = word(event, &["status_code"]).parse::<u16>().ok();
    match code {
        Some(code) if (400..500).contains(&code) => audit::refused(""),
        _ if failed => proxied::ended(Some(false)),
        _ => proxied::ended(stated),
    }
}
