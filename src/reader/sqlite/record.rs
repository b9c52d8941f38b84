//! A row as it is stored: a header that says what each column is, and the columns one behind the other.

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// How texts are stored, which is the same in the whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    fn text(self, bytes: &[u8]) -> String {
        let pair =
            |pair: &[u8; 2]| if self == Self::Utf16Be { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            _ => {
                let units: Vec<u16> = bytes.as_chunks().0.iter().map(pair).collect();
                String::from_utf16_lossy(&units)
            }
        }
    }
}

/// A number of one to nine bytes, and how many these are.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    bytes.get(8).map(|byte| (value << 8 | u64::from(*byte), 9))
}

/// The columns of a row; `None` when the header promises more than there is.
pub(super) fn decode(payload: &[u8], encoding: Encoding) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    let mut columns = Columns::new(payload)?;
    while let Some(column) = columns.next_column()? {
        let bytes = payload.get(column.start..column.end)?;
        values.push(value(column.sort, bytes, encoding)?);
    }
    Some(values)
}

/// The text of the column at that place, as far as it stands in this part of the row.
pub(super) fn column_at(part: &[u8], wanted: usize, encoding: Encoding) -> Option<String> {
    let mut columns = Columns::new(part)?;
    for _ in 0..wanted {
        columns.next_column()??;
    }
    let column = columns.next_column()??;
    if column.sort < 12 {
        return None;
    }
    let bytes = part.get(column.start..column.end.min(part.len()))?;
    Some(encoding.text(bytes))
}

struct Columns<'p> {
    header: &'p [u8],
    at: usize,
    start: usize,
}

struct Column {
    sort: u64,
    start: usize,
    end: usize,
}

impl<'p> Columns<'p> {
    fn new(payload: &'p [u8]) -> Option<Self> {
        let (size, used) = varint(payload)?;
        let size = usize::try_from(size).ok()?;
        let header = payload.get(..size).filter(|_| used <= size)?;
        Some(Self { header, at: used, start: size })
    }

    /// `Some(None)` at the end, `None` when the header is damaged.
    fn next_column(&mut self) -> Option<Option<Column>> {
        let rest = self.header.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Some(None);
        }
        let (sort, used) = varint(rest)?;
        self.at += used;
        let size = match sort {
            0 | 8 | 9 => 0,
            1..=4 => sort,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (sort - 12) / 2,
        };
        let start = self.start;
        self.start = start.checked_add(usize::try_from(size).ok()?)?;
        Some(Some(Column { sort, start, end: self.start }))
    }
}

fn value(sort: u64, bytes: &[u8], encoding: Encoding) -> Option<Value> {
    Some(match sort {
        0 => Value::Null,
        1..=6 => Value::Integer(integer(bytes)),
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        _ if sort.is_multiple_of(2) => Value::Blob(bytes.to_vec()),
        _ => Value::Text(encoding.text(bytes)),
    })
}

/// A signed number, its highest byte first.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x81]), None);
        assert_eq!(integer(&[0xff]), -1);
        assert_eq!(integer(&[0x00, 0x80]), 128);
        assert_eq!(integer(&[0x80, 0, 0, 0, 0, 0, 0, 0]), i64::MIN);
    }

    #[test]
    fn a_row_of_every_sort() {
        let row = [8, 0, 1, 9, 14, 15, 12 + 3, 13, 0xfe, b'\0', b'a', b'b'];
        let text = |text: &str| Value::Text(text.to_owned());
        let expected = vec![
            Value::Null,
            Value::Integer(-2),
            Value::Integer(1),
            Value::Blob(vec![0]),
            text("a"),
            text("b"),
            text(""),
        ];
        assert_eq!(decode(&row, Encoding::Utf8), Some(expected));
        assert_eq!(column_at(&row[..11], 5, Encoding::Utf8).as_deref(), Some(""));
        assert_eq!(decode(&row[..11], Encoding::Utf8), None);
        assert_eq!(decode(&[2, 11], Encoding::Utf8), None);
        assert_eq!(decode(&[0], Encoding::Utf8), None);
        assert_eq!(decode(&[3, 0xff, 0xff], Encoding::Utf8), None);
    }

    #[test]
    fn texts_in_two_bytes() {
        assert_eq!(Encoding::Utf16Le.text(&[b'l', 0, 0x05, 0x01]), "lą");
        assert_eq!(Encoding::Utf16Be.text(&[0, b'l', 0x01, 0x05, 9]), "lą");
    }
}
