//! A Redis cluster of three primaries, and a primary with a replica, watched by a sentinel.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::process::{ServerProcess, again, folder, until};
use crate::{CacheKind, Redis, free_port, resp};

const NODES: u16 = 3;
const SLOTS: u16 = 16_384;
/// Without full coverage the other servers continue when one is lost.
const ARGS: [&str; 6] =
    ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"];

/// Three primaries with all slots assigned, without replicas. Clones share the cluster.
#[derive(Clone)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts a cluster. Returns when every node is healthy, some seconds later.
    pub async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            nodes.push(Redis::with_args(&ARGS).await);
        }
        for (i, node) in nodes.iter().enumerate() {
            let (first, last) = slots(i).into_inner();
            run(node, &["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]).await;
            run(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(i + 1).to_string()]).await;
        }
        meet(&nodes[0], &nodes[1..], async || {
            for node in &nodes {
                until(async || is_healthy(node).await).await;
            }
        })
        .await;
        Self { nodes }
    }

    /// Returns the slots that a node had in the beginning.
    pub fn slots_of(&self, index: usize) -> RangeInclusive<u16> {
        slots(index)
    }

    /// Starts a replica of one node, from 0 to 2. Returns when the replica is in sync.
    pub async fn add_replica(&self, of: usize) -> Redis {
        let (primary, replica) = (&self.nodes[of], Redis::with_args(&ARGS).await);
        let id = primary.cli(&["CLUSTER", "MYID"]).await;
        // The replica must know the primary before it can follow it.
        meet(&replica, std::slice::from_ref(primary), async || {
            until(async || replica.cli(&["CLUSTER", "REPLICATE", &id]).await == "OK").await;
        })
        .await;
        until(async || replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up")).await;
        replica
    }

    /// Returns the cluster of all tests of this process. Use random names; don't stop or flush it.
    pub async fn shared() -> Self {
        static SHARED: OnceCell<RedisCluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await.clone()
    }

    /// Returns fred's URL: `redis-cluster://127.0.0.1:PORT?node=127.0.0.1:PORT&node=…`.
    pub fn url(&self) -> String {
        let ports = self.ports();
        let others: Vec<String> = ports[1..].iter().map(|port| format!("node=127.0.0.1:{port}")).collect();
        format!("redis-cluster://127.0.0.1:{}?{}", ports[0], others.join("&"))
    }

    /// Returns the ports of the nodes.
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(Redis::port).collect()
    }

    /// Returns one node, from 0 to 2, to kill, pause or query it.
    pub fn node(&self, index: usize) -> &Redis {
        &self.nodes[index]
    }

    /// Returns all nodes.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }
}

/// Introduces a node to others until they know each other: it forgets whom it can't reach in 2 s.
async fn meet(node: &Redis, others: &[Redis], known: impl AsyncFn()) {
    loop {
        for other in others {
            run(node, &["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]).await;
        }
        if timeout(Duration::from_secs(10), known()).await.is_ok() {
            return;
        }
    }
}

fn slots(node: usize) -> RangeInclusive<u16> {
    let first = |node: u16| node * (SLOTS / NODES);
    let node = u16::try_from(node).expect("a node");
    first(node)..=if node == NODES - 1 { SLOTS - 1 } else { first(node + 1) - 1 }
}

async fn run(node: &Redis, command: &[&str]) {
    let answer = node.cli(command).await;
    assert_eq!(answer, "OK", "{command:?}");
}

async fn is_healthy(node: &Redis) -> bool {
    let info = node.cli(&["CLUSTER", "INFO"]).await;
    let size = format!("cluster_size:{NODES}");
    ["cluster_state:ok", "cluster_slots_ok:16384", &size].iter().all(|line| info.contains(line))
}

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
        until(async || replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up")).await;
        let (port, sentinel) = again(async || {
            let port = free_port();
            Ok((port, sentinel(port, primary.port()).await?))
        })
        .await;
        let all = Self { primary, replica, port, _sentinel: sentinel };
        let known = format!("127.0.0.1:{}", all.replica.port());
        until(async || all.cli(&["SENTINEL", "REPLICAS", Self::SERVICE]).await.contains(&known)).await;
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
        let soon = ["SENTINEL", "SET", Self::SERVICE, "down-after-milliseconds", "500"];
        assert_eq!(self.cli(&soon).await, "OK");
        self.primary.kill().await;
        until(async || self.replica.cli(&["INFO", "replication"]).await.contains("role:master")).await;
    }
}

async fn sentinel(port: u16, primary: u16) -> Result<ServerProcess, String> {
    let dir = folder("mrc-sentinel-");
    let file = dir.join("sentinel.conf");
    let service = RedisSentinel::SERVICE;
    // A sentinel writes its state into its file, so it takes no arguments for these. Patient, since
    // a busy machine is no failure.
    let text = format!(
        "bind 127.0.0.1\nport {port}\nsentinel monitor {service} 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds {service} 60000\nsentinel failover-timeout {service} 3000\n"
    );
    std::fs::write(&file, text).expect("a file in the sentinel's folder");
    let program = CacheKind::of_this_run().server.path();
    let command = [program.as_os_str(), file.as_os_str(), "--sentinel".as_ref()];
    ServerProcess::start(&command, &dir, "+monitor master").await
}
