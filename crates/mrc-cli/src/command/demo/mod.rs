//! `mrc demo`: shows the cache at work on 100,000 orders, on your servers or without servers.

mod report;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mrc::store::{CacheStore, QueryExecutor};
use mrc::{Answer, MemoryStore, MrcClient, MrcServer, Source, SqliteExecutor, params};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::args::Global;
use crate::connect;
use crate::error::Failure;
use crate::interrupted;
use crate::output::Output;
use report::{Fresh, Report, Servers, ms};

const CLEANUP_LIMIT: Duration = Duration::from_secs(60);

/// The entries expire even if nothing removes them.
const TTL: Duration = Duration::from_secs(60);
const HITS: u32 = 1_000;
const CALLERS: usize = 1_000;

/// A store that is written to, a store whose number begins with the same digit, and a store without
/// an entry.
const WRITTEN: u64 = 6;
const ALIKE: u64 = 66;
const CROWDED: u64 = 17;

const ORDERS: u64 = 100_000;
/// The number of stores. All have the same number of orders.
const STORES: u64 = 100;
const BATCH: u64 = 10_000;

const DIGITS: &str = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";

pub(crate) async fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let is_given = |url: &Option<String>| url.as_ref().is_some_and(|url| !url.is_empty());
    let report = match (is_given(&global.mysql), is_given(&global.redis)) {
        (true, true) => on_servers(global).await?,
        (one, other) => {
            if one || other {
                let missing = if one { "--redis or MRC_REDIS_URL" } else { "--mysql or MRC_MYSQL_URL" };
                output.note(&format!("note: without {missing} the demo runs without servers"));
            }
            embedded().await?
        }
    };
    if output.is_json() { output.document(&report) } else { output.result(report.text(*output).as_bytes()) }
}

async fn embedded() -> Result<Report, Failure> {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
    let story = Story::new(store, SqliteExecutor::in_memory()?, "orders", Servers::None)?;
    tokio::select! {
        report = async { story.create().await?; story.fill().await?; story.tell().await } => report,
        () = interrupted() => Err(Failure::Interrupted),
    }
}

/// Runs on shared servers, with its own table and keys, and removes these however it ends.
async fn on_servers(global: &Global) -> Result<Report, Failure> {
    let unique = format!("mrc_demo_{:016x}", RandomState::new().build_hasher().finish());
    let store: Arc<dyn CacheStore> = Arc::new(connect::redis_part(global, &format!("{unique}:"))?);
    // Without the cache the demo would show something else, so a missing cache is an error.
    store.ttl("-").await?;
    let story = Story::new(Arc::clone(&store), connect::mysql(global)?, &unique, Servers::Yours)?;
    // Creating isn't cancelled: a table that is created after the clean-up would stay.
    let told = match story.create().await {
        Ok(()) => tokio::select! {
            report = async { story.fill().await?; story.tell().await } => report,
            () = interrupted() => Err(Failure::Interrupted),
        },
        Err(failure) => Err(failure),
    };
    let cleared = tokio::time::timeout(CLEANUP_LIMIT, story.clear()).await;
    let cleared = cleared.unwrap_or_else(|_| Err(Failure::Database("dropping the table took too long".into())));
    match (told, cleared) {
        (Ok(_), Err(failure)) => {
            Err(Failure::Database(format!("the demo's table {unique} may still be there: {failure}")))
        }
        (told, _) => told,
    }
}

/// The demo's clients and its table, in SQL that MySQL, MariaDB and SQLite share.
struct Story {
    client: MrcClient,
    server: MrcServer,
    store: Arc<dyn CacheStore>,
    table: String,
    servers: Servers,
}

#[derive(Deserialize)]
struct Totals {
    orders: u64,
}

impl Story {
    fn new(
        store: Arc<dyn CacheStore>,
        database: impl QueryExecutor,
        table: &str,
        servers: Servers,
    ) -> Result<Self, Failure> {
        let builder = connect::builder()?.shared_store(Arc::clone(&store)).executor(database);
        let server = MrcServer::with_shared_store(Arc::clone(&store));
        Ok(Self { client: builder.build()?, server, store, table: table.to_owned(), servers })
    }

    /// Creates the table. The query reads every row: the only index is the primary key, which some
    /// servers require.
    async fn create(&self) -> Result<(), Failure> {
        let columns = "id BIGINT PRIMARY KEY, store_id INT NOT NULL, state VARCHAR(10) NOT NULL, cents BIGINT NOT NULL";
        self.client.query(&format!("CREATE TABLE {} ({columns})", self.table), params! {}).await?;
        Ok(())
    }

    /// Fills the table. The database generates the rows.
    async fn fill(&self) -> Result<(), Failure> {
        for batch in 0..ORDERS / BATCH {
            let numbers = format!("SELECT {} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n", batch * BATCH);
            let order = format!(
                "n, n % {STORES}, CASE n % 7 WHEN 0 THEN 'open' WHEN 1 THEN 'returned' ELSE 'paid' END, 99 + n * 7919 % 20000"
            );
            let insert = format!(
                "INSERT INTO {} (id, store_id, state, cents) SELECT {order} FROM \
                 ({numbers} FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e) numbers",
                self.table
            );
            self.client.query(&insert, params! {}).await?;
        }
        Ok(())
    }

    /// Returns the query, with a placeholder for the store.
    fn question(&self) -> String {
        format!("SELECT COUNT(*) AS orders, SUM(cents) AS cents FROM {} WHERE store_id = ?", self.table)
    }

    async fn tell(&self) -> Result<Report, Failure> {
        let cold = self.fresh(WRITTEN).await?;
        let began = Instant::now();
        for _ in 0..HITS {
            self.ask(WRITTEN).await?;
        }
        let hot = began.elapsed() / HITS;
        self.ask(ALIKE).await?;

        let began = Instant::now();
        let queries = self.crowd().await?;
        let crowd = began.elapsed();

        let columns = "(id, store_id, state, cents) VALUES";
        let insert = format!("INSERT INTO {} {columns} ({ORDERS}, ?, 'open', 4200)", self.table);
        self.client.query(&insert, params! { "StoreId" => WRITTEN }).await?;
        let dropped = self.server.drop_outdated_cache(params! { "StoreId" => WRITTEN }).await?;

        Ok(Report {
            servers: self.servers,
            orders: ORDERS,
            stores: STORES,
            query: self.question(),
            cold_ms: cold.ms,
            hot_ms: ms(hot),
            callers: CALLERS as u64,
            callers_ms: ms(crowd),
            queries,
            dropped,
            orders_before: cold.orders,
            written: self.fresh(WRITTEN).await?,
            alike: self.fresh(ALIKE).await?,
        })
    }

    /// Removes the table and the entries of the demo, and closes the connections.
    async fn clear(&self) -> Result<(), Failure> {
        let keys =
            [WRITTEN, ALIKE, CROWDED].map(|store| self.client.key(self.question(), params! { "StoreId" => store }));
        let keys = keys.into_iter().flatten().map(|key| key.into_string().into()).collect::<Vec<_>>();
        // An entry that isn't removed expires by its TTL.
        let _ = self.store.remove(&keys).await;
        let dropped = self.client.query(&format!("DROP TABLE IF EXISTS {}", self.table), params! {}).await;
        connect::close(&self.client).await;
        Ok(dropped.map(|_| ())?)
    }

    /// Asks from many callers at once. Returns how many of their queries reached the database.
    async fn crowd(&self) -> Result<u64, Failure> {
        let question: Arc<str> = self.question().into();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, question) = (self.client.clone(), Arc::clone(&question));
            callers
                .spawn(async move { client.query_with_cache(&*question, params! { "StoreId" => CROWDED }, TTL).await });
        }
        let mut queries = 0;
        while let Some(answered) = callers.join_next().await {
            let answer = answered.map_err(|error| Failure::Other(format!("a caller of the demo: {error}")))??;
            queries += u64::from(answer.source() == Source::Computed);
        }
        Ok(queries)
    }

    async fn fresh(&self, store: u64) -> Result<Fresh, Failure> {
        let began = Instant::now();
        let answer = self.ask(store).await?;
        let ms = ms(began.elapsed());
        let orders = answer.rows::<Totals>()?.first().map_or(0, |totals| totals.orders);
        let source = if answer.is_hit() { "hit" } else { "miss" };
        Ok(Fresh { store_id: store, source, ms, orders })
    }

    async fn ask(&self, store: u64) -> Result<Answer, Failure> {
        Ok(self.client.query_with_cache(self.question(), params! { "StoreId" => store }, TTL).await?)
    }
}
