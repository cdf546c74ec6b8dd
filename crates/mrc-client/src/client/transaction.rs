//! A transaction whose invalidations run after its commit.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use mrc_core::{Params, RowEncoder, RowFormat};
use mrc_store::{DropError, DropRequest, ExecuteError, Executed, ExecutorTransaction, Select, StoreError};
use tokio::time::{Instant, timeout_at};

use super::MrcClient;
use crate::answer::Answer;
use crate::error::Error;
use crate::invalidations::{Invalidation, Invalidations};
use crate::scope;

/// An open transaction, which [`MrcClient::transaction`] hands to its function.
pub struct Transaction {
    open: Box<dyn ExecutorTransaction>,
    rows: RowFormat,
    pending: Invalidations,
    /// Whether a statement has ended the transaction: earlier statements may be committed.
    is_over: bool,
}

impl Transaction {
    /// Runs a statement in the transaction, and returns its rows. A read sees the transaction's own
    /// writes, and never the cache.
    ///
    /// # Errors
    /// Those of [`MrcClient::query`]. [`ExecuteError::TransactionOver`]: an earlier error or a
    /// statement has ended the transaction.
    pub async fn query(&mut self, sql: &str, params: impl Borrow<Params>) -> Result<Answer, Error> {
        let (rows, _) = self.run(sql, params.borrow()).await?;
        Ok(Answer::of_rows(rows)?)
    }

    /// Runs a statement in the transaction. Returns how many rows it wrote, and the generated id.
    ///
    /// # Errors
    /// Those of [`MrcClient::execute`]. [`ExecuteError::TransactionOver`]: an earlier error or a
    /// statement has ended the transaction.
    pub async fn execute(&mut self, sql: &str, params: impl Borrow<Params>) -> Result<Executed, Error> {
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

    async fn run(&mut self, sql: &str, params: &Params) -> Result<(RowEncoder, Executed), Error> {
        params.check()?;
        let mut rows = RowEncoder::new(self.rows);
        let done = self.open.execute(sql, params, &mut rows).await;
        self.is_over |= matches!(done, Err(ExecuteError::TransactionOver));
        Ok((rows, done?))
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("open", &self.open).field("pending", &self.pending).finish_non_exhaustive()
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
    pub async fn retry(&self, client: &MrcClient) -> Result<u64, Error> {
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
        let inner = client.inner();
        let events = &*inner.pipeline.events;
        match self {
            Self::Drop(request) => inner.invalidator.drop_outdated(request, events).await,
            Self::Select(select) => inner.invalidator.invalidate(select, events).await,
        }
    }
}

pub(crate) async fn run<T, E, F>(client: &MrcClient, work: F) -> Result<T, E>
where
    E: From<Error>,
    F: AsyncFnOnce(&mut Transaction) -> Result<T, E>,
{
    let limit = client.options.deadline;
    let ends = Instant::now() + limit;
    let late = || Error::Deadline { limit };
    let begun = timeout_at(ends, begin(client)).await;
    let mut transaction = begun.unwrap_or_else(|_| Err(late()))?;
    let done = timeout_at(ends, Box::pin(work(&mut transaction))).await;
    let done = done.unwrap_or_else(|_| Err(late().into()));
    match done.and_then(|value| Ok(transaction.pending.check().map(|()| value).map_err(Error::from)?)) {
        Ok(value) => {
            if let Err(error) =
                timeout_at(ends, write_outbox(client, &mut transaction)).await.unwrap_or_else(|_| Err(late()))
            {
                roll_back(client, transaction, ends).await;
                return Err(error.into());
            }
            commit(client, transaction, ends).await?;
            Ok(value)
        }
        Err(error) => {
            roll_back(client, transaction, ends).await;
            Err(error)
        }
    }
}

async fn begin(client: &MrcClient) -> Result<Transaction, Error> {
    let inner = client.inner();
    let open = inner.executor()?.begin().await?;
    Ok(Transaction { open, rows: inner.rows, pending: Invalidations::default(), is_over: false })
}

/// Inserts the invalidations into the outbox, if there is one, before the commit.
async fn write_outbox(client: &MrcClient, transaction: &mut Transaction) -> Result<(), Error> {
    let Some(outbox) = &client.inner().outbox else { return Ok(()) };
    let tags = transaction.pending.tags();
    for (sql, params) in outbox.inserts(&tags) {
        transaction.execute(&sql, params).await?;
    }
    Ok(())
}

/// Rolls back within the deadline. Past it the transaction is dropped, which rolls back as well.
async fn roll_back(client: &MrcClient, transaction: Transaction, ends: Instant) {
    let Transaction { open, pending, is_over, .. } = transaction;
    let ended = timeout_at(ends, open.rollback()).await;
    if is_over && matches!(ended, Ok(Err(ExecuteError::TransactionOver))) && !pending.is_empty() {
        // A statement has committed earlier ones. The caller's own error matters more.
        let client = client.clone();
        scope::spawn(async move { pending.retry(&client).await.map(drop) });
    }
}

/// Commits and invalidates in a task of its own, so that a cancelled caller can't separate them.
async fn commit(client: &MrcClient, transaction: Transaction, ends: Instant) -> Result<(), Error> {
    let Transaction { open, pending, .. } = transaction;
    let patience = client.inner().settings.invalidation_deadline;
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
