//! After an invalidation returns, no cache or follower has a value that was read before it began.

use super::*;

#[tokio::test]
async fn an_invalidation_during_the_read_keeps_the_value_out() {
    let (it, reader) = Fixture::reading().await;
    it.database.write(2);
    it.invalidate().await;
    it.database.gate.add_permits(2);
    // The reader began before the write, so it may have the old row. The cache may not.
    assert_eq!(version(&reader.await.unwrap().unwrap()), 1);
    assert_eq!(it.store.get(&it.key()).await.unwrap(), None);
    assert_eq!(it.version().await, 2);
    assert_eq!(it.events(), ["Miss", "Refused", "Miss", "Filled"]);
}

#[tokio::test]
async fn a_follower_that_came_during_the_read_does_not_take_a_refused_value() {
    let (it, reader) = Fixture::reading().await;
    it.database.write(2);
    it.invalidate().await;
    // This call began after the invalidation returned: it must see version 2.
    let follower = it.ask();
    until(|| it.store.calls().iter().filter(|call| **call == "get").count() == 2).await;
    tokio::task::yield_now().await;
    it.database.gate.add_permits(2);
    assert_eq!(version(&reader.await.unwrap().unwrap()), 1);
    assert_eq!(version(&follower.await.unwrap().unwrap()), 2);
}

#[tokio::test]
async fn a_caller_after_the_fill_and_its_invalidation_computes_anew() {
    let it = Fixture::new(Database::open());
    // The store carries the fill out, but the leader doesn't get the reply yet.
    it.store.fill_replies.forget_permits(Semaphore::MAX_PERMITS);
    let leader = it.ask();
    it.store.filled.acquire().await.unwrap().forget();
    it.database.write(2);
    it.invalidate().await;
    let late = it.ask();
    it.store.filled.acquire().await.unwrap().forget();
    it.store.fill_replies.add_permits(2);
    assert_eq!(version(&leader.await.unwrap().unwrap()), 1);
    assert_eq!(version(&late.await.unwrap().unwrap()), 2);
}

#[tokio::test]
async fn a_cancelled_leader_leaves_no_claim_and_no_stuck_follower() {
    let (it, leader) = Fixture::reading().await;
    let follower = it.ask();
    until(|| it.store.calls().iter().filter(|call| **call == "get").count() == 2).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    it.database.gate.add_permits(1);
    assert_eq!(version(&follower.await.unwrap().unwrap()), 1);
    assert_eq!(it.database.queries(), 2);
    assert_eq!(it.store.get(&it.key()).await.unwrap().unwrap(), r#"[{"version":1}]"#);
}

#[tokio::test]
async fn a_cancelled_caller_alone_releases_its_claim() {
    let (it, caller) = Fixture::reading().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    until(|| it.store.calls().contains(&"release")).await;
    let claim = it.store.memory.claim(&it.key(), &Token::from_bits(7), Terms::fill(HOUR)).await.unwrap();
    assert_eq!(claim, Claim::Granted);
}

#[tokio::test]
async fn a_failed_read_releases_its_claim_and_fails_all_followers() {
    let it = Fixture::new(Database::gated());
    *it.database.fails.lock().unwrap() = true;
    let (leader, follower) = (it.ask(), it.ask());
    it.database.reads(1).await;
    until(|| it.store.calls().iter().filter(|call| **call == "get").count() == 2).await;
    tokio::task::yield_now().await;
    it.database.gate.add_permits(5);
    let (one, other) = (leader.await.unwrap().unwrap_err(), follower.await.unwrap());
    assert!(one.is_retryable(), "{one}");
    assert!(other.is_err());
    assert_eq!(it.store.get(&it.key()).await.unwrap(), None);
    *it.database.fails.lock().unwrap() = false;
    assert_eq!(it.ask().await.unwrap().unwrap().source(), Source::Computed);
    assert!(it.store.calls().contains(&"release"));
}
