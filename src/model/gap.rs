//! What could not be understood.

use super::{Span, words};

/// Something that could not be understood and could hide an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub kind: GapKind,
    pub hides: Hides,
    pub span: Option<Span>,
    /// The words in question, short: the variable's name, the program's name, the parser's complaint.
    pub detail: String,
}

words! {
    /// Why something was not understood.
    GapKind {
        // said by the record
        Truncated = "truncated",
        Redacted = "redacted",
        ParametersMissing = "parameters-missing",
        BodyMissing = "body-missing",
        // said by the classifier
        /// The text does not parse; what could be read from its words is kept.
        Unparsed = "unparsed",
        /// Code that is put together at run time.
        DynamicCode = "dynamic-code",
        UnresolvedVariable = "unresolved-variable",
        UnresolvedSubstitution = "unresolved-substitution",
        UnknownProgram = "unknown-program",
        UnknownOption = "unknown-option",
        UnknownStatement = "unknown-statement",
        UnknownTool = "unknown-tool",
        /// Code in a language, or from a file, that is not visible in the record.
        HiddenCode = "hidden-code",
        TooLarge = "too-large",
        TooDeep = "too-deep",
    }
}

words! {
    /// How much a gap could hide.
    Hides {
        /// Any effect at all.
        Anything = "anything",
        /// Only which resource a known effect is about; the effect itself is there.
        Target = "target",
        /// Nothing that a policy looks at: worth showing, not worth stopping.
        Nothing = "nothing",
    }
}
