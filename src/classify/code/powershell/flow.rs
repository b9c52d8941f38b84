//! What flows through a pipeline of cmdlets: the things that one of them has got.

use crate::classify::{Scene, naming};
use crate::model::{Certainty, Effect, Extent, Operation, Resource, Span};

use super::words::Parameters;

/// Things of one kind, got to be piped on.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// `SqlDatabase` of `Get-SqlDatabase`.
    noun: String,
    /// Nothing picks some of them.
    whole: bool,
}

impl Flow {
    pub(super) fn of(noun: &str, parameters: &Parameters<'_>) -> Self {
        const PICKS: &[&str] = &[
            "filter",
            "first",
            "id",
            "identity",
            "ldapfilter",
            "name",
            "objectid",
            "searchbase",
            "searchstring",
            "tag",
            "top",
            "userid",
            "userprincipalname",
        ];
        let picked = PICKS.iter().any(|name| parameters.given(&[*name]).is_some_and(|value| value != "*"));
        Self { noun: noun.to_owned(), whole: parameters.operands.is_empty() && !picked }
    }

    /// `Where-Object` lets some of them through.
    pub(super) fn narrow(&mut self) {
        self.whole = false;
    }

    pub(super) const fn extent(&self) -> Extent {
        if self.whole { Extent::All } else { Extent::Some }
    }

    /// The effects since `mark` that name nothing of their own are on what flows in.
    pub(super) fn widen(&self, scene: &mut Scene<'_>, mark: usize) {
        for effect in scene.since(mark) {
            if effect.extent == Extent::One && is_each(&effect.resource.name) {
                effect.extent = self.extent();
            }
        }
    }

    /// `$_.Drop()`: a method of each of the things.
    pub(super) fn called(&self, scene: &mut Scene<'_>, method: &str, span: Span) {
        let verb = match &*method.to_ascii_lowercase() {
            "drop" => "drop",
            "delete" | "remove" | "deletetree" => "delete",
            "kill" | "stop" | "shutdown" | "terminate" => "stop",
            "disable" => "disable",
            _ => return,
        };
        let Some(meaning) = naming::meaning(&format!("{verb}-{}", self.noun), "") else { return };
        let mut effect = Effect::new(meaning.operation, Resource::new(meaning.kind, self.noun.as_str()));
        effect.extent = if meaning.operation == Operation::Drop { Extent::All } else { self.extent() };
        effect.certainty = Certainty::Inferred;
        effect.by = format!("{}.{method}", self.noun);
        effect.span = Some(span);
        scene.effect(effect);
    }
}

/// Nothing, or each of what is piped in.
pub(super) fn is_each(name: &str) -> bool {
    name.is_empty() || ["$_", "$PSItem"].iter().any(|each| name.contains(each))
}

/// The code in the strings of a command: `"$($_.Name)=$(Get-Secret $_)"`.
pub(super) fn interpolated(text: &str) -> Vec<&str> {
    const MOST: usize = 16;
    let bytes = text.as_bytes();
    let (mut found, mut quote, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() && found.len() < MOST {
        match bytes[at] {
            b'`' => at += 1,
            b'$' if quote == b'"' && bytes.get(at + 1) == Some(&b'(') => {
                let end = closing(bytes, at + 1);
                found.extend(text.get(at + 2..end));
                at = end;
            }
            byte if byte == quote => quote = 0,
            byte @ (b'"' | b'\'') if quote == 0 => quote = byte,
            _ => {}
        }
        at += 1;
    }
    // `$($file.FullName)` only names something.
    found.retain(|code| !code.trim_start().starts_with('$') || code.contains(['(', '|', ';', '=']));
    found
}

/// Where the bracket that opens at `open` closes.
fn closing(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}
