//! What the packs say to effects: each rule, and what stays free.

use super::*;

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
        "block files.destroy-root, ask files.delete-unresolved, maybe files.destroy-home, maybe files.destroy-system, maybe files.destroy-workspace, maybe files.destroy-history, maybe files.destroy-database-files, maybe files.destroy-mount, maybe files.delete-outside, maybe files.change-startup, maybe files.move-history",
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
    check("grant File:/w/a +workspace by=chmod env=test", "ask files.rights-for-everyone");
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
    check("rewrite Branch:x by=git_push reversible=yes env=unknown", "");
    check(
        "rewrite Branch:main +protected by=git_push reversible=yes env=unknown",
        "ask git.rewrite-protected-branch-with-lease",
    );
    check("rewrite Branch:x by=git_commit reversible=yes env=unknown", "");
    check("delete Branch:x by=git_push env=unknown", "ask git.delete-remote-branch");
    check("delete WorkingTree:/w all by=git_reset env=development", "ask git.discard-work");
    check("delete WorkingTree:/w some by=git_checkout env=development human", "");
    check("delete WorkingTree:/w some by=git_checkout env=development agent", "ask git.discard-file");
    check("rewrite Log:reflog by=git_reflog env=development", "ask git.purge-history");
    check("drop Repository:acme/shop env=development", "block git.drop-repository");
    check("disable Safeguard:hooks by=git_commit env=production agent", "ask git.skip-hooks");
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
    check("delete Item:x env=production", "ask infra.delete");
    check("grant Role:sudo env=test", "ask access.grant-to-all-or-admin");
    check("grant Table:orders env=production human", "");
    check("escalate Role:root by=sudo env=production agent", "");
    check("escalate Role:ops by=SET_ROLE env=production agent", "ask access.escalate-agent-production");
    check("disable Safeguard:firewall by=ufw env=production", "block access.disable-safeguard-production");
    check("disable Safeguard:foreign_key_checks by=SET env=production", "ask sql.skip-checks-production");
    check("disable Safeguard:foreign_key_checks by=SET env=unknown", "");
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
    check("delete Container:web one env=unknown", "ask infra.delete");
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

/// Everything that is read from a policy, a line for each rule and condition.
fn told(policy: &Policy) -> Vec<String> {
    let rule = |rule: &Rule| {
        let annotations: std::collections::BTreeMap<_, _> = rule.annotations.iter().collect();
        format!("{} {:?} {annotations:?} {:?} {:?}", rule.id, rule.info, rule.test, rule.range)
    };
    let condition = |found: &compile::Conjunct| format!("{} {:?} {:?}", found.text(), found.test, found.facts);
    policy.compiled.iter().map(rule).chain(policy.conjuncts.iter().map(condition)).collect()
}

#[test]
fn the_packs_are_valid_and_compiled_whole() {
    for name in PACKS {
        assert!(pack::read(builtin(name).unwrap_or_default().iter(), None).is_some(), "`{name}` is read slowly");
        let sources: Vec<Source> =
            builtin(name).unwrap_or_default().into_iter().map(|source| Source { builtin: false, ..source }).collect();
        match Policy::load(&sources, &LoadOptions::default()) {
            Ok(policy) => {
                assert_eq!(policy.slow_conditions(), 0);
                let warnings: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
                assert_eq!(warnings, Vec::<String>::new());
                assert_eq!(told(&pack(name)), told(&policy));
            }
            Err(errors) => panic!("{errors}"),
        }
    }
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
