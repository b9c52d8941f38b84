//! Fragments: text that is meant to stand in the middle of somebody else's statement (`1'; DROP TABLE users; --`).
//!
//! Such text begins inside a string or a condition, so that read from its beginning it is one string that never ends. What
//! stands behind the quote that ends that string is read again, as the statements that it would be. The same goes for a text
//! that begins like no statement and in which a quote is followed by the end of one (`x'; DELETE … WHERE 'a'='a`).

use crate::model::{Certainty, Effect, Span};

use super::Run;

/// More than this is no fragment of anything.
const MAX_BYTES: usize = 16 * 1024;

/// Whether a text that begins like no statement may be the end of one.
pub(super) fn ends_another(text: &str) -> bool {
    text.len() <= MAX_BYTES
        && text.find(['\'', '"']).is_some_and(|at| text[at + 1..].trim_start_matches([' ', ')', '%']).starts_with(';'))
}

/// Reads what follows the first quote of a text.
pub(super) fn run(run: &mut Run<'_, '_, '_>) {
    let text = run.text;
    if text.len() > MAX_BYTES {
        return;
    }
    let Some(at) = text.find(['\'', '"', '`']) else { return };
    let quote = &text[at..=at];
    // A quote behind the first statement leaves that one whole.
    let at = if text[..at].contains(';') { 0 } else { at + 1 };
    let rest = &text[at..];
    if !rest.contains([';', '(']) {
        return;
    }
    // The other's statement closes what is still open at the end.
    let mut code = rest.to_owned();
    if rest.matches(quote).count() % 2 == 1 && !rest.contains("--") && !rest.contains('#') {
        code.push_str(quote);
        let last = code.rsplit(';').next().unwrap_or_default();
        let open = last.matches('(').count().saturating_sub(last.matches(')').count());
        code.push_str(&")".repeat(open.min(8)));
    }
    let mark = run.scene.mark();
    run.nested_sql(&code, Span::new(at, text.len()), None);
    let effects: &mut [Effect] = run.scene.since(mark);
    for effect in effects {
        effect.certainty = Certainty::Lexical;
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::understand;

    #[test]
    fn what_a_fragment_would_do_is_found() {
        for (text, expected) in [
            ("x'; DROP TABLE logs; --", "drop Table logs"),
            ("7%'); TRUNCATE logs --", "delete Table logs"),
            ("ana'; EXEC xp_cmdshell 'dir'; --", "execute Code dir"),
            ("1; DELETE FROM logs --", "delete Table logs"),
            ("ana'; DELETE FROM logs WHERE 'a'='a", "delete Table logs"),
            ("4); DELETE FROM logs WHERE ('1'='1", "delete Table logs"),
            ("' UNION SELECT load_file('/etc/passwd') -- ", "read File /etc/passwd"),
            ("IF (3 = 4) SELECT 3 ELSE DROP FUNCTION total --", "drop Routine total"),
        ] {
            let found = understand("", text);
            let said = found
                .effects
                .iter()
                .map(|effect| format!("{} {} {}", effect.operation, effect.resource.kind, effect.resource.name));
            assert!(said.clone().any(|said| said == expected), "{text}: {:?}", said.collect::<Vec<_>>());
        }
        let found = understand("", "I can't drop table logs; it isn't mine, don't you see");
        assert!(found.effects.is_empty(), "{:?}", found.effects);
    }
}
