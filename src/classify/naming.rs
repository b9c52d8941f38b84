//! From a name as programmers build it (`delete_volume`, `volumeDelete`, `DropTable`) to what it does to what.
//!
//! Used where nobody described the name: tools of agents, API operations, GraphQL mutations, REST paths.

use crate::model::{Operation, ResourceKind};

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) operation: Operation,
    pub(super) kind: ResourceKind,
    /// The noun stands in the plural, or `all` stands beside it.
    pub(super) several: bool,
    pub(super) all: bool,
}

/// Reads a name; `None` when no part of it is a known verb. `context` (a server's name, a longer path) may
/// give the noun that the name itself lacks.
pub(super) fn meaning(name: &str, context: &str) -> Option<Meaning> {
    use ResourceKind as K;
    let words = phrased(words(name));
    // `delete_list` is about a list: the verb comes first, or last (`volumeDelete`), or somewhere.
    // A word that is a noun as often as a verb (`comment_delete`, `es_delete_index`) gives way to one that is not.
    let places = || [0, words.len().wrapping_sub(1)].into_iter().chain(1..words.len());
    let (at, verb) = places()
        .filter(|at| words.get(*at).is_some_and(|word| !is_noun_too(word)))
        .find_map(|at| Some((at, verb(words.get(at)?)?)))
        .or_else(|| places().find_map(|at| Some((at, verb(words.get(at)?)?))))
        .or_else(|| Some((words.len(), answer(&words)?)))?;
    let rest = || words.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, word)| word.as_str());
    let found = noun_of(rest()).or_else(|| {
        let context = self::words(context);
        noun_of(context.iter().map(String::as_str))
    });
    let (kind, several) = found.unwrap_or((K::Item, false));
    // An index of a search engine is what holds the documents; one of a database only finds them.
    let searches = |word: &String| {
        matches!(
            &**word,
            "elasticsearch"
                | "elastic"
                | "opensearch"
                | "es"
                | "algolia"
                | "meilisearch"
                | "pinecone"
                | "typesense"
                | "vector"
                | "solr"
                | "splunk"
        )
    };
    let kind = if kind == K::Item
        && words.iter().any(|word| matches!(&**word, "index" | "indices" | "indexes"))
        && (words.iter().any(searches) || self::words(context).iter().any(searches))
    {
        K::Table
    } else {
        kind
    };
    let kind = match (verb, kind) {
        (Operation::Update, K::Item | K::File | K::Repository | K::Code)
            if words.iter().any(|word| word == "push") && words.iter().any(|word| word == "force") =>
        {
            K::Branch
        }
        // A link for everybody to what stands behind it.
        (Operation::Create, K::Endpoint) if words.iter().any(|word| word == "public") => K::Object,
        (_, kind) => kind,
    };
    // A project that is paused is something that runs.
    let kind = match (verb, kind) {
        (Operation::Stop, K::Repository) => K::Service,
        // `unprotect_branch`: the branch stays, what guards it goes.
        (Operation::Disable, K::Branch) => K::Safeguard,
        (_, kind) => kind,
    };
    // What an engine keeps goes with it.
    let verb = match (verb, kind) {
        (Operation::Disable, K::Secret) if words.iter().any(|word| word == "engine") => Operation::Drop,
        (verb, _) => verb,
    };
    // For as long as a silence or a downtime stands, nobody is told of anything.
    let kind = if kind == K::Item && words.iter().any(|word| is_silence(word)) { K::Safeguard } else { kind };
    let verb = match verb {
        Operation::Create if words.iter().any(|word| is_silence(word)) => Operation::Disable,
        Operation::Delete if words.iter().any(|word| is_silence(word)) => Operation::Update,
        verb => verb,
    };
    let all = rest().any(|word| matches!(word, "all" | "everything" | "bulk"))
        || words.get(at).is_some_and(|word| matches!(&**word, "empty" | "purge" | "flushall" | "flushdb"));
    // `remove_item_from_cart` changes the cart; `remove_user_from_team` takes something away from the user.
    let from = words.iter().position(|word| matches!(&**word, "from")).filter(|from| *from > at);
    let said = |verb: &str| words.get(at).is_some_and(|word| word == verb);
    let named = |name: &str| words.iter().any(|word| word == name);
    let verb = match (verb, kind, from) {
        (Operation::Delete, K::Item | K::Message, Some(_)) if !said("reset") => Operation::Update,
        (Operation::Delete, K::Role, Some(_)) => Operation::Revoke,
        // An order or a booking that is cancelled is still there, and says so.
        (Operation::Stop, K::Item | K::Message | K::Account | K::Role, _) if said("cancel") => {
            if all {
                Operation::Delete
            } else {
                Operation::Update
            }
        }
        (Operation::Update, K::Account, _) if said("close") => Operation::Drop,
        // `transfer_ownership`: from now on it is somebody else's.
        (Operation::Create, ..)
            if said("transfer")
                && (named("ownership") || named("owner") || matches!(kind, K::Repository | K::Network)) =>
        {
            return Some(Meaning { operation: Operation::Grant, kind: K::Role, several: several || all, all });
        }
        // `create_deploy_key`: whoever has the other half gets in.
        (Operation::Create, K::Key, _) if named("deploy") || named("ssh") => {
            return Some(Meaning { operation: Operation::Grant, kind: K::Role, several: several || all, all });
        }
        (Operation::Escalate, K::Role, _) if said("elevate") => {
            return Some(Meaning { operation: Operation::Grant, kind, several: several || all, all });
        }
        // `grant_access`: whoever it is, somebody gets in.
        (Operation::Grant, K::Item, _) if said("grant") || said("authorize") => {
            return Some(Meaning { operation: Operation::Grant, kind: K::Role, several: several || all, all });
        }
        (Operation::Update, K::Branch, _) if named("force") => Operation::Rewrite,
        (Operation::Create | Operation::Update | Operation::Alter, K::Bucket | K::Object | K::Repository, _)
            if named("public") =>
        {
            Operation::Grant
        }
        (Operation::Create, K::Account | K::Repository, _)
            if said("add") && words.get(at + 1).and_then(|word| noun(word)).is_some_and(|noun| noun.0 == K::Role) =>
        {
            Operation::Grant
        }
        // Who is added to the permissions, the members or the owners of a thing gets into it.
        (Operation::Create, K::Role, _)
            if said("add")
                && [
                    "permission",
                    "permissions",
                    "collaborator",
                    "collaborators",
                    "member",
                    "members",
                    "owner",
                    "delegate",
                    "admin",
                ]
                .iter()
                .any(|word| named(word))
                || named("permission") && said("create") =>
        {
            Operation::Grant
        }
        (verb, ..) => verb,
    };
    // `add_member_to_organization` is about the member.
    let kind = if verb == Operation::Grant && matches!(kind, K::Account | K::Repository) && said("add") {
        K::Role
    } else {
        kind
    };
    // Rows are of the table's kind, but removing some is not removing the table.
    let part =
        rest().any(|word| matches!(word.trim_end_matches('s'), "row" | "record" | "sql" | "statement" | "query"));
    let operation = if part && kind == ResourceKind::Table { verb } else { applied(verb, kind) };
    Some(Meaning { operation, kind, several: several || all, all })
}

/// What an operation comes to when it meets this kind of thing.
pub(super) fn applied(operation: Operation, kind: ResourceKind) -> Operation {
    use ResourceKind as K;
    match (operation, kind) {
        (Operation::Delete | Operation::Stop, K::Safeguard) => Operation::Disable,
        (Operation::Stop | Operation::Disable, K::Log) => Operation::Disable,
        (Operation::Delete | Operation::Drop, K::Log) => Operation::Rewrite,
        (Operation::Delete, kind) if is_container(kind) => Operation::Drop,
        (Operation::Update, K::Safeguard | K::Network | K::Server) => Operation::Alter,
        (operation, _) => operation,
    }
}

/// Whether removing one of these removes what is in it.
pub(super) fn is_container(kind: ResourceKind) -> bool {
    use ResourceKind as K;
    matches!(
        kind,
        K::Table
            | K::Schema
            | K::Database
            | K::Bucket
            | K::Namespace
            | K::Volume
            | K::Cluster
            | K::Repository
            | K::Account
            | K::Stack
            | K::Device
            | K::Key
    )
}

/// The kind of thing a noun means, singular or plural.
pub(super) fn noun(word: &str) -> Option<(ResourceKind, bool)> {
    let find = |word: &str| NOUNS.iter().find(|(_, nouns)| nouns.split(' ').any(|noun| noun == word)).map(|row| row.0);
    if let Some(kind) = find(word) {
        return Some((kind, false));
    }
    let singular = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let singular = singular.as_deref().or_else(|| word.strip_suffix("es").filter(|stem| find(stem).is_some()));
    find(singular.or_else(|| word.strip_suffix('s'))?).map(|kind| (kind, true))
}

fn noun_of<'w>(words: impl Iterator<Item = &'w str>) -> Option<(ResourceKind, bool)> {
    // The last noun is the thing itself, those before say which one: `table_row`, `bucket_policy`.
    words.filter_map(noun).reduce(|before, last| match (before.0, last.0) {
        // `DBInstance`, `db_cluster`: what is kept there is the database. `security_group`, `log_group` and
        // `route_table` are no roles and no tables.
        (ResourceKind::Database, ResourceKind::Instance | ResourceKind::Cluster)
        | (ResourceKind::Safeguard | ResourceKind::Log, ResourceKind::Role)
        | (ResourceKind::Network, ResourceKind::Table) => before,
        _ => last,
    })
}

/// Verbs of two words as one: `turn_off`, `shut_down`.
fn phrased(mut words: Vec<String>) -> Vec<String> {
    const PHRASES: &[(&str, &str, &str)] = &[
        ("turn", "off", "disable"),
        ("switch", "off", "disable"),
        ("shut", "down", "shutdown"),
        ("power", "off", "poweroff"),
        ("tear", "down", "teardown"),
        ("wipe", "out", "wipe"),
        ("turn", "on", "enable"),
        ("sign", "out", "disconnect"),
    ];
    for at in 1..words.len() {
        let pair = |phrase: &&(&str, &str, &str)| words[at - 1] == phrase.0 && words[at] == phrase.1;
        if let Some((.., verb)) = PHRASES.iter().find(pair) {
            words.splice(at - 1..=at, [(*verb).to_owned()]);
            break;
        }
    }
    words
}

/// Verbs that programmers use as nouns: the thing something is done to stands there, unless no other verb does.
fn is_noun_too(word: &str) -> bool {
    matches!(
        word,
        "index"
            | "view"
            | "tag"
            | "post"
            | "comment"
            | "record"
            | "order"
            | "build"
            | "review"
            | "mail"
            | "email"
            | "message"
            | "chat"
            | "query"
            | "filter"
            | "label"
            | "backup"
            | "archive"
            | "snapshot"
            | "schedule"
            | "draft"
            | "format"
            | "payment"
            | "issue"
            | "mask"
            | "dump"
            | "copy"
            | "clone"
            | "plan"
            | "test"
            | "report"
            | "lock"
            | "trash"
            | "compute"
            | "monitor"
    )
}

/// Names without a verb that end in what they answer: `weather_forecast`, `math_factorial`, `currency_converter`.
fn answer(words: &[String]) -> Option<Operation> {
    let last = words.last()?;
    let noun = last.strip_suffix('s').unwrap_or(last);
    (words.len() > 1 && ANSWERS.split_whitespace().any(|word| word == last || word == noun)).then_some(Operation::Read)
}

/// The operation of a verb.
pub(super) fn verb(word: &str) -> Option<Operation> {
    VERBS.iter().find(|(_, verbs)| verbs.split(' ').any(|verb| verb == word)).map(|row| row.0)
}

/// Splits `deleteDBInstance`, `delete_db_instance` and `delete-db-instance` into lower-case words.
pub(super) fn words(name: &str) -> Vec<String> {
    const MOST: usize = 200;
    let mut words = vec![String::new()];
    let mut before = '_';
    let mut letters = name.chars().take(MOST).peekable();
    while let Some(letter) = letters.next() {
        let starts = letter.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase())));
        if starts || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_silence(word: &str) -> bool {
    matches!(word, "silence" | "silences" | "downtime" | "downtimes" | "blackout" | "blackouts" | "maintenance")
}

const VERBS: &[(Operation, &str)] = &[
    (
        Operation::Read,
        "get track stat aggregate read show view inspect assess review audit locate reconcile decrypt encrypt monitor identify detect lookup retrieve check count analyze analyse summarize validate verify \
         calculate compute convert preview explain think wait diff compare search find query select load parse test \
         estimate predict recommend resolve screenshot snapshot hover watch tail cat head peek solve lint debug brainstorm chat ask complete highlight solve translate simulate \
         classify extract parse tokenize sort filter rank rate measure forecast format normalize round multiply divide \
         subtract sum average integrate differentiate factorize roll plot are can scan profile query answer",
    ),
    (Operation::List, "list ls top describe status has is exists enumerate browse glob index tree dir"),
    (
        Operation::Create,
        "create add insert new make register provision launch upload book reserve schedule save store append generate \
         import copy duplicate restore post comment reply publish submit start allocate buy purchase order pay spawn \
         open draft record build withdraw donate remit wire issue stage assemble compose clone fork init initialize deploy install backup transfer request respond rebuild reimage reinstall",
    ),
    (
        Operation::Update,
        "update edit modify set change patch write replace rename move put upsert assign mark toggle sync apply close \
         complete label tag archive unarchive adjust increment merge commit append prepend accept join play train push fill type click press select drag \
         pin enable resume rotate reschedule associate disassociate exchange return refund acknowledge ack snooze follow \
         unfollow subscribe unsubscribe like unlike upvote vote bookmark favorite star unstar renew extend redeem arm unlock relabel rollback revert",
    ),
    (
        Operation::Delete,
        "delete remove destroy purge erase clear terminate unlink prune wipe trash truncate empty discard deregister \
         uninstall flush del rm reset nuke evict obliterate annihilate eradicate expunge scrub zap dispose liquidate \
         nullify retire sunset flushall flushdb dropall undeploy unpublish unregister void vacate overwrite expire",
    ),
    (Operation::Drop, "drop deprovision decommission teardown zeroize"),
    (Operation::Alter, "alter configure migrate resize scale"),
    (Operation::Export, "send export email notify forward share dump tweet broadcast mail message dm"),
    (Operation::Execute, "execute run eval evaluate invoke call exec trigger dispatch launch delegate"),
    (
        Operation::Stop,
        "stop kill shutdown halt pause suspend restart reboot abort drain deactivate lock cancel disconnect poweroff offboard",
    ),
    (Operation::Disable, "disable bypass skip mute unprotect suppress"),
    (Operation::Grant, "grant authorize allow attach permit approve invite"),
    (Operation::Revoke, "revoke deny ban block unshare detach disallow uninvite kick"),
    (Operation::Escalate, "assume impersonate sudo elevate"),
    (Operation::Connect, "connect login authenticate auth signin ping"),
    (Operation::Fetch, "fetch download pull scrape crawl navigate goto visit"),
];

const ANSWERS: &str = "analysis analyzer area average balance benchmark bmi brief calculation calculator capital circle \
    circumference comment comparison comparator composition condition conversion converter correlation cost count daily data date \
    definition density depreciation derivative description detail dictionary difference distance distribution duration \
    efficiency emission energy equation estimate estimation estimator factor factorial finder force forecast formula \
    fact forecaster gcd gdp growth hcf highest history hour humidity index info information insight interest itinerary \
    lcm length level list location log lookup lowest map mass mean median metadata metric mode name news number odd outcome \
    paradox path pattern percentage performance perimeter plan planner population position potential power precipitation \
    prediction predictor prerequisite price probability profile property quality quote rank ranking rate rating ratio \
    reader recipe recommendation report result review root route schedule schema score search searcher size \
    solution solver speed standing statistic status stock suggestion summary sunrise temperature test theory \
    thesaurus time timezone total transcript translation translator trend triangle type units value variance velocity version \
    weather weight winner wikipedia word year";

const NOUNS: &[(ResourceKind, &str)] = &[
    (ResourceKind::File, "file document attachment notebook"),
    (ResourceKind::Folder, "folder directory"),
    (ResourceKind::Process, "process shell"),
    (ResourceKind::Service, "service daemon"),
    (ResourceKind::Host, "host machine droplet device"),
    (ResourceKind::Package, "package dependency"),
    (
        ResourceKind::Role,
        "role user group permission policy member collaborator delegate grant iam principal team login owner admin",
    ),
    (
        ResourceKind::Network,
        "network vpc subnet dns zone route gateway domain recordset loadbalancer balancer interface",
    ),
    (ResourceKind::Column, "column field"),
    (ResourceKind::Table, "table collection row record sql statement query"),
    (ResourceKind::View, "view"),
    (ResourceKind::Schema, "schema keyspace"),
    (ResourceKind::Database, "database db dataset rds"),
    (ResourceKind::Server, "server"),
    (ResourceKind::Routine, "function procedure trigger lambda"),
    (ResourceKind::Repository, "repository repo project"),
    (ResourceKind::Branch, "branch tag ref"),
    (ResourceKind::Code, "code script command workflow python javascript agent subagent task"),
    (ResourceKind::Container, "container sandbox"),
    (ResourceKind::Image, "image ami"),
    (ResourceKind::Volume, "volume disk filesystem pvc"),
    (ResourceKind::Cluster, "cluster"),
    (ResourceKind::Namespace, "namespace"),
    (ResourceKind::Workload, "pod deployment job replicaset statefulset daemonset app application cronjob workload"),
    (ResourceKind::Node, "node nodegroup"),
    (ResourceKind::Bucket, "bucket"),
    (ResourceKind::Object, "object blob"),
    (ResourceKind::Secret, "secret credential token password apikey"),
    (ResourceKind::Key, "key kms"),
    (ResourceKind::Instance, "instance vm"),
    (ResourceKind::Queue, "queue topic"),
    (ResourceKind::Account, "organization organisation org account subscription workspace tenant environment"),
    (ResourceKind::Stack, "stack release"),
    (ResourceKind::Backup, "backup snapshot"),
    (ResourceKind::Log, "log trail audit logging"),
    (
        ResourceKind::Safeguard,
        "security firewall protection guard detector alarm hook webhook rule guardrail mfa 2fa totp factor authentication encryption antivirus waf captcha monitoring alerting monitor",
    ),
    (
        ResourceKind::Message,
        "message email mail post comment issue gist snippet paste notification channel chat sms tweet reply review dm discussion",
    ),
    (ResourceKind::Endpoint, "url page webpage website web browser site link"),
    (ResourceKind::Message, "gmail outlook inbox mailbox trash spam conversation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let seen = meaning(name, "")
            .map_or("-".to_owned(), |m| format!("{} {}{}", m.operation, m.kind, if m.all { " all" } else { "" }));
        assert_eq!(seen, expected, "{name}");
    }

    #[test]
    fn verbs_stand_first_or_last() {
        check("delete_volume", "drop Volume");
        check("volumeDelete", "drop Volume");
        check("DeleteDBInstance", "drop Database");
        check("list-users", "list Role");
        check("delete_all_messages", "delete Message all");
        check("frobnicate", "-");
        check("comment_delete", "delete Message");
        check("es_delete_index", "drop Table");
        check("index_status", "list Item");
        check("post_message", "create Message");
        check("add_collaborator", "grant Role");
        check("pause_project", "stop Service");
        check("git_force_push", "rewrite Branch");
        check("generate_public_link", "grant Object");
        check("disable_two_factor_auth", "disable Safeguard");
    }

    #[test]
    fn what_is_met_decides_the_operation() {
        check("stop_logging", "disable Log");
        check("delete_firewall", "disable Safeguard");
        check("delete_log", "rewrite Log");
        check("deleteRepository", "drop Repository");
        check("DeleteSecurityGroup", "disable Safeguard");
        check("DescribeRouteTables", "list Network");
        check("delete_table_rows", "delete Table");
    }

    #[test]
    fn plurals_are_the_same_noun() {
        assert_eq!(noun("policies"), Some((ResourceKind::Role, true)));
        assert_eq!(noun("branches"), Some((ResourceKind::Branch, true)));
        assert_eq!(noun("pods"), Some((ResourceKind::Workload, true)));
        assert_eq!(noun("pod"), Some((ResourceKind::Workload, false)));
    }
}
