//! Measures a hit in every way that there is.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use fred::clients::{Client, WithOptions};
use fred::interfaces::KeysInterface;
use mrc::key::{Key, KeyScheme};
use mrc::store::{CacheStore, RedisStore};
use mrc::{Answer, MrcClient, params};

use super::Connections;
use crate::Res;
use crate::args::Way;
use crate::cpu::Clock;
use crate::data::{BorrowedOrder, Order, STORE, TAGS, TTL};
use crate::results::Work;

/// One call. Returns the number of bytes or rows that it saw.
pub(super) trait Call: Clone + Send + 'static {
    fn call(&self) -> impl Future<Output = Res<u64>> + Send;
}

pub(super) async fn measure(
    way: Way,
    connections: &mut Connections,
    query: String,
    tagged: bool,
    callers: u64,
    calls: u64,
) -> Res<Work> {
    let query: Arc<str> = query.into();
    let key = || KeyScheme::default().key(&query, &params! { "StoreId" => STORE }).map(Key::into_string);
    let tags = if tagged { &TAGS[..] } else { &[] };
    let from = |client| Query { client, text: Arc::clone(&query), tags };
    match way {
        Way::Fred => {
            let call = BareGet { client: connections.fred().await?, key: key()?.into_bytes().into() };
            drive(callers, calls, call).await
        }
        Way::Redis => {
            let call = RedisGet { connection: connections.redis_rs().await?, key: key()?.into_bytes().into() };
            drive(callers, calls, call).await
        }
        Way::Store => drive(callers, calls, StoreGet { store: connections.store()?, key: key()?.into() }).await,
        Way::Bytes => drive(callers, calls, AsBytes(from(connections.mrc()?))).await,
        Way::Followed => drive(callers, calls, AsBytes(from(connections.followed()?))).await,
        Way::Full => drive(callers, calls, AsBytes(from(connections.full()?))).await,
        Way::Typed => drive(callers, calls, Typed(from(connections.mrc()?))).await,
        Way::Borrowed => drive(callers, calls, Borrowed(from(connections.mrc()?))).await,
        Way::Function => Err("a function isn't a query".into()),
    }
}

/// Runs `calls` calls in all, by `callers` callers at once.
pub(super) async fn drive(callers: u64, calls: u64, call: impl Call) -> Res<Work> {
    // The first call connects.
    call.call().await?;
    let share = calls.div_ceil(callers);
    let clock = Clock::start();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut seen = 0;
                for _ in 0..share {
                    seen += call.call().await?;
                }
                Res::Ok(seen)
            })
        })
        .collect();
    let mut seen = 0;
    for task in tasks {
        seen += task.await??;
    }
    Ok(clock.stop(share * callers, seen))
}

/// GET by fred, with the key given.
#[derive(Clone)]
struct BareGet {
    client: WithOptions<Client>,
    key: Bytes,
}

impl Call for BareGet {
    async fn call(&self) -> Res<u64> {
        let value: Option<Bytes> = self.client.get(self.key.clone()).await?;
        Ok(black_box(value).map_or(0, |value| value.len() as u64))
    }
}

/// GET by redis-rs, with the key given.
#[derive(Clone)]
struct RedisGet {
    connection: redis::aio::MultiplexedConnection,
    key: Bytes,
}

impl Call for RedisGet {
    async fn call(&self) -> Res<u64> {
        let value: Option<Vec<u8>> =
            redis::cmd("GET").arg(&*self.key).query_async(&mut self.connection.clone()).await?;
        Ok(black_box(value).map_or(0, |value| value.len() as u64))
    }
}

/// GET by our store, with the key given.
#[derive(Clone)]
struct StoreGet {
    store: Arc<RedisStore>,
    key: Arc<str>,
}

impl Call for StoreGet {
    async fn call(&self) -> Res<u64> {
        let value = self.store.get(&self.key).await?;
        Ok(black_box(value).map_or(0, |value| value.len() as u64))
    }
}

/// The call that a service makes.
#[derive(Clone)]
struct Query {
    client: MrcClient,
    text: Arc<str>,
    tags: &'static [&'static str],
}

impl Query {
    async fn run(&self) -> Res<Answer> {
        let query = self.tags.iter().fold(mrc::Query::new(&*self.text), |query, &tag| query.tag(tag));
        let answer = self.client.query_with_cache(query, params! { "StoreId" => STORE }, TTL).await?;
        if answer.is_hit() { Ok(answer) } else { Err("that was no hit".into()) }
    }
}

#[derive(Clone)]
struct AsBytes(Query);

impl Call for AsBytes {
    async fn call(&self) -> Res<u64> {
        Ok(black_box(self.0.run().await?.into_bytes()).len() as u64)
    }
}

#[derive(Clone)]
struct Typed(Query);

impl Call for Typed {
    async fn call(&self) -> Res<u64> {
        let orders: Vec<Order> = self.0.run().await?.rows()?;
        Ok(black_box(orders).len() as u64)
    }
}

#[derive(Clone)]
struct Borrowed(Query);

impl Call for Borrowed {
    async fn call(&self) -> Res<u64> {
        let answer = self.0.run().await?;
        let orders: Vec<BorrowedOrder<'_>> = answer.rows()?;
        Ok(black_box(orders).len() as u64)
    }
}
