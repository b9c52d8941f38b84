//! GitLab code quality: an array of findings that the merge request shows at their lines.

use std::io::{self, Write};

use serde_json::json;

use crate::model::Severity;

use super::remark::{Level, Remark, remarks};
use super::{ChangeReport, Told};

#[derive(Debug)]
pub(super) struct Gitlab;

impl ChangeReport for Gitlab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn about(&self) -> &'static str {
        "code quality for a GitLab merge request"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let findings: Vec<_> = remarks(told)
            .iter()
            .map(|remark| {
                json!({
                    "type": "issue",
                    "description": remark.message,
                    "check_name": remark.check,
                    "fingerprint": remark.fingerprint,
                    "severity": severity(remark),
                    "location": { "path": remark.spot.file, "lines": { "begin": remark.spot.line } },
                })
            })
            .collect();
        serde_json::to_writer_pretty(&mut *out, &findings)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// `info`, `minor`, `major`, `critical` or `blocker`: what the gate fails by is at least major.
fn severity(remark: &Remark<'_>) -> &'static str {
    match (remark.level, remark.severity) {
        (Level::Note, _) => "info",
        (Level::Warning, _) => "minor",
        (Level::Error, Severity::Critical) => "blocker",
        (Level::Error, Severity::High) => "critical",
        (Level::Error, _) => "major",
    }
}
