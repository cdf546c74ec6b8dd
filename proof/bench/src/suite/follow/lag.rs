//! The time from a commit to its invalidation, at several rates.

use std::time::Duration;

use mrc_tests::{Database, Redis};
use mysql_async::prelude::Queryable;
use rand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Child, WRITERS};
use crate::args::By;
use crate::results::Lag;
use crate::{Res, cpu};

/// The row changes in a second. Each is a transaction.
const RATES: [u32; 4] = [100, 300, 1_000, 3_000];
const ORDERS: u32 = 10_000;

pub(super) async fn run(redis: &Redis, database: &Database, seconds: u64) -> Res<Vec<Lag>> {
    let mut child = Child::start(redis, database, "", By::Rules)?;
    child.until(0).await?;
    let (mut lags, mut before) = (Vec::new(), 0);
    // The first rate warms up, and doesn't count.
    for rate in RATES.iter().take(1).chain(&RATES) {
        let committed = write(database, *rate, seconds).await?;
        let all = before + committed.len() as u64;
        let followed = child.until(all).await?;
        lags.push(lag(*rate, &committed, &followed.applied, before)?);
        before = all;
    }
    lags.remove(0);
    Ok(lags)
}

/// Writes at a rate. Returns the times at which commits had returned, in order.
async fn write(database: &Database, rate: u32, seconds: u64) -> Res<Vec<u64>> {
    let mut writers = JoinSet::new();
    let pause = Duration::from_secs(1) * u32::try_from(WRITERS)? / rate;
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(database.admin().await);
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    for mut conn in connections {
        writers.spawn(async move {
            let mut due = tokio::time::interval(pause);
            // A late write doesn't make the later ones fewer.
            due.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut committed = Vec::new();
            while Instant::now() < end {
                due.tick().await;
                let order = rand::rng().random_range(1..=ORDERS);
                conn.exec_drop("UPDATE orders SET items = items + 1 WHERE id = ?", (order,)).await?;
                committed.push(cpu::monotonic());
            }
            Ok::<_, mysql_async::Error>(committed)
        });
    }
    let mut all = Vec::new();
    while let Some(committed) = writers.join_next().await {
        all.append(&mut committed??);
    }
    all.sort_unstable();
    Ok(all)
}

/// Compares the commits with the ends of batches. The commit that returned n-th is taken for the
/// n-th of the log: commits at nearly the same time may have changed places.
fn lag(rate: u32, committed: &[u64], applied: &[(u64, u64)], before: u64) -> Res<Lag> {
    let mut lags = Vec::new();
    for (at, number) in committed.iter().zip(before + 1..) {
        let end = applied.get(applied.partition_point(|(_, upto)| *upto < number));
        let (end, _) = end.ok_or("a transaction wasn't followed")?;
        lags.push(end.saturating_sub(*at) as f64 / 1e6);
    }
    lags.sort_by(f64::total_cmp);
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|part| mrc_chart::quantile(&lags, part).unwrap_or(f64::NAN));
    let span = committed.last().zip(committed.first()).map_or(0, |(last, first)| last - first);
    Ok(Lag { rate, reached: committed.len() as f64 * 1e9 / span.max(1) as f64, p50, p99, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_applied_with_the_first_batch_that_has_it() {
        let ms = 1_000_000;
        let applied = [(3 * ms, 6), (9 * ms, 8)];
        let lag = lag(1, &[ms, 2 * ms, 4 * ms], &applied, 5).unwrap();
        assert_eq!((lag.p50, lag.p99, lag.max), (5.0, 7.0, 7.0));
        assert!(super::lag(1, &[ms], &applied, 8).is_err());
    }
}
