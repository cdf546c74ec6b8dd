//! Tags, and entries that read other entries.

use super::*;

/// A cache, and the value that its entries are computed from.
struct Nest {
    store: Arc<Spy>,
    cache: Cache,
    runs: AtomicUsize,
}

impl Nest {
    fn new() -> Self {
        let store = Spy::new();
        let cache = CacheBuilder::shared(store.clone()).namespace("n").build().unwrap();
        Self { store, cache, runs: AtomicUsize::new(0) }
    }

    async fn inner(&self) -> usize {
        self.cache
            .get_or("inner", || async {
                scope::tag("t");
                self.runs.fetch_add(1, Ordering::SeqCst)
            })
            .await
    }

    async fn outer(&self) -> usize {
        self.cache.get_or("outer", || self.inner()).await
    }

    async fn invalidate(&self) -> u64 {
        self.cache.invalidate(Tag::new("t")).await.unwrap()
    }

    async fn has(&self, name: &str) -> bool {
        self.cache.contains(name).await.unwrap()
    }
}

#[tokio::test]
async fn an_entry_inherits_the_tags_of_the_entries_that_it_reads() {
    let it = Nest::new();
    assert_eq!(it.outer().await, 0, "both are computed");
    assert_eq!(it.invalidate().await, 2);
    it.inner().await;
    assert_eq!(it.outer().await, 1, "the inner one is hit");
    assert_eq!(it.invalidate().await, 2);
    assert_eq!(it.outer().await, 2);
}

/// A value that a function makes of another's error depends on what that one has read.
#[tokio::test]
async fn a_function_that_failed_gives_its_tags_to_its_caller() {
    let it = Nest::new();
    let missing = || async {
        scope::tag("said");
        Err::<usize, _>(Error::Shutdown)
    };
    let named = || it.cache.get_or_try(Spec::of("missing").tag("named"), missing);
    let many = || {
        let spec = |id: &u64| Spec::of("many").param("id", id).tag("named");
        it.cache.get_many([1_u64], spec, |_| async { missing().await.map(|_| HashMap::<u64, usize>::new()) })
    };
    for (at, tag) in ["said", "named"].into_iter().enumerate() {
        let one = it.cache.get_or("one", || async { named().await.unwrap_or(at) });
        assert_eq!(one.await, at);
        let both = it.cache.get_or("both", || async { many().await.map_or(at, |found| found.len()) });
        assert_eq!(both.await, at);
        assert_eq!(it.cache.invalidate(Tag::new(tag)).await.unwrap(), 2, "{tag}");
    }
}

#[tokio::test]
async fn without_nesting_a_hit_is_one_get() {
    let it = Nest::new();
    it.inner().await;
    let before = it.store.calls().len();
    it.inner().await;
    assert_eq!(it.store.calls()[before..], ["get"]);
}

/// An invalidation marks the tag, then removes its entries. In between, an outer entry that was
/// claimed after the mark hits the inner entry: the outer entry's own moment isn't enough.
#[tokio::test]
async fn no_entry_is_computed_from_an_entry_being_invalidated() {
    let it = Nest::new();
    it.inner().await;
    let stale = it.store.memory.look("n:inner").await.unwrap().unwrap();
    it.invalidate().await;
    *it.store.ghost.lock().unwrap() = Some(("n:inner".into(), stale));
    assert_eq!(it.outer().await, 0, "the caller may have it: the invalidation has not returned");
    assert!(!it.has("outer").await);

    *it.store.ghost.lock().unwrap() = None;
    assert_eq!(it.outer().await, 1);
    assert!(it.has("outer").await);
}

#[tokio::test]
async fn of_an_entry_whose_tags_are_lost_nothing_is_stored() {
    let it = Nest::new();
    it.inner().await;
    let found = it.store.memory.look("n:inner").await.unwrap().unwrap();
    *it.store.ghost.lock().unwrap() = Some(("n:inner".into(), Found { tags: None, ..found }));
    assert_eq!(it.outer().await, 0);
    assert!(!it.has("outer").await);
}

#[tokio::test]
async fn moments_of_another_store_count_as_early_as_can_be() {
    let (it, other) = (Nest::new(), Nest::new());
    other.inner().await;
    let outer = it.cache.get_or("outer", || other.inner());
    outer.await;
    assert!(it.has("outer").await, "nothing was invalidated lately");
    it.invalidate().await;
    it.cache.get_or("outer", || other.inner()).await;
    assert!(!it.has("outer").await, "whether before or after that the other was read can't be told");
}

#[tokio::test]
async fn a_follower_inherits_from_its_leader() {
    let it = Arc::new(Nest::new());
    let gate = Arc::new(Semaphore::new(0));
    let slow = |it: Arc<Nest>, gate: Arc<Semaphore>| async move {
        it.cache
            .get_or("inner", || async {
                scope::tag("t");
                gate.acquire().await.unwrap().forget();
                it.runs.fetch_add(1, Ordering::SeqCst)
            })
            .await
    };
    let leader = tokio::spawn(slow(it.clone(), gate.clone()));
    until(|| it.store.calls().contains(&"now")).await;
    let (follower, name) = (it.clone(), slow(it.clone(), gate.clone()));
    let follower = tokio::spawn(async move { follower.cache.get_or("outer", || name).await });
    until(|| it.store.calls().iter().filter(|call| **call == "now").count() == 2).await;
    gate.add_permits(1);
    assert_eq!((leader.await.unwrap(), follower.await.unwrap()), (0, 0));
    assert_eq!(it.invalidate().await, 2);
}

#[tokio::test]
async fn a_task_belongs_to_the_scope_that_spawned_it() {
    let it = Arc::new(Nest::new());
    let parts = it.clone();
    it.cache
        .get_or("outer", || async move {
            let inner = parts.clone();
            scope::spawn(async move { inner.inner().await }).await.unwrap();
            tokio::spawn(async { scope::tag("nobody's") }).await.unwrap();
            1
        })
        .await;
    assert_eq!(it.cache.invalidate(Tag::new("nobody's")).await.unwrap(), 0);
    assert_eq!(it.invalidate().await, 2);
}

#[tokio::test]
async fn a_query_gives_its_tags_to_a_function_and_by_its_params() {
    let (store, database) = (Spy::new(), Database::open());
    let client = MrcClient::builder().shared_store(store.clone()).shared_executor(database).build().unwrap();
    let cache = CacheBuilder::shared(store.clone()).namespace("n").build().unwrap();
    let read = || async {
        let query = Query::new(SQL).tag("versions").tag_by_params();
        let rows = client.query_with_cache(query, params! { "Id" => 7 }, HOUR).await?;
        Ok::<_, Error>(rows.as_bytes().len())
    };
    for tag in ["versions", "Id=7"] {
        read().await.unwrap();
        cache.get_or_try("outer", read).await.unwrap();
        assert_eq!(cache.invalidate(Tag::new(tag)).await.unwrap(), 2, "{tag}");
    }
    read().await.unwrap();
    let look = async || {
        let answer = client.read_from_cache(SQL, params! { "Id" => 7 }).await?;
        Ok::<_, Error>(answer.is_some())
    };
    assert!(cache.get_or_try("looked", look).await.unwrap());
    assert_eq!(cache.invalidate(Tag::new("versions")).await.unwrap(), 2, "what was only looked at");
    assert_eq!(cache.invalidate(Select::any(["Id=70", "Id"])).await.unwrap(), 0);
}

/// Drops by a param like the store: scans the keys, then asks the index for entries that read them.
async fn drop_by_param(store: &Spy, key: &str, tag: &str) -> u64 {
    store.memory.remove(&[key.to_owned().into()]).await.unwrap();
    store.memory.invalidate(&[Tag::new(tag)]).await.unwrap()
}

#[tokio::test]
async fn a_query_and_a_function_hand_on_their_params() {
    let it = Fixture::new(Database::open());
    let cache = CacheBuilder::shared(it.store.clone()).namespace("n").build().unwrap();
    let params = || params! { "Id" => 1, "State" => "open" };
    let sql = "SELECT version FROM t WHERE id = ? AND state = ?";
    let query = async || it.client.query_with_cache(sql, params(), HOUR).await.map(|rows| version(&rows));
    let rows = async || {
        let rows = it.client.rows_with_cache::<serde_json::Value>(sql, params(), HOUR).await?;
        Ok::<_, Error>(rows[0]["version"].as_u64().unwrap())
    };
    let cached = async || it.client.read_from_cache(sql, params()).await;
    let read = async || Ok::<_, Error>(cached().await?.map_or(0, |rows| version(&rows)));
    let function = async || it.client.with_cache(query, "report_v1", params(), HOUR).await;
    let key = it.client.key(sql, params()).unwrap().into_string();
    for tag in ["Id=1", "State=open"] {
        // Computed at first, then hit.
        for _ in 0..2 {
            cache.get_or_try("by_query", query).await.unwrap();
            cache.get_or_try("by_rows", rows).await.unwrap();
            cache.get_or_try("by_read", read).await.unwrap();
            cache.get_or_try("by_function", function).await.unwrap();
            // The function's own entry reads the query too, and the query's own entry has no tag.
            assert_eq!(drop_by_param(&it.store, "none", tag).await, 5, "{tag}");
            assert!(it.store.memory.look(&key).await.unwrap().unwrap().tags.unwrap().is_empty());
        }
        drop_by_param(&it.store, &key, tag).await;
    }
}

/// The outer entry hits the inner one during its drop: the scan follows the hit, then the index.
#[tokio::test]
async fn a_value_computed_from_an_entry_during_its_drop_is_not_stored() {
    let it = Fixture::new(Database::open());
    let cache = CacheBuilder::shared(it.store.clone()).namespace("n").build().unwrap();
    it.version().await;
    let (client, key) = (&it.client, it.key());
    let outer = async || {
        let rows = client.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await?;
        it.database.write(2);
        assert_eq!(drop_by_param(&it.store, &key, "Id=1").await, 0, "it isn't stored yet");
        Ok::<_, Error>(version(&rows))
    };
    assert_eq!(cache.get_or_try("outer", outer).await.unwrap(), 1, "it began before the drop");
    assert!(!cache.contains("outer").await.unwrap());
}

#[tokio::test]
async fn bad_tags_are_refused_before_the_call_and_reported_after_it() {
    let it = Nest::new();
    let refused = it.cache.get_or_try(Spec::of("a").tag(""), || async { Ok::<_, Error>(1) }).await;
    assert!(matches!(refused, Err(Error::Tag(_))));
    assert_eq!(it.store.calls(), [""; 0]);

    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let cache = CacheBuilder::shared(it.store.clone()).namespace("n").on_event(move |event: &Event<'_>| {
        if let Event::Bypassed { why: Bypass::BadTags(_), .. } = event {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let late = async || {
        scope::tag("");
        1
    };
    assert_eq!(cache.build().unwrap().get_or("a", late).await, 1);
    assert_eq!((told.load(Ordering::SeqCst), it.has("a").await), (1, false));
}

#[test]
fn the_earlier_moment_counts_but_none_too_early() {
    let at = |seconds: u64| Moment::from_micros(seconds * 1_000_000);
    let tags = |moment| Some([(Tag::new("t"), moment)].into_iter().collect::<Tags>());
    let since = |store, moment, claimed| {
        crate::inherited::Carried::found(store, tags(moment)).at(1, claimed).since("t").unwrap()
    };
    assert_eq!(since(1, at(990), at(1_000)), at(990));
    assert_eq!(since(1, at(1_010), at(1_000)), at(1_000), "computed after the claim");
    assert_eq!(since(1, at(1), at(1_000)), at(940), "an invalidation takes a minute at most");
    assert_eq!(since(2, at(990), at(1_000)), at(940), "another store's");
}

#[tokio::test]
async fn a_read_only_caller_leaves_unusable_values_to_others() {
    use scope::Mode;
    let it = Nest::new();
    it.cache.set("a", "text").await.unwrap();
    let number = || it.cache.get_or_try("a", || async { Ok::<u8, Error>(7) });
    assert!(matches!(scope::with_mode(Mode::ReadOnly, number()).await, Err(Error::Missed { .. })));
    assert_eq!(scope::with_mode(Mode::Peek, number()).await.unwrap(), 7);
    assert_eq!(it.cache.get::<String>("a").await.unwrap().as_deref(), Some("text"));
    assert_eq!(number().await.unwrap(), 7);
    assert_eq!(it.cache.get::<String>("a").await.unwrap().as_deref(), Some("text"));
    let error = it.cache.get::<u8>("a").await.unwrap_err().to_string();
    assert!(error.contains("is not u8") && error.contains("\"text\""), "{error}");
}

#[tokio::test]
async fn scopes_count_one_inside_of_the_other() {
    let it = Nest::new();
    let (around, within) = (Arc::new(Stats::default()), Arc::new(Stats::default()));
    scope::with_stats(&around, async {
        it.inner().await;
        scope::with_stats(&within, it.inner()).await;
    })
    .await;
    assert_eq!((around.snapshot().lookups(), within.snapshot().hits), (2, 1));
}

/// A stack of 2 MiB, as in tokio's threads, must suffice: unoptimised, a level takes some 150 KiB.
#[tokio::test]
async fn functions_nest_as_deep_as_anybody_writes_them() {
    macro_rules! deeper {
        ($it:ident; $name:literal $($rest:literal)*) => {
            $it.cache.get_or($name, || async { deeper!($it; $($rest)*) + 1 }).await
        };
        ($it:ident;) => { $it.inner().await };
    }
    let it = Arc::new(Nest::new());
    let depth = tokio::spawn({
        let it = it.clone();
        async move { deeper!(it; "a" "b" "c" "d" "e") }
    });
    assert_eq!(depth.await.unwrap(), 5);
    assert_eq!(it.invalidate().await, 6);
}
