//! Single calls whose queries are gathered.

use super::*;

fn loader(shop: &Shop) -> Loader {
    shop.client.loader(users(), HOUR).unwrap()
}

async fn load(loader: &Loader, id: u64) -> Option<User> {
    loader.load(id).await.unwrap()
}

#[tokio::test]
async fn calls_of_one_tick_are_one_statement() {
    let shop = Shop::open();
    let loader = loader(&shop);
    shop.ask(&[3]).await.unwrap();
    let calls = [1, 2, 1, 3, 9].map(|id| load(&loader, id));
    let found = join_all(calls).await;
    let expect = [Some(user(1, "Ann")), Some(user(2, "Ben")), Some(user(1, "Ann")), Some(user(3, "Cy")), None];
    assert_eq!(found, expect);
    assert_eq!(shop.table.asked()[1..], [[1, 2, 9]]);
    assert_eq!(join_all([1, 9].map(|id| load(&loader, id))).await, [Some(user(1, "Ann")), None]);
    assert_eq!(shop.table.asked().len(), 2);
}

#[tokio::test]
async fn tasks_are_gathered_too_and_a_statement_is_bounded() {
    let shop = Shop::open();
    let many = users().at_most(100).coalesce(Duration::from_millis(20));
    let loader = shop.client.loader(many, HOUR).unwrap();
    let task = |id| {
        let loader = loader.clone();
        tokio::spawn(async move { loader.load::<User>(id).await.unwrap() })
    };
    let found = join_all((1..=250_u64).map(task)).await;
    assert_eq!(found.into_iter().filter_map(Result::unwrap).count(), 5);
    let queries: Vec<usize> = shop.table.asked().iter().map(Vec::len).collect();
    assert_eq!(queries, [100, 100, 50]);
}

#[tokio::test]
async fn each_call_keeps_its_own_scope() {
    let shop = Shop::open();
    let loader = loader(&shop);
    let (one, other) = (Arc::<Stats>::default(), Arc::<Stats>::default());
    let calls = [(&one, 1), (&one, 2), (&other, 4)].map(|(stats, id)| scope::with_stats(stats, load(&loader, id)));
    join_all(calls).await;
    assert_eq!((one.snapshot().misses, other.snapshot().misses), (2, 1));
    // Without the cache, two calls may ask for one id at the same time.
    let off = [1, 1, 2].map(|id| scope::with_mode(Mode::Off, load(&loader, id)));
    assert!(join_all(off).await.iter().all(Option::is_some));
    assert_eq!(shop.table.asked()[1..], [[1, 2]]);
    let missed = scope::with_mode(Mode::ReadOnly, loader.load::<User>(5_u64)).await;
    assert!(matches!(missed, Err(Error::Missed { .. })));
}

#[tokio::test]
async fn an_error_is_that_of_each_call() {
    let shop = Shop::open();
    let loader = loader(&shop);
    *shop.table.fails.lock().unwrap() = true;
    for outcome in join_all([1_u64, 2].map(|id| loader.load::<User>(id))).await {
        assert!(matches!(outcome, Err(Error::Database(_))));
    }
    *shop.table.fails.lock().unwrap() = false;
    assert!(load(&loader, 1).await.is_some());
    assert!(shop.client.loader(Many::new(SINGLE, "id", "UserId"), HOUR).is_err());
}

#[tokio::test]
async fn a_caller_that_leaves_ends_no_other_call() {
    let shop = Shop::gated();
    let loader = loader(&shop);
    let spawn = |id: u64| {
        let loader = loader.clone();
        tokio::spawn(async move { loader.load::<User>(id).await })
    };
    let (leaves, stays) = (spawn(1), spawn(2));
    shop.table.reads(1).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    shop.table.gate.add_permits(1);
    assert_eq!(stays.await.unwrap().unwrap(), Some(user(2, "Ben")));
    assert_eq!(shop.table.asked(), [[1, 2]]);
}

#[tokio::test]
async fn an_invalidation_refuses_the_fill_of_a_gathered_call() {
    let shop = Shop::gated();
    let loader = loader(&shop);
    let reading = {
        let loader = loader.clone();
        tokio::spawn(async move { join_all([1, 2].map(|id| load(&loader, id))).await })
    };
    shop.table.reads(1).await;
    shop.table.write_user(2, "Bea");
    shop.client.drop_outdated_cache(params! { "UserId" => 2 }).await.unwrap();
    shop.table.gate.add_permits(Semaphore::MAX_PERMITS >> 1);
    reading.await.unwrap();
    assert_eq!(load(&loader, 2).await, Some(user(2, "Bea")));
    assert!(shop.is_cached(1).await);
}

#[tokio::test(start_paused = true)]
async fn a_slow_statement_serves_the_copies_and_fills_the_entries() {
    let shop = Shop::with(2, |builder| builder.stale_on_error(HOUR).jitter(0.0));
    let loader = loader(&shop);
    shop.ask(&[1, 2]).await.unwrap();
    advance(HOUR).await;
    shop.table.gate.forget_permits(10);
    shop.table.write_user(2, "Bea");
    let stale = join_all([1, 2].map(|id| load(&loader, id))).await;
    assert_eq!(stale, [Some(user(1, "Ann")), Some(user(2, "Ben"))]);
    shop.table.gate.add_permits(1);
    until(|| shop.store.calls().iter().filter(|call| **call == "fill").count() == 2).await;
    assert_eq!(load(&loader, 2).await, Some(user(2, "Bea")));
    assert_eq!(shop.table.asked(), [[1, 2], [1, 2]]);
}

#[tokio::test]
async fn a_tick_outlives_the_runtime_of_its_first_caller() {
    let shop = Shop::open();
    let loader = loader(&shop);
    let first = loader.clone();
    let ended = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Polled until it waits for its tick.
        runtime.block_on(async { assert!(futures_util::poll!(std::pin::pin!(first.load::<User>(1))).is_pending()) });
    });
    ended.join().unwrap();
    assert_eq!(load(&loader, 2).await, Some(user(2, "Ben")));
}
