//! The parts of a key that distinguish entries.

use std::collections::HashMap;

use mrc::Spec;
use serde::Serialize;
use serde_json::Value;

use super::support::*;

tests!(
    on_every_store,
    d54_the_key_is_the_namespace_a_colon_and_the_name,
    x06_d94_d120_other_arguments_other_entries,
    x07_functions_and_their_versions_have_entries_of_their_own,
    d95_objects_share_an_entry_by_their_id,
    r10_long_arguments_are_hashed,
    d92_d93_r13_namespaces_keep_caches_apart,
);

async fn d54_the_key_is_the_namespace_a_colon_and_the_name(place: &Place) {
    let cache = place.namespace("test");
    cache.set("mykey", "v").await.unwrap();
    assert_eq!(cache.key("mykey").unwrap().as_str(), "test:mykey");
    assert_eq!(place.store().get("test:mykey").await.unwrap().as_deref(), Some(&b"\"v\""[..]));
}

async fn x06_d94_d120_other_arguments_other_entries(place: &Place) {
    let calls = r#"[[], [1], ["1"], [1.0], [true], [null], ["None"], ["null"], ["a", "b"], ["b", "a"], ["a,b"],
        [["a", "b"]], ["a\",p1=\"b"], [{"a": "b"}]]"#;
    let calls: Vec<Value> = serde_json::from_str(calls).unwrap();
    let cache = place.cache();
    let spec = |call: &Value| {
        let args = call.as_array().unwrap().iter().enumerate();
        args.fold(Spec::of("f"), |spec, (at, arg)| spec.param(&format!("p{at}"), arg))
    };
    for expect_run in [true, false] {
        for call in &calls {
            assert_eq!(runs(&cache, spec(call)).await, expect_run, "{call}");
        }
    }
    assert_eq!(cache.len().await.unwrap(), calls.len() as u64);
}

async fn x07_functions_and_their_versions_have_entries_of_their_own(place: &Place) {
    let cache = place.cache();
    let specs = || ["double", "treble"].map(|name| Spec::of(name).param("x", 10));
    for _ in 0..2 {
        for (factor, spec) in (2..).zip(specs()) {
            assert_eq!(cache.get_or(spec, async || 10 * factor).await, 10 * factor);
        }
    }
    let [double, _] = specs();
    assert_eq!(cache.get_or(double.version(2), async || 200).await, 200);
}

async fn d95_objects_share_an_entry_by_their_id(place: &Place) {
    struct Connection;
    struct User {
        id: u64,
        _connection: Connection,
    }
    let cache = place.cache();
    let spec = |user: &User| Spec::of("profile").param("user", user.id);
    for (id, expect_run) in [(1, true), (1, false), (2, true)] {
        assert_eq!(runs(&cache, spec(&User { id, _connection: Connection })).await, expect_run);
    }
}

#[tokio::test]
async fn r09_r11_only_the_params_count_and_a_map_in_any_order() {
    #[derive(Serialize)]
    struct Query {
        filter: HashMap<String, u32>,
        #[serde(skip)]
        _session: u32,
    }
    let cache = Place::memory().cache();
    let query = |names: &[u32], session| {
        let filter = names.iter().map(|name| (format!("n{name}"), *name)).collect();
        Spec::of("tasks").param("query", Query { filter, _session: session })
    };
    assert!(runs(&cache, query(&[1, 2, 3, 4, 5], 1)).await);
    for session in 0..10 {
        assert!(!runs(&cache, query(&[5, 4, 3, 2, 1], session)).await);
    }
    assert!(runs(&cache, query(&[1, 2], 1)).await);
}

async fn r10_long_arguments_are_hashed(place: &Place) {
    let cache = place.cache();
    let spec = |last: char| Spec::of("tasks").param("text", "x".repeat(100_000) + &last.to_string());
    let key = cache.key(spec('a')).unwrap().to_string();
    let hash = key.strip_prefix("app:tasks(#").and_then(|rest| rest.strip_suffix(')')).unwrap();
    assert!(hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert!(runs(&cache, spec('a')).await && runs(&cache, spec('b')).await);
    assert!(!runs(&cache, spec('a')).await);
}

async fn d92_d93_r13_namespaces_keep_caches_apart(place: &Place) {
    let (users, posts) = (place.namespace("users"), place.namespace("posts"));
    let both =
        tokio::join!(users.get_or("1", async || "Ann".to_owned()), posts.get_or("1", async || "Hello".to_owned()));
    assert_eq!(both, ("Ann".to_owned(), "Hello".to_owned()));
    assert!(users.remove("1").await.unwrap());
    assert_eq!(posts.get::<String>("1").await.unwrap().as_deref(), Some("Hello"));
    assert!(!users.contains("1").await.unwrap());
}
