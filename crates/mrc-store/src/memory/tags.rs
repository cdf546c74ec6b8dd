//! The index of tags: the keys under each tag, and the time of its last invalidation.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Tag;
use mrc_core::depends::SchemeName;
use tokio::time::Instant;

use super::books::Registrations;
use crate::lock::lock;
use crate::store::{FILL_LIMIT, REMEMBERED};
use crate::tags::{Moment, Tags};

/// The smallest growth of the index after which it is swept. A large index must double first.
const LEAST_GROWTH: usize = 1_000;

/// The index. A step on a slot may run under its lock but never takes it: that could deadlock.
pub(super) struct Index {
    began: Instant,
    state: Mutex<IndexState>,
}

#[derive(Default)]
struct IndexState {
    clock: Moment,
    tags: HashMap<Tag, Registry>,
    /// The keys and tags added since the last sweep, and the number at which the next one begins.
    added: usize,
    due: usize,
    schemes: Registrations,
}

#[derive(Default)]
struct Registry {
    keys: HashSet<Bytes>,
    /// The tag's last invalidation. The clock's beginning if there was none.
    invalidated: Moment,
}

impl Index {
    pub(super) fn new() -> Self {
        let state = IndexState { due: LEAST_GROWTH, ..IndexState::default() };
        Self { began: Instant::now(), state: Mutex::new(state) }
    }

    pub(super) fn now(&self) -> Moment {
        self.tick(&mut lock(&self.state), 0)
    }

    /// Registers the key under each of the tags. Returns `false` if a tag was invalidated since its
    /// moment, the moment is too long ago to know, or a tag's scheme wasn't registered then.
    pub(super) fn register(&self, key: &[u8], tags: &Tags, life: Duration) -> bool {
        let mut state = lock(&self.state);
        let oldest = self.tick(&mut state, 0).earlier(FILL_LIMIT);
        let mut in_time = state.schemes.keep(tags, life);
        let key = Bytes::copy_from_slice(key);
        for (tag, since) in tags.iter() {
            let registry = state.tags.entry(tag.clone()).or_default();
            let is_new = registry.keys.insert(key.clone());
            in_time &= oldest <= since && registry.invalidated <= since;
            state.added += usize::from(is_new);
        }
        in_time
    }

    pub(super) fn register_schemes(&self, schemes: &[SchemeName]) -> Vec<SchemeName> {
        let mut state = lock(&self.state);
        let mut registrations = std::mem::take(&mut state.schemes);
        let refused = registrations.register(schemes, || self.tick(&mut state, 1));
        state.schemes = registrations;
        refused
    }

    pub(super) fn with_schemes<T>(&self, with: impl FnOnce(&Registrations) -> T) -> T {
        with(&lock(&self.state).schemes)
    }

    /// Marks the tags as invalidated. Returns the rarest of them, and its keys.
    pub(super) fn invalidate<'a>(&self, tags: &'a [Tag]) -> Option<(&'a Tag, Vec<Bytes>)> {
        let mut state = lock(&self.state);
        let now = self.tick(&mut state, 1);
        for tag in tags {
            state.tags.entry(tag.clone()).or_default().invalidated = now;
            state.added += 1;
        }
        let registries = tags.iter().filter_map(|tag| Some((tag, state.tags.get(tag)?)));
        let (tag, rarest) = registries.min_by_key(|(_, registry)| registry.keys.len())?;
        Some((tag, rarest.keys.iter().cloned().collect()))
    }

    /// Removes the keys of a tag that aren't `alive`: without the tag and a fill that may set it.
    pub(super) fn prune(&self, tag: &Tag, alive: impl Fn(&Bytes, &Tag) -> bool) {
        if let Some(registry) = lock(&self.state).tags.get_mut(tag) {
            registry.keys.retain(|key| alive(key, tag));
        }
    }

    /// Prunes every tag if a sweep is due. Removes invalidations that are too old for any fill.
    pub(super) fn sweep(&self, alive: impl Fn(&Bytes, &Tag) -> bool) {
        let mut state = lock(&self.state);
        if state.added < state.due {
            return;
        }
        let oldest = self.tick(&mut state, 0).earlier(REMEMBERED);
        state.tags.retain(|tag, registry| {
            registry.keys.retain(|key| alive(key, tag));
            !registry.keys.is_empty() || registry.invalidated > oldest
        });
        let left: usize = state.tags.values().map(|registry| 1 + registry.keys.len()).sum();
        (state.added, state.due) = (0, left.max(LEAST_GROWTH));
    }

    /// Returns the time, which is at least `more` µs later than the last one.
    fn tick(&self, state: &mut IndexState, more: u64) -> Moment {
        // The clock begins so late that every moment before it is too old for a fill.
        let time = u64::try_from((REMEMBERED + self.began.elapsed()).as_micros()).unwrap_or(u64::MAX);
        state.clock = Moment::from_micros(time.max(state.clock.as_micros() + more));
        state.clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Index {
        fn size(&self) -> (usize, usize) {
            let state = lock(&self.state);
            (state.tags.len(), state.tags.values().map(|registry| registry.keys.len()).sum())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_invalidation_has_a_moment_of_its_own() {
        let index = Index::new();
        let before = index.now();
        let tag = ["a".into()];
        for _ in 0..3 {
            index.invalidate(&tag);
        }
        assert_eq!(index.now().as_micros(), before.as_micros() + 3, "the clock stood still meanwhile");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(index.now().as_micros(), before.as_micros() + 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn the_index_grows_no_larger_than_its_content() {
        let index = Index::new();
        for number in 0..5_000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            let tags: Tags = [(format!("tag {number}").into(), index.now())].into_iter().collect();
            assert!(index.register(number.to_string().as_bytes(), &tags, Duration::ZERO));
            index.invalidate(&[format!("other tag {number}").into()]);
            index.sweep(|key, _| key == "7");
        }
        let (tags, keys) = index.size();
        assert!(tags <= 2 * LEAST_GROWTH, "old invalidations are removed, but {tags} tags are left");
        assert!((1..=LEAST_GROWTH).contains(&keys), "dead keys are removed, but {keys} are left");
    }
}
