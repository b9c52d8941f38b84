//! What the transcripts of coding agents have in common: tool calls that wait for their results, arguments that
//! hold a command, and fields that change from version to version.

mod arguments;
mod calls;
mod document;
mod exchange;
mod fenced;
mod line;
mod literal;
mod loose;
mod place;
mod said;
#[cfg(test)]
mod shown;
mod talk;
mod told;

pub(crate) use arguments::{arguments, shell_words, unwrapped};
pub(crate) use calls::{Call, Calls, Voice, civil_moment, failed, moment, ran, refused, stem};
pub(crate) use document::{Document, is_document};
pub(crate) use exchange::Exchange;
pub(crate) use fenced::fenced;
pub(crate) use line::{At, each_line, first_lines, has, is_json, is_one_long_line, is_silent};
pub(crate) use literal::{literal, python_call, python_calls};
pub(crate) use loose::{Flag, List, Loose, Word};
pub(crate) use place::Places;
pub(crate) use said::{Said, ended};
#[cfg(test)]
pub(crate) use shown::shown;
pub(crate) use talk::{Talk, file_session};
pub(crate) use told::{number_after, opening, output, output_within, whole};
