//! Sound pieces of code that does not parse as a whole, found with `tree-sitter`: the only place that knows it.

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use crate::model::Span;

/// Longer texts are cut: some shapes take time that grows with the square of the length.
const MAX_CHUNK: usize = 4 * 1024;
/// Pieces longer than this are looked into: the parser that comes after has given up on long ones before.
const MAX_PIECE: usize = 2 * 1024;
const MAX_HEREDOCS: usize = 64;

/// What could be found in a text.
#[derive(Debug, Default)]
pub(super) struct Sound {
    /// In the order of the text; they do not overlap.
    pub(super) pieces: Vec<Span>,
    /// The text has no error: it was only too much for the other parser.
    pub(super) whole: bool,
}

/// Takes `text` apart into statements without errors and the words between them.
pub(super) fn pieces(text: &str) -> Sound {
    let mut sound = Sound { pieces: Vec::new(), whole: true };
    let mut start = 0;
    while start < text.len() {
        let end = start + chunk(text.get(start..).unwrap_or_default());
        sound.add(text, start, end);
        start = end;
    }
    sound
}

/// Where to cut a long text: behind a line, else behind an operator, else anywhere.
fn chunk(text: &str) -> usize {
    if text.len() <= MAX_CHUNK {
        return text.len();
    }
    let most = (0..=MAX_CHUNK).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let part = text.get(..most).unwrap_or_default();
    part.rfind('\n').or_else(|| part.rfind([';', '|', '&'])).map_or(most, |at| at + 1)
}

/// The tree of `text`; `None` when it costs far more work than its length explains.
fn parse(text: &str) -> Option<Tree> {
    // Every here-document is looked for to the end of the text.
    if memchr::memmem::find_iter(text.as_bytes(), "<<").nth(MAX_HEREDOCS).is_some() {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    // Called once per so many steps of the parser, whatever the clock says: the answer stays the same on any machine.
    let mut left = 100 + text.len() / 32;
    let mut progress = |_: &ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
    parser.parse_with_options(&mut read, None, Some(options))
}

impl Sound {
    fn add(&mut self, text: &str, start: usize, stop: usize) {
        // An operator at the cut waits for what the next part has.
        let chunk = text.get(start..stop).unwrap_or_default();
        let chunk = if stop < text.len() { chunk.trim_end_matches(['&', '|', ';', ' ']) } else { chunk };
        let Some(tree) = parse(chunk) else {
            self.whole = false;
            self.pieces.push(Span::new(start, stop));
            return;
        };
        let root = tree.root_node();
        self.whole &= !root.has_error();
        let (mut open, mut end) = (vec![root], start);
        while let Some(node) = open.pop() {
            if is_piece(node) {
                let piece = Span::new(start + node.start_byte(), start + node.end_byte());
                self.rest(text, end, piece.start);
                self.pieces.push(piece);
                end = piece.end;
            } else {
                let mut cursor = node.walk();
                let first = open.len();
                open.extend(node.children(&mut cursor));
                if let Some(children) = open.get_mut(first..) {
                    children.reverse();
                }
            }
        }
        self.rest(text, end, stop);
    }

    /// Words that belong to no piece are read as well: half a command is one.
    fn rest(&mut self, text: &str, start: usize, end: usize) {
        let between = text.get(start..end).unwrap_or_default();
        if !self.whole && between.bytes().filter(u8::is_ascii_alphanumeric).count() > 1 {
            self.pieces.push(Span::new(start, end));
        }
    }
}

fn is_piece(node: Node<'_>) -> bool {
    if node.has_error() || node.end_byte() - node.start_byte() > MAX_PIECE {
        return false;
    }
    matches!(
        node.kind(),
        "command"
            | "declaration_command"
            | "unset_command"
            | "test_command"
            | "negated_command"
            | "variable_assignment"
            | "redirected_statement"
            | "pipeline"
            | "subshell"
            | "compound_statement"
            | "if_statement"
            | "for_statement"
            | "c_style_for_statement"
            | "while_statement"
            | "case_statement"
            | "function_definition"
    )
}
