//! Whether the two engines agree, and whether what we ship is what we promise.

use super::*;
use crate::model::*;

fn source(text: &str) -> Source {
    Source { name: "own.cedar".into(), text: text.into(), builtin: false }
}

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

#[test]
fn the_schema_has_the_words_of_the_model() {
    let words = |all: &[&str]| all.join(" ");
    let listed = |head: &str| {
        let at = SCHEMA.find(head).unwrap_or_else(|| panic!("no `{head}` in the schema"));
        let body = &SCHEMA[at + head.len()..];
        let body = &body[..body.find([']', ';', '{']).unwrap_or(body.len())];
        let names = body.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty());
        words(&names.take_while(|word| *word != "appliesTo").collect::<Vec<_>>())
    };
    macro_rules! all {
        ($kind:ty) => {
            words(&<$kind>::ALL.iter().map(|value| value.word()).collect::<Vec<_>>())
        };
    }
    assert_eq!(listed("entity Environment enum ["), all!(Environment));
    assert_eq!(listed("entity Extent enum ["), all!(Extent));
    assert_eq!(listed("entity Reversibility enum ["), all!(Reversibility));
    assert_eq!(listed("entity Certainty enum ["), all!(Certainty));
    assert_eq!(listed("entity CodeOrigin enum ["), all!(CodeOrigin));
    assert_eq!(listed("entity Zone enum ["), all!(Zone));
    assert_eq!(listed("entity Kind enum ["), all!(Kind));
    assert_eq!(listed("entity Executed enum ["), all!(Executed));
    assert_eq!(listed("entity Area enum ["), all!(Area));
    assert_eq!(listed("\naction "), all!(Operation));
    assert_eq!(listed("resource: ["), all!(ResourceKind));
    for fact in Fact::ALL {
        let attribute = fact.word().rsplit('.').next().unwrap_or_default();
        let optional = if fact.is_optional() { "?" } else { "" };
        let declared = SCHEMA.contains(&format!("{attribute}{optional}: "));
        assert!(declared, "`{fact}` is not declared as it is answered");
    }
}

/// Policies that use every corner of the language that the compiler knows, and some that it does not.
const ODD: &str = r#"
@id("odd.permit") permit (principal, action, resource) when { !(context.by like "no*") };
@id("odd.permit-agent") permit (principal is Agent, action in [Action::"read", Action::"drop"], resource);
@id("odd.like") @message("m") forbid (principal, action, resource) when { resource.name like "*/a*b" || context.text like "rm -rf *" };
@id("odd.contains") @message("m") forbid (principal, action, resource) when { ["rm", "dd", ""].contains(context.by) && context.elevated };
@id("odd.if") @message("m")
forbid (principal, action in [Action::"delete", Action::"drop"], resource)
when { if context has count then context.count > 100 else resource in Area::"root" };
@id("odd.lists") @message("m")
forbid (principal, action, resource)
when { resource in [Environment::"production", Area::"home"] && principal in [Group::"dba", Agent::"bot"] };
@id("odd.unguarded") @message("m") forbid (principal, action, resource is Table) when { context.count > 10 };
@id("odd.unguarded-late") @message("m") forbid (principal, action, resource) when { resource.unresolved || context.zone == Zone::"external" };
@id("odd.guarded") @message("m") forbid (principal, action, resource) when { context has zone && context.zone != Zone::"local" && !(context has peer && context.peer like "10.*") };
@id("odd.arithmetic") @message("m")
forbid (principal, action, resource)
when { context.session.destroyed * 2 + 1 >= context.session.denials - -3 && -context.session.denials < 0 };
@id("odd.overflow") @message("m") forbid (principal, action, resource) when { context.session.destroyed + 1 > 5 };
@id("odd.unless") @message("m")
forbid (principal, action, resource is File in Folder::"/etc")
unless { context.approved && context.dry_run || resource in [Area::"temporary", Area::"workspace"] || principal is Human };
@id("odd.unless-both") @message("m") forbid (principal, action, resource) unless { resource in Area::"temporary" && context.approved };
@id("odd.service") @message("m") forbid (principal is Service in Group::"ops", action, resource) when { resource in Group::"ops" || principal in Area::"root" };
@id("odd.names") @message("m") forbid (principal == Human::"ann", action, resource) when { resource == Table::"shop.orders" || resource in Database::"shop" || principal.name == "bob" };
@id("odd.schema") @message("m") forbid (principal, action, resource in Schema::"billing") when { resource in Label::"pii" };
@id("odd.kinds") @message("m") forbid (principal, action, resource) when { (resource is Table || resource is Schema) && !(action in [Action::"read", Action::"list"]) };
@id("odd.is-in") @message("m") forbid (principal, action, resource) when { resource is Folder in Folder::"/" || resource is Bucket };
@id("odd.slow") @message("m") forbid (principal, action, resource) when { [resource.name, context.by].containsAny(["rm", "shop.orders"]) };
@id("odd.slow-record") @message("m") forbid (principal, action, resource) when { {a: context.approved, b: 1} == {a: true, b: 1} };
@id("odd.environment") @message("m") forbid (principal, action, resource) when { context.environment == Environment::"staging" || [Extent::"all"].contains(context.extent) };
@id("odd.types") @message("m") forbid (principal, action, resource) when { context.by == 3 || context.by < 3 };
@id("odd.code") @message("m") forbid (principal, action == Action::"execute", resource) when { context has code && context.code == CodeOrigin::"remote" };
@id("odd.session") @message("m") forbid (principal, action, resource) when { context has session.read_secret && context.session.read_secret && context has cwd };
"#;

fn odd() -> Policy {
    // Unchecked: some of these are wrong on purpose.
    let source = Source { builtin: true, ..source(ODD) };
    Policy::load(&[source], &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn pack(name: &str) -> Policy {
    let sources = builtin(name).unwrap_or_else(|| panic!("no pack `{name}`"));
    Policy::load(&sources, &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

static FULL: std::sync::LazyLock<cedar_policy::Schema> =
    std::sync::LazyLock::new(|| SCHEMA.parse().unwrap_or_else(|error| panic!("{error:?}")));

/// Draws requests from one number, so that a failure can be drawn again.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap_or(0)
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn flag(&mut self) -> bool {
        self.below(3) == 0
    }

    fn maybe<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        self.flag().then(|| self.one(of))
    }

    fn text(&mut self, of: &[&str]) -> Option<String> {
        self.maybe(of).map(str::to_owned)
    }

    fn number(&mut self) -> u64 {
        self.one(&[0, 1, 3, 11, 101, 20_000, u64::MAX])
    }

    fn action(&mut self) -> Action {
        let groups: Vec<String> = ["dba", "ops"].into_iter().filter(|_| self.flag()).map(str::to_owned).collect();
        Action {
            id: ActionId::default(),
            time: None,
            actor: std::sync::Arc::new(Actor {
                name: self.one(&["ann", "bob", "bot", "nginx", "nginx"]).to_owned(),
                kind: self.one(ActorKind::ALL),
                groups,
            }),
            session: "s".into(),
            kind: self.one(Kind::ALL),
            text: self.one(&["rm -rf x", "DROP TABLE t", "ls"]).into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: std::sync::Arc::new(Surroundings {
                cwd: self.text(&["/w"]),
                host: self.text(&["db1"]),
                user: self.text(&["root", "app"]),
                database: self.text(&["shop"]),
                account: self.text(&["acme"]),
                cluster: self.text(&["eu"]),
                ..Surroundings::default()
            }),
            outcome: Outcome {
                executed: self.one(Executed::ALL),
                rows: self.maybe(&[5, 50_000]),
                ..Outcome::default()
            },
            approved: self.flag(),
            gaps: Vec::new(),
            origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
        }
    }

    fn effect(&mut self) -> Effect {
        let often = [ResourceKind::File, ResourceKind::Folder, ResourceKind::Table, ResourceKind::Service];
        let kind = if self.flag() { self.one(&often) } else { self.one(ResourceKind::ALL) };
        let name = self.one(&[
            "",
            "/",
            "/etc/a/b",
            "/home/ann/x.sql",
            "shop.orders",
            "shop.billing.orders.id",
            "billing.t",
            "nginx",
            "nginx",
            "nginx",
            "kube-system/dns",
            "s3://logs/2026/a.gz",
            "main",
            "public",
            "a",
            "C:\\x\\y",
            "pg_catalog.x",
        ]);
        let mut areas = Areas::default();
        for _ in 0..self.below(4) {
            areas = areas.with(self.one(Area::ALL));
        }
        let resource = Resource { kind, name: name.to_owned(), areas, unresolved: self.below(4) == 0 };
        let place = |kind, name: &str| Place { kind, name: name.to_owned() };
        let places =
            [place(PlaceKind::Host, "db2"), place(PlaceKind::Database, "crm"), place(PlaceKind::Cluster, "us")];
        Effect {
            extent: self.one(Extent::ALL),
            reversible: self.one(Reversibility::ALL),
            certainty: self.one(Certainty::ALL),
            by: self.one(&["rm", "dd", "git push", "nothing", ""]).to_owned(),
            dry_run: self.below(5) == 0,
            guard_off: self.flag(),
            elevated: self.flag(),
            cascades: self.flag(),
            in_transaction: self.flag(),
            count: self.flag().then(|| self.number()),
            code: self.maybe(CodeOrigin::ALL),
            zone: self.maybe(Zone::ALL),
            peer: self.text(&["10.0.0.1", "example.com"]),
            places: places.into_iter().filter(|_| self.flag()).collect(),
            ..Effect::new(self.one(Operation::ALL), resource)
        }
    }

    fn session(&mut self) -> SessionFacts {
        SessionFacts {
            read_secret: self.flag(),
            read_untrusted: self.flag(),
            turned_guard_off: self.flag(),
            switched_environment: self.flag(),
            last_failed: self.flag(),
            destroyed: self.number(),
            destroyed_recently: self.number(),
            denials: self.number(),
        }
    }
}

/// Both engines give the same answer, and Cedar alone agrees about everything that does not hang on a lost name.
#[track_caller]
fn check_agreement(policy: &Policy, seed: u64) {
    let mut draw = Draw(seed);
    let (action, effect, session) = (draw.action(), draw.effect(), draw.session());
    let labels: Vec<String> = ["pii", "public"].into_iter().filter(|_| draw.flag()).map(str::to_owned).collect();
    let environment = draw.one(Environment::ALL);
    let request = Request { action: &action, effect: &effect, environment, labels: &labels, session: &session };
    let (fast, slow) = (policy.judge(&request), policy.judge_with_oracle(&request));
    let ids = |rules: &[Arc<RuleInfo>]| rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
    let failed = |errors: &[String]| {
        errors.iter().map(|error| error.split(" could not").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&fast.met), ids(&slow.met), "met by {request:#?}");
    assert_eq!(ids(&fast.possible), ids(&slow.possible), "possible by {request:#?}");
    assert_eq!(failed(&fast.errors), failed(&slow.errors), "failed by {request:#?}");
    assert_eq!(fast.not_permitted, slow.not_permitted, "not permitted: {request:#?}");

    let answer = policy.ask(&request).unwrap_or_else(|error| panic!("{error}"));
    let mut pass = judge::Pass::new(policy, &request);
    for rule in policy.compiled.iter().filter(|rule| rule.info.is_some()) {
        let now = matches!(pass.fate(rule), judge::Fate::Met | judge::Fate::Possible { now: true });
        assert_eq!(now, answer.satisfied.contains(&rule.id), "rule `{}` as things stand: {request:#?}", rule.id);
    }
    let cedar = entities::translate(&request).unwrap_or_else(|error| panic!("{error}"));
    let schema = &*FULL;
    let entities = cedar.entities.iter().cloned();
    if let Err(error) = cedar_policy::Entities::from_entities(entities, Some(schema)) {
        panic!("the schema refuses {request:#?}: {error:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_engines_agree_about_odd_policies(seed in proptest::prelude::any::<u64>()) {
        static ODD: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(odd);
        check_agreement(&ODD, seed);
    }

    #[test]
    fn the_engines_agree_about_the_packs(seed in proptest::prelude::any::<u64>()) {
        static STRICT: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(|| pack("strict"));
        check_agreement(&STRICT, seed);
    }
}

#[test]
fn odd_conditions_are_left_to_cedar_and_no_others() {
    assert_eq!(odd().slow_conditions(), 2);
}

#[test]
fn the_packs_are_valid_and_compiled_whole() {
    for name in PACKS {
        let sources: Vec<Source> =
            builtin(name).unwrap_or_default().into_iter().map(|source| Source { builtin: false, ..source }).collect();
        match Policy::load(&sources, &LoadOptions::default()) {
            Ok(policy) => {
                assert_eq!(policy.slow_conditions(), 0);
                let warnings: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
                assert_eq!(warnings, Vec::<String>::new());
            }
            Err(errors) => panic!("{errors}"),
        }
    }
}

#[test]
fn odd_rules_are_all_met_and_fail_now_and_then() {
    let policy = odd();
    let (mut met, mut failed) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for seed in 0..20_000 {
        let mut draw = Draw(seed);
        let (action, effect, session) = (draw.action(), draw.effect(), draw.session());
        let environment = draw.one(Environment::ALL);
        let labels = ["pii".to_owned()];
        let request = Request { action: &action, effect: &effect, environment, labels: &labels, session: &session };
        let judgement = policy.judge(&request);
        met.extend(judgement.met.iter().map(|rule| rule.id.clone()));
        failed.extend(judgement.errors);
    }
    let never: Vec<&str> = policy.rules().iter().map(|rule| rule.id.as_str()).filter(|id| !met.contains(*id)).collect();
    assert_eq!(never, ["odd.types"]);
    let failed: Vec<String> = failed.into_iter().collect();
    assert_eq!(
        failed,
        [
            "rule `odd.arithmetic` could not be evaluated: the number is too large",
            "rule `odd.overflow` could not be evaluated: the number is too large",
            "rule `odd.types` could not be evaluated: the types do not fit",
            "rule `odd.unguarded-late` could not be evaluated: `context.zone` is not known here; test for it with `has` first",
            "rule `odd.unguarded` could not be evaluated: `context.count` is not known here; test for it with `has` first",
        ]
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
    check_load(
        "permit (principal, action, resource);",
        "own.cedar:1: this policy has no id [policy::missing-id]; add `@id(\"family.name\")`; ids look like \
         `sql.drop-table`: a family, a dot, and what the rule stops",
    );
    check_load(
        r#"@id("Bad") permit (principal, action, resource);"#,
        "own.cedar:1: `Bad` is no good id [policy::id]; ids look like `sql.drop-table`: a family, a dot, and what the \
         rule stops",
    );
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
         own.cedar:1: `hihg` is no value of `@severity` [policy::annotation-value]; did you mean `high`?\n\
         own.cedar:1: rule `a.b` does not say why it stops an action [policy::missing-message]; add `@message(\"…\")` \
         in plain words",
    );
    check_load(
        r#"@id("a.b") @id("c.d") permit (principal, action, resource);"#,
        "own.cedar:1: duplicate annotation: @id [policy::syntax]",
    );
    check_load(
        "@id(\"a.b\") permit (principal, action, resource);\n@id(\"a.b\") permit (principal, action, resource);",
        "own.cedar:2: there is a rule `a.b` already [policy::duplicate-id]; every rule has an id of its own; to replace \
         a built-in rule, switch it off",
    );
}

#[test]
fn unknown_names_and_switches_are_refused() {
    let text = format!("{HEAD} forbid (principal in Group::\"dbaa\", action, resource in Label::\"pi\");");
    let options =
        LoadOptions { off: vec!["own.rul".into()], groups: Some(vec!["dba".into()]), labels: Some(vec!["pii".into()]) };
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

/// An effect in few words: `agent drop Table:orders +own-work env=test all approved`.
#[derive(Debug)]
struct Told {
    action: Action,
    effect: Effect,
    environment: Environment,
    session: SessionFacts,
}

impl Told {
    fn new(words: &str) -> Self {
        let mut action = Draw(0).action();
        let mut actor = Actor { name: "dev".into(), kind: ActorKind::Human, groups: Vec::new() };
        action.approved = false;
        action.text = "".into();
        action.outcome = Outcome::default();
        action.surroundings = Arc::new(Surroundings::default());
        let mut told = Self {
            action,
            effect: Effect::new(Operation::Unknown, Resource::new(ResourceKind::Item, "")),
            environment: Environment::Unknown,
            session: SessionFacts::default(),
        };
        for word in words.split(' ') {
            let (key, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
            let effect = &mut told.effect;
            if let Some(kind) = ActorKind::from_word(word) {
                actor.kind = kind;
            } else if let Some(operation) = Operation::from_word(word) {
                effect.operation = operation;
            } else if let Some(kind) = ResourceKind::from_word(key) {
                (effect.resource.kind, effect.resource.name) = (kind, value.to_owned());
            } else if let Some(area) = word.strip_prefix('+').and_then(Area::from_word) {
                effect.resource.areas = effect.resource.areas.with(area);
            } else if let Some(extent) = Extent::from_word(word) {
                effect.extent = extent;
            } else {
                match key {
                    "env" => told.environment = Environment::from_word(value).expect("an environment"),
                    "code" => effect.code = Some(CodeOrigin::from_word(value).expect("an origin")),
                    "zone" => effect.zone = Some(Zone::from_word(value).expect("a zone")),
                    "reversible" => effect.reversible = Reversibility::from_word(value).expect("a way back"),
                    "by" => effect.by = value.replace('_', " "),
                    "count" => effect.count = value.parse().ok(),
                    "text" => told.action.text = value.replace('_', " ").into(),
                    "cascades" => effect.cascades = true,
                    "dry_run" => effect.dry_run = true,
                    "guard_off" => effect.guard_off = true,
                    "unresolved" => effect.resource.unresolved = true,
                    "approved" => told.action.approved = true,
                    "read_secret" => told.session.read_secret = true,
                    "read_untrusted" => told.session.read_untrusted = true,
                    "denials" => told.session.denials = value.parse().unwrap_or(0),
                    "destroyed_recently" => told.session.destroyed_recently = value.parse().unwrap_or(0),
                    _ => panic!("`{word}` says nothing"),
                }
            }
        }
        told.action.actor = Arc::new(actor);
        told
    }

    fn request(&self) -> Request<'_> {
        Request {
            action: &self.action,
            effect: &self.effect,
            environment: self.environment,
            labels: &[],
            session: &self.session,
        }
    }
}

/// What a pack says to an effect: `block sql.drop-table-production`, `maybe …` when a lost name decides.
#[track_caller]
fn check_rules(pack: &Policy, words: &str, expected: &str) {
    let told = Told::new(words);
    let judgement = pack.judge(&told.request());
    assert_eq!((judgement.not_permitted, judgement.errors), (false, Vec::new()));
    let met = judgement.met.iter().map(|rule| {
        let decision = if rule.mode == Mode::Shadow { "shadow" } else { rule.decision.word() };
        format!("{decision} {}", rule.id)
    });
    let possible = judgement.possible.iter().map(|rule| format!("maybe {}", rule.id));
    assert_eq!(met.chain(possible).collect::<Vec<_>>().join(", "), expected, "{words}");
}

#[test]
fn recommended_on_databases() {
    let pack = pack("recommended");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check("drop Table:orders env=production", "block sql.drop-table-production");
    check("drop Table:orders env=production approved", "");
    check("drop Table:orders env=production dry_run", "");
    check("drop Table:t env=production +ephemeral", "");
    check("drop Table:orders env=unknown", "ask sql.drop-outside-development");
    check("drop Table:orders env=development", "");
    check("drop Schema:billing env=production cascades", "block sql.drop-schema-production");
    check("drop Database:shop env=production", "block sql.drop-database-production");
    check("drop Column:users.email env=production", "ask sql.drop-column");
    check("drop View:v env=production", "");
    check("delete Table:orders all env=production", "block sql.delete-all-production");
    check("delete Table:orders some env=production", "");
    check("delete Table:orders some count=10001 env=production", "ask sql.change-many-production");
    check("delete Table:orders some count=10000 env=production", "");
    check("update Table:orders all env=production", "block sql.update-all-production");
    check("update Table:orders all env=staging", "ask sql.change-all");
    check("update Table:orders one env=unknown", "");
    check("create Table:orders env=production", "");
    check("alter Database:shop guard_off env=unknown", "ask sql.migrate-without-guard");
    check("delete Table:pg_class some +internal env=production", "block sql.change-catalogue");
}

#[test]
fn recommended_on_files() {
    let pack = pack("recommended");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check("drop Folder:/ +root cascades all env=test approved", "block files.destroy-root");
    check(
        "delete Folder:/ +root unresolved cascades all env=test",
        "block files.destroy-root, ask files.delete-unresolved, maybe files.destroy-home, maybe files.destroy-system, maybe files.destroy-workspace, maybe files.destroy-history, maybe files.destroy-database-files, maybe files.destroy-mount, maybe files.delete-outside",
    );
    check("drop Folder:/home/dev +home cascades all env=development", "block files.destroy-home");
    check("drop Folder:/etc +system cascades all env=development", "block files.destroy-system");
    check("drop Folder:/w +workspace-root cascades all env=development", "block files.destroy-workspace");
    check("drop Folder:/w/.git +version-control +workspace cascades env=development", "block files.destroy-history");
    check("delete Folder:/w/build +workspace cascades all env=production", "");
    check("delete Folder:/w/node_modules +workspace +artefact cascades all env=unknown agent", "");
    check("delete Folder:/tmp/x +temporary +outside cascades all env=production", "");
    check("delete Folder:/srv/x +outside cascades all env=production", "ask files.delete-outside");
    check("delete File:/srv/x +outside one env=production", "");
    check("update Device:/dev/sda all env=development approved", "block files.write-device");
    check("update File:/dev/null +sink +device all env=production", "");
    check("update File:/etc/hosts +system some env=unknown", "ask files.change-system");
    check("update File:/w/src/a.rs +workspace all env=unknown agent", "");
    check("update File:.claude/settings.json +guard env=development agent", "block files.change-guard-agent");
    check("update File:.claude/settings.json +guard env=development human", "");
    check("alter Folder:/etc +system cascades by=chown env=test", "block files.rights-everywhere");
    check("alter File:/w/a +workspace by=chmod text=chmod_777_a env=test", "ask files.rights-for-everyone");
    check("alter File:/w/a +workspace by=chmod text=chmod_755_a env=test", "");
}

#[test]
fn recommended_on_code_and_its_history() {
    let pack = pack("recommended");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check(
        "rewrite Branch:main +protected by=git_push guard_off env=unknown",
        "block git.rewrite-protected-branch, ask git.rewrite-branch",
    );
    check("rewrite Branch:x by=git_push guard_off env=unknown", "ask git.rewrite-branch");
    check("rewrite Branch:x by=git_push reversible=with-backup env=unknown", "");
    check("rewrite Branch:x by=git_commit reversible=yes env=unknown", "");
    check("delete Branch:x by=git_push env=unknown", "ask git.delete-remote-branch");
    check("delete WorkingTree:/w all by=git_reset env=development", "ask git.discard-work");
    check("delete WorkingTree:/w some by=git_checkout env=development human", "");
    check("delete WorkingTree:/w some by=git_checkout env=development agent", "ask git.discard-file-agent");
    check("rewrite Log:reflog by=git_reflog env=development", "ask git.purge-history");
    check("drop Repository:acme/shop env=development", "block git.drop-repository");
    check("disable Safeguard:hooks by=git_commit env=production agent", "ask git.skip-hooks-agent");
    check("disable Safeguard:hooks by=git_commit env=production human", "");
    check("execute Code:install.sh code=remote env=unknown human", "ask code.run-downloaded-human");
    check("execute Code:install.sh code=remote env=unknown agent", "block code.run-downloaded");
    check("execute Code:x code=decoded env=test human", "block code.run-decoded");
    check("execute Code:/tmp/x code=staged env=test human", "ask code.run-staged");
    check("execute Code:x code=dynamic env=production agent", "ask code.run-dynamic-agent-production");
    for code in ["local", "registry", "elsewhere", "stored"] {
        check(&format!("execute Code:x code={code} env=production agent"), "");
    }
}

#[test]
fn recommended_on_secrets_access_and_data() {
    let pack = pack("recommended");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check("read File:.env +credential env=unknown agent", "ask secrets.read-agent");
    check("read File:.env +credential env=unknown human", "shadow secrets.read");
    check("export Secret:db zone=private env=unknown", "block secrets.export");
    check("export File:.env +credential zone=local env=unknown", "");
    check("delete Key:k env=unknown", "block secrets.destroy-key");
    check("export Table:users zone=external env=development", "ask data.export-external");
    check(
        "export Table:users zone=external env=production agent",
        "block data.export-agent-production, ask data.export-external",
    );
    check(
        "export File:a zone=external env=development agent read_untrusted",
        "block data.export-after-reading-agent, ask data.export-external",
    );
    check("export Table:users zone=local env=production agent", "");
    check("export Table:users zone=private env=production agent", "");
    check("export Table:users zone=unknown env=production", "ask data.export-nowhere-known");
    check(
        "export Message:issue zone=external env=development agent read_untrusted",
        "ask data.message-after-reading-agent",
    );
    check("export Message:issue zone=external env=development agent", "");
    check("delete Item:x env=production", "ask data.delete-message");
    check("grant Role:sudo env=test", "ask access.grant-to-all-or-admin");
    check("grant Table:orders env=production human", "");
    check("escalate Role:root by=sudo env=production agent", "");
    check("escalate Role:ops by=SET_ROLE env=production agent", "ask access.escalate-agent-production");
    check("disable Safeguard:firewall by=ufw env=production", "block access.disable-safeguard-production");
    check("disable Safeguard:firewall by=ufw env=unknown", "ask access.disable-safeguard");
    check("disable Safeguard:firewall by=ufw env=development human", "");
    check("rewrite Log:/var/log/auth.log +logs env=production", "block access.rewrite-log-production");
    check("rewrite Log:/var/log/auth.log +logs env=unknown", "ask access.rewrite-log");
}

#[test]
fn recommended_on_what_runs() {
    let pack = pack("recommended");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check("drop Namespace:shop env=production", "block infra.drop-production");
    check("drop Stack:shop guard_off env=unknown", "ask infra.drop-outside-development");
    check("drop Backup:b env=development", "block infra.destroy-backup");
    check("delete Backup:b one env=production", "ask infra.delete-backup");
    check("delete Workload:shop/web one env=production", "ask infra.delete");
    check("delete Workload:shop/web all env=production", "block infra.delete-all-production, ask infra.delete");
    check("delete Container:web one env=unknown", "");
    check("delete Container:web one env=production", "ask infra.delete-container-production");
    check("alter Stack:shop env=production human", "");
    check("alter Stack:shop guard_off env=production human", "ask infra.apply-unasked-production");
    check("alter Workload:shop/web env=production agent", "ask infra.change-agent-production");
    check("stop Host:db1 env=production", "block availability.stop-production");
    check("stop Service:nginx one env=production", "ask availability.stop-service-production");
    check("stop Service:nginx one env=unknown", "ask availability.stop-unknown");
    check("stop Service:nginx one env=development", "");
    check("stop Host:laptop env=development agent", "ask availability.stop-host-agent");
    check("stop Process:4711 one env=production", "");
    check("stop Process: all env=development", "ask availability.kill-everything");
    check("read Table:orders all env=production agent", "");
    check("list Namespace:shop env=production agent", "");
    check("connect Database:shop env=production agent", "");
}

#[test]
fn strict_goes_further() {
    let pack = pack("strict");
    let check = |words: &str, expected: &str| check_rules(&pack, words, expected);
    check("create Table:plans env=production agent", "ask strict.agent-change-production, ask strict.alter-production");
    check("read File:.env +credential env=unknown agent", "ask secrets.read-agent, block strict.agent-read-secret");
    check("drop Table:orders env=unknown", "ask sql.drop-outside-development, block strict.unknown-is-production");
    check("delete File:a +workspace env=test agent denials=3", "ask strict.agent-after-refusals");
    check("delete File:a +workspace env=test destroyed_recently=21", "ask strict.much-destroyed");
    check("update File:a +workspace env=production agent", "");
}

/// A rule's conditions as `explain` shows them.
#[track_caller]
fn check_conditions(rule: &str, words: &str, expected: &[&str]) {
    let pack = pack("recommended");
    let told = Told::new(words);
    let rule = pack.rules().iter().find(|info| info.id == rule).expect("a rule of the pack").clone();
    let conditions = pack.conditions(&rule, &told.request());
    let seen: Vec<String> = conditions.iter().map(|one| format!("{} {}: {}", one.met, one.kind, one.text)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn conditions_say_what_was_missing() {
    check_conditions(
        "sql.change-many-production",
        "delete Table:orders some env=staging",
        &[
            "met anchor: action in [Action::\"delete\", Action::\"update\"]",
            "met anchor: resource is Table",
            "unmet condition: resource in Environment::\"production\"",
            "unknown condition: context has count",
            "unknown condition: context.count > 10000",
            "met condition: context.extent != Extent::\"all\"",
            "met condition: !context.dry_run",
            "met condition: !context.approved",
        ],
    );
}

#[test]
fn near_counts_what_is_missing() {
    let pack = pack("recommended");
    let near = |words: &str| {
        let told = Told::new(words);
        let found = pack.near(&told.request(), 1);
        found.iter().map(|near| format!("{} {:?} {:?}", near.rule.id, near.unmet, near.unknown)).collect::<Vec<_>>()
    };
    assert_eq!(
        near("drop Schema:billing env=development"),
        ["sql.drop-schema-production [2] []", "sql.drop-outside-development [2] []",]
    );
    assert_eq!(near("drop Schema:billing env=production approved"), ["sql.drop-schema-production [5] []"]);
    assert_eq!(near("read Schema:billing env=production"), Vec::<String>::new());
}

#[test]
fn examples_are_ready_to_run() {
    let pack = pack("strict");
    let examples = pack.examples();
    let seen = |rule: &str| {
        let of = examples.iter().filter(|example| example.rule.id == rule);
        of.map(|one| {
            let (action, met) = (&one.action, if one.expect_met { "met" } else { "unmet" });
            format!("{met} {} {} {} {}", one.environment, action.actor.kind, action.kind, one.text)
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        seen("strict.agent-change-production"),
        [
            "met production agent sql INSERT INTO plans (name) VALUES ('free')",
            "met production agent shell kubectl apply -f web.yaml",
            "unmet production agent sql SELECT count(*) FROM plans",
            "unmet development agent sql INSERT INTO plans (name) VALUES ('free')",
        ]
    );
    for rule in pack.rules() {
        let count = |met| examples.iter().filter(|one| one.rule.id == rule.id && one.expect_met == met).count();
        let stated_only = rule.id == "sql.change-many-production";
        assert!((count(true) >= 2 || stated_only) && count(false) >= 2, "`{}` has too few examples", rule.id);
        assert!(!rule.advice.is_empty(), "`{}` gives no advice", rule.id);
    }
}

#[test]
fn the_digest_follows_what_was_read() {
    let policy = |text: &str, off: &[&str]| {
        let options = LoadOptions { off: off.iter().map(|id| (*id).to_owned()).collect(), ..LoadOptions::default() };
        Policy::load(&[source(text)], &options).expect("a good policy").digest().to_owned()
    };
    let text = "@id(\"a.b\")\npermit (principal, action, resource);\n";
    assert_eq!(policy(text, &[]), policy(&text.replace('\n', "\r\n"), &[]));
    assert_ne!(policy(text, &[]), policy(text, &["a.b"]));
    assert_eq!(policy(text, &[]).len(), 16);
}

#[test]
fn without_a_permit_nothing_passes() {
    let policy = Policy::load(&[source("")], &LoadOptions::default()).expect("an empty policy");
    let told = Told::new("read Table:t env=test");
    assert!(policy.judge(&told.request()).not_permitted);
    assert!(policy.judge_with_oracle(&told.request()).not_permitted);
}

#[test]
fn policies_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
}
