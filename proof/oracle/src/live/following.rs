//! A follower with a cache of its own, and clients whose entries it ends.

use std::collections::HashSet;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mrc_client::{MrcClient, MrcClientBuilder};
use mrc_core::Event;
use mrc_core::depends::NotFollowable;
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{FollowError, Follower, Position};
use mrc_store::{MySqlConfig, RedisConfig, RedisStore};
use mrc_tests::{Database, Redis, SqlKind, unique};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::task::JoinHandle;

use super::task::Without;
use crate::Res;

/// How often the follower is asked for its position.
const POLL: Duration = Duration::from_millis(1);

/// A running follower with a cache of its own.
pub(super) struct Following {
    /// The database of the marks, which tell how far the follower is.
    home: Database,
    store: Arc<RedisStore>,
    follower: Follower,
    task: JoinHandle<Result<(), FollowError>>,
    /// The keys of entries that end by their TTL alone.
    not_followed: Arc<Mutex<HashSet<String>>>,
}

impl Following {
    pub(super) async fn start(without: Option<Without>) -> Res<Self> {
        let (redis, home) = (Redis::shared().await, Database::logged().await);
        home.execute("CREATE TABLE marks (id INT PRIMARY KEY, n INT); INSERT INTO marks VALUES (1, 0)").await;
        let config = RedisConfig::from_url(&redis.url())?.prefix(format!("{}:", unique("oracle")));
        let store = Arc::new(RedisStore::new(config)?);
        let mysql = MySqlConfig::from_url(&home.url())?;
        let marks = Rule::table(format!("{}.marks", home.name())).all("marks").tag("mark:{n}");
        let mut builder = Follower::with_shared_store(mysql, store.clone())
            .name(unique("follower"))
            .server_id(rand::random_range(2..u32::MAX))
            .rules(Rules::new([marks])?)
            .auto(without != Some(Without::Auto));
        if let Some(lack) = without.and_then(Without::lack) {
            builder = builder.without(lack);
        }
        let follower = builder.build()?;
        let running = follower.clone();
        let task = tokio::spawn(async move { running.run(pending()).await });
        let following = Self { home, store, follower, task, not_followed: Arc::default() };
        following.until(|position| !position.is_empty()).await?;
        Ok(following)
    }

    pub(super) fn client(&self, database: &Database) -> Res<MrcClient> {
        let not_followed = Arc::clone(&self.not_followed);
        let builder = MrcClientBuilder::default().shared_store(self.store.clone()).mysql(database.url());
        let builder = builder.follow(self.follower.name()).on_event(move |event: &Event<'_>| {
            // A table that isn't there now is no reason to keep an entry when it is back.
            if let Event::NotFollowed { key, why } = event
                && !matches!(why, NotFollowable::Unknown { .. })
            {
                not_followed.lock().unwrap_or_else(PoisonError::into_inner).insert((*key).to_owned());
            }
        });
        Ok(builder.build()?)
    }

    pub(super) fn is_followed(&self, key: &str) -> bool {
        !self.not_followed.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Waits until the follower has passed everything that is committed now.
    pub(super) async fn passed(&self, conn: &mut Conn) -> Res<()> {
        let is_mysql = SqlKind::of_this_run().name == "MySQL";
        let variable = if is_mysql { "gtid_executed" } else { "gtid_binlog_pos" };
        let gtids: Option<String> = conn.query_first(format!("SELECT @@GLOBAL.{variable}")).await?;
        let gtids = gtids.unwrap_or_default();
        let now = if is_mysql { Position::of_mysql(&gtids)? } else { Position::of_mariadb(&gtids)? };
        // The follower stores its position at once behind a change that has an effect.
        conn.query_drop(format!("UPDATE {}.marks SET n = n + 1", self.home.name())).await?;
        self.until(|position| position.parse::<Position>().is_ok_and(|position| position.covers(&now))).await
    }

    async fn until(&self, is_so: impl Fn(&str) -> bool) -> Res<()> {
        while !is_so(&self.follower.status().position) {
            if self.task.is_finished() {
                return Err(format!("the follower has ended: {:?}", self.follower.status()).into());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}
