//! The task that reads the stream, and hands on committed transactions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::shared::Inner;
use crate::rules::Effects;
use crate::source::{SourceError, Stream, raw};
use crate::transaction::{Assembler, Committed};

/// The transactions that wait for their turn.
const WAITING: usize = 4_096;
/// The tags and params of all that wait. More than one transaction can have.
const WAITING_TAGS: u32 = 2 * Effects::MOST as u32;

/// A committed transaction on its way. Its permit bounds the memory of all that wait.
pub(super) struct Waiting {
    pub(super) committed: Committed,
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
