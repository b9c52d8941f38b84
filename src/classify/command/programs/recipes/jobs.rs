//! Jobs and services that stand in YAML: Taskfiles, workflows of GitHub and GitLab, compose files.

use crate::classify::command::{call::Call, within, written};
use crate::classify::given::is_workflow;
use crate::classify::{Scene, Word};
use crate::model::Span;

use super::super::yaml::{self, Document};
use super::{image, read};

/// Tasks call each other only so deep.
const MAX_DEPTH: usize = 8;
/// More services than this are not looked at.
const MAX_SERVICES: usize = 64;

/// The lines of the wanted tasks of a Taskfile.
pub(super) fn task(text: &str, wanted: &[String]) -> Option<String> {
    let documents = yaml::documents(text);
    let document = documents.first()?;
    let mut lines = Vec::new();
    let asked: Vec<&str> = wanted.iter().filter(|word| !word.contains('=')).map(|word| &**word).collect();
    for name in if asked.is_empty() { vec!["default"] } else { asked } {
        collect(document, name, 0, &mut lines);
    }
    let mut text = lines.join("\n");
    for (path, value) in document.entries() {
        if let Some(name) = path.strip_prefix("vars.") {
            text = text.replace(&format!("{{{{.{name}}}}}"), value).replace(&format!("{{{{ .{name} }}}}"), value);
        }
    }
    (!text.is_empty()).then_some(text)
}

fn collect(document: &Document, name: &str, depth: usize, lines: &mut Vec<String>) {
    if depth > MAX_DEPTH || lines.len() > super::MAX_LINES {
        return;
    }
    let below = format!("tasks.{name}");
    for (path, value) in document.entries() {
        let Some(key) = path.strip_prefix(&*below) else { continue };
        match key {
            "" | ".cmds" | ".cmd" | ".cmds.cmd" | ".cmds.defer" => lines.push(value.to_owned()),
            ".deps" | ".deps.task" | ".cmds.task" => collect(document, value, depth + 1, lines),
            _ => {}
        }
    }
}

/// Runs the jobs of the workflow files that are known; `false` when there are none.
pub(super) fn ci(scene: &mut Scene<'_>, call: &Call<'_>, program: &str) -> bool {
    let texts = if program == "act" { workflows(scene, call) } else { pipeline(scene, call) };
    let job = call.value("-j").map(|word| word.text.clone());
    // `gitlab-runner exec shell JOB`
    let job = job.or_else(|| call.operands().next_back().filter(|_| program != "act").map(|word| word.text.clone()));
    let mut ran = false;
    for (text, span) in texts {
        let documents = yaml::documents(&text);
        let lines: Vec<String> = documents.iter().flat_map(|it| steps(it, program == "act", job.as_deref())).collect();
        if lines.is_empty() || !scene.enter_script() {
            continue;
        }
        ran = true;
        let before = scene.mark();
        scene.scoped(|scene| {
            scene.go_elsewhere();
            read(scene, &lines.join("\n"), span);
        });
        // Jobs run in a container that goes when they are done, or on a machine that is kept for them.
        image::of_container(scene, before);
    }
    ran
}

fn workflows(scene: &Scene<'_>, call: &Call<'_>) -> Vec<(String, Option<Span>)> {
    if let Some(text) = call.value("-W").and_then(|file| written::text(scene, file)) {
        return vec![text];
    }
    let known = scene.files.iter().filter(|(path, _)| is_workflow(path));
    known.filter_map(|(_, stream)| stream.text.clone()).collect()
}

fn pipeline(scene: &Scene<'_>, call: &Call<'_>) -> Vec<(String, Option<Span>)> {
    let names = [".gitlab-ci.yml", ".gitlab-ci.yaml"];
    let found = call.value("--file").and_then(|file| written::text(scene, file));
    found.or_else(|| names.iter().find_map(|name| written::text(scene, &Word::known(*name)))).into_iter().collect()
}

/// The lines that a workflow's jobs run.
fn steps(document: &Document, github: bool, job: Option<&str>) -> Vec<String> {
    let asked = |name: &str| job.is_none_or(|job| job == name);
    let runs = document.entries().filter_map(|(path, value)| {
        let line = if github {
            let name = path.strip_prefix("jobs.")?.strip_suffix(".steps.run")?;
            asked(name).then_some(value)?
        } else {
            let (name, key) = path.rsplit_once('.')?;
            let script = matches!(key, "script" | "before_script" | "after_script");
            (script && (asked(name) || name == "default")).then_some(value)?
        };
        Some(without_expressions(line))
    });
    runs.collect()
}

/// `${{ secrets.KEY }}` is a value that nobody here knows.
fn without_expressions(line: &str) -> String {
    let (mut found, mut rest) = (String::new(), line);
    while let Some((before, behind)) = rest.split_once("${{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        let name: String = name.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        found.push_str(before);
        found.push_str(&format!("${{{name}}}"));
        rest = after;
    }
    found + rest
}

/// Starts the services of a compose file as `docker run` would start them.
pub(super) fn compose(scene: &mut Scene<'_>, call: &Call<'_>) {
    let usual = [
        "compose.yaml",
        "compose.yml",
        "docker-compose.yml",
        "docker-compose.yaml",
        "compose.override.yaml",
        "docker-compose.override.yml",
    ];
    let named: Vec<Word> = call.values(|names| names.has("-f")).into_iter().map(std::borrow::Cow::into_owned).collect();
    let files = if named.is_empty() { usual.map(Word::known).to_vec() } else { named };
    let runs = call.by.ends_with(" run");
    let asked: Vec<String> =
        call.operands().take(if runs { 1 } else { usize::MAX }).map(|word| word.text.clone()).collect();
    // Words behind the service stand in the place of its own command.
    let other_command = runs && call.operands().len() > 1;
    for file in files {
        let Some((text, span)) = written::text(scene, &file).filter(|_| scene.enter_script()) else { continue };
        for document in yaml::documents(&text) {
            let mut names: Vec<&str> = Vec::new();
            for (path, _) in document.entries() {
                let name = path.strip_prefix("services.").and_then(|rest| rest.split('.').next());
                if let Some(name) = name.filter(|name| !names.contains(name) && names.len() < MAX_SERVICES) {
                    names.push(name);
                }
            }
            for name in names.iter().filter(|name| asked.is_empty() || asked.iter().any(|asked| asked == *name)) {
                let mut words = service(&document, name, other_command);
                words.iter_mut().for_each(|word| word.span = scene.inner(span));
                let before = scene.mark();
                within::run_words(scene, call, &words, false);
                image::of_container(scene, before);
            }
        }
    }
}

/// The words that start one service.
fn service(document: &Document, name: &str, other_command: bool) -> Vec<Word> {
    let below = format!("services.{name}.");
    let values = |key: &'static str| {
        let below = &below;
        let wanted = move |path: &str| path.strip_prefix(&**below) == Some(key);
        document.entries().filter(move |(path, _)| wanted(path)).map(|(_, value)| value)
    };
    let mut words: Vec<String> = ["docker", "run"].map(str::to_owned).to_vec();
    if values("privileged").any(|value| value == "true") {
        words.push("--privileged".to_owned());
    }
    let sources = values("volumes.source").zip(values("volumes.target"));
    let volumes = values("volumes").map(str::to_owned).chain(sources.map(|(from, to)| format!("{from}:{to}")));
    // Proxies and watchers of containers look at the socket all day.
    for volume in volumes.filter(|volume| !volume.contains("docker.sock")) {
        words.extend(["-v".to_owned(), volume]);
    }
    for (key, option) in
        [("pid", "--pid"), ("cap_add", "--cap-add"), ("security_opt", "--security-opt"), ("userns_mode", "--userns")]
    {
        words.extend(values(key).map(|value| format!("{option}={value}")));
    }
    words.push(values("image").next().unwrap_or("image").to_owned());
    if !other_command {
        words.extend(["entrypoint", "command"].into_iter().flat_map(|key| command(values(key).collect())));
    }
    words.into_iter().map(Word::known).collect()
}

/// A command as a list stands word by word; as one text it is split as a shell would.
fn command(values: Vec<&str>) -> Vec<String> {
    match &*values {
        [line] if line.contains(' ') => {
            let mut words: Vec<String> = Vec::new();
            let (mut word, mut quote, mut open) = (String::new(), None, false);
            for letter in line.chars() {
                match (letter, quote) {
                    (letter, Some(mark)) if letter == mark => quote = None,
                    ('"' | '\'', None) => (quote, open) = (Some(letter), true),
                    (' ' | '\n' | '\t', None) => {
                        if open || !word.is_empty() {
                            words.push(std::mem::take(&mut word));
                        }
                        open = false;
                    }
                    (letter, _) => word.push(letter),
                }
            }
            if open || !word.is_empty() {
                words.push(word);
            }
            words
        }
        _ => values.into_iter().map(str::to_owned).collect(),
    }
}
