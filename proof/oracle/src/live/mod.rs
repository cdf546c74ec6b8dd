//! The same end to end: a real client caches, a plain program writes, a real follower ends entries.

mod following;
mod round;
mod task;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;

use self::following::Following;
use self::round::Round;
use crate::Res;
use crate::run::work;

pub use self::task::{FollowReport, FollowSettings, Without};

/// The schemas of one follower. Its registry keeps the schemes of all of them.
const ROUNDS: usize = 20;

/// Searches for stale entries on the servers of this run (`MRC_TEST_DATABASE`, `MRC_TEST_CACHE`).
///
/// # Errors
/// A server can't be reached, or a follower ends.
pub async fn run_follow(settings: FollowSettings, mut progress: impl FnMut(&FollowReport)) -> Res<FollowReport> {
    let start = Instant::now();
    let is_enough = |report: &FollowReport| {
        progress(report);
        let is_done = report.compared >= settings.compared || start.elapsed() >= settings.limit;
        is_done || settings.stop_at_stale && report.stale > 0
    };
    work(settings.workers, settings.seed, |next, found| rounds(settings, next, found), is_enough).await
}

async fn rounds(settings: FollowSettings, next: Arc<AtomicU64>, found: mpsc::Sender<FollowReport>) -> Res<()> {
    loop {
        let following = Following::start(settings.without).await?;
        for _ in 0..ROUNDS {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !Round::open(&following, seed, settings.load).await?.run(&found).await? {
                return Ok(());
            }
        }
    }
}
