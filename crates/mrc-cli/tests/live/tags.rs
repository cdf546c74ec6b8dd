//! `mrc invalidate`, queries with tags, and drops by the index. `mrc stats`.

use mrc::config::RedisConfig;
use mrc::store::RedisStore;
use mrc::{Bound, Cache, Policy};
use mrc_tests::{Redis, RedisCluster, free_port};
use serde_json::json;

use crate::run::mrc_with;
use crate::servers::Servers;

#[tokio::test]
async fn entries_with_the_tag_are_invalidated_and_others_stay() {
    let servers = Servers::start().await;
    let fill = async || {
        servers.query("6", &["--tag", "orders", "--tag", "user:42"]).await.text();
        servers.query("66", &["--tag", "orders"]).await.text();
        servers.query("7", &[]).await.text();
    };
    for (args, entries) in [
        (&["invalidate", "order"][..], 0),
        (&["invalidate", "user:42"], 1),
        (&["invalidate", "user:42", "orders"], 2),
        (&["invalidate", "orders"], 2),
        (&["invalidate", "user:42", "orders", "--all"], 1),
        (&["invalidate", "user:42", "order", "--all"], 0),
    ] {
        fill().await;
        let run = servers.mrc(args).await;
        assert_eq!((run.text(), run.stderr.as_str()), (&*entries.to_string(), ""), "{args:?}");
        assert!(servers.query("7", &[]).await.stderr.starts_with("hit in "), "{args:?}");
    }
    fill().await;
    assert_eq!(servers.mrc(&["invalidate", "orders", "--json"]).await.json(), json!({"entries": 2}));
    assert!(servers.query("6", &[]).await.stderr.starts_with("miss in "));
}

#[tokio::test]
async fn the_index_reaches_entries_tagged_by_params() {
    let servers = Servers::start().await;
    let fill = async || {
        servers.query("6", &["--tag-by-params"]).await.text();
        let untagged = ["query", "--sql", "SELECT ? + 1", "--param", "Id=6"];
        servers.mrc(&untagged).await.text();
        servers.query("66", &["--tag-by-params"]).await.text();
    };
    for (args, entries) in [
        (&["drop", "Id=6", "--by", "index"][..], 1),
        (&["drop", "Id=6", "--by", "both"], 2),
        (&["drop", "Id=6", "--by", "scan"], 2),
        (&["drop", "Id=6"], 2),
        (&["drop", "Id=6", "--by", "both", "--substring"], 3),
    ] {
        fill().await;
        assert_eq!(servers.mrc(args).await.text(), entries.to_string(), "{args:?}");
    }
    fill().await;
    let by_index = servers.mrc(&["drop", "Id=6", "--by", "index", "--json"]).await.json();
    assert_eq!(by_index, json!({"entries": 1, "scanned": 0, "dry_run": false}));
}

#[tokio::test]
async fn without_redis_nothing_is_invalidated() {
    let servers = Servers::start().await;
    let redis = format!("redis://:hunter2@127.0.0.1:{}", free_port());
    for args in [&["invalidate", "orders", "--retry", "0"][..], &["stats"]] {
        let run = servers.mrc(&[args, &["--redis", &redis]].concat()).await;
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains("--redis") && !run.stderr.contains("hunter2"), "{args:?}: {run:?}");
    }
}

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
    let table =
        "entries     about|queries         2|\\u{1b}[2J:      1|shop:           2|thumbs:         3|other           1";
    assert_eq!(lines[2..8].join("|"), table);
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
