//! PowerShell: pipelines of cmdlets and programs, `iex`, `-EncodedCommand`.

use crate::classify::{Language, Scene, Unknown, Word, http, paths};
use crate::model::{CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use Operation as O;
use ResourceKind as K;

/// What a cmdlet does to what its first operand, or one of the named parameters, names.
const CMDLETS: &[(O, K, &str)] = &[
    (O::Delete, K::File, "remove-item ri rm del erase rd rmdir clear-content clc"),
    (O::Update, K::File, "set-content sc out-file add-content ac tee-object export-csv export-clixml"),
    (O::Update, K::File, "move-item mi mv move rename-item rni ren"),
    (O::Create, K::File, "new-item ni mkdir md"),
    (O::Read, K::File, "get-content gc cat type select-string sls import-csv"),
    (O::Read, K::File, "copy-item cpi cp copy"),
    (O::List, K::Folder, "get-childitem gci ls dir resolve-path test-path get-item"),
    (O::Stop, K::Host, "stop-computer restart-computer"),
    (O::Stop, K::Service, "stop-service spsv restart-service suspend-service"),
    (O::Delete, K::Service, "remove-service"),
    (O::Stop, K::Process, "stop-process spps kill"),
    (O::Drop, K::Device, "format-volume clear-disk initialize-disk"),
    (O::Drop, K::Volume, "remove-partition remove-virtualdisk"),
    (O::Rewrite, K::Log, "clear-eventlog remove-eventlog clear-history limit-eventlog"),
    (
        O::Disable,
        K::Safeguard,
        "set-mppreference add-mppreference set-executionpolicy set-netfirewallprofile disable-netfirewallrule disable-bitlocker disable-psremoting uninstall-windowsfeature disable-computerrestore",
    ),
    (O::Alter, K::Item, "set-itemproperty sp new-itemproperty"),
    (O::Delete, K::Item, "remove-itemproperty rp"),
    (O::Delete, K::Role, "remove-localuser remove-aduser remove-adgroup remove-adcomputer remove-localgroup"),
    (O::Drop, K::Role, "remove-adorganizationalunit remove-addomain"),
    (O::Grant, K::Role, "add-localgroupmember add-adgroupmember new-localuser set-acl"),
    (O::Delete, K::Instance, "remove-azvm remove-vm stop-vm"),
    (O::Drop, K::Stack, "remove-azresourcegroup"),
    (O::Drop, K::Database, "remove-sqldatabase remove-azsqldatabase remove-database"),
    (O::Drop, K::Bucket, "remove-azstorageaccount remove-azstoragecontainer remove-s3bucket"),
    (O::Delete, K::Backup, "remove-vmsnapshot remove-wbbackupset remove-azsnapshot"),
    (O::Export, K::Message, "send-mailmessage"),
    (O::Execute, K::Host, "enter-pssession"),
];

/// Cmdlets that only look, compute, format or wait.
const HARMLESS: &[&str] = &[
    "write-host",
    "write-output",
    "echo",
    "write-error",
    "write-verbose",
    "write-warning",
    "set-location",
    "cd",
    "sl",
    "push-location",
    "pop-location",
    "select-object",
    "select",
    "where-object",
    "where",
    "sort-object",
    "sort",
    "format-table",
    "ft",
    "format-list",
    "fl",
    "measure-object",
    "group-object",
    "out-null",
    "out-string",
    "out-host",
    "get-date",
    "start-sleep",
    "sleep",
    "join-path",
    "split-path",
    "convertto-json",
    "convertfrom-json",
    "get-command",
    "get-help",
    "get-process",
    "ps",
    "get-service",
    "get-location",
    "pwd",
    "gl",
    "exit",
    "param",
    "import-module",
    "get-member",
    "clear-host",
    "cls",
    "compare-object",
    "get-variable",
    "new-object",
    "get-host",
    "get-history",
    "test-connection",
    "read-host",
    "get-executionpolicy",
    "set-strictmode",
    "return",
    "throw",
    "break",
    "continue",
    "foreach-object",
    "%",
    "?",
    "if",
    "else",
    "foreach",
    "while",
    "try",
    "catch",
    "finally",
    "function",
    "do",
    "switch",
    "for",
    "elseif",
];

/// Finds what a script does.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let mut downloaded = false;
    for (from, to, piped) in pieces(text) {
        let span = Span::new(from, to);
        downloaded &= piped;
        command(scene, &text[from..to], span, &mut downloaded);
    }
}

/// `powershell -NoProfile -EncodedCommand …`, `pwsh -c …`: the code in its words.
pub(super) fn program(scene: &mut Scene<'_>, words: &[String], span: Option<Span>) {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let option = word.to_ascii_lowercase();
        let option = option.trim_start_matches(['-', '/']);
        if !word.starts_with(['-', '/']) || (option.starts_with('c') && "command".starts_with(option)) {
            let from = if word.starts_with(['-', '/']) { at + 1 } else { at };
            let code = words.get(from..).unwrap_or_default().join(" ");
            return super::hand_over(scene, Language::PowerShell, &code, span);
        }
        if option.starts_with('e') && (option == "ec" || "encodedcommand".starts_with(option)) {
            return encoded(scene, words.get(at + 1).map_or("", |word| word), span);
        }
        if option.starts_with('f') && "file".starts_with(option) {
            let mut effect =
                Effect::new(O::Execute, Resource::new(K::Code, words.get(at + 1).cloned().unwrap_or_default()));
            effect.code = Some(CodeOrigin::Local);
            effect.span = span;
            effect.by = "powershell".to_owned();
            return scene.effect(effect);
        }
        let takes_value = [
            "executionpolicy",
            "windowstyle",
            "inputformat",
            "outputformat",
            "version",
            "ep",
            "configurationname",
            "workingdirectory",
        ];
        at += if takes_value.iter().any(|name| name.starts_with(option)) { 2 } else { 1 };
    }
}

/// Base64 of UTF-16LE, as `-EncodedCommand` takes it.
fn encoded(scene: &mut Scene<'_>, text: &str, span: Option<Span>) {
    let mut effect = Effect::new(O::Execute, Resource::new(K::Code, ""));
    effect.code = Some(CodeOrigin::Decoded);
    effect.span = span;
    effect.by = "powershell -EncodedCommand".to_owned();
    scene.effect(effect);
    let units = super::value::base64(text).map(|bytes| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    });
    // Text in the wrong encoding decodes as well, to letters nobody would write.
    let readable = |code: &String| code.bytes().filter(u8::is_ascii).count() * 2 > code.len();
    match units.and_then(|units| String::from_utf16(&units).ok()).filter(readable) {
        Some(code) => super::hand_over(scene, Language::PowerShell, &code, span),
        None => scene.gap(GapKind::DynamicCode, Hides::Anything, span, "encoded command"),
    }
}

/// The commands of a script: split at `;`, line ends, `|`, braces and brackets outside of quotes; the flag says that
/// something is piped in.
fn pieces(text: &str) -> Vec<(usize, usize, bool)> {
    let (mut found, mut start, mut piped) = (Vec::new(), 0, false);
    let mut quote = 0;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'`' => drop(bytes.next()),
            _ if quote != 0 => {
                if byte == quote {
                    quote = 0;
                }
            }
            b'"' | b'\'' => quote = byte,
            b'#' if at == 0 || text.as_bytes()[at - 1].is_ascii_whitespace() => {
                found.push((start, at, piped));
                while bytes.next_if(|(_, byte)| *byte != b'\n').is_some() {}
                start = bytes.peek().map_or(text.len(), |(at, _)| *at);
                piped = false;
            }
            b'|' | b';' | b'\n' | b'{' | b'}' | b'(' | b')' | b'&' => {
                found.push((start, at, piped));
                start = at + 1;
                // `iex (iwr x)` and `iwr x | iex` both hand on what came before.
                piped = matches!(byte, b'|' | b'{' | b'(' | b')') || (piped && byte == b'\n');
            }
            _ => {}
        }
    }
    found.push((start, text.len(), piped));
    found.retain(|(from, to, _)| !text[*from..*to].trim().is_empty());
    found
}

fn command(scene: &mut Scene<'_>, text: &str, span: Span, downloaded: &mut bool) {
    let text = assigned(text.trim());
    let words = words(text);
    let Some(first) = words.first() else { return };
    let lower = first.to_ascii_lowercase();
    let program = lower.rsplit(['\\', '/']).next().unwrap_or("");
    let program = program.strip_suffix(".exe").unwrap_or(program);
    let whole = text.to_ascii_lowercase();
    let fetches =
        ["downloadstring", "downloadfile", "downloaddata", "webclient"].iter().any(|name| whole.contains(name));
    let parameters = Parameters::of(&words);
    match program {
        "iwr" | "invoke-webrequest" | "irm" | "invoke-restmethod" | "curl" | "wget" | "start-bitstransfer" => {
            *downloaded = true;
            let url = parameters.named(&["uri", "source"]).or_else(|| parameters.operands.first().copied());
            let Some(url) = url else { return };
            let method = parameters.named(&["method"]).unwrap_or("");
            let body = parameters.named(&["body"]);
            let sent = parameters.named(&["infile"]).map(|file| paths::resource(scene, &word(file, span), K::File));
            let body = http::Body {
                present: body.is_some() || sent.is_some(),
                text: body,
                carries: sent.as_slice(),
                hidden: body.is_some_and(|body| body.starts_with('$')),
            };
            let url = word(url, span);
            http::request(scene, &http::Request { method, url: &url, body, span: Some(span), by: program });
            if let Some(file) = parameters.named(&["outfile", "destination"]) {
                note(scene, O::Update, K::File, file, span, program, &parameters);
            }
        }
        "iex" | "invoke-expression" => {
            let code = parameters.operands.first().copied().or_else(|| parameters.named(&["command"]));
            match code {
                Some(code) if !code.contains('$') => {
                    super::hand_over(scene, Language::PowerShell, code, Some(span));
                }
                _ if code.is_none() || *downloaded => {
                    // What is run comes from what stands beside it; the next piece says what that is.
                    execute(scene, span, program, CodeOrigin::Remote);
                }
                code => {
                    scene.gap(GapKind::DynamicCode, Hides::Anything, Some(span), code.unwrap_or(""));
                    execute(scene, span, program, CodeOrigin::Dynamic);
                }
            }
        }
        "powershell" | "pwsh" => self::program(scene, &words, Some(span)),
        "cmd" => super::hand_over(scene, Language::Cmd, text, Some(span)),
        "invoke-command" | "icm" => {
            if let Some(host) = parameters.named(&["computername", "session"]) {
                let mut effect = Effect::new(O::Execute, Resource::new(K::Host, host));
                effect.code = Some(CodeOrigin::Elsewhere);
                effect.span = Some(span);
                effect.by = program.to_owned();
                scene.effect(effect);
            }
        }
        "start-process" | "saps" | "start" => {
            let mut all: Vec<&str> = parameters.named(&["filepath"]).into_iter().collect();
            all.extend(parameters.operands.iter().copied());
            all.extend(parameters.named(&["argumentlist", "args"]).into_iter().flat_map(|text| text.split([' ', ','])));
            super::hand_over(scene, Language::Shell, &super::quoted(&all), Some(span));
        }
        "add-type" => {
            scene.gap(GapKind::HiddenCode, Hides::Anything, Some(span), "Add-Type");
        }
        _ if fetches => {
            *downloaded = true;
            if let Some(url) = words.iter().find(|word| word.contains("://")) {
                let url = word(url, span);
                let body = http::Body::default();
                http::request(
                    scene,
                    &http::Request { method: "GET", url: &url, body, span: Some(span), by: "WebClient" },
                );
            }
        }
        program if HARMLESS.contains(&program) => {}
        program => match CMDLETS.iter().find(|row| row.2.split(' ').any(|name| name == program)) {
            Some(&(operation, kind, _)) => cmdlet(scene, operation, kind, span, program, &parameters, &whole),
            None if is_expression(first) => {
                if whole.contains("frombase64string") {
                    scene.gap(GapKind::DynamicCode, Hides::Nothing, Some(span), "FromBase64String");
                }
                if whole.contains("::delete") {
                    let name = words.iter().find(|word| word.contains(['\\', '/'])).map_or("", |word| word);
                    note(scene, O::Delete, K::File, name, span, "Delete", &parameters);
                }
            }
            None => match program.split_once('-') {
                Some((verb, noun)) => by_name(scene, verb, noun, span, program, &parameters),
                // A program like any other.
                None => super::hand_over(scene, Language::Shell, &super::quoted(&words), Some(span)),
            },
        },
    }
    if let Some((_, target)) = text.rsplit_once('>') {
        let name = target.split_whitespace().next().unwrap_or("").trim_matches(['"', '\'']);
        if !name.is_empty() && !name.starts_with(['$', '&', '=']) && !text.contains("->") {
            note(scene, O::Update, K::File, name, span, ">", &parameters);
        }
    }
}

/// Cmdlets are named verb-noun: what is not listed goes by that.
fn by_name(scene: &mut Scene<'_>, verb: &str, noun: &str, span: Span, by: &str, parameters: &Parameters<'_>) {
    let name = match verb {
        "get" | "test" | "measure" | "find" | "select" | "convertto" | "convertfrom" | "format" | "out" | "write"
        | "show" => return,
        "remove" | "clear" | "uninstall" | "reset" => "delete",
        "set" | "update" | "enable" | "add" | "register" | "rename" | "move" | "edit" => "update",
        "new" | "install" | "import" | "copy" | "start" | "restore" | "publish" | "save" => "create",
        "stop" | "suspend" | "restart" | "dismount" => "stop",
        "disable" | "unprotect" => "disable",
        "invoke" => "execute",
        "send" | "export" | "push" => "export",
        "connect" | "enter" => "connect",
        _ => {
            scene.gap(GapKind::UnknownProgram, Hides::Anything, Some(span), by);
            return;
        }
    };
    let Some(meaning) = crate::classify::naming::meaning(&format!("{name}-{noun}"), "") else { return };
    let target = parameters.target();
    let mut effect = Effect::new(meaning.operation, Resource::new(meaning.kind, target));
    effect.certainty = crate::model::Certainty::Inferred;
    effect.span = Some(span);
    effect.by = by.to_owned();
    effect.dry_run = parameters.has("whatif");
    effect.guard_off = parameters.guard_off();
    if meaning.operation == O::Execute {
        effect.code = Some(CodeOrigin::Elsewhere);
        scene.gap(GapKind::UnknownProgram, Hides::Anything, Some(span), by);
    }
    scene.effect(effect);
}

fn cmdlet(
    scene: &mut Scene<'_>,
    operation: O,
    kind: K,
    span: Span,
    by: &str,
    parameters: &Parameters<'_>,
    whole: &str,
) {
    // Not every change of a protection turns it off.
    if kind == K::Safeguard {
        let off = match by {
            "set-mppreference" => whole.contains("disable"),
            "set-netfirewallprofile" => whole.contains("false"),
            "set-executionpolicy" => whole.contains("bypass") || whole.contains("unrestricted"),
            _ => true,
        };
        let operation = if off { operation } else { O::Alter };
        return note(scene, operation, kind, by.split_once('-').map_or(by, |(_, noun)| noun), span, by, parameters);
    }
    let target = parameters.target();
    let recursive = parameters.has("recurse");
    let kind = if recursive && operation == O::Delete && kind == K::File { K::Folder } else { kind };
    let targets = if kind == K::File || kind == K::Folder { target.split(',').collect() } else { vec![target] };
    for target in targets {
        note(scene, operation, kind, target.trim().trim_matches(['"', '\'']), span, by, parameters);
    }
    if matches!(by, "copy-item" | "cpi" | "cp" | "copy" | "move-item" | "mi" | "mv" | "move")
        && let Some(to) = parameters.named(&["destination"]).or_else(|| parameters.operands.get(1).copied())
    {
        note(scene, O::Update, K::File, to, span, by, parameters);
    }
}

fn note(scene: &mut Scene<'_>, operation: O, kind: K, name: &str, span: Span, by: &str, parameters: &Parameters<'_>) {
    let word = word(name, span);
    let resource = match kind {
        K::File | K::Folder => paths::resource(scene, &word, kind),
        _ => Resource { unresolved: !word.is_known(), ..Resource::new(kind, name) },
    };
    let mut effect = Effect::new(operation, resource);
    effect.cascades = parameters.has("recurse");
    let written = operation == O::Update && kind == K::File && !by.starts_with("add-") && by != "ac";
    effect.extent = match name.rsplit(['/', '\\']).next() {
        _ if effect.cascades && operation == O::Delete => Extent::All,
        Some("*" | "*.*") => Extent::All,
        _ if name.contains('*') => Extent::Some,
        _ if written || operation == O::Drop => Extent::All,
        _ => Extent::One,
    };
    effect.resource.unresolved |= name.is_empty() && kind == K::File;
    effect.dry_run = parameters.has("whatif");
    effect.guard_off = parameters.guard_off();
    effect.span = Some(span);
    effect.by = by.to_owned();
    scene.effect(effect);
}

fn execute(scene: &mut Scene<'_>, span: Span, by: &str, origin: CodeOrigin) {
    let mut effect = Effect::new(O::Execute, Resource { unresolved: true, ..Resource::new(K::Code, "") });
    effect.code = Some(origin);
    effect.span = Some(span);
    effect.by = by.to_owned();
    scene.effect(effect);
}

fn word(text: &str, span: Span) -> Word {
    let mut word = Word { span: Some(span), quoted: true, glob: text.contains('*'), ..Word::known(text) };
    if let Some(start) = text.find('$') {
        let end = text[start + 1..]
            .find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':' | '{' | '}'));
        let end = end.map_or(text.len(), |end| start + 1 + end);
        let name = text[start + 1..end].to_owned();
        word.unknown.push(Unknown { name, start, end, substitution: false, guarded: false });
    }
    word
}

/// `$x = Get-Thing`: the right side.
fn assigned(text: &str) -> &str {
    match text.split_once('=') {
        Some((left, right)) if left.starts_with('$') && !left.trim().contains(' ') => right.trim(),
        _ => text,
    }
}

fn is_expression(first: &str) -> bool {
    first.starts_with(['$', '[', '"', '\'', '@', '.', '-', ',', '=', '!', '+', '<'])
        || first.starts_with(|first: char| first.is_ascii_digit())
}

/// The words of a command without their quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (_, '`') => word.extend(letters.next()),
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => (quote, any) = (Some(letter), true),
            (None, letter) if letter.is_whitespace() => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (_, letter) => word.push(letter),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// The parameters of a cmdlet: `-Name value`, `-Switch`, `-Name:value`, operands.
struct Parameters<'w> {
    named: Vec<(String, &'w str)>,
    operands: Vec<&'w str>,
}

impl<'w> Parameters<'w> {
    fn of(words: &'w [String]) -> Self {
        const SWITCHES: &[&str] = &[
            "recurse",
            "force",
            "whatif",
            "confirm",
            "usebasicparsing",
            "verbose",
            "asjob",
            "passthru",
            "wait",
            "nonewline",
            "append",
            "r",
            "fo",
            "f",
        ];
        let (mut named, mut operands) = (Vec::new(), Vec::new());
        let mut words = words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let is_name = word.len() > 1
                && word.starts_with('-')
                && word[1..].starts_with(|first: char| first.is_ascii_alphabetic());
            if !is_name {
                operands.push(&**word);
                continue;
            }
            let (name, glued) =
                word[1..].split_once(':').map_or((&word[1..], None), |(name, value)| (name, Some(value)));
            let name = name.to_ascii_lowercase();
            let value = match glued {
                Some(value) => value,
                None if SWITCHES.contains(&&*name) || "recurse".starts_with(&*name) => "",
                None => words.next_if(|next| !next.starts_with('-')).map_or("", |next| next),
            };
            named.push((name, value));
        }
        Self { named, operands }
    }

    /// Parameters may be shortened: `-Rec` is `-Recurse`.
    fn has(&self, wanted: &str) -> bool {
        self.named.iter().any(|(name, value)| wanted.starts_with(&**name) && !value.eq_ignore_ascii_case("$false"))
    }

    fn named(&self, wanted: &[&str]) -> Option<&'w str> {
        let found = self
            .named
            .iter()
            .find(|(name, value)| !value.is_empty() && wanted.iter().any(|wanted| wanted.starts_with(&**name)));
        found.map(|(_, value)| *value)
    }

    fn guard_off(&self) -> bool {
        self.has("force")
            || self.named.iter().any(|(name, value)| name == "confirm" && value.eq_ignore_ascii_case("$false"))
    }

    fn target(&self) -> &'w str {
        self.named(&[
            "path",
            "literalpath",
            "filepath",
            "name",
            "identity",
            "driveletter",
            "computername",
            "logname",
            "number",
        ])
        .or_else(|| self.operands.first().copied())
        .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Language, seen};

    fn check(text: &str, expected: &str) {
        assert_eq!(seen::code(Language::PowerShell, text), expected, "{text}");
    }

    #[test]
    fn cmdlets_are_known() {
        check(r"Remove-Item -Recurse -Force C:\data", r"delete Folder `C:\data` all guard-off cascades");
        check(r"ri C:\data -rec -WhatIf", r"delete Folder `C:\data` all dry-run cascades");
        check("Get-ChildItem /x | Sort-Object Name", "list Folder `/x`");
        check("Stop-Computer", "stop Host ``");
        check("Format-Volume -DriveLetter D", "drop Device `D` all");
        check("Set-ExecutionPolicy Bypass", "disable Safeguard `executionpolicy`");
        check("Write-Host 'Remove-Item -Recurse /'", "");
        check("git status; Set-Content -Path /x/a -Value y", "Shell code: git status");
    }

    #[test]
    fn downloads_that_are_run_are_remote_code() {
        check(
            "iwr https://a.example/x.ps1 | iex",
            "fetch Endpoint `a.example/x.ps1` external a.example @host=a.example\nexecute Code `` unresolved remote",
        );
        check("iex 'Stop-Computer'", "PowerShell code: Stop-Computer");
        check("iex $x", "execute Code `` unresolved dynamic\ngap dynamic-code hides anything: $x");
    }

    #[test]
    fn encoded_commands_are_decoded() {
        let code: String = "U3RvcC1Db21wdXRlcg==".to_owned();
        check(
            &format!("powershell -enc {code}"),
            "execute Code `` decoded\ngap dynamic-code hides anything: encoded command",
        );
        check("powershell -e UwB0AG8AcAAtAEMAbwBtAHAAdQB0AGUAcgA=", "PowerShell code: Stop-Computer");
    }
}
