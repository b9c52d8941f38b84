//! Document stores, key-value stores and object mappers, reached through calls: `db.users.deleteMany({})`.

use crate::classify::{Language, Scene, Word};
use crate::model::{Effect, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind};

use super::lexer::Kind;
use super::value::Reading;
use super::walk::Call;

/// How a call's extent is found.
#[derive(Clone, Copy)]
enum Reach {
    One,
    All,
    /// The first argument is the filter; an empty one means everything.
    Filter,
}

use Operation as O;
use ResourceKind as K;

/// Names that mean the same in the mongo shell and in the drivers.
const MONGO: &[(O, K, Reach, &str)] = &[
    (O::Drop, K::Database, Reach::All, "dropDatabase drop_database"),
    (O::Drop, K::Table, Reach::All, "dropCollection drop_collection"),
    (O::Delete, K::Table, Reach::Filter, "deleteMany delete_many remove"),
    (O::Delete, K::Table, Reach::One, "deleteOne delete_one findOneAndDelete find_one_and_delete findAndModify"),
    (O::Update, K::Table, Reach::Filter, "updateMany update_many update"),
    (
        O::Update,
        K::Table,
        Reach::One,
        "updateOne update_one replaceOne replace_one findOneAndUpdate findOneAndReplace bulkWrite save",
    ),
    (O::Create, K::Table, Reach::One, "insertOne insertMany insert_one insert_many insert createCollection"),
    (O::Read, K::Table, Reach::Filter, "find findOne find_one aggregate countDocuments count distinct"),
    (O::Drop, K::Index, Reach::One, "dropIndex drop_index"),
    (O::Drop, K::Index, Reach::All, "dropIndexes drop_indexes"),
    (O::Create, K::Index, Reach::One, "createIndex create_index ensureIndex"),
    (O::Alter, K::Table, Reach::One, "renameCollection"),
    (
        O::Grant,
        K::Role,
        Reach::One,
        "createUser grantRolesToUser createRole updateUser grantPrivilegesToRole changeUserPassword",
    ),
    (O::Revoke, K::Role, Reach::One, "revokeRolesFromUser revokePrivilegesFromRole"),
    (O::Delete, K::Role, Reach::One, "dropUser dropRole"),
    (O::Delete, K::Role, Reach::All, "dropAllUsers dropAllRoles"),
    (O::Stop, K::Server, Reach::One, "shutdownServer fsyncLock stepDown"),
    (O::Stop, K::Process, Reach::One, "killOp"),
];

/// Object mappers and other drivers; only these names are telling enough to go by.
const OTHERS: &[(O, K, Reach, &str)] = &[
    (O::Update, K::Table, Reach::All, "update_all"),
    (O::Delete, K::Table, Reach::All, "delete_all destroy_all truncate truncate_table"),
    (
        O::Drop,
        K::Database,
        Reach::All,
        "drop_all dropSchema dropAllSchemas reset_database dropAllTables dropAllViews drop_all_tables dropAllTypes",
    ),
    (O::Drop, K::Table, Reach::All, "drop_table dropTable dropTableIfExists dbRemoveTable"),
    (O::Drop, K::Database, Reach::All, "flushall flushAll flushdb flushDb FLUSHALL FLUSHDB"),
];

/// Notes what the call does when it is one of these; `false` when it is something else.
pub(super) fn call(scene: &mut Scene<'_>, reading: &Reading<'_>, language: Language, call: &Call) -> bool {
    let bare = (language == Language::R).then_some(("", &*call.name));
    let Some((owner, last)) = call.name.rsplit_once('.').or(bare) else { return false };
    let find = |table: &'static [(O, K, Reach, &'static str)]| {
        table.iter().find(|(.., names)| names.split(' ').any(|name| name == last))
    };
    let mongo = language == Language::Mongo
        || matches!(
            last,
            "deleteMany"
                | "delete_many"
                | "dropDatabase"
                | "drop_database"
                | "dropCollection"
                | "drop_collection"
                | "updateMany"
                | "update_many"
        );
    let in_shell = language == Language::Mongo
        && (owner == "db"
            || owner.starts_with("db.")
            || owner.starts_with("db[")
            || owner.starts_with("rs")
            || owner.starts_with("sh"));
    let collection = || collection(reading, call, owner);
    let argument = call.items.first().map(|(from, to)| reading.word(*from, *to, 0));
    if in_shell && last == "drop" || last == "drop" && call.items.is_empty() && owner.contains("collection") {
        note(scene, call, O::Drop, K::Table, collection(), Extent::All);
        return true;
    }
    if in_shell && matches!(last, "runCommand" | "adminCommand") {
        admin(scene, reading, call);
        return true;
    }
    let row = if mongo { find(MONGO) } else { None };
    let Some(&(operation, kind, reach, _)) = row.or_else(|| find(OTHERS)) else {
        return chained(scene, reading, language, call, owner, last);
    };
    if !mongo && language == Language::JavaScript && last == "truncate" && owner == "fs" {
        return false;
    }
    let filter = call.items.first().map(|(from, to)| &reading.tokens[*from..*to]);
    let extent = match reach {
        Reach::One => Extent::One,
        // `Post.where(id: 3).destroy_all`
        Reach::All if matches!(operation, O::Delete | O::Update) && kind == K::Table && chosen(reading, call) => {
            Extent::Some
        }
        Reach::All => Extent::All,
        Reach::Filter => match filter {
            None => Extent::All,
            Some([open, .., close]) if open.is(b'{') && close.is(b'}') => {
                let (from, to) = call.items[0];
                // Prisma's empty `where` and Mongo's empty filter both mean everything.
                if to - from == 2 { Extent::All } else { Extent::Some }
            }
            Some(_) => Extent::Unknown,
        },
    };
    if extent == Extent::Unknown {
        scene.gap(
            GapKind::UnresolvedVariable,
            Hides::Target,
            call.span,
            argument.as_ref().map_or("", |word| &word.text),
        );
    }
    let name = match kind {
        K::Database if operation == O::Drop => match (&argument, last) {
            (Some(word), "drop_database") => word.clone(),
            _ => sibling(reading, call).unwrap_or_default(),
        },
        K::Role => role(reading, call).or(argument).unwrap_or_default(),
        K::Process => argument.unwrap_or_default(),
        K::Table if last.contains("ollection") => argument.unwrap_or_default(),
        K::Server | K::Database => Word::default(),
        _ => collection(),
    };
    note(scene, call, operation, kind, name, extent);
    if last == "aggregate" {
        let out = call
            .items
            .iter()
            .any(|(from, to)| reading.tokens[*from..*to].iter().any(|token| matches!(token.text, "$out" | "$merge")));
        if out {
            note(scene, call, O::Update, K::Table, Word::default(), Extent::All);
        }
    }
    true
}

/// `Model.objects.all().delete()`, `session.query(User).delete()`, `sequelize.drop()`, `sync({force: true})`.
fn chained(
    scene: &mut Scene<'_>,
    reading: &Reading<'_>,
    language: Language,
    call: &Call,
    owner: &str,
    last: &str,
) -> bool {
    let model = || reading.tokens.get(call.head).map_or_else(Word::default, |token| Word::known(token.text));
    let operation = if last == "update" { O::Update } else { O::Delete };
    match last {
        "delete" | "update" if language == Language::Python && owner.contains(".objects") => {
            let tokens = &reading.tokens;
            let empty =
                |at: usize| tokens[at].is_name("filter") && tokens[at + 1].is(b'(') && tokens[at + 1].close == at + 2;
            let filters: Vec<usize> =
                (call.head..call.receiver_end).filter(|at| matches!(tokens[*at].text, "filter" | "exclude")).collect();
            let all = filters.iter().all(|at| empty(*at));
            note(scene, call, operation, K::Table, model(), if all { Extent::All } else { Extent::Some });
        }
        // peewee: `User.delete().where(…).execute()`.
        "delete"
            if language == Language::Python
                && call.items.is_empty()
                && !owner.contains('(')
                && model().text.starts_with(|first: char| first.is_ascii_uppercase()) =>
        {
            let tokens = &reading.tokens;
            let after = (call.head..tokens.len()).find(|at| tokens[*at].is_name("delete")).map_or(0, |at| at + 4);
            match tokens.get(after).map(|token| token.text) {
                Some("where") => note(scene, call, O::Delete, K::Table, model(), Extent::Some),
                Some("execute") => note(scene, call, O::Delete, K::Table, model(), Extent::All),
                _ => return false,
            }
        }
        "delete" | "update" if language == Language::Python && owner.contains(".query()") => {
            let filtered = owner.contains("filter");
            note(scene, call, operation, K::Table, Word::default(), if filtered { Extent::Some } else { Extent::All });
        }
        // Eloquent: `User::query()->update([…])`, `DB::table('users')->where('id', 7)->delete()`.
        "delete" | "update" | "forceDelete"
            if language == Language::Php
                && (owner.contains(".query()") || owner.contains(".table()") || owner.contains(".where")) =>
        {
            let table = within(reading, call, &["table"]).unwrap_or_else(model);
            let extent = if chosen(reading, call) || owner.contains(".find") { Extent::Some } else { Extent::All };
            note(scene, call, operation, K::Table, table, extent);
        }
        // knex and drizzle: without a `where` anywhere in the statement it is every row.
        "del" | "delete"
            if language == Language::JavaScript
                && (last == "del" || matches!(owner.rsplit('.').next(), Some("db" | "tx"))) =>
        {
            let tokens = &reading.tokens;
            let end = (call.head..tokens.len().min(call.head + 200)).find(|at| {
                tokens[*at].is(b';') || matches!(tokens[*at].kind, Kind::Line) && *at > call.receiver_end + 4
            });
            let chosen = tokens[call.head..end.unwrap_or(tokens.len().min(call.head + 200))]
                .iter()
                .any(|token| token.text.starts_with("where") || token.text == "andWhere");
            let text = (call.head..call.receiver_end).rev().find_map(|at| match &tokens[at].kind {
                Kind::Text(word) => Some(Word::clone(word)),
                _ => None,
            });
            let named = call.items.first().map(|(from, _)| Word::known(tokens[*from].text));
            if last == "del" && text.is_none() || last == "delete" && named.is_none() {
                return false;
            }
            let extent = if chosen { Extent::Some } else { Extent::All };
            note(scene, call, O::Delete, K::Table, text.or(named).unwrap_or_default(), extent);
        }
        "destroy"
            if language == Language::JavaScript
                && model().text.starts_with(|first: char| first.is_ascii_uppercase()) =>
        {
            let text = call.span.and_then(|span| reading.code.get(span.start..span.end)).unwrap_or("").replace(' ', "");
            let all = text.contains("where:{}") || text.contains("truncate:true");
            note(scene, call, O::Delete, K::Table, model(), if all { Extent::All } else { Extent::Some });
        }
        "drop" if owner.ends_with("sequelize") => note(scene, call, O::Drop, K::Database, Word::default(), Extent::All),
        "sync" if owner.ends_with("sequelize") => {
            let text = call.span.and_then(|span| reading.code.get(span.start..span.end)).unwrap_or("");
            if !text.replace(' ', "").contains("force:true") {
                return false;
            }
            note(scene, call, O::Drop, K::Database, Word::default(), Extent::All);
        }
        _ => return false,
    }
    true
}

fn admin(scene: &mut Scene<'_>, reading: &Reading<'_>, call: &Call) {
    let (from, to) = call.items.first().copied().unwrap_or_default();
    let command = (from..to).find_map(|at| match &reading.tokens[at].kind {
        Kind::Name => Some(reading.tokens[at].text.to_owned()),
        Kind::Text(word) => Some(word.text.clone()),
        _ => None,
    });
    let command = command.unwrap_or_default();
    let value = || {
        let after = (from..to).find(|at| reading.tokens[*at].is(b':'))?;
        Some(reading.word(after + 1, after + 2, 0))
    };
    match &*command {
        "dropDatabase" => note(scene, call, O::Drop, K::Database, Word::default(), Extent::All),
        "drop" => note(scene, call, O::Drop, K::Table, value().unwrap_or_default(), Extent::All),
        "delete" => note(scene, call, O::Delete, K::Table, value().unwrap_or_default(), Extent::Some),
        "update" | "insert" | "findAndModify" => {
            note(scene, call, O::Update, K::Table, value().unwrap_or_default(), Extent::Some)
        }
        "shutdown" | "replSetStepDown" => note(scene, call, O::Stop, K::Server, Word::default(), Extent::One),
        "dropAllUsersFromDatabase" => note(scene, call, O::Delete, K::Role, Word::default(), Extent::All),
        "setParameter" | "replSetReconfig" | "collMod" | "setFeatureCompatibilityVersion" => {
            note(scene, call, O::Alter, K::Server, Word::default(), Extent::One);
        }
        "ping" | "hello" | "isMaster" | "serverStatus" | "dbStats" | "listDatabases" | "listCollections"
        | "buildInfo" | "connectionStatus" | "currentOp" | "replSetGetStatus" | "getParameter" | "collStats"
        | "count" | "find" | "aggregate" | "distinct" | "explain" => {
            note(scene, call, O::List, K::Server, Word::default(), Extent::One)
        }
        _ => {
            note(scene, call, O::Unknown, K::Server, Word::default(), Extent::Unknown);
            scene.gap(GapKind::UnknownStatement, Hides::Anything, call.span, command);
        }
    }
}

/// The collection a call is about: `db.users.x()`, `db.getCollection('users').x()`, `db['users'].x()`.
fn collection(reading: &Reading<'_>, call: &Call, owner: &str) -> Word {
    if let Some(word) = within(reading, call, &["getCollection", "collection", "get_collection", "model"]) {
        return word;
    }
    let name = owner.strip_prefix("db.").unwrap_or(owner);
    let name = name.trim_end_matches("()").trim_end_matches("[]");
    Word::known(name.rsplit("().").next().unwrap_or(name))
}

/// Whether a `where` that means something stands in the chain.
fn chosen(reading: &Reading<'_>, call: &Call) -> bool {
    let end = call.receiver_end.max(call.head);
    let Some(at) = (call.head..end)
        .find(|at| reading.tokens[*at].text.starts_with("where") || reading.tokens[*at].is_name("filter"))
    else {
        return false;
    };
    let text: String = reading.tokens[at..=end.min(reading.tokens.len() - 1)].iter().map(|token| token.text).collect();
    !["1=1", "1 = 1", "true", "'1'", "()"].iter().any(|all| text.contains(all))
}

/// Who a user is made to be: `{user: "x", roles: ["root"]}` is a root.
fn role(reading: &Reading<'_>, call: &Call) -> Option<Word> {
    let (from, to) = *call.items.first().filter(|(from, _)| reading.tokens[*from].is(b'{'))?;
    let texts = || {
        (from..to).filter_map(|at| match &reading.tokens[at].kind {
            Kind::Text(word) => Some(&*word.text),
            _ => None,
        })
    };
    let high = texts().find(|text| matches!(*text, "root" | "__system") || text.ends_with("AnyDatabase"));
    high.or_else(|| texts().next()).map(Word::known)
}

fn sibling(reading: &Reading<'_>, call: &Call) -> Option<Word> {
    within(reading, call, &["getSiblingDB", "getDB", "db"])
}

/// The first argument of one of `names` between the chain's head and the call itself.
fn within(reading: &Reading<'_>, call: &Call, names: &[&str]) -> Option<Word> {
    let at = (call.head..call.receiver_end).find(|at| {
        names.contains(&reading.tokens[*at].text) && reading.tokens.get(at + 1).is_some_and(|next| next.is(b'('))
    })?;
    let close = reading.tokens[at + 1].close;
    (close > at + 2).then(|| reading.word(at + 2, close, 0))
}

fn note(scene: &mut Scene<'_>, call: &Call, operation: Operation, kind: ResourceKind, name: Word, extent: Extent) {
    let mut resource = Resource::new(kind, name.text.clone());
    resource.unresolved = !name.is_known();
    let mut effect = Effect::new(operation, resource);
    effect.extent = extent;
    effect.span = call.span;
    effect.by = call.name.rsplit('.').next().unwrap_or("").to_owned();
    if kind == K::Database && !name.text.is_empty() && name.is_known() {
        effect.places.push(Place { kind: PlaceKind::Database, name: name.text });
    }
    scene.effect(effect);
}
