//! The harness keeps its promises, on which the other tests rely.

use mrc_tests::{Database, Listener, Peer, Redis, SqlServer, unique};
use mysql_async::prelude::Queryable;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

#[tokio::test]
async fn servers_die_with_a_process_that_is_killed() {
    let mut holder = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::holds_a_server", "--ignored", "--nocapture"])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, port)) = line.split_once("port ") {
            break port.parse::<u16>().unwrap();
        }
    };
    let mut held = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    holder.kill().await.unwrap();
    // The server's end closes our connection; before that, nothing arrives.
    assert_eq!(held.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
#[ignore = "runs only as the process that the test above kills"]
async fn holds_a_server() {
    let redis = Redis::start().await;
    println!("port {}", redis.port());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn databases_are_separate_and_a_private_server_can_be_killed() {
    let (one, two) = (Database::create().await, Database::create().await);
    one.execute("CREATE TABLE t (id INT); INSERT INTO t VALUES (1), (2)").await;
    two.execute("CREATE TABLE t (id INT)").await;
    let count: Option<u64> = one.admin().await.query_first("SELECT COUNT(*) FROM t").await.unwrap();
    assert_eq!(count, Some(2));
    let zone: Option<String> = two.admin().await.query_first("SELECT @@system_time_zone").await.unwrap();
    assert_eq!(zone.as_deref(), Some("UTC"));

    let own = SqlServer::start().await;
    own.execute("CREATE DATABASE d; CREATE TABLE d.t (id INT); INSERT INTO d.t VALUES (1)").await;
    own.kill().await;
    assert!(TcpStream::connect(("127.0.0.1", own.port())).await.is_err());
    own.restart().await;
    let kept: Option<u64> = own.admin().await.query_first("SELECT COUNT(*) FROM d.t").await.unwrap();
    assert_eq!(kept, Some(1));
}

#[tokio::test]
async fn listeners_misbehave_on_request() {
    let listener = Listener::garbage("HTTP/1.1 400\r\n").await;
    let mut stream = TcpStream::connect(("127.0.0.1", listener.port())).await.unwrap();
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP/1.1");

    let closing = Listener::closing().await;
    let mut stream = TcpStream::connect(("127.0.0.1", closing.port())).await.unwrap();
    assert_eq!(stream.read(&mut bytes).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn both_peers_answer() {
    let (redis, database) = (Redis::shared().await, Database::create().await);
    database.execute("CREATE TABLE t (id INT); INSERT INTO t VALUES (6)").await;
    let npm = Peer::npm(&redis.url(), &database.url()).await;
    let pypi = Peer::pypi(&redis.url(), &database.url()).await;
    let (signature, store) = (unique("report"), unique("store"));
    for (peer, query) in [(&npm, "SELECT id FROM t WHERE id = ?"), (&pypi, "SELECT id FROM t WHERE id = %s")] {
        let rows = peer.call(json!({"op": "query", "query": query, "params": [6], "names": [store], "ttl": 60})).await;
        assert_eq!(rows, json!([{"id": 6}]));
    }
    let request =
        |op: &str, value: u8| json!({"op": op, "query": signature, "params": [6], "names": [store], "value": value});
    assert_eq!(npm.call(request("with", 1)).await, json!({"value": 1, "ran": true}));
    assert_eq!(pypi.call(request("with", 2)).await, json!({"value": 1, "ran": false}));
    assert_eq!(pypi.call(request("write", 3)).await, json!(null));
    assert_eq!(npm.call(request("read", 0)).await, json!(3));
    assert_eq!(npm.key(&signature, &[json!(6)], &[&store]).await, pypi.key(&signature, &[json!(6)], &[&store]).await);
    let dropped = pypi.call(json!({"op": "drop", "names": [store, "No"], "values": [6, 1], "all": true})).await;
    assert_eq!(dropped, json!(0));
    let dropped = npm.call(json!({"op": "drop", "names": [store], "values": [6]})).await;
    assert_eq!(dropped, json!(3));
    assert!(npm.try_call(&json!({"op": "query", "query": "SELEC"})).await.is_err());
}
