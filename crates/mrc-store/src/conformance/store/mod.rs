//! The suite of [`CacheStore`].
//!
//! For your own store, in a test:
//!
//! ```
//! # use mrc_store::CacheStore;
//! # async fn test(store: impl CacheStore, random: String) {
//! use mrc_store::conformance::store;
//!
//! store::store_suite(&store, &random).await;
//! store::refuses_calls_after_close(&store).await;
//! # }
//! ```
//!
//! Each rule is also a function, which panics with the broken rule. [`store_tests`] lists them, to
//! be run as single tests. Each uses only keys that begin with `prefix`, and removes no others:
//! with different prefixes they may run in parallel on one server.
#![expect(clippy::panic, reason = "a broken rule is reported as tests do")]

mod bounds;
mod claims;
mod copies;
mod followers;
mod keys;
mod many;
mod races;
mod tags;

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;

use crate::error::StoreError;
use crate::store::{CacheStore, Claim, Life, ScanPattern, Terms, Token};
use crate::tags::{Found, Moment};

pub use self::bounds::*;
pub use self::claims::*;
pub use self::copies::*;
pub use self::followers::*;
pub use self::keys::*;
pub use self::many::*;
pub use self::races::*;
pub use self::tags::*;

/// One rule, as a test.
#[derive(Clone, Copy)]
pub struct StoreTest {
    /// The name of the rule's function.
    pub name: &'static str,
    run: for<'a> fn(&'a dyn CacheStore, &'a str) -> BoxFuture<'a, ()>,
}

impl StoreTest {
    /// Runs the test, which panics if a rule is broken. `prefix` is random: no other key begins
    /// with it.
    pub async fn run(&self, store: &dyn CacheStore, prefix: &str) {
        (self.run)(store, &format!("{prefix}:{}:", self.name)).await;
    }
}

impl fmt::Debug for StoreTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs every test of [`store_tests`] in order. Panics if the store breaks a rule.
///
/// A follower's first position removes all entries with tags of a Redis cluster. So no other test
/// may use the cluster, or the store's prefix of keys in it.
pub async fn store_suite(store: &dyn CacheStore, prefix: &str) {
    for test in store_tests() {
        test.run(store, prefix).await;
    }
}

/// Returns the tests of a bounded view: those of a store, except for copies, which it doesn't keep.
pub fn bounded_store_tests() -> impl Iterator<Item = StoreTest> {
    // Their names tell them.
    store_tests().filter(|test| !test.name.contains("copy") && !test.name.contains("copies"))
}

macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        [$(StoreTest { name: stringify!($name), run: |store, prefix| Box::pin($name(store, prefix)) }),*]
    };
}

/// Returns all tests except [`refuses_calls_after_close`], after which the store is unusable.
pub fn store_tests() -> impl Iterator<Item = StoreTest> {
    let all = tests! {
        has_nothing_under_a_missing_key, returns_what_was_put, refuses_empty_values,
        keeps_large_and_binary_values, ends_lives_to_the_millisecond, grants_a_claim_once,
        hits_a_value_instead_of_claiming, fills_under_a_claim_once,
        refuses_a_fill_with_another_token, refuses_a_fill_after_a_removal,
        refuses_a_fill_after_a_put, refuses_a_fill_after_a_release, refuses_a_fill_after_its_lease,
        refuses_a_fill_after_another_claim, releases_claims_and_no_values,
        frees_a_key_after_its_lease, goes_on_hitting_during_a_refresh, refreshes_a_value,
        renews_only_what_ends_soon, refuses_a_refresh_of_what_was_removed,
        refuses_a_refresh_of_what_was_put_again, refuses_a_refresh_of_what_expired,
        refuses_a_refresh_after_its_lease, claims_a_missing_key_for_a_refresh,
        keeps_a_value_whose_refresh_was_released, keeps_a_copy_beside_the_value,
        keeps_a_copy_when_its_value_expires, ends_the_life_of_a_copy, removes_a_copy_with_its_key,
        refuses_a_copy_after_a_removal, makes_no_copy_without_a_claim_for_one,
        releases_an_empty_copy, removes_and_counts, takes_any_text_as_a_key,
        scans_everything_that_matches, scans_literally, scans_what_begins,
        grants_one_of_many_claims, leaves_nothing_after_an_invalidation,
        never_hits_what_was_invalidated, finds_the_tags_of_a_value, removes_what_has_a_tag,
        leaves_entries_of_other_tags, refuses_a_fill_whose_tag_was_invalidated,
        accepts_a_fill_after_an_invalidation, refuses_a_fill_with_an_old_moment,
        claims_with_the_time_of_the_clock, removes_a_fill_in_flight_that_is_registered,
        needs_every_one_of_several_tags, drops_old_tags_when_filled_again,
        long_and_short_lives_under_one_tag, keeps_tags_beside_a_copy, takes_any_text_as_a_tag,
        refuses_bad_tags, never_hits_what_was_invalidated_by_tag,
        leaves_nothing_of_a_new_tag_after_its_invalidation, keeps_a_position_for_its_leader,
        refuses_a_fill_whose_scheme_is_unknown, lists_registered_schemes,
        bounds_the_schemes_of_a_table, gets_many_in_their_order, claims_each_of_many,
        fills_each_of_many, fills_many_with_tags, refuses_one_of_many_fills_with_tags,
        invalidates_each_of_many_tags, keeps_copies_of_many, grants_each_key_to_one_of_many_batches,
        never_hits_what_was_invalidated_in_batches,
    };
    all.into_iter()
}

/// Checks that every call after `close` fails with [`StoreError::Closed`].
pub async fn refuses_calls_after_close(store: &dyn CacheStore) {
    store.close().await;
    let (key, token, life) = ("closed", token(), Duration::from_secs(1));
    let closed = |call: &str, error: Option<StoreError>| match error {
        Some(StoreError::Closed) => {}
        other => panic!("{call} after close must fail with StoreError::Closed, but the error is {other:?}"),
    };
    closed("get", store.get(key).await.err());
    closed("claim", store.claim(key, &token, Terms::fill(life)).await.err());
    closed("fill", store.fill(key, &token, Bytes::from("1"), life.into()).await.err());
    closed("get_many", store.get_many(&[key]).await.pop().and_then(Result::err));
    closed("release", store.release(key, &token).await.err());
    closed("put", store.put(key, Bytes::from("1"), life).await.err());
    closed("ttl", store.ttl(key).await.err());
    closed("look", store.look(key).await.err());
    closed("stale", store.stale(key).await.err());
    closed("now", store.now().await.err());
    closed("invalidate", store.invalidate(&[key.into()]).await.err());
    closed("ping", store.ping().await.err());
    closed("remove", store.remove(&[Bytes::from(key)]).await.err());
    closed("scan", store.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.err());
    store.close().await;
}

/// Long enough for any test.
const LONG: Duration = Duration::from_secs(600);
/// Short, but long enough for a call or two, for tests that wait for its end.
const SHORT: Duration = Duration::from_millis(60);

/// The attempts of a fill with tags: another test's invalidation may refuse some.
const TRIES: usize = 10;

fn token() -> Token {
    let random = || u128::from(RandomState::new().build_hasher().finish());
    Token::from_bits(random() << 64 | random())
}

/// The calls of a test on one key. An error breaks every rule.
struct TestedKey<'a> {
    store: &'a dyn CacheStore,
    name: String,
}

impl<'a> TestedKey<'a> {
    fn new(store: &'a dyn CacheStore, name: impl Into<String>) -> Self {
        Self { store, name: name.into() }
    }

    async fn get(&self) -> Option<Bytes> {
        self.must("get", self.store.get(&self.name).await)
    }

    async fn claim_for(&self, token: &Token, terms: Terms) -> Claim {
        self.must("claim", self.store.claim(&self.name, token, terms).await)
    }

    async fn claim(&self, token: &Token, lease: Duration) -> Claim {
        self.claim_for(token, Terms::fill(lease)).await
    }

    async fn claim_refresh(&self, token: &Token, lease: Duration) -> Claim {
        self.claim_for(token, Terms::refresh(lease)).await
    }

    async fn fill(&self, token: &Token, value: &'static str) -> bool {
        self.fill_with(token, value, LONG).await
    }

    async fn fill_with(&self, token: &Token, value: impl Into<Bytes>, life: impl Into<Life>) -> bool {
        self.must("fill", self.store.fill(&self.name, token, value.into(), life.into()).await)
    }

    async fn release(&self, token: &Token) -> bool {
        self.must("release", self.store.release(&self.name, token).await)
    }

    async fn put(&self, value: &'static str, ttl: Duration) {
        self.must("put", self.store.put(&self.name, value.into(), ttl).await);
    }

    async fn stale(&self) -> Option<Found> {
        self.must("stale", self.store.stale(&self.name).await)
    }

    async fn now(&self) -> Moment {
        self.must("now", self.store.now().await)
    }

    async fn ttl(&self) -> Option<Duration> {
        self.must("ttl", self.store.ttl(&self.name).await)
    }

    async fn remove(&self) -> u64 {
        self.must("remove", self.store.remove(&[self.bytes()]).await)
    }

    async fn scan(&self, pattern: &str) -> Vec<Bytes> {
        self.scan_for(&ScanPattern::Containing(pattern.into())).await
    }

    async fn scan_for(&self, pattern: &ScanPattern) -> Vec<Bytes> {
        let pages: Vec<Vec<Bytes>> = self.must("scan", self.store.scan(pattern).try_collect().await);
        pages.concat()
    }

    fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.name.as_bytes())
    }

    /// Returns the token of a claim that must be granted.
    async fn granted_for(&self, terms: Terms) -> Token {
        let token = token();
        let answer = self.claim_for(&token, terms).await;
        assert_eq!(answer, Claim::Granted, "{self}: a claim where there is none must be granted, with {terms:?}");
        token
    }

    async fn granted(&self, lease: Duration) -> Token {
        self.granted_for(Terms::fill(lease)).await
    }

    async fn granted_refresh(&self, lease: Duration) -> Token {
        self.granted_for(Terms::refresh(lease)).await
    }

    async fn holds(&self, value: Option<&'static str>, when: &str) {
        assert_eq!(self.get().await, value.map(Bytes::from), "{self}: what get returns {when}");
    }

    async fn busy(&self, when: &str) {
        let answer = self.claim_refresh(&token(), LONG).await;
        assert!(matches!(answer, Claim::Busy { .. }), "{self}: a claim must be Busy {when}, but it is {answer:?}");
    }

    fn must<T>(&self, call: &str, result: Result<T, StoreError>) -> T {
        result.unwrap_or_else(|error| panic!("{self}: {call} failed: {error}"))
    }
}

impl fmt::Display for TestedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {:?}", self.name)
    }
}

/// Returns the keys of this number that begin with the prefix.
fn keys<'a>(store: &'a dyn CacheStore, prefix: &str, count: usize) -> Vec<TestedKey<'a>> {
    (0..count).map(|at| TestedKey::new(store, format!("{prefix}{at}"))).collect()
}

/// Waits for something that must happen without a call.
async fn until<F: Future<Output = bool>>(rule: &str, mut happened: impl FnMut() -> F) {
    const PAUSE: Duration = Duration::from_millis(5);
    const TRIES: usize = 6_000;
    for _ in 0..TRIES {
        if happened().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{rule}: it never happened");
}
