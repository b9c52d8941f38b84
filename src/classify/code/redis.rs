//! Redis commands, one a line: `DEL cart:1`, `FLUSHALL ASYNC`, `CONFIG SET dir /etc/cron.d`.

use crate::classify::{Scene, Word, paths};
use crate::model::{CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone};

use Extent as E;
use Operation as O;
use ResourceKind as K;

/// Operation, kind and extent by command; a second word belongs to it where one stands.
const COMMANDS: &[(O, K, E, &str)] = &[
    (O::Drop, K::Database, E::All, "FLUSHALL|FLUSHDB"),
    (
        O::Delete,
        K::Item,
        E::One,
        "DEL|UNLINK|GETDEL|HDEL|SREM|ZREM|LREM|XDEL|JSON.DEL|SPOP|LPOP|RPOP|XTRIM|ZREMRANGEBYSCORE|ZREMRANGEBYRANK|XGROUP DESTROY",
    ),
    (O::Drop, K::Index, E::All, "FT.DROPINDEX|FT.DROP"),
    (
        O::Update,
        K::Item,
        E::One,
        "EXPIRE|PEXPIRE|EXPIREAT|LTRIM|SET|MSET|SETEX|SETNX|PSETEX|APPEND|INCR|DECR|INCRBY|DECRBY|HSET|HMSET|HINCRBY|LPUSH|RPUSH|LSET|SADD|ZADD|ZINCRBY|XADD|RENAME|RENAMENX|RESTORE|MOVE|COPY|PERSIST|SETBIT|PFADD|GETSET|JSON.SET|GEOADD|SETRANGE|SMOVE|HSETNX",
    ),
    (O::Update, K::Database, E::All, "SWAPDB"),
    (
        O::Read,
        K::Item,
        E::One,
        "GET|MGET|HGET|HGETALL|HMGET|HVALS|LRANGE|LINDEX|SMEMBERS|ZRANGE|ZRANGEBYSCORE|XRANGE|XREAD|DUMP|STRLEN|SUBSCRIBE|PSUBSCRIBE|MONITOR|JSON.GET|GETRANGE|SRANDMEMBER|ZREVRANGE|FT.SEARCH|SORT",
    ),
    (O::List, K::Item, E::All, "KEYS|SCAN|RANDOMKEY"),
    (
        O::List,
        K::Item,
        E::One,
        "EXISTS|TYPE|TTL|PTTL|LLEN|SCARD|HLEN|HKEYS|HSCAN|SSCAN|ZSCAN|ZCARD|SISMEMBER|ZSCORE|XLEN|XINFO|OBJECT|MEMORY|HEXISTS|ZRANK|FT.INFO|FT._LIST|XPENDING",
    ),
    (
        O::List,
        K::Server,
        E::One,
        "INFO|DBSIZE|TIME|ROLE|COMMAND|CONFIG GET|CLIENT LIST|CLIENT ID|CLIENT INFO|SLOWLOG GET|LASTSAVE|LATENCY|CLUSTER INFO|CLUSTER NODES|CLUSTER SLOTS|ACL LIST|ACL WHOAMI|ACL USERS|ACL GETUSER|ACL CAT|MODULE LIST|PUBSUB|CLIENT GETNAME|FUNCTION LIST|SCRIPT EXISTS",
    ),
    (
        O::Alter,
        K::Server,
        E::One,
        "CONFIG SET|CONFIG REWRITE|CONFIG RESETSTAT|REPLICAOF|SLAVEOF|CLUSTER FAILOVER|CLUSTER RESET|CLUSTER FORGET|CLUSTER MEET|FAILOVER|CLIENT PAUSE|CLIENT KILL|CLUSTER FLUSHSLOTS|CLUSTER DELSLOTS|LATENCY RESET",
    ),
    (O::Create, K::Backup, E::One, "SAVE|BGSAVE|BGREWRITEAOF"),
    (O::Stop, K::Server, E::One, "SHUTDOWN|DEBUG SEGFAULT|DEBUG SLEEP|DEBUG CRASH"),
    (O::Rewrite, K::Log, E::All, "SLOWLOG RESET|ACL LOG"),
    (O::Grant, K::Role, E::One, "ACL SETUSER"),
    (O::Delete, K::Role, E::One, "ACL DELUSER"),
    (O::Alter, K::Server, E::One, "ACL LOAD|ACL SAVE"),
    (
        O::Execute,
        K::Code,
        E::One,
        "EVAL|EVALSHA|EVAL_RO|FCALL|SCRIPT LOAD|FUNCTION LOAD|MODULE LOAD|MODULE LOADEX|FUNCTION RESTORE",
    ),
    (O::Delete, K::Routine, E::All, "SCRIPT FLUSH|FUNCTION FLUSH|FUNCTION DELETE"),
    (O::Export, K::Item, E::One, "MIGRATE"),
    (O::Connect, K::Server, E::One, "AUTH|HELLO"),
    (O::Create, K::Message, E::One, "PUBLISH|SPUBLISH"),
];

const HARMLESS: &[&str] = &[
    "PING",
    "ECHO",
    "SELECT",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "QUIT",
    "EXIT",
    "RESET",
    "WAIT",
    "READONLY",
    "CLIENT SETNAME",
    "CLIENT NO-EVICT",
    "ASKING",
    "HELP",
    "CLEAR",
];

/// Finds what redis commands do.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let mut at = 0;
    for line in text.split('\n') {
        let span = Span::new(at, at + line.len());
        at += line.len() + 1;
        command(scene, line.trim(), span);
    }
}

fn command(scene: &mut Scene<'_>, line: &str, span: Span) {
    if line.is_empty() || line.starts_with('#') {
        return;
    }
    let words: Vec<String> =
        line.split_ascii_whitespace().take(1_024).map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
    let first = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let two = format!("{first} {}", words.get(1).map(|word| word.to_ascii_uppercase()).unwrap_or_default());
    let find = |name: &str| COMMANDS.iter().find(|row| row.3.split('|').any(|it| it == name));
    let (row, used) = match (find(&two), find(&first)) {
        (Some(row), _) => (row, 2),
        (None, Some(row)) => (row, 1),
        _ if HARMLESS.contains(&&*first) || HARMLESS.contains(&&*two) => return,
        _ => {
            scene.gap(GapKind::UnknownStatement, Hides::Anything, Some(span), first);
            return;
        }
    };
    let &(operation, kind, extent, _) = row;
    let by = if used == 2 { &two } else { &first };
    let mut note = |name: &str, extent: Extent| {
        let mut effect = Effect::new(operation, Resource::new(kind, name));
        effect.extent = extent;
        effect.span = Some(span);
        effect.by.clone_from(by);
        effect.guard_off =
            words.iter().any(|word| word.eq_ignore_ascii_case("FORCE") || word.eq_ignore_ascii_case("NOSAVE"));
        if operation == O::Execute {
            let local = by.starts_with("MODULE");
            effect.code = Some(if local { CodeOrigin::Local } else { CodeOrigin::Stored });
        }
        if operation == O::Export {
            effect.zone = Some(words.get(1).map_or(Zone::Unknown, |host| crate::classify::http::zone(host)));
            effect.peer = words.get(1).cloned();
        }
        scene.effect(effect);
    };
    if by == "CONFIG SET" {
        return configured(scene, &words, span);
    }
    match (operation, &**by) {
        (_, "DEL" | "UNLINK") if words.iter().any(|word| word.contains("{}")) => note("keys", E::Some),
        (_, "DEL" | "UNLINK" | "MGET") => words.iter().skip(1).for_each(|key| note(key, E::One)),
        _ => note(words.get(used).map_or("", |word| word), extent),
    }
    if operation == O::Execute && (first == "EVAL" || first == "EVAL_RO") {
        // The script's own calls are quoted: `redis.call('FLUSHALL')`.
        let mut rest = line;
        let mut pattern = None;
        while let Some(at) = rest.find("call(") {
            rest = &rest[at + "call(".len()..];
            let written = rest.split(')').next().unwrap_or("");
            let inner: String = written.replace(['\'', '"', ','], " ");
            let mut parts = inner.split_whitespace();
            let name = parts.next().unwrap_or("").to_ascii_uppercase();
            if name == "KEYS" || name == "SCAN" {
                pattern = parts.find(|part| part.contains('*')).map(str::to_owned);
            }
            // `redis.call('del', key)` in a loop over what `keys` found.
            let of_loop = written.split(',').nth(1).is_some_and(|key| !key.contains(['\'', '"']));
            if let Some(pattern) = pattern.as_ref().filter(|_| of_loop && matches!(&*name, "DEL" | "UNLINK")) {
                let mut effect = Effect::new(O::Delete, Resource::new(K::Item, pattern.as_str()));
                effect.extent = if pattern == "*" { E::All } else { E::Some };
                effect.span = Some(span);
                effect.by.clone_from(&name);
                scene.effect(effect);
                continue;
            }
            if !inner.trim().to_ascii_uppercase().starts_with("EVAL") {
                command(scene, inner.trim(), span);
            }
        }
    }
    if first == "EVALSHA" || first == "FCALL" {
        scene.gap(GapKind::HiddenCode, Hides::Anything, Some(span), line);
    }
}

/// `CONFIG SET` of what protects the server, or of where it writes its files.
fn configured(scene: &mut Scene<'_>, words: &[String], span: Span) {
    let name = words.get(2).map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    let value = words.get(3).map_or("", |value| value);
    let off = name == "requirepass" && value.is_empty()
        || name == "protected-mode" && value.eq_ignore_ascii_case("no")
        || matches!(&*name, "save" | "appendonly") && (value.is_empty() || value.eq_ignore_ascii_case("no"));
    let mut effect = if off {
        Effect::new(O::Disable, Resource::new(K::Safeguard, name))
    } else if name == "dir" {
        // The next `SAVE` puts a file there that others may run or trust.
        Effect::new(O::Update, paths::resource(scene, &Word::known(value), K::Folder))
    } else {
        Effect::new(O::Alter, Resource::new(K::Server, name))
    };
    effect.span = Some(span);
    effect.by = "CONFIG SET".to_owned();
    scene.effect(effect);
}

/// Whether a command that a client's method is named after is one of ours.
pub(super) fn is_command(name: &str) -> bool {
    COMMANDS.iter().any(|row| row.3.split('|').any(|it| it == name))
}

#[cfg(test)]
mod tests {
    use crate::classify::{Language, seen};

    fn check(text: &str, expected: &str) {
        assert_eq!(seen::code(Language::Redis, text), expected, "{text}");
    }

    #[test]
    fn commands_are_known() {
        check("FLUSHALL", "drop Database `` all");
        check("del a b", "delete Item `a`\ndelete Item `b`");
        check("GET a\nPING", "read Item `a`");
        check("CONFIG SET dir /etc", "update Folder `/etc`");
        check("CONFIG SET requirepass \"\"", "disable Safeguard `requirepass`");
        check("CONFIG SET maxmemory 1gb", "alter Server `maxmemory`");
        check("EVAL \"redis.call('FLUSHDB')\" 0", "execute Code `redis.call('FLUSHDB')` stored\ndrop Database `` all");
        check("BLORP x", "gap unknown-statement hides anything: BLORP");
        check("SHUTDOWN NOSAVE", "stop Server `NOSAVE` guard-off");
    }
}
