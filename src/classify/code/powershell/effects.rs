//! What a cmdlet does to what, from its verb, its noun and its parameters.

use crate::classify::{Scene, paths};
use crate::model::{
    Area, Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone,
};

use Operation as O;
use ResourceKind as K;

use super::flow::{Flow, is_each};
use super::words::{Parameters, word};

/// Cmdlets are named verb-noun: what is not listed goes by that.
pub(super) fn by_name(
    scene: &mut Scene<'_>,
    (verb, noun): (&str, &str),
    span: Span,
    by: &str,
    parameters: &Parameters<'_>,
    flow: Option<&Flow>,
) {
    // What flows in, and what has a name of its own.
    let extent = |name: &str| match flow {
        Some(flow) if is_each(name) => flow.extent(),
        None if !name.is_empty() && is_each(name) => Extent::All,
        _ => Extent::One,
    };
    if let Some(mut effect) = by_parameters(verb, noun, parameters) {
        effect.extent = extent(parameters.target());
        effect.certainty = Certainty::Inferred;
        effect.span = Some(span);
        effect.by = by.to_owned();
        effect.dry_run = parameters.has("whatif");
        effect.guard_off = parameters.guard_off();
        return scene.effect(effect);
    }
    let mailbox = noun.to_ascii_lowercase().ends_with("mailbox");
    let name = match verb {
        // What stood in it goes with the mailbox.
        "disable" if mailbox => "delete",
        "get" | "test" | "measure" | "find" | "select" | "convertto" | "convertfrom" | "format" | "out" | "write"
        | "show" => return,
        "remove" | "clear" | "uninstall" | "reset" => "delete",
        "set" | "update" | "enable" | "add" | "register" | "rename" | "move" | "edit" => "update",
        "compress" | "expand" | "merge" | "split" | "join" | "wait" | "trace" | "debug" | "ping" | "resolve"
        | "confirm" | "compare" | "search" | "skip" | "step" | "watch" | "read" | "group" | "receive" | "hide"
        | "pop" | "push" | "use" | "exit" | "close" | "open" | "undo" | "optimize" | "limit" | "checkpoint" => return,
        "new" | "install" | "import" | "copy" | "start" | "restore" | "publish" | "save" => "create",
        "stop" | "suspend" | "restart" | "dismount" => "stop",
        "disable" | "unprotect" => "disable",
        "invoke" => "execute",
        "send" | "export" => "export",
        "connect" | "enter" => "connect",
        _ => {
            scene.gap(GapKind::UnknownProgram, Hides::Anything, Some(span), by);
            return;
        }
    };
    if verb == "invoke" && ["pester", "scriptanalyzer", "build", "psake"].contains(&&*noun.to_ascii_lowercase()) {
        return execute(scene, span, by, CodeOrigin::Local);
    }
    let Some(meaning) = crate::classify::naming::meaning(&format!("{name}-{noun}"), "") else { return };
    // Piped in or not said: the noun at least is known.
    let target = if parameters.target().is_empty() { noun } else { parameters.target() };
    let mut effect = Effect::new(meaning.operation, Resource::new(meaning.kind, target));
    effect.extent = extent(parameters.target());
    effect.certainty = Certainty::Inferred;
    effect.span = Some(span);
    effect.by = by.to_owned();
    effect.dry_run = parameters.has("whatif");
    effect.guard_off = parameters.guard_off();
    if meaning.operation == O::Execute {
        effect.code = Some(CodeOrigin::Elsewhere);
        scene.gap(GapKind::UnknownProgram, Hides::Anything, Some(span), by);
    }
    scene.effect(effect);
}

/// What the parameters say more plainly than verb and noun.
fn by_parameters(verb: &str, noun: &str, parameters: &Parameters<'_>) -> Option<Effect> {
    /// What watches over others, in the names of cmdlets and their parameters.
    const WATCH: &[&str] = &[
        "audit",
        "conditionalaccess",
        "defender",
        "encryption",
        "firewall",
        "logging",
        "mfa",
        "protection",
        "safeattachment",
        "safelinks",
        "securescore",
        "strongauth",
        "threat",
    ];
    let noun_lower = noun.to_ascii_lowercase();
    let sets = matches!(verb, "set" | "update" | "new" | "add" | "enable");
    let forwards = ["forwardingsmtpaddress", "forwardingaddress", "forwardto", "redirectto", "forwardasattachmentto"];
    if sets && let Some(to) = parameters.given(&forwards).filter(|to| !to.eq_ignore_ascii_case("$null")) {
        // From now on all that comes into the mailbox leaves.
        let mut effect = Effect::new(O::Export, Resource::new(K::Object, parameters.target()));
        effect.zone = Some(Zone::External);
        effect.peer = Some(to.trim_start_matches("smtp:").to_owned());
        return Some(effect);
    }
    let watches = |text: &str| WATCH.iter().any(|word| text.contains(word));
    let off =
        |value: &str| ["$false", "disabled", "off", "none", "0"].iter().any(|off| value.eq_ignore_ascii_case(off));
    let switched = |(name, value): (&str, &str)| {
        off(value)
            && name != "confirm"
            && (watches(name) || watches(&noun_lower) && matches!(name, "enabled" | "state"))
    };
    if matches!(verb, "set" | "update") && parameters.all().any(switched) {
        return Some(Effect::new(O::Disable, Resource::new(K::Safeguard, noun)));
    }
    let of_role =
        ["roleassignment", "rolemember", "directoryrole", "roleeligib"].iter().any(|it| noun_lower.contains(it));
    if matches!(verb, "new" | "add") && of_role {
        let role = parameters.given(&["roledefinitionname", "role", "rolename", "roledefinitionid", "roleobjectid"]);
        let who = ["signinname", "objectid", "rolememberemailaddress", "user", "principalid", "member"];
        let who = parameters.given(&who).unwrap_or_default();
        return Some(Effect::new(O::Grant, Resource::new(K::Role, format!("{} to {who}", role.unwrap_or(noun)))));
    }
    // `Get-AzKeyVaultSecret -AsPlainText` is what the others only name.
    let plain = parameters.has("asplaintext") && noun_lower.contains("secret");
    (verb == "get" && plain).then(|| Effect::new(O::Read, Resource::new(K::Secret, parameters.target())))
}

pub(super) fn cmdlet(
    scene: &mut Scene<'_>,
    operation: O,
    kind: K,
    span: Span,
    by: &str,
    parameters: &Parameters<'_>,
    whole: &str,
) {
    // Not every change of a protection turns it off.
    if kind == K::Safeguard {
        let off = match by {
            "set-mppreference" => whole.contains("disable"),
            "set-netfirewallprofile" => whole.contains("false"),
            // For this process only, a script is let run as `-ExecutionPolicy Bypass` would let it.
            "set-executionpolicy" => {
                (whole.contains("bypass") || whole.contains("unrestricted")) && !whole.contains("-scope process")
            }
            _ => true,
        };
        let operation = if off { operation } else { O::Alter };
        return note(scene, operation, kind, by.split_once('-').map_or(by, |(_, noun)| noun), span, by, parameters);
    }
    let target = parameters.target();
    let recursive = parameters.has("recurse");
    let kind = if recursive && operation == O::Delete && kind == K::File { K::Folder } else { kind };
    let targets = if kind == K::File || kind == K::Folder { target.split(',').collect() } else { vec![target] };
    let mark = scene.mark();
    for target in targets {
        note(scene, operation, kind, target.trim().trim_matches(['"', '\'']), span, by, parameters);
    }
    // Beside `obj`, `bin` is what was compiled.
    let is = |effect: &Effect, name: &str| effect.resource.name.rsplit('/').next() == Some(name);
    if scene.since(mark).iter().any(|effect| is(effect, "obj")) {
        for effect in scene.since(mark).iter_mut().filter(|effect| is(effect, "bin")) {
            effect.resource.areas = effect.resource.areas.with(Area::Artefact);
        }
    }
    if matches!(by, "copy-item" | "cpi" | "cp" | "copy" | "move-item" | "mi" | "mv" | "move")
        && let Some(to) = parameters.named(&["destination"]).or_else(|| parameters.operands.get(1).copied())
    {
        note(scene, O::Update, K::File, to, span, by, parameters);
    }
}

pub(super) fn note(
    scene: &mut Scene<'_>,
    operation: O,
    kind: K,
    name: &str,
    span: Span,
    by: &str,
    parameters: &Parameters<'_>,
) {
    let registry =
        name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("hk")) || name.starts_with("Registry::");
    let kind = if registry && matches!(kind, K::File | K::Folder) { K::Item } else { kind };
    // Both strokes part folders on Windows.
    let path = matches!(kind, K::File | K::Folder) && !name.starts_with("\\\\");
    let turned = name.replace('\\', "/");
    let mut word = word(if path { &turned } else { name }, span);
    word.quoted &= !name.starts_with('~');
    let resource = match kind {
        K::File | K::Folder => paths::resource(scene, &word, kind),
        _ => Resource { unresolved: !word.is_known(), ..Resource::new(kind, name) },
    };
    let all = operation == O::Delete && resource.kind == K::Folder && parameters.has("recurse");
    let mut effect = Effect::new(if all { crate::classify::code::removal(&resource) } else { operation }, resource);
    effect.cascades = parameters.has("recurse");
    let written = operation == O::Update && kind == K::File && !by.starts_with("add-") && by != "ac";
    effect.extent = match name.rsplit(['/', '\\']).next() {
        _ if effect.cascades && operation == O::Delete => Extent::All,
        Some("*" | "*.*") => Extent::All,
        _ if name.contains('*') => Extent::Some,
        _ if written || operation == O::Drop => Extent::All,
        _ => Extent::One,
    };
    effect.resource.unresolved |= name.is_empty() && kind == K::File;
    effect.dry_run = parameters.has("whatif");
    effect.guard_off = parameters.guard_off();
    effect.span = Some(span);
    effect.by = by.to_owned();
    scene.effect(effect);
}

pub(super) fn execute(scene: &mut Scene<'_>, span: Span, by: &str, origin: CodeOrigin) {
    let mut effect = Effect::new(O::Execute, Resource { unresolved: true, ..Resource::new(K::Code, "") });
    effect.code = Some(origin);
    effect.span = Some(span);
    effect.by = by.to_owned();
    scene.effect(effect);
}
