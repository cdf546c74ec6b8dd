//! Locks without poison.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex. A poisoned one is whole: no code that can panic runs under these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
