//! Pauses between the protocol's steps: a store and a database that take their time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mrc::errors::{ExecuteError, StoreError};
use mrc::rows::RowEncoder;
use mrc::store::{
    BoundedCache, CacheStore, Checkpoints, Claim, Executed, ExecutorTransaction, Found, KeyPages, Life, Moment,
    QueryExecutor, ScanPattern, Schemes, Terms, ToClaim, ToFill, Token,
};
use mrc::{Bound, EventListener, Params, Tag};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::items::{LEASE, draw_pause};
use crate::record::Count;
use crate::sink::Sink;

/// When to pause, and for how long; and when the database fails.
#[derive(Clone)]
pub(crate) struct Pauses {
    rng: Arc<Mutex<SmallRng>>,
    sink: Sink,
}

impl Pauses {
    pub(crate) fn new(seed: u64, sink: Sink) -> Self {
        Self { rng: Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))), sink }
    }

    async fn at(&self, place: Count) {
        let pause = self.draw(draw);
        if pause.is_zero() {
            return;
        }
        self.sink.count(place);
        if pause > LEASE {
            self.sink.count(Count::OverLease);
        }
        tokio::time::sleep(pause).await;
    }

    fn draw<T>(&self, from: impl FnOnce(&mut SmallRng) -> T) -> T {
        from(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn draw(rng: &mut SmallRng) -> Duration {
    match rng.random_range(0..1_000) {
        0..3 => LEASE.mul_f64(rng.random_range(1.05..1.5)),
        3..150 => draw_pause(rng, 25),
        _ => Duration::ZERO,
    }
}

/// A store or a database that pauses.
pub(crate) struct Paused<T: ?Sized> {
    pub(crate) pauses: Pauses,
    pub(crate) inner: Arc<T>,
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Paused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CacheStore for Paused<dyn CacheStore> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let value = self.inner.get(key).await;
        // After a hit no step follows that could go wrong.
        if matches!(value, Ok(None)) {
            self.pauses.at(Count::AfterGet).await;
        }
        value
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let found = self.inner.look(key).await;
        if matches!(found, Ok(None)) {
            self.pauses.at(Count::AfterGet).await;
        }
        found
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.inner.stale(key).await
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.inner.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let claim = self.inner.claim(key, token, terms).await;
        if matches!(claim, Ok(Claim::Granted)) {
            self.pauses.at(Count::AfterClaim).await;
        }
        claim
    }

    async fn claim_at(&self, key: &str, token: &Token, terms: Terms) -> Result<(Claim, Moment), StoreError> {
        let claim = self.inner.claim_at(key, token, terms).await;
        if matches!(claim, Ok((Claim::Granted, _))) {
            self.pauses.at(Count::AfterClaim).await;
        }
        claim
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let filled = self.inner.fill(key, token, value, life).await;
        self.pauses.at(Count::AfterFill).await;
        filled
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        let values = self.inner.get_many(keys).await;
        if values.iter().any(|value| matches!(value, Ok(None))) {
            self.pauses.at(Count::AfterGet).await;
        }
        values
    }

    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        let claims = self.inner.claim_many(claims).await;
        if claims.iter().any(|claim| matches!(claim, Ok(Claim::Granted))) {
            self.pauses.at(Count::AfterClaim).await;
        }
        claims
    }

    async fn claim_many_at(&self, claims: &[ToClaim<'_>]) -> Vec<Result<(Claim, Moment), StoreError>> {
        let claims = self.inner.claim_many_at(claims).await;
        if claims.iter().any(|claim| matches!(claim, Ok((Claim::Granted, _)))) {
            self.pauses.at(Count::AfterClaim).await;
        }
        claims
    }

    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        let filled = self.inner.fill_many(fills).await;
        self.pauses.at(Count::AfterFill).await;
        filled
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.inner.release(key, token).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.inner.put(key, value, ttl).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        self.inner.ttl(key).await
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.inner.remove(keys).await
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        self.inner.invalidate(tags).await
    }

    async fn invalidate_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        self.inner.invalidate_each(tags).await
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        self.inner.scan(pattern)
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        let inner = Arc::clone(&self.inner).bounded(namespace, bound)?;
        Ok(Arc::new(Self { pauses: self.pauses.clone(), inner }))
    }

    fn as_schemes(&self) -> Option<&dyn Schemes> {
        self.inner.as_schemes()
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        self.inner.as_checkpoints()
    }

    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        self.inner.as_bounded()
    }

    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.inner.exist(keys).await
    }

    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        self.inner.scan_size().await
    }

    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        self.inner.tag_risks().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    fn patience(&self) -> Duration {
        self.inner.patience()
    }

    fn listen(&self, listener: Arc<dyn EventListener>) {
        self.inner.listen(listener);
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl QueryExecutor for Paused<dyn QueryExecutor> {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let outcome = self.inner.query(sql, params, rows).await;
        self.pauses.at(Count::AfterRead).await;
        if self.pauses.draw(|rng| rng.random_ratio(1, 100)) {
            self.pauses.sink.count(Count::DatabaseFailed);
            return Err(ExecuteError::Unavailable("a fault of the checker".into()));
        }
        outcome
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.inner.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.inner.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        self.inner.begin().await
    }

    fn ignores_space(&self) -> bool {
        self.inner.ignores_space()
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.inner.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
