//! The path of a value, without disturbances. Plain values take the path of all others.

use super::*;

#[tokio::test]
async fn a_miss_is_stored_and_the_next_call_hits() {
    let it = Fixture::new(Database::open());
    let miss = it.ask().await.unwrap().unwrap();
    it.database.write(2);
    let hit = it.ask().await.unwrap().unwrap();
    assert_eq!((miss.source(), hit.source()), (Source::Computed, Source::Cache));
    assert_eq!(miss.as_bytes(), hit.as_bytes());
    assert_eq!(miss.as_bytes(), br#"[{"version":1}]"#);
    assert_eq!(it.events(), ["Miss", "Filled", "Hit"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_callers_one_asks_the_database() {
    let it = Fixture::new(Database::gated());
    let callers: Vec<_> = (0..1000).map(|_| it.ask()).collect();
    it.database.reads(1).await;
    it.database.gate.add_permits(1);
    for answer in join_all(callers).await {
        assert_eq!(version(&answer.unwrap().unwrap()), 1);
    }
    assert_eq!(it.database.queries(), 1);
}

#[tokio::test]
async fn the_ttl_on_the_store_is_jittered() {
    let it = Fixture::new(Database::open());
    it.version().await;
    let left = it.store.ttl(&it.key()).await.unwrap().unwrap().as_secs();
    assert!((3239..=3960).contains(&left), "{left}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    total: f64,
    lines: Vec<(String, Option<u8>)>,
}

#[tokio::test]
async fn a_function_is_run_once_and_both_calls_return_the_same() {
    let it = Fixture::new(Database::open());
    let runs = AtomicUsize::new(0);
    let build = || async {
        runs.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Error>(Report { total: 1e-7, lines: vec![("é".into(), None)] })
    };
    let first = it.client.with_cache(build, "report_v1", params! { "StoreId" => 6 }, HOUR).await.unwrap();
    let second: Report = it.client.with_cache(build, "report_v1", params! { "StoreId" => 6 }, HOUR).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let read = it.client.read_from_cache("report_v1", params! { "StoreId" => 6 }).await.unwrap().unwrap();
    assert_eq!(read.as_str().unwrap(), r#"{"total":1e-7,"lines":[["é",null]]}"#);
}

#[tokio::test]
async fn none_is_a_value_like_any_other() {
    let it = Fixture::new(Database::open());
    let runs = AtomicUsize::new(0);
    let nothing = || async {
        runs.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Error>(None::<u8>)
    };
    for _ in 0..2 {
        assert_eq!(it.client.with_cache(nothing, "nothing", params! {}, HOUR).await.unwrap(), None);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_written_value_is_read() {
    let it = Fixture::new(Database::open());
    assert_eq!(it.client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap(), None);
    it.client.write_to_cache(SQL, &[1.5, 2.0], params! { "Id" => 1 }, Duration::from_secs(60)).await.unwrap();
    let read = it.client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap().unwrap();
    assert_eq!(read.into_bytes(), "[1.5,2.0]");
}

#[tokio::test]
async fn a_value_of_another_type_stays_and_a_value_that_is_no_json_is_overwritten() {
    let it = Fixture::new(Database::open());
    it.client.write_to_cache("n", "text", params! {}, HOUR).await.unwrap();
    let number = || async { Ok::<u64, Error>(7) };
    let read = async || it.client.read_from_cache("n", params! {}).await.unwrap().unwrap().into_bytes();
    assert_eq!(it.client.with_cache(number, "n", params! {}, HOUR).await.unwrap(), 7);
    assert_eq!(it.events()[1..], ["Hit", "Bypassed WrongType"]);
    assert_eq!(read().await, "\"text\"");
    let key = it.client.key("n", params! {}).unwrap();
    it.store.memory.put(key.as_str(), "\"torn".into(), HOUR).await.unwrap();
    assert_eq!(it.client.with_cache(number, "n", params! {}, HOUR).await.unwrap(), 7);
    assert_eq!(it.events()[4..], ["Hit", "BadValue", "Miss", "Filled"]);
    assert_eq!(read().await, "7");
}

#[tokio::test]
async fn a_waiter_in_another_process_gets_the_holders_value() {
    let ours = Fixture::new(Database::open());
    let token = Token::from_bits(7);
    let claim = ours.store.memory.claim(&ours.key(), &token, Terms::fill(HOUR)).await.unwrap();
    assert_eq!(claim, Claim::Granted);
    let waiting = ours.ask();
    until(|| ours.store.calls().iter().filter(|call| **call == "claim").count() >= 1).await;
    assert!(ours.store.memory.fill(&ours.key(), &token, r#"[{"version":9}]"#.into(), HOUR.into()).await.unwrap());
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!((version(&answer), answer.source()), (9, Source::Followed));
    assert_eq!(ours.database.queries(), 0);
}

impl Fixture {
    async fn write(&self, query: impl Into<Query<'_>>) -> bool {
        self.client.write_to_cache(query, &[7], params! { "Id" => 1 }, HOUR).await.unwrap()
    }

    async fn read(&self) -> Option<Bytes> {
        let answer = self.client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap();
        answer.map(Answer::into_bytes)
    }
}

#[tokio::test]
async fn a_written_value_has_the_tags_of_its_query() {
    let it = Fixture::new(Database::open());
    for tag in ["orders", "Id=1"] {
        assert!(it.write(Query::new(SQL).tag("orders").tag_by_params()).await);
        assert_eq!(it.read().await.unwrap(), "[7]");
        assert_eq!(it.store.memory.invalidate(&[Tag::new(tag)]).await.unwrap(), 1, "{tag}");
        assert_eq!(it.read().await, None, "{tag}");
    }
    let refused = it.client.write_to_cache(Query::new(SQL).tag(""), &1, params! { "Id" => 1 }, HOUR).await;
    assert!(matches!(refused, Err(Error::Tag(_))));
}

#[tokio::test]
async fn reads_and_writes_keep_to_the_mode() {
    let it = Fixture::new(Database::open());
    for mode in [Mode::Off, Mode::Peek, Mode::ReadOnly] {
        assert!(!scope::with_mode(mode, it.write(SQL)).await, "{mode:?}");
    }
    assert_eq!(it.read().await, None);
    assert!(scope::with_mode(Mode::Refresh, it.write(SQL)).await);
    for (mode, there) in [(Mode::Off, false), (Mode::Refresh, false), (Mode::Peek, true), (Mode::ReadOnly, true)] {
        assert_eq!(scope::with_mode(mode, it.read()).await.is_some(), there, "{mode:?}");
    }
}

#[tokio::test]
async fn reads_and_writes_emit_what_calls_do_and_keep_to_the_limit() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.max_value(3));
    assert_eq!(it.read().await, None);
    assert!(it.write(SQL).await);
    assert_eq!(it.read().await.unwrap(), "[7]");
    assert_eq!(it.events(), ["Miss", "Filled", "Hit"]);
    let large = it.client.write_to_cache(SQL, &[70], params! { "Id" => 1 }, HOUR).await.unwrap();
    assert!(!large);
    assert_eq!(it.events()[3..], ["Bypassed TooLarge"]);
    assert_eq!(it.read().await.unwrap(), "[7]");
}

#[tokio::test]
async fn a_cache_that_fails_is_an_error() {
    let it = Fixture::new(Database::open());
    *it.store.failing.lock().unwrap() = Some("all");
    let params = params! { "Id" => 1 };
    assert!(matches!(it.client.read_from_cache(SQL, &params).await, Err(Error::Store(_))));
    for query in [Query::new(SQL), Query::new(SQL).tag("t")] {
        assert!(matches!(it.client.write_to_cache(query, &1, &params, HOUR).await, Err(Error::Store(_))));
    }
}

#[tokio::test]
async fn a_cache_of_a_client_has_its_store_its_settings_and_its_listeners() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.stale_on_error(HOUR).max_value(9));
    let cache = it.client.with_deadline(Duration::from_secs(1)).cache("shop").ttl(60).build().unwrap();
    assert!(cache.set("a", &1).await.unwrap());
    assert!(!cache.set("b", &"more than nine bytes").await.unwrap());
    assert_eq!(it.events(), ["Filled", "Bypassed TooLarge"], "the client's listener hears each event once");
    assert_eq!((cache.namespace(), cache.get::<u8>("a").await.unwrap()), ("shop", Some(1)));
    assert!(it.store.memory.get(cache.key("a").unwrap().as_str()).await.unwrap().is_some());
    let slow = cache.get_or_try("slow", pending::<Result<u8, Error>>).await;
    assert!(matches!(slow, Err(Error::Deadline { limit }) if limit == Duration::from_secs(1)), "{slow:?}");
}

#[tokio::test]
async fn a_function_has_tags_and_gives_its_own_error_back() {
    let it = Fixture::new(Database::open());
    let report = async |fails: bool| {
        let function = || async move {
            anyhow::ensure!(!fails, "the rates are missing");
            Ok(1)
        };
        let signature = Query::new("report_v1").tag("orders");
        it.client.with_cache(function, signature, params! { "StoreId" => 6 }, HOUR).await
    };
    assert_eq!(report(true).await.unwrap_err().to_string(), "the rates are missing");
    assert_eq!(report(false).await.unwrap(), 1);
    assert_eq!(report(true).await.unwrap(), 1, "a hit runs nothing");
    assert_eq!(it.client.invalidate(["orders"]).await.unwrap(), 1);
    assert!(report(true).await.is_err());
}

#[tokio::test]
async fn the_source_of_every_way_of_reading_can_be_known() {
    let it = Fixture::new(Database::open());
    let cache = it.client.cache("shop").build().unwrap();
    #[derive(Deserialize)]
    struct Row {}
    let rows = || it.client.rows_with_cache::<Row>(SQL, params! { "Id" => 1 }, HOUR);
    // The function's read is a hit, but doesn't count as its caller's answer.
    let function = || async { rows().await.map(|rows| rows.len()) };
    let of_function = || cache.get_or_try("f", function);
    let of_client = || it.client.with_cache(function, "f", params! {}, HOUR);
    for expected in [Source::Computed, Source::Cache] {
        assert_eq!(scope::with_source(rows()).await.1, Some(expected));
        assert_eq!(scope::with_source(of_function()).await.1, Some(expected));
        assert_eq!(scope::with_source(of_client()).await.1, Some(expected));
        assert_eq!(scope::with_source(cache.get_or("g", async || 1)).await.1, Some(expected));
    }
    assert_eq!(scope::with_source(cache.get::<u8>("g")).await.1, Some(Source::Cache));
    assert_eq!(scope::with_source(async { 1 }).await, (1, None));
    let fails = cache.get_or_try("h", || async {
        rows().await?;
        Err::<u8, _>(Error::Shutdown)
    });
    assert_eq!(scope::with_source(fails).await.1, None, "the query answered the function, and nothing the caller");
}
