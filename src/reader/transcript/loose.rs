//! Fields of other programs' logs, read leniently: what has the expected shape is taken, the rest counts as absent.
//!
//! Agents change their transcripts with every release. One field of a new shape must not hide the call beside it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string or a number as text; absent when it is anything else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word<'a>(Option<Cow<'a, str>>);

impl Word<'_> {
    /// The text, empty when it is absent.
    pub(crate) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The text, unless it is absent or empty.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The field was there, as text of any length.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// A boolean; absent when it is anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

/// An object; absent when it is anything else.
#[derive(Clone, Debug)]
pub(crate) struct Loose<T>(pub(crate) Option<T>);

/// The objects of a list; a lone object counts as a list of one, all else as an empty list.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The visits that every lenient field answers with "absent".
macro_rules! absent {
    ($value:expr; $($visit:ident($($type:ty)?)),+) => {
        $(fn $visit<E>(self $(, _: $type)?) -> Result<Self::Value, E> {
            Ok($value)
        })+
    };
    ($value:expr; seq) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    ($value:expr; map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Word<'de>, E> {
        Ok(Word(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Word<'de>, E> {
        Ok(Word(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Word<'de>, E> {
        Ok(Word(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Word<'de>, E> {
        Ok(Word(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Word<'de>, E> {
        Ok(Word(Some(Cow::Owned(number.to_string()))))
    }

    absent!(Word(None); visit_bool(bool), visit_unit(), visit_none());
    absent!(Word(None); seq);
    absent!(Word(None); map);
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(Some(value)))
    }

    absent!(Flag(None); visit_str(&str), visit_u64(u64), visit_i64(i64), visit_f64(f64), visit_unit(), visit_none());
    absent!(Flag(None); seq);
    absent!(Flag(None); map);
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct LooseVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LooseVisitor<T> {
    type Value = Loose<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Loose<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| Loose(Some(value)))
    }

    absent!(Loose(None); visit_bool(bool), visit_str(&str), visit_u64(u64), visit_i64(i64), visit_f64(f64), visit_unit(), visit_none());
    absent!(Loose(None); seq);
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(Loose(item)) = seq.next_element::<Loose<T>>()? {
            items.extend(item);
        }
        Ok(List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| List(vec![value]))
    }

    absent!(List(Vec::new()); visit_bool(bool), visit_str(&str), visit_u64(u64), visit_i64(i64), visit_f64(f64), visit_unit(), visit_none());
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug, Default)]
    #[serde(default)]
    struct Inner<'a> {
        #[serde(borrow)]
        name: Word<'a>,
        ok: Flag,
    }

    #[derive(serde::Deserialize, Debug, Default)]
    #[serde(default)]
    struct Outer<'a> {
        #[serde(borrow)]
        one: Loose<Inner<'a>>,
        #[serde(borrow)]
        many: List<Inner<'a>>,
    }

    fn check(json: &str, expected: &str) {
        let read: Outer<'_> = serde_json::from_str(json).unwrap();
        let show = |inner: &Inner<'_>| format!("{}:{:?}", inner.name.text(), inner.ok.0);
        let many: Vec<String> = read.many.0.iter().map(show).collect();
        assert_eq!(format!("{:?} {many:?}", read.one.0.as_ref().map(show)), expected);
    }

    #[test]
    fn a_field_of_another_shape_hides_nothing_beside_it() {
        check(r#"{"one":{"name":"a","ok":true,"new":[{}]}}"#, r#"Some("a:Some(true)") []"#);
        check(r#"{"one":{"name":{"x":[1]},"ok":"yes"}}"#, r#"Some(":None") []"#);
        check(r#"{"one":[1,{}],"many":[1,"x",[2],{"name":7},null]}"#, r#"None ["7:None"]"#);
        check(r#"{"one":"text","many":{"name":"a\n"}}"#, r#"None ["a\n:None"]"#);
    }
}
