//! The builder of a follower.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::EventListener;
use mrc_store::{CacheStore, MySqlConfig};

use super::Follower;
use super::shared::{Inner, Lack, SharedStatus, Start};
use crate::FollowError;
use crate::rules::{FollowConfig, Rules};

/// Builds a [`Follower`].
#[must_use = "a builder does nothing until it builds"]
pub struct FollowerBuilder {
    mysql: MySqlConfig,
    store: Arc<dyn CacheStore>,
    name: String,
    server_id: u32,
    auto: bool,
    lease: Duration,
    rules: Rules,
    start: Start,
    once: bool,
    dry_run: bool,
    listeners: Vec<Arc<dyn EventListener>>,
    lack: Option<Lack>,
}

impl FollowerBuilder {
    pub(super) fn new(mysql: MySqlConfig, store: Arc<dyn CacheStore>) -> Self {
        Self {
            mysql,
            store,
            name: String::new(),
            server_id: 0,
            auto: false,
            lease: FollowConfig::LEASE,
            rules: Rules::default(),
            start: Start::default(),
            once: false,
            dry_run: false,
            listeners: Vec::new(),
            lack: None,
        }
    }

    /// Sets the name and the other settings at once, as read from a file.
    pub fn config(self, config: FollowConfig) -> Self {
        let FollowConfig { name, server_id, auto, lease } = config;
        Self { name, server_id: server_id.get(), auto, lease, ..self }
    }

    /// Sets the name, under which the cache keeps the position. Followers of one name share a
    /// lease. Default: none, it is needed.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the number by which the server knows this replica. No other replica or follower of the
    /// server may have it, except followers of the same name. Default: none, it is needed.
    pub fn server_id(mut self, server_id: u32) -> Self {
        self.server_id = server_id;
        self
    }

    /// Sets the life of the lease: another follower takes over within this time. Default: 1.5 s.
    pub fn lease(mut self, life: Duration) -> Self {
        self.lease = life;
        self
    }

    /// Sets whether to follow all rows on which entries depend, without rules. Readers say which:
    /// `MrcClientBuilder::follow`. Default: false.
    pub fn auto(self, auto: bool) -> Self {
        Self { auto, ..self }
    }

    /// Sets the rules. Default: none, they are needed without [`auto`](Self::auto).
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Sets where a run begins. After its first position is stored, the run goes on at the stored
    /// position whenever it takes the lease again. Default: [`Start::Stored`].
    pub fn start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Sets whether to end behind the commits before the call of [`Follower::run`]. Default: false.
    pub fn once(self, once: bool) -> Self {
        Self { once, ..self }
    }

    /// Sets whether to invalidate nothing and to store no position, but only emit events.
    /// Such a follower takes no lease and draws a server id of its own, so it may run beside
    /// another one. Default: false.
    pub fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// Adds a listener. May be called several times.
    pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Leaves out a part of the follower. Only proofs do that: entries become stale.
    #[doc(hidden)]
    pub fn without(self, part: Lack) -> Self {
        Self { lack: Some(part), ..self }
    }

    /// Checks the settings. Nothing is connected yet.
    ///
    /// # Errors
    /// [`FollowError::Config`]: a setting is missing or can't be used.
    pub fn build(self) -> Result<Follower, FollowError> {
        let Self { mysql, store, name, server_id, auto, lease, rules, start, once, dry_run, listeners, lack } = self;
        let config = FollowConfig::new(name, server_id).map_err(|error| FollowError::Config(error.to_string()))?;
        let config = FollowConfig { auto, lease, ..config };
        let refuse = |why: &str| Err(FollowError::Config(why.into()));
        if rules.is_empty() && !auto {
            return refuse("nothing would be invalidated: set `auto`, or add a rule for each table to follow");
        }
        if auto && store.as_schemes().is_none() {
            return refuse("the store has no registry for `auto`: use RedisStore, or implement Schemes for yours");
        }
        if store.as_checkpoints().is_none() {
            return refuse("the store keeps no positions: use RedisStore, or implement Checkpoints for yours");
        }
        for listener in &listeners {
            store.listen(Arc::clone(listener));
        }
        let status = SharedStatus::default();
        let book = auto.then(Arc::default);
        let inner = Inner { mysql, store, config, rules, start, once, dry_run, listeners, lack, status, book };
        Ok(Follower { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for FollowerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowerBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
