//! Entries that a follower of the database's log keeps right.
//!
//! This file has what all calls share. `call` has the dependencies of one call; `tables` has the
//! tables of a text, with those of its views, as the database has them now.

mod call;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use mrc_core::depends::{SchemeName, SchemeTag};
use mrc_core::{Event, Params, RowEncoder, RowFormat, Tag};
use mrc_store::{CacheStore, QueryExecutor, StoreError};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::events::Events;

pub(crate) use self::call::Dependencies;
pub(crate) use self::tables::OfText;

/// How long a process remembers that it registered a scheme, and what the tables of a text are. An
/// entry inherits moments of up to a minute ago, so this is shorter.
const REMEMBERED: Duration = Duration::from_secs(45);
/// The most schemes that a process remembers.
const MOST: usize = 10_000;
/// How far behind the database a follower may be until it counts as away.
const AWAY: Duration = Duration::from_secs(10);
/// How long an answer about the follower counts.
const FRESH: Duration = Duration::from_secs(1);

/// The state that the calls of a client share, so that a follower keeps their entries right.
#[derive(Debug)]
pub(crate) struct Follow {
    store: Arc<dyn CacheStore>,
    executor: Arc<dyn QueryExecutor>,
    events: Arc<Events>,
    database: OnceCell<Database>,
    /// For each scheme, when it was registered, and whether its table had a place for it.
    schemes: Cache<Tag, (Instant, bool)>,
    name: Box<str>,
    /// The longest TTL while the follower is away.
    short: Duration,
    /// When this process looked at the follower last, and whether it ran.
    seen: Mutex<Option<(Instant, bool)>>,
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
    ) -> Result<Self> {
        let refuse = |reason: &str| Error::Config(reason.into());
        if name.is_empty() {
            return Err(refuse("the name of the follower is empty: give `follow` the `name` of its follow.toml"));
        }
        if short.is_zero() {
            return Err(refuse("a TTL of zero stores nothing while no follower runs: make `follow_ttl` longer"));
        }
        let executor = executor.ok_or_else(|| refuse("`follow` needs a database: give the builder `.mysql(…)`"))?;
        if store.as_schemes().is_none() || store.as_checkpoints().is_none() {
            let reason = "the store has no registry for `follow`: use RedisStore, or implement Schemes and Checkpoints for yours";
            return Err(refuse(reason));
        }
        Ok(Self {
            store: Arc::clone(store),
            executor: Arc::clone(executor),
            events: Arc::clone(events),
            database: OnceCell::new(),
            schemes: Cache::new(MOST),
            name: name.into(),
            short,
            seen: Mutex::default(),
        })
    }

    /// Returns the longest TTL of an entry that depends on rows: short while no follower runs.
    pub(crate) async fn longest_ttl(&self) -> Option<Duration> {
        (!self.runs().await).then_some(self.short)
    }

    /// Returns whether the follower runs: it renews its position in the cache each second. Looks
    /// once a second at most.
    async fn runs(&self) -> bool {
        // Other callers wait for the one that looks: the store's patience bounds that.
        let mut seen = self.seen.lock().await;
        if let Some((_, runs)) = seen.filter(|(at, _)| at.elapsed() < FRESH) {
            return runs;
        }
        let found = match self.store.as_checkpoints() {
            Some(books) => books.checkpoint(&self.name).await.ok().flatten(),
            None => None,
        };
        // One that goes by rules alone knows nothing of these entries.
        let by_schemes = found.as_ref().is_some_and(|found| found.by_schemes);
        let behind = found.map(|found| found.age.saturating_add(found.lag));
        let runs = by_schemes && behind.is_some_and(|behind| behind < AWAY);
        let did_run = seen.replace((Instant::now(), runs)).is_none_or(|(_, runs)| runs);
        if did_run && !runs {
            self.events.emit(&Event::FollowerAway { name: &self.name, by_schemes, behind });
        }
        runs
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

/// Modes in which a text means something else.
const MODES: [&str; 4] = ["ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "HIGH_NOT_PRECEDENCE"];

/// A database's sessions, as far as a text's meaning depends on them.
#[derive(Debug)]
struct Database {
    schema: Option<String>,
    /// The mode that makes every text not followable.
    mode: Option<String>,
}

impl Database {
    async fn ask(executor: &dyn QueryExecutor) -> Result<Self> {
        let none = Params::new();
        let schema: Vec<(Option<String>,)> = rows("SELECT DATABASE() AS name", &none, executor).await?;
        let wanted = "SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'sql_auto_is_null')";
        let variables: Vec<(String, String)> = rows(wanted, &none, executor).await?;
        let mode = variables.iter().find_map(|(name, value)| match name.as_str() {
            "sql_auto_is_null" => (value == "ON").then(|| name.clone()),
            _ => value.split(',').find(|mode| MODES.contains(mode)).map(str::to_owned),
        });
        Ok(Self { schema: schema.into_iter().find_map(|(name,)| name), mode })
    }
}

/// Returns the rows of a query, which bypasses the cache.
async fn rows<T: DeserializeOwned>(sql: &str, params: &Params, executor: &dyn QueryExecutor) -> Result<Vec<T>> {
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    executor.query(sql, params, &mut rows).await?;
    Answer::of_rows(rows)?.rows()
}
