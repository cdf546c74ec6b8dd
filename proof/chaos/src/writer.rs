//! The writer: updates a row, commits, invalidates.

use std::sync::Arc;
use std::time::Duration;

use mrc::{MrcServer, params};
use mysql_async::Pool;
use mysql_async::prelude::Queryable;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::{sleep, timeout};

use crate::record::{Counts, Floors};
use crate::series::PARAM;

const THINK: Duration = Duration::from_millis(50);
/// The limit of a commit, and of the retries of a failed drop.
const LIMIT: Duration = Duration::from_secs(1);

/// The name under which commits are counted.
pub(crate) const WRITTEN: &str = "committed";
pub(crate) const UNWRITTEN: &str = "not committed, or unknown";
pub(crate) const DROPPED: &str = "dropped";
pub(crate) const UNDROPPED: &str = "drops that returned an error";

pub(crate) struct Writer {
    pub(crate) pool: Pool,
    pub(crate) server: MrcServer,
    pub(crate) floors: Arc<Floors>,
    pub(crate) items: u32,
    pub(crate) counts: Arc<Counts>,
}

impl Writer {
    /// Writes until its task is dropped.
    pub(crate) async fn run(self) {
        let server = self.server.clone().deadline(LIMIT);
        let mut rng = SmallRng::from_os_rng();
        for version in 1.. {
            sleep(THINK).await;
            let item = rng.random_range(0..self.items);
            if !matches!(timeout(LIMIT, self.commit(item, version)).await, Ok(Ok(()))) {
                self.counts.add(UNWRITTEN);
                continue;
            }
            self.counts.add(WRITTEN);
            match server.drop_outdated_cache(params! { PARAM => item }).await {
                Ok(_) => {
                    self.floors.raise(item, version);
                    self.counts.add(DROPPED);
                }
                Err(_) => self.counts.add(UNDROPPED),
            }
        }
    }

    /// Commits a version. An abandoned commit may still arrive, so a version never goes back.
    async fn commit(&self, item: u32, version: u32) -> Result<(), mysql_async::Error> {
        let mut conn = self.pool.get_conn().await?;
        conn.exec_drop("UPDATE items SET version = GREATEST(version, ?) WHERE id = ?", (version, item)).await
    }
}
