//! Statements of graph databases, by their words: `MATCH (n) DETACH DELETE n`.

use crate::classify::Scene;
use crate::model::{Certainty, Extent, Operation, Resource, ResourceKind};

use super::Call;

/// Reads the statement among the arguments; `false` when there is none.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let Some(text) = call.arguments.text(&["query", "cypher", "statement"]) else { return false };
    let name = call.name.whole.to_ascii_lowercase();
    let graph = ["cypher", "neo4j", "memgraph", "falkordb", "neptune"].iter().any(|word| name.contains(word));
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .map(str::to_ascii_uppercase)
        .filter(|word| !word.is_empty())
        .collect();
    let says = |word: &str| words.iter().any(|other| other == word);
    let begins = words.first().is_some_and(|first| matches!(&**first, "MATCH" | "MERGE" | "OPTIONAL" | "UNWIND"));
    if !graph && !begins {
        return false;
    }
    // `MATCH (n:Person {id: 7})` and `WHERE` choose; a label alone is a whole table.
    let chosen = says("WHERE") || says("LIMIT") || text.contains('{');
    let operation = if says("DROP") {
        Operation::Drop
    } else if says("DELETE") {
        Operation::Delete
    } else if says("SET") || says("REMOVE") || says("MERGE") {
        Operation::Update
    } else if says("CREATE") {
        Operation::Create
    } else {
        Operation::Read
    };
    let label = text.split_once(':').map_or("", |(_, rest)| {
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or("")
    });
    let kind = match operation {
        Operation::Drop if says("DATABASE") => ResourceKind::Database,
        Operation::Drop => ResourceKind::Index,
        _ => ResourceKind::Table,
    };
    let extent = match operation {
        Operation::Delete | Operation::Update if !chosen => Extent::All,
        Operation::Create | Operation::Drop => Extent::One,
        _ => Extent::Some,
    };
    let mut effect = call.effect(operation, Resource::new(kind, label), extent);
    effect.certainty = Certainty::Lexical;
    scene.effect(effect);
    true
}

#[cfg(test)]
mod tests {
    use crate::classify::seen;

    fn check(query: &str, expected: &str) {
        let arguments = serde_json::json!({ "query": query }).to_string();
        assert_eq!(seen::tool("neo4j_cypher", &arguments), expected, "{query}");
    }

    #[test]
    fn words_say_what_a_statement_does() {
        check("MATCH (n) DETACH DELETE n", "delete Table `` all");
        check("MATCH (n:Person {id: 7}) DELETE n", "delete Table `Person` some");
        check("MATCH (n:Person) RETURN n.name LIMIT 10", "read Table `Person` some");
        check("MATCH (u:User) SET u.role = 'admin'", "update Table `User` all");
        check("DROP DATABASE shop", "drop Database ``");
    }
}
