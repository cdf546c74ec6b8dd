//! The client that a service calls.

mod builder;
mod bulkhead;
mod config;
mod inner;
mod many;
mod outbox;
mod query;
mod texts;
mod write;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join3;
use mrc_core::statement::Tokens;
use mrc_core::{Bypass, Event, Key, Params, Tag, Ttl};
use mrc_store::CacheStore;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::inner::{ClientInner, Read};
use self::texts::Text;
use crate::answer::Answer;
use crate::call::{Call, Options};
use crate::codec::{Codec, from_rows, one};
use crate::error::{Error, Result};
use crate::follow::Dependencies;
use crate::health::{Health, probe, tag_risks};
use crate::pipeline::function;
use crate::scope;
use crate::settings::with_options;

pub use self::builder::MrcClientBuilder;
pub use self::config::MrcConfig;
pub use self::many::Loader;
pub use self::query::{FromMany, Many, Query};
pub use self::write::Transaction;

/// A read-through cache: returns answers from Redis, and stores missing answers there.
///
/// Cheap to clone: all clones share the connections. It connects at first use.
#[derive(Debug, Clone)]
pub struct MrcClient {
    inner: Arc<ClientInner>,
    pub(crate) options: Options,
}

impl MrcClient {
    with_options!();

    /// Returns the same client with another [`stale_after`](MrcClientBuilder::stale_after).
    #[must_use]
    pub fn with_stale_after(&self, patience: Duration) -> Self {
        self.with(Options { stale_after: patience, ..self.options })
    }

    /// Runs a query through the cache, and returns JSON: an array with an object for each row.
    ///
    /// The peers' `queryWithCache` / `query_with_cache`.
    ///
    /// # Errors
    /// - [`Error::NotCacheable`], [`Error::Key`], [`Error::Ttl`], or a wrong number of params:
    ///   nothing runs. Correct the call.
    /// - [`Error::Database`]: the database failed. If the cache fails, the database answers.
    ///
    /// ```no_run
    /// # use mrc_core::params;
    /// # #[derive(serde::Deserialize)] struct Order { id: u64 }
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let sql = "SELECT id FROM orders WHERE store_id = ? AND state IN (?)";
    /// let params = params! { "StoreId" => 6, "States" => ["open", "paid"] };
    /// let orders: Vec<Order> = client.query_with_cache(sql, params, 3600).await?.rows()?;
    /// # Ok(()) }
    /// ```
    pub async fn query_with_cache<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Answer> {
        let (query, params) = (query.into(), params.borrow());
        let (key, call) = self.prepare(&query, params, ttl.into())?;
        let answer = self.inner.pipeline.fetch(&key, &call, self.reading(&query, params)).await?;
        Ok(answer.with_rows(self.inner.rows))
    }

    /// Runs a query through the cache and decodes its rows, one `T` a row.
    ///
    /// See [`query_with_cache`](Self::query_with_cache) and [`Answer::rows`]. A cached value that
    /// is no JSON is overwritten. JSON of another type than `T` stays for callers that can read it:
    /// this call asks the database, and stores nothing.
    ///
    /// # Errors
    /// Those of `query_with_cache`, and [`Error::Decode`]: the rows of the database aren't `T`s.
    ///
    /// ```no_run
    /// # use mrc_core::params;
    /// # #[derive(serde::Deserialize)] struct Order { id: u64 }
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let (sql, params) = ("SELECT id FROM orders WHERE store_id = ?", params! { "StoreId" => 6 });
    /// let orders: Vec<Order> = client.rows_with_cache(sql, params, 3600).await?;
    /// # Ok(()) }
    /// ```
    pub async fn rows_with_cache<'a, T: DeserializeOwned>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Vec<T>> {
        let (query, params) = (query.into(), params.borrow());
        let (key, call) = self.prepare(&query, params, ttl.into())?;
        let reading = || self.reading(&query, params);
        let answer = self.inner.pipeline.fetch(&key, &call, reading()).await?;
        let decode = |rows: &[u8]| from_rows(rows, self.inner.rows);
        self.inner.pipeline.decoded(&key, &call, answer, decode, reading).await
    }

    /// Runs a query of one row through the cache, and decodes it. Returns `None` if there is none.
    ///
    /// See [`rows_with_cache`](Self::rows_with_cache). `T` is a struct, a tuple, or the type of the
    /// query's only column.
    ///
    /// # Errors
    /// Those of `rows_with_cache`. [`Error::Decode`] also if there are several rows.
    ///
    /// ```no_run
    /// # use mrc_core::params;
    /// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
    /// let sql = "SELECT COUNT(*) FROM orders WHERE store_id = ?";
    /// let count: Option<u64> = client.row_with_cache(sql, params! { "StoreId" => 6 }, 60).await?;
    /// # Ok(()) }
    /// ```
    pub async fn row_with_cache<'a, T: DeserializeOwned>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<Option<T>> {
        one(self.rows_with_cache(query, params, ttl).await?)
    }

    /// Runs an async function through the cache. `signature` names the computation: change it when
    /// the function changes. With tags it is a [`Query`] of that name:
    /// `Query::new("monthly_report_v1").tag("orders")`. The function may add more tags while it
    /// runs: [`scope::tag`](fn@crate::scope::tag).
    ///
    /// The peers' `withCache` / `with_cache`. The value is written as JSON and read back, so that a
    /// miss returns the same as a hit. The function's errors aren't cached. They may have any type
    /// that an [`Error`] turns into, such as `anyhow::Error`, or an enum with a variant
    /// `Mrc(#[from] mrc::Error)`. A caller that waited for a function that failed runs its own.
    ///
    /// # Errors
    /// - The function's own.
    /// - [`Error::Key`], [`Error::Ttl`], [`Error::Tag`]: nothing runs. Correct the call.
    /// - [`Error::Deadline`], and [`Error::Missed`] in
    ///   [`Mode::ReadOnly`](crate::scope::Mode::ReadOnly).
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
        let (types, tags) = (&self.inner.texts.of(signature.key_text()).types, self.tags_of(&signature, params)?);
        let call = Call { tags, ..self.reading_call(params, ttl.into())?.keyed(&key, types) };
        function::get_or_try(&self.inner.pipeline, &key, &call, Codec::Json, function).await
    }

    /// Runs a statement without the cache, and returns its rows. A write may return rows too, such
    /// as `INSERT … RETURNING`. A statement without rows returns `[]`. For the number of written
    /// rows use [`execute`](Self::execute).
    ///
    /// The session of the statement never reaches a cached read, nor the next `query`: no
    /// transaction, variable, lock or temporary table. For statements that belong together use a
    /// [`transaction`](Self::transaction), or one connection of [`mysql_pool`](Self::mysql_pool).
    ///
    /// The peers' `queryToPromise` / `query_to_promise`.
    ///
    /// # Errors
    /// - [`Error::Key`] with [`KeyError::TooDeep`](mrc_core::KeyError::TooDeep): nothing was run.
    /// - [`Error::Database`]: the database failed. The statement has run if the error is
    ///   [`ExecuteError::SeveralResults`](mrc_store::ExecuteError::SeveralResults), as from a `CALL`.
    pub async fn query(&self, sql: &str, params: impl Borrow<Params>) -> Result<Answer> {
        let (rows, _) = self.inner.execute(sql, params.borrow()).await?;
        Ok(Answer::of_rows(rows)?)
    }

    /// Returns the cached answer of a query, and runs nothing. Returns `None` if the cache doesn't
    /// have it, and in [`Mode::Off`](crate::scope::Mode::Off) and
    /// [`Mode::Refresh`](crate::scope::Mode::Refresh).
    ///
    /// The peers' `readFromCache` / `read_from_cache`. Also takes the signature of a function.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Store`].
    pub async fn read_from_cache<'a>(
        &self,
        query: impl Into<Query<'a>>,
        params: impl Borrow<Params>,
    ) -> Result<Option<Answer>> {
        let (query, params) = (query.into(), params.borrow());
        let key = self.key_of(query.key_text(), params)?;
        if self.is_bypassed(&key) {
            return Ok(None);
        }
        let types = &self.inner.texts.of(query.key_text()).types;
        let call = self.reading_call(params, Ttl::DEFAULT)?.failing().keyed(&key, types);
        Ok(self.inner.pipeline.peek(&key, &call).await?.map(|answer| answer.with_rows(self.inner.rows)))
    }

    /// Stores a value under the key of a query, with the query's tags, and replaces the entry's
    /// value. Returns `false` if it wasn't stored: the key is [ambiguous](Key::ambiguity), the
    /// value is larger than [`max_value`](MrcClientBuilder::max_value), the
    /// [mode](crate::scope::with_mode) stores nothing, or an invalidation of one of the tags came
    /// between.
    ///
    /// The peers' `writeToCache` / `write_to_cache`. The caller vouches that the value isn't older
    /// than the last invalidation. [`query_with_cache`](Self::query_with_cache) and
    /// [`with_cache`](Self::with_cache) check this.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Ttl`], [`Error::Tag`], [`Error::Encode`], [`Error::Store`].
    pub async fn write_to_cache<'a, T: Serialize + ?Sized>(
        &self,
        query: impl Into<Query<'a>>,
        value: &T,
        params: impl Borrow<Params>,
        ttl: impl Into<Ttl>,
    ) -> Result<bool> {
        let (query, params) = (query.into(), params.borrow());
        let key = self.key_of(query.key_text(), params)?;
        let (types, tags) = (&self.inner.texts.of(query.key_text()).types, self.tags_of(&query, params)?);
        let text = self.inner.texts.of(&query.sql);
        // A function's signature is no statement.
        let follows = match text.check(&query.sql, params.len(), query.trusted) {
            Ok(tokens) => self.follows(&text, tokens, params),
            Err(_) => None,
        };
        let call = Call { tags, follows, ..self.call(ttl.into())?.failing().keyed(&key, types) };
        let value = Codec::Json.encode(value)?;
        if self.is_bypassed(&key) {
            return Ok(false);
        }
        self.inner.pipeline.put(&key, &call, value).await
    }

    /// Returns the key of a query and its params, or [`Error::Key`].
    ///
    /// The peers' `getKeyFromQuery` / `get_key_from_query`.
    pub fn key<'a>(&self, query: impl Into<Query<'a>>, params: impl Borrow<Params>) -> Result<Key> {
        self.key_of(query.into().key_text(), params.borrow())
    }

    /// Returns the pool of this runtime, for statements that mrc doesn't cover. Returns `None` if
    /// the client was built without MySQL.
    ///
    /// The peers' `getMySQLPool` / `get_mysql_pool`. Cached reads have other connections. A session
    /// is reset when it comes back: see [`MySqlExecutor::pool`](mrc_store::MySqlExecutor::pool).
    #[cfg(feature = "mysql")]
    pub fn mysql_pool(&self) -> Option<mrc_store::mysql_async::Pool> {
        self.inner.mysql.as_deref().map(mrc_store::MySqlExecutor::pool)
    }

    /// Returns the store behind the client.
    pub fn store(&self) -> &dyn CacheStore {
        &**self.inner.pipeline.store.shared()
    }

    /// Asks all servers at once whether they answer. Takes at most 5 s, and connects if necessary.
    pub async fn health(&self) -> Health {
        let inner = &self.inner;
        let store = &**inner.pipeline.store.shared();
        let cache = probe(async { Ok(store.ping().await?) });
        let database = async {
            let executor = inner.executor.as_deref()?;
            Some(probe(async { Ok(executor.ping().await?) }).await)
        };
        let (cache, database, tag_risks) = join3(cache, database, tag_risks(store)).await;
        Health { cache, database, tag_risks }
    }

    /// Closes all connections, of all clones. Later calls return errors. The peers'
    /// `closeRedisConnection` / `close_redis_connection`, and MySQL's too.
    pub async fn close(&self) {
        self.inner.pipeline.store.shared().close().await;
        if let Some(executor) = &self.inner.executor {
            executor.close().await;
        }
    }

    /// Returns the key and the terms of a query's call. Refuses statements that can't be cached.
    fn prepare(&self, query: &Query<'_>, params: &Params, ttl: Ttl) -> Result<(Key, Call)> {
        self.inner.executor()?;
        let text = self.inner.texts.of(&query.sql);
        let tokens = text.check(&query.sql, params.len(), query.trusted)?;
        let keyed = self.keyed(query, &text);
        let key = self.inner.keys.key_of(&keyed.hash, params)?;
        if let Some(what) = text.clock_once(&query.sql) {
            self.inner.pipeline.events.emit(&Event::DependsOnClock { key: key.as_str(), what });
        }
        let follows = self.follows(&text, tokens, params);
        let call = Call { rows: true, tags: self.tags_of(query, params)?, follows, ..self.reading_call(params, ttl)? };
        let call = call.keyed(&key, &keyed.types);
        Ok((key, call))
    }

    /// Returns the text that a query's key is made of.
    fn keyed(&self, query: &Query<'_>, text: &Arc<Text>) -> Arc<Text> {
        query.keyed_as.as_ref().map_or_else(|| Arc::clone(text), |other| self.inner.texts.of(other))
    }

    /// Returns what a query's answer depends on, if a follower ends its entries.
    fn follows(&self, text: &Text, tokens: Option<Tokens>, params: &Params) -> Option<Arc<Dependencies>> {
        let follow = self.inner.pipeline.follow.as_ref()?;
        Some(Dependencies::new(follow, &text.follow, tokens, params))
    }

    /// Returns the tags that a query names, and those of its params if it asks for them.
    fn tags_of(&self, query: &Query<'_>, params: &Params) -> Result<Vec<Tag>> {
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

    /// Returns a call that reads. Within a cached function, its named params become tags of the
    /// function's entry, whose key doesn't have them: so a drop by params reaches that entry too.
    fn reading_call(&self, params: &Params, ttl: Ttl) -> Result<Call> {
        let call = self.call(ttl)?;
        if call.nested {
            scope::tags(self.tags_of_params(params));
        }
        Ok(call)
    }

    fn call(&self, ttl: Ttl) -> Result<Call> {
        let jitter = self.inner.settings.jitter;
        ttl.check(jitter)?;
        Ok(Call::new(ttl, jitter, self.options))
    }

    fn reading<'a>(&'a self, query: &'a Query<'_>, params: &'a Params) -> Read<'a> {
        Read { client: &self.inner, sql: &query.sql, params: Cow::Borrowed(params), trusted: query.trusted }
    }

    fn key_of(&self, text: &str, params: &Params) -> Result<Key> {
        Ok(self.inner.keys.key_of(&self.inner.texts.of(text).hash, params)?)
    }

    fn is_bypassed(&self, key: &Key) -> bool {
        if let Some(ambiguity) = key.bypass() {
            self.inner.pipeline.events.emit(&Event::Bypassed { key: key.as_str(), why: Bypass::Ambiguous(ambiguity) });
        }
        key.bypass().is_some()
    }
}
