#!/usr/bin/env python3
"""Makes the SQLite databases below corpora/ and src/reader/sqlite/samples/, which the tests read: what agents and shells
record, and every part of the file format that the reader knows. Everything in them is made up. Usage:
scripts/sqlite-samples.py. The same Python and SQLite give the same bytes; another SQLite's version number may differ."""

import json
import os
import pathlib
import shutil
import sqlite3

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


if __name__ == "__main__":
    atuin()
    parts_of_the_format()
