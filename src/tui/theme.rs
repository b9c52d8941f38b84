//! Looks by meaning. No meaning hangs on a colour alone: the word or the mark is always there too.
//!
//! The colours are those of Okabe and Ito, as near as the 256 colours of terminals come, which people with any kind of
//! colour vision tell apart.

use super::canvas::Style;
use crate::model::{Class, Decision, Severity};

const VERMILLION: u8 = 166;
const ORANGE: u8 = 214;
const SKY: u8 = 74;
const GREEN: u8 = 36;
const PURPLE: u8 = 175;

/// The looks in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    coloured: bool,
}

impl Theme {
    /// Without colours where the user wants none (`NO_COLOR`).
    pub(super) const fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    const fn of(self, style: Style, colour: u8) -> Style {
        if self.coloured { style.colour(colour) } else { style }
    }

    pub(super) const fn decision(self, decision: Decision) -> Style {
        match decision {
            Decision::Block => self.of(Style::PLAIN.bold(), VERMILLION),
            Decision::Ask => self.of(Style::PLAIN.bold(), ORANGE),
            Decision::Undecided => self.of(Style::PLAIN, SKY),
            Decision::Allow => self.of(Style::PLAIN, GREEN),
        }
    }

    pub(super) const fn class(self, class: Class) -> Style {
        match class {
            Class::Lucky => self.of(Style::PLAIN.bold(), VERMILLION),
            Class::Margin => self.of(Style::PLAIN.bold(), ORANGE),
            Class::Slip => self.of(Style::PLAIN, ORANGE),
            Class::Guarded => self.of(Style::PLAIN, GREEN),
            Class::Blind => self.of(Style::PLAIN, SKY),
        }
    }

    pub(super) const fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => self.of(Style::PLAIN.bold(), VERMILLION),
            Severity::High => self.of(Style::PLAIN, VERMILLION),
            Severity::Medium => self.of(Style::PLAIN, ORANGE),
            Severity::Low | Severity::Info => Style::PLAIN,
        }
    }

    /// What a condition does: holds, fails, or nobody knows.
    pub(super) const fn met(self) -> Style {
        self.of(Style::PLAIN, GREEN)
    }

    pub(super) const fn unmet(self) -> Style {
        self.of(Style::PLAIN.bold(), VERMILLION)
    }

    pub(super) const fn unknown(self) -> Style {
        self.of(Style::PLAIN, SKY)
    }

    /// The words that an effect is read from.
    pub(super) const fn marked(self) -> Style {
        self.of(Style::PLAIN.underline(), PURPLE)
    }

    pub(super) const fn frame(self) -> Style {
        Style::PLAIN.dim()
    }

    pub(super) const fn title(self) -> Style {
        Style::PLAIN.bold()
    }

    pub(super) const fn faint(self) -> Style {
        Style::PLAIN.dim()
    }

    /// Something to be noticed: a warning, a busy search.
    pub(super) const fn notice(self) -> Style {
        self.of(Style::PLAIN.bold(), ORANGE)
    }
}
