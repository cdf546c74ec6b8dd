//! No caller waits for ever: not for a stopped leader, for itself, or again for a dead process.

use super::*;

const DEADLINE: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(30);

fn cache() -> (Arc<Spy>, Cache) {
    let store = Spy::new();
    let cache = CacheBuilder::shared(store.clone()).namespace("n").build().unwrap();
    (store, cache)
}

/// Fails a test that would hang. A paused clock makes this instant.
async fn ends<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(100 * DEADLINE, work).await.expect("it hangs")
}

#[tokio::test(start_paused = true)]
async fn an_unpolled_leader_delays_no_caller_beyond_the_deadline() {
    let ((_, cache), runs) = (cache(), AtomicUsize::new(0));
    let mut stands_still = Box::pin(cache.get_or("k", pending::<usize>));
    assert!(stands_still.as_mut().now_or_never().is_none());
    let began = Instant::now();
    let own = || async { runs.fetch_add(1, Ordering::SeqCst) };
    ends(join_all((0..5).map(|_| cache.get_or("k", own)))).await;
    assert_eq!((began.elapsed(), runs.load(Ordering::SeqCst)), (DEADLINE, 1), "the first leads a flight of its own");
    cache.remove("k").await.unwrap();
    assert_eq!(ends(cache.get_or("k", own)).await, 1);
    assert_eq!(began.elapsed(), DEADLINE, "nobody waits for that leader again");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_deadline_ends_with_it_and_the_next_one_leads() {
    let (_, cache) = cache();
    let mut stands_still = Box::pin(cache.get_or_try("k", pending::<Result<u8, Error>>));
    assert!(stands_still.as_mut().now_or_never().is_none());
    let call = || cache.get_or_try("k", || async { Ok::<u8, Error>(2) });
    assert!(matches!(ends(call()).await, Err(Error::Deadline { limit: DEADLINE })));
    let began = Instant::now();
    assert_eq!((ends(call()).await.unwrap(), began.elapsed()), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn without_the_cache_followers_give_up_a_blocked_leader_too() {
    let (store, cache) = cache();
    *store.failing.lock().unwrap() = Some("all");
    let mut stands_still = Box::pin(cache.get_or("k", pending::<u8>));
    assert!(stands_still.as_mut().now_or_never().is_none());
    let began = Instant::now();
    assert_eq!(ends(cache.get_or("k", || async { 2 })).await, 2);
    assert_eq!(began.elapsed(), DEADLINE);
}

fn recursive<'a>(cache: &'a Cache, keys: &'a [&'static str]) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move {
        let Some((key, rest)) = keys.split_first() else { return 0 };
        cache.get_or(*key, || async { recursive(cache, rest).await + 1 }).await
    })
}

#[tokio::test(start_paused = true)]
async fn a_function_that_calls_itself_with_the_same_arguments_bypasses_the_cache() {
    for keys in [&["a", "a"][..], &["a", "b", "a"], &["a", "b", "b", "a"]] {
        let ((_, cache), began) = (cache(), Instant::now());
        assert_eq!(ends(recursive(&cache, keys)).await, keys.len());
        assert_eq!(began.elapsed(), Duration::ZERO, "{keys:?}");
        assert_eq!(cache.get::<usize>("a").await.unwrap(), Some(keys.len()), "the outer value is the entry's");
        let refreshed = scope::with_mode(scope::Mode::Refresh, recursive(&cache, keys));
        assert_eq!((ends(refreshed).await, began.elapsed()), (keys.len(), Duration::ZERO), "{keys:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_error_of_a_leader_a_follower_has_its_deadline() {
    let (store, cache) = cache();
    let fails = async || {
        tokio::time::sleep(SECOND).await;
        Err::<u8, _>(Error::Config("no".into()))
    };
    // The key is claimed at first, so that the second call joins before the first function runs.
    store.memory.claim("n:k", &Token::from_bits(7), Terms::fill(SECOND / 2)).await.unwrap();
    let began = Instant::now();
    let (fails, hangs) = (cache.get_or_try("k", fails), cache.get_or_try("k", pending::<Result<u8, Error>>));
    let (first, second) = ends(async { tokio::join!(fails, hangs) }).await;
    assert!(matches!(first, Err(Error::Config(_))));
    assert!(matches!(second, Err(Error::Deadline { .. })));
    assert_eq!(began.elapsed(), DEADLINE);
}

async fn claim(it: &Fixture, token: u128) {
    let claim = it.store.memory.claim(&it.key(), &Token::from_bits(token), Terms::fill(LEASE)).await.unwrap();
    assert_eq!(claim, Claim::Granted);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_waited_out_is_not_waited_for_again() {
    let it = Fixture::new(Database::gated());
    it.database.gate.add_permits(6);
    claim(&it, 7).await;
    let began = Instant::now();
    let waited = |times: u32| assert_eq!(began.elapsed().as_secs(), u64::from(times), "{:?}", began.elapsed());
    it.version().await;
    waited(1);
    for _ in 0..5 {
        it.version().await;
    }
    waited(1);
    let together: Vec<_> = (0..50).map(|_| it.ask()).collect();
    it.database.reads(7).await;
    it.settle().await;
    it.database.gate.add_permits(100);
    for answer in join_all(together).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(it.database.queries(), 8, "those who come while one reads share the next query");
    // Another process claims the key: its claim is waited for once.
    it.invalidate().await;
    claim(&it, 8).await;
    it.version().await;
    waited(2);
    it.version().await;
    waited(2);
    advance(LEASE).await;
    it.events.lock().unwrap().clear();
    it.version().await;
    assert_eq!(it.events(), ["Miss", "Filled"], "the lease is over");
    assert!(it.client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap().is_some());
}
