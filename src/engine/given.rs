//! Files and names that earlier actions of a session left behind, bounded; an action is told only of those it names, so
//! that all others are remembered as if nothing had been left.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::classify::runners_of;
use crate::model::{Content, Given};

/// Names kept for a session; the oldest go first.
const MAX_NAMES: usize = 64;
/// Bytes of text kept for a session.
const MAX_BYTES: usize = 256 * 1024;
/// Names that one action is told of.
const MAX_TOLD: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    kept: BTreeMap<Given, Kept>,
    /// The names by the words that an action can name them with.
    by_word: FxHashMap<Box<str>, Vec<Given>>,
    /// Which words there are in `by_word`, roughly.
    names: Words,
    /// Counts what was ever taken in: the order of age.
    taken: u64,
    bytes: usize,
}

/// A set of words, told apart by their length and first letters: answers "surely not" for most words of a text, which
/// is cheaper than looking each of them up. Never forgets one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words([u64; 4]);

impl Words {
    pub(super) fn insert(&mut self, word: &str) {
        let slot = Self::slot(word);
        self.0[slot >> 6] |= 1 << (slot & 63);
    }

    fn may_have(&self, word: &str) -> bool {
        let slot = Self::slot(word);
        self.0[slot >> 6] & 1 << (slot & 63) != 0
    }

    fn slot(word: &str) -> usize {
        let bytes = word.as_bytes();
        let letter = |at: usize| bytes.get(at).map_or(0, |byte| usize::from(*byte));
        (letter(0) * 7 + letter(1) * 31 + bytes.len() * 101) & 255
    }
}

#[derive(Clone, Debug)]
struct Kept {
    content: Arc<Content>,
    since: u64,
}

impl Store {
    /// Takes in what an action left.
    pub(super) fn take(&mut self, left: &[(Given, Option<Arc<Content>>)]) {
        for (given, content) in left {
            if let Some(kept) = self.kept.get_mut(given)
                && content.as_ref() == Some(&kept.content)
            {
                self.taken += 1;
                kept.since = self.taken;
                continue;
            }
            self.remove(given);
            let Some(content) = content else { continue };
            for word in words_of(given, content) {
                self.names.insert(word);
                self.by_word.entry(word.into()).or_default().push(given.clone());
            }
            self.taken += 1;
            self.bytes += size(content);
            self.kept.insert(given.clone(), Kept { content: Arc::clone(content), since: self.taken });
        }
        while self.kept.len() > MAX_NAMES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, kept)| kept.since).map(|(given, _)| given.clone())
            else {
                break;
            };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, given: &Given) {
        let Some(kept) = self.kept.remove(given) else { return };
        self.bytes -= size(&kept.content);
        for word in words_of(given, &kept.content) {
            if let Some(same) = self.by_word.get_mut(word) {
                same.retain(|other| other != given);
                if same.is_empty() {
                    self.by_word.remove(word);
                }
            }
        }
    }

    /// Lets go of the files whose paths end so.
    pub(super) fn forget(&mut self, ending: &str) {
        let is = |given: &&Given| matches!(given, Given::File(path) if path.ends_with(ending));
        let gone: Vec<Given> = self.kept.keys().filter(is).cloned().collect();
        gone.iter().for_each(|given| self.remove(given));
    }

    /// The text that stands behind a name.
    pub(super) fn text_of(&self, given: &Given) -> Option<&str> {
        self.kept.get(given)?.content.text.as_deref()
    }

    /// What an action's text and arguments name, themselves or by a variable; `set` has the variables' names.
    pub(super) fn named_by(
        &self,
        texts: [&str; 2],
        variables: &BTreeMap<String, Option<String>>,
        set: Words,
    ) -> BTreeMap<Given, Arc<Content>> {
        let mut found = BTreeMap::new();
        if self.kept.is_empty() {
            return found;
        }
        for word in texts.into_iter().flat_map(words) {
            self.named(word, &mut found);
            if set.may_have(word)
                && let Some(Some(value)) = variables.get(word)
            {
                words(value).for_each(|word| self.named(word, &mut found));
            }
        }
        // A function calls functions, an alias runs files.
        let mut open: Vec<Arc<Content>> = found.values().cloned().collect();
        while let Some(content) = open.pop() {
            let text = content.text.as_deref().unwrap_or_default();
            let before = found.len();
            words(text).for_each(|word| self.named(word, &mut found));
            if found.len() > before && found.len() < MAX_TOLD {
                open.extend(found.values().cloned());
            }
        }
        found
    }

    fn named(&self, word: &str, found: &mut BTreeMap<Given, Arc<Content>>) {
        if !self.names.may_have(word) {
            return;
        }
        for given in self.by_word.get(word).into_iter().flatten() {
            if found.len() < MAX_TOLD
                && let Some(kept) = self.kept.get(given)
            {
                found.insert(given.clone(), Arc::clone(&kept.content));
            }
        }
    }
}

fn size(content: &Content) -> usize {
    content.text.as_ref().map_or(0, |text| text.len())
}

/// The words that name it: the last word of the file's name, with and without its ending, and of something secret the
/// folder it is in, which may be sent as a whole.
fn words_of<'g>(given: &'g Given, content: &Content) -> Vec<&'g str> {
    let mut found = Vec::new();
    match given {
        Given::Alias(name) | Given::Function(name) | Given::Command(name) | Given::Variable(name) => {
            found.extend(words(name).last())
        }
        Given::File(path) => {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            found.extend(words(name).last());
            let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
            found.extend(words(stem).last().filter(|stem| *stem != name));
            let folder = folder.rsplit('/').next().and_then(|folder| words(folder).last());
            let secret = !content.carries.is_empty();
            found.extend(folder.filter(|folder| secret && *folder != "tmp" && !found.contains(folder)));
            // `kubectl apply -f FOLDER/`, `go run .`: the files in a folder are not named.
            if content.text.as_deref().is_some_and(|text| text.contains("apiVersion:")) {
                found.extend(["kubectl", "oc"]);
            }
            if path.ends_with(".go") {
                found.push("go");
            }
            found.extend(runners_of(path).iter().filter(|word| !found.contains(word)).copied().collect::<Vec<_>>());
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while !IN_WORD[usize::from(*bytes.get(at)?)] {
            at += 1;
        }
        let start = at;
        while bytes.get(at).is_some_and(|byte| IN_WORD[usize::from(*byte)]) {
            at += 1;
        }
        text.get(start..at)
    })
}

/// Letters beyond ASCII count as a whole, so that cutting at bytes is cutting at letters.
static IN_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        table[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'-') || !letter.is_ascii();
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> (Given, Option<Arc<Content>>) {
        (Given::File(path.into()), Some(Arc::new(Content::of_text("true"))))
    }

    fn told(store: &Store, text: &str) -> usize {
        store.named_by([text, ""], &BTreeMap::new(), Words::default()).len()
    }

    #[test]
    fn the_oldest_go_first() {
        let mut store = Store::default();
        let left: Vec<_> = (0..=MAX_NAMES).map(|at| file(&format!("/w/s{at}.sh"))).collect();
        store.take(&left);
        assert_eq!(store.kept.len(), MAX_NAMES);
        assert_eq!(told(&store, "sh s0.sh"), 0);
        assert_eq!(told(&store, "sh ./s1.sh"), 1);
        store.take(&[(Given::File("/w/s1.sh".into()), None)]);
        assert_eq!(told(&store, "sh ./s1.sh"), 0);
    }

    #[test]
    fn only_what_is_named_is_told() {
        let mut store = Store::default();
        store.take(&[file("/w/tidy.sh"), file("/w/other.py")]);
        assert_eq!(told(&store, "bash -x '/w/tidy.sh' now"), 1);
        assert_eq!(told(&store, "python3 -m other"), 1);
        assert_eq!(told(&store, "ls -la"), 0);
    }
}
