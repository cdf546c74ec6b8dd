//! The task that reads the stream and hands on committed transactions, and their batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::shared::Inner;
use crate::event::Gtid;
use crate::position::{Position, Source};
use crate::rules::Effects;
use crate::source::{SourceError, Stream, raw};
use crate::transaction::{Assembler, Committed};

const WAITING: usize = 4_096;
/// The tags and params of all that wait. More than one transaction can have.
const WAITING_TAGS: u32 = 2 * Effects::MOST as u32;

/// A committed transaction on its way. Its permit bounds the memory of all that wait.
pub(super) struct Waiting {
    committed: Committed,
    _permit: OwnedSemaphorePermit,
}

/// The reader of a stream, which ends when it is dropped.
pub(super) struct Reader {
    pub(super) transactions: mpsc::Receiver<Waiting>,
    pub(super) task: JoinHandle<SourceError>,
}

impl Reader {
    pub(super) fn start(stream: Stream, assembler: Assembler, inner: &Arc<Inner>) -> Self {
        let (sender, transactions) = mpsc::channel(WAITING);
        let inner = Arc::clone(inner);
        Self { transactions, task: tokio::spawn(read(stream, assembler, sender, inner)) }
    }

    pub(super) async fn end(&mut self) -> SourceError {
        match (&mut self.task).await {
            Ok(error) => error,
            // Reading the same event again would panic again.
            Err(error) => SourceError::Lost(format!("the reader of the log failed: {error}")),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(
    mut stream: Stream,
    mut assembler: Assembler,
    sender: mpsc::Sender<Waiting>,
    inner: Arc<Inner>,
) -> SourceError {
    let permits = Arc::new(Semaphore::new(WAITING_TAGS as usize));
    loop {
        let event = match stream.next().await {
            Ok(event) => event,
            Err(error) => return error,
        };
        inner.status.heard();
        let taken = catch_unwind(AssertUnwindSafe(|| assembler.push(raw(&event))));
        let committed = taken.unwrap_or_else(|_| {
            assembler.panicked();
            None
        });
        let Some(committed) = committed else { continue };
        let weight = u32::try_from(committed.effects.len() + 1).unwrap_or(WAITING_TAGS).min(WAITING_TAGS);
        let permit = Arc::clone(&permits).acquire_many_owned(weight).await;
        let Ok(permit) = permit else { return closed() };
        if sender.send(Waiting { committed, _permit: permit }).await.is_err() {
            return closed();
        }
    }
}

fn closed() -> SourceError {
    SourceError::Broken("the follower stopped reading".into())
}

/// The most transactions of a batch. Each batch waits for visibility once.
const MOST_IN_BATCH: u64 = 4_096;

/// Transactions in the order of the log, merged.
#[derive(Debug)]
pub(super) struct Batch {
    /// The newest transaction, with the effects of all and the generation of the oldest.
    pub(super) all: Committed,
    pub(super) transactions: u64,
    /// The numbers of the transactions before the newest.
    older: Vec<Gtid>,
}

impl Batch {
    pub(super) fn new(first: Waiting) -> Self {
        Self { all: first.committed, transactions: 1, older: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        // The rows behind a change of the schema may be read by other foreign keys.
        self.transactions >= MOST_IN_BATCH || self.all.effects.is_full() || self.all.changed_schema
    }

    pub(super) fn add(&mut self, next: Waiting) {
        let (all, next) = (&mut self.all, next.committed);
        self.older.push(std::mem::replace(&mut all.gtid, next.gtid));
        all.timestamp = next.timestamp;
        all.changed_schema |= next.changed_schema;
        all.has_statement |= next.has_statement;
        all.is_touched |= next.is_touched;
        all.generation = all.generation.min(next.generation);
        all.effects.merge(next.effects);
        all.upto.and(next.upto);
        all.rows += next.rows;
        self.transactions += 1;
    }

    pub(super) fn pass(&mut self, position: &mut Position) {
        for gtid in self.older.drain(..).chain([self.all.gtid.clone()]) {
            match (&mut *position, gtid) {
                (Position::MySql(set), Gtid::MySql { uuid, tag, number, .. }) => set.add(Source { uuid, tag }, number),
                (Position::MariaDb(domains), Gtid::MariaDb { domain, server, sequence, .. }) => {
                    domains.insert(domain, (server, sequence));
                }
                _ => {}
            }
        }
    }

    pub(super) fn lag(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.all.time())
    }
}
