//! The tools of these tests: a shop with a table, a client with its events, and waits for others.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mrc::config::{MrcClientBuilder, MySqlConfig, RedisConfig};
use mrc::errors::ExecuteError;
use mrc::events::Bypass;
use mrc::rows::RowEncoder;
use mrc::store::{Executed, ExecutorTransaction, MySqlExecutor, QueryExecutor, RedisStore};
use mrc::{Answer, Error, Event, EventListener, MrcClient, MrcServer, Params, params};
use mrc_tests::{Database, Proxy, Redis, SqlServer, unique};
use tokio::sync::Semaphore;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const SQL: &str = "SELECT id, version FROM items WHERE id = ?";

/// Items 1 to 100, all at version 1.
pub(crate) const ITEMS: &str = "CREATE TABLE items (id INT PRIMARY KEY, version INT NOT NULL);
    INSERT INTO items WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM n WHERE seq < 100)
    SELECT seq, 1 FROM n";

/// A shop: its own prefix on the Redis of all tests, its own database, and a client.
pub(crate) struct Shop {
    pub(crate) redis: Redis,
    pub(crate) database: Database,
    pub(crate) prefix: String,
    pub(crate) heard: Heard,
    pub(crate) client: MrcClient,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::on(Redis::shared().await).await
    }

    pub(crate) async fn on(redis: Redis) -> Self {
        let database = Database::with(ITEMS).await;
        let (prefix, heard) = (unique("shop") + ":", Heard::default());
        let builder = MrcClient::builder().redis_config(patient(&redis.url()).prefix(&prefix));
        let client = builder.mysql(database.url()).on_event(heard.clone()).build().unwrap();
        Self { redis, database, prefix, heard, client }
    }

    /// Returns a builder of another client of this shop.
    pub(crate) fn builder(&self) -> MrcClientBuilder {
        MrcClient::builder()
            .redis_config(self.redis_config(self.redis.port()))
            .mysql(self.database.url())
            .on_event(self.heard.clone())
    }

    /// Returns the configuration of this shop's keys on a Redis at this port, perhaps a proxy's.
    pub(crate) fn redis_config(&self, port: u16) -> RedisConfig {
        patient(&format!("redis://127.0.0.1:{port}")).prefix(&self.prefix)
    }

    /// Returns a builder of a client whose commands pass this proxy.
    pub(crate) fn through(&self, wire: &Proxy) -> MrcClientBuilder {
        self.builder().redis_config(self.redis_config(wire.port()))
    }

    /// Returns the configuration of this shop's database.
    pub(crate) fn mysql_config(&self) -> MySqlConfig {
        MySqlConfig::from_url(&self.database.url()).unwrap()
    }

    pub(crate) fn server(&self) -> MrcServer {
        MrcServer::with_store(RedisStore::new(self.redis_config(self.redis.port())).unwrap())
    }

    /// Returns the key of an item in Redis.
    pub(crate) fn key(&self, id: u32) -> String {
        format!("{}{}", self.prefix, self.client.key(SQL, params! { "Id" => id }).unwrap())
    }

    pub(crate) async fn has_key(&self, id: u32) -> bool {
        self.redis.cli(&["EXISTS", &self.key(id)]).await == "1"
    }

    /// Returns all keys that contain the key of an item: its own, its lease, its copy.
    pub(crate) async fn keys(&self, id: u32) -> Vec<String> {
        let keys = self.redis.cli(&["KEYS", &format!("*{}*", self.key(id))]).await;
        keys.lines().map(str::to_owned).collect()
    }

    pub(crate) async fn write(&self, version: u32) {
        self.database.execute(&format!("UPDATE items SET version = {version}")).await;
    }

    pub(crate) async fn ask(&self, id: u32) -> Answer {
        ask(&self.client, id).await.unwrap()
    }
}

pub(crate) async fn ask(client: &MrcClient, id: u32) -> Result<Answer, Error> {
    guarded(client.query_with_cache(SQL, params! { "Id" => id }, HOUR)).await
}

/// Returns the version in an answer to [`SQL`].
pub(crate) fn version(answer: &Answer) -> u64 {
    answer.json::<serde_json::Value>().unwrap()[0]["version"].as_u64().unwrap()
}

/// Returns a configuration for slow machines, for tests that don't check time-outs.
pub(crate) fn patient(url: &str) -> RedisConfig {
    let patience = Duration::from_secs(20);
    RedisConfig::from_url(url).unwrap().command_timeout(patience).connect_timeout(patience)
}

/// Returns a configuration for tests whose Redis fails.
pub(crate) fn impatient(port: u16) -> RedisConfig {
    let patience = Duration::from_secs(1);
    RedisConfig::new("127.0.0.1", port).command_timeout(patience).connect_timeout(patience)
}

/// Fails a test that would hang. The limit is no test of speed.
pub(crate) async fn guarded<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), call).await.expect("a call hangs")
}

/// Waits until other tasks or servers are `done`.
pub(crate) async fn until(mut done: impl AsyncFnMut() -> bool) {
    guarded(async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The events that clients emitted, in order, by name: `"Miss"`, `"Bypassed StoreFailed get"`.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl EventListener for Heard {
    fn on_event(&self, event: &Event<'_>) {
        // These events come with every read, and with every server that a test stops.
        if matches!(event, Event::Computed { .. } | Event::ServerLost { .. } | Event::ServerBack { .. }) {
            return;
        }
        let name = |debug: String| debug.chars().take_while(char::is_ascii_alphabetic).collect::<String>();
        let mut text = name(format!("{event:?}"));
        if let Event::Bypassed { why, .. } = event {
            text = text + " " + &name(format!("{why:?}"));
            if let Bypass::StoreFailed { command, .. } = why {
                text = text + " " + command;
            }
        }
        if let Event::NotFollowed { why, .. } = event {
            text = format!("{text} {why}");
        }
        self.0.lock().unwrap().push(text);
    }
}

/// Starts a server with the [`ITEMS`] in a database `own`, for a test that stops the server.
pub(crate) async fn own_items() -> SqlServer {
    let mysql = SqlServer::start().await;
    mysql.execute(&format!("CREATE DATABASE own; USE own; {ITEMS}")).await;
    mysql
}

/// MySQL with counts. Answers wait for a permit after their rows were read.
#[derive(Debug)]
pub(crate) struct Gated {
    mysql: MySqlExecutor,
    reads: AtomicUsize,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
    pub(crate) gate: Semaphore,
}

impl Gated {
    /// Returns it without permits: see [`gate`](Self::gate).
    pub(crate) fn closed(database: &Database) -> Arc<Self> {
        let mysql = MySqlExecutor::new(MySqlConfig::from_url(&database.url()).unwrap()).unwrap();
        let [reads, running, most_at_once] = std::array::from_fn(|_| AtomicUsize::new(0));
        Arc::new(Self { mysql, reads, running, most_at_once, gate: Semaphore::new(0) })
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Returns the highest number of queries that ran at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl QueryExecutor for Gated {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(running, Ordering::SeqCst);
        self.mysql.query(sql, params, rows).await?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.mysql.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.mysql.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        self.mysql.begin().await
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.mysql.ping().await
    }

    async fn close(&self) {
        self.mysql.close().await;
    }
}

/// Returns a client of a shop whose commands and reads are counted. The reads wait for permits.
pub(crate) async fn gated() -> (Shop, Proxy, Arc<Gated>, MrcClient) {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let mysql = Gated::closed(&shop.database);
    let client = shop.through(&wire).shared_executor(mysql.clone()).build().unwrap();
    (shop, wire, mysql, client)
}
