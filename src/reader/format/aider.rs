//! Aider chats: `.aider.chat.history.md`. Commands that a person typed, commands that aider proposed and a person allowed
//! or refused, and the files it edited. There are no times but that of a chat's start.
//!
//! `#### /run ls`, and `> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: y` behind the commands.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::{Actor, ActorKind};
use crate::reader::record::Lines;
use crate::reader::transcript::{At, Call, Calls, Voice, file_session, has, ran, refused};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Aider;

const NAME: &str = "aider";
const START: &str = "# aider chat started at ";

impl Reader for Aider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Aider chats (.aider.chat.history.md)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        if has(START) {
            return Match::Certain;
        }
        let typed = sample.head.starts_with(b"#### ") || has("\n#### ");
        let told = has("\n> ") || sample.head.starts_with(b"> ");
        let named = sample.name.contains("aider.chat.history");
        match typed {
            true if told && (named || has(" to the chat.") || has("\n> Tokens: ")) => Match::Likely,
            _ if named => Match::Maybe,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut chat = Chat::new(source, out);
        let mut lines = Lines::new(input);
        let mut read = Ok(());
        loop {
            match lines.next_line() {
                Ok(Some(line)) => {
                    let at = At { line: line.number, offset: line.offset };
                    let text = String::from_utf8_lossy(line.bytes);
                    let flow = if line.cut { chat.calls.too_long(at) } else { chat.line(text.trim_end(), at) };
                    if flow.is_break() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
        }
        chat.calls.finish();
        read
    }
}

struct Chat<'o> {
    calls: Calls<'o>,
    stem: String,
    agent: Arc<Actor>,
    person: Arc<Actor>,
    session: Arc<str>,
    chats: usize,
    seen: usize,
    /// What aider said last, line by line, since somebody else spoke.
    told: Vec<String>,
    /// The block of commands that the model wrote last: whether it is still open, and what is in it.
    block: Vec<String>,
    in_block: bool,
    /// Commands that will be said to run, with their ids.
    allowed: VecDeque<(String, String)>,
}

impl<'o> Chat<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = |name: &str, kind| Arc::new(Actor { name: name.to_owned(), kind, groups: Vec::new() });
        let stem = file_session(source);
        Self {
            calls: Calls::new(source, NAME, out),
            session: stem.as_str().into(),
            stem,
            agent: actor("aider", ActorKind::Agent),
            person: actor("user", ActorKind::Human),
            chats: 0,
            seen: 0,
            told: Vec::new(),
            block: Vec::new(),
            in_block: false,
            allowed: VecDeque::new(),
        }
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        if let Some(start) = text.strip_prefix(START) {
            self.chats += 1;
            self.session = format!("{}#{} {start}", self.stem, self.chats).into();
            self.in_block = false;
            self.forget();
            return self.calls.nothing();
        }
        if let Some(fence) = text.strip_prefix("```") {
            let shell = matches!(fence.trim(), "bash" | "sh" | "shell" | "zsh" | "console");
            if !self.in_block && shell {
                self.block.clear();
                self.in_block = true;
            } else {
                self.in_block = false;
            }
            return ControlFlow::Continue(());
        }
        if self.in_block {
            self.block.push(text.to_owned());
            return ControlFlow::Continue(());
        }
        if let Some(typed) = text.strip_prefix("#### ") {
            self.forget();
            return self.typed(typed.trim(), at);
        }
        match text.strip_prefix("> ").or(text.strip_prefix('>')) {
            Some(told) => self.told(told.trim(), at),
            None => {
                if !text.is_empty() {
                    self.told.clear();
                }
                ControlFlow::Continue(())
            }
        }
    }

    fn forget(&mut self) {
        self.told.clear();
        self.block.clear();
        self.allowed.clear();
    }

    /// What a person typed: a command of theirs, or a wish.
    fn typed(&mut self, typed: &str, at: At) -> ControlFlow<()> {
        let own = typed.strip_prefix("/git ").map(|rest| format!("git {}", rest.trim()));
        let run = ["/run ", "/test ", "!"].iter().find_map(|start| typed.strip_prefix(start));
        let Some(command) = own.or(run.map(|run| run.trim().to_owned())).filter(|command| !command.is_empty()) else {
            return self.calls.nothing();
        };
        let id = self.id();
        self.shell(self.person.clone(), &id, &command, false, at)?;
        self.calls.settle(&id, ran(None, None))
    }

    /// What aider itself said.
    fn told(&mut self, told: &str, at: At) -> ControlFlow<()> {
        if let Some((question, answer)) = asked(told) {
            if question.starts_with("Run shell command") {
                return self.answered(answer, at);
            }
            self.told.clear();
            return self.calls.nothing();
        }
        if let Some(command) = told.strip_prefix("Running ") {
            if let Some(place) = self.allowed.iter().position(|(allowed, _)| allowed == command)
                && let Some((_, id)) = self.allowed.remove(place)
            {
                return self.calls.settle(&id, ran(None, None));
            }
            return self.calls.nothing();
        }
        if let Some(path) = told.strip_prefix("Applied edit to ") {
            let id = self.id();
            let arguments = serde_json::json!({ "file_path": path }).to_string();
            let voice = self.voice(self.agent.clone());
            let call = Call { id: &id, own_session: true, tool: "edit", arguments: &arguments, at, ..Call::default() };
            self.calls.tool(&voice, &call)?;
            return self.calls.settle(&id, ran(Some(true), None));
        }
        self.told.push(told.to_owned());
        self.calls.nothing()
    }

    /// A person said yes or no to the commands that stand before the question, or in the last block.
    fn answered(&mut self, answer: &str, at: At) -> ControlFlow<()> {
        let known = |line: &&String| {
            let line = line.as_str();
            !["Tokens:", "Commit ", "Warning", "Add ", "Cost:"].iter().any(|start| line.starts_with(start))
        };
        let mut commands: Vec<String> =
            self.told.iter().filter(known).filter(|line| !line.is_empty()).cloned().collect();
        if commands.is_empty() {
            commands = std::mem::take(&mut self.block);
        }
        self.told.clear();
        let command = commands.join("\n");
        if command.trim().is_empty() {
            return self.calls.lost(at, "a command that was asked about is not recorded", "");
        }
        let said_yes = answer.is_empty() || answer.to_ascii_lowercase().starts_with(['y', 'a']);
        let id = self.id();
        self.shell(self.agent.clone(), &id, &command, said_yes, at)?;
        if !said_yes {
            return self.calls.settle(&id, refused());
        }
        // Each line of it is said to run by itself.
        self.allowed.push_back((commands.first().cloned().unwrap_or_default(), id));
        ControlFlow::Continue(())
    }

    fn shell(&mut self, actor: Arc<Actor>, id: &str, command: &str, approved: bool, at: At) -> ControlFlow<()> {
        let voice = self.voice(actor);
        let call = Call { id, own_session: true, approved, at, ..Call::default() };
        self.calls.shell(&voice, &call, command)
    }

    fn voice(&self, actor: Arc<Actor>) -> Voice {
        Voice { actor, session: self.session.clone(), surroundings: Arc::default() }
    }

    fn id(&mut self) -> String {
        self.seen += 1;
        format!("act {}", self.seen)
    }
}

/// A question with its answer: `Run shell command? (Y)es/(N)o [Yes]: y`.
fn asked(told: &str) -> Option<(&str, &str)> {
    let (question, answer) = told.split_once("? (Y)es/")?;
    let (_, answer) = answer.rsplit_once("]: ").or_else(|| answer.rsplit_once("]:"))?;
    Some((question, answer.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[test]
    fn who_ran_what() {
        let text = "\n# aider chat started at 2026-01-05 09:00:00\n\n> Aider v0.80\n\n#### /run ls -l\n#### please build\n\nTry:\n\n```bash\nmake all\n```\n\n> Tokens: 2k sent\n> Applied edit to src/a.c\n> make all  \n> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: y  \n> Running make all  \n> make install  \n> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: n\n\n# aider chat started at 2026-01-06 09:00:00\n#### !pwd\n";
        let (one, two) = ("session=h#1 2026-01-05 09:00:00", "session=h#2 2026-01-06 09:00:00");
        assert_eq!(
            shown(&Aider, "h.md", text.as_bytes()),
            format!(
                "L6 shell \"ls -l\" {one} actor=human:user exec=yes\n\
                 L16 tool \"src/a.c\" {one} actor=agent:aider exec=yes ok tool=edit\n\
                 L18 shell \"make all\" {one} actor=agent:aider exec=yes approved\n\
                 L21 shell \"make install\" {one} actor=agent:aider exec=no\n\
                 L24 shell \"pwd\" {two} actor=human:user exec=yes\n"
            )
        );
    }
}
