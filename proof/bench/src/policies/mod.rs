//! Hit ratios of the eviction policies on synthetic workloads, without a server, always the same.

mod simulated;
mod workload;

use std::sync::Arc;

use bytes::Bytes;
use mrc::store::CacheStore;
use mrc::{Bound, MemoryStore, Policy};
use serde::Serialize;

use self::simulated::{Variant, name};
use self::workload::{KEYS, WORKLOADS, Workload};
use crate::Res;
use crate::data::TTL;

/// The number of requests of a workload, and the number before hits are counted.
pub(crate) const REQUESTS: usize = 1_000_000;
const WARM_UP: usize = 200_000;
/// The rooms of the caches, in percent of the keys.
pub(crate) const PERCENTS: [usize; 5] = [1, 2, 5, 10, 20];

/// The rule by which a cache evicts, with its name.
#[derive(Clone, Copy)]
enum Rule {
    /// A policy of mrc, measured through its store in memory.
    Ours(Policy),
    /// A policy that mrc doesn't have.
    Other(Variant),
    /// The best possible policy, which knows the future.
    Best,
}

/// `LruT` and `FifoT` keep the same order as `Lru` and `Fifo`.
const RULES: [(&str, Rule); 10] = [
    ("LRU", Rule::Ours(Policy::Lru)),
    ("FIFO", Rule::Ours(Policy::Fifo)),
    ("MRU", Rule::Ours(Policy::Mru)),
    ("LFU", Rule::Ours(Policy::Lfu)),
    ("RR", Rule::Other(Variant::Random)),
    ("LFU without ageing", Rule::Other(Variant::Plain)),
    ("LFU, newcomers above the lowest", Rule::Other(Variant::AboveLowest)),
    ("LFU-DA as published", Rule::Other(Variant::Published)),
    ("LFU, a use is worth one eviction", Rule::Other(Variant::Weighted(1.0))),
    ("Belady's optimum", Rule::Best),
];

#[derive(Debug, Serialize)]
pub(crate) struct Ratios {
    pub(crate) keys: usize,
    pub(crate) requests: usize,
    pub(crate) warm_up: usize,
    pub(crate) percents: [usize; PERCENTS.len()],
    pub(crate) workloads: Vec<OfWorkload>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OfWorkload {
    pub(crate) name: &'static str,
    pub(crate) rules: Vec<OfRule>,
}

/// The hit ratios of one policy, by the room of the cache.
#[derive(Debug, Serialize)]
pub(crate) struct OfRule {
    pub(crate) name: &'static str,
    pub(crate) ratios: Vec<f64>,
}

/// Computes all hit ratios, each workload in a thread of its own.
pub(crate) fn run() -> Res<Ratios> {
    let workloads = std::thread::scope(|scope| {
        let threads = WORKLOADS.map(|workload| scope.spawn(move || of_workload(workload)));
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a workload's thread panicked")?).collect::<Res<_>>()
    })?;
    Ok(Ratios { keys: KEYS, requests: REQUESTS, warm_up: WARM_UP, percents: PERCENTS, workloads })
}

fn of_workload(workload: Workload) -> Res<OfWorkload> {
    let requests = workload.requests(REQUESTS);
    let rules = RULES.into_iter().map(|(name, rule)| {
        let ratios = PERCENTS.into_iter().map(|percent| ratio(rule, &requests, KEYS * percent / 100, WARM_UP));
        Ok(OfRule { name, ratios: ratios.collect::<Res<_>>()? })
    });
    Ok(OfWorkload { name: workload.name, rules: rules.collect::<Res<_>>()? })
}

/// Returns the share of the requests after the warm-up that are hits in a cache of this room.
fn ratio(rule: Rule, requests: &[u64], room: usize, warm_up: usize) -> Res<f64> {
    let hits = match rule {
        Rule::Ours(policy) => stored_hits(policy, requests, room, warm_up)?,
        Rule::Other(variant) => simulated::hits(variant, requests, room, warm_up),
        Rule::Best => simulated::best(requests, room, warm_up),
    };
    Ok(hits as f64 / (requests.len() - warm_up) as f64)
}

/// Returns how many requests after the warm-up are hits in mrc's store. A miss puts the entry.
fn stored_hits(policy: Policy, requests: &[u64], room: usize, warm_up: usize) -> Res<u64> {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
    let cache = store.bounded("bench", &Bound::new(policy).max(room))?;
    let mut hits = 0;
    tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
        for (at, key) in requests.iter().enumerate() {
            let key = format!("bench:{:016x}", name(*key));
            if cache.get(&key).await?.is_none() {
                cache.put(&key, Bytes::from_static(b"1"), TTL * 24).await?;
            } else if at >= warm_up {
                hits += 1;
            }
        }
        Ok(hits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 200;

    fn of(rule: Rule, workload: Workload) -> f64 {
        ratio(rule, &workload.requests(20_000), ROOM, 2_000).unwrap()
    }

    #[test]
    fn the_store_evicts_as_the_simulator_does() {
        for workload in WORKLOADS {
            assert_eq!(
                of(Rule::Ours(Policy::Lfu), workload),
                of(Rule::Other(Variant::Weighted(4.0)), workload),
                "{}",
                workload.name
            );
        }
    }

    #[test]
    fn nobody_is_better_than_the_best() {
        for workload in WORKLOADS {
            let best = of(Rule::Best, workload);
            for (name, rule) in RULES {
                assert!(of(rule, workload) <= best, "{name} on {}", workload.name);
            }
        }
    }

    #[test]
    fn a_workload_is_the_same_every_time() {
        for workload in WORKLOADS {
            assert_eq!(workload.requests(5_000), workload.requests(5_000), "{}", workload.name);
        }
        // The sum of n^-1.1 for 100,000 keys is 7.42.
        let popular = WORKLOADS[1].requests(100_000).iter().filter(|key| **key == 0).count();
        assert!((13_000..14_000).contains(&popular), "{popular}");
    }
}
