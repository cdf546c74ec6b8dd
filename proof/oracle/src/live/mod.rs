//! The same end to end: a real client caches, a plain program writes, a real follower ends entries.
//!
//! | module | purpose |
//! |---|---|
//! | `following` | a follower, and clients whose entries it ends |
//! | `writer` | the program that writes |
//! | `round` | one schema: fill, write, wait for the follower, compare |
//! | `task` | the settings and the report of a run |

mod following;
mod round;
mod task;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use self::following::Following;
use self::round::Round;
use crate::Res;

pub use self::task::{FollowReport, FollowSettings, Without};

/// The schemas of one follower. Its registry keeps the schemes of all of them.
const ROUNDS: usize = 20;

/// Searches for stale entries on the servers of this run (`MRC_TEST_DATABASE`, `MRC_TEST_CACHE`).
///
/// # Errors
/// A server can't be reached, or a follower ends.
pub async fn run_follow(settings: FollowSettings, progress: impl FnMut(&FollowReport)) -> Res<FollowReport> {
    // The followers have tasks of their own.
    LocalSet::new().run_until(work(settings, progress)).await
}

async fn work(settings: FollowSettings, mut progress: impl FnMut(&FollowReport)) -> Res<FollowReport> {
    let next = Arc::new(AtomicU64::new(settings.seed));
    let (found, mut reports) = mpsc::channel(1);
    let mut workers = JoinSet::new();
    for _ in 0..settings.workers.max(1) {
        let (next, found) = (next.clone(), found.clone());
        workers.spawn_local(async move {
            loop {
                let following = Following::start(settings.without).await?;
                for _ in 0..ROUNDS {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !Round::open(&following, seed, settings.load).await?.run(&found).await? {
                        return Res::Ok(());
                    }
                }
            }
        });
    }
    // The workers have their own, so that a failure of all of them ends the loop.
    drop(found);
    let (start, mut report) = (Instant::now(), FollowReport::default());
    while let Some(step) = reports.recv().await {
        report += step;
        progress(&report);
        let is_enough = report.compared >= settings.compared || start.elapsed() >= settings.limit;
        if is_enough || settings.stop_at_stale && report.stale > 0 {
            return Ok(report);
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(report)
}
