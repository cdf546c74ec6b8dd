//! `mrc stats`: the entries of the cache, and the state of its servers.

use mrc::config::RedisConfig;
use mrc::store::RedisStore;
use mrc::{Bound, Cache, Policy};
use mrc_tests::{Redis, RedisCluster};
use serde_json::json;

use crate::run::mrc_with;
use crate::servers::Servers;

#[tokio::test]
async fn entries_are_counted_by_kind_and_servers_report_their_state() {
    let mut servers = Servers::start().await;
    // No other test uses this server, so its numbers are known.
    servers.redis = Redis::start().await;
    servers.query("6", &["--tag", "orders"]).await.text();
    servers.query("66", &[]).await.text();
    for key in ["shop:report(store=6)", "shop:report(store=7)", "\u{1b}[2J:x", "plain"] {
        servers.redis.cli(&["SET", &format!("{}{key}", servers.prefix), "1"]).await;
    }
    servers.redis.cli(&["SET", "of another cache:x", "1"]).await;
    let config = RedisConfig::from_url(&servers.redis.url()).unwrap().prefix(&servers.prefix);
    let thumbs = Cache::builder(RedisStore::new(config).unwrap()).namespace("thumbs").bound(Bound::new(Policy::Lru));
    let thumbs = thumbs.build().unwrap();
    for key in ["one", "two", "three"] {
        thumbs.set(key, &1).await.unwrap();
    }

    let keys: u64 = servers.redis.cli(&["DBSIZE"]).await.parse().unwrap();
    let stats = servers.mrc(&["stats", "--json"]).await.json();
    let namespaces = json!({"shop": 2, "thumbs": 3, "\u{1b}[2J": 1});
    assert_eq!(stats["entries"], json!({"namespaces": namespaces, "queries": 2, "other": 1}));
    assert!(stats["about"] == 9 && stats["ping_ms"].as_f64().unwrap() > 0.0, "{stats}");
    let [server] = &stats["servers"].as_array().unwrap()[..] else { panic!("{stats}") };
    assert_eq!(server["server"], format!("127.0.0.1:{}", servers.redis.port()));
    // The server also counts the tag's bookkeeping and the other cache.
    assert!(keys > 7 && server["keys"] == keys, "{keys}: {stats}");
    let info = servers.redis.cli(&["INFO", "stats"]).await;
    for (name, number) in [("keyspace_hits", &server["hits"]), ("keyspace_misses", &server["misses"])] {
        assert!(info.contains(&format!("{name}:{number}\r\n")), "{name}: {stats}, {info}");
    }
    assert!(server["used_memory_bytes"].as_u64().unwrap() > 100_000 && server["clients"].as_u64().unwrap() >= 1);

    let text = servers.mrc(&["stats"]).await;
    let lines: Vec<_> = text.text().lines().collect();
    assert!(lines[0].starts_with("about 9 entries; a ping took ") && lines[1].is_empty(), "{text:?}");
    assert_eq!(
        lines[2..8],
        [
            "entries     about",
            "queries         2",
            "\\u{1b}[2J:      1",
            "shop:           2",
            "thumbs:         3",
            "other           1"
        ]
        .map(str::to_owned)
    );
    assert!(lines[9].starts_with("server ") && lines[10].contains("iB") && lines.len() == 11, "{text:?}");
    assert_eq!(text.stderr, "");
}

#[tokio::test]
async fn a_server_without_a_report_is_left_out() {
    let servers = Servers::start().await;
    servers.query("6", &[]).await.text();
    // A hosted server often refuses INFO to its users, like this one.
    let name = servers.prefix.trim_end_matches(':');
    let user = ["ACL", "SETUSER", name, "on", ">secret", "~*", "&*", "+@all", "-info"];
    assert_eq!(servers.redis.cli(&user).await, "OK");
    let url = format!("redis://{name}:secret@127.0.0.1:{}", servers.redis.port());
    let run = servers.mrc(&["stats", "--redis", &url]).await;
    assert!(run.text().contains("queries") && !run.stdout.contains("server"), "{run:?}");
    assert!(run.stderr.contains("doesn't report its state"), "{run:?}");
    let json = servers.mrc(&["stats", "--json", "--redis", &url]).await.json();
    assert!(json["servers"].is_null() && json["entries"]["queries"] == 1, "{json}");
}

#[tokio::test]
async fn each_primary_of_a_cluster_reports() {
    let cluster = RedisCluster::shared().await;
    let stats = mrc_with(&["stats", "--json"], &[("MRC_REDIS_URL", &*cluster.url())], "").await.json();
    assert_eq!(stats["servers"].as_array().unwrap().len(), 3, "{stats}");
}
