//! Many callers cause few queries: while the cache is cold or away, or another process fills it.

use std::sync::Arc;

use futures_util::future::join_all;
use mrc::config::MySqlConfig;
use mrc::{Error, Event, Source};
use mrc_tests::{Proxy, Redis};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::support::*;

fn callers(client: &mrc::MrcClient, ids: impl Iterator<Item = u32>) -> Vec<JoinHandle<Result<mrc::Answer, Error>>> {
    let spawn = |id| {
        let client = client.clone();
        tokio::spawn(async move { ask(&client, id).await })
    };
    ids.map(spawn).collect()
}

/// A caller that waits for another process holds neither a connection nor a turn.
#[tokio::test]
async fn a_waiting_caller_blocks_no_other() {
    let shop = Shop::open().await;
    let (wire, mysql) = (Proxy::to(shop.redis.port()).await, Gated::closed(&shop.database));
    // Two clients share no memory, so they are like two processes to each other.
    let holder = shop.builder().shared_executor(mysql.clone()).build().unwrap();
    let holding = callers(&holder, [1].into_iter());
    until(async || mysql.reads() == 1).await;
    let narrow = MySqlConfig::from_url(&shop.database.url()).unwrap().pool_max(1);
    let builder = shop.builder().redis_config(shop.redis_config(wire.port())).mysql_config(narrow);
    let client = builder.query_limit(1, 0).wait_max(HOUR).build().unwrap();
    let waiting = callers(&client, [1; 250].into_iter());
    // A refused claim: one caller waits for the other process, and the rest wait for that caller.
    until(async || wire.count("GET") == 250 && wire.commands().iter().filter(|c| c[0].starts_with("EVAL")).count() > 2)
        .await;
    assert_eq!(ask(&client, 2).await.unwrap().source(), Source::Computed);
    assert!(waiting.iter().all(|caller| !caller.is_finished()));
    mysql.gate.add_permits(1);
    for answer in join_all(holding.into_iter().chain(waiting)).await {
        assert_eq!(version(&answer.unwrap().unwrap()), 1);
    }
    assert_eq!(mysql.reads(), 1);
    let computed = shop.heard.take().iter().filter(|event| *event == "Miss").count();
    assert_eq!(computed, 2, "item 1 by the holder, item 2 by the other");
}

#[tokio::test]
async fn without_a_cache_callers_for_one_value_share_few_queries() {
    let redis = Redis::start().await;
    for standing_still in [false, true] {
        let shop = Shop::on(redis.clone()).await;
        let mysql = Gated::closed(&shop.database);
        let builder = shop.builder().redis_config(impatient(redis.port()).prefix(&shop.prefix));
        let lost = Arc::new(Notify::new());
        let telling = Arc::clone(&lost);
        let tell = move |event: &Event<'_>| {
            if matches!(event, Event::ServerLost { .. }) {
                telling.notify_one();
            }
        };
        let client = builder.shared_executor(mysql.clone()).on_event(tell).build().unwrap();
        until(async || client.health().await.is_whole()).await;
        if standing_still {
            redis.pause().await;
        } else {
            redis.kill().await;
        }
        while guarded(client.health()).await.cache.is_ok() {}
        // Callers that still trust the connection may fail one by one, and then wait for nobody.
        let early = callers(&client, [2; 20].into_iter());
        mysql.gate.add_permits(20);
        assert!(join_all(early).await.into_iter().all(|answer| version(&answer.unwrap().unwrap()) == 1));
        guarded(lost.notified()).await;
        let (before, _) = (mysql.reads(), mysql.gate.forget_permits(20));
        let callers = callers(&client, [1; 200].into_iter());
        until(async || mysql.reads() > before).await;
        // Later callers have gathered behind it meanwhile.
        mysql.gate.add_permits(200);
        let answers = join_all(callers).await;
        assert!(answers.into_iter().all(|answer| version(&answer.unwrap().unwrap()) == 1));
        let queries = mysql.reads() - before;
        assert!(queries <= 3, "{queries} queries");
        assert_eq!(mysql.most_at_once(), 1, "one value is read by one caller at a time");
        if standing_still {
            redis.resume().await;
        } else {
            redis.restart().await;
        }
    }
}

#[tokio::test]
async fn without_a_cache_queries_have_a_limit() {
    let redis = Redis::start().await;
    let shop = Shop::on(redis.clone()).await;
    let mysql = Gated::closed(&shop.database);
    let client = shop.builder().shared_executor(mysql.clone()).query_limit(2, 5).build().unwrap();
    redis.kill().await;
    let callers = callers(&client, 1..=50);
    let turned_away = || callers.iter().filter(|caller| caller.is_finished()).count();
    until(async || turned_away() >= 43 && mysql.reads() == 2).await;
    mysql.gate.add_permits(50);
    let (answered, turned_away): (Vec<_>, Vec<_>) =
        join_all(callers).await.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert!(answered.iter().flatten().all(|answer| version(answer) == 1));
    assert_eq!((answered.len(), turned_away.len()), (7, 43));
    for error in turned_away.into_iter().map(Result::unwrap_err) {
        assert!(matches!(error, Error::Overloaded { waiting: 5 }) && error.is_retryable(), "{error:?}");
    }
    assert_eq!(mysql.most_at_once(), 2);
    let events = shop.heard.take();
    assert_eq!(events.iter().filter(|event| *event == "Overloaded").count(), 43);
    // The crowd has left.
    assert_eq!(version(&ask(&client, 1).await.unwrap()), 1);
}
