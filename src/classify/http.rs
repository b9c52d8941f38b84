//! From an HTTP request (method, address, body) to effects.
//!
//! `curl`, `wget` and the like, fetch tools and `requests.post(…)` in code all end here.

mod address;
mod api;
mod asked;
pub mod client;
mod graphql;
mod sent;
mod services;
mod statement;

pub use address::Address;
pub(super) use address::zone;

use crate::model::{
    Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone,
};

use super::{Scene, Word, naming, paths};

/// One HTTP request as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// In any case; empty for `GET`, or `POST` when there is a body.
    pub method: &'a str,
    pub url: &'a Word,
    pub body: Body<'a>,
    /// Where it stands in the current code.
    pub span: Option<Span>,
    /// What sends it: `curl`, `WebFetch`.
    pub by: &'a str,
}

/// What a request carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Body<'a> {
    /// There is one at all.
    pub present: bool,
    /// Its text, as far as it is written out.
    pub text: Option<&'a str>,
    /// Files, secrets, tables whose content is sent.
    pub carries: &'a [Resource],
    /// It comes from somewhere that is not visible here: a pipe, a variable.
    pub hidden: bool,
    /// Headers as written: `Authorization: Bearer …`.
    pub headers: &'a [&'a str],
    /// Names of variables whose values stand in the body or the address.
    pub variables: &'a [&'a str],
}

/// Notes what the request does.
pub fn request(scene: &mut Scene<'_>, request: &Request<'_>) {
    if let Some(path) = request.url.text.strip_prefix("file://") {
        // No request at all: a file of this machine.
        let file = Word { text: path.to_owned(), ..Word::default() };
        let mut resource = paths::resource(scene, &file, ResourceKind::File);
        resource.unresolved |= !request.url.is_known();
        let mut effect = Effect::new(Operation::Read, resource);
        effect.span = request.span;
        effect.by = request.by.to_owned();
        return scene.effect(effect);
    }
    let address = Address::of(request.url);
    let method = asked::method(request, &address);
    let noted = Noted { request, address: &address, method: &method };
    let leaves = matches!(address.zone, Zone::External | Zone::Unknown);
    sent::secrets(scene, &noted);
    for resource in request.body.carries {
        // To this machine itself nothing leaves; to a private host it leaves, and the zone says where to.
        if address.zone != Zone::Local {
            noted.note(scene, Operation::Export, resource.clone(), Extent::All, Certainty::Exact);
        }
    }
    let header_carries = request.body.headers.iter().any(|header| asked::hands_over(header));
    if (address.carries_substitution(request.url) || header_carries) && leaves {
        let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
        noted.note(scene, Operation::Export, resource, Extent::Unknown, Certainty::Inferred);
    }
    if statement::known(scene, &noted) {
        return;
    }
    if api::known(scene, &noted) || graphql::known(scene, &noted) || services::known(scene, &noted) {
        return;
    }
    match &*method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" => {
            let operation = if method == "GET" { Operation::Fetch } else { Operation::List };
            noted.note(scene, operation, address.endpoint(), Extent::One, Certainty::Exact);
        }
        "DELETE" => by_path(scene, &noted, Operation::Delete, Certainty::Inferred),
        "PUT" | "PATCH" => by_path(scene, &noted, Operation::Update, Certainty::Inferred),
        "POST" if request.body.carries.is_empty() && request.body.hidden && leaves => {
            let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
            noted.note(scene, Operation::Export, resource, Extent::Unknown, Certainty::Inferred);
        }
        "POST" if !request.body.carries.is_empty() => {}
        "POST" => by_path(scene, &noted, Operation::Create, Certainty::Inferred),
        _ => {
            by_path(scene, &noted, Operation::Update, Certainty::Inferred);
            scene.gap(GapKind::UnknownOption, Hides::Anything, request.span, method.clone());
        }
    }
}

/// What nobody described: the nouns and verbs of the path say what it is about, by convention.
fn by_path(scene: &mut Scene<'_>, noted: &Noted<'_>, operation: Operation, how: Certainty) {
    let address = noted.address;
    // Collections have plural names; a singular noun is as often the name of one of them: `instances/web`.
    let nouns =
        || address.path_segments().rev().filter_map(|word| Some((word, naming::noun(&word.to_ascii_lowercase())?)));
    let named = nouns().find(|(_, (_, plural))| *plural).or_else(|| nouns().next());
    let (kind, collection) = named.map_or((ResourceKind::Item, false), |(word, (kind, plural))| {
        (kind, plural && address.path_segments().next_back() == Some(word))
    });
    // What a word means on this machine it does not mean behind an address: a `site`, a `service`, a `function`.
    let kind = match kind {
        ResourceKind::Host => ResourceKind::Instance,
        ResourceKind::Service | ResourceKind::Process => ResourceKind::Workload,
        ResourceKind::Endpoint | ResourceKind::Code | ResourceKind::Column | ResourceKind::View => ResourceKind::Item,
        kind => kind,
    };
    // `POST /volumes/7/delete` is a deletion whatever the method says.
    let verb = (operation == Operation::Create).then(|| asked::verb(noted.request, address)).flatten();
    // Where a name leads from now on.
    let record = |word: &str| matches!(word, "dns_records" | "records" | "rrsets" | "recordsets" | "rrset");
    let redirects =
        operation == Operation::Update && kind == ResourceKind::Network && address.path_segments().any(record);
    let operation = if redirects { operation } else { naming::applied(verb.unwrap_or(operation), kind) };
    let body = noted.request.body.text.unwrap_or_default();
    let opens = matches!(noted.method, "PUT" | "PATCH")
        && (asked::publishes(body, "") || body.replace([' ', '"'], "").contains("public:true"))
        && matches!(kind, ResourceKind::Repository | ResourceKind::Bucket | ResourceKind::Object | ResourceKind::Item);
    if opens {
        return noted.note(scene, Operation::Grant, address.item(kind), Extent::All, how);
    }
    if operation == Operation::Read {
        noted.note(scene, Operation::Fetch, address.endpoint(), Extent::One, Certainty::Inferred);
        return;
    }
    let extent = if collection && operation != Operation::Create { Extent::All } else { Extent::One };
    noted.note(scene, operation, address.item(kind), extent, how);
}

/// A request with its address taken apart.
struct Noted<'a> {
    request: &'a Request<'a>,
    address: &'a Address,
    method: &'a str,
}

impl Noted<'_> {
    /// Code that a server is handed to run.
    fn execute(&self, scene: &mut Scene<'_>, resource: Resource, origin: CodeOrigin) {
        let mut effect = Effect::new(Operation::Execute, resource);
        effect.code = Some(origin);
        effect.span = self.request.span;
        effect.by = self.request.by.to_owned();
        effect.places = self.address.places();
        scene.effect(effect);
        scene.gap(GapKind::HiddenCode, Hides::Anything, self.request.span, self.address.path.clone());
    }

    fn note(&self, scene: &mut Scene<'_>, operation: Operation, resource: Resource, extent: Extent, how: Certainty) {
        let address = self.address;
        let mut effect = Effect::new(operation, resource);
        // Whichever thing of a service it is: none of them stands in a temporary folder or starts with this machine.
        let sent = operation == Operation::Export && effect.resource.kind != ResourceKind::Message;
        if !sent && !matches!(effect.resource.kind, ResourceKind::Branch | ResourceKind::File | ResourceKind::Folder) {
            effect.resource.unresolved = false;
        }
        effect.extent = extent;
        effect.certainty = how;
        effect.span = self.request.span;
        effect.by = self.request.by.to_owned();
        effect.dry_run = address.query_says(&["dryrun", "dry_run"]);
        effect.guard_off = address.query_says(&["force"]);
        effect.cascades = address.query_says(&["recurse", "recursive", "cascade"]);
        let moves = matches!(operation, Operation::Export | Operation::Fetch);
        // What is kept on this very machine is somebody's own try-out; rules may want to know.
        if moves || address.zone == Zone::Local {
            effect.zone = Some(address.zone);
        }
        if moves {
            effect.peer = (!address.host.is_empty()).then(|| address.authority());
        }
        effect.places = address.places();
        scene.effect(effect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::seen;

    fn check(method: &str, url: &str, body: &str, expected: &str) {
        let seen = seen::inside("", |scene| {
            let body = Body { present: !body.is_empty(), text: Some(body), ..Body::default() };
            request(scene, &Request { method, url: &Word::known(url), body, span: None, by: "curl" });
        });
        assert_eq!(seen, expected, "{method} {url}");
    }

    #[test]
    fn reading_is_a_fetch() {
        check(
            "GET",
            "https://docs.example.com/a?b=c",
            "",
            "fetch Endpoint `docs.example.com/a` external docs.example.com @host=docs.example.com",
        );
        check(
            "",
            "http://localhost:8080/x",
            "",
            "fetch Endpoint `localhost:8080/x` local localhost:8080 @host=localhost",
        );
        check("get", "http://10.1.2.3/x", "", "fetch Endpoint `10.1.2.3/x` private 10.1.2.3 @host=10.1.2.3");
    }

    #[test]
    fn what_nobody_described_goes_by_its_words() {
        check(
            "DELETE",
            "https://api.example.com/v1/volumes/v-1",
            "",
            "drop Volume `api.example.com/v1/volumes/v-1` @host=api.example.com",
        );
        check(
            "DELETE",
            "https://api.example.com/things/1",
            "",
            "delete Item `api.example.com/things/1` @host=api.example.com",
        );
        check(
            "POST",
            "https://api.example.com/things",
            "{}",
            "create Item `api.example.com/things` @host=api.example.com",
        );
        check(
            "POST",
            "https://api.example.com/bucket/7/delete",
            "{}",
            "drop Bucket `api.example.com/bucket/7/delete` @host=api.example.com",
        );
    }

    #[test]
    fn graphql_mutations_are_read_by_name() {
        check(
            "POST",
            "https://api.example.com/graphql",
            r#"{"query":"mutation { volumeDelete(volumeId: \"v-1\") }"}"#,
            "drop Volume `v-1` @host=api.example.com",
        );
        check(
            "POST",
            "https://api.example.com/graphql",
            r#"{"query":"query { me { id } }"}"#,
            "fetch Endpoint `api.example.com/graphql` external api.example.com @host=api.example.com",
        );
    }

    #[test]
    fn known_services_are_known() {
        check(
            "GET",
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/x",
            "",
            "read Secret `169.254.169.254/latest/meta-data/iam/security-credentials/x` @host=169.254.169.254",
        );
        check("DELETE", "https://k8s.corp:6443/api/v1/namespaces/shop", "", "drop Namespace `shop` @host=k8s.corp");
        check(
            "DELETE",
            "https://k8s.corp:6443/apis/apps/v1/namespaces/shop/deployments",
            "",
            "delete Workload `shop/` all @host=k8s.corp",
        );
        check("DELETE", "https://api.github.com/repos/a/b", "", "drop Repository `a/b` @host=api.github.com");
        check(
            "DELETE",
            "https://api.github.com/repos/a/b/branches/main/protection",
            "",
            "disable Safeguard `a/b/main` @host=api.github.com",
        );
        check("DELETE", "http://es.lan:9200/orders", "", "drop Table `orders` @host=es.lan");
        check(
            "POST",
            "http://es.lan:9200/orders/_delete_by_query",
            r#"{"query":{"match_all":{}}}"#,
            "delete Table `orders` all @host=es.lan",
        );
        check("DELETE", "https://gitlab.com/api/v4/projects/7", "", "drop Repository `7` @host=gitlab.com");
    }
}
