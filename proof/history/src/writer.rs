//! Writers, which invalidate by mrc or a peer after each commit, or leave that to a follower.

use std::sync::Arc;
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::KeysInterface;
use fred::types::Expiration;
use mrc::key::{KeyScheme, TextHash};
use mrc::{Event, KeyFormat, MrcServer, params};
use mrc_tests::{Peer, SqlKind};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, TxOpts};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::args::Child;
use crate::follow::{is_cascaded, last_number};
use crate::items::{BY_ID, Item, PARAM, commit, draw, draw_pause, draw_ttl, tag_of};
use crate::lack::Lack;
use crate::record::{By, Count, Record, Write, now};
use crate::sink::{self, History, Sink};
use crate::{Res, proxy, weak};

const TASKS: u64 = 5;
/// The longest time between two writes of a task, and of a peer, in ms.
const THINKS: (u64, u64) = (40, 60);
/// The limit of a peer's invalidation. The peers have none of their own.
const LIMIT: Duration = Duration::from_secs(10);

/// Writes until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    let own = if child.follow {
        None
    } else {
        let told = sink.clone();
        let lack = child.without.filter(|lack| *lack == Lack::LeaseRule);
        let server = MrcServer::with_shared_store(weak::store(child.redis, lack, None).await?)
            .deadline(Duration::from_secs(3))
            .on_event(move |event: &Event<'_>| {
                if matches!(event, Event::DropRetried { .. }) {
                    told.count(Count::DropRetried);
                }
            });
        // On a wire without faults, and patient: a late SET would arrive after the row's lock.
        Some((server, proxy::redis(child.direct, Duration::from_secs(600)).await?))
    };
    let writer = Writer { pool: Pool::from_url(&child.mysql)?, own, sink };
    writer.pool.get_conn().await?;
    sink::ready();
    for task in 0..TASKS {
        let writer = writer.clone();
        let mut rng = SmallRng::seed_from_u64(child.seed * 1_000 + task);
        tokio::spawn(async move {
            loop {
                if writer.write(&mut rng).await.is_err() {
                    writer.sink.count(Count::WriteFailed);
                }
                tokio::time::sleep(draw_pause(&mut rng, THINKS.0)).await;
            }
        });
    }
    std::future::pending().await
}

#[derive(Clone)]
struct Writer {
    pool: Pool,
    /// The server that invalidates, unless a follower does, and a client that warms entries.
    own: Option<(MrcServer, Client)>,
    sink: Sink,
}

impl Writer {
    async fn write(&self, rng: &mut SmallRng) -> Res<()> {
        let item = draw(rng);
        let Some((server, direct)) = &self.own else {
            self.sink.tell(Record::Write(self.write_alone(item).await?));
            return Ok(());
        };
        let version = commit(&mut self.pool.get_conn().await?, "items", item).await?;
        let committed = now();
        let by = if rng.random() { By::MrcTag } else { By::MrcScan };
        let outcome = match by {
            By::MrcTag => server.invalidate(tag_of(item)).await,
            _ => server.drop_outdated_cache(params! { PARAM => item }).await,
        };
        let dropped = outcome.is_ok().then(now);
        self.sink.tell(Record::Write(Write { by, item, version, committed, dropped }));
        if rng.random_ratio(1, 4) {
            self.warm(direct, item, draw_ttl(rng)).await?;
            self.sink.count(Count::Warmed);
        }
        Ok(())
    }

    /// Writes the next version of an item. Returns it with the number of its transaction.
    async fn write_alone(&self, item: u16) -> Res<Write> {
        let mut conn = self.pool.get_conn().await?;
        let version = commit(&mut conn, if is_cascaded(item) { "bases" } else { "items" }, item).await?;
        let committed = now();
        // MySQL's set may have a later transaction of another session, which only delays the check.
        let is_mysql = SqlKind::of_this_run().name == "MySQL";
        let sql = if is_mysql { "SELECT @@GLOBAL.gtid_executed" } else { "SELECT @@last_gtid" };
        let gtids: String = conn.query_first(sql).await?.ok_or("the session has no GTID")?;
        let number = last_number(&gtids).ok_or_else(|| format!("no GTID: {gtids:?}"))?;
        Ok(Write { by: By::Follower, item, version, committed, dropped: Some(number) })
    }

    /// Warms an entry by a peer's plain SET. The row is locked until the SET has returned.
    async fn warm(&self, direct: &Client, item: u16, ttl: Duration) -> Res<()> {
        let key = KeyScheme::new(KeyFormat::TypeScript).key_of(&TextHash::of(BY_ID), &params! { PARAM => item })?;
        let mut transaction = self.pool.start_transaction(TxOpts::new()).await?;
        let lock = "SELECT version FROM items WHERE id = ? FOR UPDATE";
        let version = transaction.exec_first(lock, (item,)).await?.ok_or("there is no such row")?;
        let value = serde_json::to_string(&[Item { id: item, version }])?;
        let ttl = Expiration::PX(i64::try_from(ttl.as_millis())?);
        let () = direct.set(key.as_str(), value, Some(ttl), None, false).await?;
        Ok(transaction.commit().await?)
    }
}

/// Writes and has the peer invalidate, until it is dropped.
///
/// The peers' wire has no faults: a peer that can't connect reports a drop of nothing as a success.
pub(crate) async fn by_peer(by: By, redis: String, pool: Pool, seed: u64, history: Arc<History>) -> Res<()> {
    let mut rng = SmallRng::seed_from_u64(seed);
    loop {
        let peer = match by {
            By::Npm => Peer::npm(&redis, "").await,
            _ => Peer::pypi(&redis, "").await,
        };
        loop {
            let item = draw(&mut rng);
            let version = commit(&mut pool.get_conn().await?, "items", item).await?;
            let committed = now();
            let request = json!({"op": "drop", "names": [PARAM], "values": [item]});
            let answer = tokio::time::timeout(LIMIT, peer.try_call(&request)).await;
            let dropped = matches!(answer, Ok(Ok(_))).then(now);
            history.tell(Record::Write(Write { by, item, version, committed, dropped }));
            if answer.is_err() {
                break;
            }
            tokio::time::sleep(draw_pause(&mut rng, THINKS.1)).await;
        }
        history.count(Count::PeerRestarted);
    }
}
