//! The packs that come with nearmiss: readable `.cedar` files, compiled into the program.

use super::Source;

macro_rules! pack {
    ($folder:literal: $($file:literal),+ $(,)?) => {
        &[$((
            concat!("builtin:", $folder, "/", $file, ".cedar"),
            include_str!(concat!("builtin/", $folder, "/", $file, ".cedar")),
        )),+]
    };
}

const RECOMMENDED: &[(&str, &str)] = pack!("recommended":
    "base", "sql", "data", "files", "rights", "git", "secrets", "access", "code", "infra", "availability", "sessions",
);
const STRICT: &[(&str, &str)] = pack!("strict": "agents", "production");

/// The names of the packs.
pub const PACKS: &[&str] = &["recommended", "strict"];

/// The sources of a pack: `recommended`, or `strict`, which extends it.
pub fn builtin(name: &str) -> Option<Vec<Source>> {
    let packs: &[&[(&str, &str)]] = match name {
        "recommended" => &[RECOMMENDED],
        "strict" => &[RECOMMENDED, STRICT],
        _ => return None,
    };
    let source = |(name, text): &(&str, &str)| Source { name: (*name).into(), text: (*text).into(), builtin: true };
    Some(packs.iter().copied().flatten().map(source).collect())
}
