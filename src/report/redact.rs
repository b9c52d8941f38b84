//! Secrets taken out of recorded text before anybody sees it.
//!
//! A secret is masked letter by letter, so that spans into the text stay right.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// The group called `secret` is what is masked.
static SECRETS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| PATTERNS.iter().map(|pattern| Regex::new(pattern).expect("the patterns are tested")).collect());

const PATTERNS: &[&str] = &[
    // Tokens that say what they are.
    r"\b(?P<secret>(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,}|sk_live_[A-Za-z0-9]{16,}|rk_live_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{35}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|hf_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{64}|(?:AKIA|ASIA)[A-Z0-9]{16}))\b",
    r"(?P<secret>eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>[\s\S]{16,}?)(?:-----END|\z)",
    // Passwords that stand in a place for passwords.
    r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@'\x22]*:(?P<secret>[^\s@/'\x22$]{1,200})@",
    r"(?i)\b(?:authorization|x-api-key|api-key|private-token)\s*[:=]\s*(?:bearer |basic |token )?(?P<secret>[A-Za-z0-9+/=._~-]{8,})",
    r"(?i)\b[a-z0-9_]*(?:password|passwd|pwd|secret|token|api_?key|access_?key)[a-z0-9_]*\s*[=:]\s*['\x22]?(?P<secret>[^\s'\x22;,&|$(){}<>]{4,})",
    r"(?i)\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?['\x22](?P<secret>[^'\x22]+)['\x22]",
    r"(?i)\bpassword\s+'(?P<secret>[^']+)'",
    r"(?i)--(?:password|token|secret|api-key)(?:=|\s+)['\x22]?(?P<secret>[^\s'\x22$-][^\s'\x22]{3,})",
    r"\bmysql(?:dump|admin)?\b[^|;&\n]*?\s-p(?P<secret>[^\s'\x22$-][^\s'\x22]*)",
];

/// A word that could start any of the patterns; most text has none and is handed back as it is.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i-u)gh[pousr]_|github_pat|glpat|xox|sk-|k_live_|AIza|npm_|pypi-|hf_|SG\.|dop_v1|AKIA|ASIA|eyJ|PRIVATE KEY|://|authorization|api-?_?key|token|passw|pwd|secret|access_?key|identified|mysql")
        .expect("the pattern is tested")
});

/// `text` with every secret masked by `*`, byte for byte.
pub fn redacted(text: &str) -> Cow<'_, str> {
    if !HINT.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut masked: Option<Vec<u8>> = None;
    for pattern in SECRETS.iter() {
        for found in pattern.captures_iter(text) {
            let Some(secret) = found.name("secret") else { continue };
            masked.get_or_insert_with(|| text.as_bytes().to_vec())[secret.range()].fill(b'*');
        }
    }
    // Whole characters were replaced by ASCII, so what is left is UTF-8 again.
    masked.and_then(|bytes| String::from_utf8(bytes).ok()).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redacted(text), expected);
        assert_eq!(redacted(text).len(), text.len());
    }

    #[test]
    fn tokens() {
        let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
        check(&format!("curl -H {token} x"), &format!("curl -H {} x", "*".repeat(token.len())));
    }

    #[test]
    fn passwords_in_their_places() {
        check("psql postgres://app:hunter2@db/shop", "psql postgres://app:*******@db/shop");
        check("PGPASSWORD=hunter2 psql", "PGPASSWORD=******* psql");
        check("ALTER USER bob PASSWORD 'hunter2'", "ALTER USER bob PASSWORD '*******'");
        check("mysql -u root -phunter2 shop", "mysql -u root -p******* shop");
        check("Authorization: Bearer abcdefgh12345", "Authorization: Bearer *************");
    }

    #[test]
    fn variables_and_plain_words_stay() {
        for text in ["PGPASSWORD=$PW psql", "git commit -m 'rotate the token'", "DELETE FROM tokens WHERE id = 4"] {
            check(text, text);
        }
    }
}
