//! Stale on error: the copy that outlives its value, for a database that fails or is too slow.

use super::*;

const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Returns a client with copies, whose value of version 1 just expired. A query finds version 2.
async fn expired(database: Arc<Database>) -> Fixture {
    let it = Fixture::with(database, Spy::new(), |builder| builder.stale_on_error(WINDOW).jitter(0.0));
    if it.database.gate.available_permits() == 0 {
        it.database.gate.add_permits(1);
    }
    assert_eq!(it.version().await, 1);
    it.database.write(2);
    advance(HOUR).await;
    it.events.lock().unwrap().clear();
    it
}

#[tokio::test(start_paused = true)]
async fn when_the_database_fails_the_last_value_is_served() {
    let it = expired(Database::open()).await;
    *it.database.fails.lock().unwrap() = true;
    for _ in 0..2 {
        let answer = it.ask().await.unwrap().unwrap();
        assert_eq!((version(&answer), answer.source()), (1, Source::Stale));
        assert!(!answer.is_hit());
    }
    assert_eq!(it.events(), ["Miss", "Failed", "Stale", "Miss", "Failed", "Stale"]);
    *it.database.fails.lock().unwrap() = false;
    assert_eq!(it.version().await, 2);
    assert_eq!(it.database.queries(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_value_is_never_served() {
    let it = expired(Database::open()).await;
    it.invalidate().await;
    *it.database.fails.lock().unwrap() = true;
    assert!(matches!(it.ask().await.unwrap(), Err(Error::Database(_))));
}

#[tokio::test(start_paused = true)]
async fn a_copy_has_an_end() {
    let it = expired(Database::open()).await;
    *it.database.fails.lock().unwrap() = true;
    advance(WINDOW - SECOND).await;
    assert_eq!(it.version().await, 1);
    advance(SECOND).await;
    assert!(it.ask().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn copies_are_kept_only_where_they_are_asked_for() {
    let it = Fixture::new(Database::open());
    it.version().await;
    assert_eq!(it.store.memory.stale(&it.key()).await.unwrap(), None);
    advance(2 * HOUR).await;
    *it.database.fails.lock().unwrap() = true;
    assert!(it.ask().await.unwrap().is_err());
    assert!(!it.store.calls().contains(&"stale"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_query_continues_after_a_stale_answer() {
    let it = expired(Database::gated()).await;
    let began = Instant::now();
    let answer = it.ask().await.unwrap().unwrap();
    assert_eq!((version(&answer), answer.source()), (1, Source::Stale));
    assert_eq!(began.elapsed(), SECOND);
    // A caller during the query waits no second time, and sends nothing to the database.
    let (late, callers) = (Instant::now(), (0..50).map(|_| it.ask()));
    for answer in join_all(callers.collect::<Vec<_>>()).await {
        assert_eq!(answer.unwrap().unwrap().source(), Source::Stale);
    }
    assert_eq!(late.elapsed(), Duration::ZERO);
    assert_eq!(it.database.queries(), 2);
    it.database.gate.add_permits(1);
    until(|| it.events().last().is_some_and(|event| event == "Filled")).await;
    let hit = it.ask().await.unwrap().unwrap();
    assert_eq!((version(&hit), hit.source()), (2, Source::Cache));
}

#[tokio::test(start_paused = true)]
async fn without_patience_a_stale_copy_is_served_at_once() {
    let it = expired(Database::gated()).await;
    let client = it.client.with_stale_after(Duration::ZERO);
    let began = Instant::now();
    let answer = client.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await.unwrap();
    assert_eq!((version(&answer), answer.source(), began.elapsed()), (1, Source::Stale, Duration::ZERO));
    it.database.gate.add_permits(1);
    until(|| it.events().last().is_some_and(|event| event == "Filled")).await;
    assert_eq!(it.version().await, 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_copy_a_slow_query_is_waited_for() {
    let it = Fixture::with(Database::gated(), Spy::new(), |builder| builder.stale_on_error(WINDOW));
    let asked = it.ask();
    it.database.reads(1).await;
    advance(10 * SECOND).await;
    it.database.gate.add_permits(1);
    let answer = asked.await.unwrap().unwrap();
    assert_eq!((version(&answer), answer.source()), (1, Source::Computed));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_cancels_its_query() {
    let it = expired(Database::gated()).await;
    let asked = it.ask();
    it.database.reads(2).await;
    asked.abort();
    until(|| it.store.calls().contains(&"release")).await;
}

#[tokio::test(start_paused = true)]
async fn a_function_that_fails_or_never_ends_has_a_copy_too() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.stale_on_error(WINDOW).jitter(0.0));
    let call = async |outcome: Option<Result<u32, BoxError>>| {
        let function = || async {
            match outcome {
                Some(outcome) => outcome,
                None => pending().await,
            }
        };
        it.client.with_cache(function, "f", params! {}, HOUR).await
    };
    assert_eq!(call(Some(Ok(1))).await.unwrap(), 1);
    advance(HOUR).await;
    assert_eq!(call(Some(Err("no".into()))).await.unwrap(), 1);
    let began = Instant::now();
    assert_eq!(call(None).await.unwrap(), 1);
    assert!(began.elapsed() < Duration::from_secs(60), "the copy must be there before the deadline");
    assert_eq!(it.events()[2..], ["Miss", "Failed", "Stale", "Miss", "DeadlinePassed", "Stale"]);
}
