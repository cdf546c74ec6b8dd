//! The writes and invalidations of a client.

use std::borrow::Borrow;

use mrc_core::Params;
use mrc_store::{DropRequest, Executed, Select};

use super::MrcClient;
use super::transaction::{self, Transaction};
use crate::cache::{CacheBuilder, CacheConfig};
use crate::call::Options;
use crate::error::Error;
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
    /// let written = client.execute(insert, params! { "StoreId" => 6, "State" => "open" }).await?;
    /// client.drop_outdated_cache(params! { "StoreId" => 6 }).await?;
    /// println!("{} row, id {:?}", written.affected_rows, written.last_insert_id);
    /// # Ok(()) }
    /// ```
    pub async fn execute(&self, sql: &str, params: impl Borrow<Params>) -> Result<Executed, Error> {
        Ok(self.inner().execute(sql, params.borrow()).await?.1)
    }

    /// Runs `work` in a transaction of the database, commits it, and then invalidates the entries
    /// that `work` named. Returns the result of `work`.
    ///
    /// - `Ok` commits. An error of `work`, a panic, a cancelled call (its future dropped) and the
    ///   [`deadline`](Self::with_deadline) roll back, and invalidate nothing.
    /// - The commit and the invalidations run in a task of their own, so cancelling the caller
    ///   doesn't stop them. The invalidations run only after the commit. They are tried again for
    ///   the [`invalidation_deadline`](crate::MrcClientBuilder::invalidation_deadline) (10 s).
    /// - The transaction has its own connection of the callers' pool. Its reads see its own writes,
    ///   and never the cache.
    ///
    /// A process that dies between commit and invalidation leaves old entries until their TTL ends.
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
    ///         let update = "UPDATE orders SET state = 'closed' WHERE store_id = ? AND state = 'open'";
    ///         let written = tx.execute(update, params! { "StoreId" => 6 }).await?;
    ///         tx.drop_outdated_cache(params! { "StoreId" => 6 });
    ///         tx.invalidate(["orders"]);
    ///         Ok::<_, mrc_client::Error>(written.affected_rows)
    ///     })
    ///     .await?;
    /// # let _ = closed; Ok(()) }
    /// ```
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&mut Transaction) -> Result<T, E>,
    {
        transaction::run(self, work).await
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
    pub async fn drop_outdated_cache(&self, request: impl Into<DropRequest>) -> Result<u64, Error> {
        let inner = self.inner();
        Ok(inner.invalidator.drop_outdated(&request.into(), &*inner.pipeline.events).await?)
    }

    /// Invalidates entries in the whole store, and returns their number: those that have any of
    /// some tags, or match a [`Select`]. The cost grows with the entries that have the tag.
    ///
    /// When it returns, no value that was read before it began is cached under such a tag. If the
    /// cache fails, it is tried again for the
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
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64, Error> {
        let inner = self.inner();
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
        let settings = self.inner().settings.clone();
        let settings = Settings { deadline, stale_on_error: stale, stale_after, early_refresh, ..settings };
        let config = CacheConfig { namespace: namespace.into(), settings, ..CacheConfig::default() };
        CacheBuilder::sharing(&self.inner().pipeline, config)
    }
}
