//! What keys do.

use std::sync::Arc;

use crate::engine::query::Filter;
use crate::model::{ActionId, Decision};

use super::app::{App, Cursor, Detail, Overlay, Pane, Screen};
use super::command::Command;
use super::entry::{Entry, List};
use super::judge::Change;
use super::keys::Key;
use super::label::{self, Deed, Evidence, Label};
use super::prompt::{Prompt, Purpose};
use super::search::Search;

/// Something that only the loop around the screen can do.
#[derive(Debug)]
pub(super) enum Task {
    /// Explain the action that is open now.
    Open(Arc<Entry>),
    /// Judge the open action with these things otherwise.
    Ask(Vec<Change>),
    /// Look for a rule that stops the open action.
    Draft(ActionId),
    /// Read everything again.
    Reload(Filter),
    Copy(String),
    Export {
        file: String,
        entries: Vec<Arc<Entry>>,
    },
    SetMouse(bool),
    Suspend,
    Redraw,
    Quit,
}

impl App {
    /// Takes in one key.
    pub(super) fn press(&mut self, key: &Key) -> Option<Task> {
        match key {
            // Whatever is open.
            Key::Ctrl('c') => return Some(Task::Quit),
            Key::Ctrl('z') => return Some(Task::Suspend),
            Key::Ctrl('l') => return Some(Task::Redraw),
            _ => {}
        }
        if self.prompt.is_some() {
            return self.write(key);
        }
        if self.overlay.is_some() {
            return self.press_over(key);
        }
        self.message = None;
        match key {
            Key::WheelDown => return self.act(Command::Down),
            Key::WheelUp => return self.act(Command::Up),
            Key::Click(_, row) => {
                self.click(*row);
                return None;
            }
            _ => {}
        }
        match Command::of(key, self) {
            Some(command) => self.act(command),
            None => {
                if let Key::Char(_) = key {
                    self.complain(format!("{} does nothing here: ? shows what does", super::command::shown(key)));
                }
                None
            }
        }
    }

    /// Selects the line that was clicked.
    fn click(&mut self, row: u16) {
        if self.screen == Screen::List {
            let (top, rows) = super::view::list_rows(self);
            let first = self.list.cursor.top(usize::from(rows), self.list.shown.len());
            if let Some(line) = row.checked_sub(top).filter(|line| *line < rows) {
                self.list.cursor.at = (first + usize::from(line)).min(self.list.shown.len().saturating_sub(1));
            }
        }
    }

    fn press_over(&mut self, key: &Key) -> Option<Task> {
        let half = isize::from(self.size.1 as i16 / 2);
        let lines = match key {
            Key::Down | Key::Char('j') | Key::WheelDown => 1,
            Key::Up | Key::Char('k') | Key::WheelUp => -1,
            Key::PageDown | Key::Ctrl('d') => half,
            Key::PageUp | Key::Ctrl('u') => -half,
            _ => 0,
        };
        match &mut self.overlay {
            Some(Overlay::Help { scroll } | Overlay::Problems { scroll }) if lines != 0 => {
                *scroll = scroll.saturating_add_signed(lines);
            }
            Some(Overlay::Draft { scroll, .. }) if lines != 0 => *scroll = scroll.saturating_add_signed(lines),
            Some(Overlay::Draft { rule, .. }) if *key == Key::Char('w') => {
                let rule = std::mem::take(rule);
                self.overlay = None;
                match (&self.opening.project, self.looked_at()) {
                    (Some(project), Some(entry)) => {
                        let deed = label::rule(project, entry, &rule);
                        self.offer(deed);
                    }
                    _ => self.complain("read only: there is no nearmiss.toml here (`nearmiss init` makes one)"),
                }
            }
            Some(Overlay::Draft { rule, .. }) if *key == Key::Char('y') => {
                let rule = std::mem::take(rule);
                self.overlay = None;
                self.say("copied, if the terminal allows it");
                return Some(Task::Copy(rule));
            }
            Some(Overlay::Confirm) => {
                self.overlay = None;
                let deed = self.pending.take();
                match (key, deed) {
                    (Key::Char('y') | Key::Enter, Some(deed)) => {
                        self.labels.confirmed = true;
                        self.give(deed);
                    }
                    _ => self.say("nothing was written"),
                }
            }
            _ => self.overlay = None,
        }
        None
    }

    /// Does what was asked for.
    pub(super) fn act(&mut self, command: Command) -> Option<Task> {
        let half = isize::from(self.size.1 as i16 / 2).max(1);
        match command {
            Command::Down => self.move_by(1),
            Command::Up => self.move_by(-1),
            Command::HalfDown => self.move_by(half),
            Command::HalfUp => self.move_by(-half),
            Command::First => self.move_by(isize::MIN),
            Command::Last => self.move_by(isize::MAX),
            Command::Open => return self.open(),
            Command::Back => self.back(),
            Command::NextList => self.change_list(1),
            Command::PreviousList => self.change_list(-1),
            Command::NextPane => {
                if let Some(detail) = &mut self.detail {
                    detail.pane = if detail.pane == Pane::WhatIf { Pane::Conditions } else { Pane::WhatIf };
                }
            }
            Command::GoList => self.go(Screen::List),
            Command::GoDetail => return self.show_detail(),
            Command::GoSession | Command::Session => self.show_session(),
            Command::GoRules => self.go(Screen::Rules),
            Command::GoLabels => self.go(Screen::Labels),
            Command::Search => {
                let search = match self.screen {
                    Screen::Rules => &self.rule_search,
                    Screen::Session => &self.session_search,
                    _ => &self.list.search,
                };
                let typed = search.as_ref().map(|search| search.typed.clone()).unwrap_or_default();
                self.prompt = Some(Prompt::new(Purpose::Search, &typed));
            }
            Command::Filter => self.prompt = Some(Prompt::new(Purpose::Filter, &self.filter.clone())),
            Command::Sort => {
                self.list.sort = self.list.sort.next();
                self.refresh();
            }
            Command::Mark => self.mark(),
            Command::Toggle => return self.toggle(),
            Command::Edit => {
                let text = self.detail.as_ref().map(|detail| self.text_now(detail)).unwrap_or_default();
                self.prompt = Some(Prompt::new(Purpose::Edit, &text));
            }
            Command::Reset => {
                if let Some(detail) = &mut self.detail {
                    detail.changes.clear();
                    detail.asked = None;
                }
            }
            Command::WholeText => {
                if let Some(detail) = &mut self.detail {
                    detail.whole = !detail.whole;
                    detail.scroll = 0;
                    detail.pane = Pane::Conditions;
                }
            }
            Command::AsWritten => self.as_written = !self.as_written,
            Command::Rule => self.show_rule(),
            Command::TrueNearMiss => self.label_case(Label::TrueNearMiss),
            Command::PolicyGap => self.label_case(Label::PolicyGap),
            Command::Draft => {
                let id = self.looked_at()?.id();
                self.say("looking for a rule: everything is read again …");
                return Some(Task::Draft(id));
            }
            Command::NeedsContext => {
                if let (Some(project), Some(entry)) = (&self.opening.project, self.looked_at()) {
                    let deed = label::plain(project, entry, Label::NeedsContext);
                    self.offer(deed);
                }
            }
            Command::NoRisk => self.prompt = Some(Prompt::new(Purpose::Reason, "")),
            Command::Undo => self.tell(|labels| labels.undo()),
            Command::Redo => self.tell(|labels| labels.redo()),
            Command::Copy => {
                let text = self.looked_at().map(|entry| entry.finding.action.text.to_string());
                self.say("copied, if the terminal allows it");
                return text.map(|text| Task::Copy(self.safe(&text)));
            }
            Command::CopyId => {
                let id = self.looked_at().map(|entry| entry.id().to_string());
                self.say("copied, if the terminal allows it");
                return id.map(|id| Task::Copy(format!("nearmiss explain {id} {}", self.opening.again)));
            }
            Command::Export => self.prompt = Some(Prompt::new(Purpose::Export, "nearmisses.md")),
            Command::Mouse => {
                self.mouse = !self.mouse;
                self.say(if self.mouse { "clicks select lines" } else { "clicks select text" });
                return Some(Task::SetMouse(self.mouse));
            }
            Command::Log => self.overlay = Some(Overlay::Problems { scroll: 0 }),
            Command::Palette => {
                self.palette = Cursor::default();
                self.prompt = Some(Prompt::new(Purpose::Palette, ""));
            }
            Command::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Command::Quit => return Some(Task::Quit),
        }
        None
    }

    /// Recorded text as it may be shown: without secrets, unless the user wants them.
    pub(super) fn safe(&self, text: &str) -> String {
        if self.opening.heading.no_redact { text.to_owned() } else { crate::report::redacted(text).into_owned() }
    }

    fn text_now(&self, detail: &Detail) -> String {
        let changed = detail.changes.iter().find_map(|change| match change {
            Change::Text(text) => Some(text.to_string()),
            _ => None,
        });
        changed.unwrap_or_else(|| detail.entry.finding.action.text.to_string())
    }

    fn move_by(&mut self, lines: isize) {
        match self.screen {
            Screen::List => self.list.cursor.move_by(lines, self.list.shown.len()),
            Screen::Session => {
                let count = self.session_rows().len();
                self.session.1.move_by(lines, count);
            }
            Screen::Rules => {
                let count = self.rule_lines().len();
                self.rules.move_by(lines, count);
            }
            Screen::Detail => {
                let Some(detail) = &mut self.detail else { return };
                match detail.pane {
                    Pane::WhatIf => {
                        let count = detail.opened.as_ref().map_or(0, |opened| opened.what_ifs.len());
                        detail.what_if.move_by(lines, count);
                    }
                    Pane::Conditions => detail.scroll = detail.scroll.saturating_add_signed(lines).min(10_000),
                }
            }
            Screen::Labels => {}
        }
    }

    fn go(&mut self, screen: Screen) {
        if self.screen != screen {
            self.came_from.push(self.screen);
            // Nobody walks back hundreds of screens.
            if self.came_from.len() > 32 {
                self.came_from.remove(0);
            }
            self.screen = screen;
        }
    }

    fn back(&mut self) {
        if self.screen == Screen::List {
            self.list.search = None;
            self.refresh();
            return;
        }
        self.screen = self.came_from.pop().unwrap_or(Screen::List);
    }

    fn open(&mut self) -> Option<Task> {
        match self.screen {
            Screen::List => self.show_detail(),
            Screen::Session => {
                let row = self.session_rows().get(self.session.1.at).copied().cloned()?;
                let found = self.picture.entries.iter().find(|entry| entry.id() == row.id).cloned();
                let entry = found.unwrap_or_else(|| Arc::new(Entry::alone(row.finding())));
                self.go(Screen::Detail);
                self.look_at(entry)
            }
            Screen::Rules => {
                let places = self.rule_lines();
                let rule = self.opening.engine.policy().rules().get(*places.get(self.rules.at)?)?;
                let id = rule.id.clone();
                let lists = [List::Near, List::Stopped, List::Routine, List::Guarded, List::Blind];
                let has = |list: &&List| {
                    let is_of = |entry: &Arc<Entry>| entry.rule.as_ref().is_some_and(|rule| rule.id == id);
                    self.picture.entries.iter().any(|entry| entry.list == **list && is_of(entry))
                };
                let Some(list) = lists.iter().find(has) else {
                    self.say(format!("{id} had no say in what was read"));
                    return None;
                };
                self.list.list = *list;
                self.list.search = Search::parse(&id);
                self.list.cursor = Cursor::default();
                self.refresh();
                self.go(Screen::List);
                None
            }
            Screen::Detail | Screen::Labels => None,
        }
    }

    fn show_detail(&mut self) -> Option<Task> {
        let entry = Arc::clone(self.looked_at()?);
        self.go(Screen::Detail);
        if self.detail.as_ref().is_some_and(|detail| Arc::ptr_eq(&detail.entry, &entry)) {
            return None;
        }
        self.look_at(entry)
    }

    fn look_at(&mut self, entry: Arc<Entry>) -> Option<Task> {
        self.detail = Some(Detail {
            entry: Arc::clone(&entry),
            waits: 0,
            opened: None,
            pane: Pane::WhatIf,
            what_if: Cursor::default(),
            scroll: 0,
            changes: Vec::new(),
            asked: None,
            whole: false,
        });
        Some(Task::Open(entry))
    }

    fn show_session(&mut self) {
        let Some(entry) = self.looked_at() else { return };
        let (session, id) = (Arc::clone(&entry.finding.action.session), entry.id());
        self.session_search = None;
        self.session = (session, Cursor::default());
        let at = self.session_rows().iter().position(|row| row.id == id);
        self.session.1.at = at.unwrap_or(0);
        self.go(Screen::Session);
    }

    fn show_rule(&mut self) {
        let Some(id) = self.looked_at().and_then(|entry| entry.rule.as_ref()).map(|rule| rule.id.clone()) else {
            return self.say("no rule has to do with it");
        };
        self.rule_search = None;
        let rules = self.opening.engine.policy().rules();
        let places = self.rule_lines();
        let at = places.iter().position(|place| rules.get(*place).is_some_and(|rule| rule.id == id));
        self.rules.at = at.unwrap_or(0);
        self.go(Screen::Rules);
    }

    fn change_list(&mut self, by: isize) {
        let lists = self.lists();
        let at = lists.iter().position(|(list, _)| *list == self.list.list).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(lists.len().max(1) as isize) as usize;
        if let Some((list, _)) = lists.get(next) {
            self.list.list = *list;
            self.list.cursor = Cursor::default();
            self.refresh();
        }
    }

    fn mark(&mut self) {
        let Some(key) = self.looked_at().map(|entry| entry.key.clone()) else { return };
        match self.list.marked.iter().position(|marked| *marked == key) {
            Some(at) => drop(self.list.marked.remove(at)),
            None => self.list.marked.push(key),
        }
        self.move_by(1);
    }

    /// Puts the selected change on, or takes it off.
    fn toggle(&mut self) -> Option<Task> {
        let detail = self.detail.as_mut()?;
        detail.pane = Pane::WhatIf;
        let change = detail.opened.as_ref()?.what_ifs.get(detail.what_if.at)?.change.clone();
        let mut changes = detail.changes.clone();
        if changes.contains(&change) {
            changes.retain(|other| *other != change);
        } else {
            changes.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&change));
            changes.push(change);
        }
        self.ask(changes)
    }

    pub(super) fn ask(&mut self, changes: Vec<Change>) -> Option<Task> {
        if changes.is_empty() {
            let detail = self.detail.as_mut()?;
            detail.changes.clear();
            detail.asked = None;
            return None;
        }
        Some(Task::Ask(changes))
    }

    fn label_case(&mut self, label: Label) {
        let (Some(project), Some(detail)) = (&self.opening.project, &self.detail) else { return };
        let Some(opened) = &detail.opened else { return };
        let evidence = Evidence {
            action: &opened.action,
            decision: opened.explanation.finding.verdict.decision,
            alone: self.opening.alone(&opened.action),
            what_ifs: &opened.what_ifs,
        };
        let mut deed = label::case(project, &detail.entry, label, &evidence);
        if label == Label::PolicyGap && deed.note.is_none() {
            let case = deed.writes.last().map(|write| write.path.display().to_string()).unwrap_or_default();
            let is_stopped = evidence.decision >= Decision::Ask;
            let next = format!("a rule for it: nearmiss suggest --case {case} {}", self.opening.again);
            deed.note = Some(if is_stopped { "it is stopped already".to_owned() } else { next });
        }
        self.offer(deed);
    }

    /// Writes a label, after the first one of a review was agreed to.
    pub(super) fn offer(&mut self, deed: Deed) {
        if self.labels.confirmed {
            self.give(deed);
        } else {
            self.pending = Some(deed);
            self.overlay = Some(Overlay::Confirm);
        }
    }

    fn give(&mut self, deed: Deed) {
        let files: Vec<String> = deed.writes.iter().map(|write| write.path.display().to_string()).collect();
        let mut said = format!("{}: wrote {}", deed.label, files.join(" and "));
        if let Some(note) = &deed.note {
            said = format!("{}: {note}", deed.label);
        }
        match self.labels.give(deed) {
            Ok(()) => self.say(said),
            Err(problem) => self.complain(problem),
        }
    }

    fn tell(&mut self, change: impl FnOnce(&mut label::Labels) -> Result<String, String>) {
        match change(&mut self.labels) {
            Ok(said) => self.say(said),
            Err(problem) => self.complain(problem),
        }
    }
}
