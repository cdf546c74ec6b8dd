//! Values of functions: the cache returns the same value as the function, or nothing is stored.

use std::collections::BTreeMap;
use std::fmt::Debug;

use mrc_core::params;
use mrc_store::MemoryStore;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::support::*;
use crate::{Cache, Codec, Error};

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
