//! Which files hold keys, tokens and passwords, by their names.

/// Whether the path with these parts holds (or is a folder of) keys, tokens or passwords.
pub(super) fn is_credential(parts: &[&str]) -> bool {
    let Some((&last, above)) = parts.split_last() else { return false };
    if is_harmless(last) {
        return false;
    }
    NAMES.binary_search(&last).is_ok()
        || is_key_name(last, above)
        || is_env_file(last)
        || is_known_place(last, above)
        || is_folder_of_secrets(last)
        || above.iter().any(|part| is_folder_of_secrets(part)) && !is_public_neighbour(last)
}

/// Public halves, samples and templates of what would be a secret.
fn is_harmless(name: &str) -> bool {
    const TAILS: &[&str] = &[
        ".pub",
        ".example",
        ".sample",
        ".template",
        ".dist",
        ".defaults",
        ".schema",
        ".tmpl",
        ".j2",
        ".md",
        ".test.ts",
    ];
    TAILS.iter().any(|tail| name.ends_with(tail)) || name.contains(".example.") || name.contains(".sample.")
}

/// Sorted: looked up by binary search.
const NAMES: &[&str] = &[
    ".boto",
    ".credentials.json",
    ".dockercfg",
    ".env",
    ".envrc",
    ".esmtprc",
    ".git-credentials",
    ".htpasswd",
    ".msmtprc",
    ".my.cnf",
    ".mylogin.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".vault-token",
    ".yarnrc.yml",
    "Cookies",
    "Login Data",
    "_netrc",
    "accessTokens.json",
    "access_tokens.db",
    "application_default_credentials.json",
    "authorized_keys",
    "client_secret.json",
    "cookies.sqlite",
    "credentials.db",
    "credentials.json",
    "credentials.tfrc.json",
    "credentials.toml",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "key3.db",
    "key4.db",
    "keyring.gpg",
    "kubeconfig",
    "login.keychain-db",
    "logins.json",
    "master.key",
    "msalTokenCache.json",
    "ntds.dit",
    "pgpass.conf",
    "rclone.conf",
    "secrets.json",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
    "service-account.json",
    "serviceAccountKey.json",
    "wallet.dat",
    "wp-config.php",
];

fn is_key_name(last: &str, above: &[&str]) -> bool {
    const TAILS: &[&str] = &[
        ".pem",
        ".key",
        ".p12",
        ".pfx",
        ".jks",
        ".keystore",
        ".kdbx",
        ".kdb",
        ".ppk",
        ".keytab",
        ".ovpn",
        ".tfstate",
        ".tfstate.backup",
        ".secret",
        ".p8",
        ".agekey",
    ];
    let public = last.starts_with("ca") || above.ends_with(&["ssl", "certs"]) || above.contains(&"ca-certificates");
    TAILS.iter().any(|tail| last.ends_with(tail)) && !public
        || last.starts_with("id_rsa")
        || last.starts_with("id_ed25519")
}

fn is_env_file(last: &str) -> bool {
    last.strip_prefix(".env").is_some_and(|rest| rest.starts_with(['.', '*', '-']) && !rest.ends_with(".d.ts"))
}

fn is_known_place(last: &str, above: &[&str]) -> bool {
    let parent = above.last().copied().unwrap_or_default();
    match (parent, last) {
        ("etc", "shadow" | "gshadow" | "shadow-" | "master.passwd" | "krb5.keytab")
        | (".aws", "credentials" | "config")
        | (".kube", "config")
        | (".docker", "config.json")
        | (".cargo", "credentials")
        | (".gem", "credentials")
        | (".composer" | ".codex", "auth.json")
        | ("gh" | "hub", "hosts.yml")
        | (".terraform.d", "credentials.tfrc.json")
        | ("kubernetes", "admin.conf")
        | (_, "environ") => parent != "environ" && (last != "environ" || above.first() == Some(&"proc")),
        ("config", "SAM" | "SYSTEM" | "SECURITY") => above.contains(&"System32"),
        _ => false,
    }
}

fn is_folder_of_secrets(name: &str) -> bool {
    matches!(
        name,
        ".ssh"
            | ".gnupg"
            | ".password-store"
            | ".aws"
            | ".azure"
            | ".kube"
            | "gcloud"
            | "Keychains"
            | "keyrings"
            | "secrets.d"
            | "pki"
            | ".mozilla"
            | "google-chrome"
            | ".1password"
            | ".bitwarden"
            | ".electrum"
    )
}

/// Lies beside secrets without being one.
fn is_public_neighbour(last: &str) -> bool {
    matches!(last, "known_hosts" | "known_hosts.old" | "config" | "environment" | "cache" | "ca.crt")
        || last.ends_with(".crt")
        || last.ends_with(".conf")
        || last.ends_with(".log")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(super::NAMES.is_sorted());
    }
}
