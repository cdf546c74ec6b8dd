//! Many callers, several processes, invalidations meanwhile, and callers that are cancelled. Many
//! callers cause few queries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mrc::{Answer, Error, Event, MrcClient, Source, params};
use mrc_tests::{Proxy, Redis};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::support::*;

type Asking = JoinHandle<Result<Answer, Error>>;

fn spawn(client: &MrcClient, id: u32) -> Asking {
    let client = client.clone();
    tokio::spawn(async move { ask(&client, id).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_clients_with_a_hundred_callers_each_one_asks_the_database() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let mysql = Gated::closed(&shop.database);
    // Two clients share no memory, so they are like two processes to each other.
    let clients: Vec<MrcClient> = (0..2)
        .map(|_| {
            let builder = shop.through(&wire).wait_max(HOUR);
            builder.shared_executor(mysql.clone()).build().unwrap()
        })
        .collect();
    let callers: Vec<_> = (0..200).map(|at| spawn(&clients[at % 2], 1)).collect();
    until(async || wire.count("GET") >= 200 && mysql.reads() > 0).await;
    mysql.gate.add_permits(10);
    let answers = join_all(callers).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    assert!(answers.iter().all(|answer| version(answer) == 1));
    assert_eq!(answers.iter().filter(|answer| answer.source() == Source::Computed).count(), 1);
    assert_eq!(mysql.reads(), 1);
}

#[tokio::test]
async fn a_fill_that_was_invalidated_meanwhile_is_refused() {
    let (shop, wire, mysql, client) = gated().await;
    let early = spawn(&client, 1);
    until(async || mysql.reads() == 1).await;
    shop.write(2).await;
    // The fill in flight counts as an entry.
    assert_eq!(shop.server().drop_outdated_cache(params! { "Id" => 1 }).await.unwrap(), 1);
    // A caller after the invalidation must see the new version, though the early fill is in flight.
    let late = spawn(&client, 1);
    until(async || wire.count("GET") == 2).await;
    // A round trip later the late caller has its answer, and waits for the early one.
    assert!(!shop.has_key(1).await);
    mysql.gate.add_permits(10);
    assert_eq!(version(&early.await.unwrap().unwrap()), 1);
    assert_eq!(version(&late.await.unwrap().unwrap()), 2);
    let next = ask(&client, 1).await.unwrap();
    assert_eq!((version(&next), next.source()), (2, Source::Cache));
    assert!(shop.heard.take().contains(&"Refused".into()));
}

#[tokio::test]
async fn a_computation_longer_than_its_lease_is_not_stored() {
    let shop = Shop::open().await;
    let mysql = Gated::closed(&shop.database);
    let client = shop.builder().shared_executor(mysql.clone()).lease(Duration::from_millis(50)).build().unwrap();
    let slow = spawn(&client, 1);
    until(async || mysql.reads() == 1).await;
    until(async || !shop.has_key(1).await).await;
    mysql.gate.add_permits(1);
    assert_eq!(version(&slow.await.unwrap().unwrap()), 1);
    assert_eq!(shop.heard.take(), ["Miss", "Refused"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_callers_leave_nothing_behind() {
    const IDS: u32 = 30;
    let shop = Shop::open().await;
    // Rows of 30 KB: many calls are cancelled while their rows stream.
    let sql = "SELECT id, REPEAT(CONCAT(id, ' '), 10000) AS filler FROM items WHERE id = ?";
    let client = shop.builder().lease(Duration::from_millis(500)).build().unwrap();
    let right = |answer: &Answer, id: u32| {
        let rows: Vec<serde_json::Value> = answer.rows().unwrap();
        rows.len() == 1
            && rows[0]["id"] == id
            && rows[0]["filler"].as_str().unwrap().starts_with(&format!("{id} {id} "))
    };
    let seed: u64 = rand::random();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut callers = Vec::new();
    for at in 0..300 {
        let (client, id) = (client.clone(), at % IDS + 1);
        let caller = tokio::spawn(async move { client.query_with_cache(sql, params! { "Id" => id }, HOUR).await });
        let (yields, micros) = (rng.random_range(0..20), rng.random_range(0..3_000));
        let by_time = rng.random_bool(0.5);
        let abort = caller.abort_handle();
        callers.push((id, caller));
        let gone = tokio::spawn(async move {
            if by_time {
                tokio::time::sleep(Duration::from_micros(micros)).await;
            } else {
                for _ in 0..yields {
                    tokio::task::yield_now().await;
                }
            }
            abort.abort();
        });
        // In waves, so that some calls meet keys with an abandoned claim.
        if at % 7 == 0 {
            gone.await.unwrap();
        }
    }
    let mut cancelled = 0;
    for (id, caller) in callers {
        match caller.await {
            Ok(answer) => assert!(right(&answer.unwrap(), id), "seed {seed}, id {id}"),
            Err(error) => cancelled += usize::from(error.is_cancelled()),
        }
    }
    assert!(cancelled > 50, "seed {seed}: only {cancelled} were cancelled in time");

    // Every key can be filled, now or after the lease, and all connections work.
    for id in 1..=IDS {
        until(async || {
            let answer = client.query_with_cache(sql, params! { "Id" => id }, HOUR).await.unwrap();
            assert!(right(&answer, id), "seed {seed}, id {id}");
            answer.is_hit()
        })
        .await;
    }
    let uncached = join_all((1..=IDS).map(|id| client.query(sql, params! { "Id" => id }))).await;
    for (id, answer) in (1..).zip(uncached) {
        assert!(right(&answer.unwrap(), id), "seed {seed}, id {id}");
    }
}

#[tokio::test]
async fn a_cancelled_leader_hands_over_to_a_follower() {
    let (_shop, wire, mysql, client) = gated().await;
    let leader = spawn(&client, 1);
    until(async || mysql.reads() == 1).await;
    let followers: Vec<_> = (0..20).map(|_| spawn(&client, 1)).collect();
    until(async || wire.count("GET") >= 21).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    mysql.gate.add_permits(1_000);
    for answer in join_all(followers).await {
        assert_eq!(version(&answer.unwrap().unwrap()), 1);
    }
    until(async || ask(&client, 1).await.unwrap().is_hit()).await;
}

fn callers(client: &MrcClient, ids: impl IntoIterator<Item = u32>) -> Vec<Asking> {
    ids.into_iter().map(|id| spawn(client, id)).collect()
}

/// A caller that waits for another process holds neither a connection nor a turn.
#[tokio::test]
async fn a_waiting_caller_blocks_no_other() {
    let shop = Shop::open().await;
    let (wire, mysql) = (Proxy::to(shop.redis.port()).await, Gated::closed(&shop.database));
    // Two clients share no memory, so they are like two processes to each other.
    let holder = shop.builder().shared_executor(mysql.clone()).build().unwrap();
    let holding = callers(&holder, [1]);
    until(async || mysql.reads() == 1).await;
    let narrow = shop.mysql_config().pool_max(1);
    let builder = shop.through(&wire).mysql_config(narrow);
    let client = builder.query_limit(1, 0).wait_max(HOUR).build().unwrap();
    let waiting = callers(&client, [1; 250]);
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
        let early = callers(&client, [2; 20]);
        mysql.gate.add_permits(20);
        assert!(join_all(early).await.into_iter().all(|answer| version(&answer.unwrap().unwrap()) == 1));
        guarded(lost.notified()).await;
        let (before, _) = (mysql.reads(), mysql.gate.forget_permits(20));
        let callers = callers(&client, [1; 200]);
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

#[tokio::test]
async fn any_deletion_of_the_key_refuses_the_fill() {
    let shop = Shop::open().await;
    let mysql = Gated::closed(&shop.database);
    let client = shop.builder().shared_executor(mysql.clone()).build().unwrap();
    for (reads, command) in (1..).zip([["DEL", "1"].as_slice(), &["UNLINK", "1"], &["PEXPIRE", "1", "0"]]) {
        let early = spawn(&client, 1);
        until(async || mysql.reads() == reads).await;
        let mut command = command.to_vec();
        let key = shop.key(1);
        command[1] = &key;
        assert_eq!(shop.redis.cli(&command).await, "1");
        mysql.gate.add_permits(1);
        early.await.unwrap().unwrap();
        assert!(!shop.has_key(1).await, "{command:?}");
        assert_eq!(shop.heard.take(), ["Miss", "Refused"]);
    }
}
