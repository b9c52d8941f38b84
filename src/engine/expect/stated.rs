//! An effect that a case states itself: what a policy says to it hangs on no reader of commands.

use serde::Deserialize;

use crate::model::{
    Area, Areas, Certainty, CodeOrigin, Effect, Extent, Operation, Resource, ResourceKind, Reversibility, SessionFacts,
    Understanding, Zone,
};

/// `effect = { operation = "drop", resource = "Table", name = "orders", areas = ["own-work"] }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    pub operation: Operation,
    pub resource: ResourceKind,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub areas: Vec<Area>,
    /// From the user's mapping, beside those that it gives by itself.
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub unresolved: bool,
    pub extent: Option<Extent>,
    pub reversible: Option<Reversibility>,
    pub certainty: Option<Certainty>,
    #[serde(default)]
    pub by: String,
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub guard_off: bool,
    #[serde(default)]
    pub elevated: bool,
    #[serde(default)]
    pub cascades: bool,
    #[serde(default)]
    pub in_transaction: bool,
    pub count: Option<u64>,
    pub code: Option<CodeOrigin>,
    pub zone: Option<Zone>,
    pub peer: Option<String>,
    /// What the session did before.
    #[serde(default)]
    pub session: SessionFacts,
}

impl Stated {
    /// Says of itself what `effect` is. Places that a text names are left out: a case says where it is.
    pub(in crate::engine) fn of(effect: &Effect, labels: &[String], session: SessionFacts) -> Self {
        Self {
            operation: effect.operation,
            resource: effect.resource.kind,
            name: effect.resource.name.clone(),
            areas: effect.resource.areas.iter().collect(),
            labels: labels.to_vec(),
            unresolved: effect.resource.unresolved,
            extent: Some(effect.extent).filter(|extent| *extent != Extent::One),
            reversible: Some(effect.reversible).filter(|it| *it != Reversibility::Unknown),
            certainty: Some(effect.certainty).filter(|certainty| *certainty != Certainty::Exact),
            by: effect.by.clone(),
            dry_run: effect.dry_run,
            guard_off: effect.guard_off,
            elevated: effect.elevated,
            cascades: effect.cascades,
            in_transaction: effect.in_transaction,
            count: effect.count,
            code: effect.code,
            zone: effect.zone,
            peer: effect.peer.clone(),
            session,
        }
    }

    /// As if it had been understood.
    pub(in crate::engine) fn understood(&self) -> Understanding {
        let mut resource = Resource::new(self.resource, &self.name);
        resource.areas = self.areas.iter().fold(Areas::default(), |areas, area| areas.with(*area));
        resource.unresolved = self.unresolved;
        let effect = Effect {
            extent: self.extent.unwrap_or(Extent::One),
            reversible: self.reversible.unwrap_or(Reversibility::Unknown),
            certainty: self.certainty.unwrap_or(Certainty::Exact),
            by: self.by.clone(),
            dry_run: self.dry_run,
            guard_off: self.guard_off,
            elevated: self.elevated,
            cascades: self.cascades,
            in_transaction: self.in_transaction,
            count: self.count,
            code: self.code,
            zone: self.zone,
            peer: self.peer.clone(),
            ..Effect::new(self.operation, resource)
        };
        Understanding { effects: vec![effect], ..Understanding::default() }
    }

    /// As it is written in a file of cases, on one line.
    pub(in crate::engine) fn written(&self) -> String {
        use crate::engine::gate::toml_string as quoted;
        let mut parts = vec![
            format!("operation = {}", quoted(self.operation.word())),
            format!("resource = {}", quoted(self.resource.word())),
        ];
        let list = |words: Vec<String>| format!("[{}]", words.join(", "));
        let text = |key: &str, text: Option<&str>| text.map(|text| format!("{key} = {}", quoted(text)));
        parts.extend(text("name", Some(self.name.as_str()).filter(|name| !name.is_empty())));
        if !self.areas.is_empty() {
            parts.push(format!("areas = {}", list(self.areas.iter().map(|area| quoted(area.word())).collect())));
        }
        if !self.labels.is_empty() {
            parts.push(format!("labels = {}", list(self.labels.iter().map(|label| quoted(label)).collect())));
        }
        parts.extend(text("extent", self.extent.map(Extent::word)));
        parts.extend(text("reversible", self.reversible.map(Reversibility::word)));
        parts.extend(text("certainty", self.certainty.map(Certainty::word)));
        parts.extend(text("by", Some(self.by.as_str()).filter(|by| !by.is_empty())));
        parts.extend(self.count.map(|count| format!("count = {count}")));
        parts.extend(text("code", self.code.map(CodeOrigin::word)));
        parts.extend(text("zone", self.zone.map(Zone::word)));
        parts.extend(text("peer", self.peer.as_deref()));
        let flags = [
            ("unresolved", self.unresolved),
            ("dry_run", self.dry_run),
            ("guard_off", self.guard_off),
            ("elevated", self.elevated),
            ("cascades", self.cascades),
            ("in_transaction", self.in_transaction),
        ];
        parts.extend(flags.iter().filter(|(_, is)| *is).map(|(key, _)| format!("{key} = true")));
        // The same words as in the bracket of an example.
        let session = self.session.said();
        if !session.is_empty() {
            parts.push(format!("session = {{ {} }}", session.join(", ")));
        }
        format!("{{ {} }}", parts.join(", "))
    }
}
