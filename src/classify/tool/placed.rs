//! Calls about an address or a path: what stands there is judged as what it is.

use crate::classify::{Scene, http, naming, paths};
use crate::model::{Area, Certainty, Extent, Operation, ResourceKind};

use super::Call;
use super::audience::{self, recipient};
use super::unlisted::{note, says};

/// What stands at an address or under a path is judged as what it is; `false` when the call is about neither.
pub(super) fn elsewhere(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind) -> bool {
    if let Some(address) = address(call)
        && (matches!(operation, Operation::Fetch | Operation::Read | Operation::Connect)
            || (kind == ResourceKind::Endpoint
                && matches!(operation, Operation::Create | Operation::Update | Operation::List)))
    {
        let text = call.arguments.text(&["content", "body", "data", "html", "text"]);
        let posts = text.is_some() && matches!(operation, Operation::Create | Operation::Update);
        let word = call.word(address);
        let request = http::Request {
            method: if posts { "POST" } else { "GET" },
            url: &word,
            body: http::Body { present: posts, text: text.filter(|_| posts), ..http::Body::default() },
            span: word.span,
            by: call.name.whole,
        };
        http::request(scene, &request);
        return true;
    }
    if matches!(kind, ResourceKind::File | ResourceKind::Folder | ResourceKind::Item) {
        let paths = call.arguments.texts(&[
            "path",
            "paths",
            "file_path",
            "filename",
            "file",
            "directory",
            "file_paths",
            "glob",
            "pattern",
        ]);
        let here: Vec<&str> = paths
            .into_iter()
            .filter(|path| {
                (kind == ResourceKind::File || kind == ResourceKind::Folder || path.contains('/'))
                    && !kept_elsewhere(scene, call, path)
            })
            .collect();
        let mut any = false;
        for path in here {
            local(scene, call, operation, kind, path);
            any = true;
        }
        if any {
            return true;
        }
    }
    // `export_report(output_dir)`: what is made here stays here.
    if operation == Operation::Export
        && recipient(call).is_none()
        && let Some(path) = call.arguments.text(OUTPUTS)
    {
        let named = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        let kind = if named { ResourceKind::File } else { ResourceKind::Folder };
        let resource = paths::resource(scene, &call.word(path), kind);
        note(scene, call, Operation::Create, resource, Extent::One);
        return true;
    }
    false
}

/// A file or a folder of this machine.
fn local(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind, path: &str) {
    let kind = if kind == ResourceKind::Item { ResourceKind::File } else { kind };
    let mut word = call.word(path);
    word.glob = path.contains('*');
    let resource = paths::resource(scene, &word, kind);
    if operation == Operation::Create && says(call, "upload") {
        // What is uploaded leaves; the text does not always say where to.
        let mut effect = call.effect(Operation::Export, resource, Extent::One);
        effect.peer = recipient(call).map(str::to_owned);
        let near = !effect.resource.areas.has(Area::Credential) && effect.peer.is_none();
        effect.zone = Some(audience::far(effect.peer.as_deref(), ResourceKind::File));
        effect.certainty = Certainty::Inferred;
        if near {
            effect.operation = Operation::Read;
        }
        return scene.effect(effect);
    }
    let folder = kind == ResourceKind::File
        && matches!(operation, Operation::Delete | Operation::Drop)
        && (resource.areas.has(Area::InHome) || word.glob)
        && !path.rsplit(['/', '\\']).next().is_some_and(|last| last.contains('.'));
    let extent = if operation == Operation::Update || folder { Extent::All } else { Extent::One };
    if folder {
        let resource = paths::resource(scene, &word, ResourceKind::Folder);
        let mut effect = call.effect(Operation::Delete, resource, extent);
        effect.cascades = true;
        effect.certainty = Certainty::Inferred;
        return scene.effect(effect);
    }
    note(scene, call, operation, resource, extent);
}

/// `dropbox_delete_folder {"path": "/Finance"}`: a path that no machine has, and a tool that names something else in between.
fn kept_elsewhere(scene: &Scene<'_>, call: &Call<'_>, path: &str) -> bool {
    const ROOTS: &[&str] = &[
        "home",
        "root",
        "etc",
        "usr",
        "var",
        "tmp",
        "opt",
        "srv",
        "mnt",
        "media",
        "dev",
        "proc",
        "sys",
        "bin",
        "sbin",
        "lib",
        "lib64",
        "boot",
        "run",
        "snap",
        "private",
        "users",
        "library",
        "applications",
        "volumes",
        "system",
        "workspace",
        "workspaces",
        "app",
        "data",
        "repo",
        "code",
        "work",
        "project",
        "projects",
        "src",
        "build",
        "w",
        "content",
        "notebooks",
    ];
    let Some(first) = path.strip_prefix('/').and_then(|rest| rest.split('/').next()) else { return false };
    let known =
        ROOTS.contains(&&*first.to_ascii_lowercase()) || scene.cwd.as_deref().is_some_and(|cwd| path.starts_with(cwd));
    !known
        && naming::words(call.name.whole).iter().any(|word| {
            naming::verb(word).is_none()
                && naming::noun(word).is_none()
                && !matches!(&**word, "mcp" | "fs" | "dir" | "path" | "local" | "recursive" | "to" | "from" | "all")
        })
}

/// Arguments that say where on this machine a tool puts what it makes.
const OUTPUTS: &[&str] = &[
    "output_dir",
    "output_path",
    "output_file",
    "output_folder",
    "outputDir",
    "outputPath",
    "outputFile",
    "out_dir",
    "save_path",
    "save_dir",
    "local_path",
    "destination_path",
];

pub(super) fn address<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.arguments.text(&["url", "uri", "link", "address"]).filter(|text| text.contains("://") || text.contains('.'))
}
