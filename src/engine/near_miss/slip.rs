//! The slip catalogue: what a hand, or a generator, gets wrong.
//!
//! A slip is a small edit of an action's text. Whether it makes the action a bad one is not known here: whoever asks reads
//! the edited action again and judges it. What slips there are is data (`slips.toml`); how each edits a text is one
//! function of the files below.

mod catalogue;
mod flags;
mod path;
mod statement;
#[cfg(test)]
mod tests;
mod words;

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

pub(crate) use catalogue::{Catalogue, about, catalogue};
pub(crate) use statement::is_prepared;

use crate::engine::reword;
use crate::model::{Action, Effect, Kind, Operation, Span};
use crate::policy::Fact;
use crate::reader::record::quoted;
use catalogue::Safety;
use words::{Command, Pointer, Word};

/// One action as it would have been with one slip.
#[derive(Clone, Debug)]
pub(crate) struct Slipped {
    /// The id in the [`mod@catalogue`].
    pub(crate) slip: &'static str,
    /// With another text (and other words), and all else as it was.
    pub(crate) action: Action,
}

/// More than this is nobody's list of likely slips.
const MOST: usize = 24;
/// Longer texts (in bytes) are programs, and nobody types them.
const LONGEST: usize = 64 << 10;

/// The slips around one effect. A kind of slip is made when somebody first asks for it, once for all who ask.
pub(crate) struct Slips<'a> {
    site: Site<'a>,
    /// What slips in such a text can change, as bits; nothing in a text that nobody types.
    changes: u64,
    /// The kinds that were made, by their place in the catalogue.
    tried: u64,
    made: Vec<(usize, Slipped)>,
}

impl<'a> Slips<'a> {
    pub(crate) fn of(action: &'a Action, effect: &'a Effect) -> Self {
        let catalogue = catalogue();
        let (command, safeties) = (OnceCell::new(), OnceCell::new());
        let mut site = Site { action, surface: action.kind, text: &action.text, effect, catalogue, command, safeties };
        // What a tool does by itself is not written as words that slip.
        let own = || action.tool.as_deref().is_some_and(|tool| effect.by.starts_with(tool));
        let typed = action.text.len() <= LONGEST && action.kind != Kind::Api && !(action.kind == Kind::Tool && own());
        if typed && action.kind == Kind::Tool {
            site.surface = site.handed_on();
        }
        let changes = if typed { catalogue.changes(site.surface) } else { 0 };
        Self { site, changes, tried: 0, made: Vec::new() }
    }

    /// Every slip that could change one of `facts` of the effect, most likely first; no two make the same text.
    pub(crate) fn that_change(&mut self, facts: impl IntoIterator<Item = Fact>) -> Vec<&Slipped> {
        let asked = facts.into_iter().fold(0, |bits, fact| bits | catalogue::bit(fact)) & self.changes;
        if asked == 0 {
            return Vec::new();
        }
        let entries = || self.site.catalogue.entries(self.site.surface, asked);
        for (at, entry, operator) in entries() {
            if self.tried & 1 << at == 0 {
                self.tried |= 1 << at;
                let mut edits = Edits { site: &self.site, slip: &entry.id, found: Vec::new() };
                operator(&self.site, &mut edits);
                self.made.extend(edits.found.into_iter().map(|slipped| (at, slipped)));
            }
        }
        let mut found: Vec<&Slipped> = Vec::new();
        if self.made.is_empty() {
            return found;
        }
        for (at, ..) in entries() {
            for (_, slipped) in self.made.iter().filter(|(of, _)| *of == at) {
                if found.len() < MOST && !found.iter().any(|one| one.action.text == slipped.action.text) {
                    found.push(slipped);
                }
            }
        }
        found
    }
}

/// Makes the edits of one slip.
type Operator = fn(&Site<'_>, &mut Edits<'_>);

/// One function for each entry of the catalogue.
const OPERATORS: &[(&str, Operator)] = &[
    ("path-space", path::space),
    ("star-space", path::star_space),
    ("quotes-lost", path::quotes_lost),
    ("dot-slash-lost", path::dot_slash_lost),
    ("dot-lost", path::dot_lost),
    ("variable-empty", path::variable_empty),
    ("cd-failed", flags::cd_failed),
    ("star-prefix-lost", path::star_prefix_lost),
    ("parent-folder", path::parent_folder),
    ("where-lost", statement::where_lost),
    ("where-cut-off", statement::where_cut_off),
    ("limit-lost", statement::limit_lost),
    ("schema-for-table", statement::schema_for_table),
    ("parent-id", path::parent_id),
    ("dry-run-lost", flags::dry_run_lost),
    ("selection-lost", flags::selection_lost),
    ("delete-first", flags::delete_first),
    ("flag-for-flag", flags::flag_for_flag),
    ("guard-off", flags::guard_off),
    ("branch-lost", flags::branch_lost),
    ("all-for-one", flags::all_for_one),
    ("all-namespaces", flags::all_namespaces),
    ("count-times-ten", flags::count_times_ten),
    ("stash-untracked-lost", flags::stash_untracked_lost),
];

/// Where an effect stands, and the words around it, read when somebody first asks for them.
struct Site<'a> {
    action: &'a Action,
    /// What the text is.
    surface: Kind,
    text: &'a str,
    effect: &'a Effect,
    catalogue: &'static Catalogue,
    command: OnceCell<Option<Command>>,
    safeties: OnceCell<Vec<&'static Safety>>,
}

impl<'a> Site<'a> {
    /// The place that the effect names, when it is one of the text.
    fn span(&self) -> Option<Span> {
        self.effect.span.filter(|span| self.text.get(span.start..span.end).is_some_and(|said| !said.is_empty()))
    }

    /// The text of that place.
    fn said(&self) -> &'a str {
        self.span().map_or("", |span| &self.text[span.start..span.end])
    }

    /// The first word of what does it.
    fn program(&self) -> &'a str {
        self.effect.by.split(' ').next().unwrap_or_default()
    }

    /// Something is put there, and nothing else happens to what is there already.
    fn is_placed(&self) -> bool {
        let puts = matches!(self.effect.operation, Operation::Create | Operation::Update);
        puts && self.catalogue.placing.iter().any(|program| program == self.program())
    }

    /// A statement of SQL, perhaps in the quotes of a command.
    fn is_statement(&self) -> bool {
        let verb = self.program();
        self.surface == Kind::Sql || verb.len() > 2 && verb.bytes().all(|byte| byte.is_ascii_uppercase())
    }

    /// What sort of text a tool is called with: a statement that stands in no command's quotes, or a command.
    fn handed_on(&self) -> Kind {
        let quoted = || self.pointer().and_then(|pointer| words::quoted_region(self.text, pointer));
        if self.is_statement() && quoted().is_none() { Kind::Sql } else { Kind::Shell }
    }

    fn pointer(&self) -> Option<Pointer<'a>> {
        Some(Pointer { span: self.span()?, by: self.program(), statement: self.is_statement() })
    }

    /// The command of the effect; without a place only where the text is no more than one command.
    fn command(&self) -> Option<&Command> {
        let read = || match self.pointer() {
            Some(pointer) => words::command(self.text, pointer),
            None => words::only_command(self.text),
        };
        if self.surface == Kind::Sql { None } else { self.command.get_or_init(read).as_ref() }
    }

    /// The flags in the text that keep such a command from happening.
    fn safeties(&self) -> &[&'static Safety] {
        self.safeties.get_or_init(|| flags::safeties_in(self))
    }

    fn raw(&self, word: &Word) -> &'a str {
        self.text.get(word.at.clone()).unwrap_or_default()
    }

    /// The words that the effect is about: the one it names, or the operands among all that it names.
    fn targets(&self) -> impl Iterator<Item = (&Word, &'a str)> {
        let span = self.span();
        let words = self.command().map_or(&[][..], |command| &command.words);
        let inside = move |word: &&Word| {
            span.is_some_and(|span| word.at.start < span.end && span.start < word.at.end) && !word.redirected
        };
        let several = words.iter().filter(inside).nth(1).is_some();
        let named = words.iter().filter(inside).skip(usize::from(several)).map(|word| (word, self.raw(word)));
        // Flags of Windows begin with a slash.
        let flag = |raw: &str| raw.starts_with('-') || raw.len() == 2 && raw.starts_with('/');
        named.filter(move |(_, raw)| !several || !flag(raw)).take(4)
    }

    /// How many words the program and its verbs take: the index behind the last of them. 0 when they are not there.
    fn verbs(&self, words: &[Word], by: &str) -> usize {
        let mut at = 0;
        for verb in by.split(' ') {
            let found = words.get(at..).unwrap_or_default().iter().position(|word| {
                let raw = self.raw(word);
                raw == verb || raw.rsplit(['/', '\\']).next() == Some(verb)
            });
            match found {
                Some(found) => at += found + 1,
                None => return 0,
            }
        }
        at
    }
}

/// What an entry of the catalogue makes of an action.
struct Edits<'a> {
    site: &'a Site<'a>,
    slip: &'static str,
    found: Vec<Slipped>,
}

impl Edits<'_> {
    /// The text with each range replaced; ranges ascend.
    fn make(&mut self, edits: &[(Range<usize>, &str)]) {
        let old = self.site.text;
        let mut text = String::with_capacity(old.len() + 32);
        let mut at = 0;
        for (range, with) in edits {
            // Never inside a letter, whatever an effect says of its place.
            let Some(kept) = old.get(at..range.start).filter(|_| old.is_char_boundary(range.end)) else { return };
            text.push_str(kept);
            text.push_str(with);
            at = range.end;
        }
        text.push_str(&old[at..]);
        let mut argv = None;
        if self.site.action.kind == Kind::Exec {
            let Some(words) = self.argv(&text) else { return };
            text = quoted(&words);
            argv = Some(Arc::from(words));
        }
        if text == old || text.trim().is_empty() || self.found.iter().any(|one| *one.action.text == *text) {
            return;
        }
        let action = match argv {
            Some(_) => Action { text: text.into(), argv, ..self.site.action.clone() },
            None => match reword(self.site.action, &text) {
                Some(action) => action,
                // The text is a name for something else.
                None => return,
            },
        };
        self.found.push(Slipped { slip: self.slip, action });
    }

    /// The words of an edited `exec`: those of its text, as long as its text was made of its words.
    fn argv(&self, text: &str) -> Option<Vec<String>> {
        let words = |text: &str| -> Option<Vec<String>> {
            let command = words::only_command(text)?;
            command.words.iter().map(|word| words::value(text.get(word.at.clone())?)).collect()
        };
        let was = words(self.site.text)?;
        (Some(&*was) == self.site.action.argv.as_deref()).then(|| words(text))?
    }
}
