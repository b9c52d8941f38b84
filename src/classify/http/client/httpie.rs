//! `http` and `https` of HTTPie, and `xh`: `http DELETE example.com/x name=value file@path`.

use crate::model::ResourceKind;

use crate::classify::command::{Invocation, Stream};
use crate::classify::{Scene, Word, paths};

use super::{Options, Piece, Wanted, name_of};

/// Notes what an HTTPie command does and says what it writes on standard output.
pub fn httpie(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let program = invocation.words.first().map_or("http", |word| word.text.rsplit('/').next().unwrap_or("http"));
    let mut options = Options::of(invocation);
    let mut wanted = Wanted { by: program, span: invocation.span, ..Wanted::default() };
    let (mut download, mut offline, mut ignore_stdin) = (false, false, false);
    while let Some(piece) = options.next() {
        let name = match piece {
            Piece::Operand(word) if wanted.urls.is_empty() => {
                if wanted.method.is_empty() && is_method(&word.text) {
                    wanted.method.clone_from(&word.text);
                } else {
                    wanted.urls.push(with_host(word));
                }
                continue;
            }
            Piece::Operand(word) => {
                item(scene, &mut wanted, word);
                continue;
            }
            Piece::Long(name) => name,
            Piece::Short(letter) => long_name(letter),
        };
        match name {
            "download" => download = true,
            "offline" => offline = true,
            "ignore-stdin" => ignore_stdin = true,
            "raw" => wanted.say(&options.value()),
            "output" => {
                wanted.silent = true;
                let file = options.value();
                wanted.outputs.push(file);
            }
            "help" | "version" => return Stream::default(),
            name if takes_value(name) => drop(options.value()),
            _ => {}
        }
    }
    if offline {
        return Stream::default();
    }
    if invocation.stdin.connected && !ignore_stdin && !wanted.has_body {
        wanted.send_stdin(invocation.stdin);
    }
    if download {
        wanted.silent = true;
        if wanted.outputs.is_empty() {
            wanted.outputs.extend(wanted.urls.iter().map(name_of));
        }
    }
    wanted.go(scene)
}

fn is_method(text: &str) -> bool {
    const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];
    METHODS.iter().any(|method| text.eq_ignore_ascii_case(method))
}

/// `:3000/x` is `localhost:3000/x`.
fn with_host(word: &Word) -> Word {
    match word.text.strip_prefix(':') {
        Some(rest) if word.is_known() => {
            let colon = if rest.starts_with(|first: char| first.is_ascii_digit()) { ":" } else { "" };
            Word { text: format!("localhost{colon}{rest}"), ..word.clone() }
        }
        _ => word.clone(),
    }
}

/// `name=value`, `name:=json`, `name==query`, `Name:header`, `name@file`, `name=@file`, `@file`.
fn item(scene: &mut Scene<'_>, wanted: &mut Wanted<'_>, word: &Word) {
    let Some(at) = word.text.find(['=', ':', '@']) else { return wanted.say(word) };
    let rest = &word.text[at..];
    let file = ["=@", ":=@", "@"].iter().find_map(|sign| rest.strip_prefix(sign));
    if let Some(file) = file {
        wanted.has_body = true;
        let file = super::part(word, file);
        let resource = paths::resource(scene, &file, ResourceKind::File);
        wanted.carries.push(resource);
    } else if rest.starts_with("==") || (rest.starts_with(':') && !rest.starts_with(":=")) {
        if !rest.starts_with("==") {
            wanted.headers.push(word.clone());
        }
        wanted.hidden |= word.unknown.iter().any(|part| part.substitution);
    } else {
        wanted.say(word);
    }
}

fn long_name(letter: char) -> &'static str {
    match letter {
        'd' => "download",
        'o' => "output",
        'I' => "ignore-stdin",
        'a' | 'A' | 'p' | 's' => "auth",
        _ => "",
    }
}

fn takes_value(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "auth",
        "auth-type",
        "boundary",
        "cert",
        "cert-key",
        "ciphers",
        "format-options",
        "max-headers",
        "max-redirects",
        "path-as-is",
        "pretty",
        "print",
        "proxy",
        "response-charset",
        "response-mime",
        "session",
        "session-read-only",
        "ssl",
        "style",
        "timeout",
        "verify",
        "bearer",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn items_make_the_body() {
        check("http DELETE :9200/orders", "drop Table `orders` local - @host=localhost\nout remote");
        check("xh https://a.example/things name=x", "create Item `a.example/things` @host=a.example\nout remote");
        check("https a.example/u f@/k", "export File `/k` all external a.example @host=a.example\nout remote");
        check(
            "http a.example/s q==1 Accept:text/plain",
            "fetch Endpoint `a.example/s` external a.example @host=a.example\nout remote",
        );
    }
}
