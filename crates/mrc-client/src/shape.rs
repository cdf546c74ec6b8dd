//! Whether a type takes a list of rows, one row that may be absent, or one row.

use serde::de::value::{Error as Nothing, UnitDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// The number of rows that a type takes of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All rows: `Vec<T>`.
    List,
    /// The row, or nothing: `Option<T>`.
    Option,
    /// The row.
    Row,
}

/// Returns what `T` takes: the question that it asks a deserializer first.
pub(crate) fn of<T: DeserializeOwned>() -> Shape {
    let mut shape = Shape::Row;
    // The outcome is always an error: there is nothing to read.
    let _ = T::deserialize(Probe(&mut shape));
    shape
}

/// Returns the value of an `Option` that is absent.
pub(crate) fn nothing<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(UnitDeserializer::<Nothing>::new()).ok()
}

struct Probe<'a>(&'a mut Shape);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Nothing> {
        Err(Nothing::custom(""))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        *self.0 = Shape::List;
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Nothing> {
        *self.0 = Shape::Option;
        self.deserialize_any(visitor)
    }

    // A newtype is what it holds.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Nothing> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct User {
        _id: u64,
    }

    #[derive(Deserialize)]
    struct Users(#[expect(dead_code)] Vec<User>);

    #[test]
    fn a_type_says_how_many_rows_it_takes() {
        assert_eq!([of::<Vec<User>>(), of::<HashSet<u8>>(), of::<Users>()], [Shape::List; 3]);
        assert_eq!([of::<Option<User>>(), of::<Option<Vec<u8>>>()], [Shape::Option; 2]);
        assert_eq!([of::<User>(), of::<(u8, String)>(), of::<HashMap<String, u8>>(), of::<u64>()], [Shape::Row; 4]);
        assert!(nothing::<Option<User>>().is_some_and(|user| user.is_none()));
    }
}
