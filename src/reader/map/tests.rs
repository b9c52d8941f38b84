//! Mappings against small files: what is read, what is said, and what is refused.

use std::sync::Arc;

use super::{Map, Maps};
use crate::reader::Source;
use crate::reader::collect::Collector;

const SHELL: &str = "[fields]\nkind = { value = \"shell\" }\ntext = \"cmd\"\n";

fn read(map: &str, name: &str, bytes: &[u8]) -> Collector {
    let map = Map::parse("m.toml", map).unwrap();
    let source = Source { file: Arc::from(name), options: Arc::default(), database: None };
    let mut out = Collector::default();
    map.read(&mut &bytes[..], &source, &mut out).unwrap();
    out
}

#[track_caller]
fn check(map: &str, file: &str, expected: &str) {
    let out = read(map, "f", file.as_bytes());
    let nothing = if out.nothing > 0 { format!("nothing: {}\n", out.nothing) } else { String::new() };
    assert_eq!((out.text + &nothing).trim_end(), expected);
}

#[track_caller]
fn refused(map: &str, expected: &str) {
    let error = Map::parse("m.toml", map).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn lines_lists_and_tables_are_the_same_records() {
    let expected = |lines: [u64; 2]| {
        lines
            .map(|line| format!("L{line} shell \"make {line}\" session=ann actor=unknown:ann exec=yes ok exit=0"))
            .join("\n")
    };
    let map = format!("{SHELL}actor = \"who\"\nexit-code = \"rc\"\n");
    check(
        &map,
        "{\"cmd\":\"make 1\",\"who\":\"ann\",\"rc\":0}\n{\"cmd\":\"make 2\",\"who\":\"ann\",\"rc\":\"0\"}\n",
        &expected([1, 2]),
    );
    check(
        &map,
        "[\n {\"cmd\":\"make 2\",\"who\":\"ann\",\"rc\":0},\n {\"cmd\":\"make 3\",\"who\":\"ann\",\"rc\":0}\n]\n",
        &expected([2, 3]),
    );
    check(&map, "cmd,who,rc\nmake 2,ann,0\nmake 3,ann,0\n", &expected([2, 3]));
    check(&map, "rc;cmd;who\n0;\"make 2\";ann\n0;make 3;ann\n", &expected([2, 3]));
    check(&map, "\u{feff}rc\tcmd\twho\r\n0\tmake 2\tann\r\n0\tmake 3\tann\r\n", &expected([2, 3]));
    check(&format!("columns = [\"rc\", \"cmd\", \"who\"]\n{map}"), "0,make 1,ann\n0,make 2,ann\n", &expected([1, 2]));
}

#[test]
fn a_table_of_a_database_is_a_table() {
    let bytes = include_bytes!("../../../corpora/atuin/history.db");
    let with = |top: &str| {
        let map =
            "[fields]\nkind = { value = \"shell\" }\ntext = \"command\"\nsession = \"session\"\nexit-code = \"exit\"\n";
        read(&format!("{top}{map}"), "x.db", bytes).text
    };
    let named = with("table = \"History\"\n");
    assert!(named.starts_with("L1 shell \"git status\" session=018f-term-1"), "{named}");
    assert_eq!(named.lines().count(), 6, "{named}");
    let unnamed = with("");
    assert!(unnamed.contains("a database of 2 tables, and m.toml has no `table`"), "{unnamed}");
    assert!(unnamed.contains("(the tables are `_sqlx_migrations`, `history`)"), "{unnamed}");
    let wrong = with("table = \"shell\"\n");
    assert!(wrong.contains("no table `shell`, where m.toml says the records are"), "{wrong}");
}

#[test]
fn records_of_a_document_have_places_of_their_own() {
    let map = format!("records = \"hits[*].doc\"\n{SHELL}session = \"$.run\"\n");
    let file =
        "{\"run\":\"r1\",\n \"hits\":[{\"doc\":{\"cmd\":\"a\"}},\n  {\"doc\":{\"cmd\":\"b\"}}]}\n{\"run\":\"r2\"}\n";
    check(
        &map,
        file,
        "L2 shell \"a\" session=r1 actor=unknown:unknown\n\
         L3 shell \"b\" session=r1 actor=unknown:unknown\n\
         L4 issue: a document without `hits[*].doc`, where m.toml says the records are (mend `records`, or leave the file out)",
    );
    let offsets: Vec<u64> =
        read(&map, "f", file.as_bytes()).actions.iter().map(|action| action.origin.offset).collect();
    assert!(offsets.iter().all(|at| file[*at as usize..].starts_with("{\"cmd\"")), "{offsets:?}");
}

#[test]
fn a_list_that_was_named_itself_is_its_elements() {
    check(
        &format!("records = \"rows\"\n{SHELL}"),
        "{\"rows\":[{\"cmd\":\"a\"}]}",
        "L1 shell \"a\" session=f actor=unknown:unknown",
    );
}

#[test]
fn everything_a_mapping_can_fill() {
    let map = r#"
[fields]
id = "id"
time = { from = "t", format = "epoch-ms" }
kind = { from = "type", values = { Q = "sql" } }
text = ["sql", "statement"]
actor = { from = ["first", "last"], join = " " }
actor-kind = { value = "human" }
session = "s"
cwd = "cwd"
home = "home"
host = "host"
user = "user"
database = "db"
account = "acc"
cluster = "k8s"
dialect = { value = "mysql" }
environment = { from = "stage", values = { p = "production" }, default = "unknown" }
executed = "ran"
succeeded = "ok"
rows = "n"
approved = "yes"
truncated = "cut"
"#;
    check(
        map,
        r#"{"id":7,"t":1772442847000,"type":"Q","statement":"DELETE FROM t","first":"Ann","last":"Lee","s":4,"cwd":"/a","home":"/h","host":"h","user":"u","db":"d","acc":"1","k8s":"k","stage":"p","ran":true,"ok":"no","n":"3","yes":1,"cut":"true"}"#,
        "L1 sql \"DELETE FROM t\" session=4 actor=human:Ann Lee time=2026-03-02T09:14:07Z exec=yes failed rows=3 \
         environment=production cwd=/a home=/h host=h user=u database=d account=1 cluster=k dialect=mysql approved gap=truncated/anything",
    );
}

#[test]
fn calls_and_words() {
    let tool = "[fields]\nkind = { value = \"tool\" }\ntool = \"name\"\narguments = \"input\"\n";
    check(
        tool,
        r#"{"name":"bash","input":"{\"command\":\"ls\"}"}"#,
        "L1 tool \"ls\" session=f actor=unknown:unknown tool=bash arguments={\"command\":\"ls\"}",
    );
    let exec = "[fields]\nkind = { value = \"exec\" }\nargv = \"args\"\n";
    check(
        exec,
        "{\"args\":[\"rm\",\"a b\"]}\n{\"args\":\"[\\\"ls\\\"]\"}\n{\"args\":\"ls -l\"}\n",
        "L1 exec \"rm 'a b'\" argv=[\"rm\", \"a b\"] session=f actor=unknown:unknown\n\
         L2 exec \"ls\" argv=[\"ls\"] session=f actor=unknown:unknown\n\
         L3 note: `argv` is one text, not a list of words; a command line is `text` of kind `shell`; it is left out (see `args` (m.toml:3))\n\
         L3 issue: `argv` is one text, not a list of words; a command line is `text` of kind `shell` (see `args` (m.toml:3))",
    );
}

#[test]
fn only_some_records() {
    let map = format!(
        "[only]\n\"a.type\" = [\"cmd\", 3]\nstate = {{ not = \"draft\" }}\nwho = {{ present = true }}\n{SHELL}"
    );
    check(
        &map,
        "{\"a\":{\"type\":\"cmd\"},\"who\":1,\"cmd\":\"a\"}\n{\"a\":{\"type\":3},\"who\":1,\"state\":\"draft\",\"cmd\":\"b\"}\n{\"a\":{\"type\":\"x\"},\"who\":1,\"cmd\":\"c\"}\n{\"a\":{\"type\":\"cmd\"},\"cmd\":\"d\"}\n",
        "L1 shell \"a\" session=f actor=unknown:unknown\nnothing: 3",
    );
    check(
        "[only]\ntype = \"x\"\n[fields]\nkind = { value = \"shell\" }\ntext = \"cmd\"\n",
        "{\"type\":\"y\",\"cmd\":\"a\"}\n",
        "L1 note: none of 1 record is what `only` in m.toml asks for (loosen `only`, or read other files)",
    );
}

#[test]
fn what_no_record_has_is_said_once() {
    check(
        &format!("{SHELL}actor = \"usr\"\nhost = {{ from = \"hst\", optional = true }}\n"),
        "{\"cmd\":\"a\",\"user\":{\"name\":\"ann\"},\"user_id\":1}\n{\"cmd\":\"b\"}\n",
        "L1 shell \"a\" session=f actor=unknown:unknown\n\
         L2 shell \"b\" session=f actor=unknown:unknown\n\
         L2 note: `usr` (`actor`, m.toml:4) is in none of 2 records (the first record has `cmd`, `user.name`, `user_id`)",
    );
    check(
        &format!("{SHELL}actor = {{ from = \"cmd\", pattern = \"by (\\\\w+)\" }}\n"),
        "{\"cmd\":\"a\"}\n",
        "L1 shell \"a\" session=f actor=unknown:unknown\n\
         L1 note: `cmd` (`actor`, m.toml:4) is in none of 1 record as `pattern` wants it (the first record has `cmd`)",
    );
    check(
        SHELL,
        "when,command\n1,ls\n2,ls\n",
        "L1 issue: no column `cmd` (`text`, m.toml:3) (the columns are `when`, `command`)",
    );
}

#[test]
fn what_does_not_fit_is_counted_and_located() {
    check(
        &format!("{SHELL}exit-code = \"rc\"\n"),
        "{\"cmd\":\"a\",\"rc\":\"bad\"}\nnot json\n{\"cmd\":{\"x\":1},\"rc\":0}\n{\"rc\":0}\n{\"cmd\":\"b\",\"rc\":\n{\"cmd\":\"c\",\"rc\":2}",
        "L1 note: `exit-code` is `bad`, which is no whole number; it is left out (see `rc` (m.toml:4))\n\
         L1 shell \"a\" session=f actor=unknown:unknown\n\
         L2 issue: not a JSON object (one object per line, or a list of objects)\n\
         L3 note: `text` is an object; name the member that is meant; it is left out (see `cmd` (m.toml:3))\n\
         L3 issue: `text` is an object; name the member that is meant (see `cmd` (m.toml:3))\n\
         L4 issue: nothing at `cmd`, and `text` of a `shell` action comes from there (mend the path (m.toml:3), or leave such records out with `only`)\n\
         L5 issue: not JSON: EOF while parsing a value (the rest is read; write the record again)\n\
         L6 shell \"c\" session=f actor=unknown:unknown exec=yes failed exit=2",
    );
    check(
        SHELL,
        "cmd,b\nls,1\nls\n",
        "L2 shell \"ls\" session=f actor=unknown:unknown\n\
         L3 issue: a row of 1 columns, there are 2 names (a quote that is not closed, or another `delimiter`)",
    );
}

#[test]
fn many_odd_values_are_told_a_few_times_and_counted() {
    let file = "{\"cmd\":\"a\",\"t\":\"soon\"}\n".repeat(9);
    let out = read(&format!("{SHELL}time = \"t\"\n"), "f", file.as_bytes());
    assert_eq!(out.actions.len(), 9);
    assert_eq!(out.text.matches("note: `soon` is not a time").count(), 3, "{}", out.text);
    assert!(out.text.contains("`time` could not be read in 9 records"), "{}", out.text);
}

#[test]
fn rows_of_parquet_without_a_byte_have_ids_of_their_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/mapped/parquet");
    let map = std::fs::read_to_string(folder.join("map.toml")).unwrap().replace("id = \"nr\"", "");
    let bytes = std::fs::read(folder.join("queries.parquet")).unwrap();
    let out = read(&map, "queries.parquet", &bytes);
    if !cfg!(feature = "table") {
        assert!(out.text.contains("which this build of nearmiss does not read"), "{}", out.text);
        return;
    }
    let ids: std::collections::BTreeSet<_> = out.actions.iter().map(|action| action.id).collect();
    assert_eq!((ids.len(), out.actions.last().unwrap().origin.line), (6, 6));
    let cut = read(&map, "q", &bytes[..bytes.len() / 2]);
    assert!(cut.text.contains("issue: a Parquet file that breaks off"), "{}", cut.text);
}

#[test]
fn what_is_no_mapping_says_where_and_what_to_do() {
    refused(
        "[fields]\nkind = \"shell\"\ntext = \"c\"\n",
        "m.toml:2: `kind`: `\"shell\"` is read as a path; a constant is",
    );
    refused("[fields]\nkind = { value = \"shel\" }\ntext = \"c\"\n", "m.toml:2: `kind`: `shel` is none of shell, sql,");
    refused("[fields]\ntext = \"c\"\n", "m.toml:1: `kind` is not given");
    refused(
        "[fields]\nkind = { value = \"exec\" }\ntext = \"c\"\n",
        "`argv` is not given: actions of kind `exec` need it",
    );
    refused(&format!("{SHELL}txet = \"a\"\n"), "m.toml:4: no field is called `txet`. Did you mean `text`?");
    refused(&format!("{SHELL}host = {{ frm = \"a\" }}\n"), "unknown field `frm`");
    refused(&format!("{SHELL}host = {{ optional = true }}\n"), "it says neither `from` (a path) nor `value`");
    refused(
        &format!("{SHELL}host = {{ from = \"a\", zone = \"UTC\" }}\n"),
        "m.toml:4: `host`: `format` and `zone` say how a time",
    );
    refused(&format!("{SHELL}time = {{ from = \"a\", zone = \"Europe/Oslo\" }}\n"), "`Europe/Oslo` is not a zone");
    refused(&format!("{SHELL}host = \"a[x]\"\n"), "line 4");
    refused(
        &format!("{SHELL}host = {{ from = \"a\", pattern = \"(a\" }}\n"),
        "is not a regular expression: unclosed group",
    );
    refused(&format!("{SHELL}host = {{ from = \"a\", pattern = \"(a)(b)\" }}\n"), "has 2 groups");
    refused(&format!("[only]\na.b = 1\n{SHELL}"), "a path with dots stands in quotes here");
    refused(&format!("[only]\na = {{ not = 1, present = true }}\n{SHELL}"), "a condition says one of");
    refused(&format!("delimiter = \";;\"\n{SHELL}"), "m.toml:1: `delimiter` is one ASCII character");
    refused(&format!("files = [\"a[\"]\n{SHELL}"), "m.toml:1: `a[` is not a glob");
    refused(&format!("recrods = \"a\"\n{SHELL}"), "unknown field `recrods`");
}

#[test]
fn the_first_mapping_that_is_for_a_file_reads_it() {
    let map = |name: &str, files: &str| Map::parse(name, &format!("{files}\n{SHELL}")).unwrap();
    let mut maps = Maps::default();
    maps.push(&[], map("a", "files = [\"*.splunk.json\"]")).unwrap();
    maps.push(&["logs/*.csv".to_owned()], map("b", "")).unwrap();
    maps.push(&[], map("c", "files = [\"x.json\"]")).unwrap();
    let of = |file: &str, name: &str| maps.of(file, name).map(|map| map.name.clone());
    assert_eq!(of("/d/one.splunk.json.gz", "one.splunk.json").as_deref(), Some("a"));
    assert_eq!(of("/d/logs/one.csv", "one.csv").as_deref(), Some("b"));
    assert_eq!(of("/d/one.csv", "one.csv"), None);
    assert_eq!(of("x.json", "x.json").as_deref(), Some("c"));
    assert!(maps.push(&["a[".to_owned()], map("d", "")).is_err());
}

#[test]
fn no_bytes_make_it_panic() {
    let maps = [SHELL.to_owned(), format!("records = \"a[*]\"\n{SHELL}time = \"$.t\"\n")];
    for map in &maps {
        for bytes in [
            &b""[..],
            b"PAR1",
            b"PAR1PAR1PAR1PAR1",
            b"{",
            b"[[[[",
            b"{\"a\":[1,\"\xff\"]}",
            b"cmd\n\xff\xfe\n",
            b"\xef\xbb\xbf",
            b"\"\n\"\"",
        ] {
            read(map, "f", bytes);
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        read(map, "f", deep.as_bytes());
    }
}
