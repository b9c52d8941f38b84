//! The tools of the agents that many people use, as a table: name, what it does, which argument says to what.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::model::{
    Area, Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Zone,
};

use crate::classify::{Language, Scene, http, paths, secrets};

use super::{Call, code, patch};

/// What a tool does, and the arguments that say to what (the first that is there counts).
#[derive(Clone, Copy)]
enum Does {
    /// Bookkeeping inside the agent itself.
    Nothing,
    /// A shell command; the flag says whether `cd` lasts until the next call.
    Shell(bool),
    Code(Language),
    /// A file given to the page that is open.
    Upload,
    /// A script of the desktop's own language.
    AppleScript,
    /// A screen that is looked at, clicked and typed on.
    Computer,
    /// Text typed into a program that is already running.
    Typed,
    Files(Operation, Extent, ResourceKind),
    Move,
    Copy,
    /// A second name for a file.
    Link,
    /// One tool with several commands: `view`, `create`, `str_replace`, `insert`.
    Editor,
    Patch,
    Fetch,
    Search,
    /// Another agent acts.
    Agent,
    StopProcess,
    Remember,
    Sql,
}

const FILE: ResourceKind = ResourceKind::File;
const FOLDER: ResourceKind = ResourceKind::Folder;

/// Lower-case names without separators, so that `run_in_terminal` and `runInTerminal` are one.
const TOOLS: &[(Does, &str)] = &[
    (
        Does::Nothing,
        "todowrite todoread exitplanmode enterplanmode updateplan think bashoutput taskoutput agentoutput \
         getcommandoroutput commandstatus askuserquestion askuser requestuserinput askfollowupquestion \
         attemptcompletion finish submit taskcreate taskupdate taskget tasklist updatetodolist writetodos \
         getterminaloutput readterminal toolsearch enterworktree completetask savetodo sendusermessage \
         reporttodos listmcpresources getinternaldocs codebasesearchstatus wait sleep plan setplan \
         sequentialthinking thinktool newtask switchmode activateskill skill loadskill getdiagnostics getideinfo \
         cachedmemory structuredoutput teamcreate teamdelete teamlist sendmessage taskstopall exitworktree \
         readmcpresource getgoal setgoal reportintent exitforfeit exitcost exitcontext exitformat exiterror exitapi \
         connectstop debugaddbreakpoint debugcontinue debugstep debugstop",
    ),
    (
        Does::Shell(true),
        "bash executebash runterminalcmd runterminalcommand runinterminal executecommand terminal bashtool \
         runbash computerterminal executebashcommand runcommandinterminal",
    ),
    (
        Does::Shell(false),
        "shell shellcommand execcommand runshellcommand runcommand localshell localshellcall execute exec containerexec \
         runshell shelltool executeshell executeshellcommand monitor slashcommandshell runtests debugstart",
    ),
    (Does::Code(Language::PowerShell), "powershell pwsh executepowershell runpowershell"),
    (
        Does::Code(Language::Python),
        "python executepython runpython pythoninterpreter executepythoncode runpythoncode executeipythoncell runipython \
         ipython codeinterpreter interpreter runcode codeexecution pythonexecute jupyter executecode pythonrepl",
    ),
    (
        Does::Code(Language::JavaScript),
        "javascript executejavascript runjavascript nodeexec evaluatescript browserevaluate puppeteerevaluate \
         playwrightevaluate runjs workflow",
    ),
    (Does::Upload, "browserfileupload browseruploadfile puppeteeruploadfile playwrightuploadfile"),
    (Does::AppleScript, "applescript applescriptexecute executeapplescript runapplescript osascript"),
    (Does::Computer, "computer computeruse computertool"),
    (
        Does::Typed,
        "writestdin sendinput sendkeys writetoterminal sendcommandinput shellinput connectsendline connectexec debugexec",
    ),
    (
        Does::Files(Operation::Read, Extent::One, FILE),
        "read readfile readmanyfiles viewfile view viewimage readmultiplefiles readtextfile readmediafile openfile open fsread cat notebookread getfilecontents readnotebook fileread fileview \
         viewcodeitem scrollup scrolldown filemap searchfile decompile disassemble",
    ),
    (
        Does::Files(Operation::Update, Extent::All, FILE),
        "write writefile writetofile fswrite savefile overwritefile filewrite writetextfile",
    ),
    (Does::Files(Operation::Create, Extent::All, FILE), "create createfile newfile createnewfile createtextfile"),
    (
        Does::Files(Operation::Update, Extent::Some, FILE),
        "edit multiedit notebookedit editfile replace replaceinfile strreplace searchreplace inserteditintofile \
         replacestringinfile multireplacestringinfile editnotebook editnotebookfile insertcontent applydiff \
         replacefilecontent multireplacefilecontent strreplacebased reapply appendfile appendtofile patchfile \
         smartedit replacelines insertatline insert append undoedit",
    ),
    (
        Does::Files(Operation::Delete, Extent::One, FILE),
        "deletefile removefile unlinkfile delete remove rm deletefiles",
    ),
    (
        Does::Files(Operation::Delete, Extent::All, FOLDER),
        "deletedirectory removedirectory deletefolder removefolder rmdir rmtree",
    ),
    (Does::Files(Operation::Create, Extent::One, FOLDER), "createdirectory mkdir createfolder makedirectory"),
    (
        Does::Files(Operation::List, Extent::Some, FOLDER),
        "ls listdir listdirectory listfiles glob globsearch globfiles filesearch findbyname findfile findfiles finderbyname \
         directorytree listdirectorywithsizes getfileinfo listalloweddirectories",
    ),
    (
        Does::Files(Operation::Read, Extent::Some, FOLDER),
        "grep grepsearch searchfiles searchfilecontent codebasesearch semanticsearch ripgrep searchdir searchcode \
         codesearch searchworkspace greptool listcodedefinitionnames listcodeusages",
    ),
    (Does::Move, "movefile renamefile rename move mv movedirectory"),
    (Does::Link, "createsymlink symlink createlink createsymboliclink"),
    (Does::Copy, "copyfile copydirectory copy cp"),
    (Does::Editor, "strreplaceeditor strreplacebasededittool texteditor textedit fileeditor oheditor strreplacetool"),
    (Does::Patch, "applypatch patch"),
    (
        Does::Fetch,
        "webfetch fetch fetchurl fetchwebpage getwebpage readurl readurlcontent httprequest request browse navigate \
         goto browsernavigate puppeteernavigate playwrightnavigate webbrowsergo openurl openbrowserpage scrape \
         scrapeurl crawl visitpage downloadfile download openbrowser geturl httpget httppost opensimplebrowser",
    ),
    (
        Does::Search,
        "websearch googlewebsearch googlesearch searchweb bravewebsearch internetsearch tavilysearch websearchquery",
    ),
    (
        Does::Agent,
        "task agent spawnagent delegate delegatetoagent runsubagent dispatchagent subagent codebaseinvestigator \
         sendmessagetoagent invokesubagent followuptask",
    ),
    (Does::StopProcess, "killshell killbash stopprocess taskstop killprocess terminateprocess killterminal"),
    (Does::Remember, "savememory updatememory creatememory memory storememory slashcommand"),
    (
        Does::Sql,
        "executesql runsql sql sqlquery runquery executequery query dbquery readquery writequery querydatabase \
         databasequery executestatement runstatement applymigration mysqlquery postgresquery pgquery bigqueryquery \
         snowflakequery executeparameterizedquery querysql",
    ),
];

static BY_NAME: LazyLock<FxHashMap<&str, Does>> = LazyLock::new(|| {
    TOOLS.iter().flat_map(|(does, names)| names.split_whitespace().map(move |name| (name, *does))).collect()
});

const COMMAND: &[&str] = &["command", "cmd", "command_line", "commands", "script", "shell_command", "input", "code"];
const CODE: &[&str] = &["code", "script", "source", "command", "function", "input", "expression"];
const SQL: &[&str] = &["sql", "query", "statement", "sql_query", "queries", "statements", "input"];
const PATH: &[&str] = &[
    "file_path",
    "absolute_path",
    "path",
    "paths",
    "notebook_path",
    "target_file",
    "filename",
    "file",
    "file_name",
    "filepath",
    "dir_path",
    "directory",
    "target_directory",
    "search_directory",
    "search_path",
    "relative_workspace_path",
    "folder",
    "uri",
    "include",
    "files",
    "file_paths",
    "dest_path",
    "output_path",
];
const CWD: &[&str] = &["workdir", "cwd", "working_directory", "directory", "dir_path", "working_dir"];
const URL: &[&str] = &["url", "urls", "uri", "link", "address", "prompt"];

/// Does what the table says; `false` when the tool is not there, or is something else under the same name.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let plain: String = call.name.last.chars().filter(char::is_ascii_alphanumeric).collect();
    let Some(does) = BY_NAME.get(&*plain.to_ascii_lowercase()).copied() else { return false };
    // A tool of some server that merely shares the name has other arguments.
    let foreign = !call.name.context.is_empty();
    let has = |names: &[&str]| call.arguments.get(names).is_some();
    match does {
        // An agent's own team has no number; somebody else's does.
        Does::Nothing if plain.eq_ignore_ascii_case("teamdelete") && !call.arguments.values.is_empty() => return false,
        Does::Nothing => return !foreign || call.arguments.values.is_empty() || plain.contains("think"),
        // `mcp__redis__execute {"command": "FLUSHDB"}`: the server says whose command it is.
        Does::Shell(lasting) if has(COMMAND) => match code::program(scene, call).filter(|_| foreign) {
            Some(line) => call.code(scene, Language::Shell, &line),
            None => shell(scene, call, lasting),
        },
        Does::Code(language) if has(CODE) => {
            if let Some(code) = call.arguments.text(CODE) {
                match said(call) {
                    Said::Nothing => call.code(scene, language, code),
                    Said::Language(language) => call.code(scene, language, code),
                    Said::Unknown => code::unread(scene, call, code),
                }
            }
        }
        Does::Upload if has(PATH) => {
            let before = scene.mark();
            files(scene, call, Operation::Read, Extent::One, FILE);
            // Pages are tested with files all day; a key among them has left.
            let keys: Vec<Effect> =
                scene.since(before).iter().filter(|e| e.resource.areas.has(Area::Credential)).cloned().collect();
            for key in keys {
                scene.effect(Effect { operation: Operation::Export, zone: Some(Zone::Unknown), ..key });
            }
        }
        Does::AppleScript if has(&["code_snippet", "script", "code", "input"]) => {
            let script = call.arguments.text(&["code_snippet", "script", "code", "input"]).unwrap_or_default();
            call.code(scene, Language::Shell, &crate::classify::code::quoted(&["osascript", "-e", script]));
        }
        Does::Computer if has(&["action"]) => {
            let text = call.arguments.text(&["text"]).filter(|_| call.arguments.text(&["action"]) == Some("type"));
            // What begins as a command is most likely typed into a terminal.
            let first = text.and_then(|text| text.split_whitespace().next());
            if first.is_some_and(|first| scene.catalog.knows(first)) {
                typed(scene, call);
            }
        }
        Does::Sql if call.arguments.text(SQL).is_some() => {
            for statement in call.arguments.texts(SQL) {
                call.code(scene, Language::Sql, statement);
            }
        }
        Does::Typed => typed(scene, call),
        // `delete_file(file_id)` is about what a service keeps.
        Does::Files(operation, extent, kind) if has(PATH) || !foreign && !by_number(call) => {
            files(scene, call, operation, extent, kind)
        }
        Does::Move => moved(scene, call, Operation::Update),
        Does::Copy => moved(scene, call, Operation::Read),
        Does::Link => {
            let of = call.arguments.text(&["target", "source", "to", "path"]).unwrap_or_default();
            let link =
                call.arguments.text(&["link", "link_path", "link_name", "destination", "from"]).unwrap_or_default();
            let force = if call.arguments.says(&["overwrite", "force", "replace"]) { "-sf" } else { "-s" };
            call.code(scene, Language::Shell, &crate::classify::code::quoted(&["ln", force, of, link]));
        }
        Does::Editor => editor(scene, call),
        Does::Patch => patched(scene, call),
        Does::Fetch if has(URL) => fetch(scene, call),
        // To go to a line of a file is to read it.
        Does::Fetch if !foreign && has(PATH) => files(scene, call, Operation::Read, Extent::One, FILE),
        Does::Search if !foreign || has(&["query", "q"]) => {
            let mut effect =
                call.effect(Operation::Fetch, Resource::new(ResourceKind::Endpoint, "web search"), Extent::One);
            effect.zone = Some(Zone::External);
            scene.effect(effect);
        }
        Does::Agent
            if has(&["prompt", "description", "message", "task", "instructions", "objective", "agent_name"]) =>
        {
            let named =
                call.arguments.text(&["subagent_type", "agent_type", "agent_name", "agent", "name", "description"]);
            let resource = Resource::new(ResourceKind::Code, named.unwrap_or_default());
            let mut effect = call.effect(Operation::Execute, resource, Extent::One);
            effect.code = Some(CodeOrigin::Elsewhere);
            scene.effect(effect);
        }
        Does::StopProcess => {
            let id =
                call.arguments.text(&["shell_id", "bash_id", "task_id", "pid", "id", "process_id"]).unwrap_or_default();
            scene.effect(call.effect(Operation::Stop, Resource::new(ResourceKind::Process, id), Extent::One));
        }
        Does::Remember if !foreign => {
            let effect = call.effect(Operation::Create, Resource::new(ResourceKind::Item, "memory"), Extent::One);
            scene.effect(effect);
        }
        _ => return false,
    }
    true
}

/// What an argument says about the language of the code beside it.
enum Said {
    Nothing,
    Language(Language),
    /// One that nobody here reads.
    Unknown,
}

fn said(call: &Call<'_>) -> Said {
    let Some(name) = call.arguments.text(&["language", "lang"]) else { return Said::Nothing };
    Said::Language(match &*name.to_ascii_lowercase() {
        "" | "auto" => return Said::Nothing,
        "shell" | "bash" | "sh" | "zsh" => Language::Shell,
        "python" | "python3" | "py" => Language::Python,
        "javascript" | "js" | "node" | "nodejs" | "typescript" | "ts" => Language::JavaScript,
        "powershell" | "pwsh" => Language::PowerShell,
        "sql" => Language::Sql,
        "ruby" | "rb" => Language::Ruby,
        "perl" => Language::Perl,
        "php" => Language::Php,
        "lua" => Language::Lua,
        "r" => Language::R,
        "go" | "golang" => Language::Go,
        _ => return Said::Unknown,
    })
}

fn by_number(call: &Call<'_>) -> bool {
    let number = |key: &String| key.ends_with("_id") || key.ends_with("Id") || key == "id" || key == "ids";
    call.arguments.values.keys().any(number)
}

/// Runs a shell command, given as one text or word by word.
pub(super) fn shell(scene: &mut Scene<'_>, call: &Call<'_>, lasting: bool) {
    let cwd = call
        .arguments
        .text(CWD)
        .filter(|cwd| !cwd.is_empty())
        .map(|cwd| paths::resource(scene, &call.word(cwd), ResourceKind::Folder).name);
    if lasting && cwd.is_none() {
        return shell_code(scene, call);
    }
    scene.scoped(|scene| {
        if cwd.is_some() {
            scene.cwd = cwd;
        }
        shell_code(scene, call);
    });
}

fn shell_code(scene: &mut Scene<'_>, call: &Call<'_>) {
    let before = scene.mark();
    match call.arguments.get(COMMAND) {
        Some(Value::String(code)) => call.code(scene, Language::Shell, code),
        Some(Value::Array(items)) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            if words.len() != items.len() {
                scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("arguments of {}", call.name.whole));
            }
            let lines = call.arguments.values.contains_key("commands") && words.iter().any(|word| word.contains(' '));
            match crate::classify::code::unwrapped(&words) {
                Some((language, code)) => call.code(scene, language, code),
                // A list of lines, not of words.
                None if lines => call.code(scene, Language::Shell, &words.join("\n")),
                None if words.first() == Some(&"apply_patch") && words.len() == 2 => {
                    patch::run(scene, words[1], "apply_patch");
                }
                None => call.code(scene, Language::Shell, &crate::classify::code::quoted(&words)),
            }
        }
        // Codex' `local_shell_call`: the command stands one level deeper.
        Some(Value::Object(inner)) => match inner.get("command").and_then(Value::as_str) {
            Some(code) => call.code(scene, Language::Shell, code),
            None => scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("arguments of {}", call.name.whole)),
        },
        _ => scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("arguments of {}", call.name.whole)),
    }
    if call.arguments.guard_off() {
        // The agent's own sandbox was switched off for this command.
        for effect in scene.since(before) {
            effect.guard_off = true;
        }
    }
}

/// What is typed into a running program may be anything; most such calls only wait for output.
fn typed(scene: &mut Scene<'_>, call: &Call<'_>) {
    let typed = call.arguments.text(&["chars", "input", "text", "keys", "data"]).unwrap_or("");
    let trimmed = typed.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    // `C-c`, `^D`: a key, not words.
    let key = trimmed.strip_prefix("C-").or(trimmed.strip_prefix('^')).is_some_and(|key| key.len() == 1);
    if key || trimmed.len() <= 1 || matches!(trimmed, "yes" | "no" | "exit" | "quit" | "q!" | ":q") {
        return;
    }
    let before = scene.mark();
    call.code(scene, Language::Shell, typed);
    for effect in scene.since(before) {
        effect.certainty = Certainty::Lexical;
    }
    scene.gap(GapKind::HiddenCode, Hides::Anything, call.span(typed), format!("typed: {trimmed}"));
}

fn files(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, extent: Extent, kind: ResourceKind) {
    let paths = call.arguments.texts(PATH);
    // A key that is written out into a file: nothing leaves, but the file had better not be published.
    let written = ["content", "file_text", "new_string", "new_str", "contents", "text"];
    if matches!(operation, Operation::Create | Operation::Update)
        && let Some(secret) = call.arguments.text(&written).and_then(secrets::first)
    {
        scene.effect(call.effect(Operation::Create, Resource::new(ResourceKind::Secret, secret.rule), Extent::One));
    }
    if paths.is_empty() {
        // Looking for files without saying where is looking in the working folder.
        let here = matches!(operation, Operation::List | Operation::Read).then(|| scene.cwd.clone()).flatten();
        let mut resource = Resource::new(kind, here.clone().unwrap_or_default());
        resource.unresolved = here.is_none();
        scene.effect(call.effect(operation, resource, extent));
    }
    for path in paths {
        file(scene, call, operation, extent, kind, path);
    }
}

fn file(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, extent: Extent, kind: ResourceKind, path: &str) {
    let mut word = call.word(path.strip_prefix("file://").unwrap_or(path));
    word.glob = path.contains('*');
    let mut effect: Effect = call.effect(operation, paths::resource(scene, &word, kind), extent);
    if kind == FOLDER && operation == Operation::Delete {
        effect.cascades = true;
    }
    effect.span = word.span.or(effect.span);
    let path = (kind == FILE && word.is_known()).then(|| effect.resource.name.clone());
    scene.effect(effect);
    if let Some(path) = path {
        written(scene, call, operation, extent, &path);
    }
    scene.set_template(|| format!("{} <path>", call.name.whole));
}

/// What the file holds from here on: the session may run it.
fn written(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, extent: Extent, path: &str) {
    const WHOLE: &[&str] = &["content", "contents", "file_text", "text", "code_content", "file_content", "data"];
    const OLD: &[&str] = &["old_string", "old_str", "old_text", "search"];
    const NEW: &[&str] = &["new_string", "new_str", "new_text", "replace"];
    if !matches!(operation, Operation::Update | Operation::Create) {
        return;
    }
    match (extent, call.arguments.text(WHOLE), call.arguments.text(OLD)) {
        (Extent::All, Some(text), _) => scene.wrote(path, text),
        (Extent::Some, _, Some(old)) => scene.edited(path, old, call.arguments.text(NEW).unwrap_or_default()),
        _ => {}
    }
}

fn moved(scene: &mut Scene<'_>, call: &Call<'_>, source: Operation) {
    const FROM: &[&str] = &["source", "source_path", "from", "old_path", "src", "path", "file_path"];
    const TO: &[&str] = &["destination", "destination_path", "to", "new_path", "dest", "dst", "target", "target_path"];
    for path in call.arguments.texts(FROM) {
        file(scene, call, source, Extent::One, FILE, path);
    }
    for path in call.arguments.texts(TO) {
        file(scene, call, Operation::Update, Extent::All, FILE, path);
    }
}

fn editor(scene: &mut Scene<'_>, call: &Call<'_>) {
    let (operation, extent) = match call.arguments.text(&["command", "cmd", "action"]) {
        Some("view" | "read") => (Operation::Read, Extent::One),
        Some("create" | "write") => (Operation::Create, Extent::All),
        Some("delete" | "remove") => (Operation::Delete, Extent::One),
        _ => (Operation::Update, Extent::Some),
    };
    files(scene, call, operation, extent, FILE);
}

fn patched(scene: &mut Scene<'_>, call: &Call<'_>) {
    match call.arguments.text(&["input", "patch", "patch_text", "diff", "content"]) {
        Some(text) if patch::is_patch(text) => patch::run(scene, text, call.name.whole),
        _ if call.arguments.get(PATH).is_some() => files(scene, call, Operation::Update, Extent::Some, FILE),
        _ => scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("arguments of {}", call.name.whole)),
    }
}

/// A request by the address, the method and the body among the arguments.
pub(super) fn fetch(scene: &mut Scene<'_>, call: &Call<'_>) {
    let body = match call.arguments.get(&["body", "data", "json", "payload"]) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(value) => Some(value.to_string()),
    };
    let method = call.arguments.text(&["method", "http_method", "verb"]).unwrap_or("");
    let headers: Vec<String> = match call.arguments.get(&["headers"]) {
        Some(Value::Object(headers)) => {
            headers.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_str()?))).collect()
        }
        _ => Vec::new(),
    };
    let headers: Vec<&str> = headers.iter().map(|header| &**header).collect();
    let sent: Vec<Resource> = call
        .arguments
        .texts(&["file", "files", "file_path", "upload"])
        .into_iter()
        .map(|path| paths::resource(scene, &call.word(path), FILE))
        .collect();
    let post = call.name.last.to_ascii_lowercase().ends_with("post");
    let urls = call.arguments.texts(URL);
    for url in urls.iter().flat_map(|text| addresses(text)) {
        let word = call.word(url);
        let request = http::Request {
            method: if method.is_empty() && post { "POST" } else { method },
            url: &word,
            body: http::Body {
                present: body.is_some() || !sent.is_empty(),
                text: body.as_deref(),
                carries: &sent,
                headers: &headers,
                ..http::Body::default()
            },
            span: word.span,
            by: call.name.whole,
        };
        http::request(scene, &request);
        scene.set_template(|| format!("{} <url>", call.name.whole));
    }
    if let Some(path) = call.arguments.text(&["output_path", "save_to", "destination", "dest"]) {
        file(scene, call, Operation::Update, Extent::All, FILE, path);
    }
}

/// The addresses in an argument, which is one or (Gemini's `web_fetch`) a prompt with some in it.
fn addresses(text: &str) -> Vec<&str> {
    let found: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', '(', ')', '<', '>', ',', '`']))
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .take(64)
        .collect();
    if found.is_empty() && !text.trim().is_empty() && !text.contains(char::is_whitespace) { vec![text] } else { found }
}
