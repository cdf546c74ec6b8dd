//! Keys, and the patterns that look for them.

use arbitrary::Unstructured;
use mrc_core::{Date, Decimal, EntryPattern, KeyFormat, KeyScheme, Param, Params, Value};

use crate::input::{any, below, datetime, joined, one, time};

/// The parts of a name or a value that could look like something else.
const PIECES: &[&str] =
    &["A", "B", "_", "=", "A=", "_B=", "1", "null", "None", ",", "", " ", "'", "\"", "\\", "é", "\u{2028}", "😀", "\0"];
const NAMES: &[&str] = &["A", "B", "StoreId", "A_B", "_A", "B_", "é"];
const DOCUMENTS: &[&str] = &["null", "{}", "[1,2]", r#"{"b":1.0,"1":"_B="}"#, "\"A\"", "1e-7"];
const FORMATS: [KeyFormat; 2] = [KeyFormat::TypeScript, KeyFormat::Python];

/// Checks two lists of values under one list of names, as in two calls of one statement.
pub fn keys(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let names: Vec<String> = (0..below(&mut input, 4)).map(|_| name(&mut input)).collect();
    let one = params(&mut input, &names);
    let other = params(&mut input, &names);
    for format in FORMATS {
        differ_where_their_values_do(format, &one, &other);
        for params in [&one, &other] {
            are_the_peers(format, params, &names);
            are_found(format, params);
        }
    }
    if let Ok(pattern) = EntryPattern::any(&one) {
        let any_key = input.take_rest();
        assert!(!pattern.matches(any_key) || pattern.substring(true).matches(any_key), "a segment is a substring");
    }
}

/// Checks that calls with one key and one mark have the same values, unless one bypasses the cache.
fn differ_where_their_values_do(format: KeyFormat, one: &Params, other: &Params) {
    let scheme = KeyScheme::new(format);
    let (Ok(key), Ok(other_key)) = (scheme.key("SELECT ?", one), scheme.key("SELECT ?", other)) else { return };
    let share = key.as_str() == other_key.as_str() && key.mark() == other_key.mark();
    if !share || key.bypass().is_some() || other_key.bypass().is_some() {
        return;
    }
    for (one, other) in one.values().zip(other.values()) {
        let alone =
            |value: &Value| scheme.key("", &Params::new().with("X", value.clone())).map(mrc_core::Key::into_string);
        assert_eq!(alone(one), alone(other), "{key} is shared by {one:?} and {other:?}");
        assert!(is_same(one, other), "{key} is shared by {one:?} and {other:?}");
    }
}

/// Returns whether two values ask the same: integers are one type, a list of one is its element.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::List(list), single) | (single, Value::List(list)) => {
            matches!(list.as_slice(), [one] if is_same(one, single))
        }
        (Value::Int(int), Value::UInt(uint)) | (Value::UInt(uint), Value::Int(int)) => u64::try_from(*int) == Ok(*uint),
        (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// Checks that a key that isn't refused is the key that the peer computes.
fn are_the_peers(format: KeyFormat, params: &Params, names: &[String]) {
    let scheme = KeyScheme::new(format);
    let values: Vec<Value> = params.values().cloned().collect();
    let peer = scheme.peer_key("SELECT ?", &values, names);
    if let Ok(key) = scheme.key("SELECT ?", params) {
        assert_eq!(key.as_str(), peer);
    }
    // The lists may differ in length.
    for shorter in 0..names.len() {
        scheme.peer_key("", &values, &names[..shorter]);
        scheme.peer_key("", &values[..shorter], names);
    }
}

/// Checks that an invalidation by a key's params finds the key: by each alone, and by all.
fn are_found(format: KeyFormat, params: &Params) {
    let Ok(key) = KeyScheme::new(format).key("SELECT ?", params) else { return };
    let finds = |pattern: &EntryPattern| {
        let needle = pattern.needle().is_none_or(|needle| key.as_str().contains(&needle));
        needle && pattern.matches(key.as_str().as_bytes())
    };
    for param in params {
        let alone: Params = std::iter::once(param.clone()).collect();
        let pattern = EntryPattern::any(&alone).unwrap_or_else(|e| panic!("{e} of the key {key}"));
        assert!(finds(&pattern), "{pattern:?} misses {key}");
        assert!(finds(&pattern.clone().substring(true)), "{pattern:?} misses {key} as a substring");
    }
    if let Ok(all) = EntryPattern::all(params) {
        assert!(finds(&all), "{all:?} misses {key}");
    }
}

fn name(input: &mut Unstructured<'_>) -> String {
    match below(input, 4) {
        0 => joined(input, PIECES, 4),
        _ => one(input, NAMES).to_owned(),
    }
}

fn params(input: &mut Unstructured<'_>, names: &[String]) -> Params {
    let param = |name: &String| Param { name: Some(name.clone().into()), value: value(input, true) };
    names.iter().map(param).collect()
}

fn value(input: &mut Unstructured<'_>, lists: bool) -> Value {
    match below(input, if lists { 15 } else { 14 }) {
        0 => Value::Null,
        1 => any::<bool>(input).into(),
        2 => Value::Int(any::<i8>(input).into()),
        3 => Value::Int(any(input)),
        4 => Value::UInt(any(input)),
        5 => Value::Float(any(input)),
        6 => Decimal::new(one(input, &["1", "1.0", "-0.50", "00.1"])).map_or(Value::Null, Value::from),
        7 => joined(input, PIECES, 8).into_bytes().into(),
        8 => any::<Vec<u8>>(input).into(),
        9 => Value::Date(date(input)),
        10 => Value::DateTime(datetime(input, date)),
        11 => Value::Time(time(input)),
        12 => joined(input, PIECES, 8).into(),
        13 => Value::Json(serde_json::from_str(one(input, DOCUMENTS)).unwrap_or_default()),
        _ => {
            let count = below(input, 4);
            let element = |_| {
                let nested = any(input);
                value(input, nested)
            };
            Value::List((0..count).map(element).collect())
        }
    }
}

fn date(input: &mut Unstructured<'_>) -> Date {
    Date { year: any(input), month: any(input), day: any(input) }
}
