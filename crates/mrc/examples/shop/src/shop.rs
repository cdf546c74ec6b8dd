//! The shop: a client, a cache of functions on the same connections, and the other service.

use std::sync::Arc;
use std::time::Duration;

use mrc::config::MrcClientBuilder;
use mrc::{Cache, Error, Health, MemoryStore, Metrics, MrcClient, SqliteExecutor, params};

use crate::rates::Rates;

/// The TTL of entries that writes invalidate.
pub(crate) const TTL: Duration = Duration::from_secs(600);

/// The shop. Cheap to clone: all clones share everything.
#[derive(Debug, Clone)]
pub struct Shop {
    pub(crate) client: MrcClient,
    pub(crate) reports: Cache,
    pub(crate) rates: Arc<dyn Rates>,
}

impl Shop {
    /// Returns a shop on the MySQL of `MRC_MYSQL_URL` and the Redis of `MRC_REDIS_URL`. Without a
    /// URL, SQLite or a cache in memory replaces the server.
    ///
    /// # Errors
    /// A URL is invalid, or the database doesn't answer.
    pub async fn from_env(rates: Arc<dyn Rates>) -> Result<Self, Error> {
        let url = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        let builder = match url("MRC_REDIS_URL") {
            Some(url) => MrcClient::builder().redis(url),
            None => MrcClient::builder().store(MemoryStore::new()),
        };
        match url("MRC_MYSQL_URL") {
            Some(url) => Self::open(builder.mysql(url), "BIGINT PRIMARY KEY AUTO_INCREMENT", rates).await,
            None => Self::open(builder.executor(SqliteExecutor::in_memory()?), "INTEGER PRIMARY KEY", rates).await,
        }
    }

    pub(crate) async fn open(builder: MrcClientBuilder, id: &str, rates: Arc<dyn Rates>) -> Result<Self, Error> {
        let client = builder.on_event(Metrics::new()).build()?;
        let table = format!(
            "CREATE TABLE IF NOT EXISTS shop_orders (
                 id {id}, store_id INT NOT NULL, state VARCHAR(20) NOT NULL DEFAULT 'open', total DECIMAL(10,2) NOT NULL,
                 placed_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, meta JSON NOT NULL, note TEXT
             )"
        );
        client.execute(&table, params! {}).await?;
        let reports = client.cache("reports").ttl(TTL).build()?;
        Ok(Self { client, reports, rates })
    }

    /// Asks all servers whether they answer.
    pub async fn health(&self) -> Health {
        self.client.health().await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.client.close().await;
    }
}
