//! `tee`: its files hold what went through it, so that running them later is known to be that.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call, written};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for file in call.operands() {
        written::put(scene, file, call.invocation.stdin.clone(), call.flag("-a"));
    }
    None
}
