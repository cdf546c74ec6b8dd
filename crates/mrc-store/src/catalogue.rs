//! Remembers answers of a database's catalogue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::lock::lock;
use tokio::time::Instant;

/// The time for which an answer counts. After it an `ALTER TABLE` is noticed.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The number of remembered answers. Above it the catalogue is queried more often.
const MOST: usize = 4096;

/// Answers of a catalogue: each counts for 5 minutes, and there are 4,096 at most.
#[derive(Debug)]
pub struct Catalogue<K, V>(Mutex<HashMap<K, (V, Instant)>>);

impl<K: Eq + Hash, V> Catalogue<K, V> {
    /// Returns what `read` finds in the answer. Returns `None` if there is no answer that counts.
    pub fn get<T>(&self, key: &K, read: impl FnOnce(&V) -> T) -> Option<T> {
        let answers = self.lock();
        let (answer, _) = answers.get(key).filter(|(_, until)| Instant::now() < *until)?;
        Some(read(answer))
    }

    /// Remembers an answer.
    pub fn remember(&self, key: K, answer: V) {
        let (mut answers, now) = (self.lock(), Instant::now());
        if answers.len() >= MOST {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() < MOST || answers.contains_key(&key) {
            answers.insert(key, (answer, now + REMEMBERED));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, Instant)>> {
        lock(&self.0)
    }
}

impl<K, V> Default for Catalogue<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_expire() {
        let catalogue = Catalogue::default();
        assert_eq!(catalogue.get(&1, |answer| *answer), None);
        catalogue.remember(1, true);
        assert_eq!(catalogue.get(&1, |answer| *answer), Some(true));
        assert_eq!(catalogue.get(&2, |answer| *answer), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(catalogue.get(&1, |answer| *answer), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let catalogue = Catalogue::default();
        (0..=MOST).for_each(|key| catalogue.remember(key, ()));
        assert_eq!(catalogue.lock().len(), MOST);
        tokio::time::advance(REMEMBERED).await;
        catalogue.remember(MOST, ());
        assert_eq!(catalogue.lock().len(), 1);
    }
}
