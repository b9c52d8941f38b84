//! Mutants that somebody says nothing can tell from their rule.
//!
//! ```toml
//! [[equivalent]]
//! mutant = 'sql.drop-table: drop resource is Table'
//! reason = "DROP TABLE names tables and nothing else"
//! ```

use serde::Deserialize;
use toml::Spanned;

use crate::policy::Mutants;

/// One such mutant, by its name.
#[derive(Clone, Debug)]
pub struct Declared {
    pub mutant: String,
    pub reason: String,
}

/// A file of them that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct DeclaredError {
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    equivalent: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    mutant: Spanned<String>,
    reason: String,
}

/// Reads a file; `file` is for messages.
///
/// # Errors
/// When it is no TOML of this shape, when a reason is missing, or when it names no mutant of a rule in question.
pub fn declared(file: &str, text: &str, mutants: &Mutants) -> Result<Vec<Declared>, DeclaredError> {
    let error = |at: usize, problem: String| {
        let line = 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        DeclaredError { file: file.to_owned(), line, problem }
    };
    let read: File = toml::from_str(text)
        .map_err(|wrong| error(wrong.span().map_or(0, |span| span.start), wrong.message().to_owned()))?;
    let names: Vec<String> = mutants.all().iter().map(|mutant| mutant.name()).collect();
    let mut found = Vec::new();
    for Written { mutant, reason } in read.equivalent {
        let at = mutant.span().start;
        let mutant = mutant.into_inner();
        if reason.trim().is_empty() {
            return Err(error(at, "say why nothing can tell it from its rule".to_owned()));
        }
        let rule = mutant.split(": ").next().unwrap_or_default();
        let in_question = mutants.all().iter().any(|known| known.rule == rule);
        if !names.contains(&mutant) && (in_question || !mutants.is_part()) {
            return Err(error(at, format!("there is no mutant `{mutant}`: take the line out")));
        }
        found.push(Declared { mutant, reason });
    }
    Ok(found)
}
