//! A Redis cluster of three primaries.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::Redis;

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
        for node in &nodes[1..] {
            run(&nodes[0], &["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()]).await;
        }
        for node in &nodes {
            while !is_healthy(node).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
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
        run(&replica, &["CLUSTER", "MEET", "127.0.0.1", &primary.port().to_string()]).await;
        // The replica must know the primary before it can follow it.
        while replica.cli(&["CLUSTER", "REPLICATE", &id]).await != "OK" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while !replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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
