//! SQL dialects: their names, and how each one quotes, comments and commits.

use sqlparser::dialect as parsers;

/// A family of servers that read the same text the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nobody said which one: read what most servers would run.
    Unknown,
    Postgres,
    Redshift,
    DuckDb,
    MySql,
    TSql,
    Sqlite,
    Oracle,
    Snowflake,
    BigQuery,
    ClickHouse,
    Hive,
    Databricks,
    Teradata,
    Ansi,
}

use Dialect::*;

impl Dialect {
    /// The dialect usually called `name`.
    pub(super) fn named(name: Option<&str>) -> Self {
        match name.unwrap_or_default() {
            "postgres" | "postgresql" | "pg" | "psql" | "pgsql" | "cockroachdb" | "cockroach" | "greenplum"
            | "timescaledb" | "yugabyte" | "vertica" | "alloydb" => Postgres,
            "redshift" => Redshift,
            "duckdb" => DuckDb,
            "mysql" | "mariadb" | "tidb" | "singlestore" | "percona" => MySql,
            "tsql" | "mssql" | "sqlserver" | "sql-server" | "azure-sql" | "sybase" => TSql,
            "sqlite" | "sqlite3" | "libsql" | "d1" => Sqlite,
            "oracle" | "plsql" => Oracle,
            "snowflake" => Snowflake,
            "bigquery" => BigQuery,
            "clickhouse" => ClickHouse,
            "hive" | "impala" | "trino" | "presto" | "athena" => Hive,
            "databricks" | "spark" | "sparksql" => Databricks,
            "teradata" => Teradata,
            "ansi" => Ansi,
            _ => Unknown,
        }
    }

    /// The parser's own description of this dialect.
    pub(super) fn parser(self) -> &'static dyn parsers::Dialect {
        match self {
            Unknown => &parsers::GenericDialect {},
            Postgres => &parsers::PostgreSqlDialect {},
            Redshift => &parsers::RedshiftSqlDialect {},
            DuckDb => &parsers::DuckDbDialect {},
            MySql => &parsers::MySqlDialect {},
            TSql => &parsers::MsSqlDialect {},
            Sqlite => &parsers::SQLiteDialect {},
            Oracle => &parsers::OracleDialect {},
            Snowflake => &parsers::SnowflakeDialect {},
            BigQuery => &parsers::BigQueryDialect {},
            ClickHouse => &parsers::ClickHouseDialect {},
            Hive => &parsers::HiveDialect {},
            Databricks => &parsers::DatabricksDialect {},
            Teradata => &parsers::TeradataDialect {},
            Ansi => &parsers::AnsiDialect {},
        }
    }

    /// A backslash in a plain string escapes the next letter.
    pub(super) fn backslash(self) -> bool {
        matches!(self, MySql | BigQuery | Snowflake | ClickHouse | Hive | Databricks)
    }

    /// `"x"` is a string, not a name.
    pub(super) fn double_quoted_strings(self) -> bool {
        matches!(self, MySql | BigQuery | Hive | Databricks)
    }

    /// `$$ … $$` and `$tag$ … $tag$` are strings.
    pub(super) fn dollar_quotes(self) -> bool {
        matches!(self, Unknown | Postgres | Redshift | DuckDb | Snowflake | Databricks)
    }

    /// `[x]` is a name.
    pub(super) fn bracket_names(self) -> bool {
        matches!(self, Unknown | TSql | Sqlite)
    }

    /// A comment inside a comment must be closed as well.
    pub(super) fn nested_comments(self) -> bool {
        matches!(self, Unknown | Postgres | Redshift | DuckDb | TSql | ClickHouse)
    }

    /// `# …` is a comment wherever it stands.
    pub(super) fn hash_comments(self) -> bool {
        matches!(self, MySql | BigQuery | ClickHouse)
    }

    /// `/*! … */` is run.
    pub(super) fn runs_comments(self) -> bool {
        matches!(self, Unknown | MySql)
    }

    /// Backslash commands are those of psql or of the mysql client.
    pub(super) fn backslash_commands(self) -> bool {
        matches!(self, Unknown | Postgres | Redshift | MySql | Ansi)
    }

    /// A rollback takes CREATE, ALTER and DROP back as well.
    pub(super) fn transactional_schema(self) -> bool {
        matches!(self, Postgres | Redshift | DuckDb | Sqlite | TSql)
    }

    /// Statements need no semicolon between them.
    pub(super) fn loose_ends(self) -> bool {
        matches!(self, TSql | Unknown)
    }
}
