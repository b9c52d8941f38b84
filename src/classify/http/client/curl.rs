//! `curl`.

use crate::model::{GapKind, Hides, ResourceKind};

use crate::classify::command::{Invocation, Stream};
use crate::classify::{Scene, Word, paths};

use super::{Options, Piece, Wanted, name_of};

/// Notes what a `curl` command does and says what it writes on standard output.
pub fn curl(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let mut out = Stream::default();
    let mut requests = invocation.words.split(|word| matches!(&*word.text, "--next" | "-:"));
    let Some(first) = requests.next() else { return out };
    let mut take = |words: &[Word]| {
        let stream = one(scene, &Invocation { words, ..*invocation });
        out.connected |= stream.connected;
        out.remote |= stream.remote;
        out.fetched_into.extend(stream.fetched_into);
        out.carries.extend(stream.carries);
    };
    take(first);
    for rest in requests {
        // Behind `--next` all options begin anew.
        let words: Vec<Word> = first.iter().take(1).chain(rest).cloned().collect();
        take(&words);
    }
    out
}

fn one(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let mut options = Options::of(invocation);
    let mut wanted = Wanted { by: "curl", span: invocation.span, ..Wanted::default() };
    let (mut get, mut upload) = (false, None);
    // The first `-o` or `-O` is about the first address, and so on; `None` is the name the address suggests.
    let (mut outputs, mut all_named): (Vec<Option<Word>>, bool) = (Vec::new(), false);
    let mut socket = false;
    while let Some(piece) = options.next() {
        let name = match piece {
            Piece::Operand(word) => {
                wanted.urls.push(word.clone());
                continue;
            }
            Piece::Long(name) => name,
            Piece::Short(letter) => long_name(letter),
        };
        match name {
            "request" => wanted.method = options.value().text,
            "url" => wanted.urls.push(options.value()),
            "data" | "data-ascii" | "data-binary" | "json" | "data-urlencode" => {
                let value = options.value();
                let at = value
                    .text
                    .find(['@', '='])
                    .filter(|at| value.text[*at..].starts_with('@') && (*at == 0 || name == "data-urlencode"));
                match at {
                    Some(at) => {
                        let file = super::part(&value, &value.text[at + 1..]);
                        wanted.send_file(scene, &file, invocation.stdin);
                    }
                    None => wanted.say(&value),
                }
            }
            "data-raw" => wanted.say(&options.value()),
            "form" => {
                wanted.uploads = true;
                form(scene, &mut wanted, &options.value(), invocation.stdin);
            }
            "form-string" => wanted.say(&options.value()),
            "upload-file" => upload = Some(options.value()),
            "get" => get = true,
            "head" => "HEAD".clone_into(&mut wanted.method),
            "output" => outputs.push(Some(options.value())),
            "remote-name" => outputs.push(None),
            "remote-name-all" => all_named = true,
            "unix-socket" => socket = options.value().text.contains("docker.sock"),
            "config" => {
                let file = options.value();
                scene.gap(GapKind::HiddenCode, Hides::Anything, file.span, format!("curl -K {}", file.text));
            }
            "url-query" => {
                let value = options.value();
                match value.text.strip_prefix('@') {
                    Some(_) => wanted.send_file(scene, &value.tail(1), invocation.stdin),
                    None => wanted.say(&value),
                }
            }
            "help" | "version" | "manual" => return Stream::default(),
            name if takes_value(name) => {
                let value = options.value();
                // A header can carry a secret out as well as a body can.
                if name == "header" && value.unknown.iter().any(|part| part.substitution) {
                    wanted.hidden = true;
                }
                if matches!(name, "header" | "cookie" | "user-agent" | "referer" | "oauth2-bearer") {
                    wanted.headers.push(value);
                }
            }
            _ => {}
        }
    }
    if let Some(file) = upload {
        wanted.uploads = true;
        wanted.send_file(scene, &file, invocation.stdin);
        if wanted.method.is_empty() {
            "PUT".clone_into(&mut wanted.method);
        }
    }
    if get {
        let query = std::mem::take(&mut wanted.text);
        if wanted.method.is_empty() {
            "GET".clone_into(&mut wanted.method);
        }
        wanted.has_body = !wanted.carries.is_empty() || wanted.hidden;
        for url in &mut wanted.urls {
            url.text.push(if url.text.contains('?') { '&' } else { '?' });
            url.text.push_str(&query);
        }
    }
    if socket {
        for url in &mut wanted.urls {
            at_docker(url);
        }
    }
    let mut shown = false;
    for (at, url) in wanted.urls.iter().enumerate() {
        match outputs.get(at) {
            Some(Some(file)) if matches!(&*file.text, "-" | "/dev/stdout") => shown = true,
            Some(Some(file)) => wanted.outputs.push(file.clone()),
            None if !all_named => shown = true,
            _ => wanted.outputs.push(name_of(url)),
        }
    }
    wanted.silent = !shown;
    wanted.go(scene)
}

/// `-F name=@file`, `-F name=<file`, `-F name=text`.
fn form(scene: &mut Scene<'_>, wanted: &mut Wanted<'_>, value: &Word, stdin: &Stream) {
    let content = value.text.find('=').map_or("", |at| &value.text[at + 1..]);
    match content.strip_prefix(['@', '<']) {
        Some(file) => {
            let file = &file[..file.find(';').unwrap_or(file.len())];
            let from = value.text.len() - content.len() + 1;
            let mut word = super::part(value, &value.text[from..]);
            word.text.truncate(file.len());
            word.unknown.retain(|part| part.end <= file.len());
            wanted.has_body = true;
            if word.text == "-" {
                wanted.send_stdin(stdin);
            } else {
                let resource = paths::resource(scene, &word, ResourceKind::File);
                wanted.carries.push(resource);
            }
        }
        None => wanted.say(value),
    }
}

/// Behind the socket stands the engine, whatever the address calls it.
fn at_docker(url: &mut Word) {
    if let Some(at) = url.text.find("://") {
        let end = url.text[at + 3..].find('/').map_or(url.text.len(), |end| at + 3 + end);
        url.text.replace_range(at + 3..end, "docker");
        url.unknown.clear();
    } else if let Some(end) = url.text.find('/') {
        url.text.replace_range(..end, "docker");
        url.unknown.clear();
    }
}

fn long_name(letter: char) -> &'static str {
    match letter {
        'X' => "request",
        'd' => "data",
        'F' => "form",
        'T' => "upload-file",
        'G' => "get",
        'I' => "head",
        'o' => "output",
        'O' => "remote-name",
        'K' => "config",
        'H' => "header",
        'A' => "user-agent",
        'b' => "cookie",
        'e' => "referer",
        'h' => "help",
        'V' => "version",
        'M' => "manual",
        // Every other letter with a value: `-u`, `-A` and so on.
        'c' | 'C' | 'D' | 'E' | 'm' | 'P' | 'Q' | 'r' | 't' | 'u' | 'U' | 'w' | 'x' | 'Y' | 'y' | 'z' => "user",
        _ => "",
    }
}

fn takes_value(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "abstract-unix-socket",
        "aws-sigv4",
        "cacert",
        "capath",
        "cert",
        "cert-type",
        "ciphers",
        "connect-timeout",
        "connect-to",
        "continue-at",
        "cookie",
        "cookie-jar",
        "create-file-mode",
        "crlfile",
        "curves",
        "dns-servers",
        "doh-url",
        "dump-header",
        "engine",
        "etag-compare",
        "etag-save",
        "expect100-timeout",
        "happy-eyeballs-timeout-ms",
        "header",
        "hostpubmd5",
        "interface",
        "keepalive-time",
        "key",
        "key-type",
        "limit-rate",
        "local-port",
        "max-filesize",
        "max-redirs",
        "max-time",
        "netrc-file",
        "noproxy",
        "oauth2-bearer",
        "output-dir",
        "parallel-max",
        "pass",
        "pinnedpubkey",
        "preproxy",
        "proto",
        "proto-default",
        "proto-redir",
        "proxy",
        "proxy-header",
        "proxy-user",
        "proxy1.0",
        "pubkey",
        "quote",
        "random-file",
        "range",
        "rate",
        "referer",
        "resolve",
        "retry",
        "retry-delay",
        "retry-max-time",
        "service-name",
        "socks4",
        "socks4a",
        "socks5",
        "socks5-hostname",
        "speed-limit",
        "speed-time",
        "stderr",
        "telnet-option",
        "time-cond",
        "tls-max",
        "tls13-ciphers",
        "trace",
        "trace-ascii",
        "user",
        "user-agent",
        "variable",
        "write-out",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn reads_and_writes_where_its_options_say() {
        check(
            "curl -fsSL https://get.example.com/i.sh",
            "fetch Endpoint `get.example.com/i.sh` external get.example.com @host=get.example.com\nout remote",
        );
        check(
            "curl -sSLo /tmp/i.sh https://get.example.com/i.sh",
            "fetch Endpoint `get.example.com/i.sh` external get.example.com @host=get.example.com\nupdate File `/tmp/i.sh` all",
        );
        check(
            "curl -O https://a.example/x.tgz -o- b.example",
            "fetch Endpoint `a.example/x.tgz` external a.example @host=a.example\nfetch Endpoint `b.example` external b.example @host=b.example\nupdate File `x.tgz` all\nout remote",
        );
    }

    #[test]
    fn methods_are_found_however_they_are_written() {
        for way in ["-XDELETE", "-X DELETE", "--request=DELETE", "--request DELETE", "-sX DELETE", "-sXDELETE"] {
            check(&format!("curl {way} http://es:9200/orders"), "drop Table `orders` @host=es\nout remote");
        }
        check("curl -I https://a.example", "list Endpoint `a.example` @host=a.example\nout remote");
        check(
            "curl -G -d q=1 https://a.example/s",
            "fetch Endpoint `a.example/s` external a.example @host=a.example\nout remote",
        );
    }

    #[test]
    fn files_that_are_sent_leave() {
        for way in
            ["-d @/k", "--data-binary @/k", "-T /k", "-F f=@/k;type=text/plain", "--json @/k", "--data-urlencode x@/k"]
        {
            check(
                &format!("curl {way} https://a.example/u"),
                if way.starts_with("-T") {
                    "export File `/k` all external a.example @host=a.example\nupdate Item `a.example/u` @host=a.example\nout remote"
                } else {
                    "export File `/k` all external a.example @host=a.example\nout remote"
                },
            );
        }
    }

    #[test]
    fn an_at_sign_in_a_value_is_no_file() {
        check(
            "curl --data-urlencode e=a@b.example https://a.example/things",
            "create Item `a.example/things` @host=a.example\nout remote",
        );
        check("curl file:///etc/hosts", "read File `/etc/hosts`\nout remote");
    }

    #[test]
    fn behind_the_socket_is_the_engine() {
        check(
            "curl --unix-socket /var/run/docker.sock -X DELETE http://localhost/v1.41/volumes/pg",
            "drop Volume `pg` @host=docker\nout remote",
        );
    }
}
