//! `mrc invalidate`, queries with tags, and drops by the index.

use mrc_tests::free_port;
use serde_json::json;

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
