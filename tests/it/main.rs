//! The one test binary: what needs more than one floor, or the program itself.

mod cases;
mod floors;
mod goldens;
mod hostile;
mod order;
mod program;
mod score;
mod shelves;
mod support;
