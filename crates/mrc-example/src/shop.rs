//! What the shop knows, and what of it is cached.

use std::time::Duration;

use mrc::{
    Answer, BoxError, Cache, Error, Health, MemoryStore, Metrics, MrcClient, Query, Snapshot, Spec, SqliteExecutor,
    Tag, params,
};
use serde::{Deserialize, Serialize};

const TTL: Duration = Duration::from_secs(600);

/// The shop. Cheap to clone: all clones share everything.
#[derive(Debug, Clone)]
pub struct Shop {
    client: MrcClient,
    cache: Cache,
}

/// An order.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// What it costs.
    pub cents: u64,
}

/// An order that comes in.
#[derive(Debug, Deserialize)]
pub struct NewOrder {
    /// What is ordered.
    pub item: String,
    /// What it costs.
    pub cents: u32,
}

/// What a store has sold.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// How many orders there are.
    pub orders: usize,
    /// What they cost together.
    pub cents: u64,
}

impl Shop {
    /// A shop on the MySQL of `MRC_MYSQL_URL` and the Redis of `MRC_REDIS_URL`. What isn't named is in this process: SQLite, and a cache in
    /// memory.
    ///
    /// # Errors
    /// A URL can't be used, or the database doesn't answer.
    pub async fn open() -> Result<Self, BoxError> {
        let url = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        let client = match url("MRC_REDIS_URL") {
            Some(url) => MrcClient::builder().redis(url),
            None => MrcClient::builder().store(MemoryStore::new()),
        };
        let (client, id) = match url("MRC_MYSQL_URL") {
            Some(url) => (client.mysql(url), "BIGINT PRIMARY KEY AUTO_INCREMENT"),
            None => (client.executor(SqliteExecutor::in_memory()?), "INTEGER PRIMARY KEY"),
        };
        let client = client.on_event(Metrics::new()).build()?;
        // On the client's connections, with its settings and its listener.
        let cache = client.cache("shop").ttl(TTL).build()?;
        let shop = Self { client, cache };
        let columns = format!("id {id}, store_id INT NOT NULL, item VARCHAR(100) NOT NULL, cents BIGINT NOT NULL");
        let table = format!("CREATE TABLE IF NOT EXISTS shop_orders ({columns})");
        shop.client.execute(&table, params! {}).await?;
        Ok(shop)
    }

    /// A store's orders, as JSON: a cached query.
    ///
    /// # Errors
    /// The database's. A cache that fails is no error.
    pub async fn orders(&self, store: u32) -> Result<Answer, Error> {
        let query = "SELECT id, item, cents FROM shop_orders WHERE store_id = ? ORDER BY id";
        self.client.query_with_cache(Query::new(query).tag(of_store(store)), params! { "StoreId" => store }, TTL).await
    }

    /// What a store has sold: a cached function. It reads a cached query, so the tags of that are its own as well.
    ///
    /// # Errors
    /// As [`orders`](Self::orders).
    pub async fn report(&self, store: u32) -> Result<Report, Error> {
        let report = || async {
            let orders: Vec<Order> = self.orders(store).await?.rows()?;
            Ok(Report { orders: orders.len(), cents: orders.iter().map(|order| order.cents).sum() })
        };
        self.cache.get_or_try(Spec::of("report").param("store", store), report).await
    }

    /// Stores an order, and invalidates what was made of the store's orders once that is committed. Returns the order's id.
    ///
    /// # Errors
    /// The database's: the order isn't stored.
    pub async fn order(&self, store: u32, order: NewOrder) -> Result<Option<u64>, Error> {
        let stored = self.client.transaction(async |tx| {
            let insert = "INSERT INTO shop_orders (store_id, item, cents) VALUES (?, ?, ?)";
            let params = params! { "StoreId" => store, "Item" => order.item, "Cents" => order.cents };
            let written = tx.execute(insert, params).await?;
            tx.invalidate(of_store(store));
            Ok::<_, Error>(written.last_insert_id)
        });
        match stored.await {
            // The order stands, and the old entries are served until their TTL ends. Whoever were told of an error would order again.
            Err(error @ Error::NotInvalidated { .. }) => {
                eprintln!("store {store}: {error}");
                Ok(None)
            }
            stored => stored,
        }
    }

    /// Whether the servers answer.
    pub async fn health(&self) -> Health {
        self.client.health().await
    }

    /// What the cache of the reports has done since the start.
    pub fn reports(&self) -> Snapshot {
        self.cache.stats().snapshot()
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.client.close().await;
    }
}

/// The tag of all that is made of a store's orders: readers and writers take it from here.
fn of_store(store: u32) -> Tag {
    Tag::new(format!("orders:{store}"))
}
