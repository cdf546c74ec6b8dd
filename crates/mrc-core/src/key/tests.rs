use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::{Date, Decimal, params};

const TEXT: &str = "SELECT * FROM users WHERE id = ?";
const HASH: &str = "d6f3536ac027efd4916a172a39156f97c989bfd3";

fn key(format: KeyFormat, params: &Params) -> Result<String, KeyError> {
    Ok(KeyScheme::new(format).key(TEXT, params)?.into_string())
}

fn check(value: impl Into<Value>, typescript: &str, python: &str) {
    let params = params! { "P" => value };
    assert_eq!(key(KeyFormat::TypeScript, &params).unwrap(), format!("P={typescript}_{HASH}"));
    assert_eq!(key(KeyFormat::Python, &params).unwrap(), format!("P={python}_{HASH}"));
}

fn named<'a, T: Into<Value> + Clone + 'a>(params: impl IntoIterator<Item = (&'a String, &'a T)>) -> Params {
    params.into_iter().fold(Params::new(), |params, (name, value)| params.with(name.clone(), value.clone()))
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => text.clone().into(),
        Json::Array(values) => Value::List(values.iter().map(from_json).collect()),
        Json::Object(_) => Value::Json(json.clone()),
    }
}

fn golden(format: KeyFormat, lines: &str) {
    for line in lines.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let text = vector["query"].as_str().unwrap();
        let values: Vec<_> = vector["params"].as_array().unwrap().iter().map(from_json).collect();
        let names: Vec<String> = serde_json::from_value(vector["names"].clone()).unwrap();
        let expect = vector["key"].as_str().unwrap();
        assert_eq!(KeyScheme::new(format).key(text, &named(names.iter().zip(&values))).unwrap().as_str(), expect);
        assert_eq!(KeyScheme::new(format).peer_key(text, &values, &names), expect);
    }
}

#[test]
fn keys_of_both_peers() {
    golden(KeyFormat::TypeScript, include_str!("../../../../tests/golden/keys.typescript.jsonl"));
    golden(KeyFormat::Python, include_str!("../../../../tests/golden/keys.python.jsonl"));
}

#[test]
fn each_type_is_spelled_as_the_peer_spells_it() {
    check(123, "123", "123");
    check(u64::MAX, "18446744073709551615", "18446744073709551615");
    check(1.0, "1", "1.0");
    check(1e21, "1e+21", "1e+21");
    check(1e-7, "1e-7", "1e-07");
    check(-0.0, "0", "-0.0");
    check(None::<i32>, "null", "None");
    check(true, "true", "True");
    check("open", "open", "open");
    check(Decimal::new("10.50").unwrap(), "10.50", "10.50");
    check([1, 2, 3], "1,2,3", "[1, 2, 3]");
    check(Value::List(vec![Value::Null, 1.into(), "it's".into()]), ",1,it's", "[None, 1, \"it's\"]");
    check(b"hi".to_vec(), "hi", "b'hi'");
    let utc = |day: &str| format!("{day} 00:00:00 GMT+0000 (Coordinated Universal Time)");
    let epoch = Date::new(1970, 1, 1).unwrap().at(0, 0, 0, 0).unwrap();
    check(epoch, &utc("Thu Jan 01 1970"), "1970-01-01 00:00:00");
    check(Date::new(2025, 12, 31).unwrap(), &utc("Wed Dec 31 2025"), "2025-12-31");
    check(crate::Time::new(10, 30, 0, 0).unwrap(), "10:30:00", "10:30:00");
    check(serde_json::json!({"a": [1, 2.0]}), r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#);
}

#[test]
fn without_params_the_hash_is_alone() {
    assert_eq!(key(KeyFormat::TypeScript, &params! {}).unwrap(), HASH);
    assert_eq!(KeyScheme::default().peer_key(TEXT, &[], &["A"]), HASH);
}

#[test]
fn lists_of_different_lengths_are_as_the_peers_have_them() {
    let [npm, pypi] = [KeyFormat::TypeScript, KeyFormat::Python].map(KeyScheme::new);
    assert_eq!(npm.peer_key(TEXT, &[1.into()], &["A", "B"]), format!("A=1_B=undefined_{HASH}"));
    assert_eq!(pypi.peer_key(TEXT, &[1.into()], &["A", "B"]), format!("A=1_{HASH}"));
    assert_eq!(pypi.peer_key(TEXT, &[1.into(), 2.into()], &["A"]), format!("A=1_{HASH}"));
}

#[test]
fn params_that_make_no_key_are_refused() {
    let refused = |params: Params| key(KeyFormat::TypeScript, &params).unwrap_err();
    assert_eq!(refused(Params::new().with("A", 1).with_unnamed(2)), KeyError::Unnamed { position: 2 });
    assert_eq!(refused(params! { "" => 1 }), KeyError::EmptyName { position: 1 });
    assert_eq!(refused(params! { "a=b" => 1 }), KeyError::NameWithEquals { name: "a=b".into() });
    assert_eq!(refused(params! { "A" => f64::NAN }), KeyError::NotFinite { name: "A".into() });
    assert_eq!(refused(params! { "A" => [1.0, f64::INFINITY] }), KeyError::NotFinite { name: "A".into() });
    assert_eq!(refused(params! { "A" => Vec::<i64>::new() }), KeyError::EmptyList { name: "A".into() });
    assert_eq!(refused(params! { "A" => vec![Value::from([1])] }), KeyError::NestedList { name: "A".into() });
}

#[test]
fn an_unnamed_param_can_be_left_out() {
    let scheme = KeyScheme::default().allow_unnamed(true);
    let key = scheme.key(TEXT, &Params::new().with_unnamed(1).with("B", 2)).unwrap();
    assert_eq!(key.as_str(), format!("B=2_{HASH}"));
}

fn ambiguity(format: KeyFormat, params: &Params) -> Option<Ambiguity> {
    KeyScheme::new(format).key(TEXT, params).unwrap().ambiguity().cloned()
}

#[test]
fn a_value_that_reads_as_a_later_param_is_ambiguous() {
    let of = |params: Params| ambiguity(KeyFormat::TypeScript, &params);
    assert_eq!(of(params! { "StoreId" => "1_State=open", "State" => "x" }), Some(Ambiguity::Separator));
    assert_eq!(of(params! { "StoreId" => 1, "State" => "open_State=x" }), Some(Ambiguity::Separator));
    assert_eq!(of(params! { "A" => 1, "A" => "2_A=3" }), Some(Ambiguity::Separator));
    assert_eq!(of(params! { "StoreId" => "1_State=open" }), None);
    assert_eq!(of(params! { "State" => "x", "StoreId" => "1_State=open" }), None);
    assert_eq!(of(params! { "Url" => "?a_b=c&d=e", "State" => "open" }), None);
}

#[test]
fn a_value_whose_spelling_is_not_its_own_is_ambiguous() {
    let name = || "A".to_owned();
    let both = |value: Value| {
        let params = params! { "A" => value };
        (ambiguity(KeyFormat::TypeScript, &params), ambiguity(KeyFormat::Python, &params))
    };
    let spelled_as = |type_name, reads_as| Some(Ambiguity::SpelledAs { name: name(), type_name, reads_as });
    assert_eq!(both("null".into()), (spelled_as("a text", "NULL"), None));
    assert_eq!(both("None".into()), (None, spelled_as("a text", "NULL")));
    assert_eq!(both("0".into()), (spelled_as("a text", "an integer"), spelled_as("a text", "an integer")));
    assert_eq!(both("00".into()), (None, None));
    assert_eq!(both("1.5".into()), (spelled_as("a text", "a float"), spelled_as("a text", "a float")));
    assert_eq!(both("true".into()), (spelled_as("a text", "a bool"), None));
    assert_eq!(both("1,2".into()), (spelled_as("a text", "a list"), None));
    assert_eq!(both("Doe, Jane".into()), (None, None));
    assert_eq!(both("[1, 2]".into()), (None, spelled_as("a text", "a list")));
    assert_eq!(both(2.0.into()), (spelled_as("a float", "an integer"), None));
    assert_eq!(both([1, 2].into()), (None, None));
    assert_eq!(both(vec![Value::from(1), "2".into()].into()), (spelled_as("a text", "an integer"), None));
    let truncated = || Some(Ambiguity::Truncated { name: name(), type_name: "JSON" });
    assert_eq!(both(serde_json::json!({"a": [1.0]}).into()), (truncated(), truncated()));
    assert_eq!(both(["a,b"].into()), (Some(Ambiguity::ListElement { name: name() }), None));
    assert_eq!(both([""].into()), (Some(Ambiguity::ListElement { name: name() }), None));
    assert_eq!(both(["a", "b"].into()), (None, None));
    assert_eq!(both(b"\xff".to_vec().into()), (Some(Ambiguity::Truncated { name: name(), type_name: "bytes" }), None));
    let at = |micros| Value::from(Date::new(2025, 1, 1).unwrap().at(1, 2, 3, micros).unwrap());
    let text = spelled_as("a datetime", "a text");
    assert_eq!(both(at(1)), (Some(Ambiguity::Truncated { name: name(), type_name: "datetime" }), text.clone()));
    assert_eq!(both(at(0)), (None, text));
}

#[test]
fn a_value_is_read_by_its_own_types_alone() {
    let key = |value: Value| KeyScheme::default().key(TEXT, &params! { "Code" => value }).unwrap();
    let (number, text, float) = (key(0.into()), key("0".into()), key(0.0.into()));
    assert_eq!((number.as_str(), text.as_str()), (float.as_str(), number.as_str()));
    assert_eq!(number.mark().put_behind("[]".into()), "[]", "as the peers store it");
    for one in [&number, &text, &float] {
        let stored = one.mark().put_behind("[]".into());
        assert_eq!(serde_json::from_slice::<Json>(&stored).unwrap(), serde_json::json!([]));
        for other in [&number, &text, &float] {
            assert_eq!(other.mark().strip(&stored), (one == other).then_some(b"[]".as_slice()), "{one:?} {other:?}");
        }
    }
}

/// Short texts of the characters that keys consist of, so that clashes are frequent.
fn text() -> impl Strategy<Value = String> {
    "[ab_=,nul]{0,8}"
}

/// Returns the values as the key holds them, read back with the names alone.
fn parse(names: &[String], key: &str) -> Option<Vec<String>> {
    let mut rest = key.strip_suffix(HASH)?;
    let mut values = Vec::new();
    for (at, name) in names.iter().enumerate() {
        rest = rest.strip_prefix(name.as_str())?.strip_prefix('=')?;
        let end = match names.get(at + 1) {
            Some(next) => rest.find(&format!("_{next}="))?,
            None => rest.len() - 1,
        };
        values.push(rest[..end].to_owned());
        rest = &rest[end + 1..];
    }
    Some(values)
}

proptest! {
    #[test]
    fn two_lists_of_values_share_no_unambiguous_key(names in prop::collection::vec("[ab_]{1,2}", 1..4), a in prop::collection::vec(text(), 4), b in prop::collection::vec(text(), 4)) {
        let of = |values: &[String]| {
            let params: Params = names.iter().zip(values).map(|(name, value)| crate::Param { name: Some(name.clone().into()), value: value.clone().into() }).collect();
            KeyScheme::default().key(TEXT, &params).unwrap()
        };
        let (key_a, key_b) = (of(&a), of(&b));
        if a[..names.len()] != b[..names.len()] && key_a.as_str() == key_b.as_str() {
            prop_assert!(key_a.ambiguity().is_some() && key_b.ambiguity().is_some());
        }
    }

    #[test]
    fn an_unambiguous_key_parses_back(pairs in prop::collection::vec(("[ab_]{1,3}", text()), 1..5)) {
        let names: Vec<_> = pairs.iter().map(|(name, _)| name.clone()).collect();
        let key = KeyScheme::default().key(TEXT, &named(pairs.iter().map(|(name, value)| (name, value)))).unwrap();
        if key.ambiguity().is_none() {
            let values: Vec<_> = pairs.iter().map(|(_, value)| value.clone()).collect();
            prop_assert_eq!(parse(&names, key.as_str()), Some(values));
        }
    }
}

/// Values of every type whose spellings meet.
fn scalar() -> impl Strategy<Value = Value> {
    let day = Date::new(2025, 1, 1).unwrap();
    let texts = [
        "", "0", "-0", "00", "1", "1.0", "1.5", "-0.0", "1e21", "1e+21", "true", "True", "null", "None", "1,2",
        "[1, 2]", "[]", "b'1'", "'1'", "\"1\"", "{}", "01:02:03", "a", "a, b",
    ];
    let long_texts = [
        "100000000000000000000",
        "18446744073709551615",
        "Decimal('1.5')",
        "2025-01-01",
        "2025-01-01 00:00:00",
        "Wed Jan 01 2025 00:00:00 GMT+0000 (Coordinated Universal Time)",
    ];
    let floats = [0.0, -0.0, 1.0, 1.5, 1e20, 1e21, 18446744073709551615.0];
    let documents = ["0", "1", "1.0", "\"1\"", "[1,2]", "null", "true", "{}", "1.5", "1e21"];
    let mut values = vec![Value::Null, true.into(), day.into(), day.at(0, 0, 0, 0).unwrap().into(), u64::MAX.into()];
    values.extend((0..3).flat_map(|int| [Value::Int(int), Value::UInt(int as u64)]));
    values.extend(floats.map(Value::Float));
    values.extend(["0", "1", "1.0", "1.5"].map(|digits| Value::from(Decimal::new(digits).unwrap())));
    values.push(crate::Time::new(1, 2, 3, 0).unwrap().into());
    values.extend(documents.map(|text| Value::Json(serde_json::from_str(text).unwrap())));
    values
        .extend(texts.iter().chain(&long_texts).flat_map(|&text| [Value::from(text), text.as_bytes().to_vec().into()]));
    prop::sample::select(values)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 1 => prop::collection::vec(scalar(), 1..3).prop_map(Value::List)]
}

/// Returns the question to the database: integers have one type, and a list of one is its element.
fn asked(value: &Value) -> String {
    match value {
        Value::UInt(int) => i64::try_from(*int).map_or_else(|_| format!("{value:?}"), |int| asked(&Value::Int(int))),
        Value::List(values) if values.len() == 1 => asked(&values[0]),
        Value::List(values) => format!("{:?}", values.iter().map(asked).collect::<Vec<_>>()),
        value => format!("{value:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn one_key_and_mark_are_one_question(pairs in prop::collection::vec((value(), value()), 1..3)) {
        for format in [KeyFormat::TypeScript, KeyFormat::Python] {
            let side = |values: Vec<&Value>| {
                let names = ["A", "B"].iter().zip(&values);
                let params = names.fold(Params::new(), |params, (name, &value)| params.with(*name, value.clone()));
                let asked: Vec<_> = values.iter().map(|value| asked(value)).collect();
                (KeyScheme::new(format).key(TEXT, &params).unwrap(), asked)
            };
            let (one, asks_one) = side(pairs.iter().map(|(value, _)| value).collect());
            let (other, asks_other) = side(pairs.iter().map(|(_, value)| value).collect());
            let is_used = one.bypass().is_none() && other.bypass().is_none();
            if !is_used || one.as_str() != other.as_str() {
                continue;
            }
            if one.mark() == other.mark() {
                prop_assert_eq!(asks_one, asks_other, "{} in {:?}", one, format);
            } else if one.mark().as_str().is_empty() {
                prop_assert_ne!(one.types(), other.types(), "{} in {:?}", one, format);
            }
        }
    }
}

/// A document whose recursion overflows a thread's stack of 2 MiB.
fn bottomless() -> serde_json::Value {
    (0..20_000).fold(serde_json::json!([]), |inner, _| serde_json::Value::Array(vec![inner]))
}

#[test]
fn a_document_without_a_bottom_is_refused_everywhere() {
    let named = |value: Value| Params::new().with("Filter", value);
    let too_deep = KeyError::TooDeep { name: "Filter".into() };
    for params in [named(Value::Json(bottomless())), named(Value::List(vec![Value::Json(bottomless())]))] {
        for format in [KeyFormat::TypeScript, KeyFormat::Python] {
            assert_eq!(KeyScheme::new(format).key(TEXT, &params), Err(too_deep.clone()));
        }
        assert_eq!(params.check(), Err(too_deep.clone()));
        assert_eq!(crate::EntryPattern::any(&params), Err(crate::PatternError::TooDeep { name: "Filter".into() }));
        // Dropping it would recurse as well.
        std::mem::forget(params);
    }
    let unnamed = Params::new().with("Id", 1).with_unnamed(Value::Json(bottomless()));
    assert_eq!(unnamed.check(), Err(KeyError::TooDeep { name: "param 2".into() }));
    std::mem::forget(unnamed);
    assert_eq!(named(serde_json::json!([[{"a": [1]}]]).into()).check(), Ok(()));
}
