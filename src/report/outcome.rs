//! What a snapshot of a corpus says: the outcome of every action, so that a diff of it can be reviewed.
//!
//! ```text
//! 5 actions in 1 session: 1 block, 4 allow
//!
//! session nightly, agent claude-code
//!   block      in production: DROP SCHEMA billing CASCADE
//!              - sql.drop-outside-development: drop Schema billing
//!
//! allowed
//!      3  ls <path>
//!      1  psql -c <words>
//! ```
//! Whatever is not plainly allowed stands there one by one: by session in the order in which sessions begin, and inside
//! one in its own order, because only that order means something. An action that a policy change treats otherwise thus
//! changes its own lines and nothing else. What is plainly allowed is folded by template, sorted by its letters: its
//! order in the log says nothing, and a longer log adds few lines. No times, no lines or names of files, no ids of the
//! policy: only what was decided, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::classify::secrets;
use crate::model::{ActorKind, Decision, Effect, Environment, Finding, Hit, Span};

use super::display::marked;
use super::text::counted;
use super::{escaped, redacted};

/// A text up to so many lines and bytes is shown whole; of a longer one, the line that matters.
const MAX_LINES: usize = 12;
const MAX_BYTES: usize = 1000;
/// Columns of the one line that stands for a long text, and of a name.
const LONG: usize = 240;
const NAME: usize = 120;
/// Things that one rule met, shown for one action.
const MAX_THINGS: usize = 5;

/// The outcome of a corpus in the making; it is told every finding in input order.
#[derive(Debug, Default)]
pub struct OutcomeText {
    decisions: [u64; 4],
    /// Who did what in which session, in the order in which they begin.
    sessions: Vec<Session>,
    by_name: FxHashMap<String, usize>,
    /// Sessions seen, also those in which everything was allowed.
    names: FxHashSet<Arc<str>>,
    /// By template: how it is shown, and how often it was seen.
    allowed: FxHashMap<String, (String, u64)>,
}

#[derive(Debug)]
struct Session {
    heading: String,
    /// What is shown of an action, and how often just this was seen.
    entries: Vec<(Entry, u64)>,
    places: FxHashMap<String, usize>,
}

#[derive(Debug)]
struct Entry {
    first: String,
    more: String,
}

impl OutcomeText {
    pub fn finding(&mut self, finding: &Finding) {
        let action = &finding.action;
        self.decisions[finding.verdict.decision as usize] += 1;
        if !self.names.contains(&action.session) {
            self.names.insert(action.session.clone());
        }
        if is_plain(finding) {
            let template = template(finding);
            if let Some((_, count)) = self.allowed.get_mut(&*template) {
                *count += 1;
            } else {
                let shown = Shown::of(finding).text(&template, LONG);
                self.allowed.insert(template.into_owned(), (shown, 1));
            }
            return;
        }
        let heading = heading(finding);
        let at = *self.by_name.entry(heading).or_insert_with_key(|heading| {
            let (heading, entries, places) = (heading.clone(), Vec::new(), FxHashMap::default());
            self.sessions.push(Session { heading, entries, places });
            self.sessions.len() - 1
        });
        self.sessions[at].add(entry(finding));
    }

    /// The whole text; `unread` records could not be read.
    pub fn finish(&self, unread: u64) -> String {
        let mut text = String::new();
        let total: u64 = self.decisions.iter().sum();
        let counts: Vec<String> = [Decision::Block, Decision::Ask, Decision::Undecided, Decision::Allow]
            .iter()
            .map(|decision| (decision, self.decisions[*decision as usize]))
            .filter(|(_, count)| *count > 0)
            .map(|(decision, count)| format!("{count} {decision}"))
            .collect();
        // Writing to a string cannot fail.
        let _ = write!(text, "{total} {}", if total == 1 { "action" } else { "actions" });
        let _ = write!(text, " in {}: {}", counted(self.names.len() as u64, "session"), counts.join(", "));
        if unread > 0 {
            let _ = write!(text, "; {} could not be read", counted(unread, "record"));
        }
        text.push('\n');
        for session in &self.sessions {
            let _ = writeln!(text, "\n{}", session.heading);
            for (entry, count) in &session.entries {
                let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
                let _ = write!(text, "{}{times}\n{}", entry.first, entry.more);
            }
        }
        let mut allowed: BTreeMap<&str, u64> = BTreeMap::new();
        for (template, count) in self.allowed.values() {
            *allowed.entry(template).or_default() += count;
        }
        if !allowed.is_empty() {
            text.push_str("\nallowed\n");
            for (template, count) in &allowed {
                // Of one width whatever the counts are: one more digit must not change every line.
                let _ = writeln!(text, "{count:>6}  {template}");
            }
        }
        text
    }
}

impl Session {
    fn add(&mut self, entry: Entry) {
        let key = format!("{}\n{}", entry.first, entry.more);
        match self.places.get(&key) {
            Some(at) => self.entries[*at].1 += 1,
            None => {
                self.places.insert(key, self.entries.len());
                self.entries.push((entry, 1));
            }
        }
    }
}

/// Allowed, and no rule, no error and no gap has anything to say about it.
fn is_plain(finding: &Finding) -> bool {
    let verdict = &finding.verdict;
    verdict.decision == Decision::Allow
        && verdict.hits.is_empty()
        && verdict.shadow.is_empty()
        && verdict.errors.is_empty()
}

/// What was not understood has no template; its kind and tool have to do.
fn template(finding: &Finding) -> Cow<'_, str> {
    let template = &finding.understanding.template;
    if !template.is_empty() {
        return Cow::Borrowed(template);
    }
    let action = &finding.action;
    let tool = action.tool.as_ref().map(|tool| format!(" {tool}")).unwrap_or_default();
    Cow::Owned(format!("({}{tool})", action.kind))
}

fn heading(finding: &Finding) -> String {
    let action = &finding.action;
    let shown = Shown::default();
    let who = match (action.actor.kind, action.actor.name.as_str()) {
        (ActorKind::Unknown, "" | "unknown") => String::new(),
        (ActorKind::Unknown, name) => format!(", {}", shown.text(name, NAME)),
        (kind, "" | "unknown") => format!(", {kind}"),
        (kind, name) => format!(", {kind} {}", shown.text(name, NAME)),
    };
    format!("session {}{who}", shown.text(&action.session, NAME))
}

/// The decision with the text, then why, line by line.
fn entry(finding: &Finding) -> Entry {
    let shown = Shown::of(finding);
    let place = match finding.environment {
        Environment::Unknown => String::new(),
        environment => format!("in {environment}: "),
    };
    let action = &finding.action;
    let tool = action.tool.as_deref().filter(|tool| !action.text.starts_with(tool));
    let tool = tool.map(|tool| format!("{}: ", shown.text(tool, NAME))).unwrap_or_default();
    let mut text = lines(finding, &shown).into_iter();
    let indent = " ".repeat(2 + "undecided".len() + 2);
    let first = format!("  {:<9}  {place}{tool}{}", finding.verdict.decision, text.next().unwrap_or_default());
    let mut more = String::new();
    for line in text {
        // Writing to a string cannot fail.
        let _ = writeln!(more, "{}", format!("{indent}{line}").trim_end());
    }
    for reason in reasons(finding, &shown) {
        let _ = writeln!(more, "{indent}- {reason}");
    }
    Entry { first: first.trim_end().to_owned(), more }
}

/// The text, redacted and escaped, by lines; of a long one, the line that decided.
fn lines(finding: &Finding, shown: &Shown<'_>) -> Vec<String> {
    let text = shown.masked(&finding.action.text);
    let lines = text.lines().count();
    if lines <= MAX_LINES && text.len() <= MAX_BYTES {
        return text.lines().map(escaped).collect();
    }
    let (verdict, understanding) = (&finding.verdict, &finding.understanding);
    let hits = verdict.hits.iter().chain(&verdict.shadow);
    let effects = hits.filter_map(|hit| understanding.effects.get(hit.effect)?.span);
    let gaps = verdict.gaps.iter().filter_map(|at| understanding.gaps.get(*at)?.span);
    let spans: Vec<Span> = effects.chain(gaps).collect();
    let size = if lines > 1 { format!("[{lines} lines]") } else { format!("[{} bytes]", text.len()) };
    vec![size, marked(&text, &spans, LONG).text]
}

fn reasons(finding: &Finding, shown: &Shown<'_>) -> Vec<String> {
    let verdict = &finding.verdict;
    let mut reasons = Vec::new();
    for (hits, note) in [(&verdict.hits, ""), (&verdict.shadow, "shadow ")] {
        for (id, mut things) in met(finding, hits, shown) {
            let more = things.len().saturating_sub(MAX_THINGS);
            things.truncate(MAX_THINGS);
            if more > 0 {
                things.push(format!("and {more} more"));
            }
            reasons.push(format!("{note}{id}: {}", things.join(", ")));
        }
    }
    let mut say = |said: String| {
        if !reasons.contains(&said) {
            reasons.push(said);
        }
    };
    if verdict.decision == Decision::Undecided {
        let gaps: Vec<_> = finding.understanding.gaps.iter().chain(&finding.action.gaps).collect();
        for gap in verdict.gaps.iter().filter_map(|at| gaps.get(*at)) {
            say(format!("gap {}: {}", gap.kind, shown.text(&gap.detail, NAME)));
        }
    }
    for error in &verdict.errors {
        say(format!("not evaluated: {}", shown.text(error, LONG)));
    }
    reasons
}

/// Every rule with the things it met, each once.
fn met<'f>(finding: &'f Finding, hits: &'f [Hit], shown: &Shown<'_>) -> Vec<(&'f str, Vec<String>)> {
    let mut met: Vec<(&str, Vec<String>)> = Vec::new();
    for hit in hits {
        let effect = finding.understanding.effects.get(hit.effect);
        let thing = effect.map(|effect| thing(effect, shown)).unwrap_or_default();
        match met.iter_mut().find(|(id, _)| *id == hit.rule.id) {
            Some((_, things)) if things.contains(&thing) => {}
            Some((_, things)) => things.push(thing),
            None => met.push((&hit.rule.id, vec![thing])),
        }
    }
    met
}

/// `drop Schema billing`
fn thing(effect: &Effect, shown: &Shown<'_>) -> String {
    let name = shown.text(&effect.resource.name, NAME);
    format!("{} {} {name}", effect.operation, effect.resource.kind).trim_end().to_owned()
}

/// Takes out of names and messages what is a secret in the text they come from: alone, without the words around it,
/// nobody would know it.
#[derive(Default)]
struct Shown<'f> {
    secrets: Vec<&'f str>,
}

impl<'f> Shown<'f> {
    fn of(finding: &'f Finding) -> Self {
        let action = &finding.action;
        let texts = [Some(&*action.text), action.arguments.as_deref()];
        let found = texts
            .into_iter()
            .flatten()
            .flat_map(|text| secrets::find(text).into_iter().filter_map(move |secret| text.get(secret.range)));
        // Shorter ones would take letters out of plain words.
        Self { secrets: found.filter(|secret| secret.len() >= 4).collect() }
    }

    /// Redacted, byte for byte.
    fn masked(&self, text: &str) -> String {
        let mut text = redacted(text).into_owned();
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, &"*".repeat(secret.len()));
            }
        }
        text
    }

    /// Redacted, escaped, and cut at so many letters.
    fn text(&self, text: &str, most: usize) -> String {
        let text = escaped(&self.masked(text));
        match text.char_indices().nth(most) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.trim_end().to_owned(),
        }
    }
}
