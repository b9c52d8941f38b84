//! Clouds, clusters and services.

use super::{Guide, sample};

pub(super) const GUIDES: &[Guide] = &[
    Guide {
        name: "cloudtrail",
        known_by: "`Records` or events with `eventSource` and `eventName`",
        tells: "API calls with caller, account, region, parameters, error",
        lacks: "data events (S3 objects, Lambda) unless the trail has them; parameters that AWS hides",
        settings: &[
            ("aws cloudtrail put-event-selectors … DataResources", "reads and deletes of objects and rows"),
            ("IncludeManagementEvents=true, ReadWriteType=All", "every management call"),
        ],
        sample: sample!("cloudtrail/delivered.json"),
    },
    Guide {
        name: "kubernetes_audit",
        known_by: "`\"kind\":\"Event\"` with `audit.k8s.io` and `auditID`",
        tells: "requests with user, verb, object, answer; the command of an exec",
        lacks: "the object's content at level Metadata (a gap: body missing)",
        settings: &[
            (
                "audit policy: level: RequestResponse",
                "the object that is created or changed; Request leaves out the answer",
            ),
            ("audit policy: omitStages: [RequestReceived]", "one record per request"),
            ("--audit-log-truncate-enabled=false", "long bodies in full"),
        ],
        sample: sample!("kubernetes_audit/api-server.log"),
    },
    Guide {
        name: "gcp_audit",
        known_by: "entries with `protoPayload` of sort AuditLog",
        tells: "API calls with caller, resource, answer",
        lacks: "reads of data, unless Data Access logs are on",
        settings: &[("auditConfigs: DATA_READ, DATA_WRITE", "what was read and written, not only administered")],
        sample: sample!("gcp_audit/sink.jsonl"),
    },
    Guide {
        name: "azure_activity",
        known_by: "records with `operationName` and `resourceId` or `correlationId`",
        tells: "operations on resources with caller and outcome",
        lacks: "what happens inside of a resource (its diagnostic settings)",
        settings: &[(
            "diagnostic settings: AuditEvent, StorageRead, StorageWrite, StorageDelete",
            "what happens inside of a resource",
        )],
        sample: sample!("azure_activity/both-schemas.jsonl"),
    },
    Guide {
        name: "github_audit",
        known_by: "`action` with `actor` and `@timestamp`, or events with `type` and `repo`",
        tells: "what was done to repositories and organisations, by whom",
        lacks: "git pushes and fetches, unless git events are streamed",
        settings: &[("audit log streaming with git events", "pushes, clones and fetches")],
        sample: sample!("github_audit/organisation.jsonl"),
    },
    Guide {
        name: "m365_audit",
        known_by: "`Operation`, `Workload` and `UserId`",
        tells: "operations in Exchange, SharePoint, Entra and others",
        lacks: "what the licence does not keep",
        settings: &[("Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true", "the log itself")],
        sample: sample!("m365_audit/unified.jsonl"),
    },
    Guide {
        name: "databricks_audit",
        known_by: "`serviceName` with `actionName` and `requestParams`",
        tells: "requests to the workspace and account with caller, parameters and answer",
        lacks: "commands of notebooks, unless verbose audit logs are on",
        settings: &[("verbose audit logs (workspace settings)", "the text of commands and queries")],
        sample: sample!("databricks_audit/delivered.json"),
    },
    Guide {
        name: "opa",
        known_by: "`decision_id` with `input` or `path`",
        tells: "what was asked about (HTTP, admission, Envoy) and the answer",
        lacks: "inputs that are masked or erased (a gap); whether the act was done",
        settings: &[("decision_logs.console: true", "every decision as a line")],
        sample: sample!("opa/console.jsonl"),
    },
    Guide {
        name: "teleport",
        known_by: "`event`, `code` and `uid`",
        tells: "statements, commands of sessions, requests to clusters, tool calls, who and from where",
        lacks: "what a session typed without enhanced recording",
        settings: &[
            ("enhanced_recording: enabled: true", "commands that run inside of SSH sessions"),
            ("session_recording: node-sync", "sessions that nobody can leave out"),
        ],
        sample: sample!("teleport/events.log"),
    },
    Guide {
        name: "hoop",
        known_by: "sessions with `connection`, `verb` and `script` or an event stream",
        tells: "what was run through the gateway, by whom, with the review",
        lacks: "input that the export leaves out",
        settings: &[],
        sample: sample!("hoop/session.jsonl"),
    },
    Guide {
        name: "hoopinspect",
        known_by: "`protocol`, `statement` and a decision",
        tells: "statements and requests with their verdicts",
        lacks: "answers",
        settings: &[],
        sample: sample!("hoopinspect/audit.jsonl"),
    },
];
