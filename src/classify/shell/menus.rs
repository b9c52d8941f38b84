//! Lines of RouterOS, whose commands stand in menus that look like paths: `/system reset-configuration`, `/ip address print`.

use crate::classify::{Scene, Word};
use crate::model::{Certainty, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

/// No program stands under these names in the root folder of a server.
const MENUS: &str =
    "/system /ip /ipv6 /interface /user /tool /routing /queue /ppp /snmp /certificate /radius /disk /port /mpls";

/// Reads a line that was sent to another machine; `false` when it is none of these.
pub(super) fn run(scene: &mut Scene<'_>, words: &[Word], span: Option<Span>) -> bool {
    let Some(menu) = words.first().filter(|word| scene.elsewhere && MENUS.split(' ').any(|menu| menu == word.text))
    else {
        return false;
    };
    let said = |wanted: &str| words.iter().any(|word| wanted.split(' ').any(|one| one == word.text));
    let (operation, kind) = match () {
        () if said("reset-configuration") => (Operation::Drop, ResourceKind::Host),
        () if said("reboot shutdown") => (Operation::Stop, ResourceKind::Host),
        () if said("remove disable") && said("firewall logging") => (Operation::Disable, ResourceKind::Safeguard),
        () if menu.text == "/user" && said("add set") => (Operation::Grant, ResourceKind::Role),
        () if said("remove") => (Operation::Delete, ResourceKind::Network),
        () if said("disable") => (Operation::Disable, ResourceKind::Network),
        () if said("add set enable") => (Operation::Alter, ResourceKind::Network),
        () if said("print export monitor ping traceroute") => (Operation::List, ResourceKind::Host),
        () => {
            let line: Vec<&str> = words.iter().take(3).map(|word| &*word.text).collect();
            scene.gap(GapKind::UnknownProgram, Hides::Anything, menu.span.or(span), line.join(" "));
            return true;
        }
    };
    let line: Vec<&str> = words.iter().map(|word| &*word.text).collect();
    let mut effect = Effect::new(operation, Resource::new(kind, line.join(" ")));
    let whole = operation == Operation::Drop || line.join(" ").contains("[find]");
    effect.extent = if whole { Extent::All } else { Extent::One };
    effect.certainty = Certainty::Inferred;
    effect.by = menu.text.clone();
    effect.span = menu.span.or(span);
    scene.effect(effect);
    true
}
