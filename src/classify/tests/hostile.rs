//! Whatever stands in a log: nothing panics, and what is said about a text points into that text.

use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::sample::{Index, select};

use super::super::command::tests::action;
use super::super::seen::inside;
use super::super::{Catalog, Classifier, Known, Language};
use crate::model::{Action, Kind, Span, Understanding};

const CORPORA: [&str; 8] = [
    include_str!("../../../corpora/cases/dangerous/general.jsonl"),
    include_str!("../../../corpora/cases/everyday/general.jsonl"),
    include_str!("../../../corpora/shell/bypasses.jsonl"),
    include_str!("../../../corpora/sql/statements.jsonl"),
    include_str!("../../../corpora/code/others.jsonl"),
    include_str!("../../../corpora/code/python.jsonl"),
    include_str!("../../../corpora/tools/agents.jsonl"),
    include_str!("../../../corpora/tools/services.jsonl"),
];

/// What pieces are joined with: letters of two to four bytes, ends of strings, numbers at the edge of what fits.
const GLUE: &[&str] = &[
    "",
    " ",
    "\n",
    "é",
    "💥",
    "ſ",
    "İ",
    "\u{feff}",
    "\0",
    "\r\n",
    "\\",
    "'",
    "\"",
    "`",
    "$",
    "$(",
    "${",
    "<<",
    "<<E\n",
    "$$",
    "q'[",
    "E'",
    "/*",
    "--",
    ";",
    "|",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "*",
    "=",
    ":",
    "://",
    "@",
    "%",
    "%s",
    "\\u",
    "\\x",
    "{1..9}",
    "--é=",
    "-é",
    "18446744073709551615",
    "-9223372036854775808",
    "99999999999999999999",
    "1e999",
    "…",
    "\u{a0}",
    "\u{300}",
];

/// The texts and arguments of our corpora.
fn samples() -> Vec<String> {
    let mut samples = Vec::new();
    for line in CORPORA.iter().flat_map(|corpus| corpus.lines()) {
        let record: serde_json::Value = serde_json::from_str(line).expect("a corpus is JSON lines");
        samples.extend(record["text"].as_str().map(str::to_owned));
        samples.extend(record["arguments"].is_object().then(|| record["arguments"].to_string()));
    }
    samples
}

/// Pieces of samples, cut anywhere and joined by anything.
fn mixed() -> impl Strategy<Value = String> {
    let piece = (select(samples()), any::<Index>(), any::<Index>(), select(GLUE)).prop_map(|(text, from, to, glue)| {
        let place = |index: Index| text.floor_char_boundary(index.index(text.len() + 1));
        let (from, to) = (place(from), place(to));
        format!("{}{glue}", if from < to { &text[from..to] } else { &text[..] })
    });
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

#[track_caller]
fn points_inside(action: &Action, understanding: &Understanding) {
    let inside = |span: Span| action.text.get(span.start..span.end).is_some();
    for effect in &understanding.effects {
        assert!(effect.span.is_none_or(inside), "{effect:?} of {:?}", action.text);
    }
    for gap in &understanding.gaps {
        assert!(gap.span.is_none_or(inside), "{gap:?} of {:?}", action.text);
    }
}

fn understood(action: &Action) {
    static CLASSIFIER: std::sync::LazyLock<Classifier> =
        std::sync::LazyLock::new(|| Classifier::new(Catalog::default()));
    points_inside(action, &CLASSIFIER.understand(action, &Known::default(), true));
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_kind_takes_everything(text in mixed(), tool in select(&["Bash", "Edit", "mcp__db__query", "apply_patch", "é"][..])) {
        for kind in [Kind::Shell, Kind::Sql] {
            understood(&Action { kind, ..action(&text) });
        }
        let argv: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        understood(&Action { kind: Kind::Exec, argv: Some(argv.into()), ..action(&text) });
        let command = serde_json::json!({ "command": text, "file_path": text, "query": text }).to_string();
        for (kind, arguments) in [(Kind::Tool, &text), (Kind::Tool, &command), (Kind::Api, &command)] {
            let call = Action { kind, tool: Some(tool.into()), arguments: Some(arguments.as_str().into()), ..action(&text) };
            understood(&call);
        }
    }

    #[test]
    fn every_language_takes_everything(text in mixed()) {
        use Language::{Awk, Cmd, JavaScript, Mongo, Perl, Php, PowerShell, Python, Redis, Ruby};
        for language in [Python, JavaScript, Ruby, Perl, Php, PowerShell, Cmd, Awk, Redis, Mongo] {
            inside(&text, |scene| scene.run(language, &text, 0));
        }
    }
}
