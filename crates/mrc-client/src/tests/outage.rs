//! Right answers while the cache fails, or while another process holds a key.

use super::*;

#[tokio::test]
async fn without_the_cache_the_database_answers() {
    for (failing, event) in [("all", "StoreFailed"), ("claim", "StoreFailed"), ("get", "StoreFailed")] {
        let it = Fixture::new(Database::open());
        *it.store.failing.lock().unwrap() = Some(failing);
        assert_eq!(it.version().await, 1);
        it.database.write(2);
        assert_eq!(it.version().await, 2, "{failing}");
        assert!(it.events().iter().all(|heard| *heard == format!("Bypassed {event}")), "{:?}", it.events());
    }
}

#[tokio::test]
async fn a_fill_that_fails_costs_the_caller_nothing() {
    let it = Fixture::new(Database::open());
    *it.store.failing.lock().unwrap() = Some("fill");
    assert_eq!(it.version().await, 1);
    assert_eq!(it.events(), ["Miss", "Bypassed StoreFailed"]);
    // Its claim is released in the background, so the next caller needn't wait for the lease.
    until(|| it.store.calls().contains(&"release")).await;
    *it.store.failing.lock().unwrap() = None;
    assert_eq!(it.version().await, 1);
    assert!(it.ask().await.unwrap().unwrap().is_hit());
}

#[tokio::test(start_paused = true)]
async fn a_blocked_holder_of_a_key_is_waited_for_and_then_bypassed() {
    let it = Fixture::new(Database::open());
    it.store.memory.claim(&it.key(), &Token::from_bits(7), Terms::fill(HOUR)).await.unwrap();
    let began = Instant::now();
    let answer = it.ask().await.unwrap().unwrap();
    assert_eq!((version(&answer), answer.source()), (1, Source::Computed));
    let waited = began.elapsed().as_millis();
    assert!((1000..1100).contains(&waited), "{waited} ms by the paused clock");
    // A value that was read without a claim isn't stored.
    assert_eq!(it.store.get(&it.key()).await.unwrap(), None);
    assert_eq!(it.events(), ["Bypassed WaitedTooLong"]);
}

#[tokio::test(start_paused = true)]
async fn callers_of_one_flight_query_the_database_once() {
    let it = Fixture::new(Database::open());
    it.store.memory.claim(&it.key(), &Token::from_bits(7), Terms::fill(HOUR)).await.unwrap();
    let callers: Vec<_> = (0..50).map(|_| it.ask()).collect();
    for answer in join_all(callers).await {
        assert_eq!(version(&answer.unwrap().unwrap()), 1);
    }
    assert_eq!(it.database.queries(), 1);
}

#[tokio::test]
async fn without_the_cache_callers_still_share_a_query() {
    let it = Fixture::new(Database::gated());
    *it.store.failing.lock().unwrap() = Some("all");
    let first = it.ask();
    it.database.reads(1).await;
    // These callers came during the first read, which may be older: they need one more query.
    it.database.write(2);
    let late: Vec<_> = (0..100).map(|_| it.ask()).collect();
    until(|| it.store.calls().len() == 101).await;
    it.settle().await;
    it.database.gate.add_permits(1000);
    assert_eq!(version(&first.await.unwrap().unwrap()), 1);
    for answer in join_all(late).await {
        assert_eq!(version(&answer.unwrap().unwrap()), 2);
    }
    assert_eq!(it.database.queries(), 2);
}
