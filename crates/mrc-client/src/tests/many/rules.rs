//! The rules of single calls, for each entry of a batch. Also batches whose database or cache
//! fails, is slow, or whose caller leaves.

use super::*;

const PERMITS: usize = Semaphore::MAX_PERMITS;

#[tokio::test]
async fn each_entry_has_its_events() {
    let shop = Shop::open();
    shop.ask(&[1, 2, 3]).await.unwrap();
    assert_eq!(shop.events(), counts(&[("Computed", 3), ("Filled", 3), ("Miss", 3)]));
    let stats = Arc::<Stats>::default();
    scope::with_stats(&stats, shop.ask(&[1, 2, 3, 4])).await.unwrap();
    assert_eq!(shop.events(), counts(&[("Computed", 1), ("Filled", 1), ("Hit", 3), ("Miss", 1)]));
    assert_eq!((stats.snapshot().hits, stats.snapshot().misses), (3, 1));
}

#[tokio::test]
async fn a_drop_removes_the_entry_of_its_id_alone() {
    let shop = Shop::open();
    shop.ask(&[1, 2, 3]).await.unwrap();
    shop.table.write_user(2, "Bea");
    assert_eq!(shop.client.drop_outdated_cache(params! { "UserId" => 2 }).await.unwrap(), 1);
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap()[&2], user(2, "Bea"));
    assert_eq!(shop.table.asked()[1..], [[2]]);
}

#[tokio::test]
async fn each_entry_has_the_tags_of_the_query() {
    let shop = Shop::open();
    let many = Many::new(Query::new(SINGLE).tag("users").tag_by_params(), "id", "UserId").batch(BATCH);
    let ask = async || shop.client.many_with_cache::<u64, HashMap<u64, User>>(&many, [1, 2, 3], HOUR).await.unwrap();
    ask().await;
    assert_eq!(shop.client.invalidate(Tag::new("UserId=2")).await.unwrap(), 1);
    ask().await;
    assert_eq!(shop.table.asked()[1..], [[2]]);
    assert_eq!(shop.client.invalidate(Tag::new("users")).await.unwrap(), 3);
}

#[tokio::test]
async fn batches_that_overlap_ask_for_each_id_once() {
    let shop = Shop::gated();
    let first = shop.spawn(&[1, 2, 3]);
    shop.table.reads(1).await;
    let second = shop.spawn(&[3, 4, 2, 5]);
    shop.table.reads(2).await;
    let alone = shop.clone();
    let alone = tokio::spawn(async move { alone.single(4).await });
    shop.table.gate.add_permits(10);
    assert_eq!(first.await.unwrap().unwrap().len(), 3);
    assert_eq!(second.await.unwrap().unwrap()[&3], user(3, "Cy"));
    assert_eq!(alone.await.unwrap().as_bytes(), br#"[{"id":4,"name":"Di"}]"#);
    assert_eq!(shop.table.asked(), [vec![1, 2, 3], vec![4, 5]]);
}

#[tokio::test]
async fn another_process_that_fills_is_waited_for() {
    let shop = Shop::open();
    let token = Token::from_bits(7);
    shop.store.memory.claim(&shop.key(2), &token, Terms::fill(HOUR)).await.unwrap();
    let waiting = shop.spawn(&[1, 2, 3]);
    shop.table.reads(1).await;
    let value = r#"[{"id":2,"name":"Bo"}]"#.into();
    assert!(shop.store.memory.fill(&shop.key(2), &token, value, HOUR.into()).await.unwrap());
    assert_eq!(waiting.await.unwrap().unwrap()[&2], user(2, "Bo"));
    assert_eq!(shop.table.asked(), [[1, 3]]);
}

#[tokio::test(start_paused = true)]
async fn another_process_that_never_fills_is_waited_for_once() {
    let shop = Shop::open();
    for id in [2, 3] {
        let token = Token::from_bits(id.into());
        shop.store.memory.claim(&shop.key(id), &token, Terms::fill(HOUR)).await.unwrap();
    }
    let began = Instant::now();
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    assert!(began.elapsed() < 2 * Duration::from_secs(1), "{:?}", began.elapsed());
    let mut queries = shop.table.asked();
    queries.iter_mut().for_each(|ids| ids.sort_unstable());
    assert_eq!(queries.concat(), [1, 2, 3], "each is read once: {queries:?}");
}

#[tokio::test]
async fn an_invalidation_refuses_the_fill_of_its_entry_alone() {
    let shop = Shop::gated();
    let asked = shop.spawn(&[1, 2, 3]);
    shop.table.reads(1).await;
    shop.table.write_user(2, "Bea");
    shop.client.drop_outdated_cache(params! { "UserId" => 2 }).await.unwrap();
    // Joins the flight after its read began, and the drop has returned: the old row isn't for it.
    let late = shop.spawn(&[1, 2, 3]);
    until(|| shop.store.calls().iter().filter(|call| **call == "get_many").count() >= 2).await;
    shop.table.gate.add_permits(10);
    assert_eq!(asked.await.unwrap().unwrap()[&2], user(2, "Ben"), "its caller began before");
    assert_eq!(late.await.unwrap().unwrap()[&2], user(2, "Bea"));
    assert_eq!(shop.single(2).await.as_bytes(), br#"[{"id":2,"name":"Bea"}]"#);
    assert_eq!((shop.is_cached(1).await, shop.is_cached(3).await), (true, true));
}

#[tokio::test]
async fn every_mode_reads_by_one_statement() {
    let shop = Shop::open();
    let ask = |mode, ids: &'static [u64]| scope::with_mode(mode, shop.ask(ids));
    let read_only = ask(Mode::ReadOnly, &[1, 2]).await;
    assert!(matches!(read_only, Err(Error::Missed { .. })));
    assert_eq!(ask(Mode::Peek, &[1, 2]).await.unwrap().len(), 2);
    assert_eq!(ask(Mode::Off, &[1, 2]).await.unwrap().len(), 2);
    assert!(!shop.is_cached(1).await);
    assert_eq!(shop.table.asked(), [[1, 2], [1, 2]]);
    shop.ask(&[1, 2]).await.unwrap();
    shop.table.write_user(2, "Bea");
    assert_eq!(ask(Mode::ReadOnly, &[1, 2]).await.unwrap()[&2], user(2, "Ben"));
    assert_eq!(ask(Mode::Refresh, &[1, 2]).await.unwrap()[&2], user(2, "Bea"));
    assert_eq!(shop.table.asked()[2..], [[1, 2], [1, 2]]);
    assert_eq!(shop.ask(&[2]).await.unwrap()[&2], user(2, "Bea"));
}

#[tokio::test]
async fn a_function_inherits_the_tags_of_every_entry() {
    let shop = Shop::open();
    let cache: Cache = shop.client.cache("functions").build().unwrap();
    let many = Many::new(Query::new(SINGLE).tag_by_params(), "id", "UserId").batch(BATCH);
    let report = async || {
        let read = || shop.client.many_with_cache::<u64, HashMap<u64, User>>(&many, [1, 2], HOUR);
        cache.get_or_try("report", || async { Ok::<_, Error>(read().await?.len()) }).await.unwrap()
    };
    for change in ["UserId=1", "UserId=2"] {
        assert_eq!(report().await, 2);
        assert!(cache.contains("report").await.unwrap());
        shop.client.invalidate(Tag::new(change)).await.unwrap();
        assert!(!cache.contains("report").await.unwrap(), "{change}");
    }
    assert_eq!(report().await, 2);
    shop.client.drop_outdated_cache(params! { "UserId" => 2 }).await.unwrap();
    assert!(!cache.contains("report").await.unwrap());
}

#[tokio::test]
async fn a_value_above_the_limit_is_returned_and_not_stored() {
    let shop = Shop::with(PERMITS, |builder| builder.max_value(40));
    shop.table.write_user(2, &"B".repeat(50));
    assert_eq!(shop.ask(&[1, 2]).await.unwrap().len(), 2);
    assert_eq!((shop.is_cached(1).await, shop.is_cached(2).await), (true, false));
}

#[tokio::test]
async fn the_source_of_each_answer_is_known() {
    let shop = Shop::open();
    shop.ask(&[1]).await.unwrap();
    let sources: Vec<Source> = shop.answers(&[1, 2]).await.iter().map(Answer::source).collect();
    assert_eq!(sources, [Source::Cache, Source::Computed]);
    assert_eq!(scope::with_source(shop.ask(&[1, 2])).await.1, Some(Source::Cache));
}

#[tokio::test(start_paused = true)]
async fn a_hit_near_its_end_is_refreshed() {
    let shop = Shop::with(PERMITS, |builder| builder.early_refresh(Duration::from_secs(600)).jitter(0.0));
    shop.ask(&[1, 2]).await.unwrap();
    advance(Duration::from_secs(3590)).await;
    shop.table.write_user(2, "Bea");
    assert_eq!(shop.ask(&[1, 2]).await.unwrap()[&2], user(2, "Ben"));
    shop.table.reads(3).await;
    until_async(async || shop.ask(&[2]).await.unwrap()[&2] == user(2, "Bea")).await;
}

async fn until_async(mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_database_that_fails_is_an_error_and_leaves_no_claim() {
    let shop = Shop::open();
    *shop.table.fails.lock().unwrap() = true;
    assert!(matches!(shop.ask(&[1, 2]).await, Err(Error::Database(_))));
    *shop.table.fails.lock().unwrap() = false;
    assert_eq!(shop.ask(&[1, 2]).await.unwrap().len(), 2);
    assert_eq!(shop.table.asked(), [[1, 2], [1, 2]]);
}

#[tokio::test]
async fn a_cache_that_fails_is_bypassed_by_one_statement() {
    let shop = Shop::open();
    *shop.store.failing.lock().unwrap() = Some("all");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    *shop.store.failing.lock().unwrap() = Some("claim_many");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    *shop.store.failing.lock().unwrap() = Some("fill_many");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    assert_eq!(shop.table.asked(), [[1, 2, 3]; 3]);
    assert_eq!(shop.events(), counts(&[("Bypassed StoreFailed", 9), ("Computed", 9), ("Miss", 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_stale_copy_replaces_the_failure_of_its_entry() {
    let shop = Shop::with(PERMITS, |builder| builder.stale_on_error(HOUR).jitter(0.0));
    shop.ask(&[1, 2]).await.unwrap();
    advance(HOUR).await;
    *shop.table.fails.lock().unwrap() = true;
    let answers = shop.answers(&[1, 2]).await;
    assert!(answers.iter().all(|answer| answer.source() == Source::Stale), "{answers:?}");
    assert_eq!(shop.table.asked(), [[1, 2], [1, 2]]);
    // The third id has no copy: its error is the call's.
    assert!(matches!(shop.ask(&[1, 2, 3]).await, Err(Error::Database(_))));
}

#[tokio::test(start_paused = true)]
async fn a_slow_statement_serves_the_copies_and_fills_the_entries() {
    let shop = Shop::with(2, |builder| builder.stale_on_error(HOUR).jitter(0.0));
    shop.ask(&[1, 2]).await.unwrap();
    advance(HOUR).await;
    shop.table.gate.forget_permits(10);
    shop.table.write_user(2, "Bea");
    let began = Instant::now();
    let answers = shop.answers(&[1, 2]).await;
    assert!(answers.iter().all(|answer| answer.source() == Source::Stale));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    shop.table.gate.add_permits(1);
    until(|| shop.store.calls().iter().filter(|call| **call == "fill_many").count() == 2).await;
    assert_eq!(shop.ask(&[1, 2]).await.unwrap()[&2], user(2, "Bea"));
    assert_eq!(shop.table.asked(), [[1, 2], [1, 2]]);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let shop = Shop::gated();
    let client = shop.client.with_deadline(MINUTE);
    let began = Instant::now();
    let late = client.query_many_with_cache(users(), [1, 2], HOUR).await;
    assert!(matches!(late, Err(Error::Deadline { limit: MINUTE })));
    assert_eq!(began.elapsed(), MINUTE);
    // The claims are released in the background.
    until(|| shop.store.calls().iter().filter(|call| **call == "release").count() == 2).await;
}

#[tokio::test]
async fn a_caller_that_leaves_frees_its_claims_and_its_followers() {
    let shop = Shop::gated();
    let leaves = shop.spawn(&[1, 2, 3]);
    shop.table.reads(1).await;
    let follows = shop.spawn(&[2, 3]);
    until(|| shop.store.calls().iter().filter(|call| **call == "get_many").count() == 2).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    shop.table.gate.add_permits(10);
    assert_eq!(follows.await.unwrap().unwrap().len(), 2);
    assert_eq!(shop.ask(&[1]).await.unwrap().len(), 1);
}
