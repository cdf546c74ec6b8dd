//! Unusable values in the cache: a miss, an event, overwritten; never a loop.

use mrc_core::params;
use mrc_store::CacheStore;
use serde::{Deserialize, Serialize};

use super::support::*;
use crate::{Error, Source};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    version: u64,
}

impl Fixture {
    async fn plant(&self, text: impl Into<bytes::Bytes>) {
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
    let it = Fixture::new(Database::open());
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hear = told.clone();
    let client = crate::MrcClient::builder()
        .shared_store(it.store.clone())
        .shared_executor(it.database.clone())
        .on_event(move |event: &mrc_core::Event<'_>| {
            if let mrc_core::Event::Bypassed { why: mrc_core::Bypass::WrongType { asked_for, at, error }, .. } = event {
                hear.lock().unwrap().push(format!("{asked_for} {at} {error}"));
            }
        })
        .build()
        .unwrap();
    it.plant(r#"[{"version":7,"more":{"price":[1,true]}}]"#).await;
    let error = client.rows_with_cache::<Priced>(SQL, params! { "Id" => 1 }, HOUR).await.unwrap_err();
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
