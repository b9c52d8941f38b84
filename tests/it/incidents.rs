//! Incidents that happened to others, played through the recommended pack.

use std::collections::BTreeSet;

use nearmiss::engine::corpus::{self, Decidable, INCIDENTS, Nearness, Outline};
use nearmiss::model::Decision;
use nearmiss::report::corpus::Total;

use crate::support::{engine, nearmiss, root, shared, stdout};

/// Twins whose files say how near they are.
const WRITTEN: usize = 20;
/// Twins of the list at the distance that was worked out by hand.
const SAME: usize = 33;

fn outlines() -> Vec<Outline> {
    let engine = engine();
    corpus::builtin().unwrap().iter().map(|incident| corpus::play(&engine, incident)).collect()
}

/// One line for each part of what has to hold, then the assertion of all of them.
#[test]
fn incidents_are_stopped_and_their_twins_pass() {
    let outlines = outlines();
    let total = Total::of(&outlines);
    for by in Decidable::ALL {
        let (stopped, all) = Total::shown_by(&outlines, *by);
        println!("incidents shown by {by}: {stopped} of {all} stopped");
    }
    println!(
        "incidents: {} of {} stopped, {} more undecided; twins that pass: {} of {}",
        total.stopped,
        outlines.len(),
        total.undecided,
        total.twins_passed,
        total.twins
    );
    let wrong: Vec<String> = outlines
        .iter()
        .filter(|outline| !outline.holds() || outline.twins_wrong() > 0)
        .map(|outline| {
            let (with, without) = (outline.with.decision, outline.without);
            let twins: Vec<String> = outline.twins.iter().map(|twin| twin.decision.to_string()).collect();
            format!("{}: {with}, bare {without}, twins {}", outline.incident.id, twins.join(" "))
        })
        .collect();
    assert!(wrong.is_empty(), "{} incidents are not judged as expected:\n{}", wrong.len(), wrong.join("\n"));
    // Of the twins at most two may be stopped, with a reason that stands in their file.
    assert!(total.twins - total.twins_passed <= 2, "{} twins are stopped", total.twins - total.twins_passed);
}

/// P1: a twin is as near to what stops the incident as its file says.
#[test]
fn twins_are_as_near_as_they_are_written() {
    let mut written = 0;
    let mut wrong = Vec::new();
    for outline in outlines() {
        let id = &outline.incident.id;
        for (at, is, near) in outline.nearness_wrong() {
            wrong.push(format!("{id}, twin {}: {near:?}, not {is:?}", at + 1));
        }
        for twin in &outline.incident.twins {
            written += usize::from(twin.near.is_some());
            if let Some(Nearness::Near(steps)) = &twin.near {
                // Else nobody is held to it.
                assert!(outline.rules.contains(&steps.rule), "{id}: {} does not stop it", steps.rule);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written >= WRITTEN, "only {written} twins say how near they are");
}

/// Twins of the list whose distance is the one that was worked out for it by hand.
#[test]
fn the_twins_of_the_list_are_as_near_as_expected() {
    let Some(list) = shared("incidents.jsonl") else { return };
    let outlines = outlines();
    let (mut all, mut same, mut within) = (0, 0, 0);
    for line in std::fs::read_to_string(list).unwrap().lines() {
        let theirs: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = theirs["id"].as_str().unwrap();
        let outline = outlines.iter().find(|outline| outline.incident.id == id).unwrap();
        for (at, expected) in theirs["twin_distance"].as_array().unwrap().iter().enumerate() {
            all += 1;
            let twin = &outline.twins[at];
            let expected = expected.as_u64().map(|steps| steps as u32);
            let is = match (&twin.near, expected) {
                (Some(near), Some(steps)) => {
                    within += usize::from((near.least..=near.most).contains(&steps));
                    near.least == near.most && near.least == steps
                }
                (None, None) => true,
                _ => false,
            };
            same += usize::from(is);
            let mark = if is { "=" } else { "!" };
            println!(
                "{mark} {id}/{} {} expected {expected:?} {}: {:?}",
                at + 1,
                twin.decision,
                theirs["twin_unmet"][at],
                twin.near
            );
        }
    }
    println!("twins of the list: {same} of {all} at the expected distance, {within} with it in their interval");
    assert!(all >= 74 && same >= SAME, "{same} of {all} twins are at the expected distance");
}

#[test]
fn every_incident_of_the_folder_is_in_the_program() {
    let listed: BTreeSet<String> = INCIDENTS.iter().map(|(id, _)| format!("{id}.toml")).collect();
    let found: BTreeSet<String> = std::fs::read_dir(root().join("corpora/incidents"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(listed, found);
}

/// Facts may be shared; words may not.
#[test]
fn the_list_of_incidents_is_covered_in_words_of_our_own() {
    let Some(list) = shared("incidents.jsonl") else { return };
    let own = corpus::builtin().unwrap();
    for line in std::fs::read_to_string(list).unwrap().lines() {
        let theirs: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = theirs["id"].as_str().unwrap();
        let ours = own.iter().find(|incident| incident.id == id).unwrap_or_else(|| panic!("no file for {id}"));
        assert_eq!(ours.decidable.word(), theirs["decidable_from"].as_str().unwrap(), "{id}");
        let twins = theirs["harmless_twins"].as_array().unwrap().len();
        assert!(ours.twins.len() >= twins, "{id} has {} twins, not {twins}", ours.twins.len());
        assert_ne!(ours.title, theirs["title"].as_str().unwrap(), "{id}");
        let theirs: BTreeSet<String> = runs(theirs["title"].as_str().unwrap());
        let shared: Vec<String> = runs(&ours.title).intersection(&theirs).cloned().collect();
        assert!(shared.is_empty(), "{id} shares {shared:?}");
    }
}

/// Every run of five words.
fn runs(text: &str) -> BTreeSet<String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.windows(5).map(|run| run.join(" ")).collect()
}

#[test]
fn an_incident_says_what_it_is() {
    for incident in corpus::builtin().unwrap() {
        let id = &incident.id;
        assert!(incident.title.chars().count() <= 60, "{id}: the title is long");
        assert!(!incident.story.is_empty() && !incident.sources.is_empty(), "{id}");
        assert!(!incident.twins.is_empty(), "{id} has no twin");
        assert!(incident.sources.iter().all(|source| source.starts_with("https://")), "{id}");
    }
}

#[test]
fn the_table_fits_and_the_exit_code_tells() {
    let output = nearmiss(&["corpus", "run", "claude-8482"]);
    assert_eq!(output.status.code(), Some(0));
    let table = stdout(&output);
    assert!(table.contains("git.rewrite-"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");

    // A policy that lets everything pass stops nothing.
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("open.cedar");
    std::fs::write(&policy, "permit (principal, action, resource);\n").unwrap();
    let open = nearmiss(&["corpus", "run", "claude-8482", "--format", "json", "--policy", policy.to_str().unwrap()]);
    assert_eq!(open.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_str(&stdout(&open)).unwrap();
    assert_eq!(told["summary"]["stopped"], 0);
    assert_eq!(told["incidents"][0]["decision"], Decision::Allow.word());

    let list = stdout(&nearmiss(&["corpus", "list"]));
    assert_eq!(list.lines().count(), INCIDENTS.len());
    assert_eq!(nearmiss(&["corpus", "run", "no-such"]).status.code(), Some(2));
}
