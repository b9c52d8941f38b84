//! Commands of the Windows command prompt: `del /s /q C:\x`, `rd /s /q x`, `format d:`.

use crate::classify::{Language, Scene, Word, paths};
use crate::model::{Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use Operation as O;
use ResourceKind as K;

/// Finds what a command line, or a batch file, does.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let mut at = 0;
    for line in text.split('\n') {
        for (from, to) in commands(line) {
            let span = Span::new(at + from, at + to);
            command(scene, &line[from..to], span);
        }
        at += line.len() + 1;
    }
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

fn command(scene: &mut Scene<'_>, text: &str, span: Span) {
    let words = words(text);
    let Some(first) = words.first() else { return };
    let program = first.rsplit(['\\', '/']).next().unwrap_or("").trim_start_matches('@').to_ascii_lowercase();
    let program = program.strip_suffix(".exe").unwrap_or(&program);
    let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
    let operands: Vec<&String> = words.iter().skip(1).filter(|word| !word.starts_with('/')).collect();
    let mut note = |operation: O, kind: K, name: &str, extent: Extent| {
        let word = Word { span: Some(span), glob: name.contains('*'), ..Word::known(name) };
        let resource = match kind {
            K::File | K::Folder => paths::resource(scene, &word, kind),
            _ => Resource::new(kind, name),
        };
        let all = operation == O::Delete && resource.kind == K::Folder && has("/s");
        let mut effect = Effect::new(if all { super::removal(&resource) } else { operation }, resource);
        effect.resource.unresolved |= name.contains('%');
        effect.extent = extent;
        effect.span = Some(span);
        effect.by = program.to_owned();
        effect.guard_off = has("/q") || has("/f") || has("/y");
        effect.cascades = has("/s");
        scene.effect(effect);
    };
    match program {
        "del" | "erase" => {
            for name in &operands {
                let all = has("/s") || name.ends_with('*') || name.ends_with("*.*");
                note(O::Delete, K::File, name, if all { Extent::All } else { Extent::One });
            }
        }
        "rd" | "rmdir" => operands.iter().for_each(|name| {
            note(O::Delete, K::Folder, name, if has("/s") { Extent::All } else { Extent::One });
        }),
        "deltree" => operands.iter().for_each(|name| note(O::Delete, K::Folder, name, Extent::All)),
        "format" => note(O::Drop, K::Device, operands.first().map_or("", |name| name), Extent::All),
        "cipher" if words.iter().any(|word| word.to_ascii_lowercase().starts_with("/w")) => {
            note(O::Delete, K::Device, operands.first().map_or("", |name| name), Extent::Some);
        }
        "diskpart" => note(O::Alter, K::Device, "", Extent::Unknown),
        "reg" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("delete")) => {
            note(O::Delete, K::Item, operands.get(1).map_or("", |name| name), Extent::All);
        }
        "reg" if operands.first().is_some_and(|verb| verb.eq_ignore_ascii_case("query")) => {}
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
            let operation = if has("/delete") { O::Delete } else { O::Grant };
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
        "echo" | "cd" | "chdir" | "cls" | "rem" | "set" | "ver" | "exit" | "pause" | "title" | "whoami"
        | "hostname" | "setlocal" | "endlocal" | "goto" | "pushd" | "popd" | "ipconfig" | "timeout" | "chcp" => {}
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
