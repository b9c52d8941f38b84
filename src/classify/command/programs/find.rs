//! `find` and `fd`: where they look, what they keep, and what they do to it.

use crate::classify::command::{Stream, call::Call, flags, settle, within};
use crate::classify::{Scene, Word};
use crate::model::{Extent, Operation, ResourceKind};

/// Tests that keep only some of what is there; `-type` and the depths are none.
const NARROW: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-regex",
    "-iregex",
    "-lname",
    "-mtime",
    "-atime",
    "-ctime",
    "-mmin",
    "-amin",
    "-cmin",
    "-newer",
    "-anewer",
    "-cnewer",
    "-newermt",
    "-size",
    "-empty",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-perm",
    "-inum",
    "-samefile",
    "-links",
    "-nouser",
    "-nogroup",
    "-used",
    "-executable",
    "-fstype",
];

/// Tests that say what a thing is; age, size and owner let anything through.
const TELLING: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-regex",
    "-iregex",
    "-lname",
    "-empty",
    "-inum",
    "-samefile",
    "-newer",
    "-anewer",
    "-cnewer",
    "-newermt",
];

pub(super) fn find(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    let first =
        words.iter().position(|word| !matches!(&*word.text, "-H" | "-L" | "-P" | "-O0" | "-O1" | "-O2" | "-O3"));
    let words = words.get(first.unwrap_or(words.len())..).unwrap_or_default();
    let begins = |word: &Word| word.text.starts_with(['-', '(', '!', ')']);
    let (folders, tests) = words.split_at(words.iter().position(begins).unwrap_or(words.len()));
    let here = [Word::known(".")];
    let folders = if folders.is_empty() { &here[..] } else { folders };
    for folder in folders {
        let effect = settle::on_kind(scene, Operation::List, folder, ResourceKind::Folder, false);
        super::note(scene, call, effect);
    }
    let mut at = 0;
    while let Some(word) = tests.get(at) {
        // What comes behind it keeps nothing from it.
        let kept = || Kept::by(tests.get(..at).unwrap_or_default());
        match &*word.text {
            "-delete" => {
                let kept = kept();
                for folder in folders {
                    let target = kept.target(folder);
                    let word = if kept.narrow && kept.name.is_none() { folder } else { &target };
                    let effect = settle::on_path(scene, Operation::Delete, word, !kept.telling).map(|mut effect| {
                        effect.extent = if kept.telling { Extent::Some } else { Extent::All };
                        effect
                    });
                    super::note(scene, call, effect);
                }
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => {
                let kept = kept();
                let rest = tests.get(at + 1..).unwrap_or_default();
                let ends = |word: &Word| matches!(&*word.text, ";" | "\\;" | "+");
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                let typed: Vec<&str> = rest.iter().take(length).filter_map(Word::value).collect();
                if let Some(effect) = super::interactive_shell(&typed.join(" "), call.invocation.span) {
                    scene.effect(effect);
                }
                for folder in folders {
                    let target = kept.target(folder);
                    let put = |word: &Word| super::replaced(word, "{}", &target);
                    let words: Vec<Word> = rest.iter().take(length).map(put).collect();
                    within::run_words(scene, call, &words, false);
                }
                at += length;
            }
            "-fprint" | "-fprintf" | "-fls" | "-fprint0" => {
                let effect = tests.get(at + 1).and_then(|file| settle::on_path(scene, Operation::Update, file, false));
                super::note(scene, call, effect);
            }
            _ => {}
        }
        at += 1;
    }
    let listed = folders.first().map(|folder| Kept::by(tests).target(folder));
    Some(Stream { connected: true, lists_under: listed, ..Stream::default() })
}

/// What tests keep of all there is.
struct Kept<'w> {
    narrow: bool,
    telling: bool,
    name: Option<&'w Word>,
}

impl<'w> Kept<'w> {
    fn by(tests: &'w [Word]) -> Self {
        let any = |list: &[&str]| tests.iter().any(|word| list.contains(&&*word.text));
        Self { narrow: any(NARROW), telling: any(TELLING), name: only_name(tests) }
    }

    fn target(&self, folder: &Word) -> Word {
        target(folder, self.narrow, self.name)
    }
}

/// The pattern of `-name x` when it is the only name test and not negated.
fn only_name(tests: &[Word]) -> Option<&Word> {
    let is_name = |word: &Word| matches!(&*word.text, "-name" | "-iname");
    let at = tests.iter().position(is_name)?;
    let several = tests.iter().filter(|word| is_name(word)).count() > 1;
    let negated = at > 0 && tests.get(at - 1).is_some_and(|word| matches!(&*word.text, "!" | "-not"));
    tests.get(at + 1).filter(|word| !several && !negated && word.is_known())
}

/// A word for what is found: `folder/*.tmp`, or everything in the folder, or something in it.
fn target(folder: &Word, narrow: bool, name: Option<&Word>) -> Word {
    let base = folder.text.trim_end_matches('/');
    let tail = match name {
        Some(name) => &*name.text,
        None if narrow => "{}",
        None => "*",
    };
    let mut word = Word { text: format!("{base}/{tail}"), glob: true, ..folder.clone() };
    // `find ""` finds nothing: only a slash behind an empty variable makes it the root.
    let alone = folder.emptied().is_empty();
    for part in &mut word.unknown {
        part.guarded |= alone;
    }
    word
}

pub(super) fn fd(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    let runs = |word: &Word| matches!(&*word.text, "-x" | "--exec" | "-X" | "--exec-batch");
    let at = words.iter().position(runs).unwrap_or(words.len());
    let table = flags::Table { levels: vec![call.program] };
    let manner = flags::Manner {
        style: call.program.style,
        place: flags_place(),
        prefixes: false,
        unlisted: call.program.unknown,
        program: "",
    };
    let parsed = flags::parse(words.get(..at).unwrap_or_default(), &[], &table, manner);
    let here = Word::known(".");
    let folder = parsed.operands.get(1).map_or(&here, |word| &**word);
    let effect = settle::on_kind(scene, Operation::List, folder, ResourceKind::Folder, false);
    super::note(scene, call, effect);
    let found = Word { span: folder.span, ..super::some_name(Some(&folder.text)) };
    let mut command: Vec<Word> =
        words.get(at + 1..).unwrap_or_default().iter().take_while(|w| w.text != ";").cloned().collect();
    if !command.is_empty() {
        if command.iter().any(|word| word.text.contains("{}")) {
            command = command.iter().map(|word| super::replaced(word, "{}", &found)).collect();
        } else {
            command.push(found.clone());
        }
        return Some(within::run_words(scene, call, &command, false));
    }
    Some(Stream { connected: true, lists_under: Some(found), ..Stream::default() })
}

fn flags_place() -> crate::classify::command::spec::Place {
    crate::classify::command::spec::Place::Anywhere
}
