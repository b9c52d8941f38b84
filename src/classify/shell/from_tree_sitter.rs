//! Sound pieces of code that does not parse as a whole, found with `tree-sitter`: the only place that knows it.

use tree_sitter::{Node, Parser};

use crate::model::Span;

/// Pieces longer than this are looked into: the parser that comes after has given up on long ones before.
const MAX_PIECE: usize = 16 * 1024;

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
    let mut parser = Parser::new();
    let language = tree_sitter_bash::LANGUAGE.into();
    let tree = parser.set_language(&language).ok().and_then(|()| parser.parse(text, None));
    let Some(tree) = tree else {
        return Sound { pieces: vec![Span::new(0, text.len())], whole: false };
    };
    let root = tree.root_node();
    let mut sound = Sound { pieces: Vec::new(), whole: !root.has_error() };
    let (mut open, mut end) = (vec![root], 0);
    while let Some(node) = open.pop() {
        if is_piece(node) {
            sound.rest(text, end, node.start_byte());
            sound.pieces.push(Span::new(node.start_byte(), node.end_byte()));
            end = node.end_byte();
        } else {
            let mut cursor = node.walk();
            let first = open.len();
            open.extend(node.children(&mut cursor));
            open[first..].reverse();
        }
    }
    sound.rest(text, end, text.len());
    sound
}

impl Sound {
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
