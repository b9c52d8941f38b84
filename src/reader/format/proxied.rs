//! What access proxies have in common: they see what goes through them, and tell it as a statement, a command line, a
//! request or a call.

use serde_json::{Map, Value};

use super::audit::{self, Shelf};
use super::mongodb;
use crate::model::{Action, Executed, GapKind, Hides, Kind, Outcome};
use crate::reader::record::quoted;
use crate::reader::transcript::At;

/// What was asked of the thing behind the proxy.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// A statement in a dialect; an empty name is one that nobody said.
    Sql(String, String),
    Shell(String),
    Exec(Vec<String>),
    /// An operation of an API, by its name.
    Api(String, Map<String, Value>),
    /// A call of a tool.
    Tool(String, Map<String, Value>),
}

impl Asked {
    /// What a client sent to a database that speaks `protocol`; and whether all of it is understood.
    pub(super) fn of_database(protocol: &str, query: &str, database: &str) -> Self {
        match protocol.to_ascii_lowercase().as_str() {
            "redis" | "valkey" | "memorydb" | "elasticache" => {
                let mut argv = vec!["redis-cli".to_owned()];
                argv.extend(query.split_whitespace().map(|word| word.trim_matches('"').to_owned()));
                Self::Exec(argv)
            }
            "mongodb" | "mongo" | "documentdb" => {
                let mut argv = vec!["mongosh".to_owned()];
                argv.extend((!database.is_empty()).then(|| database.to_owned()));
                argv.extend(["--eval".to_owned(), mongo(query, database)]);
                Self::Exec(argv)
            }
            other => {
                let dialect = match other {
                    "cockroachdb" | "postgresql" => "postgres",
                    "mariadb" => "mysql",
                    "sqlserver" | "mssql" | "azure-sql" => "tsql",
                    "oracledb" => "oracle",
                    "clickhouse-http" => "clickhouse",
                    other => other,
                };
                Self::Sql(dialect.to_owned(), query.to_owned())
            }
        }
    }

    /// A request of HTTP, as the command line that sends it.
    pub(super) fn of_http(method: &str, address: &str, body: Option<&str>) -> Self {
        let mut argv: Vec<String> = ["curl", "-X", method].map(str::to_owned).to_vec();
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            argv.extend(["-d".to_owned(), body.to_owned()]);
        }
        argv.push(address.to_owned());
        Self::Exec(argv)
    }
}

/// `OpMsg(Body={"drop": "a", "$db": "shop"}, Documents=[])`, a command, or what was typed into the shell.
fn mongo(query: &str, database: &str) -> String {
    let command = match query.split_once("Body=") {
        Some((_, rest)) => with_documents(mongodb::whole(rest).unwrap_or(rest), rest),
        None => query.trim().to_owned(),
    };
    let document = command.starts_with('{');
    let calls = if document { mongodb::calls(&command, database) } else { None };
    match calls {
        Some(calls) if !calls.is_empty() => calls.join("; "),
        _ if document => format!("db.runCommand({command})"),
        _ => command,
    }
}

/// The documents of a write may stand beside its body.
fn with_documents(body: &str, rest: &str) -> String {
    let documents = rest.split_once("Documents=").and_then(|(_, list)| mongodb::whole(list)).unwrap_or("[]");
    let named = mongodb::members(body).first().and_then(|(name, _)| match *name {
        "delete" => Some("deletes"),
        "update" => Some("updates"),
        "insert" => Some("documents"),
        _ => None,
    });
    match (named, body.strip_suffix('}')) {
        (Some(name), Some(open)) if documents != "[]" && !body.contains(name) => {
            format!("{open},\"{name}\":{documents}}}")
        }
        _ => body.to_owned(),
    }
}

/// One act as a proxy tells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// Who, when, where and how it ended; the call in it is empty.
    pub(super) found: audit::Found<'a>,
    pub(super) asked: Asked,
}

/// The action of what was told.
pub(super) fn action(shelf: &mut Shelf<'_>, told: Told<'_>, at: At) -> Action {
    let Told { mut found, asked } = told;
    let mut plain = |kind: Kind, text: String, argv: Option<Vec<String>>| {
        // The text takes part in the id of a record that has none of its own.
        found.tool.clone_from(&text);
        (kind, text, argv)
    };
    let (kind, text, argv) = match asked {
        Asked::Sql(dialect, text) => {
            let kept = plain(Kind::Sql, text, None);
            found.surroundings.dialect = Some(dialect).filter(|name| !name.is_empty());
            kept
        }
        Asked::Shell(text) => plain(Kind::Shell, text, None),
        Asked::Exec(argv) => plain(Kind::Exec, quoted(&argv), Some(argv)),
        Asked::Api(tool, arguments) => {
            (found.tool, found.arguments) = (tool, arguments);
            return shelf.action(found, at);
        }
        Asked::Tool(tool, arguments) => {
            (found.tool, found.arguments) = (tool, arguments);
            let mut action = shelf.action(found, at);
            action.kind = Kind::Tool;
            // No arguments and unknown ones are not the same.
            action.arguments.get_or_insert_with(|| "{}".into());
            return action;
        }
    };
    let mut action = shelf.action(found, at);
    (action.kind, action.text, action.argv) = (kind, text.into(), argv.map(Into::into));
    (action.tool, action.arguments) = (None, None);
    action
}

/// How something ended that went through, by what the other side answered.
pub(super) fn ended(succeeded: Option<bool>) -> Outcome {
    Outcome { executed: Executed::Yes, succeeded, ..Outcome::default() }
}

/// The text of a member, numbers as they are written.
pub(super) fn word(object: &Map<String, Value>, names: &[&str]) -> String {
    let found = names.iter().filter_map(|name| object.get(*name)).find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    found.unwrap_or_default()
}

/// A member that is an object.
pub(super) fn inner<'o>(object: &'o Map<String, Value>, names: &[&str]) -> Option<&'o Map<String, Value>> {
    names.iter().find_map(|name| object.get(*name)?.as_object())
}

/// What a record lacks of what was asked.
pub(super) fn missing(detail: &str) -> crate::model::Gap {
    audit::gap(GapKind::BodyMissing, Hides::Anything, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_asked_in_their_own_way() {
        let check = |protocol: &str, query: &str, expected: &str| {
            let shown = match Asked::of_database(protocol, query, "shop") {
                Asked::Sql(dialect, text) => format!("{dialect} {text}"),
                Asked::Exec(argv) => quoted(&argv),
                other => format!("{other:?}"),
            };
            assert_eq!(shown, expected);
        };
        check("cockroachdb", "SELECT 1", "postgres SELECT 1");
        check("redis", "DEL \"cart:1\" b", "redis-cli DEL cart:1 b");
        let told = r#"OpMsg(Body={"drop": "till","$db": "shop"}, Documents=[], Flags=)"#;
        check("mongodb", told, "mongosh shop --eval 'db.till.drop()'");
        check("mongodb", "db.till.find({})", "mongosh shop --eval 'db.till.find({})'");
        let told = r#"OpMsg(Body={"delete":"till","$db":"shop"}, Documents=[{"q":{},"limit":0}], Flags=)"#;
        check("mongodb", told, "mongosh shop --eval 'db.till.deleteMany({})'");
    }
}
