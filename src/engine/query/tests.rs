mod wrong;

use std::sync::Arc;

use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::sample::select;

use super::{Expression, Filter, Matcher, PREDICATES, Takes, Text, by_name};
use crate::model::{
    Action, ActionId, Actor, ActorKind, Area, Areas, Before, Class, Decision, Effect, Environment, Executed, Extent,
    Finding, Gap, GapKind, Hides, Hit, Kind, Missing, Mode, Nature, NearMiss, Nearness, Operation, Origin, Outcome,
    Place, PlaceKind, Resource, ResourceKind, RuleInfo, SessionFacts, Severity, Surroundings, Timestamp, Understanding,
    Verdict,
};

fn rule(id: &str, severity: Severity, mode: Mode) -> Arc<RuleInfo> {
    let (message, advice, file) = Default::default();
    Arc::new(RuleInfo { id: id.to_owned(), decision: Decision::Block, mode, severity, message, advice, file, line: 1 })
}

/// An agent drops a table in production and lists its home folder.
fn finding() -> Finding {
    let mut drop = Effect::new(Operation::Drop, Resource::new(ResourceKind::Table, "shop.Orders"));
    drop.extent = Extent::All;
    drop.by = "DROP TABLE".to_owned();
    drop.count = Some(1_200);
    drop.places = vec![Place { kind: PlaceKind::Host, name: "db-1.lantern.example".to_owned() }];
    let mut list = Effect::new(Operation::List, Resource::new(ResourceKind::Folder, "/home/robin"));
    list.resource.areas = Areas::of(&[Area::Home]);
    list.dry_run = true;
    let gap = Gap { kind: GapKind::UnknownProgram, hides: Hides::Anything, span: None, detail: "frob".to_owned() };
    Finding {
        action: Action {
            id: ActionId(0x3fa9_c1d2_0000_0001),
            time: Some(Timestamp(1_795_228_907_000_000)),
            actor: Arc::new(Actor {
                name: "claude-code".to_owned(),
                kind: ActorKind::Agent,
                groups: vec!["ops".to_owned(), "dba".to_owned()],
            }),
            session: "41bd".into(),
            kind: Kind::Shell,
            text: "psql -c 'DROP  TABLE shop.Orders'; frob; ls -n ~".into(),
            argv: None,
            tool: Some("Bash".into()),
            arguments: None,
            surroundings: Arc::new(Surroundings {
                cwd: Some("/srv/app".to_owned()),
                host: Some("mac-17".to_owned()),
                user: Some("robin".to_owned()),
                ..Surroundings::default()
            }),
            outcome: Outcome { executed: Executed::Yes, succeeded: Some(false), rows: Some(7), ..Outcome::default() },
            approved: true,
            gaps: Vec::new(),
            origin: Origin { file: "logs/day.jsonl".into(), line: 4, offset: 99, format: "claude_code" },
        },
        understanding: Arc::new(Understanding {
            effects: vec![drop, list],
            gaps: vec![gap],
            template: "psql -c <sql>".to_owned(),
            ..Understanding::default()
        }),
        verdict: Arc::new(Verdict {
            decision: Decision::Ask,
            hits: vec![
                Hit { rule: rule("sql.drop-table", Severity::High, Mode::Enforce), effect: 0 },
                Hit { rule: rule("own.home", Severity::Low, Mode::Enforce), effect: 1 },
            ],
            shadow: vec![Hit { rule: rule("trial.drop", Severity::Critical, Mode::Shadow), effect: 0 }],
            ..Verdict::default()
        }),
        environment: Environment::Production,
        base: Some(Before { verdict: Arc::default(), frontier: None }),
        near: None,
        session_facts: SessionFacts::default(),
        otherwise: Arc::default(),
    }
}

/// The same, allowed: it happened in staging, and a table in use is dropped by nobody's leave.
fn near() -> Finding {
    let near = |class, effect, distance, id: &str, condition: &str| NearMiss {
        rule: rule(id, Severity::High, Mode::Enforce),
        effect,
        class,
        distance,
        cost: 500,
        missing: vec![Missing { condition: condition.to_owned(), nature: Nature::Circumstance }],
        flips: Vec::new(),
        reversible: false,
        now: Vec::new(),
        open: false,
        cell: None,
    };
    let told = vec![
        near(Class::Lucky, 0, 1, "sql.drop-table", "resource in Environment::\"production\""),
        near(Class::Guarded, 1, 2, "own.home", "!context.dry_run"),
        near(Class::Blind, 0, 0, "sql.blind", "context.session.dirty_tree"),
    ];
    let session_facts = SessionFacts { read_secret: true, denials: 2, ..SessionFacts::default() };
    let near = Some(Arc::new(Nearness { told, cells: Vec::new() }));
    Finding { verdict: Arc::default(), near, session_facts, environment: Environment::Staging, ..finding() }
}

#[test]
fn what_is_asked_about_near_misses() {
    let yes = [
        "near(<=1)",
        "near(2)",
        "class(lucky) & class(guarded, slip)",
        "class(blind)",
        "near-rule(sql.)",
        "missing(environment::\"production\")",
        "effect(class(guarded) & dry-run())",
        "session-fact(read_secret) & session-fact(denials)",
    ];
    let no = [
        "near(0)",
        "near(>2)",
        "class(slip)",
        "near-rule(drop)",
        "effect(class(guarded) & class(lucky))",
        "rule(sql.)",
    ];
    for text in yes {
        assert!(parsed(text).matches(&near()), "{text}");
        assert!(!parsed(text).matches(&finding()), "{text}");
    }
    for text in no {
        assert!(!parsed(text).matches(&near()), "{text}");
    }
    let distance = |text| parsed(text).near_distance();
    assert_eq!(distance("decision(allow) & session-fact(read_secret)"), None);
    assert_eq!(distance("decision(allow) & !class(lucky)"), Some(1));
    assert_eq!(distance("effect(near(<=3)) | near(1)"), Some(3));
    assert_eq!(
        [distance("near(>2)"), distance("near(0)"), distance("near(<=9999999999)")],
        [Some(3), Some(1), Some(9)]
    );
    let about: Vec<&str> = PREDICATES
        .iter()
        .filter(|predicate| predicate.is_about_near_misses())
        .map(|predicate| predicate.name)
        .collect();
    assert_eq!(about, ["near", "class", "near-rule", "missing"]);
}

/// The least of everything: nothing is known.
fn bare() -> Finding {
    let known = finding();
    Finding {
        action: Action {
            id: ActionId(1),
            time: None,
            actor: Arc::default(),
            session: "".into(),
            text: "".into(),
            tool: None,
            surroundings: Arc::default(),
            outcome: Outcome::default(),
            approved: false,
            ..known.action
        },
        understanding: Arc::default(),
        verdict: Arc::default(),
        environment: Environment::Unknown,
        base: None,
        near: None,
        session_facts: SessionFacts::default(),
        otherwise: Arc::default(),
    }
}

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn matches(text: &str) -> bool {
    parsed(text).matches(&finding())
}

#[test]
fn what_is_asked_of_a_finding() {
    const YES: &[&str] = &[
        "decision(ask)",
        "decision(=ask)",
        "decision(>=undecided) & decision(<block)",
        "decision(allow, ask)",
        "decision(#a*)",
        "decision(/^a.k$/)",
        "before(allow)",
        "rule(sql.)",
        "rule(=own.home)",
        "rule(~TABLE)",
        "rule(#*.home)",
        "rule(trial)",
        "mode(shadow) & mode(enforce)",
        "severity(high)",
        "operation(drop, delete)",
        "op(drop)",
        "is(table) & is(Folder)",
        "resource(orders)",
        "resource(=shop.Orders)",
        "resource(#SHOP.*)",
        "area(home)",
        "area(~hom)",
        "extent(all)",
        "by(~drop)",
        "count(>=1_200)",
        "count(1200)",
        "effects(2)",
        "dry-run()",
        "gap(unknown-program)",
        "gap(#unknown-*)",
        "hides(anything)",
        "actor(CLAUDE)",
        "actor(=claude-code)",
        "actor-kind(agent)",
        "group(=dba)",
        "session(41)",
        "kind(shell)",
        "surface(shell)",
        "tool(=Bash)",
        "text(frob)",
        "text(/(?i)drop\\s+table/)",
        "text(~\"; frob; ls -n ~\")",
        "template(=psql -c <sql>)",
        "approved()",
        "executed(yes)",
        "failed()",
        "rows(>5) & rows(<8) & rows(<=7)",
        "environment(production)",
        "env(production)",
        "cwd(/^\\/srv\\//)",
        "cwd(=/srv/app)",
        "cwd(~/SRV)",
        "host(mac)",
        "host(#*.lantern.example)",
        "user(=robin)",
        "since(2026-11-21)",
        "until(2027-01-01T00:00Z)",
        "file(#*.jsonl)",
        "format(claude_code)",
        "id(3fa9c1d2)",
        "effect(operation(drop) & is(Table) & rule(sql.) & rule(trial.))",
        "effect(dry-run() & !is(Table))",
        "effect(severity(low))",
        "effect(rule(sql.) & effects(1))",
        "all()",
        "!none()",
        "not decision(block) and not none()",
        "decision(block) | decision(ask)",
        "decision(block) || decision(ask) && all()",
        // And binds closer than or.
        "all() | none() & none()",
        "decision(ask) - environment(development)",
        "(decision(ask))",
        "\n decision ( ask ) \t& all ( )\n",
    ];
    const NO: &[&str] = &[
        "decision(block)",
        "decision(>ask)",
        "before(block)",
        "rule(drop-table)",
        "rule(=sql.)",
        "severity(critical)",
        "severity(low)",
        "operation(read)",
        "resource(=shop.orders)",
        "resource(#shop)",
        "count(>1200)",
        "effects(0)",
        "guard-off()",
        "gap(unparsed)",
        "actor(=claude)",
        "group(op)& group(=op)",
        "text(/drop table/)",
        "env(staging)",
        "database(~\"\")",
        "cluster(#*)",
        "since(2026-11-22)",
        "until(2026-11-21T00:00Z)",
        "id(fa9)",
        // One effect is dropped, another one is a folder.
        "effect(operation(drop) & is(Folder))",
        "effect(rule(own.) & rule(sql.))",
        "effect(dry-run() & extent(all))",
        "none()",
        "!all()",
        "!!decision(block)",
        "decision(ask) - environment(production)",
        "(all() | none()) & none()",
    ];
    for text in YES {
        assert!(matches(text), "{text}");
    }
    for text in NO {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn what_is_not_known_is_not_matched() {
    // Whatever is asked of a value that is not there, the answer is no, and the opposite is yes.
    for predicate in PREDICATES {
        let text = match predicate.takes {
            Takes::Words { .. } | Takes::Nothing(_) => continue,
            Takes::Text { .. } => format!("{}(#?*)", predicate.name),
            Takes::Number(_) => format!("{}(>=1)", predicate.name),
            Takes::Time(_) => format!("{}(2026-11-21)", predicate.name),
        };
        let is_always_there = matches!(predicate.name, "file" | "id");
        assert_eq!(parsed(&text).matches(&bare()), is_always_there, "{text}");
        assert_eq!(parsed(&format!("!{text}")).matches(&bare()), !is_always_there, "{text}");
    }
}

#[test]
fn order_and_doubt_change_nothing() {
    let filter = parsed("text(/frob|nope/) & (file(jsonl) | decision(block)) & !env(development)");
    assert_eq!(filter.to_string(), "text(/frob|nope/) & (file(~jsonl) | decision(block)) & !environment(development)");
    assert!(format!("{:?}", filter.quick) != format!("{:?}", filter.written));
    assert!(filter.matches(&finding()));
}

#[test]
fn options_are_the_same_predicates() {
    let actor = Expression::test("actor", vec![Matcher::Text(Text::contains("Claude"))]).unwrap();
    let since = Expression::test("since", vec![Matcher::since(Timestamp(1_795_228_907_000_000))]).unwrap();
    let both = Filter::from(actor).and(since.into()).and(Filter::all());
    assert_eq!(both.to_string(), "actor(~Claude) & since(2026-11-21T02:41:47Z)");
    assert!(both.matches(&finding()) && !both.is_all() && Filter::all().is_all());
    // What a predicate does not take is refused.
    assert!(Expression::test("since", vec![Matcher::until(Timestamp(0))]).is_none());
    assert!(Expression::test("actor", vec![Matcher::Text(Text::Starts("x".to_owned()))]).is_none());
    assert!(Expression::test("nobody", Vec::new()).is_none());
}

#[test]
fn every_predicate_has_an_example_that_asks_it() {
    let mut names = std::collections::BTreeSet::from(["all", "none", "effect", "and", "or", "not"]);
    for predicate in PREDICATES {
        for name in std::iter::once(predicate.name).chain(predicate.alias) {
            assert!(names.insert(name), "two predicates are called {name}");
        }
        let filter = parsed(predicate.example);
        assert!(filter.to_string().contains(&format!("{}(", predicate.name)), "{}", predicate.example);
        assert_eq!(filter.written, parsed(&filter.to_string()).written, "{}", predicate.example);
        if let Some(words) = predicate.words() {
            assert!(words.len() <= 128, "{} has more words than bits", predicate.name);
            for word in words {
                assert_eq!(
                    parsed(&format!("{}({word})", predicate.name)).to_string(),
                    format!("{}({word})", predicate.name)
                );
            }
        }
    }
}

#[test]
fn deep_and_long_filters_do_no_harm() {
    for deep in ["(".repeat(1_000_000), "!".repeat(1_000_000), "effect(".repeat(1_000_000), "not ".repeat(100_000)] {
        assert!(Filter::parse(&deep).unwrap_err().problem.starts_with("more than 100 levels"));
    }
    let long = vec!["!decision(block)"; 20_000].join(" & ");
    assert!(matches(&long));
    assert_eq!(parsed(&long).to_string(), long);
}

fn values() -> impl Strategy<Value = String> {
    let odd = select(
        &["", " ", "~", "=x", "#", "/", "\\", "\\/", "\"", "'", "(", ")", ",", "\n", "\u{1b}", "é", "a b", ">=1"][..],
    );
    proptest::collection::vec(proptest::prop_oneof![odd.prop_map(str::to_owned), any::<String>()], 1..3)
        .prop_map(|parts| parts.concat())
}

fn tests() -> impl Strategy<Value = Expression> {
    (select(PREDICATES.iter().map(|predicate| predicate.name).collect::<Vec<_>>()), values(), any::<(u8, i64, u8)>())
        .prop_filter_map("is no test", |(name, value, (way, number, comparison))| {
            use super::Comparison;
            let comparison = Comparison::ALL[usize::from(comparison) % 5];
            let predicate = by_name(name)?;
            let matcher = match predicate.takes {
                Takes::Nothing(_) => return Expression::test(name, Vec::new()),
                Takes::Number(_) => Matcher::Number(comparison, number.checked_abs()?),
                // What jiff can write.
                Takes::Time(own) => Matcher::Number(own, number % 100_000_000_000_000_000),
                Takes::Words { ordered, .. } => {
                    let words = predicate.words()?;
                    let word = words[usize::from(way) % words.len()];
                    Matcher::Word(if ordered { comparison } else { Comparison::Equal }, word)
                }
                Takes::Text { .. } => Matcher::Text(match way % 5 {
                    0 => Text::contains(&value),
                    1 => Text::Is(value),
                    2 => Text::Starts(value),
                    3 => Text::regex(&value).ok()?,
                    _ => Text::glob(&value).ok()?,
                }),
            };
            let more = if matches!(predicate.takes, Takes::Time(_)) { 1 } else { 1 + usize::from(way) % 2 };
            Expression::test(name, vec![matcher; more])
        })
}

fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = proptest::prop_oneof![8 => tests(), 1 => Just(Expression::All), 1 => Just(Expression::None)];
    leaf.prop_recursive(5, 24, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..4);
        proptest::prop_oneof![
            list.clone().prop_map(Expression::and),
            list.prop_map(Expression::or),
            inner.clone().prop_map(Expression::negated),
            inner.prop_map(|inner| Expression::Effect(Box::new(inner))),
        ]
    })
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_printed_is_parsed_again(expression in expressions()) {
        let printed = expression.to_string();
        let again = Filter::parse(&printed);
        proptest::prop_assert!(again.is_ok(), "{printed}\n{}", again.unwrap_err());
        let again = again.unwrap();
        proptest::prop_assert_eq!(&again.written, &expression, "{}", printed);
        proptest::prop_assert_eq!(again.to_string(), printed);
        // What is asked first changes nothing.
        for finding in [finding(), bare()] {
            let written = again.written.holds(super::Subject::of(&finding));
            proptest::prop_assert_eq!(again.matches(&finding), written);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        pieces in proptest::collection::vec(proptest::prop_oneof![
            select(&["decision(", "ask", ")", "(", "&", "|", "!", "-", "not ", "text(", "~", "=", "/", "#", "\"", "\\", ",", "effect(",
                "rows(>=", "since(", "é", " ", "or", ">=", "\u{0}"][..]).prop_map(str::to_owned),
            any::<String>(),
        ], 0..12)
    ) {
        let text = pieces.concat();
        match Filter::parse(&text) {
            Ok(filter) => {
                filter.matches(&finding());
                proptest::prop_assert_eq!(&parsed(&filter.to_string()).written, &filter.written);
            }
            Err(error) => {
                proptest::prop_assert!(text.get(error.range.clone()).is_some() || error.range.start >= text.len(), "{error:?}");
                proptest::prop_assert!(error.to_string().lines().count() >= 3);
            }
        }
    }
}
