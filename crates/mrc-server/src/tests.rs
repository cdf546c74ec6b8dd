use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mrc_core::{Event, KeyFormat, Tag, params};
use mrc_store::{
    CacheStore, Claim, Found, KeyPages, Life, MemoryStore, Moment, ScanPattern, Select, StoreError, Terms, Token,
};

use crate::{DropError, DropRequest, MrcServer, Strategy};

const HASH: &str = "d6f3536ac027efd4916a172a39156f97c989bfd3";

/// A store whose scans fail after the first page, a number of times.
#[derive(Debug)]
struct Flaky {
    memory: MemoryStore,
    failures: AtomicU32,
    /// The number of invalidations by tag that fail.
    index_failures: AtomicU32,
    calls: Mutex<Vec<&'static str>>,
}

impl Flaky {
    async fn with_entries(failures: u32) -> Arc<Self> {
        let memory = MemoryStore::new();
        for store in 0..10 {
            memory.put(&format!("StoreId={store}_{HASH}"), "[]".into(), Duration::from_secs(60)).await.unwrap();
        }
        Arc::new(Self { memory, failures: failures.into(), index_failures: 0.into(), calls: Mutex::default() })
    }

    /// Adds an entry with tags.
    async fn add(&self, key: &str, tags: &[Tag]) {
        let (token, life) = (Token::from_bits(9), Duration::from_secs(60));
        self.memory.claim(key, &token, Terms::fill(life)).await.unwrap();
        let since = self.memory.now().await.unwrap();
        let tags = tags.iter().map(|tag| (tag.clone(), since)).collect();
        assert!(self.memory.fill(key, &token, "[]".into(), Life::from(life).tags(tags)).await.unwrap());
    }

    fn server(self: &Arc<Self>) -> (MrcServer, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::clone(&heard);
        let listener = move |event: &Event<'_>| heard.lock().unwrap().push(format!("{event:?}"));
        (MrcServer::with_shared_store(self.clone()).on_event(listener), events)
    }
}

#[async_trait]
impl CacheStore for Flaky {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.memory.get(key).await
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.memory.look(key).await
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.memory.stale(key).await
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.memory.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        self.memory.claim(key, token, terms).await
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        self.memory.fill(key, token, value, life).await
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.memory.release(key, token).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.memory.put(key, value, ttl).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        self.memory.ttl(key).await
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.memory.remove(keys).await
    }

    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.memory.exist(keys).await
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        self.calls.lock().unwrap().push("index");
        let fails = |left: u32| left.checked_sub(1);
        if self.index_failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            return Err(StoreError::Refused("OOM command not allowed".into()));
        }
        self.memory.invalidate(tags).await
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        self.calls.lock().unwrap().push("scan");
        let left = self.failures.load(Ordering::SeqCst);
        if left == 0 {
            return self.memory.scan(pattern);
        }
        self.failures.store(left - 1, Ordering::SeqCst);
        let one = Bytes::from(format!("StoreId={}_{HASH}", left % 10));
        stream::iter([Ok(vec![one]), Err(StoreError::Timeout(Duration::from_millis(500)))]).boxed()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.memory.ping().await
    }

    async fn close(&self) {}
}

#[tokio::test(start_paused = true)]
async fn a_drop_that_fails_is_tried_again_as_a_whole() {
    let store = Flaky::with_entries(3).await;
    let (server, events) = store.server();
    let every_store = (0..10).fold(mrc_core::Params::new(), |params, id| params.with("StoreId", id));
    assert_eq!(server.drop_outdated_cache(every_store).await.unwrap(), 10);
    for id in 0..10 {
        assert_eq!(store.get(&format!("StoreId={id}_{HASH}")).await.unwrap(), None);
    }
    let events = events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| event.starts_with("DropRetried")).count(), 3, "{events:?}");
    assert!(events.last().unwrap().starts_with("Dropped { entries: 10"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_counts_once_however_often_it_is_tried() {
    let store = Flaky::with_entries(3).await;
    let (server, _) = store.server();
    let count = server.drop_outdated_cache(DropRequest::any(params! { "StoreId" => 3 }).dry_run()).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_be_for_ever() {
    let store = Flaky::with_entries(3).await;
    let server = store.server().0.deadline(Duration::MAX);
    assert_eq!(server.drop_outdated_cache(params! { "StoreId" => 3 }).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn past_the_deadline_the_error_names_the_tags_that_may_survive() {
    let store = Flaky::with_entries(u32::MAX).await;
    let (server, _) = store.server();
    let began = tokio::time::Instant::now();
    let error = server.drop_outdated_cache(params! { "StoreId" => 3 }).await.unwrap_err();
    assert!(matches!(error, DropError::Interrupted { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("call it again"), "{error}");
    let tried_for = began.elapsed();
    assert!(
        (Duration::from_secs(8)..=Duration::from_secs(10)).contains(&tried_for),
        "{tried_for:?} by the paused clock"
    );
    let once = server.deadline(Duration::ZERO).drop_outdated_cache(params! { "StoreId" => 3 }).await;
    assert!(once.is_err());
}

/// Returns a store with entries of queries tagged by params, one in each spelling, and the keys.
async fn tagged() -> (Arc<Flaky>, Vec<String>) {
    let store = Flaky::with_entries(0).await;
    let mut keys = Vec::new();
    for (format, open) in [(KeyFormat::TypeScript, "true"), (KeyFormat::Python, "True")] {
        let key = format!("StoreId=3_Open={open}_{HASH}");
        let tags = [Tag::param("StoreId", &3.into(), format), Tag::param("Open", &true.into(), format)];
        store.add(&key, &tags).await;
        keys.push(key);
    }
    (store, keys)
}

async fn has(store: &Flaky, key: &str) -> bool {
    store.get(key).await.unwrap().is_some()
}

#[tokio::test(start_paused = true)]
async fn the_index_drops_tagged_entries_and_a_scan_the_rest() {
    for (strategy, dropped) in [(Strategy::Scan, 3), (Strategy::Index, 2), (Strategy::Both, 3)] {
        let (store, keys) = tagged().await;
        let (server, events) = store.server();
        let request = DropRequest::any(params! { "StoreId" => 3, "Open" => true }).strategy(strategy);
        assert_eq!(server.drop_outdated_cache(request).await.unwrap(), dropped, "{strategy:?}");
        for key in &keys {
            assert!(!has(&store, key).await, "{strategy:?} {key}");
        }
        assert_eq!(has(&store, &format!("StoreId=3_{HASH}")).await, strategy == Strategy::Index);
        let scanned = events.lock().unwrap().iter().any(|event| event.starts_with("Dropped"));
        assert_eq!(scanned, strategy != Strategy::Index);
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_params_the_index_knows_both_spellings() {
    let (store, keys) = tagged().await;
    let (server, _) = store.server();
    let drop = |params| server.drop_outdated_cache(DropRequest::all(params).strategy(Strategy::Index));
    assert_eq!(drop(params! { "StoreId" => 3, "Open" => false }).await.unwrap(), 0);
    assert_eq!(drop(params! { "StoreId" => 3, "Open" => true }).await.unwrap(), 2);
    assert!(!has(&store, &keys[0]).await && !has(&store, &keys[1]).await);
}

#[tokio::test(start_paused = true)]
async fn the_index_neither_counts_nor_knows_parts() {
    let (store, keys) = tagged().await;
    let (server, _) = store.server();
    let request = || DropRequest::any(params! { "StoreId" => 3 }).strategy(Strategy::Index);
    assert_eq!(server.drop_outdated_cache(request().dry_run()).await.unwrap(), 3);
    let error = server.drop_outdated_cache(request().substring()).await.unwrap_err();
    assert!(matches!(error, DropError::SubstringByIndex), "{error}");
    assert!(has(&store, &keys[0]).await);
}

#[tokio::test(start_paused = true)]
async fn tags_are_invalidated_by_any_or_all() {
    let (store, keys) = tagged().await;
    let (server, events) = store.server();
    assert_eq!(server.invalidate(Select::all(["StoreId=3", "Open=1"])).await.unwrap(), 0);
    assert_eq!(server.invalidate(Select::all(["StoreId=3", "Open=True"])).await.unwrap(), 1);
    assert!(has(&store, &keys[0]).await && !has(&store, &keys[1]).await);
    assert_eq!(server.invalidate(Tag::new("Open=true")).await.unwrap(), 1);
    assert!(matches!(server.invalidate(Select::any([""; 0])).await, Err(DropError::Tag(_))));
    assert_eq!(server.invalidate(Select::Everything).await.unwrap(), 10);
    let events = events.lock().unwrap();
    assert!(events[1].starts_with("Invalidated { tags: [\"StoreId=3\", \"Open=True\"], entries: 1"), "{events:?}");
}

/// Adds the entry of a function that read an entry of store 3, which its key doesn't show.
async fn with_function() -> Arc<Flaky> {
    let (store, _) = tagged().await;
    store.add("shop:report()", &[Tag::param("StoreId", &3.into(), KeyFormat::TypeScript)]).await;
    store
}

#[tokio::test(start_paused = true)]
async fn every_strategy_reaches_the_functions_that_read_an_entry() {
    for (strategy, calls) in [
        (Strategy::Scan, &["scan", "index"][..]),
        (Strategy::Index, &["index"]),
        // The index comes last in any case: a function may have hit the entry until the scan ended.
        (Strategy::Both, &["index", "scan", "index"]),
    ] {
        let store = with_function().await;
        let (server, events) = store.server();
        let request = || DropRequest::any(params! { "StoreId" => 3 }).strategy(strategy);
        assert_eq!(server.drop_outdated_cache(request().dry_run()).await.unwrap(), 3, "{strategy:?}: queries alone");
        store.calls.lock().unwrap().clear();
        let dropped = if strategy == Strategy::Index { 3 } else { 4 };
        assert_eq!(server.drop_outdated_cache(request()).await.unwrap(), dropped, "{strategy:?}");
        assert!(!has(&store, "shop:report()").await, "{strategy:?}");
        assert_eq!(*store.calls.lock().unwrap(), calls, "{strategy:?}");
        let told = events.lock().unwrap().last().unwrap().clone();
        assert!(told.contains(&format!("entries: {dropped}")), "{strategy:?}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_scan_runs_even_if_the_index_fails() {
    for (strategy, failures) in [(Strategy::Both, u32::MAX), (Strategy::Scan, u32::MAX), (Strategy::Both, 1)] {
        let store = with_function().await;
        store.index_failures.store(failures, Ordering::SeqCst);
        let (server, _) = store.server();
        let outcome = server.drop_outdated_cache(DropRequest::any(params! { "StoreId" => 3 }).strategy(strategy)).await;
        assert!(!has(&store, &format!("StoreId=3_{HASH}")).await, "{strategy:?}: what a scan reaches is gone");
        if failures == 1 {
            assert_eq!(outcome.unwrap(), 4, "{strategy:?}: the index was asked again");
        } else {
            assert!(matches!(outcome, Err(DropError::Interrupted { dropped: 3, .. })), "{strategy:?}: {outcome:?}");
        }
        assert_eq!(has(&store, "shop:report()").await, failures != 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drop_by_all_of_more_params_than_an_entry_can_have_as_tags() {
    let (server, _) = Flaky::with_entries(0).await.server();
    let many = (0..1_001).fold(mrc_core::Params::new(), |params, id| params.with(format!("P{id}"), id));
    assert_eq!(server.drop_outdated_cache(DropRequest::all(many)).await.unwrap(), 0);
}
