//! The rules for a store that creates bounded views.

use std::num::NonZeroU16;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use mrc_core::Tag;

use super::{LONG, TestedKey};
use crate::bound::{Bound, Policy};
use crate::error::StoreError;
use crate::store::{CacheStore, ScanPattern};

/// Runs every rule for bounded views of namespaces that begin with `prefix`, a random text.
pub async fn bounded_suite(store: &Arc<dyn CacheStore>, prefix: &str) {
    for policy in Policy::ALL {
        never_has_more_than_its_bound(store, prefix, policy).await;
        evicts_by_its_policy(store, prefix, policy).await;
        ends_fills_by_a_purge(store, prefix, policy).await;
        shares_tags_with_the_store(store, prefix, policy).await;
        bounds_each_function_by_itself(store, prefix, policy).await;
    }
    keeps_views_apart(store, prefix).await;
    bounds_all_shards_together(store, prefix).await;
}

/// Checks that concurrent puts and fills respect the bound, and new entries a reduced bound.
pub async fn never_has_more_than_its_bound(store: &Arc<dyn CacheStore>, prefix: &str, policy: Policy) {
    const MAX: usize = 5;
    let view = View::new(store, &format!("{prefix}max"), &Bound::new(policy).max(MAX));
    for round in 0..10 {
        let names: Vec<String> = (0..10).map(|number| format!("f(x={round}{number})")).collect();
        join_all(names.iter().map(|name| async {
            if round % 2 == 0 {
                view.put(name).await;
            } else {
                view.filled(name, &[]).await;
            }
            let count = view.count().await;
            assert!(count <= MAX as u64, "{view}: there are {count} of at most {MAX} entries");
        }))
        .await;
        assert_eq!(view.count().await, MAX as u64, "{view}: how many entries there are when it is full");
        assert_eq!(view.keys().await.len(), MAX, "{view}: how many keys there are when it is full");
    }
    let smaller = View::new(store, &view.namespace, &Bound::new(policy).max(2));
    smaller.put("f(x=new)").await;
    assert_eq!(view.count().await, 2, "{view}: how many entries are left under a smaller bound");
    assert_eq!(view.purge().await, 2, "{view}: how many entries a purge removes");
    assert!(view.keys().await.is_empty(), "{view}: a purge must leave nothing");
}

/// Checks that the policy decides which entry is evicted, and that a hit counts as a use.
pub async fn evicts_by_its_policy(store: &Arc<dyn CacheStore>, prefix: &str, policy: Policy) {
    let view = View::new(store, &format!("{prefix}policy"), &Bound::new(policy).max(3));
    for name in ["f(a)", "f(b)", "f(c)"] {
        view.put(name).await;
    }
    // For LFU, c is the least often used.
    for name in ["f(b)", "f(b)", "f(a)"] {
        assert!(view.has(name).await, "{view}: {name} must be there while there is room");
    }
    view.put("f(d)").await;
    let gone = match policy {
        Policy::Lru | Policy::LruT | Policy::Lfu => "c",
        Policy::Mru | Policy::Fifo | Policy::FifoT => "a",
        Policy::Rr => "",
    };
    let left = view.keys().await;
    assert!(left.contains(&view.key("f(d)").into()), "{view}: the new entry must be there, and are {left:?}");
    for name in ["a", "b", "c"].into_iter().filter(|_| !gone.is_empty()) {
        let is_left = left.contains(&view.key(&format!("f({name})")).into());
        assert_eq!(is_left, name != gone, "{view}: {gone} must go for the new entry, and are left {left:?}");
    }
    assert_eq!(view.purge().await, 3, "{view}: how many entries a purge removes");
}

/// Checks that a fill is refused if a purge followed its claim.
pub async fn ends_fills_by_a_purge(store: &Arc<dyn CacheStore>, prefix: &str, policy: Policy) {
    let view = View::new(store, &format!("{prefix}purge"), &Bound::new(policy).max(10));
    view.put("f(a)").await;
    let entry = view.entry("f(b)");
    let late = entry.granted(LONG).await;
    assert_eq!(view.purge().await, 1, "{view}: a purge counts values, and no claims");
    assert!(!entry.fill(&late, "1").await, "{view}: a fill from before a purge must be refused");
    assert_eq!(view.count().await, 0, "{view}: how many entries there are after a purge and a refused fill");
    view.filled("f(b)", &[]).await;
    assert_eq!(view.purge().await, 1, "{view}: how many entries a purge removes");
}

/// Checks that an invalidation by tag reaches the store and its views, whichever is called.
pub async fn shares_tags_with_the_store(store: &Arc<dyn CacheStore>, prefix: &str, policy: Policy) {
    let view = View::new(store, &format!("{prefix}tags"), &Bound::new(policy).max(10));
    let plain = View { view: Arc::clone(store), ..view.clone() };
    let tags = ["a", "b"].map(|name| Tag::from(format!("{}:{name}", view.namespace)));
    let [a, b] = &tags;
    for asked in [&plain, &view] {
        view.filled("f(a)", &[a]).await;
        view.filled("f(b)", &[b]).await;
        plain.filled("plain", &[a]).await;
        let removed = asked.must(asked.view.invalidate(&tags[..1]).await);
        assert_eq!(removed, 2, "{view}: how many entries go with a tag of a view and its store");
        let is_gone = !view.has("f(a)").await && !plain.has("plain").await;
        assert!(is_gone, "{view}: what has an invalidated tag must be gone");
        assert!(view.has("f(b)").await, "{view}: an entry of another tag must stay");
    }
    view.purge().await;
}

/// Checks that each function has its own room with `per_function`; count and purge cover all.
pub async fn bounds_each_function_by_itself(store: &Arc<dyn CacheStore>, prefix: &str, policy: Policy) {
    let view = View::new(store, &format!("{prefix}functions"), &Bound::new(policy).max(3).per_function());
    for number in 0..5 {
        for function in 0..4 {
            view.put(&format!("f{function}(x={number})")).await;
        }
    }
    let keys = view.keys().await;
    for function in 0..4 {
        let its = keys.iter().filter(|key| key.starts_with(view.key(&format!("f{function}(")).as_bytes())).count();
        assert_eq!(its, 3, "{view}: how many entries a function of four has");
    }
    assert_eq!(view.count().await, 12, "{view}: how many entries four functions have");
    assert_eq!(view.purge().await, 12, "{view}: how many entries of four functions a purge removes");
    assert_eq!(view.count().await, 0, "{view}: how many entries there are after a purge");
}

/// Checks that views of other namespaces and policies have their own entries, even with equal keys.
pub async fn keeps_views_apart(store: &Arc<dyn CacheStore>, prefix: &str) {
    let bound = |policy| Bound::new(policy).max(2);
    let namespace = format!("{prefix}apart");
    let mut views: Vec<View> = Policy::ALL.map(|policy| View::new(store, &namespace, &bound(policy))).into();
    views.push(View::new(store, &namespace, &bound(Policy::Lru).per_function()));
    views.push(View::new(store, &namespace, &bound(Policy::Lru).shards(NonZeroU16::MIN.saturating_add(1))));
    for (at, view) in views.iter().enumerate() {
        assert!(!view.has("f(a)").await, "{view}: an entry of another view");
        view.put("f(a)").await;
        for (other, that) in views.iter().enumerate() {
            assert_eq!(that.count().await, u64::from(other <= at), "{that}: how many entries there are");
        }
    }
    let other = View::new(store, &format!("{namespace}2"), &bound(Policy::Lru));
    assert!(!other.has("f(a)").await, "{other}: an entry of another namespace");
    for (at, view) in views.iter().enumerate() {
        assert_eq!(view.purge().await, 1, "{view}: how many entries a purge removes");
        let left = join_all(views[at + 1..].iter().map(View::count)).await;
        assert!(left.iter().all(|count| *count == 1), "{view}: a purge must leave the entries of other views");
    }
}

/// Checks that all shards together respect the bound.
pub async fn bounds_all_shards_together(store: &Arc<dyn CacheStore>, prefix: &str) {
    const MAX: usize = 10;
    let bound = Bound::new(Policy::Lru).max(MAX).shards(NonZeroU16::MIN.saturating_add(3));
    let view = View::new(store, &format!("{prefix}shards"), &bound);
    for number in 0..100 {
        view.put(&format!("f(x={number})")).await;
        assert!(view.has(&format!("f(x={number})")).await, "{view}: the new entry must be there");
        let count = view.count().await;
        assert!(count <= MAX as u64, "{view}: there are {count} of at most {MAX} entries");
    }
    assert_eq!(view.count().await, MAX as u64, "{view}: how many entries all shards have when they are full");
    assert_eq!(view.purge().await, MAX as u64, "{view}: how many entries of all shards a purge removes");
}

/// A view with the calls of a test.
#[derive(Clone)]
struct View {
    view: Arc<dyn CacheStore>,
    namespace: String,
    name: String,
}

impl View {
    fn new(store: &Arc<dyn CacheStore>, namespace: &str, bound: &Bound) -> Self {
        let view = Arc::clone(store).bounded(namespace, bound);
        let view = view.unwrap_or_else(|error| panic!("{bound:?}: a store with bounds must take it: {error}"));
        Self { view, namespace: namespace.to_owned(), name: format!("{namespace} {bound:?}") }
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    async fn put(&self, name: &str) {
        self.must(self.view.put(&self.key(name), "1".into(), LONG).await);
    }

    fn entry(&self, name: &str) -> TestedKey<'_> {
        TestedKey::new(&*self.view, self.key(name))
    }

    async fn filled(&self, name: &str, tags: &[&Tag]) {
        self.entry(name).filled("1", tags).await;
    }

    async fn has(&self, name: &str) -> bool {
        self.must(self.view.get(&self.key(name)).await).is_some()
    }

    async fn count(&self) -> u64 {
        let count = self.must(self.view.count().await);
        count.unwrap_or_else(|| panic!("{self}: a view must know how many entries it has"))
    }

    async fn purge(&self) -> u64 {
        let count = self.must(self.view.purge().await);
        count.unwrap_or_else(|| panic!("{self}: a view must be able to remove everything"))
    }

    async fn keys(&self) -> Vec<Bytes> {
        let mut keys = self.entry("").scan_for(&ScanPattern::All).await;
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn must<T>(&self, result: Result<T, StoreError>) -> T {
        result.unwrap_or_else(|error| panic!("{self}: {error}"))
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
