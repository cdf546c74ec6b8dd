//! Pauses between the protocol's steps, and a database that takes its time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mrc::Params;
use mrc::errors::ExecuteError;
use mrc::rows::RowEncoder;
use mrc::store::{Executed, ExecutorTransaction, MySqlExecutor, QueryExecutor};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::items::{LEASE, draw_pause};
use crate::record::Count;
use crate::sink::Sink;

/// When to pause, and for how long; and when the database fails.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    rng: Arc<Mutex<SmallRng>>,
    sink: Sink,
}

impl Pauses {
    pub(crate) fn new(seed: u64, sink: Sink) -> Self {
        Self { rng: Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))), sink }
    }

    pub(crate) async fn at(&self, place: Count) {
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

/// A database that pauses, and sometimes fails.
#[derive(Debug)]
pub(crate) struct Paused {
    pub(crate) pauses: Pauses,
    pub(crate) inner: MySqlExecutor,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl QueryExecutor for Paused {
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
