//! A client under load, which calls regardless of earlier calls, and a writer that invalidates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mrc::config::MySqlConfig;
use mrc::errors::ExecuteError;
use mrc::rows::RowEncoder;
use mrc::store::{Executed, ExecutorTransaction, MySqlExecutor, QueryExecutor};
use mrc::{Answer, Error, Event, MrcClient, MrcServer, Params, Source, params};
use mysql_async::Pool;
use mysql_async::prelude::Queryable;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

use crate::Res;
use crate::record::{Counts, Floors, Outcome, Sample};

/// The number of rows that each series reads.
pub(crate) const KEYS: u32 = 300;
pub(crate) const TTL: Duration = Duration::from_secs(2);
pub(crate) const EARLY_REFRESH: Duration = Duration::from_millis(500);
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// A call hangs if it ends this long after its deadline.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// The lifetime of copies, and the wait before a stale copy is taken.
pub(crate) const STALE: (Duration, Duration) = (Duration::from_secs(300), Duration::from_millis(100));
/// The param that names the row.
pub(crate) const PARAM: &str = "Item";
/// The name under which database queries are counted among the events.
pub(crate) const QUERIES: &str = "database queries";
const BY_ID: &str = "SELECT id, version FROM items WHERE id = ?";

pub(crate) struct Series {
    pub(crate) client: MrcClient,
    /// The first of its rows.
    pub(crate) first: u32,
    pub(crate) floors: Arc<Floors>,
    pub(crate) errors: Arc<Counts>,
    pub(crate) began: Instant,
    pub(crate) samples: UnboundedSender<Sample>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: u32,
    version: u32,
}

/// Returns a client, with copies or without. Its events are counted.
pub(crate) fn client(mysql: &str, redis: &str, copies: bool, events: &Arc<Counts>) -> Res<MrcClient> {
    let (told, queries) = (Arc::clone(events), Arc::clone(events));
    let inner = MySqlExecutor::new(MySqlConfig::from_url(mysql)?)?;
    let mut builder = MrcClient::builder()
        .redis(redis)
        .executor(Counted { inner, queries })
        .deadline(DEADLINE)
        .early_refresh(EARLY_REFRESH)
        .on_event(move |event: &Event<'_>| told.add(event.name()));
    if copies {
        builder = builder.stale_on_error(STALE.0).stale_after(STALE.1);
    }
    Ok(builder.build()?)
}

impl Series {
    /// Calls until `stop` is set, on a thread of its own: the runtime's timers are 1 ms apart.
    pub(crate) fn drive(self: Arc<Self>, runtime: &Handle, rate: u32, stop: &AtomicBool) {
        let mut rng = SmallRng::from_os_rng();
        let mut due = self.began;
        while !stop.load(Ordering::Relaxed) {
            due += Duration::from_secs(1) / rate;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // Some rows are used much more than others.
            let item = self.first + (f64::from(KEYS) * rng.random::<f64>().powi(2)) as u32;
            runtime.spawn(Arc::clone(&self).call(item, due));
        }
    }

    async fn call(self: Arc<Self>, item: u32, due: Instant) {
        let floor = self.floors.of(item);
        let call = self.client.query_with_cache(BY_ID, params! { PARAM => item }, TTL);
        let outcome = match timeout(DEADLINE + GRACE, call).await {
            Ok(Ok(answer)) => judge(&answer, item, floor),
            Ok(Err(error)) => self.error(&error),
            Err(_) => Outcome::Hung,
        };
        let sample = Sample { due: due - self.began, took: due.elapsed(), outcome };
        // A failed send is harmless: the run takes only samples from before its end.
        let _ = self.samples.send(sample);
    }

    fn error(&self, error: &Error) -> Outcome {
        self.errors.add(&error.to_string());
        if error.is_retryable() { Outcome::Refused } else { Outcome::Failed }
    }
}

fn judge(answer: &Answer, item: u32, floor: u32) -> Outcome {
    match answer.rows::<Item>().as_deref() {
        Ok([row]) if row.id == item && row.version >= floor => match answer.source() {
            Source::Cache => Outcome::Hit,
            Source::Stale => Outcome::Stale,
            _ => Outcome::Read,
        },
        _ => Outcome::Wrong,
    }
}

/// Counts the queries that reach the database's driver.
#[derive(Debug)]
struct Counted {
    inner: MySqlExecutor,
    queries: Arc<Counts>,
}

#[async_trait]
impl QueryExecutor for Counted {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.add(QUERIES);
        self.inner.query(sql, params, rows).await
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.add(QUERIES);
        self.inner.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.queries.add(QUERIES);
        self.inner.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        self.inner.begin().await
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.inner.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// The pause of the writer.
const THINK: Duration = Duration::from_millis(50);
/// The limit of a commit, and of the retries of a failed drop.
const LIMIT: Duration = Duration::from_secs(1);

/// The name under which commits are counted.
pub(crate) const WRITTEN: &str = "committed";
pub(crate) const UNWRITTEN: &str = "not committed, or unknown";
pub(crate) const DROPPED: &str = "dropped";
pub(crate) const UNDROPPED: &str = "drops that returned an error";

pub(crate) struct Writer {
    pub(crate) pool: Pool,
    pub(crate) server: MrcServer,
    pub(crate) floors: Arc<Floors>,
    pub(crate) items: u32,
    pub(crate) counts: Arc<Counts>,
}

impl Writer {
    /// Writes until its task is dropped.
    pub(crate) async fn run(self) {
        let server = self.server.clone().deadline(LIMIT);
        let mut rng = SmallRng::from_os_rng();
        for version in 1.. {
            sleep(THINK).await;
            let item = rng.random_range(0..self.items);
            if !matches!(timeout(LIMIT, self.commit(item, version)).await, Ok(Ok(()))) {
                self.counts.add(UNWRITTEN);
                continue;
            }
            self.counts.add(WRITTEN);
            match server.drop_outdated_cache(params! { PARAM => item }).await {
                Ok(_) => {
                    self.floors.raise(item, version);
                    self.counts.add(DROPPED);
                }
                Err(_) => self.counts.add(UNDROPPED),
            }
        }
    }

    /// Commits a version. An abandoned commit may still arrive, so a version never goes back.
    async fn commit(&self, item: u32, version: u32) -> Result<(), mysql_async::Error> {
        let mut conn = self.pool.get_conn().await?;
        conn.exec_drop("UPDATE items SET version = GREATEST(version, ?) WHERE id = ?", (version, item)).await
    }
}
