//! What makes a key that other params could have as well.
//!
//! Assumed: one text always comes with one list of names, as a statement's placeholders do. What can differ from call to call is the values.

use super::KeyFormat;
use crate::param::Params;
use crate::value::Value;

/// Why other params could have the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ambiguity {
    /// A value holds the text that separates two params, such as `1_State=open` before a param `State`.
    #[error("a value holds text that reads as another param: the key can be split in more than one way")]
    Separator,
    /// A value that the key spells as one of another type: the text `"123"`, the float `1.0`. Its entry is stored, and a
    /// [mark](crate::Key::mark) keeps it apart.
    #[error("{name} is {type_name}, and the key spells it as {reads_as}: a mark in the entry tells the two apart")]
    SpelledAs {
        /// The name of the param.
        name: String,
        /// The type of the value, such as `a text`.
        type_name: &'static str,
        /// The type that the key shows, such as `an integer`.
        reads_as: &'static str,
    },
    /// An element of a list that reads as several, or as none.
    #[error("an element of the list {name} reads as several, or as NULL")]
    ListElement {
        /// The name of the param.
        name: String,
    },
    /// A value of which the key holds only a part: invalid UTF-8, microseconds, an impossible date, `1.0` in JSON.
    #[error("the key holds only a part of the {type_name} {name}")]
    Truncated {
        /// The name of the param.
        name: String,
        /// The type of the value.
        type_name: &'static str,
    },
}

impl Ambiguity {
    /// Returns whether calls with such a key go without the cache, since nothing could tell their entries apart.
    pub fn bypasses(&self) -> bool {
        !matches!(self, Self::SpelledAs { .. })
    }

    /// Looks at params and at the text that they became, up to and with the last `_`. It finds what bypasses the cache.
    pub(super) fn find(format: KeyFormat, params: &Params, text: &[u8]) -> Option<Self> {
        let named = || params.iter().filter_map(|param| Some((param.name.as_deref()?, &param.value)));
        let of_a_value = named().find_map(|(name, value)| match format {
            KeyFormat::TypeScript => typescript(name, value),
            KeyFormat::Python => json(name, value),
        });
        if of_a_value.is_some() {
            return of_a_value;
        }
        // A second way to split needs a `=` that isn't a name's.
        if text.iter().filter(|&&byte| byte == b'=').count() == named().count() {
            return None;
        }
        let names: Vec<_> = named().map(|(name, _)| name).collect();
        (splits(&names, text) > 1).then_some(Self::Separator)
    }
}

/// JSON in a key has JavaScript's numbers: `1.0` and `1` are spelled alike, and are bound as they are.
fn json(name: &str, value: &Value) -> Option<Ambiguity> {
    let is_cut = match value {
        Value::Json(document) => holds_whole_float(document),
        Value::List(values) => return values.iter().find_map(|element| json(name, element)),
        _ => false,
    };
    is_cut.then(|| Ambiguity::Truncated { name: name.to_owned(), type_name: value.type_name() })
}

fn holds_whole_float(document: &serde_json::Value) -> bool {
    match document {
        serde_json::Value::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|float| float.fract() == 0.0)
        }
        serde_json::Value::Array(values) => values.iter().any(holds_whole_float),
        serde_json::Value::Object(members) => members.values().any(holds_whole_float),
        _ => false,
    }
}

fn typescript(name: &str, value: &Value) -> Option<Ambiguity> {
    let name = || name.to_owned();
    let truncated = |truncated: bool, type_name| truncated.then(|| Ambiguity::Truncated { name: name(), type_name });
    match value {
        Value::Bytes(bytes) => truncated(std::str::from_utf8(bytes).is_err(), "bytes"),
        Value::Date(date) => truncated(date.weekday().is_none(), "date"),
        Value::DateTime(at) => truncated(at.micros > 0 || at.date.weekday().is_none(), "datetime"),
        Value::List(values) => values.iter().find_map(|element| match element {
            Value::Text(text) if text.is_empty() || text.contains(',') => Some(Ambiguity::ListElement { name: name() }),
            Value::Json(_) => Some(Ambiguity::ListElement { name: name() }),
            Value::Bytes(bytes) if bytes.is_empty() || bytes.contains(&b',') => {
                Some(Ambiguity::ListElement { name: name() })
            }
            Value::Text(_) => None,
            element => typescript(&name(), element),
        }),
        value => json(&name(), value),
    }
}

/// In how many ways `text` can be split at the names, in their order; two stands for any more.
fn splits(names: &[&str], text: &[u8]) -> u8 {
    // ways[at]: in how many ways the value of the name at hand can begin at `at`.
    let mut ways = vec![0u8; text.len() + 1];
    let Some(begin) = names.first().and_then(|first| ways.get_mut(first.len() + 1)) else { return 1 };
    *begin = 1;
    for name in names.iter().skip(1) {
        let separator = [b"_", name.as_bytes(), b"="].concat();
        let mut next = vec![0u8; ways.len()];
        let mut so_far = 0;
        for (at, ways) in ways.iter().enumerate() {
            so_far = 2.min(so_far + ways);
            if text.get(at..).is_some_and(|rest| rest.starts_with(&separator))
                && let Some(next) = next.get_mut(at + separator.len())
            {
                *next = so_far;
            }
        }
        ways = next;
    }
    ways.iter().fold(0, |sum, ways| 2.min(sum + ways))
}
