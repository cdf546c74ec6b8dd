//! Contents of the store that are no value of this cache: a miss, and an event.

use bytes::Bytes;
use mrc::config::Codec;
use mrc::scope::{self, Mode};
use mrc::{Cache, Error};

use super::support::*;

tests!(
    on_every_store,
    x21_bytes_that_are_no_value_are_a_miss_and_an_event,
    x21_a_look_at_such_bytes_finds_nothing,
    x21_a_value_of_another_type_stays_and_is_bypassed,
);

/// Values of another type than text, which others may read.
const THEIRS: [&[u8]; 3] = [b"7", b"{\"type\":\"cached_exception\"}", b"null"];

/// Bytes that no cache has written, or no cache with this codec.
const WRONG: [&[u8]; 6] = [b"\"cut o", b"\xff\xfe", b"\x00", b"\x01m\xa2ok\x00", b"\x01c", b"plain text"];

async fn leaves(place: &Place, bytes: &'static [u8]) {
    place.store().put("app:f", Bytes::from_static(bytes), HOUR).await.unwrap();
    place.heard.take();
}

async fn x21_bytes_that_are_no_value_are_a_miss_and_an_event(place: &Place) {
    let cache = place.cache();
    for bytes in WRONG {
        for by_try in [true, false] {
            leaves(place, bytes).await;
            let got = if by_try {
                cache.get_or_try("f", async || Ok::<_, Error>("ok".to_owned())).await.unwrap()
            } else {
                cache.get_or("f", async || "ok".to_owned()).await
            };
            let heard = place.heard.take();
            assert_eq!(got, "ok", "{bytes:?}");
            assert_eq!(heard.iter().filter(|event| *event == "bad_value app:f").count(), 1, "{heard:?}");
            assert!(heard.iter().any(|event| event.starts_with("filled app:f 4")), "{heard:?}");
            assert_eq!(cache.get::<String>("f").await.unwrap().as_deref(), Some("ok"), "it was overwritten");
        }
    }
}

async fn x21_a_look_at_such_bytes_finds_nothing(place: &Place) {
    let cache = place.cache();
    for bytes in WRONG {
        leaves(place, bytes).await;
        assert_eq!(cache.get::<String>("f").await.unwrap(), None);
        assert!(place.heard.has("bad_value app:f"), "{bytes:?}");
        leaves(place, bytes).await;
        is_missed(&cache, bytes).await;
    }
}

async fn x21_a_value_of_another_type_stays_and_is_bypassed(place: &Place) {
    let cache = place.cache();
    for bytes in THEIRS {
        leaves(place, bytes).await;
        for _ in 0..2 {
            assert!(runs_text(&cache, "ok").await, "{bytes:?}");
            assert!(place.heard.has("bypassed app:f wrong_type"), "{bytes:?}");
            assert!(!place.heard.take().contains(&"bad_value app:f".to_owned()), "{bytes:?}");
        }
        assert!(matches!(cache.get::<String>("f").await, Err(Error::Decode { .. })), "{bytes:?}");
        is_missed(&cache, bytes).await;
        assert_eq!(place.store().get("app:f").await.unwrap().unwrap(), bytes);
    }
}

#[tokio::test]
async fn d73_d76_x21_a_codec_is_chosen_and_does_not_read_anothers() {
    let codecs = codecs();
    assert_eq!(codecs[0], Codec::default());
    assert!("pickle".parse::<Codec>().is_err());
    on_every_store(async |place| {
        let caches: Vec<Cache> =
            codecs.iter().map(|codec| place.builder("app").codec(*codec).build().unwrap()).collect();
        for (at, cache) in caches.iter().enumerate() {
            cache.set("f", "text").await.unwrap();
            assert_eq!(cache.get::<String>("f").await.unwrap().as_deref(), Some("text"));
            for (other, reader) in caches.iter().enumerate().filter(|(other, _)| *other != at) {
                cache.set("f", "text").await.unwrap();
                let name = format!("{:?} by {:?}", codecs[at], codecs[other]);
                assert!(runs_text(reader, "again").await, "{name}");
                assert!(!runs_text(reader, "again").await, "{name}");
            }
        }
    })
    .await;
}

async fn runs_text(cache: &Cache, fresh: &str) -> bool {
    let mut ran = false;
    let value = cache
        .get_or("f", async || {
            ran = true;
            fresh.to_owned()
        })
        .await;
    assert_eq!(value, fresh);
    ran
}

/// Checks that a read-only call finds no value, and runs nothing.
async fn is_missed(cache: &Cache, bytes: &[u8]) {
    let never = async || -> Result<String, Error> { panic!("nothing runs") };
    let read = scope::with_mode(Mode::ReadOnly, cache.get_or_try("f", never)).await;
    assert!(matches!(read, Err(Error::Missed { .. })), "{bytes:?}");
}
