//! From one simple command (a program and its words) to effects.
//!
//! Programs are described by the TOML specs of [`Catalog`]; what no spec describes is read by convention and is a gap.

pub mod catalog;

pub use catalog::Catalog;

use crate::model::{Action, Resource, Span};

use super::{Scene, Word};

/// One simple command after the shell has resolved its words.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// Program first.
    pub words: &'a [Word],
    /// The whole command in the current piece of code.
    pub span: Option<Span>,
    /// What the command reads on standard input.
    pub stdin: &'a Stream,
    /// `A=1 B=2 program …`; the value is `None` when it is not known.
    pub assignments: &'a [(String, Option<String>)],
}

/// What flows out of one command and into the next.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Something was redirected or piped in at all.
    pub connected: bool,
    /// The text itself, when it is known (`echo …`, a heredoc), with its place in the current code.
    pub text: Option<(String, Option<Span>)>,
    /// The text was fetched from outside (`curl …`).
    pub remote: bool,
    /// The text was unpacked from an encoded form (`base64 -d`, `xxd -r`).
    pub decoded: bool,
    /// Things whose content is in it (`cat ~/.aws/credentials`, `pg_dump shop`).
    pub carries: Vec<Resource>,
    /// Names of things, one per item, when they are known (`printf '%s\n' a b`, `ls` is not).
    pub lists: Option<Vec<Word>>,
    /// Names of things that are not known one by one, with where they are under (`find /srv -name x`).
    pub lists_under: Option<Word>,
    /// Files that were written with content from outside (`curl -o x`), so that running them later is known to be that.
    pub fetched_into: Vec<Resource>,
}

/// Finds what one simple command does and says what it writes on standard output.
pub fn run(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let _ = (scene, invocation);
    Stream::default()
}

/// An `exec` action: exact words, no shell.
pub fn run_argv(scene: &mut Scene<'_>, action: &Action) {
    let _ = (scene, action);
}
