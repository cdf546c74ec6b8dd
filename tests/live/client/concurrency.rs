//! Many callers, several processes, invalidations meanwhile, and callers that are cancelled.

use std::time::Duration;

use futures_util::future::join_all;
use mrc::{MrcClient, Source, params};
use mrc_tests::Proxy;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::support::*;

fn spawn(client: &MrcClient, id: u32) -> tokio::task::JoinHandle<Result<mrc::Answer, mrc::Error>> {
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
            let builder = shop.builder().redis_config(shop.redis_config(wire.port())).wait_max(HOUR);
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
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let mysql = Gated::closed(&shop.database);
    let builder = shop.builder().redis_config(shop.redis_config(wire.port()));
    let client = builder.shared_executor(mysql.clone()).build().unwrap();
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
    let right = |answer: &mrc::Answer, id: u32| {
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
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let mysql = Gated::closed(&shop.database);
    let builder = shop.builder().redis_config(shop.redis_config(wire.port()));
    let client = builder.shared_executor(mysql.clone()).build().unwrap();
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
