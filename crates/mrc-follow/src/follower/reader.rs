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
use crate::source::{SourceError, Stream, Upto, raw};
use crate::transaction::{Assembler, Committed};

/// The transactions that wait for their turn.
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
    task: JoinHandle<SourceError>,
}

impl Reader {
    /// Starts to read. `heard` is called at each event.
    pub(super) fn start(stream: Stream, assembler: Assembler, inner: &Arc<Inner>) -> Self {
        let (sender, transactions) = mpsc::channel(WAITING);
        let inner = Arc::clone(inner);
        Self { transactions, task: tokio::spawn(read(stream, assembler, sender, inner)) }
    }

    /// Returns whether nothing more is read.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Returns why the reader ended.
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

/// Transactions in the order of the log.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) effects: Effects,
    pub(super) upto: Upto,
    pub(super) transactions: u64,
    pub(super) rows: u64,
    pub(super) changed_schema: bool,
    /// Whether anything may have changed, followed or not.
    pub(super) is_touched: bool,
    /// The generation of schemes with which the oldest transaction was decoded.
    pub(super) generation: u64,
    gtids: Vec<Gtid>,
    /// The time of the newest commit since 1970.
    committed: Duration,
}

impl Batch {
    pub(super) fn new(first: Waiting) -> Self {
        let committed = first.committed.time();
        let Committed { gtid, upto, effects, rows, changed_schema, is_touched, generation, .. } = first.committed;
        let (transactions, gtids) = (1, vec![gtid]);
        Self { effects, upto, transactions, rows, changed_schema, is_touched, generation, gtids, committed }
    }

    pub(super) fn is_full(&self) -> bool {
        // The rows behind a change of the schema may be read by other foreign keys.
        self.transactions >= MOST_IN_BATCH || self.effects.is_full() || self.changed_schema
    }

    pub(super) fn add(&mut self, next: Waiting) {
        self.committed = next.committed.time();
        let Committed { gtid, upto, effects, rows, changed_schema, is_touched, generation, .. } = next.committed;
        self.changed_schema |= changed_schema;
        self.is_touched |= is_touched;
        self.generation = self.generation.min(generation);
        self.effects.merge(effects);
        self.upto.and(upto);
        self.transactions += 1;
        self.rows += rows;
        self.gtids.push(gtid);
    }

    /// Adds the transactions to a position.
    pub(super) fn pass(&mut self, position: &mut Position) {
        for gtid in self.gtids.drain(..) {
            match (&mut *position, gtid) {
                (Position::MySql(set), Gtid::MySql { uuid, tag, number, .. }) => set.add(Source { uuid, tag }, number),
                (Position::MariaDb(domains), Gtid::MariaDb { domain, server, sequence, .. }) => {
                    domains.insert(domain, (server, sequence));
                }
                _ => {}
            }
        }
    }

    /// Returns the time since the newest commit.
    pub(super) fn lag(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.committed)
    }
}
