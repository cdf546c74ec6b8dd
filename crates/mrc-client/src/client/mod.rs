//! The client: what a service calls.

mod builder;
mod bulkhead;
mod config;
mod health;
mod inner;
mod query;
mod texts;
mod transaction;
mod write;

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Bypass, Event, Key, Params, Tag, Ttl};
use mrc_store::CacheStore;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::inner::{Inner, Read};
use crate::answer::Answer;
use crate::call::{Call, Options};
use crate::codec::{Codec, one};
use crate::error::Error;
use crate::pipeline::function;
use crate::scope;
use crate::settings::with_options;
use crate::source::Source;

pub use self::builder::MrcClientBuilder;
pub use self::config::MrcConfig;
pub use self::query::Query;
pub use self::transaction::Transaction;

/// A read-through cache: answers come from Redis when they are there, and are stored there when they aren't.
///
/// Cheap to clone: all clones share the connections. It connects at first use.
#[derive(Debug, Clone)]
pub struct MrcClient {
    inner: Arc<Inner>,
    pub(crate) options: Options,
}

impl MrcClient {
    pub(crate) fn from_parts(inner: Inner, options: Options) -> Self {
        Self { inner: Arc::new(inner), options }
    }

    with_options!();

    /// Returns the same client, whose calls take the stale copy after this time: see
    /// [`MrcClientBuilder::stale_after`].
    #[must_use]
    pub fn with_stale_after(&self, patience: Duration) -> Self {
        self.with(Options { stale_after: patience, ..self.options })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Runs a query through the cache.
    ///
    /// The peers' `queryWithCache` / `query_with_cache`. The answer is JSON, an array with an object for each row.
    ///
    /// # Errors
    /// Before anything is run: [`Error::NotCacheable`], [`Error::Key`], [`Error::Ttl`], or a wrong number of params.
    /// Then [`Error::Database`]. A cache that fails is no error: the database answers.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use mrc_client::MrcClient;
    /// # use mrc_core::params;
    /// # #[derive(serde::Deserialize)] struct Order { id: u64 }
    /// # async fn example(client: MrcClient) -> Result<(), mrc_client::Error> {
    /// let orders: Vec<Order> = client
    ///     .query_with_cache(
    ///         "SELECT id FROM orders WHERE store_id = ? AND state IN (?)",
    ///         params! { "StoreId" => 6, "States" => ["open", "paid"] },
    ///         Duration::from_secs(3600),
    ///     )
    ///     .await?
    ///     .rows()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_with_cache<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Answer, Error> {
        let (query, params) = (query.into(), params.borrow());
        let (key, call) = self.prepare(&query, params, ttl.into())?;
        let answer = self.inner.pipeline.fetch(&key, &call, self.reading(&query, params)).await?;
        Ok(answer.with_rows(self.inner.rows))
    }

    /// Runs a query through the cache and decodes its rows, one `T` a row.
    ///
    /// As [`query_with_cache`](Self::query_with_cache) and [`Answer::rows`]. A value in the cache that is no JSON is computed anew and
    /// overwritten. A value that is JSON, and not made of `T`s, stays for those who can read it: this call asks the database, and stores
    /// nothing.
    ///
    /// # Errors
    /// As `query_with_cache`; [`Error::Decode`] when what the database answers isn't made of `T`s.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use mrc_client::MrcClient;
    /// # use mrc_core::params;
    /// # #[derive(serde::Deserialize)] struct Order { id: u64 }
    /// # async fn example(client: MrcClient) -> Result<(), mrc_client::Error> {
    /// let sql = "SELECT id FROM orders WHERE store_id = ?";
    /// let orders: Vec<Order> = client.rows_with_cache(sql, params! { "StoreId" => 6 }, Duration::from_secs(3600)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rows_with_cache<'a, T: DeserializeOwned>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Vec<T>, Error> {
        let (query, params) = (query.into(), params.borrow());
        let (key, call) = self.prepare(&query, params, ttl.into())?;
        let reading = self.reading(&query, params);
        let answer = self.inner.pipeline.fetch(&key, &call, reading).await?.with_rows(self.inner.rows);
        match answer.decoded() {
            Err(unfit) if answer.source() != Source::Computed => {
                let answer = Box::pin(self.inner.pipeline.instead(&key, &call, &unfit, reading)).await?;
                answer.with_rows(self.inner.rows).noted().rows()
            }
            rows => Ok(rows?),
        }
    }

    /// Runs a query of one row through the cache, and decodes the row. Returns `None` if there is no row.
    ///
    /// As [`rows_with_cache`](Self::rows_with_cache). `T` is a struct, a tuple, or the type of the one column that the query selects.
    ///
    /// # Errors
    /// As `rows_with_cache`; [`Error::Decode`] also when there are several rows.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use mrc_client::MrcClient;
    /// # use mrc_core::params;
    /// # async fn example(client: MrcClient) -> Result<(), mrc_client::Error> {
    /// let sql = "SELECT COUNT(*) FROM orders WHERE store_id = ?";
    /// let count: u64 = client.row_with_cache(sql, params! { "StoreId" => 6 }, Duration::from_secs(60)).await?.unwrap_or(0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn row_with_cache<'a, T: DeserializeOwned>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Option<T>, Error> {
        one(self.rows_with_cache(query, params, ttl).await?)
    }

    /// Runs an async function through the cache. `signature` names what it computes: change it when the function changes. With tags it is
    /// a [`Query`] of that name: `Query::new("monthly_report_v1").tag("orders")`. The function may add more while it runs:
    /// [`scope::tag`](fn@crate::scope::tag).
    ///
    /// The peers' `withCache` / `with_cache`. The value is written as JSON and read back, on a miss as on a hit,
    /// so that both return the same. The function's own errors are not cached; they may be of any type that an [`Error`] turns into, such as
    /// `anyhow::Error` or an enum with a variant `Mrc(#[from] mrc::Error)`. A caller that waited for another one's function, which failed,
    /// runs its own.
    ///
    /// # Errors
    /// - The function's own.
    /// - Before it runs: [`Error::Key`], [`Error::Ttl`], [`Error::Tag`].
    /// - [`Error::Deadline`], and [`Error::Missed`] in [`Mode::ReadOnly`](crate::scope::Mode::ReadOnly).
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use mrc_client::MrcClient;
    /// # use mrc_core::params;
    /// # #[derive(serde::Serialize, serde::Deserialize)] struct Report { total: u64 }
    /// # async fn build_report(store: u32) -> Result<Report, Box<dyn std::error::Error>> { Ok(Report { total: 0 }) }
    /// # async fn example(client: MrcClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use mrc_client::Query;
    ///
    /// let signature = Query::new("monthly_report_v1").tag("orders");
    /// let report = client
    ///     .with_cache(|| build_report(6), signature, params! { "StoreId" => 6 }, Duration::from_secs(600))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with_cache<'a, T, E, F, Fut>(
        &self,
        function: F,
        signature: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error> + fmt::Display,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let (signature, params) = (signature.into(), params.borrow());
        let key = self.key_of(signature.key_text(), params)?;
        let call = Call { tags: self.tags_of(&signature, params)?, ..self.reading_call(params, ttl.into())? };
        function::get_or_try(&self.inner.pipeline, &key, &call, Codec::Json, function).await
    }

    /// Runs a statement without the cache, and returns its rows: for those that return some, also by writing, such as
    /// `INSERT … RETURNING`. A statement without rows answers `[]`. For what a statement wrote see [`execute`](Self::execute).
    ///
    /// Nothing that the statement leaves in its session reaches a cached read: not a transaction, nor a variable, a lock, or a
    /// temporary table. Nor does it reach the next `query`: statements that belong together are a
    /// [`transaction`](Self::transaction), or need one connection of [`mysql_pool`](Self::mysql_pool).
    ///
    /// The peers' `queryToPromise` / `query_to_promise`.
    ///
    /// # Errors
    /// [`Error::Key`] with [`KeyError::TooDeep`](mrc_core::KeyError::TooDeep), and nothing was run. [`Error::Database`]; with
    /// [`ExecuteError::SeveralResults`] when the statement answered with more than one result, such as a `CALL`: it has run then.
    pub async fn query(&self, sql: &str, params: impl Borrow<Params>) -> Result<Answer, Error> {
        let (rows, _) = self.inner.execute(sql, params.borrow()).await?;
        Ok(Answer::of_rows(rows)?)
    }

    /// The answer of a query if it is in the cache. Nothing is run. Returns `None` if the cache doesn't have it, and in
    /// [`Mode::Off`](crate::scope::Mode::Off) and [`Mode::Refresh`](crate::scope::Mode::Refresh).
    ///
    /// The peers' `readFromCache` / `read_from_cache`. The signature of a function does as well as a query.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Store`].
    pub async fn read_from_cache<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
    ) -> Result<Option<Answer>, Error> {
        let (query, params) = (query.into(), params.borrow());
        let key = self.key_of(query.key_text(), params)?;
        if self.is_bypassed(&key) {
            return Ok(None);
        }
        let types = &self.inner.texts.of(query.key_text()).types;
        let call = self.reading_call(params, Ttl::DEFAULT)?.failing().keyed(&key, types);
        Ok(self.inner.pipeline.peek(&key, &call).await?.map(|answer| answer.with_rows(self.inner.rows)))
    }

    /// Stores a value under the key of a query, whatever is there, with the query's tags. Returns `false` if it wasn't stored: the key
    /// is [ambiguous](Key::ambiguity), the value is larger than [`max_value`](MrcClientBuilder::max_value), the
    /// [mode](crate::scope::with_mode) stores nothing, or an invalidation of one of the tags came between.
    ///
    /// The peers' `writeToCache` / `write_to_cache`. The caller vouches that the value isn't older than the last invalidation.
    /// [`query_with_cache`](Self::query_with_cache) and [`with_cache`](Self::with_cache) check that by themselves.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Ttl`], [`Error::Tag`], [`Error::Encode`], [`Error::Store`].
    pub async fn write_to_cache<'a, T: Serialize + ?Sized>(
        &self,
        query: impl Into<Query<'a>>,
        value: &T,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<bool, Error> {
        let (query, params) = (query.into(), params.borrow());
        let key = self.key_of(query.key_text(), params)?;
        let (types, tags) = (&self.inner.texts.of(query.key_text()).types, self.tags_of(&query, params)?);
        let call = Call { tags, ..self.call(ttl.into())?.failing().keyed(&key, types) };
        let value = Codec::Json.encode(value)?;
        if self.is_bypassed(&key) {
            return Ok(false);
        }
        self.inner.pipeline.put(&key, &call, value).await
    }

    /// The key of a query and its params.
    ///
    /// The peers' `getKeyFromQuery` / `get_key_from_query`.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn key<'a>(&self, query: impl Into<Query<'a>>, params: impl Borrow<Params>) -> Result<Key, Error> {
        self.key_of(query.into().key_text(), params.borrow())
    }

    /// Returns the pool of this runtime for statements that mrc has no word for. Returns `None` if the client was built
    /// without MySQL.
    ///
    /// Cached reads have other connections. A session is reset when its connection comes back: see
    /// [`MySqlExecutor::pool`](mrc_store::MySqlExecutor::pool).
    ///
    /// The peers' `getMySQLPool` / `get_mysql_pool`.
    #[cfg(feature = "mysql")]
    pub fn mysql_pool(&self) -> Option<mrc_store::mysql_async::Pool> {
        self.inner.mysql.as_deref().map(mrc_store::MySqlExecutor::pool)
    }

    /// The store behind the client.
    pub fn store(&self) -> &dyn CacheStore {
        &**self.inner.pipeline.store.shared()
    }

    /// Closes all connections, of all clones. Calls after that are errors.
    ///
    /// The peers' `closeRedisConnection` / `close_redis_connection`, and MySQL's too.
    pub async fn close(&self) {
        self.inner.pipeline.store.shared().close().await;
        if let Some(executor) = &self.inner.executor {
            executor.close().await;
        }
    }

    /// The key of a query, and what its call asks for. What can't be cached is refused here, before anything is run.
    fn prepare(&self, query: &Query<'_>, params: &Params, ttl: Ttl) -> Result<(Key, Call), Error> {
        self.inner.executor()?;
        let text = self.inner.texts.of(&query.sql);
        text.check(&query.sql, params.len(), query.trusted)?;
        let key = match &query.keyed_as {
            None => self.inner.keys.key_of(&text.hash, params)?,
            Some(other) => self.key_of(other, params)?,
        };
        if let Some(what) = text.clock_once(&query.sql) {
            self.inner.pipeline.events.emit(&Event::DependsOnClock { key: key.as_str(), what });
        }
        let types = match &query.keyed_as {
            None => Arc::clone(&text.types),
            Some(other) => Arc::clone(&self.inner.texts.of(other).types),
        };
        let call = Call { rows: true, tags: self.tags_of(query, params)?, ..self.reading_call(params, ttl)? };
        let call = call.keyed(&key, &types);
        Ok((key, call))
    }

    /// The tags that a query names, and those of its params where it asks for them.
    fn tags_of(&self, query: &Query<'_>, params: &Params) -> Result<Vec<Tag>, Error> {
        let mut tags = query.tags.clone();
        if query.tagged_by_params {
            tags.extend(self.tags_of_params(params));
        }
        tags.iter().try_for_each(Tag::check)?;
        Ok(tags)
    }

    fn tags_of_params<'a>(&self, params: &'a Params) -> impl Iterator<Item = Tag> + use<'a> {
        let format = self.inner.keys.format();
        params.iter().filter_map(move |param| Some(Tag::param(param.name.as_deref()?, &param.value, format)))
    }

    /// A call that reads. Inside of a function that is being cached, the function's entry gets its named params as tags: a drop by
    /// params then reaches that entry too, which has them nowhere in its key.
    fn reading_call(&self, params: &Params, ttl: Ttl) -> Result<Call, Error> {
        let call = self.call(ttl)?;
        if call.nested {
            scope::tags(self.tags_of_params(params));
        }
        Ok(call)
    }

    fn call(&self, ttl: Ttl) -> Result<Call, Error> {
        let jitter = self.inner.settings.jitter;
        ttl.check(jitter)?;
        Ok(Call::new(ttl, jitter, self.options))
    }

    fn reading<'a>(&'a self, query: &'a Query<'_>, params: &'a Params) -> Read<'a> {
        Read { client: &self.inner, sql: &query.sql, params, trusted: query.trusted }
    }

    fn key_of(&self, text: &str, params: &Params) -> Result<Key, Error> {
        Ok(self.inner.keys.key_of(&self.inner.texts.of(text).hash, params)?)
    }

    fn is_bypassed(&self, key: &Key) -> bool {
        if let Some(ambiguity) = key.bypass() {
            self.inner.pipeline.events.emit(&Event::Bypassed { key: key.as_str(), why: Bypass::Ambiguous(ambiguity) });
        }
        key.bypass().is_some()
    }
}
