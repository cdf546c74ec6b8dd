//! Tests of the JSON writer and of the documents that pass through it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn rewritten(text: &str, spelling: Spelling) -> Option<String> {
    let mut out = b"before".to_vec();
    match rewrite(text, spelling, &mut out) {
        Ok(()) => Some(String::from_utf8(out).unwrap()["before".len()..].to_owned()),
        Err(_) => {
            assert_eq!(out, b"before", "an error leaves nothing behind: {text}");
            None
        }
    }
}

fn check(text: &str, kept: &str, javascript: &str) {
    assert_eq!(rewritten(text, Spelling::Kept).as_deref(), Some(kept), "kept: {text}");
    assert_eq!(rewritten(text, Spelling::JavaScript).as_deref(), Some(javascript), "javascript: {text}");
}

#[test]
fn values_are_spelled_as_stringify_spells_them() {
    let value =
        json!({"z": [1.0, -0.0, 1e21, 1e-7, 0.1], "a": u64::MAX, "n": null, "t": "\u{2028}\u{7f}/\u{1}\u{8}\n"});
    let text = String::from_utf8(to_vec(&value).unwrap()).unwrap();
    let expect =
        "{\"a\":18446744073709551615,\"n\":null,\"t\":\"\u{2028}\u{7f}/\\u0001\\b\\n\",\"z\":[1,0,1e+21,1e-7,0.1]}";
    assert_eq!(text, expect);
    assert_eq!(to_vec(&[f32::NAN, f32::INFINITY, 1.1_f32, 5000.0]).unwrap(), b"[null,null,1.1,5000]");
}

#[test]
fn documents_are_compacted_or_spelled_anew() {
    check("  null\n", "null", "null");
    check("true", "true", "true");
    let numbers = " [ 1.0 , -0, 2.50,1E400 ,12345678901234567890 ] ";
    check(numbers, &numbers.replace(' ', ""), "[1,0,2.5,null,12345678901234567000]");
    check("{ }", "{}", "{}");
    check("[\t]", "[]", "[]");
    let members = r#"{"b" : 1, "1":2, "b":[ ], "0":{ "a" : "x y" }}"#;
    check(members, r#"{"b":1,"1":2,"b":[],"0":{"a":"x y"}}"#, r#"{"0":{"a":"x y"},"1":2,"b":[]}"#);
    let kept = |text, javascript| check(text, text, javascript);
    kept(r#"{"\u0061":1,"a":2,"__proto__":3}"#, r#"{"a":2,"__proto__":3}"#);
    kept(r#""\u2028\/\u0041\u001F\u000a\"\\""#, "\"\u{2028}/A\\u001f\\n\\\"\\\\\"");
    kept(r#""\ud83d\ude80\uD83Dx\ude80""#, r#""🚀\ud83dx\ude80""#);
    kept(r#""\ud83d\ud83d\ude80""#, r#""\ud83d🚀""#);
}

#[test]
fn texts_that_are_no_document_are_refused() {
    let deep = "[".repeat(300) + &"]".repeat(300);
    let bad = [
        "", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{a:1}", "{1:1}", "nul", "nulll", "1 2", "01", "1.", ".5", "-",
        "+1", "1e", "1e+", "\"", "\"\\\"", "\"\\x\"", "\"a\nb\"", "NaN", "'a'", "[1]]", "],[", "1,2", "{\"a\":1,}",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "\"\u{1f}\"", "\u{feff}1", &deep,
    ];
    for text in bad {
        for spelling in [Spelling::Kept, Spelling::JavaScript] {
            assert_eq!(rewritten(text, spelling), None, "{text:?}");
        }
    }
}

fn check_order(names: &[&str], indexes_first: bool, expect: &[&str]) {
    let bytes: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let order = member_order(&bytes, indexes_first).unwrap_or_else(|| (0..names.len()).collect());
    assert_eq!(order.iter().map(|at| names[*at]).collect::<Vec<_>>(), expect);
}

#[test]
fn indexes_lead_in_javascript_alone() {
    check_order(&["b", "10", "9", "01", "-1", ""], true, &["9", "10", "b", "01", "-1", ""]);
    check_order(&["b", "10", "9"], false, &["b", "10", "9"]);
    check_order(&["4294967296", "4294967295", "4294967294"], true, &["4294967294", "4294967296", "4294967295"]);
}

#[test]
fn the_last_of_a_name_stands_where_the_first_stood() {
    let names: Vec<&[u8]> = vec![b"a", b"b", b"a", b"c", b"a"];
    assert_eq!(member_order(&names, true), Some(vec![4, 1, 3]));
    let mut many: Vec<Vec<u8>> = (0..40).map(|n| format!("n{n}").into_bytes()).collect();
    many.push(b"n1".to_vec());
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let order = member_order(&many, true).unwrap();
    assert_eq!((order.len(), order[1], order[2]), (40, 40, 2));
}

#[test]
fn nothing_to_do_is_none() {
    assert_eq!(member_order(&[b"a", b"b"], true), None);
    assert_eq!(member_order(&[b"0", b"1", b"b"], true), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Few digits, since serde_json may read long ones one bit off. Never whole: no integers.
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 16.0 + 1.0 / 32.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn written_values_read_back_equal(value in any_json()) {
        let written = to_vec(&value).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Value>(&written).unwrap(), &value);
    }

    #[test]
    fn strings_are_escaped_as_serde_json_escapes_them(text in any::<String>(), controls in "[\\x00-\\x7f]*") {
        for text in [text, controls] {
            let mut out = Vec::new();
            string(&text, &mut out);
            prop_assert_eq!(out, serde_json::to_vec(&text).unwrap());
        }
    }

    #[test]
    fn both_spellings_of_a_document_mean_the_same(value in any_json()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(rewritten(&pretty, Spelling::Kept).unwrap(), serde_json::to_string(&value).unwrap());
        let javascript = rewritten(&pretty, Spelling::JavaScript).unwrap();
        prop_assert_eq!(rewritten(&javascript, Spelling::JavaScript).unwrap(), javascript);
    }

    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(text in "[ \\t{}\\[\\]:,\"0-9.eE+\\-truefalsn\\\\u]{0,12}") {
        let known = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(rewritten(&text, Spelling::Kept).is_some(), known);
        prop_assert_eq!(rewritten(&text, Spelling::JavaScript).is_some(), known);
    }

    #[test]
    fn doubles_read_back_in_both_spellings(value in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let mut out = Vec::new();
        number::ecmascript(value, &mut out);
        prop_assert_eq!(std::str::from_utf8(&out).unwrap().parse::<f64>().unwrap(), value);
        out.clear();
        number::python(value, &mut out);
        prop_assert_eq!(std::str::from_utf8(&out).unwrap().parse::<f64>().unwrap().to_bits(), value.to_bits());
    }
}
