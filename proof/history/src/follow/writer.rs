//! A process that only writes.

use mrc_tests::SqlKind;
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, TxOpts, params};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::is_cascaded;
use super::tracker::last_number;
use crate::args::Child;
use crate::items::{draw, draw_pause};
use crate::record::{By, Count, Record, Write};
use crate::sink::{self, Sink};
use crate::{Res, clock};

const TASKS: u64 = 5;
/// The longest time between two writes of a task, in ms.
const THINK: u64 = 40;

/// Writes until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    let pool = Pool::from_url(&child.mysql)?;
    pool.get_conn().await?;
    sink::ready();
    for task in 0..TASKS {
        let (pool, sink) = (pool.clone(), sink.clone());
        let mut rng = SmallRng::seed_from_u64(child.seed * 1_000 + task);
        tokio::spawn(async move {
            loop {
                match write(&pool, draw(&mut rng)).await {
                    Ok(write) => sink.tell(Record::Write(write)),
                    Err(_) => sink.count(Count::WriteFailed),
                }
                tokio::time::sleep(draw_pause(&mut rng, THINK)).await;
            }
        });
    }
    std::future::pending().await
}

/// Writes the next version of an item. Returns it with the number of its transaction.
async fn write(pool: &Pool, item: u16) -> Res<Write> {
    let table = if is_cascaded(item) { "bases" } else { "items" };
    let sql = format!("UPDATE {table} SET version = LAST_INSERT_ID(version + 1) WHERE id = :item");
    let mut conn = pool.get_conn().await?;
    let mut transaction = conn.start_transaction(TxOpts::new()).await?;
    transaction.exec_drop(sql, params! { item }).await?;
    let version = transaction.last_insert_id().ok_or("no row was written")?.try_into()?;
    transaction.commit().await?;
    let committed = clock::now();
    // MySQL's set may have a later transaction of another session, which only delays the check.
    let sql =
        if SqlKind::of_this_run().name == "MySQL" { "SELECT @@GLOBAL.gtid_executed" } else { "SELECT @@last_gtid" };
    let gtids: String = conn.query_first(sql).await?.ok_or("the session has no GTID")?;
    let number = last_number(&gtids).ok_or_else(|| format!("no GTID: {gtids:?}"))?;
    Ok(Write { by: By::Follower, item, version, committed, dropped: Some(number) })
}
