#!/usr/bin/env python3
"""Makes the SQLite databases and the archives below corpora/ and src/reader/sqlite/samples/, which the tests read: what agents and shells
record, and every part of the file format that the reader knows. Everything in them is made up. Usage:
scripts/sqlite-samples.py. The same Python and SQLite give the same bytes, but for the salts of a log of pages, which are chance, and a version number in the header."""

import json
import os
import pathlib
import shutil
import sqlite3
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
START = 1772438400  # 2026-03-02 08:00:00 UTC


def database(path, statements=(), rows=(), pragmas=()):
    """A database of these statements and rows, without what is left of making it."""
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    for end in ("", "-wal", "-shm", "-journal"):
        pathlib.Path(f"{path}{end}").unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    for statement in statements:
        connection.execute(statement)
    connection.execute("BEGIN")
    for table, values in rows:
        marks = ",".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.execute("COMMIT")
    return connection


def atuin():
    def row(number, command, after, code, cwd, author="ada", kind=None, deleted=None, session="018f-term-1"):
        time = START * 1_000_000_000 + int(after * 1000) * 1_000_000
        identity = f"018f{number:028x}"
        return ("history", (identity, time, 12_000_000, code, command, cwd, session, "desk:ada", deleted, author, None, kind))

    shop = "/home/ada/shop"
    database(
        "corpora/atuin/history.db",
        [
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL "
            "DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
            "CREATE TABLE history (\n\tid text primary key,\n\ttimestamp integer not null,\n\tduration integer not null,\n"
            "\texit integer not null,\n\tcommand text not null,\n\tcwd text not null,\n\tsession text not null,\n"
            "\thostname text not null, deleted_at integer,\n\n\tunique(timestamp, cwd, command)\n)",
            "CREATE INDEX idx_history_timestamp on history(timestamp)",
            "ALTER TABLE history ADD COLUMN author text",
            "ALTER TABLE history ADD COLUMN intent text",
            "ALTER TABLE history ADD COLUMN author_kind integer",
        ],
        [
            row(1, "git status", 0.25, 0, shop),
            row(2, "psql -c \"delete from carts where age > 90\" shop_prod", 60, 0, shop),
            row(3, "cat > notes.txt <<END\nrm -rf / is what not to type\nEND", 120, 0, shop, "ada", 0),
            row(4, "terraform destroy -auto-approve", 180, 1, shop + "/infra", "claude-code", 1),
            row(5, "kD93hfKq02LmXz71PbVtRwYsNcJgAe58", 240, -1, "unknown", "ada", 0, (START + 999) * 1_000_000_000),
            row(6, "npm run build", 300, -1, shop, "codex", None, None, "018f-term-2"),
        ],
    ).close()


def parts_of_the_format():
    """One small database for every part of the file format."""
    folder = "src/reader/sqlite/samples"
    words = "abcdefghijklmnopqrstuvwxyz"

    # Rows over several pages, of one page, of many; a tree of three levels.
    rows = [("t", (number, words * (number % 5), number * 3)) for number in range(1, 451)]
    rows += [("t", (1000, "x" * 5000, -1)), ("t", (2000, "y" * 20000, None)), ("t", (-7, "negative", 2.5))]
    database(f"{folder}/trees.db", ["CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b)"], rows, ["page_size = 512"]).close()

    # Without numbers, long keys, inner pages that have rows.
    rows = [("k", (f"key {number:04}" + "k" * (number % 90), number, b"\x00\xff")) for number in range(400)]
    database(
        f"{folder}/keys.db",
        ["CREATE TABLE k (name TEXT, number INTEGER, raw BLOB, PRIMARY KEY (name, number)) WITHOUT ROWID"],
        rows,
        ["page_size = 512"],
    ).close()

    for name in ("UTF-16le", "UTF-16be"):
        end = name[-2:]
        database(
            f"{folder}/utf16{end}.db", ["CREATE TABLE \"ta ble\" (\"ż\" TEXT)"], [("\"ta ble\"", ("zażółć 🦀",))],
            [f"encoding = '{name}'", "page_size = 512"],
        ).close()

    # Columns that came later, that are worked out, and an empty table; a view and an index are no tables.
    connection = database(
        f"{folder}/columns.db",
        [
            "CREATE TABLE c (a TEXT, sum INTEGER AS (length(a)) VIRTUAL, kept INTEGER AS (length(a) * 2) STORED, z REAL)",
            "INSERT INTO c (a, z) VALUES ('one', 1.5)",
            "ALTER TABLE c ADD COLUMN late TEXT DEFAULT 'not ''yet'''",
            "ALTER TABLE c ADD COLUMN later INTEGER NOT NULL DEFAULT -4",
            "INSERT INTO c (a, z, late, later) VALUES ('three', 0.0, 'now', 9)",
            "CREATE TABLE empty (x)",
            "CREATE VIEW v AS SELECT a FROM c",
            "CREATE INDEX i ON c (a)",
        ],
        (),
        ["page_size = 1024"],
    )
    connection.close()

    # The log beside it has what was committed since: a changed row, a new table, and more pages than the file.
    path = ROOT / folder / "wal.db"
    connection = database(
        f"{folder}/wal.db", ["CREATE TABLE w (a TEXT)"], [("w", ("in the file",))], ["page_size = 512", "journal_mode = WAL"]
    )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE w SET a = 'in the log'")
    connection.execute("CREATE TABLE later (b)")
    connection.execute("INSERT INTO later VALUES (?)", ("l" * 3000,))
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", f"{path}{end}.kept")
    connection.close()
    for end in ("", "-wal"):
        os.replace(f"{path}{end}.kept", f"{path}{end}")
    pathlib.Path(f"{path}-shm").unlink(missing_ok=True)



def milliseconds(after):
    return (START + after) * 1000


def opencode():
    def session(identity, folder, parent=None):
        return ("session", (identity, "prj", parent, identity, folder, "A title", "1.3.0", milliseconds(0), milliseconds(60)))

    def message(identity, session, role, after, parent=None):
        data = {"role": role, "time": {"created": milliseconds(after)}}
        if parent:
            data["parentID"] = parent
        return ("message", (identity, session, milliseconds(after), milliseconds(after), json.dumps(data)))

    def part(identity, message, session, after, **data):
        return ("part", (identity, message, session, milliseconds(after), milliseconds(after), json.dumps(data)))

    def tool(identity, message, session, after, status, command, tool="bash", **more):
        state = {"status": status, "input": {"command": command, "description": "what for"}}
        state["time"] = {"start": milliseconds(after), "end": milliseconds(after + 1)}
        state.update(more)
        return part(identity, message, session, after, type="tool", callID=f"toolu_01{identity}XyZ0123456789", tool=tool, state=state)

    columns = "`time_created` integer NOT NULL, `time_updated` integer NOT NULL"
    database(
        "corpora/opencode/opencode.db",
        [
            "CREATE TABLE `session` (`id` text PRIMARY KEY, `project_id` text NOT NULL, `parent_id` text, `slug` text NOT NULL, "
            f"`directory` text NOT NULL, `title` text NOT NULL, `version` text NOT NULL, {columns})",
            f"CREATE TABLE `message` (`id` text PRIMARY KEY, `session_id` text NOT NULL, {columns}, `data` text NOT NULL)",
            "CREATE TABLE `part` (`id` text PRIMARY KEY, `message_id` text NOT NULL, `session_id` text NOT NULL, "
            f"{columns}, `data` text NOT NULL)",
            "CREATE INDEX `part_session_idx` ON `part` (`session_id`)",
        ],
        [
            session("ses_shop", "/home/ada/shop"),
            session("ses_sub", "/home/ada/shop", "ses_shop"),
            message("msg_1", "ses_shop", "user", 0),
            part("prt_01", "msg_1", "ses_shop", 0, type="text", text="Clean the repository."),
            message("msg_2", "ses_shop", "assistant", 1, "msg_1"),
            part("prt_02", "msg_2", "ses_shop", 1, type="step-start"),
            tool("prt_03", "msg_2", "ses_shop", 2, "completed", "git status --short", output=" M a.ts\n", metadata={"exit": 0}),
            message("msg_3", "ses_shop", "user", 3),
            part("prt_04", "msg_3", "ses_shop", 3, type="text", synthetic=True, text="The following tool was executed by the user"),
            message("msg_4", "ses_shop", "assistant", 4, "msg_3"),
            tool("prt_05", "msg_4", "ses_shop", 4, "completed", "rm -rf node_modules", output="", metadata={"output": ""}),
            tool(
                "prt_06", "msg_2", "ses_shop", 6, "error", "git push --force origin main",
                error="The user rejected permission to use this specific tool call.",
            ),
            tool("prt_07", "msg_2", "ses_shop", 8, "running", "docker compose down -v"),
            part(
                "prt_08", "msg_2", "ses_shop", 9, type="tool", callID="call_w", tool="write",
                state={"status": "completed", "input": {"filePath": "/home/ada/shop/a.ts", "content": "export const a = 1;\n"}, "output": "y" * 3000},
            ),
            tool("prt_09", "msg_9", "ses_sub", 12, "completed", "psql \"$DATABASE_URL\" -c 'TRUNCATE carts'", output="TRUNCATE TABLE\n"),
        ],
        ["page_size = 1024"],
    ).close()
    lone = {
        "id": "prt_11", "sessionID": "ses_old", "messageID": "msg_old", "type": "tool", "callID": "call_old_1", "tool": "bash",
        "state": {
            "status": "completed", "input": {"command": "find . -name '*.bak' -delete", "workdir": "/home/ada/old"}, "output": "",
            "metadata": {"exit": 0}, "time": {"start": milliseconds(100), "end": milliseconds(101)},
        },
    }
    (ROOT / "corpora/opencode/prt_11.json").write_text(json.dumps(lone, indent=2) + "\n")


def crush():
    def call(identity, command, finished=True, name="bash"):
        data = {"id": identity, "name": name, "input": json.dumps({"command": command}), "provider_executed": False, "finished": finished}
        if not finished:
            data["input"] = "{\"command\":\"rm -rf /var/li"
        return {"type": "tool_call", "data": data}

    def result(identity, content, error=False):
        return {"type": "tool_result", "data": {"tool_call_id": identity, "name": "bash", "content": content, "metadata": "", "is_error": error}}

    def text(words):
        return {"type": "text", "data": {"text": words}}

    def row(number, session, role, after, *parts):
        made = START + after
        return ("messages", (f"m{number}", session, role, json.dumps(parts), "some-model", made, made, made))

    database(
        "corpora/crush/crush.db",
        [
            "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL)",
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL, message_count INTEGER NOT NULL "
            "DEFAULT 0 CHECK (message_count >= 0), updated_at INTEGER NOT NULL,  -- Unix timestamp in seconds\n created_at INTEGER NOT NULL)",
            "CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, parts BLOB NOT NULL default '[]', "
            "model TEXT, created_at INTEGER NOT NULL,  -- Unix timestamp in seconds\n updated_at INTEGER NOT NULL, finished_at INTEGER, "
            "FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE)",
        ],
        [
            ("sessions", ("c0ffee-1", None, "Deploy", 5, START, START)),
            ("sessions", ("c0ffee-2", "c0ffee-1", "Tests", 3, START, START)),
            row(1, "c0ffee-1", "user", 0, text("Clean up the deployment.")),
            row(2, "c0ffee-1", "assistant", 2, text("Looking."), call("toolu_01crushaaaaaaaaaaaa1", "ls deploy")),
            row(3, "c0ffee-1", "tool", 3, result("toolu_01crushaaaaaaaaaaaa1", "a.yaml\nb.yaml")),
            row(4, "c0ffee-1", "assistant", 6, call("toolu_01crushaaaaaaaaaaaa2", "kubectl delete namespace payments")),
            row(5, "c0ffee-1", "tool", 7, result("toolu_01crushaaaaaaaaaaaa2", "User denied permission", True)),
            row(6, "c0ffee-2", "assistant", 9, call("toolu_01crushaaaaaaaaaaaa3", "go test ./...")),
            row(7, "c0ffee-2", "tool", 11, result("toolu_01crushaaaaaaaaaaaa3", "FAIL\nExit code 1")),
            row(8, "c0ffee-2", "assistant", 12, call("toolu_01crushaaaaaaaaaaaa4", "", False)),
        ],
        ["page_size = 1024"],
    ).close()


def goose():
    def ask(identity, name, **arguments):
        return {"type": "toolRequest", "id": identity, "toolCall": {"status": "success", "value": {"name": name, "arguments": arguments}}}

    def answer(identity, words):
        value = [{"type": "text", "text": words, "annotations": {"audience": ["assistant"]}}]
        return {"type": "toolResponse", "id": identity, "toolResult": {"status": "success", "value": value}}

    def answer_newer(identity, words, error):
        value = {"content": [{"type": "text", "text": words}], "isError": error}
        return {"type": "toolResponse", "id": identity, "toolResult": {"status": "success", "value": value}}

    def row(number, role, after, *parts):
        return ("messages", (number, "20260302_1", role, json.dumps(parts), START + after, "2026-03-02 08:00:00", None))

    database(
        "corpora/goose/sessions.db",
        [
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY)",
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, description TEXT NOT NULL DEFAULT '', working_dir TEXT NOT NULL, "
            "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
            "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id), role TEXT NOT NULL, "
            "content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, tokens INTEGER)",
        ],
        [
            ("sessions", ("20260302_1", "Free space", "/srv/backup", "2026-03-02 08:00:00")),
            row(1, "user", 0, {"type": "text", "text": "The disk is full."}),
            row(2, "assistant", 2, ask("call_Gooseaaaaaaaaaaaaaa1", "developer__shell", command="df -h")),
            row(3, "user", 3, answer("call_Gooseaaaaaaaaaaaaaa1", "/dev/sda1 100%")),
            row(4, "assistant", 5, ask("call_Gooseaaaaaaaaaaaaaa2", "developer__shell", command="rm -rf /srv/backup/2025")),
            row(5, "user", 6, answer("call_Gooseaaaaaaaaaaaaaa2", "The user has declined to run this tool. DO NOT attempt to call this tool again.")),
            row(6, "assistant", 8, ask("call_Gooseaaaaaaaaaaaaaa3", "developer__text_editor", command="view", path="/srv/backup/README.md")),
            row(7, "user", 9, answer_newer("call_Gooseaaaaaaaaaaaaaa3", "no such file", True)),
            row(8, "assistant", 10, {"type": "toolRequest", "id": "call_Gooseaaaaaaaaaaaaaa4", "toolCall": {"status": "error", "error": "-32602: not valid JSON"}}),
        ],
        ["page_size = 1024"],
    ).close()
    older = [
        {"working_dir": "/home/ada/site", "description": "Deploy", "message_count": 3, "total_tokens": 10},
        {"id": "m1", "role": "user", "created": START, "content": [{"type": "text", "text": "Deploy it."}]},
        {"id": "m2", "role": "assistant", "created": START + 2, "content": [ask("toolu_01gooseaaaaaaaaaaa9", "developer__shell", command="make deploy")]},
        {"id": "m3", "role": "user", "created": START + 4, "content": [answer("toolu_01gooseaaaaaaaaaaa9", "deployed")]},
    ]
    (ROOT / "corpora/goose/20250701_120000.jsonl").write_text("".join(json.dumps(line) + "\n" for line in older))


def cursor():
    one = "0c0ffee0-0000-4000-8000-000000000001"
    two = "0c0ffee0-0000-4000-8000-000000000002"

    def bubble(composer, identity, after, **more):
        value = {"_v": 3, "type": 2, "bubbleId": identity, "createdAt": f"2026-03-02T08:00:{after:02}.000Z", "text": ""}
        value.update(more)
        return ("cursorDiskKV", (f"bubbleId:{composer}:{identity}", json.dumps(value)))

    def command(composer, identity, after, command, status="completed", result=None, decision="accepted", **more):
        former = {
            "tool": 15, "name": "run_terminal_cmd", "toolCallId": f"toolu_01cursor{identity}aaaaaaaa", "status": status,
            "rawArgs": json.dumps({"command": command, "is_background": False, "explanation": "why"}),
            "params": json.dumps({"command": command, "cwd": "/home/ada/shop", "requireUserApproval": True}), "userDecision": decision,
        }
        if result is not None:
            former["result"] = json.dumps(result)
        former.update(more)
        return bubble(composer, identity, after, toolFormerData=former)

    def composer(identity, after, bubbles, **more):
        headers = [{"bubbleId": bubble, "type": 2} for bubble in bubbles]
        value = {"_v": 10, "composerId": identity, "createdAt": milliseconds(after), "fullConversationHeadersOnly": headers}
        value.update(more)
        return ("cursorDiskKV", (f"composerData:{identity}", json.dumps(value)))

    old_bubble = json.loads(command(two, "b-9", 30, "psql -c \"drop table carts\" shop", "completed", {"output": "DROP TABLE", "exitCodeV2": 0})[1][1])
    database(
        "corpora/cursor_sqlite/state.vscdb",
        [
            "CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)",
            "CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)",
        ],
        [
            ("ItemTable", ("workbench.explorer.treeViewState", "{}")),
            ("cursorDiskKV", ("checkpointId:1", "x" * 9000)),
            # Bubbles that were written again stand behind others.
            command(one, "b-3", 6, "git push --force", "cancelled", {"output": "", "rejected": True}, "rejected"),
            composer(one, 0, ["b-0", "b-1", "b-2", "b-3", "b-4"]),
            bubble(one, "b-0", 0, type=1, text="Build it."),
            command(one, "b-1", 2, "npm ci", "completed", {"output": "added 12 packages", "exitCodeV2": 0, "rejected": False}),
            bubble(
                one, "b-2", 4,
                toolFormerData={
                    "tool": 5, "name": "read_file", "toolCallId": "toolu_01cursorb-2aaaaaaaa", "status": "completed",
                    "rawArgs": json.dumps({"target_file": "/home/ada/shop/.env"}), "params": "{}", "result": json.dumps({"contents": "PORT=80"}),
                },
            ),
            command(one, "b-4", 8, "rm -rf dist", "loading", None, "none"),
            bubble(one, "b-5", 9, toolFormerData={"additionalData": {"status": "error"}}),
            composer(two, 20, [], conversation=[old_bubble]),
            ("cursorDiskKV", (f"composerData:{one[:-1]}9", None)),
        ],
        ["page_size = 1024"],
    ).close()
    meta = {"agentId": "agent-7", "name": "List", "createdAt": milliseconds(0), "mode": "default", "latestRootBlobId": "f00d"}
    call = {"type": "tool-call", "toolCallId": "call_Cursoraaaaaaaaaaaaa1", "toolName": "Shell", "args": {"command": "ls -la"}}
    told = {"type": "tool-result", "toolCallId": "call_Cursoraaaaaaaaaaaaa1", "toolName": "Shell", "result": "total 0"}
    blobs = [
        b"\x0a\x20\x12\x05proto",
        json.dumps({"role": "system", "content": "You are an agent."}).encode(),
        json.dumps({"role": "assistant", "id": "1", "content": [{"type": "text", "text": "Listing."}, call]}).encode(),
        json.dumps({"role": "tool", "id": "2", "content": [told]}).encode(),
    ]
    database(
        "corpora/cursor_sqlite/store.db",
        ["CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB)", "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)"],
        [("blobs", (f"{number:064x}", blob)) for number, blob in enumerate(blobs)]
        + [("meta", ("0", json.dumps(meta).encode().hex()))],
        ["page_size = 1024"],
    ).close()


def hermes():
    def row(number, role, after, content=None, calls=None, answers=None):
        made = json.dumps(calls) if calls else None
        return ("messages", (number, "20260302_a", role, content, answers, made, "terminal" if answers else None, START + after))

    def call(identity, command):
        return {"id": identity, "call_id": identity, "type": "function", "function": {"name": "terminal", "arguments": json.dumps({"command": command})}}

    database(
        "corpora/hermes/state.db",
        [
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, started_at REAL NOT NULL, ended_at REAL)",
            "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id), role TEXT NOT NULL, "
            "content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL)",
        ],
        [
            ("sessions", ("20260302_a", "cli", "some-model", START, None)),
            row(1, "user", 0, "Is the web server up?"),
            row(2, "assistant", 2.5, "", [call("call_hermes_1", "systemctl status nginx")]),
            row(3, "tool", 3.5, json.dumps({"output": "active (running)", "exit_code": 0}), None, "call_hermes_1"),
            row(4, "assistant", 5, None, [call("call_hermes_2", "dd if=/dev/zero of=/dev/sdb")]),
        ],
        ["page_size = 1024"],
    ).close()


def warp():
    def row(number, command, after, code, folder, agent):
        start = f"2026-03-02 08:00:{after:06.3f}"
        return ("commands", (number, command, code, start, start, folder, "zsh", "ada", "desk", 17000000001, "main", None, None, agent))

    database(
        "corpora/warp/warp.sqlite",
        [
            "CREATE TABLE windows (id INTEGER PRIMARY KEY NOT NULL, active_tab_index INTEGER NOT NULL)",
            "CREATE TABLE commands (id INTEGER NOT NULL PRIMARY KEY, command TEXT NOT NULL, exit_code INTEGER, start_ts DATETIME, "
            "completed_ts DATETIME, pwd TEXT, shell TEXT, username TEXT, hostname TEXT, session_id BIGINTEGER, git_branch TEXT, "
            "cloud_workflow_id TEXT, workflow_command TEXT, is_agent_executed BOOLEAN)",
        ],
        [
            row(1, "cd infra", 0.25, 0, "/home/ada", False),
            row(2, "terraform apply -auto-approve", 5, 1, "/home/ada/infra", True),
            row(3, "git stash drop", 9, None, "/home/ada/infra", None),
        ],
        ["page_size = 1024"],
    ).close()


def kiro():
    def prompt(words):
        return {"content": {"Prompt": {"prompt": words}}, "timestamp": "2026-03-02T08:00:00+00:00"}

    def results(kind, identity, content, status):
        return {"content": {kind: {"tool_use_results": [{"tool_use_id": identity, "content": content, "status": status}]}}}

    def use(message, identity, command):
        return {"ToolUse": {"message_id": message, "content": "", "tool_uses": [{"id": identity, "name": "execute_bash", "args": {"command": command}}]}}

    def turn(user, assistant, after):
        return {"user": user, "assistant": assistant, "request_metadata": {"request_start_timestamp_ms": milliseconds(after)}}

    printed = [{"Json": {"exit_status": "0", "stdout": "2026 logs\n", "stderr": ""}}]
    history = [
        turn(prompt("Which buckets?"), use("m1", "tooluse_kiroaaaaaaaaaaaa1", "aws s3 ls"), 2),
        turn(results("ToolUseResults", "tooluse_kiroaaaaaaaaaaaa1", printed, "Success"), use("m2", "tooluse_kiroaaaaaaaaaaaa2", "aws s3 rb s3://backups --force"), 5),
        turn(results("CancelledToolUses", "tooluse_kiroaaaaaaaaaaaa2", [{"Text": "Tool use was cancelled by the user"}], "Error"), {"Response": {"content": "All right."}}, 8),
    ]
    database(
        "corpora/kiro/data.sqlite3",
        [
            "CREATE TABLE migrations (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
            "CREATE TABLE history (id INTEGER PRIMARY KEY, command TEXT, shell TEXT, pid INTEGER, session_id TEXT, cwd TEXT)",
            "CREATE TABLE conversations (key TEXT PRIMARY KEY, value TEXT)",
            "CREATE TABLE conversations_v2 (key TEXT NOT NULL, conversation_id TEXT NOT NULL, value TEXT NOT NULL, created_at INTEGER NOT NULL, "
            "updated_at INTEGER NOT NULL, PRIMARY KEY (key, conversation_id))",
        ],
        [("conversations_v2", ("/home/ada/infra", "k-1", json.dumps({"conversation_id": "k-1", "history": history}), milliseconds(0), milliseconds(9)))],
        ["page_size = 1024"],
    ).close()


def zed():
    newer = {
        "title": "Migrate", "version": "0.3.0", "initial_project_snapshot": {"worktree_snapshots": [{"worktree_path": "/home/ada/shop"}]},
        "messages": [
            {"User": {"id": "u1", "content": [{"Text": "Migrate the database."}]}},
            {
                "Agent": {
                    "content": [
                        {"Text": "Migrating."},
                        {"ToolUse": {"id": "toolu_01zedaaaaaaaaaaaaa1", "name": "terminal", "raw_input": "{}", "input": {"command": "npx prisma migrate deploy", "cd": "shop"}, "is_input_complete": True}},
                        {"ToolUse": {"id": "toolu_01zedaaaaaaaaaaaaa2", "name": "terminal", "raw_input": "{}", "input": {"command": "npx prisma migrate reset --force", "cd": "shop"}, "is_input_complete": True}},
                    ],
                    "tool_results": {
                        "toolu_01zedaaaaaaaaaaaaa1": {"tool_use_id": "toolu_01zedaaaaaaaaaaaaa1", "tool_name": "terminal", "is_error": False, "content": {"Text": "1 migration applied"}},
                        "toolu_01zedaaaaaaaaaaaaa2": {"tool_use_id": "toolu_01zedaaaaaaaaaaaaa2", "tool_name": "terminal", "is_error": True, "content": {"Text": "Permission to run tool action denied by user"}},
                    },
                }
            },
        ],
    }
    older = {
        "version": "0.2.0", "summary": "Look",
        "messages": [
            {"id": 0, "role": "user", "segments": [{"type": "text", "text": "Look."}], "tool_uses": [], "tool_results": []},
            {"id": 1, "role": "assistant", "segments": [], "tool_uses": [{"id": "toolu_01zedaaaaaaaaaaaaa3", "name": "read_file", "input": {"path": "shop/.env"}}], "tool_results": []},
            {"id": 2, "role": "user", "segments": [], "tool_uses": [], "tool_results": [{"tool_use_id": "toolu_01zedaaaaaaaaaaaaa3", "is_error": False, "content": {"Text": "PORT=80"}}]},
        ],
    }
    text = json.dumps(newer).encode()
    packed = raw_zstd(text)
    database(
        "corpora/zed/threads.db",
        [
            "CREATE TABLE threads (id TEXT PRIMARY KEY, summary TEXT NOT NULL, updated_at TEXT NOT NULL, data_type TEXT NOT NULL, data BLOB NOT NULL, parent_id TEXT)",
        ],
        [
            ("threads", ("z-1", "Migrate", "2026-03-02T08:01:00Z", "zstd", packed, None)),
            ("threads", ("z-2", "Look", "2026-03-02T08:02:00Z", "json", json.dumps(older).encode(), None)),
        ],
        ["page_size = 1024"],
    ).close()


def raw_zstd(text):
    """A frame of one block as it is: Python has no zstd. Magic, one segment with its length in four bytes, a raw last block."""
    return b"\x28\xb5\x2f\xfd\xa0" + len(text).to_bytes(4, "little") + (len(text) << 3 | 1).to_bytes(3, "little") + text


def archive(path, entries, method=zipfile.ZIP_DEFLATED):
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in entries:
            made.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 8, 0, 0)), content, method)


def evaluation():
    """An evaluation log whose entries are packed with zstd, as newer ones are: stored first, then said to be method 93."""
    header = {
        "version": 2, "status": "success", "plan": {"name": "plan", "steps": []},
        "eval": {"run_id": "r1", "task_id": "t1", "task": "clean-up", "created": "2026-03-02T08:00:00+00:00", "packages": {"inspect_ai": "0.3"}},
    }

    def sample(identity, command, error=None):
        event = {
            "timestamp": "2026-03-02T08:00:02+00:00", "event": "tool", "type": "function", "id": f"call_{identity}", "function": "bash",
            "arguments": {"cmd": command}, "result": "done", "completed": "2026-03-02T08:00:04+00:00", "error": error,
        }
        return {"id": identity, "epoch": 1, "messages": [], "events": [event], "attachments": {}}

    path = ROOT / "corpora/inspect_ai/packed.eval"
    entries = [
        ("_journal/start.json", {"version": 2}),
        ("samples/a_epoch_1.json", sample("a", "du -sh /var/cache")),
        ("samples/b_epoch_1.json", sample("b", "rm -rf /var/lib/postgresql", {"type": "approval", "message": "no"})),
        ("summaries.json", []),
        ("header.json", header),
    ]
    archive(path, [(name, raw_zstd(json.dumps(value, indent=2).encode())) for name, value in entries], zipfile.ZIP_STORED)
    bytes_ = bytearray(path.read_bytes())
    for name, value in entries:
        text = json.dumps(value, indent=2).encode()
        stored = raw_zstd(text)
        said = [number.to_bytes(4, "little") for number in (zlib.crc32(stored), len(stored), len(stored))]
        means = [number.to_bytes(4, "little") for number in (zlib.crc32(text), len(stored), len(text))]
        for header_of, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            at = bytes_.index(b"".join(said)) - method - 6
            assert bytes_[at : at + 4] == header_of
            bytes_[at + method : at + method + 2] = (93).to_bytes(2, "little")
            bytes_[at + method + 6 : at + method + 18] = b"".join(means)
    path.write_bytes(bytes_)


def home():
    """What a responder is sent: homes, a database with a log of pages beside it, an archive inside."""
    history = ROOT / "corpora/atuin/history.db"
    inner = ROOT / "corpora/archives/inner.zip"
    archive(inner, [("deploy/.bash_history", "#1772438400\nls /srv\n#1772438460\nrm -rf /srv/releases\n")])
    folder = ROOT / "src/reader/sqlite/samples"
    entries = [
        ("home/ada/.bash_history", "git status\ncurl -s https://example.com/setup.sh | sh\n"),
        ("home/ada/.local/share/atuin/history.db", history.read_bytes()),
        ("home/ada/notes.db", (folder / "wal.db").read_bytes()),
        ("home/ada/notes.db-wal", (folder / "wal.db-wal").read_bytes()),
        ("home/tom/deploy.zip", inner.read_bytes()),
        ("__MACOSX/home/._x", b"\x00\x05\x16\x07"),
    ]
    archive("corpora/archives/home.zip", entries)
    inner.unlink()


if __name__ == "__main__":
    for make in (atuin, opencode, crush, goose, cursor, hermes, warp, kiro, zed, parts_of_the_format, evaluation, home):
        make()
