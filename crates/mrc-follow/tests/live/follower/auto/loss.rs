//! Losses: the follower's process, the registry, the cache. The registry is read after readers see
//! a change, and before it is invalidated.

use std::sync::Arc;

use mrc_core::{Params, params};
use mrc_follow::rules::Rules;
use mrc_follow::{FollowerBuilder, Lack};
use mrc_store::RedisStore;
use mrc_tests::{Database, Redis};

use super::super::visibility::{hold_an_update, with_an_old_order};
use super::super::{Following, LONG, orders, patient, store};
use super::{Asked, Auto, following};

const TABLES: &str = "CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, n INT); \
    CREATE TABLE apart (id INT PRIMARY KEY, n INT); \
    INSERT INTO orders VALUES (1, 6, 0), (2, 7, 0); INSERT INTO apart VALUES (1, 0)";
const BOTH: [&str; 2] = ["six", "seven"];

fn asked() -> Vec<Asked> {
    let of = |store: i32| params! { "StoreId" => store };
    let sql = "SELECT id, n FROM orders WHERE store_id = ?";
    vec![("six", sql, of(6)), ("seven", sql, of(7))]
}

/// Returns entries in a cache of the test's own.
async fn alone() -> (Redis, Auto) {
    let (redis, database) = (Redis::start().await, Database::logged().await);
    database.execute(TABLES).await;
    let store = Arc::new(RedisStore::new(patient(&redis.url())).unwrap());
    let auto = Auto::on(Arc::new(database), store, asked(), |builder| builder).await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    (redis, auto)
}

/// Kills the follower, and runs statements before the next one starts.
async fn restart(auto: &mut Auto, change: &str) {
    auto.following.task.abort();
    auto.database.execute(change).await;
    let (store, name) = (auto.following.store.clone(), auto.following.follower.name().to_owned());
    auto.following = following(&auto.database, store, &name, |builder| builder).await;
}

#[tokio::test]
async fn the_next_follower_knows_the_schemes() {
    let mut auto = Auto::open(TABLES, asked()).await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 1", "seven").await;
    restart(&mut auto, "UPDATE orders SET n = 50 WHERE id = 1").await;
    auto.expect("UPDATE while no follower ran", &["six"]).await;
    auto.check("UPDATE orders SET n = 51 WHERE id = 2", &["seven"]).await;
    assert_eq!(auto.following.follower.status().schemes, 1);
}

#[tokio::test]
async fn an_evicted_registry_ends_what_was_known() {
    let (redis, auto) = alone().await;
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
    let key = redis.cli(&["KEYS", "mrc:w:*"]).await;
    redis.cli(&["DEL", key.trim()]).await;
    auto.database.execute("UPDATE apart SET n = 1").await;
    // Before the entries are filled again: their registration is another change of the registry.
    auto.following.until(|status| status.fallbacks.contains_key("registry")).await;
    assert_eq!(auto.following.follower.status().fallbacks["registry"], 1);
    auto.expect("the registry was evicted", &BOTH).await;
    // The client registers again.
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    auto.check("UPDATE orders SET n = 2 WHERE id = 1", &["six"]).await;
}

#[tokio::test]
async fn an_emptied_cache_is_followed_on() {
    let (redis, auto) = alone().await;
    redis.cli(&["FLUSHALL"]).await;
    auto.following.until(|status| status.rewinds > 0 && !status.position.is_empty()).await;
    assert_eq!(auto.following.follower.status().rewinds, 1);
    auto.fill().await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
}

#[tokio::test]
async fn a_lost_position_ends_the_tables_of_all_schemes() {
    let (redis, auto) = alone().await;
    let key = redis.cli(&["KEYS", "mrc:f:*"]).await;
    let keys: Vec<_> = key.split_whitespace().filter(|key| !key.ends_with(":l")).collect();
    redis.cli(&["DEL", keys[0]]).await;
    auto.following.until(|status| status.fallbacks["other"] > 1).await;
    assert_eq!(auto.following.follower.status().fallbacks["other"], 2);
    assert_eq!(auto.gone().await, BOTH.into());
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
}

const STATE: &str = "SELECT state FROM orders WHERE id = 1";

#[tokio::test]
async fn a_scheme_that_is_registered_while_readers_see_the_old_row_is_ended() {
    let database = Arc::new(with_an_old_order().await);
    let open = async |lack: Option<Lack>| {
        let set = |builder: FollowerBuilder| lack.into_iter().fold(builder, FollowerBuilder::without);
        Auto::on(Arc::clone(&database), store().await, Vec::new(), set).await
    };
    let (rules, url) = (Rules::new([orders(&database)]).unwrap(), database.url());
    let hastes = Following::over(&url, store().await, |builder| builder.rules(rules).without(Lack::Visibility));
    let (right, wrong, hastes) = tokio::join!(open(None), open(Some(Lack::Schemes)), hastes);
    hastes.fill("in time", &["order:1"]).await;

    let write = hold_an_update(&database, &hastes).await;
    for auto in [&right, &wrong] {
        let mut answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        while !answer.is_hit() {
            answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        }
        assert_eq!(answer.as_str().unwrap(), r#"[{"state":"old"}]"#, "readers must not see the commit yet");
    }
    database.hold_commits(None).await;
    write.await.unwrap().unwrap();

    for (auto, expect) in [(&right, "new"), (&wrong, "old")] {
        auto.following.caught_up(&database).await;
        let answer = auto.client.query_with_cache(STATE, Params::new(), LONG).await.unwrap();
        assert_eq!(answer.as_str().unwrap(), format!(r#"[{{"state":"{expect}"}}]"#));
    }
}

#[tokio::test]
async fn a_change_right_behind_the_first_read_is_noticed() {
    let auto = Auto::open("CREATE TABLE orders (id INT PRIMARY KEY, n INT); INSERT INTO orders VALUES (1, 0)", vec![]);
    let auto = auto.await;
    for round in 1..20 {
        // Each text is a new entry, and every other one a new scheme.
        let sql = format!("SELECT n, {round} AS round FROM orders WHERE {} = 1", ["id", "n + id - n"][round % 2]);
        while !auto.client.query_with_cache(&*sql, Params::new(), LONG).await.unwrap().is_hit() {}
        auto.database.execute(&format!("UPDATE orders SET n = {round}")).await;
        auto.following.caught_up(&auto.database).await;
        let answer = auto.client.query_with_cache(&*sql, Params::new(), LONG).await.unwrap();
        assert_eq!(answer.as_str().unwrap(), format!(r#"[{{"n":{round},"round":{round}}}]"#));
    }
    assert_eq!((auto.following.follower.status().schemes, auto.following.follower.status().tables), (2, 1));
}
