//! The mode of a task decides how it uses the cache.

use mrc::scope::{self, Mode};
use mrc::{Cache, Error, Spec};

use super::support::*;

tests!(
    on_every_store,
    x11_a_read_only_miss_runs_nothing,
    peek_reads_and_does_not_store,
    refresh_computes_and_stores,
    off_leaves_the_cache_alone,
    a_mode_is_that_of_the_inner_calls_too,
);

async fn call(cache: &Cache, mode: Mode, fresh: u32) -> u32 {
    scope::with_mode(mode, cache.get_or("f", async || fresh)).await
}

async fn x11_a_read_only_miss_runs_nothing(place: &Place) {
    a_read_only_miss_runs_nothing(&place.cache(), || Spec::of("f"), "app:f").await;
}

pub(super) async fn a_read_only_miss_runs_nothing(cache: &Cache, f: fn() -> Spec, name: &str) {
    let never = async || -> Result<u32, Error> { panic!("nothing runs") };
    let read = || scope::with_mode(Mode::ReadOnly, cache.get_or_try(f(), never));
    assert!(matches!(read().await, Err(Error::Missed { key }) if key == name));
    assert_eq!(cache.len().await.unwrap(), 0, "nor is anything claimed");
    assert_eq!(cache.get_or(f(), async || 1).await, 1, "which would be waited for");
    assert_eq!(read().await.unwrap(), 1);
    scope::with_mode(Mode::ReadOnly, async {
        assert!(!cache.set(f(), &2).await.unwrap());
        assert_eq!(cache.get(f()).await.unwrap(), Some(1));
        // A function that can't fail runs, and its value isn't stored.
        assert!(runs(cache, "g").await && runs(cache, "g").await);
    })
    .await;
    assert_eq!((cache.get(f()).await.unwrap(), cache.len().await.unwrap()), (Some(1), 1));
}

async fn peek_reads_and_does_not_store(place: &Place) {
    let cache = place.cache();
    assert_eq!((call(&cache, Mode::Peek, 1).await, call(&cache, Mode::Peek, 2).await), (1, 2));
    assert!(place.heard.has("bypassed app:f mode"));
    assert_eq!(call(&cache, Mode::Normal, 3).await, 3);
    assert_eq!(call(&cache, Mode::Peek, 4).await, 3);
    assert!(!scope::with_mode(Mode::Peek, cache.set("f", &5)).await.unwrap());
    assert_eq!(cache.get("f").await.unwrap(), Some(3));
}

async fn refresh_computes_and_stores(place: &Place) {
    let cache = place.cache();
    assert_eq!((call(&cache, Mode::Refresh, 1).await, call(&cache, Mode::Refresh, 2).await), (1, 2));
    assert_eq!(call(&cache, Mode::Normal, 3).await, 2);
    assert_eq!(scope::with_mode(Mode::Refresh, cache.get::<u32>("f")).await.unwrap(), None);
    // A refresh that an invalidation overtakes is refused like any other fill.
    let spec = || Spec::of("f").tag("t");
    cache.set(spec(), &4).await.unwrap();
    let overtaken = cache.get_or(spec(), async || {
        assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 1);
        5
    });
    assert_eq!(scope::with_mode(Mode::Refresh, overtaken).await, 5);
    assert_eq!(cache.get::<u32>("f").await.unwrap(), None);
}

async fn off_leaves_the_cache_alone(place: &Place) {
    let cache = place.cache();
    cache.set("f", &1).await.unwrap();
    assert_eq!((call(&cache, Mode::Off, 2).await, call(&cache, Mode::Off, 3).await), (2, 3));
    scope::with_mode(Mode::Off, async {
        assert_eq!(cache.get::<u32>("f").await.unwrap(), None);
        assert!(!cache.set("f", &4).await.unwrap());
    })
    .await;
    assert_eq!(call(&cache, Mode::Normal, 5).await, 1);
}

#[tokio::test]
async fn modes_are_of_a_task_and_nest() {
    assert_eq!(scope::mode(), Mode::Normal);
    scope::with_mode(Mode::Off, async {
        scope::with_mode(Mode::Peek, async { assert_eq!(scope::mode(), Mode::Peek) }).await;
        assert_eq!(scope::mode(), Mode::Off);
        assert_eq!(scope::spawn(async { scope::mode() }).await.unwrap(), Mode::Off);
        assert_eq!(tokio::spawn(async { scope::mode() }).await.unwrap(), Mode::Normal);
        let side_by_side = tokio::join!(scope::with_mode(Mode::Peek, async { scope::mode() }), async { scope::mode() });
        assert_eq!(side_by_side, (Mode::Peek, Mode::Off));
    })
    .await;
    assert_eq!(scope::mode(), Mode::Normal);
}

async fn a_mode_is_that_of_the_inner_calls_too(place: &Place) {
    let cache = place.cache();
    let nested = async || cache.get_or("outer", async || runs(&cache, "inner").await).await;
    assert!(nested().await);
    assert!(scope::with_mode(Mode::Refresh, nested()).await, "both run again");
    cache.remove("outer").await.unwrap();
    assert!(!scope::with_mode(Mode::Peek, nested()).await, "the inner one is taken");
    assert!(!cache.contains("outer").await.unwrap());
}
