//! The health of a client's servers, for a readiness probe.

use std::fmt;
use std::time::Duration;

use mrc_store::CacheStore;
use tokio::time::{Instant, timeout};

use crate::error::{Error, Result};

const LIMIT: Duration = Duration::from_secs(5);

/// The health of the servers.
///
/// ```no_run
/// # async fn example(client: mrc_client::MrcClient) {
/// let health = client.health().await;
/// let status = if health.is_ready() { 200 } else { 503 };
/// println!("{status} {health}"); // 200 cache: down (…), database: up (1.2ms)
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Health {
    /// The time that the cache took to answer; in a cluster, its slowest server.
    pub cache: Result<Duration>,
    /// The time that the database took to answer. `None` if the client has no database.
    pub database: Option<Result<Duration>>,
    /// The servers of the cache that may evict the indexes of tags, which endangers invalidations
    /// by tag. Empty while no tags are used.
    pub tag_risks: Vec<String>,
}

impl Health {
    /// Returns whether calls are answered: the database is up. Without the cache, calls are slower.
    pub fn is_ready(&self) -> bool {
        self.database.as_ref().is_none_or(Result::is_ok)
    }

    /// Returns whether the cache is up too.
    pub fn is_whole(&self) -> bool {
        self.is_ready() && self.cache.is_ok()
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        part(f, "cache", &self.cache)?;
        self.database.iter().try_for_each(|database| {
            f.write_str(", ")?;
            part(f, "database", database)
        })?;
        self.tag_risks.iter().try_for_each(|risk| write!(f, ", tags: {risk}"))
    }
}

fn part(f: &mut fmt::Formatter<'_>, name: &str, state: &Result<Duration>) -> fmt::Result {
    match state {
        Ok(took) => write!(f, "{name}: up ({took:.1?})"),
        Err(error) => write!(f, "{name}: down ({error})"),
    }
}

/// A server that doesn't answer this is no known risk.
pub(crate) async fn tag_risks(store: &dyn CacheStore) -> Vec<String> {
    timeout(LIMIT, store.tag_risks()).await.ok().and_then(Result::ok).unwrap_or_default()
}

pub(crate) async fn probe(ping: impl Future<Output = Result<()>>) -> Result<Duration> {
    let began = Instant::now();
    timeout(LIMIT, ping).await.unwrap_or(Err(Error::Deadline { limit: LIMIT })).map(|()| began.elapsed())
}
