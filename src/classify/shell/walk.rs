//! Walks the tree: every part of it, in the order it would run, with the state that holds there.

use super::tree::{Node, RawWord, Script, Statement};
use super::ways::{Way, Ways};
use super::{assign, call, redirect, simple, words};
use crate::classify::command::Stream;
use crate::classify::{Scene, Word};
use crate::model::{GapKind, Hides, Span};

/// Groups, substitutions and the code in them, counted over all pieces of code that are open; bounds recursion.
const MAX_NESTING: usize = 60;
/// Output longer than this is not put together.
const MAX_TEXT: usize = 256 * 1024;
/// A loop over more known words than this runs once over an unknown one.
const MAX_ITEMS: usize = 16;
/// The same for a loop in a loop.
const MAX_INNER_ITEMS: usize = 4;

/// Runs statements one after the other; gives what they write on standard output together.
pub(super) fn script(scene: &mut Scene<'_>, script: &Script<'_>, stdin: &Stream) -> Stream {
    let [only] = &**script else {
        let mut out = silent();
        for each in script {
            let next = statement(scene, each, stdin);
            join(&mut out, next);
        }
        return out;
    };
    statement(scene, only, stdin)
}

/// The stream of something that writes nothing.
pub(super) fn silent() -> Stream {
    Stream { text: Some((String::new(), None)), ..Stream::default() }
}

/// Adds what the next command writes to what came before.
fn join(out: &mut Stream, next: Stream) {
    let nothing = |stream: &Stream| stream.text.as_ref().is_some_and(|(text, _)| text.is_empty());
    if nothing(&next) {
        return;
    }
    if nothing(out) {
        *out = next;
        return;
    }
    out.connected |= next.connected;
    out.remote |= next.remote;
    out.decoded |= next.decoded;
    out.carries.extend(next.carries);
    out.text = match (out.text.take(), next.text) {
        (Some((one, _)), Some((two, _))) if one.len() + two.len() < MAX_TEXT => Some((one + &two, None)),
        _ => None,
    };
    out.lists = match (out.lists.take(), next.lists) {
        (Some(mut one), Some(two)) => {
            one.extend(two);
            Some(one)
        }
        _ => None,
    };
    out.lists_under = out.lists_under.take().or(next.lists_under);
}

fn statement(scene: &mut Scene<'_>, statement: &Statement<'_>, stdin: &Stream) -> Stream {
    if scene.shell.nesting >= MAX_NESTING {
        scene.gap(GapKind::TooDeep, Hides::Anything, Some(statement.span), "code nested too deeply");
        return Stream::default();
    }
    scene.shell.nesting += 1;
    let redirected = redirect::open(scene, &statement.redirects, stdin);
    let input = redirected.stdin.as_ref().unwrap_or(stdin);
    let out = if statement.background {
        beside(scene, |scene| node(scene, &statement.node, statement.span, input))
    } else {
        node(scene, &statement.node, statement.span, input)
    };
    let only_reads = matches!(&statement.node, Node::Simple(it) if it.words.is_empty() && it.assignments.is_empty());
    // `$(< file)` is the file's content.
    let out = if only_reads { redirected.stdin.clone().unwrap_or(out) } else { out };
    let out = redirected.close(scene, out);
    scene.shell.nesting -= 1;
    out
}

/// Runs something in a shell of its own that runs at the same time as others.
fn beside<R>(scene: &mut Scene<'_>, inside: impl FnOnce(&mut Scene<'_>) -> R) -> R {
    scene.scoped(|scene| {
        scene.shell.beside = true;
        inside(scene)
    })
}

fn node(scene: &mut Scene<'_>, node: &Node<'_>, span: Span, stdin: &Stream) -> Stream {
    match node {
        Node::Simple(it) => simple::run(scene, it, span, stdin),
        Node::Chain(links) => chain(scene, links, stdin),
        Node::Pipeline(stages) => scene.step(
            || "pipeline".to_owned(),
            Some(span),
            |scene| {
                let mut flow: Option<Stream> = None;
                for stage in stages {
                    let input = flow.as_ref().unwrap_or(stdin);
                    let mut out = beside(scene, |scene| statement(scene, stage, input));
                    out.connected = true;
                    flow = Some(out);
                }
                flow.unwrap_or_default()
            },
        ),
        Node::Subshell(body) => {
            scene.step(|| "subshell".to_owned(), Some(span), |scene| scene.scoped(|scene| script(scene, body, stdin)))
        }
        Node::Group(body) => script(scene, body, stdin),
        Node::Function { name, body, at } => {
            call::define(scene, name, body, *at);
            silent()
        }
        Node::Branches { branches, exhaustive } => {
            let mut out = silent();
            let mut ways = Ways::default();
            for (condition, body) in branches {
                join(&mut out, script(scene, condition, stdin));
                let way = Way::begin(scene);
                join(&mut out, script(scene, body, stdin));
                ways.end(scene, way);
            }
            ways.meet(scene, *exhaustive);
            out
        }
        Node::Case { words, arms } => {
            test(scene, words, stdin);
            let (mut out, mut ways) = (silent(), Ways::default());
            for body in arms {
                let way = Way::begin(scene);
                join(&mut out, script(scene, body, stdin));
                ways.end(scene, way);
            }
            ways.meet(scene, false);
            out
        }
        Node::Loop { condition, body } => scene.step(
            || "loop".to_owned(),
            Some(span),
            |scene| {
                let mut out = script(scene, condition, stdin);
                join(&mut out, script(scene, body, stdin));
                out
            },
        ),
        Node::For { variable, words, body } => scene.step(
            || format!("loop over {variable}"),
            Some(span),
            |scene| for_each(scene, variable, words.as_deref(), body, stdin),
        ),
        Node::Test(words) => {
            test(scene, words, stdin);
            silent()
        }
    }
}

fn test(scene: &mut Scene<'_>, words: &[RawWord<'_>], stdin: &Stream) {
    for word in words {
        words::single(scene, word, stdin);
    }
}

/// `a && b || c`: what a later link assigns may not be so.
fn chain(scene: &mut Scene<'_>, links: &[Statement<'_>], stdin: &Stream) -> Stream {
    let only_assigns = |link: &Statement<'_>| matches!(&link.node, Node::Simple(simple) if simple.words.is_empty());
    let doubtful = links.iter().skip(1).any(only_assigns).then(|| Way::begin(scene));
    let mut out = silent();
    for link in links {
        let next = statement(scene, link, stdin);
        join(&mut out, next);
    }
    if let Some(way) = doubtful {
        way.doubt(scene);
    }
    out
}

fn for_each(
    scene: &mut Scene<'_>,
    variable: &str,
    words: Option<&[RawWord<'_>]>,
    body: &Script<'_>,
    stdin: &Stream,
) -> Stream {
    let mut items = Vec::new();
    match words {
        Some(words) => {
            for word in words {
                words::expand(scene, word, stdin, &mut items);
            }
        }
        None => items.extend(scene.shell.positional.iter().flat_map(|words| words.iter().cloned())),
    }
    let most = if scene.shell.loops > 0 { MAX_INNER_ITEMS } else { MAX_ITEMS };
    let unknown = words.is_none() && scene.shell.positional.is_none();
    if unknown || items.len() > most {
        items = vec![Word {
            text: format!("${variable}"),
            unknown: vec![crate::classify::Unknown {
                name: variable.to_owned(),
                start: 0,
                end: variable.len() + 1,
                substitution: false,
                guarded: false,
            }],
            ..Word::default()
        }];
    }
    scene.shell.loops += 1;
    let mut out = silent();
    for item in items {
        assign::word(scene, variable, item);
        join(&mut out, script(scene, body, stdin));
    }
    scene.shell.loops -= 1;
    out
}
