//! Secrets taken out of recorded text before anybody sees it.
//!
//! A secret is masked letter by letter, so that spans into the text stay right.

use std::borrow::Cow;

use crate::classify::secrets;

/// `text` with every secret masked by `*`, byte for byte.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let found = secrets::find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = text.as_bytes().to_vec();
    for secret in found {
        masked[secret.range].fill(b'*');
    }
    // Whole characters were replaced by ASCII, so what is left is UTF-8 again.
    String::from_utf8(masked).map_or(Cow::Borrowed(text), Cow::Owned)
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
    fn tokens_that_gitleaks_knows() {
        let token = "k2Jd8fQ0zP4mV7xT1yB9nL5wR3cU6hGa";
        check(&format!("FASTLY_API_TOKEN = '{token}'"), &format!("FASTLY_API_TOKEN = '{}'", "*".repeat(32)));
        check("Authorization: Bearer päßword-ü12345678", "Authorization: Bearer päßword-ü12345678");
        check("{\"db_password\": \"schöne Grüße\"}", "{\"db_password\": \"***************\"}");
        check("curl -u ana:hunter22 https://x", "curl -u ana:******** https://x");
    }

    #[test]
    fn variables_and_plain_words_stay() {
        for text in ["PGPASSWORD=$PW psql", "git commit -m 'rotate the token'", "DELETE FROM tokens WHERE id = 4"] {
            check(text, text);
        }
    }
}
