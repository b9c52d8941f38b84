//! Keys, tokens and passwords that stand written out in a text.
//!
//! The rules are gitleaks' (`rules.toml`, made by `scripts/gitleaks-rules.py`) and a few of our own (`places.toml`). One
//! pass of an Aho-Corasick automaton for the keywords says which rules can match at all; a rule is parsed and its
//! pattern compiled when its keyword is first met, so that text without secrets costs that one pass.

mod owner;
mod said;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use serde::Deserialize;

pub(super) use owner::{belongs, variable_leaves};
pub(super) use said::in_command;

const FILES: &[&str] = &[include_str!("places.toml"), include_str!("rules.toml")];
/// One pattern may take this many bytes when compiled.
const MOST_PATTERN: usize = 4 << 20;
/// Matches of one rule in one text beyond this are not looked at.
const MOST_FOUND: usize = 1_000;

/// A secret that stands written out in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The rule that found it: `github-pat`.
    pub rule: &'static str,
    /// Bytes of the text, on character boundaries.
    pub range: Range<usize>,
    /// Looks like a secret by its place alone, or logs in where it is meant to.
    pub weak: bool,
}

/// All secrets in `text`, in the order of the rules; one may be found by several.
pub fn find(text: &str) -> Vec<Secret> {
    let table = &*TABLE;
    let mut met = table.met(text);
    met.sort_unstable();
    met.dedup();
    let mut secrets = Vec::new();
    for rule in met {
        if let Some(rule) = table.entries[rule as usize].rule() {
            rule.find(text, &mut secrets);
        }
    }
    secrets
}

/// The first secret in `text` that is one beyond doubt: no placeholder, no login in its place.
pub(super) fn first(text: &str) -> Option<Secret> {
    find(text).into_iter().find(|secret| !secret.weak && !is_placeholder(&text[secret.range.clone()]))
}

/// What stands in examples where a secret would: `xxxx…`, `<token>`, `your-key-here`, `AKIAIOSFODNN7EXAMPLE`.
fn is_placeholder(secret: &str) -> bool {
    const WORDS: &[&str] = &[
        "example",
        "xxxx",
        "your",
        "changeme",
        "placeholder",
        "redacted",
        "dummy",
        "****",
        "....",
        "1234567890abc",
        "abcdefghij",
    ];
    let lower = secret.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word)) || secret.contains(['$', '<', '{'])
}

/// The rules by their keywords.
struct Table {
    keywords: Vec<&'static str>,
    /// The rule of each keyword.
    rule_of: Vec<u16>,
    entries: Vec<Entry>,
    /// How many bytes were looked at without the automaton.
    looked_at: AtomicUsize,
    automaton: OnceLock<AhoCorasick>,
    /// The keywords by their first two letters, in lower case.
    by_start: OnceLock<FxHashMap<[u8; 2], Vec<usize>>>,
}

impl Table {
    /// Rules of which a keyword stands in the text; a rule may be there several times.
    fn met(&self, text: &str) -> Vec<u16> {
        /// The automaton takes a millisecond to build: a program that looks at a few lines does without.
        const FEW: usize = 32 << 10;
        let looked_at = || self.looked_at.fetch_add(text.len(), Ordering::Relaxed);
        if self.automaton.get().is_none() && text.len() <= FEW && looked_at() <= FEW {
            return self.met_by_start(text.as_bytes());
        }
        let automaton = self.automaton.get_or_init(|| {
            let builder = &mut AhoCorasick::builder();
            builder.ascii_case_insensitive(true).build(&self.keywords).expect("the keywords are tested")
        });
        let mut met = Vec::new();
        for found in automaton.find_overlapping_iter(text) {
            let rule = self.rule_of[found.pattern().as_usize()];
            if !met.contains(&rule) {
                met.push(rule);
            }
        }
        met
    }

    fn met_by_start(&self, text: &[u8]) -> Vec<u16> {
        let start = |bytes: &[u8]| Some([bytes.first()?.to_ascii_lowercase(), bytes.get(1)?.to_ascii_lowercase()]);
        let by_start = self.by_start.get_or_init(|| {
            let mut by_start: FxHashMap<[u8; 2], Vec<usize>> = FxHashMap::default();
            for (number, word) in self.keywords.iter().enumerate() {
                by_start.entry(start(word.as_bytes()).unwrap_or_default()).or_default().push(number);
            }
            by_start
        });
        let mut met = Vec::new();
        for at in 0..text.len() {
            let rest = &text[at..];
            for number in start(rest).and_then(|start| by_start.get(&start)).into_iter().flatten() {
                let word = self.keywords[*number].as_bytes();
                if rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
                    met.push(self.rule_of[*number]);
                }
            }
        }
        met
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let (mut words, mut rule_of, mut entries) = (Vec::new(), Vec::new(), Vec::<Entry>::new());
    for text in FILES.iter().flat_map(|file| file.split("[[rule]]\n").skip(1)) {
        for word in keywords(text) {
            words.push(word);
            rule_of.push(entries.len() as u16);
        }
        entries.push(Entry { text, rule: OnceLock::new() });
    }
    let (looked_at, automaton, by_start) = (AtomicUsize::new(0), OnceLock::new(), OnceLock::new());
    Table { keywords: words, rule_of, entries, looked_at, automaton, by_start }
});

/// The words of a rule's `keywords` line, without parsing the rule.
fn keywords(text: &'static str) -> impl Iterator<Item = &'static str> {
    let line = text.lines().find_map(|line| line.strip_prefix("keywords = [")).unwrap_or("");
    line.trim_end_matches(']').split(',').map(|word| word.trim().trim_matches('"')).filter(|word| !word.is_empty())
}

/// One rule: its text, and itself when a keyword of it was met.
struct Entry {
    text: &'static str,
    rule: OnceLock<Option<Rule>>,
}

impl Entry {
    fn rule(&self) -> Option<&Rule> {
        self.rule.get_or_init(|| Rule::of(self.text).ok()).as_ref()
    }
}

struct Rule {
    id: &'static str,
    pattern: Regex,
    group: Option<usize>,
    entropy: f64,
    allow: Vec<Regex>,
    weak: bool,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    #[serde(rename = "keywords")]
    _keywords: Vec<String>,
    regex: Option<String>,
    name: Option<String>,
    value: Option<String>,
    #[serde(default)]
    entropy: f64,
    group: Option<usize>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    weak: bool,
}

impl Rule {
    fn of(text: &'static str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        let pattern = match (&written.regex, &written.name, &written.value) {
            (Some(regex), None, None) => regex.clone(),
            // `NAME_key = "value"`, as gitleaks writes it.
            (None, Some(name), Some(value)) => format!(
                r#"(?i){name}[ \t\w.-]{{0,20}}[\s'"]{{0,3}}(?:=|>|:{{1,3}}=|\|\||:|=>|\?=|,)[\x60'"\s=]{{0,5}}{value}(?:[\x60'"\s;]|\\[nr]|$)"#
            ),
            _ => return Err(format!("{}: `regex`, or `name` and `value`", written.id)),
        };
        Ok(Self {
            id: text.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"')).unwrap_or(""),
            pattern: compiled(&pattern)?,
            group: written.group,
            entropy: written.entropy,
            allow: written.allow.iter().map(|pattern| compiled(pattern)).collect::<Result<_, _>>()?,
            weak: written.weak,
        })
    }

    fn find(&self, text: &str, secrets: &mut Vec<Secret>) {
        for found in self.pattern.captures_iter(text.as_bytes()).take(MOST_FOUND) {
            let group = match self.group {
                Some(group) => found.get(group),
                None => found.iter().skip(1).flatten().find(|group| !group.is_empty()).or_else(|| found.get(0)),
            };
            let Some(group) = group else { continue };
            let secret = group.as_bytes();
            if entropy(secret) < self.entropy || self.allow.iter().any(|allowed| allowed.is_match(secret)) {
                continue;
            }
            let range = text.floor_char_boundary(group.start())..text.ceil_char_boundary(group.end());
            secrets.push(Secret { rule: self.id, range, weak: self.weak });
        }
    }
}

/// Bytes, not characters: classes stay small, and Go reads `\w` the same way.
fn compiled(pattern: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false).size_limit(MOST_PATTERN).build().map_err(|error| error.to_string())
}

/// Shannon's entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[*byte as usize] += 1;
    }
    let whole = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / whole;
    -counts.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        find(text).into_iter().filter(|secret| !secret.weak).map(|secret| secret.rule).collect()
    }

    #[test]
    fn every_rule_is_read_and_compiles() {
        assert!(TABLE.entries.len() > 200);
        for entry in &TABLE.entries {
            let rule = Rule::of(entry.text).unwrap_or_else(|error| panic!("{}: {error}", entry.text));
            assert!(!rule.id.is_empty() && keywords(entry.text).next().is_some(), "{}", entry.text);
            assert!(keywords(entry.text).all(|word| word.len() > 1), "{}", entry.text);
        }
    }

    #[test]
    fn few_and_many_texts_are_looked_at_alike() {
        let text = "export A=xoxb-1 GHP_x key: AKIA0 sk_live_2 and eyJ3, TOKEN=4\n";
        let mut few = TABLE.met_by_start(text.as_bytes());
        let mut many = TABLE.met(&text.repeat(4_000));
        few.sort_unstable();
        few.dedup();
        many.sort_unstable();
        many.dedup();
        assert!(few.len() > 3 && few == many, "{few:?} {many:?}");
    }

    #[test]
    fn tokens_are_found_by_their_shape() {
        let github = format!("ghp_{}", "x9Kd83JfkQ0ZmVb27TyPqLsWn4RcEu1HgA5o");
        assert_eq!(rules(&format!("git clone https://{github}@github.com/a/b")), ["github-pat"]);
        assert_eq!(rules(&format!("aws_access_key_id = {}{}", "AKIA", "QYLPMN5HFIJ4TZWR")), ["aws-access-token"]);
        assert_eq!(rules("export FASTLY_API_TOKEN=\"k2Jd8fQ0zP4mV7xT1yB9nL5wR3cU6hGa\""), ["fastly-api-token"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in [
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "git show 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "curl -H \"Authorization: Bearer $GITHUB_TOKEN\"",
            "token: ${{ secrets.NPM_TOKEN }}",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sha256:9b74c9897bac770ffc029102a200c5de8f0a1b2c3d4e5f60718293a4b5c6d7e8",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
        assert_eq!(first(&format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE")), None);
    }

    #[test]
    fn a_range_never_splits_a_letter() {
        for secret in find("password: 'pässwörd→x'; ") {
            assert!("password: 'pässwörd→x'; ".get(secret.range).is_some());
        }
    }
}
