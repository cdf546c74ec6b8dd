//! Tests of functions of many ids.

use std::collections::HashMap;
use std::sync::Mutex;

use mrc::scope::{self, Mode};
use mrc::{Cache, Spec, Tag, cached};

use crate::{Failure, cache};

/// The ids of each run of a body.
#[derive(Default)]
struct Asked(Mutex<Vec<Vec<u64>>>);

impl Asked {
    fn note(&self, ids: &[u64]) {
        self.0.lock().unwrap().push(ids.to_vec());
    }

    fn all(&self) -> Vec<Vec<u64>> {
        self.0.lock().unwrap().clone()
    }
}

/// Returns the halves of even ids. Odd ids have none, and 13 fails.
fn halves(ids: &[u64]) -> Result<HashMap<u64, u64>, Failure> {
    if ids.contains(&13) {
        return Err(Failure::Failed);
    }
    Ok(ids.iter().filter(|id| id.is_multiple_of(2)).map(|id| (*id, id / 2)).collect())
}

#[cached(cache = cache, many, ttl = 60, skip(cache, asked), prefix = "shop", tags("half:{id}", Tag::new("halves")))]
async fn half(cache: &Cache, asked: &Asked, ids: &[u64], lang: &str) -> Result<HashMap<u64, u64>, Failure> {
    asked.note(ids);
    let found = halves(ids)?;
    tokio::task::yield_now().await;
    scope::tag(format!("lang:{lang}"));
    Ok(found)
}

/// The function of one id, whose entries are the same.
mod single {
    use super::*;

    #[cached(cache = cache, skip(cache), prefix = "shop")]
    pub(super) async fn half(cache: &Cache, id: u64, lang: &str) -> Result<Option<u64>, Failure> {
        let _ = (id, lang);
        Err(Failure::Failed)
    }
}

#[tokio::test]
async fn the_body_gets_the_missing_ids_alone() {
    let (cache, asked) = (cache(), Asked::default());
    let expected = HashMap::from([(2, 1), (4, 2)]);
    assert_eq!(half(&cache, &asked, &[2, 3, 4, 2], "en").await.unwrap(), expected);
    assert_eq!(half(&cache, &asked, &[4, 3, 2], "en").await.unwrap(), expected);
    assert_eq!(half(&cache, &asked, &[2, 6], "en").await.unwrap(), HashMap::from([(2, 1), (6, 3)]));
    assert_eq!(half(&cache, &asked, &[], "en").await.unwrap(), HashMap::new());
    assert_eq!(asked.all(), [vec![2, 3, 4], vec![6]], "an id without a value is an entry too");
    half(&cache, &asked, &[2], "de").await.unwrap();
    assert_eq!(asked.all().len(), 3, "the other arguments are part of each key");
}

#[tokio::test]
async fn each_id_has_the_entry_of_a_function_of_one_id() {
    let (cache, asked) = (cache(), Asked::default());
    half(&cache, &asked, &[2, 3], "en").await.unwrap();
    assert_eq!(single::half(&cache, 2, "en").await.unwrap(), Some(1));
    assert_eq!(single::half(&cache, 3, "en").await.unwrap(), None);
    let key = half_entry(&cache, &2, "en").key().unwrap();
    assert_eq!(key.as_str(), r#"test:shop::half(id=2,lang="en")"#);
    assert_eq!(key, single::half_entry(&cache, 2, "en").key().unwrap());
}

#[tokio::test]
async fn a_companion_has_one_id() {
    let (cache, asked) = (cache(), Asked::default());
    let entry = |id: u64| half_entry(&cache, &id, "en");
    assert_eq!(entry(2).get().await.unwrap(), None);
    half(&cache, &asked, &[2, 3], "en").await.unwrap();
    assert_eq!(entry(2).get().await.unwrap(), Some(Some(1)));
    assert_eq!(entry(3).get().await.unwrap(), Some(None), "an entry without a value");
    assert!(entry(2).remove().await.unwrap());
    entry(5).set(&Some(7)).await.unwrap();
    assert_eq!(half(&cache, &asked, &[2, 3, 5], "en").await.unwrap(), HashMap::from([(2, 1), (5, 7)]));
    assert_eq!(asked.all(), [vec![2, 3], vec![2]]);
    cache.invalidate("half:5").await.unwrap();
    assert_eq!(entry(5).get().await.unwrap(), None, "what is set has the tags of the attribute");
}

#[tokio::test]
async fn a_tag_of_the_attribute_is_of_one_id_and_a_tag_of_the_body_of_all_its_ids() {
    let (cache, asked) = (cache(), Asked::default());
    half(&cache, &asked, &[2, 4], "en").await.unwrap();
    assert_eq!(cache.invalidate("half:2").await.unwrap(), 1);
    half(&cache, &asked, &[2, 4], "en").await.unwrap();
    assert_eq!(asked.all(), [vec![2, 4], vec![2]]);
    assert_eq!(cache.invalidate("lang:en").await.unwrap(), 2);
    half(&cache, &asked, &[2, 4], "en").await.unwrap();
    assert_eq!(cache.invalidate("halves").await.unwrap(), 2);
}

#[tokio::test]
async fn an_error_of_the_body_is_returned_and_not_stored() {
    let (cache, asked) = (cache(), Asked::default());
    half(&cache, &asked, &[2], "en").await.unwrap();
    for _ in 0..2 {
        assert_eq!(half(&cache, &asked, &[2, 13], "en").await.unwrap_err(), Failure::Failed);
    }
    assert_eq!(asked.all(), [[2], [13], [13]]);
    let missed = scope::with_mode(Mode::ReadOnly, half(&cache, &asked, &[8], "en")).await;
    assert!(matches!(missed.unwrap_err(), Failure::Cache(_)));
}

#[cached(cache = cache, many, key(id))]
async fn total(cache: &Cache, asked: &Asked, ids: &[u64]) -> HashMap<u64, u64> {
    asked.note(ids);
    ids.iter().map(|id| (*id, id + 1)).collect()
}

#[tokio::test]
async fn a_function_that_cannot_fail_runs_for_all_ids_if_the_cache_fails() {
    let (cache, asked) = (cache(), Asked::default());
    total(&cache, &asked, &[1]).await;
    let read_only = scope::with_mode(Mode::ReadOnly, total(&cache, &asked, &[1, 2])).await;
    assert_eq!(read_only, HashMap::from([(1, 2), (2, 3)]));
    assert_eq!(asked.all(), [vec![1], vec![1, 2]]);
}

#[tokio::test]
async fn a_result_of_a_cache_that_failed_is_not_stored_in_an_outer_entry() {
    let (cache, asked) = (cache(), Asked::default());
    let outer = || {
        let spec = Spec::of("outer");
        cache.get_or(spec, || scope::with_mode(Mode::ReadOnly, total(&cache, &asked, &[1])))
    };
    assert_eq!((outer().await, outer().await), (HashMap::from([(1, 2)]), HashMap::from([(1, 2)])));
    assert_eq!(asked.all().len(), 2, "the tags of the inner entries aren't known");
}

type Names<'a> = Result<HashMap<&'a str, usize>, Failure>;

struct Shop {
    cache: Cache,
    tenant: u8,
}

impl Shop {
    /// Its ids are named by hand, its type by an alias, and its other arguments are borrowed.
    #[cached(cache = self.cache, many = name, key(self.tenant, name), entry = length_of)]
    pub async fn length<'a>(&self, people: &[&'a str], extra: Vec<usize>) -> Names<'a> {
        Ok(people.iter().map(|name| (*name, name.len() + extra.len())).collect())
    }
}

#[tokio::test]
async fn a_method_has_ids_that_borrow() {
    let shop = Shop { cache: cache(), tenant: 7 };
    let found = shop.length(&["Ann", "Benno"], vec![1]).await.unwrap();
    assert_eq!(found, HashMap::from([("Ann", 4), ("Benno", 6)]));
    let entry = shop.length_of(&"Ann");
    assert_eq!(entry.get().await.unwrap(), Some(Some(4)));
    assert_eq!(entry.key().unwrap().as_str(), r#"test:macros::many::Shop::length(@"self.tenant"=7,name="Ann")"#);
}

#[tokio::test]
async fn a_call_may_be_spawned() {
    let cache = cache();
    let task = tokio::spawn(async move {
        let (asked, shop) = (Asked::default(), Shop { cache: cache.clone(), tenant: 7 });
        let halves = half(&cache, &asked, &[2, 4], "en").await.unwrap().len();
        halves + total(&cache, &asked, &[1]).await.len() + shop.length(&["Ann"], vec![]).await.unwrap().len()
    });
    assert_eq!(task.await.unwrap(), 4);
}

#[tokio::test]
async fn more_ids_than_one_run_takes_run_the_body_again() {
    let (cache, asked) = (cache(), Asked::default());
    let ids: Vec<u64> = (0..1_500).collect();
    assert_eq!(total(&cache, &asked, &ids).await.len(), 1_500);
    assert_eq!(asked.all().iter().map(Vec::len).sum::<usize>(), 1_500);
    assert_eq!(asked.all().len(), 2);
}
