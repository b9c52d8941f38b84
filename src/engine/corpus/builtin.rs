//! The incidents that come with nearmiss, compiled into the program.

use std::sync::Arc;

use super::{CorpusError, Incident};

macro_rules! incidents {
    ($($id:literal),+ $(,)?) => {
        &[$(($id, include_str!(concat!("../../../corpora/incidents/", $id, ".toml")))),+]
    };
}

/// Their ids and their files.
pub const INCIDENTS: &[(&str, &str)] = incidents![
    "amazon-q-2025",
    "antigravity-2025-12",
    "atlassian-2022",
    "aws-elb-2012",
    "aws-s3-2017",
    "azcopy-dryrun-2021",
    "azure-devops-2023",
    "bumblebee-2011",
    "capital-one-2019",
    "claude-12637",
    "claude-14411",
    "claude-21217",
    "claude-21227",
    "claude-39859",
    "claude-45463",
    "claude-45974",
    "claude-74557",
    "claude-80830",
    "claude-84660",
    "claude-8482",
    "claude-93099",
    "claude-home-2025-12",
    "cloudflare-r2-2025",
    "codecov-2021",
    "codespaces-2014",
    "datatalks-2026",
    "digitalocean-2017",
    "do-zeroize-2021",
    "gemini-1504",
    "gemini-4586",
    "github-2010",
    "gitlab-2017",
    "gliffy-2016",
    "helix-2026",
    "jenkins-2013",
    "joyent-2014",
    "k8s-oom-2026",
    "keepthescore-2020",
    "kyoto-2021",
    "left-pad-2016",
    "misattribution-40710",
    "moj-kubectl-2018",
    "nx-s1ngularity-2025",
    "openclaw-2026",
    "pixar-1998",
    "pocketos-2026",
    "postmark-mcp-2025",
    "replit-2025",
    "salesforce-2019",
    "salesloft-2025",
    "skyscanner-2021",
    "spotify-2018",
    "steam-2015",
    "supabase-mcp-2025",
    "tj-actions-2025",
    "travis-2018",
    "ua-parser-2021",
    "vfemail-2019",
];

/// All of them, by date.
///
/// # Errors
/// When a file of the program's own is broken; a test sees to it that none is.
pub fn builtin() -> Result<Vec<Arc<Incident>>, CorpusError> {
    let read = |(id, text): &(&str, &str)| Incident::parse(id, text).map(Arc::new);
    let mut all = INCIDENTS.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| (&a.date, &a.id).cmp(&(&b.date, &b.id)));
    Ok(all)
}
