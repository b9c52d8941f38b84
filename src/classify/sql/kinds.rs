//! The kinds of things that CREATE, ALTER and DROP name.

use crate::model::ResourceKind::{self, *};

use super::cursor::Cursor;

/// Words between the verb and the kind that change nothing about it.
const MODIFIERS: &[&str] = &[
    "OR REPLACE",
    "OR ALTER",
    "TEMPORARY",
    "TEMP",
    "LOCAL",
    "GLOBAL",
    "UNLOGGED",
    "TRANSIENT",
    "VOLATILE",
    "EXTERNAL",
    "UNIQUE",
    "CLUSTERED",
    "NONCLUSTERED",
    "FULLTEXT",
    "SPATIAL",
    "BITMAP",
    "DYNAMIC",
    "HYBRID",
    "ICEBERG",
    "SECURE",
    "RECURSIVE",
    "PUBLIC",
    "TRUSTED",
    "EDITIONABLE",
    "NONEDITIONABLE",
    "FORCE",
    "NOFORCE",
    "COLUMNSTORE",
    "SHARED",
    "PRIMARY",
];

/// Kinds by their words; of two that start alike the longer stands first.
const KINDS: &[(&str, ResourceKind)] = &[
    ("EVENT TRIGGER", Routine),
    ("EVENT SESSION", Safeguard),
    ("EVENT NOTIFICATION", Item),
    ("EVENT", Routine),
    ("FOREIGN TABLE", Table),
    ("FOREIGN DATA WRAPPER", Item),
    ("VIRTUAL TABLE", Table),
    ("SNAPSHOT TABLE", Backup),
    ("TABLE FUNCTION", Routine),
    ("TABLESPACE", Item),
    ("TABLE", Table),
    ("MATERIALIZED VIEW LOG", Table),
    ("MATERIALIZED VIEW", View),
    ("VIEW", View),
    ("INDEX", Index),
    ("SEARCH INDEX", Index),
    ("VECTOR INDEX", Index),
    ("SCHEMA", Schema),
    ("SNAPSHOT SCHEMA", Schema),
    ("DATABASE SCOPED CREDENTIAL", Secret),
    ("DATABASE AUDIT SPECIFICATION", Safeguard),
    ("DATABASE ENCRYPTION KEY", Key),
    ("DATABASE ROLE", Role),
    ("DATABASE LINK", Item),
    ("DATABASE", Database),
    ("PLUGGABLE DATABASE", Database),
    ("KEYSPACE", Database),
    ("CATALOG", Database),
    ("SERVER AUDIT SPECIFICATION", Safeguard),
    ("SERVER AUDIT", Safeguard),
    ("SERVER ROLE", Role),
    ("SERVER", Item),
    ("APPLICATION ROLE", Role),
    ("ROLE", Role),
    ("USER MAPPING", Item),
    ("USER", Role),
    ("GROUP", Role),
    ("LOGIN", Role),
    ("PROFILE", Safeguard),
    ("FUNCTION", Routine),
    ("PROCEDURE", Routine),
    ("PROC", Routine),
    ("ROUTINE", Routine),
    ("AGGREGATE FUNCTION", Routine),
    ("AGGREGATE", Routine),
    ("MACRO", Routine),
    ("PACKAGE BODY", Routine),
    ("PACKAGE", Routine),
    ("TRIGGER", Routine),
    ("RULE", Routine),
    ("OPERATOR CLASS", Item),
    ("OPERATOR FAMILY", Item),
    ("OPERATOR", Item),
    ("TASK", Routine),
    ("JOB", Routine),
    ("EXTENSION", Package),
    ("PLUGIN", Package),
    ("COMPONENT", Package),
    ("LIBRARY", Package),
    ("ASSEMBLY", Package),
    ("MODULE", Package),
    ("LANGUAGE", Package),
    ("PROCEDURAL LANGUAGE", Package),
    ("AUDIT POLICY", Safeguard),
    ("MASKING POLICY", Safeguard),
    ("ROW ACCESS POLICY", Safeguard),
    ("ALL ROW ACCESS POLICIES", Safeguard),
    ("ROW POLICY", Safeguard),
    ("NETWORK POLICY", Safeguard),
    ("NETWORK RULE", Safeguard),
    ("PASSWORD POLICY", Safeguard),
    ("SESSION POLICY", Safeguard),
    ("AUTHENTICATION POLICY", Safeguard),
    ("SECURITY POLICY", Safeguard),
    ("RESOURCE MONITOR", Safeguard),
    ("POLICY", Safeguard),
    ("QUOTA", Safeguard),
    ("TYPE BODY", Item),
    ("TYPE", Item),
    ("DOMAIN", Item),
    ("SEQUENCE", Item),
    ("COLLATION", Item),
    ("CAST", Item),
    ("CONVERSION", Item),
    ("STATISTICS", Item),
    ("TEXT SEARCH CONFIGURATION", Item),
    ("TEXT SEARCH DICTIONARY", Item),
    ("ACCESS METHOD", Item),
    ("PUBLICATION", Item),
    ("SUBSCRIPTION", Item),
    ("SYNONYM", Item),
    ("DICTIONARY", Item),
    ("DIRECTORY", Item),
    ("FILE FORMAT", Item),
    ("INTEGRATION", Item),
    ("SHARE", Item),
    ("STREAM", Item),
    ("PIPE", Item),
    ("MODEL", Item),
    ("STAGE", Bucket),
    ("WAREHOUSE", Instance),
    ("SECRET", Secret),
    ("CREDENTIAL", Secret),
    ("ACCOUNT", Account),
    ("RESTORE POINT", Backup),
];

/// Kinds of keys, whose loss loses what they encrypt.
const KEYS: &[&str] = &[
    "MASTER KEY",
    "SYMMETRIC KEY",
    "ASYMMETRIC KEY",
    "COLUMN ENCRYPTION KEY",
    "COLUMN MASTER KEY",
    "ENCRYPTION KEY",
    "CERTIFICATE",
];

/// What stands between a verb and the names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) kind: ResourceKind,
    /// The kind in capitals: `MATERIALIZED VIEW`.
    pub(super) words: &'static str,
    pub(super) temporary: bool,
    pub(super) replaces: bool,
}

/// Reads modifiers and kind; steps over nothing when there is no kind.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Named> {
    let before = cursor.at;
    let (mut temporary, mut replaces) = (false, false);
    loop {
        // MySQL says who owns a routine before it says what it is.
        if cursor.eat("DEFINER") {
            cursor.eat_punct("=");
            cursor.account();
            cursor.brackets();
            continue;
        }
        if cursor.eat("SQL SECURITY") {
            cursor.at += 1;
            continue;
        }
        if cursor.eat("ALGORITHM") {
            cursor.eat_punct("=");
            cursor.at += 1;
            continue;
        }
        let Some(word) = MODIFIERS.iter().find(|word| cursor.eat(word)) else { break };
        temporary |= matches!(*word, "TEMPORARY" | "TEMP" | "VOLATILE");
        replaces |= *word == "OR REPLACE";
    }
    let found = KINDS
        .iter()
        .find(|(words, _)| cursor.sees(words))
        .copied()
        .or_else(|| KEYS.iter().find(|words| cursor.sees(words)).map(|words| (*words, Key)));
    let Some((words, kind)) = found else {
        cursor.at = before;
        return None;
    };
    cursor.eat(words);
    Some(Named { kind, words, temporary, replaces })
}
