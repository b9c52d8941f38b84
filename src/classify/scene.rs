//! The state of one classification: where the current code stands, who runs it, what was found so far.

use crate::model::{Action, Effect, Gap, GapKind, Hides, Place, Span, Step, Understanding};

use super::command::Stream;
use super::{Catalog, Known, code, given, shell, sql};

/// Code nested deeper than this (`bash -c "ssh h 'psql -c …'"`) is a gap.
const MAX_DEPTH: usize = 24;
/// Effects and gaps beyond this are not kept one by one; a gap says so.
const MAX_FOUND: usize = 4_096;

/// A language that code can be handed to us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    Shell,
    Sql,
    Python,
    JavaScript,
    Ruby,
    Perl,
    Php,
    PowerShell,
    Cmd,
    Awk,
    /// One redis command per line.
    Redis,
    /// The mongo shell's JavaScript.
    Mongo,
    Lua,
    R,
    Go,
}

/// The state of one classification.
#[derive(Debug)]
pub struct Scene<'a> {
    pub catalog: &'a Catalog,
    pub action: &'a Action,
    /// The working folder where the current code runs: absolute, or, where nobody recorded in which folder it began,
    /// seen from there. `None` is that folder itself, or that nothing is known ([`State::lost`](super::shell::State)).
    pub cwd: Option<String>,
    pub home: Option<String>,
    /// Shell variables as far as known here; `None` for set but unknown.
    pub variables: std::collections::BTreeMap<String, Option<String>>,
    /// Runs with raised rights.
    pub elevated: bool,
    /// Runs on another machine or in a container: paths are not those of the workspace.
    pub elsewhere: bool,
    /// Hosts, clusters, databases named by what surrounds the current code (`ssh host`, `kubectl --context`).
    pub places: Vec<Place>,
    /// The SQL dialect of the current code, by its lower-case name.
    pub dialect: Option<String>,
    /// What the text itself puts into files, as far as it shows: by absolute path where the working folder is known,
    /// else as written. Process and command substitutions (`<(curl …)`, `$(curl …)`) stand here too, as written.
    pub files: std::collections::BTreeMap<String, Stream>,
    /// Commands that the text or an earlier action put into a program's configuration: `git tidy` and what it runs.
    pub(super) commands_of_programs: std::collections::BTreeMap<String, String>,
    /// The words that the current code of another language is called with; `None` when nobody knows.
    pub arguments: Option<std::rc::Rc<[super::Word]>>,
    /// That code stands in the command line itself (`node -e`), not in a file.
    pub inline: bool,
    /// What comes in on its standard input was fetched from outside.
    pub stdin_remote: bool,
    /// Functions, aliases, arrays and the like of the shell the current code runs in.
    pub shell: shell::State,
    frame: Frame,
    depth: usize,
    /// How many commands run each other right now: `sudo env nice …`.
    commands: usize,
    /// How many scripts that the text itself wrote were run.
    scripts: usize,
    /// Depth in the tree of steps; `None` when nobody asked for it.
    step_depth: Option<usize>,
    known: &'a Known,
    out: Understanding,
}

/// How offsets of the current code map to the action's text.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// The code stands in the text, letter by letter, from this byte on.
    Exact(usize),
    /// The code was decoded or unescaped from this part of the text.
    Within(Option<Span>),
}

impl<'a> Scene<'a> {
    pub fn new(catalog: &'a Catalog, action: &'a Action, known: &'a Known, keep_steps: bool) -> Self {
        let mut scene = Self {
            catalog,
            action,
            cwd: known.cwd.clone().or_else(|| action.surroundings.cwd.clone()),
            home: known.home.clone().or_else(|| action.surroundings.home.clone()),
            variables: known.variables.clone(),
            elevated: false,
            elsewhere: false,
            places: Vec::new(),
            dialect: action.surroundings.dialect.clone(),
            files: std::collections::BTreeMap::new(),
            commands_of_programs: std::collections::BTreeMap::new(),
            arguments: None,
            inline: false,
            stdin_remote: false,
            shell: shell::State::default(),
            frame: Frame::Exact(0),
            depth: 0,
            commands: 0,
            scripts: 0,
            step_depth: keep_steps.then_some(0),
            known,
            out: Understanding::default(),
        };
        if !known.given.is_empty() {
            given::take_over(&mut scene, known);
        }
        scene
    }

    /// Classifies code that stands letter by letter at byte `at` of the current code.
    pub fn run(&mut self, language: Language, text: &str, at: usize) {
        let frame = match self.frame {
            Frame::Exact(base) => Frame::Exact(base + at),
            within => within,
        };
        self.nested(frame, language, text);
    }

    /// Classifies code that was decoded, unescaped or read from a word at `span` of the current code.
    /// When the word is just the code in quotes, spans still point into it.
    pub fn run_word(&mut self, language: Language, text: &str, span: Option<Span>) {
        let span = self.outer(span);
        self.run_kept(language, text, span);
    }

    /// Classifies code that came through a pipe or a file; `span` is its place in the action's text, as in a [`Stream`].
    pub fn run_kept(&mut self, language: Language, text: &str, span: Option<Span>) {
        let verbatim = span.and_then(|span| {
            let whole = self.action.text.get(span.start..span.end)?;
            let at = whole.find(text)?;
            (!text.is_empty()).then_some(span.start + at)
        });
        let frame = verbatim.map_or(Frame::Within(span), Frame::Exact);
        self.nested(frame, language, text);
    }

    /// Runs shell code like [`Scene::run`] (`at` given) or [`Scene::run_word`], with something on its standard input;
    /// gives what it writes on standard output.
    pub fn run_piped(&mut self, text: &str, at: Result<usize, Option<Span>>, stdin: Stream) -> Stream {
        // Names that flow in and out are words of the code they stand in; their places are not those of other code.
        let (mut stdin, shift) = (stdin, at.ok());
        stdin.locate(|span| Some(Span::new(span.start.checked_sub(shift?)?, span.end.checked_sub(shift?)?)));
        self.shell.connect(stdin);
        match at {
            Ok(at) => self.run(Language::Shell, text, at),
            Err(span) => self.run_word(Language::Shell, text, span),
        }
        let mut output = self.shell.take_output();
        output.locate(|span| Some(span.shifted(shift?)));
        output
    }

    fn nested(&mut self, frame: Frame, language: Language, text: &str) {
        if self.depth >= MAX_DEPTH {
            self.gap(GapKind::TooDeep, Hides::Anything, None, "code nested too deeply");
            return;
        }
        let outer = std::mem::replace(&mut self.frame, frame);
        self.depth += 1;
        // What was recorded as a command line may be one of Windows.
        let typed = self.depth == 1 && language == Language::Shell;
        let windows = if typed { code::windows::language(text, self.cwd.as_deref()) } else { None };
        match windows.unwrap_or(language) {
            Language::Shell => shell::run(self, text),
            Language::Sql => sql::run(self, text),
            other => code::run(self, other, text),
        }
        self.depth -= 1;
        self.frame = outer;
    }

    /// From here on the code runs on another machine or in a container, in a folder of its own.
    pub fn go_elsewhere(&mut self) {
        self.elsewhere = true;
        self.cwd = None;
        self.shell.old_cwd = None;
        self.shell.lost = false;
    }

    /// The folder that the session was in when the action began, where its full path is known.
    pub fn began(&self) -> Option<&str> {
        let began = self.action.surroundings.cwd.as_deref().or(self.known.cwd.as_deref());
        began.filter(|folder| super::paths::is_absolute(folder))
    }

    /// The working folder, where its full path is known.
    pub fn absolute_cwd(&self) -> Option<&str> {
        self.cwd.as_deref().filter(|cwd| super::paths::is_absolute(cwd))
    }

    /// Runs `inside` with changes to who and where that end with it: `sudo`, `ssh`, a subshell.
    pub fn scoped<R>(&mut self, inside: impl FnOnce(&mut Self) -> R) -> R {
        let kept = (
            self.cwd.clone(),
            self.home.clone(),
            self.variables.clone(),
            self.elevated,
            self.elsewhere,
            self.places.clone(),
            self.dialect.clone(),
        );
        let shell = self.shell.clone();
        let result = inside(self);
        self.shell.restore(shell);
        (self.cwd, self.home, self.variables, self.elevated, self.elsewhere, self.places, self.dialect) = kept;
        result
    }

    /// Runs `inside`, code of another language, as called with `words`.
    fn called_with<R>(&mut self, words: &[super::Word], inside: impl FnOnce(&mut Self) -> R) -> R {
        // Their places are those of the command line, not of the code.
        let words = words.iter().map(|word| super::Word { span: None, ..word.clone() }).collect();
        let outer = self.arguments.replace(words);
        let result = inside(self);
        self.arguments = outer;
        result
    }

    /// As [`Self::called_with`], for code in a file.
    pub(super) fn called_as_file<R>(&mut self, words: &[super::Word], inside: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.inline, false);
        let result = self.called_with(words, inside);
        self.inline = outer;
        result
    }

    /// As [`Self::called_with`], for code that stands in the command line.
    pub(super) fn called_inline<R>(&mut self, words: &[super::Word], inside: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.inline, true);
        let result = self.called_with(words, inside);
        self.inline = outer;
        result
    }

    /// Notes an effect; its span is one of the current code. Rights and places of the scene are added.
    pub fn effect(&mut self, mut effect: Effect) {
        if self.out.effects.len() >= MAX_FOUND {
            self.too_many();
            return;
        }
        effect.span = self.outer(effect.span);
        effect.elevated |= self.elevated;
        for place in &self.places {
            if !effect.places.contains(place) {
                effect.places.push(place.clone());
            }
        }
        if !self.files.is_empty() {
            given::forget(self, &effect);
        }
        self.out.effects.push(effect);
    }

    /// Notes a gap; its span is one of the current code.
    pub fn gap(&mut self, kind: GapKind, hides: Hides, span: Option<Span>, detail: impl Into<String>) {
        if self.out.gaps.len() >= MAX_FOUND {
            self.too_many();
            return;
        }
        let gap = Gap { kind, hides, span: self.outer(span), detail: shortened(detail.into()) };
        if !self.out.gaps.contains(&gap) {
            self.out.gaps.push(gap);
        }
    }

    /// The gaps found so far.
    pub(super) fn gaps(&self) -> &[Gap] {
        &self.out.gaps
    }

    /// Takes out again what was found from `mark` on; places are those of the action's text.
    pub(super) fn take_gaps(&mut self, mark: usize, taken: impl Fn(&Gap) -> bool) -> Vec<Gap> {
        let (taken, kept): (Vec<Gap>, Vec<Gap>) =
            self.out.gaps.split_off(mark.min(self.out.gaps.len())).into_iter().partition(|gap| taken(gap));
        self.out.gaps.extend(kept);
        taken
    }

    /// Takes out again what was found since both marks: it was read as something it is not.
    pub(super) fn forget_since(&mut self, effects: usize, gaps: usize) {
        self.out.effects.truncate(effects);
        self.out.gaps.truncate(gaps);
    }

    fn too_many(&mut self) {
        let gap = Gap {
            kind: GapKind::TooLarge,
            hides: Hides::Anything,
            span: None,
            detail: format!("more than {MAX_FOUND} effects"),
        };
        if self.out.gaps.last() != Some(&gap) {
            self.out.gaps.push(gap);
        }
    }

    /// Effects found since `mark` was taken with [`Scene::mark`].
    pub fn since(&mut self, mark: usize) -> &mut [Effect] {
        &mut self.out.effects[mark..]
    }

    pub fn mark(&self) -> usize {
        self.out.effects.len()
    }

    /// Counts a command that runs another; `false` when that goes deeper than `most`.
    pub(super) fn enter_command(&mut self, most: usize) -> bool {
        let fits = self.commands < most;
        self.commands += usize::from(fits);
        fits
    }

    pub(super) fn leave_command(&mut self) {
        self.commands -= 1;
    }

    /// Counts a script that the text wrote and runs; `false` when there were too many.
    pub(super) fn enter_script(&mut self) -> bool {
        const MOST: usize = 64;
        self.scripts += 1;
        self.scripts <= MOST
    }

    /// Adds a line to the tree of what was understood and puts what `inside` finds below it.
    pub fn step<R>(
        &mut self,
        label: impl FnOnce() -> String,
        span: Option<Span>,
        inside: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let Some(depth) = self.step_depth else { return inside(self) };
        let span = self.outer(span);
        self.out.steps.push(Step { depth, label: label(), span });
        self.step_depth = Some(depth + 1);
        let result = inside(self);
        self.step_depth = Some(depth);
        result
    }

    /// The grouping text of the action; the outermost language sets it.
    pub fn set_template(&mut self, template: impl FnOnce() -> String) {
        if self.out.template.is_empty() {
            self.out.template = template();
        }
    }

    /// Whether the current code is the action's own text, not something nested in it.
    pub fn is_outermost(&self) -> bool {
        self.depth <= 1
    }

    /// The place in the action's text that a span of the current code stands for.
    pub(super) fn outer(&self, span: Option<Span>) -> Option<Span> {
        match self.frame {
            // Words that came from other code may have spans of that code: pointing nowhere is better than beside the text.
            Frame::Exact(base) => {
                span.map(|span| span.shifted(base)).filter(|span| self.action.text.get(span.start..span.end).is_some())
            }
            Frame::Within(whole) => whole,
        }
    }

    /// The opposite of [`Scene::outer`]; `None` where the place is not in the current code.
    pub(super) fn inner(&self, span: Option<Span>) -> Option<Span> {
        match self.frame {
            Frame::Exact(base) => {
                span.and_then(|span| Some(Span::new(span.start.checked_sub(base)?, span.end.checked_sub(base)?)))
            }
            Frame::Within(_) => None,
        }
    }

    pub fn finish(mut self) -> Understanding {
        let known = self.known;
        let given = given::left_behind(&mut self, known);
        let before = self.known.cwd.as_ref().or(self.action.surroundings.cwd.as_ref());
        if self.cwd.as_ref() != before {
            self.out.writes.moved = true;
            self.out.writes.cwd = self.cwd;
        }
        self.out.writes.variables =
            self.variables.into_iter().filter(|(name, value)| self.known.variables.get(name) != Some(value)).collect();
        self.out.writes.given = given;
        self.out
    }
}

/// Details are for people and stand in every report: long ones are cut at a character boundary.
fn shortened(mut detail: String) -> String {
    const MOST: usize = 120;
    if detail.len() > MOST {
        let mut end = MOST;
        while !detail.is_char_boundary(end) {
            end -= 1;
        }
        detail.truncate(end);
        detail.push('…');
    }
    detail
}
