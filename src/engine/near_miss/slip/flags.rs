//! Slips in the flags and operands around what is meant.

use std::ops::Range;

use super::catalogue::Safety;
use super::words::Word;
use super::{Edits, Site, statement};

/// Whether `by` begins with all words of `prefix`.
fn is_by(by: &str, prefix: &str) -> bool {
    by.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || prefix.is_empty())
}

/// Words from which a word and the blank before it are cut.
fn gone(words: &[Word], at: usize) -> Range<usize> {
    let start = if at > 0 { words[at - 1].at.end } else { words[at].at.start };
    start..words[at].at.end
}

/// `--flag` or `--flag=value`.
fn is_flag(raw: &str, flag: &str) -> bool {
    !flag.is_empty() && raw.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Whether a text has a flag in it, anywhere. All flags begin with a dash, and most texts have few of these.
fn has(text: &str, flag: &str) -> bool {
    memchr::memchr_iter(b'-', text.as_bytes()).any(|at| text.as_bytes()[at..].starts_with(flag.as_bytes()))
}

/// Where a cluster of short flags (`-nd`) has the letter.
fn letter_in(raw: &str, letter: char) -> Option<usize> {
    let cluster = raw.strip_prefix('-').filter(|rest| !rest.starts_with('-') && rest.len() <= 8)?;
    (cluster.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(())?;
    cluster.find(letter).map(|at| at + 1)
}

/// Whether a cluster has a short flag: `-fd` has `-f`.
fn has_letter(raw: &str, flag: &str) -> bool {
    let mut letters = flag.chars().skip(1);
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter_in(raw, letter).is_some(),
        _ => false,
    }
}

/// Every flag of the command that keeps it from happening, with its word.
fn safeties<'a>(site: &'a Site<'_>) -> impl Iterator<Item = (&'static Safety, &'a [Word], usize)> {
    site.safeties().iter().copied().flat_map(move |safety| {
        let words = site.command().map_or(&[][..], |command| &command.words);
        let from = site.verbs(words, site.program());
        let is = move |word: &Word| match safety.letter {
            Some(letter) => letter_in(site.raw(word), letter).is_some(),
            None => is_flag(site.raw(word), &safety.flag),
        };
        (from..words.len()).filter(move |at| is(&words[*at])).map(move |at| (safety, words, at))
    })
}

/// The flags that keep such a command from happening, where the text has their letters: most texts have none of them, and
/// need not be read for it.
pub(super) fn safeties_in(site: &Site<'_>) -> Vec<&'static Safety> {
    let by = site.effect.by.as_str();
    let told = |safety: &&Safety| match safety.letter {
        Some(letter) => site.text.contains(letter),
        None => has(site.text, &safety.flag),
    };
    let of = site.catalogue.safeties(site.program());
    of.filter(|safety| is_by(by, &safety.by)).filter(told).collect()
}

/// `rsync -an a b` -> `rsync -a b`, `--dry-run=server` -> nothing.
pub(super) fn dry_run_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    for (safety, words, at) in safeties(site).filter(|(safety, ..)| safety.instead.is_none() && !safety.value) {
        let raw = site.raw(&words[at]);
        match safety.letter.and_then(|letter| letter_in(raw, letter)) {
            Some(letter) if raw.len() > 2 => {
                let letter = words[at].at.start + letter;
                edits.make(&[(letter..letter + 1, "")]);
            }
            _ => edits.make(&[(gone(words, at), "")]),
        }
    }
}

/// `terraform destroy -target=x` -> `terraform destroy`.
pub(super) fn selection_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    let mut all: Vec<(Range<usize>, &str)> = Vec::new();
    for (_, words, at) in safeties(site).filter(|(safety, ..)| safety.value) {
        let last = at + usize::from(!site.raw(&words[at]).contains('=') && at + 1 < words.len());
        all.push((gone(words, at).start..words[last].at.end, ""));
    }
    if !all.is_empty() {
        edits.make(&all);
    }
}

/// `find . -name x -delete` -> `find . -delete -name x`.
pub(super) fn delete_first(site: &Site<'_>, edits: &mut Edits<'_>) {
    if site.effect.by != "find" || !site.text.contains("-delete") {
        return;
    }
    let Some(command) = site.command() else { return };
    let words = &command.words;
    let from = site.verbs(words, "find");
    let is_test = |at: &usize| site.raw(&words[*at]).starts_with(['-', '(', '\\', '!']) && !words[*at].redirected;
    let Some(first) = (from..words.len()).find(is_test).filter(|_| from > 0) else { return };
    let Some(last) = (first..words.len()).rfind(|at| site.raw(&words[*at]) == "-delete") else { return };
    // In brackets or in one of several ways it is another sentence when it moves.
    let joined = |word: &Word| matches!(site.raw(word), "-o" | "-or" | "(" | "\\(" | ",");
    if last > first && !words[first..].iter().any(joined) {
        let start = words[first].at.start;
        edits.make(&[(start..start, "-delete "), (gone(words, last), "")]);
    }
}

/// `--force-with-lease` -> `--force`, `git clean -nd` -> `git clean -fd`.
pub(super) fn flag_for_flag(site: &Site<'_>, edits: &mut Edits<'_>) {
    for (safety, words, at) in safeties(site) {
        let Some(instead) = &safety.instead else { continue };
        let word = words[at].at.clone();
        match safety.letter.and_then(|letter| letter_in(site.raw(&words[at]), letter)) {
            Some(letter) => edits.make(&[(word.start + letter..word.start + letter + 1, instead)]),
            None => edits.make(&[(word, instead)]),
        }
    }
}

/// `terraform destroy` -> `terraform destroy -auto-approve`.
pub(super) fn guard_off(site: &Site<'_>, edits: &mut Edits<'_>) {
    let by = site.effect.by.as_str();
    for guard in site.catalogue.guards(site.program()).filter(|guard| is_by(by, &guard.by)) {
        let Some(command) = site.command() else { return };
        let words = &command.words;
        // Verbs that the table leaves out stand before flags, too: `az sql db delete`.
        let end = match site.verbs(words, by) {
            0 => site.verbs(words, &guard.by),
            end => end,
        };
        let off = |word: &Word| {
            let raw = site.raw(word);
            is_flag(raw, &guard.flag) || guard.same.iter().any(|same| is_flag(raw, same) || has_letter(raw, same))
        };
        if end > 0 && !words.iter().any(off) {
            let at = words[end - 1].at.end;
            edits.make(&[(at..at, &format!(" {}", guard.flag))]);
        }
    }
}

/// `git push --force-with-lease origin topic` -> `git push --force-with-lease origin`.
pub(super) fn branch_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if site.effect.by != "git push" || !site.text.contains(" -") {
        return;
    }
    let Some(command) = site.command() else { return };
    let words = &command.words;
    let from = site.verbs(words, "git push");
    let flags = |is: &[&str]| words[from..].iter().any(|word| is.iter().any(|flag| is_flag(site.raw(word), flag)));
    if from == 0 || !flags(&["-f", "--force", "--force-with-lease"]) || flags(&["-d", "--delete", "--tags", "--all"]) {
        return;
    }
    let operand = |at: &usize| !site.raw(&words[*at]).starts_with('-') && !words[*at].redirected;
    let branches: Vec<_> = (from..words.len()).filter(operand).skip(1).map(|at| (gone(words, at), "")).collect();
    if !branches.is_empty() {
        edits.make(&branches);
    }
}

/// Programs that take a kind of thing and names of it, a namespace, and `--all`.
const OF_KUBERNETES: &[&str] = &["kubectl", "oc", "k3s"];
/// Their flags whose value is the next word.
const WITH_VALUE: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--kubeconfig",
    "-o",
    "--output",
    "--timeout",
    "--grace-period",
    "-c",
];

/// `kubectl delete pod x` -> `kubectl delete pod --all`.
pub(super) fn all_for_one(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !OF_KUBERNETES.contains(&site.program()) || !site.effect.by.contains(" delete") {
        return;
    }
    let Some(command) = site.command() else { return };
    let words = &command.words;
    let from = site.verbs(words, &site.effect.by);
    let chosen = |word: &Word| {
        let raw = site.raw(word);
        let flags =
            ["-l", "--selector", "-f", "--filename", "-k", "-A", "--all", "--all-namespaces", "--field-selector"];
        flags.iter().any(|flag| is_flag(raw, flag))
    };
    if from == 0 || words[from..].iter().any(chosen) {
        return;
    }
    let operand = |at: &usize| {
        let raw = site.raw(&words[*at]);
        !raw.starts_with('-') && !words[*at].redirected && !WITH_VALUE.contains(&site.raw(&words[*at - 1]))
    };
    let operands: Vec<usize> = (from..words.len()).filter(operand).collect();
    let [kind, names @ ..] = operands.as_slice() else { return };
    let word = &words[*kind];
    match (site.raw(word).find('/'), names) {
        (Some(slash), []) => edits.make(&[(word.at.start + slash..word.at.end, " --all")]),
        (None, [name, more @ ..]) => {
            let mut all = vec![(words[*name].at.clone(), "--all")];
            all.extend(more.iter().map(|name| (gone(words, *name), "")));
            edits.make(&all);
        }
        _ => {}
    }
}

/// `kubectl delete pods --all -n x` -> `kubectl delete pods --all --all-namespaces`.
pub(super) fn all_namespaces(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !OF_KUBERNETES.contains(&site.program()) {
        return;
    }
    let Some(command) = site.command() else { return };
    let words = &command.words;
    let many = |word: &Word| ["--all", "-l", "--selector"].iter().any(|flag| is_flag(site.raw(word), flag));
    if !words.iter().any(many) {
        return;
    }
    for (at, word) in words.iter().enumerate() {
        let raw = site.raw(word);
        if raw.starts_with("--namespace=") || raw.starts_with("-n=") {
            edits.make(&[(word.at.clone(), "--all-namespaces")]);
        } else if matches!(raw, "-n" | "--namespace")
            && let Some(name) = words.get(at + 1)
        {
            edits.make(&[(word.at.start..name.at.end, "--all-namespaces")]);
        }
    }
}

/// Flags that say how many.
const COUNTS: &[&str] =
    &["--count", "--number", "--num", "--replicas", "--desired-capacity", "--limit", "--max", "--size", "--nodes"];

/// `--count 10` -> `--count 100`, `LIMIT 10` -> `LIMIT 100`.
pub(super) fn count_times_ten(site: &Site<'_>, edits: &mut Edits<'_>) {
    if site.is_statement() {
        statement::limit_times_ten(site, edits);
        return;
    }
    if !COUNTS.iter().any(|flag| has(site.text, flag)) {
        return;
    }
    let Some(command) = site.command() else { return };
    for (at, word) in command.words.iter().enumerate() {
        let raw = site.raw(word);
        let (flag, value) = raw.split_once('=').map_or((raw, None), |(flag, value)| (flag, Some(value)));
        if !COUNTS.contains(&flag) {
            continue;
        }
        let next = command.words.get(at + 1);
        let (value, end) = match (value, next) {
            (Some(value), _) => (value, word.at.end),
            (None, Some(next)) => (site.raw(next), next.at.end),
            (None, None) => continue,
        };
        if (1..=12).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()) {
            edits.make(&[(end..end, "0")]);
        }
    }
}

/// `cd x; rm -rf *` -> `rm -rf *`: as if the `cd` failed, where nothing stops for that.
pub(super) fn cd_failed(site: &Site<'_>, edits: &mut Edits<'_>) {
    if memchr::memmem::find(site.text.as_bytes(), b"cd ").is_none() {
        return;
    }
    let Some(command) = site.command() else { return };
    let (Some(cd), Some(last), Some(first)) = (command.before.first(), command.before.last(), command.words.first())
    else {
        return;
    };
    let between = site.text.get(last.at.end..first.at.start).unwrap_or_default();
    let stops = ["set -e", "set -o errexit"]
        .iter()
        .any(|set| site.text.get(..cd.at.start).is_some_and(|before| before.contains(set)));
    let goes_on = between.contains([';', '\n']) && between.trim().trim_matches(';').is_empty();
    if site.raw(cd) == "cd" && command.before.len() == 2 && goes_on && !stops {
        edits.make(&[(cd.at.start..first.at.start, "")]);
    }
}

/// `git stash -u && git clean -fd` -> `git stash && git clean -fd`.
pub(super) fn stash_untracked_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.effect.by.starts_with("git ") || !site.text.contains("git stash") {
        return;
    }
    let Some(command) = site.command() else { return };
    if site.verbs(&command.before, "git stash") == 0 {
        return;
    }
    let untracked = |raw: &str| matches!(raw, "-u" | "--include-untracked" | "-a" | "--all");
    for at in (1..command.before.len()).filter(|at| untracked(site.raw(&command.before[*at]))) {
        edits.make(&[(gone(&command.before, at), "")]);
    }
}
