//! A shop under steady reads and row changes: how many reads are hits, and how stale they are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mrc::{Event, MrcClient, Params, Query, params};
use mysql_async::prelude::Queryable;
use rand::Rng;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::Res;
use crate::data::{ORDERS_A_STORE, STORES, TABLE, Urls};
use crate::results::Stale;

/// The readers. Each has its share of the rate.
const READERS: u32 = 16;

/// The request of the suite.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Load {
    name: String,
    /// The reads and the row changes in a second.
    rate: u32,
    changes: u32,
    /// The seconds that don't count, and those that do.
    warm_up: u64,
    seconds: u64,
    ttl_ms: u64,
    /// Whether entries have the tags of their tables.
    by_tables: bool,
    /// The follower that ends entries by rows, or nothing.
    follower: String,
}

#[derive(Clone, Copy)]
enum Read {
    Orders { store: u32 },
    Order { id: u32 },
    Store { store: u32 },
    OrdersWithStore { store: u32 },
    Report,
}

/// The commits so far, in order: by order, by store, and all.
struct Commits {
    orders: Vec<Vec<Instant>>,
    stores: Vec<Vec<Instant>>,
    all: Vec<Instant>,
}

#[derive(Default)]
struct Found {
    reads: u64,
    hits: u64,
    /// In ms, one for each stale hit.
    ages: Vec<f64>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    version: u64,
}

pub(super) async fn measure(load: Load, urls: &Urls) -> Res<Stale> {
    let unfollowed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&unfollowed);
    let mut builder = MrcClient::builder().mysql(&urls.mysql).redis(&urls.redis).on_event(move |event: &Event<'_>| {
        if matches!(event, Event::NotFollowed { .. } | Event::FollowerAway { .. }) {
            seen.store(true, Ordering::Relaxed);
        }
    });
    if !load.follower.is_empty() {
        builder = builder.follow(&load.follower);
    }
    let (client, commits) = (builder.build()?, Arc::new(Mutex::new(Commits::new())));
    let began = Instant::now();
    let counts = began + Duration::from_secs(load.warm_up);
    let end = counts + Duration::from_secs(load.seconds);
    let writer = tokio::spawn(write(urls.mysql.clone(), load.changes, end, Arc::clone(&commits)));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read(client.clone(), load.clone(), [counts, end], Arc::clone(&commits)));
    }
    let mut all = Found::default();
    while let Some(found) = readers.join_next().await {
        let found = found??;
        all.reads += found.reads;
        all.hits += found.hits;
        all.ages.extend(found.ages);
    }
    writer.await??;
    if unfollowed.load(Ordering::Relaxed) {
        return Err("the follower was away, or a text of the shop isn't followable".into());
    }
    let changes = lock(&commits).all.len() as f64 / (load.warm_up + load.seconds) as f64;
    Ok(all.result(&load, changes))
}

/// Changes one row at a time, so commits are in order.
async fn write(mysql: String, changes: u32, end: Instant, commits: Arc<Mutex<Commits>>) -> Res<()> {
    let mut conn = mysql_async::Conn::from_url(&mysql).await?;
    let mut due = tokio::time::interval(Duration::from_secs(1) / changes);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let sql = format!("UPDATE {TABLE} SET version = version + 1 WHERE id = ?");
    while Instant::now() < end {
        due.tick().await;
        let id = order();
        conn.exec_drop(&sql, (id,)).await?;
        lock(&commits).add(id);
    }
    Ok(())
}

async fn read(client: MrcClient, load: Load, [counts, end]: [Instant; 2], commits: Arc<Mutex<Commits>>) -> Res<Found> {
    let mut due = tokio::time::interval(Duration::from_secs(1) * READERS / load.rate);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut found, ttl) = (Found::default(), Duration::from_millis(load.ttl_ms));
    loop {
        due.tick().await;
        let (read, began) = (Read::random(), Instant::now());
        if began >= end {
            return Ok(found);
        }
        let tables = read.tables().iter().filter(|_| load.by_tables);
        let query = tables.fold(Query::new(read.text()), |query, &table| query.tag(table));
        let answer = client.query_with_cache(query, read.params(), ttl).await?;
        let rows: Vec<Row> = answer.rows()?;
        if began < counts {
            continue;
        }
        found.reads += 1;
        if answer.is_hit() {
            found.hits += 1;
            let missing = lock(&commits).first_without(read, rows.iter().map(|row| row.version).sum());
            let age = missing.and_then(|missing| began.checked_duration_since(missing));
            found.ages.extend(age.map(|age| age.as_secs_f64() * 1e3));
        }
    }
}

/// Returns a store. Of 100 reads and changes, the first 100 of 1,000 stores get 32.
fn store() -> u32 {
    let part: f64 = rand::rng().random();
    1 + (part * part * f64::from(STORES)) as u32
}

fn order() -> u32 {
    (store() - 1) * ORDERS_A_STORE + rand::rng().random_range(1..=ORDERS_A_STORE)
}

impl Read {
    fn random() -> Self {
        match rand::rng().random_range(0..100) {
            0..45 => Self::Orders { store: store() },
            45..80 => Self::Order { id: order() },
            80..90 => Self::Store { store: store() },
            90..95 => Self::OrdersWithStore { store: store() },
            _ => Self::Report,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Orders { .. } => "SELECT id, state, total, version FROM orders WHERE store_id = ? ORDER BY id",
            Self::Order { .. } => "SELECT id, store_id, state, total, version FROM orders WHERE id = ?",
            Self::Store { .. } => "SELECT id, name FROM stores WHERE id = ?",
            Self::OrdersWithStore { .. } => {
                "SELECT o.id, o.version, s.name FROM orders o JOIN stores s ON s.id = o.store_id \
                 WHERE o.store_id = ? AND s.id = ?"
            }
            Self::Report => {
                "SELECT state, COUNT(*) AS orders, CAST(SUM(version) AS UNSIGNED) AS version FROM orders GROUP BY state"
            }
        }
    }

    fn params(self) -> Params {
        match self {
            Self::Orders { store } | Self::Store { store } => params! { "StoreId" => store },
            Self::Order { id } => params! { "OrderId" => id },
            Self::OrdersWithStore { store } => params! { "StoreId" => store, "Store" => store },
            Self::Report => Params::new(),
        }
    }

    fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Store { .. } => &["stores"],
            Self::OrdersWithStore { .. } => &["orders", "stores"],
            _ => &["orders"],
        }
    }
}

impl Commits {
    fn new() -> Self {
        let of = |count: u32| vec![Vec::new(); count as usize];
        Self { orders: of(STORES * ORDERS_A_STORE), stores: of(STORES), all: Vec::new() }
    }

    fn add(&mut self, order: u32) {
        let (now, order) = (Instant::now(), order as usize - 1);
        self.all.push(now);
        let of = [self.orders.get_mut(order), self.stores.get_mut(order / ORDERS_A_STORE as usize)];
        of.into_iter().flatten().for_each(|commits| commits.push(now));
    }

    /// Returns the first commit that an answer lacks. `included` is the sum of its versions: the
    /// number of the commits that it has.
    fn first_without(&self, read: Read, included: u64) -> Option<Instant> {
        let commits = match read {
            Read::Orders { store } | Read::OrdersWithStore { store } => self.stores.get(store as usize - 1)?,
            Read::Order { id } => self.orders.get(id as usize - 1)?,
            Read::Store { .. } => return None,
            Read::Report => &self.all,
        };
        commits.get(usize::try_from(included).ok()?).copied()
    }
}

impl Found {
    fn result(mut self, load: &Load, changes: f64) -> Stale {
        self.ages.sort_by(f64::total_cmp);
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|part| mrc_chart::quantile(&self.ages, part).unwrap_or(0.0));
        Stale {
            name: load.name.clone(),
            reads: self.reads as f64 / load.seconds as f64,
            changes,
            hits: self.hits as f64 / self.reads.max(1) as f64,
            stale: self.ages.len() as f64 / self.hits.max(1) as f64,
            p50,
            p99,
            max,
        }
    }
}

fn lock(commits: &Mutex<Commits>) -> std::sync::MutexGuard<'_, Commits> {
    commits.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_lacks_the_commits_behind_its_versions() {
        let mut commits = Commits::new();
        // Two orders of store 1, then one of store 2.
        [1, 2, 11].into_iter().for_each(|order| commits.add(order));
        let lacks = |read, included| commits.first_without(read, included);
        assert_eq!(lacks(Read::Orders { store: 1 }, 1), Some(commits.all[1]));
        assert_eq!(lacks(Read::Orders { store: 1 }, 2), None);
        assert_eq!(lacks(Read::Order { id: 11 }, 0), Some(commits.all[2]));
        assert_eq!(lacks(Read::Report, 2), Some(commits.all[2]));
        assert_eq!(lacks(Read::Store { store: 1 }, 0), None);
    }
}
