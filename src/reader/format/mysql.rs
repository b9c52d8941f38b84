//! What the logs of MySQL and MariaDB share: their times, and the way from a statement to an action.

use std::collections::HashMap;
use std::sync::Arc;

use super::postgres::read_time;
use crate::model::{
    Action, Actor, ActorKind, Executed, Gap, GapKind, Hides, Issue, Kind, Origin, Outcome, Span, Surroundings,
    Timestamp,
};
use crate::reader::Source;
use crate::reader::record::action_id;
pub(super) use crate::reader::recorder::Place;

/// A statement longer than this is cut.
pub(super) const MAX_STATEMENT: usize = 16 << 20;
/// What the server writes in place of a password.
const REDACTED: &str = "<secret>";

/// Who is connected, and to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) database: Option<String>,
}

/// Makes actions, and shares what many of them have in common.
#[derive(Debug)]
pub(super) struct Maker {
    source: Source,
    format: &'static str,
    actors: HashMap<String, Arc<Actor>>,
    last: Option<(Login, Arc<Surroundings>)>,
    zone_said: bool,
}

impl Maker {
    pub(super) fn new(source: &Source, format: &'static str) -> Self {
        Self { source: source.clone(), format, actors: HashMap::new(), last: None, zone_said: false }
    }

    pub(super) fn action(
        &mut self,
        statement: &str,
        session: &str,
        login: &Login,
        time: Option<Timestamp>,
        place: Place,
        cut: bool,
    ) -> Action {
        let mut gaps = Vec::new();
        if cut {
            let detail = "statement".to_owned();
            gaps.push(Gap { kind: GapKind::Truncated, hides: Hides::Anything, span: None, detail });
        }
        if let Some(start) = statement.find(REDACTED) {
            let span = Some(Span::new(start, start + REDACTED.len()));
            gaps.push(Gap { kind: GapKind::Redacted, hides: Hides::Nothing, span, detail: REDACTED.to_owned() });
        }
        let file = crate::reader::record::file_name(&self.source.file);
        let id = [file.as_bytes(), session.as_bytes(), &place.offset.to_le_bytes(), statement.as_bytes()];
        Action {
            id: action_id(&id),
            time,
            actor: self.actor(&login.user),
            session: session.into(),
            kind: Kind::Sql,
            text: statement.into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: self.surroundings(login),
            outcome: Outcome { executed: Executed::Yes, ..Outcome::default() },
            approved: false,
            gaps,
            origin: Origin {
                file: self.source.file.clone(),
                line: place.line,
                offset: place.offset,
                format: self.format,
            },
        }
    }

    fn actor(&mut self, user: &str) -> Arc<Actor> {
        if let Some(actor) = self.actors.get(user) {
            return actor.clone();
        }
        // A log has a handful of accounts; one that has thousands is not worth remembering them.
        if self.actors.len() > 1024 {
            self.actors.clear();
        }
        // A replica applies what was done elsewhere under names that are no account's.
        let kind = if matches!(user, "SQL_SLAVE" | "system user") { ActorKind::Service } else { ActorKind::default() };
        let actor = Arc::new(Actor { name: user.to_owned(), kind, ..Actor::default() });
        self.actors.insert(user.to_owned(), actor.clone());
        actor
    }

    fn surroundings(&mut self, login: &Login) -> Arc<Surroundings> {
        if let Some((last, surroundings)) = &self.last
            && last == login
        {
            return surroundings.clone();
        }
        let surroundings = Arc::new(Surroundings {
            user: Some(login.user.clone()).filter(|user| !user.is_empty()),
            database: login.database.clone(),
            dialect: Some("mysql".to_owned()),
            ..Surroundings::default()
        });
        self.last = Some((login.clone(), surroundings.clone()));
        surroundings
    }

    /// Said once per file whose times have no zone.
    pub(super) fn zone_note(&mut self, place: Place) -> Option<Issue> {
        if std::mem::replace(&mut self.zone_said, true) {
            return None;
        }
        Some(Issue {
            advice: "set `log_timestamps` to `UTC` on the server".into(),
            ..self.issue(place, "the time zone of this log is not known, its times are read as UTC", false)
        })
    }

    pub(super) fn issue(&self, place: Place, problem: &str, lost: bool) -> Issue {
        Issue {
            file: self.source.file.clone(),
            line: place.line,
            offset: place.offset,
            problem: problem.to_owned(),
            advice: String::new(),
            lost,
        }
    }
}

/// A time, how far it reaches into the text, and whether it says its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) length: usize,
    pub(super) zoned: bool,
}

/// `2026-06-07T19:07:02.558338Z`, or `060607 19:07:02` with one blank for a zero in front of the hour.
pub(super) fn moment(text: &str) -> Option<Moment> {
    if text.as_bytes().get(4) == Some(&b'-') {
        let read = read_time(text)?;
        return Some(Moment { time: read.time, length: read.length, zoned: !read.zone_guessed });
    }
    let digits = |from: usize| -> Option<&str> {
        text.get(from..from + 2).filter(|two| two.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (year, month, day) = (digits(0)?, digits(2)?, digits(4)?);
    let clock = text.get(6..)?.strip_prefix(' ')?;
    let (hour, rest) = match clock.strip_prefix(' ') {
        Some(clock) => (format!("0{}", clock.get(..1)?), clock.get(1..)?),
        None => (clock.get(..2)?.to_owned(), clock.get(2..)?),
    };
    let (minute, second) = (rest.get(1..3)?, rest.get(4..6)?);
    if !rest.starts_with(':') || rest.as_bytes().get(3) != Some(&b':') {
        return None;
    }
    // MySQL is younger than 1970, and its old times will not be written after 2069.
    let century = if year < "70" { "20" } else { "19" };
    let read = read_time(&format!("{century}{year}-{month}-{day} {hour}:{minute}:{second} UTC"))?;
    // The hour has two places, with a zero or a blank.
    Some(Moment { time: read.time, length: 15, zoned: false })
}

/// The three lines that a server writes when it begins a log.
pub(super) fn is_banner(line: &str) -> bool {
    line.contains(", Version: ") && line.trim_end().ends_with("started with:")
        || line.starts_with("Tcp port: ")
        || line.starts_with("TCP Port: ")
        || line.starts_with("Time ") && line.contains(" Id Command ")
}

/// The database that `USE name` goes to.
pub(super) fn used(statement: &str) -> Option<String> {
    let statement = statement.trim().trim_end_matches(';').trim_end();
    let rest = statement.get(..4).filter(|word| word.eq_ignore_ascii_case("use "))?;
    let name = statement.get(rest.len()..)?.trim();
    let plain = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).unwrap_or(name);
    (!plain.is_empty() && !plain.contains(['`', ';', '\n', ' '])).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_old_and_new() {
        let check = |text: &str, expected: &str| {
            let read = moment(text).map_or("none".to_owned(), |read| {
                format!("{} {} |{}", read.time, if read.zoned { "zoned" } else { "local" }, &text[read.length..])
            });
            assert_eq!(read, expected, "{text}");
        };
        check("2026-06-07T19:07:02.558338Z    3 Query", "2026-06-07T19:07:02.558338Z zoned |    3 Query");
        check("2026-06-07T19:07:02.5+02:00\t 3", "2026-06-07T17:07:02.5Z zoned |\t 3");
        check("061226 15:42:36\t  11", "2006-12-26T15:42:36Z local |\t  11");
        check("061226  5:42:36 # User", "2006-12-26T05:42:36Z local | # User");
        check("961226 15:42:36", "1996-12-26T15:42:36Z local |");
        check("061326 15:42:36", "none");
        check("06122é", "none");
        check("0612", "none");
    }

    #[test]
    fn databases_are_followed() {
        assert_eq!(used("USE `shop`;").as_deref(), Some("shop"));
        assert_eq!(used("use shop").as_deref(), Some("shop"));
        assert_eq!(used("use a; drop table b"), None);
        assert_eq!(used("USER x"), None);
    }
}
