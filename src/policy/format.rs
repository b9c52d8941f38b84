//! Policies in Cedar's own layout.

use std::sync::Arc;

use cedar_policy_formatter::{Config, policies_str_to_pretty};
use miette::NamedSource;

use super::load::{Problem, ProblemLevel};
use super::{LoadOptions, Policy, PolicyErrors, Source};

/// As wide as the built-in packs.
const WIDTH: usize = 120;

/// The source in Cedar's own layout. Comments stay where they are.
///
/// # Errors
/// When it is no Cedar; the problems point at the places.
pub fn formatted(source: &Source) -> Result<String, PolicyErrors> {
    if source.text.trim().is_empty() {
        return Ok(String::new());
    }
    let config = Config { line_width: WIDTH, indent_width: 2 };
    policies_str_to_pretty(&source.text, &config).map_err(|report| {
        // Loading says where and why in our words; only what it does not mind is left to the formatter's.
        match Policy::load(std::slice::from_ref(source), &LoadOptions::default()) {
            Err(errors) if errors.problems.iter().any(|problem| problem.code == "policy::syntax") => errors,
            _ => PolicyErrors {
                problems: vec![Problem {
                    code: "policy::format",
                    level: ProblemLevel::Error,
                    message: report.to_string(),
                    help: None,
                    file: source.name.clone(),
                    line: 1,
                    span: None,
                    source: Some(Arc::new(NamedSource::new(&source.name, source.text.clone()))),
                }],
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "own.cedar".to_owned(), text: text.to_owned(), builtin: false }
    }

    #[test]
    fn layout_changes_and_nothing_else() {
        let text = "// why\n@id(\"a\") @blocks(\"one\ntwo\")\nforbid(principal,action==Action::\"drop\",resource) when{context.guard_off};";
        let laid_out = formatted(&source(text)).unwrap();
        assert!(laid_out.contains("// why\n@id(\"a\")\n@blocks(\"one\ntwo\")"), "{laid_out}");
        assert_eq!(formatted(&source(&laid_out)).unwrap(), laid_out);
    }

    #[test]
    fn what_is_no_cedar_is_shown_where_it_stands() {
        let errors = formatted(&source("forbid (principal, action, resource)\nwhen { = };")).unwrap_err();
        assert_eq!((errors.problems[0].code, errors.problems[0].line), ("policy::syntax", 2));
    }
}
