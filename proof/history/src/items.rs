//! The rows that all processes read and write, and the times of a run.

use std::time::Duration;

use mrc::Tag;
use mrc_tests::numbers;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, TxOpts, params};
use rand::Rng;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};

use crate::Res;

/// Reads one row through the cache.
pub(crate) const BY_ID: &str = "SELECT id, version FROM items WHERE id = ?";
/// Reads the same row, for entries that have its tag.
pub(crate) const BY_ID_TAGGED: &str = "SELECT version, id FROM items WHERE id = ?";
/// Reads several rows, for the same entries as [`BY_ID`].
pub(crate) const BY_IDS: &str = "SELECT id, version FROM items WHERE id IN (?)";
/// The name of the param, as in keys.
pub(crate) const PARAM: &str = "Id";
/// The lease of a claim: short, so that many leases end before their fill.
pub(crate) const LEASE: Duration = Duration::from_millis(300);
/// The lease of a follower. It is short, so that a take-over is soon.
pub(crate) const FOLLOWER_LEASE: Duration = Duration::from_millis(500);
/// The longest wait for another's fill.
pub(crate) const WAIT_MAX: Duration = Duration::from_millis(200);
/// The limit of one command to Redis.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_millis(200);

pub(crate) const FIRST: u16 = 10;
pub(crate) const ITEMS: u16 = 48;
/// Half of all operations use these items.
const HOT: u16 = 6;
/// Some keys expire all the time, some hardly ever: a stale value would stay.
const TTLS: [Duration; 4] =
    [Duration::from_millis(15), Duration::from_millis(150), Duration::from_secs(2), Duration::from_secs(60)];

/// A row, as the cache returns it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: u16,
    pub(crate) version: u32,
}

pub(crate) fn schema() -> String {
    let before = FIRST - 1;
    format!(
        "CREATE TABLE items (id INT UNSIGNED PRIMARY KEY, version INT UNSIGNED NOT NULL);
         INSERT INTO items SELECT seq + {before}, 1 FROM {} AS n",
        numbers(ITEMS.into())
    )
}

/// Returns the number of an item; half of the time a hot one.
pub(crate) fn draw(rng: &mut SmallRng) -> u16 {
    let among = if rng.random() { HOT } else { ITEMS };
    FIRST + rng.random_range(0..among)
}

pub(crate) fn draw_ttl(rng: &mut SmallRng) -> Duration {
    TTLS[rng.random_range(0..TTLS.len())]
}

/// Returns a pause of up to `millis` ms.
pub(crate) fn draw_pause(rng: &mut SmallRng, millis: u64) -> Duration {
    Duration::from_micros(rng.random_range(0..millis * 1_000))
}

/// Returns the tag of every entry that is computed from an item.
pub(crate) fn tag_of(item: u16) -> Tag {
    format!("item:{item}").into()
}

/// Returns an item's pair. A function cached for a pair shows either item, so its tags change.
pub(crate) fn pair_of(item: u16) -> u16 {
    item / 2
}

/// Writes the next version of an item, and returns it after the commit.
pub(crate) async fn commit(conn: &mut Conn, table: &str, item: u16) -> Res<u32> {
    let mut transaction = conn.start_transaction(TxOpts::new()).await?;
    let write = format!("UPDATE {table} SET version = LAST_INSERT_ID(version + 1) WHERE id = :item");
    transaction.exec_drop(write, params! { item }).await?;
    let version = transaction.last_insert_id().ok_or("no row was written")?;
    transaction.commit().await?;
    Ok(version.try_into()?)
}
