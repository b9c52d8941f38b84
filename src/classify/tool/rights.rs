//! Rights that a call gives: high ones, and those of everybody.

use serde_json::{Map, Value};

use crate::classify::naming;

use super::Call;

/// `role: "super_admin"`: the right that the arguments give.
pub(super) fn high<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    let given = call.arguments.texts(&[
        "role",
        "roles",
        "role_name",
        "permission",
        "permissions",
        "access_level",
        "level",
        "privilege",
        "group",
        "group_name",
    ]);
    given.into_iter().find(|right| naming::words(right).iter().any(|word| is_high(word.trim_end_matches('s'))))
}

pub(super) fn is_high(word: &str) -> bool {
    matches!(word, "admin" | "administrator" | "owner" | "root" | "superuser" | "sudo" | "superadmin" | "sysadmin")
}

/// `private: false`, `visibility: "public"`, `acl: "public-read"`: open to everybody from now on.
pub(super) fn published(values: &Map<String, Value>) -> bool {
    values.iter().any(|(key, value)| {
        let words = naming::words(key);
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
        match value {
            Value::Bool(false) => has(&["private"]) || has(&["block", "restrict", "prevent"]) && has(&["public"]),
            Value::Bool(true) => {
                has(&["public", "anonymous", "publicly"]) && !has(&["block", "restrict", "private", "deny"])
            }
            Value::String(text) => {
                has(&["visibility", "acl", "access", "sharing", "permission", "type", "scope", "privacy", "role"])
                    && matches!(
                        &*text.to_ascii_lowercase(),
                        "public"
                            | "anyone"
                            | "public-read"
                            | "public-read-write"
                            | "anyone_with_link"
                            | "anonymous"
                            | "everyone"
                            | "allusers"
                            | "publicly_accessible"
                            | "public_on_the_web"
                            | "world"
                            | "externaluserandguestsharing"
                    )
                    || has(&["access"]) && text.eq_ignore_ascii_case("open")
            }
            Value::Object(inner) => published(inner),
            // The members of a policy: `["allUsers"]`.
            Value::Array(items) => items.iter().any(|item| match item {
                Value::Object(inner) => published(inner),
                Value::String(text) => {
                    has(&["members", "member", "principals", "principal", "grantee", "grantees"])
                        && matches!(&**text, "allUsers" | "allAuthenticatedUsers" | "*")
                }
                _ => false,
            }),
            _ => false,
        }
    })
}
