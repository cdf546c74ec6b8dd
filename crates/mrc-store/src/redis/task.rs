//! A task that ends with its owner.

use tokio::task::JoinHandle;

/// A task that is aborted when its owner is dropped.
pub(super) struct AbortOnDrop<T>(pub(super) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
