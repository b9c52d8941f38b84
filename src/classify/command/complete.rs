//! Options that a spec mentions need not be listed: what asks for a value makes it one that takes a value.

use super::flags::{Flag, Flags};
use super::spec::{EffectSpec, Spec};
use super::template::{Ref, Template};

impl Spec {
    /// Adds the options that conditions and templates mention to the lists.
    pub(super) fn complete(&mut self) {
        let mut found = Vec::new();
        self.mentioned(&mut found);
        self.add(found, |_| false);
        let mut commands = std::mem::take(&mut self.command);
        for command in &mut commands {
            let mut found = Vec::new();
            command.mentioned(&mut found);
            command.add(found, |name| self.has(name));
        }
        self.command = commands;
    }

    fn has(&self, name: &str) -> bool {
        let lists = [&self.switches, &self.values, &self.optional];
        lists.iter().any(|flags| flags.0.iter().any(|flag| flag.names.iter().any(|known| **known == *name)))
    }

    fn add(&mut self, mut found: Vec<(String, bool)>, known_above: impl Fn(&str) -> bool) {
        // Values first: an option that is asked for its value anywhere takes one everywhere.
        found.sort_by_key(|(_, value)| !*value);
        for (name, value) in found {
            if !self.has(&name) && !known_above(&name) {
                let Flags(list) = if value { &mut self.values } else { &mut self.switches };
                list.push(Flag { names: vec![name.into()] });
            }
        }
    }

    fn mentioned(&self, found: &mut Vec<(String, bool)>) {
        let mut note = |reference: &Ref, value: bool| {
            if let Ref::Flag(name) = reference {
                found.push((name.to_string(), value));
            }
        };
        for condition in [&self.nothing, &self.dry_run, &self.guard_off, &self.cascades] {
            condition.flags().for_each(|(reference, value)| note(reference, value));
        }
        let places = &self.places;
        let templates = [&places.host, &places.database, &places.account, &places.cluster, &places.stage, &self.cwd];
        for template in templates.into_iter().flatten() {
            template.refs().for_each(|reference| note(reference, true));
        }
        for effect in self.effects.iter().chain(&self.always) {
            mentioned_by(effect, &mut note);
        }
        let mut conditions = Vec::new();
        let mut templates: Vec<&Template> = Vec::new();
        for code in &self.code {
            conditions.extend(code.when.iter().chain([&code.unless]));
            templates.extend(code.from.iter().chain(&code.file));
        }
        for inner in &self.inner {
            conditions.extend(inner.when.iter().chain([&inner.unless]));
            templates.extend(inner.words.iter().chain(&inner.shell));
        }
        conditions.extend(self.stdout.iter().filter_map(|stdout| stdout.when.as_ref()));
        conditions.iter().flat_map(|condition| condition.flags()).for_each(|(reference, value)| note(reference, value));
        templates.iter().flat_map(|template| template.refs()).for_each(|reference| note(reference, true));
    }
}

fn mentioned_by(effect: &EffectSpec, note: &mut impl FnMut(&Ref, bool)) {
    let more = &effect.more;
    let conditions = [&more.unless, &more.all, &more.some, &more.cascades, &more.guard_off, &more.dry_run];
    for condition in more.when.iter().chain(conditions) {
        condition.flags().for_each(|(reference, value)| note(reference, value));
    }
    for template in [Some(&effect.does.name), more.peer.as_ref(), more.count.as_ref()].into_iter().flatten() {
        template.refs().for_each(|reference| note(reference, true));
    }
}
