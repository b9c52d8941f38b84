//! What counts as a secret, and what as text from people nobody has vetted.

use crate::model::{Action, Area, Effect, Kind, ResourceKind};

/// Words in the name of a table or a column that holds what opens something else.
const SECRET: &[&str] = &[
    "token",
    "secret",
    "credential",
    "password",
    "passwd",
    "api_key",
    "apikey",
    "private_key",
    "access_key",
    "auth_key",
];

/// Words in the name of a table in which strangers write.
const WRITTEN_BY_OTHERS: &[&str] = &[
    "ticket",
    "message",
    "comment",
    "feedback",
    "review",
    "inbox",
    "email",
    "support",
    "contact_form",
    "submission",
    "reply",
    "replies",
    "post",
];

/// Words in the name of a tool that hands over what strangers wrote.
const HANDS_OVER: &[&str] = &[
    "issue",
    "comment",
    "ticket",
    "email",
    "mail",
    "inbox",
    "message",
    "thread",
    "webfetch",
    "web_fetch",
    "web_search",
    "websearch",
    "fetch_url",
    "browse",
    "scrape",
    "crawl",
    "pull_request",
    "discussion",
    "slack",
    "jira",
    "zendesk",
];

/// Reading this shows a secret.
pub(super) fn is_secret(effect: &Effect) -> bool {
    let resource = &effect.resource;
    resource.areas.has(Area::Credential)
        || resource.kind == ResourceKind::Secret
        || is_stored(resource.kind) && names(&resource.name, SECRET)
}

/// Reading this shows text that strangers wrote.
pub(super) fn is_untrusted(effect: &Effect) -> bool {
    let resource = &effect.resource;
    resource.kind == ResourceKind::Message
        || is_stored(resource.kind) && names(&resource.name, WRITTEN_BY_OTHERS)
        || ["gh issue view", "gh pr view", "gh issue list", "glab issue view", "glab mr view", "jira issue view"]
            .contains(&effect.by.as_str())
}

/// A tool whose answers are text that strangers wrote: pages, issues, mails.
pub(super) fn is_untrusted_source(action: &Action) -> bool {
    if action.kind != Kind::Tool {
        return false;
    }
    let Some(tool) = &action.tool else { return false };
    let looks = ["get", "read", "list", "search", "fetch", "view", "web", "browse", "scrape", "crawl"];
    names(tool, HANDS_OVER) && names(tool, &looks)
}

const fn is_stored(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Table | ResourceKind::View | ResourceKind::Column)
}

/// Whether one of the words stands in a name, in whatever case.
fn names(name: &str, words: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    words.iter().any(|word| name.contains(word))
}
