//! Tools that are named after a command of a program: `terraform_apply`, `git_push`, `helm_uninstall`, `kms_schedule_key_deletion`.

use serde_json::Value;

use crate::model::{GapKind, Operation, Span};

use crate::classify::command::{self, Invocation, Stream};
use crate::classify::{Scene, Word, naming};

use super::Call;

/// What a tool's name begins with, or its server is called, and the program it stands for.
const PROGRAMS: &[(&str, &str)] = &[
    ("git", "git"),
    ("helm", "helm"),
    ("terraform", "terraform"),
    ("tofu", "tofu"),
    ("terragrunt", "terragrunt"),
    ("pulumi", "pulumi"),
    ("kubectl", "kubectl"),
    ("docker", "docker"),
    ("podman", "podman"),
    ("redis", "redis-cli"),
    ("argocd", "argocd"),
    ("flux", "flux"),
    ("velero", "velero"),
    ("restic", "restic"),
    ("vault", "vault"),
    ("consul", "consul"),
    ("nomad", "nomad"),
    ("systemctl", "systemctl"),
    ("systemd", "systemctl"),
    ("ansible", "ansible"),
    ("gh", "gh"),
    ("heroku", "heroku"),
    ("vercel", "vercel"),
    ("fly", "flyctl"),
];

/// Services of one cloud whose operations tools are named after.
const SERVICES: &[&str] = &[
    "ec2",
    "rds",
    "kms",
    "iam",
    "secretsmanager",
    "dynamodb",
    "ecs",
    "eks",
    "ecr",
    "sqs",
    "sns",
    "cloudformation",
    "route53",
    "cloudtrail",
    "efs",
    "elasticache",
    "redshift",
    "ssm",
    "organizations",
    "guardduty",
    "autoscaling",
    "s3",
];

/// Arguments that a command takes without an option before them, in their order.
const OPERANDS: &[&str] = &[
    "remote",
    "resource_type",
    "kind",
    "release",
    "release_name",
    "name",
    "resource",
    "target",
    "ref",
    "revision",
    "commit",
    "branch",
    "branch_name",
    "container",
    "container_id",
    "image",
    "volume",
    "app",
    "id",
    "service",
    "unit",
    "key",
    "path",
    "chart",
    "address",
];

/// Words of tools that a program says otherwise.
const SAID: &[(&str, &str, &str)] =
    &[("redis-cli", "delete", "del"), ("redis-cli", "remove", "del"), ("redis-cli", "flush", "flushdb")];

/// Reads the call as the command; `false` when the program has none of that name.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let words = naming::words(call.name.last);
    let context = naming::words(call.name.context);
    let known = |word: &String| PROGRAMS.iter().find(|(name, _)| name == word).map(|(_, program)| *program);
    let service = words.first().filter(|word| words.len() > 2 && SERVICES.contains(&&***word));
    let (program, mut line) = if let Some(line) = container(call, &words) {
        let (mark, gaps) = (scene.mark(), scene.gaps().len());
        return read(scene, call, "docker", &mut line.clone(), (mark, gaps));
    } else if let Some(service) = service {
        let service = if service == "s3" { "s3api" } else { service };
        ("aws", vec![Word::known(service), Word::known(words[1..].join("-"))])
    } else if let Some(program) = words.first().filter(|_| words.len() > 1).and_then(known) {
        (program, words[1..].iter().map(Word::known).collect())
    } else if let Some(program) = context.last().and_then(known) {
        (program, words.iter().map(Word::known).collect())
    } else {
        return false;
    };
    if let Some((.., said)) =
        SAID.iter().find(|(of, word, _)| *of == program && line.len() == 1 && line[0].text == *word)
    {
        line[0] = Word::known(*said);
    }
    // A pattern is the tool's own: the program takes keys.
    if program == "redis-cli" && call.arguments.get(&["pattern"]).is_some() {
        return false;
    }
    if program == "redis-cli" && line.len() > 1 {
        // `flush_all` is one word there.
        line = vec![Word::known(line.iter().map(|word| &*word.text).collect::<String>())];
    }
    arguments(call, &mut line);
    line.insert(0, Word::known(program));
    let (mark, gaps) = (scene.mark(), scene.gaps().len());
    if !read(scene, call, program, &mut line, (mark, gaps)) {
        return false;
    }
    // Where the name says more than the command (`vercel delete` is a deployment of a folder), the name counts.
    let destroys = |operation| matches!(operation, Operation::Delete | Operation::Drop | Operation::Disable);
    let says = naming::meaning(call.name.last, call.name.context).is_some_and(|meaning| destroys(meaning.operation));
    if says
        && !scene.since(mark).iter().any(|effect| destroys(effect.operation) || effect.operation == Operation::Rewrite)
    {
        scene.forget_since(mark, gaps);
        return false;
    }
    let (dry_run, guard_off, places) = (call.arguments.dry_run(), call.arguments.guard_off(), call.arguments.places());
    for effect in scene.since(mark) {
        effect.dry_run |= dry_run;
        effect.guard_off |= guard_off;
        for place in &places {
            if !effect.places.contains(place) {
                effect.places.push(place.clone());
            }
        }
    }
    true
}

/// Reads the line; an option that the program does not have is the tool's own, and is left out. `false` when there is no
/// such command.
fn read(scene: &mut Scene<'_>, call: &Call<'_>, program: &str, line: &mut Vec<Word>, marks: (usize, usize)) -> bool {
    let text = call.arguments.text(&["manifest", "manifests", "yaml", "definition", "resource"]);
    let manifest = text.filter(|text| program == "kubectl" && text.contains("kind"));
    if manifest.is_some() {
        line.truncate(2);
        line.extend([Word::known("-f"), Word::known("-")]);
    }
    let stdin = Stream {
        connected: manifest.is_some(),
        text: manifest.map(|text| (text.to_owned(), call.span(text))),
        ..Stream::default()
    };
    let span = Some(Span::new(0, call.text.len())).filter(|span| span.end > 0);
    loop {
        command::run_as(scene, &Invocation { words: line, span, stdin: &stdin, assignments: &[] }, program);
        let found = scene.gaps().get(marks.1..).unwrap_or_default();
        let unknown =
            |kind| matches!(kind, GapKind::UnknownProgram | GapKind::UnknownStatement | GapKind::UnknownOption);
        let Some(gap) = found.iter().find(|gap| unknown(gap.kind)) else { return true };
        let option = gap.detail.rsplit(' ').next().filter(|_| gap.kind == GapKind::UnknownOption).map(str::to_owned);
        scene.forget_since(marks.0, marks.1);
        let at = option.and_then(|option| {
            line.iter().position(|word| word.text.split('=').next() == Some(&*option) && option.starts_with('-'))
        });
        let Some(at) = at else { return false };
        line.remove(at);
    }
}

/// `run_container {"image": …, "volumes": …}` as the command line of `docker run`.
fn container(call: &Call<'_>, words: &[String]) -> Option<Vec<Word>> {
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    let image = call
        .arguments
        .text(&["image", "image_name"])
        .filter(|_| has(&["container", "docker", "podman"]) && has(&["run", "create", "start", "launch"]))?;
    let mut line: Vec<Word> = ["docker", "run"].map(Word::known).into();
    for flag in ["privileged", "rm"] {
        if call.arguments.says(&[flag]) {
            line.push(Word::known(format!("--{flag}")));
        }
    }
    for (option, names) in
        [("--network", ["network", "network_mode"]), ("--pid", ["pid", "pid_mode"]), ("--user", ["user", "user_id"])]
    {
        if let Some(value) = call.arguments.text(&names) {
            line.extend([Word::known(option), call.word(value)]);
        }
    }
    let inside = |value: &Value| {
        let named = ["bind", "target", "container_path", "containerPath"].iter().find_map(|key| value.get(*key));
        named.unwrap_or(value).as_str().map(str::to_owned)
    };
    let mounts: Vec<String> = match call.arguments.get(&["volumes", "mounts", "binds", "bind_mounts"]) {
        Some(Value::Object(all)) => {
            all.iter().filter_map(|(host, value)| Some(format!("{host}:{}", inside(value)?))).collect()
        }
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| match one {
                Value::String(text) => Some(text.clone()),
                one => {
                    let host =
                        ["source", "host_path", "hostPath", "host"].iter().find_map(|key| one.get(*key)?.as_str())?;
                    Some(format!("{host}:{}", inside(one)?))
                }
            })
            .collect(),
        _ => Vec::new(),
    };
    for mount in mounts {
        line.extend([Word::known("-v"), Word::known(mount)]);
    }
    line.push(call.word(image));
    match call.arguments.get(&["command", "cmd", "entrypoint"]) {
        Some(Value::String(text)) => line.extend(text.split_whitespace().map(|word| call.word(word))),
        Some(Value::Array(words)) => line.extend(words.iter().filter_map(Value::as_str).map(|word| call.word(word))),
        _ => {}
    }
    Some(line)
}

/// Operands first, then the options: `{"mode": "hard"}` is `--hard`, `{"SecretId": "x"}` is `--secret-id x`.
fn arguments(call: &Call<'_>, line: &mut Vec<Word>) {
    let scalar = |value: &Value| match value {
        Value::String(text) if !text.is_empty() && text.len() <= 300 && !text.contains('\n') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let service = line.len() == 2 && line[1].text.contains('-');
    if !service {
        line.extend(
            OPERANDS.iter().filter_map(|name| scalar(call.arguments.get(&[name])?)).map(|text| call.word(&text)),
        );
    }
    for (key, value) in &call.arguments.values {
        let words = naming::words(key);
        let plain = words.join("_");
        if !service
            && (OPERANDS.contains(&&*plain) || matches!(&*plain, "repo_path" | "cwd" | "workdir" | "working_directory"))
        {
            continue;
        }
        let option = format!("--{}", words.join("-"));
        match value {
            Value::Bool(true) => line.push(Word::known(option)),
            Value::String(mode) if plain == "mode" => line.push(Word::known(format!("--{mode}"))),
            // A policy is text as well: what it lets in stands there.
            Value::String(text) => line.push(Word { text: format!("{option}={text}"), ..call.word(text) }),
            Value::Number(number) => line.push(Word::known(format!("{option}={number}"))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::seen;

    fn check(tool: &str, arguments: &str, expected: &str) {
        assert_eq!(seen::tool(tool, arguments), expected, "{tool} {arguments}");
    }

    #[test]
    fn a_tool_named_after_a_command_is_that_command() {
        check("helm_uninstall", r#"{"release":"shop"}"#, "drop Stack `shop` cascades");
        check("mcp__redis__flushall", "{}", "drop Database `` all");
        check(
            "argocd_frobnicate",
            r#"{"x":1}"#,
            "unknown Item `` unknown unresolved\ngap unknown-tool hides anything: argocd_frobnicate",
        );
    }
}
