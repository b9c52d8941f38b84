//! The text log of MongoDB before 4.4: `… I COMMAND  [conn1] command shop.a command: drop { drop: "a" } … 12ms`

use super::{Operation, shell};
use crate::model::Timestamp;
use crate::reader::format::postgres::read_time;

/// One line, taken apart.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    time: Option<Timestamp>,
    context: &'a str,
    message: &'a str,
}

impl<'a> Entry<'a> {
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let time = read_time(line).filter(|_| line.as_bytes().get(10) == Some(&b'T'));
        // `Mon Aug  5 20:21:42.123`, which has no year.
        let old = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "].iter().any(|day| line.starts_with(day))
            && line.as_bytes().get(13) == Some(&b':');
        if time.is_none() && !old {
            return None;
        }
        let open = line.find('[').filter(|at| *at < 64)?;
        let (context, message) = line[open + 1..].split_once("] ")?;
        Some(Self { time: time.map(|read| read.time), context, message: message.trim() })
    }

    /// The operation an entry is about, if it is about one.
    pub(super) fn operation(&self) -> Option<Operation> {
        let (sort, rest) = self.message.split_once(' ')?;
        if !matches!(sort, "command" | "query" | "getmore" | "insert" | "update" | "remove") {
            return None;
        }
        let (namespace, rest) = rest.split_once(' ')?;
        if !namespace.contains('.') {
            return None;
        }
        let (mut cut, mut command) = (rest.contains(" ... ") && rest.contains("over max size"), String::new());
        // The newest of the three spellings first: `command: drop { … }`, `command: { … }`, `query: { … }`.
        let sent = ["command: ", "query: "].iter().find_map(|key| rest.split_once(key));
        if let Some((_, sent)) = sent
            && let Some(open) = sent.find('{').filter(|open| *open < 64)
        {
            match shell::whole(&sent[open..]) {
                Some(object) => command = object.to_owned(),
                None => (cut, command) = (true, sent[open..].to_owned()),
            }
        }
        if let ("remove" | "update", false) = (sort, command.is_empty() || rest.contains("command: ")) {
            // Old entries show the query alone, and for an update what it sets.
            let update = rest.split_once("update: ").and_then(|(_, update)| shell::whole(update)).unwrap_or("{}");
            command = format!("{{ q: {command}, u: {update}, multi: true }}");
        }
        // An old query wraps what it looks for.
        if sort == "query"
            && let Some((_, inner)) =
                shell::members(&command).iter().find(|(name, _)| matches!(*name, "$query" | "query"))
        {
            command = (*inner).to_owned();
        }
        let count = |key: &str| -> Option<u64> {
            let (_, rest) = rest.rsplit_once(key)?;
            rest.split(' ').next()?.parse().ok()
        };
        Some(Operation {
            time: self.time,
            session: self.context.to_owned(),
            namespace: namespace.to_owned(),
            sort: sort.to_owned(),
            command,
            rows: count(" ndeleted:").or_else(|| count(" nModified:")).or_else(|| count(" nmodified:")),
            failed: rest.contains(" exception: ") || rest.contains(" errMsg:") || rest.contains(" ok:0 "),
            cut,
            ..Operation::default()
        })
    }
}
