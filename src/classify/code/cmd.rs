//! Commands of the Windows command prompt: `del /s /q C:\x`, `rd /s /q x`, `format d:`.

use crate::classify::{Language, Scene, Word, paths};
use crate::model::{Area, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use Operation as O;
use ResourceKind as K;

/// Finds what a command line, or a batch file, does.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let cwd = scene.cwd.clone();
    lines(scene, text);
    scene.cwd = cwd;
}

fn lines(scene: &mut Scene<'_>, text: &str) {
    let mut at = 0;
    for line in text.split('\n') {
        let lower = line.trim_start().to_ascii_lowercase();
        let whole = lower.starts_with("for ");
        for (from, to) in if whole { vec![(0, line.len())] } else { commands(line) } {
            let span = Span::new(at + from, at + to);
            if is_told_to_look(line, from, &line[from..to]) {
                continue;
            }
            command(scene, &line[from..to], span);
        }
        at += line.len() + 1;
    }
}

/// `(echo list disk & echo list volume) | diskpart`: all that it is told to do is to look.
fn is_told_to_look(line: &str, from: usize, command: &str) -> bool {
    let Some(before) = line[..from].strip_suffix('|').filter(|_| command.trim().eq_ignore_ascii_case("diskpart"))
    else {
        return false;
    };
    let looks = |told: &str| {
        let told = told.trim().trim_matches(['(', ')', '@', ' ']).to_ascii_lowercase();
        let said = told.strip_prefix("echo").map(|rest| rest.trim_matches(['.', ' ']));
        said.is_some_and(|said| {
            let verb = said.split(' ').next().unwrap_or_default();
            matches!(verb, "list" | "lis" | "detail" | "select" | "sel" | "rescan" | "help" | "exit" | "rem" | "")
        })
    };
    !before.trim().is_empty() && before.split('&').all(looks)
}

/// Splits a line at `&`, `&&`, `|` and `||` outside of quotes.
fn commands(line: &str) -> Vec<(usize, usize)> {
    let (mut found, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'&' | b'|' if !quoted => {
                found.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, line.len()));
    found
}

/// `for %i in (a b) do COMMAND`, `if exist a COMMAND`: what is run, with what the loop runs over put in.
fn within(text: &str) -> Option<Vec<String>> {
    let lower = text.to_ascii_lowercase();
    let word_at = |from: usize| text[from..].find(' ').map(|at| from + at + 1);
    if lower.starts_with("for ") {
        let inside = lower.find(" in ")?;
        let open = inside + lower[inside..].find('(')?;
        let close = open + lower[open..].find(')')?;
        let body = close + lower[close..].find("do ")? + "do ".len();
        let name = text[..inside].split(' ').next_back()?.trim_start_matches('%');
        let listed = lower.starts_with("for /f") || lower.starts_with("for /l");
        let set = &text[open + 1..close];
        let items: Vec<&str> = if listed { vec!["%items%"] } else { set.split([' ', ',', ';']).collect() };
        let put = |item: &str| {
            let item = item.trim_matches('"');
            text[body..]
                .replace(&format!("%%~{name}"), item)
                .replace(&format!("%~{name}"), item)
                .replace(&format!("%%{name}"), item)
                .replace(&format!("%{name}"), item)
        };
        return Some(items.into_iter().filter(|item| !item.is_empty()).take(32).map(put).collect());
    }
    let mut rest = lower.strip_prefix("if ").map(|_| "if ".len())?;
    while lower[rest..].starts_with("/i ") || lower[rest..].starts_with("not ") {
        rest = word_at(rest)?;
    }
    if lower[rest..].starts_with("exist ")
        || lower[rest..].starts_with("defined ")
        || lower[rest..].starts_with("errorlevel ")
    {
        rest = word_at(rest)?;
    }
    // The condition itself: one word, or one in quotes.
    let condition = &text[rest..];
    let end = match condition.strip_prefix('"') {
        Some(quoted) => 1 + quoted.find("\" ").map(|at| at + 1)?,
        None => condition.find(' ')?,
    };
    let body = condition[end..].trim();
    let (yes, no) = body.split_once(" else ").map_or((body, None), |(yes, no)| (yes, Some(no)));
    Some(std::iter::once(yes).chain(no).map(str::to_owned).collect())
}

fn command(scene: &mut Scene<'_>, text: &str, span: Span) {
    let text = text.trim().trim_start_matches(['(', '@']).trim_start();
    let text = if text.contains('(') { text } else { text.trim_end_matches(')') };
    if let Some(inner) = within(text) {
        for code in inner {
            super::hand_over(scene, Language::Cmd, code.trim().trim_matches(['(', ')']), Some(span));
        }
        return;
    }
    let words = words(text);
    let Some(first) = words.first() else { return };
    let program = first.rsplit(['\\', '/']).next().unwrap_or("").trim_start_matches('@').to_ascii_lowercase();
    let program = program.strip_suffix(".exe").unwrap_or(&program);
    let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
    let operands: Vec<&String> = words.iter().skip(1).filter(|word| !word.starts_with('/')).collect();
    let mut note = |operation: O, kind: K, name: &str, extent: Extent| {
        // Both strokes part folders on Windows.
        let path = matches!(kind, K::File | K::Folder) && !name.starts_with("\\\\");
        let turned = if path { name.replace('\\', "/") } else { name.to_owned() };
        let word = Word { span: Some(span), glob: name.contains('*'), ..Word::known(turned) };
        let resource = match kind {
            K::File | K::Folder => paths::resource(scene, &word, kind),
            _ => Resource::new(kind, name),
        };
        let all = operation == O::Delete && resource.kind == K::Folder && has("/s");
        let mut effect = Effect::new(if all { super::removal(&resource) } else { operation }, resource);
        effect.resource.unresolved |= name.contains('%');
        // Beside `obj`, `bin` is what was compiled.
        if name == "bin" && operands.iter().any(|other| *other == "obj") {
            effect.resource.areas = effect.resource.areas.with(Area::Artefact);
        }
        effect.extent = extent;
        effect.span = Some(span);
        effect.by = program.to_owned();
        effect.guard_off = has("/q") || has("/f") || has("/y");
        effect.cascades = has("/s") || operation == O::Grant && (has("/t") || has("/r"));
        scene.effect(effect);
    };
    match program {
        "del" | "erase" => {
            for name in &operands {
                // `del folder` and `del /s folder` empty it.
                let all = has("/s") || name.ends_with('*') || name.ends_with("*.*");
                note(O::Delete, K::File, name, if all { Extent::All } else { Extent::One });
            }
        }
        "rd" | "rmdir" => operands.iter().for_each(|name| {
            note(O::Delete, K::Folder, name, if has("/s") { Extent::All } else { Extent::One });
        }),
        "deltree" => operands.iter().for_each(|name| note(O::Delete, K::Folder, name, Extent::All)),
        "format" => note(O::Drop, K::Device, operands.first().map_or("", |name| name), Extent::All),
        "cipher" => {
            let wiped = words.iter().find_map(|word| {
                word.get(..2)
                    .filter(|start| start.eq_ignore_ascii_case("/w"))
                    .map(|_| word[2..].trim_start_matches(':'))
            });
            if let Some(wiped) = wiped {
                note(O::Delete, K::Device, wiped, Extent::Some);
            }
        }
        "diskpart" => note(O::Alter, K::Device, "", Extent::Unknown),
        "reg" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("delete")) => {
            note(O::Delete, K::Item, operands.get(1).map_or("", |name| name), Extent::All);
        }
        "reg" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("query")) => {}
        "reg" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("save")) => {
            note(O::Read, K::Secret, operands.get(1).map_or("", |name| name), Extent::All);
        }
        "reg" if text.to_ascii_lowercase().contains("\\currentversion\\run") => {
            let key = operands.get(1).map_or("", |name| name);
            let mut effect = Effect::new(O::Alter, Resource::new(K::Item, key));
            effect.resource.areas = effect.resource.areas.with(Area::Startup);
            effect.span = Some(span);
            effect.by = program.to_owned();
            scene.effect(effect);
        }
        // Policies are switched off by values whose names say so: `DisableAntiSpyware` set to 1, `EnableLUA` to 0.
        "reg"
            if [("disable", "1"), ("enable", "0")].iter().any(|(begins, value)| {
                words.iter().any(|word| word.to_ascii_lowercase().starts_with(begins))
                    && words.iter().any(|word| word == value)
            }) =>
        {
            note(O::Disable, K::Safeguard, operands.get(1).map_or("", |name| name), Extent::One);
        }
        "reg" => note(O::Alter, K::Item, operands.get(1).map_or("", |name| name), Extent::One),
        "shutdown" => note(O::Stop, K::Host, "", Extent::One),
        "taskkill" => note(O::Stop, K::Process, operands.first().map_or("", |name| name), Extent::One),
        "net" | "sc" if operands.iter().any(|word| word.eq_ignore_ascii_case("stop")) => {
            note(O::Stop, K::Service, operands.last().map_or("", |name| name), Extent::One);
        }
        "sc" if operands.iter().any(|word| word.eq_ignore_ascii_case("delete")) => {
            note(O::Delete, K::Service, operands.last().map_or("", |name| name), Extent::One);
        }
        "net"
            if operands.first().is_some_and(|word| {
                word.to_ascii_lowercase().starts_with("user") || word.eq_ignore_ascii_case("localgroup")
            }) =>
        {
            let changes = ["/add", "/delete", "/active:yes", "/active:no"].iter().any(|option| has(option));
            let operation = match () {
                () if has("/delete") => O::Delete,
                () if changes || operands.len() > 2 => O::Grant,
                () => O::List,
            };
            note(operation, K::Role, operands.get(1).map_or("", |name| name), Extent::One);
        }
        "vssadmin" | "wbadmin" if operands.iter().any(|word| word.eq_ignore_ascii_case("delete")) => {
            note(O::Delete, K::Backup, "", Extent::All);
        }
        "wevtutil" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("cl")) => {
            note(O::Rewrite, K::Log, operands.get(1).map_or("", |name| name), Extent::All);
        }
        "netsh" if text.to_ascii_lowercase().contains("state off") => {
            note(O::Disable, K::Safeguard, "firewall", Extent::All)
        }
        "bcdedit" => note(O::Alter, K::Host, "boot", Extent::One),
        "call" | "start" => {
            let from = words.iter().skip(1).position(|word| !word.starts_with('/') && !word.is_empty());
            let code = from.map(|at| super::quoted(&words[at + 1..])).unwrap_or_default();
            super::hand_over(scene, Language::Shell, &code, Some(span));
        }
        "attrib" => {}
        "fsutil" => {
            if has("deletejournal") {
                note(O::Rewrite, K::Log, "usn journal", Extent::All);
            } else if has("setzerodata") || has("seteof") {
                note(O::Update, K::File, operands.last().map_or("", |name| name), Extent::Some);
            }
        }
        "schtasks" => {
            let value = |option: &str| {
                words
                    .iter()
                    .position(|word| word.eq_ignore_ascii_case(option))
                    .and_then(|at| words.get(at + 1))
                    .cloned()
            };
            let name = value("/tn").unwrap_or_default();
            if has("/delete") {
                note(O::Delete, K::Item, &name, Extent::One);
            } else if has("/create") || has("/change") {
                let mut resource = Resource::new(K::Item, name);
                resource.areas = resource.areas.with(Area::Startup);
                let mut effect = Effect::new(O::Create, resource);
                effect.span = Some(span);
                effect.by = program.to_owned();
                scene.effect(effect);
                if let Some(code) = value("/tr") {
                    super::hand_over(scene, Language::Cmd, &code, Some(span));
                }
            } else if has("/run") {
                note(O::Alter, K::Item, &name, Extent::One);
            }
        }
        "move" | "ren" | "rename" => {
            operands.iter().for_each(|name| note(O::Update, K::File, name, Extent::One));
        }
        "copy" | "xcopy" | "robocopy" => {
            if let Some(target) = operands.get(1) {
                note(O::Update, K::File, target, Extent::All);
            }
            if program == "robocopy" && has("/mir") {
                note(O::Delete, K::Folder, operands.get(1).map_or("", |name| name), Extent::All);
            }
        }
        "type" | "more" | "findstr" => operands.iter().for_each(|name| note(O::Read, K::File, name, Extent::One)),
        "dir" | "tree" | "where" => note(O::List, K::Folder, operands.first().map_or(".", |name| name), Extent::One),
        "md" | "mkdir" => operands.iter().for_each(|name| note(O::Create, K::Folder, name, Extent::One)),
        "cd" | "chdir" | "pushd" => {
            if let Some(folder) = operands.first() {
                scene.cwd = (!folder.contains('%')).then(|| paths::normalise(scene, folder));
            }
        }
        "echo" | "cls" | "rem" | "set" | "ver" | "exit" | "pause" | "title" | "whoami" | "hostname" | "setlocal"
        | "endlocal" | "goto" | "popd" | "ipconfig" | "timeout" | "chcp" => {}
        "cmd" => {
            if let Some(at) = words.iter().position(|word| matches!(&*word.to_ascii_lowercase(), "/c" | "/k" | "/r")) {
                let code = words[at + 1..].join(" ");
                super::hand_over(scene, Language::Cmd, &code, Some(span));
            }
        }
        "powershell" | "pwsh" => super::powershell::program(scene, &words, Some(span)),
        label if label.starts_with(':') => {}
        // What is left are programs, which are the same everywhere.
        _ => super::hand_over(scene, Language::Shell, &super::quoted(&words), Some(span)),
    }
    if let Some((_, target)) = text.split_once('>') {
        let appends = target.starts_with('>');
        let name = target.trim_start_matches('>').split_whitespace().next().unwrap_or("").trim_matches('"');
        if !name.is_empty() && !name.eq_ignore_ascii_case("nul") && !name.starts_with('&') {
            let word = Word { span: Some(span), ..Word::known(name) };
            let mut effect = Effect::new(O::Update, paths::resource(scene, &word, K::File));
            effect.extent = if appends { Extent::Some } else { Extent::All };
            effect.span = Some(span);
            effect.by = ">".to_owned();
            scene.effect(effect);
        }
    }
    if text.contains('^') && program.contains('^') {
        scene.gap(GapKind::Unparsed, Hides::Anything, Some(span), text);
    }
}

/// The words of a command; a caret takes the next letter as it is.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for letter in text.chars() {
        match letter {
            '"' => (quoted, any) = (!quoted, true),
            '^' if !quoted => {}
            '>' if !quoted => break,
            letter if letter.is_whitespace() && !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            letter => word.push(letter),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use crate::classify::{Language, seen};

    fn check(text: &str, expected: &str) {
        assert_eq!(seen::code(Language::Cmd, text), expected, "{text}");
    }

    #[test]
    fn commands_are_known() {
        check(r"del /s /q C:\data\*", "delete Folder `C:/data` all guard-off cascades");
        check(r"RD /S /Q C:\data", "delete Folder `C:/data` all guard-off cascades");
        check(r"rd /s /q C:\", "drop Folder `C:/` all guard-off cascades");
        check("format d: /y", "drop Device `d:` all guard-off");
        check("echo hi & vssadmin delete shadows /all", "delete Backup `` all");
        check("cmd /c rd /s x", "Cmd code: rd /s x");
        check("git status", "Shell code: git status");
    }
}
