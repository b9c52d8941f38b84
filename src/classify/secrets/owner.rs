//! Whose secret it is: sending a token to the service that gave it is what it is for.

/// A service's name as rules and variables spell it, and what its hosts have in their names; nothing for a service
/// that people run on hosts of their own.
const OWNERS: &[(&str, &[&str])] = &[
    ("airtable", &["airtable"]),
    ("alibaba", &["aliyun", "alibaba"]),
    ("anthropic", &["anthropic", "claude"]),
    ("artifactory", &[]),
    ("atlassian", &["atlassian", "jira", "confluence", "bitbucket"]),
    ("aws", &["amazonaws", "aws"]),
    ("azure", &["azure", "microsoft", "windows.net"]),
    ("curl", &[]),
    ("discord", &["discord"]),
    ("docker", &["docker"]),
    ("droneci", &[]),
    ("gcp", &["google", "firebase", "gcr.io", "pkg.dev"]),
    ("gh", &["github", "ghcr.io", "githubusercontent"]),
    ("github", &["github", "ghcr.io", "githubusercontent"]),
    ("gitlab", &[]),
    ("google", &["google", "firebase", "gcr.io", "pkg.dev"]),
    ("grafana", &[]),
    ("harness", &[]),
    ("hashicorp", &[]),
    ("hf", &["huggingface", "hf.co"]),
    ("huggingface", &["huggingface", "hf.co"]),
    ("jfrog", &[]),
    ("jira", &["atlassian", "jira"]),
    ("kubernetes", &[]),
    ("mailgun", &["mailgun"]),
    ("mattermost", &[]),
    ("microsoft", &["office.com", "microsoft", "azure"]),
    ("new", &["newrelic", "nr-data"]),
    ("npm", &["npm", "registry"]),
    ("openai", &["openai", "azure"]),
    ("openshift", &[]),
    ("sendinblue", &["sendinblue", "brevo"]),
    ("sentry", &[]),
    ("shopify", &["shopify"]),
    ("slack", &["slack"]),
    ("sonar", &[]),
    ("sourcegraph", &[]),
    ("square", &["square"]),
    ("stripe", &["stripe"]),
    ("vault", &[]),
];

/// Secrets of this machine's own databases and accounts: no host outside is told them.
const OURS: &[&str] =
    &["database", "db", "mongo", "mongodb", "mysql", "pg", "pgpassword", "postgres", "redis", "ssh", "sudo", "private"];

/// Whether a secret that `rule` found belongs to the service at `host`; `logs_in`: it stands in a header.
pub(in crate::classify) fn belongs(rule: &str, host: &str, logs_in: bool) -> bool {
    // A session's own token is made for whoever is talked to.
    if rule.starts_with("jwt") {
        return true;
    }
    let service = rule.split('-').next().unwrap_or(rule);
    match owner(service) {
        Some([]) => logs_in || host.contains(service),
        Some(hosts) => hosts.iter().any(|part| host.contains(part)),
        None => host.contains(service),
    }
}

/// Whether the value of a variable of this name is a secret of some other service than the one at `host`.
pub(in crate::classify) fn variable_leaves(name: &str, host: &str) -> bool {
    let name = name.trim_matches(['$', '{', '}']).to_ascii_lowercase();
    let secret = ["secret", "token", "password", "passwd", "key", "credential", "database_url", "_dsn"];
    if !secret.iter().any(|word| name.contains(word)) || name.contains("public") {
        return false;
    }
    let service = name.split('_').next().unwrap_or(&name);
    match owner(service) {
        Some([]) => !host.contains(service),
        Some(hosts) => !hosts.iter().any(|part| host.contains(part)),
        None => OURS.contains(&service),
    }
}

fn owner(service: &str) -> Option<&'static [&'static str]> {
    OWNERS.binary_search_by(|(name, _)| (*name).cmp(service)).ok().map(|at| OWNERS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_their_own_services() {
        assert!(OWNERS.is_sorted());
        assert!(belongs("github-pat", "api.github.com", true));
        assert!(!belongs("github-pat", "collect.example.net", true));
        assert!(belongs("grafana-service-account-token", "metrics.example.com", true));
        assert!(!belongs("grafana-service-account-token", "collect.example.net", false));
        assert!(belongs("digitalocean-pat", "api.digitalocean.com", true));
    }

    #[test]
    fn variables_say_whose_they_are() {
        assert!(variable_leaves("AWS_SECRET_ACCESS_KEY", "evil.example"));
        assert!(!variable_leaves("AWS_SECRET_ACCESS_KEY", "s3.amazonaws.com"));
        assert!(!variable_leaves("API_KEY", "api.example.com"));
        assert!(!variable_leaves("GITHUB_REPOSITORY", "evil.example"));
        assert!(variable_leaves("DATABASE_URL", "evil.example"));
    }
}
