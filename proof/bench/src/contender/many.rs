//! Measures reads of many ids by one caller: at once, or one after another.

use std::collections::HashMap;
use std::hint::black_box;

use bytes::Bytes;
use fred::interfaces::KeysInterface;
use mrc::key::KeyScheme;
use mrc::{Many, MrcClient, params};
use serde::Deserialize;

use super::Connections;
use crate::Res;
use crate::args::Way;
use crate::cpu::Clock;
use crate::data::{ID, Order, TTL};
use crate::results::Work;

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    query: String,
    batch: String,
    /// The ids of each call.
    from: u32,
    ids: u32,
    /// Whether a call reads one id after another.
    each: bool,
    calls: u64,
}

/// Makes the calls one after another, in a task, as a service's handler would.
pub(super) async fn measure(way: Way, connections: &mut Connections, job: Job) -> Res<Work> {
    let calls = job.calls;
    let task = match way {
        Way::Fred => {
            let (client, keys) = (connections.fred().await?, job.keys()?);
            tokio::spawn(async move {
                let (clock, mut seen) = (Clock::start(), 0);
                for _ in 0..calls {
                    let values: Vec<Option<Bytes>> = client.mget(keys.clone()).await?;
                    seen += black_box(values).iter().flatten().count();
                }
                Res::Ok(clock.stop(calls, seen as u64))
            })
        }
        _ => {
            let client = connections.mrc()?;
            tokio::spawn(async move {
                let many = Many::new(job.query.clone(), "id", ID).batch(job.batch.clone());
                let (clock, mut seen) = (Clock::start(), 0);
                for _ in 0..calls {
                    seen += match (way, job.each) {
                        (Way::Bytes, false) => job.bytes(&client, &many).await?,
                        (Way::Bytes, true) => job.bytes_of_each(&client).await?,
                        (_, false) => job.rows(&client, &many).await?,
                        (_, true) => job.rows_of_each(&client).await?,
                    };
                }
                Res::Ok(clock.stop(calls, seen as u64))
            })
        }
    };
    task.await?
}

/// Each call returns the number of rows that it saw.
impl Job {
    fn ids(&self) -> impl Iterator<Item = u32> {
        self.from..self.from + self.ids
    }

    fn keys(&self) -> Res<Vec<Bytes>> {
        let key = |id| Ok(KeyScheme::default().key(&self.query, &params! { ID => id })?.into_string().into());
        self.ids().map(key).collect()
    }

    async fn bytes(&self, client: &MrcClient, many: &Many) -> Res<usize> {
        let answers = client.query_many_with_cache(many, self.ids(), TTL).await?;
        Ok(black_box(answers).iter().filter(|answer| answer.as_bytes().len() > 2).count())
    }

    async fn bytes_of_each(&self, client: &MrcClient) -> Res<usize> {
        let mut seen = 0;
        for id in self.ids() {
            let answer = client.query_with_cache(&*self.query, params! { ID => id }, TTL).await?;
            seen += usize::from(black_box(answer).as_bytes().len() > 2);
        }
        Ok(seen)
    }

    async fn rows(&self, client: &MrcClient, many: &Many) -> Res<usize> {
        let orders: HashMap<u32, Order> = client.many_with_cache(many, self.ids(), TTL).await?;
        Ok(black_box(orders).len())
    }

    async fn rows_of_each(&self, client: &MrcClient) -> Res<usize> {
        let mut seen = 0;
        for id in self.ids() {
            let orders: Vec<Order> = client.rows_with_cache(&*self.query, params! { ID => id }, TTL).await?;
            seen += black_box(orders).len();
        }
        Ok(seen)
    }
}
