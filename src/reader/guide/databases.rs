//! Databases.

use super::{Guide, sample};

pub(super) const GUIDES: &[Guide] = &[
    Guide {
        name: "postgres_csv",
        known_by: "the 22 to 26 columns of a csvlog row",
        tells: "statements with user, database, session, program, parameters; errors",
        lacks: "statements below log_statement; rows that were changed",
        settings: &[
            ("log_statement = 'all'", "every statement with its text; 'mod' leaves out what only reads"),
            ("log_min_duration_statement = -1", "keeps statements from being logged twice beside log_statement"),
            ("log_parameter_max_length = -1", "the values of parameters in full"),
            ("log_connections = on", "from where a session came"),
            (
                "shared_preload_libraries = 'pgaudit', pgaudit.log = 'write, ddl, role'",
                "the objects that a statement reached, also inside of functions",
            ),
        ],
        sample: sample!("postgres_csv/bakery.csv"),
    },
    Guide {
        name: "postgres_json",
        known_by: "objects with `error_severity` and `session_id`, bare or wrapped by CloudNativePG and Cloud SQL",
        tells: "what a csvlog row tells",
        lacks: "statements below log_statement; rows that were changed",
        settings: &[
            ("log_statement = 'all'", "every statement with its text; 'mod' leaves out what only reads"),
            ("log_min_duration_statement = -1", "keeps statements from being logged twice beside log_statement"),
            ("log_parameter_max_length = -1", "the values of parameters in full"),
            ("log_connections = on", "from where a session came"),
            (
                "shared_preload_libraries = 'pgaudit', pgaudit.log = 'write, ddl, role'",
                "the objects that a statement reached, also inside of functions",
            ),
        ],
        sample: sample!("postgres_json/cloudnative.json"),
    },
    Guide {
        name: "postgres_stderr",
        known_by: "a severity behind a prefix: `LOG:  statement:`; the prefix is worked out from the lines",
        tells: "statements, durations, errors; user and database where the prefix has them",
        lacks: "who it was, unless log_line_prefix says so; name an odd one with --log-line-prefix",
        settings: &[
            ("log_statement = 'all'", "every statement with its text; 'mod' leaves out what only reads"),
            ("log_min_duration_statement = -1", "keeps statements from being logged twice beside log_statement"),
            ("log_parameter_max_length = -1", "the values of parameters in full"),
            ("log_line_prefix = '%m [%p] %q%u@%d/%a '", "time, session, user, database and program of every line"),
            ("log_connections = on", "from where a session came"),
            (
                "shared_preload_libraries = 'pgaudit', pgaudit.log = 'write, ddl, role'",
                "the objects that a statement reached, also inside of functions",
            ),
        ],
        sample: sample!("postgres_stderr/default.log"),
    },
    Guide {
        name: "pgaudit",
        known_by: "`AUDIT: SESSION,` or `AUDIT: OBJECT,`",
        tells: "class, command and object of each statement, sub-statements too",
        lacks: "time and user, where no server log stands around it",
        settings: &[
            ("pgaudit.log = 'write, ddl, role, function'", "changes, definitions, rights and code"),
            ("pgaudit.log_relation = on", "one line for each table that a statement reaches"),
            ("pgaudit.log_parameter = on", "the values of parameters"),
            ("pgaudit.log_rows = on", "how many rows were changed"),
        ],
        sample: sample!("pgaudit/psql.out"),
    },
    Guide {
        name: "mysql_general",
        known_by: "lines of time, thread, command word and argument",
        tells: "every statement, who connected from where",
        lacks: "whether it succeeded, how many rows it changed",
        settings: &[
            ("general_log = ON", "every statement as it arrived; it costs speed, so turn it on for a time"),
            ("log_timestamps = UTC", "times whose zone is known"),
        ],
        sample: sample!("mysql_general/old.log"),
    },
    Guide {
        name: "mysql_slow",
        known_by: "`# User@Host:` and `# Query_time:` above statements",
        tells: "statements over long_query_time with user, rows and duration",
        lacks: "everything that was fast",
        settings: &[
            ("long_query_time = 0", "every statement, not only slow ones"),
            ("log_slow_admin_statements = ON", "ALTER, CREATE INDEX, OPTIMIZE and the like as well"),
            ("log_slow_extra = ON", "bytes, errors and rows (MySQL 8.0.14 and later)"),
        ],
        sample: sample!("mysql_slow/old.log"),
    },
    Guide {
        name: "mysql_binlog",
        known_by: "`# at` and `end_log_pos` as mysqlbinlog prints them",
        tells: "every change that was committed; rows with --verbose",
        lacks: "who did it, and everything that only read",
        settings: &[
            (
                "binlog_rows_query_log_events = ON",
                "the statement beside its rows (MariaDB: binlog_annotate_row_events)",
            ),
            ("binlog_row_image = FULL", "rows with all their columns"),
        ],
        sample: sample!("mysql_binlog/binlog.sql"),
    },
    Guide {
        name: "mysql_audit",
        known_by: "objects with `audit_record`, or `class` and `event`",
        tells: "statements, connections, tables with user and host",
        lacks: "what the filter leaves out",
        settings: &[
            ("audit_log_format = JSON", "the form that is read"),
            ("audit_log_policy = ALL", "connections and statements"),
        ],
        sample: sample!("mysql_audit/percona.json"),
    },
    Guide {
        name: "mariadb_audit",
        known_by: "lines of comma-separated time, host, user and QUERY, TABLE or CONNECT",
        tells: "statements, and the tables they reached",
        lacks: "the end of long statements (a gap)",
        settings: &[
            ("server_audit_events = 'CONNECT,QUERY,TABLE'", "statements and the tables they reach"),
            ("server_audit_query_log_limit = 65536", "longer statements before they are cut (default 1024)"),
        ],
        sample: sample!("mariadb_audit/server_audit.log"),
    },
    Guide {
        name: "mongodb",
        known_by: "`\"t\":{\"$date\"`, the old text lines, profiler documents or `atype`",
        tells: "commands with database, client and duration",
        lacks: "fast commands below slowms, and values where redaction is on",
        settings: &[
            ("db.setProfilingLevel(0, { slowms: 0 })", "every command in the log"),
            ("auditLog.destination: file", "who did what (Enterprise, Atlas)"),
        ],
        sample: sample!("mongodb/mongod.log"),
    },
    Guide {
        name: "redis_monitor",
        known_by: "`1700000000.123456 [0 127.0.0.1:5000] \"SET\"`",
        tells: "every command with client and database",
        lacks: "the user; AUTH is left out by the server",
        settings: &[],
        sample: sample!("redis_monitor/monitor.log"),
    },
    Guide {
        name: "query_history",
        known_by: "the columns that each product's export has",
        tells: "statements with user, role, warehouse, rows and errors",
        lacks: "what the export was not asked for",
        settings: &[("log_queries = 1 (ClickHouse)", "system.query_log")],
        sample: sample!("query_history/snowflake.csv"),
    },
    Guide {
        name: "proxysql",
        known_by: "`hostgroup_id` with `query` and `username`, one object a line",
        tells: "statements of MySQL and Postgres clients with user, schema and rows",
        lacks: "statements below the rules that log; binary files of format 1",
        settings: &[
            ("mysql-eventslog_format = 2", "JSON instead of a binary form"),
            ("mysql-eventslog_default_log = 1", "every query, not only those of rules with log=1"),
        ],
        sample: sample!("proxysql/queries.log.00000007"),
    },
    Guide {
        name: "cloud_logs",
        known_by: "`logGroup` with `logEvents`, or entries of Cloud Logging, around a server's log",
        tells: "what the log inside tells",
        lacks: "what the log inside does not; see the format of the server",
        settings: &[
            ("EnableCloudwatchLogsExports (RDS, Aurora)", "the server's logs in CloudWatch"),
            ("cloudsql.enable_pgaudit, general_log (flags of Cloud SQL)", "statements in Cloud Logging"),
        ],
        sample: sample!("cloud_logs/rds-mysql-slow.json"),
    },
    Guide {
        name: "sql_server_audit",
        known_by: "the columns of `sys.fn_get_audit_file`, Azure's records, or events as XML",
        tells: "statements and actions with login, database, object and whether they succeeded",
        lacks: "statements that no audit specification names; the end of long ones (a gap)",
        settings: &[
            ("ADD (BATCH_COMPLETED_GROUP) on a server audit specification", "every statement"),
            ("ADD (SCHEMA_OBJECT_CHANGE_GROUP, DATABASE_OBJECT_CHANGE_GROUP)", "what is created, changed and dropped"),
        ],
        sample: sample!("sql_server_audit/exported.csv"),
    },
    Guide {
        name: "oracle_audit",
        known_by: "the columns of `UNIFIED_AUDIT_TRAIL` or of the older trails",
        tells: "actions with user, object, statement and return code",
        lacks: "what no audit policy covers",
        settings: &[
            ("CREATE AUDIT POLICY all_acts ACTIONS ALL; AUDIT POLICY all_acts", "every statement of every user"),
            ("audit_trail = DB, EXTENDED", "the text of statements in the older trail"),
        ],
        sample: sample!("oracle_audit/older.json"),
    },
];
