//! Where a follower begins, and its wait for readers: the log has a commit before the engine.

use std::time::Duration;

use mrc_follow::{FollowerBuilder, Lack, Start};
use mrc_store::CacheStore;
use mrc_store::mysql_async::prelude::Queryable;
use mrc_tests::Database;

use super::{Following, Shop, rules, store};

/// The test ends the hold long before.
const HOLD: Duration = Duration::from_secs(600);

/// Starts a follower whose cache is its own.
async fn following(database: &Database, set: impl FnOnce(FollowerBuilder) -> FollowerBuilder) -> Following {
    Following::over(&database.url(), store().await, |builder| set(builder.rules(rules(database)))).await
}

/// Returns a database whose commits can be held, with an old order 1.
pub(super) async fn with_an_old_order() -> Database {
    let database = Database::logged_alone().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20))").await;
    database.execute("CREATE TABLE marks (mark VARCHAR(64)); INSERT INTO orders VALUES (1, 6, 'old')").await;
    database
}

/// Starts to update order 1, whose commit the log has and readers don't see. `hastes` is a follower
/// that doesn't wait for them, with an entry `in time`.
pub(super) async fn hold_an_update(
    database: &Database,
    hastes: &Following,
) -> tokio::task::JoinHandle<mrc_store::mysql_async::Result<()>> {
    database.hold_commits(Some(HOLD)).await;
    let mut writer = database.admin().await;
    let write = tokio::spawn(async move { writer.query_drop("UPDATE orders SET state = 'new' WHERE id = 1").await });
    // The log has the commit as soon as the hasty follower has invalidated.
    while hastes.store.get("in time").await.unwrap().is_some() {
        assert!(!write.is_finished(), "the commit must hang");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    write
}

/// A database whose log has an update of order 1 that readers don't see.
struct Held {
    database: Database,
    /// It doesn't wait for the readers.
    hastes: Following,
    write: tokio::task::JoinHandle<mrc_store::mysql_async::Result<()>>,
}

impl Held {
    /// `before` are followers that run before the update.
    async fn update<T>(before: impl AsyncFnOnce(&Database) -> T) -> (Self, T) {
        let database = with_an_old_order().await;
        let hastes = following(&database, |b| b.without(Lack::Visibility)).await;
        hastes.fill("in time", &["order:1"]).await;
        let before = before(&database).await;
        let write = hold_an_update(&database, &hastes).await;
        (Self { database, hastes, write }, before)
    }

    async fn end(self) -> (Database, Following) {
        self.database.hold_commits(None).await;
        self.write.await.unwrap().unwrap();
        (self.database, self.hastes)
    }
}

#[tokio::test]
async fn an_entry_filled_before_readers_see_the_commit_is_invalidated() {
    let (held, waits) = Held::update(async |database| following(database, |b| b).await).await;
    let state: Option<String> = held.database.admin().await.query_first("SELECT state FROM orders").await.unwrap();
    assert_eq!(state.as_deref(), Some("old"), "readers must not see the commit yet");
    for following in [&waits, &held.hastes] {
        following.fill("stale", &["order:1"]).await;
    }
    let (database, hastes) = held.end().await;
    assert_eq!(waits.left(&database, &["stale"]).await, [""; 0]);
    assert_eq!(hastes.left(&database, &["stale"]).await, ["stale"], "without the wait the entry must stay");
    tokio::join!(waits.stop(), hastes.stop());
}

#[tokio::test]
async fn a_follower_that_begins_now_misses_no_commit_that_readers_see_later() {
    let (held, ()) = Held::update(async |_| ()).await;
    let late = following(&held.database, |b| b.start(Start::Now)).await;
    late.fill("stale", &["order:1"]).await;
    let (database, _) = held.end().await;
    assert_eq!(late.left(&database, &["stale"]).await, [""; 0]);
    late.stop().await;
}

#[tokio::test]
async fn a_commit_that_readers_do_not_see_for_long_is_waited_for_on_new_connections() {
    let (held, waits) = Held::update(async |database| following(database, |b| b).await).await;
    waits.fill("stale", &["order:1"]).await;
    waits.until(|status| status.reconnects > 0).await;
    assert!(waits.store.get("stale").await.unwrap().is_some(), "nothing is invalidated early");
    let (database, _) = held.end().await;
    assert_eq!(waits.left(&database, &["stale"]).await, [""; 0]);
    assert_eq!(waits.follower.status().lost, 0);
    waits.stop().await;
}

#[tokio::test]
async fn a_follower_that_began_now_goes_on_at_its_position_when_it_leads_again() {
    let mut shop = Shop::open("").await;
    shop.following.task.abort();
    let (url, store, name) = (shop.database.url(), shop.following.store.clone(), shop.name());
    let rules = shop.following.follower.rules().clone();
    let set = |builder: FollowerBuilder| builder.name(&*name).rules(rules).start(Start::Now);
    shop.following = Following::over(&url, store.clone(), set).await;
    // Another follower takes the lease, and ends before it does anything.
    let (books, other) = (store.as_checkpoints().unwrap(), shop.lose_lease().await);
    shop.following.until(|status| !status.leads).await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    books.end_lease(&name, &other).await.unwrap();
    shop.following.until(|status| status.leads).await;
    shop.expect("UPDATE while another had the lease", &["store 6", "order 1"]).await;
    assert_eq!(shop.following.follower.status().lost, 0);
}
