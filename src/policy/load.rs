//! From source files to a policy: parsed, linted, validated, compiled; or every problem at once, each with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use cedar_policy::{PolicyId, PolicySet, ValidationWarning, pst};
use miette::{Diagnostic, LabeledSpan, NamedSource};
use sha2::{Digest, Sha256};

use super::annotation::Annotations;
use super::compile::{Compiled, Conjunct, Conjuncts};
use super::statement::{line, statements};
use super::validate::Validators;
use super::{Control, Example, Policy, Rule, example, lint, pack};
use crate::model::{Decision, Mode, Operation, RuleInfo, Severity};

/// One policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name, or `builtin:…`.
    pub name: String,
    pub text: String,
    /// Came with the program: our own tests have validated it.
    pub builtin: bool,
}

/// What the configuration says about policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Rules that are switched off, by id.
    pub off: Vec<String>,
    /// The groups that the configuration knows; `None` when any name will do.
    pub groups: Option<Vec<String>>,
    /// The labels that the configuration knows; `None` when any name will do.
    pub labels: Option<Vec<String>>,
    /// Only these will be asked about: built-in rules about others need not be read, which is most of a cold start.
    pub operations: Option<Vec<Operation>>,
}

/// Everything that is wrong with a policy.
#[derive(Clone, Debug)]
pub struct PolicyErrors {
    pub problems: Vec<Problem>,
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if !problem.file.is_empty() {
                write!(f, "{}:{}: ", problem.file, problem.line)?;
            }
            write!(f, "{problem} [{}]", problem.code)?;
            if let Some(help) = &problem.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// One thing that is wrong with a policy, with its place. Render it with miette.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Stable: `policy::syntax`, `policy::impossible` …
    pub code: &'static str,
    pub level: ProblemLevel,
    pub message: String,
    pub help: Option<String>,
    /// The source's name; empty when the configuration is meant.
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub span: Option<Range<usize>>,
    pub(super) source: Option<Arc<NamedSource<String>>>,
}

/// Whether a problem keeps a policy from being loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemLevel {
    Warning,
    Error,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.level {
            ProblemLevel::Warning => miette::Severity::Warning,
            ProblemLevel::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| &**source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

impl Policy {
    /// Reads, checks and compiles policies. User sources are validated strictly; built-in ones were, by our tests.
    pub fn load(sources: &[Source], options: &LoadOptions) -> Result<Self, PolicyErrors> {
        let mut desk = Desk::default();
        let mut read: Vec<&Source> = Vec::new();
        for source in sources {
            // `strict` brings `recommended` along; naming both is no mistake.
            if !(source.builtin && read.iter().any(|earlier| earlier.builtin && earlier.name == source.name)) {
                read.push(source);
            }
        }
        let mut packs = pack::read(read.iter().copied().filter(|source| source.builtin), options.operations.as_deref())
            .unwrap_or_default()
            .into_iter();
        let file = |source: &&Source| {
            let pack = if source.builtin { packs.next() } else { None };
            pack.unwrap_or_else(|| desk.read(source))
        };
        let files: Vec<File> = read.iter().map(file).collect();
        desk.finish(&read, files, options)
    }
}

/// A source, parsed.
#[derive(Debug)]
pub(super) struct File {
    pub(super) source: Arc<NamedSource<String>>,
    pub(super) policies: Vec<Parsed>,
}

/// A policy, parsed, with its place in the source.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) id: String,
    pub(super) annotations: Annotations,
    pub(super) policy: cedar_policy::Policy,
    pub(super) range: Range<usize>,
}

impl Parsed {
    pub(super) fn is_permit(&self) -> bool {
        self.policy.effect() == cedar_policy::Effect::Permit
    }
}

/// Where problems pile up, so that one run shows them all.
#[derive(Debug, Default)]
pub(super) struct Desk {
    problems: Vec<Problem>,
    validators: Validators,
}

impl Desk {
    pub(super) fn note(&mut self, file: &File, range: Range<usize>, problem: (&'static str, String)) -> &mut Problem {
        self.put(&file.source, Some(range), problem)
    }

    fn put(
        &mut self,
        source: &Arc<NamedSource<String>>,
        span: Option<Range<usize>>,
        (code, message): (&'static str, String),
    ) -> &mut Problem {
        let line = line(source.inner(), span.as_ref().map_or(0, |span| span.start));
        self.problems.push(Problem {
            code,
            level: ProblemLevel::Error,
            message,
            help: None,
            file: source.name().to_owned(),
            line,
            span,
            source: Some(source.clone()),
        });
        self.problems.last_mut().expect("a problem was just added")
    }

    /// Takes over what Cedar says.
    fn cedar(&mut self, source: &Arc<NamedSource<String>>, code: &'static str, said: &dyn Diagnostic) {
        let span = said.labels().and_then(|mut labels| labels.next()).map(|label| {
            let most = source.inner().len();
            label.offset().min(most)..(label.offset() + label.len()).min(most)
        });
        let problem = self.put(source, span, (code, said.to_string()));
        problem.help = said.help().map(|help| help.to_string());
    }

    fn read(&mut self, source: &Source) -> File {
        let named = Arc::new(NamedSource::new(&source.name, source.text.clone()));
        let mut file = File { source: named, policies: Vec::new() };
        let set: PolicySet = match source.text.parse() {
            Ok(set) => set,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                for error in errors.iter() {
                    self.cedar(&file.source, "policy::syntax", error);
                }
                return file;
            }
        };
        let ranges = statements(&source.text);
        let place = |id: &str| {
            let number = id.strip_prefix("policy").and_then(|number| number.parse::<usize>().ok())?;
            Some((number, ranges.get(number)?.clone()))
        };
        for template in set.templates() {
            let range = place(template.id().as_ref()).map_or(0..0, |(_, range)| range);
            let message = "a template with `?principal` or `?resource` decides nothing by itself".to_owned();
            self.note(&file, range, ("policy::template", message)).help = Some("write out the names".into());
        }
        let mut found: Vec<_> = set.policies().collect();
        found.sort_by_key(|policy| place(policy.id().as_ref()).map(|(number, _)| number));
        for policy in found {
            let range = place(policy.id().as_ref()).map_or(0..0, |(_, range)| range);
            let annotations = Annotations::of(policy);
            let id = match annotations.get("id") {
                Some(id) if !id.is_empty() => id.to_owned(),
                // Cedar's own number, made unique over files by the file's name.
                _ => format!("{}.{}", stem(&source.name), policy.id()),
            };
            let policy = policy.new_id(PolicyId::new(&id));
            file.policies.push(Parsed { id, annotations, policy, range });
        }
        file
    }

    /// Strict validation, with Cedar's words and our codes.
    fn validate(&mut self, file: &File, parsed: &Parsed, test: Option<&Compiled>) {
        let text = file.source.inner().get(parsed.range.clone()).unwrap_or_default();
        let result = match self.validators.check(&parsed.policy, test, text) {
            Ok(result) => result,
            Err(error) => {
                self.note(file, parsed.range.clone(), ("policy::schema", error));
                return;
            }
        };
        for error in result.validation_errors() {
            self.cedar(&file.source, "policy::schema", error);
        }
        if result.validation_errors().next().is_some() {
            // What cannot be read right is not impossible as well.
            return;
        }
        let impossible = |warning: &&ValidationWarning| matches!(warning, ValidationWarning::ImpossiblePolicy(_));
        match result.validation_warnings().find(impossible) {
            Some(warning) => self.cedar(&file.source, "policy::impossible", warning),
            None => result.validation_warnings().for_each(|warning| {
                self.cedar(&file.source, "policy::suspicious", warning);
            }),
        }
    }

    fn finish(mut self, sources: &[&Source], files: Vec<File>, options: &LoadOptions) -> Result<Policy, PolicyErrors> {
        let mut conjuncts = Conjuncts::default();
        let mut compiled = Vec::new();
        let mut by_id = BTreeMap::new();
        let mut known_ids = Vec::new();
        for (file, source) in files.into_iter().zip(sources) {
            for parsed in &file.policies {
                if known_ids.contains(&parsed.id) {
                    let message = format!("there is a rule `{}` already", parsed.id);
                    let help = "give this one another id; to replace a built-in rule, switch that one `off`".into();
                    let range = lint::annotation_range(&file, parsed, "id");
                    self.note(&file, range, ("policy::duplicate-id", message)).help = Some(help);
                    continue;
                }
                known_ids.push(parsed.id.clone());
                let off = options.off.contains(&parsed.id);
                let test = tree(&parsed.policy).and_then(|tree| conjuncts.compile(tree.body()));
                if !source.builtin {
                    lint::policy(&mut self, &file, parsed, options);
                    self.validate(&file, parsed, test.as_ref());
                    example::check(&mut self, &file, parsed);
                }
                let Some(test) = test else {
                    let message = "this policy uses what nearmiss cannot evaluate".to_owned();
                    self.note(&file, parsed.range.clone(), ("policy::unsupported", message));
                    continue;
                };
                if off {
                    continue;
                }
                by_id.insert(parsed.id.clone(), compiled.len());
                let near = near_control(parsed, &test, &conjuncts.all);
                lint::near_facts(&mut self, &file, parsed, |fact| {
                    test.hot.iter().any(|index| conjuncts.all.get(*index).is_some_and(|one| one.facts.contains(&fact)))
                });
                compiled.push(Rule {
                    near,
                    id: parsed.id.clone(),
                    info: (!parsed.is_permit()).then(|| Arc::new(info(&file, parsed))),
                    annotations: parsed.annotations.clone(),
                    policy: parsed.policy.clone(),
                    test,
                    unless_known: parsed.annotations.get("unless_known").is_some(),
                    source: file.source.clone(),
                    range: parsed.range.clone(),
                });
            }
        }
        self.check_off(options, &known_ids);
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.problems.into_iter().partition(|problem| problem.level == ProblemLevel::Error);
        if !errors.is_empty() {
            return Err(PolicyErrors { problems: errors });
        }
        Ok(Policy {
            rules: compiled.iter().filter_map(|rule| rule.info.clone()).collect(),
            slices: Policy::slices(),
            compiled,
            conjuncts: conjuncts.all,
            by_id,
            sets: OnceLock::new(),
            examples: OnceLock::new(),
            warnings,
            digest: digest(sources, options),
        })
    }

    fn check_off(&mut self, options: &LoadOptions, known: &[String]) {
        // With a part of the rules left out there is no telling which ids are wrong.
        if options.operations.is_some() {
            return;
        }
        for id in options.off.iter().filter(|id| !known.contains(id)) {
            self.problems.push(Problem {
                code: "policy::off",
                level: ProblemLevel::Error,
                message: format!("no rule `{id}` to switch off"),
                help: lint::did_you_mean(id, known.iter().map(String::as_str)),
                file: String::new(),
                line: 0,
                span: None,
                source: None,
            });
        }
    }
}

/// The syntax tree of a policy. `Policy::to_pst` would parse its text once more, which is most of a cold start; the
/// tree made from what was parsed already says the same, with `>` and `!=` spelt out.
fn tree(policy: &cedar_policy::Policy) -> Option<pst::Policy> {
    pst::Policy::try_from(AsRef::as_ref(policy).clone()).ok()
}

/// `policy/own.cedar` is `own`.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\', ':']).next().unwrap_or(name);
    file.strip_suffix(".cedar").unwrap_or(file)
}

/// `@near("never context.approved")`: the conditions that it is about. A line without a fact is about all of them.
fn near_control(parsed: &Parsed, test: &Compiled, conjuncts: &[Conjunct]) -> Box<[(usize, Control)]> {
    let Some(lines) = parsed.annotations.get("near") else { return Box::default() };
    let mut found = Vec::new();
    for (control, fact) in lint::near_lines(lines).filter_map(Result::ok) {
        let looks = |index: &&usize| {
            let facts = conjuncts.get(**index).map(|conjunct| &conjunct.facts);
            facts.is_some_and(|facts| fact.is_none_or(|fact| facts.contains(&fact)))
        };
        // A line about one fact stands above the line about all of them.
        let at = if fact.is_some() { 0 } else { found.len() };
        found.splice(at..at, test.hot.iter().filter(looks).map(|index| (*index, control)));
    }
    found.into()
}

fn info(file: &File, parsed: &Parsed) -> RuleInfo {
    let text = |key| parsed.annotations.get(key).map(str::to_owned);
    RuleInfo {
        id: parsed.id.clone(),
        decision: parsed.annotations.get("decision").and_then(Decision::from_word).unwrap_or(Decision::Block),
        mode: parsed.annotations.get("mode").and_then(Mode::from_word).unwrap_or(Mode::Enforce),
        severity: parsed.annotations.get("severity").and_then(Severity::from_word).unwrap_or(Severity::Medium),
        message: text("message").unwrap_or_else(|| format!("Rule `{}` stops this.", parsed.id)),
        advice: text("advice").unwrap_or_default(),
        file: file.source.name().to_owned(),
        line: line(file.source.inner(), parsed.range.start),
    }
}

/// Line ends do not count; everything else that was read does.
fn digest(sources: &[&Source], options: &LoadOptions) -> String {
    let mut hash = Sha256::new();
    for source in sources {
        hash.update(source.name.as_bytes());
        hash.update([0]);
        hash.update(source.text.replace("\r\n", "\n").as_bytes());
        hash.update([0]);
    }
    for id in &options.off {
        hash.update(id.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Examples need a classifier, which this floor does not have: whoever runs them reports them here.
impl Example {
    /// The problem of an example that does not do what it says.
    pub fn problem(&self, message: String) -> Problem {
        Problem {
            code: "policy::example",
            level: ProblemLevel::Error,
            message,
            help: None,
            file: self.rule.file.clone(),
            line: line(self.source.inner(), self.range.start),
            span: Some(self.range.clone()),
            source: Some(self.source.clone()),
        }
    }
}
