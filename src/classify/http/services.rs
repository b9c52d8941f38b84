//! Services whose paths mean something else than their words say: one line a service, one pattern a route.

use crate::classify::Scene;
use crate::model::{Certainty, CodeOrigin, Extent, Operation, ResourceKind};

use super::Noted;

use Operation as O;
use ResourceKind as K;

/// What a route does: methods (`*` for any that changes), the end of the path, the operation, the kind of thing.
/// `*` in a path is any one part and is the name; `**` is any number of them.
type Route = (&'static str, &'static str, Operation, ResourceKind);

struct Service {
    /// What the host's name has in it; a port after a colon; a path that nothing else has, after a slash.
    known_by: &'static [&'static str],
    routes: &'static [Route],
}

const SERVICES: &[Service] = &[
    Service {
        known_by: &["prometheus", "thanos", "mimir", "victoria", ":9090", "/api/v1/admin/tsdb"],
        routes: &[
            ("*", "admin/tsdb/delete_series", O::Delete, K::Table),
            ("*", "admin/tsdb/clean_tombstones", O::Delete, K::Table),
            ("*", "admin/tsdb/snapshot", O::Create, K::Backup),
            ("*", "-/quit", O::Stop, K::Server),
            ("*", "-/reload", O::Update, K::Item),
            ("POST", "query|query_range|series|labels", O::Read, K::Table),
        ],
    },
    Service {
        known_by: &["alertmanager", ":9093"],
        routes: &[("POST", "silences", O::Disable, K::Safeguard), ("DELETE", "silence/*", O::Update, K::Safeguard)],
    },
    Service {
        known_by: &["grafana"],
        routes: &[
            ("DELETE", "dashboards/uid/*", O::Delete, K::Item),
            ("DELETE", "datasources/**", O::Delete, K::Item),
            ("DELETE", "folders/*", O::Drop, K::Item),
            ("DELETE", "alert-rules/*", O::Disable, K::Safeguard),
            ("DELETE", "orgs/*", O::Drop, K::Account),
            ("POST", "ds/query", O::Read, K::Table),
        ],
    },
    Service {
        known_by: &["jenkins", "/scriptText", "/doDelete", "/quietDown", "/safeExit", "/safeRestart"],
        routes: &[
            ("*", "scriptText", O::Execute, K::Code),
            ("*", "script", O::Execute, K::Code),
            ("*", "exit|safeExit|quietDown", O::Stop, K::Server),
            ("*", "restart|safeRestart", O::Stop, K::Server),
            ("*", "job/*/doDelete", O::Delete, K::Workload),
            ("*", "computer/*/doDelete", O::Delete, K::Node),
            ("*", "*/doDelete", O::Delete, K::Item),
            ("*", "doWipeOutWorkspace", O::Delete, K::Item),
            ("*", "build|buildWithParameters", O::Create, K::Workload),
            ("*", "stop|kill|term", O::Update, K::Item),
        ],
    },
    Service {
        known_by: &["argocd", "argo-cd"],
        routes: &[
            ("DELETE", "applications/*", O::Drop, K::Workload),
            ("DELETE", "applicationsets/*", O::Drop, K::Workload),
            ("DELETE", "projects/*", O::Drop, K::Stack),
            ("DELETE", "clusters/*", O::Delete, K::Cluster),
            ("DELETE", "applications/*/resource", O::Delete, K::Workload),
            ("POST", "applications/*/sync|rollback", O::Update, K::Workload),
        ],
    },
    Service {
        known_by: &["rabbit", ":15672"],
        routes: &[
            ("DELETE", "queues/*/*/contents", O::Drop, K::Queue),
            ("DELETE", "queues/*/*", O::Drop, K::Queue),
            ("DELETE", "vhosts/*", O::Drop, K::Namespace),
            ("DELETE", "exchanges/*/*", O::Delete, K::Queue),
            ("DELETE", "connections/*", O::Stop, K::Process),
            ("POST", "queues/*/*/get", O::Read, K::Queue),
            ("POST", "exchanges/*/*/publish", O::Create, K::Item),
        ],
    },
    Service {
        known_by: &["kafka", "/v3/clusters"],
        routes: &[
            ("DELETE", "topics/*", O::Drop, K::Queue),
            ("DELETE", "connectors/*", O::Delete, K::Workload),
            ("DELETE", "subjects/*", O::Delete, K::Schema),
            ("DELETE", "consumer-groups/*", O::Delete, K::Item),
            ("POST", "topics/*/records", O::Create, K::Item),
            ("POST", "topics/*", O::Create, K::Item),
        ],
    },
    Service {
        known_by: &["cloudflare"],
        routes: &[
            ("DELETE", "zones/*", O::Drop, K::Network),
            (
                "PATCH",
                "settings/security_level|waf|browser_check|ssl|always_use_https|min_tls_version|hotlink_protection",
                O::Alter,
                K::Safeguard,
            ),
            ("DELETE", "dns_records/*", O::Delete, K::Network),
            ("*", "zones/*/purge_cache", O::Delete, K::Object),
            ("DELETE", "workers/scripts/*", O::Delete, K::Workload),
            ("DELETE", "namespaces/*", O::Drop, K::Bucket),
            ("DELETE", "namespaces/*/values/*", O::Delete, K::Object),
            ("DELETE", "database/*", O::Drop, K::Database),
            ("DELETE", "accounts/*", O::Drop, K::Account),
            ("DELETE", "rules/*", O::Disable, K::Safeguard),
        ],
    },
    Service {
        known_by: &["fastly"],
        routes: &[
            ("DELETE", "service/*", O::Drop, K::Workload),
            ("*", "purge_all", O::Delete, K::Object),
            ("*", "purge/**", O::Update, K::Object),
        ],
    },
    Service {
        known_by: &["heroku"],
        routes: &[
            ("DELETE", "apps/*", O::Drop, K::Workload),
            ("DELETE", "apps/*/dynos", O::Stop, K::Workload),
            ("DELETE", "dynos/*", O::Stop, K::Workload),
            ("DELETE", "addons/*", O::Drop, K::Database),
            ("PATCH", "config-vars", O::Update, K::Item),
        ],
    },
    Service {
        known_by: &["vercel", "netlify", "render.com", "fly.io", "railway", "machines.dev", "onrender"],
        routes: &[
            ("DELETE", "projects/*", O::Drop, K::Stack),
            ("DELETE", "sites/*", O::Drop, K::Stack),
            ("DELETE", "apps/*", O::Drop, K::Stack),
            ("DELETE", "services/*", O::Drop, K::Workload),
            ("DELETE", "machines/*", O::Delete, K::Instance),
            ("DELETE", "deployments/*", O::Delete, K::Workload),
            ("DELETE", "env/*", O::Delete, K::Secret),
            ("POST", "projects/*/pause", O::Stop, K::Service),
            ("POST", "services/*/suspend", O::Stop, K::Service),
        ],
    },
    Service {
        known_by: &[
            "mailchimp",
            "sendgrid",
            "klaviyo",
            "brevo",
            "customer.io",
            "hubapi",
            "iterable",
            "braze",
            "activecampaign",
        ],
        routes: &[
            ("POST", "campaigns/*/actions/send|schedule|resume", O::Export, K::Message),
            ("*", "singlesends/*/schedule", O::Export, K::Message),
            ("POST", "campaign-send-jobs", O::Export, K::Message),
            ("POST", "emailCampaigns/*/sendNow", O::Export, K::Message),
            ("POST", "campaigns/*/trigger|send", O::Export, K::Message),
            ("DELETE", "lists/*", O::Delete, K::Table),
            ("DELETE", "campaigns/*", O::Delete, K::Item),
        ],
    },
    Service {
        known_by: &["launchdarkly", "unleash", "split.io", "flagsmith", "statsig"],
        routes: &[
            ("DELETE", "projects/*", O::Drop, K::Stack),
            ("DELETE", "flags/*/*", O::Delete, K::Item),
            ("DELETE", "features/*", O::Delete, K::Item),
            ("DELETE", "environments/*", O::Drop, K::Stack),
        ],
    },
    Service {
        known_by: &["algolia", "meili", ":7700", "typesense", ":8108", "qdrant", ":6333", "weaviate", "pinecone"],
        routes: &[
            ("DELETE", "indexes/*", O::Drop, K::Table),
            ("DELETE", "indexes/*/documents", O::Delete, K::Table),
            ("DELETE", "collections/*", O::Drop, K::Table),
            ("DELETE", "schema", O::Drop, K::Table),
            ("DELETE", "schema/*", O::Drop, K::Table),
            ("DELETE", "collections/*/documents", O::Delete, K::Table),
            ("POST", "indexes/*/clear", O::Delete, K::Table),
            ("POST", "indexes/*/query|queries", O::Read, K::Table),
            ("POST", "search|multi-search|query", O::Read, K::Table),
        ],
    },
    Service {
        known_by: &["okta", "auth0", "onelogin", "workos", "clerk", "keycloak", "/admin/realms"],
        routes: &[
            ("DELETE", "connections/*", O::Drop, K::Account),
            ("DELETE", "realms/*", O::Drop, K::Account),
            ("DELETE", "apps|clients/*", O::Delete, K::Workload),
            ("DELETE", "users/*", O::Delete, K::Role),
            ("POST", "logout-all", O::Revoke, K::Role),
            ("DELETE", "factors/*", O::Disable, K::Safeguard),
            ("DELETE", "authenticators/*", O::Disable, K::Safeguard),
            ("POST", "users/*/lifecycle/deactivate|suspend", O::Revoke, K::Role),
            ("POST", "users/*/lifecycle/reset_factors", O::Disable, K::Safeguard),
            ("PUT", "groups/*/users/*", O::Grant, K::Role),
            ("POST", "users/*/roles", O::Grant, K::Role),
        ],
    },
    Service {
        known_by: &["pagerduty", "opsgenie", "victorops"],
        routes: &[
            ("DELETE", "services/*", O::Disable, K::Safeguard),
            ("DELETE", "escalation_policies/*", O::Disable, K::Safeguard),
            ("DELETE", "schedules/*", O::Disable, K::Safeguard),
            ("POST", "maintenance_windows|maintenance", O::Disable, K::Safeguard),
            ("POST", "*/disable", O::Disable, K::Safeguard),
        ],
    },
    Service {
        known_by: &["datadoghq", "newrelic", "splunk", "sentry", "honeycomb", "logz.io"],
        routes: &[
            ("DELETE", "monitor/*", O::Disable, K::Safeguard),
            ("POST", "downtime|mute|mute_all|muting_rules", O::Disable, K::Safeguard),
            ("DELETE", "dashboard/*", O::Delete, K::Item),
            ("DELETE", "data/indexes/*", O::Rewrite, K::Log),
            ("DELETE", "indexes/*", O::Rewrite, K::Log),
            ("DELETE", "projects/*/*", O::Drop, K::Stack),
            ("POST", "events|series|logs|metrics|input|collector", O::Create, K::Item),
            ("POST", "query|jobs", O::Read, K::Log),
        ],
    },
    Service {
        known_by: &["management.azure.com"],
        routes: &[
            ("DELETE", "resourcegroups/*", O::Drop, K::Stack),
            ("DELETE", "resourceGroups/*", O::Drop, K::Stack),
            ("DELETE", "storageAccounts/*", O::Drop, K::Bucket),
            ("DELETE", "servers/*/databases/*", O::Drop, K::Database),
            ("DELETE", "servers/*", O::Drop, K::Database),
            ("DELETE", "flexibleServers/*", O::Drop, K::Database),
            ("DELETE", "vaults/*", O::Drop, K::Key),
            ("DELETE", "managedClusters/*", O::Drop, K::Cluster),
            ("DELETE", "virtualMachines/*", O::Delete, K::Instance),
            ("DELETE", "locks/*", O::Disable, K::Safeguard),
            ("DELETE", "diagnosticSettings/*", O::Disable, K::Log),
            ("PUT", "roleAssignments/*", O::Grant, K::Role),
            ("DELETE", "roleAssignments/*", O::Revoke, K::Role),
            ("POST", "virtualMachines/*/deallocate|powerOff", O::Stop, K::Instance),
            ("POST", "listKeys", O::Read, K::Secret),
        ],
    },
    Service {
        known_by: &["googleapis.com"],
        routes: &[
            ("DELETE", "b/*", O::Drop, K::Bucket),
            ("DELETE", "b/*/o/**", O::Delete, K::Object),
            ("DELETE", "datasets/*", O::Drop, K::Database),
            ("DELETE", "tables/*", O::Drop, K::Table),
            ("DELETE", "zones/*/instances/*", O::Delete, K::Instance),
            ("DELETE", "projects/*/instances/*", O::Drop, K::Database),
            ("DELETE", "clusters/*", O::Drop, K::Cluster),
            ("DELETE", "v1/projects/*", O::Drop, K::Account),
            ("DELETE", "sinks/*", O::Disable, K::Log),
            ("DELETE", "disks/*", O::Drop, K::Volume),
            ("POST", "messages/send", O::Export, K::Message),
            ("POST", "messages/batchDelete", O::Delete, K::Message),
            ("POST", "*:runQuery|*:lookup|*:batchGet", O::Read, K::Table),
        ],
    },
    Service {
        known_by: &["cloud.mongodb.com"],
        routes: &[
            ("DELETE", "clusters/*", O::Drop, K::Database),
            ("DELETE", "groups/*", O::Drop, K::Account),
            ("DELETE", "databaseUsers/**", O::Delete, K::Role),
            ("DELETE", "snapshots/*", O::Drop, K::Backup),
        ],
    },
    Service {
        known_by: &["firebaseio.com", "firebasedatabase.app"],
        routes: &[("DELETE", "**", O::Delete, K::Table), ("PUT", "**", O::Update, K::Table)],
    },
    Service {
        known_by: &["supabase", "postgrest", "/rest/v1/rpc"],
        routes: &[
            ("DELETE", "v1/projects/*", O::Drop, K::Database),
            ("DELETE", "rest/v1/*", O::Delete, K::Table),
            ("PATCH", "rest/v1/*", O::Update, K::Table),
            ("DELETE", "admin/users/*", O::Delete, K::Role),
            ("DELETE", "bucket/*", O::Drop, K::Bucket),
            ("POST", "database/query", O::Execute, K::Database),
        ],
    },
    Service { known_by: &["couch", ":5984"], routes: &[("PUT", "*/_security", O::Grant, K::Database)] },
    Service {
        known_by: &["/v2/keys", "etcd", ":2379"],
        routes: &[
            ("DELETE", "v2/keys/**", O::Delete, K::Item),
            ("POST", "kv/deleterange", O::Delete, K::Item),
            ("POST", "kv/range", O::Read, K::Item),
            ("DELETE", "members/*", O::Delete, K::Node),
        ],
    },
    Service {
        known_by: &["consul", ":8500"],
        routes: &[
            ("PUT", "catalog/deregister", O::Delete, K::Node),
            ("PUT", "agent/service/deregister/*", O::Stop, K::Service),
            ("PUT", "agent/leave", O::Stop, K::Node),
            ("PUT", "agent/force-leave/*", O::Stop, K::Node),
            ("DELETE", "acl/**", O::Revoke, K::Role),
        ],
    },
    Service {
        known_by: &["kong", ":8001", ":9901", "envoy", "haproxy", "traefik", ":2019"],
        routes: &[
            ("DELETE", "services/*", O::Delete, K::Network),
            ("DELETE", "routes/*", O::Delete, K::Network),
            ("DELETE", "plugins/*", O::Disable, K::Safeguard),
            ("*", "quitquitquit", O::Stop, K::Server),
            ("*", "drain_listeners", O::Stop, K::Service),
            ("*", "healthcheck/fail", O::Stop, K::Service),
            ("DELETE", "backends/*", O::Delete, K::Network),
            ("DELETE", "config/**", O::Delete, K::Network),
            ("POST", "stop", O::Stop, K::Server),
        ],
    },
    Service {
        known_by: &["stripe.com", "paypal", "adyen", "squareup", "braintree", "mollie", "razorpay", "wise.com"],
        routes: &[
            ("POST", "payouts|transfers|refunds|charges|payments|payment_intents|orders", O::Create, K::Item),
            ("DELETE", "customers/*", O::Delete, K::Role),
            ("DELETE", "webhook_endpoints/*", O::Delete, K::Item),
        ],
    },
];

/// Reads the request as one of a listed service; `false` when none of its routes is meant.
pub(super) fn known(scene: &mut Scene<'_>, noted: &Noted<'_>) -> bool {
    let address = noted.address;
    if matches!(noted.method, "GET" | "HEAD" | "OPTIONS") {
        return false;
    }
    let path: Vec<&str> = address.path_segments().take(32).collect();
    let services = || SERVICES.iter().filter(|service| service.known_by.iter().any(|mark| met(mark, noted)));
    let found = services().flat_map(|service| service.routes).find_map(|route| {
        let name = (matches!(route.0, "*") || route.0 == noted.method).then(|| fits(route.1, &path))??;
        Some((route, name))
    });
    let Some((&(_, _, operation, kind), name)) = found else {
        // What a service keeps is deleted for good, even on this machine.
        let deletes = noted.method == "DELETE" && services().next().is_some();
        if deletes {
            super::by_path(scene, noted, O::Delete, Certainty::Exact);
        }
        return deletes;
    };
    let mut resource = address.item(kind);
    if !name.is_empty() {
        resource.name = name;
    }
    let body = noted.request.body.text.unwrap_or_default().replace(' ', "");
    // Members are nobody in particular.
    if operation == O::Grant && kind == K::Database && body.contains("\"names\":[]") {
        resource.name.push_str(" public");
    }
    let off = ["off\"", ":false", "flexible", "\"disabled\""].iter().any(|off| body.contains(off));
    let operation = if (operation, kind) == (O::Alter, K::Safeguard) && off { O::Disable } else { operation };
    // With a key for tests nothing is paid.
    let moves = path.iter().any(|part| matches!(*part, "payouts" | "transfers" | "refunds"));
    let said = &scene.action.text;
    if (operation, kind) == (O::Create, K::Item)
        && moves
        && !["sk_test", "_TEST", "sandbox"].iter().any(|it| said.contains(it))
    {
        resource.name = "money to somebody".to_owned();
    }
    // A campaign goes to all who are on its list.
    let mailing = (operation, kind) == (O::Export, K::Message) && !path.contains(&"messages");
    let whole = matches!((operation, kind), (O::Delete, K::Table | K::Object))
        || (operation, kind) == (O::Revoke, K::Role) && path.contains(&"logout-all")
        || mailing
        || (noted.method == "PUT" && (operation, kind) == (O::Update, K::Table));
    let extent = if whole { Extent::All } else { Extent::One };
    if operation == O::Execute {
        // A script for a server of somebody's is text in a language of its own.
        noted.execute(scene, resource, CodeOrigin::Elsewhere);
    } else {
        noted.note(scene, operation, resource, extent, Certainty::Exact);
    }
    true
}

fn met(mark: &str, noted: &Noted<'_>) -> bool {
    let address = noted.address;
    if let Some(port) = mark.strip_prefix(':') {
        return port.parse().is_ok_and(|port: u16| address.port == Some(port));
    }
    if mark.starts_with('/') { address.path.contains(mark) } else { address.host.contains(mark) }
}

/// The name in the path when its end fits the pattern.
fn fits(pattern: &str, path: &[&str]) -> Option<String> {
    let parts: Vec<&str> = pattern.split('/').collect();
    if let [start @ .., "**"] = &*parts {
        let at = (0..=path.len()).find(|at| starts(start, &path[*at..]))?;
        return Some(path[at + start.len()..].join("/"));
    }
    let at = path.len().checked_sub(parts.len())?;
    starts(&parts, &path[at..]).then(|| {
        let named = parts.iter().zip(&path[at..]).filter(|(part, _)| part.contains('*')).map(|(_, name)| *name);
        named.collect::<Vec<_>>().join("/")
    })
}

fn starts(parts: &[&str], path: &[&str]) -> bool {
    let fits = |part: &str, word: &str| {
        part.split('|').any(|choice| match choice.strip_prefix('*') {
            Some(tail) => word.ends_with(tail),
            None => choice == word,
        })
    };
    path.len() >= parts.len() && parts.iter().zip(path).all(|(part, word)| fits(part, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_ends_of_paths() {
        assert_eq!(fits("zones/*", &["client", "v4", "zones", "z1"]).as_deref(), Some("z1"));
        assert_eq!(fits("zones/*", &["zones", "z1", "dns_records"]), None);
        assert_eq!(fits("v2/keys/**", &["v2", "keys", "a", "b"]).as_deref(), Some("a/b"));
        assert_eq!(fits("exit|safeExit", &["safeExit"]).as_deref(), Some(""));
        assert_eq!(fits("queues/*/*", &["api", "queues", "%2F", "q"]).as_deref(), Some("%2F/q"));
    }
}
