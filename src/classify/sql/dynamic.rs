//! Code put together at run time: variables that hold literals, concatenation, `format()`.
//!
//! What is known of such code is read as SQL of its own; what is not stands in it as a template mark (`{{name}}`), which
//! makes the name that it is part of unresolved.

use crate::model::{Certainty, CodeOrigin, Extent, Hides, Operation, Resource, ResourceKind, Span};

use super::cursor::{self, Cursor};
use super::lexer::{Kind, Token};
use super::{Run, control};

/// Variables beyond this are forgotten; what is forgotten is a gap where it is run.
const MAX_VARIABLES: usize = 64;
/// Code longer than this is not put together.
const MAX_BYTES: usize = 64 * 1024;
/// Calls around calls deeper than this are holes.
const MAX_DEPTH: usize = 8;

/// Code as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Built {
    pub(super) code: String,
    pub(super) holes: Holes,
    pub(super) span: Option<Span>,
    /// Some of it was written as numbers.
    pub(super) decoded: bool,
    /// It begins with words of its own, so that its verb is known.
    begins: bool,
}

/// What the unknown parts of code may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holes {
    #[default]
    None,
    /// Names and values that were quoted: they cannot hide a statement.
    Quoted,
    /// Text that could hold anything.
    Open,
}

impl Built {
    fn hole(&mut self, text: &str, kind: Holes) {
        let name: String = text.chars().filter(|letter| letter.is_alphanumeric() || "._@".contains(*letter)).collect();
        let name = name.trim_matches('.');
        self.code.push_str("{{");
        self.code.push_str(if name.is_empty() { "x" } else { name.get(..40).unwrap_or(name) });
        self.code.push_str("}}");
        self.holes = self.holes.max(kind);
    }

    fn text(&mut self, text: &str) {
        self.begins |=
            self.code.is_empty() && text.trim_start().starts_with(|letter: char| letter.is_ascii_alphabetic());
        self.code.push_str(text);
    }

    fn join(&mut self, other: &Self) {
        self.begins |= self.code.is_empty() && other.begins;
        self.code.push_str(&other.code);
        self.holes = self.holes.max(other.holes);
        self.decoded |= other.decoded;
        self.span = cursor::join(self.span, other.span);
    }
}

/// Reads what a string expression yields; stops at a comma, a closing bracket or a word that no expression goes on with.
pub(super) fn expression(run: &Run<'_, '_, '_>, cursor: &mut Cursor<'_>) -> Option<Built> {
    let mut built = Built::default();
    let any = glued(run, cursor, &mut built, 0);
    (any && built.code.len() <= MAX_BYTES).then_some(built)
}

fn glued(run: &Run<'_, '_, '_>, cursor: &mut Cursor<'_>, built: &mut Built, depth: usize) -> bool {
    let mut any = false;
    loop {
        if !term(run, cursor, built, depth) {
            return any;
        }
        any = true;
        // Casts say nothing about the text: `'…'::text`.
        while cursor.sees_punct("::") || cursor.sees_punct(":") && cursor.peek(1) == ":" {
            cursor.at += usize::from(!cursor.sees_punct("::")) + 1;
            cursor.name();
        }
        if !cursor.eat_punct("||") && !cursor.eat_punct("+") {
            return any;
        }
        if built.code.len() > MAX_BYTES {
            return false;
        }
    }
}

fn term(run: &Run<'_, '_, '_>, cursor: &mut Cursor<'_>, built: &mut Built, depth: usize) -> bool {
    let Some(token) = cursor.token() else { return false };
    let written = cursor.peek(0);
    match token.kind {
        Kind::Text => {
            if let Some((text, span)) = cursor.string() {
                let hex = written.starts_with(['x', 'X']).then(|| unhex(&text)).flatten();
                built.decoded |= hex.is_some();
                built.text(&hex.unwrap_or(text));
                built.span = cursor::join(built.span, Some(span));
            }
            true
        }
        Kind::Number => {
            cursor.at += 1;
            match written.strip_prefix("0x").or_else(|| written.strip_prefix("0X")).and_then(unhex) {
                Some(text) if text.len() >= 8 => {
                    built.decoded = true;
                    built.text(&text);
                    built.span = cursor::join(built.span, Some(Span::new(token.start, token.end)));
                }
                _ => built.text(written),
            }
            true
        }
        Kind::Param => {
            cursor.at += 1;
            let name = written.trim_start_matches(':');
            match run.variables.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, value)) => built.join(value),
                None => built.hole(written, Holes::Open),
            }
            true
        }
        Kind::Punct if written == "(" => {
            let inner = cursor.brackets().unwrap_or_default();
            let mut inner = Cursor::new(cursor.text, inner);
            inner.eat("SELECT");
            depth < MAX_DEPTH && glued(run, &mut inner, built, depth + 1)
        }
        Kind::Word | Kind::Quoted => {
            let start = cursor.at;
            let Some(name) = cursor.name() else { return false };
            if cursor.sees_punct("(") {
                let inner = cursor.brackets().unwrap_or_default();
                return depth < MAX_DEPTH && call(run, &name.text, Cursor::new(cursor.text, inner), built, depth + 1);
            }
            if start == cursor.at {
                return false;
            }
            match run.variables.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(&name.text)) {
                Some((_, value)) => built.join(value),
                None => built.hole(&name.text, Holes::Open),
            }
            true
        }
        Kind::Punct => false,
    }
}

/// A function inside a string expression.
fn call(run: &Run<'_, '_, '_>, name: &str, mut inner: Cursor<'_>, built: &mut Built, depth: usize) -> bool {
    let lower = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    match lower.as_str() {
        "format" => {
            let mut pattern = Built::default();
            if !glued(run, &mut inner, &mut pattern, depth) {
                return false;
            }
            let mut arguments = Vec::new();
            while inner.eat_punct(",") {
                let mut argument = Built::default();
                let start = inner.at;
                if !glued(run, &mut inner, &mut argument, depth) {
                    argument.hole("x", Holes::Open);
                    inner.at = inner.at.max(start + 1);
                }
                arguments.push(argument);
            }
            fill(&pattern, &arguments, built);
            true
        }
        "concat" | "concat_ws" | "group_concat" | "string_agg" | "listagg" | "array_to_string" | "array_agg" => {
            loop {
                let start = inner.at;
                inner.eat("DISTINCT");
                // What stands between the parts is a separator or an ORDER BY, and says nothing.
                let separator = lower == "concat_ws" && start == 0
                    || matches!(lower.as_str(), "string_agg" | "listagg" | "array_to_string") && start > 0;
                let mut part = Built::default();
                if glued(run, &mut inner, &mut part, depth) && !separator {
                    built.join(&part);
                }
                while !inner.ended() && !inner.sees_punct(",") {
                    inner.at += 1;
                }
                if !inner.eat_punct(",") {
                    return true;
                }
            }
        }
        "cast" | "convert" | "try_cast" | "try_convert" | "n" | "unistr" | "trim" | "rtrim" | "ltrim" | "lower"
        | "upper" | "coalesce" | "isnull" | "nvl" | "ifnull" | "to_char" | "min" | "max" | "replace" => {
            if matches!(lower.as_str(), "convert" | "try_convert")
                && inner.token().is_some_and(|token| token.kind == Kind::Word)
            {
                inner.name();
                inner.brackets();
                inner.eat_punct(",");
            }
            glued(run, &mut inner, built, depth)
        }
        "char" | "chr" | "nchar" => {
            let mut text = String::new();
            loop {
                let code = inner.number().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                let Some(letter) = code else { break };
                text.push(letter);
                if !inner.eat_punct(",") {
                    break;
                }
            }
            built.decoded |= !text.is_empty();
            if text.is_empty() {
                built.hole(name, Holes::Open)
            } else {
                built.text(&text)
            }
            true
        }
        "unhex" | "from_hex" => {
            let text = inner.string().and_then(|(text, _)| unhex(&text));
            built.decoded |= text.is_some();
            match text {
                Some(text) => built.text(&text),
                None => built.hole(name, Holes::Open),
            }
            true
        }
        "quote_ident" | "quote_literal" | "quote_nullable" | "quotename" | "quote" | "enquote_name"
        | "enquote_literal" | "simple_sql_name" => {
            let words = inner.span().map_or("", |span| &inner.text[span.start..span.end]);
            built.hole(words, Holes::Quoted);
            true
        }
        _ => {
            let words = inner.span().map_or("", |span| &inner.text[span.start..span.end]);
            built.hole(if words.is_empty() { name } else { words }, Holes::Open);
            true
        }
    }
}

/// Puts the arguments of `format` in their places: `%I`, `%L`, `%s`, `%2$I`.
fn fill(pattern: &Built, arguments: &[Built], built: &mut Built) {
    let mut next = 0;
    let mut rest = pattern.code.as_str();
    let mut filled = Built {
        span: pattern.span,
        holes: pattern.holes,
        decoded: pattern.decoded,
        begins: pattern.begins,
        ..Built::default()
    };
    while let Some(at) = rest.find('%') {
        filled.code.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (place, kind) = match after[digits..].strip_prefix('$') {
            Some(behind) if digits > 0 => {
                (after[..digits].parse::<usize>().ok().map(|place| place.wrapping_sub(1)), behind)
            }
            _ => (None, after),
        };
        rest = kind.get(1..).unwrap_or_default();
        let holes = match kind.bytes().next() {
            Some(b'%') => {
                filled.code.push('%');
                continue;
            }
            Some(b'I' | b'L') => Holes::Quoted,
            Some(b's') => Holes::Open,
            _ => {
                filled.code.push('%');
                rest = after;
                continue;
            }
        };
        let at = place.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        match arguments.get(at) {
            Some(argument) if argument.holes == Holes::None && holes == Holes::Open => {
                filled.code.push_str(&argument.code)
            }
            Some(argument) if argument.holes == Holes::None && kind.starts_with('I') => {
                filled.code.push('"');
                filled.code.push_str(&argument.code.replace('"', ""));
                filled.code.push('"');
            }
            Some(argument) => filled.hole(&argument.code, holes.min(argument.holes.max(Holes::Quoted))),
            None => filled.hole("x", holes),
        }
    }
    filled.code.push_str(rest);
    built.join(&filled);
}

/// Text from hexadecimal digits, of one byte a letter or (as T-SQL writes `nvarchar`) of two.
fn unhex(digits: &str) -> Option<String> {
    let digits = digits.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || digits.len() > MAX_BYTES {
        return None;
    }
    let nibble = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let bytes =
        digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect::<Option<Vec<u8>>>()?;
    let wide =
        bytes.len() >= 4 && bytes.len().is_multiple_of(2) && bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    let bytes: Vec<u8> = if wide { bytes.into_iter().step_by(2).collect() } else { bytes };
    String::from_utf8(bytes)
        .ok()
        .filter(|text| text.chars().all(|letter| !letter.is_control() || letter.is_whitespace()))
}

/// Runs what was put together; `false` when nothing of it is known.
pub(super) fn runs(run: &mut Run<'_, '_, '_>, built: &Built, by: &str, span: Option<Span>) {
    let place = built.span.or(span).unwrap_or(Span::new(0, 0));
    if built.decoded && built.holes == Holes::None {
        note(run, by, CodeOrigin::Decoded, span);
    }
    if built.holes == Holes::Open {
        note(run, by, CodeOrigin::Dynamic, span);
        control::dynamic(run, span, Hides::Anything);
    }
    if built.holes == Holes::None {
        run.nested_sql(&built.code, place, None);
        return;
    }
    if !built.begins {
        if built.holes == Holes::Quoted {
            note(run, by, CodeOrigin::Dynamic, span);
            control::dynamic(run, span, Hides::Anything);
        }
        return;
    }
    let mark = run.scene.mark();
    run.nested_sql(&built.code, place, None);
    for effect in run.scene.since(mark) {
        effect.certainty = effect.certainty.max(Certainty::Lexical);
    }
}

pub(super) fn note(run: &mut Run<'_, '_, '_>, by: &str, code: CodeOrigin, span: Option<Span>) {
    let resource = Resource::new(ResourceKind::Code, "");
    run.put(Operation::Execute, resource, Extent::One, by, span, |effect| effect.code = Some(code));
}

/// Remembers what a statement puts into variables: `SET @q = '…'`, `DECLARE @q text = '…'`, `SELECT … INTO @q`, `q := '…'`.
pub(super) fn remember(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) {
    let routine = run.blocks > 0 || run.declares;
    let sets = matches!(verb, "SET" | "DECLARE" | "LET") && here.tokens.len() > 3;
    let signed = |token: &Token| here.text.as_bytes().get(token.start) == Some(&b'@');
    if !routine && !sets && !here.tokens.iter().any(signed) {
        return;
    }
    match verb {
        "SELECT" | "WITH" => {
            // `SELECT '…' || x INTO q FROM …`
            let into = here.find("INTO").map(|at| Cursor { at: at + 1, ..here });
            if let Some(mut target) = into.filter(|target| routine || target.peek(0).starts_with('@')) {
                target.eat("STRICT");
                let mut value = Cursor { at: 1, ..here };
                if let (Some(name), Some(built)) = (target.name(), expression(run, &mut value)) {
                    keep(run, name.text, built, false);
                }
                return;
            }
            assignments(run, Cursor { at: 1, ..here });
        }
        "SET" | "DECLARE" | "LET" => assignments(run, Cursor { at: 1, ..here }),
        _ => assignments(run, here),
    }
}

/// `@a = '…', @b += '…'`, with or without a type between name and value.
fn assignments(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    while let Some(name) = cursor.name() {
        // The type of a declaration: `nvarchar(max)`, `character varying (20)`.
        let mut words = 0;
        while words < 4
            && cursor.token().is_some_and(|token| token.kind == Kind::Word)
            && !cursor.sees("DEFAULT")
            && !cursor.sees("FROM")
        {
            cursor.at += 1;
            words += 1;
        }
        cursor.brackets();
        let adds = (cursor.sees_punct("+=") && cursor.eat_punct("+="))
            || cursor.sees_punct("+") && cursor.peek(1) == "=" && {
                cursor.at += 2;
                true
            };
        if !adds && !cursor.eat_punct("=") && !cursor.eat_punct(":=") && !cursor.eat("DEFAULT") {
            return;
        }
        match expression(run, &mut cursor) {
            Some(built) => keep(run, name.text, built, adds),
            None => run.variables.retain(|(known, _)| !known.eq_ignore_ascii_case(&name.text)),
        }
        if !cursor.eat_punct(",") {
            return;
        }
    }
}

fn keep(run: &mut Run<'_, '_, '_>, name: String, built: Built, adds: bool) {
    let at = run.variables.iter().position(|(known, _)| known.eq_ignore_ascii_case(&name));
    // What a branch or a loop sets may not be what is run: both are kept, the later one counts.
    match at {
        Some(at) if adds => run.variables[at].1.join(&built),
        Some(at) => run.variables[at].1 = built,
        None if run.variables.len() < MAX_VARIABLES => run.variables.push((name, built)),
        None => {}
    }
}
