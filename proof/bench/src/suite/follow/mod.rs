//! Measures the follower: from commit to invalidation, a backlog, the decoder, and memory.

mod decode;
mod lag;

use mrc_tests::{Database, Machine, Redis, numbers, unique};
use mysql_async::prelude::Queryable;
use serde_json::json;

use super::{Plan, progress};
use crate::Res;
use crate::args::{By, Following};
use crate::data::{self, Urls};
use crate::follower::{Followed, Until};
use crate::peer::Peer;
use crate::results::{Backlog, Big, Follow};

struct Size {
    /// The seconds of each rate.
    seconds: u64,
    /// The one-row transactions of the backlog.
    backlog: u64,
    /// The rows of the large table.
    rows: u64,
}

const WRITERS: usize = 8;
/// The tags of one transaction that has many.
const TAGS: u64 = 100_000;

pub(super) async fn run(plan: Plan, quick: bool) -> Res<Follow> {
    let size = if quick {
        Size { seconds: 2, backlog: 20_000, rows: 200_000 }
    } else {
        Size { seconds: 10, backlog: 200_000, rows: 1_000_000 }
    };
    let (machine, redis, database) = (Machine::look(), Redis::start().await, Database::logged().await);
    progress("follower: filling the tables");
    database.execute(&data::schema()).await;
    let decoding = decode::run(plan, &database).await?;
    progress("follower: from commit to invalidation");
    let lags = lag::run(&redis, &database, size.seconds).await?;
    progress("follower: a backlog");
    let backlog = backlog(&redis, &database, size.backlog, By::Rules).await?;
    progress("follower: large transactions");
    let wide = format!(
        "CREATE TABLE wide (id INT UNSIGNED PRIMARY KEY, number INT NOT NULL);
         INSERT INTO wide SELECT seq, 0 FROM {} AS n",
        numbers(size.rows)
    );
    database.execute(&wide).await;
    let big = vec![big(&redis, &database, size.rows).await?, big(&redis, &database, TAGS).await?];
    Ok(Follow { database: machine.database, load: machine.load, lags, backlog, decoding, big })
}

/// Replays many one-row transactions from an old position.
pub(super) async fn backlog(redis: &Redis, database: &Database, transactions: u64, by: By) -> Res<Backlog> {
    let from = position(database).await?;
    let each = transactions / WRITERS as u64;
    // Without a transaction around it, each statement of a procedure commits by itself.
    let procedure = "CREATE PROCEDURE write_rows(times INT, seed INT) BEGIN DECLARE i INT DEFAULT 0; \
        WHILE i < times DO UPDATE orders SET items = items + 1 WHERE id = 1 + (i * 7919 + seed) % 1000; \
        SET i = i + 1; END WHILE; END";
    database.admin().await.query_drop(procedure).await?;
    let mut writers = tokio::task::JoinSet::new();
    for seed in 0..WRITERS {
        let mut conn = database.admin().await;
        writers.spawn(async move { conn.query_drop(format!("CALL write_rows({each}, {})", seed * 101)).await });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    let transactions = each * WRITERS as u64;
    let mut child = Child::start(redis, database, &from, by)?;
    // The definition of the procedure is a transaction too.
    let followed = child.until(transactions + 1).await?;
    let last = followed.applied.last().ok_or("nothing was applied")?.0;
    let seconds = last.saturating_sub(followed.began) as f64 / 1e9;
    Ok(Backlog {
        transactions,
        seconds,
        batches: followed.applied.len() as u64,
        tags: followed.tags,
        cpu: followed.cpu,
    })
}

/// Changes so many rows in one transaction.
async fn big(redis: &Redis, database: &Database, rows: u64) -> Res<Big> {
    let mut child = Child::start(redis, database, "", By::Rules)?;
    let idle = child.until(0).await?;
    let mut conn = database.admin().await;
    conn.query_drop(format!("UPDATE wide SET number = number + 1 WHERE id <= {rows}")).await?;
    let committed = crate::cpu::monotonic();
    let followed = child.until(1).await?;
    let end = followed.applied.last().ok_or("nothing was applied")?.0;
    let seconds = end.saturating_sub(committed) as f64 / 1e9;
    Ok(Big { rows, tags: followed.tags, seconds, idle: idle.resident, peak: followed.peak })
}

/// Returns the position behind the newest transaction, as a follower reads it.
async fn position(database: &Database) -> Res<String> {
    let mut conn = database.admin().await;
    let version: String = conn.query_first("SELECT VERSION()").await?.ok_or("no version")?;
    let (kind, sql) = if version.contains("MariaDB") {
        ("mariadb", "SELECT @@GLOBAL.gtid_binlog_pos")
    } else {
        ("mysql", "SELECT @@GLOBAL.gtid_executed")
    };
    let gtids: String = conn.query_first(sql).await?.ok_or("no GTIDs")?;
    Ok(format!("{kind}:{gtids}"))
}

/// A follower, which ends when this is dropped.
pub(super) struct Child {
    peer: Peer,
    name: String,
}

impl Child {
    /// Starts a follower behind a position, or at the newest transaction if that is `""`.
    pub(super) fn start(redis: &Redis, database: &Database, from: &str, by: By) -> Res<Self> {
        let (name, urls) = (unique("bench"), Urls::new(redis, database.url()));
        let task = Following { urls, name: name.clone(), from: from.to_owned(), by };
        Ok(Self { peer: Peer::follower(&task)?, name })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Waits until so many transactions are applied, counted from its start.
    pub(super) async fn until(&mut self, transactions: u64) -> Res<Followed> {
        self.peer.ask(&json!(Until { transactions })).await
    }
}
