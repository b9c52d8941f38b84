//! What all shell histories have in common: one person, one file is one session, everything in it was run.
