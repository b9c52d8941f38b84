//! What holds after code that goes one way or another.

use std::collections::BTreeMap;

use crate::classify::Scene;

/// The state that differs between two ways through the code.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Way {
    variables: BTreeMap<String, Option<String>>,
    cwd: Option<String>,
}

impl Way {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        Self { variables: scene.variables.clone(), cwd: scene.cwd.clone() }
    }
}

/// The ways through an `if` or `case`.
#[derive(Debug, Default)]
pub(super) struct Ways(Vec<Way>);

impl Ways {
    /// Notes where a branch ended and goes back to `before` it.
    pub(super) fn end(&mut self, scene: &mut Scene<'_>, before: Way) {
        let variables = std::mem::replace(&mut scene.variables, before.variables);
        let cwd = std::mem::replace(&mut scene.cwd, before.cwd);
        self.0.push(Way { variables, cwd });
    }

    /// What holds whichever branch was taken. A variable that only some set keeps that value: it is all that is known.
    pub(super) fn meet(self, scene: &mut Scene<'_>, exhaustive: bool) {
        let mut ways = self.0.into_iter();
        if exhaustive && let Some(first) = ways.next() {
            (scene.variables, scene.cwd) = (first.variables, first.cwd);
        }
        for way in ways {
            if way.cwd != scene.cwd {
                scene.cwd = None;
            }
            if way.variables == scene.variables {
                continue;
            }
            for (name, value) in way.variables {
                match scene.variables.get_mut(&name) {
                    Some(now) if *now != value => *now = None,
                    Some(_) => {}
                    None => {
                        scene.variables.insert(name, value);
                    }
                }
            }
        }
    }
}
