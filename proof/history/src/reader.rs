//! A process that reads through the cache, and refreshes some entries.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mrc::config::{CacheBuilder, MySqlConfig};
use mrc::events::Bypass;
use mrc::scope::Mode;
use mrc::store::{CacheStore, Claim, Life, MySqlExecutor, Sliding, Terms, Token};
use mrc::{
    Answer, Bound, Cache, Error, Event, Loader, Many, MrcClient, Policy, Query, Source, Spec, Tag, params, scope,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::args::Child;
use crate::follow::{ALL, NAME};
use crate::items::{
    BY_ID, BY_ID_TAGGED, BY_IDS, Item, LEASE, PARAM, WAIT_MAX, draw, draw_pause, draw_ttl, pair_of, tag_of,
};
use crate::lack::Lack;
use crate::paused::{Paused, Pauses};
use crate::record::{Count, Read, Record, Seen, Way, now};
use crate::sink::{self, Sink};
use crate::{Res, weak};

const TASKS: u64 = 20;
const REFRESHERS: u64 = 3;
/// The longest time between two reads of a task, and between two refreshes, in ms.
const THINKS: (u64, u64) = (6, 30);

/// The room of a bounded cache for pairs, a quarter of them: entries are evicted all the time.
const ROOM: usize = 6;

/// The refresh window before expiry, the extra life of copies, and the wait for a stale copy.
const REFRESH_WINDOW: Duration = Duration::from_millis(50);
const STALE_WINDOW: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_millis(15);

/// The largest number of items of a batch, and the TTL of a loader's entries.
const BATCH: usize = 8;
const LOADED: Duration = Duration::from_secs(2);

/// Reads until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    let pauses = Pauses::new(child.seed, sink.clone());
    let store = weak::store(child.redis, child.without, Some(pauses.clone())).await?;
    let inner = MySqlExecutor::new(MySqlConfig::from_url(&child.mysql)?)?;
    let client = MrcClient::builder()
        .shared_store(Arc::clone(&store))
        .executor(Paused { pauses, inner })
        .lease(LEASE)
        .wait_max(WAIT_MAX)
        .early_refresh(REFRESH_WINDOW)
        .stale_on_error(STALE_WINDOW)
        .stale_after(PATIENCE)
        .on_event(listener(sink.clone()));
    let client = match child.without {
        Some(Lack::FollowerRule) => client.without_follower_rule(),
        Some(Lack::CloseFirst) => client.without_close_first(),
        _ => client,
    };
    let client = if child.auto { client.follow(NAME) } else { client };
    let client = client.build()?;
    // The process connects before it begins; the faults meet this connection too.
    for tries in 1.. {
        match client.query("SELECT 1", params! {}).await {
            Err(error) if error.is_retryable() && tries < 100 => {}
            connected => {
                connected?;
                break;
            }
        }
    }
    sink::ready();
    let cache = CacheBuilder::shared(Arc::clone(&store))
        .namespace("history")
        .lease(LEASE)
        .wait_max(WAIT_MAX)
        .early_refresh(REFRESH_WINDOW)
        .stale_on_error(STALE_WINDOW)
        .on_event(listener(sink.clone()))
        .build()?;
    let bounded = CacheBuilder::shared(Arc::clone(&store))
        .namespace("bounded")
        .bound(Bound::new(Policy::Lru).max(ROOM).ttl(Sliding(60)))
        .lease(LEASE)
        .wait_max(WAIT_MAX)
        .early_refresh(REFRESH_WINDOW)
        .on_event(listener(sink.clone()))
        .build()?;
    let many = Many::new(BY_ID, "id", PARAM).batch(BY_IDS);
    // Its entries have the longest TTL; those of other ways have all of them.
    let loader = client.loader(many.clone().coalesce(Duration::from_millis(1)), LOADED)?;
    let reader = Reader {
        client,
        many,
        loader,
        cache,
        bounded,
        store,
        sink,
        process: child.number,
        follow: child.follow,
        auto: child.auto,
    };
    for task in 0..TASKS + REFRESHERS {
        let reader = reader.clone();
        let mut rng = SmallRng::seed_from_u64(child.seed * 1_000 + task);
        tokio::spawn(async move {
            loop {
                if task < TASKS {
                    reader.read(&mut rng).await;
                    tokio::time::sleep(draw_pause(&mut rng, THINKS.0)).await;
                } else {
                    // A failed refresh leaves nothing but a claim, which ends with its lease.
                    let _ = reader.refresh(&mut rng).await;
                    tokio::time::sleep(draw_pause(&mut rng, THINKS.1)).await;
                }
            }
        });
    }
    std::future::pending().await
}

/// Returns a listener that counts the events of fills. Hits are counted by the reads.
fn listener(sink: Sink) -> impl Fn(&Event<'_>) + Send + Sync {
    move |event| match event {
        Event::Filled { .. } => sink.count(Count::Filled),
        Event::Refused { .. } => sink.count(Count::Refused),
        Event::Refreshing { .. } => sink.count(Count::EarlyRefreshes),
        Event::Bypassed { why: Bypass::WaitedTooLong | Bypass::StoreFailed { .. }, .. } => sink.count(Count::Bypassed),
        _ => {}
    }
}

#[derive(Clone)]
struct Reader {
    client: MrcClient,
    many: Many,
    loader: Loader,
    cache: Cache,
    bounded: Cache,
    store: Arc<dyn CacheStore>,
    sink: Sink,
    process: u8,
    follow: bool,
    /// Whether entries have the tags of their queries alone.
    auto: bool,
}

impl Reader {
    async fn read(&self, rng: &mut SmallRng) {
        let (item, ttl) = (draw(rng), draw_ttl(rng));
        let way = Way::ALL[rng.random_range(0..Way::ALL.len())];
        let mode = if rng.random_ratio(1, 12) { Mode::Refresh } else { Mode::Normal };
        let (function, inner_ttl) = (rng.random_ratio(1, 4), draw_ttl(rng));
        if way == Way::Many {
            return self.read_many(rng, ttl).await;
        }
        let start = now();
        let outcome = match way {
            Way::Many | Way::Gathered => self.gathered(item).await,
            Way::Scan if function && !self.auto => self.function(item, ttl).await,
            Way::Scan => self.query(BY_ID.into(), item, ttl).await,
            Way::Tagged => self.query(self.tagged(item), item, ttl).await,
            Way::Late => scope::with_mode(mode, self.late(&self.cache, item, ttl)).await.map_err(Into::into),
            Way::Bounded => scope::with_mode(mode, self.late(&self.bounded, item, ttl)).await.map_err(Into::into),
            Way::Nested => scope::with_mode(mode, self.nested(item, ttl, inner_ttl, function)).await,
        };
        let end = now();
        let of_pair = matches!(way, Way::Late | Way::Bounded | Way::Nested);
        match outcome {
            // An answer with another key's row would be worse than a stale one.
            Ok((row, seen)) if row.id == item || of_pair && pair_of(row.id) == pair_of(item) => {
                let (process, version) = (self.process, row.version);
                self.sink.tell(Record::Read(Read { process, way, seen, item: row.id, version, start, end }));
            }
            _ => self.sink.count(Count::ReadFailed),
        }
    }

    /// Reads several items at once. Each is a read of its own, for the check.
    async fn read_many(&self, rng: &mut SmallRng, ttl: Duration) {
        let items: Vec<u16> = (0..rng.random_range(1..=BATCH)).map(|_| draw(rng)).collect();
        let start = now();
        let answers = self.client.query_many_with_cache(&self.many, items.iter().copied(), ttl).await;
        let end = now();
        let Ok(answers) = answers else { return self.sink.count(Count::ReadFailed) };
        for (item, answer) in items.into_iter().zip(answers) {
            match (one(&answer), source(answer.source())) {
                (Ok(row), Ok(seen)) if row.id == item => {
                    let (process, way, version) = (self.process, Way::Many, row.version);
                    self.sink.tell(Record::Read(Read { process, way, seen, item, version, start, end }));
                }
                _ => self.sink.count(Count::ReadFailed),
            }
        }
    }

    async fn gathered(&self, item: u16) -> Res<(Item, Seen)> {
        let (row, from) = scope::with_source(self.loader.load(item)).await;
        Ok((row?.ok_or("no row")?, source(from.ok_or("no source")?)?))
    }

    async fn query(&self, query: Query<'_>, item: u16, ttl: Duration) -> Res<(Item, Seen)> {
        let answer = self.client.query_with_cache(query, params! { PARAM => item }, ttl).await?;
        Ok((one(&answer)?, source(answer.source())?))
    }

    async fn function(&self, item: u16, ttl: Duration) -> Res<(Item, Seen)> {
        let ran = AtomicBool::new(false);
        let function = async || {
            ran.store(true, Ordering::Relaxed);
            one(&self.client.query(BY_ID, params! { PARAM => item }).await?)
        };
        let row = self.client.with_cache(function, "item_v1", params! { PARAM => item }, ttl).await?;
        Ok((row, seen(ran)))
    }

    /// Reads one of a pair, by a function that adds its tag only after the read.
    async fn late(&self, cache: &Cache, item: u16, ttl: Duration) -> Result<(Item, Seen), Error> {
        let ran = AtomicBool::new(false);
        let function = async || {
            ran.store(true, Ordering::Relaxed);
            if self.auto {
                return one(&self.client.query_with_cache(BY_ID, params! { PARAM => item }, ttl).await?);
            }
            let answer = self.client.query(BY_ID, params! { PARAM => item }).await?;
            self.tags(item).for_each(scope::tag);
            one(&answer)
        };
        let row = cache.get_or_try(Spec::of("late").param("pair", pair_of(item)).ttl(ttl), function).await?;
        Ok((row, seen(ran)))
    }

    /// Reads one of a pair, by a function that inherits its tag from another entry alone.
    async fn nested(&self, item: u16, ttl: Duration, inner: Duration, late: bool) -> Res<(Item, Seen)> {
        let ran = AtomicBool::new(false);
        let function = async || {
            ran.store(true, Ordering::Relaxed);
            if late {
                let cache = if item.is_multiple_of(2) { &self.cache } else { &self.bounded };
                return Ok(self.late(cache, item, inner).await?.0);
            }
            one(&self.client.query_with_cache(self.tagged(item), params! { PARAM => item }, inner).await?)
        };
        let spec = Spec::of("nested").param("pair", pair_of(item)).ttl(ttl);
        let row = self.cache.get_or_try::<_, Error, _, _>(spec, function).await?;
        Ok((row, seen(ran)))
    }

    /// Claims a value that may exist, reads, and fills, as an early refresh does.
    async fn refresh(&self, rng: &mut SmallRng) -> Res<()> {
        if self.auto {
            // This fills without the tags of a query.
            return Ok(());
        }
        let (item, ttl, token) = (draw(rng), draw_ttl(rng), Token::from_bits(rand::random()));
        let (params, mut life) = (params! { PARAM => item }, Life::from(ttl));
        let query = if rng.random() {
            let now = self.store.now().await?;
            self.tags(item).for_each(|tag| life.tags.add(tag, now));
            self.tagged(item)
        } else {
            BY_ID.into()
        };
        let key = self.client.key(query, &params)?;
        if self.store.claim(key.as_str(), &token, Terms::refresh(LEASE)).await? == Claim::Granted {
            let json = self.client.query(BY_ID, params).await?.into_bytes();
            let stored = self.store.fill(key.as_str(), &token, json, life).await?;
            self.sink.count(if stored { Count::Refreshed } else { Count::RefreshRefused });
        }
        Ok(())
    }

    fn tagged(&self, item: u16) -> Query<'static> {
        if self.auto {
            return BY_ID_TAGGED.into();
        }
        self.tags(item).fold(Query::new(BY_ID_TAGGED), Query::tag)
    }

    /// Returns the tags of an entry. A follower needs the tag of all, for rows that it can't read.
    fn tags(&self, item: u16) -> impl Iterator<Item = Tag> {
        iter::once(tag_of(item)).chain(self.follow.then(|| ALL.into()))
    }
}

fn one(answer: &Answer) -> Result<Item, Error> {
    answer.json::<[Item; 1]>().map(|[row]| row)
}

fn source(source: Source) -> Res<Seen> {
    Ok(match source {
        Source::Cache => Seen::Hit,
        Source::Followed => Seen::Followed,
        Source::Computed => Seen::Computed,
        Source::Stale => Seen::Stale,
        source => return Err(format!("an answer from {source:?}").into()),
    })
}

fn seen(ran: AtomicBool) -> Seen {
    if ran.into_inner() { Seen::FunctionRan } else { Seen::FunctionKept }
}
