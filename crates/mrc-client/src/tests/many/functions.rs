//! Many entries of one function.

use super::*;

/// A function of many ids that doubles each, except 9, which has no value.
#[derive(Clone)]
struct Doubler {
    cache: Cache,
    asked: Arc<Mutex<Vec<Vec<u64>>>>,
    gate: Arc<Semaphore>,
    fails: Arc<Mutex<bool>>,
}

impl Doubler {
    fn new(permits: usize) -> Self {
        let cache = Cache::builder(MemoryStore::new()).namespace("n").build().unwrap();
        Self { cache, asked: Arc::default(), gate: Arc::new(Semaphore::new(permits)), fails: Arc::default() }
    }

    async fn run(self, ids: Vec<u64>) -> Result<HashMap<u64, u64>, BoxError> {
        self.asked.lock().unwrap().push(ids.clone());
        scope::tag("function");
        self.gate.acquire().await.unwrap().forget();
        if *self.fails.lock().unwrap() {
            return Err("it failed".into());
        }
        Ok(ids.into_iter().filter(|id| *id != 9).map(|id| (id, id * 2)).collect())
    }

    async fn get(&self, ids: &[u64]) -> Result<HashMap<u64, u64>, BoxError> {
        let it = self.clone();
        self.cache.get_many(ids.to_vec(), spec, move |ids| it.clone().run(ids)).await
    }

    fn spawn(&self, ids: &[u64]) -> tokio::task::JoinHandle<Result<HashMap<u64, u64>, BoxError>> {
        let (it, ids) = (self.clone(), ids.to_vec());
        tokio::spawn(async move { it.get(&ids).await })
    }

    fn asked(&self) -> Vec<Vec<u64>> {
        self.asked.lock().unwrap().clone()
    }
}

fn spec(id: &u64) -> Spec {
    Spec::of("double").param("id", id).tag(format!("id:{id}"))
}

#[tokio::test]
async fn a_function_is_asked_for_the_missing_ids_once() {
    let it = Doubler::new(100);
    assert_eq!(it.get(&[1, 2, 2, 9]).await.unwrap(), HashMap::from([(1, 2), (2, 4)]));
    assert_eq!(it.get(&[1, 2, 3, 9]).await.unwrap(), HashMap::from([(1, 2), (2, 4), (3, 6)]));
    assert_eq!(it.asked(), [vec![1, 2, 9], vec![3]], "an id without a value is an entry too");
}

#[tokio::test]
async fn tags_of_the_spec_end_one_entry_and_those_of_the_function_all() {
    let it = Doubler::new(100);
    it.get(&[1, 2, 3]).await.unwrap();
    assert_eq!(it.cache.invalidate(Tag::new("id:2")).await.unwrap(), 1);
    it.get(&[1, 2, 3]).await.unwrap();
    assert_eq!(it.asked()[1..], [[2]]);
    assert_eq!(it.cache.invalidate(Tag::new("function")).await.unwrap(), 3);
}

#[tokio::test]
async fn an_error_of_the_function_is_its_callers_and_is_not_stored() {
    let it = Doubler::new(100);
    *it.fails.lock().unwrap() = true;
    assert_eq!(it.get(&[1, 2]).await.unwrap_err().to_string(), "it failed");
    *it.fails.lock().unwrap() = false;
    assert_eq!(it.get(&[1, 2]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_entry_is_the_one_of_a_single_call() {
    let it = Doubler::new(100);
    it.get(&[1, 9]).await.unwrap();
    let runs = || async { Err::<Option<u64>, BoxError>("runs".into()) };
    let single = async |id| it.cache.get_or_try(spec(&id), runs).await;
    assert_eq!(single(1).await.unwrap(), Some(2));
    assert_eq!(single(9).await.unwrap(), None);
    it.cache.set(spec(&5), &7_u64).await.unwrap();
    assert_eq!(it.get(&[5]).await.unwrap(), HashMap::from([(5, 7)]));
    assert_eq!(it.asked().len(), 1);
}

#[tokio::test]
async fn a_caller_that_waited_for_a_function_that_failed_runs_its_own() {
    let it = Doubler::new(0);
    let first = it.spawn(&[1, 2]);
    until(|| it.asked().len() == 1).await;
    let second = it.spawn(&[2, 3]);
    until(|| it.asked().len() == 2).await;
    *it.fails.lock().unwrap() = true;
    it.gate.add_permits(1);
    assert!(first.await.unwrap().is_err());
    *it.fails.lock().unwrap() = false;
    it.gate.add_permits(10);
    assert_eq!(second.await.unwrap().unwrap(), HashMap::from([(2, 4), (3, 6)]));
    assert_eq!(it.asked(), [vec![1, 2], vec![3], vec![2]]);
}

#[tokio::test]
async fn every_mode_asks_once() {
    let it = Doubler::new(100);
    let get = |mode| scope::with_mode(mode, it.get(&[1, 2]));
    let missed = get(Mode::ReadOnly).await.unwrap_err();
    assert!(matches!(missed.downcast_ref(), Some(Error::Missed { .. })));
    for mode in [Mode::Off, Mode::Peek, Mode::Normal, Mode::Refresh] {
        assert_eq!(get(mode).await.unwrap().len(), 2);
    }
    assert_eq!(it.asked(), [[1, 2]; 4]);
    assert_eq!(get(Mode::ReadOnly).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_function_that_asks_for_its_own_id_does_not_wait_for_itself() {
    let it = Doubler::new(100);
    let outer = |ids: Vec<u64>| {
        let it = it.clone();
        async move {
            let inner = it.get(&ids).await?;
            Ok::<_, BoxError>(inner.into_iter().map(|(id, value)| (id, value + 1)).collect())
        }
    };
    let found: HashMap<u64, u64> = it.cache.get_many([1, 2], spec, outer).await.unwrap();
    assert_eq!(found, HashMap::from([(1, 3), (2, 5)]));
}

#[tokio::test]
async fn a_value_of_another_type_stays_and_one_that_is_none_is_overwritten() {
    let it = Doubler::new(100);
    it.cache.set(spec(&1), "text").await.unwrap();
    let torn = it.cache.key(spec(&2)).unwrap();
    it.cache.store().put(torn.as_str(), "\"torn".into(), Duration::from_secs(60)).await.unwrap();
    assert_eq!(it.get(&[1, 2, 3]).await.unwrap(), HashMap::from([(1, 2), (2, 4), (3, 6)]));
    assert_eq!(it.cache.get::<String>(spec(&1)).await.unwrap().as_deref(), Some("text"));
    assert_eq!(it.cache.get::<u64>(spec(&2)).await.unwrap(), Some(4));
}

/// Counts the runs of a function that returns these values.
async fn get_all<T>(cache: &Cache, ids: &[u64], value: impl Fn(u64) -> T) -> (HashMap<u64, T>, Vec<u64>)
where
    T: Serialize + DeserializeOwned,
{
    let asked = Mutex::new(Vec::new());
    let function = async |ids: Vec<u64>| {
        asked.lock().unwrap().extend(&ids);
        Ok::<_, Error>(ids.into_iter().map(|id| (id, value(id))).collect())
    };
    let found = cache.get_many(ids.iter().copied(), spec, function).await.unwrap();
    (found, asked.into_inner().unwrap())
}

#[tokio::test]
async fn a_value_that_can_not_be_written_is_its_callers_alone() {
    let it = Doubler::new(0);
    let value = |id| if id == 2 { f64::NAN } else { 1.5 };
    let (found, asked) = get_all(&it.cache, &[1, 2, 3], value).await;
    assert_eq!((found.len(), found[&1], found[&2].is_nan()), (3, 1.5, true));
    assert_eq!(asked, [1, 2, 3]);
    let (found, asked) = get_all(&it.cache, &[1, 2, 3], value).await;
    assert_eq!((found.len(), asked), (3, vec![2]), "the others are stored");
}

#[tokio::test]
async fn a_value_that_reads_as_none_is_a_value_all_the_same() {
    let it = Doubler::new(0);
    for _ in 0..2 {
        let (found, _) = get_all(&it.cache, &[1, 2], |id| (id == 2).then_some(7)).await;
        assert_eq!(found, HashMap::from([(1, None), (2, Some(7))]));
        assert_eq!(get_all(&it.cache, &[3], |_| ()).await.0, HashMap::from([(3, ())]));
    }
}

#[tokio::test]
async fn ids_with_one_key_share_its_value() {
    let it = Doubler::new(0);
    let spec = |name: &&str| Spec::of("length").param("name", name.to_lowercase());
    let run = async |names: Vec<&'static str>| {
        Ok::<_, Error>(names.into_iter().map(|name| (name, name.len())).collect::<HashMap<_, _>>())
    };
    for _ in 0..2 {
        let found = it.cache.get_many(["Ann", "ann", "Ben", "Ann"], spec, run).await.unwrap();
        assert_eq!(found, HashMap::from([("Ann", 3), ("ann", 3), ("Ben", 3)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_can_not_fail_has_no_deadline() {
    let mut it = Doubler::new(0);
    it.cache = Cache::builder(MemoryStore::new()).namespace("n").deadline(Duration::from_secs(1)).build().unwrap();
    let slow = async |ids: Vec<u64>| {
        it.asked.lock().unwrap().push(ids.clone());
        tokio::time::sleep(Duration::from_secs(5)).await;
        ids.into_iter().map(|id| (id, id)).collect::<HashMap<_, _>>()
    };
    for _ in 0..2 {
        assert_eq!(Map::get_many(&it.cache, &[1, 2], spec, slow).await.len(), 2);
    }
    assert_eq!(it.asked(), [[1, 2]]);
}

#[tokio::test]
async fn a_function_without_the_cache_gets_no_more_ids_at_once() {
    let it = Doubler::new(0);
    let ids: Vec<u64> = (0..2_500).collect();
    let run = async |ids: Vec<u64>| {
        it.asked.lock().unwrap().push(ids.clone());
        ids.into_iter().map(|id| (id, id)).collect::<HashMap<_, _>>()
    };
    let found = scope::with_mode(Mode::ReadOnly, Map::get_many(&it.cache, &ids, spec, run)).await;
    assert_eq!(found.len(), 2_500);
    assert_eq!(it.asked().iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1_000, 500]);
}
