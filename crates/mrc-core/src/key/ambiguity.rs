//! The reasons why other params could have the same key.
//!
//! Assumption: calls with one text have one list of names, as a statement's placeholders do.

use super::format::KeyFormat;
use crate::param::Params;
use crate::value::Value;

/// Why other params could have the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ambiguity {
    /// A value contains a param separator, such as `1_State=open` before a param `State`.
    #[error("a value holds text that reads as another param: the key can be split in more than one way")]
    Separator,
    /// A value that the key spells like one of another type: the text `"123"`, the float `1.0`. The
    /// entry is stored with a [mark](crate::Key::mark) that names the type.
    #[error("{name} is {type_name}, and the key spells it as {reads_as}: a mark in the entry tells the two apart")]
    SpelledAs {
        /// The name of the param.
        name: String,
        /// The type of the value, such as `a text`.
        type_name: &'static str,
        /// The type that the key shows, such as `an integer`.
        reads_as: &'static str,
    },
    /// An element of a list that reads as several elements, or as none.
    #[error("an element of the list {name} reads as several, or as NULL")]
    ListElement {
        /// The name of the param.
        name: String,
    },
    /// A value that the key cuts: invalid UTF-8, microseconds, an impossible date, `1.0` in JSON.
    #[error("the key holds only a part of the {type_name} {name}")]
    Truncated {
        /// The name of the param.
        name: String,
        /// The type of the value.
        type_name: &'static str,
    },
}

impl Ambiguity {
    /// Returns whether calls with such a key bypass the cache, since their entries look alike.
    pub fn bypasses(&self) -> bool {
        !matches!(self, Self::SpelledAs { .. })
    }

    /// Returns why these params bypass the cache. `text` is their key, up to and with the last `_`.
    pub(super) fn find(format: KeyFormat, params: &Params, text: &[u8]) -> Option<Self> {
        let named = || params.iter().filter_map(|param| Some((param.name.as_deref()?, &param.value)));
        let of_a_value = named().find_map(|(name, value)| match format {
            KeyFormat::TypeScript => typescript(name, value),
            KeyFormat::Python => json(name, value),
        });
        if of_a_value.is_some() {
            return of_a_value;
        }
        // A second way to split needs a `=` that ends no name.
        if text.iter().filter(|&&byte| byte == b'=').count() == named().count() {
            return None;
        }
        let names: Vec<_> = named().map(|(name, _)| name).collect();
        splits_in_several_ways(&names, text).then_some(Self::Separator)
    }
}

/// Checks JSON: JavaScript spells `1.0` and `1` alike, but they are bound differently.
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
    let list_element = || Some(Ambiguity::ListElement { name: name.to_owned() });
    let truncated =
        |truncated: bool, type_name| truncated.then(|| Ambiguity::Truncated { name: name.to_owned(), type_name });
    match value {
        Value::Bytes(bytes) => truncated(std::str::from_utf8(bytes).is_err(), "bytes"),
        Value::Date(date) => truncated(date.weekday().is_none(), "date"),
        Value::DateTime(at) => truncated(at.micros > 0 || at.date.weekday().is_none(), "datetime"),
        Value::List(values) => values.iter().find_map(|element| match element {
            Value::Text(text) if text.is_empty() || text.contains(',') => list_element(),
            Value::Json(_) => list_element(),
            Value::Bytes(bytes) if bytes.is_empty() || bytes.contains(&b',') => list_element(),
            Value::Text(_) => None,
            element => typescript(name, element),
        }),
        value => json(name, value),
    }
}

/// Returns whether `text` can be split at the names, in their order, in more than one way.
///
/// A name holds no `=`, so each stretch between two `=` ends in at most one of the names. The
/// earliest and the latest possible splits bound all others: if these two agree, there is only one.
/// The cost grows with the length of the text, not with the number of names.
fn splits_in_several_ways(names: &[&str], text: &[u8]) -> bool {
    let stretches: Vec<&[u8]> = text.split(|&byte| byte == b'=').collect();
    // The first stretch is the first name, and the last stretch follows the last `=`.
    let (Some(names), [_, stretches @ .., _]) = (names.get(1..), stretches.as_slice()) else { return false };
    let ends_in =
        |stretch: &[u8], name: &str| stretch.strip_suffix(name.as_bytes()).is_some_and(|value| value.ends_with(b"_"));
    let mut early = stretches.iter().enumerate();
    let earliest: Vec<usize> =
        names.iter().filter_map(|name| early.find(|(_, stretch)| ends_in(stretch, name)).map(|(at, _)| at)).collect();
    let mut late = stretches.iter().enumerate().rev();
    let latest = names.iter().rev().filter_map(|name| late.find(|(_, stretch)| ends_in(stretch, name)));
    !latest.map(|(at, _)| at).eq(earliest.into_iter().rev())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The model: in how many ways the value of each name can begin at each place, at most 2.
    fn ways(names: &[&str], text: &[u8]) -> u8 {
        let mut ways = vec![0u8; text.len() + 1];
        ways[names[0].len() + 1] = 1;
        for name in &names[1..] {
            let separator = [b"_", name.as_bytes(), b"="].concat();
            let mut next = vec![0u8; ways.len()];
            let mut so_far = 0;
            for (at, ways) in ways.iter().enumerate() {
                so_far = 2.min(so_far + ways);
                if text[at..].starts_with(&separator) {
                    next[at + separator.len()] = so_far;
                }
            }
            ways = next;
        }
        ways.iter().fold(0, |sum, ways| 2.min(sum + ways))
    }

    fn key(names: &[&str], values: &[&str]) -> Vec<u8> {
        names.iter().zip(values).flat_map(|(name, value)| format!("{name}={value}_").into_bytes()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        // A small alphabet, so that a value often reads as a name.
        #[test]
        fn a_key_splits_as_the_model_says(pairs in prop::collection::vec(("[ab_]{1,2}", "[ab_=]{0,9}"), 1..6)) {
            let (names, values): (Vec<_>, Vec<_>) = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).unzip();
            let text = key(&names, &values);
            prop_assert_eq!(splits_in_several_ways(&names, &text), ways(&names, &text) > 1);
        }
    }

    #[test]
    fn a_thousand_names_and_a_megabyte_are_looked_through_once() {
        let names: Vec<String> = (0..1000).map(|at| format!("n{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let long = "_n1=_n2=_n999=".repeat(80_000);
        let mut values = vec!["x"; 1000];
        values[500] = &long;
        // The model would take minutes here.
        assert!(!splits_in_several_ways(&names, &key(&names, &values)));
        values[500] = "_n501=";
        assert!(splits_in_several_ways(&names, &key(&names, &values)));
        assert!(splits_in_several_ways(&["a"; 1000], &key(&["a"; 1000], &["_a="; 1000])));
    }
}
