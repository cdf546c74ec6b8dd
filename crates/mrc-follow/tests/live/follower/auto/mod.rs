//! A client's entries, which the follower keeps right without rules.

mod loss;
mod random;
mod rows;

use std::collections::HashSet;
use std::sync::Arc;

use mrc_client::MrcClient;
use mrc_core::Params;
use mrc_follow::FollowerBuilder;
use mrc_follow::rules::Rules;
use mrc_store::RedisStore;
use mrc_tests::{Database, unique};

use super::{Following, LONG, marks, store};

/// A query whose entry the tests look at, by its name.
type Asked = (&'static str, &'static str, Params);

/// A database, a follower without rules for its tables, and a client with entries.
struct Auto {
    database: Arc<Database>,
    following: Following,
    client: MrcClient,
    asked: Vec<Asked>,
}

impl Auto {
    async fn open(tables: &str, asked: Vec<Asked>) -> Self {
        let database = Database::logged().await;
        database.execute(tables).await;
        Self::on(Arc::new(database), store().await, asked, |builder| builder).await
    }

    async fn on(
        database: Arc<Database>,
        store: Arc<RedisStore>,
        asked: Vec<Asked>,
        set: impl FnOnce(FollowerBuilder) -> FollowerBuilder,
    ) -> Self {
        let name = unique("follower");
        let following = following(&database, store, &name, set).await;
        let client = MrcClient::builder().shared_store(following.store.clone()).mysql(database.url()).follow(&name);
        let auto = Self { client: client.build().unwrap(), database, following, asked };
        auto.fill().await;
        auto
    }

    /// Returns the entries that aren't there, and fills them. The others must be right.
    async fn absent(&self) -> HashSet<&'static str> {
        let mut absent = HashSet::new();
        for (name, sql, params) in &self.asked {
            let answer = self.client.query_with_cache(*sql, params, LONG).await.unwrap();
            if answer.is_hit() {
                let now = self.client.query(sql, params).await.unwrap();
                assert_eq!(answer.as_str().unwrap(), now.as_str().unwrap(), "{name} is stale");
            } else {
                absent.insert(*name);
            }
        }
        absent
    }

    /// Fills all entries. The follower may be ending some of them for an earlier change.
    async fn fill(&self) {
        while !self.absent().await.is_empty() {}
    }

    /// Returns the entries that are gone when the follower has passed what is committed now.
    async fn gone(&self) -> HashSet<&'static str> {
        // Its batch may drop the first mark before the rest.
        for _ in 0..2 {
            self.following.caught_up(&self.database).await;
        }
        let gone = self.absent().await;
        self.fill().await;
        gone
    }

    /// Repeats a change until it leaves the entry `left`: the schemes and collations are known.
    async fn settle(&self, change: &str, left: &str) {
        loop {
            self.database.execute(change).await;
            if !self.gone().await.contains(left) {
                return;
            }
        }
    }

    /// Runs statements, and checks which entries they end.
    async fn check(&self, change: &str, gone: &[&'static str]) {
        self.database.execute(change).await;
        self.expect(change, gone).await;
    }

    async fn expect(&self, change: &str, gone: &[&'static str]) {
        let found = self.gone().await;
        let status = self.following.follower.status();
        assert_eq!(found, gone.iter().copied().collect(), "{change}: {status:?}");
    }
}

/// Starts a follower. Its one rule is for the harness, and shows that rules go on beside.
async fn following(
    database: &Database,
    store: Arc<RedisStore>,
    name: &str,
    set: impl FnOnce(FollowerBuilder) -> FollowerBuilder,
) -> Following {
    let rules = Rules::new([marks(database)]).unwrap();
    Following::over(&database.url(), store, |builder| set(builder.name(name).auto(true).rules(rules))).await
}
