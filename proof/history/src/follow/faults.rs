//! Causes faults of the followers, of their link to the database, and of the commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mrc_tests::{Database, Proxy};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::LEASE;
use crate::Res;
use crate::items::draw_pause;
use crate::processes::Processes;
use crate::record::Count;
use crate::sink::History;

/// The longest time between two faults, in ms.
const THINK: u64 = 1_200;
/// The time for which the engine doesn't commit what the log has.
const HOLD: Duration = Duration::from_millis(40);

/// Everything that fails.
pub(super) struct Faults {
    pub(super) followers: Processes,
    pub(super) link: Proxy,
    pub(super) database: Arc<Database>,
    pub(super) history: Arc<History>,
}

impl Faults {
    /// Causes one fault after the other, until it is dropped. The followers end with it.
    pub(super) async fn happen(mut self, seed: u64, calm: Arc<AtomicBool>) -> Res<()> {
        let mut rng = SmallRng::seed_from_u64(seed + 1);
        loop {
            tokio::time::sleep(draw_pause(&mut rng, THINK)).await;
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
                    tokio::time::sleep(LEASE.mul_f64(rng.random_range(0.2..2.5))).await;
                    follower.resume();
                    Count::FollowerStopped
                }
                4 | 5 => {
                    self.link.cut();
                    Count::FollowerCut
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
