//! Calls of the client libraries of clouds, clusters, stores and services. Their methods are named after what they do
//! (`delete_bucket`, `terminateInstances`, `volumes.prune`), so verb and noun say it, as they do for the API itself.

use crate::classify::naming::{self, Meaning};
use crate::classify::{Language, Scene, Word, paths};
use crate::model::{
    Certainty, Effect, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind, Zone,
};

use super::act::made::Made;
use super::lexer::Kind;
use super::redis;
use super::value::Reading;
use super::walk::Call;

/// The first part of what a client library is imported as.
const ROOTS: &str = "psutil boto3 botocore aioboto3 aws_cdk googleapiclient azure kubernetes kubernetes_asyncio openshift docker podman stripe \
     elasticsearch elasticsearch_dsl opensearchpy opensearch redis valkey github gitlab digitalocean pydo openstack linode_api4 hcloud \
     cloudflare CloudFlare slack_sdk slack twilio sendgrid shopify auth0 okta pinecone qdrant_client weaviate chromadb \
     meilisearch consul hvac etcd3 kazoo kafka confluent_kafka pika snowflake minio firebase_admin supabase proxmoxer pyVmomi \
     novaclient heroku3 notion_client jira atlassian algoliasearch influxdb cassandra neo4j couchdb libcloud vultr packet \
     aws-sdk @aws-sdk @google-cloud @azure @kubernetes dockerode ioredis octokit @octokit @elastic firebase-admin \
     @supabase @slack @sendgrid @pinecone-database @qdrant Aws Stripe Octokit Fog Azure Docker K8s Kubeclient AWS Redis \
     Twilio Elasticsearch";

/// Whether a name comes from a client library.
pub(super) fn is_client(name: &str) -> bool {
    let root = name.split(['.', '(']).next().unwrap_or(name);
    super::git::is_library(name)
        || (ROOTS.split_ascii_whitespace().any(|it| it == root) || name.starts_with("google.cloud")) && root.len() > 2
}

/// Notes what the call does when it is one of a client library; `false` when it is something else or only looks.
pub(super) fn call(scene: &mut Scene<'_>, reading: &Reading<'_>, language: Language, call: &Call) -> bool {
    let Some((owner, last)) = call.name.rsplit_once('.') else { return false };
    if !is_client(&call.name) {
        return mild(scene, reading, language, call, owner, last);
    }
    let made = Made { reading, call };
    if root_is(owner, &["redis", "valkey", "ioredis", "Redis"]) && redis_command(scene, reading, call, last) {
        return true;
    }
    if let Some(file) = uploaded(&made, last) {
        let mut effect = Effect::new(Operation::Export, paths::resource(scene, &file, ResourceKind::File));
        effect.zone = Some(Zone::External);
        effect.peer = Some(owner.split(['.', '(']).next().unwrap_or(owner).to_owned());
        finish(scene, call, effect);
        return true;
    }
    if root_is(owner, &["boto3", "aioboto3"]) && aws(scene, &made, owner, last) {
        return true;
    }
    // `client.send(new DeleteBucketCommand({…}))`.
    let name = last.strip_suffix("Command").filter(|_| language == Language::JavaScript).unwrap_or(last);
    let Some(meaning) = said(name, owner) else { return false };
    let target = target(&made).unwrap_or_default();
    let mut resource = Resource::new(meaning.kind, target.text.clone());
    resource.unresolved = !target.is_known();
    if resource.unresolved || resource.name.is_empty() {
        // Which one is not known, but what sort of thing: `stripe.Customer`.
        resource = Resource::new(meaning.kind, owner);
    }
    let mut effect = Effect::new(meaning.operation, resource);
    effect.certainty = Certainty::Inferred;
    effect.extent = extent(meaning, owner, &target);
    effect.dry_run = made.says("DryRun") || made.says("dry_run") || made.says("dryRun");
    effect.guard_off = made.says("force") || made.says("Force") || made.says("SkipFinalSnapshot");
    if meaning.kind == ResourceKind::Database && target.is_known() && !target.text.is_empty() {
        effect.places.push(Place { kind: PlaceKind::Database, name: target.text });
    }
    finish(scene, call, effect);
    true
}

fn finish(scene: &mut Scene<'_>, call: &Call, mut effect: Effect) {
    effect.span = call.span;
    effect.by = call.name.rsplit('.').next().unwrap_or("").to_owned();
    scene.effect(effect);
}

fn root_is(name: &str, roots: &[&str]) -> bool {
    let root = name.split(['.', '(']).next().unwrap_or(name);
    roots.contains(&root)
}

/// What the name of a method says, where that is more than looking and making.
fn said(name: &str, owner: &str) -> Option<Meaning> {
    let name = name
        .strip_prefix("begin_")
        .or_else(|| name.strip_prefix("begin"))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    let words = naming::words(name);
    let first = words.first()?;
    let has = |word: &str| words.iter().any(|it| it == word);
    let kind = |kind| Meaning { operation: Operation::Grant, kind, several: false, all: false };
    // Who may do what is written as a policy: `put_bucket_policy`, `set_iam_policy`, `attach_role_policy`.
    let gives =
        matches!(first.as_str(), "put" | "set" | "attach" | "add" | "create" | "authorize" | "modify" | "update");
    if gives && (has("policy") || has("acl") || has("permission") || has("ingress")) {
        return Some(kind(ResourceKind::Role));
    }
    if matches!(first.as_str(), "get" | "batch" | "access") && has("secret") && (has("value") || has("version")) {
        return Some(Meaning { operation: Operation::Read, ..kind(ResourceKind::Secret) });
    }
    if first == "schedule" && has("deletion") {
        return Some(Meaning { operation: Operation::Drop, ..kind(ResourceKind::Key) });
    }
    // `bucket.objects.all().delete()`: the name has no noun, what it is called on has.
    let short = words.len() == 1 || words.iter().skip(1).all(|word| naming::noun(word).is_none());
    let context = if short { nouns(owner) } else { String::new() };
    let mut meaning = naming::meaning(name, &context)?;
    let verb = naming::verb(first)?;
    if matches!(verb, Operation::Delete) && owner.contains(".indices") {
        meaning = Meaning { operation: Operation::Drop, kind: ResourceKind::Table, ..meaning };
    }
    let acts = matches!(
        meaning.operation,
        Operation::Delete
            | Operation::Drop
            | Operation::Stop
            | Operation::Disable
            | Operation::Grant
            | Operation::Revoke
            | Operation::Rewrite
            | Operation::Escalate
    );
    // `queue.pop`, `client.close` and the like end nothing but themselves.
    (acts && !(first == "reset" || first == "lock" || first == "clear" && words.len() == 1)).then_some(meaning)
}

/// What stands nearest to the call in its chain: `docker.from_env().volumes.list()` is about volumes.
fn nouns(owner: &str) -> String {
    let parts = owner.split('.').skip(1).filter(|part| !part.starts_with("client") && !part.starts_with("resource"));
    let found = parts.filter(|part| naming::words(part).iter().any(|word| naming::noun(word).is_some())).last();
    // A group of resources is what a stack is elsewhere.
    found.unwrap_or("").replace("()", "").replace("resource_groups", "stack").replace("resourceGroups", "stack")
}

fn extent(meaning: Meaning, owner: &str, target: &Word) -> Extent {
    let all = meaning.all
        || owner.ends_with("all()")
        || owner.ends_with("process_iter()")
        || matches!(&*target.text, "*" | "_all");
    if all || matches!(meaning.operation, Operation::Drop) {
        Extent::All
    } else if meaning.several || target.glob || target.text.contains('*') {
        Extent::Some
    } else {
        Extent::One
    }
}

/// What the call is about: its first value, by name or place, or the last one that its chain was given.
fn target(made: &Made<'_, '_>) -> Option<Word> {
    let tokens = &made.reading.tokens;
    let first = made.call.items.iter().find_map(|(from, to)| {
        let named = to - from > 2 && tokens[from + 1].is(b'=');
        let table = tokens[*from].is(b'{') && to - from > 3;
        let (from, to) = match (named, table) {
            (true, _) => (from + 2, *to),
            (_, true) => {
                let end = made.reading.items(from + 1, to - 1).first().map_or(*to, |(_, end)| *end);
                (from + 3, end)
            }
            _ => (*from, *to),
        };
        let value = made.reading.value(from.min(to), to);
        value.words.into_iter().next().filter(|word| !matches!(&*word.text, "True" | "true" | "False" | "false"))
    });
    first.or_else(|| {
        let (from, to) = (made.call.head, made.call.receiver_end);
        let in_chain = (from..to).rev().find_map(|at| match &tokens[at].kind {
            Kind::Text(word) => Some(Word::clone(word)),
            _ => None,
        });
        // `table = client.Table("a")`, and then `table.delete()`.
        let bound = || made.reading.variables.get(tokens[from].text)?.word().map(|word| word.text.clone());
        in_chain.or_else(|| {
            let text = bound()?;
            let quoted: Vec<&str> = text.split(['"', '\'']).collect();
            let last = quoted.len().checked_sub(2).filter(|at| at % 2 == 1)?;
            Some(Word::known(quoted[last]))
        })
    })
}

/// The file that leaves by `upload_file`, `fput_object`, `upload_from_filename`.
fn uploaded(made: &Made<'_, '_>, last: &str) -> Option<Word> {
    let at = match last {
        "upload_file"
        | "upload_from_filename"
        | "upload_fileobj"
        | "upload_blob"
        | "files_upload"
        | "files_upload_v2"
        | "uploadFile"
        | "upload" => 0,
        "fput_object" => 2,
        "put_object" | "putObject" => usize::MAX,
        _ => return None,
    };
    let options = ["Filename", "file", "Body", "body", "filename", "path"];
    let named = options.iter().find_map(|name| made.option(name));
    let value = named.or_else(|| made.argument(at))?;
    value.files.first().cloned().or_else(|| value.word().filter(|word| at != usize::MAX && word.is_known()).cloned())
}

/// Methods of boto3's clients are the operations of the AWS command line: `delete_bucket(Bucket="b")` is
/// `aws s3api delete-bucket --bucket b`.
fn aws(scene: &mut Scene<'_>, made: &Made<'_, '_>, owner: &str, last: &str) -> bool {
    let Some((_, service)) = owner.rsplit_once(".client-") else { return false };
    let local = last.starts_with("download_")
        || last.starts_with("get_paginator")
        || last.starts_with("get_waiter")
        || last.starts_with("generate_presigned");
    let plain = last.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if local || !plain || !last.contains('_') || service.contains('.') {
        return false;
    }
    let service = service.trim_end_matches("()");
    let service = if service == "s3" { "s3api" } else { service };
    let mut line = vec![Word::known("aws"), Word::known(service), Word::known(last.replace('_', "-"))];
    let tokens = &made.reading.tokens;
    for (from, to) in &made.call.items {
        if to - from < 3 || !tokens[from + 1].is(b'=') || !matches!(tokens[*from].kind, Kind::Name) {
            continue;
        }
        let option = naming::words(tokens[*from].text).join("-");
        let option = match option.as_str() {
            "cidr-ip" => "cidr",
            // The command line has it as one word.
            "db-instance-identifier" | "dbinstance-identifier" => "db-instance-identifier",
            other => other,
        };
        let value = made.reading.value(from + 2, *to);
        match value.word().map(|word| &*word.text) {
            Some("True" | "true") => line.push(Word::known(format!("--{option}"))),
            Some("False" | "false") => line.push(Word::known(format!("--no-{option}"))),
            _ => {
                line.push(Word::known(format!("--{option}")));
                line.extend(value.words);
            }
        }
    }
    super::act::words(scene, &line, made.call.span);
    true
}

/// Methods of redis clients are redis commands.
fn redis_command(scene: &mut Scene<'_>, reading: &Reading<'_>, call: &Call, last: &str) -> bool {
    let named = |(from, to): &&(usize, usize)| to - from > 2 && reading.tokens[from + 1].is(b'=');
    let words = || call.items.iter().filter(|item| !named(item)).flat_map(|(from, to)| reading.value(*from, *to).words);
    let mut command = match last {
        "delete" => "DEL".to_owned(),
        "execute_command" | "call" | "sendCommand" | "send_command" => String::new(),
        name => naming::words(name).join(" ").to_ascii_uppercase(),
    };
    if !command.is_empty() && !redis::is_command(&command) {
        return false;
    }
    for word in words() {
        if !word.is_known() {
            scene.gap(GapKind::UnresolvedVariable, Hides::Target, call.span, &*word.text);
        }
        command.push(' ');
        command.push_str(&super::quoted(&[&*word.text]));
    }
    super::hand_over(scene, Language::Redis, command.trim(), call.span);
    true
}

/// `account.destroy()` on something that nobody described: something goes, nobody knows what.
fn mild(
    scene: &mut Scene<'_>,
    reading: &Reading<'_>,
    language: Language,
    call: &Call,
    owner: &str,
    last: &str,
) -> bool {
    let verb = last.split('_').next().unwrap_or(last);
    let verb = verb.split(|letter: char| letter.is_ascii_uppercase()).next().unwrap_or(verb);
    let on_model = matches!(verb, "delete" | "destroy" | "purge" | "terminate" | "wipe" | "nuke" | "erase");
    let on_frame = verb == "drop" && last != "drop";
    if !(on_model || on_frame) {
        return false;
    }
    // Collections of the language delete from memory only.
    let head = reading.tokens.get(call.head).map_or("", |token| token.text);
    let local = reading.memory.contains(head) || matches!(head, "np" | "numpy" | "pd" | "self" | "this");
    let takes_literal = call
        .items
        .first()
        .is_some_and(|(from, _)| last == "delete" && !matches!(reading.tokens[*from].kind, Kind::Name));
    // `cache.delete('a')` is a map's; `Customer.delete('a')` and `client.projects.delete('a')` are a service's.
    let class = owner.rsplit('.').next().is_some_and(|part| part.starts_with(|it: char| it.is_ascii_uppercase()));
    let served = class || language != Language::JavaScript && owner.contains('.');
    if local
        || takes_literal && !served
        || owner.ends_with("headers")
        || owner.ends_with("cookies")
        || last.ends_with("at")
    {
        return false;
    }
    // One thing of a service, by its own name, is said to be deleted as plainly as on a command line.
    let name = if takes_literal { owner } else { "" };
    let mut effect = Effect::new(Operation::Delete, Resource::new(ResourceKind::Item, name));
    effect.certainty = Certainty::Inferred;
    finish(scene, call, effect);
    true
}
