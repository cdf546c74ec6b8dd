//! A Redis primary with a replica, watched by a sentinel.

use std::time::Duration;

use crate::process::{ServerProcess, again, folder};
use crate::{CacheKind, Redis, free_port, resp};

/// A primary, its replica and one sentinel, which fails over within some seconds.
pub struct RedisSentinel {
    primary: Redis,
    replica: Redis,
    port: u16,
    _sentinel: ServerProcess,
}

impl RedisSentinel {
    /// The name under which the sentinel knows the primary.
    pub const SERVICE: &'static str = "mymaster";

    /// Starts the three. Returns when the sentinel knows the replica.
    pub async fn start() -> Self {
        let primary = Redis::with_args(&["--repl-diskless-sync-delay", "0"]).await;
        let replica = Redis::with_args(&["--replicaof", "127.0.0.1", &primary.port().to_string()]).await;
        while !replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (port, sentinel) = again(async || {
            let port = free_port();
            Ok((port, sentinel(port, primary.port()).await?))
        })
        .await;
        let all = Self { primary, replica, port, _sentinel: sentinel };
        let known = format!("127.0.0.1:{}", all.replica.port());
        while !all.cli(&["SENTINEL", "REPLICAS", Self::SERVICE]).await.contains(&known) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        all
    }

    /// Returns fred's URL: `redis-sentinel://127.0.0.1:PORT?sentinelServiceName=mymaster`.
    pub fn url(&self) -> String {
        format!("redis-sentinel://127.0.0.1:{}?sentinelServiceName={}", self.port, Self::SERVICE)
    }

    /// Returns the server that began as the primary.
    pub fn primary(&self) -> &Redis {
        &self.primary
    }

    /// Returns the server that began as the replica.
    pub fn replica(&self) -> &Redis {
        &self.replica
    }

    /// Runs a command on the sentinel and returns its answer as text.
    pub async fn cli(&self, command: &[&str]) -> String {
        resp::run(self.port, &[command]).await.unwrap_or_else(|e| panic!("{command:?} on the sentinel: {e}"))
    }

    /// Kills the primary. Returns when the replica has taken its place.
    pub async fn fail_over(&self) {
        self.primary.kill().await;
        while !self.replica.cli(&["INFO", "replication"]).await.contains("role:master") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn sentinel(port: u16, primary: u16) -> Result<ServerProcess, String> {
    let dir = folder("mrc-sentinel-");
    let file = dir.join("sentinel.conf");
    let service = RedisSentinel::SERVICE;
    // A sentinel writes its state into its file, so it takes no arguments for these.
    let text = format!(
        "bind 127.0.0.1\nport {port}\nsentinel monitor {service} 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds {service} 500\nsentinel failover-timeout {service} 3000\n"
    );
    std::fs::write(&file, text).expect("a file in the sentinel's folder");
    let program = CacheKind::of_this_run().server.path();
    let command = [program.as_os_str(), file.as_os_str(), "--sentinel".as_ref()];
    ServerProcess::start(&command, &dir, "+monitor master").await
}
