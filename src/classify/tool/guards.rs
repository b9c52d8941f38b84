//! Protections that a call's arguments switch off.

use serde_json::{Map, Value};

use crate::classify::naming;
use crate::model::ResourceKind;

use super::Call;

/// What is kept is kept for no time at all: a retention of nothing.
pub(super) fn forgets(call: &Call<'_>) -> bool {
    let about = |text: &str| text.to_ascii_lowercase().contains("retention");
    let nothing =
        |value: &Value| value.as_f64() == Some(0.0) || matches!(value.as_str(), Some("0" | "0d" | "0s" | "0h"));
    let named = about(call.name.last);
    call.arguments.values.iter().any(|(key, value)| {
        let span = ["days", "hours", "period", "seconds", "retention"]
            .iter()
            .any(|word| key.to_ascii_lowercase().contains(word));
        nothing(value) && (about(key) || named && span)
    })
}

/// A setting of a safeguard is switched off, or the whole world is let in.
pub(super) fn weakens(values: &Map<String, Value>) -> bool {
    const GUARDS: &[&str] = &["enforce", "require", "enable", "active", "protect", "restrict", "block"];
    let denies = values.iter().any(|(key, value)| {
        matches!(&**key, "action" | "effect" | "policy" | "target" | "type")
            && value
                .as_str()
                .is_some_and(|text| matches!(&*text.to_ascii_lowercase(), "deny" | "drop" | "block" | "reject"))
    });
    values.iter().any(|(key, value)| {
        let key = key.to_ascii_lowercase();
        GUARDS.iter().any(|guard| key.starts_with(guard)) && is_off(value)
            || key.starts_with("allow_force") && *value == Value::Bool(true)
            || !denies && matches!(value.as_str(), Some("0.0.0.0/0" | "::/0"))
            // Rules of a store that its clients speak to directly: `allow write: if true`.
            || value.as_str().is_some_and(opens)
    })
}

/// `allow read, write: if true;`
fn opens(rules: &str) -> bool {
    let plain: String = rules.chars().filter(|letter| !letter.is_whitespace()).collect();
    plain.contains("allow") && (plain.contains(":iftrue") || plain.contains("write;"))
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Bool(on) => !on,
        Value::Null => true,
        Value::String(text) => {
            matches!(&*text.to_ascii_lowercase(), "off" | "false" | "disabled" | "none" | "inactive")
        }
        _ => false,
    }
}

fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::String(text) => matches!(&*text.to_ascii_lowercase(), "on" | "true" | "enabled" | "yes"),
        _ => false,
    }
}

/// The argument that switches a protection off, whatever the call is about: `deletion_protection: false`,
/// `disable_mfa: true`, `bypass_review: true`.
pub(super) fn switched_off(values: &Map<String, Value>) -> Option<String> {
    values.iter().find_map(|(key, value)| {
        let words = naming::words(key);
        let first = words.first().map_or("", |word| &**word);
        let past = matches!(first, "disable" | "bypass" | "skip" | "override" | "ignore" | "no" | "without")
            && is_on(value)
            && words[1..].iter().any(|word| is_check(word))
            || first == "bypass" && is_on(value);
        // On by a name of its own, or by what it is enabled, required and enforced.
        let off = *value != Value::Null && is_off(value) && words.iter().any(|word| is_protection(word));
        match value {
            _ if past || off => Some(key.clone()),
            Value::Object(inner) => switched_off(inner),
            _ => None,
        }
    })
}

/// What somebody else checks before something goes on.
fn is_check(word: &str) -> bool {
    matches!(
        word,
        "approval" | "approvals" | "review" | "reviews" | "fraud" | "compliance" | "kyc" | "sandbox" | "limits"
    ) || is_protection(word)
}

fn is_protection(word: &str) -> bool {
    matches!(
        word,
        "protection"
            | "protect"
            | "protected"
            | "mfa"
            | "2fa"
            | "totp"
            | "encryption"
            | "firewall"
            | "audit"
            | "logging"
            | "rls"
            | "waf"
            | "captcha"
            | "antivirus"
            | "lockout"
            | "guardrails"
            | "guardrail"
    )
}

/// What keeps people out of a house, a car or a safe, and what sees them when they come: unlocked, opened, switched off.
pub(super) fn lets_in(call: &Call<'_>) -> Option<ResourceKind> {
    let mut words = naming::words(call.name.last);
    // Home Assistant: `call_service {"domain": "lock", "service": "unlock"}`.
    const SAID: &[&[&str]] = &[&["domain", "domains"], &["service"], &["action"], &["device_class"]];
    for names in SAID {
        words.extend(call.arguments.texts(names).into_iter().flat_map(naming::words));
    }
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.strip_suffix('s').unwrap_or(word)));
    let off = has(&["disarm", "disable", "deactivate", "mute", "bypass"])
        || words.windows(2).any(|pair| matches!(&*pair[0], "turn" | "switch") && pair[1] == "off");
    let opened = has(&["unlock", "unlatch"])
        && has(&["door", "lock", "gate", "garage", "safe", "car", "vehicle", "deadbolt", "trunk"])
        || has(&["open"]) && has(&["door", "gate", "garage", "turnstile", "valve"]);
    let unseen = has(&["disarm"])
        || off
            && (has(&["alarm", "siren", "smoke", "cctv", "deadbolt"])
                || has(&["camera"]) && has(&["security", "alarm", "surveillance", "control", "panel"]));
    (opened || unseen).then_some(ResourceKind::Safeguard)
}
