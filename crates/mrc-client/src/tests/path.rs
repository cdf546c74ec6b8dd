//! The path of a value, without disturbances.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use mrc_core::params;
use mrc_store::CacheStore;
use serde::{Deserialize, Serialize};

use super::support::*;
use crate::{Error, Source};

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

#[tokio::test]
async fn a_hit_is_one_get_and_a_miss_three_calls() {
    let it = Fixture::new(Database::open());
    it.version().await;
    assert_eq!(it.store.calls(), ["get", "claim", "fill"]);
    it.version().await;
    assert_eq!(it.store.calls()[3..], ["get"]);
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
async fn none_and_empty_are_values_like_any_other() {
    let it = Fixture::new(Database::open());
    let runs = AtomicUsize::new(0);
    for _ in 0..2 {
        let nothing: Option<u8> = it
            .client
            .with_cache(
                || async {
                    runs.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, Error>(None)
                },
                "nothing",
                params! {},
                HOUR,
            )
            .await
            .unwrap();
        assert_eq!(nothing, None);
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
    let token = mrc_store::Token::from_bits(7);
    let claim = ours.store.memory.claim(&ours.key(), &token, mrc_store::Terms::fill(HOUR)).await.unwrap();
    assert_eq!(claim, mrc_store::Claim::Granted);
    let waiting = ours.ask();
    until(|| ours.store.calls().iter().filter(|call| **call == "claim").count() >= 1).await;
    assert!(ours.store.memory.fill(&ours.key(), &token, r#"[{"version":9}]"#.into(), HOUR.into()).await.unwrap());
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!((version(&answer), answer.source()), (9, Source::Followed));
    assert_eq!(ours.database.queries(), 0);
}
