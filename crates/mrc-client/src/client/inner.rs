//! The parts that all clones of a client share: the read of a query from the database, the limit on
//! queries, and the outbox.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mrc_core::{Event, KeyScheme, Params, RowEncoder, RowFormat, Tag};
use mrc_store::{ExecuteError, Executed, Invalidator, QueryExecutor};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::texts::Texts;
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::inherited::StoreId;
use crate::pipeline::Pipeline;
use crate::scope::Said;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) executor: Option<Arc<dyn QueryExecutor>>,
    #[cfg(feature = "mysql")]
    pub(crate) mysql: Option<Arc<mrc_store::MySqlExecutor>>,
    pub(crate) texts: Texts,
    pub(crate) keys: KeyScheme,
    pub(crate) rows: RowFormat,
    pub(crate) invalidator: Invalidator,
    pub(crate) outbox: Option<Outbox>,
    pub(crate) settings: Settings,
}

impl Inner {
    pub(crate) async fn read(&self, sql: &str, params: &Params, trusted: bool) -> Result<Bytes> {
        let rows = self.read_into(RowEncoder::new(self.rows), sql, params, trusted).await?;
        Ok(rows.finish().map_err(ExecuteError::from)?)
    }

    /// Runs a read in its turn, and returns the encoder with its rows.
    pub(crate) async fn read_into(
        &self,
        mut rows: RowEncoder,
        sql: &str,
        params: &Params,
        trusted: bool,
    ) -> Result<RowEncoder> {
        let turn = self.bulkhead.turn().await;
        if let Err(Error::Overloaded { waiting }) = turn {
            self.pipeline.events.emit(&Event::Overloaded { waiting });
        }
        let _turn = turn?;
        let executor = self.executor()?;
        if trusted {
            executor.query_trusted(sql, params, &mut rows).await?;
        } else {
            executor.query(sql, params, &mut rows).await?;
        }
        Ok(rows)
    }

    pub(crate) fn executor(&self) -> Result<&dyn QueryExecutor> {
        self.executor.as_deref().ok_or(Error::NoDatabase)
    }

    pub(crate) async fn execute(&self, sql: &str, params: &Params) -> Result<(RowEncoder, Executed)> {
        params.check()?;
        let mut rows = RowEncoder::new(self.rows);
        let executed = self.executor()?.execute(sql, params, &mut rows).await?;
        Ok((rows, executed))
    }
}

pub(crate) struct Read<'a> {
    pub(super) client: &'a Arc<Inner>,
    pub(super) sql: &'a str,
    pub(super) params: Cow<'a, Params>,
    /// Whether the caller vouches that it only reads.
    pub(super) trusted: bool,
}

impl Read<'_> {
    async fn read(self) -> Result<Made> {
        Ok(Made { value: self.client.read(self.sql, &self.params, self.trusted).await?, said: Said::default() })
    }
}

impl Compute for Read<'_> {
    const TAGS: bool = false;

    fn run(self, _: StoreId, _: &str) -> impl Future<Output = Result<Made>> {
        self.read()
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        let (client, sql, params) = (Arc::clone(self.client), self.sql.to_owned(), self.params.clone().into_owned());
        let (trusted, params) = (self.trusted, Cow::Owned(params));
        Some(Box::pin(async move { Read { client: &client, sql: &sql, params, trusted }.read().await }))
    }
}

/// The bulkhead: limits the queries that run and those that wait, and refuses all others. So a cold
/// cache doesn't drown the database.
///
/// Limits queries only: a function may run queries, and must not block the queries that it needs.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    running: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Bulkhead {
    pub(crate) fn new(running: usize, most_waiting: usize) -> Self {
        let running = Semaphore::new(running.min(Semaphore::MAX_PERMITS));
        Self { running, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// Waits for a turn, unless the queue is full. Dropping the turn ends it.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let overloaded = |waiting| Error::Overloaded { waiting };
        if let Ok(turn) = self.running.try_acquire() {
            return Ok(turn);
        }
        let _place = Place(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= self.most_waiting {
            return Err(overloaded(before));
        }
        self.running.acquire().await.map_err(|_| overloaded(0))
    }
}

/// A place in the queue. Dropping it, also by cancelling the caller, gives it up.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The rows of one statement.
const AT_ONCE: usize = 1_000;

/// A table whose inserted rows are invalidations. Its name was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outbox {
    insert: String,
}

impl Outbox {
    /// Reads `table` or `database.table`.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let parts: Vec<&str> = name.split('.').collect();
        let is_name = |part: &&str| !part.is_empty() && !part.contains(['`', '\0']);
        if !(1..=2).contains(&parts.len()) || !parts.iter().all(is_name) {
            let reason = format!("outbox {name:?} is no table: write `mrc_outbox`, or `shop.mrc_outbox`");
            return Err(Error::Config(reason));
        }
        let quoted: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
        Ok(Self { insert: format!("INSERT INTO {} (tag) VALUES ", quoted.join(".")) })
    }

    /// Returns the statements that insert these tags, with their params.
    pub(crate) fn inserts<'a>(&'a self, tags: &'a [Tag]) -> impl Iterator<Item = (String, Params)> + 'a {
        tags.chunks(AT_ONCE).map(|some| {
            let rows = vec!["(?)"; some.len()].join(", ");
            let tags = some.iter().fold(Params::new(), |params, tag| params.with("Tag", tag.as_str()));
            (self.insert.clone() + &rows, tags)
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_cancelled_caller_frees_its_place() {
        let bulkhead = Bulkhead::new(1, 1);
        let first = bulkhead.turn().await.unwrap();
        for _ in 0..3 {
            assert!(bulkhead.turn().now_or_never().is_none());
        }
        drop(first);
        assert!(bulkhead.turn().await.is_ok());
    }

    #[test]
    fn a_table_is_quoted_and_checked() {
        let insert = |name: &str| Outbox::new(name).map(|outbox| outbox.insert);
        assert_eq!(insert("shop.mrc_outbox").unwrap(), "INSERT INTO `shop`.`mrc_outbox` (tag) VALUES ");
        for bad in ["", "a.b.c", "a.", "a`b"] {
            assert!(insert(bad).unwrap_err().to_string().contains("is no table"), "{bad}");
        }
    }
}
