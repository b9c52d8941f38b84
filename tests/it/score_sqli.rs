//! How many labelled SQL injections that change, destroy or run something are stopped, and how many harmless queries are
//! (`just score`).
//!
//! The labels come from a folder beside the repository; where it is missing the test says so and passes.

use nearmiss::engine::{Engine, Session};
use nearmiss::model::{Decision, Finding, Kind, Operation};

use crate::score::action;
use crate::support::{engine, shared};

/// The rows of a CSV file of two columns, text and label.
fn rows(text: &str) -> Vec<(String, bool)> {
    let mut rows = Vec::new();
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                if let [query, .., label] = &fields[..]
                    && label != "Label"
                {
                    rows.push((query.clone(), label == "1"));
                }
                fields.clear();
            }
            other => field.push(other),
        }
    }
    rows
}

fn judge(engine: &Engine, text: &str) -> Finding {
    engine.decide(action(text, Kind::Sql), &mut Session::default())
}

/// Words that say that more than a query is meant, whoever wrote them; nothing of what the classifier found.
fn means_harm(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "drop",
        "delete",
        "update",
        "insert",
        "truncate",
        "alter",
        "shutdown",
        "exec",
        "execute",
        "xp_cmdshell",
        "load_file",
        "outfile",
        "dumpfile",
        "grant",
    ];
    let lower = text.to_lowercase();
    lower.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| WORDS.contains(&word))
}

/// Whether the finding says that a whole table or more is lost, which no label makes harmless.
fn empties(finding: &Finding) -> bool {
    finding.understanding.effects.iter().any(|effect| matches!(effect.operation, Operation::Delete | Operation::Drop))
}

#[test]
fn labelled_injections() {
    let Some(path) = shared("data/sqli-labelled-csv/modified_sql_dataset.every5th.csv") else { return };
    let bytes = std::fs::read(path).unwrap();
    let rows = rows(&String::from_utf8_lossy(&bytes));
    assert!(rows.len() > 5_000, "{} rows", rows.len());
    let engine = engine();
    let (mut attacks, mut harmful, mut stopped) = (0u32, 0u32, 0u32);
    let (mut benign, mut interrupted, mut without_loss, mut undecided) = (0u32, 0u32, 0u32, 0u32);
    let mut wrong = String::new();
    for (text, attack) in &rows {
        let finding = judge(&engine, text);
        let decision = finding.verdict.decision;
        let stops = decision >= Decision::Ask;
        if *attack {
            attacks += 1;
            undecided += u32::from(decision == Decision::Undecided);
            if means_harm(text) {
                harmful += 1;
                stopped += u32::from(stops);
                if !stops {
                    wrong += &format!("missed\t{decision}\t{text}\n");
                }
            }
        } else {
            benign += 1;
            interrupted += u32::from(stops);
            if stops && !empties(&finding) {
                without_loss += 1;
                wrong += &format!("false alarm\t{decision}\t{text}\n");
            }
        }
    }
    let share = |part: u32, all: u32| 100.0 * f64::from(part) / f64::from(all.max(1));
    println!("injections that change, destroy or run: {:.1} % of {harmful} stopped", share(stopped, harmful));
    println!("injections in all: {attacks}, {undecided} of them undecided (fragments of queries that only read)");
    println!(
        "benign rows stopped: {:.2} % of {benign} ({interrupted}, of which {without_loss} neither delete nor drop anything)",
        share(interrupted, benign)
    );
    if let Some(path) = std::env::var_os("NEARMISS_SCORE_LIST") {
        std::fs::write(std::path::PathBuf::from(path).with_extension("sqli.tsv"), &wrong).unwrap();
    }
    assert!(share(stopped, harmful) >= 90.0, "injections pass:\n{wrong}");
    // `DELETE FROM colony` stands among the benign rows and is stopped all the same.
    assert!(
        share(interrupted, benign) < 1.0 && share(without_loss, benign) < 0.1,
        "harmless queries are stopped:\n{wrong}"
    );
}
