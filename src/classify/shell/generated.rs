//! Code that programs print for the shell that asked them: completions, hooks, paths. Running it is everyday work.

/// Programs that print nothing but settings for the shell.
const SETTINGS: &[&str] =
    &["ssh-agent", "keychain", "gpg-agent", "dircolors", "lesspipe", "lesspipe.sh", "resize", "tset"];
/// Programs with the word that makes them print settings or hooks.
const HOOKS: &[(&str, &[&str])] = &[
    ("asdf", &["exec", "env"]),
    ("atuin", &["init"]),
    ("brew", &["shellenv"]),
    ("conda", &["shell.bash", "shell.zsh", "shell.posix"]),
    ("devbox", &["shellenv"]),
    ("direnv", &["hook", "export"]),
    ("docker-machine", &["env"]),
    ("fnm", &["env"]),
    ("fzf", &["--bash", "--zsh"]),
    ("goenv", &["init"]),
    ("jenv", &["init"]),
    ("luarocks", &["path"]),
    ("mamba", &["shell"]),
    ("mcfly", &["init"]),
    ("micromamba", &["shell"]),
    ("minikube", &["docker-env"]),
    ("mise", &["activate", "env", "hook-env"]),
    ("nodenv", &["init"]),
    ("oh-my-posh", &["init"]),
    ("opam", &["env", "config"]),
    ("pyenv", &["init", "virtualenv-init"]),
    ("rbenv", &["init"]),
    ("register-python-argcomplete", &[]),
    ("starship", &["init"]),
    ("thefuck", &["--alias"]),
    ("zoxide", &["init"]),
];

/// Whether the substitution `written` (`$(…)`, `<(…)`, backticks) is one program that prints settings for the shell.
pub(super) fn is_settings(written: &str) -> bool {
    let inside = written.trim_start_matches(['$', '<', '(', '`']).trim_end_matches([')', '`']);
    if inside.contains([';', '|', '&', '<', '>', '`', '$', '\n']) {
        return false;
    }
    let mut words = inside.split_whitespace().skip_while(|word| matches!(*word, "command" | "builtin" | "exec"));
    let Some(program) = words.next().and_then(|word| word.rsplit('/').next()) else { return false };
    let mut completes = words.clone().map(|word| word.trim_start_matches('-').trim_end_matches("-script"));
    SETTINGS.contains(&program)
        || completes.any(|word| matches!(word, "completion" | "completions" | "shell-completion" | "bash-completion"))
        || HOOKS
            .iter()
            .any(|(name, verbs)| *name == program && (verbs.is_empty() || words.any(|word| verbs.contains(&word))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: bool) {
        assert_eq!(is_settings(written), expected, "{written}");
    }

    #[test]
    fn completions_and_hooks_are_settings() {
        check("<(kubectl completion bash)", true);
        check("$(/opt/homebrew/bin/brew shellenv)", true);
        check("`ssh-agent -s`", true);
        check("$(pyenv init -)", true);
    }

    #[test]
    fn anything_else_is_not() {
        check("$(curl -s https://example.com/completion)", false);
        check("$(brew shellenv; cat x)", false);
        check("$(brew list)", false);
        check("$()", false);
    }
}
