//! From an agent's tool call or an API call to effects.
//!
//! Known tools stand in a table; a name that is not there is read by its verbs and nouns, and its arguments by
//! what they are: code, SQL, paths, addresses.

mod api;
mod arguments;
mod audience;
mod code;
mod guards;
mod known;
mod money;
mod patch;
mod program;
mod rights;
mod targets;
mod unlisted;

use crate::model::{Action, Effect, Extent, GapKind, Hides, Kind, Operation, Resource, Span};

use super::{Language, Scene, Word};
use arguments::Arguments;
pub(super) use code::starts_as_sql;

/// Finds what a `tool` or `api` action does.
pub fn run(scene: &mut Scene<'_>, action: &Action) {
    if action.kind == Kind::Api && super::api::run(scene, action) {
        return;
    }
    let name = action.tool.as_deref().unwrap_or(&action.text).trim();
    let name = Name::of(without_method(name));
    let raw = action.arguments.as_deref().unwrap_or("");
    if patch::is_patch(raw) {
        scene.step(|| "patch".to_owned(), None, |scene| patch::run(scene, raw, name.whole));
        return;
    }
    let arguments = match Arguments::parse(raw) {
        Ok(arguments) => arguments,
        Err(problem) => {
            scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("arguments of {}: {problem}", name.whole));
            Arguments::default()
        }
    };
    let call = Call { name, arguments: &arguments, text: &action.text, api: action.kind == Kind::Api };
    scene.step(
        || format!("tool {}", call.name.whole),
        None,
        |scene| {
            if call.api && api::run(scene, &call) {
                return;
            }
            if !known::run(scene, &call) {
                unlisted::run(scene, &call);
            }
        },
    );
    scene.set_template(|| call.name.whole.to_owned());
}

/// `POST /internal/deprovision`: the path says what is asked for.
fn without_method(name: &str) -> &str {
    let request = name.split_once(" /").filter(|(method, _)| matches!(*method, "POST" | "PUT" | "PATCH" | "DELETE"));
    request.map_or(name, |(_, path)| path)
}

/// The text handed to an `apply_patch` program: every file it touches.
pub fn apply_patch(scene: &mut Scene<'_>, text: &str) {
    patch::run(scene, text, "apply_patch");
}

/// One call with its name and arguments taken apart.
struct Call<'a> {
    name: Name<'a>,
    arguments: &'a Arguments,
    /// The action's text: spans point there.
    text: &'a str,
    api: bool,
}

/// A tool's name: `mcp__github__delete_repository`, `functions.shell`, `ec2.amazonaws.com:TerminateInstances`.
#[derive(Clone, Copy)]
struct Name<'a> {
    whole: &'a str,
    /// Without what says where the tool lives.
    last: &'a str,
    /// What says where the tool lives: a server's name, a service.
    context: &'a str,
}

impl<'a> Name<'a> {
    fn of(whole: &'a str) -> Self {
        let cut = whole.rfind("__").map(|at| (at, 2)).or_else(|| whole.rfind(['.', ':', '/']).map(|at| (at, 1)));
        let (context, last) = match cut {
            Some((at, width)) if at + width < whole.len() => (&whole[..at], &whole[at + width..]),
            _ => ("", whole),
        };
        let context = context.strip_prefix("mcp__").unwrap_or(context);
        // `mcp` itself and the folder of an agent's own functions say nothing about what is acted upon.
        let context = if matches!(context, "mcp" | "functions" | "tools" | "default_api") { "" } else { context };
        Self { whole, last, context }
    }
}

impl Call<'_> {
    /// Where a value stands in the action's text.
    fn span(&self, value: &str) -> Option<Span> {
        if value.is_empty() {
            return None;
        }
        self.text.find(value).map(|at| Span::new(at, at + value.len()))
    }

    fn word(&self, value: &str) -> Word {
        Word { text: value.to_owned(), span: self.span(value), quoted: true, ..Word::default() }
    }

    fn effect(&self, operation: Operation, resource: Resource, extent: Extent) -> Effect {
        let mut effect = Effect::new(operation, resource);
        effect.extent = extent;
        effect.by = self.name.whole.to_owned();
        effect.span = Some(Span::new(0, self.text.len())).filter(|span| span.end > 0);
        effect.dry_run = self.arguments.dry_run();
        effect.guard_off = self.arguments.guard_off();
        effect.cascades = self.arguments.says(&["recursive", "cascade"]);
        effect.places = self.arguments.places();
        effect
    }

    /// The SQL dialect that the tool's own name gives away.
    fn dialect(&self) -> Option<&'static str> {
        const DIALECTS: &[(&str, &str)] = &[
            ("postgres", "postgres"),
            ("supabase", "postgres"),
            ("neon", "postgres"),
            ("mysql", "mysql"),
            ("mariadb", "mysql"),
            ("sqlite", "sqlite"),
            ("mssql", "tsql"),
            ("sqlserver", "tsql"),
            ("snowflake", "snowflake"),
            ("bigquery", "bigquery"),
            ("clickhouse", "clickhouse"),
            ("duckdb", "duckdb"),
            ("redshift", "redshift"),
        ];
        let name = self.name.whole.to_ascii_lowercase();
        DIALECTS.iter().find(|(part, _)| name.contains(part)).map(|(_, dialect)| *dialect)
    }

    /// Hands code on; what it comes to carries the call's circumstances as well.
    fn code(&self, scene: &mut Scene<'_>, language: Language, code: &str) {
        let before = scene.mark();
        let dialect = self.dialect().filter(|_| language == Language::Sql && scene.dialect.is_none());
        match dialect {
            None => super::code::hand_over_at(scene, language, code, self.span(code)),
            Some(dialect) => scene.scoped(|scene| {
                scene.dialect = Some(dialect.to_owned());
                super::code::hand_over_at(scene, language, code, self.span(code));
            }),
        }
        let (dry_run, places) = (self.arguments.dry_run(), self.arguments.places());
        for effect in scene.since(before) {
            effect.dry_run |= dry_run;
            for place in &places {
                if !effect.places.contains(place) {
                    effect.places.push(place.clone());
                }
            }
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
    fn shells_hand_their_code_on() {
        check("Bash", r#"{"command":"git status"}"#, "Shell code: git status");
        check("run_shell_command", r#"{"command":"make","directory":"/w"}"#, "Shell code: make");
        check("shell", r#"{"command":["bash","-lc","rm -rf /x"]}"#, "Shell code: rm -rf /x");
        check("exec_command", r#"{"cmd":"ls -la","workdir":"/w"}"#, "Shell code: ls -la");
        check("functions.execute_bash", r#"{"command":"ls"}"#, "Shell code: ls");
        check("shell", r#"{"command":["rm","-rf","a b"]}"#, "Shell code: rm -rf 'a b'");
        check("BASH", r#"{"cmd":"ls"}"#, "Shell code: ls");
    }

    #[test]
    fn databases_hand_their_sql_on() {
        check("mcp__postgres__query", r#"{"sql":"DROP TABLE t"}"#, "Sql code: DROP TABLE t");
        check("mcp__supabase__execute_sql", r#"{"query":"DELETE FROM t"}"#, "Sql code: DELETE FROM t");
        check(
            "anything_at_all",
            r#"{"statement":"/* x */ update t set a = 1"}"#,
            "Sql code: /* x */ update t set a = 1\ngap unknown-tool hides anything: anything_at_all",
        );
    }

    #[test]
    fn files_are_read_and_written() {
        check("Read", r#"{"file_path":"/w/a"}"#, "read File `/w/a`");
        check("Write", r#"{"file_path":"/w/a","content":"rm -rf /"}"#, "update File `/w/a` all");
        check("MultiEdit", r#"{"file_path":"/w/a","edits":[]}"#, "update File `/w/a` some");
        check("str_replace_editor", r#"{"command":"create","path":"/w/a","file_text":"x"}"#, "create File `/w/a` all");
        check("str_replace_editor", r#"{"command":"view","path":"/w/a"}"#, "read File `/w/a`");
        check("read_many_files", r#"{"paths":["/w/a","/w/b"]}"#, "read File `/w/a`\nread File `/w/b`");
        check("delete_file", r#"{"target_file":"/w/a"}"#, "delete File `/w/a`");
        check(
            "mcp__filesystem__move_file",
            r#"{"source":"/w/a","destination":"/w/b"}"#,
            "update File `/w/a`\nupdate File `/w/b` all",
        );
    }

    #[test]
    fn patches_are_read_file_by_file() {
        check(
            "apply_patch",
            "*** Begin Patch\n*** Add File: /w/n\n+x\n*** Update File: /w/u\n*** Move to: /w/v\n@@\n-a\n*** Delete File: /w/d\n*** End Patch",
            "create File `/w/n` all\nupdate File `/w/u` some\nupdate File `/w/v` all\ndelete File `/w/d`",
        );
        check(
            "apply_patch",
            r#"{"input":"*** Begin Patch\n*** Delete File: /w/d\n*** End Patch"}"#,
            "delete File `/w/d`",
        );
        check(
            "shell",
            r#"{"command":["apply_patch","*** Begin Patch\n*** Delete File: /w/d\n*** End Patch"]}"#,
            "delete File `/w/d`",
        );
    }

    #[test]
    fn the_web_is_fetched() {
        check(
            "WebFetch",
            r#"{"url":"https://a.example/x","prompt":"p"}"#,
            "fetch Endpoint `a.example/x` external a.example @host=a.example",
        );
        check(
            "mcp__http__request",
            r#"{"method":"DELETE","url":"https://api.github.com/repos/a/b"}"#,
            "drop Repository `a/b` @host=api.github.com",
        );
        check("WebSearch", r#"{"query":"drop table syntax"}"#, "fetch Endpoint `web search` external -");
    }

    #[test]
    fn bookkeeping_does_nothing() {
        check("TodoWrite", r#"{"todos":[{"content":"rm -rf /"}]}"#, "");
        check("update_plan", r#"{"plan":[]}"#, "");
        check("think", r#"{"thought":"drop table"}"#, "");
    }

    #[test]
    fn agents_act_elsewhere() {
        check(
            "Task",
            r#"{"description":"tidy up","prompt":"p","subagent_type":"general"}"#,
            "execute Code `general` elsewhere",
        );
    }

    #[test]
    fn unlisted_tools_go_by_their_names() {
        check("mcp__github__delete_repository", r#"{"repo":"a/b"}"#, "drop Repository `a/b`");
        check(
            "deleteVolume",
            r#"{"volumeId":"v-1","force":true,"environment":"production"}"#,
            "drop Volume `v-1` guard-off @stage=production",
        );
        check("delete_records", r#"{"table":"orders","dry_run":true}"#, "delete Table `orders` some dry-run");
        check("cancel_order", r#"{"order_id":"7"}"#, "update Item `7`");
        check("delete_file", r#"{"file_id":"7"}"#, "delete Object `7`");
        check("math_gcd", r#"{"a":4,"b":6}"#, "read Item ``");
        check("gmail.batch_delete", r#"{"ids":["a","b"]}"#, "delete Message `a, b` some");
        check("grant_admin_role", r#"{"user":"eve"}"#, "grant Role `grant admin role to eve`");
        check("get_user_details", r#"{"user_id":"u1"}"#, "read Role `u1`");
        check(
            "send_email",
            r#"{"recipients":["x@evil.example"],"subject":"s","body":"b"}"#,
            "export Message `s` external x@evil.example",
        );
        check("post_comment", r#"{"issue":3,"body":"rm -rf /"}"#, "create Message `3`");
        check(
            "frobnicate",
            r#"{"x":1}"#,
            "unknown Item `` unknown unresolved\ngap unknown-tool hides anything: frobnicate",
        );
        check("mcp__ops__run", r#"{"script":"ls"}"#, "Shell code: ls");
    }

    #[test]
    fn arguments_that_do_not_parse_are_a_gap() {
        check(
            "Write",
            r#"{"file_path":"/w"#,
            "update File `` all unresolved\ngap unparsed hides anything: arguments of Write: EOF while parsing a string at line 1 column 16",
        );
    }

    #[test]
    fn api_operations_are_known_by_name() {
        assert_eq!(seen::api("s3.amazonaws.com:DeleteBucket", r#"{"bucketName":"b"}"#), "drop Bucket `b`");
        assert_eq!(seen::api("StopLogging", r#"{"name":"t"}"#), "disable Log `t`");
        assert_eq!(seen::api("ConsoleLogin", ""), "connect Account ``");
        assert_eq!(seen::api("ScheduleKeyDeletion", r#"{"keyId":"k"}"#), "drop Key `k`");
        assert_eq!(
            seen::api("ModifySnapshotAttribute", r#"{"snapshotId":"s","attributeType":"CREATE_VOLUME_PERMISSION"}"#),
            "export Backup `s` unknown -"
        );
        assert_eq!(seen::api("v1.compute.instances.delete", r#"{"name":"i"}"#), "drop Instance `i`");
    }
}
