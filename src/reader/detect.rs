//! Which format a file is of, by its content.

/// How much of a file's start the readers are shown.
pub const SAMPLE_BYTES: usize = 64 << 10;
