//! The follower on a real database: what it invalidates, and what it survives.

mod auto;
mod faults;
mod full;
mod rows;
mod servers;
mod statements;
mod visibility;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mrc_core::{Event, Tag};
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{Follower, FollowerBuilder, Status};
use mrc_store::{CacheStore, Life, MySqlConfig, RedisConfig, RedisStore, StoreError, Terms, Token};
use mrc_tests::{Database, Redis, SqlServer, unique};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(3_600);
/// A wait that takes longer has no end.
const HANGS: Duration = Duration::from_secs(300);

/// A running follower with a cache of its own.
struct Following {
    store: Arc<RedisStore>,
    follower: Follower,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    changed: Arc<Notify>,
}

impl Following {
    /// Starts a follower with these rules, and returns when it has its first position.
    async fn start(database: &Database, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::over(&database.url(), store().await, |builder| builder.rules(Rules::new(rules).unwrap())).await
    }

    /// Starts a follower of any name over a store, with more settings.
    async fn over(url: &str, store: Arc<RedisStore>, set: impl FnOnce(FollowerBuilder) -> FollowerBuilder) -> Self {
        let mysql = MySqlConfig::from_url(url).unwrap();
        let changed = Arc::new(Notify::new());
        let notify = Arc::clone(&changed);
        let builder = Follower::with_shared_store(mysql, store.clone())
            .name(unique("follower"))
            .server_id(rand::random_range(2..u32::MAX))
            .on_event(move |_: &Event<'_>| notify.notify_waiters());
        let follower = set(builder).build().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = follower.clone();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            running.run(stopped).await.unwrap();
        });
        let following = Self { store, follower, stop: Some(stop), task, changed };
        following.until(|status| !status.position.is_empty()).await;
        following
    }

    /// Kills the follower, and starts another one of the same name over the same store.
    async fn again(self, database: &Database) -> Self {
        self.task.abort();
        let (store, follower) = (self.store.clone(), self.follower.clone());
        let rules = follower.rules().clone();
        Self::over(&database.url(), store, |builder| builder.name(follower.name()).rules(rules)).await
    }

    /// Waits until the status is so.
    async fn until(&self, is_so: impl Fn(&Status) -> bool) {
        let began = Instant::now();
        while !is_so(&self.follower.status()) {
            self.goes_on(began);
            tokio::select! {
                () = self.changed.notified() => {}
                // The position changes without an event.
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    }

    /// Fills an entry with these tags. The follower may be invalidating them for an earlier reason.
    async fn fill(&self, key: &str, tags: &[&str]) {
        let store = &*self.store;
        loop {
            let token = Token::from_bits(rand::random());
            store.remove(&[key.to_owned().into()]).await.unwrap();
            let since = store.now().await.unwrap();
            store.claim(key, &token, Terms::fill(LONG)).await.unwrap();
            let tags = tags.iter().map(|tag| (Tag::new(*tag), since)).collect();
            if store.fill(key, &token, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap() {
                return;
            }
        }
    }

    /// Waits until everything that is committed now is applied. Returns the keys that are left.
    async fn left(&self, database: &Database, keys: &[&str]) -> Vec<String> {
        // The first mark may go before the params of its batch. The second one is in a later batch.
        for _ in 0..2 {
            self.caught_up(database).await;
        }
        let mut left = Vec::new();
        for key in keys {
            if self.store.get(key).await.unwrap().is_some() {
                left.push((*key).to_owned());
            }
        }
        left
    }

    /// Waits until the follower has passed a transaction that is committed now.
    async fn caught_up(&self, database: &Database) {
        let mark = unique("mark");
        database.execute("CREATE TABLE IF NOT EXISTS marks (mark VARCHAR(64))").await;
        self.fill(&mark, &[&mark, "marks"]).await;
        database.execute(&format!("INSERT INTO marks VALUES ('{mark}')")).await;
        let began = Instant::now();
        // On a busy machine an answer may come too late: that isn't the follower's fault.
        while !matches!(self.store.get(&mark).await, Ok(None) | Err(StoreError::Closed)) {
            self.goes_on(began);
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
    }

    /// Waits until these entries are gone.
    async fn gone(&self, keys: &[String]) {
        for key in keys {
            let began = Instant::now();
            // A server may be away for a moment.
            while !matches!(self.store.get(key).await, Ok(None)) {
                self.goes_on(began);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }

    fn goes_on(&self, began: Instant) {
        let status = self.follower.status();
        assert!(!self.task.is_finished(), "the follower has ended: {status:?}");
        assert!(began.elapsed() < HANGS, "the follower hangs: {status:?}");
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a store of its own on the shared Redis.
async fn store() -> Arc<RedisStore> {
    let config = patient(&Redis::shared().await.url()).prefix(format!("{}:", unique("follow")));
    Arc::new(RedisStore::new(config).unwrap())
}

/// Returns settings for a cache that answers, however busy the machine is.
fn patient(url: &str) -> RedisConfig {
    let patience = Duration::from_secs(20);
    RedisConfig::from_url(url).unwrap().command_timeout(patience).connect_timeout(patience)
}

/// The rule for the marks of [`Following::caught_up`].
fn marks(database: &Database) -> Rule {
    Rule::table(format!("{}.marks", database.name())).all("marks").tag("{mark}")
}

fn orders(database: &Database) -> Rule {
    Rule::table(format!("{}.orders", database.name())).all("orders").tag("orders:{store_id}").tag("order:{id}")
}

/// The rules of a shop.
fn rules(database: &Database) -> Rules {
    Rules::new([orders(database), marks(database)]).unwrap()
}

/// Entries of the stores 6 and 7, and of the orders 1 of store 6 and 2 of store 7.
const ENTRIES: [(&str, [&str; 2]); 4] = [
    ("store 6", ["orders:6", "orders"]),
    ("store 7", ["orders:7", "orders"]),
    ("order 1", ["order:1", "orders"]),
    ("order 2", ["order:2", "orders"]),
];

/// A server of the test's own, where it may do what reaches the followers of other tests.
async fn own_server() -> (&'static SqlServer, Database) {
    let server: &'static SqlServer = Box::leak(Box::new(SqlServer::with_log().await));
    (server, Database::on(server).await)
}

/// A database with a table of orders, and a follower with the four entries.
struct Shop {
    database: Database,
    following: Following,
}

impl Shop {
    /// `more` are further statements before the follower starts.
    async fn open(more: &str) -> Self {
        Self::on(Database::logged().await, more).await
    }

    async fn on(database: Database, more: &str) -> Self {
        let url = database.url();
        Self::with_url(database, more, &url).await
    }

    /// `url` is the follower's.
    async fn with_url(database: Database, more: &str, url: &str) -> Self {
        Self::over(database, more, url, store().await, |builder| builder).await
    }

    async fn over(
        database: Database,
        more: &str,
        url: &str,
        store: Arc<RedisStore>,
        set: impl FnOnce(FollowerBuilder) -> FollowerBuilder,
    ) -> Self {
        let orders_table = "CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20), note TEXT)";
        database.execute(orders_table).await;
        database.execute("INSERT INTO orders VALUES (1, 6, 'open', NULL), (2, 7, 'open', NULL)").await;
        if !more.is_empty() {
            database.execute(more).await;
        }
        let rules = rules(&database);
        let following = Following::over(url, store, |builder| set(builder.rules(rules))).await;
        let shop = Self { database, following };
        shop.fill().await;
        shop
    }

    async fn fill(&self) {
        for (key, tags) in ENTRIES {
            self.following.fill(key, &tags).await;
        }
    }

    /// Runs statements, and checks which entries are invalidated.
    async fn check(&self, change: &str, gone: &[&str]) {
        self.database.execute(change).await;
        self.expect(change, gone).await;
    }

    async fn expect(&self, change: &str, gone: &[&str]) {
        let keys = ENTRIES.map(|(key, _)| key);
        let left = self.following.left(&self.database, &keys).await;
        let expected: Vec<&str> = keys.into_iter().filter(|key| !gone.contains(key)).collect();
        assert_eq!(left, expected, "{change}: {:?}", self.following.follower.status());
        self.fill().await;
    }
}

/// Everything of the table.
const ALL: [&str; 4] = ["store 6", "store 7", "order 1", "order 2"];
