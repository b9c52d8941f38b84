//! Floor 0: the plain data everything above speaks in.
//!
//! Public fields, no behaviour beyond accessors. Nothing here knows a log format, a parser or a policy
//! language; the wire formats live at their own faces.

mod action;
mod effect;
mod gap;
mod near_miss;
mod origin;
mod resource;
mod session;
mod understanding;
mod verdict;

pub use action::{Action, ActionId, Actor, ActorKind, Environment, Executed, Kind, Outcome, Surroundings, Timestamp};
pub use effect::{Certainty, CodeOrigin, Effect, Extent, Operation, Place, PlaceKind, Reversibility, Span, Zone};
pub use gap::{Gap, GapKind, Hides};
pub use near_miss::{Cell, Class, Flip, Missing, Nature, NearMiss, Nearness};
pub use origin::{Issue, Origin};
pub use resource::{Area, Areas, Resource, ResourceKind};
pub use session::{SessionFact, SessionFacts};
pub use understanding::{Content, Given, Step, Understanding, Writes};
pub use verdict::{Before, Decision, Finding, Frontier, Hit, Mode, Otherwise, RuleInfo, Severity, Verdict};

/// Declares a closed vocabulary: an enum whose variants carry the one word they are written with everywhere
/// (policies, JSON, command line), its full list, and the way back from the word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word this value is written with.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value written with `word`, if there is one.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_word(&word).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&word, &[$($word),+])
                })
            }
        }
    };
}
pub(crate) use words;
