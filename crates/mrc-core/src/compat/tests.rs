//! Recorded from the Python libraries.

use super::*;

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

#[test]
fn x23_fields_of_redis_func_cache() {
    let check = |args: &[PyValue], kwargs: &[(&str, PyValue)], expect| {
        let field = func_cache_hash(FuncCacheHash::JsonSha1Hex, USERS, GET, args, kwargs);
        assert_eq!(field, expect, "{args:?} {kwargs:?}");
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

    let base64 = func_cache_hash(FuncCacheHash::JsonMd5Base64, USERS, GET, &[123.into()], &[]);
    assert_eq!(base64, "11j6EjyqdeZO6pM+RmzvSA");
}

#[test]
fn x23_keys_of_redis_func_cache() {
    assert_eq!(func_cache_keys("func-cache:", "app", "lru_t"), ["func-cache:app:lru_t:0", "func-cache:app:lru_t:1"]);
    let cluster = ["func-cache:{nm:lru_t-c}:0", "func-cache:{nm:lru_t-c}:1"];
    assert_eq!(func_cache_cluster_keys("func-cache:", "nm", "lru_t"), cluster);
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
    check(
        list(["it's".into(), "\"".into(), "'\"".into(), "\n\u{e000}é".into()]),
        r#"["it's", '"', '\'"', '\n\ue000é']"#,
    );
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
