//! Entries that a follower of the database's log keeps right.
//!
//! | file | content |
//! |---|---|
//! | `mod` | what all calls share: the schemes that this process has registered |
//! | `call` | the dependencies of one call |
//! | `database` | questions to the database about its sessions |
//! | `tables` | the tables of a text, with those of its views, as the database has them now |
//! | `watch` | whether a follower runs |

mod call;
mod database;
mod tables;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::Tag;
use mrc_core::depends::{SchemeName, SchemeTag};
use mrc_store::{CacheStore, QueryExecutor, StoreError};
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::database::Database;
use self::watch::Watch;
use crate::error::Error;
use crate::events::Events;

pub(crate) use self::call::Dependencies;
pub(crate) use self::tables::OfText;

/// How long a process remembers that it registered a scheme, and what the tables of a text are. An
/// entry inherits moments of up to a minute ago, so this is shorter.
const REMEMBERED: Duration = Duration::from_secs(45);
/// The most schemes that a process remembers.
const MOST: usize = 10_000;

/// The state that the calls of a client share, so that a follower keeps their entries right.
pub(crate) struct Follow {
    store: Arc<dyn CacheStore>,
    executor: Arc<dyn QueryExecutor>,
    events: Arc<Events>,
    database: OnceCell<Database>,
    /// For each scheme, when it was registered, and whether its table had a place for it.
    schemes: Cache<Tag, (Instant, bool)>,
    watch: Watch,
}

impl Follow {
    /// # Errors
    /// [`Error::Config`]: the store has no registry of schemes, or keeps no positions.
    pub(crate) fn new(
        name: &str,
        short: Duration,
        store: &Arc<dyn CacheStore>,
        executor: Option<&Arc<dyn QueryExecutor>>,
        events: &Arc<Events>,
    ) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Config(reason.into());
        if name.is_empty() {
            return Err(refuse("the name of the follower is empty: give `follow` the `name` of its follow.toml"));
        }
        if short.is_zero() {
            return Err(refuse("a TTL of zero stores nothing while no follower runs: make `follow_ttl` longer"));
        }
        let executor = executor.ok_or_else(|| refuse("`follow` needs a database: give the builder `.mysql(…)`"))?;
        if store.as_schemes().is_none() || store.as_checkpoints().is_none() {
            return Err(refuse(
                "the store has no registry for `follow`: use RedisStore, or implement Schemes and Checkpoints for yours",
            ));
        }
        Ok(Self {
            store: Arc::clone(store),
            executor: Arc::clone(executor),
            events: Arc::clone(events),
            database: OnceCell::new(),
            schemes: Cache::new(MOST),
            watch: Watch::new(name, short),
        })
    }

    /// Returns the longest TTL of an entry that depends on rows: short while no follower runs.
    pub(crate) async fn longest_ttl(&self) -> Option<Duration> {
        self.watch.longest_ttl(&*self.store, &self.events).await
    }

    /// Registers the schemes. A dependency for which its table has no place becomes the weakest.
    async fn register(&self, dependencies: &mut [SchemeTag]) -> Result<(), StoreError> {
        let mut unknown: Vec<SchemeName> = Vec::new();
        for one in &*dependencies {
            let name = &one.scheme.name;
            if self.place(&name.tag).is_none() && !unknown.contains(name) {
                unknown.push(name.clone());
            }
        }
        if !unknown.is_empty() {
            self.ask(unknown).await?;
        }
        for one in dependencies.iter_mut().filter(|one| self.place(&one.scheme.name.tag) == Some(false)) {
            *one = one.weakest();
        }
        Ok(())
    }

    /// Registers schemes, and the weakest one instead of each that has no place.
    async fn ask(&self, mut schemes: Vec<SchemeName>) -> Result<(), StoreError> {
        let Some(registry) = self.store.as_schemes() else { return Ok(()) };
        let now = Instant::now();
        let refused = registry.register(&schemes).await?;
        schemes.retain(|scheme| !refused.contains(scheme));
        if !refused.is_empty() {
            let weakest: Vec<SchemeName> = refused.iter().map(SchemeName::weakest).collect();
            registry.register(&weakest).await?;
            schemes.extend(weakest);
        }
        for (schemes, has_place) in [(schemes, true), (refused, false)] {
            for scheme in schemes {
                self.schemes.insert(scheme.tag, (now, has_place));
            }
        }
        Ok(())
    }

    /// Returns whether the table has a place for a scheme. Returns `None` if it isn't known.
    fn place(&self, scheme: &Tag) -> Option<bool> {
        let (at, has_place) = self.schemes.get(scheme)?;
        (at.elapsed() < REMEMBERED).then_some(has_place)
    }

    /// Forgets what is known about the schemes of a refused fill: the registry may be lost.
    fn forget(&self, schemes: impl Iterator<Item = Tag>) {
        for scheme in schemes {
            self.schemes.remove(&scheme);
        }
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("watch", &self.watch).finish_non_exhaustive()
    }
}
