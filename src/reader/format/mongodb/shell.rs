//! A database command as the call of the mongo shell that sends it: `{ delete: "a", deletes: [ { q: {}, limit: 0 } ] }` is
//! `db.a.deleteMany({})`.

/// The fields of an object as they are written, in order. JSON and what old logs write instead of it: bare names,
/// `ObjectId('…')`.
pub(in super::super) fn members(object: &str) -> Vec<(&str, &str)> {
    let mut members = Vec::new();
    let Some(inner) = object.trim().strip_prefix('{') else { return members };
    let mut at = 0;
    while let Some(end) = value_end(inner, at) {
        if let Some((name, value)) = split_member(&inner[at..end]) {
            members.push((name, value));
        }
        match inner.as_bytes().get(end) {
            Some(b',') => at = end + 1,
            _ => break,
        }
    }
    members
}

/// The elements of a list.
pub(super) fn elements(list: &str) -> Vec<&str> {
    let mut elements = Vec::new();
    let Some(inner) = list.trim().strip_prefix('[') else { return elements };
    let mut at = 0;
    while let Some(end) = value_end(inner, at) {
        let element = inner[at..end].trim();
        if !element.is_empty() {
            elements.push(element);
        }
        match inner.as_bytes().get(end) {
            Some(b',') => at = end + 1,
            _ => break,
        }
    }
    elements
}

/// The object or list that `text` begins with; `None` when it breaks off.
pub(in super::super) fn whole(text: &str) -> Option<&str> {
    let (mut depth, mut quote, mut escaped) = (0u32, 0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != 0 => escaped = true,
            _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'"' | b'\'' => quote = byte,
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(..=at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a value ends: at the next comma or the bracket that closes what it stands in.
fn value_end(text: &str, from: usize) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0u32, 0, false);
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != 0 => escaped = true,
            _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'"' | b'\'' => quote = byte,
            b'{' | b'[' | b'(' => depth += 1,
            b',' | b'}' | b']' | b')' if depth == 0 => return Some(at),
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn split_member(member: &str) -> Option<(&str, &str)> {
    let member = member.trim();
    let (name, value) = match member.strip_prefix('"') {
        Some(rest) => {
            let (name, rest) = rest.split_once('"')?;
            (name, rest.trim_start().strip_prefix(':')?)
        }
        None => member.split_once(':')?,
    };
    Some((name.trim(), value.trim()))
}

/// What stands in quotes.
pub(super) fn plain(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

fn get<'a>(members: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    members.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// What a driver or a server says to keep a connection or a cluster going, and what only asks about the server.
const OWN: &[&str] = &[
    "abortTransaction",
    "authenticate",
    "buildInfo",
    "buildinfo",
    "coll_stats",
    "collStats",
    "collstats",
    "commitTransaction",
    "connectionStatus",
    "connPoolStats",
    "currentOp",
    "dataSize",
    "dbStats",
    "dbstats",
    "endSessions",
    "explain",
    "features",
    "getCmdLineOpts",
    "getDefaultRWConcern",
    "getFreeMonitoringStatus",
    "getLastError",
    "getlasterror",
    "getLog",
    "getMore",
    "getnonce",
    "getParameter",
    "getShardMap",
    "getShardVersion",
    "hello",
    "hostInfo",
    "isdbgrid",
    "isMaster",
    "ismaster",
    "killCursors",
    "listCollections",
    "listCommands",
    "listDatabases",
    "listIndexes",
    "logout",
    "ping",
    "profile",
    "refreshSessions",
    "replSetGetConfig",
    "replSetGetRBID",
    "replSetGetStatus",
    "replSetHeartbeat",
    "replSetRequestVotes",
    "replSetUpdatePosition",
    "saslContinue",
    "saslStart",
    "serverStatus",
    "setShardVersion",
    "top",
    "usersInfo",
    "validate",
    "whatsmyuri",
    "writebacklisten",
    "$msg",
    "_getUserCacheGeneration",
    "_isSelf",
    "_recvChunkStart",
    "_recvChunkStatus",
    "_recvChunkCommit",
];

/// The calls that a command is, none for one of no interest; `None` when it is not understood.
pub(in super::super) fn calls(command: &str, namespace: &str) -> Option<Vec<String>> {
    let members = members(command);
    let (name, value) = *members.first()?;
    let database = namespace.split('.').next().unwrap_or("");
    let collection = |name: &str| reach(plain(name));
    let of = |method: &str, arguments: &str| Some(vec![format!("{}.{method}({arguments})", collection(value))]);
    let field = |name: &str| get(&members, name);
    let query = field("filter").or_else(|| field("query")).unwrap_or("{}");
    Some(match name {
        _ if OWN.contains(&name) => Vec::new(),
        "drop" => return of("drop", ""),
        "dropDatabase" => vec!["db.dropDatabase()".to_owned()],
        "dropIndexes" | "deleteIndexes" => {
            return match field("index").map(plain) {
                Some("*") | None => of("dropIndexes", ""),
                Some(index) => of("dropIndex", &format!("{index:?}")),
            };
        }
        "delete" => {
            elements(field("deletes").unwrap_or("")).iter().map(|one| removed(&collection(value), one)).collect()
        }
        "update" => {
            elements(field("updates").unwrap_or("")).iter().map(|one| updated(&collection(value), one)).collect()
        }
        "insert" => return of("insertMany", field("documents").unwrap_or("[]")),
        "find" => return of("find", query),
        "count" => return of("countDocuments", query),
        "distinct" => return of("distinct", &format!("{}, {query}", field("key").unwrap_or("\"\""))),
        "aggregate" if value.starts_with(['1', '{']) => {
            vec![format!("db.aggregate({})", field("pipeline").unwrap_or("[]"))]
        }
        "aggregate" => return of("aggregate", field("pipeline").unwrap_or("[]")),
        "findAndModify" | "findandmodify" => match field("remove").is_some_and(|remove| remove.starts_with(['t', '1']))
        {
            true => return of("findOneAndDelete", query),
            false => return of("findOneAndUpdate", &format!("{query}, {}", field("update").unwrap_or("{}"))),
        },
        "create" => vec![format!("db.createCollection({:?})", plain(value))],
        "createIndexes" => return of("createIndex", field("indexes").unwrap_or("{}")),
        "collMod" => return of("runCommand", "\"collMod\""),
        "renameCollection" => {
            let (from, to) = (plain(value), plain(field("to").unwrap_or("")));
            let (from_database, from) = from.split_once('.').unwrap_or((database, from));
            let to = to.split_once('.').map_or(to, |(_, name)| name);
            let dropped = field("dropTarget").is_some_and(|flag| flag.starts_with(['t', '1']));
            let owner =
                if from_database == database { "db".to_owned() } else { format!("db.getSiblingDB({from_database:?})") };
            vec![format!("{owner}.getCollection({from:?}).renameCollection({to:?}, {dropped})")]
        }
        "createUser" | "updateUser" | "dropUser" | "createRole" | "dropRole" => {
            vec![format!("db.{name}({:?})", plain(value))]
        }
        "grantRolesToUser" | "revokeRolesFromUser" | "grantPrivilegesToRole" | "revokePrivilegesFromRole" => {
            let granted = field("roles").or_else(|| field("privileges")).unwrap_or("[]");
            vec![format!("db.{name}({:?}, {granted})", plain(value))]
        }
        "dropAllUsersFromDatabase" => vec!["db.dropAllUsers()".to_owned()],
        "dropAllRolesFromDatabase" => vec!["db.dropAllRoles()".to_owned()],
        "shutdown" => vec!["db.shutdownServer()".to_owned()],
        "killOp" => vec![format!("db.killOp({})", field("op").unwrap_or("0"))],
        "replSetStepDown" => vec!["rs.stepDown()".to_owned()],
        "eval" | "$eval" => vec![plain(value).to_owned()],
        _ => return None,
    })
}

/// One element of `deletes`, or the command of a `remove` entry.
pub(super) fn removed(collection: &str, one: &str) -> String {
    let members = members(one);
    let method =
        if get(&members, "limit").is_some_and(|limit| limit.starts_with('1')) { "deleteOne" } else { "deleteMany" };
    format!("{collection}.{method}({})", get(&members, "q").unwrap_or("{}"))
}

/// One element of `updates`, or the command of an `update` entry.
pub(super) fn updated(collection: &str, one: &str) -> String {
    let members = members(one);
    let many = get(&members, "multi").is_some_and(|multi| multi.starts_with(['t', '1']));
    let method = if many { "updateMany" } else { "updateOne" };
    let (query, update) = (get(&members, "q").unwrap_or("{}"), get(&members, "u").unwrap_or("{}"));
    format!("{collection}.{method}({query}, {update})")
}

/// `db.name`, in the long form where the name is not a plain word.
pub(super) fn reach(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if plain { format!("db.{name}") } else { format!("db.getCollection({name:?})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let calls = calls(command, "shop.$cmd").map_or("?".to_owned(), |calls| calls.join("; "));
        assert_eq!(calls, expected);
    }

    #[test]
    fn commands_of_both_spellings() {
        check(
            r#"{"delete":"a","ordered":true,"deletes":[{"q":{"x":{"$gt":1}},"limit":0},{"q":{},"limit":1}]}"#,
            r#"db.a.deleteMany({"x":{"$gt":1}}); db.a.deleteOne({})"#,
        );
        check(
            "{ delete: \"a.b\", deletes: [ { q: { s: '} ]' }, limit: 0.0 } ] }",
            "db.getCollection(\"a.b\").deleteMany({ s: '} ]' })",
        );
        check(
            "{ update: \"a\", updates: [ { q: {}, u: { $set: { x: 1 } }, multi: true } ] }",
            "db.a.updateMany({}, { $set: { x: 1 } })",
        );
        check("{ drop: \"a\", lsid: { id: UUID(\"e4c4\") }, $db: \"shop\" }", "db.a.drop()");
        check("{ dropIndexes: \"a\", index: \"*\" }", "db.a.dropIndexes()");
        check("{ ping: 1.0 }", "");
        check(
            "{ renameCollection: \"shop.a\", to: \"shop.b\", dropTarget: true }",
            "db.getCollection(\"a\").renameCollection(\"b\", true)",
        );
        check("{ findAndModify: \"a\", query: { _id: 1 }, remove: true }", "db.a.findOneAndDelete({ _id: 1 })");
        check("{ somethingElse: 1 }", "?");
    }

    #[test]
    fn objects_that_break_off() {
        assert_eq!(whole("{ a: [ 1, 2 ], b: 'x } y' } rest"), Some("{ a: [ 1, 2 ], b: 'x } y' }"));
        assert_eq!(whole("{ a: ["), None);
        assert_eq!(members("{ a: 1, b"), [("a", "1")]);
    }
}
