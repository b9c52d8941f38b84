//! What a user sees when a policy is wrong.

use super::*;

/// What a user sees when these policies are loaded.
#[track_caller]
fn check_load(text: &str, expected: &str) {
    let seen = match Policy::load(&[source(text)], &LoadOptions::default()) {
        Ok(policy) => {
            policy.warnings().iter().map(|warning| format!("warning: {warning}\n")).collect::<String>()
                + &format!("{} rules, {} slow", policy.rules().len(), policy.slow_conditions())
        }
        Err(errors) => errors.to_string(),
    };
    assert_eq!(seen, expected);
}

#[test]
fn the_rule_of_the_design_loads_as_written() {
    check_load(
        r#"
@id("sql.drop-schema-production")
@decision("block")
@mode("enforce")
@severity("critical")
@message("Dropping a schema in production removes every table in it.")
@advice("Rename it first: ALTER SCHEMA x RENAME TO x_old; drop it after a week.")
@blocks("DROP SCHEMA billing CASCADE")
@allows("DROP TABLE billing.tmp_1")
forbid (principal, action == Action::"drop", resource is Schema in Environment::"production")
unless { context.approved };
"#,
        "1 rules, 0 slow",
    );
}

const HEAD: &str = r#"@id("own.rule") @severity("low") @message("m") "#;

#[test]
fn problems_say_where_and_what_to_do() {
    let check = |rest: &str, expected: &str| check_load(&format!("{HEAD}\n{rest}"), &format!("own.cedar:{expected}"));
    check(
        r#"forbid (principal, action == Action::"dorp", resource);"#,
        "2: for policy `own.rule`, unrecognized action `Action::\"dorp\"` [policy::schema]; did you mean `Action::\"drop\"`?",
    );
    check(
        "forbid (principal, action, resource is Tabble);",
        "2: for policy `own.rule`, unrecognized entity type `Tabble` [policy::schema]; did you mean `Table`?",
    );
    check(
        r#"forbid (principal, action, resource is Table in Environment::"prod");"#,
        "2: for policy `own.rule`: entity `Environment::\"prod\"` is of an enumerated entity type, but `\"prod\"` is not \
         declared as a valid eid [policy::schema]; valid entity eids: \"production\", \"staging\", \"development\", \
         \"test\", \"unknown\"",
    );
    check(
        "forbid (principal, action, resource) when { context.aproved };",
        "2: for policy `own.rule`, attribute `aproved` in context for Action::\"read\" not found [policy::schema]; \
         did you mean `approved`?",
    );
    check(
        "forbid (principal, action, resource) when { context.count > 3 };",
        "2: for policy `own.rule`, unable to guarantee safety of access to optional attribute `count` in context for \
         Action::\"read\" [policy::schema]; try testing for the attribute's presence with `context has count && ..`",
    );
    let impossible = "1: for policy `own.rule`, policy is impossible: the policy expression evaluates to false for all \
                      valid requests [policy::impossible]";
    check("forbid (principal, action, resource is Table) when { resource is File };", impossible);
    check(r#"forbid (principal, action == Action::"drop", resource is Table in Bucket::"b");"#, impossible);
    check(
        "forbid (principal, action, resource);",
        "1: rule `own.rule` stops everything [policy::no-scope]; name an action, a kind of resource or a condition; \
         to let nothing pass, leave the permits out",
    );
    check(
        "forbid (principal, action = 3, resource);",
        "2: '=' is not a valid operator in Cedar [policy::syntax]; try using '==' instead",
    );
    check(
        "forbid (principal == ?principal, action, resource);",
        "1: a template with `?principal` or `?resource` decides nothing by itself [policy::template]; write out the names",
    );
    check(
        r#"@asks("ls") @allows("[env=prodction] ls\n[evn=test] ls") forbid (principal is Agent, action, resource);"#,
        "2: `@asks` does not fit the decision of rule `own.rule` [policy::example]; write `@blocks`, or add \
         `@decision(\"ask\")`\n\
         own.cedar:2: `prodction` is no value of `env` in the bracket of an example [policy::example]; did you mean \
         `production`?\n\
         own.cedar:2: unknown word `evn` in the bracket of an example [policy::example]; did you mean `env`?",
    );
}

#[test]
fn annotations_are_checked() {
    check_load("permit (principal, action, resource);", "0 rules, 0 slow");
    check_load(
        "forbid (principal is Agent, action, resource);",
        "warning: this rule has no id; `own.policy0` is taken\n\
         warning: rule `own.policy0` does not say why it stops an action\n\
         warning: rule `own.policy0` has no severity; `medium` is taken\n1 rules, 0 slow",
    );
    check_load(r#"@id("Bad") permit (principal, action, resource);"#, "warning: `Bad` is no good id\n0 rules, 0 slow");
    check_load(
        r#"@id("a.b") @decision("ask") permit (principal, action, resource);"#,
        "own.cedar:1: `@decision` means nothing on a permit [policy::annotation]; rules that stop something are written \
         as `forbid`",
    );
    check_load(
        r#"@id("a.b") @message("m") forbid (principal is Agent, action, resource);"#,
        "warning: rule `a.b` has no severity; `medium` is taken\n1 rules, 0 slow",
    );
    check_load(
        r#"@id("a.b") @severity("hihg") @decision("review") @advise("x") forbid (principal is Agent, action, resource);"#,
        "own.cedar:1: unknown annotation `@advise` [policy::annotation]; did you mean `advice`?\n\
         own.cedar:1: `review` is no value of `@decision` [policy::annotation-value]; one of `block`, `ask`\n\
         own.cedar:1: `hihg` is no value of `@severity` [policy::annotation-value]; did you mean `high`?",
    );
    check_load(
        r#"@id("a.b") @id("c.d") permit (principal, action, resource);"#,
        "own.cedar:1: duplicate annotation: @id [policy::syntax]",
    );
    check_load(
        "@id(\"a.b\") permit (principal, action, resource);\n@id(\"a.b\") permit (principal, action, resource);",
        "own.cedar:2: there is a rule `a.b` already [policy::duplicate-id]; give this one another id; to replace a built-in rule, \
         switch that one `off`",
    );
}

#[test]
fn unknown_names_and_switches_are_refused() {
    let text = format!("{HEAD} forbid (principal in Group::\"dbaa\", action, resource in Label::\"pi\");");
    let options = LoadOptions {
        off: vec!["own.rul".into()],
        groups: Some(vec!["dba".into()]),
        labels: Some(vec!["pii".into()]),
        operations: None,
    };
    let errors = Policy::load(&[source(&text)], &options).map(|_| ()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "own.cedar:1: no group `dbaa` in the configuration: this could never be true [policy::unknown-group]; \
         did you mean `dba`?\n\
         own.cedar:1: no label `pi` in the configuration: this could never be true [policy::unknown-label]; \
         did you mean `pii`?\n\
         no rule `own.rul` to switch off [policy::off]; did you mean `own.rule`?"
    );
}

#[test]
fn problems_are_drawn_into_the_source() {
    let text = format!("{HEAD}\nforbid (principal, action, resource is Table)\nunless {{ context.aproved }};\n");
    let errors = Policy::load(&[source(&text)], &LoadOptions::default()).map(|_| ()).unwrap_err();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    let mut seen = String::new();
    handler.render_report(&mut seen, &errors.problems[0]).expect("text can be written to");
    let lines: Vec<&str> = seen.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "policy::schema",
            "",
            "  × for policy `own.rule`, attribute `aproved` in context for Action::\"read\" not found",
            "   ╭─[own.cedar:3:10]",
            " 2 │ forbid (principal, action, resource is Table)",
            " 3 │ unless { context.aproved };",
            "   ·          ───────────────",
            "   ╰────",
            "  help: did you mean `approved`?",
        ]
    );
}
