//! Queries that ask for passwords, tokens and keys as such.

use sqlparser::ast::{Expr, Select, SelectItem};

use crate::model::Extent;

/// What a query's list of columns asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nothing secret by its name.
    #[default]
    Plain,
    /// Every column.
    Everything,
    /// A column that holds secrets by its name.
    Secrets,
}

/// Columns, in lower case, whose values let somebody in.
const COLUMNS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "password_hash",
    "passwd_hash",
    "pwd_hash",
    "passwordhash",
    "hashed_password",
    "encrypted_password",
    "password_digest",
    "rolpassword",
    "authentication_string",
    "spare4",
    "api_key",
    "apikey",
    "api_secret",
    "api_token",
    "client_secret",
    "consumer_secret",
    "secret_key",
    "signing_key",
    "private_key",
    "access_token",
    "refresh_token",
    "auth_token",
    "session_token",
    "bearer_token",
    "totp_secret",
    "mfa_secret",
    "otp_secret",
    "two_factor_secret",
    "recovery_codes",
    "card_number",
    "cvv",
];

/// Where servers keep the passwords of their own users.
const CATALOGUES: &[&str] = &[
    "pg_authid",
    "pg_shadow",
    "pg_user_mappings",
    "mysql.user",
    "mysql.global_priv",
    "sys.sql_logins",
    "sys.syslogins",
    "syslogins",
    "sql_logins",
    "sys.user$",
    "user$",
];

/// Tables whose rows are secrets.
const TABLES: &[&str] = &[
    "secrets",
    "credentials",
    "user_credentials",
    "passwords",
    "api_keys",
    "apikeys",
    "access_tokens",
    "refresh_tokens",
    "oauth_tokens",
    "oauth_access_tokens",
    "personal_access_tokens",
    "auth_tokens",
    "private_keys",
    "signing_keys",
    "encryption_keys",
    "service_account_keys",
];

/// What the columns of `select` are.
pub(super) fn asked(select: &Select) -> Asks {
    let mut asks = Asks::Plain;
    for item in &select.projection {
        let expr = match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                asks = Asks::Everything;
                continue;
            }
            _ => continue,
        };
        let column = match expr {
            Expr::Identifier(ident) => ident,
            Expr::CompoundIdentifier(parts) => match parts.last() {
                Some(last) => last,
                None => continue,
            },
            _ => continue,
        };
        if COLUMNS.iter().any(|name| column.value.eq_ignore_ascii_case(name)) {
            return Asks::Secrets;
        }
    }
    asks
}

/// Whether reading `table` so far for what is asked is reading secrets.
pub(super) fn reads(table: &str, asks: Asks, extent: Extent) -> bool {
    if asks == Asks::Plain {
        return false;
    }
    let lower = table.to_ascii_lowercase();
    let last = lower.rsplit('.').next().unwrap_or(&lower);
    CATALOGUES.iter().any(|name| {
        lower.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            || !name.contains('.') && last == *name
    }) || extent == Extent::All && (asks == Asks::Secrets || TABLES.contains(&last))
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn secrets_read_as_such_are_said_to_be() {
        check(
            "postgres",
            "SELECT rolname, rolpassword FROM pg_authid",
            "read Table pg_authid (all, credential, internal)",
        );
        check("mysql", "SELECT * FROM mysql.user", "read Table mysql.user (all, credential, internal)");
        check("postgres", "SELECT email, password_hash FROM users", "read Table users (all, credential)");
        check("postgres", "SELECT * FROM api_keys", "read Table api_keys (all, credential)");
        check(
            "postgres",
            "SELECT id, password_hash FROM users WHERE email = 'a@example.com'",
            "read Table users (some)",
        );
        check("postgres", "SELECT count(*) FROM api_keys", "read Table api_keys (all)");
        check("postgres", "SELECT rolname FROM pg_authid", "read Table pg_authid (all, internal)");
    }
}
