//! The shelf of formats: a new one is one file here and its two lines below.

pub mod actions;
pub mod agentdojo;
pub mod aider;
pub mod anthropic;
pub mod antigravity;
pub mod apt_history;
pub mod asciicast;
pub mod atuin;
mod audit;
pub mod auditd;
pub mod azure_activity;
pub mod bash_history;
pub mod bfcl;
pub mod claude_code;
pub mod cline;
pub mod cloud_logs;
pub mod cloudtrail;
pub mod codex;
pub mod copilot_cli;
pub mod cowrie;
pub mod crush;
pub mod cursor;
pub mod cursor_sqlite;
pub mod databricks_audit;
pub mod droid;
pub mod fish_history;
pub mod gcp_audit;
pub mod gemini_cli;
pub mod github_audit;
pub mod goose;
pub mod grok;
pub mod hermes;
pub mod hoop;
pub mod hoopinspect;
pub mod inspect_ai;
pub mod kimi;
pub mod kiro;
pub mod kubernetes_audit;
pub mod kypo;
pub mod langsmith;
pub mod lines;
pub mod m365_audit;
pub mod mariadb_audit;
pub mod mcp;
pub mod mini_swe_agent;
pub mod mongodb;
mod mysql;
pub mod mysql_audit;
pub mod mysql_binlog;
pub mod mysql_general;
pub mod mysql_slow;
pub mod opa;
pub mod openai;
pub mod opencode;
pub mod openhands;
pub mod oracle_audit;
pub mod otel_genai;
pub mod pgaudit;
pub mod pi;
pub(super) mod postgres;
pub mod postgres_csv;
pub mod postgres_json;
pub mod postgres_stderr;
pub mod powershell_transcript;
mod proxied;
pub mod proxysql;
pub mod query_history;
pub mod qwen;
pub mod r_judge;
pub mod redis_monitor;
mod rows;
pub mod santa;
pub mod specstory;
pub mod sql_server_audit;
pub mod strace;
pub mod sudo;
pub mod swe_agent;
pub mod tau_bench;
pub mod tcsh_history;
pub mod teleport;
pub mod warp;
pub mod zed;
pub mod zsh_history;

use super::Reader;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] = &[
    &claude_code::ClaudeCode,
    &codex::Codex,
    &gemini_cli::GeminiCli,
    &openhands::OpenHands,
    &swe_agent::SweAgent,
    &mini_swe_agent::MiniSweAgent,
    &specstory::SpecStory,
    &copilot_cli::CopilotCli,
    &qwen::Qwen,
    &kimi::Kimi,
    &grok::Grok,
    &droid::Droid,
    &pi::Pi,
    &cursor::Cursor,
    &cursor_sqlite::CursorSqlite,
    &opencode::OpenCode,
    &crush::Crush,
    &goose::Goose,
    &hermes::Hermes,
    &kiro::Kiro,
    &zed::Zed,
    &antigravity::Antigravity,
    &cline::Cline,
    &aider::Aider,
    &openai::OpenAi,
    &anthropic::Anthropic,
    &mcp::Mcp,
    &otel_genai::OtelGenAi,
    &langsmith::LangSmith,
    &inspect_ai::InspectAi,
    &tau_bench::TauBench,
    &agentdojo::AgentDojo,
    &r_judge::RJudge,
    &bfcl::Bfcl,
    &postgres_csv::PostgresCsv,
    &postgres_json::PostgresJson,
    &postgres_stderr::PostgresStderr,
    &mysql_general::MysqlGeneral,
    &mysql_slow::MysqlSlow,
    &cloud_logs::CloudLogs,
    &cloudtrail::CloudTrail,
    &kubernetes_audit::KubernetesAudit,
    &gcp_audit::GcpAudit,
    &azure_activity::AzureActivity,
    &github_audit::GithubAudit,
    &m365_audit::M365Audit,
    &databricks_audit::DatabricksAudit,
    &bash_history::BashHistory,
    &zsh_history::ZshHistory,
    &fish_history::FishHistory,
    &tcsh_history::TcshHistory,
    &atuin::Atuin,
    &warp::Warp,
    &auditd::Auditd,
    &sudo::Sudo,
    &apt_history::AptHistory,
    &santa::Santa,
    &asciicast::Asciicast,
    &mysql_binlog::MysqlBinlog,
    &mariadb_audit::MariadbAudit,
    &redis_monitor::RedisMonitor,
    &strace::Strace,
    &cowrie::Cowrie,
    &kypo::Kypo,
    &pgaudit::Pgaudit,
    &mongodb::Mongodb,
    &mysql_audit::MysqlAudit,
    &query_history::QueryHistory,
    &sql_server_audit::SqlServerAudit,
    &oracle_audit::OracleAudit,
    &powershell_transcript::PowershellTranscript,
    &teleport::Teleport,
    &hoop::Hoop,
    &hoopinspect::HoopInspect,
    &opa::Opa,
    &proxysql::ProxySql,
    &actions::Actions,
    &lines::Lines,
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::{ProptestConfig, any};
    use proptest::sample::{Index, select};

    use super::READERS;
    use crate::reader::collect::read_all;

    /// The samples of every format, whichever reader is given them.
    fn samples() -> Vec<Vec<u8>> {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
        let mut samples = Vec::new();
        for reader in READERS {
            let folder = std::fs::read_dir(corpora.join(reader.name())).expect("a format has samples");
            let mut files: Vec<_> = folder.map(|entry| entry.expect("a readable folder").path()).collect();
            files.sort();
            samples.extend(files.into_iter().filter_map(|file| std::fs::read(file).ok()));
        }
        samples
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        /// A file of another format, cut, with bytes in it that do not belong there.
        #[test]
        fn no_reader_panics(
            sample in select(samples()),
            cuts in proptest::collection::vec((any::<Index>(), any::<Vec<u8>>()), 1..6),
            odd in select(&["", "é", "\u{feff}", "\0", "99999999999999999999", "-1", "[", "\\ud83d", "\n", "'", "|", "…"][..]),
        ) {
            let mut bytes = sample;
            for (at, with) in cuts {
                let at = at.index(bytes.len() + 1);
                let end = bytes.len().min(at + with.len() / 8);
                bytes.splice(at..end, with.into_iter().take(3).chain(odd.bytes()));
            }
            for reader in READERS {
                let sample = crate::reader::Sample { head: &bytes, complete: true, name: "é.log", tables: &[] };
                let _ = reader.detect(&sample);
                read_all(*reader, "é.log", &bytes);
            }
        }
    }
}
