//! Keys recorded from the Python libraries.

use super::*;
use crate::{FunctionKey, FunctionKeyError};

const USERS: &str = "app.users";
const GET: &str = "get_user";

fn dict<const N: usize>(members: [(&str, PyValue); N]) -> PyValue {
    PyValue::Dict(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn list<const N: usize>(values: [PyValue; N]) -> PyValue {
    PyValue::List(values.into())
}

#[test]
fn x23_keys_of_simple_dep_cache() {
    let check = |args: &[PyValue], kwargs: &[(&str, PyValue)], expect| {
        assert_eq!(simple_dep_key(USERS, GET, args, kwargs), expect, "{args:?} {kwargs:?}");
    };
    check(&[], &[], "e2fc6e1e05b69b742e42f4419271fb3e");
    check(&[123.into()], &[], "108374f47c14d15b1c0b7fc17dba8132");
    check(&["123".into()], &[], "108374f47c14d15b1c0b7fc17dba8132");
    check(&[1.into()], &[("arg2", "test".into())], "9b36c029e5daabe13605c3a0cff9baf7");
    let scalars = [true.into(), PyValue::None, 1.5.into(), 1e16.into(), 0.1.into()];
    check(&scalars, &[], "c42dbf80e48f1a54650625b22b5085ea");
    let nested = [list([1.into(), "a".into()]), dict([("k", "v".into())])];
    check(&nested, &[], "52c740df48555951fb43364531471854");
    check(&[], &[("b", 2.into()), ("a", 1.into())], "21220c16c946fbe8dab7acc5a25591ed");
    check(&["é".into()], &[], "444ba4910e7e5399deb6205bc6b54a37");
    let args = [123.into(), "a".into(), true.into(), PyValue::None, 1.5.into()];
    check(&args, &[("z", 1.into()), ("b", "x".into())], "c764e26dbb3104223b8b02c0f742603f");
}

#[test]
fn x23_keys_of_redis_cache() {
    let check = |params: &[(&str, PyValue)], expect| assert_eq!(redis_cache_key("tasks", params), expect, "{params:?}");
    check(&[], "tasks:4f53cda18c2baa0c");
    check(&[("user_id", 1.into()), ("status", "active".into())], "tasks:54eaf4e5bb69cb53");
    check(&[("status", "active".into()), ("user_id", 1.into())], "tasks:54eaf4e5bb69cb53");
    check(&[("user_id", 123.into())], "tasks:a0238afa112aaf87");
    let all = [
        ("name", "é\"x".into()),
        ("l", list([1.into(), "a".into()])),
        ("d", dict([("b", 1.into()), ("a", 2.into())])),
        ("f", 1.5.into()),
        ("b", true.into()),
        ("n", PyValue::None),
    ];
    check(&all, "tasks:40a210603f336323");
}

fn field(call: &FuncCall) -> String {
    String::from_utf8(call.field()).unwrap()
}

#[test]
fn x23_fields_of_redis_func_cache() {
    let check = |args: &[PyValue], kwargs: &[(&str, PyValue)], expect| {
        let call = args.iter().cloned().fold(FuncCall::new(USERS, GET), FuncCall::arg);
        let call = kwargs.iter().fold(call, |call, (name, value)| call.kwarg(*name, value.clone()));
        assert_eq!(field(&call.hash(FuncCacheHash::JsonSha1Hex)), expect, "{args:?} {kwargs:?}");
    };
    check(&[], &[], "3cb11f42c84bda84b35c75d671089f290493a461");
    check(&[123.into()], &[], "f928a511ea806f2da3827b2c93d2d0fa249bc35b");
    check(&[123.into(), "a".into()], &[("x", 1.into())], "2cd39d324b289f7f2a98e36e556fde6a897a3dac");
    let scalars = ["é😀\"\n/".into(), 1.5.into(), true.into(), PyValue::None];
    check(&scalars, &[], "384dbb4b0f5a19c7999c45434b6b4d4ef4cc6ffe");
    let numbers =
        [1e16.into(), 1e-7.into(), 0.1.into(), (-0.0).into(), 1e22.into(), 123_456_789_012_345_678_901i128.into()];
    check(&numbers, &[], "39ad13a68478129c4f5de8f9292223f575163749");
    let nested = list([1.into(), dict([("b", 1.into()), ("a", 2.into())])]);
    check(&[nested], &[("k", "v".into())], "c1a853d60764da639111e5d001f9ed9d5dcc438f");
    let endless = [f64::NAN.into(), f64::INFINITY.into(), f64::NEG_INFINITY.into()];
    check(&endless, &[], "04d1f355baef801944cbc702ff9551ce2d71e3c0");
    let odd = ["\u{7f}\0\u{2028}".into(), PyValue::Tuple(vec![1.into()]), list([])];
    check(&odd, &[("é", dict([]))], "51e26c962edf2fc15f7f6f99d2b5acbd5a7a1d50");
    check(&[], &[("b", 1.into()), ("a", 2.into())], "6373ccd7434ebe78f14fd5c3811a9bd4a6d14382");
    check(&[], &[("a", 2.into()), ("b", 1.into())], "a9f53bedb039e215fdb6b7fc8622cf9294ffdfe0");
    let base64 = FuncCall::new(USERS, GET).arg(123).hash(FuncCacheHash::JsonMd5Base64);
    assert_eq!(field(&base64), "11j6EjyqdeZO6pM+RmzvSA");
}

#[test]
fn every_json_mixin_of_redis_func_cache_has_its_field() {
    use FuncCacheHash as Hash;

    let call = |hash| {
        let nested = list([true.into(), dict([("k", (-0.0).into())])]);
        FuncCall::new(USERS, GET).arg(123).arg("é").arg(1.5).arg(PyValue::None).kwarg("x", nested).hash(hash)
    };
    let expected = [
        ("71fef8795a4723d0f74789f87a5e7eef", "cf74eVpHI9D3R4n4el5+7w"),
        ("b9c7837f5370f14f097dbfb807d56a2925b9846e", "uceDf1Nw8U8Jfb+4B9VqKSW5hG4"),
        (
            "75cd76892d1d7428bb66dc439d2fb1602be169e9182113b13fd3bf65a19fa7cd",
            "dc12iS0ddCi7ZtxDnS+xYCvhaekYIROxP9O/ZaGfp80",
        ),
        (
            "834d1cdf568ee0aa9f985cfe7fe7364146f871acd22e63879dea599b0975cb7767d9217a65d4c96cd57c1aaf0aee200f761ca14920e7d429c89f1e49a44a6a49",
            "g00c31aO4KqfmFz+f+c2QUb4cazSLmOHnepZmwl1y3dn2SF6ZdTJbNV8Gq8K7iAPdhyhSSDn1CnInx5JpEpqSQ",
        ),
    ];
    for (hashes, (in_hex, in_base64)) in Hash::ALL.chunks(3).zip(expected) {
        let bytes = call(hashes[0]).field();
        assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), in_hex);
        assert_eq!((&*field(&call(hashes[1])), &*field(&call(hashes[2]))), (in_hex, in_base64), "{hashes:?}");
    }
    let all: std::collections::HashSet<_> = Hash::ALL.map(|hash| call(hash).field()).into();
    assert_eq!((all.len(), call(Hash::default()).field()), (12, call(Hash::JsonMd5).field()));
}

#[test]
fn a_call_of_redis_func_cache_is_a_key() {
    let key = |call: FuncCall| FunctionKey::from(call).key();
    let plain = || FuncCall::new(USERS, GET).arg(123).hash(FuncCacheHash::JsonMd5Base64);
    let hex = "31316a36456a79716465 5a4f36704d2b526d7a765341".replace(' ', "");
    assert_eq!(key(plain()).unwrap(), format!("app.users:get_user({hex})"));
    let checksum = "c0/+AAAAAAAAAAAAAAAAAA";
    assert_eq!(key(plain().checksum(checksum).unwrap()).unwrap(), format!("app.users:get_user#{checksum}({hex})"));
}

#[test]
fn a_call_that_cannot_be_is_refused() {
    let refused = |call: FuncCall| FunctionKey::from(call).key().unwrap_err();
    assert_eq!(refused(FuncCall::new("", GET)), FunctionKeyError::EmptyIdentity);
    assert_eq!(refused(FuncCall::new(USERS, "")), FunctionKeyError::EmptyIdentity);
    let twice = FuncCall::new(USERS, GET).kwarg("x", 1).kwarg("y", 1).kwarg("x", 2);
    assert_eq!(refused(twice), FunctionKeyError::GivenTwice { name: "x".into() });
    // Padded, too short, of another alphabet, with bits beyond the end, whole keys.
    let (padded, rest) = ("c0/+AAAAAAAAAAAAAAAAAA==", "c0/+AAAAAAAAAAAAAAAAAB");
    for text in ["", padded, "c0/+AAAA", "c0_-AAAAAAAAAAAAAAAAAA", rest, "app.users:get_user"] {
        assert!(FuncCall::new(USERS, GET).checksum(text).is_err(), "{text}");
    }
}

#[test]
fn x23_values_as_json_dumps_prints_them() {
    let check = |value: PyValue, expect: &str| assert_eq!(value.to_json(), expect);
    let nested = dict([("a", list([1.into(), 2.into(), dict([("b", PyValue::None)])])), ("é", "ü".into())]);
    check(nested, r#"{"a": [1, 2, {"b": null}], "\u00e9": "\u00fc"}"#);
    check("é😀\"\n/\u{8}\u{c}\u{1f}\u{7f}\\~".into(), r#""\u00e9\ud83d\ude00\"\n/\b\f\u001f\u007f\\~""#);
    check(list([f64::NAN.into(), f64::INFINITY.into(), f64::NEG_INFINITY.into()]), "[NaN, Infinity, -Infinity]");
    check(list([1.0.into(), 1e16.into(), 1e-7.into(), (-0.0).into()]), "[1.0, 1e+16, 1e-07, -0.0]");
    check(list([i128::MIN.into(), u64::MAX.into()]), &format!("[{}, {}]", i128::MIN, u64::MAX));
    check(PyValue::Tuple(vec![1.into()]), "[1]");
    check(dict([("b", false.into()), ("a", list([]))]), r#"{"b": false, "a": []}"#);
    check(dict([]), "{}");
}

#[test]
fn values_as_str_prints_them() {
    let check = |value: PyValue, expect: &str| assert_eq!(value.to_string(), expect);
    check("it's \n".into(), "it's \n");
    let quotes = list(["it's".into(), "\"".into(), "'\"".into(), "\n\u{e000}é".into()]);
    check(quotes, r#"["it's", '"', '\'"', '\n\ue000é']"#);
    check(dict([("k'", dict([("a", true.into())])), ("b", PyValue::None)]), r#"{"k'": {'a': True}, 'b': None}"#);
    check(PyValue::Tuple(vec![]), "()");
    check(PyValue::Tuple(vec!["a".into()]), "('a',)");
    check(PyValue::Tuple(vec![1.into(), 2.0.into()]), "(1, 2.0)");
    check(list([f64::NAN.into(), f64::INFINITY.into(), f64::NEG_INFINITY.into()]), "[nan, inf, -inf]");
}

#[test]
fn json_is_python_as_json_loads_has_it() {
    let json = serde_json::json!({"i": -1, "u": u64::MAX, "f": 1.0, "l": [null, true, "é"]});
    let expect = "{'f': 1.0, 'i': -1, 'l': [None, True, 'é'], 'u': 18446744073709551615}";
    assert_eq!(PyValue::from(json).to_string(), expect);
}
