//! One cache shared with both published peers: each reads the others' entries, each drops for all.

mod drops;
mod flights;
mod func_cache;
mod keys;
mod rows;
mod search;
mod sharing;
mod simple_dep;
mod values;

use mrc::config::MrcClientBuilder;
use mrc::store::RedisStore;
use mrc::{KeyFormat, MrcClient, MrcServer, Query, RowFormat};
use mrc_tests::{Database, Peer, Redis, unique};
use serde_json::{Value as Json, json};

use crate::client::support::{ITEMS, patient};

/// The Redis of all tests, its own database, and both peers. Tests have their own names of params.
struct World {
    redis: Redis,
    database: Database,
    npm: Side,
    pypi: Side,
}

/// One peer, with the matching options of our client.
struct Side {
    peer: Peer,
    keys: KeyFormat,
    rows: RowFormat,
}

impl World {
    async fn open() -> Self {
        let (redis, database) = (Redis::shared().await, Database::create().await);
        database.execute(ITEMS).await;
        let (npm, pypi) = (Side::npm(&redis, &database).await, Side::pypi(&redis, &database).await);
        Self { redis, database, npm, pypi }
    }

    /// Returns the same peer in a new process.
    ///
    /// The PyPI peer (0.4.0 on aiomysql 0.3.2) doesn't end the transaction of its first read. Later
    /// reads see the database as it was then, so a read after a write needs a new process.
    async fn anew(&self, side: &Side) -> Side {
        if side.is_python() {
            Side::pypi(&self.redis, &self.database).await
        } else {
            Side::npm(&self.redis, &self.database).await
        }
    }

    fn sides(&self) -> [&Side; 2] {
        [&self.npm, &self.pypi]
    }

    /// Returns a client whose keys are as this peer makes them.
    fn builder(&self, side: &Side) -> MrcClientBuilder {
        MrcClient::builder().redis_config(patient(&self.redis.url())).mysql(self.database.url()).key_format(side.keys)
    }

    fn client(&self, side: &Side) -> MrcClient {
        self.builder(side).build().unwrap()
    }

    fn server(&self) -> MrcServer {
        MrcServer::with_store(RedisStore::new(patient(&self.redis.url())).unwrap())
    }

    async fn exists(&self, key: &str) -> bool {
        self.redis.cli(&["EXISTS", key]).await == "1"
    }

    async fn get(&self, key: &str) -> String {
        self.redis.cli(&["GET", key]).await
    }

    async fn write(&self, version: u32) {
        self.database.execute(&format!("UPDATE items SET version = {version}")).await;
    }
}

async fn with_both_peers(test: impl AsyncFn(&World, &Side)) {
    let world = World::open().await;
    for side in world.sides() {
        test(&world, side).await;
    }
}

impl Side {
    async fn npm(redis: &Redis, database: &Database) -> Self {
        let peer = Peer::npm(&redis.url(), &database.url()).await;
        Self { peer, keys: KeyFormat::TypeScript, rows: RowFormat::TypeScript }
    }

    async fn pypi(redis: &Redis, database: &Database) -> Self {
        let peer = Peer::pypi(&redis.url(), &database.url()).await;
        Self { peer, keys: KeyFormat::Python, rows: RowFormat::Python }
    }

    fn is_python(&self) -> bool {
        self.keys == KeyFormat::Python
    }

    fn text(&self, sql: &str) -> String {
        if self.is_python() { sql.replace('?', "%s") } else { sql.to_owned() }
    }

    fn query<'a>(&self, sql: &'a str) -> Query<'a> {
        Query::new(sql).keyed_as(self.text(sql))
    }

    /// Returns the peer's answer to a statement.
    async fn ask(&self, sql: &str, params: &[Json], names: &[&str]) -> Json {
        self.call("query", &self.text(sql), params, names).await
    }

    /// Returns what the peer finds in the cache.
    async fn read(&self, text: &str, params: &[Json], names: &[&str]) -> Json {
        self.call("read", text, params, names).await
    }

    async fn call(&self, op: &str, text: &str, params: &[Json], names: &[&str]) -> Json {
        self.peer
            .call(json!({"op": op, "query": text, "params": params, "names": names, "value": 1, "ttl": 3600}))
            .await
    }

    /// Lets the peer drop entries. Returns how many keys it reports.
    async fn drop(&self, names: &[&str], values: &[Json], all: bool) -> Json {
        self.peer.call(json!({"op": "drop", "names": names, "values": values, "all": all})).await
    }
}

/// Returns a name that no other test uses.
fn name(text: &str) -> &'static str {
    // Names live as long as the test process.
    unique(text).leak()
}

/// Returns whether two documents are the same to a reader whose numbers are doubles.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
