//! `gh api`: a request to GitHub by method and path.

use crate::classify::command::{Stream, call::Call, settle};
use crate::classify::{Scene, Word, http, paths};
use crate::model::{Certainty, Effect, Operation, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let path = call.operand(0)?;
    let has_fields = call.value("-f").is_some() || call.value("-F").is_some() || call.value("--input").is_some();
    let method =
        call.value("-X").map_or(if has_fields { "POST" } else { "GET" }, |word| &word.text).to_ascii_uppercase();
    let fields = call.values(|names| names.has("-f") || names.has("-F"));
    let asks = path.text.trim_start_matches('/') == "graphql"
        && !fields.is_empty()
        && fields.iter().all(|word| word.is_known() && !word.text.contains("mutation") && !word.text.contains("=@"));
    if method != "GET" && method != "HEAD" && !asks {
        request(scene, call, path, &method);
        return None;
    }
    let parts: Vec<&str> = path.text.trim_start_matches('/').split(['/', '?']).collect();
    let name = match parts[..] {
        ["repos", owner, name, ..] => format!("{owner}/{name}"),
        _ => path.text.clone(),
    };
    let word = Word { text: name, span: path.span, unknown: path.unknown.clone(), ..Word::default() };
    let mut effect = Effect::new(Operation::List, settle::named(ResourceKind::Repository, &word));
    if !path.is_known() {
        effect.certainty = Certainty::Inferred;
    }
    effect.span = path.span;
    super::note(scene, call, Some(effect));
    None
}

/// What changes something is a request like any other.
fn request(scene: &mut Scene<'_>, call: &Call<'_>, path: &Word, method: &str) {
    let host = call.value("--hostname").map_or("api.github.com", |word| &word.text);
    let fields = call.values(|names| names.has("-f") || names.has("-F"));
    let start = format!("https://{host}/");
    let rest = path.text.trim_start_matches('/');
    let shift = (start.len() + rest.len()).saturating_sub(path.text.len());
    let mut url = Word { text: start + rest, span: path.span, ..Word::default() };
    for part in &path.unknown {
        let mut part = part.clone();
        (part.start, part.end) = (part.start + shift, part.end + shift);
        url.unknown.push(part);
    }
    let (mut text, mut carries) = (String::new(), Vec::new());
    for field in &fields {
        if let Some(query) = field.text.strip_prefix("query=") {
            text = query.to_owned();
            break;
        }
        if let Some((_, file)) = field.text.split_once("=@").filter(|(name, file)| !name.contains('=') && *file != "-")
        {
            carries.push(paths::resource(scene, &field.tail(field.text.len() - file.len()), ResourceKind::File));
        }
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&field.text);
    }
    let body = http::Body {
        present: !fields.is_empty() || call.value("--input").is_some(),
        text: Some(&text),
        carries: &carries,
        ..http::Body::default()
    };
    http::request(scene, &http::Request { method, url: &url, body, span: path.span, by: "gh api" });
}
