use crate::classify::{Catalog, Classifier};
use crate::engine::{Config, Engine, Session};
use crate::model::{Action, Verdict};
use crate::policy::{self, Edits, LoadOptions, Policy, Source};

fn sources() -> Vec<Source> {
    policy::builtin("recommended").unwrap()
}

/// One rule loosened, one tightened, one taken out and one added.
fn edited() -> Vec<Source> {
    const EDITS: &[(&str, &str)] = &[
        (
            r#"context.extent == Extent::"all" && resource in [Environment::"staging", Environment::"unknown"]"#,
            r#"resource in Environment::"staging""#,
        ),
        (
            r#"when { (resource is Database || resource is Server) && !context.dry_run }"#,
            r#"when { resource is Database || resource is Server }"#,
        ),
        (r#"@id("git.rewrite-branch")"#, r#"@id("git.rewrite-some-branch")"#),
    ];
    let mut sources = sources();
    for (old, new) in EDITS {
        let source = sources.iter_mut().find(|source| source.text.contains(old)).unwrap();
        source.text = source.text.replacen(old, new, 1);
    }
    sources
}

fn policy(sources: &[Source]) -> Policy {
    Policy::load(sources, &LoadOptions::default()).unwrap()
}

fn engine(sources: &[Source]) -> Engine {
    Engine::new(Classifier::new(Catalog::builtin()), policy(sources), &Config::default(), false)
}

/// What a comparison looks at.
fn said(verdict: &Verdict) -> String {
    let hits = verdict.hits.iter().map(|hit| (hit.rule.id.as_str(), hit.rule.decision, hit.effect));
    format!("{} {:?} {:?} {:?}", verdict.decision, hits.collect::<Vec<_>>(), verdict.gaps, verdict.errors)
}

fn actions() -> Vec<Action> {
    policy(&sources()).examples().iter().map(|example| example.action.clone()).collect()
}

#[test]
fn judged_beside_each_other_as_each_alone() {
    for (before, after) in [(sources(), edited()), (edited(), sources()), (sources(), Vec::new())] {
        let (base, head) = (engine(&before), engine(&after));
        let both = engine(&after).beside(policy(&before));
        let mut differ = 0;
        for action in actions() {
            let alone = |engine: &Engine| engine.decide(action.clone(), &mut Session::default()).verdict;
            let (old, new) = (alone(&base), alone(&head));
            let finding = both.decide(action.clone(), &mut Session::default());
            assert_eq!(said(&finding.verdict), said(&new), "{}", action.text);
            assert_eq!(said(&finding.base.unwrap().verdict), said(&old), "{}", action.text);
            differ += usize::from(said(&old) != said(&new));
        }
        assert!(differ > 10, "the edits are noticed: {differ}");
    }
}

#[test]
fn an_action_is_judged_once_where_no_edit_can_apply() {
    let edits = Edits::between(&policy(&sources()), &policy(&edited()));
    let engine = engine(&sources());
    let effects: Vec<_> =
        actions().into_iter().map(|action| engine.decide(action, &mut Session::default()).understanding).collect();
    let touched = effects.iter().filter(|understood| edits.touch(&understood.effects)).count();
    assert!(touched > 0 && touched * 2 < effects.len(), "{touched} of {}", effects.len());
}
