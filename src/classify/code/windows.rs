//! Whether a plain line that was recorded as shell is really one of PowerShell or of the Windows command prompt.

use crate::classify::Language;

use super::powershell;

/// Longer texts are scripts of a shell that says so itself.
const MAX_LINE: usize = 4_096;

/// The language of a line that only Windows would understand, or that was typed in one of its folders; `None` for
/// everything else.
pub(in crate::classify) fn language(text: &str, cwd: Option<&str>) -> Option<Language> {
    let at_prompt = cwd.is_some_and(|cwd| matches!(cwd.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()));
    if at_prompt && starts_powershell(text) {
        // Its prompt leaves the `$` in quotes alone.
        return Some(Language::Cmd);
    }
    if text.len() > MAX_LINE || text.contains("<<") || text.starts_with("#!") {
        return None;
    }
    if is_powershell(text) {
        return Some(Language::PowerShell);
    }
    is_prompt(text).then_some(Language::Cmd)
}

fn starts_powershell(text: &str) -> bool {
    let first = text.split_ascii_whitespace().next().unwrap_or("");
    let program = first.rsplit(['\\', '/']).next().unwrap_or("").to_ascii_lowercase();
    matches!(program.strip_suffix(".exe").unwrap_or(&program), "powershell" | "pwsh")
}

fn is_powershell(text: &str) -> bool {
    let bytes = text.as_bytes();
    // `Remove-Item`: no option looks like that.
    let has_noun = memchr::memchr_iter(b'-', bytes).any(|at| {
        at > 0
            && bytes[at - 1].is_ascii_lowercase()
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_uppercase())
            && bytes.get(at + 2).is_some_and(|next| next.is_ascii_alphanumeric())
    });
    if has_noun && starts(text, powershell::is_cmdlet) {
        return true;
    }
    let first = text.split_ascii_whitespace().next().unwrap_or("");
    let compares = || [" -eq ", " -ne ", " -gt ", " -lt ", " -like ", " -match "].iter().any(|it| text.contains(it));
    if text.contains("if (") && text.contains(") {") && text.contains('$') && compares() {
        return true;
    }
    match first {
        "iwr" | "irm" | "iex" | "gci" | "ri" => true,
        "rm" | "del" | "ls" | "cp" | "mv" | "rmdir" | "rd" | "erase" | "copy" | "move" => text
            .split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("-recurse") || word.eq_ignore_ascii_case("-force")),
        _ => {
            first.starts_with("$env:") && text.contains('=')
                || first.starts_with('[')
                    && first[1..].starts_with(|letter: char| letter.is_ascii_uppercase())
                    && text.contains("]::")
        }
    }
}

/// Whether a command of the line begins with a word that passes.
fn starts(text: &str, test: impl Fn(&str) -> bool) -> bool {
    let mut quote = 0;
    let mut start = 0;
    let mut any = false;
    for (at, byte) in text.bytes().enumerate().chain([(text.len(), b';')]) {
        match byte {
            _ if quote != 0 && byte != quote && at < text.len() => {}
            b'"' | b'\'' => quote = if quote == 0 { byte } else { 0 },
            b';' | b'|' | b'&' | b'\n' | b'{' | b'(' => {
                let piece = text[start..at].trim_start();
                let piece = piece.split_once('=').filter(|_| piece.starts_with('$')).map_or(piece, |(_, right)| right);
                any |= piece.split_ascii_whitespace().next().is_some_and(&test);
                start = at + 1;
            }
            _ => {}
        }
    }
    any
}

fn is_prompt(text: &str) -> bool {
    // Every sign of it has one of these letters.
    if !text.as_bytes().iter().any(|byte| matches!(byte, b'/' | b'\\' | b':' | b'@' | b'%'))
        && !text.starts_with("if ")
        && !text.starts_with("diskpart")
    {
        return false;
    }
    text.split(['&', '|', '\n']).any(|command| {
        let mut words = command.split_ascii_whitespace();
        let first = words.next().unwrap_or("").trim_start_matches('@');
        let first = first.strip_suffix(".exe").unwrap_or(first);
        let switch = |word: &str| {
            word.strip_prefix('/').is_some_and(|rest| {
                let name = rest.split(':').next().unwrap_or(rest);
                (name.len() == 1 || first.eq_ignore_ascii_case("schtasks")) && name.as_bytes()[0].is_ascii_alphabetic()
            })
        };
        let drive = |word: &str| {
            matches!(word.trim_matches('"').as_bytes(), [letter, b':', b'\\' | b'/', ..] | [letter, b':'] if letter.is_ascii_alphabetic())
        };
        let windows = || words.clone().any(|word| switch(word) || drive(word));
        match &*first.to_ascii_lowercase() {
            "rd" | "rmdir" | "del" | "erase" | "deltree" | "copy" | "xcopy" | "robocopy" | "move" | "ren" | "attrib"
            | "format" | "cipher" | "icacls" | "takeown" | "type" | "md" => windows(),
            "reg" => words.clone().any(|word| word.trim_start_matches('"').to_ascii_uppercase().starts_with("HK")),
            "if" => {
                let mut next = words.next();
                while next.is_some_and(|word| word.eq_ignore_ascii_case("not") || word.eq_ignore_ascii_case("/i")) {
                    next = words.next();
                }
                next.is_some_and(|word| word.eq_ignore_ascii_case("exist") || word.eq_ignore_ascii_case("errorlevel"))
            }
            "diskpart" | "fsutil" => true,
            "schtasks" => windows(),
            "for" => words.next().is_some_and(|word| switch(word) || word.starts_with('%')),
            "echo" => first.len() < command.len() && words.next() == Some("off"),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Language>) {
        assert_eq!(language(text, None), expected, "{text}");
    }

    #[test]
    fn lines_of_windows_are_recognised() {
        check("Remove-Item -Recurse C:/x", Some(Language::PowerShell));
        check("$x = Get-ChildItem C:/x; $x.Count", Some(Language::PowerShell));
        check("cd app; Get-Content a.log", Some(Language::PowerShell));
        check("irm https://a.example/x.ps1 | iex", Some(Language::PowerShell));
        check(r"rmdir /s /q D:\x", Some(Language::Cmd));
        check(r"cd app && del /q *.obj", Some(Language::Cmd));
        check("format e: /q", Some(Language::Cmd));
    }

    #[test]
    fn lines_of_other_systems_are_not() {
        check("rmdir /s", Some(Language::Cmd));
        check("rmdir /srv/x", None);
        check("git commit -m 'Use Remove-Item instead'", None);
        check("update-alternatives --config editor", None);
        check("curl -H 'X-Api-Key: a' https://a.example", None);
        check("cp -R a B-Side", None);
        check("for f in a b; do echo $f; done", None);
        check("type python3", None);
    }
}
