//! The mode of a task decides how it uses a bounded cache.

use mrc::scope::{self, Mode};
use mrc::{Bound, Cache};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::parity::modes::a_read_only_miss_runs_nothing;
use crate::parity::support::*;

tests!(
    on_every_bound,
    f24_f26_off_leaves_the_cache_alone,
    f25_another_thread_has_a_mode_of_its_own,
    f27_peek_reads_and_does_not_store,
    x11_a_read_only_miss_runs_nothing,
    f28_refresh_computes_and_stores,
    f29_a_task_does_not_change_the_mode_of_its_parent,
);

async fn call(cache: &Cache, mode: Mode, fresh: u32) -> u32 {
    scope::with_mode(mode, cache.get_or(f(0), async || fresh)).await
}

async fn f24_f26_off_leaves_the_cache_alone(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    let never_asked = ["bypassed app:f(x=0) mode", "computed app:f(x=0)"];
    for fresh in 1..3 {
        assert_eq!(call(&cache, Mode::Off, fresh).await, fresh);
        assert_eq!(place.heard.take(), never_asked);
    }
    assert_eq!((cache.len().await.unwrap(), call(&cache, Mode::Normal, 3).await), (0, 3));
    assert_eq!((call(&cache, Mode::Off, 4).await, call(&cache, Mode::Normal, 5).await), (4, 3));
}

async fn f25_another_thread_has_a_mode_of_its_own(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    scope::with_mode(Mode::Off, async {
        let (handle, its) = (Handle::current(), cache.clone());
        let there =
            spawn_blocking(move || handle.block_on(async { (scope::mode(), its.get_or(f(0), async || 1).await) }));
        assert_eq!(there.await.unwrap(), (Mode::Normal, 1));
        assert_eq!((scope::mode(), cache.get_or(f(0), async || 2).await), (Mode::Off, 2));
    })
    .await;
    assert_eq!(call(&cache, Mode::Normal, 3).await, 1);
}

async fn f27_peek_reads_and_does_not_store(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    assert_eq!((call(&cache, Mode::Peek, 1).await, call(&cache, Mode::Peek, 2).await), (1, 2));
    assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().fills), (0, 0));
    assert_eq!((call(&cache, Mode::Normal, 3).await, call(&cache, Mode::Peek, 4).await), (3, 3));
}

async fn x11_a_read_only_miss_runs_nothing(place: &Place, bound: Bound) {
    a_read_only_miss_runs_nothing(&place.bounded(bound.max(8)), || f(0), "app:f(x=0)").await;
}

async fn f28_refresh_computes_and_stores(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(1));
    for fresh in 1..3 {
        place.heard.take();
        assert_eq!(call(&cache, Mode::Refresh, fresh).await, fresh);
        let heard = place.heard.take();
        assert!(!heard.iter().any(|event| event.starts_with("hit")), "{heard:?}");
        assert_eq!(heard.iter().filter(|event| event.starts_with("filled")).count(), 1, "{heard:?}");
    }
    assert_eq!(call(&cache, Mode::Normal, 3).await, 2);
    assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().evicted), (1, 0), "it is the same entry");
}

async fn f29_a_task_does_not_change_the_mode_of_its_parent(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    let child = |cache: Cache| async move {
        let off = call(&cache, Mode::Off, 10).await;
        (off, cache.get_or(f(0), async || 11).await)
    };
    assert_eq!(call(&cache, Mode::Normal, 1).await, 1);
    assert_eq!(scope::spawn(child(cache.clone())).await.unwrap(), (10, 1));
    assert_eq!(call(&cache, Mode::Normal, 2).await, 1);
    // A child of the scope begins with its mode; a merely spawned task has none.
    scope::with_mode(Mode::Off, async {
        assert_eq!(scope::spawn(child(cache.clone())).await.unwrap(), (10, 11));
        assert_eq!(tokio::spawn(child(cache.clone())).await.unwrap(), (10, 1));
        assert_eq!(cache.get_or(f(0), async || 3).await, 3);
    })
    .await;
}
