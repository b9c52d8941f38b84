//! One call: what stands behind its name, in which order those are asked who may know it, and connections that stay open.

use crate::classify::{Language, Scene, Word};
use crate::model::{CodeOrigin, Effect, Operation, Resource, ResourceKind};

use super::super::{act, git, sdk, stores, tables, unseen};
use super::{Call, Walk};

impl Walk<'_> {
    /// Remembers who a connection goes to, and what is written to a request that stands open.
    fn reached(&mut self, scene: &mut Scene<'_>, call: &Call) {
        let last = call.name.rsplit('.').next().unwrap_or("");
        if matches!(
            last,
            "connect"
                | "create_connection"
                | "SMTP"
                | "SMTP_SSL"
                | "FTP"
                | "FTP_TLS"
                | "createConnection"
                | "fsockopen"
                | "HTTPSConnection"
                | "HTTPConnection"
                | "curl_init"
        ) || call.name.starts_with("TCPSocket.")
        {
            let first = call.items.first().map(|(from, to)| self.reading.value(*from, *to));
            self.reading.peer = first.and_then(|value| value.words.first().and_then(Word::value).map(host));
        }
        // `req.write(data)` after `const req = https.request({hostname: …})`.
        if matches!(last, "request") && self.language == Language::JavaScript {
            let made = act::made::Made { reading: &self.reading, call };
            let host = made.option("hostname").or_else(|| made.option("host"));
            let first = host.or_else(|| made.argument(0));
            if let Some(peer) = first.and_then(|value| value.word().and_then(Word::value).map(str::to_owned)) {
                self.reading.peer = Some(peer);
            }
        }
        if matches!(last, "write" | "end" | "send")
            && self.reading.peer.is_some()
            && self.language == Language::JavaScript
        {
            act::run(scene, &self.reading, self.language, tables::Does::Send, call);
        }
    }

    /// A shell that is started beside an open connection answers to whoever is at the other end.
    fn remote_shell(&self, scene: &mut Scene<'_>, call: &Call) {
        use tables::Does;
        let starts = matches!(
            tables::find(self.language, &call.name),
            Some(Does::Shell | Does::Command | Does::Program | Does::Spawn)
        );
        if !self.dialled || !starts {
            return;
        }
        let first = call.items.first().map(|(from, to)| self.reading.value(*from, *to)).unwrap_or_default();
        let program = first
            .words
            .first()
            .map_or("", |word| word.text.trim_start_matches("exec "))
            .split(' ')
            .next()
            .unwrap_or("");
        if matches!(program.rsplit('/').next(), Some("sh" | "bash" | "zsh" | "dash" | "cmd" | "cmd.exe" | "powershell"))
        {
            let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, "remote shell"));
            effect.code = Some(CodeOrigin::Remote);
            effect.span = call.span;
            effect.by.clone_from(&call.name);
            scene.effect(effect);
        }
    }

    pub(super) fn call(&mut self, scene: &mut Scene<'_>, call: Call) {
        let Some(call) = self.named(scene, call) else { return };
        let last = call.name.rsplit('.').next().unwrap_or("");
        if last == "add_argument" {
            self.declare(&call);
        }
        self.given_function(scene, &call, last);
        self.gathered(&call, last);
        // `[…].forEach(…)` begins with a bracket, not with a name.
        let opener = (call.name.starts_with("?.") && call.head >= 2)
            .then(|| (0..call.head - 1).rev().take(256).find(|at| self.reading.tokens[*at].close == call.head - 2))
            .flatten();
        let (head, end) = match opener {
            Some(opener) if self.is(opener, b'[') => (opener, call.head - 1),
            _ => (call.head, call.receiver_end),
        };
        if last == "on" && self.reading.peer.is_some() {
            self.heard(&call);
        }
        self.handed_on(scene, &call, last);
        if matches!(last, "forEach" | "map" | "each" | "filter") && end > head {
            let parameter = call.items.first().and_then(|(from, to)| {
                (*from..*to).find_map(|at| self.name(at).filter(|name| *name != "async" && *name != "function"))
            });
            if let Some(parameter) = parameter {
                let value = self.reading.value(head, end);
                self.each_given(scene, &call, parameter, value);
            }
        }
        if self.language == Language::Perl
            && matches!(last, "find" | "finddepth")
            && let Some((from, to)) = call.items.last()
        {
            let mut value = self.reading.value(*from, *to);
            for word in &mut value.words {
                word.text.push_str("/*");
                word.glob = true;
            }
            self.reading.variables.insert("$_".to_owned(), value);
        }
        if last == "dup2" && self.dialled {
            let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, "remote shell"));
            effect.code = Some(CodeOrigin::Remote);
            effect.span = call.span;
            effect.by = "dup2".to_owned();
            scene.effect(effect);
        }
        self.dialled |= last == "connect" || last == "create_connection" || last == "createConnection";
        self.reached(scene, &call);
        if self.inlined(scene, &call) {
            return;
        }
        if git::is_library(&call.name) && git::call(scene, &self.reading, self.language, &call) {
            return;
        }
        let client = sdk::is_client(&call.name);
        if client && sdk::call(scene, &self.reading, self.language, &call) {
            return;
        }
        if stores::call(scene, &self.reading, self.language, &call) {
            return;
        }
        self.remote_shell(scene, &call);
        if let Some(does) = tables::find(self.language, &call.name) {
            if self.in_memory && matches!(does, tables::Does::Sql | tables::Does::Connect) {
                return;
            }
            self.dialled |= matches!(does, tables::Does::Connect) && !call.name.contains("SMTP");
            act::run(scene, &self.reading, self.language, does, &call);
        } else if !client {
            let before = scene.mark();
            sdk::call(scene, &self.reading, self.language, &call);
            if scene.mark() == before {
                unseen::call(scene, &call);
            }
        }
    }
}

/// The host of an address, or what is one already.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest).to_owned()
}
