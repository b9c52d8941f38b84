//! The hosts, databases, accounts, clusters and stages that a command line names.

use crate::model::{Place, PlaceKind};

use super::call::Call;
use super::spec::Spec;

/// Adds what the options of one level of a spec name.
pub(super) fn collect(spec: &Spec, call: &Call<'_>, places: &mut Vec<Place>) {
    let named = [
        (PlaceKind::Host, &spec.places.host),
        (PlaceKind::Database, &spec.places.database),
        (PlaceKind::Account, &spec.places.account),
        (PlaceKind::Cluster, &spec.places.cluster),
        (PlaceKind::Stage, &spec.places.stage),
    ];
    for (kind, template) in named {
        let Some(word) = template.as_ref().and_then(|template| template.word(call)) else { continue };
        add(kind, &word.text, places);
    }
}

/// A place by its name, or by a URL or `key=value` string that has a host and a database in it.
pub(super) fn add(kind: PlaceKind, text: &str, places: &mut Vec<Place>) {
    let mut push = |kind, name: &str| {
        let place = Place { kind, name: name.to_owned() };
        if !name.is_empty() && !places.contains(&place) {
            places.push(place);
        }
    };
    if let Some((_, rest)) = text.split_once("://") {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        push(PlaceKind::Host, host.split(':').next().unwrap_or(host));
        if kind == PlaceKind::Database {
            push(PlaceKind::Database, path.split(['?', '/']).next().unwrap_or(path));
        }
        return;
    }
    if kind == PlaceKind::Database && text.contains('=') {
        for (key, value) in text.split_ascii_whitespace().filter_map(|pair| pair.split_once('=')) {
            match key {
                "host" | "hostaddr" => push(PlaceKind::Host, value),
                "dbname" => push(PlaceKind::Database, value),
                _ => {}
            }
        }
        return;
    }
    let name = if kind == PlaceKind::Host { text.rsplit_once('@').map_or(text, |(_, host)| host) } else { text };
    // `mongosh clean.js` runs a file; there is no database of that name.
    if kind != PlaceKind::Database || !name.ends_with(".js") {
        push(kind, name);
    }
}
