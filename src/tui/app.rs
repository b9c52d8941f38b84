//! What the screen shows, and what becomes of it when something happens. Nothing here draws, waits or reads files of
//! recordings.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::engine::Explanation;
use crate::model::{Action, Decision};

use super::Opening;
use super::entry::{Entry, List};
use super::judge::{Answer, Change, WhatIf};
use super::label::Labels;
use super::load::Picture;
use super::prompt::{Prompt, Purpose};
use super::search::Search;
use super::store::{Row, Store};
use super::theme::Theme;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    List,
    Detail,
    Session,
    Rules,
    Labels,
}

/// In which order groups stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Risk,
    Count,
    Newest,
    Rule,
}

impl Sort {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Count => "count",
            Self::Newest => "newest",
            Self::Rule => "rule",
        }
    }

    pub(super) const fn next(self) -> Self {
        match self {
            Self::Risk => Self::Count,
            Self::Count => Self::Newest,
            Self::Newest => Self::Rule,
            Self::Rule => Self::Risk,
        }
    }
}

/// Lines of which one is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) at: usize,
}

impl Cursor {
    pub(super) fn move_by(&mut self, lines: isize, count: usize) {
        self.at = self.at.saturating_add_signed(lines).min(count.saturating_sub(1));
    }

    /// The first line to show so that the selected one is in view.
    pub(super) const fn top(self, rows: usize, count: usize) -> usize {
        if rows == 0 || count <= rows {
            return 0;
        }
        let middle = self.at.saturating_sub(rows / 2);
        if middle > count - rows { count - rows } else { middle }
    }
}

/// The list of groups.
#[derive(Debug)]
pub(super) struct ListState {
    pub(super) list: List,
    pub(super) cursor: Cursor,
    pub(super) search: Option<Search>,
    pub(super) sort: Sort,
    /// What stands in it now.
    pub(super) shown: Vec<Arc<Entry>>,
    /// Keys of the groups that are marked.
    pub(super) marked: Vec<String>,
}

/// The action that is looked at.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) entry: Arc<Entry>,
    /// The number of the answer that is waited for.
    pub(super) waits: u64,
    pub(super) opened: Option<Opened>,
    pub(super) pane: Pane,
    pub(super) what_if: Cursor,
    /// How far the conditions are scrolled.
    pub(super) scroll: usize,
    /// What is otherwise now.
    pub(super) changes: Vec<Change>,
    /// And what is said of that.
    pub(super) asked: Option<Box<Explanation>>,
    /// Shows the whole text and what was understood.
    pub(super) whole: bool,
}

/// What the judge said.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) explanation: Box<Explanation>,
    pub(super) action: Box<Action>,
    pub(super) what_ifs: Vec<WhatIf>,
    pub(super) without_session: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Conditions,
    WhatIf,
}

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Overlay {
    Help {
        scroll: usize,
    },
    Problems {
        scroll: usize,
    },
    /// A rule that would stop the open action.
    Draft {
        rule: String,
        scroll: usize,
    },
    /// Files that are about to be written for the first time.
    Confirm,
}

/// One line for the user, below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) is_problem: bool,
}

/// Everything.
#[derive(Debug)]
pub(super) struct App {
    pub(super) opening: Arc<Opening>,
    pub(super) theme: Theme,
    pub(super) size: (u16, u16),
    pub(super) screen: Screen,
    pub(super) came_from: Vec<Screen>,
    pub(super) store: Store,
    pub(super) picture: Picture,
    /// The filter in force, as it was written.
    pub(super) filter: String,
    pub(super) list: ListState,
    pub(super) detail: Option<Detail>,
    /// Lines of the session screen, and which session it is.
    pub(super) session: (Arc<str>, Cursor),
    pub(super) rules: Cursor,
    pub(super) rule_search: Option<Search>,
    pub(super) session_search: Option<Search>,
    pub(super) labels: Labels,
    /// A label that waits for a yes.
    pub(super) pending: Option<super::label::Deed>,
    pub(super) prompt: Option<Prompt>,
    pub(super) palette: Cursor,
    pub(super) overlay: Option<Overlay>,
    pub(super) message: Option<Message>,
    /// Counts up while something is being read, for the sign of life.
    pub(super) tick: usize,
    pub(super) mouse: bool,
    /// Conditions are shown as the policy has them.
    pub(super) as_written: bool,
    /// Which replay the rows are of.
    pub(super) replay: u64,
}

impl App {
    pub(super) fn new(opening: Arc<Opening>, size: (u16, u16)) -> Self {
        let theme = Theme::new(opening.coloured);
        let labels = opening.project.as_ref().map(Labels::read).unwrap_or_default();
        let message = labels.problems.first().map(|text| Message { text: text.clone(), is_problem: true });
        let list = if opening.engine.base_policy().is_some() { List::Changed } else { List::Near };
        Self {
            filter: opening.filter.clone(),
            opening,
            theme,
            size,
            screen: Screen::List,
            came_from: Vec::new(),
            store: Store::default(),
            picture: Picture::default(),
            list: ListState {
                list,
                cursor: Cursor::default(),
                search: None,
                sort: Sort::default(),
                shown: Vec::new(),
                marked: Vec::new(),
            },
            detail: None,
            session: (Arc::from(""), Cursor::default()),
            rules: Cursor::default(),
            rule_search: None,
            session_search: None,
            labels,
            pending: None,
            prompt: None,
            palette: Cursor::default(),
            overlay: None,
            message,
            tick: 0,
            mouse: false,
            as_written: false,
            replay: 0,
        }
    }

    pub(super) fn is_reading(&self) -> bool {
        self.picture.totals.is_none() && self.picture.problem.is_none()
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), is_problem: false });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), is_problem: true });
    }

    /// Lists in which there is anything, and the one that is open.
    pub(super) fn lists(&self) -> Vec<(List, usize)> {
        let count = |list: List| self.picture.entries.iter().filter(|entry| entry.list == list).count();
        let counted = List::ALL.iter().map(|list| (*list, count(*list)));
        counted.filter(|(list, count)| *count > 0 || *list == self.list.list || *list == List::Near).collect()
    }

    /// The group that is selected or open.
    pub(super) fn looked_at(&self) -> Option<&Arc<Entry>> {
        match self.screen {
            Screen::List => self.list.shown.get(self.list.cursor.at),
            _ => self.detail.as_ref().map(|detail| &detail.entry),
        }
    }

    pub(super) fn can_write(&self) -> bool {
        self.opening.project.is_some()
    }

    pub(super) fn is_explained(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.opened.is_some())
    }

    /// Whether nothing stops the open action as it was recorded.
    pub(super) fn is_allowed(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.entry.decision < Decision::Ask)
    }

    /// Whether the open screen has a line to open.
    pub(super) fn has_lines(&self) -> bool {
        match self.screen {
            Screen::List => !self.list.shown.is_empty(),
            Screen::Session => !self.session_rows().is_empty(),
            Screen::Rules => !self.rule_lines().is_empty(),
            Screen::Detail | Screen::Labels => false,
        }
    }

    /// Puts the list together anew, with the same group selected if it is still there.
    pub(super) fn refresh(&mut self) {
        let selected = self.list.shown.get(self.list.cursor.at).map(|entry| entry.key.clone());
        let ListState { list, search, sort, .. } = &self.list;
        let found = |entry: &&Arc<Entry>| {
            let rule = entry.rule.as_ref().map_or("", |rule| rule.id.as_str());
            let actors = entry.actors.iter().map(|(name, _)| &**name);
            let text = &*entry.finding.action.text;
            let texts = [text, &entry.template, rule, &entry.reason, &entry.badge].into_iter().chain(actors);
            search.as_ref().is_none_or(|search| search.finds(texts))
        };
        let of_list = self.picture.entries.iter().filter(|entry| entry.list == *list);
        let mut shown: Vec<Arc<Entry>> = of_list.filter(found).cloned().collect();
        match sort {
            Sort::Risk => {}
            Sort::Count => shown.sort_by_key(|entry| Reverse(entry.count)),
            Sort::Newest => shown.sort_by_key(|entry| Reverse(entry.last)),
            Sort::Rule => shown.sort_by_key(|entry| entry.rule.as_ref().map(|rule| rule.id.clone())),
        }
        let at = selected.and_then(|key| shown.iter().position(|entry| entry.key == key));
        self.list.cursor.at = at.unwrap_or(self.list.cursor.at).min(shown.len().saturating_sub(1));
        self.list.shown = shown;
    }

    /// Forgets what was read, for another filter.
    pub(super) fn start_again(&mut self) {
        self.replay += 1;
        self.store = Store::default();
        self.picture = Picture::default();
        self.list.cursor = Cursor::default();
        self.list.marked.clear();
        self.came_from.clear();
        self.screen = Screen::List;
        self.detail = None;
        self.refresh();
    }

    /// Rows of the replay that is shown; those of an older one are of no interest.
    pub(super) fn rows(&mut self, replay: u64, rows: Vec<Row>) {
        if replay == self.replay {
            self.store.extend(rows);
        }
    }

    pub(super) fn picture(&mut self, replay: u64, picture: Picture) {
        if replay != self.replay {
            return;
        }
        if let Some(problem) = &picture.problem {
            self.complain(problem.clone());
        }
        self.picture = picture;
        self.refresh();
    }

    pub(super) fn answer(&mut self, number: u64, answer: Answer) {
        let Some(detail) = self.detail.as_mut().filter(|detail| detail.waits == number) else { return };
        match answer {
            Answer::Opened { explanation, action, what_ifs, without_session } => {
                // What was opened from a list of rows is only now known whole.
                if detail.entry.group.is_none() && detail.entry.finding.understanding.template.is_empty() {
                    detail.entry = Arc::new(Entry::alone(explanation.finding.clone()));
                }
                detail.opened = Some(Opened { explanation, action, what_ifs, without_session });
            }
            Answer::Asked { changes, explanation: Some(explanation) } => {
                detail.changes = changes;
                detail.asked = Some(explanation);
            }
            Answer::Drafted(Ok(rule)) => self.overlay = Some(Overlay::Draft { rule, scroll: 0 }),
            Answer::Drafted(Err(problem)) => self.complain(problem),
            Answer::Asked { .. } => self.complain("the call has no text that could be another"),
        }
    }

    /// The rows of the open session, those that are looked for.
    pub(super) fn session_rows(&self) -> Vec<&Row> {
        let numbers = self.store.session(&self.session.0);
        let rows = numbers.iter().filter_map(|number| self.store.row(*number));
        let search = &self.session_search;
        rows.filter(|row| search.as_ref().is_none_or(|search| search.finds([&*row.text]))).collect()
    }

    /// The rules of the policy, those that are looked for: the ones that had a say first.
    pub(super) fn rule_lines(&self) -> Vec<usize> {
        let rules = self.opening.engine.policy().rules();
        let weight = |place: &usize| {
            let rule = rules.get(*place);
            let tally = rule.and_then(|rule| self.picture.rules.get(&rule.id)).copied().unwrap_or_default();
            let near: u64 = tally.near.iter().sum();
            (Reverse(tally.stopped), Reverse(near), Reverse(tally.shadow), rule.map(|rule| rule.id.clone()))
        };
        let found = |place: &usize| {
            let Some(search) = &self.rule_search else { return true };
            rules.get(*place).is_some_and(|rule| search.finds([rule.id.as_str(), rule.message.as_str()]))
        };
        let mut places: Vec<usize> = (0..rules.len()).filter(found).collect();
        places.sort_by_cached_key(weight);
        places
    }

    /// How many groups of the near-misses have a label.
    pub(super) fn labelled(&self) -> (usize, usize) {
        let near = self.picture.entries.iter().filter(|entry| entry.list == List::Near);
        near.fold((0, 0), |(labelled, all), entry| {
            (labelled + usize::from(self.labels.of(&entry.key).is_some()), all + 1)
        })
    }

    /// What is being written, without its secrets.
    pub(super) fn safe_input(&self, text: &str) -> String {
        // What somebody types is theirs; what was recorded and is being edited may hold a secret.
        match &self.prompt {
            Some(prompt) if prompt.purpose == Purpose::Edit => self.safe(text),
            _ => text.to_owned(),
        }
    }
}
