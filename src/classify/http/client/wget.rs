//! `wget`.

use crate::model::ResourceKind;

use crate::classify::command::{Invocation, Stream};
use crate::classify::{Scene, Word, paths};

use super::{Options, Piece, Wanted, name_of, unknown_option};

/// Notes what a `wget` command does and says what it writes on standard output.
pub fn wget(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let mut options = Options::of(invocation);
    let mut wanted = Wanted { by: "wget", span: invocation.span, silent: true, ..Wanted::default() };
    let (mut output, mut folder, mut spider) = (None, None, false);
    while let Some(piece) = options.next() {
        let name = match piece {
            Piece::Operand(word) => {
                wanted.urls.push(word.clone());
                continue;
            }
            Piece::Long(name) => name,
            Piece::Short('n') => {
                // `-nc`, `-nv`, `-nd`: two letters that belong together.
                options.bundle = None;
                continue;
            }
            Piece::Short(letter) => long_name(letter),
        };
        match name {
            "method" => wanted.method = options.value().text,
            "post-data" | "body-data" => wanted.say(&options.value()),
            "post-file" | "body-file" => {
                let file = options.value();
                wanted.send_file(scene, &file, invocation.stdin);
            }
            "output-document" => output = Some(options.value()),
            "directory-prefix" => folder = Some(options.value()),
            "header" => wanted.headers.push(options.value()),
            "spider" => spider = true,
            "input-file" => {
                let file = options.value();
                unknown_option(scene, file.span, &format!("wget -i {}", file.text));
                wanted.urls.push(unseen(&file));
            }
            "help" | "version" => return Stream::default(),
            name if takes_value(name) => drop(options.value()),
            _ => {}
        }
    }
    match output {
        Some(file) if matches!(&*file.text, "-" | "/dev/stdout") => wanted.silent = false,
        Some(file) => wanted.outputs.push(file),
        None if spider => {}
        None => {
            for url in &wanted.urls {
                let mut file = name_of(url);
                if let Some(folder) = folder.as_ref().filter(|folder| folder.is_known()) {
                    file.text = format!("{}/{}", folder.text.trim_end_matches('/'), file.text);
                }
                wanted.outputs.push(file);
            }
        }
    }
    if let Some(folder) = folder.filter(|folder| !folder.is_known()) {
        // Where the files go is not known, so none of their names is.
        wanted.outputs.clear();
        let unresolved = paths::resource(scene, &folder, ResourceKind::Folder);
        wanted.outputs.push(Word { text: unresolved.name, unknown: folder.unknown, ..Word::default() });
    }
    wanted.go(scene)
}

/// Addresses that stand in a file.
fn unseen(file: &Word) -> Word {
    let mut word = Word { span: file.span, text: file.text.clone(), ..Word::default() };
    word.unknown.push(crate::classify::Unknown {
        name: file.text.clone(),
        start: 0,
        end: file.text.len(),
        substitution: false,
        guarded: false,
    });
    word
}

fn long_name(letter: char) -> &'static str {
    match letter {
        'O' => "output-document",
        'P' => "directory-prefix",
        'i' => "input-file",
        'h' => "help",
        'V' => "version",
        'o' | 'a' | 'e' | 't' | 'T' | 'w' | 'Q' | 'U' | 'l' | 'A' | 'R' | 'D' | 'I' | 'X' | 'B' => "user",
        _ => "",
    }
}

fn takes_value(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "accept",
        "append-output",
        "base",
        "bind-address",
        "ca-certificate",
        "certificate",
        "connect-timeout",
        "cut-dirs",
        "default-page",
        "dns-timeout",
        "domains",
        "exclude-directories",
        "execute",
        "http-password",
        "http-user",
        "include-directories",
        "level",
        "limit-rate",
        "load-cookies",
        "max-redirect",
        "output-file",
        "password",
        "private-key",
        "progress",
        "quota",
        "read-timeout",
        "referer",
        "reject",
        "retry-on-http-error",
        "save-cookies",
        "secure-protocol",
        "timeout",
        "tries",
        "user",
        "user-agent",
        "wait",
        "waitretry",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn the_answer_goes_to_a_file_unless_told_otherwise() {
        check(
            "wget https://a.example/x.sh",
            "fetch Endpoint `a.example/x.sh` external a.example @host=a.example\nupdate File `x.sh` all",
        );
        check(
            "wget -qO- https://a.example/x.sh",
            "fetch Endpoint `a.example/x.sh` external a.example @host=a.example\nout remote",
        );
        check(
            "wget -nv -P /opt https://a.example/x.sh",
            "fetch Endpoint `a.example/x.sh` external a.example @host=a.example\nupdate File `/opt/x.sh` all",
        );
    }

    #[test]
    fn files_that_are_posted_leave() {
        check(
            "wget --post-file=/k https://a.example/u -O /dev/null",
            "export File `/k` all external a.example @host=a.example",
        );
    }
}
