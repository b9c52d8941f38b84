//! From a path as written to a resource with its areas.
//!
//! `~/../../etc//x`, `C:\Windows\.` and `$STEAMROOT/*` come in, a normalised name and what is known about where it
//! stands come out. Nothing is looked up on a disk: paths are those of the machine on which the command ran.

mod areas;
mod credential;
mod named;
mod normal;

use crate::model::{Area, Areas, Extent, Resource, ResourceKind};

use super::{Scene, Word};

pub use normal::{is_absolute, normalise};

/// Stands in a path for a part that is not known; never a name that means anything.
const HOLE: &str = "\u{1}";

/// The resource that `word` names: its normalised path and the areas it stands in.
///
/// `kind` is the caller's guess; a trailing slash, a glob over everything (`dir/*` is `dir`) or a folder everybody knows
/// makes a `File` a `Folder`, and a disk's device file is always a `Device`.
pub fn resource(scene: &Scene<'_>, word: &Word, kind: ResourceKind) -> Resource {
    if is_pipe(word) {
        let areas = Areas::default().with(Area::Sink).with(Area::Ephemeral);
        return Resource { kind, name: word.text.clone(), areas, unresolved: false };
    }
    let path = normal::of_word(scene, word);
    let mut known = if path.floating { areas::floating(&path.name) } else { areas(scene, &path.name) };
    if path.holes {
        let emptied = normal::normalise(scene, normal::without_everything(&word.emptied(), word.glob).0);
        let reached = areas::if_emptied(&emptied, areas(scene, &emptied));
        // A variable that nobody set is empty every day; a command that prints nothing where a folder is asked for is
        // worth a thought only where everything hangs on it: `$(npm config get prefix)/bin` is not `/bin`.
        let printed = word.unknown.first().is_some_and(|part| part.substitution && part.start == 0);
        if !printed || reached.has(Area::Root) || reached.has(Area::Home) {
            known = Areas(known.0 | reached.0);
        }
    }
    if path.made_up {
        known = known.with(Area::Temporary).with(Area::Ephemeral);
    }
    if word.is_known() && !known.has(Area::Root) && normal::climbs(scene, &word.text) {
        known = known.with(Area::Climbed);
    }
    let folder = path.everything
        || matches!(word.text.rsplit(['/', '\\']).next(), Some("" | "." | ".."))
        || known.has(Area::Root)
        || known.has(Area::Home)
        || known.has(Area::WorkspaceRoot)
        || known.has(Area::Mount);
    let kind = match kind {
        ResourceKind::File if known.has(Area::Device) => ResourceKind::Device,
        ResourceKind::Folder if known.has(Area::Device) => ResourceKind::Device,
        ResourceKind::File if folder => ResourceKind::Folder,
        other => other,
    };
    let name = if path.holes || path.floating { path.shown } else { path.name };
    // `cd "$X" && rm -rf *`: everything there, wherever that is.
    let lost = scene.shell.lost && scene.cwd.is_none() && matches!(&*name, "." | "" | "..");
    Resource { kind, name, areas: known, unresolved: path.holes && !required(word) || lost }
}

/// `"${OUT:?}/cache"`: what is checked to be there, and a name below it.
fn required(word: &Word) -> bool {
    let end = word.unknown.iter().map(|part| part.end).max().unwrap_or_default();
    let below = word.text.get(end..).unwrap_or_default().trim_matches('/');
    word.unknown
        .iter()
        .all(|part| part.guarded && word.text.get(part.start..part.end).is_some_and(|it| it.starts_with("${")))
        && !below.is_empty()
        && !below.starts_with(['*', '.'])
}

/// `<(…)` and `>(…)`: the word names a pipe, whatever the command in it writes or reads.
fn is_pipe(word: &Word) -> bool {
    let whole = |part: &super::Unknown| part.substitution && part.start == 0 && part.end == word.text.len();
    word.text.starts_with(['<', '>']) && word.unknown.iter().any(whole)
}

/// What is known about a path that [`normalise`] has gone over.
pub fn areas(scene: &Scene<'_>, path: &str) -> Areas {
    areas::of(&areas::Ground::new(scene), path)
}

/// How much of what it names a path word reaches: a glob over everything is `all`, any other glob `some`.
pub fn extent(word: &Word) -> Extent {
    if !word.glob {
        return Extent::One;
    }
    let last = word.text.rsplit(['/', '\\']).next().unwrap_or_default();
    if normal::is_everything(last) { Extent::All } else { Extent::Some }
}

/// A guess from the spelling alone: `src/`, `..` and `node_modules` are folders, `a.txt` and `Makefile` are not.
pub fn is_folder(text: &str) -> bool {
    if text.ends_with(['/', '\\']) {
        return true;
    }
    let last = text.rsplit(['/', '\\']).next().unwrap_or(text);
    matches!(last, "." | ".." | "~" | "src" | "lib" | "docs" | "tests" | "test" | ".git" | ".ssh" | ".aws" | ".config")
        || named::is_artefact_folder(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Known, Unknown, command::Catalog, scene};
    use crate::model::{Action, ActionId, Actor, Kind, Origin, Outcome, Surroundings};
    use std::sync::Arc;

    fn action(cwd: Option<&str>, home: Option<&str>) -> Action {
        Action {
            id: ActionId(1),
            time: None,
            actor: Arc::new(Actor::default()),
            session: "s".into(),
            kind: Kind::Shell,
            text: "".into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::new(Surroundings {
                cwd: cwd.map(str::to_owned),
                home: home.map(str::to_owned),
                ..Surroundings::default()
            }),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "t".into(), line: 1, offset: 0, format: "lines" },
        }
    }

    /// A word in which every `$name` is unknown and `*?[` are globs.
    fn word(text: &str) -> Word {
        let mut word = Word { glob: text.contains(['*', '?', '[']), ..Word::known(text) };
        for (start, _) in text.match_indices('$') {
            let substitution = text[start..].starts_with("$(");
            let rest = &text[start + 1..];
            let end = if substitution {
                start + 1 + rest.find(')').map_or(rest.len(), |at| at + 1)
            } else {
                start + 1 + rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            };
            let name = text[start + 1..end].trim_matches(['(', ')']).to_owned();
            word.unknown.push(Unknown { name, start, end, substitution, guarded: false });
        }
        word
    }

    fn rendered(cwd: Option<&str>, home: Option<&str>, elsewhere: bool, path: &str) -> String {
        let (action, catalog, known) = (action(cwd, home), Catalog::builtin(), Known::default());
        let mut scene = scene::Scene::new(&catalog, &action, &known, false);
        if elsewhere {
            scene.go_elsewhere();
        }
        let kind = if is_folder(path) { ResourceKind::Folder } else { ResourceKind::File };
        let found = resource(&scene, &word(path), kind);
        let areas: Vec<_> = found.areas.iter().map(Area::word).collect();
        let unresolved = if found.unresolved { " ?" } else { "" };
        format!("{} {} [{}]{unresolved}", found.kind, found.name, areas.join(" "))
    }

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(rendered(Some("/work/app"), Some("/home/me"), false, path), expected, "{path}");
    }

    #[track_caller]
    fn check_blind(path: &str, expected: &str) {
        assert_eq!(rendered(None, None, false, path), expected, "{path}");
    }

    #[test]
    fn root_is_root_however_it_is_spelt() {
        for path in ["/", "//", "/.", "/tmp/..", "/*", "/usr/../*", "/work/app/../../..", "../..", "../../../*"] {
            check(path, "Folder / [root workspace-root outside]");
        }
        check("/tmp/../etc/hosts", "File /etc/hosts [system outside climbed]");
        check("/.*", "Folder / [root workspace-root outside]");
    }

    #[test]
    fn home_itself_and_what_is_in_it() {
        check("~", "Folder /home/me [home outside]");
        check("~/", "Folder /home/me [home outside]");
        check("/home/me/*", "Folder /home/me [home outside]");
        check("~/notes.txt", "File /home/me/notes.txt [in-home outside]");
        check("/home/other", "Folder /home/other [home outside]");
        check("/home", "Folder /home [system home outside]");
        check("/root/.bashrc", "File /root/.bashrc [in-home outside startup]");
        check_blind("~", "Folder ~ [home outside]");
        check_blind("$HOME/x", "File ~/x [in-home outside]");
        check_blind("~bob", "Folder ~bob [home outside]");
    }

    #[test]
    fn the_workspace_and_what_is_not() {
        check(".", "Folder /work/app [workspace-root workspace]");
        check("*", "Folder /work/app [workspace-root workspace]");
        check("./*", "Folder /work/app [workspace-root workspace]");
        check("src/main.rs", "File /work/app/src/main.rs [workspace]");
        check("/work/app/x", "File /work/app/x [workspace]");
        check("/work/application", "File /work/application [outside]");
        check("../other", "File /work/other [outside]");
        check("..", "Folder /work [workspace-root outside]");
        check_blind(".", "Folder . [workspace-root workspace]");
        check_blind("a/../b", "File b [workspace]");
        check_blind("../b", "File ../b [outside]");
        check_blind("a/../../b", "File ../b [outside]");
        check_blind("/srv/x", "File /srv/x [outside]");
    }

    #[test]
    fn what_is_not_known_keeps_what_an_empty_value_would_reach() {
        check("$STEAMROOT/*", "Folder $STEAMROOT/* [root workspace-root outside] ?");
        check("$X/", "Folder $X/ [root workspace-root outside] ?");
        check("~/$X", "Folder /home/me/$X [home in-home outside] ?");
        check("$X/build", "Folder $X/build [artefact] ?");
        check("$X", "File $X [] ?");
        check("/tmp/$X", "File /tmp/$X [outside temporary] ?");
        check("$X/usr", "File $X/usr [system outside] ?");
        check("src/$X", "File /work/app/src/$X [workspace] ?");
        check("$DIR/.ssh/id_rsa", "File $DIR/.ssh/id_rsa [credential] ?");
    }

    #[test]
    fn well_known_variables_and_substitutions_have_a_place() {
        check("$TMPDIR/x", "File /tmp/x [outside temporary]");
        check("$PWD/x", "File /work/app/x [workspace]");
        check("$(pwd)/x", "File /work/app/x [workspace]");
        check("$(mktemp -d)", "File /tmp/mktemp [outside temporary ephemeral]");
        check("$PGDATA/base", "File /var/lib/postgresql/data/base [system outside database-files]");
    }

    #[test]
    fn temporary_artefact_version_control() {
        check("/tmp", "File /tmp [outside temporary]");
        check("/tmp/*", "Folder /tmp [outside temporary]");
        check("/var/tmp/a", "File /var/tmp/a [outside temporary]");
        check("node_modules", "Folder /work/app/node_modules [workspace artefact]");
        check("./web/dist/", "Folder /work/app/web/dist [workspace artefact]");
        check("a.pyc", "File /work/app/a.pyc [workspace artefact]");
        check("build/../src", "Folder /work/app/src [workspace]");
        check(".git", "Folder /work/app/.git [workspace version-control]");
        check(".git/hooks/pre-commit", "File /work/app/.git/hooks/pre-commit [workspace version-control guard]");
    }

    #[test]
    fn credentials_but_not_their_examples() {
        for path in [
            "~/.ssh/id_ed25519",
            "~/.aws/credentials",
            "~/.kube/config",
            "~/.docker/config.json",
            "~/.netrc",
            "~/.config/gcloud/application_default_credentials.json",
            "~/keys/server.pem",
        ] {
            let name = path.replace('~', "/home/me");
            check(path, &format!("File {name} [in-home outside credential]"));
        }
        check(".env", "File /work/app/.env [workspace credential]");
        check(".env.production", "File /work/app/.env.production [workspace credential]");
        check(".env.example", "File /work/app/.env.example [workspace]");
        check("~/.ssh/id_rsa.pub", "File /home/me/.ssh/id_rsa.pub [in-home outside]");
        check("/etc/shadow", "File /etc/shadow [system outside credential]");
        check("/proc/self/environ", "File /proc/self/environ [system outside credential]");
        check("infra/terraform.tfstate", "File /work/app/infra/terraform.tfstate [workspace credential]");
        check("~/.ssh/authorized_keys", "File /home/me/.ssh/authorized_keys [in-home outside credential startup]");
    }

    #[test]
    fn machines_and_their_parts() {
        check("/dev/sda1", "Device /dev/sda1 [outside device]");
        check("/dev/null", "File /dev/null [sink]");
        check("/mnt/data", "Folder /mnt/data [outside mount]");
        check("/mnt/data/x", "File /mnt/data/x [outside]");
        check("/var/lib/postgresql/16/main", "File /var/lib/postgresql/16/main [system outside database-files]");
        check("/var/log/syslog", "File /var/log/syslog [outside logs]");
        check("~/.bash_history", "File /home/me/.bash_history [in-home outside logs]");
        check("/etc/cron.d/x", "File /etc/cron.d/x [system outside startup]");
        check("/etc/sudoers", "File /etc/sudoers [system outside guard]");
        check("~/.claude/settings.json", "File /home/me/.claude/settings.json [in-home outside guard]");
    }

    #[test]
    fn globs_over_names_reach_what_they_match() {
        check("/e?c", "File /e?c [system outside]");
        check("/us*/local", "File /us*/local [system outside]");
        check("*.pem", "File /work/app/*.pem [workspace credential]");
    }

    #[test]
    fn windows_paths() {
        check(r"C:\Windows\System32\.", "Folder C:/Windows/System32 [system outside]");
        check(r"c:\", "Folder C:/ [root outside]");
        check(r"C:\Users\me", "Folder C:/Users/me [home outside]");
        check(r"C:\Users\me\AppData\Local\Temp\x", "File C:/Users/me/AppData/Local/Temp/x [in-home outside temporary]");
        check(r"%USERPROFILE%\x", "File /home/me/x [in-home outside]");
    }

    #[test]
    fn elsewhere_nothing_is_ours() {
        let there = |path| rendered(Some("/work/app"), Some("/home/me"), true, path);
        assert_eq!(there("/work/app/x"), "File /work/app/x []");
        assert_eq!(there("x"), "File x []");
        assert_eq!(there("/"), "Folder / [root]");
        assert_eq!(there("/etc/passwd"), "File /etc/passwd [system]");
        assert_eq!(there("/root/.ssh/id_rsa"), "File /root/.ssh/id_rsa [credential]");
    }
}
