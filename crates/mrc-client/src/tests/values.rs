//! Unusable values in the cache: a miss, an event, overwritten; never a loop. And values of
//! functions: the cache returns the same value as the function, or nothing is stored.

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    version: u64,
}

impl Fixture {
    async fn plant(&self, text: impl Into<Bytes>) {
        self.store.memory.put(&self.key(), text.into(), HOUR).await.unwrap();
    }

    async fn rows(&self) -> Vec<Item> {
        self.client.rows_with_cache(SQL, params! { "Id" => 1 }, HOUR).await.unwrap()
    }
}

#[tokio::test]
async fn a_value_that_is_no_array_of_rows_is_recomputed_and_overwritten() {
    for bad in ["nonsense", "{}", "null", "[", "]", r#"[{"version":7},{"vers"#, "\u{fffd}"] {
        let it = Fixture::new(Database::open());
        it.plant(bad).await;
        let answer = it.ask().await.unwrap().unwrap();
        assert_eq!((version(&answer), answer.source()), (1, Source::Computed), "{bad}");
        assert_eq!(it.events(), ["BadValue", "Miss", "Filled"], "{bad}");
        assert!(it.ask().await.unwrap().unwrap().is_hit());
    }
}

#[tokio::test]
async fn rows_that_cannot_be_decoded_are_read_anew_and_overwritten() {
    let deep = format!("[{}{}]", "[".repeat(10_000), "]".repeat(10_000));
    let torn = r#"[{"version":"seven"},{"version":8]"#;
    for bad in ["[nonsense]", "[{\"version\":7]", torn, &deep] {
        let it = Fixture::new(Database::open());
        it.plant(bad.to_owned()).await;
        assert_eq!(it.rows().await, [Item { version: 1 }]);
        assert_eq!(it.events(), ["Hit", "BadValue", "Miss", "Filled"]);
        it.database.write(2);
        assert_eq!(it.rows().await, [Item { version: 1 }], "the cache holds what was read anew");
    }
}

#[tokio::test]
async fn rows_of_another_type_stay_for_callers_that_can_decode_them() {
    let theirs = r#"[{"version":"seven","more":{"price":[1,true]}}]"#;
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.stale_on_error(HOUR));
    it.plant(theirs).await;
    for _ in 0..2 {
        assert_eq!(it.rows().await, [Item { version: 1 }], "the database answers");
        assert_eq!(it.ask().await.unwrap().unwrap().as_bytes(), theirs.as_bytes());
    }
    assert_eq!(it.events(), ["Hit", "Bypassed WrongType", "Hit", "Hit", "Bypassed WrongType", "Hit"]);
    assert_eq!(it.database.queries(), 2);
    assert!(!it.store.calls().contains(&"remove"));
    // They share a query, and no query takes a value that a leader found in the cache.
    *it.database.fails.lock().unwrap() = true;
    let failed = it.client.rows_with_cache::<Item>(SQL, params! { "Id" => 1 }, HOUR).await;
    assert!(matches!(failed, Err(Error::Database(_))));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_reported_with_its_type_and_place() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct Priced {
        more: More,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct More {
        price: Vec<u8>,
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = told.clone();
    let listener = move |event: &Event<'_>| {
        if let Event::Bypassed { why: Bypass::WrongType { asked_for, at, error }, .. } = event {
            hear.lock().unwrap().push(format!("{asked_for} {at} {error}"));
        }
    };
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.on_event(listener));
    it.plant(r#"[{"version":7,"more":{"price":[1,true]}}]"#).await;
    let error = it.client.rows_with_cache::<Priced>(SQL, params! { "Id" => 1 }, HOUR).await.unwrap_err();
    // The database's answer doesn't fit either.
    assert!(error.to_string().contains("[0]: missing field `more`"), "{error}");
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("Priced> [0].more.price[1] "), "{told}");
    assert!(told.contains("expected u8"), "{told}");
    let answer = it.ask().await.unwrap().unwrap();
    let error = answer.rows::<Priced>().unwrap_err().to_string();
    assert!(error.contains("[0].more.price[1]: expected u8, found true"), "{error}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_read_anew() {
    let it = Fixture::new(Database::open());
    it.plant(&b"[\"\xff\xfe\"]"[..]).await;
    assert_eq!(it.rows().await, [Item { version: 1 }]);
}

#[tokio::test]
async fn an_undecodable_answer_of_the_database_is_no_fault_of_the_cache() {
    let it = Fixture::new(Database::open());
    let rows = it.client.rows_with_cache::<(u8, u8)>(SQL, params! { "Id" => 1 }, HOUR).await;
    assert!(matches!(rows, Err(Error::Decode { .. })));
    // The second call hits, and tries once, not for ever.
    let rows = it.client.rows_with_cache::<(u8, u8)>(SQL, params! { "Id" => 1 }, HOUR).await;
    assert!(matches!(rows, Err(Error::Decode { .. })));
    assert_eq!(it.database.queries(), 2);
}

#[tokio::test]
async fn a_value_that_is_too_large_is_neither_stored_nor_read() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.max_value(15));
    it.plant(r#"[{"version":10}]"#).await; // 16 bytes
    assert_eq!(it.version().await, 1); // 15 bytes
    assert_eq!(it.events(), ["BadValue", "Miss", "Filled"]);
    it.invalidate().await;
    it.database.write(10);
    assert_eq!(it.version().await, 10);
    assert_eq!(it.events()[3..], ["Miss", "Bypassed TooLarge"]);
    // Its claim blocks no other caller.
    assert_eq!(it.version().await, 10);
    assert_eq!(it.database.queries(), 3);
}

#[tokio::test]
async fn where_a_bad_value_cannot_be_removed_the_database_answers() {
    let it = Fixture::new(Database::open());
    it.plant("nonsense").await;
    *it.store.failing.lock().unwrap() = Some("remove");
    assert_eq!(it.version().await, 1);
    assert_eq!(it.rows().await, [Item { version: 1 }]);
    assert_eq!(it.events(), ["BadValue", "Bypassed StoreFailed", "BadValue", "Bypassed StoreFailed"]);
}

#[tokio::test]
async fn a_function_whose_value_is_too_deep_still_answers() {
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    struct Deep(Vec<Deep>);
    let it = Fixture::new(Database::open());
    let deep = (0..300).fold(Deep::default(), |inner, _| Deep(vec![inner]));
    for _ in 0..2 {
        let made = || async { Ok::<_, Error>(deep.clone()) };
        let value = it.client.with_cache(made, "deep", params! {}, HOUR).await;
        assert_eq!(value.unwrap(), deep);
    }
}

fn caches() -> Vec<Cache> {
    let codecs = [
        Codec::Json,
        #[cfg(feature = "msgpack")]
        Codec::MessagePack,
        #[cfg(feature = "cbor")]
        Codec::Cbor,
    ];
    let cache = |codec| Cache::builder(MemoryStore::new()).namespace("n").codec(codec).build().unwrap();
    codecs.map(cache).into()
}

/// Checks that the value is stored, and comes back the same.
async fn kept<T: Serialize + DeserializeOwned + Clone + Debug + PartialEq>(value: T) {
    for cache in caches() {
        for _ in 0..2 {
            let got = cache.get_or("v", || async { value.clone() }).await;
            assert_eq!(format!("{got:?}"), format!("{value:?}"));
        }
        assert!(cache.contains("v").await.unwrap(), "{value:?}");
    }
}

/// Checks that no codec stores the value, and that the function's caller gets it all the same.
async fn lost<T: Serialize + DeserializeOwned + Clone + Debug>(value: T, place: &str) {
    for cache in caches() {
        let refused = cache.set("v", &value).await.unwrap_err();
        assert!(matches!(refused, Error::Encode(_)) && refused.to_string().contains(place), "{refused}");
        for _ in 0..2 {
            let got = cache.get_or("v", || async { value.clone() }).await;
            assert_eq!(format!("{got:?}"), format!("{value:?}"));
        }
        assert!(!cache.contains("v").await.unwrap(), "{value:?}");
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    I(i64),
    F(f64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wrapped<T>(T);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    of: Vec<Option<Option<u8>>>,
}

#[tokio::test]
async fn numbers_keep_their_type_and_their_sign() {
    kept(Number::F(2.0)).await;
    kept(Number::I(2)).await;
    kept(vec![-0.0, 0.0, 1e21, 5e-324, f64::MAX]).await;
    kept(0.1_f32).await;
    kept((u64::MAX, i64::MIN)).await;
}

#[tokio::test]
async fn a_some_that_reads_back_as_none_is_refused() {
    kept(None::<Option<u8>>).await;
    kept(Some(Some(1))).await;
    kept(((), None::<u8>, Nothing, Some(Vec::<()>::new()))).await;
    lost(Some(None::<u8>), "Some").await;
    lost(Some(()), "Some").await;
    lost(Some(Nothing), "Some").await;
    lost(Some(Wrapped(None::<u8>)), "Some").await;
    lost(Some(serde_json::Value::Null), "Some").await;
    lost(vec![Line { of: vec![None, Some(Some(1)), Some(None)] }], "[0].of[2]: ").await;
    lost(BTreeMap::from([("secret", 1)].map(|(key, _)| (key.to_owned(), Some(())))), "[0]: ").await;
}

#[tokio::test]
async fn a_value_that_json_cannot_express_fails_at_the_call() {
    let cache = &caches()[0];
    let it = Fixture::new(Database::open());
    let check = |error: Error, place: &str| {
        assert!(matches!(error, Error::Encode(_)) && error.to_string().contains(place), "{error}");
    };
    check(cache.set("v", &[1.0, f64::NAN]).await.unwrap_err(), "[1]: JSON has no number that is not finite");
    check(cache.set("v", &f32::INFINITY).await.unwrap_err(), "not finite");
    check(cache.set("v", &BTreeMap::from([((1, 2), 3)])).await.unwrap_err(), "key must be a string");
    check(it.client.write_to_cache("v", &f64::NAN, params! {}, HOUR).await.unwrap_err(), "not finite");
    let ratio = cache.get_or("ratio", || async { f64::NAN }).await;
    assert!(ratio.is_nan() && !cache.contains("ratio").await.unwrap());
    let ratio = it.client.with_cache(|| async { Ok::<_, Error>(f64::NAN) }, "ratio", params! {}, HOUR).await;
    assert!(ratio.unwrap().is_nan());
}

#[tokio::test]
async fn a_value_without_a_bottom_is_not_written() {
    let deep = (0..20_000).fold(serde_json::json!([]), |inner, _| serde_json::Value::Array(vec![inner]));
    for cache in caches() {
        let refused = cache.set("v", &deep).await.unwrap_err();
        assert!(refused.to_string().contains("deeper than 127 levels"), "{refused}");
    }
    // Dropping the value recurses as well.
    std::mem::forget(deep);
    kept((1..127).fold(serde_json::json!([]), |inner, _| serde_json::json!([inner]))).await;
}
