//! Words: their quotes, parameters and substitutions.

use shuck_ast as ast;

use super::super::tree::{Change, Index, Parameter, Part, RawWord, Substitution};
use super::{Converter, span};

impl<'t> Converter<'t> {
    pub(super) fn words(&mut self, words: &'t [ast::Word]) -> Vec<RawWord<'t>> {
        words.iter().map(|word| self.word(word)).collect()
    }

    pub(super) fn word(&mut self, word: &'t ast::Word) -> RawWord<'t> {
        let mut parts = Vec::with_capacity(word.parts.len());
        for part in &word.parts {
            self.part(part, false, &mut parts);
        }
        RawWord { parts, span: Some(span(word.span)), braces: word.has_active_brace_expansion() }
    }

    fn part(&mut self, node: &'t ast::WordPartNode, quoted: bool, parts: &mut Vec<Part<'t>>) {
        let written = self.slice(node.span);
        parts.push(match &node.kind {
            ast::WordPart::Literal(text) if quoted => Part::Quoted(text.as_str(self.text, node.span)),
            ast::WordPart::Literal(text) if written.is_empty() => Part::Bare(text.as_str(self.text, node.span)),
            ast::WordPart::Literal(_) | ast::WordPart::ZshQualifiedGlob(_) => Part::Bare(written),
            ast::WordPart::SingleQuoted { value, .. } => Part::Quoted(value.slice(self.text)),
            ast::WordPart::DoubleQuoted { parts: inner, .. } => {
                // Even an empty pair of quotes makes a word.
                parts.push(Part::Quoted(""));
                for part in inner {
                    let raw = self.slice(part.span);
                    // The parser takes out the outer backslashes of `"\\\""` only sometimes.
                    if matches!(part.kind, ast::WordPart::Literal(_)) && raw.contains('\\') {
                        parts.push(Part::Unescaped(in_quotes(raw)));
                    } else {
                        self.part(part, true, parts);
                    }
                }
                return;
            }
            ast::WordPart::Variable(name) => plain(name.as_str(), written, quoted),
            ast::WordPart::CommandSubstitution { body, syntax } => self.substitution(body, *syntax, node.span, quoted),
            ast::WordPart::ArithmeticExpansion { expression_word_ast, .. } => {
                Part::Arithmetic { words: vec![self.word(expression_word_ast)], written, quoted }
            }
            ast::WordPart::Parameter(parameter) => self.parameter(parameter, written, quoted),
            ast::WordPart::ParameterExpansion { reference, operator, operand_word_ast, colon_variant, .. } => {
                let change = self.operation(operator, operand_word_ast.as_deref(), *colon_variant);
                self.reference(reference, change, written, quoted)
            }
            ast::WordPart::ArrayAccess(reference) => self.reference(reference, Change::None, written, quoted),
            ast::WordPart::Length(reference) | ast::WordPart::ArrayLength(reference) => {
                self.reference(reference, Change::Length, written, quoted)
            }
            ast::WordPart::Substring { reference, offset_word_ast, length_word_ast, .. }
            | ast::WordPart::ArraySlice { reference, offset_word_ast, length_word_ast, .. } => {
                let length = length_word_ast.as_deref().map(|word| self.word(word));
                let change = Change::Slice { offset: self.word(offset_word_ast), length };
                self.reference(reference, change, written, quoted)
            }
            ast::WordPart::IndirectExpansion { reference, operand_word_ast, .. } => {
                let words = operand_word_ast.iter().map(|word| self.word(word)).collect();
                self.reference(reference, Change::Opaque(words), written, quoted)
            }
            ast::WordPart::ArrayIndices(reference) | ast::WordPart::Transformation { reference, .. } => {
                self.reference(reference, Change::Opaque(Vec::new()), written, quoted)
            }
            ast::WordPart::PrefixMatch { prefix, .. } => opaque(prefix.as_str(), Vec::new(), written, quoted),
            ast::WordPart::ProcessSubstitution { body, is_input } => Part::Process(Substitution {
                body: self.script(body),
                written,
                span: span(node.span),
                quoted: false,
                writes: !is_input,
            }),
        });
    }

    pub(super) fn substitution(
        &mut self,
        body: &'t ast::StmtSeq,
        syntax: ast::CommandSubstitutionSyntax,
        at: ast::Span,
        quoted: bool,
    ) -> Part<'t> {
        let written = self.slice(at);
        let mut made = Substitution { body: Vec::new(), written, span: span(at), quoted, writes: false };
        // Inside backticks a backslash hides backticks, dollars and itself from this level only.
        if syntax == ast::CommandSubstitutionSyntax::Backtick && written.contains('\\') {
            let code = unescaped(written.trim_start_matches('`').strip_suffix('`').unwrap_or(written), quoted);
            return Part::Code(made, code);
        }
        made.body = self.script(body);
        Part::Command(made)
    }

    pub(super) fn parameter(
        &mut self,
        parameter: &'t ast::ParameterExpansion,
        written: &'t str,
        quoted: bool,
    ) -> Part<'t> {
        use ast::BourneParameterExpansion as Expansion;
        let Some(syntax) = parameter.bourne() else {
            return opaque("", Vec::new(), written, quoted);
        };
        match syntax {
            Expansion::Access { reference } => self.reference(reference, Change::None, written, quoted),
            Expansion::Length { reference } => self.reference(reference, Change::Length, written, quoted),
            Expansion::Indices { reference } | Expansion::Transformation { reference, .. } => {
                self.reference(reference, Change::Opaque(Vec::new()), written, quoted)
            }
            Expansion::Indirect { reference, operand_word_ast, .. } => {
                let words = operand_word_ast.iter().map(|word| self.word(word)).collect();
                self.reference(reference, Change::Opaque(words), written, quoted)
            }
            Expansion::PrefixMatch { prefix, .. } => opaque(prefix.as_str(), Vec::new(), written, quoted),
            Expansion::Slice { reference, offset_word_ast, length_word_ast, .. } => {
                let length = length_word_ast.as_deref().map(|word| self.word(word));
                let change = Change::Slice { offset: self.word(offset_word_ast), length };
                self.reference(reference, change, written, quoted)
            }
            Expansion::Operation { reference, operator, operand_word_ast, colon_variant, .. } => {
                let change = self.operation(operator, operand_word_ast.as_deref(), *colon_variant);
                self.reference(reference, change, written, quoted)
            }
        }
    }

    fn operation(&mut self, operator: &'t ast::ParameterOp, word: Option<&'t ast::Word>, empty: bool) -> Change<'t> {
        use ast::ParameterOp as Op;
        let trim = |pattern, prefix, longest| Change::Trim { pattern, prefix, longest };
        let operand = word.map(|word| self.word(word)).unwrap_or_default();
        match operator {
            Op::UseDefault => Change::Default { word: operand, assign: false, empty },
            Op::AssignDefault => Change::Default { word: operand, assign: true, empty },
            Op::UseReplacement => Change::Alternative(operand),
            Op::Error => Change::Required(operand),
            Op::RemovePrefixShort { pattern } => trim(self.pattern(pattern), true, false),
            Op::RemovePrefixLong { pattern } => trim(self.pattern(pattern), true, true),
            Op::RemoveSuffixShort { pattern } => trim(self.pattern(pattern), false, false),
            Op::RemoveSuffixLong { pattern } => trim(self.pattern(pattern), false, true),
            Op::ReplaceFirst { pattern, replacement_word_ast, .. } => {
                Change::Replace { pattern: self.pattern(pattern), with: self.word(replacement_word_ast), all: false }
            }
            Op::ReplaceAll { pattern, replacement_word_ast, .. } => {
                Change::Replace { pattern: self.pattern(pattern), with: self.word(replacement_word_ast), all: true }
            }
            Op::UpperFirst => Change::Case { upper: true, first: true },
            Op::UpperAll => Change::Case { upper: true, first: false },
            Op::LowerFirst => Change::Case { upper: false, first: true },
            Op::LowerAll => Change::Case { upper: false, first: false },
        }
    }

    fn reference(
        &mut self,
        reference: &'t ast::VarRef,
        change: Change<'t>,
        written: &'t str,
        quoted: bool,
    ) -> Part<'t> {
        let index = match reference.subscript.as_deref() {
            None => Index::None,
            Some(subscript) if subscript.is_array_selector() => Index::All,
            Some(subscript) => Index::At(self.subscript(subscript)),
        };
        Part::Parameter(Box::new(Parameter { name: reference.name.as_str(), index, change, written, quoted }))
    }

    pub(super) fn pattern(&mut self, pattern: &'t ast::Pattern) -> RawWord<'t> {
        let mut word = RawWord { parts: Vec::new(), span: Some(span(pattern.span)), braces: false };
        for part in &pattern.parts {
            match &part.kind {
                ast::PatternPart::Word(inner) => word.parts.extend(self.word(inner).parts),
                ast::PatternPart::Group { patterns, .. } => {
                    for inner in patterns {
                        word.parts.extend(self.pattern(inner).parts);
                    }
                }
                _ => word.parts.push(Part::Bare(self.slice(part.span))),
            }
        }
        word
    }
}

pub(super) fn plain<'t>(name: &'t str, written: &'t str, quoted: bool) -> Part<'t> {
    Part::Parameter(Box::new(Parameter { name, index: Index::None, change: Change::None, written, quoted }))
}

fn opaque<'t>(name: &'t str, words: Vec<RawWord<'t>>, written: &'t str, quoted: bool) -> Part<'t> {
    Part::Parameter(Box::new(Parameter { name, index: Index::None, change: Change::Opaque(words), written, quoted }))
}

/// What stands between double quotes, without the backslashes that count there.
fn in_quotes(raw: &str) -> String {
    let (mut plain, mut letters) = (String::with_capacity(raw.len()), raw.chars());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some(hidden @ ('"' | '\\' | '$' | '`')) => plain.push(hidden),
            Some('\n') => {}
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

fn unescaped(code: &str, in_quotes: bool) -> String {
    let (mut plain, mut letters) = (String::with_capacity(code.len()), code.chars().peekable());
    while let Some(letter) = letters.next() {
        let hidden = letters.peek().is_some_and(|next| matches!(next, '`' | '\\' | '$') || (in_quotes && *next == '"'));
        match letters.peek() {
            Some(next) if letter == '\\' && hidden => {
                plain.push(*next);
                letters.next();
            }
            _ => plain.push(letter),
        }
    }
    plain
}
