//! How long it takes to study every mutant of a policy of a hundred rules.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::mutate::Study;
use nearmiss::engine::{Config, Engine, Session};
use nearmiss::model::Kind;
use nearmiss::policy::{LoadOptions, Mutants, Policy, Source};

use crate::{commands, measure};

const RULES: usize = 100;
const ACTIONS: usize = 100_000;

/// One thread; half of the actions are shell commands, half SQL, no two alike.
pub(crate) fn mutants() {
    let source = Source { name: "bench.cedar".into(), text: rules(), builtin: false };
    let load = || Policy::load(std::slice::from_ref(&source), &LoadOptions::default()).expect("a good policy");
    let engine = |policy| Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false);
    let shell = measure::actions(Kind::Shell, commands::shell(ACTIONS / 2));
    let sql = measure::actions(Kind::Sql, commands::sql(ACTIONS / 2));
    let plain = engine(load());
    let started = Instant::now();
    for action in shell.iter().chain(&sql) {
        std::hint::black_box(plain.decide(action.clone(), &mut Session::default()));
    }
    let once = started.elapsed();

    let started = Instant::now();
    let policy = load();
    let mutants = Arc::new(Mutants::of(&policy, |_| true));
    let many = mutants.all().len();
    let studied = engine(policy).with_mutants(Arc::clone(&mutants));
    let mut study = Study::new(mutants, &[]);
    for action in shell.iter().chain(&sql) {
        let finding = studied.decide(action.clone(), &mut Session::default());
        study.finding(&finding, true);
    }
    let killed = study.finish(&studied, false).killed();
    let took = started.elapsed();
    println!(
        "{many} mutants of {RULES} rules      {:>9.2} s    {:>6.1} × judging {ACTIONS} actions once ({killed} killed)",
        took.as_secs_f64(),
        took.as_secs_f64() / once.as_secs_f64(),
    );
}

/// Rules about tables, files, branches and more, each with half a dozen conditions.
fn rules() -> String {
    const ABOUT: &[(&str, &str)] = &[
        ("[Action::\"delete\", Action::\"drop\"]", "Table"),
        ("[Action::\"update\", Action::\"delete\"]", "Table"),
        ("[Action::\"delete\", Action::\"drop\"]", "Folder"),
        ("[Action::\"delete\", Action::\"update\"]", "File"),
        ("[Action::\"read\", Action::\"export\"]", "File"),
        ("[Action::\"rewrite\", Action::\"delete\"]", "Branch"),
        ("[Action::\"execute\", Action::\"fetch\"]", "Code"),
        ("[Action::\"stop\", Action::\"alter\"]", "Service"),
    ];
    let mut text = "@id(\"bench.base\") permit (principal, action, resource);\n".to_owned();
    for number in 1..RULES {
        let (operations, kind) = ABOUT[number % ABOUT.len()];
        let area = ["system", "home", "credential", "workspace"][number % 4];
        let _ = write!(
            text,
            "@id(\"bench.rule-{number}\") @severity(\"low\") @message(\"m\")\n\
             forbid (principal, action in {operations}, resource is {kind})\n\
             when {{ !context.dry_run && context.extent != Extent::\"unknown\" && resource.name like \"*{}*\" }}\n\
             when {{ resource in [Area::\"{area}\", Area::\"outside\"] || context.cascades || context.session.denials > {number} }}\n\
             unless {{ context.approved }};\n",
            number % 10,
        );
    }
    text
}
