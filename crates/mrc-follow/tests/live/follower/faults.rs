//! Faults that a follower survives: the end of its process, of the cache, of the database, of the
//! log.

use std::sync::Arc;
use std::time::Duration;

use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{FollowError, Follower, FollowerBuilder, Position};
use mrc_store::{Advance, CacheStore, Lease, MySqlConfig, Reached, RedisConfig, RedisStore, Token};
use mrc_tests::{Database, Mode, Proxy, Redis, RedisCluster, unique};
use mysql_async::prelude::Queryable;

use super::{ALL, Following, Shop, marks, own_server, patient, rules, store};

impl Shop {
    pub(super) fn name(&self) -> String {
        self.following.follower.name().to_owned()
    }

    /// Returns the builder of another follower of the same name.
    fn builder(&self) -> FollowerBuilder {
        let mysql = MySqlConfig::from_url(&self.database.url()).unwrap();
        let builder = Follower::with_shared_store(mysql, self.following.store.clone());
        builder.name(self.name()).rules(self.following.follower.rules().clone())
    }

    /// Returns the key of the position in Redis.
    pub(super) async fn key(&self) -> String {
        let keys = Redis::shared().await.cli(&["KEYS", &format!("*mrc:f:{{{}}}", self.name())]).await;
        keys.lines().next().unwrap().to_owned()
    }

    /// Gives the lease to another follower. In one step, before ours renews it.
    pub(super) async fn lose_lease(&self) -> Token {
        let (other, life) = (Token::from_bits(rand::random()), Duration::from_secs(60));
        let lease = format!("{}:l", self.key().await);
        let set = Redis::shared().await.cli(&["SET", &lease, other.as_str(), "PX", "60000"]).await;
        assert_eq!(set, "OK");
        let books = self.following.store.as_checkpoints().unwrap();
        assert_eq!(books.lease(&self.name(), &other, life).await.unwrap(), Lease::Ours);
        other
    }

    /// Overwrites the position in the cache, as a restore of an old snapshot does.
    async fn put_position(&self, position: Option<&str>) {
        let redis = Redis::shared().await;
        let key = self.key().await;
        match position {
            Some(position) => redis.cli(&["HSET", &key, "position", position]).await,
            None => redis.cli(&["DEL", &key]).await,
        };
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_follower_is_killed_at_any_moment() {
    let mut shop = Shop::open("").await;
    for round in 0..8_u64 {
        let change = format!("UPDATE orders SET state = '{round}' WHERE id = 1");
        shop.database.execute(&change).await;
        if round % 2 == 0 {
            // The follower has read some of it by now, or nothing.
            tokio::time::sleep(Duration::from_micros(round * 500)).await;
        }
        shop.following = shop.following.again(&shop.database).await;
        shop.expect(&change, &["store 6", "order 1"]).await;
    }
    shop.following.task.abort();
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 2").await;
    shop.following = shop.following.again(&shop.database).await;
    shop.expect("UPDATE while away", &["store 7", "order 2"]).await;
    assert_eq!(shop.following.follower.status().lost, 0, "the position was there each time");
}

#[tokio::test]
async fn a_cache_that_went_back_is_replayed() {
    let shop = Shop::open("").await;
    shop.following.caught_up(&shop.database).await;
    let before = shop.following.follower.status().position;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
    // The entries have risen again, and with them the position from before the change.
    shop.put_position(Some(&before)).await;
    shop.following.until(|status| status.rewinds > 0).await;
    shop.expect("the cache went back", &["store 6", "order 1"]).await;
    assert_eq!(shop.following.follower.status().rewinds, 1);
}

/// A follower of one table over a cluster, with 30 entries for each tag, on all primaries.
pub(super) async fn over_a_cluster(tags: &[&str]) -> (RedisCluster, Database, Following) {
    let cluster = RedisCluster::start().await;
    let store = Arc::new(RedisStore::new(patient(&cluster.url())).unwrap());
    let database = Database::logged().await;
    database
        .execute("CREATE TABLE orders (id INT PRIMARY KEY, state TEXT); INSERT INTO orders VALUES (1, 'open')")
        .await;
    let rules = [Rule::table(format!("{}.orders", database.name())).all("orders").tag("order:{id}"), marks(&database)];
    let rules = Rules::new(rules).unwrap();
    let following = Following::over(&database.url(), store, |builder| builder.rules(rules)).await;
    following.fill_many(tags).await;
    following.caught_up(&database).await;
    (cluster, database, following)
}

impl Following {
    async fn fill_many(&self, tags: &[&str]) {
        for tag in tags {
            for key in entries(tag) {
                self.fill(&key, &[tag, "orders"]).await;
            }
        }
    }
}

pub(super) fn entries(tag: &str) -> Vec<String> {
    (0..30).map(|at| format!("{tag} entry {at}")).collect()
}

/// As after a failover to a replica that lacked the newest writes.
#[tokio::test]
async fn a_primary_of_a_cluster_that_went_back_is_replayed() {
    let (cluster, database, following) = over_a_cluster(&["order:1"]).await;
    let (node, keys) = (cluster.node(1), entries("order:1"));
    let snapshot = node.snapshot().await;
    database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    following.gone(&keys).await;
    node.restart_from(&snapshot).await;
    assert!(node.cli(&["DBSIZE"]).await.parse::<u64>().unwrap() > 5, "the entries have risen again");
    following.gone(&keys).await;
}

/// The index of the tag is on one primary, and most of its entries on the others.
#[tokio::test]
async fn entries_end_whose_registrations_a_primary_of_a_cluster_has_lost() {
    let (cluster, _database, following) = over_a_cluster(&[]).await;
    for node in cluster.nodes() {
        // No position is stored after the snapshot.
        let snapshot = node.snapshot().await;
        following.fill_many(&["order:1"]).await;
        node.restart_from(&snapshot).await;
        following.gone(&entries("order:1")).await;
    }
}

#[tokio::test]
async fn a_broken_connection_to_a_primary_of_a_cluster_removes_nothing_else() {
    let (cluster, database, following) = over_a_cluster(&["order:1", "order:2"]).await;
    for node in cluster.nodes() {
        following.fill_many(&["order:1"]).await;
        following.caught_up(&database).await;
        assert_eq!(node.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]).await, "OK");
        database.execute("UPDATE orders SET state = CONCAT(state, '.') WHERE id = 1").await;
        // The invalidation is on its way.
        while !node.cli(&["CLIENT", "LIST", "TYPE", "normal"]).await.contains("flags=b") {
            tokio::task::yield_now().await;
        }
        node.cli(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert_eq!(node.cli(&["CLIENT", "UNPAUSE"]).await, "OK");
        following.gone(&entries("order:1")).await;
        following.caught_up(&database).await;
    }
    for key in entries("order:2") {
        assert!(following.store.get(&key).await.unwrap().is_some(), "{key}");
    }
    assert_eq!(following.follower.status().rewinds, 0);
}

#[tokio::test]
async fn a_cache_that_has_lost_the_position_loses_everything_that_is_followed() {
    let shop = Shop::open("").await;
    shop.put_position(None).await;
    // The first one was at the start.
    shop.following.until(|status| status.fallbacks["other"] > 1).await;
    let status = shop.following.follower.status();
    assert_eq!((status.rewinds, status.fallbacks["other"]), (1, 2), "{status:?}");
    shop.expect("the position is lost", &ALL).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn a_position_of_another_server_loses_everything_that_is_followed() {
    let mut shop = Shop::open("").await;
    shop.following.task.abort();
    let foreign = match shop.following.follower.status().position.parse().unwrap() {
        Position::MySql(_) => "mysql:11111111-2222-3333-4444-555555555555:1-5",
        _ => "mariadb:0-1-99999999",
    };
    shop.put_position(Some(foreign)).await;
    shop.following = shop.following.again(&shop.database).await;
    shop.following.until(|status| status.lost > 0 && status.fallbacks.contains_key("other")).await;
    shop.expect("a foreign position", &ALL).await;
    assert_eq!(shop.following.follower.status().lost, 1);
}

#[tokio::test]
async fn a_purged_log_loses_everything_that_is_followed() {
    let (server, database) = own_server().await;
    let mut shop = Shop::on(database, "").await;
    shop.following.task.abort();
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    server.execute("FLUSH BINARY LOGS").await;
    let mut conn = server.admin().await;
    // A log that is being sent isn't purged.
    let dumps = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
    for id in conn.query::<u64, _>(dumps).await.unwrap() {
        // It may have ended by itself.
        let _ = conn.query_drop(format!("KILL {id}")).await;
    }
    while !conn.query::<u64, _>(dumps).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    loop {
        let logs: Vec<mysql_async::Row> = conn.query("SHOW BINARY LOGS").await.unwrap();
        let last: String = logs.last().unwrap().get(0).unwrap();
        conn.query_drop(format!("PURGE BINARY LOGS TO '{last}'")).await.unwrap();
        // MariaDB keeps a log for a moment that a recovery might need.
        if logs.len() == 1 {
            break;
        }
    }
    shop.following = shop.following.again(&shop.database).await;
    shop.expect("PURGE BINARY LOGS", &ALL).await;
    let status = shop.following.follower.status();
    assert!(status.lost >= 1, "{status:?}");
    shop.check("UPDATE orders SET state = 'sent' WHERE id = 2", &["store 7", "order 2"]).await;
}

#[tokio::test]
async fn a_killed_database_is_followed_again() {
    let (server, database) = own_server().await;
    let shop = Shop::on(database, "").await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    server.kill().await;
    server.restart().await;
    shop.expect("UPDATE before the kill", &["store 6", "order 1"]).await;
    shop.check("UPDATE orders SET state = 'sent' WHERE id = 2", &["store 7", "order 2"]).await;
    assert!(shop.following.follower.status().reconnects > 0);
}

/// Returns a proxy before the database, and its URL.
async fn by_proxy(database: &Database) -> (Proxy, String) {
    let wire = Proxy::to(database.port()).await;
    let url = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", wire.port()));
    (wire, url)
}

#[tokio::test]
async fn a_cut_stream_loses_no_transaction() {
    let database = Database::logged().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, note LONGTEXT)").await;
    let (wire, url) = by_proxy(&database).await;
    let rules = rules(&database);
    let following = Following::over(&url, store().await, |builder| builder.rules(rules)).await;
    for round in 0..6 {
        following.fill("store 6", &["orders:6", "orders"]).await;
        let insert = format!("INSERT INTO orders VALUES ({round}, 6, REPEAT('a', 4000000))");
        // Cut in the middle of the transaction, as far as the timing has it.
        tokio::join!(database.execute(&insert), async { wire.cut() });
        assert!(following.left(&database, &["store 6"]).await.is_empty(), "round {round}");
    }
    assert!(following.follower.status().reconnects > 0);
}

/// A follower whose connection to the database has a fault, with an entry of the state `untouched`.
///
/// The server is its own: a change of another test's schema opens the stream again, which then has
/// met a damaged event that nobody counts.
async fn over_a_bad_wire() -> (Database, Proxy, Following) {
    let database = Database::logged_alone().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(64))").await;
    let (wire, url) = by_proxy(&database).await;
    let rule = Rule::table(format!("{}.orders", database.name())).all("orders").tag("state:{state}");
    let rules = Rules::new([rule, marks(&database)]).unwrap();
    // A lease that is lost would open the stream once more.
    let set = |builder: FollowerBuilder| builder.rules(rules).lease(Duration::from_secs(60));
    let following = Following::over(&url, store().await, set).await;
    following.fill("entry", &["state:untouched", "orders"]).await;
    (database, wire, following)
}

#[tokio::test]
async fn an_event_with_a_flipped_bit_is_read_again() {
    let (database, wire, following) = over_a_bad_wire().await;
    wire.set(Mode::Flip(b"untouched".to_vec(), 1));
    database.execute("INSERT INTO orders VALUES (1, 'untouched')").await;
    assert!(following.left(&database, &["entry"]).await.is_empty());
    let status = following.follower.status();
    assert_eq!((status.reconnects, status.lost), (1, 0), "{status:?}");
}

#[tokio::test]
async fn an_event_that_stays_damaged_loses_everything_that_is_followed() {
    let (database, wire, following) = over_a_bad_wire().await;
    wire.set(Mode::Flip(b"untouched".to_vec(), 5));
    database.execute("INSERT INTO orders VALUES (1, 'untouched')").await;
    following.until(|status| status.lost > 0).await;
    assert!(following.left(&database, &["entry"]).await.is_empty());
    let status = following.follower.status();
    assert_eq!((status.reconnects, status.lost), (5, 1), "{status:?}");
}

#[tokio::test]
async fn an_absent_cache_is_waited_for() {
    let redis = Redis::start().await;
    let database = Database::logged().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT)").await;
    let config = RedisConfig::from_url(&redis.url()).unwrap().command_timeout(Duration::from_millis(500));
    let store = Arc::new(RedisStore::new(config).unwrap());
    let rules = rules(&database);
    let following = Following::over(&database.url(), store, |builder| builder.name("shop").rules(rules)).await;
    redis.kill().await;
    database.execute("INSERT INTO orders VALUES (1, 6)").await;
    following.until(|status| !status.leads).await;
    redis.restart().await;
    following.until(|status| status.leads).await;
    following.caught_up(&database).await;
    following.fill("store 6", &["orders:6", "orders"]).await;
    following.fill("store 7", &["orders:7", "orders"]).await;
    database.execute("INSERT INTO orders VALUES (2, 6)").await;
    assert_eq!(following.left(&database, &["store 6", "store 7"]).await, ["store 7"]);
}

#[tokio::test]
async fn another_follower_takes_over() {
    let shop = Shop::open("").await;
    let second = shop.builder().server_id(rand::random_range(2..u32::MAX)).build().unwrap();
    let running = second.clone();
    let standby = tokio::spawn(async move { running.run(std::future::pending()).await });
    shop.check("UPDATE orders SET state = 'a' WHERE id = 1", &["store 6", "order 1"]).await;
    assert!(!second.status().leads);
    // Its task ends without a word to anybody, as a killed process does.
    shop.following.task.abort();
    shop.database.execute("UPDATE orders SET state = 'b' WHERE id = 1").await;
    while shop.following.store.get("store 6").await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(second.status().leads && second.status().lost == 0);
    standby.abort();
}

#[tokio::test]
async fn a_follower_that_was_paused_does_no_harm() {
    let shop = Shop::open("").await;
    let (books, name) = (shop.following.store.as_checkpoints().unwrap(), shop.name());
    // Another follower has taken the lease, and is further.
    let other = shop.lose_lease().await;
    shop.following.until(|status| !status.leads).await;
    let found = books.checkpoint(&name).await.unwrap().unwrap().position;
    shop.database.execute("UPDATE orders SET state = 'b' WHERE id = 1").await;
    let position = books.checkpoint(&name).await.unwrap().unwrap().position;
    assert_eq!(position, found, "a follower without a lease writes no position");
    assert_eq!(books.advance(&name, &other, Some(&found), Reached::at(&found)).await.unwrap(), Advance::Done);
    books.end_lease(&name, &other).await.unwrap();
    shop.following.until(|status| status.leads).await;
    shop.expect("UPDATE during the pause", &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn a_server_id_in_use_ends_the_follower() {
    let shop = Shop::open("").await;
    let build = |server_id: u32| shop.builder().name(unique("other")).server_id(server_id).build().unwrap();
    let server_id = rand::random_range(2..u32::MAX);
    let (first, second) = (build(server_id), build(server_id));
    let (one, two) = (first.run(std::future::pending()), second.run(std::future::pending()));
    let error = tokio::select! { ended = one => ended, ended = two => ended }.unwrap_err();
    assert!(matches!(error, FollowError::ServerIdTaken(id) if id == server_id), "{error}");
}

#[tokio::test]
async fn a_single_run_returns_the_error_of_an_absent_cache() {
    let redis = Redis::start().await;
    redis.kill().await;
    let store = RedisStore::new(RedisConfig::from_url(&redis.url()).unwrap()).unwrap();
    let mysql = MySqlConfig::from_url("mysql://nobody@127.0.0.1:1/").unwrap();
    let rules = Rules::new([Rule::table("shop.orders").all("orders")]).unwrap();
    let builder = Follower::builder(mysql, store).name("shop").server_id(2).rules(rules);
    let error = builder.once(true).build().unwrap().run(std::future::pending()).await.unwrap_err();
    assert!(matches!(&error, FollowError::Store(error) if error.is_retryable()), "{error}");
}

#[tokio::test]
async fn a_dry_run_disturbs_no_follower_with_its_server_id() {
    let mut shop = Shop::open("").await;
    shop.following.task.abort();
    let (url, store, server_id) = (shop.database.url(), shop.following.store.clone(), rand::random_range(2..1 << 30));
    let (name, rules) = (shop.name(), shop.following.follower.rules().clone());
    let dry = shop.builder().server_id(server_id).dry_run(true).build().unwrap();
    let set = |builder: FollowerBuilder| builder.name(name).rules(rules).server_id(server_id);
    shop.following = Following::over(&url, store, set).await;
    let running = dry.clone();
    let task = tokio::spawn(async move { running.run(std::future::pending()).await });
    let until = async |is_so: fn(&mrc_follow::Status) -> bool| {
        while !is_so(&dry.status()) {
            assert!(!task.is_finished(), "the dry run has ended: {:?}", dry.status());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until(|status| status.silence.is_some()).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
    until(|status| status.tags > 0).await;
    assert_eq!((shop.following.follower.status().reconnects, dry.status().reconnects), (0, 0));
    task.abort();
}
