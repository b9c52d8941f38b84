//! Who a call reaches: recipients, their distance, everybody at once, and whoever reads a mailbox from now on.

use serde_json::{Map, Value};

use crate::classify::http::{self, zone};
use crate::classify::{Word, naming};
use crate::model::{Operation, ResourceKind, Zone};

use super::Call;

/// A list of more recipients than this is no longer a letter to some people.
const MANY_RECIPIENTS: usize = 25;

const RECIPIENTS: &[&str] = &[
    "to",
    "recipients",
    "recipient",
    "email",
    "emails",
    "webhook_url",
    "url",
    "channel",
    "channel_id",
    "user",
    "participants",
    "phone",
    "phone_number",
    "address",
    "chat_id",
    "destination",
    "destination_url",
    "target_url",
    "endpoint",
    "upload_url",
];

pub(super) fn recipient<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.arguments.texts(RECIPIENTS).into_iter().next().filter(|text| !text.is_empty())
}

/// How far away somebody is.
pub(super) fn far(peer: Option<&str>, kind: ResourceKind) -> Zone {
    match peer {
        Some(peer) if peer.contains("://") => http::Address::of(&Word::known(peer)).zone,
        Some(peer) => peer.rsplit_once('@').map_or(Zone::Unknown, |(_, host)| zone(host)),
        None if kind == ResourceKind::Message => Zone::External,
        None => Zone::Unknown,
    }
}

/// A message that everybody gets: a whole channel is called, a list of all customers, a campaign is sent out.
pub(super) fn is_everyone(call: &Call<'_>, operation: Operation) -> bool {
    const LISTS: &[&str] = &[
        "to",
        "recipients",
        "recipient",
        "emails",
        "list",
        "list_id",
        "audience",
        "audience_id",
        "segment",
        "segment_id",
        "group",
        "target",
        "phone_numbers",
    ];
    const CALLS: &[&str] = &["<!channel>", "<!everyone>", "@everyone", "@channel"];
    let words = naming::words(call.name.last);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    let sent = operation == Operation::Export
        && (has(&["broadcast", "bulk", "mass", "blast", "everyone", "all", "marketing", "singlesend"])
            || words.first().is_some_and(|first| first != "schedule") && has(&["campaign", "newsletter"]));
    sent || call
        .arguments
        .values
        .values()
        .filter_map(Value::as_str)
        .any(|text| CALLS.iter().any(|at| text.contains(at)))
        || call.arguments.texts(LISTS).into_iter().any(names_everyone)
        || matches!(call.arguments.get(&["to", "recipients", "emails", "phone_numbers"]),
            Some(Value::Array(all)) if all.len() > MANY_RECIPIENTS)
}

/// `all_customers`, `everyone@acme.example`.
fn names_everyone(name: &str) -> bool {
    let local = name.split('@').next().unwrap_or(name);
    let words = naming::words(local);
    name == "*"
        || words.len() <= 3
            && words.iter().any(|word| matches!(&**word, "everyone" | "everybody" | "all" | "allusers" | "allstaff"))
}

/// A rule of a mailbox, or a mailbox itself, that sends on what comes in.
pub(super) fn forwards(call: &Call<'_>, kind: ResourceKind, operation: Operation) -> bool {
    const NAMES: &[&str] = &[
        "forward",
        "forward_to",
        "forwarding_address",
        "redirect_to",
        "forwardingEmail",
        "auto_forward",
        "forward_as_attachment_to",
        "smtp_forward",
    ];
    let address = |value: &Value| match value {
        Value::String(text) => text.contains('@'),
        Value::Array(items) => items.iter().any(|item| item.to_string().contains('@')),
        _ => false,
    };
    let said = |values: &Map<String, Value>| {
        values.iter().any(|(key, value)| {
            let plain = key.replace(['_', '-'], "");
            NAMES.iter().any(|name| plain.eq_ignore_ascii_case(&name.replace('_', ""))) && address(value)
        })
    };
    let lasting = matches!(operation, Operation::Create | Operation::Update | Operation::Alter);
    let named = || {
        naming::words(call.name.last).iter().any(|word| matches!(&**word, "forwarding" | "autoforward"))
            && call.arguments.values.values().any(address)
    };
    lasting
        && (matches!(kind, ResourceKind::Message | ResourceKind::Safeguard | ResourceKind::Item)
            && (said(&call.arguments.values) || call.arguments.values.values().filter_map(Value::as_object).any(said))
            || named())
}
