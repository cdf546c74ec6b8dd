//! Parses `NAME=VALUE` and JSON.
//!
//! Numbers keep their digits: JSON integers have any size, and `1` isn't `1.0` in a key of Python.

mod peer;

use std::collections::HashMap;
use std::fmt;

use mrc::Params;
use mrc::key::Value;
use mrc::rows::Decimal;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use peer::{python, typescript};

/// The limit of nesting. Deeper documents are refused before they overflow the stack.
const DEPTH: usize = 128;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    name: String,
    value: Value,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("it nests deeper than {DEPTH} levels")]
    Deep,
    #[error("{0} is beyond what a float holds")]
    Infinite(String),
    #[error("{0} has more digits than a JSON object keeps: write the object as a JSON string")]
    LongInteger(String),
}

pub(crate) fn named(text: &str) -> Result<Named, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write NAME=VALUE, such as StoreId=6".into());
    };
    if name.is_empty() {
        return Err("the name before the = is empty: write NAME=VALUE, such as StoreId=6".into());
    }
    Ok(Named { name: name.into(), value: parse(value).map_err(|error| format!("the value of {name}: {error}"))? })
}

/// The values of a param that are asked for one by one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Each {
    pub(crate) name: String,
    pub(crate) values: Vec<Value>,
}

/// Parses `NAME=V1,V2,…`, or `NAME=[V1,V2,…]` for texts with commas.
pub(crate) fn each(text: &str) -> Result<Each, String> {
    let Named { name, value } = named(text)?;
    let values = match (value, text.split_once('=')) {
        (Value::List(values), _) => values,
        (_, Some((_, list))) => {
            let values: Result<_, _> = list.split(',').map(parse).collect();
            values.map_err(|error| format!("a value of {name}: {error}"))?
        }
        (value, None) => vec![value],
    };
    Ok(Each { name, values })
}

/// Returns the params from the command line, in their order.
pub(crate) fn params(named: &[Named]) -> Params {
    named.iter().fold(Params::new(), |params, Named { name, value }| params.with(name.clone(), value.clone()))
}

/// Parses JSON. A text that isn't JSON becomes a string.
pub(crate) fn parse(text: &str) -> Result<Value, ValueError> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => match value(raw, DEPTH) {
            // Half of a surrogate pair, for example: the text only looks like JSON.
            Err(ValueError::Json(_)) => Ok(Value::from(text.to_owned())),
            read => read,
        },
        Err(_) => Ok(Value::from(text.to_owned())),
    }
}

fn value(raw: &RawValue, depth: usize) -> Result<Value, ValueError> {
    let depth = depth.checked_sub(1).ok_or(ValueError::Deep)?;
    Ok(match Literal::read(raw)? {
        Literal::Null => Value::Null,
        Literal::Bool(bool) => Value::Bool(bool),
        Literal::Integer(digits) => integer(digits)?,
        Literal::Float(digits) => Value::Float(float(digits)?),
        Literal::Text(text) => Value::from(text),
        Literal::List(items) => {
            Value::List(items.into_iter().map(|item| value(item, depth)).collect::<Result<_, _>>()?)
        }
        Literal::Object(_) => Value::Json(document(raw, depth)?),
    })
}

/// Returns an integer of any size, with all digits.
fn integer(digits: &str) -> Result<Value, ValueError> {
    let small = digits.parse().map(Value::Int).or_else(|_| digits.parse().map(Value::UInt));
    small.or_else(|_| Decimal::new(digits).map(Value::Decimal).map_err(|_| ValueError::Infinite(digits.into())))
}

fn float(digits: &str) -> Result<f64, ValueError> {
    let float = digits.parse().ok().filter(|float: &f64| float.is_finite());
    float.ok_or_else(|| ValueError::Infinite(digits.into()))
}

fn document(raw: &RawValue, depth: usize) -> Result<serde_json::Value, ValueError> {
    use serde_json::Value as Json;
    let depth = depth.checked_sub(1).ok_or(ValueError::Deep)?;
    Ok(match Literal::read(raw)? {
        Literal::Null => Json::Null,
        Literal::Bool(bool) => Json::Bool(bool),
        Literal::Integer(digits) => match integer(digits)? {
            Value::Int(int) => int.into(),
            Value::UInt(int) => int.into(),
            _ => return Err(ValueError::LongInteger(digits.into())),
        },
        Literal::Float(digits) => float(digits)?.into(),
        Literal::Text(text) => Json::String(text),
        Literal::List(items) => {
            Json::Array(items.into_iter().map(|item| document(item, depth)).collect::<Result<_, _>>()?)
        }
        Literal::Object(members) => {
            let members = members.into_iter().map(|(name, item)| Ok((name, document(item, depth)?)));
            Json::Object(members.collect::<Result<_, ValueError>>()?)
        }
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_json_and_the_rest_is_text() {
        let check = |text: &str, expect: Value| assert_eq!(parse(text).unwrap(), expect, "{text}");
        check("6", Value::Int(6));
        check(" 6 ", Value::Int(6));
        check("-0", Value::Int(0));
        check("1.0", Value::Float(1.0));
        check("1e2", Value::Float(100.0));
        check("18446744073709551615", Value::UInt(u64::MAX));
        check("-9223372036854775808", Value::Int(i64::MIN));
        check("18446744073709551616", Decimal::new("18446744073709551616").unwrap().into());
        check("-9223372036854775809", Decimal::new("-9223372036854775809").unwrap().into());
        check("true", Value::Bool(true));
        check("null", Value::Null);
        check("\"6\"", Value::from("6"));
        check(r#""\u00e9""#, Value::from("é"));
        check("[1,\"a\",null]", Value::List(vec![1.into(), "a".into(), Value::Null]));
        check("[]", Value::List(vec![]));
        check(r#"{"a":[1,{"b":2.5}]}"#, serde_json::json!({"a": [1, {"b": 2.5}]}).into());
        for text in r#"open|00123|| |1.|.5|+1|NaN|[1|{a:1}|TRUE|a=b|0x10|"\ud800"|6 7"#.split('|') {
            check(text, Value::from(text.to_owned()));
        }
    }

    #[test]
    fn numbers_and_depths_beyond_the_limits_are_refused() {
        let check = |text: &str, expect: &str| {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expect), "{text}: {error}");
        };
        check("1e400", "beyond what a float holds");
        check("[1,-1e400]", "beyond what a float holds");
        check(r#"{"a":18446744073709551616}"#, "more digits than a JSON object keeps");
        check(&("[".repeat(200_000) + &"]".repeat(200_000)), "deeper than 128");
        check(&(r#"{"a":"#.repeat(200) + "1" + &"}".repeat(200)), "deeper than 128");
    }

    #[test]
    fn a_param_has_a_name_and_a_value() {
        let check =
            |text: &str, name: &str, value: Value| assert_eq!(named(text), Ok(Named { name: name.into(), value }));
        check("StoreId=6", "StoreId", 6.into());
        check("Note=a=b", "Note", "a=b".into());
        check("Empty=", "Empty", "".into());
        assert!(named("StoreId").unwrap_err().contains("NAME=VALUE"));
        assert!(named("=6").unwrap_err().contains("empty"));
        assert!(named("Big=1e999").unwrap_err().contains("the value of Big"));
    }
}
