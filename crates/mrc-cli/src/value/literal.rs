//! Reads one level of a JSON document: nested values stay text, and numbers stay digits.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value, read one level deep.
#[derive(Debug)]
pub(crate) enum Literal<'a> {
    Null,
    Bool(bool),
    /// Digits, with an optional minus.
    Integer(&'a str),
    /// Digits with a fraction, an exponent, or both.
    Float(&'a str),
    Text(String),
    List(Vec<&'a RawValue>),
    /// Members. A repeated name keeps its first place and its last value, as in both peers.
    Object(Vec<(String, &'a RawValue)>),
}

impl<'a> Literal<'a> {
    pub(crate) fn read(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => Self::List(serde_json::from_str(text)?),
            Some(b'{') => Self::Object(serde_json::from_str::<Members<'a>>(text)?.0),
            _ if text.contains(['.', 'e', 'E']) => Self::Float(text),
            _ => Self::Integer(text),
        })
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut members, mut places) = (Vec::<(String, &RawValue)>::new(), HashMap::new());
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    let place = *places.entry(name.clone()).or_insert(members.len());
                    match members.get_mut(place) {
                        Some(member) => member.1 = value,
                        None => members.push((name, value)),
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
