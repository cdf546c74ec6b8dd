//! Causes faults in Redis and in the reading processes while they work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mrc_tests::Redis;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::Res;
use crate::items::{LEASE, draw_pause};
use crate::processes::Processes;
use crate::proxy::Wire;
use crate::record::Count;
use crate::sink::History;

/// The longest time between two faults, in ms.
const THINK: u64 = 600;

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
