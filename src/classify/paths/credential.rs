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
        || is_secrets_file(last)
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
    ".authinfo",
    ".authinfo.gpg",
    ".boto",
    ".claude.json",
    ".credentials.json",
    ".databrickscfg",
    ".dev.vars",
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
    ".passwd-s3fs",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".secrets",
    ".sentryclirc",
    ".terraformrc",
    ".vault-token",
    ".vault_pass",
    ".vault_pass.txt",
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
    // What certbot keeps beside the key goes to whoever connects.
    let certificate = matches!(last, "cert.pem" | "chain.pem" | "fullchain.pem") && above.contains(&"letsencrypt");
    let public = certificate
        || last.starts_with("ca")
        || above.ends_with(&["ssl", "certs"])
        || above.contains(&"ca-certificates");
    TAILS.iter().any(|tail| last.ends_with(tail)) && !public
        || last.starts_with("id_rsa")
        || last.starts_with("id_ed25519")
}

/// `shop-credentials.json`, `secrets.auto.tfvars`, `acme-firebase-adminsdk-x.json`.
fn is_secrets_file(last: &str) -> bool {
    let Some((stem, tail)) = last.rsplit_once('.') else { return false };
    match tail {
        "json" => stem.ends_with("-credentials") || stem.contains("-adminsdk-") || stem.ends_with("oauth_creds"),
        "tfvars" => stem.contains("secret") || stem.contains("credential"),
        "nmconnection" => true,
        "credential" => true,
        _ => false,
    }
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
        | (
            ".composer" | ".codex" | "containers" | ".vercel" | "com.vercel.cli" | "openai" | "opencode"
            | "configstore",
            "auth.json",
        )
        | (".config", "hub" | "linode-cli")
        | ("git" | ".heroku" | ".datadog", "credentials")
        | (".m2", "settings.xml" | "settings-security.xml")
        | (".gradle", "gradle.properties")
        | ("NuGet", "NuGet.Config" | "nuget.config")
        | ("glab-cli" | ".fly" | ".jira.d", "config.yml")
        | ("doctl", "config.yaml")
        | ("hcloud", "cli.toml")
        | ("netlify" | ".netlify" | ".railway" | ".mc" | ".aliyun" | ".bluemix", "config.json")
        | ("stripe" | ".supabase" | ".convex", "config.toml" | "access-token" | "config.json")
        | (".snowsql" | "op" | ".bundle" | ".oci", "config")
        | (".kaggle", "kaggle.json")
        | ("huggingface" | ".huggingface", "token" | "stored_tokens")
        | ("github-copilot", "hosts.json" | "apps.json")
        | ("solana", "id.json")
        | ("k3s", "k3s.yaml")
        | ("wpa_supplicant", "wpa_supplicant.conf")
        | ("age", "keys.txt")
        | (".ansible", "vault_pass.txt")
        | ("etc", "passwd-s3fs")
        | ("gh" | "hub", "hosts.yml")
        | (".terraform.d", "credentials.tfrc.json")
        | ("kubernetes", "admin.conf")
        | (_, "environ") => parent != "environ" && (last != "environ" || above.first() == Some(&"proc")),
        ("config", "default.toml") => above.iter().any(|part| part.contains("wrangler")),
        ("wireguard", name) => name.ends_with(".conf"),
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
            | ".step"
            | "system-connections"
            | "svn.simple"
            | ".ethereum"
            | "BraveSoftware"
    )
}

/// Lies beside secrets without being one.
fn is_public_neighbour(last: &str) -> bool {
    matches!(last, "known_hosts" | "known_hosts.old" | "config" | "alias" | "environment" | "cache" | "ca.crt")
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
