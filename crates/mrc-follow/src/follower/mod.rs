//! The follower: takes the lease, follows the log, and invalidates what each commit changed.

mod builder;
mod lead;
mod reader;
mod shared;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use mrc_store::{CacheStore, Lease, MySqlConfig, StoreError};

pub use self::builder::FollowerBuilder;
#[doc(hidden)]
pub use self::shared::Lack;
pub use self::shared::{Start, Status};

use self::lead::{Lead, LeadEnd};
use self::shared::Inner;
use crate::FollowError;
use crate::lease::{HeldLease, books};
use crate::rules::Rules;

/// Follows the log of MySQL or MariaDB, and invalidates in a cache what each commit changed.
///
/// A commit is invalidated only after readers can see it, and the position is stored only after
/// that. So nothing is lost if the follower, the cache or the database is killed: it is invalidated
/// again. Several followers of one name share a lease, and one of them follows.
///
/// Rules say what a changed row invalidates. With [`auto`](FollowerBuilder::auto) the queries of
/// the readers say it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mrc_follow::Follower;
/// use mrc_follow::rules::{Rule, Rules};
/// use mrc_store::{MySqlConfig, RedisConfig, RedisStore};
///
/// let mysql = MySqlConfig::from_url("mysql://follower:secret@localhost:3306")?;
/// let store = RedisStore::new(RedisConfig::from_url("redis://localhost:6379")?)?;
/// let rules = Rules::new([Rule::table("shop.orders").all("orders").tag("order:{id}")])?;
/// let follower = Follower::builder(mysql, store).name("shop").server_id(4242).rules(rules).build()?;
/// follower.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Follower {
    pub(crate) inner: Arc<Inner>,
}

impl Follower {
    /// Returns a builder. Name, server id, and rules or `auto` are needed.
    pub fn builder(mysql: MySqlConfig, store: impl CacheStore) -> FollowerBuilder {
        FollowerBuilder::new(mysql, Arc::new(store))
    }

    /// Returns a builder for a store that others use as well.
    pub fn with_shared_store(mysql: MySqlConfig, store: Arc<dyn CacheStore>) -> FollowerBuilder {
        FollowerBuilder::new(mysql, store)
    }

    /// Follows until `shutdown` completes. Waits while another follower has the lease, and while
    /// the database or the cache is away.
    ///
    /// # Errors
    /// [`FollowError`], if going on needs a person: a setting, a privilege, a `server_id` that
    /// another replica uses.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<(), FollowError> {
        let (inner, mut shutdown) = (&self.inner, pin!(shutdown));
        let mut start = inner.start.clone();
        if inner.dry_run {
            let mut lead = Lead::new(inner, None, &mut start);
            return tokio::select! {
                () = &mut shutdown => Ok(()),
                ended = lead.run() => ended.map(drop),
            };
        }
        let (name, life) = (&inner.config.name, inner.config.lease);
        loop {
            let lease = if inner.once {
                self.lease_now().await?
            } else {
                let mut obstacle = None;
                tokio::select! {
                    () = &mut shutdown => return Ok(()),
                    lease = HeldLease::take(&inner.store, name, life, &mut obstacle) => lease?,
                }
            };
            inner.leads(true);
            let mut lead = Lead::new(inner, Some(&lease.owner), &mut start);
            let ended = tokio::select! {
                () = &mut shutdown => Ok(LeadEnd::Done),
                () = lease.lost() => Ok(LeadEnd::LeaseLost),
                ended = lead.run() => ended,
            };
            drop(lead);
            inner.leads(false);
            match ended {
                Ok(LeadEnd::LeaseLost) => {}
                // A follower that was paused finds its server_id in use by its successor.
                Err(FollowError::ServerIdTaken(_)) if !self.may_lead(&lease).await => {}
                ended => {
                    lease.release(&*inner.store, name).await;
                    return ended.map(drop);
                }
            }
        }
    }

    /// Returns what the follower has done so far.
    pub fn status(&self) -> Status {
        self.inner.status.read()
    }

    /// Returns the name of the follower.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// Returns the rules.
    pub fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    async fn lease_now(&self) -> Result<HeldLease, FollowError> {
        let Inner { store, config, .. } = &*self.inner;
        let limit = config.lease * 2;
        // The cache may not answer at all until then.
        let mut obstacle = Some(StoreError::Timeout(limit));
        let take = HeldLease::take(store, &config.name, config.lease, &mut obstacle);
        match tokio::time::timeout(limit, take).await {
            Ok(taken) => Ok(taken?),
            Err(_) => Err(obstacle.map_or_else(|| FollowError::LeaseTaken(config.name.clone()), Into::into)),
        }
    }

    async fn may_lead(&self, lease: &HeldLease) -> bool {
        let Inner { store, config, .. } = &*self.inner;
        let Ok(books) = books(&**store) else { return false };
        matches!(books.lease(&config.name, &lease.owner, config.lease).await, Ok(Lease::Ours))
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
