//! Concurrent callers: at a miss, at an invalidation, and when one is cancelled.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use futures_util::future::join_all;
use mrc::config::CacheBuilder;
use mrc::key::Glob;
use mrc::{Cache, Spec, scope};
use tokio::sync::Semaphore;

use super::support::*;

tests!(
    on_every_store,
    x14_a_call_that_is_cancelled_stores_nothing_and_leaves_its_scope_clean,
    x14_a_part_that_is_cancelled_leaves_its_caller_whole,
    x14_others_continue_without_the_cancelled_caller,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x01_twenty_misses_at_once_are_one_execution() {
    on_every_store(async |place| twenty_misses_are_one_execution(|| place.builder("app"), || Spec::of("f")).await)
        .await;
}

/// Checks that twenty callers of two caches run one function. Two caches share no memory in Redis,
/// so they are like two processes.
pub(super) async fn twenty_misses_are_one_execution(builder: impl Fn() -> CacheBuilder, spec: fn() -> Spec) {
    let (run, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let caches = [0, 1].map(|_| builder().wait_max(HOUR).build().unwrap());
    let callers = (0..20).map(|at| {
        let (cache, run, gate) = (caches[at % 2].clone(), run.clone(), gate.clone());
        let work = || async move {
            run.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            7
        };
        tokio::spawn(async move { cache.get_or(spec(), work).await })
    });
    let callers: Vec<_> = callers.collect();
    until(async || run.load(Ordering::SeqCst) > 0).await;
    gate.add_permits(20);
    for answer in join_all(callers).await {
        assert_eq!(answer.unwrap(), 7);
    }
    assert_eq!(run.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn x02_a_value_that_an_invalidation_overtook_is_not_stored() {
    on_every_store(async |place| {
        let (cache, writer) = (place.cache(), place.cache());
        for how in ["a tag", "all of two tags", "its name", "a pattern", "everything", "another value"] {
            let invalidate = async || match how {
                "a tag" => drop(writer.invalidate(tag("t")).await.unwrap()),
                "all of two tags" => drop(writer.invalidate(mrc::Select::all(["u", "t"])).await.unwrap()),
                "its name" => drop(writer.remove("f").await.unwrap()),
                "a pattern" => drop(writer.invalidate(Glob::literal("f")).await.unwrap()),
                "everything" => drop(writer.clear().await.unwrap()),
                _ => drop(writer.set("f", &2).await.unwrap()),
            };
            for tags_come_late in [false, true] {
                an_overtaken_value_is_not_stored(place, &cache, tags_come_late, how, &invalidate).await;
            }
        }
    })
    .await;
}

/// Checks that a value isn't stored if `invalidate` runs between the function's read and its fill.
pub(super) async fn an_overtaken_value_is_not_stored(
    place: &Place,
    cache: &Cache,
    tags_come_late: bool,
    how: &str,
    invalidate: impl AsyncFn(),
) {
    let value = AtomicU32::new(1);
    let spec = || if tags_come_late { Spec::of("f") } else { Spec::of("f").tags(["t", "u"]) };
    let read = async || {
        let read = value.swap(2, Ordering::SeqCst);
        invalidate().await;
        if tags_come_late {
            scope::tags(["t", "u"]);
        }
        read
    };
    place.heard.take();
    assert_eq!(cache.get_or(spec(), read).await, 1, "the call began before");
    assert!(place.heard.has("refused app:f"), "{how}, late {tags_come_late}: {:?}", place.heard.take());
    let now = cache.get_or(spec(), async || value.load(Ordering::SeqCst)).await;
    assert_eq!(now, 2, "{how}, late {tags_come_late}");
    cache.clear().await.unwrap();
}

/// Writers and readers at full speed: an invalidated value is never seen again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x02_nothing_stale_is_seen_after_an_invalidation_returned() {
    on_every_store(async |place| {
        let readers = (0..8).map(|_| (place.cache(), Spec::of("f"))).collect();
        nothing_stale_is_seen(place.cache(), readers, 200).await;
    })
    .await;
}

/// Checks that these readers never see a value from before an invalidation that has returned.
pub(super) async fn nothing_stale_is_seen(writer: Cache, readers: Vec<(Cache, Spec)>, versions: u32) {
    let [value, done] = std::array::from_fn(|_| Arc::new(AtomicU32::new(0)));
    let readers = readers.into_iter().enumerate().map(|(at, (cache, spec))| {
        let (value, done) = (value.clone(), done.clone());
        tokio::spawn(async move {
            while done.load(Ordering::SeqCst) < versions {
                let least = done.load(Ordering::SeqCst);
                let read = async || {
                    let read = value.load(Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    scope::tag("t");
                    read
                };
                let seen = cache.get_or(spec.clone(), read).await;
                assert!(seen >= least, "reader {at} saw {seen} after {least} was invalidated");
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for version in 1..=versions {
        value.store(version, Ordering::SeqCst);
        writer.invalidate(tag("t")).await.unwrap();
        done.store(version, Ordering::SeqCst);
    }
    for reader in join_all(readers).await {
        reader.unwrap();
    }
}

async fn x14_a_call_that_is_cancelled_stores_nothing_and_leaves_its_scope_clean(place: &Place) {
    let cache = place.cache();
    {
        let mut call = pin!(runs_with(&cache, Spec::of("f").tag("t"), async || {
            scope::tag("late");
            std::future::pending::<()>().await;
        }));
        let started = async || place.heard.has("miss app:f");
        tokio::select! {
            _ = &mut call => panic!("it never ends"),
            () = until(started) => {}
        }
        // One more poll: the caller is in its function.
        std::future::poll_fn(|context| {
            assert!(Future::poll(call.as_mut(), context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    assert_eq!((scope::key(), scope::current_tags()), (None, vec![]));
    assert!(!cache.contains("f").await.unwrap());
    // The claim is released too, in the background: nobody waits for a lease.
    until(async || cache.len().await.unwrap() == 0).await;
    assert!(runs(&cache, "f").await && !runs(&cache, "f").await);
}

async fn x14_a_part_that_is_cancelled_leaves_its_caller_whole(place: &Place) {
    let cache = place.cache();
    runs_with(&cache, "outer", async || {
        let part = runs_with(&cache, "inner", async || {
            scope::tag("inner");
            std::future::pending::<()>().await;
        });
        tokio::select! {
            _ = part => panic!("it never ends"),
            () = until(async || place.heard.has("miss app:inner")) => {}
        }
        assert_eq!((scope::key().as_deref(), scope::current_tags()), (Some("app:outer"), vec![]));
        scope::tag("outer");
    })
    .await;
    assert_eq!(cache.invalidate(tag("inner")).await.unwrap(), 0);
    assert_eq!(cache.invalidate(tag("outer")).await.unwrap(), 1);
}

/// A caller is cancelled while others wait for it. One of them takes its place.
async fn x14_others_continue_without_the_cancelled_caller(place: &Place) {
    let cache = place.cache();
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { runs_with(&cache, "f", async || std::future::pending::<()>().await).await }
    });
    until(async || place.heard.has("miss app:f")).await;
    let others = (0..5).map(|_| {
        let cache = cache.clone();
        tokio::spawn(async move { runs(&cache, "f").await })
    });
    let others: Vec<_> = others.collect();
    tokio::task::yield_now().await;
    first.abort();
    let ran = join_all(others).await.into_iter().filter(|ran| *ran.as_ref().unwrap()).count();
    assert_eq!(ran, 1);
}
