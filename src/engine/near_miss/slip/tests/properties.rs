//! What holds for every text, however broken.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{action, effects, slips};
use crate::engine::near_miss::slip::{LONGEST, MOST, Slipped, Slips, catalogue};
use crate::model::{Action, Effect, Kind, Operation, Resource, ResourceKind, Span};
use crate::policy::Fact;
use crate::reader::record::quoted;

const GLUE: &[&str] = &[
    "",
    " ",
    "\n",
    "; ",
    " && ",
    " | ",
    "'",
    "\"",
    "\\",
    "$(",
    ")",
    "`",
    "${",
    "}",
    "$X/",
    "/*",
    "<<EOF\n",
    "\nEOF\n",
    "#",
    "é",
    "\u{1f980}",
    " --dry-run ",
    " -n ",
    " WHERE ",
    " LIMIT 3",
    "\\\n",
    "$$",
    "=",
    "./~",
    "\u{a0}",
];

/// Programs by which an effect without a classifier may say that it is done.
const BY: &[&str] = &[
    "rm",
    "git push",
    "git clean",
    "kubectl delete",
    "terraform destroy",
    "az sql db delete",
    "DELETE",
    "UPDATE",
    "rsync",
    "aws s3 rm",
    "é",
    "",
];

fn texts() -> Vec<&'static str> {
    catalogue().slips.iter().flat_map(|entry| [entry.before.as_str(), entry.after.as_str()]).collect()
}

/// Pieces of the examples, cut anywhere and glued together.
fn mixed() -> impl Strategy<Value = String> {
    let piece = (select(texts()), any::<Index>(), any::<Index>(), select(GLUE)).prop_map(|(text, from, to, glue)| {
        let place = |index: Index| text.floor_char_boundary(index.index(text.len() + 1));
        let (from, to) = (place(from), place(to));
        format!("{}{glue}", if from < to { &text[from..to] } else { text })
    });
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

#[track_caller]
fn check(action: &Action, effect: &Effect) {
    let all = slips(action, effect, Fact::ALL);
    assert!(all.len() <= MOST);
    let again: Vec<_> = slips(action, effect, Fact::ALL).into_iter().map(|one| (one.slip, one.action.text)).collect();
    let first: Vec<_> = all.iter().map(|one| (one.slip, one.action.text.clone())).collect();
    assert_eq!(first, again);
    for (at, one) in all.iter().enumerate() {
        assert_ne!(one.action.text, action.text);
        assert!(!one.action.text.trim().is_empty());
        assert!(all[..at].iter().all(|other| other.action.text != one.action.text));
        assert_eq!(
            (one.action.kind, one.action.id, &one.action.surroundings),
            (action.kind, action.id, &action.surroundings)
        );
        match &one.action.argv {
            Some(argv) => assert_eq!(quoted(argv), *one.action.text),
            None => assert_ne!(action.kind, Kind::Exec),
        }
    }
    assert!(slips(action, effect, &[]).is_empty());
    // Who asks after somebody else gets what who asks alone gets.
    let mut shared = Slips::of(action, effect);
    for facts in Fact::ALL.windows(3).rev().chain(Fact::ALL.chunks(1)) {
        let told = |all: &[&Slipped]| all.iter().map(|one| (one.slip, one.action.clone())).collect::<Vec<_>>();
        let after: Vec<_> = told(&shared.that_change(facts.iter().copied()));
        let alone = slips(action, effect, facts);
        assert_eq!(format!("{after:?}"), format!("{:?}", told(&alone.iter().collect::<Vec<_>>())));
    }
    for fact in Fact::ALL {
        for one in slips(action, effect, &[*fact]) {
            let entry = catalogue().slips.iter().find(|entry| entry.id == one.slip).unwrap();
            assert!(entry.facts.contains(fact) && entry.surfaces.contains(&action.kind));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn slips_of_what_is_understood(text in mixed()) {
        for kind in [Kind::Shell, Kind::Sql] {
            let action = action(kind, &text);
            for effect in effects(&action).iter().take(6) {
                check(&action, effect);
            }
        }
        let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let action = Action { text: quoted(&argv).into(), argv: Some(argv.into()), ..action(Kind::Shell, "x") };
        let action = Action { kind: Kind::Exec, ..action };
        for effect in effects(&action).iter().take(6) {
            check(&action, effect);
        }
    }

    #[test]
    fn slips_wherever_an_effect_points(
        text in mixed(),
        from in any::<Index>(),
        to in any::<Index>(),
        by in select(BY),
        kind in select(&[Kind::Shell, Kind::Sql, Kind::Exec, Kind::Tool][..]),
        resource in select(ResourceKind::ALL),
    ) {
        let (from, to) = (from.index(text.len() + 2), to.index(text.len() + 2));
        let argv = (kind == Kind::Exec).then(|| [text.clone()].into());
        let text = if kind == Kind::Exec { quoted(std::slice::from_ref(&text)) } else { text };
        let action = Action { kind, argv, text: text.as_str().into(), ..action(Kind::Shell, "x") };
        let resource = Resource { name: text.clone(), ..Resource::new(resource, "x") };
        let mut effect = Effect::new(Operation::Delete, resource);
        effect.span = Some(Span::new(from.min(to), from.max(to)));
        effect.by = by.to_owned();
        check(&action, &effect);
        effect.span = None;
        check(&action, &effect);
    }
}

#[test]
fn long_texts_are_left_alone() {
    let rest = "x".repeat(LONGEST);
    let long = action(Kind::Shell, &format!("rm -rf ~/x {rest}"));
    let effect = &effects(&action(Kind::Shell, "rm -rf ~/x"))[0];
    assert!(slips(&long, effect, Fact::ALL).is_empty());
    assert!(!slips(&action(Kind::Shell, "rm -rf ~/x"), effect, Fact::ALL).is_empty());
}
