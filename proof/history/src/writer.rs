//! A process that writes, and invalidates after each commit.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::KeysInterface;
use fred::types::Expiration;
use mrc::key::{KeyScheme, TextHash};
use mrc::{Event, KeyFormat, MrcServer, params};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, TxOpts};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::args::Child;
use crate::items::{self, BY_ID, Item, PARAM, draw, draw_pause, draw_ttl, tag_of};
use crate::lack::Lack;
use crate::record::{By, Count, Record, Write};
use crate::sink::{self, Sink};
use crate::{Res, clock, weak};

const TASKS: u64 = 5;
/// The longest time between two writes of a task, in ms.
const THINK: u64 = 40;

/// Writes until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    let told = sink.clone();
    let lack = child.without.filter(|lack| *lack == Lack::LeaseRule);
    let server = MrcServer::with_shared_store(weak::store(child.redis, lack).await?)
        .deadline(Duration::from_secs(3))
        .on_event(move |event: &Event<'_>| {
            if matches!(event, Event::DropRetried { .. }) {
                told.count(Count::DropRetried);
            }
        });
    // On a wire without faults, and patient: a late SET would arrive after the row's lock.
    let direct = weak::redis(child.direct, Duration::from_secs(600)).await?;
    let writer = Writer { pool: Pool::from_url(&child.mysql)?, server, direct, sink };
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
                tokio::time::sleep(draw_pause(&mut rng, THINK)).await;
            }
        });
    }
    std::future::pending().await
}

#[derive(Clone)]
struct Writer {
    pool: Pool,
    server: MrcServer,
    direct: Client,
    sink: Sink,
}

impl Writer {
    async fn write(&self, rng: &mut SmallRng) -> Res<()> {
        let item = draw(rng);
        let version = items::commit(&self.pool, item).await?;
        let committed = clock::now();
        let by = if rng.random() { By::MrcTag } else { By::MrcScan };
        let outcome = match by {
            By::MrcTag => self.server.invalidate(tag_of(item)).await,
            _ => self.server.drop_outdated_cache(params! { PARAM => item }).await,
        };
        let dropped = outcome.is_ok().then(clock::now);
        self.sink.tell(Record::Write(Write { by, item, version, committed, dropped }));
        if rng.random_ratio(1, 4) {
            self.warm(item, draw_ttl(rng)).await?;
            self.sink.count(Count::Warmed);
        }
        Ok(())
    }

    /// Warms an entry by a peer's plain SET. The row is locked until the SET has returned.
    async fn warm(&self, item: u16, ttl: Duration) -> Res<()> {
        let key = KeyScheme::new(KeyFormat::TypeScript).key_of(&TextHash::of(BY_ID), &params! { PARAM => item })?;
        let mut transaction = self.pool.start_transaction(TxOpts::new()).await?;
        let lock = "SELECT version FROM items WHERE id = ? FOR UPDATE";
        let version = transaction.exec_first(lock, (item,)).await?.ok_or("there is no such row")?;
        let value = serde_json::to_string(&[Item { id: item, version }])?;
        let ttl = Expiration::PX(i64::try_from(ttl.as_millis())?);
        let () = self.direct.set(key.as_str(), value, Some(ttl), None, false).await?;
        Ok(transaction.commit().await?)
    }
}
