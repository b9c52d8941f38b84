//! The compiled engine and Cedar's `Authorizer` give the same answers, over the packs and over odd policies.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, any};

use super::*;
use crate::policy::{entities, judge};

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

static FULL: LazyLock<cedar_policy::Schema> =
    LazyLock::new(|| SCHEMA.parse().unwrap_or_else(|error| panic!("{error:?}")));

/// Draws requests from one number, so that a failure can be drawn again.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap_or(0)
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    pub(super) fn flag(&mut self) -> bool {
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

    pub(super) fn action(&mut self) -> Action {
        let groups: Vec<String> = ["dba", "ops"].into_iter().filter(|_| self.flag()).map(str::to_owned).collect();
        Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::new(Actor {
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
            surroundings: Arc::new(Surroundings {
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

    pub(super) fn effect(&mut self) -> Effect {
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

    pub(super) fn session(&mut self) -> SessionFacts {
        SessionFacts {
            read_secret: self.flag(),
            read_untrusted: self.flag(),
            turned_guard_off: self.flag(),
            switched_environment: self.flag(),
            last_failed: self.flag(),
            folder_missing: self.flag(),
            dirty_tree: self.flag(),
            untracked_files: self.flag(),
            lost_work: self.flag(),
            is_checkout: self.flag(),
            moved_in_part: self.flag(),
            repeated: self.number(),
            sweep: self.number(),
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
        let now =
            matches!(pass.fate(&rule.test, rule.unless_known), judge::Fate::Met | judge::Fate::Possible { now: true });
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
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_engines_agree_about_odd_policies(seed in any::<u64>()) {
        static ODD: LazyLock<Policy> = LazyLock::new(odd);
        check_agreement(&ODD, seed);
    }

    #[test]
    fn the_engines_agree_about_the_packs(seed in any::<u64>()) {
        static STRICT: LazyLock<Policy> = LazyLock::new(|| pack("strict"));
        check_agreement(&STRICT, seed);
    }
}

#[test]
fn odd_conditions_are_left_to_cedar_and_no_others() {
    assert_eq!(odd().slow_conditions(), 2);
}

#[test]
fn odd_rules_are_all_met_and_fail_now_and_then() {
    let policy = odd();
    let (mut met, mut failed) = (BTreeSet::new(), BTreeSet::new());
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
