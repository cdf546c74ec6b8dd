//! Early refresh: a value in use is recomputed before it expires.

use super::*;

/// A client with early refreshes, on a store that others may share.
fn early(database: Arc<Database>, store: &Arc<Spy>) -> Fixture {
    Fixture::with(database, Arc::clone(store), |builder| builder.early_refresh(MINUTE).jitter(0.0))
}

impl Fixture {
    async fn hit(&self) -> Answer {
        let answer = self.ask().await.unwrap().unwrap();
        assert_eq!(answer.source(), Source::Cache);
        answer
    }

    async fn left(&self) -> Duration {
        self.store.memory.ttl(&self.key()).await.unwrap().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_in_use_never_misses() {
    let it = early(Database::open(), &Spy::new());
    it.version().await;
    // Three hours, with a hit every ten seconds.
    for version_now in 2..1080 {
        it.database.write(version_now);
        advance(Duration::from_secs(10)).await;
        it.hit().await;
        it.settle().await;
    }
    let refreshes = it.events().iter().filter(|event| *event == "Refreshing").count();
    assert!((3..=4).contains(&refreshes), "{refreshes}");
    assert_eq!(it.database.queries(), 1 + refreshes);
    assert!(it.left().await > Duration::from_secs(300), "a refreshed value lives as long as any other");
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_life_is_shorter_than_a_lease_never_misses_either() {
    let it = early(Database::open(), &Spy::new());
    let ask = async || {
        let life = Duration::from_secs(10);
        it.client.query_with_cache(SQL, params! { "Id" => 1 }, life).await.unwrap().source()
    };
    ask().await;
    for _ in 0..400 {
        advance(Duration::from_millis(500)).await;
        assert_eq!(ask().await, Source::Cache);
        it.settle().await;
    }
    assert!(it.database.queries() < 60, "{}", it.database.queries());
}

#[tokio::test(start_paused = true)]
async fn an_unused_value_expires() {
    let it = early(Database::open(), &Spy::new());
    it.version().await;
    advance(HOUR).await;
    assert_eq!(it.ask().await.unwrap().unwrap().source(), Source::Computed);
}

#[tokio::test(start_paused = true)]
async fn during_a_refresh_everybody_hits_the_value_and_one_of_all_processes_reads() {
    let store = Spy::new();
    let database = Database::gated();
    let processes: Vec<Fixture> = (0..4).map(|_| early(Arc::clone(&database), &store)).collect();
    database.gate.add_permits(1);
    for process in &processes {
        process.version().await;
        process.settle().await;
    }
    database.write(2);
    advance(HOUR - MINUTE / 4).await;
    for _ in 0..10 {
        for process in &processes {
            assert_eq!(version(&process.hit().await), 1);
            process.settle().await;
        }
    }
    database.reads(2).await;
    database.gate.add_permits(10);
    let has_filled = |process: &Fixture| process.events().contains(&"Filled".to_owned());
    until(|| processes.iter().any(has_filled) && database.queries() == 2).await;
    until(|| store.calls().iter().filter(|call| **call == "fill").count() == 2).await;
    for process in &processes {
        process.settle().await;
        assert_eq!(version(&process.hit().await), 2);
    }
    assert_eq!(database.queries(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_ends_a_refresh() {
    let it = early(Database::gated(), &Spy::new());
    it.database.gate.add_permits(1);
    it.version().await;
    advance(HOUR - MINUTE / 4).await;
    it.hit().await;
    it.database.reads(2).await;
    it.database.write(2);
    it.invalidate().await;
    it.database.gate.add_permits(1);
    until(|| it.events().contains(&"Refused".to_owned())).await;
    it.database.gate.add_permits(1);
    assert_eq!(it.version().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_is_tried_again_and_leaves_the_value() {
    let it = early(Database::open(), &Spy::new());
    it.version().await;
    *it.database.fails.lock().unwrap() = true;
    advance(HOUR - MINUTE / 4).await;
    it.hit().await;
    it.settle().await;
    let events = it.events();
    assert_eq!(events[events.len() - 3..], ["Hit", "Refreshing", "Failed"]);
    *it.database.fails.lock().unwrap() = false;
    it.database.write(2);
    advance(MINUTE / 8).await;
    assert_eq!(version(&it.hit().await), 1);
    it.settle().await;
    assert_eq!(version(&it.hit().await), 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_refreshed_by_another_process_is_kept() {
    let store = Spy::new();
    let (ours, theirs) = (early(Database::open(), &store), early(Database::open(), &store));
    ours.version().await;
    theirs.version().await;
    theirs.settle().await;
    advance(HOUR - MINUTE / 4).await;
    theirs.hit().await;
    theirs.settle().await;
    assert_eq!((ours.database.queries(), theirs.database.queries()), (1, 1));
    for _ in 0..10 {
        advance(MINUTE).await;
        ours.hit().await;
        ours.settle().await;
    }
    assert_eq!((ours.database.queries(), theirs.database.queries()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn without_the_setting_a_hit_asks_nothing_more() {
    let it = Fixture::new(Database::open());
    it.version().await;
    advance(Duration::from_secs(3200)).await;
    it.hit().await;
    it.settle().await;
    assert_eq!(it.store.calls(), ["get", "claim", "fill", "get"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_is_refreshed_by_one_of_its_callers() {
    let it = early(Database::open(), &Spy::new());
    let runs = AtomicUsize::new(0);
    let call = async || {
        let function = || async { Ok::<_, Error>(runs.fetch_add(1, Ordering::SeqCst)) };
        let value = it.client.with_cache(function, "f", params! {}, HOUR).await.unwrap();
        it.settle().await;
        value
    };
    assert_eq!(call().await, 0);
    assert_eq!(call().await, 0);
    advance(HOUR - MINUTE / 4).await;
    assert_eq!(call().await, 0, "this one had the store looked at");
    assert_eq!(call().await, 1, "this one computed it");
    assert_eq!(call().await, 1);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}
