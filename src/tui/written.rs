//! What becomes of a line that somebody writes: searches, filters, other words, reasons, names of files.

use std::sync::Arc;

use super::act::Task;
use super::app::{App, Cursor, Screen};
use super::command::{COMMANDS, Entry as CommandEntry};
use super::entry::Entry;
use super::judge::Change;
use super::keys::Key;
use super::label;
use super::prompt::{Outcome, Prompt, Purpose};
use super::search::Search;
use crate::engine::gate::Day;
use crate::engine::query::Filter;

/// Days after which a suppression ends, unless somebody says otherwise.
const HIDDEN_DAYS: i32 = 90;

impl App {
    /// A key while a line is written.
    pub(super) fn write(&mut self, key: &Key) -> Option<Task> {
        let prompt = self.prompt.as_mut()?;
        if prompt.purpose == Purpose::Palette {
            match key {
                Key::Down | Key::Tab => {
                    let count = self.palette_lines().len();
                    self.palette.move_by(1, count);
                    return None;
                }
                Key::Up | Key::BackTab => {
                    let count = self.palette_lines().len();
                    self.palette.move_by(-1, count);
                    return None;
                }
                _ => self.palette = if *key == Key::Enter { self.palette } else { Cursor::default() },
            }
        }
        let prompt = self.prompt.as_mut()?;
        let outcome = prompt.press(key);
        let text = prompt.text();
        let is_search = prompt.purpose == Purpose::Search;
        match outcome {
            Outcome::Written | Outcome::Other => {
                // What is found is shown while it is typed.
                if is_search {
                    self.look_for(&text);
                }
                None
            }
            Outcome::Cancelled => {
                if is_search {
                    self.look_for("");
                }
                self.prompt = None;
                None
            }
            Outcome::Done => self.done(&text),
        }
    }

    fn done(&mut self, text: &str) -> Option<Task> {
        let purpose = self.prompt.as_ref()?.purpose.clone();
        let result = match purpose {
            Purpose::Search => Ok(None),
            Purpose::Filter => self.refilter(text),
            Purpose::Palette => {
                let command = self.palette_lines().get(self.palette.at).map(|entry| entry.command);
                self.prompt = None;
                return command.and_then(|command| self.act(command));
            }
            Purpose::Edit => {
                let recorded = self.detail.as_ref().map(|detail| detail.entry.finding.action.text.to_string());
                let mut changes = self.detail.as_ref().map(|detail| detail.changes.clone()).unwrap_or_default();
                changes.retain(|change| !matches!(change, Change::Text(_)));
                if recorded.as_deref() != Some(text) {
                    changes.push(Change::Text(text.into()));
                }
                Ok(self.ask(changes))
            }
            Purpose::Reason if text.trim().is_empty() => Err("a reason is needed: others will read it".to_owned()),
            Purpose::Reason => {
                let end = self.opening.today.0.saturating_add(jiff::Span::new().days(HIDDEN_DAYS));
                self.prompt = Some(Prompt::new(Purpose::Until { reason: text.to_owned() }, &end.to_string()));
                return None;
            }
            Purpose::Until { reason } => self.hide(reason, text),
            Purpose::Export => Ok(Some(Task::Export { file: text.to_owned(), entries: self.chosen() })),
        };
        match result {
            Ok(task) => {
                self.prompt = None;
                task
            }
            Err(problem) => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.problem = Some(problem);
                }
                None
            }
        }
    }

    fn hide(&mut self, reason: String, until: &str) -> Result<Option<Task>, String> {
        let until: Day = until.trim().parse()?;
        if until < self.opening.today {
            return Err(format!("{until} has passed: it would hide nothing"));
        }
        if let (Some(project), Some(entry)) = (&self.opening.project, self.looked_at())
            && let Some(deed) = label::no_risk(project, entry, reason, until)
        {
            self.offer(deed);
        }
        Ok(None)
    }

    fn refilter(&mut self, text: &str) -> Result<Option<Task>, String> {
        let filter =
            if text.trim().is_empty() { Filter::all() } else { Filter::parse(text).map_err(|e| e.to_string())? };
        self.filter = text.trim().to_owned();
        Ok(Some(Task::Reload(filter)))
    }

    fn look_for(&mut self, typed: &str) {
        let search = Search::parse(typed);
        match self.screen {
            Screen::Rules => {
                self.rule_search = search;
                self.rules = Cursor::default();
            }
            Screen::Session => {
                self.session_search = search;
                self.session.1 = Cursor::default();
            }
            _ => {
                self.list.search = search;
                self.list.cursor = Cursor::default();
                self.refresh();
            }
        }
    }

    /// Commands whose names fit what is typed.
    pub(super) fn palette_lines(&self) -> Vec<&'static CommandEntry> {
        let typed = self.prompt.as_ref().map(Prompt::text).unwrap_or_default();
        let search = Search::parse(&format!("~{typed}"));
        let fits = |entry: &&CommandEntry| {
            entry.command.works(self) && search.as_ref().is_none_or(|search| search.finds([entry.name]))
        };
        COMMANDS.iter().filter(fits).collect()
    }

    /// What an export is of: what is marked, or all that is shown.
    fn chosen(&self) -> Vec<Arc<Entry>> {
        let marked = &self.list.marked;
        let chosen = self.picture.entries.iter().filter(|entry| marked.contains(&entry.key));
        if marked.is_empty() { self.list.shown.clone() } else { chosen.cloned().collect() }
    }
}
