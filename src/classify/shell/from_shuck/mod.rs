//! From the syntax tree of `shuck-parser` to ours: only this folder knows it.

use shuck_ast as ast;
use shuck_parser::parser::{ParseResult, ParseStatus, Parser};

use self::words::plain;
use super::tree::{Assignment, Node, Part, RawWord, Redirect, RedirectKind, Script, Simple, Statement, Value};
use crate::model::Span;

mod words;

/// Groups and substitutions nested deeper than this are not followed; bounds our own recursion here and in the walk.
const MAX_NESTING: usize = 40;

/// A text that parsed without complaint.
pub(super) struct Parsed(ParseResult);

/// Parses `text`, or says what the parser has against it.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let result = Parser::new(text).parse();
    if result.status == ParseStatus::Clean {
        return Ok(Parsed(result));
    }
    Err(match (result.diagnostics.first(), &result.terminal_error) {
        (Some(diagnostic), _) => diagnostic.message.clone(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "does not parse".to_owned(),
    })
}

impl Parsed {
    /// Our tree; `None` when it is nested too deeply to be walked.
    pub(super) fn script<'t>(&'t self, text: &'t str) -> Option<Script<'t>> {
        let mut converter = Converter { text, nesting: 0, too_deep: false };
        let script = converter.script(&self.0.file.body);
        (!converter.too_deep).then_some(script)
    }
}

struct Converter<'t> {
    text: &'t str,
    nesting: usize,
    too_deep: bool,
}

impl<'t> Converter<'t> {
    fn script(&mut self, body: &'t ast::StmtSeq) -> Script<'t> {
        if self.nesting >= MAX_NESTING {
            self.too_deep = true;
            return Vec::new();
        }
        self.nesting += 1;
        let script = body.stmts.iter().map(|statement| self.statement(statement)).collect();
        self.nesting -= 1;
        script
    }

    fn one(&mut self, statement: &'t ast::Stmt) -> Script<'t> {
        if self.nesting >= MAX_NESTING {
            self.too_deep = true;
            return Vec::new();
        }
        self.nesting += 1;
        let script = vec![self.statement(statement)];
        self.nesting -= 1;
        script
    }

    fn statement(&mut self, statement: &'t ast::Stmt) -> Statement<'t> {
        Statement {
            node: self.command(&statement.command),
            redirects: statement.redirects.iter().map(|redirect| self.redirect(redirect)).collect(),
            or: false,
            background: matches!(statement.terminator, Some(ast::StmtTerminator::Background(_))),
            span: trimmed(self.text, span(statement.span)),
        }
    }

    fn command(&mut self, command: &'t ast::Command) -> Node<'t> {
        match command {
            ast::Command::Simple(simple) => {
                let mut words = Vec::with_capacity(1 + simple.args.len());
                let name = self.word(&simple.name);
                // Without a program the parser gives an empty name that stands nowhere.
                if name.span.is_some_and(|span| span.start < span.end) {
                    words.push(name);
                }
                words.extend(simple.args.iter().map(|word| self.word(word)));
                Node::Simple(Simple { assignments: self.assignments(&simple.assignments), words, declares: Vec::new() })
            }
            ast::Command::Builtin(builtin) => self.builtin(builtin),
            ast::Command::Decl(declaration) => self.declaration(declaration),
            ast::Command::Binary(binary) => self.binary(binary),
            ast::Command::Compound(compound) => self.compound(compound),
            ast::Command::Function(function) => {
                let at = trimmed(self.text, span(function.body.span));
                let name = function.static_names().next().map_or("", |name| name.as_str());
                Node::Function { name, body: self.text.get(at.start..at.end).unwrap_or_default(), at }
            }
            ast::Command::AnonymousFunction(function) => Node::Group(self.one(&function.body)),
        }
    }

    fn builtin(&mut self, builtin: &'t ast::BuiltinCommand) -> Node<'t> {
        let (name, first, more, assignments) = match builtin {
            ast::BuiltinCommand::Break(it) => ("break", &it.depth, &it.extra_args, &it.assignments),
            ast::BuiltinCommand::Continue(it) => ("continue", &it.depth, &it.extra_args, &it.assignments),
            ast::BuiltinCommand::Return(it) => ("return", &it.code, &it.extra_args, &it.assignments),
            ast::BuiltinCommand::Exit(it) => ("exit", &it.code, &it.extra_args, &it.assignments),
        };
        let mut words = vec![RawWord { parts: vec![Part::Bare(name)], span: None, braces: false }];
        words.extend(first.iter().chain(more).map(|word| self.word(word)));
        Node::Simple(Simple { assignments: self.assignments(assignments), words, declares: Vec::new() })
    }

    fn declaration(&mut self, declaration: &'t ast::DeclClause) -> Node<'t> {
        let name = Part::Bare(declaration.variant.as_str());
        let mut simple = Simple {
            assignments: self.assignments(&declaration.assignments),
            words: vec![RawWord { parts: vec![name], span: Some(span(declaration.variant_span)), braces: false }],
            declares: Vec::new(),
        };
        for operand in &declaration.operands {
            match operand {
                ast::DeclOperand::Flag(word) | ast::DeclOperand::Dynamic(word) => simple.words.push(self.word(word)),
                ast::DeclOperand::Name(name) => simple.words.push(self.literal(name.span)),
                ast::DeclOperand::Assignment(assignment) => simple.declares.push(self.assignment(assignment)),
            }
        }
        Node::Simple(simple)
    }

    /// Flattens a chain: its left side can be a thousand links deep.
    fn binary(&mut self, binary: &'t ast::BinaryCommand) -> Node<'t> {
        let pipes = |op| matches!(op, ast::BinaryOp::Pipe | ast::BinaryOp::PipeAll);
        let pipeline = pipes(binary.op);
        let mut links = vec![(&*binary.right, binary.op)];
        let mut left = &*binary.left;
        while let ast::Command::Binary(inner) = &left.command {
            if pipes(inner.op) != pipeline || !left.redirects.is_empty() || left.terminator.is_some() {
                break;
            }
            links.push((&inner.right, inner.op));
            left = &inner.left;
        }
        links.push((left, ast::BinaryOp::And));
        let link = |(link, op)| Statement { or: op == ast::BinaryOp::Or, ..self.statement(link) };
        let script = links.into_iter().rev().map(link).collect();
        if pipeline { Node::Pipeline(script) } else { Node::Chain(script) }
    }

    fn compound(&mut self, compound: &'t ast::CompoundCommand) -> Node<'t> {
        use ast::CompoundCommand as Compound;
        match compound {
            Compound::If(it) => {
                let mut branches = vec![(self.script(&it.condition), self.script(&it.then_branch))];
                for (condition, body) in &it.elif_branches {
                    branches.push((self.script(condition), self.script(body)));
                }
                if let Some(body) = &it.else_branch {
                    branches.push((Vec::new(), self.script(body)));
                }
                Node::Branches { branches, exhaustive: it.else_branch.is_some() }
            }
            Compound::For(it) => Node::For {
                variable: it.targets.first().and_then(|target| target.name.as_ref()).map_or("", |name| name.as_str()),
                words: it.words.as_ref().map(|words| self.words(words)),
                body: self.script(&it.body),
            },
            Compound::Foreach(it) => Node::For {
                variable: it.variable.as_str(),
                words: Some(self.words(&it.words)),
                body: self.script(&it.body),
            },
            Compound::Select(it) => Node::For {
                variable: it.variable.as_str(),
                words: Some(self.words(&it.words)),
                body: self.script(&it.body),
            },
            Compound::Repeat(it) => Node::Case { words: vec![self.word(&it.count)], arms: vec![self.script(&it.body)] },
            Compound::ArithmeticFor(it) => {
                let asts = [&it.init_ast, &it.condition_ast, &it.step_ast];
                let words = asts.into_iter().flatten().flat_map(|node| self.arithmetic(node)).collect();
                Node::Case { words, arms: vec![self.script(&it.body)] }
            }
            Compound::While(it) => Node::Loop { condition: self.script(&it.condition), body: self.script(&it.body) },
            Compound::Until(it) => Node::Loop { condition: self.script(&it.condition), body: self.script(&it.body) },
            Compound::Case(it) => {
                let mut words = vec![self.word(&it.word)];
                for pattern in it.cases.iter().flat_map(|case| &case.patterns) {
                    words.push(self.pattern(pattern));
                }
                Node::Case { words, arms: it.cases.iter().map(|case| self.script(&case.body)).collect() }
            }
            Compound::Subshell(body) => Node::Subshell(self.script(body)),
            Compound::BraceGroup(body) => Node::Group(self.script(body)),
            Compound::Always(it) => {
                let mut script = self.script(&it.body);
                script.extend(self.script(&it.always_body));
                Node::Group(script)
            }
            Compound::Arithmetic(it) => {
                Node::Test(it.expr_ast.as_ref().map(|node| self.arithmetic(node)).unwrap_or_default())
            }
            Compound::Time(it) => Node::Group(it.command.as_ref().map(|command| self.one(command)).unwrap_or_default()),
            Compound::Coproc(it) => Node::Subshell(self.one(&it.body)),
            Compound::Conditional(it) => Node::Test(self.conditional(&it.expression)),
        }
    }

    fn redirect(&mut self, redirect: &'t ast::Redirect) -> Redirect<'t> {
        use ast::RedirectKind as Kind;
        let whole = span(redirect.span);
        let appends = || self.text.get(whole.start..whole.end).is_some_and(|text| text.contains(">>"));
        let kind = match redirect.kind {
            Kind::Output | Kind::Clobber => RedirectKind::Write,
            Kind::Append => RedirectKind::Append,
            Kind::OutputBoth if appends() => RedirectKind::Append,
            Kind::OutputBoth => RedirectKind::Write,
            Kind::Input => RedirectKind::Read,
            Kind::ReadWrite => RedirectKind::ReadWrite,
            Kind::HereDoc | Kind::HereDocStrip => RedirectKind::HereDocument,
            Kind::HereString => RedirectKind::HereString,
            Kind::DupOutput | Kind::DupInput => RedirectKind::Duplicate,
        };
        let target = match &redirect.target {
            ast::RedirectTarget::Word(word) => self.word(word),
            ast::RedirectTarget::Heredoc(heredoc) => self.heredoc(&heredoc.body),
        };
        Redirect { fd: redirect.fd, kind, target, span: whole }
    }

    fn heredoc(&mut self, body: &'t ast::HeredocBody) -> RawWord<'t> {
        let mut parts = Vec::with_capacity(body.parts.len());
        for node in &body.parts {
            let written = self.slice(node.span);
            parts.push(match &node.kind {
                ast::HeredocBodyPart::Literal(text) => Part::Quoted(text.as_str(self.text, node.span)),
                ast::HeredocBodyPart::Variable(name) => plain(name.as_str(), written, true),
                ast::HeredocBodyPart::CommandSubstitution { body, syntax } => {
                    self.substitution(body, *syntax, node.span, true)
                }
                ast::HeredocBodyPart::ArithmeticExpansion { expression_word_ast, .. } => {
                    Part::Arithmetic { words: vec![self.word(expression_word_ast)], written, quoted: true }
                }
                ast::HeredocBodyPart::Parameter(parameter) => self.parameter(parameter, written, true),
            });
        }
        RawWord { parts, span: Some(span(body.span)), braces: false }
    }

    fn assignments(&mut self, assignments: &'t [ast::Assignment]) -> Vec<Assignment<'t>> {
        assignments.iter().map(|assignment| self.assignment(assignment)).collect()
    }

    fn assignment(&mut self, assignment: &'t ast::Assignment) -> Assignment<'t> {
        let value = match &assignment.value {
            ast::AssignmentValue::Scalar(word) => Value::Word(self.word(word)),
            ast::AssignmentValue::Compound(array) => {
                let (mut items, mut associative) = (Vec::new(), array.kind == ast::ArrayKind::Associative);
                for element in &array.elements {
                    match element {
                        ast::ArrayElem::Sequential(value) => items.push(self.word(&value.word)),
                        ast::ArrayElem::Keyed { key, value } | ast::ArrayElem::KeyedAppend { key, value } => {
                            associative = true;
                            items.extend(key.word_ast().map(|word| self.word(word)));
                            items.push(self.word(&value.word));
                        }
                    }
                }
                Value::Array { items, associative }
            }
        };
        let index = assignment.target.subscript.as_deref().map(|subscript| self.subscript(subscript));
        Assignment { name: assignment.target.name.as_str(), index, append: assignment.append, value }
    }

    fn subscript(&mut self, subscript: &'t ast::Subscript) -> RawWord<'t> {
        match subscript.word_ast() {
            Some(word) => self.word(word),
            None => self.literal(subscript.span()),
        }
    }

    /// The words in an arithmetic expression, by an own stack: sums can be a thousand links deep.
    fn arithmetic(&mut self, root: &'t ast::ArithmeticExprNode) -> Vec<RawWord<'t>> {
        use ast::ArithmeticExpr as Expr;
        let (mut words, mut open) = (Vec::new(), vec![root]);
        while let Some(node) = open.pop() {
            match &node.kind {
                Expr::Number(_) | Expr::Variable(_) => {}
                Expr::ShellWord(word) => words.push(self.word(word)),
                Expr::Indexed { index: inner, .. }
                | Expr::Parenthesized { expression: inner }
                | Expr::Unary { expr: inner, .. }
                | Expr::Postfix { expr: inner, .. } => open.push(inner),
                Expr::Binary { left, right, .. } => open.extend([&**right, &**left]),
                Expr::Conditional { condition, then_expr, else_expr } => {
                    open.extend([&**else_expr, &**then_expr, &**condition]);
                }
                Expr::Assignment { target, value, .. } => {
                    open.push(value);
                    if let ast::ArithmeticLvalue::Indexed { index, .. } = target {
                        open.push(index);
                    }
                }
            }
        }
        words
    }

    fn conditional(&mut self, root: &'t ast::ConditionalExpr) -> Vec<RawWord<'t>> {
        use ast::ConditionalExpr as Expr;
        let (mut words, mut open) = (Vec::new(), vec![root]);
        while let Some(node) = open.pop() {
            match node {
                Expr::Binary(it) => open.extend([&*it.right, &*it.left]),
                Expr::Unary(it) => open.push(&it.expr),
                Expr::Parenthesized(it) => open.push(&it.expr),
                Expr::Word(word) | Expr::Regex(word) => words.push(self.word(word)),
                Expr::Pattern(pattern) => words.push(self.pattern(pattern)),
                Expr::VarRef(reference) => {
                    words.extend(reference.subscript.as_deref().map(|subscript| self.subscript(subscript)));
                }
            }
        }
        words
    }

    fn literal(&self, at: ast::Span) -> RawWord<'t> {
        RawWord { parts: vec![Part::Bare(self.slice(at))], span: Some(span(at)), braces: false }
    }

    fn slice(&self, at: ast::Span) -> &'t str {
        let at = span(at);
        self.text.get(at.start..at.end).unwrap_or_default()
    }
}

fn span(span: ast::Span) -> Span {
    Span::new(span.start.offset(), span.end.offset())
}

/// Statement spans reach up to the next token; what a person would point at ends before the separator.
fn trimmed(text: &str, span: Span) -> Span {
    let Some(slice) = text.get(span.start..span.end) else { return span };
    Span::new(span.start, span.start + slice.trim_end_matches([' ', '\t', '\n', '\r', ';', '&', '|']).len())
}
