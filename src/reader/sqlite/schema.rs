//! Which columns a table has, from the statement that made it: SQLite keeps that statement, and nothing else.

use super::record::Value;

/// A table with rows of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub name: String,
    columns: Vec<Column>,
    pub(super) root: u32,
    pub(super) has_rowid: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: String,
    /// Its place in a stored row; `None` where it is worked out whenever it is asked for, or is the row's number.
    stored: Option<usize>,
    is_rowid: bool,
    default: Value,
}

impl Table {
    /// The names of its columns, in the order they were stated.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Whether it has all of these columns.
    pub fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.column(column).is_some())
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn stored(&self, name: &str) -> Option<usize> {
        self.column(name)?.stored
    }

    pub(super) fn is_rowid(&self, name: &str) -> bool {
        self.column(name).is_some_and(|column| column.is_rowid)
    }

    /// What a row has in a column that was added after it was written.
    pub(super) fn default(&self, name: &str) -> Value {
        self.column(name).map_or(Value::Null, |column| column.default.clone())
    }

    /// The table of tables.
    pub(super) fn of_schema() -> Self {
        let columns = ["type", "name", "tbl_name", "rootpage", "sql"].iter().enumerate();
        let column = |(at, name): (usize, &&str)| Column {
            name: (*name).to_owned(),
            stored: Some(at),
            is_rowid: false,
            default: Value::Null,
        };
        Self { name: "sqlite_schema".to_owned(), columns: columns.map(column).collect(), root: 1, has_rowid: true }
    }

    /// Reads `CREATE TABLE`; `None` when that is not what it is.
    pub(super) fn read(name: &str, root: u32, sql: &str) -> Option<Self> {
        let words = words(sql);
        let open = words.iter().position(|word| word.is("("))?;
        let (body, behind) = inside(words.get(open + 1..)?);
        let has_rowid = !behind.windows(2).any(|pair| matches!(pair, [a, b] if a.is("WITHOUT") && b.is("ROWID")));
        let (mut columns, mut key): (Vec<Stated>, Vec<String>) = (Vec::new(), Vec::new());
        for part in split(body) {
            let Some(first) = part.first() else { continue };
            if !first.quoted
                && ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| first.is(word))
            {
                key.extend(table_key(part));
                continue;
            }
            columns.push(Stated::read(part));
        }
        if columns.is_empty() {
            return None;
        }
        let own_key = columns.iter().find(|column| column.is_key);
        let alias = match (own_key, &key[..]) {
            (Some(column), _) if !column.descending => Some(column.name.clone()),
            (None, [only]) => Some(only.clone()),
            _ => None,
        };
        let alias = alias.filter(|alias| {
            let whole = |column: &Stated| {
                column.name.eq_ignore_ascii_case(alias) && column.sort.eq_ignore_ascii_case("integer")
            };
            has_rowid && columns.iter().any(whole)
        });
        if let Some(column) = own_key.filter(|_| key.is_empty()) {
            key = vec![column.name.clone()];
        }
        // Where there is no number, a row begins with its key.
        let mut order: Vec<&str> = Vec::new();
        if !has_rowid {
            for name in &key {
                if !order.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                    order.push(name);
                }
            }
        }
        for column in columns.iter().filter(|column| !column.is_virtual) {
            if !order.iter().any(|other| other.eq_ignore_ascii_case(&column.name)) {
                order.push(&column.name);
            }
        }
        let made = columns.iter().map(|column| {
            let is_rowid = alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(&column.name));
            let stored = order.iter().position(|name| name.eq_ignore_ascii_case(&column.name));
            Column { name: column.name.clone(), stored, is_rowid, default: column.default.clone() }
        });
        let columns = made.collect();
        Some(Self { name: name.to_owned(), columns, root, has_rowid })
    }
}

/// A column as it was written.
struct Stated {
    name: String,
    sort: String,
    is_key: bool,
    descending: bool,
    is_virtual: bool,
    default: Value,
}

impl Stated {
    fn read(part: &[Word]) -> Self {
        const CONSTRAINTS: &[&str] = &[
            "CONSTRAINT",
            "PRIMARY",
            "NOT",
            "NULL",
            "UNIQUE",
            "CHECK",
            "DEFAULT",
            "COLLATE",
            "REFERENCES",
            "GENERATED",
            "AS",
        ];
        let name = part.first().map(|word| word.text.clone()).unwrap_or_default();
        let rest = part.get(1..).unwrap_or_default();
        let end = rest.iter().position(|word| !word.quoted && CONSTRAINTS.iter().any(|other| word.is(other)));
        let (sort, constraints) = rest.split_at(end.unwrap_or(rest.len()));
        let sort: Vec<&str> = sort.iter().map(|word| word.text.as_str()).collect();
        let outside = outside(constraints);
        let at = |wanted: &str| outside.iter().position(|word| !word.quoted && word.is(wanted));
        let key = at("PRIMARY");
        let descending = key.and_then(|at| outside.get(at + 2)).is_some_and(|word| word.is("DESC"));
        Self {
            name,
            sort: sort.join(" "),
            is_key: key.is_some(),
            descending,
            is_virtual: at("AS").is_some() && at("STORED").is_none(),
            default: default(constraints),
        }
    }
}

/// A default that is written out; what is worked out is not known.
fn default(constraints: &[Word]) -> Value {
    let at = constraints.iter().position(|word| !word.quoted && word.is("DEFAULT"));
    let mut words =
        at.and_then(|at| constraints.get(at + 1..)).unwrap_or_default().iter().skip_while(|word| word.is("("));
    let Some(word) = words.next() else { return Value::Null };
    let (sign, word) = match (word.is("-") || word.is("+"), words.next()) {
        (true, Some(number)) => (if word.is("-") { "-" } else { "" }, number),
        _ => ("", word),
    };
    if word.quoted {
        return Value::Text(word.text.clone());
    }
    let written = format!("{sign}{}", word.text);
    match written.to_ascii_uppercase().as_str() {
        "TRUE" => Value::Integer(1),
        "FALSE" => Value::Integer(0),
        _ => written.parse().map(Value::Integer).or_else(|_| written.parse().map(Value::Real)).unwrap_or(Value::Null),
    }
}

/// The columns of `PRIMARY KEY (a, b)`.
fn table_key(part: &[Word]) -> Vec<String> {
    let Some(at) = part.iter().position(|word| !word.quoted && word.is("PRIMARY")) else { return Vec::new() };
    let rest = part.get(at + 2..).unwrap_or_default();
    let Some(rest) = rest.first().filter(|word| word.is("(")).and_then(|_| rest.get(1..)) else { return Vec::new() };
    split(inside(rest).0).into_iter().filter_map(|part| Some(part.first()?.text.clone())).collect()
}

/// A word, a string or a sign of the statement.
#[derive(Debug)]
struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    fn is(&self, other: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(other)
    }
}

fn words(sql: &str) -> Vec<Word> {
    let (mut words, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            _ if first.is_whitespace() => after,
            '-' if after.starts_with('-') => after.split_once('\n').map_or("", |(_, rest)| rest),
            '/' if after.starts_with('*') => after.split_once("*/").map_or("", |(_, rest)| rest),
            '"' | '`' | '\'' | '[' => {
                let (text, rest) = quoted(after, if first == '[' { ']' } else { first });
                words.push(Word { text, quoted: true });
                rest
            }
            _ if is_part(first) => {
                let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                let (word, rest) = rest.split_at(end);
                words.push(Word { text: word.to_owned(), quoted: false });
                rest
            }
            _ => {
                words.push(Word { text: first.to_string(), quoted: false });
                after
            }
        };
    }
    words
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.') || !letter.is_ascii()
}

/// What stands before the closing quote, which is doubled inside, and what behind it.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let (mut inside, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(quote) {
        inside.push_str(before);
        match after.strip_prefix(quote).filter(|_| quote != ']') {
            Some(after) => {
                inside.push(quote);
                rest = after;
            }
            None => return (inside, after),
        }
    }
    inside.push_str(rest);
    (inside, "")
}

/// What stands before the bracket that closes, and what behind it.
fn inside(words: &[Word]) -> (&[Word], &[Word]) {
    let mut depth = 0;
    for (at, word) in words.iter().enumerate() {
        if word.is("(") {
            depth += 1;
        } else if word.is(")") {
            if depth == 0 {
                return (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
            }
            depth -= 1;
        }
    }
    (words, &[])
}

/// The words that stand in no brackets.
fn outside(words: &[Word]) -> Vec<&Word> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    for word in words {
        if word.is(")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            found.push(word);
        }
        if word.is("(") {
            depth += 1;
        }
    }
    found
}

/// The parts between the commas that stand in no brackets.
fn split(words: &[Word]) -> Vec<&[Word]> {
    let mut depth = 0usize;
    words
        .split(|word| {
            if word.is("(") {
                depth += 1;
            } else if word.is(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && word.is(",")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column with its place in a row.
    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let table = Table::read("t", 2, sql);
        let shown = table.map(|table| {
            let column = |column: &Column| {
                let place = match column.stored {
                    _ if column.is_rowid => "#".to_owned(),
                    Some(place) => place.to_string(),
                    None => "-".to_owned(),
                };
                let default =
                    if column.default == Value::Null { String::new() } else { format!("={:?}", column.default) };
                format!("{}:{place}{default}", column.name)
            };
            table.columns.iter().map(column).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(shown.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn columns_in_all_their_quotes() {
        check("CREATE TABLE t(a, \"b c\" TEXT, `d`, [e f] INT, 'g''h')", "a:0 b c:1 d:2 e f:3 g'h:4");
        check("CREATE TABLE t (-- the first, only one\n a /* (, */ TEXT\n)", "a:0");
        check("CREATE TABLE \"x(y\" (a)", "a:0");
        check("CREATE TABLE main.t(a decimal(10, 2) CHECK (a > 0, 1), b)", "a:0 b:1");
        check("CREATE TABLE t(a, UNIQUE (a), CONSTRAINT c FOREIGN KEY (a) REFERENCES u(a))", "a:0");
        check("CREATE TABLE t(\"check\" TEXT, b)", "check:0 b:1");
        check("SELECT 1", "none");
        check("CREATE TABLE t()", "none");
        check("CREATE TABLE t(a, b", "a:0 b:1");
    }

    #[test]
    fn the_number_of_a_row_has_a_name() {
        check("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, b)", "id:# b:1");
        check("CREATE TABLE t(id INTEGER NOT NULL, b, PRIMARY KEY(id DESC))", "id:# b:1");
        check("CREATE TABLE t(id INT PRIMARY KEY, b)", "id:0 b:1");
        check("CREATE TABLE t(id INTEGER PRIMARY KEY DESC, b)", "id:0 b:1");
        check("CREATE TABLE t(a INTEGER, b INTEGER, PRIMARY KEY(a, b))", "a:0 b:1");
    }

    #[test]
    fn without_a_number_the_key_comes_first() {
        check("CREATE TABLE t(a, id INTEGER PRIMARY KEY, b) WITHOUT ROWID", "a:1 id:0 b:2");
        check("CREATE TABLE t(a, b, c, PRIMARY KEY(c, \"a\", c)) STRICT, WITHOUT ROWID", "a:1 b:2 c:0");
    }

    #[test]
    fn what_is_worked_out_is_not_stored() {
        check("CREATE TABLE t(a, b AS (a + 1), c GENERATED ALWAYS AS (a) STORED, d)", "a:0 b:- c:1 d:2");
    }

    #[test]
    fn defaults_of_columns_that_were_added() {
        check(
            "CREATE TABLE t(a DEFAULT 'x''y', b INTEGER NOT NULL DEFAULT -3, c DEFAULT (1.5), d DEFAULT TRUE, e DEFAULT NULL)",
            "a:0=Text(\"x'y\") b:1=Integer(-3) c:2=Real(1.5) d:3=Integer(1) e:4",
        );
    }
}
