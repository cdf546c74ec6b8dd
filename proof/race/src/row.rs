//! The cached data: one row of a database, with a gate between reading and returning it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The time after which a load that hasn't begun counts as never beginning.
pub(crate) const SETTLE: Duration = Duration::from_millis(500);

/// The row. Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Row(Arc<Inner>);

struct Inner {
    value: watch::Sender<&'static str>,
    /// The number of loads that have read the row.
    loads: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Row {
    /// Returns a row that reads `old`, behind a closed gate.
    pub(crate) fn new() -> Self {
        let inner =
            Inner { value: watch::Sender::new("old"), loads: watch::Sender::new(0), open: watch::Sender::new(false) };
        Self(Arc::new(inner))
    }

    /// Computes the value for each cache: reads the row, then waits for the gate.
    pub(crate) async fn load(&self) -> String {
        let read = *self.0.value.borrow();
        self.0.loads.send_modify(|loads| *loads += 1);
        // The sender lives as long as this row.
        _ = self.0.open.subscribe().wait_for(|open| *open).await;
        read.to_owned()
    }

    /// Commits a write.
    pub(crate) fn write(&self, value: &'static str) {
        self.0.value.send_replace(value);
    }

    /// Lets every load continue, later ones too.
    pub(crate) fn open_gate(&self) {
        self.0.open.send_replace(true);
    }

    /// Returns how many loads have read the row so far.
    pub(crate) fn loads(&self) -> usize {
        *self.0.loads.borrow()
    }

    /// Waits until `loads` loads have read the row. Returns `false` after [`SETTLE`].
    pub(crate) async fn reaches(&self, loads: usize) -> bool {
        timeout(SETTLE, self.0.loads.subscribe().wait_for(|begun| *begun >= loads)).await.is_ok()
    }
}
