//! Which cluster, account or stage a session has switched to: later commands that name none reach that one.

use crate::model::{Action, Effect, Kind, Operation, Place, PlaceKind};

use super::line::operands;

/// Switches kept per session.
const MOST: usize = 32;

/// The places in force, each for the programs that follow it.
#[derive(Clone, Debug, Default)]
pub(super) struct InForce(Vec<(Switch, Option<String>)>);

/// One way of switching: the words that do it, what they choose, and which programs follow.
#[derive(Clone, Copy, Debug)]
struct Switch {
    words: &'static [&'static str],
    kind: PlaceKind,
    follow: &'static [&'static str],
}

const SWITCHES: &[Switch] = &[
    Switch { words: &["kubectl", "config", "use-context"], kind: PlaceKind::Cluster, follow: KUBERNETES },
    Switch { words: &["kubectl", "config", "use"], kind: PlaceKind::Cluster, follow: KUBERNETES },
    Switch { words: &["kubectx"], kind: PlaceKind::Cluster, follow: KUBERNETES },
    Switch { words: &["oc", "config", "use-context"], kind: PlaceKind::Cluster, follow: KUBERNETES },
    Switch {
        words: &["terraform", "workspace", "select"],
        kind: PlaceKind::Stage,
        follow: &["terraform", "tofu", "terragrunt"],
    },
    Switch {
        words: &["tofu", "workspace", "select"],
        kind: PlaceKind::Stage,
        follow: &["terraform", "tofu", "terragrunt"],
    },
    Switch { words: &["pulumi", "stack", "select"], kind: PlaceKind::Stage, follow: &["pulumi"] },
    Switch {
        words: &["gcloud", "config", "set", "project"],
        kind: PlaceKind::Account,
        follow: &["gcloud", "gsutil", "bq"],
    },
    Switch {
        words: &["gcloud", "config", "configurations", "activate"],
        kind: PlaceKind::Account,
        follow: &["gcloud", "gsutil", "bq"],
    },
    Switch { words: &["az", "account", "set"], kind: PlaceKind::Account, follow: &["az"] },
    Switch { words: &["docker", "context", "use"], kind: PlaceKind::Host, follow: &["docker"] },
    Switch { words: &["doctl", "auth", "switch"], kind: PlaceKind::Account, follow: &["doctl"] },
    Switch { words: &["\\c"], kind: PlaceKind::Database, follow: &[] },
    Switch { words: &["\\connect"], kind: PlaceKind::Database, follow: &[] },
    Switch { words: &["firebase", "use"], kind: PlaceKind::Account, follow: &["firebase"] },
];

const KUBERNETES: &[&str] = &["kubectl", "helm", "oc", "k9s", "kustomize", "istioctl", "flux", "skaffold"];

impl InForce {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in an action that [`may_switch`] and did not fail. Says whether it switched from one place to another.
    pub(super) fn note(&mut self, action: &Action) -> bool {
        let mut switched = false;
        for command in action.text.split([';', '\n', '|']).flat_map(|line| line.split("&&")) {
            let words = operands(command, &[]);
            for switch in SWITCHES {
                let Some(rest) = words.strip_prefix(switch.words) else { continue };
                // `az account set --subscription NAME`: the switch is taken off, its value stays.
                let Some(name) = rest.first().filter(|name| **name != "-") else { continue };
                let name = (!name.contains(['$', '`'])).then(|| (*name).to_owned());
                switched |= self.set(*switch, name);
            }
        }
        switched
    }

    fn set(&mut self, switch: Switch, name: Option<String>) -> bool {
        let known = self.0.iter_mut().find(|(known, _)| known.follow == switch.follow && known.kind == switch.kind);
        if let Some((_, before)) = known {
            return std::mem::replace(before, name.clone()) != name;
        }
        if self.0.len() < MOST {
            self.0.push((switch, name));
        }
        true
    }

    /// The place in force for an effect that names none itself.
    pub(super) fn of(&self, action: &Action, effect: &Effect) -> Option<Place> {
        if matches!(effect.operation, Operation::Read | Operation::List) {
            return None;
        }
        let program = effect.by.split(' ').next().unwrap_or_default();
        let (switch, name) = self.0.iter().find(|(switch, _)| {
            switch.follow.contains(&program) || switch.follow.is_empty() && action.kind == Kind::Sql
        })?;
        let named = effect.places.iter().any(|place| place.kind == switch.kind);
        name.clone().filter(|_| !named).map(|name| Place { kind: switch.kind, name })
    }
}

/// A quick look: nearly no command switches anything.
pub(super) fn may_switch(action: &Action) -> bool {
    let text = &action.text;
    matches!(action.kind, Kind::Shell | Kind::Exec | Kind::Sql)
        && text.len() < 4096
        && (text.contains(" use")
            || text.contains(" select ")
            || text.contains(" set ")
            || text.contains("\\c")
            || text.contains("kubectx ")
            || text.contains(" activate ")
            || text.contains(" switch "))
}
