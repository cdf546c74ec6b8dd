use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;

fn key(of: FunctionKey) -> String {
    of.key().unwrap()
}

#[test]
fn identity_version_and_arguments() {
    assert_eq!(key(FunctionKey::of("shop::f")), "shop::f");
    assert_eq!(key(FunctionKey::of(format!("user:{}", 42))), "user:42");
    assert_eq!(key(FunctionKey::of("shop::f").version(0)), "shop::f");
    assert_eq!(key(FunctionKey::of("shop::f").version(3)), "shop::f@3");
    assert_eq!(key(FunctionKey::of("shop::f").arg("a", &1).version(3)), "shop::f@3(a=1)");
    let near = FunctionKey::of("f").arg("id", &7_u64).arg("lang", &Some("de")).arg("near", &(1.0, -2.5));
    assert_eq!(key(near), r#"f(id=7,lang="de",near=[1.0,-2.5])"#);
}

#[test]
fn arguments_are_typed() {
    let keys = [
        FunctionKey::of("f"),
        FunctionKey::of("f").arg("a", &1),
        FunctionKey::of("f").arg("b", &1),
        FunctionKey::of("f").arg("a", "1"),
        FunctionKey::of("f").arg("a", &1.0),
        FunctionKey::of("f").arg("a", &true),
        FunctionKey::of("f").arg("a", "true"),
        FunctionKey::of("f").arg("a", &None::<u8>),
        FunctionKey::of("f").arg("a", "None"),
        FunctionKey::of("f").arg("a", "null"),
        FunctionKey::of("f").arg("a", &()),
        FunctionKey::of("f").arg("a", &("a", "b")),
        FunctionKey::of("f").arg("a", "a,b"),
        FunctionKey::of("f").arg("a", &["a,b"]),
        FunctionKey::of("f").arg("a", "a").arg("b", "b"),
        FunctionKey::of("f").arg("b", "b").arg("a", "a"),
        FunctionKey::of("f").arg("a", r#"a",b="b"#),
        FunctionKey::of("f").arg(r#"a="a",b"#, "b"),
        FunctionKey::of("f").version(1).arg("a", &1),
        FunctionKey::of("g").arg("a", &1),
    ]
    .map(key);
    assert_eq!(BTreeSet::from_iter(&keys).len(), keys.len(), "{keys:#?}");
}

#[test]
fn long_and_special_arguments_are_hashed() {
    let check = |value: &str, readable: bool| {
        let plain = format!("f@2(a={})", serde_json::to_string(value).unwrap());
        let hashed = format!("f@2(#{})", sha1_smol::Sha1::from(&plain[4..plain.len() - 1]).digest());
        assert_eq!(key(FunctionKey::of("f").version(2).arg("a", value)), if readable { plain } else { hashed });
    };
    check("plain, é, and \t\"escaped\"", true);
    check(&"x".repeat(156), true);
    check(&"x".repeat(157), false);
    check("{x", false);
    check("x}", false);
    check("\u{7f}", false);
    check("\u{85}", false);
}

#[test]
fn hashed_arguments_are_distinguished_and_found_again() {
    let call = |tail: &str| key(FunctionKey::of("f").arg("a", &["x".repeat(200).as_str(), tail]));
    assert_eq!(call("1"), call("1"));
    assert_ne!(call("1"), call("2"));

    let pairs: Vec<_> = (0..50).map(|n| (format!("k{n}"), n)).collect();
    let one: HashMap<_, _> = pairs.iter().cloned().collect();
    let other: HashMap<_, _> = pairs.iter().rev().cloned().collect();
    let sorted: BTreeMap<_, _> = pairs.into_iter().collect();
    let keys = [one, other].map(|map| key(FunctionKey::of("f").arg("a", &map)));
    assert_eq!(keys, [(); 2].map(|()| key(FunctionKey::of("f").arg("a", &sorted))));
}

#[test]
fn calls_without_a_key_are_refused() {
    let check = |of: FunctionKey, expect: FunctionKeyError| assert_eq!(of.key(), Err(expect));
    let name = || "a".to_owned();
    check(FunctionKey::of(""), FunctionKeyError::EmptyIdentity);
    check(FunctionKey::of("").arg("a", &f64::NAN), FunctionKeyError::EmptyIdentity);
    check(FunctionKey::of("f").arg("a", &1).arg("b", &1).arg("a", &2), FunctionKeyError::GivenTwice { name: name() });
    check(FunctionKey::of("f").arg("a", &[f32::INFINITY]).arg("b", &1), FunctionKeyError::NotFinite { name: name() });
    check(FunctionKey::of("f").arg("a", &BTreeMap::from([([1], 1)])), FunctionKeyError::MapKey { name: name() });
}

#[test]
fn a_failing_serialize_is_reported_with_its_argument() {
    struct Session;
    impl Serialize for Session {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("a session has no value"))
        }
    }
    let error = FunctionKey::of("f").arg("b", &1).arg("session", &Session).arg("c", &f64::NAN).key().unwrap_err();
    let (name, message) = ("session".to_owned(), "a session has no value".to_owned());
    assert_eq!(error, FunctionKeyError::Unserializable { name, message });
}

#[test]
fn an_argument_without_a_bottom_is_refused() {
    #[derive(serde::Serialize)]
    struct Wrapped(Option<Box<Wrapped>>);
    #[derive(serde::Serialize)]
    enum Tree {
        Leaf,
        Node(Box<Tree>),
        Pair(u8, Box<Tree>),
        Named { of: Box<Tree> },
    }
    fn refused<T: Serialize>(argument: T) {
        let error = FunctionKey::of("f").arg("filter", &argument).key().unwrap_err();
        assert_eq!(error, FunctionKeyError::TooDeep { name: "filter".into() });
        // Dropping it would recurse as well.
        std::mem::forget(argument);
    }
    let deep = 0..20_000;
    refused(deep.clone().fold(serde_json::json!([]), |inner, _| serde_json::Value::Array(vec![inner])));
    refused(deep.clone().fold(serde_json::json!({}), |inner, _| {
        serde_json::Value::Object([("a".into(), inner)].into_iter().collect())
    }));
    refused(deep.clone().fold(Wrapped(None), |inner, _| Wrapped(Some(Box::new(inner)))));
    refused(deep.clone().fold(Tree::Leaf, |inner, _| Tree::Node(Box::new(inner))));
    refused(deep.clone().fold(Tree::Leaf, |inner, _| Tree::Pair(1, Box::new(inner))));
    refused(deep.fold(Tree::Leaf, |inner, _| Tree::Named { of: Box::new(inner) }));
    let as_deep_as_json = (1..127).fold(serde_json::json!([]), |inner, _| serde_json::json!([inner]));
    assert!(FunctionKey::of("f").arg("filter", &as_deep_as_json).key().is_ok());
}
