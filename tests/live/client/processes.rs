//! Several processes with many callers on a cold or ageing key, and one that dies while it fills.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use mrc::{Event, MrcClient, Query, params};
use mrc_tests::{Proxy, Twin};
use mysql_async::prelude::Queryable;
use serde::{Deserialize, Serialize};

use super::support::*;

/// The database itself counts the finished reads. A table says how long they take.
const COUNTED: &str = "SELECT id, version, counted() AS slept FROM items WHERE id = ?";
const COUNTING: &str = "CREATE TABLE runs (run INT AUTO_INCREMENT PRIMARY KEY); CREATE TABLE pause (seconds DOUBLE);
    INSERT INTO pause VALUES (0);
    CREATE FUNCTION counted() RETURNS INT BEGIN
        INSERT INTO runs VALUES ();
        RETURN SLEEP((SELECT seconds FROM pause));
    END";

#[derive(Serialize, Deserialize)]
struct Settings {
    redis: String,
    prefix: String,
    mysql: String,
    lease: Duration,
    wait_max: Duration,
    early_refresh: Duration,
}

/// The work of a process's callers: each asks once per round.
#[derive(Serialize, Deserialize)]
struct Work {
    id: u32,
    ttl: Duration,
    callers: usize,
    rounds: usize,
}

/// The answers of the callers, and all events of their process by name.
#[derive(Default, Serialize, Deserialize)]
struct Report {
    answers: BTreeMap<String, usize>,
    events: BTreeMap<String, usize>,
}

impl Report {
    fn event(&self, name: &str) -> usize {
        self.events.get(name).copied().unwrap_or_default()
    }
}

impl Work {
    fn once(id: u32, callers: usize) -> Self {
        Self { id, ttl: HOUR, callers, rounds: 1 }
    }

    async fn run(&self, client: &MrcClient) -> BTreeMap<String, usize> {
        let callers = (0..self.callers).map(|_| {
            let (client, id, ttl, rounds) = (client.clone(), self.id, self.ttl, self.rounds);
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for round in 0..rounds {
                    if round > 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    let query = Query::new(COUNTED).trust_read_only();
                    let answer = client.query_with_cache(query, params! { "Id" => id }, ttl).await;
                    answers.push(answer.map_or_else(|e| e.to_string(), |a| a.as_str().unwrap().to_owned()));
                }
                answers
            })
        });
        let mut counts = BTreeMap::new();
        for answer in join_all(callers).await.into_iter().flat_map(Result::unwrap) {
            *counts.entry(answer).or_default() += 1;
        }
        counts
    }
}

struct Process(Twin);

impl Process {
    fn start(settings: &Settings) -> Self {
        Self(Twin::start("client::processes::a_process", &serde_json::to_value(settings).unwrap()))
    }

    async fn run(&self, work: &Work) -> Report {
        let report = guarded(self.0.call(&serde_json::to_value(work).unwrap())).await;
        serde_json::from_value(report.expect("the process has ended")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs only as a process of the tests beside it"]
async fn a_process() {
    let Some(settings) = Twin::config() else { return };
    let settings: Settings = serde_json::from_value(settings).unwrap();
    let events = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let heard = Arc::clone(&events);
    let client = MrcClient::builder()
        .redis_config(patient(&settings.redis).prefix(settings.prefix))
        .mysql(settings.mysql)
        .lease(settings.lease)
        .wait_max(settings.wait_max)
        .early_refresh(settings.early_refresh)
        .jitter(0.0)
        .on_event(move |event: &Event<'_>| *heard.lock().unwrap().entry(event.name().to_owned()).or_default() += 1)
        .build()
        .unwrap();
    Twin::serve(async |work| {
        let work: Work = serde_json::from_value(work).unwrap();
        let answers = work.run(&client).await;
        serde_json::to_value(Report { answers, events: events.lock().unwrap().clone() }).unwrap()
    })
    .await;
}

/// Returns a shop whose database counts reads, and the settings of its processes.
async fn counting() -> (Shop, Settings) {
    let shop = Shop::open().await;
    shop.database.execute(COUNTING).await;
    let settings = Settings {
        redis: shop.redis.url(),
        prefix: shop.prefix.clone(),
        mysql: shop.database.url(),
        lease: Duration::from_secs(60),
        wait_max: HOUR,
        early_refresh: Duration::ZERO,
    };
    (shop, settings)
}

impl Shop {
    async fn reads_take(&self, seconds: f64) {
        self.database.execute(&format!("UPDATE pause SET seconds = {seconds}")).await;
    }

    async fn runs(&self) -> u64 {
        self.database.admin().await.query_first("SELECT COUNT(*) FROM runs").await.unwrap().unwrap()
    }

    fn counted_key(&self, id: u32) -> String {
        format!("{}{}", self.prefix, self.client.key(COUNTED, params! { "Id" => id }).unwrap())
    }
}

fn answer(id: u32, version: u32) -> String {
    format!(r#"[{{"id":{id},"version":{version},"slept":0}}]"#)
}

#[tokio::test]
async fn of_a_thousand_callers_in_four_processes_one_reads_the_database() {
    let (shop, settings) = counting().await;
    let processes: Vec<_> = (0..4).map(|_| Process::start(&settings)).collect();
    // All processes are connected before they ask for one value.
    for (id, process) in (1..).zip(&processes) {
        process.run(&Work::once(id, 1)).await;
    }
    assert_eq!(shop.runs().await, 4);
    shop.reads_take(0.3).await;
    let work = Work::once(50, 250);
    let reports = join_all(processes.iter().map(|process| process.run(&work))).await;
    for report in &reports {
        assert_eq!(report.answers, BTreeMap::from([(answer(50, 1), 250)]));
    }
    assert_eq!(reports.iter().map(|report| report.event("computed")).sum::<usize>(), 4 + 1);
    assert_eq!(shop.runs().await, 4 + 1);
}

/// Returns a shop in which a process has claimed item 1 and was killed before its fill.
async fn killed_in_mid_fill(lease: Duration) -> (Shop, Settings) {
    let (shop, settings) = counting().await;
    shop.reads_take(600.0).await;
    let settings = Settings { lease, ..settings };
    let holder = Process::start(&settings);
    let work = serde_json::to_value(Work::once(1, 1)).unwrap();
    let kill = async {
        until(async || shop.redis.cli(&["EXISTS", &shop.counted_key(1)]).await == "1").await;
        holder.0.kill().await;
    };
    let (report, ()) = tokio::join!(holder.0.call(&work), kill);
    assert_eq!(report, None);
    shop.reads_take(0.0).await;
    (shop, settings)
}

#[tokio::test]
async fn while_a_dead_process_has_the_claim_the_others_ask_the_database() {
    let (shop, settings) = killed_in_mid_fill(HOUR).await;
    let settings = Settings { wait_max: Duration::from_secs(1), ..settings };
    let processes: Vec<_> = (0..2).map(|_| Process::start(&settings)).collect();
    let work = Work::once(1, 250);
    for report in join_all(processes.iter().map(|process| process.run(&work))).await {
        assert_eq!(report.answers, BTreeMap::from([(answer(1, 1), 250)]));
    }
    assert!((1..=2).contains(&shop.runs().await), "{} queries", shop.runs().await);
    // They didn't wait for the lease: it still exists.
    assert_eq!(shop.redis.cli(&["STRLEN", &shop.counted_key(1)]).await, "0");
    assert_eq!(shop.redis.cli(&["EXISTS", &format!("{}mrc:l:{{{}}}", shop.prefix, shop.counted_key(1))]).await, "1");
}

#[tokio::test]
async fn the_claim_of_a_dead_process_ends_with_its_lease() {
    let (shop, settings) = killed_in_mid_fill(Duration::from_secs(2)).await;
    let process = Process::start(&Settings { wait_max: Duration::from_millis(50), ..settings });
    until(async || {
        let report = process.run(&Work::once(1, 10)).await;
        assert_eq!(report.answers, BTreeMap::from([(answer(1, 1), 10)]));
        report.event("filled") == 1
    })
    .await;
    assert_eq!(shop.redis.cli(&["GET", &shop.counted_key(1)]).await, answer(1, 1));
}

#[tokio::test]
async fn a_value_in_use_is_renewed_by_one_process_without_a_miss() {
    let (shop, settings) = counting().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let (ttl, early_refresh) = (Duration::from_secs(20), Duration::from_secs(17));
    let redis = format!("redis://127.0.0.1:{}", wire.port());
    let settings = Settings { redis, early_refresh, ..settings };
    let processes = [Process::start(&settings), Process::start(&settings)];
    let key = shop.counted_key(1);
    let work = |rounds| Work { id: 1, ttl, callers: 1, rounds };
    let once = work(1);
    let first = join_all(processes.iter().map(|process| process.run(&once))).await;
    assert_eq!(first.iter().map(|report| report.event("miss")).sum::<usize>(), 1);
    for version in 2..=3 {
        shop.write(version).await;
        let work = work(10);
        let reports = guarded(async {
            loop {
                join_all(processes.iter().map(|process| process.run(&work))).await;
                let text = shop.redis.cli(&["GET", &key]).await;
                if text.trim_end() != answer(1, version - 1) {
                    // The mark of a refresh is removed.
                    assert_eq!(text, answer(1, version));
                    // The events of the refresh follow later, so the processes run once more.
                    break join_all(processes.iter().map(|process| process.run(&once))).await;
                }
            }
        })
        .await;
        // This is more than was left of the old value when its refresh began.
        let left: u64 = shop.redis.cli(&["PTTL", &key]).await.parse().unwrap();
        assert!((17_000..=20_000).contains(&left), "{left}");
        let sum = |name| reports.iter().map(|report| report.event(name)).sum::<usize>();
        let refreshes = version as usize - 1;
        assert_eq!(["miss", "refreshing", "computed"].map(sum), [1, refreshes, 1 + refreshes]);
        assert_eq!(shop.runs().await, 1 + refreshes as u64);
    }
    // Each fill set the whole TTL.
    let lives: Vec<String> = wire
        .commands()
        .into_iter()
        .filter(|command| command[0] == "EVALSHA" && command.contains(&answer(1, 2)))
        .filter_map(|command| command.last().cloned())
        .collect();
    assert_eq!(lives, ["20000"]);
}
