//! Values of a bounded cache.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use mrc::{Bound, Cache, Policy};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::parity::support::*;

tests!(on_every_store, b15_another_codec_is_a_miss,);

tests!(
    on_every_bound,
    f10_b16_nested_json_survives_the_cache,
    x15_none_zero_and_empty_values_are_hits,
    f59_x12_b16_a_value_that_cannot_be_written_is_returned_and_evicts_nothing,
    x21_b15_bytes_that_are_no_value_are_a_miss_and_an_event,
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Named { name: String, at: (i32, i32), tags: BTreeMap<u8, Option<char>> },
}

#[tokio::test]
async fn f53_f54_f55_f56_f57_f58_f59_values_survive_every_codec() {
    for codec in codecs() {
        on_every_bound(async |place, bound| {
            let cache = place.builder("app").codec(codec).bound(bound).build().unwrap();
            survives(&cache, (0..=255).collect::<Vec<u8>>()).await;
            survives(&cache, None::<u32>).await;
            survives(&cache, (true, false)).await;
            survives(&cache, "héllo \u{0}\"\\ 😀 \n ".to_owned()).await;
            survives(&cache, (i64::MIN, i64::MAX, u64::MAX)).await;
            survives(&cache, [0.1, -0.0, 1e-7, 1e300, f64::MIN_POSITIVE]).await;
            survives(&cache, std::time::SystemTime::UNIX_EPOCH).await;
            survives(&cache, Shape::Point).await;
            survives(&cache, vec![Shape::Circle(1.5), Shape::Point]).await;
            let tags = BTreeMap::from([(1, None), (255, Some('é'))]);
            survives(&cache, Ok::<_, Shape>(Shape::Named { name: "x".into(), at: (-1, 1), tags })).await;
        })
        .await;
    }
}

async fn f10_b16_nested_json_survives_the_cache(place: &Place, bound: Bound) {
    let cache = place.bounded(bound);
    survives(&cache, json!({"a": [1, 2.5, {"b": null}], "é": "ü", "": [true, [], {}]})).await;
    survives(&cache, (1, "a".to_owned())).await;
    survives(&cache, BTreeMap::from([(1, "its key is a number".to_owned())])).await;
}

async fn x15_none_zero_and_empty_values_are_hits(place: &Place, bound: Bound) {
    let cache = place.bounded(bound);
    empty_values_are_hits(&cache).await;
}

async fn f59_x12_b16_a_value_that_cannot_be_written_is_returned_and_evicts_nothing(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(2));
    ran(&cache, 0..2).await;
    for _ in 0..2 {
        assert_eq!(cache.get_or(f(2), async || Unwritable(7)).await, Unwritable(7));
    }
    assert!(cache.set(f(2), &Unwritable(7)).await.is_err());
    assert_eq!((kept(&cache, 3).await, cache.len().await.unwrap()), (vec![0, 1], 2));
}

async fn x21_b15_bytes_that_are_no_value_are_a_miss_and_an_event(place: &Place, bound: Bound) {
    const WRONG: [&[u8]; 5] = [b"\"cut o", b"\xff\xfe", b"\x00", b"\x01m\xa2ok\x00", b"\x01c"];
    let cache = place.bounded(bound.clone().max(2));
    let view = place.store().bounded("app", &bound.max(2)).unwrap();
    ran(&cache, [0]).await;
    for bytes in WRONG {
        view.put("app:f(x=1)", Bytes::from_static(bytes), HOUR).await.unwrap();
        place.heard.take();
        assert_eq!(cache.get_or(f(1), async || "ok".to_owned()).await, "ok", "{bytes:?}");
        let heard = place.heard.take();
        assert!(heard.contains(&"bad_value app:f(x=1)".to_owned()), "{heard:?}");
        assert_eq!(cache.get::<String>(f(1)).await.unwrap().as_deref(), Some("ok"), "it was overwritten");
    }
    assert_eq!((kept(&cache, 2).await, cache.stats().snapshot().evicted), (vec![0, 1], 0));
}

async fn b15_another_codec_is_a_miss(place: &Place) {
    let with = |codec| place.builder("app").codec(codec).bound(Bound::new(Policy::Lru)).build().unwrap();
    let caches: Vec<Cache> = codecs().into_iter().map(with).collect();
    for writer in &caches {
        for reader in &caches {
            writer.set("f", "text").await.unwrap();
            let same = std::ptr::eq(writer, reader);
            assert_eq!(reader.get::<String>("f").await.unwrap().is_some(), same, "{writer:?} {reader:?}");
        }
    }
}
