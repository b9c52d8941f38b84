//! The same request as Cedar entities and context, for the oracle.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use super::Request;
use super::facts::{self, Fact, Value};

/// A request in Cedar's own terms.
#[derive(Debug)]
pub(super) struct CedarRequest {
    pub(super) request: cedar_policy::Request,
    pub(super) entities: Entities,
}

/// Fails when Cedar refuses the request; the words are Cedar's.
pub(super) fn translate(request: &Request<'_>) -> Result<CedarRequest, String> {
    let principal = uid(facts::principal(request))?;
    let resource = uid(facts::resource(request))?;
    let action = uid(facts::Entity { kind: "Action", id: request.effect.operation.word() })?;

    let mut groups = HashSet::new();
    for name in &request.action.actor.groups {
        groups.insert(uid(facts::Entity { kind: "Group", id: name })?);
    }
    let mut places = HashSet::new();
    places.insert(uid(facts::Entity { kind: "Environment", id: request.environment.word() })?);
    for area in request.effect.resource.areas.iter() {
        places.insert(uid(facts::Entity { kind: "Area", id: area.word() })?);
    }
    for label in request.labels {
        places.insert(uid(facts::Entity { kind: "Label", id: label })?);
    }
    for (kind, name) in facts::parents(request) {
        places.insert(uid(facts::Entity { kind: kind.word(), id: name })?);
    }

    let name = |text: &str| ("name".to_owned(), RestrictedExpression::new_string(text.to_owned()));
    let unresolved = |is| ("unresolved".to_owned(), RestrictedExpression::new_bool(is));
    let effect = request.effect;
    let mut all = Vec::new();
    if principal == resource {
        places.extend(groups);
    } else {
        let mut attributes = HashMap::from([name(&request.action.actor.name)]);
        if facts::principal(request).kind == "Service" {
            attributes.extend([unresolved(false)]);
        }
        all.push(Entity::new(principal.clone(), attributes, groups).map_err(|error| error.to_string())?);
    }
    // A thing cannot stand in itself: `/` has no folder above it.
    places.remove(&resource);
    let attributes = HashMap::from([name(&effect.resource.name), unresolved(effect.resource.unresolved)]);
    all.push(Entity::new(resource.clone(), attributes, places).map_err(|error| error.to_string())?);

    let entities = Entities::from_entities(all, None).map_err(|error| error.to_string())?;
    let request = cedar_policy::Request::new(principal, action, resource, context(request)?, None)
        .map_err(|error| error.to_string())?;
    Ok(CedarRequest { request, entities })
}

fn context(request: &Request<'_>) -> Result<Context, String> {
    let mut pairs = Vec::new();
    let mut session = Vec::new();
    for fact in Fact::ALL {
        let Some(path) = fact.word().strip_prefix("context.") else { continue };
        let Some(value) = fact.of(request) else { continue };
        let value = match value {
            Value::Bool(value) => RestrictedExpression::new_bool(value),
            Value::Long(value) => RestrictedExpression::new_long(value),
            Value::Text(value) => RestrictedExpression::new_string(value.to_owned()),
            Value::Entity(entity) => RestrictedExpression::new_entity_uid(uid(entity)?),
        };
        match path.strip_prefix("session.") {
            Some(attribute) => session.push((attribute.to_owned(), value)),
            None => pairs.push((path.to_owned(), value)),
        }
    }
    let session = RestrictedExpression::new_record(session).map_err(|error| error.to_string())?;
    pairs.push(("session".to_owned(), session));
    Context::from_pairs(pairs).map_err(|error| error.to_string())
}

fn uid(entity: facts::Entity<'_>) -> Result<EntityUid, String> {
    let kind: EntityTypeName = entity.kind.parse().map_err(|_| format!("`{}` is no type", entity.kind))?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(entity.id)))
}
