//! What a program word means: which program, or a file of the workspace.

use std::borrow::Cow;

use crate::classify::Word;
use crate::model::Span;

/// Folders that installed programs are run from; what is run from elsewhere by its path is a local program.
const INSTALLED: &[&str] = &[
    "/bin/",
    "/sbin/",
    "/usr/",
    "/opt/",
    "/snap/bin/",
    "/nix/",
    "/run/current-system/",
    "/Library/",
    "/Applications/",
    "/System/",
    "/var/ossec/",
];

/// Programs that stand in a project under a name everybody knows.
const PROJECT_PROGRAMS: &[&str] =
    &["gradlew", "mvnw", "manage.py", "artisan", "rails", "rake", "bundle", "console", "sail", "rspec"];

/// Whether the word is the path of a program that nobody can know: `./rm`, `build/tool`, `~/x.sh`.
pub(super) fn is_local(word: &str) -> bool {
    if !word.contains(['/', '\\']) {
        return word.ends_with(".sh") || word.ends_with(".py");
    }
    let path = word.replace('\\', "/");
    if path.get(1..3) == Some(":/") {
        return false;
    }
    if let Some(tail) = path.split("/node_modules/.bin/").nth(1).or_else(|| path.strip_prefix("node_modules/.bin/")) {
        return tail.contains('/');
    }
    // The tools of a virtual environment are the ones everybody knows.
    if path.contains("venv/bin/")
        || path.contains(".local/bin/")
        || path.contains("/.cargo/bin/")
        || path.contains("/homebrew/")
    {
        return false;
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let of_the_project = folder == "." || folder.ends_with("bin");
    if path.contains("vendor/bin/")
        || of_the_project && (PROJECT_PROGRAMS.contains(&name) || name.starts_with("kafka-"))
    {
        return false;
    }
    !INSTALLED.iter().any(|folder| path.starts_with(folder))
}

/// Folders of the scripts by which services are started and stopped.
const SERVICES: &[&str] = &["/etc/init.d/", "/etc/rc.d/init.d/", "/usr/local/etc/rc.d/", "/etc/rc.d/"];

/// The service that a start script of the machine is for: `/etc/init.d/nginx`.
pub(super) fn service_of(word: &str) -> Option<&str> {
    let name = SERVICES.iter().find_map(|folder| word.strip_prefix(folder))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Whether a word has nothing in it that a shell or another language would act on.
pub(super) fn is_bare(word: &Word) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    word.is_known() && !word.glob && !word.text.is_empty() && word.text.bytes().all(plain)
}

/// The name a program is looked up by: `/usr/bin/git`, `git.exe` and `C:/Git/bin/git.exe` are `git`.
pub(super) fn name(word: &str) -> Cow<'_, str> {
    let last = word.rsplit(['/', '\\']).next().unwrap_or(word);
    for tail in [".exe", ".EXE", ".cmd", ".bat", ".com"] {
        if let Some(stem) = last.strip_suffix(tail) {
            return Cow::Owned(stem.to_ascii_lowercase());
        }
    }
    Cow::Borrowed(last)
}

/// `python3.11`, `gcc-13` and `psql-16` without what tells versions apart.
pub(super) fn without_version(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let stem = if stem.len() < name.len() { stem.strip_suffix('-').unwrap_or(stem) } else { stem };
    if stem.is_empty() { name } else { stem }
}

/// The words of an argv with their places in its shell-quoted form.
pub(super) fn placed(argv: &[String], text: &str) -> Vec<Word> {
    let mut at = 0;
    let mut words = Vec::with_capacity(argv.len());
    for value in argv {
        let mut word = Word::known(&**value);
        word.quoted = true;
        if let Some(found) = text.get(at..).and_then(|rest| rest.find(&**value)).filter(|_| !value.is_empty()) {
            word.span = Some(Span::new(at + found, at + found + value.len()));
            at += found + value.len();
        }
        words.push(word);
    }
    words
}

/// A command line with its operands taken out: `rm -rf <path>`.
pub(super) fn template(words: &[Word]) -> String {
    let mut text = String::new();
    let mut operands = 0;
    for (at, word) in words.iter().enumerate() {
        let shown = match &*word.text {
            first if at == 0 => name(first).into_owned(),
            option if option.starts_with('-') => option.split('=').next().unwrap_or(option).to_owned(),
            command if operands == 0 && at == 1 && command.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
                command.to_owned()
            }
            _ if operands > 0 => continue,
            path if path.contains(['/', '.']) => "<path>".to_owned(),
            _ => "<arg>".to_owned(),
        };
        operands += usize::from(shown.starts_with('<'));
        if at > 0 {
            text.push(' ');
        }
        text.push_str(&shown);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_under_many_names() {
        for word in
            ["git", "/usr/bin/git", "git.exe", "C:/Git/bin/git.exe", r"C:\Git\bin\git.EXE", "/usr/bin/../bin/git"]
        {
            assert_eq!(name(word), "git");
            assert!(!is_local(word), "{word}");
        }
        assert_eq!(without_version("python3.11"), "python");
        assert_eq!(without_version("gcc-13"), "gcc");
        assert_eq!(without_version("7z"), "7z");
    }

    #[test]
    fn a_path_of_ones_own_is_a_local_program() {
        for word in ["./rm", "scripts/deploy", "~/bin/x", "/home/me/tool", "setup.sh"] {
            assert!(is_local(word), "{word}");
        }
        assert!(!is_local("./node_modules/.bin/eslint"));
    }

    #[test]
    fn a_start_script_is_its_service() {
        assert_eq!(service_of("/etc/init.d/nginx"), Some("nginx"));
        assert_eq!(service_of("/etc/rc.d/init.d/mysqld"), Some("mysqld"));
        assert_eq!(service_of("/etc/cron.daily/logrotate"), None);
    }
}
