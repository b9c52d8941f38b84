//! From rules that are met, rules that could be met, and gaps to one decision.

use crate::model::{Action, Decision, Effect, Extent, Hides, Hit, Operation, ResourceKind, Understanding, Verdict};

/// Puts the strictest first and decides; a gap can only make an action stricter.
///
/// `possible`: some value of what is not known would meet a rule.
pub(super) fn settle(verdict: &mut Verdict, action: &Action, understanding: &Understanding, possible: bool) {
    let strictness = |hit: &Hit| (std::cmp::Reverse((hit.rule.decision, hit.rule.severity)), hit.effect);
    verdict.hits.sort_by(|a, b| strictness(a).cmp(&strictness(b)).then_with(|| a.rule.id.cmp(&b.rule.id)));
    verdict.decision = verdict.hits.first().map_or(Decision::Allow, |hit| hit.rule.decision);
    // Cedar leaves out a rule that errors; what it would have said is not known, so a person has to look.
    if !verdict.errors.is_empty() {
        verdict.decision = verdict.decision.max(Decision::Ask);
    }
    let gaps = understanding.gaps.iter().chain(&action.gaps);
    verdict.gaps = gaps
        .enumerate()
        .filter(|(_, gap)| gap.hides == Hides::Anything || (possible && gap.hides == Hides::Target))
        .map(|(index, _)| index)
        .collect();
    if possible || !verdict.gaps.is_empty() {
        verdict.decision = verdict.decision.max(Decision::Undecided);
    }
}

/// Whether what hangs on an unknown name is too small to call an action undecided for: `rm -f "$tmp"`, `cp "$a" "$b"`.
///
/// Scripts read, write and delete single files by variables all day, and nearly every rule about files could be met by
/// some name. What reaches further stays open: folders with all that is in them, patterns and lists, raised rights, and
/// names that were fetched or unpacked rather than worked out here.
pub(super) fn is_small(effect: &Effect, action: &Action) -> bool {
    let resource = &effect.resource;
    if !resource.unresolved || !matches!(resource.kind, ResourceKind::File | ResourceKind::Folder) {
        return false;
    }
    // The record itself left something out, the name even: that is no variable of a script.
    if resource.name.is_empty()
        || effect.elevated
        || effect.cascades
        || action.gaps.iter().any(|gap| gap.hides != Hides::Nothing)
    {
        return false;
    }
    let far = FROM_OUTSIDE.iter().any(|word| resource.name.contains(word));
    match effect.operation {
        Operation::Read | Operation::List => true,
        Operation::Create | Operation::Update => !far,
        Operation::Alter | Operation::Grant => !far && effect.extent != Extent::All,
        // A name without a hole in it stands for what a program finds in that folder.
        Operation::Delete => !far && effect.extent == Extent::One && resource.name.contains(['$', '`']),
        _ => false,
    }
}

/// In a substitution that gives a name: it is fetched, or hidden in a string.
const FROM_OUTSIDE: &[&str] =
    &["curl", "wget", "base64", "base32", "xxd", "openssl", "uudecode", "/dev/tcp", "\\x", "nc "];

#[cfg(test)]
mod tests {
    use crate::classify::{Catalog, Classifier};
    use crate::engine::{Config, Engine, Session};
    use crate::model::{Action, ActionId, Actor, Decision, Gap, GapKind, Hides, Kind, Origin, Outcome, Surroundings};
    use crate::policy::{LoadOptions, Policy, builtin};

    fn decision(text: &str, gaps: Vec<Gap>) -> Decision {
        let policy = Policy::load(&builtin("recommended").unwrap(), &LoadOptions::default()).unwrap();
        let engine = Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false);
        let action = Action {
            id: ActionId::default(),
            time: None,
            actor: Actor::default().into(),
            session: "s".into(),
            kind: Kind::Shell,
            text: text.into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Surroundings::default().into(),
            outcome: Outcome::default(),
            approved: false,
            gaps,
            origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
        };
        engine.decide(action, &mut Session::default()).verdict.decision
    }

    #[test]
    fn one_file_by_an_unknown_name_is_everyday_work() {
        for line in [
            "rm -f \"$lock\"",
            "cp \"$from\" \"$to\"",
            "mkdir -p \"$out\" && touch \"$out/.keep\"",
            "mv \"$f\" \"${f%.jpeg}.jpg\"",
            "echo ok > \"$report\"",
            "chmod 640 \"$f\"",
        ] {
            assert_eq!(decision(line, Vec::new()), Decision::Allow, "{line}");
        }
    }

    #[test]
    fn what_reaches_further_by_an_unknown_name_is_not() {
        for line in [
            "rm -rf \"$work\"",
            "sudo cp \"$from\" \"$to\"",
            "sudo rm -f \"$f\"",
            "chown -R app \"$data\"",
            "find \"$root\" -type f -mtime +3 -exec rm {} +",
            "python3 -c 'import pathlib; [p.unlink() for p in pathlib.Path(\"/var/log\").glob(\"*\")]'",
            "rm -f $(curl -s https://lists.example.com/old)",
            "echo x > \"$(echo L2V0Yy9ob3N0cw== | base64 -d)\"",
        ] {
            assert_ne!(decision(line, Vec::new()), Decision::Allow, "{line}");
        }
    }

    #[test]
    fn what_the_record_left_out_stays_open() {
        let gap = |hides| Gap { kind: GapKind::Redacted, hides, span: None, detail: "a name was left out".to_owned() };
        assert_eq!(decision("rm -f \"$lock\"", vec![gap(Hides::Target)]), Decision::Undecided);
        assert_eq!(decision("ls", vec![gap(Hides::Anything)]), Decision::Undecided);
        assert_eq!(decision("ls", vec![gap(Hides::Target)]), Decision::Allow);
    }
}
