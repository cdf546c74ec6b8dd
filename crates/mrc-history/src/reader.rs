//! A process that reads through the cache, and refreshes some of what lies there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mrc::{
    Bypass, CacheStore, Claim, Event, MrcClient, MySqlConfig, MySqlExecutor, QueryExecutor, Source, Terms, Token,
    params,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::args::Child;
use crate::items::{BY_ID, Item, LEASE, PARAM, WAIT_MAX, draw, draw_pause, draw_ttl};
use crate::paused::{Paused, Pauses};
use crate::record::{Count, Read, Record, Seen};
use crate::sink::{self, Sink};
use crate::weak::Lack;
use crate::{Res, clock, weak};

const TASKS: u64 = 20;
const REFRESHERS: u64 = 3;
/// The longest time between two reads of a task, and between two refreshes, in ms.
const THINKS: (u64, u64) = (6, 30);

/// The end of a life in which the client refreshes, how long copies outlive their values, and how long it waits before it takes one.
const REFRESH_WINDOW: Duration = Duration::from_millis(50);
const STALE_WINDOW: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_millis(15);

/// Reads until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    let pauses = Pauses::new(child.seed, sink.clone());
    let inner = weak::store(child.redis, child.without).await?;
    let store: Arc<dyn CacheStore> = Arc::new(Paused { pauses: pauses.clone(), inner });
    let inner: Arc<dyn QueryExecutor> = Arc::new(MySqlExecutor::new(MySqlConfig::from_url(&child.mysql)?)?);
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
    let client = client.build()?;
    client.query("SELECT 1", params! {}).await?;
    sink::ready();
    let reader = Reader { client, store, sink, process: child.number };
    for task in 0..TASKS + REFRESHERS {
        let reader = reader.clone();
        let mut rng = SmallRng::seed_from_u64(child.seed * 1_000 + task);
        tokio::spawn(async move {
            loop {
                if task < TASKS {
                    reader.read(&mut rng).await;
                    tokio::time::sleep(draw_pause(&mut rng, THINKS.0)).await;
                } else {
                    // What fails here left nothing behind but a claim, which ends with its lease.
                    let _ = reader.refresh(&mut rng).await;
                    tokio::time::sleep(draw_pause(&mut rng, THINKS.1)).await;
                }
            }
        });
    }
    std::future::pending().await
}

/// Counts what the client tells of fills; hits are counted by the reads.
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
    store: Arc<dyn CacheStore>,
    sink: Sink,
    process: u8,
}

impl Reader {
    async fn read(&self, rng: &mut SmallRng) {
        let (item, ttl, function) = (draw(rng), draw_ttl(rng), rng.random_ratio(1, 4));
        let start = clock::now();
        let outcome = if function { self.function(item, ttl).await } else { self.query(item, ttl).await };
        let end = clock::now();
        match outcome {
            Ok((version, seen)) => {
                self.sink.tell(Record::Read(Read { process: self.process, seen, item, version, start, end }));
            }
            Err(_) => self.sink.count(Count::ReadFailed),
        }
    }

    async fn query(&self, item: u16, ttl: Duration) -> Res<(u32, Seen)> {
        let answer = self.client.query_with_cache(BY_ID, params! { PARAM => item }, ttl).await?;
        let seen = match answer.source() {
            Source::Cache => Seen::Hit,
            Source::Followed => Seen::Followed,
            Source::Computed => Seen::Computed,
            Source::Stale => Seen::Stale,
            source => return Err(format!("an answer from {source:?}").into()),
        };
        let [row] = answer.rows::<Item>()?[..] else { return Err("not one row".into()) };
        // A mix-up of keys would be worse than a stale value.
        if row.id == item { Ok((row.version, seen)) } else { Err("another row".into()) }
    }

    async fn function(&self, item: u16, ttl: Duration) -> Res<(u32, Seen)> {
        let ran = AtomicBool::new(false);
        let function = async || {
            ran.store(true, Ordering::Relaxed);
            let rows = self.client.query(BY_ID, params! { PARAM => item }).await?;
            rows.rows::<Item>()
        };
        let rows = self.client.with_cache(function, "item_v1", params! { PARAM => item }, ttl).await?;
        let [row] = rows[..] else { return Err("not one row".into()) };
        Ok((row.version, if ran.into_inner() { Seen::FunctionRan } else { Seen::FunctionKept }))
    }

    /// Claims a value that may be there, reads, and fills: what an early refresh does.
    async fn refresh(&self, rng: &mut SmallRng) -> Res<()> {
        let (item, ttl, token) = (draw(rng), draw_ttl(rng), Token::from_bits(rand::random()));
        let params = params! { PARAM => item };
        let key = self.client.key(BY_ID, &params)?;
        if self.store.claim(key.as_str(), &token, Terms::refresh(LEASE)).await? == Claim::Granted {
            let json = self.client.query(BY_ID, params).await?.into_bytes();
            let stored = self.store.fill(key.as_str(), &token, json, ttl.into()).await?;
            self.sink.count(if stored { Count::Refreshed } else { Count::RefreshRefused });
        }
        Ok(())
    }
}
