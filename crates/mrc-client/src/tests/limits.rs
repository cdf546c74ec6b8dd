//! Deadlines, the limit on queries that reach the database at once, and bad input, which is refused
//! with a typed error before anything runs or is written.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_call_outlives_its_deadline() {
    let it = Fixture::new(Database::gated());
    let began = Instant::now();
    let late = it.ask().await.unwrap().unwrap_err();
    assert!(matches!(late, Error::Deadline { limit } if limit == 60 * SECOND) && late.is_retryable());
    assert_eq!(began.elapsed(), 60 * SECOND);
    // Its claim is released for the next caller.
    until(|| it.store.calls().contains(&"release")).await;
    assert_eq!(it.events(), ["Miss", "DeadlinePassed"]);
}

#[tokio::test(start_paused = true)]
async fn followers_have_a_deadline_too() {
    let (it, first) = Fixture::reading().await;
    let hasty = it.client.with_deadline(SECOND);
    let began = Instant::now();
    let late = hasty.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await.unwrap_err();
    assert!(matches!(late, Error::Deadline { limit: SECOND }));
    // Another process fills this key.
    let key = hasty.key(SQL, params! { "Id" => 2 }).unwrap();
    it.store.memory.claim(key.as_str(), &Token::from_bits(7), Terms::fill(HOUR)).await.unwrap();
    let half = hasty.with_deadline(SECOND / 2);
    assert!(half.query_with_cache(SQL, params! { "Id" => 2 }, HOUR).await.is_err());
    assert_eq!(began.elapsed(), SECOND + SECOND / 2);
    it.database.gate.add_permits(1);
    assert_eq!(version(&first.await.unwrap().unwrap()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_longer_than_the_call_is_left() {
    let it = Fixture::new(Database::open());
    *it.store.failing.lock().unwrap() = Some("standing still");
    let hasty = it.client.with_deadline(SECOND);
    let began = Instant::now();
    let answer = hasty.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await.unwrap();
    assert_eq!((version(&answer), began.elapsed()), (1, SECOND / 2));
    assert_eq!(it.events(), ["Bypassed StoreFailed"]);
}

#[tokio::test(start_paused = true)]
async fn without_the_cache_a_deadline_holds_as_well() {
    let it = Fixture::new(Database::gated());
    *it.store.failing.lock().unwrap() = Some("all");
    assert!(matches!(it.ask().await.unwrap(), Err(Error::Deadline { .. })));
    // A call that bypasses the cache has the same deadline.
    let sql = "SELECT version FROM t WHERE store_id = ? AND state = ?";
    let ambiguous = params! { "StoreId" => "1_State=open", "State" => "x" };
    assert!(matches!(it.client.query_with_cache(sql, &ambiguous, HOUR).await, Err(Error::Deadline { .. })));
    assert!(it.events().contains(&"Bypassed Ambiguous".to_owned()));
}

#[tokio::test]
async fn queries_beyond_the_limits_of_running_and_waiting_are_overloaded() {
    let it = Fixture::with(Database::gated(), Spy::new(), |builder| builder.query_limit(2, 3));
    let ask = |id: u32| {
        let client = it.client.clone();
        tokio::spawn(async move { client.query_with_cache(SQL, params! { "Id" => id }, HOUR).await })
    };
    let first: Vec<_> = (0..5).map(ask).collect();
    until(|| it.store.calls().iter().filter(|call| **call == "claim").count() == 5).await;
    it.database.reads(2).await;
    it.settle().await;
    assert_eq!(it.database.queries(), 2);
    let turned_away = ask(5).await.unwrap().unwrap_err();
    assert!(matches!(turned_away, Error::Overloaded { waiting: 3 }) && turned_away.is_retryable());
    assert!(it.events().contains(&"Overloaded".to_owned()));
    it.database.gate.add_permits(10);
    for answer in first {
        assert_eq!(version(&answer.await.unwrap().unwrap()), 1);
    }
    assert!(ask(5).await.unwrap().is_ok());
}

#[tokio::test]
async fn limits_that_let_nothing_through_are_refused() {
    let build = |builder: MrcClientBuilder| builder.store(MemoryStore::new()).build();
    for wrong in [
        build(MrcClient::builder().deadline(Duration::ZERO)),
        build(MrcClient::builder().query_limit(0, 10)),
        build(MrcClient::builder().max_value(0)),
        build(MrcClient::builder().lease(Duration::ZERO)),
    ] {
        assert!(matches!(wrong, Err(Error::Config(_))));
    }
}

#[tokio::test]
async fn a_limit_may_be_as_long_as_it_likes() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| {
        builder
            .deadline(Duration::MAX)
            .stale_on_error(Duration::MAX)
            .stale_after(Duration::MAX)
            .early_refresh(Duration::MAX)
            .invalidation_deadline(Duration::MAX)
    });
    assert_eq!((it.version().await, it.version().await), (1, 1));
    let client = MrcClient::builder().store(MemoryStore::new()).executor(SqliteExecutor::in_memory().unwrap());
    let client = client.invalidation_deadline(Duration::MAX).build().unwrap();
    client.transaction(async |_| Ok::<_, Error>(())).await.unwrap();
}

#[tokio::test]
async fn health_reports_cache_and_database_separately() {
    let it = Fixture::new(Database::open());
    let health = it.client.health().await;
    assert!(health.is_ready() && health.is_whole());
    *it.store.failing.lock().unwrap() = Some("all");
    let health = it.client.health().await;
    assert!(health.is_ready() && !health.is_whole());
    assert!(health.to_string().starts_with("cache: down ("), "{health}");
    *it.database.fails.lock().unwrap() = true;
    assert!(!it.client.health().await.is_ready());
}

async fn refused<'a>(query: impl Into<Query<'a>>, params: Params, ttl: Duration) -> Error {
    let it = Fixture::new(Database::open());
    let error = it.client.query_with_cache(query, params, ttl).await.unwrap_err();
    assert_eq!((it.database.queries(), it.store.calls().len()), (0, 0), "{error}");
    error
}

#[tokio::test]
async fn a_statement_that_is_no_plain_read_is_refused_with_a_pointer() {
    for sql in [
        "DELETE FROM t",
        "SELECT 1; DELETE FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT LAST_INSERT_ID()",
        "SELECT @x",
        "SELECT f()",
        "SELECT version FROM t WHERE id=1e3LOCK IN SHARE MODE",
        "SELECT * FROM performance_schema.session_status",
    ] {
        let error = refused(sql, params! {}, HOUR).await;
        assert!(matches!(error, Error::NotCacheable(_)), "{sql}: {error:?}");
        let pointer = ["`MrcClient::query`", "`MrcClient::execute`"];
        assert!(pointer.iter().any(|call| error.to_string().contains(call)), "{error}");
    }
}

#[tokio::test]
async fn the_caller_can_vouch_for_a_read() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t PROCEDURE ANALYSE()";
    it.client.query_with_cache(Query::new(sql).trust_read_only(), params! {}, HOUR).await.unwrap();
    assert_eq!(it.database.queries(), 1);
}

#[tokio::test]
async fn params_must_fit_the_placeholders_also_on_a_hit() {
    let it = Fixture::new(Database::open());
    it.version().await;
    let calls = it.store.calls().len();
    let error = it.client.query_with_cache(SQL, params! { "Id" => 1, "More" => 2 }, HOUR).await.unwrap_err();
    let Error::Database(error) = error else { panic!("{error:?}") };
    assert!(matches!(*error, ExecuteError::ParamCount { placeholders: 1, params: 2 }));
    assert_eq!(it.store.calls().len(), calls);
}

#[tokio::test]
async fn params_that_make_no_key_and_a_ttl_of_zero_are_refused() {
    let key_error = async |params| match refused(SQL, params, HOUR).await {
        Error::Key(error) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(key_error(Params::new().with_unnamed(1)).await, KeyError::Unnamed { position: 1 }));
    assert!(matches!(key_error(params! { "" => 1 }).await, KeyError::EmptyName { .. }));
    assert!(matches!(key_error(params! { "a=b" => 1 }).await, KeyError::NameWithEquals { .. }));
    assert!(matches!(key_error(params! { "A" => f64::NAN }).await, KeyError::NotFinite { .. }));
    assert!(matches!(key_error(params! { "A" => Vec::<u32>::new() }).await, KeyError::EmptyList { .. }));
    assert!(matches!(refused(SQL, params! { "Id" => 1 }, Duration::ZERO).await, Error::Ttl(TtlError::Zero)));
}

#[tokio::test]
async fn a_statement_that_reads_the_clock_is_cached_and_reported_once() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t WHERE created > NOW() - INTERVAL ? DAY";
    for days in [1, 1, 2] {
        it.client.query_with_cache(sql, params! { "Days" => days }, HOUR).await.unwrap();
    }
    assert_eq!(it.events(), ["DependsOnClock", "Miss", "Filled", "Hit", "Miss", "Filled"]);
}

#[tokio::test]
async fn ambiguous_values_bypass_the_cache_and_say_so() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t WHERE store_id = ? AND state = ?";
    let params = params! { "StoreId" => "1_State=open", "State" => "x" };
    for _ in 0..2 {
        it.client.query_with_cache(sql, &params, HOUR).await.unwrap();
    }
    assert_eq!((it.database.queries(), it.store.calls().len()), (2, 0));
    assert_eq!(it.events(), ["Bypassed Ambiguous", "Bypassed Ambiguous"]);
    assert_eq!(it.client.read_from_cache(sql, &params).await.unwrap(), None);
}

#[tokio::test]
async fn unnamed_params_are_cached_if_the_client_allows_them() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.allow_unnamed_params(true));
    it.client.query_with_cache(SQL, Params::new().with_unnamed(1), HOUR).await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_cache_and_a_query_without_a_database_are_refused() {
    let error = MrcClient::builder().build().unwrap_err();
    assert!(error.to_string().contains(".redis("), "{error}");
    assert!(MrcClient::builder().shared_store(Spy::new()).jitter(1.5).build().is_err());
    let client = MrcClient::builder().shared_store(Spy::new()).build().unwrap();
    assert!(matches!(client.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await, Err(Error::NoDatabase)));
}
