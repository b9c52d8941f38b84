//! `kubectl apply -f -`, `kubectl delete -f FILE`: what stands in the manifests, when the text itself holds them.

use crate::classify::command::{Stream, call::Call, within, written};
use crate::classify::{Scene, Word};
use crate::model::{Certainty, Effect, Extent, Operation, Resource, ResourceKind};

use super::yaml;

/// More documents than this are not read.
const MAX_DOCUMENTS: usize = 64;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    const ENDINGS: &[&str] = &[".yaml", ".yml", ".json"];
    let (file, deep) = match call.value("-f") {
        Some(file) => (file, call.flag("-R")),
        None => (call.value("-k")?, true),
    };
    let below = written::below(scene, file, ENDINGS, deep);
    let (text, _) = if !below.is_empty() {
        (below.join("\n---\n"), None)
    } else if matches!(&*file.text, "-" | "/dev/stdin") {
        call.invocation.stdin.text.clone()?
    } else {
        written::text(scene, file)?
    };
    let verb = call.by.split(' ').nth(1).unwrap_or("");
    if !matches!(verb, "apply" | "create" | "replace" | "delete") || !scene.enter_script() {
        return None;
    }
    let before = scene.mark();
    for document in yaml::documents(&text).iter().take(MAX_DOCUMENTS) {
        if verb == "delete" {
            deleted(scene, call, document);
        } else {
            applied(scene, call, document);
        }
    }
    // The reader knows only what it needs of YAML.
    for effect in scene.since(before) {
        effect.certainty = Certainty::Lexical;
    }
    None
}

/// The words of another command of the same program that means the same.
fn like(scene: &mut Scene<'_>, call: &Call<'_>, document: &yaml::Document, words: &[&str]) {
    let mut line = vec![Word::known("kubectl")];
    line.extend(words.iter().map(|word| Word::known(*word)));
    let namespace = document.value("metadata.namespace").map(str::to_owned);
    if let Some(namespace) = namespace.or_else(|| call.value("-n").map(|word| word.text.clone())) {
        line.extend([Word::known("-n"), Word::known(namespace)]);
    }
    for option in ["--context", "--cluster", "--dry-run"] {
        if let Some(value) = call.value(option) {
            line.push(Word::known(format!("{option}={}", value.text)));
        } else if call.flag(option) {
            line.push(Word::known(option));
        }
    }
    within::run_words(scene, call, &line, false);
}

fn deleted(scene: &mut Scene<'_>, call: &Call<'_>, document: &yaml::Document) {
    let (Some(kind), Some(name)) = (document.value("kind"), document.value("metadata.name")) else { return };
    let kind = kind.to_ascii_lowercase();
    like(scene, call, document, &["delete", &kind, name]);
}

fn applied(scene: &mut Scene<'_>, call: &Call<'_>, document: &yaml::Document) {
    let kind = document.value("kind").unwrap_or("");
    let name = document.value("metadata.name").unwrap_or("");
    match kind {
        "ClusterRoleBinding" | "RoleBinding" => {
            let role = format!("--clusterrole={}", document.value("roleRef.name").unwrap_or(""));
            like(scene, call, document, &["create", "clusterrolebinding", name, &role]);
        }
        "ClusterRole" | "Role" => {
            let wide = |path: &str| document.values(path).any(|value| value == "*");
            if wide("rules.verbs") && wide("rules.resources") {
                // A role that may do everything is what `cluster-admin` is.
                like(scene, call, document, &["create", "clusterrolebinding", name, "--clusterrole=cluster-admin"]);
            }
        }
        _ => {}
    }
    if document.value("spec.replicas") == Some("0") {
        let target = format!("{}/{name}", kind.to_ascii_lowercase());
        like(scene, call, document, &["scale", &target, "--replicas=0"]);
    }
    if reaches_the_node(document) {
        let mut effect = Effect::new(Operation::Disable, Resource::new(ResourceKind::Safeguard, "container isolation"));
        effect.extent = Extent::One;
        super::note(scene, call, Some(effect));
    }
    started(scene, call, document);
}

/// Whether what runs in a pod can leave it: privileged, in the node's namespaces, or with the node's files.
fn reaches_the_node(document: &yaml::Document) -> bool {
    let ends = |path: &str, value: &str| document.entries().any(|(it, found)| it.ends_with(path) && found == value);
    let wide = [
        "/",
        "/etc",
        "/root",
        "/home",
        "/var",
        "/usr",
        "/boot",
        "/dev",
        "/proc",
        "/var/run/docker.sock",
        "/run/containerd/containerd.sock",
    ];
    let mounts = |found: &str| wide.contains(&found.trim_end_matches('/')) || found == "/";
    ends("securityContext.privileged", "true")
        || ends("spec.hostPID", "true")
        || document.entries().any(|(path, value)| path.ends_with("hostPath.path") && mounts(value))
        || document.entries().any(|(path, value)| {
            path.ends_with("capabilities.add") && matches!(value, "ALL" | "SYS_ADMIN" | "SYS_PTRACE" | "SYS_MODULE")
        })
}

/// `command: ["sh", "-c", "…"]` of a container.
fn started(scene: &mut Scene<'_>, call: &Call<'_>, document: &yaml::Document) {
    let words: Vec<Word> = document
        .entries()
        .filter(|(path, _)| path.ends_with("containers.command") || path.ends_with("containers.args"))
        .map(|(_, value)| Word::known(value))
        .collect();
    if !words.is_empty() {
        scene.scoped(|scene| {
            scene.go_elsewhere();
            within::run_words(scene, call, &words, false);
        });
    }
}
