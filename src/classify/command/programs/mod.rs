//! Programs whose command lines are a language of their own: what a spec cannot say, one file for each.

use crate::classify::Scene;
use crate::model::words;

use super::Stream;
use super::call::Call;

words! {
    /// The Rust function that reads a program's words; a spec asks for it by `handler = "find"`.
    Handler {
        Find = "find",
    }
}

impl Handler {
    /// Runs it; `None` leaves the output to the spec.
    pub(super) fn run(self, scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
        match self {
            Self::Find => { let _ = (scene, call); None }
        }
    }
}
