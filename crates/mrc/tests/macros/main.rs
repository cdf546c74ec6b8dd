//! Tests `#[cached]` and `#[invalidates]` on a store in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at what it doesn't expect")]

mod alias;
mod apart;
mod bounds;
mod invalidation;
mod many;
mod results;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mrc::{Cache, MemoryStore, Tag, cached};
use serde::Serialize;

use invalidation::rename;
use results::{HttpError, request, some_or_fail};

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
async fn a_method_names_the_parts_of_self_in_its_key() {
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
