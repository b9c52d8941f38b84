//! The shell syntax tree that the walk understands: small, borrowed from the text, and independent of the parser.

use crate::model::Span;

pub(super) type Script<'t> = Vec<Statement<'t>>;

#[derive(Debug)]
pub(super) struct Statement<'t> {
    pub(super) node: Node<'t>,
    pub(super) redirects: Vec<Redirect<'t>>,
    /// Runs only if what came before it in the chain failed.
    pub(super) or: bool,
    pub(super) background: bool,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Node<'t> {
    Simple(Simple<'t>),
    /// `a && b || c`; each but the first may be skipped.
    Chain(Script<'t>),
    Pipeline(Script<'t>),
    Subshell(Script<'t>),
    /// `{ … }`, and what only changes how a command is run: `time`, `!`, `coproc`.
    Group(Script<'t>),
    /// The body is kept as text: it is read when it is called.
    Function {
        name: &'t str,
        body: &'t str,
        at: Span,
    },
    /// `if`: every branch with its condition; the last condition is empty for `else`.
    Branches {
        branches: Vec<(Script<'t>, Script<'t>)>,
        exhaustive: bool,
    },
    /// `while` and `until`.
    Loop {
        condition: Script<'t>,
        body: Script<'t>,
    },
    /// `for` and `select`; without words it runs over the positional parameters.
    For {
        variable: &'t str,
        words: Option<Vec<RawWord<'t>>>,
        body: Script<'t>,
    },
    Case {
        words: Vec<RawWord<'t>>,
        arms: Vec<Script<'t>>,
    },
    /// `[[ … ]]`, `(( … ))`: only what is substituted in them matters.
    Test(Vec<RawWord<'t>>),
}

/// A program with its words; `name` first. Without words it only assigns.
#[derive(Debug, Default)]
pub(super) struct Simple<'t> {
    pub(super) assignments: Vec<Assignment<'t>>,
    pub(super) words: Vec<RawWord<'t>>,
    /// `export A=1`, `declare B=2`: the operands that assign.
    pub(super) declares: Vec<Assignment<'t>>,
}

#[derive(Debug)]
pub(super) struct Assignment<'t> {
    pub(super) name: &'t str,
    pub(super) index: Option<RawWord<'t>>,
    pub(super) append: bool,
    pub(super) value: Value<'t>,
}

#[derive(Debug)]
pub(super) enum Value<'t> {
    Word(RawWord<'t>),
    /// `associative` when keys are given: then its order says nothing.
    Array {
        items: Vec<RawWord<'t>>,
        associative: bool,
    },
}

#[derive(Debug)]
pub(super) struct Redirect<'t> {
    pub(super) fd: Option<i32>,
    pub(super) kind: RedirectKind,
    /// The file, the text of a here-document or here-string, or the descriptor.
    pub(super) target: RawWord<'t>,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedirectKind {
    Read,
    Write,
    Append,
    ReadWrite,
    /// `>&`, `<&`: a descriptor, or a file when the word is no number.
    Duplicate,
    HereDocument,
    HereString,
}

impl RedirectKind {
    /// What a reader of the tree of steps sees.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::HereDocument => "heredoc",
            Self::HereString => "here-string",
            _ => "redirection",
        }
    }
}

/// A word before anything in it is resolved.
#[derive(Debug, Default)]
pub(super) struct RawWord<'t> {
    pub(super) parts: Vec<Part<'t>>,
    pub(super) span: Option<Span>,
    /// Has braces that the shell expands.
    pub(super) braces: bool,
}

#[derive(Debug)]
pub(super) enum Part<'t> {
    /// Outside quotes, with its backslashes.
    Bare(&'t str),
    /// The value of something quoted.
    Quoted(&'t str),
    /// The value of something quoted that had backslashes in it.
    Unescaped(String),
    Parameter(Box<Parameter<'t>>),
    Command(Substitution<'t>),
    /// `` `…` `` whose backslashes had to be taken out first.
    Code(Substitution<'t>, String),
    Arithmetic {
        words: Vec<RawWord<'t>>,
        written: &'t str,
        quoted: bool,
    },
    /// `<(…)` and `>(…)`.
    Process(Substitution<'t>),
}

#[derive(Debug)]
pub(super) struct Substitution<'t> {
    pub(super) body: Script<'t>,
    pub(super) written: &'t str,
    pub(super) span: Span,
    pub(super) quoted: bool,
    /// `>(…)`: the command writes into it.
    pub(super) writes: bool,
}

#[derive(Debug)]
pub(super) struct Parameter<'t> {
    pub(super) name: &'t str,
    pub(super) index: Index<'t>,
    pub(super) change: Change<'t>,
    pub(super) written: &'t str,
    pub(super) quoted: bool,
}

#[derive(Debug)]
pub(super) enum Index<'t> {
    None,
    /// `[@]` or `[*]`.
    All,
    At(RawWord<'t>),
}

/// What is done to a parameter's value.
#[derive(Debug)]
pub(super) enum Change<'t> {
    None,
    Length,
    /// `${x:-w}`; `assign` for `${x:=w}`; `empty` when an empty value counts as missing.
    Default {
        word: RawWord<'t>,
        assign: bool,
        empty: bool,
    },
    /// `${x:+w}`.
    Alternative(RawWord<'t>),
    /// `${x:?w}`.
    Required(RawWord<'t>),
    /// `${x#p}`, `${x%%p}` and so on.
    Trim {
        pattern: RawWord<'t>,
        prefix: bool,
        longest: bool,
    },
    Replace {
        pattern: RawWord<'t>,
        with: RawWord<'t>,
        all: bool,
    },
    /// `${x^^}`, `${x,,}`; `first` changes one letter only.
    Case {
        upper: bool,
        first: bool,
    },
    Slice {
        offset: RawWord<'t>,
        length: Option<RawWord<'t>>,
    },
    /// `${!x}`, `${x@P}` and the like: not followed, but what is substituted in it is.
    Opaque(Vec<RawWord<'t>>),
}
