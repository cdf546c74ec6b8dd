//! The writes and invalidations of a client, and its transactions, whose invalidations run after
//! the commit.

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use mrc_core::{Params, RowEncoder, RowFormat};
use mrc_store::{DropError, DropRequest, ExecuteError, Executed, ExecutorTransaction, Select, StoreError};
use tokio::time::{Instant, timeout_at};

use super::MrcClient;
use crate::answer::Answer;
use crate::cache::{CacheBuilder, CacheConfig};
use crate::call::Options;
use crate::error::{Error, Result};
use crate::invalidations::{Invalidation, Invalidations};
use crate::scope;
use crate::settings::Settings;

impl MrcClient {
    /// Runs a statement that writes, and returns the number of written rows and the generated id.
    /// Ignores returned rows: see [`query`](Self::query).
    ///
    /// The statement is committed by itself. Invalidate after it, or run both in a
    /// [`transaction`](Self::transaction), which invalidates after its commit.
    ///
    /// # Errors
    /// - [`Error::Key`] with [`KeyError::TooDeep`](mrc_core::KeyError::TooDeep): nothing was run.
    /// - [`Error::Database`]: the database failed. After `ExecuteError::Unavailable` and
    ///   `ExecuteError::Timeout` the statement may have run all the same.
    ///
    /// ```no_run
    /// # use mrc_core::params;
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let insert = "INSERT INTO orders (store_id, state) VALUES (?, ?)";
    /// let order = params! { "StoreId" => 6, "State" => "open" };
    /// let id = client.execute(insert, order).await?.last_insert_id;
    /// client.drop_outdated_cache(params! { "StoreId" => 6 }).await?;
    /// # Ok(()) }
    /// ```
    pub async fn execute(&self, sql: &str, params: impl Borrow<Params>) -> Result<Executed> {
        Ok(self.inner.execute(sql, params.borrow()).await?.1)
    }

    /// Runs `work` in a transaction of the database, commits it, and then invalidates the entries
    /// that `work` named. Returns the result of `work`.
    ///
    /// - `Ok` commits. An error of `work`, a panic, a cancelled call (its future dropped) and the
    ///   [`deadline`](Self::with_deadline) roll back, and invalidate nothing. If a statement had
    ///   ended the transaction before, earlier ones may be committed: an error then invalidates.
    /// - The commit and then the invalidations run in a task of their own, which outlives a
    ///   cancelled caller. Invalidations are tried again for the
    ///   [`invalidation_deadline`](crate::MrcClientBuilder::invalidation_deadline) (10 s). A process
    ///   that dies before them leaves old entries until their TTL ends.
    /// - The transaction has its own connection of the callers' pool. Its reads see its own writes,
    ///   and never the cache.
    ///
    /// # Errors
    /// - The error of `work`.
    /// - [`Error::Tag`], [`Error::Drop`]: an invalidation can't be used. The work is rolled back.
    /// - [`Error::Database`]: the transaction couldn't begin or commit, and nothing is written.
    ///   [`is_retryable`](Error::is_retryable) says whether to run it again.
    /// - [`Error::Deadline`]: it took longer than the deadline (60 s), and was rolled back.
    /// - [`Error::NotInvalidated`]: committed, but the cache still has entries. Retry `pending`.
    /// - [`Error::CommitUnknown`]: the answer to `COMMIT` was lost. The invalidations ran anyway.
    ///
    /// ```no_run
    /// # use mrc_core::params;
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let closed = client
    ///     .transaction(async |tx| {
    ///         tx.drop_outdated_cache(params! { "StoreId" => 6 });
    ///         tx.invalidate(["orders"]);
    ///         let close = "UPDATE orders SET state = 'closed' WHERE store_id = ?";
    ///         tx.execute(close, params! { "StoreId" => 6 }).await
    ///     })
    ///     .await?;
    /// # let _ = closed.affected_rows; Ok(()) }
    /// ```
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Transaction) -> Result<T, E>,
    {
        let limit = self.options.deadline;
        let ends = Instant::now() + limit;
        let late = || Error::Deadline { limit };
        let begun = timeout_at(ends, begin(self)).await;
        let mut transaction = begun.unwrap_or_else(|_| Err(late()))?;
        let done = timeout_at(ends, Box::pin(work(&mut transaction))).await;
        let done = done.unwrap_or_else(|_| Err(late().into()));
        match done.and_then(|value| Ok(transaction.pending.check().map(|()| value).map_err(Error::from)?)) {
            Ok(value) => {
                if let Err(error) =
                    timeout_at(ends, write_outbox(self, &mut transaction)).await.unwrap_or_else(|_| Err(late()))
                {
                    roll_back(self, transaction, ends).await;
                    return Err(error.into());
                }
                commit(self, transaction, ends).await?;
                Ok(value)
            }
            Err(error) => {
                roll_back(self, transaction, ends).await;
                Err(error)
            }
        }
    }

    /// Drops entries that have any of these params, or match a [`DropRequest`]. Returns the number.
    ///
    /// Call it after the commit of the write: an entry that is filled between the drop and the
    /// commit holds the old rows. The peers' `dropOutdatedCache` / `drop_outdated_cache`, but for
    /// whole params, and only for keys that look like cached entries. It also drops the entries of
    /// cached functions that read such an entry, in every namespace of the store. If the cache
    /// fails, the whole drop is tried again for the
    /// [`invalidation_deadline`](crate::MrcClientBuilder::invalidation_deadline) (10 s).
    ///
    /// # Errors
    /// [`Error::Drop`]: the params select nothing, and nothing was dropped, or the cache went on
    /// failing, and entries may survive until their TTL ends: call it again.
    pub async fn drop_outdated_cache(&self, request: impl Into<DropRequest>) -> Result<u64> {
        let inner = &self.inner;
        Ok(inner.invalidator.drop_outdated(&request.into(), &*inner.pipeline.events).await?)
    }

    /// Invalidates entries in the whole store, and returns their number: those that have any of
    /// some tags, or match a [`Select`]. The cost grows with the entries that have the tag.
    ///
    /// When it returns, no value that was read before it began is cached under such a tag. While
    /// the cache fails, it tries again for the
    /// [`invalidation_deadline`](crate::MrcClientBuilder::invalidation_deadline) (10 s).
    ///
    /// # Errors
    /// - [`Error::Tag`]: a tag can't be used, and nothing was removed.
    /// - [`Error::Drop`]: the cache went on failing: call it again.
    ///
    /// ```no_run
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// client.invalidate(["user:42", "users"]).await?;
    /// # Ok(()) }
    /// ```
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64> {
        let inner = &self.inner;
        Ok(inner.invalidator.invalidate(&select.into(), &*inner.pipeline.events).await?)
    }

    /// Returns the builder of a cache for functions and plain values, on the connections of this
    /// client. The cache has the client's listeners and settings, except for the TTL (5 minutes),
    /// the codec and the bound. Build it once and clone it, so that callers share computations.
    ///
    /// ```no_run
    /// # fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let functions = client.cache("shop").ttl(600).build()?;
    /// # Ok(()) }
    /// ```
    pub fn cache(&self, namespace: impl Into<String>) -> CacheBuilder {
        let Options { deadline, stale, stale_after, early_refresh, .. } = self.options;
        let settings = self.inner.settings.clone();
        let settings = Settings { deadline, stale_on_error: stale, stale_after, early_refresh, ..settings };
        let config = CacheConfig { namespace: namespace.into(), settings, ..CacheConfig::default() };
        CacheBuilder::sharing(&self.inner.pipeline, config)
    }
}

/// An open transaction, which [`MrcClient::transaction`] hands to its function.
#[derive(Debug)]
pub struct Transaction {
    open: Box<dyn ExecutorTransaction>,
    rows: RowFormat,
    pending: Invalidations,
}

impl Transaction {
    /// Runs a statement in the transaction, and returns its rows.
    ///
    /// # Errors
    /// Those of [`MrcClient::query`]. [`ExecuteError::TransactionOver`]: an earlier error or a
    /// statement has ended the transaction.
    pub async fn query(&mut self, sql: &str, params: impl Borrow<Params>) -> Result<Answer> {
        let (rows, _) = self.run(sql, params.borrow()).await?;
        Ok(Answer::of_rows(rows)?)
    }

    /// Runs a statement in the transaction. Returns how many rows it wrote, and the generated id,
    /// or the errors of [`query`](Self::query).
    pub async fn execute(&mut self, sql: &str, params: impl Borrow<Params>) -> Result<Executed> {
        Ok(self.run(sql, params.borrow()).await?.1)
    }

    /// Drops entries by params after the commit: see [`MrcClient::drop_outdated_cache`]. A request
    /// that can't be used rolls the transaction back.
    pub fn drop_outdated_cache(&mut self, request: impl Into<DropRequest>) {
        self.pending.0.push(Invalidation::Drop(request.into()));
    }

    /// Invalidates entries by tags after the commit: see [`MrcClient::invalidate`]. A tag that
    /// can't be used rolls the transaction back.
    pub fn invalidate(&mut self, select: impl Into<Select>) {
        self.pending.0.push(Invalidation::Select(select.into()));
    }

    async fn run(&mut self, sql: &str, params: &Params) -> Result<(RowEncoder, Executed)> {
        params.check()?;
        let mut rows = RowEncoder::new(self.rows);
        let done = self.open.execute(sql, params, &mut rows).await?;
        Ok((rows, done))
    }
}

impl Invalidations {
    /// Runs these invalidations, and returns the number of removed entries. Repeating is harmless.
    ///
    /// # Errors
    /// [`Error::NotInvalidated`], with the rest as `pending`: the cache went on failing for the
    /// [`invalidation_deadline`](crate::MrcClientBuilder::invalidation_deadline). Call it again
    /// later.
    ///
    /// ```no_run
    /// # async fn example(client: mrc_client::MrcClient, error: mrc_client::Error) -> Result<(), mrc_client::Error> {
    /// if let mrc_client::Error::NotInvalidated { pending, .. } = &error {
    ///     pending.retry(&client).await?; // later, when the cache is back
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn retry(&self, client: &MrcClient) -> Result<u64> {
        let outcomes = join_all(self.0.iter().map(|one| one.run(client))).await;
        let (mut entries, mut failed) = (0, None);
        let mut pending = Self::default();
        for (one, outcome) in self.0.iter().zip(outcomes) {
            match outcome {
                Ok(went) => entries += went,
                Err(error) => {
                    pending.0.push(one.clone());
                    failed = Some(error);
                }
            }
        }
        match failed {
            None => Ok(entries),
            Some(error) => Err(Error::NotInvalidated { pending, source: Arc::new(error) }),
        }
    }
}

impl Invalidation {
    async fn run(&self, client: &MrcClient) -> Result<u64, DropError> {
        let inner = &client.inner;
        let events = &*inner.pipeline.events;
        match self {
            Self::Drop(request) => inner.invalidator.drop_outdated(request, events).await,
            Self::Select(select) => inner.invalidator.invalidate(select, events).await,
        }
    }
}

async fn begin(client: &MrcClient) -> Result<Transaction> {
    let inner = &client.inner;
    let open = inner.executor()?.begin().await?;
    Ok(Transaction { open, rows: inner.rows, pending: Invalidations::default() })
}

/// Inserts the invalidations into the outbox, if there is one, before the commit.
async fn write_outbox(client: &MrcClient, transaction: &mut Transaction) -> Result<()> {
    let Some(outbox) = &client.inner.outbox else { return Ok(()) };
    let tags = transaction.pending.tags();
    for (sql, params) in outbox.inserts(&tags) {
        transaction.execute(&sql, params).await?;
    }
    Ok(())
}

/// Rolls back within the deadline. Past it the transaction is dropped, which rolls back as well.
async fn roll_back(client: &MrcClient, transaction: Transaction, ends: Instant) {
    let Transaction { open, pending, .. } = transaction;
    let ended = timeout_at(ends, open.rollback()).await;
    if matches!(ended, Ok(Err(ExecuteError::TransactionOver))) && !pending.is_empty() {
        // A statement may have committed earlier ones. The caller's own error matters more.
        let client = client.clone();
        scope::spawn(async move { pending.retry(&client).await.map(drop) });
    }
}

/// Commits and invalidates in a task of its own, so that a cancelled caller can't separate them.
async fn commit(client: &MrcClient, transaction: Transaction, ends: Instant) -> Result<()> {
    let Transaction { open, pending, .. } = transaction;
    let patience = client.inner.settings.invalidation_deadline.min(Options::LONGEST);
    let committed = Arc::new(AtomicBool::new(false));
    let (at_work, is_committed, to_do) = (client.clone(), Arc::clone(&committed), pending.clone());
    let work = scope::spawn(async move {
        let unknown = match open.commit().await {
            Ok(()) => None,
            Err(error @ (ExecuteError::CommitUnknown(_) | ExecuteError::TransactionOver)) => Some(Arc::new(error)),
            Err(error) => return Err(error.into()),
        };
        is_committed.store(unknown.is_none(), Ordering::SeqCst);
        let invalidated = to_do.retry(&at_work).await.map(drop);
        match (unknown, invalidated) {
            (None, invalidated) => invalidated,
            (Some(source), Ok(())) => Err(Error::CommitUnknown { pending: Invalidations::default(), source }),
            (Some(source), Err(Error::NotInvalidated { pending, .. })) => Err(Error::CommitUnknown { pending, source }),
            (Some(_), Err(error)) => Err(error),
        }
    });
    match timeout_at(ends + patience, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Error::Shutdown),
        Err(_) if committed.load(Ordering::SeqCst) => {
            let source = DropError::Interrupted { dropped: 0, source: StoreError::Timeout(patience) };
            Err(Error::NotInvalidated { pending, source: Arc::new(source) })
        }
        Err(_) => {
            let late = ExecuteError::Timeout { stage: "the commit", limit: client.options.deadline, address: None };
            Err(Error::CommitUnknown { pending, source: Arc::new(ExecuteError::CommitUnknown(Box::new(late))) })
        }
    }
}
