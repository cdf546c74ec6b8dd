//! When the follower's position passed a transaction.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mrc::config::RedisConfig;
use mrc::store::{CacheStore, RedisStore};

use super::NAME;
use crate::Res;
use crate::record::{Write, now};
use crate::sink::lock;

/// The pause between two looks at the position.
const LOOK: Duration = Duration::from_micros(500);

#[derive(Debug, Default)]
pub(crate) struct Tracker(Mutex<Vec<Passed>>);

/// From this time on, all transactions up to a number are behind the position.
#[derive(Debug, Clone, Copy)]
struct Passed {
    at: u64,
    upto: u64,
}

impl Tracker {
    /// Looks at the position until it is dropped.
    pub(super) async fn watch(self: Arc<Self>, redis: u16) -> Res<()> {
        let store = RedisStore::new(RedisConfig::new("127.0.0.1", redis))?;
        let books = store.as_checkpoints().ok_or("the store keeps no positions")?;
        loop {
            let found = books.checkpoint(NAME).await?;
            let (at, upto) = (now(), found.and_then(|found| upto(&found.position)).unwrap_or(0));
            if upto > self.upto() {
                lock(&self.0).push(Passed { at, upto });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn upto(&self) -> u64 {
        lock(&self.0).last().map_or(0, |passed| passed.upto)
    }

    /// Waits until all these writes are passed. Returns whether they are before the limit.
    pub(crate) async fn passes(&self, writes: &[Write], limit: Duration) -> bool {
        let last = writes.iter().filter_map(|write| write.dropped).max().unwrap_or(0);
        let began = Instant::now();
        while self.upto() < last && began.elapsed() < limit {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.upto() >= last
    }

    /// Returns the writes with the time when the position had passed them, instead of the number of
    /// their transaction.
    pub(crate) fn resolve(&self, writes: &[Write]) -> Vec<Write> {
        resolve(writes, &lock(&self.0))
    }
}

fn resolve(writes: &[Write], passed: &[Passed]) -> Vec<Write> {
    let mut resolved: Vec<Write> = writes.to_vec();
    // The check takes all as invalidated that was committed before, so the times must rise with the
    // versions. A version was committed before the next one's commit returned.
    resolved.sort_unstable_by_key(|write| std::cmp::Reverse(write.version));
    let mut next: HashMap<u16, u64> = HashMap::new();
    for write in &mut resolved {
        let next = next.entry(write.item).or_insert(u64::MAX);
        write.committed = write.committed.min(next.saturating_sub(1));
        *next = write.committed;
        let number = write.dropped.unwrap_or(u64::MAX);
        let at = passed.get(passed.partition_point(|passed| passed.upto < number)).map(|passed| passed.at);
        write.dropped = at.map(|at| at.max(write.committed));
    }
    resolved
}

/// Returns the last transaction before the first gap of a position.
fn upto(position: &str) -> Option<u64> {
    let (kind, gtids) = position.split_once(':')?;
    // MySQL: the server's UUID, then ranges. MariaDB: domain, server and number.
    last_number(gtids.split(':').nth(usize::from(kind == "mysql"))?)
}

/// Returns the last number of a server's GTIDs.
pub(crate) fn last_number(gtids: &str) -> Option<u64> {
    gtids.trim().rsplit(['-', ':']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::By;

    #[test]
    fn the_number_of_a_transaction_is_found() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        assert_eq!(upto(&format!("mysql:{uuid}:1-57")), Some(57));
        assert_eq!(upto(&format!("mysql:{uuid}:1-57:59-60")), Some(57));
        assert_eq!(upto(&format!("mysql:{uuid}:1")), Some(1));
        assert_eq!((upto("mysql:"), upto("mariadb:"), upto("mariadb:0-1-8")), (None, None, Some(8)));
        assert_eq!((last_number(&format!("{uuid}:1-57")), last_number("0-1-8")), (Some(57), Some(8)));
    }

    #[test]
    fn a_write_is_invalidated_when_the_position_has_passed_it() {
        let write =
            |version, committed, number| Write { by: By::Follower, item: 1, version, committed, dropped: Some(number) };
        let passed = [Passed { at: 20, upto: 5 }, Passed { at: 30, upto: 7 }];
        let writes = [write(1, 10, 4), write(2, 40, 6), write(3, 35, 7), write(4, 50, 8)];
        let resolved: Vec<(u32, u64, Option<u64>)> =
            resolve(&writes, &passed).iter().map(|write| (write.version, write.committed, write.dropped)).collect();
        assert_eq!(resolved, [(4, 50, None), (3, 35, Some(35)), (2, 34, Some(34)), (1, 10, Some(20))]);
    }
}
