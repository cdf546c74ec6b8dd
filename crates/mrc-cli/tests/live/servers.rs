//! `mrc query`, also with `--each`, `get` and `drop` on real servers, and without servers.

use mrc_tests::{Database, Redis, SqlServer, free_port, unique};
use mysql_async::prelude::Queryable;
use serde_json::json;

use crate::run::{Run, command, mrc, mrc_with};

/// A Redis with a password, a database, and a key prefix that no other test has.
pub(crate) struct Servers {
    pub(crate) redis: Redis,
    database: Database,
    pub(crate) prefix: String,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        let database = Database::create().await;
        database
            .execute("CREATE TABLE t (id INT, name VARCHAR(20)); INSERT INTO t VALUES (6, 'six'), (66, 'sixty-six')")
            .await;
        Self { redis: Redis::shared().await, database, prefix: unique("cli") + ":" }
    }

    pub(crate) async fn mrc(&self, args: &[&str]) -> Run {
        let env = [("MRC_MYSQL_URL", &*self.database.url()), ("MRC_REDIS_URL", &*self.redis.url())];
        mrc_with(&[args, &["--prefix", &self.prefix]].concat(), &env, "").await
    }

    pub(crate) async fn query(&self, id: &str, more: &[&str]) -> Run {
        self.mrc(&[&["query", "--sql", SQL, "--param", &format!("Id={id}")], more].concat()).await
    }
}

const SQL: &str = "SELECT name FROM t WHERE id = ?";

#[tokio::test]
async fn a_miss_then_a_hit_then_its_entry_then_no_entry() {
    let servers = Servers::start().await;
    let miss = servers.query("6", &["--ttl", "100"]).await;
    assert_eq!(miss.text(), r#"[{"name":"six"}]"#);
    assert!(miss.stderr.starts_with("miss in ") && miss.stderr.ends_with(" ms\n"), "{miss:?}");

    servers.database.execute("UPDATE t SET name = 'other'").await;
    let hit = servers.query("6", &[]).await;
    assert_eq!(hit.text(), miss.text());
    assert!(hit.stderr.starts_with("hit in "), "{hit:?}");

    let key = servers.mrc(&["key", "--sql", SQL, "--param", "Id=6"]).await;
    let by_key = servers.mrc(&["get", key.text()]).await;
    let by_sql = servers.mrc(&["get", "--sql", SQL, "--param", "Id=6"]).await;
    assert_eq!([by_key.text(), by_sql.text()], [miss.text(); 2]);
    let left = servers.mrc(&["get", key.text(), "--ttl"]).await;
    let left: f64 = left.text().parse().unwrap();
    assert!((0.0..=110.0).contains(&left), "{left}");
    assert_eq!(servers.redis.cli(&["PERSIST", &(servers.prefix.clone() + key.text())]).await, "1");
    assert_eq!(servers.mrc(&["get", key.text(), "--ttl"]).await.text(), "inf");

    assert_eq!(servers.mrc(&["drop", "Id=6"]).await.text(), "1");
    for args in [&["get", key.text()][..], &["get", key.text(), "--ttl"], &["get", "--sql", SQL, "--param", "Id=6"]] {
        let gone = servers.mrc(args).await;
        assert_eq!((gone.code, gone.stdout.as_str()), (1, ""), "{gone:?}");
        assert!(gone.stderr.contains(key.text()), "{gone:?}");
    }
    assert_eq!(servers.query("6", &[]).await.text(), r#"[{"name":"other"}]"#);
}

#[tokio::test]
async fn json_everywhere() {
    let servers = Servers::start().await;
    let key = servers.mrc(&["key", "--sql", SQL, "--param", "Id=6", "--json"]).await.json();
    for source in ["miss", "hit"] {
        let run = servers.query("6", &["--json"]).await;
        let answer = run.json();
        assert_eq!((&answer["source"], &answer["key"]), (&json!(source), &key["key"]), "{run:?}");
        assert!(answer["ms"].as_f64().unwrap() > 0.0);
        assert!(run.stdout.ends_with(concat!(r#""value":[{"name":"six"}]}"#, "\n")), "the bytes of the value: {run:?}");
        assert_eq!(run.stderr, "");
    }
    let past = servers.query("6", &["--json", "--no-cache"]).await.json();
    assert_eq!((&past["source"], &past["key"]), (&json!("uncached"), &json!(null)));

    let entry = servers.mrc(&["get", key["key"].as_str().unwrap(), "--json"]).await.json();
    assert_eq!((&entry["key"], &entry["value"]), (&key["key"], &json!([{"name": "six"}])));
    assert!((1..=95_040_000).contains(&entry["ttl_ms"].as_u64().unwrap()));

    let dry = servers.mrc(&["drop", "Id=6", "--dry-run", "--json"]).await.json();
    assert_eq!((&dry["entries"], &dry["dry_run"]), (&json!(1), &json!(true)));
    assert!(dry["scanned"].as_u64().unwrap() >= 1);
    assert_eq!(servers.mrc(&["drop", "Id=6", "--json"]).await.json()["entries"], json!(1));

    let gone = servers.mrc(&["get", key["key"].as_str().unwrap(), "--json"]).await;
    assert_eq!((gone.code, &gone.error()[0][..]), (1, "no_value"));
}

#[tokio::test]
async fn a_drop_is_exact_without_substring() {
    let servers = Servers::start().await;
    let fill = async || {
        for id in ["6", "66"] {
            servers.query(id, &[]).await.text();
        }
        let two = ["query", "--sql", "SELECT ? + ?", "--param", "Id=6", "--param", "State=open"];
        servers.mrc(&two).await.text();
    };
    fill().await;
    for (args, entries) in [
        (&["drop", "Id=6", "--dry-run"][..], "2"),
        (&["drop", "Id=6", "State=open", "--all", "--dry-run"], "1"),
        (&["drop", "Id=6", "--substring", "--dry-run"], "3"),
        (&["drop", "Id=7", "d=6", "Id=\"6*\""], "0"),
        (&["drop", "Id=6", "State=open"], "2"),
        (&["drop", "Id=66"], "1"),
    ] {
        let run = servers.mrc(args).await;
        assert_eq!((run.text(), run.stderr.as_str()), (entries, ""), "{args:?}");
    }
    fill().await;
    assert_eq!(servers.mrc(&["drop", "Id=6", "--substring"]).await.text(), "3");
}

#[tokio::test]
async fn lists_formats_and_texts_reach_the_servers() {
    let servers = Servers::start().await;
    let ids = ["query", "--sql", "SELECT id FROM t WHERE id IN (?) ORDER BY id", "--param", "Ids=[6,66,7]"];
    assert_eq!(servers.mrc(&ids).await.text(), r#"[{"id":6},{"id":66}]"#);

    let typed = "SELECT CAST(1.50 AS DECIMAL(5,2)) AS d, '007' AS s";
    for (rows, expect) in [
        ("canonical", r#"[{"d":1.5,"s":"007"}]"#),
        ("typescript", r#"[{"d":1.5,"s":7}]"#),
        ("python", r#"[{"d":1.5,"s":"007"}]"#),
    ] {
        let key_text = format!("{typed} {rows}");
        let run = servers.mrc(&["query", "--sql", typed, "--sql-for-key", &key_text, "--rows", rows]).await;
        assert_eq!(run.text(), expect, "{rows}");
    }

    let theirs = "SELECT name FROM t WHERE id = %s";
    let as_python = ["--sql-for-key", theirs, "--format", "python"];
    servers.query("6", &as_python).await.text();
    let entry = servers.mrc(&["get", "--sql", theirs, "--param", "Id=6", "--format", "python"]).await;
    assert_eq!(entry.text(), r#"[{"name":"six"}]"#);
}

#[tokio::test]
async fn past_the_cache_any_statement_runs_and_no_redis_is_needed() {
    let servers = Servers::start().await;
    let env = [("MRC_MYSQL_URL", &*servers.database.url())];
    let write = ["query", "--no-cache", "--sql", "UPDATE t SET name = ? WHERE id = 6", "--param", "Name=new"];
    let run = mrc_with(&write, &env, "").await;
    assert_eq!(run.text(), "[]");
    assert!(run.stderr.starts_with("uncached in "), "{run:?}");
    assert_eq!(servers.query("6", &["--no-cache"]).await.text(), r#"[{"name":"new"}]"#);
    assert_eq!(servers.mrc(&["get", "--sql", SQL, "--param", "Id=6"]).await.code, 1);
}

#[tokio::test]
async fn an_ambiguous_call_is_answered_but_not_stored() {
    let servers = Servers::start().await;
    let query = ["query", "--sql", "SELECT ? AS a, ? AS b", "--param", "A=1_B=2", "--param", "B=3"];
    for _ in 0..2 {
        let run = servers.mrc(&query).await;
        assert_eq!(run.text(), r#"[{"a":"1_B=2","b":3}]"#);
        assert!(run.stderr.starts_with("bypass in ") && run.stderr.contains("reads as another param"), "{run:?}");
    }
    let run = servers.mrc(&[&query[..], &["--json"]].concat()).await;
    let json = run.json();
    assert!(json["source"] == "bypass" && json["bypass"].as_str().unwrap().contains("another param"), "{run:?}");
    assert_eq!(servers.mrc(&["drop", "B=3"]).await.text(), "0");
}

#[tokio::test]
async fn without_redis_the_database_answers_and_the_rest_fails() {
    let servers = Servers::start().await;
    let redis = format!("redis://:hunter2@127.0.0.1:{}", free_port());
    let run = servers.query("6", &["--redis", &redis]).await;
    assert_eq!(run.text(), r#"[{"name":"six"}]"#);
    assert!(run.stderr.starts_with("bypass in ") && run.stderr.contains("can't be reached"), "{run:?}");
    let json = servers.query("6", &["--redis", &redis, "--json"]).await;
    assert_eq!((&json.json()["source"], &*json.stderr), (&json!("bypass"), ""));
    assert!(!json.stdout.contains("hunter2"), "{json:?}");

    for args in [&["get", "k"][..], &["get", "k", "--ttl"], &["drop", "Id=6", "--retry", "0"], &["demo"]] {
        let run = servers.mrc(&[args, &["--redis", &redis]].concat()).await;
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains("--redis") && !run.stderr.contains("hunter2"), "{args:?}: {run:?}");
    }
}

#[tokio::test]
async fn without_the_database_hits_go_on_and_misses_fail() {
    let servers = Servers::start().await;
    servers.query("6", &[]).await.text();
    let mysql = format!("mysql://shop:hunter2@127.0.0.1:{}/x", free_port());
    assert_eq!(servers.query("6", &["--mysql", &mysql]).await.text(), r#"[{"name":"six"}]"#);
    let run = servers.query("66", &["--mysql", &mysql]).await;
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
    assert!(run.stderr.contains("--mysql") && !run.stderr.contains("hunter2"), "{run:?}");
    let json = servers.query("66", &["--mysql", &mysql, "--json"]).await;
    assert_eq!((json.code, &json.error()[0][..]), (3, "database"));

    let refused = servers.mrc(&["query", "--sql", "SELECT nothing FROM nowhere"]).await;
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("nowhere"), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_password_is_not_repeated() {
    let servers = Servers::start().await;
    let redis = Redis::with_args(&["--requirepass", "right"]).await;
    let redis = redis.url().replace("right", "hunter2");
    let run = servers.mrc(&["drop", "Id=6", "--retry", "0", "--redis", &redis]).await;
    assert!(run.code == 4 && !run.stderr.contains("hunter2"), "{run:?}");
    let mysql = servers.database.url().replace("secret", "hunter2");
    let run = servers.mrc(&["query", "--no-cache", "--sql", SQL, "--param", "Id=6", "--mysql", &mysql]).await;
    assert!(run.code == 3 && !run.stderr.contains("hunter2"), "{run:?}");
}

#[tokio::test]
async fn a_value_that_is_no_json_is_shown_as_it_is_but_not_as_json() {
    let servers = Servers::start().await;
    let key = format!("{}k", servers.prefix);
    servers.redis.cli(&["SET", &key, "plain text"]).await;
    assert_eq!(servers.mrc(&["get", "k"]).await.text(), "plain text");
    let json = servers.mrc(&["get", "k", "--json"]).await;
    assert_eq!((json.code, &json.error()[0][..]), (5, "other"));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it() {
    // No other test uses this server, so its process list shows only this query.
    let server = SqlServer::start().await;
    let query = ["query", "--no-cache", "--sql", "SELECT SLEEP(60)", "--mysql", &server.url("")];
    let child = command(&query).spawn().unwrap();
    let mut admin = server.admin().await;
    let running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'";
    while admin.query_first::<u64, _>(running).await.unwrap() != Some(1) {
        tokio::task::yield_now().await;
    }
    crate::run::signal(&child, rustix::process::Signal::INT);
    let run = Run::from(child.wait_with_output().await.unwrap());
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (130, "", "error: interrupted\n"));
}

const SINGLE: &str = "SELECT id, name FROM t WHERE id = ?";
const BATCH: &str = "SELECT id, name FROM t WHERE id IN (?)";

#[tokio::test]
async fn each_value_has_its_own_line_and_its_own_entry() {
    let servers = Servers::start().await;
    let each = async |ids: &str, more: &[&str]| {
        servers.mrc(&[&["query", "--sql", SINGLE, "--each", ids, "--batch", BATCH], more].concat()).await
    };
    let misses = each("Id=66,7,6", &[]).await;
    assert_eq!(misses.text(), "[{\"id\":66,\"name\":\"sixty-six\"}]\n[]\n[{\"id\":6,\"name\":\"six\"}]");
    assert!(misses.stderr.starts_with("0 of 3 hit, in "), "{misses:?}");
    let alone = servers.mrc(&["query", "--sql", SINGLE, "--param", "Id=6"]).await;
    assert!(alone.stderr.starts_with("hit in "), "{alone:?}");
    assert_eq!(servers.mrc(&["drop", "Id=6"]).await.text(), "1");

    let document = each("Id=[6,66]", &["--json"]).await.json();
    let key = servers.mrc(&["key", "--sql", SINGLE, "--param", "Id=66"]).await;
    assert_eq!(document["answers"][0]["source"], "computed");
    let expect = json!({"source": "cache", "key": key.text(), "value": [{"id": 66, "name": "sixty-six"}]});
    assert_eq!(document["answers"][1], expect);

    let lacking = each("Id=8,9", &["--column", "uid"]).await;
    assert!(lacking.code == 3 && lacking.stderr.contains("\"uid\""), "{lacking:?}");
}

#[tokio::test]
async fn the_values_need_a_statement_for_several() {
    for args in [&["--each", "Id=1,2"][..], &["--batch", BATCH], &["--each", "1,2", "--batch", BATCH]] {
        let run = mrc(&[&["query", "--sql", SINGLE], args].concat()).await;
        assert_eq!(run.code, 2, "{run:?}");
    }
}
