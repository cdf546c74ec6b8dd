//! Tests `#[cached]` and `#[invalidates]` on a store in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at what it doesn't expect")]

mod alias;
mod bounds;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mrc::{Cache, MemoryStore, Tag, cached, invalidates};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum Failure {
    #[error("failed")]
    Failed,
    #[error("the cache: {0}")]
    Cache(String),
}

impl From<mrc::Error> for Failure {
    fn from(error: mrc::Error) -> Self {
        Self::Cache(error.to_string())
    }
}

fn cache() -> Cache {
    Cache::builder(MemoryStore::new()).namespace("test").build().unwrap()
}

/// Counts the runs of a body. Never an argument in a key.
#[derive(Default)]
struct Runs(AtomicUsize);

impl Runs {
    fn run(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[cached(cache = cache, skip(cache, runs), tags("user:{user_id}", Tag::new("users")))]
async fn feed(cache: &Cache, runs: &Runs, user_id: u64, lang: Option<&str>) -> Result<String, Failure> {
    runs.run();
    Ok(format!("{user_id} {lang:?}"))
}

#[tokio::test]
async fn each_argument_is_part_of_the_key() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(feed(&cache, &runs, 1, None).await.unwrap(), "1 None");
        assert_eq!(feed(&cache, &runs, 2, None).await.unwrap(), "2 None");
        assert_eq!(feed(&cache, &runs, 2, Some("de")).await.unwrap(), "2 Some(\"de\")");
    }
    assert_eq!(runs.count(), 3);
    let key = feed_entry(&cache, 2, Some("de")).key().unwrap();
    assert_eq!(key.as_str(), r#"test:macros::feed(user_id=2,lang="de")"#);
}

struct User {
    id: u64,
    _name: String,
}

#[cached(cache = cache, key(user.id, pair.0))]
async fn chosen(cache: &Cache, runs: &Runs, user: &User, pair: (u8, u8), _: &str) -> usize {
    let (_, _) = (user, pair);
    runs.run()
}

#[tokio::test]
async fn a_key_may_be_of_some_arguments_and_their_fields() {
    let (cache, runs) = (cache(), Runs::default());
    let [ann, bob] = [(1, "Ann"), (1, "Bob")].map(|(id, name)| User { id, _name: name.into() });
    assert_eq!(chosen(&cache, &runs, &ann, (1, 1), "x").await, 1);
    assert_eq!(chosen(&cache, &runs, &bob, (1, 2), "y").await, 1, "the same id, the same half");
    assert_eq!(chosen(&cache, &runs, &bob, (2, 2), "y").await, 2);
    let key = chosen_entry(&cache, &ann, (1, 1)).key().unwrap();
    assert_eq!(key.as_str(), r#"test:macros::chosen(@"user.id"=1,@"pair.0"=1)"#);
}

mod two {
    use super::*;

    #[cached(cache = cache, key(id), prefix = "shop")]
    pub async fn one(cache: &Cache, id: u8) -> String {
        format!("one {id}")
    }

    #[cached(cache = cache, key(id), prefix = "shop")]
    pub async fn another(cache: &Cache, id: u8) -> String {
        format!("another {id}")
    }
}

#[tokio::test]
async fn functions_of_one_prefix_and_arguments_share_nothing() {
    let cache = cache();
    assert_eq!(two::one(&cache, 1).await, "one 1");
    assert_eq!(two::another(&cache, 1).await, "another 1");
    assert_eq!(two::one_entry(&cache, 1).key().unwrap().as_str(), "test:shop::one(id=1)");
}

#[tokio::test]
async fn functions_of_one_name_share_nothing() {
    async fn here(cache: &Cache) -> u8 {
        #[cached(cache = cache, key(), entry = false)]
        async fn inner(cache: &Cache) -> u8 {
            1
        }
        inner(cache).await
    }
    async fn there(cache: &Cache) -> u8 {
        #[cached(cache = cache, key(), entry = false)]
        async fn inner(cache: &Cache) -> u8 {
            2
        }
        inner(cache).await
    }
    let cache = cache();
    assert_eq!((here(&cache).await, there(&cache).await), (1, 2));
    assert_eq!((Left::number(&cache).await, Right::number(&cache).await), (3, 4), "of types, without `self`");
}

struct Left;
struct Right;

impl Left {
    #[cached(cache = cache, key())]
    async fn number(cache: &Cache) -> u8 {
        3
    }
}

impl Right {
    #[cached(cache = cache, key())]
    async fn number(cache: &Cache) -> u8 {
        4
    }
}

#[cached(cache = cache, key(id), tags("id:{id}"))]
async fn maybe(cache: &Cache, runs: &Runs, id: u8) -> Option<u8> {
    runs.run();
    None
}

#[cached(cache = cache, key(id), skip_none)]
async fn some(cache: &Cache, runs: &Runs, id: Option<u8>) -> Option<u8> {
    runs.run();
    Some(id?.max(1))
}

#[cached(cache = cache, key(id), skip_none)]
async fn some_or_fail(cache: &Cache, runs: &Runs, id: Option<u8>) -> Result<Option<u8>, Failure> {
    runs.run();
    Ok(id)
}

#[tokio::test]
async fn none_is_a_value_unless_it_is_skipped() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(maybe(&cache, &runs, 1).await, None);
    }
    assert_eq!(runs.count(), 1);
    assert_eq!(maybe_entry(&cache, 1).get().await.unwrap(), Some(None));
    for _ in 0..2 {
        assert_eq!(some(&cache, &runs, None).await, None);
        assert_eq!(some(&cache, &runs, Some(1)).await, Some(1));
    }
    assert_eq!(runs.count(), 4, "twice without a value, once with one");
    for _ in 0..2 {
        assert_eq!(some_or_fail(&cache, &runs, None).await, Ok(None));
        assert_eq!(some_or_fail(&cache, &runs, Some(1)).await, Ok(Some(1)));
    }
    assert_eq!(runs.count(), 7);
}

#[cached(cache = cache, key(fails))]
async fn fallible(cache: &Cache, runs: &Runs, fails: bool) -> Result<usize, Failure> {
    let run = runs.run();
    if fails {
        return Err(Failure::Failed);
    }
    Ok(run)
}

#[tokio::test]
async fn an_error_is_not_cached() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(fallible(&cache, &runs, true).await, Err(Failure::Failed));
        assert_eq!(fallible(&cache, &runs, false).await, Ok(2));
    }
    assert_eq!(runs.count(), 3);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum HttpError {
    Status(u16),
    Timeout,
}

#[cached(cache = cache, key(answer), ttl = 3600, cache_err(HttpError::Status(code) if *code < 500), err_ttl = Duration::from_secs(60))]
async fn request(cache: &Cache, runs: &Runs, answer: Result<u8, HttpError>) -> Result<u8, HttpError> {
    runs.run();
    let value = answer?;
    Ok(value)
}

#[tokio::test]
async fn errors_that_match_are_cached_as_long_as_they_are_said_to() {
    let (cache, runs) = (cache(), Runs::default());
    let cases = [
        (Ok(1), 1, Some(3600)),
        (Err(HttpError::Status(404)), 1, Some(60)),
        (Err(HttpError::Status(503)), 2, None),
        (Err(HttpError::Timeout), 2, None),
    ];
    for (answer, expected, ttl) in cases {
        let before = runs.count();
        for _ in 0..2 {
            assert_eq!(request(&cache, &runs, answer.clone()).await, answer);
        }
        assert_eq!(runs.count() - before, expected, "{answer:?}");
        let entry = request_entry(&cache, answer.clone());
        assert_eq!(entry.get().await.unwrap(), ttl.map(|_| answer));
        let left = entry.ttl().await.unwrap();
        assert_eq!(left.is_some_and(|left| left > Duration::from_secs(120)), ttl == Some(3600));
        assert_eq!(left.is_some(), ttl.is_some());
    }
}

#[cached(cache = cache, key(value))]
async fn generic<T: Serialize, U, const N: usize>(cache: &Cache, runs: &Runs, value: T) -> usize
where
    U: Default,
{
    let _ = (value, U::default());
    runs.run() * 10 + N
}

#[cached(cache = cache, key(id))]
async fn anonymous(cache: &Cache, runs: &impl Fn() -> usize, id: impl Serialize) -> usize {
    let _ = id;
    runs()
}

#[tokio::test]
async fn each_instance_of_a_generic_function_has_entries_of_its_own() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(generic::<u8, u8, 1>(&cache, &runs, 7).await, 11);
        assert_eq!(generic::<u16, u8, 1>(&cache, &runs, 7).await, 21);
        assert_eq!(generic::<u8, String, 1>(&cache, &runs, 7).await, 31);
        assert_eq!(generic::<u8, u8, 2>(&cache, &runs, 7).await, 42);
    }
    assert_eq!(generic_entry::<u8, u8, 2>(&cache, 7).get().await.unwrap(), Some(42));
    for _ in 0..2 {
        assert_eq!(anonymous(&cache, &|| runs.run(), 7_u8).await, 5);
        assert_eq!(anonymous(&cache, &|| runs.run(), 7_u16).await, 6);
    }
    assert_eq!(anonymous_entry(&cache, 7_u16).get().await.unwrap(), Some(6));
}

#[derive(Serialize)]
struct Repo<T> {
    #[serde(skip)]
    cache: Cache,
    tenant: u8,
    #[serde(skip)]
    runs: Runs,
    of: T,
}

impl<T: Serialize + Sync> Repo<T> {
    fn new(cache: &Cache, tenant: u8, of: T) -> Self {
        Self { cache: cache.clone(), tenant, runs: Runs::default(), of }
    }

    /// The doc stays.
    #[cached(cache = self.cache, key(self.tenant, id), tags(format!("tenant:{}", self.tenant)))]
    #[must_use]
    pub async fn by_tenant(&self, id: &str) -> usize {
        self.runs.run() + id.len() + size_of_val(&self.of)
    }

    #[cached(cache = self.cache, key(self), prefix = "repo")]
    async fn by_all(&self) -> usize {
        self.runs.run()
    }

    #[cached(cache = self.cache, skip(self), entry = shared)]
    async fn by_none(&mut self, id: u8) -> usize {
        self.tenant = id;
        self.runs.run()
    }

    #[cached(cache = self.cache, skip(self))]
    async fn owned(self, id: u8) -> usize {
        let Self { runs, .. } = self;
        runs.run() + usize::from(id)
    }
}

#[tokio::test]
async fn a_method_says_what_of_self_is_in_its_key() {
    let cache = cache();
    let (one, same, other) = (Repo::new(&cache, 1, 0_u8), Repo::new(&cache, 1, 1_u8), Repo::new(&cache, 2, 0_u8));
    assert_eq!(one.by_tenant("a").await, 3);
    assert_eq!(one.by_tenant("a").await, 3);
    assert_eq!((same.by_tenant("a").await, same.runs.count()), (3, 0));
    assert_eq!((other.by_tenant("a").await, other.runs.count()), (3, 1));
    assert_eq!(Repo::new(&cache, 1, 0_u16).by_tenant("a").await, 4, "another type");
    let key = one.by_tenant_entry("a").key().unwrap();
    assert_eq!(key.as_str(), r#"test:macros::Repo<u8>::by_tenant(@"self.tenant"=1,id="a")"#);
    assert_eq!(cache.invalidate(Tag::new("tenant:1")).await.unwrap(), 2);

    assert_eq!((one.by_all().await, same.by_all().await, one.by_all().await), (2, 1, 2), "they differ in `of`");
    let key = one.by_all_entry().key().unwrap();
    assert!(key.as_str().starts_with("test:repo::by_all<u8>(#"), "{key:?}");

    let mut last = other;
    assert_eq!((last.by_none(1).await, last.by_none(1).await, last.by_none(2).await), (2, 2, 3));
    assert_eq!(last.shared(2).get().await.unwrap(), Some(3));
    assert_eq!(last.owned(1).await, 5);
    assert_eq!(Arc::new(Repo::new(&cache, 1, ())).shared_by().await, 1);
}

impl Repo<()> {
    #[cached(cache = self.cache, key(self.tenant))]
    async fn shared_by(self: Arc<Self>) -> usize {
        drop(self);
        1
    }
}

trait Load {
    async fn load(&self, id: u8) -> usize;
}

impl Load for Repo<u8> {
    #[cached(cache = self.cache, skip(self), entry = false)]
    async fn load(&self, id: u8) -> usize {
        self.runs.run() + usize::from(id)
    }
}

#[tokio::test]
async fn a_method_of_a_trait_has_no_companion() {
    let repo = Repo::new(&cache(), 1, 0_u8);
    assert_eq!((repo.load(1).await, repo.load(1).await, repo.load(2).await), (2, 2, 4));
}

#[cached(cache = cache, key(text), tags("text:{text}"))]
async fn consumes<'a>(cache: Cache, text: String, mut other: Vec<&'a str>, (a, _): (u8, u8)) -> usize {
    other.push("x");
    drop((cache, text));
    other.len() + usize::from(a)
}

#[tokio::test]
async fn a_body_may_take_its_arguments_away() {
    let cache = cache();
    assert_eq!(consumes(cache.clone(), "t".into(), vec!["y"], (1, 2)).await, 3);
    assert_eq!(cache.invalidate(Tag::new("text:t")).await.unwrap(), 1);
}

#[cached(cache = cache, key(id), tags(format!("run:{}", runs.run())))]
async fn tagged(cache: &Cache, runs: &Runs, id: u8) -> usize {
    runs.count()
}

#[tokio::test]
async fn a_hit_makes_no_tags() {
    let (cache, runs) = (cache(), Runs::default());
    assert_eq!((tagged(&cache, &runs, 1).await, tagged(&cache, &runs, 1).await), (1, 1));
    assert_eq!(runs.count(), 1);
}

#[cached(cache = cache, key(n))]
async fn fibonacci(cache: &Cache, n: u64) -> u64 {
    if n < 2 { n } else { Box::pin(fibonacci(cache, n - 1)).await + Box::pin(fibonacci(cache, n - 2)).await }
}

#[tokio::test]
async fn a_function_may_call_itself() {
    assert_eq!(fibonacci(&cache(), 9).await, 34);
}

#[cached(cache = cache, key(user_id), tags("list"))]
async fn outer(cache: &Cache, runs: &Runs, inner: &Runs, user_id: u64) -> Result<String, Failure> {
    runs.run();
    Ok(format!("outer of {}", feed(cache, inner, user_id, None).await?))
}

#[tokio::test]
async fn what_a_nested_call_is_tagged_with_reaches_the_outer() {
    let (cache, outers, inners) = (cache(), Runs::default(), Runs::default());
    let call = async || {
        outer(&cache, &outers, &inners, 1).await.unwrap();
        (outers.count(), inners.count())
    };
    assert_eq!((call().await, call().await), ((1, 1), (1, 1)));
    cache.invalidate(Tag::new("list")).await.unwrap();
    assert_eq!(call().await, (2, 1), "the inner one is hit, and its tags come along");
    cache.invalidate(Tag::new("user:1")).await.unwrap();
    assert_eq!(call().await, (3, 2));
}

#[invalidates(cache = cache, tags("user:{user_id}", name.as_str()))]
async fn rename(cache: &Cache, user_id: u64, name: String, fails: bool) -> Result<usize, Failure> {
    let name = name.into_bytes();
    if fails { Err(Failure::Failed) } else { Ok(name.len()) }
}

#[invalidates(cache = cache, all_tags("user:{user_id}", "users"), entry(maybe_entry(cache, id), maybe_entry(cache, id + 1)))]
async fn remove(cache: &Cache, user_id: u64, id: u8) -> Result<(), Failure> {
    Ok(())
}

#[invalidates(entry(maybe_entry(cache, id)))]
async fn broken(cache: &Cache, id: u8) -> Result<(), Failure> {
    cache.close().await;
    Ok(())
}

#[tokio::test]
async fn an_invalidation_comes_after_success_alone() {
    let (cache, runs) = (cache(), Runs::default());
    let call = async |user| {
        feed(&cache, &runs, user, None).await.unwrap();
        runs.count()
    };
    assert_eq!((call(1).await, call(2).await), (1, 2));
    assert_eq!(rename(&cache, 1, "Ann".into(), true).await, Err(Failure::Failed));
    assert_eq!(call(1).await, 2);
    assert_eq!(rename(&cache, 1, "Ann".into(), false).await, Ok(3));
    assert_eq!((call(1).await, call(2).await), (3, 3));
}

#[tokio::test]
async fn an_invalidation_may_be_of_all_tags_and_of_entries() {
    let (cache, runs) = (cache(), Runs::default());
    feed(&cache, &runs, 1, None).await.unwrap();
    feed(&cache, &runs, 2, None).await.unwrap();
    for id in 1..=3 {
        maybe(&cache, &runs, id).await;
    }
    remove(&cache, 1, 1).await.unwrap();
    assert_eq!(feed_entry(&cache, 1, None).get().await.unwrap(), None);
    assert!(feed_entry(&cache, 2, None).get().await.unwrap().is_some());
    let left = [1, 2, 3].map(|id| maybe_entry(&cache, id));
    assert_eq!([left[0].get().await.unwrap(), left[1].get().await.unwrap()], [None, None]);
    assert_eq!(left[2].get().await.unwrap(), Some(None));
}

#[tokio::test]
async fn an_invalidation_that_fails_is_told() {
    let cache = cache();
    match broken(&cache, 1).await {
        Err(Failure::Cache(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_companion_looks_at_an_entry_and_sets_and_removes_it() {
    let (cache, runs) = (cache(), Runs::default());
    let entry = feed_entry(&cache, 1, None);
    assert_eq!(entry.get().await.unwrap(), None);
    assert!(entry.set(&"primed".into()).await.unwrap());
    assert_eq!(feed(&cache, &runs, 1, None).await.unwrap(), "primed");
    assert!(entry.remove().await.unwrap());
    assert_eq!(feed(&cache, &runs, 1, None).await.unwrap(), "1 None");
    entry.set(&"primed".into()).await.unwrap();
    cache.invalidate(Tag::new("user:1")).await.unwrap();
    assert_eq!(entry.get().await.unwrap(), None, "what is set has the tags of the function");
}

mod old {
    use super::*;

    #[cached(cache = cache, key(), prefix = "versions", entry = old_entry)]
    pub async fn versioned(cache: &Cache) -> u8 {
        0
    }
}

#[cached(cache = cache, key(), prefix = "versions", version = 2)]
async fn versioned(cache: &Cache) -> u8 {
    2
}

#[tokio::test]
async fn another_version_has_entries_of_its_own() {
    let cache = cache();
    assert_eq!((old::versioned(&cache).await, versioned(&cache).await), (0, 2));
    assert_eq!(versioned_entry(&cache).key().unwrap().as_str(), "test:versions::versioned@2");
    assert_eq!(old::old_entry(&cache).key().unwrap().as_str(), "test:versions::versioned");
}

#[tokio::test]
async fn a_call_may_be_spawned() {
    let cache = cache();
    let ours = cache.clone();
    let task = tokio::spawn(async move {
        let (runs, repo) = (Runs::default(), Repo::new(&ours, 1, 1_u8));
        let fed = feed(&ours, &runs, 1, None).await.unwrap();
        request(&ours, &runs, Err(HttpError::Timeout)).await.unwrap_err();
        some_or_fail(&ours, &runs, None).await.unwrap();
        rename(&ours, 2, "Bob".into(), false).await.unwrap();
        fed.len() + repo.by_tenant("a").await + consumes(ours.clone(), "t".into(), vec![], (0, 0)).await
    });
    assert_eq!(task.await.unwrap(), 10);
}

/// Compares the messages of the compiler with those of this toolchain.
#[test]
fn mistakes_are_told_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
