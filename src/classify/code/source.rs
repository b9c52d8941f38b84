//! Where the content of an expression comes from: files, the environment, the network, an encoded string.

use super::lexer::Kind;
use super::value::{Reading, Value};

/// Where a value comes from is looked for in this many tokens of its expression.
const MAX_TOKENS: usize = 256;

impl Reading<'_> {
    /// Whether the first argument behind the bracket at `open` is an address.
    fn asks_for_address(&self, open: usize) -> bool {
        matches!(self.tokens.get(open + 1).map(|token| &token.kind), Some(Kind::Text(word)) if word.text.starts_with("http"))
    }

    /// Where the content of an expression comes from, by the calls in it.
    pub(super) fn sources(&self, from: usize, to: usize, value: &mut Value) {
        let to = to.min(from + MAX_TOKENS);
        for at in from..to {
            let token = &self.tokens[at];
            if !matches!(token.kind, Kind::Name) {
                continue;
            }
            if let Some(bound) = self.variables.get(token.text) {
                value.files.extend(bound.files.iter().take(8).cloned());
                value.environment |= bound.environment;
                value.remote |= bound.remote;
                value.decoded |= bound.decoded;
            }
            let called = self.tokens.get(at + 1).is_some_and(|next| next.is(b'('));
            let before = |name: &str| at >= 2 && self.tokens[at - 2].text == name;
            match token.text {
                "open" | "readFileSync" | "createReadStream" | "readFile" | "file_get_contents" | "read_text"
                | "read_bytes" | "fopen" | "upload_file" | "CURLFile" | "curl_file_create" | "ReadFile"
                    if called && value.files.len() < 16 =>
                {
                    let close = self.tokens[at + 1].close;
                    if let Some((from, to)) = self.items(at + 2, close.max(at + 2)).first() {
                        let word = self.word(*from, *to, 2);
                        let outside = word.text.starts_with("http");
                        value.remote |= outside;
                        if !outside {
                            value.files.push(word);
                        }
                    } else if at >= 2 {
                        // `Path("x").read_text()`
                        value.files.push(self.word(from, at - 1, 2));
                    }
                }
                "read" | "binread" | "readlines"
                    if called && (before("File") || before("IO")) && value.files.len() < 16 =>
                {
                    let close = self.tokens[at + 1].close;
                    if let Some((from, to)) = self.items(at + 2, close.max(at + 2)).first() {
                        value.files.push(self.word(*from, *to, 2));
                    }
                }
                "environ"
                    if before("os")
                        && (!self.tokens.get(at + 1).is_some_and(|next| next.is(b'[') || next.is(b'.'))
                            || self
                                .tokens
                                .get(at + 2)
                                .is_some_and(|next| matches!(next.text, "items" | "copy" | "values"))) =>
                {
                    value.environment = true;
                }
                // What the other end of a connection says.
                "recv" | "recvfrom" | "receive" | "gets" | "fgets" | "readline" if self.peer.is_some() => {
                    value.remote = true;
                }
                "env"
                    if before("process")
                        && !self.tokens.get(at + 1).is_some_and(|next| next.is(b'[') || next.is(b'.')) =>
                {
                    value.environment = true;
                }
                "urlopen" | "urlretrieve" | "fetch" if called => value.remote = true,
                "get" | "post" | "request"
                    if called
                        && (self.asks_for_address(at + 1)
                            || before("requests")
                            || before("httpx")
                            || before("axios")
                            || before("HTTP")
                            || before("HTTParty")
                            || before("Simple")) =>
                {
                    value.remote = true;
                }
                "b64decode" | "decodebytes" | "atob" | "base64_decode" | "decode64" | "unhexlify" | "fromhex"
                | "decompress" | "decode_base64" | "gzinflate" | "str_rot13" | "strict_decode64"
                    if called =>
                {
                    value.decoded = true;
                }
                "from"
                    if called
                        && self.tokens[at..(at + 8).min(self.tokens.len())]
                            .iter()
                            .any(|next| next.text.contains("base64")) =>
                {
                    value.decoded = true;
                }
                _ => {}
            }
        }
    }
}
