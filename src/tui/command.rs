//! Everything that can be asked for, in one table: keys, the palette and the help are made of it.

use super::app::{App, Screen};
use super::keys::Key;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Down,
    Up,
    HalfDown,
    HalfUp,
    First,
    Last,
    Open,
    Back,
    NextPane,
    NextList,
    PreviousList,
    GoList,
    GoDetail,
    GoSession,
    GoRules,
    GoLabels,
    Search,
    Filter,
    Sort,
    Mark,
    Toggle,
    Edit,
    Reset,
    WholeText,
    AsWritten,
    Rule,
    Session,
    TrueNearMiss,
    NoRisk,
    NeedsContext,
    PolicyGap,
    Draft,
    Undo,
    Redo,
    Copy,
    CopyId,
    Export,
    Mouse,
    Log,
    Palette,
    Help,
    Quit,
}

/// One command with its keys and what it does.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) command: Command,
    /// The word for the palette.
    pub(super) name: &'static str,
    /// As the help shows them.
    pub(super) keys: &'static [Key],
    pub(super) about: &'static str,
    /// Said in the last line of the screen, where there is room.
    pub(super) short: Option<&'static str>,
}

const fn entry(
    command: Command,
    name: &'static str,
    keys: &'static [Key],
    short: Option<&'static str>,
    about: &'static str,
) -> Entry {
    Entry { command, name, keys, about, short }
}

use Command as C;
use Key::{Char, Ctrl};

/// All of them, in the order of the help.
pub(super) const COMMANDS: &[Entry] = &[
    entry(C::Open, "open", &[Key::Enter, Char('l'), Key::Right], Some("open"), "look at what is selected"),
    entry(C::Back, "back", &[Key::Esc, Char('h'), Key::Left], Some("back"), "where you came from; ends a search"),
    entry(C::Down, "down", &[Char('j'), Key::Down], None, "next line"),
    entry(C::Up, "up", &[Char('k'), Key::Up], None, "line before"),
    entry(C::HalfDown, "page down", &[Ctrl('d'), Key::PageDown], None, "half a page down"),
    entry(C::HalfUp, "page up", &[Ctrl('u'), Key::PageUp], None, "half a page up"),
    entry(C::First, "first", &[Char('g'), Key::Home], None, "first line"),
    entry(C::Last, "last", &[Char('G'), Key::End], None, "last line"),
    entry(
        C::NextList,
        "next list",
        &[Char(']'), Key::Tab],
        Some("lists"),
        "near-misses, stopped, undecided, routine …",
    ),
    entry(C::PreviousList, "previous list", &[Char('['), Key::BackTab], None, "the list before"),
    entry(C::NextPane, "next pane", &[Key::Tab], Some("pane"), "conditions or what-if"),
    entry(
        C::Toggle,
        "what if",
        &[Char(' '), Char('w')],
        Some("what if"),
        "judge it with this one thing otherwise; again: as recorded",
    ),
    entry(C::Edit, "edit", &[Char('i')], Some("edit"), "judge other words in its place"),
    entry(C::Reset, "as recorded", &[Char('0')], None, "take every what-if back"),
    entry(C::WholeText, "whole text", &[Char('v')], Some("text"), "the whole of what was run, and what it does"),
    entry(C::AsWritten, "as written", &[Char('c')], None, "conditions as the policy has them, or in words"),
    entry(C::Search, "search", &[Char('/')], Some("search"), "contains; `~` fuzzy, `!` without"),
    entry(C::Filter, "filter", &[Char('f')], Some("filter"), "read again with a filter, as `-E` of replay"),
    entry(C::Sort, "sort", &[Char('s')], Some("sort"), "by risk, count, newest, rule"),
    entry(C::Mark, "mark", &[Char(' ')], Some("mark"), "choose several, for an export"),
    entry(C::Rule, "rule", &[Char('r')], Some("rule"), "the rule it is about"),
    entry(C::Session, "session", &[Char('S')], Some("session"), "what its session did before and after"),
    entry(
        C::TrueNearMiss,
        "true near-miss",
        &[Char('t')],
        Some("true"),
        "label: it almost happened; writes a case and its twin",
    ),
    entry(C::NoRisk, "no risk", &[Char('n')], Some("no risk"), "label: hide the group until a day, with a reason"),
    entry(C::NeedsContext, "needs context", &[Char('x')], None, "label: what is recorded does not say enough"),
    entry(
        C::PolicyGap,
        "policy gap",
        &[Char('p')],
        None,
        "label: it should have been stopped; writes a case that fails until it is",
    ),
    entry(
        C::Draft,
        "draft a rule",
        &[Char('d')],
        None,
        "the smallest rule that stops it and not its neighbours; w writes it",
    ),
    entry(C::Undo, "undo", &[Char('u'), Char('z')], Some("undo"), "take the last write back"),
    entry(C::Redo, "redo", &[Char('Z')], None, "write it again"),
    entry(C::Copy, "copy", &[Char('y')], Some("copy"), "copy the command (OSC 52)"),
    entry(C::CopyId, "copy explain", &[Char('Y')], None, "copy the `nearmiss explain` command for it"),
    entry(C::Export, "export", &[Char('e')], Some("export"), "write what is marked to a file: .md, .json, .html"),
    entry(C::GoList, "list", &[Char('1')], None, "screen 1: groups"),
    entry(C::GoDetail, "detail", &[Char('2')], None, "screen 2: one action, condition by condition"),
    entry(C::GoSession, "session screen", &[Char('3')], None, "screen 3: its session"),
    entry(C::GoRules, "rules", &[Char('4')], None, "screen 4: every rule, and how often it had a say"),
    entry(C::GoLabels, "labels", &[Char('5')], None, "screen 5: what was labelled, and what was written"),
    entry(C::Mouse, "mouse", &[Char('m')], None, "clicks for us, or for selecting text"),
    entry(C::Log, "problems", &[Char('@')], None, "what could not be read"),
    entry(C::Palette, "commands", &[Char(':')], None, "every command by its name"),
    entry(C::Help, "help", &[Char('?')], Some("help"), "this"),
    entry(C::Quit, "quit", &[Char('q')], Some("quit"), "end; Ctrl-C does it from anywhere"),
];

impl Command {
    /// Whether it does anything now.
    pub(super) fn works(self, app: &App) -> bool {
        let screen = app.screen;
        let looks_at_one = app.looked_at().is_some();
        match self {
            C::Back => screen != Screen::List || app.list.search.is_some(),
            C::NextList | C::PreviousList | C::Sort => screen == Screen::List,
            C::NextPane | C::Toggle | C::Reset | C::AsWritten => screen == Screen::Detail,
            C::Edit => screen == Screen::Detail && app.detail.as_ref().is_some_and(|detail| detail.opened.is_some()),
            C::Mark => screen == Screen::List && looks_at_one,
            C::Search => matches!(screen, Screen::List | Screen::Rules | Screen::Session),
            C::Open => matches!(screen, Screen::List | Screen::Session | Screen::Rules) && app.has_lines(),
            C::WholeText => screen == Screen::Detail,
            C::GoDetail | C::Session | C::GoSession | C::Copy | C::CopyId => looks_at_one,
            C::Rule => looks_at_one && screen != Screen::Rules,
            C::TrueNearMiss | C::PolicyGap => screen == Screen::Detail && app.can_write() && app.is_explained(),
            C::Draft => screen == Screen::Detail && app.is_explained() && app.is_allowed(),
            C::NeedsContext => looks_at_one && app.can_write(),
            C::NoRisk => app.can_write() && app.looked_at().is_some_and(|entry| entry.group.is_some()),
            C::Export => screen == Screen::List && looks_at_one,
            C::Undo => app.labels.can_undo(),
            C::Redo => app.labels.can_redo(),
            C::Log => true,
            _ => true,
        }
    }

    /// What a key means now.
    pub(super) fn of(key: &Key, app: &App) -> Option<Self> {
        COMMANDS.iter().find(|entry| entry.keys.contains(key) && entry.command.works(app)).map(|entry| entry.command)
    }
}

/// A key as it is printed on keyboards.
pub(super) fn shown(key: &Key) -> String {
    match key {
        Char(' ') => "space".to_owned(),
        Char(letter) => letter.to_string(),
        Ctrl(letter) => format!("^{letter}"),
        Key::Enter => "enter".to_owned(),
        Key::Esc => "esc".to_owned(),
        Key::Tab => "tab".to_owned(),
        Key::BackTab => "shift-tab".to_owned(),
        Key::Up => "↑".to_owned(),
        Key::Down => "↓".to_owned(),
        Key::Left => "←".to_owned(),
        Key::Right => "→".to_owned(),
        Key::Home => "home".to_owned(),
        Key::End => "end".to_owned(),
        Key::PageUp => "pgup".to_owned(),
        Key::PageDown => "pgdn".to_owned(),
        other => format!("{other:?}"),
    }
}
