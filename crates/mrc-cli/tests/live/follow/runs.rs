//! A running follower: what it does, also with `auto = true`, how it is seen, and how it ends.

use std::time::Duration;

use mrc::MrcClient;
use mrc::config::RedisConfig;
use mrc_tests::{Database, Redis, SqlKind};
use serde_json::Value;

use super::{SQL, Shop, head, http};

#[cfg(unix)]
#[tokio::test]
async fn it_invalidates_is_seen_and_ends_at_a_signal() {
    use rustix::process::Signal;
    let mut shop = Shop::open().await;
    // The rights in the repository suffice, in the database and in the cache.
    shop.limit_rights().await;
    let cache = Redis::start().await;
    for line in include_str!("../../../../../docs/rights/redis.acl").lines().filter(|line| line.starts_with("ACL")) {
        let line = line.replace("~app:*", &format!("~{}*", shop.prefix));
        assert_eq!(cache.cli(&line.split_whitespace().collect::<Vec<_>>()).await, "OK");
    }
    shop.cache = format!("redis://cache:secret@127.0.0.1:{}", cache.port());
    shop.redis = cache;
    let none = shop.follow(&["--status"]).await;
    assert!(none.code == 1 && none.stderr.contains("no position"), "{none:?}");

    let mut following = shop.start(&["--listen", "0"]);
    assert!(following.line("follows 1 table as ").await.contains("server_id"));
    let line = following.line("/metrics").await;
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    shop.until_led(&mut following).await;

    assert_eq!((shop.ask(6).await.as_str(), shop.ask(7).await.as_str()), ("miss", "miss"));
    shop.database.execute("INSERT INTO orders (id, store_id) VALUES (1, 6)").await;
    shop.until_invalidated(6).await;
    assert_eq!(shop.ask(7).await, "hit");

    while http(&address, "/readyz").await.0 != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(http(&address, "/healthz").await, (200, "ok\n".to_owned()));
    let (status, metrics) = http(&address, "/metrics").await;
    assert!(status == 200 && metrics.contains("\nmrc_follow_rows_total{follower=\"shop"), "{metrics}");
    assert!(metrics.contains("\"} 1\n") && !metrics.contains("secret"), "{metrics}");
    assert_eq!(http(&address, "/other").await.0, 404);

    let status = shop.follow(&["--status", "--json"]).await.json();
    let kind = status["position"].as_str().unwrap().split(':').next().unwrap().to_owned();
    assert!(["mysql", "mariadb"].contains(&&*kind) && status["leader"].is_string(), "{status}");
    let second = shop.follow(&["--once"]).await;
    assert_eq!((second.code, second.stdout.as_str()), (6, ""), "{second:?}");

    crate::run::signal(&following.child, Signal::TERM);
    let run = following.end().await;
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert!(run.stderr.contains("ended after ") && run.stderr.contains("1 changed row"), "{run:?}");
    let status = shop.follow(&["--status"]).await;
    assert!(status.text().contains("leader    none"), "{status:?}");
    assert_eq!(shop.redis.cli(&["ACL", "LOG"]).await, "");
}

#[tokio::test]
async fn once_applies_what_was_committed_and_ends() {
    let shop = Shop::open().await;
    let first = shop.follow(&["--once"]).await;
    assert_eq!((first.code, first.stdout.as_str()), (0, ""), "{first:?}");
    shop.ask(6).await;
    shop.database.execute("INSERT INTO orders (id, store_id) VALUES (1, 6)").await;
    assert_eq!(shop.ask(6).await, "hit");
    let dry = shop.follow(&["--once", "--dry-run"]).await;
    assert!(dry.code == 0 && dry.stdout.contains("1 row; tags and params to invalidate: 1\n"), "{dry:?}");
    assert_eq!(shop.ask(6).await, "hit");

    let run = shop.follow(&["--once", "--json"]).await;
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["event"] == "leads" && line["leads"] == true), "{run:?}");
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], last["rows"].as_u64(), last["invalidated"].as_u64()),
        (&"status".into(), Some(1), Some(1))
    );
    assert_eq!(shop.ask(6).await, "miss");
}

#[tokio::test]
async fn a_change_that_rows_do_not_show_is_reported_once() {
    let shop = Shop::open().await;
    let mut following = shop.started(&[]).await;
    shop.ask(6).await;
    shop.database.execute("TRUNCATE orders").await;
    let line = following.line("everything of ").await;
    // The first start invalidates everything, as the cache has no position.
    let line = if line.contains("all tables") { following.line("everything of ").await } else { line };
    assert!(line.contains(".orders") && line.contains("a statement names the table"), "{line}");
    shop.until_invalidated(6).await;
}

#[tokio::test]
async fn a_follower_whose_server_id_is_used_ends() {
    let shop = Shop::open().await;
    let mut first = shop.started(&["--listen", "0"]).await;
    // The same file with another prefix: another follower with the same number.
    let mut other = Shop::open().await;
    std::fs::write(other.rules.path(), std::fs::read(shop.rules.path()).unwrap()).unwrap();
    other.mysql = shop.mysql.clone();
    let mut second = other.started(&[]).await;
    let (code, stderr) = tokio::select! {
        line = first.line("server_id") => (first.end().await.code, line),
        line = second.line("another replica") => (second.end().await.code, line),
    };
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("give each its own"), "{stderr}");
}

/// Returns a shop without rules, whose follower has the rights in the repository, and its name.
async fn open() -> (Shop, String) {
    let file = format!("{}\nauto = true", head());
    let name = file.split('"').nth(1).unwrap().to_owned();
    let mut shop = Shop::with_file(Database::logged().await, &file).await;
    shop.limit_rights().await;
    (shop, name)
}

#[tokio::test]
async fn it_follows_what_queries_depend_on() {
    let (shop, name) = open().await;
    let mut following = shop.start(&[]);
    assert!(following.line("follows ").await.contains("follows what queries depend on as "));
    shop.until_led(&mut following).await;
    let redis = RedisConfig::from_url(&shop.cache).unwrap().prefix(shop.prefix.clone());
    let client = MrcClient::builder().mysql(shop.database.url()).redis_config(redis).follow(name).build().unwrap();
    let ask = async |store: i32| {
        let params = mrc::params! { "StoreId" => store };
        client.query_with_cache(SQL, params, Duration::from_secs(3_600)).await.unwrap()
    };
    for store in [6, 7] {
        while !ask(store).await.is_hit() {}
    }
    shop.database.execute("INSERT INTO orders (id, store_id) VALUES (1, 6)").await;
    while ask(6).await.as_str().unwrap() == "[]" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = shop.follow(&["--status"]).await;
    assert!(status.text().ends_with("\nschemes   1 of 1 table"), "{status:?}");
    let status = shop.follow(&["--status", "--json"]).await.json();
    assert_eq!((status["schemes"].as_u64(), status["tables"].as_u64()), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_check_without_rules_is_of_the_settings_and_the_rights() {
    let (shop, _) = open().await;
    let run = shop.follow(&["--check"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    // MariaDB's log tells of most rows that a foreign key changed.
    let (found, is_mysql) = (run.text(), SqlKind::of_this_run().name == "MySQL");
    assert!(found.contains("lacks the privilege REFERENCES"), "{found}");
    assert_eq!(found.contains("may be missed if the same statement"), !is_mysql, "{found}");
    let grant = found.lines().last().unwrap().trim();
    shop.database.execute(grant).await;
    assert_eq!(shop.follow(&["--check"]).await.text(), "nothing is missing");
}
