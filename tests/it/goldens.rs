//! What a user sees for every sample in `corpora/`: the snapshots are read in review.

use std::fmt::Write as _;

use nearmiss::model::{Decision, Effect, Finding};
use nearmiss::reader::detect;

use crate::support::{Collected, engine, files_below, replay, root};

#[test]
fn every_sample_reads_and_judges_as_before() {
    let engine = engine();
    let corpora = root().join("corpora");
    // Incidents and cases of the policy are no recordings: `incidents.rs` plays the ones, `mutate.rs` judges the others.
    // `mapping.rs` reads what needs a mapping.
    let recorded = |file: &std::path::PathBuf| {
        !["incidents", "mapped", "policy"].iter().any(|other| file.starts_with(corpora.join(other)))
    };
    for file in files_below(&corpora).into_iter().filter(recorded) {
        let path = file.strip_prefix(&corpora).unwrap().to_string_lossy().replace('\\', "/");
        let (suite, name) = path.split_once('/').expect("samples stand in a folder of their suite");
        // A folder named like a format holds samples of that format; the others are found by content.
        let (collected, _) = replay(&engine, std::slice::from_ref(&file), detect::by_name(suite), 1);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join("snapshots").join(suite));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name.replace('/', "__"), shown(&collected)));
    }
}

#[test]
fn samples_are_detected_by_content() {
    let engine = engine();
    for reader in nearmiss::reader::READERS.iter().filter(|reader| reader.name() != "lines") {
        for file in files_below(&root().join("corpora").join(reader.name())) {
            let (found, _) = replay(&engine, std::slice::from_ref(&file), None, 1);
            let formats: Vec<_> = found.findings.iter().map(|finding| finding.action.origin.format).collect();
            assert!(
                formats.iter().all(|format| *format == reader.name()) && !formats.is_empty(),
                "{} is read as {formats:?}, issues {:?}",
                file.display(),
                found.issues
            );
        }
    }
}

fn shown(collected: &Collected) -> String {
    let mut lines = String::new();
    for finding in &collected.findings {
        show(finding, &mut lines);
    }
    for issue in &collected.issues {
        let _ =
            writeln!(lines, "issue at line {}, byte {}: {}; {}", issue.line, issue.offset, issue.problem, issue.advice);
    }
    lines
}

fn show(finding: &Finding, lines: &mut String) {
    let action = &finding.action;
    let mut rules: Vec<&str> = finding.verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
    rules.dedup();
    let tool = action.tool.as_ref().map(|tool| format!(" {tool}")).unwrap_or_default();
    let _ =
        writeln!(lines, "{}: {}{tool}: {}", action.origin.line, action.kind, nearmiss::report::escaped(&action.text));
    let outcome = match (action.outcome.executed.word(), action.outcome.succeeded, action.outcome.exit_code) {
        (executed, _, Some(code)) => format!("executed {executed} exit {code}"),
        (executed, Some(ok), None) => format!("executed {executed} ok {ok}"),
        (executed, None, None) => format!("executed {executed}"),
    };
    let time = action.time.map(|time| format!("{time} ")).unwrap_or_default();
    let _ = writeln!(lines, "    {time}{} {} in {} {outcome}", action.actor.kind, action.actor.name, action.session);
    for effect in &finding.understanding.effects {
        let _ = writeln!(lines, "    {}", described(effect));
    }
    for gap in finding.understanding.gaps.iter().chain(&action.gaps) {
        let _ = writeln!(lines, "    gap {} ({}): {}", gap.kind, gap.hides, nearmiss::report::escaped(&gap.detail));
    }
    if finding.verdict.decision != Decision::Allow {
        let judged = format!("    => {} {}", finding.verdict.decision, rules.join(" "));
        let _ = writeln!(lines, "{}", judged.trim_end());
    }
}

fn described(effect: &Effect) -> String {
    let mut notes = vec![effect.extent.word().to_owned()];
    let flags = [
        (effect.cascades, "cascades"),
        (effect.guard_off, "guard off"),
        (effect.dry_run, "dry run"),
        (effect.elevated, "elevated"),
        (effect.in_transaction, "in transaction"),
        (effect.resource.unresolved, "unresolved"),
    ];
    notes.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    notes.extend(effect.code.map(|code| format!("code {code}")));
    notes.extend(effect.zone.map(|zone| format!("to {zone} {}", effect.peer.as_deref().unwrap_or(""))));
    notes.extend(effect.resource.areas.iter().map(|area| area.to_string()));
    format!(
        "{} {} {} ({})",
        effect.operation,
        effect.resource.kind,
        nearmiss::report::escaped(&effect.resource.name),
        notes.join(", ")
    )
}
