//! The follower on a real database: what it invalidates, and what it survives.

mod rows;
mod visibility;

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Event, Tag};
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{Follower, FollowerBuilder, Status};
use mrc_store::{CacheStore, Checkpoints, Life, MySqlConfig, RedisConfig, RedisStore, Terms, Token};
use mrc_tests::{Database, Redis, unique};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(3_600);

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
        let redis = Redis::shared().await;
        let config = RedisConfig::from_url(&redis.url()).unwrap().prefix(format!("{}:", unique("follow")));
        let store = Arc::new(RedisStore::new(config).unwrap());
        let name = unique("follower");
        Self::over(database, store, |builder| builder.name(name).rules(Rules::new(rules).unwrap())).await
    }

    async fn over(
        database: &Database,
        store: Arc<RedisStore>,
        set: impl FnOnce(FollowerBuilder) -> FollowerBuilder,
    ) -> Self {
        let mysql = MySqlConfig::from_url(&database.url()).unwrap();
        let changed = Arc::new(Notify::new());
        let notify = Arc::clone(&changed);
        let builder = Follower::with_shared_store(mysql, store.clone())
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

    /// Waits until the status is so.
    async fn until(&self, is_so: impl Fn(&Status) -> bool) {
        while !is_so(&self.follower.status()) {
            assert!(!self.task.is_finished(), "the follower has ended: {:?}", self.follower.status());
            tokio::select! {
                () = self.changed.notified() => {}
                // The position changes without an event.
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    }

    /// Fills an entry with these tags.
    async fn fill(&self, key: &str, tags: &[&str]) {
        let (store, token) = (&*self.store, Token::from_bits(rand::random()));
        let since = store.now().await.unwrap();
        store.claim(key, &token, Terms::fill(LONG)).await.unwrap();
        let tags = tags.iter().map(|tag| (Tag::new(*tag), since)).collect();
        assert!(store.fill(key, &token, "[1]".into(), Life { ttl: LONG, tags, ..Life::default() }).await.unwrap());
    }

    /// Waits until everything that is committed now is applied. Returns the keys that are left.
    async fn left(&self, database: &Database, keys: &[&str]) -> Vec<String> {
        self.caught_up(database).await;
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
        self.fill(&mark, &[&mark]).await;
        database.execute(&format!("INSERT INTO marks VALUES ('{mark}')")).await;
        while self.store.get(&mark).await.unwrap().is_some() {
            assert!(!self.task.is_finished(), "the follower has ended");
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
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

/// The rule for the marks of [`Following::caught_up`].
fn marks(database: &Database) -> Rule {
    Rule::table(format!("{}.marks", database.name())).all("marks").tag("{mark}")
}

fn orders(database: &Database) -> Rule {
    Rule::table(format!("{}.orders", database.name())).all("orders").tag("orders:{store_id}").tag("order:{id}")
}
