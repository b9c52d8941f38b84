//! The grouping text of a command line: programs, subcommands and flags stay, operands go.

use std::borrow::Cow;

use super::tree::{Node, Part, RawWord, Script, Simple, Statement};

const MOST: usize = 160;

/// The template of a script: `cd <path> && git push --force <arg>`.
pub(super) fn of(script: &Script<'_>) -> String {
    let mut out = String::with_capacity(64);
    sequence(&mut out, script, "; ");
    if out.len() > MOST {
        let end = (0..=MOST - 3).rev().find(|at| out.is_char_boundary(*at)).unwrap_or_default();
        out.truncate(end);
        out.push('…');
    }
    out
}

fn sequence(out: &mut String, script: &[Statement<'_>], operator: &str) {
    for (at, each) in script.iter().enumerate() {
        if out.len() > MOST {
            return;
        }
        if at > 0 {
            out.push_str(if each.or { " || " } else { operator });
        }
        statement(out, each);
    }
}

fn statement(out: &mut String, statement: &Statement<'_>) {
    match &statement.node {
        Node::Simple(it) if it.words.is_empty() && it.assignments.is_empty() => out.push_str("> <path>"),
        Node::Simple(it) => simple(out, it),
        Node::Chain(links) => sequence(out, links, " && "),
        Node::Pipeline(stages) => sequence(out, stages, " | "),
        Node::Subshell(body) => {
            out.push('(');
            sequence(out, body, "; ");
            out.push(')');
        }
        Node::Group(body) => sequence(out, body, "; "),
        Node::Function { name, .. } => {
            out.push_str(name);
            out.push_str("()");
        }
        Node::Branches { branches, .. } => {
            out.push_str("if ");
            for (at, (condition, body)) in branches.iter().enumerate() {
                if at > 0 {
                    out.push_str("; ");
                }
                sequence(out, condition, "; ");
                out.push_str("; ");
                sequence(out, body, "; ");
            }
        }
        Node::Loop { condition, body } => {
            out.push_str("while ");
            sequence(out, condition, "; ");
            out.push_str("; ");
            sequence(out, body, "; ");
        }
        Node::For { body, .. } => {
            out.push_str("for ");
            sequence(out, body, "; ");
        }
        Node::Case { arms, .. } => {
            out.push_str("case ");
            for (at, arm) in arms.iter().enumerate() {
                if at > 0 {
                    out.push_str("; ");
                }
                sequence(out, arm, "; ");
            }
        }
        Node::Test(_) => out.push_str("[[ … ]]"),
    }
}

fn simple(out: &mut String, simple: &Simple<'_>) {
    if simple.words.is_empty() {
        for (at, assignment) in simple.assignments.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            out.push_str(assignment.name);
            out.push('=');
        }
        return;
    }
    let mut names = Names::Program;
    let mut last = "";
    for word in &simple.words {
        if out.len() > MOST {
            return;
        }
        let text = text(word);
        let text = text.as_deref().map(|text| text.strip_prefix('\\').unwrap_or(text));
        let shown = match (text, &names) {
            // Options and variables of a wrapper stand before the program.
            (Some(text), Names::Program) if text.starts_with('-') && !out.is_empty() => text,
            (Some(text), Names::Program) if text.contains('=') => "<arg>",
            (Some(text), Names::Program) => {
                let name = text.rsplit('/').next().unwrap_or(text);
                names = after(name);
                name
            }
            (None, Names::Program) => {
                names = Names::None;
                "<cmd>"
            }
            (Some(text), _) if text.len() > 1 && text.starts_with('-') => match text.split_once('=') {
                Some((flag, _)) => {
                    push(out, flag);
                    out.push_str("=<arg>");
                    last = "";
                    continue;
                }
                None => text,
            },
            (Some(text), Names::Subcommands(left)) if is_subcommand(text) => {
                names = if *left > 1 { Names::Subcommands(left - 1) } else { Names::None };
                text
            }
            (text, _) => {
                let sort = operand(text, word);
                // A list of operands of one sort says no more than one of them.
                if sort != last {
                    push(out, sort);
                }
                last = sort;
                continue;
            }
        };
        push(out, shown);
        last = "";
    }
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() && !out.ends_with([' ', '(']) {
        out.push(' ');
    }
    out.push_str(word);
}

/// What the next plain word is.
enum Names {
    Program,
    Subcommands(u8),
    None,
}

fn after(program: &str) -> Names {
    match program {
        "sudo" | "doas" | "time" | "nohup" | "command" | "exec" | "builtin" | "xargs" | "env" | "nice" => {
            Names::Program
        }
        "aws" | "gcloud" | "az" => Names::Subcommands(3),
        "docker" | "podman" | "kubectl" | "oc" | "gh" | "glab" | "terraform" | "tofu" | "helm" | "npm" | "pnpm"
        | "yarn" | "bun" | "go" | "vault" | "heroku" | "fly" | "flyctl" | "wrangler" | "vercel" | "supabase" | "ip" => {
            Names::Subcommands(2)
        }
        "git" | "cargo" | "pip" | "pip3" | "uv" | "poetry" | "systemctl" | "service" | "apt" | "apt-get" | "brew"
        | "dnf" | "yum" | "make" | "just" | "rustup" | "conda" | "gem" | "bundle" | "rails" | "rake" | "mvn"
        | "gradle" | "dotnet" | "nix" | "snap" | "redis-cli" | "openssl" | "tmux" | "crontab" | "prisma" | "npx" => {
            Names::Subcommands(1)
        }
        _ => Names::None,
    }
}

fn is_subcommand(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
}

fn operand(text: Option<&str>, word: &RawWord<'_>) -> &'static str {
    match text {
        None if word.parts.iter().any(|part| matches!(part, Part::Bare(text) if text.contains('/'))) => "<path>",
        None => "<arg>",
        Some(text) if text.contains("://") => "<url>",
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => "<n>",
        Some(text) if text.contains([' ', '\n']) => "<s>",
        Some(text) if text.contains('/') || text.starts_with(['~', '.']) => "<path>",
        Some(text) if text.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && end.len() < 5) => "<path>",
        Some(_) => "<arg>",
    }
}

/// The word's text when nothing in it has to be looked up.
fn text<'t>(word: &RawWord<'t>) -> Option<Cow<'t, str>> {
    let mut text = Cow::Borrowed("");
    for part in &word.parts {
        match part {
            Part::Bare(piece) | Part::Quoted(piece) if text.is_empty() => text = Cow::Borrowed(*piece),
            Part::Bare(piece) | Part::Quoted(piece) => text.to_mut().push_str(piece),
            Part::Unescaped(piece) => text.to_mut().push_str(piece),
            _ => return None,
        }
    }
    Some(text)
}
