//! Calls for one id each, whose queries are gathered into one.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, join_all, select};
use mrc_core::{Ttl, Value};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::source::Queries;
use crate::client::MrcClient;
use crate::client::query::Many;
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::inherited::StoreId;
use crate::pipeline::many::Source as _;
use mrc_store::lock;

/// Reads one id a call, and gathers the queries of simultaneous calls into one statement. From
/// [`MrcClient::loader`]. Each call takes its own way through the cache, and only the ids that the
/// cache doesn't have are gathered. Cheap to clone: clones gather together.
#[derive(Debug, Clone)]
pub struct Loader {
    client: MrcClient,
    many: Arc<Many>,
    ttl: Ttl,
    reads: Arc<Reads>,
}

/// The queries that wait for the end of a tick.
#[derive(Debug)]
struct Reads {
    /// The queries of no id, from which those of a tick are made.
    source: Queries,
    tick: Duration,
    waiting: Mutex<Vec<Waiting>>,
}

type Waiting = (Value, Reply);

type Reply = oneshot::Sender<Result<Made>>;

impl MrcClient {
    /// Returns a loader, which gathers calls for one id each: see [`Many::coalesce`]. Build it once
    /// and clone it: calls of two loaders aren't gathered together.
    ///
    /// # Errors
    /// [`Error::Config`]: `many` has no [`batch`](Many::batch) statement. Others come with a call.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use mrc_client::{Many, MrcClient};
    /// # #[derive(serde::Deserialize)] struct User { id: u64, name: String }
    /// # async fn example(client: MrcClient) -> Result<(), mrc_client::Error> {
    /// let users = Many::new("SELECT id, name FROM users WHERE id = ?", "id", "UserId")
    ///     .batch("SELECT id, name FROM users WHERE id IN (?)")
    ///     .coalesce(Duration::from_millis(1));
    /// let loader = client.loader(users, 3600)?;
    /// // In as many tasks as you like: one statement reads what they miss.
    /// let user: Option<User> = loader.load(7).await?;
    /// # Ok(()) }
    /// ```
    pub fn loader(&self, many: Many, ttl: impl Into<Ttl>) -> Result<Loader> {
        let source = Queries::new(self, &many, many.statement()?);
        let reads = Reads { source, tick: many.tick, waiting: Mutex::default() };
        Ok(Loader { client: self.clone(), many: Arc::new(many), ttl: ttl.into(), reads: Arc::new(reads) })
    }
}

impl Loader {
    /// Returns the row of an id, or with `Vec<T>` for `T` all its rows. Returns `None` if the id
    /// has no row.
    ///
    /// # Errors
    /// Those of [`many_with_cache`](MrcClient::many_with_cache). An error of the gathered statement
    /// is that of each call in it.
    pub async fn load<T: DeserializeOwned>(&self, id: impl Into<Value>) -> Result<Option<T>> {
        let batch = self.client.prepare_many(&self.many, std::iter::once(id.into()), self.ttl)?;
        let (Some(item), Some(id)) = (batch.items.first(), batch.source.id(0)) else { return Ok(None) };
        let read = Gathering { reads: &self.reads, id };
        let answer = self.client.inner.pipeline.fetch(&item.key, &item.call, read).await?;
        self.client.decode_one(&batch, 0, answer).await
    }
}

/// The query of one id, which waits for others.
struct Gathering<'a> {
    reads: &'a Arc<Reads>,
    id: &'a Value,
}

impl Compute for Gathering<'_> {
    const TAGS: bool = false;

    async fn run(self, _: StoreId, _: &str) -> Result<Made> {
        Arc::clone(self.reads).read(self.id.clone()).await
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        Some(Box::pin(Arc::clone(self.reads).read(self.id.clone())))
    }
}

impl Reads {
    /// Waits for the end of the tick, and for the statement of all that were asked for until then.
    ///
    /// Each caller can end the tick: the first one may have left, or its runtime may have ended.
    async fn read(self: Arc<Self>, id: Value) -> Result<Made> {
        let (reply, mut answer) = oneshot::channel();
        lock(&self.waiting).push((id, reply));
        let tick = async {
            if self.tick.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(self.tick).await;
            }
        };
        if let Either::Left((made, _)) = select(&mut answer, pin!(tick)).await {
            return made.unwrap_or(Err(Error::Shutdown));
        }
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if !waiting.is_empty() {
            let reads = Arc::clone(&self);
            // A task of its own, since the caller may leave before the others.
            tokio::spawn(async move { reads.statements(waiting).await });
        }
        answer.await.unwrap_or(Err(Error::Shutdown))
    }

    async fn statements(&self, waiting: Vec<Waiting>) {
        let mut source = self.source.clone();
        let mut replies = Vec::<Vec<_>>::new();
        let mut places = BTreeMap::new();
        for (id, reply) in waiting.into_iter().filter(|(_, reply)| !reply.is_closed()) {
            // Calls without the cache may ask for one id at the same time.
            let place = *places.entry(format!("{id:?}")).or_insert(replies.len());
            match replies.get_mut(place) {
                Some(known) => known.push(reply),
                None => {
                    source.push(id);
                    replies.push(vec![reply]);
                }
            }
        }
        let mut replies = replies.into_iter().enumerate().collect::<Vec<_>>();
        let mut statements = Vec::new();
        while !replies.is_empty() {
            let later = replies.split_off(source.most().min(replies.len()));
            statements.push(self.statement(&source, std::mem::replace(&mut replies, later)));
        }
        join_all(statements).await;
    }

    async fn statement(&self, source: &Queries, asked: Vec<(usize, Vec<Reply>)>) {
        let places: Vec<usize> = asked.iter().map(|(place, _)| *place).collect();
        let values = source.read(self.source.store_id(), &places).await;
        let values = values.unwrap_or_else(|error| vec![Err(error); places.len()]);
        for ((_, replies), value) in asked.into_iter().zip(values) {
            for reply in replies {
                // A caller that has left needs no value.
                let _ = reply.send(value.clone());
            }
        }
    }
}
