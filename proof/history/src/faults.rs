//! Causes faults of Redis and the readers, of the followers, their link, and the commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::LuaInterface;
use mrc_tests::{Database, Proxy, Redis};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::Res;
use crate::items::{FOLLOWER_LEASE, LEASE, draw_pause};
use crate::processes::Processes;
use crate::proxy::Wire;
use crate::record::Count;
use crate::sink::History;

/// The longest time between two faults, in ms.
const THINK: u64 = 600;

/// Removes the registry, as an eviction does.
const FORGET: &str = "for _, key in ipairs(redis.call('KEYS', 'mrc:w:*')) do redis.call('DEL', key) end";
/// The longest time between two faults of followers, in ms.
const FOLLOWER_THINK: u64 = 1_200;
/// The time for which the engine doesn't commit what the log has.
const HOLD: Duration = Duration::from_millis(40);

/// Causes one fault after the other, until it is dropped. The readers end with it.
pub(crate) async fn happen(
    mut readers: Processes,
    redis: Redis,
    wire: Arc<Wire>,
    seed: u64,
    history: Arc<History>,
    calm: Arc<AtomicBool>,
) -> Res<()> {
    let mut rng = SmallRng::seed_from_u64(seed);
    loop {
        tokio::time::sleep(draw_pause(&mut rng, THINK)).await;
        if calm.load(Ordering::Relaxed) {
            continue;
        }
        match rng.random_range(0..10) {
            0..3 => {
                redis.cli(&["SCRIPT", "FLUSH"]).await;
                history.count(Count::ScriptsFlushed);
            }
            3..6 => {
                if let Some(address) = wire.any_connection() {
                    redis.cli(&["CLIENT", "KILL", "ADDR", &address.to_string()]).await;
                    history.count(Count::ClientKilled);
                }
            }
            6..9 => {
                let reader = readers.any(&mut rng)?;
                reader.pause();
                tokio::time::sleep(LEASE.mul_f64(rng.random_range(1.05..2.0))).await;
                reader.resume();
                history.count(Count::Stopped);
            }
            _ => {
                readers.replace(&mut rng).await?;
                history.count(Count::Killed);
            }
        }
    }
}

pub(crate) struct OfFollowers {
    pub(crate) followers: Processes,
    pub(crate) link: Proxy,
    pub(crate) database: Arc<Database>,
    pub(crate) history: Arc<History>,
    /// Redis itself, if its registry of schemes is to be lost too.
    pub(crate) redis: Option<Client>,
}

impl OfFollowers {
    /// Causes one fault after the other, until it is dropped. The followers end with it.
    pub(crate) async fn happen(mut self, seed: u64, calm: Arc<AtomicBool>) -> Res<()> {
        let mut rng = SmallRng::seed_from_u64(seed + 1);
        loop {
            tokio::time::sleep(draw_pause(&mut rng, FOLLOWER_THINK)).await;
            if calm.load(Ordering::Relaxed) {
                continue;
            }
            let what = match rng.random_range(0..12) {
                0 | 1 => {
                    self.followers.replace(&mut rng).await?;
                    Count::FollowerKilled
                }
                2 | 3 => {
                    let follower = self.followers.any(&mut rng)?;
                    follower.pause();
                    tokio::time::sleep(FOLLOWER_LEASE.mul_f64(rng.random_range(0.2..2.5))).await;
                    follower.resume();
                    Count::FollowerStopped
                }
                4 | 5 => {
                    self.link.cut();
                    Count::FollowerCut
                }
                6 | 7 if self.redis.is_some() => {
                    if let Some(redis) = &self.redis {
                        // It fails while Redis is away.
                        let _: Result<(), _> = redis.eval(FORGET, Vec::<String>::new(), Vec::<String>::new()).await;
                    }
                    Count::RegistryLost
                }
                _ => {
                    self.database.hold_commits(Some(HOLD)).await;
                    Count::CommitsHeld
                }
            };
            self.history.count(what);
        }
    }
}
