//! Services whose API is known: clusters, code hosts, search engines, secret stores, metadata services.

use crate::model::{Certainty, Extent, Operation, Resource, ResourceKind};

use crate::classify::{Scene, naming};

use super::{Noted, asked};

type Reader = fn(&Call<'_>) -> Option<Found>;

/// Reads the request as one of a known service; `false` when none of them claims it.
pub(super) fn known(scene: &mut Scene<'_>, noted: &Noted<'_>) -> bool {
    let path: Vec<&str> = noted.address.path_segments().take(16).collect();
    let call = Call {
        host: &noted.address.host,
        port: noted.address.port,
        path: &path,
        method: noted.method,
        body: noted.request.body.text.unwrap_or(""),
        query: &noted.address.query,
    };
    const READERS: &[Reader] = &[
        metadata,
        kubernetes,
        github,
        gitlab,
        solr,
        search_engine,
        docker,
        vault,
        consul,
        messenger,
        public_drop,
        amazon,
    ];
    let Some(found) = READERS.iter().find_map(|reader| reader(&call)) else { return false };
    let mut resource = Resource::new(found.kind, found.name);
    resource.unresolved = noted.address.unresolved;
    noted.note(scene, found.operation, resource, found.extent, Certainty::Exact);
    true
}

struct Call<'a> {
    host: &'a str,
    port: Option<u16>,
    path: &'a [&'a str],
    method: &'a str,
    body: &'a str,
    query: &'a str,
}

impl Call<'_> {
    /// What the method means for a thing of this kind.
    fn verb(&self, kind: ResourceKind) -> Operation {
        let operation = match self.method {
            "DELETE" => Operation::Delete,
            "PUT" | "PATCH" => Operation::Update,
            "POST" => Operation::Create,
            _ => Operation::Read,
        };
        naming::applied(operation, kind)
    }

    /// Makes public what was not.
    fn publishes(&self) -> bool {
        asked::publishes(self.body, self.query)
    }

    fn usual(&self, kind: ResourceKind, name: impl Into<String>) -> Found {
        Found { operation: self.verb(kind), kind, name: name.into(), extent: Extent::One }
    }
}

struct Found {
    operation: Operation,
    kind: ResourceKind,
    name: String,
    extent: Extent,
}

impl Found {
    fn one(operation: Operation, kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { operation, kind, name: name.into(), extent: Extent::One }
    }

    fn all(self) -> Self {
        Self { extent: Extent::All, ..self }
    }
}

/// Cloud metadata services hand out the credentials of the machine.
fn metadata(call: &Call<'_>) -> Option<Found> {
    const HOSTS: &[&str] = &[
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "fd00:ec2::254",
        "metadata.google.internal",
        "metadata",
        "2852039166",
    ];
    let name = || format!("{}/{}", call.host, call.path.join("/"));
    HOSTS.contains(&call.host).then(|| Found::one(Operation::Read, ResourceKind::Secret, name()))
}

fn kubernetes(call: &Call<'_>) -> Option<Found> {
    let named = matches!(call.port, Some(6443 | 8001))
        || call.host.contains("kubernetes")
        || call.host.ends_with(".eks.amazonaws.com")
        || call.host.ends_with(".azmk8s.io");
    let rest = match call.path {
        ["api", "v1", rest @ ..] if named || rest.first() == Some(&"namespaces") => rest,
        ["apis", group, _, rest @ ..] if named || group.ends_with(".k8s.io") || rest.first() == Some(&"namespaces") => {
            rest
        }
        _ => return None,
    };
    let (kind, name, all) = match rest {
        ["namespaces"] => (ResourceKind::Namespace, String::new(), true),
        ["namespaces", name] => (ResourceKind::Namespace, (*name).to_owned(), false),
        ["namespaces", namespace, plural, rest @ ..] => {
            (kubernetes_kind(plural), format!("{namespace}/{}", rest.first().unwrap_or(&"")), rest.is_empty())
        }
        [plural, rest @ ..] => (kubernetes_kind(plural), (*rest.first().unwrap_or(&"")).to_owned(), rest.is_empty()),
        [] => return Some(Found::one(Operation::List, ResourceKind::Cluster, call.host)),
    };
    let operation = match (rest.last(), call.method) {
        (Some(&"exec"), _) => Operation::Execute,
        (Some(&"eviction"), _) => Operation::Stop,
        // What still waits to be put away is forgotten, and the namespace with it.
        (Some(&"finalize"), "PUT" | "PATCH" | "POST") => {
            return Some(Found::one(
                Operation::Drop,
                ResourceKind::Namespace,
                rest.get(1).copied().unwrap_or_default(),
            ));
        }
        (Some(&"scale"), "PUT" | "PATCH") if call.body.replace(' ', "").contains("\"replicas\":0") => Operation::Stop,
        (_, "GET") if all && kind != ResourceKind::Secret => Operation::List,
        _ => call.verb(kind),
    };
    let found = Found::one(operation, kind, name);
    Some(if all && operation != Operation::Create { found.all() } else { found })
}

fn kubernetes_kind(plural: &str) -> ResourceKind {
    match plural {
        "secrets" => ResourceKind::Secret,
        "persistentvolumes" | "persistentvolumeclaims" => ResourceKind::Volume,
        "nodes" => ResourceKind::Node,
        "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" | "serviceaccounts" => ResourceKind::Role,
        "networkpolicies"
        | "validatingwebhookconfigurations"
        | "mutatingwebhookconfigurations"
        | "poddisruptionbudgets" => ResourceKind::Safeguard,
        "pods" | "deployments" | "statefulsets" | "daemonsets" | "replicasets" | "jobs" | "cronjobs" => {
            ResourceKind::Workload
        }
        "ingresses" | "services" | "endpoints" => ResourceKind::Network,
        "events" => ResourceKind::Log,
        _ => ResourceKind::Item,
    }
}

fn github(call: &Call<'_>) -> Option<Found> {
    let path = match call.path {
        path if call.host == "api.github.com" => path,
        ["api", "v3", rest @ ..] => rest,
        _ => return None,
    };
    let [first, rest @ ..] = path else { return None };
    if *first == "gists" && call.method == "POST" {
        return Some(Found::one(Operation::Export, ResourceKind::Message, "gist"));
    }
    if *first == "orgs" && rest.len() == 1 {
        return Some(call.usual(ResourceKind::Account, rest[0]));
    }
    let ["repos", owner, repository, rest @ ..] = path else { return None };
    let under = |name: &str| format!("{owner}/{repository}/{name}");
    let last = rest.last().copied().unwrap_or("");
    Some(match rest {
        [] if matches!(call.method, "PATCH" | "PUT") && call.publishes() => {
            Found::one(Operation::Grant, ResourceKind::Repository, format!("{owner}/{repository}")).all()
        }
        [] if matches!(call.method, "PATCH" | "PUT")
            && call.body.contains("security_and_analysis")
            && call.body.contains("disabled") =>
        {
            Found::one(Operation::Disable, ResourceKind::Safeguard, under("security_and_analysis"))
        }
        [] if matches!(call.method, "PATCH" | "PUT") => {
            Found::one(Operation::Alter, ResourceKind::Repository, format!("{owner}/{repository}"))
        }
        [] => call.usual(ResourceKind::Repository, format!("{owner}/{repository}")),
        ["branches", branch, "protection", ..] => call.usual(ResourceKind::Safeguard, under(branch)),
        ["rulesets", ..] | ["hooks", ..] | ["code-scanning", ..] | ["vulnerability-alerts"] => {
            call.usual(ResourceKind::Safeguard, under(last))
        }
        ["git", "refs", "heads" | "tags", ..] => {
            let name = rest.get(3..).unwrap_or_default().join("/");
            let body = call.body.replace(' ', "");
            let forced = body.contains("\"force\":true") || body.split('&').any(|field| field == "force=true");
            match call.method {
                "PATCH" if forced => Found::one(Operation::Rewrite, ResourceKind::Branch, under(&name)),
                _ => call.usual(ResourceKind::Branch, under(&name)),
            }
        }
        ["contents", file @ ..] => {
            let operation = if call.method == "PUT" { Operation::Update } else { call.verb(ResourceKind::File) };
            Found::one(operation, ResourceKind::File, under(&file.join("/")))
        }
        ["pulls", number, "merge"] => Found::one(Operation::Update, ResourceKind::Branch, under(number)),
        ["actions" | "dependabot" | "codespaces", "secrets", ..] => call.usual(ResourceKind::Secret, under(last)),
        ["collaborators", who, ..] => {
            let operation = if call.method == "DELETE" { Operation::Revoke } else { Operation::Grant };
            let high = call.body.contains("admin") || call.body.contains("maintain");
            let right = if high { " as admin" } else { "" };
            Found::one(operation, ResourceKind::Role, under(&format!("{who}{right}")))
        }
        ["keys", ..] if call.method == "POST" => Found::one(Operation::Grant, ResourceKind::Repository, under("keys")),
        ["transfer"] => Found::one(Operation::Export, ResourceKind::Repository, format!("{owner}/{repository}")),
        ["issues" | "pulls" | "comments" | "releases" | "discussions", ..] => {
            call.usual(ResourceKind::Message, under(&rest.join("/")))
        }
        _ => call.usual(ResourceKind::Item, under(&rest.join("/"))),
    })
}

fn gitlab(call: &Call<'_>) -> Option<Found> {
    let ["api", "v4", first, id, rest @ ..] = call.path else { return None };
    let last = rest.last().copied().unwrap_or("");
    let under = |name: &str| format!("{id}/{name}");
    Some(match (*first, rest) {
        ("groups", []) => call.usual(ResourceKind::Account, *id),
        ("projects", []) if call.method == "PUT" && call.publishes() => {
            Found::one(Operation::Grant, ResourceKind::Repository, *id).all()
        }
        ("projects", []) if call.method == "PUT" => Found::one(Operation::Alter, ResourceKind::Repository, *id),
        ("projects", []) => call.usual(ResourceKind::Repository, *id),
        (_, ["variables", ..]) => call.usual(ResourceKind::Secret, under(last)),
        (_, ["protected_branches" | "protected_tags" | "push_rule" | "hooks" | "approval_rules", ..]) => {
            call.usual(ResourceKind::Safeguard, under(last))
        }
        (_, ["repository", "branches" | "tags", name]) => call.usual(ResourceKind::Branch, under(name)),
        (_, ["repository", "merged_branches"]) => call.usual(ResourceKind::Branch, under("")).all(),
        (_, ["members", ..]) => {
            let operation = match call.method {
                "DELETE" => Operation::Revoke,
                "GET" => Operation::List,
                _ => Operation::Grant,
            };
            Found::one(operation, ResourceKind::Role, under(last))
        }
        (_, ["issues" | "merge_requests" | "notes" | "snippets", ..]) => {
            call.usual(ResourceKind::Message, under(&rest.join("/")))
        }
        _ => call.usual(ResourceKind::Item, format!("{first}/{}", under(&rest.join("/")))),
    })
}

/// Solr: what an update says to delete stands in its body.
fn solr(call: &Call<'_>) -> Option<Found> {
    let ["solr", core, "update", ..] = call.path[..] else { return None };
    let lower = call.body.to_ascii_lowercase();
    if !lower.contains("<delete>") && !lower.contains("\"delete\"") {
        return None;
    }
    let extent = if lower.contains("*:*") { Extent::All } else { Extent::Some };
    Some(Found { operation: Operation::Delete, kind: ResourceKind::Table, name: core.to_owned(), extent })
}

/// Elasticsearch and OpenSearch: an index is what a table is elsewhere.
fn search_engine(call: &Call<'_>) -> Option<Found> {
    let named = matches!(call.port, Some(9200))
        || call.host.contains("elastic")
        || call.host.contains("opensearch")
        || call.host.ends_with(".es.amazonaws.com");
    // `_all` stands where an index does.
    let verb = call.path.iter().find(|part| part.starts_with('_') && **part != "_all").copied();
    let verb = verb.or_else(|| call.path.last().copied().filter(|part| *part == "_all")).unwrap_or("");
    if !named && !matches!(verb, "_delete_by_query" | "_update_by_query" | "_all") {
        return None;
    }
    let index = call.path.first().filter(|part| !part.starts_with('_') || **part == "_all").copied().unwrap_or("");
    let everything = index == "_all" || index == "*";
    let reach = |found: Found| match index {
        _ if everything => found.all(),
        index if index.contains(['*', ',']) => Found { extent: Extent::Some, ..found },
        _ => found,
    };
    let whole = call.body.is_empty() || call.body.contains("match_all");
    let table = |operation, extent| Found { operation, kind: ResourceKind::Table, name: index.to_owned(), extent };
    Some(match (verb, call.method) {
        ("_delete_by_query", _) => table(Operation::Delete, if whole { Extent::All } else { Extent::Some }),
        ("_update_by_query", _) => table(Operation::Update, if whole { Extent::All } else { Extent::Some }),
        ("_search" | "_count" | "_mget" | "_msearch" | "_cat" | "_stats" | "_mapping" | "_sql", "GET" | "POST") => {
            table(Operation::Read, Extent::Some)
        }
        ("_bulk", _) => table(Operation::Update, Extent::Some),
        // A closed index answers nobody.
        ("_close", _) => reach(Found::one(Operation::Stop, ResourceKind::Database, index)),
        ("_doc" | "_create" | "_update", _) => call.usual(ResourceKind::Table, index).part_of_table(call.method),
        ("_snapshot" | "_slm", _) => call.usual(ResourceKind::Backup, call.path.join("/")),
        ("_data_stream" | "_index_template" | "_template", _) => {
            let name = call.path.last().copied().unwrap_or("");
            let found = call.usual(ResourceKind::Table, name);
            if name == "*" { found.all() } else { found }
        }
        // Whether `DELETE /*` is refused, whether indices are made by mistake: what protects the rest.
        ("_cluster", "PUT" | "POST") if call.body.contains("destructive_requires_name") => {
            Found::one(Operation::Disable, ResourceKind::Safeguard, "destructive_requires_name")
        }
        ("_security", _) => call.usual(ResourceKind::Role, call.path.join("/")),
        ("_cluster" | "_nodes" | "_ilm" | "_settings", "PUT" | "POST" | "DELETE") => {
            Found::one(Operation::Alter, ResourceKind::Server, call.path.join("/"))
        }
        ("", "GET" | "HEAD") if index.is_empty() => Found::one(Operation::List, ResourceKind::Server, call.host),
        ("" | "_all", _) => reach(call.usual(ResourceKind::Table, index)),
        _ => call.usual(ResourceKind::Item, call.path.join("/")),
    })
}

impl Found {
    /// Removing a document is not removing its index.
    fn part_of_table(mut self, method: &str) -> Self {
        if method == "DELETE" {
            self.operation = Operation::Delete;
        }
        self
    }
}

/// The Docker engine, by its ports or its socket (whose requests name the host `docker` or `localhost`).
fn docker(call: &Call<'_>) -> Option<Found> {
    let path = match call.path {
        [version, rest @ ..] if version.strip_prefix('v').is_some_and(|v| v.starts_with("1.")) => rest,
        path if matches!(call.port, Some(2375 | 2376)) || call.host == "docker" => path,
        _ => return None,
    };
    let [plural, rest @ ..] = path else { return None };
    let kind = match *plural {
        "containers" => ResourceKind::Container,
        "images" => ResourceKind::Image,
        "volumes" => ResourceKind::Volume,
        "networks" => ResourceKind::Network,
        "secrets" => ResourceKind::Secret,
        "services" | "tasks" => ResourceKind::Workload,
        "exec" => return Some(Found::one(Operation::Execute, ResourceKind::Container, "")),
        "build" => ResourceKind::Image,
        _ => return None,
    };
    let name = rest.first().copied().unwrap_or("");
    Some(match (rest.last().copied().unwrap_or(""), call.method) {
        ("prune", _) => Found::one(naming::applied(Operation::Delete, kind), kind, "").all(),
        ("stop" | "kill" | "pause" | "restart", _) => Found::one(Operation::Stop, kind, name),
        ("exec", _) => Found::one(Operation::Execute, kind, name),
        // As `docker run --privileged -v /:/host` does.
        ("create", _) if kind == ResourceKind::Container && leaves_container(call.body) => {
            Found::one(Operation::Disable, ResourceKind::Safeguard, "container isolation")
        }
        ("create", _) => Found::one(Operation::Create, kind, ""),
        (_, "GET") => Found::one(Operation::List, kind, name),
        _ => call.usual(kind, name),
    })
}

/// Whether the settings of a container let what runs in it at the machine.
fn leaves_container(body: &str) -> bool {
    let body = body.replace([' ', '"'], "");
    let binds = ["Binds:[/:", "Binds:[/etc", "Binds:[/root", "Binds:[/var", "Binds:[/home", "Source:/,", "Source:/}"];
    ["Privileged:true", "PidMode:host"].iter().chain(&binds).any(|say| body.contains(say))
}

fn vault(call: &Call<'_>) -> Option<Found> {
    let named = call.port == Some(8200) || call.host.contains("vault");
    let ["v1", rest @ ..] = call.path else { return None };
    if !named {
        return None;
    }
    let name = rest.join("/");
    Some(match rest {
        ["sys", "seal"] => Found::one(Operation::Stop, ResourceKind::Server, call.host),
        ["sys", "health" | "seal-status" | "leader", ..] => {
            Found::one(Operation::List, ResourceKind::Server, call.host)
        }
        ["sys", "audit", ..] if call.method == "DELETE" => Found::one(Operation::Disable, ResourceKind::Log, name),
        ["sys", "mounts", ..] if call.method == "DELETE" => {
            Found::one(Operation::Drop, ResourceKind::Secret, name).all()
        }
        ["sys", "policy" | "policies" | "auth", ..] => call.usual(ResourceKind::Role, name),
        ["auth", ..] => Found::one(Operation::Connect, ResourceKind::Server, call.host),
        _ => call.usual(ResourceKind::Secret, name),
    })
}

fn consul(call: &Call<'_>) -> Option<Found> {
    let ["v1", "kv", key @ ..] = call.path else { return None };
    let found = call.usual(ResourceKind::Item, key.join("/"));
    Some(if call.query.contains("recurse") { found.all() } else { found })
}

/// Posting there puts text before other people, or wherever the receiver of a hook sends it on.
fn messenger(call: &Call<'_>) -> Option<Found> {
    // What goes to whole lists is read by the service's routes.
    if call.path.iter().any(|part| matches!(*part, "campaigns" | "singlesends" | "emailCampaigns")) {
        return None;
    }
    const HOSTS: &[&str] = &[
        "slack.com",
        "discord.com",
        "discordapp.com",
        "api.telegram.org",
        "sendgrid.com",
        "mailgun.net",
        "postmarkapp.com",
        "api.resend.com",
        "api.mailjet.com",
        "api.brevo.com",
        "api.twilio.com",
        "graph.facebook.com",
        "webhook.office.com",
        "chat.googleapis.com",
        "api.twitter.com",
        "ntfy.sh",
        "api.pushover.net",
        "maker.ifttt.com",
        "hooks.zapier.com",
    ];
    let posted = matches!(call.method, "POST" | "PUT");
    (posted && is_one_of(call.host, HOSTS))
        .then(|| Found::one(Operation::Export, ResourceKind::Message, call.path.first().copied().unwrap_or("")))
}

/// Pastebins, file drops and request catchers: whoever has the address, or runs the place, reads what is put there.
fn public_drop(call: &Call<'_>) -> Option<Found> {
    const HOSTS: &[&str] = &[
        "0x0.st",
        "anonfiles.com",
        "bashupload.com",
        "burpcollaborator.net",
        "catbox.moe",
        "beeceptor.com",
        "dpaste.com",
        "dpaste.org",
        "file.io",
        "filebin.net",
        "filetransfer.io",
        "gofile.io",
        "hastebin.com",
        "interact.sh",
        "ix.io",
        "keep.sh",
        "loca.lt",
        "ngrok-free.app",
        "ngrok.app",
        "ngrok.io",
        "oast.fun",
        "oast.live",
        "oast.me",
        "oast.online",
        "oast.pro",
        "oast.site",
        "oastify.com",
        "oshi.at",
        "paste.ee",
        "paste.rs",
        "pastebin.com",
        "pipedream.net",
        "pixeldrain.com",
        "ptpb.pw",
        "requestbin.com",
        "requestbin.net",
        "requestcatcher.com",
        "serveo.net",
        "sprunge.us",
        "temp.sh",
        "termbin.com",
        "tmpfiles.org",
        "transfer.sh",
        "trycloudflare.com",
        "uguu.se",
        "webhook.site",
        "wormhole.app",
    ];
    let posted = matches!(call.method, "POST" | "PUT");
    (posted && is_one_of(call.host, HOSTS)).then(|| Found::one(Operation::Export, ResourceKind::Message, "public drop"))
}

fn is_one_of(host: &str, known: &[&str]) -> bool {
    known.iter().any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// S3 by its addresses: `bucket.s3.region.amazonaws.com/key` and `s3.amazonaws.com/bucket/key`.
fn amazon(call: &Call<'_>) -> Option<Found> {
    let name = call.host.strip_suffix(".amazonaws.com")?;
    let (bucket, key) = if name == "s3" || name.starts_with("s3.") || name.starts_with("s3-") {
        (*call.path.first()?, call.path.get(1..).unwrap_or_default().join("/"))
    } else {
        (name.split_once(".s3").map(|(bucket, _)| bucket)?, call.path.join("/"))
    };
    if call.method == "GET" || call.method == "HEAD" {
        return None;
    }
    Some(if key.is_empty() {
        call.usual(ResourceKind::Bucket, format!("s3://{bucket}"))
    } else if call.method == "DELETE" {
        call.usual(ResourceKind::Object, format!("s3://{bucket}/{key}"))
    } else {
        Found::one(Operation::Export, ResourceKind::Object, format!("s3://{bucket}/{key}"))
    })
}
