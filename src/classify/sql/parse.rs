//! The one door to the parser: from the tokens of one statement to its tree, with byte spans.
//!
//! The parser gets a copy in which comments, template marks and words it misreads are replaced by blanks or underscores of the
//! same length, so that every span still fits the text.

use std::borrow::Cow;

use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, Statement};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token as ParserToken, TokenWithSpan, Tokenizer};

use crate::model::Span;

use super::cursor::{Cursor, Name};
use super::lexer::{Kind, Token};
use super::{Run, cursor};

/// More text than this is read by its words.
const MAX_BYTES: usize = 1 << 20;
/// More tokens between two commas than this could make a tree too deep to take down again.
const MAX_CHAIN: usize = 4_000;
/// How deep the parser may go.
const MAX_DEPTH: usize = 50;

/// The tree of the statement that `tokens` are, if the parser knows it.
pub(super) fn statement(run: &Run<'_, '_, '_>, tokens: &[Token]) -> Option<Statement> {
    let mut parser = parser(run, tokens)?;
    let statement = parser.parse_statement().ok()?;
    (parser.peek_token_ref().token == ParserToken::EOF).then_some(statement)
}

/// The tree of the condition that `tokens` are.
pub(super) fn condition(run: &Run<'_, '_, '_>, tokens: &[Token]) -> Option<Expr> {
    let mut parser = parser(run, tokens)?;
    let condition = parser.parse_expr().ok()?;
    (parser.peek_token_ref().token == ParserToken::EOF).then_some(condition)
}

fn parser(run: &Run<'_, '_, '_>, tokens: &[Token]) -> Option<Parser<'static>> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    if last.end - first.start > MAX_BYTES || has_long_chain(run.text, tokens) {
        return None;
    }
    let text = prepared(run, tokens);
    let dialect = run.dialect.parser();
    let mut parsed = Vec::with_capacity(tokens.len() * 2);
    Tokenizer::new(dialect, &text).tokenize_with_location_into_buf(&mut parsed).ok()?;
    locate(&text, first.start, &mut parsed);
    Some(Parser::new(dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(parsed))
}

/// Whether somewhere more tokens than [`MAX_CHAIN`] follow each other at one level without a comma: only then can operators
/// form a tree so deep that taking it down overflows the stack.
fn has_long_chain(text: &str, tokens: &[Token]) -> bool {
    if tokens.len() <= MAX_CHAIN {
        return false;
    }
    let (mut outer, mut here) = (Vec::new(), 0usize);
    for token in tokens {
        here += 1;
        if here > MAX_CHAIN {
            return true;
        }
        if token.kind == Kind::Punct {
            match &text[token.start..token.end] {
                "," => here = 0,
                "(" | "[" | "{" => {
                    outer.push(here);
                    here = 0;
                }
                ")" | "]" | "}" => here = outer.pop().unwrap_or(here),
                _ => {}
            }
        }
    }
    false
}

/// The statement's text as the parser should see it.
fn prepared<'t>(run: &Run<'_, '_, 't>, tokens: &[Token]) -> Cow<'t, str> {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Cow::Borrowed("") };
    let whole = Span::new(first.start, last.end);
    let mut changes: Vec<(Span, u8)> = Vec::new();
    for blank in run.blanks.iter().filter(|blank| blank.start >= whole.start && blank.end <= whole.end) {
        changes.push((*blank, b' '));
    }
    let mut cursor = Cursor::new(run.text, tokens);
    let mut to_file = false;
    for (at, token) in tokens.iter().enumerate() {
        let span = Span::new(token.start, token.end);
        match token.kind {
            Kind::Param
                if !run.text.as_bytes()[token.start + 1..token.end].first().is_some_and(u8::is_ascii_digit)
                    || !run.text[token.start..].starts_with('$') =>
            {
                changes.push((span, b'_'))
            }
            // One without its end is left to the parser to refuse.
            Kind::Quoted
                if run.dialect == super::Dialect::Unknown
                    && run.text[token.start..token.end].starts_with('[')
                    && run.text[token.start..token.end].ends_with(']') =>
            {
                changes.push((Span::new(token.start, token.start + 1), b'"'));
                changes.push((Span::new(token.end - 1, token.end), b'"'));
            }
            Kind::Word if at > 0 => {
                if at < 8 {
                    misread(cursor, at, &mut changes);
                }
                // Where a query's rows go to a file: noted by its words, and no parser knows it.
                cursor.at = at;
                if !to_file
                    && token.end - token.start == 4
                    && (cursor.sees("INTO OUTFILE") || cursor.sees("INTO DUMPFILE"))
                {
                    to_file = true;
                    cursor.at += 2;
                    let end = cursor.find_flat(&["FROM", "UNION"]).unwrap_or(tokens.len());
                    changes.push((Span::new(token.start, tokens[end - 1].end), b' '));
                }
            }
            _ => {}
        }
    }
    let slice = &run.text[whole.start..whole.end];
    if changes.is_empty() {
        return Cow::Borrowed(slice);
    }
    let mut bytes = slice.as_bytes().to_vec();
    for (span, byte) in changes {
        let range = span.start - whole.start..span.end - whole.start;
        let (Some(places), Some(before)) = (bytes.get_mut(range.clone()), slice.as_bytes().get(range)) else {
            continue;
        };
        for (place, old) in places.iter_mut().zip(before) {
            *place = if byte == b' ' && *old == b'\n' { *old } else { byte };
        }
    }
    // Only whole characters were replaced by ASCII, so this cannot fail; the original is a safe answer all the same.
    String::from_utf8(bytes).map_or(Cow::Borrowed(slice), Cow::Owned)
}

/// Words at the front that the parser takes for names: `DELETE FROM ONLY t`, `DELETE QUICK FROM t`, `DELETE TOP (10) FROM t`.
fn misread(mut cursor: Cursor<'_>, at: usize, changes: &mut Vec<(Span, u8)>) {
    cursor.at = 0;
    let modifies = at <= 3 && (cursor.sees("DELETE") || cursor.sees("UPDATE"));
    cursor.at = at - 1;
    let only = ["FROM ONLY", "UPDATE ONLY", "INTO ONLY"].iter().any(|words| cursor.sees(words))
        && !matches!(cursor.peek(2), "" | "." | "," | "SET" | "WHERE");
    cursor.at = at;
    if only || modifies && ["QUICK", "LOW_PRIORITY", "IGNORE"].iter().any(|word| cursor.sees(word)) {
        cursor.at += 1;
    } else if modifies && at == 1 && cursor.eat("TOP") {
        if cursor.brackets().is_none() {
            cursor.at += 1;
        }
        cursor.eat("PERCENT");
    } else {
        return;
    }
    if let Some(span) = cursor.span_from(at) {
        changes.push((span, b' '));
    }
}

/// Replaces lines and columns by byte offsets in the whole code: line 1, column = offset + 1.
fn locate(text: &str, base: usize, tokens: &mut [TokenWithSpan]) {
    let mut chars = text.char_indices();
    let (mut line, mut column, mut offset) = (1, 1, 0);
    let mut find = |location: Location| {
        while (line, column) < (location.line, location.column) {
            let Some((at, letter)) = chars.next() else { break };
            offset = at + letter.len_utf8();
            if letter == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        Location { line: 1, column: (base + offset + 1) as u64 }
    };
    for token in tokens {
        token.span.start = find(token.span.start);
        token.span.end = find(token.span.end);
    }
}

/// Where something of the tree stands in the code.
pub(super) fn span(span: sqlparser::tokenizer::Span) -> Option<Span> {
    let (start, end) = (span.start.column as usize, span.end.column as usize);
    (span.start.line == 1 && start > 0 && end >= start).then(|| Span::new(start - 1, end - 1))
}

/// A name of the tree, taken from the text where parts of it are template marks.
pub(super) fn name(run: &Run<'_, '_, '_>, name: &ObjectName) -> Name {
    let mut found = Name::default();
    for part in &name.0 {
        if !found.text.is_empty() {
            found.text.push('.');
        }
        let ident = match part {
            ObjectNamePart::Identifier(ident) => ident,
            ObjectNamePart::Function(function) => &function.name,
        };
        let place = span(ident.span);
        if is_param(run, ident) {
            found.unresolved = true;
            let written = place.and_then(|place| run.text.get(place.start..place.end)).unwrap_or(&ident.value);
            let whole =
                written.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).filter(|rest| !rest.contains('{'));
            found.text.push_str(whole.unwrap_or(written).trim());
        } else {
            found.text.push_str(&ident.value);
        }
        found.span = cursor::join(found.span, place);
    }
    found
}

/// Whether an identifier stands for a template mark of the text.
pub(super) fn is_param(run: &Run<'_, '_, '_>, ident: &Ident) -> bool {
    ident.value.contains('_')
        && span(ident.span)
            .and_then(|span| run.text.get(span.start..span.end))
            .is_some_and(|text| text.len() >= ident.value.len() && ident.quote_style.is_none() && text != ident.value)
}
