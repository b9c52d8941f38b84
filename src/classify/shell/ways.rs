//! What holds after code that goes one way or another.

use std::collections::BTreeMap;

use crate::classify::Scene;

/// A variable that was set, and what it was before; `None` when it was not set at all.
pub(super) type Set = (String, Option<Option<String>>);

/// Sets a variable, or takes it away; noted while a way through the code is open.
pub(super) fn set(scene: &mut Scene<'_>, name: &str, value: Option<Option<String>>) {
    let before = match value {
        Some(value) => scene.variables.insert(name.to_owned(), value),
        None => scene.variables.remove(name),
    };
    if scene.shell.ways > 0 {
        scene.shell.sets.push((name.to_owned(), before));
    }
}

/// The state at the start of one way.
pub(super) struct Way {
    sets: usize,
    cwd: Option<String>,
}

impl Way {
    pub(super) fn begin(scene: &mut Scene<'_>) -> Self {
        scene.shell.ways += 1;
        Self { sets: scene.shell.sets.len(), cwd: scene.cwd.clone() }
    }

    /// Makes doubtful what was set to something else since the way began: it may not have been taken.
    pub(super) fn doubt(self, scene: &mut Scene<'_>) {
        scene.shell.ways -= 1;
        for (name, before) in scene.shell.sets.get(self.sets..).unwrap_or_default().to_vec() {
            if before.as_ref().is_some_and(|value| value.is_some() && scene.variables.get(&name) != Some(value)) {
                scene.variables.insert(name, None);
            }
        }
        if scene.shell.ways == 0 {
            scene.shell.sets.clear();
        }
    }
}

/// Where the ways through an `if` or `case` ended.
#[derive(Default)]
pub(super) struct Ways {
    /// What each of them set.
    sets: Vec<BTreeMap<String, Option<Option<String>>>>,
    cwds: Vec<Option<String>>,
}

impl Ways {
    /// Notes where a way ended and goes back to where it began.
    pub(super) fn end(&mut self, scene: &mut Scene<'_>, way: Way) {
        scene.shell.ways -= 1;
        let from = way.sets.min(scene.shell.sets.len());
        let mut changed = BTreeMap::new();
        for (name, before) in scene.shell.sets.split_off(from).into_iter().rev() {
            let after = match before {
                Some(value) => scene.variables.insert(name.clone(), value),
                None => scene.variables.remove(&name),
            };
            changed.entry(name).or_insert(after);
        }
        self.sets.push(changed);
        self.cwds.push(std::mem::replace(&mut scene.cwd, way.cwd));
    }

    /// What holds whichever way was taken. A variable that only some set keeps that value: it is all that is known.
    pub(super) fn meet(self, scene: &mut Scene<'_>, exhaustive: bool) {
        let mut cwds = self.cwds.into_iter();
        if exhaustive && let Some(first) = cwds.next() {
            scene.cwd = first;
        }
        for cwd in cwds {
            if cwd != scene.cwd {
                scene.cwd = None;
            }
        }
        let names: Vec<String> = self.sets.iter().flat_map(|changed| changed.keys().cloned()).collect();
        for name in names {
            let now = scene.variables.get(&name).cloned();
            let ends = self.sets.iter().map(|changed| changed.get(&name).unwrap_or(&now));
            let ends = ends.chain((!exhaustive).then_some(&now)).filter_map(Option::as_ref);
            let mut value: Option<Option<String>> = None;
            for end in ends {
                match &value {
                    None => value = Some(end.clone()),
                    Some(known) if known == end => {}
                    Some(_) => value = Some(None),
                }
            }
            set(scene, &name, value);
        }
    }
}
