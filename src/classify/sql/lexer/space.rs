//! What stands between tokens: space and comments, some of which hide code.

use crate::model::Span;

use super::Lexer;
use crate::classify::sql::Dialect;

impl Lexer<'_> {
    /// Skips space and comments.
    pub(in crate::classify::sql) fn skip_space(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'\n', _) => {
                    self.leads = true;
                    self.at += 1;
                }
                (b' ' | b'\t' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (0, _) if self.at < self.text.len() => self.at += 1,
                (b'-', b'-') if self.dialect != Dialect::MySql || matches!(self.byte(2), 0..=b' ') => {
                    self.line_comment()
                }
                (b'#', _) if self.hash_comment() => self.line_comment(),
                (b'/', b'/') if self.dialect == Dialect::Snowflake && !self.touches() => self.line_comment(),
                (b'/', b'*') => self.comment(),
                (b'*', b'/') if self.executable => {
                    self.executable = false;
                    self.blanks.push(Span::new(self.at, self.at + 2));
                    self.at += 2;
                }
                (b'{', b'%' | b'#') => {
                    let close = if self.byte(1) == b'%' { "%}" } else { "#}" };
                    let end = self.rest().find(close).map(|found| self.at + found + 2);
                    self.blank_to(end);
                }
                (0xc2, 0xa0) => {
                    self.blanks.push(Span::new(self.at, self.at + 2));
                    self.at += 2;
                }
                (0xef, 0xbb) if self.byte(2) == 0xbf => {
                    self.blanks.push(Span::new(self.at, self.at + 3));
                    self.at += 3;
                }
                _ => return,
            }
            if self.at >= self.text.len() {
                return;
            }
        }
    }

    fn hash_comment(&self) -> bool {
        self.dialect.hash_comments()
            || self.dialect == Dialect::Unknown && self.leads && matches!(self.byte(1), b' ' | b'!' | b'-' | b'#')
    }

    fn line_comment(&mut self) {
        let end = memchr::memchr(b'\n', self.rest().as_bytes()).map_or(self.text.len(), |found| self.at + found);
        self.blanks.push(Span::new(self.at, end));
        self.at = end;
    }

    fn comment(&mut self) {
        let bytes = self.text.as_bytes();
        if self.dialect.runs_comments() && self.byte(2) == b'!' || self.byte(2) == b'M' && self.byte(3) == b'!' {
            let marker = self.at + if self.byte(2) == b'!' { 3 } else { 4 };
            let digits = bytes[marker..].iter().take_while(|byte| byte.is_ascii_digit()).count().min(6);
            self.blanks.push(Span::new(self.at, marker + digits));
            self.at = marker + digits;
            self.executable = true;
            return;
        }
        let (mut at, mut depth) = (self.at + 2, 1);
        while depth > 0 {
            let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'*', b'/', rest)) else {
                return self.blank_to(None);
            };
            at += found;
            match (bytes[at], bytes.get(at + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                }
                (b'/', Some(b'*')) if self.dialect.nested_comments() => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        self.blank_to(Some(at));
    }

    fn blank_to(&mut self, end: Option<usize>) {
        self.unclosed |= end.is_none();
        let end = end.unwrap_or(self.text.len());
        self.blanks.push(Span::new(self.at, end));
        self.leads |= memchr::memchr(b'\n', &self.text.as_bytes()[self.at..end]).is_some();
        self.at = end;
    }
}
