//! Runs and measures the demo, step by step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mrc::store::{CacheStore, QueryExecutor};
use mrc::{Answer, MrcClient, MrcServer, params};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::counting::Counting;
use super::report::{Fresh, Report, Servers, ms};
use super::shop::{ORDERS, STORES, Shop};
use crate::connect;
use crate::error::Failure;

/// The entries expire even if nothing removes them.
const TTL: Duration = Duration::from_secs(60);
const HITS: u32 = 1_000;
const CALLERS: usize = 1_000;

/// A store that is written to, a store whose number begins with the same digit, and a store without an entry.
const WRITTEN: u64 = 6;
const ALIKE: u64 = 66;
const CROWDED: u64 = 17;

pub(super) struct Story<E> {
    client: MrcClient,
    server: MrcServer,
    store: Arc<dyn CacheStore>,
    database: Counting<E>,
    shop: Shop,
    servers: Servers,
}

/// A row of the answer.
#[derive(Deserialize)]
struct Totals {
    orders: u64,
}

impl<E: QueryExecutor> Story<E> {
    pub(super) fn new(
        store: Arc<dyn CacheStore>,
        database: Counting<E>,
        shop: Shop,
        servers: Servers,
    ) -> Result<Self, Failure> {
        let builder = connect::builder()?.shared_store(Arc::clone(&store)).executor(database.clone());
        let server = MrcServer::with_shared_store(Arc::clone(&store));
        Ok(Self { client: builder.build()?, server, store, database, shop, servers })
    }

    /// Creates the table and its orders.
    pub(super) async fn open(&self) -> Result<(), Failure> {
        self.create().await?;
        self.fill().await
    }

    pub(super) async fn create(&self) -> Result<(), Failure> {
        self.client.query(&self.shop.create(), params! {}).await?;
        Ok(())
    }

    pub(super) async fn fill(&self) -> Result<(), Failure> {
        for batch in self.shop.batches() {
            self.client.query(&batch, params! {}).await?;
        }
        Ok(())
    }

    pub(super) async fn tell(&self) -> Result<Report, Failure> {
        let (cold, answer) = self.timed(WRITTEN).await?;
        let before = answer.rows::<Totals>()?;
        let began = Instant::now();
        for _ in 0..HITS {
            self.ask(WRITTEN).await?;
        }
        let hot = began.elapsed() / HITS;
        self.ask(ALIKE).await?;

        let asked = self.database.queries();
        let began = Instant::now();
        self.crowd().await?;
        let crowd = began.elapsed();
        let queries = self.database.queries() - asked;

        self.client.query(&self.shop.write(), params! { "StoreId" => WRITTEN }).await?;
        let dropped = self.server.drop_outdated_cache(params! { "StoreId" => WRITTEN }).await?;
        let written = self.fresh(WRITTEN).await?;
        let alike = self.fresh(ALIKE).await?;

        Ok(Report {
            servers: self.servers,
            orders: ORDERS,
            stores: STORES,
            query: self.shop.question(),
            cold_ms: ms(cold),
            hot_ms: ms(hot),
            callers: CALLERS as u64,
            callers_ms: ms(crowd),
            queries,
            dropped,
            orders_before: before.first().map_or(0, |totals| totals.orders),
            written,
            alike,
        })
    }

    /// Removes the table and the entries of the demo, and closes the connections.
    pub(super) async fn clear(&self) -> Result<(), Failure> {
        let keys = [WRITTEN, ALIKE, CROWDED]
            .map(|store| self.client.key(self.shop.question(), params! { "StoreId" => store }));
        let keys = keys.into_iter().flatten().map(|key| key.into_string().into()).collect::<Vec<_>>();
        // An entry that isn't removed expires by its TTL.
        let _ = self.store.remove(&keys).await;
        let dropped = self.client.query(&self.shop.drop(), params! {}).await;
        connect::close(&self.client).await;
        Ok(dropped.map(|_| ())?)
    }

    /// Asks from many callers at once for an answer that isn't cached.
    async fn crowd(&self) -> Result<(), Failure> {
        let question: Arc<str> = self.shop.question().into();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, question) = (self.client.clone(), Arc::clone(&question));
            callers
                .spawn(async move { client.query_with_cache(&*question, params! { "StoreId" => CROWDED }, TTL).await });
        }
        while let Some(answered) = callers.join_next().await {
            answered.map_err(|error| Failure::Other(format!("a caller of the demo: {error}")))??;
        }
        Ok(())
    }

    async fn fresh(&self, store: u64) -> Result<Fresh, Failure> {
        let (took, answer) = self.timed(store).await?;
        let orders = answer.rows::<Totals>()?.first().map_or(0, |totals| totals.orders);
        let source = if answer.is_hit() { "hit" } else { "miss" };
        Ok(Fresh { store_id: store, source, ms: ms(took), orders })
    }

    async fn timed(&self, store: u64) -> Result<(Duration, Answer), Failure> {
        let began = Instant::now();
        let answer = self.ask(store).await?;
        Ok((began.elapsed(), answer))
    }

    async fn ask(&self, store: u64) -> Result<Answer, Failure> {
        Ok(self.client.query_with_cache(self.shop.question(), params! { "StoreId" => store }, TTL).await?)
    }
}
