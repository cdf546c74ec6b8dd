//! Many entries of one query, read at once.

mod loader;
mod source;

use std::borrow::{Borrow, Cow};
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use mrc_core::{Event, Key, Params, Ttl, Value};
use serde::de::DeserializeOwned;

use self::source::Queries;
use super::MrcClient;
use super::query::{FromMany, Many};
use super::texts::Text;
use crate::answer::Answer;
use crate::call::Call;
use crate::codec::of_one_id;
use crate::error::{Error, Result};
use crate::pipeline::many::{Item, noted, places};
use crate::pipeline::miss::Attempt;
use crate::scope;

pub use self::loader::Loader;

impl MrcClient {
    /// Runs the query of many ids through the cache: one look for all, one statement for those that
    /// the cache doesn't have. Returns what you ask for, by id:
    ///
    /// | result | content |
    /// |---|---|
    /// | `HashMap<Id, T>`, `BTreeMap<Id, T>` | the row of each id that has one |
    /// | `Vec<T>` | the row of each id, in the order of `ids`; an id without a row is an error |
    /// | with `Option<T>` for `T` | the row or `None`, for each id |
    /// | with `Vec<T>` for `T` | all rows of the id, for each id |
    ///
    /// Each id has its own entry, also one without rows: see [`Many`]. Duplicate ids are asked for
    /// once. All rules of [`query_with_cache`](Self::query_with_cache) hold for each entry.
    ///
    /// # Errors
    /// Those of [`rows_with_cache`](Self::rows_with_cache), of the first id that has one. The other
    /// entries are stored all the same. Besides:
    /// - [`Error::Config`]: `many` has no [`batch`](Many::batch) statement. Nothing runs.
    /// - [`Error::Database`] with a [`RowError`](mrc_core::RowError): the batch lacks the column,
    ///   it has other columns than the query of one id, or it returned a row of another id. Nothing
    ///   is stored. A text must be spelled as the database spells it: `"ann"` doesn't find `Ann`.
    ///
    /// ```no_run
    /// # use std::collections::HashMap;
    /// # use mrc_client::{Many, MrcClient};
    /// # #[derive(serde::Deserialize)] struct User { id: u64, name: String }
    /// # async fn example(client: MrcClient) -> Result<(), mrc_client::Error> {
    /// let users = Many::new("SELECT id, name FROM users WHERE id = ?", "id", "UserId")
    ///     .batch("SELECT id, name FROM users WHERE id IN (?)");
    /// let found: HashMap<u64, User> = client.many_with_cache(&users, [1, 2, 3], 3600).await?;
    /// # Ok(()) }
    /// ```
    pub async fn many_with_cache<Id, R>(
        &self,
        many: impl Borrow<Many>,
        ids: impl IntoIterator<Item = Id>,
        ttl: impl Into<Ttl>,
    ) -> Result<R>
    where
        Id: Clone + Into<Value>,
        R: FromMany<Id>,
    {
        let ids: Vec<Id> = ids.into_iter().collect();
        let batch = self.prepare_many(many.borrow(), ids.iter().cloned().map(Into::into), ttl.into())?;
        let answers = self.fetch_batch(&batch).await;
        let mut values = Vec::with_capacity(ids.len());
        for (id, place) in ids.into_iter().zip(&batch.places) {
            let answer = answers.get(*place).cloned().unwrap_or(Err(Error::Shutdown))?;
            values.push((id, self.decode_one(&batch, *place, answer).await?));
        }
        R::from_many(values)
    }

    /// Returns the JSON of each id, in the order of `ids`: see
    /// [`many_with_cache`](Self::many_with_cache), also for the errors, except `Decode`.
    pub async fn query_many_with_cache<Id: Into<Value>>(
        &self,
        many: impl Borrow<Many>,
        ids: impl IntoIterator<Item = Id>,
        ttl: impl Into<Ttl>,
    ) -> Result<Vec<Answer>> {
        let batch = self.prepare_many(many.borrow(), ids.into_iter().map(Into::into), ttl.into())?;
        let answers = self.fetch_batch(&batch).await;
        let of_place = |place: &usize| {
            let answer = answers.get(*place).cloned().unwrap_or(Err(Error::Shutdown))?;
            Ok(answer.with_rows(self.inner.rows))
        };
        batch.places.iter().map(of_place).collect()
    }

    /// Returns the entries of a batch. Refuses ids and statements that can't be cached.
    fn prepare_many(&self, many: &Many, ids: impl Iterator<Item = Value>, ttl: Ttl) -> Result<Batch> {
        let statement = many.statement()?;
        self.inner.executor()?;
        let placeholders = many.before.len() + 1 + many.after.len();
        let text = self.inner.texts.of(&many.single.sql);
        text.check(&many.single.sql, placeholders, many.single.trusted)?;
        self.inner.texts.of(&statement.sql).check(&statement.sql, placeholders, statement.trusted)?;
        let keyed = self.keyed(&many.single, &text);
        let call = Call { rows: true, ..self.call(ttl)? };

        // The call of ids that have nothing of their own, which most ids share.
        let plain = Arc::new(Call { types: Some(Arc::clone(&keyed.types)), ..call });
        let mut params = many.params(Value::Null);
        let mut asked = Vec::with_capacity(ids.size_hint().0);
        for id in ids {
            many.check_id(&id)?;
            if let Some(param) = params.get_mut(many.before.len()) {
                param.value = id.clone();
            }
            let key = self.inner.keys.key_of(&keyed.hash, &params)?;
            let call = self.call_of_one(many, &text, &plain, &key, &params)?;
            asked.push((id, Item { key, call }));
        }
        let places = places(asked.iter().map(name));
        let mut batch = Batch { places, items: Vec::new(), source: Queries::new(self, many, statement) };
        for ((id, item), place) in asked.into_iter().zip(&batch.places) {
            if *place == batch.items.len() {
                batch.items.push(item);
                batch.source.push(id);
            }
        }
        if let (Some(item), Some(what)) = (batch.items.first(), text.clock_once(&many.single.sql)) {
            self.inner.pipeline.events.emit(&Event::DependsOnClock { key: item.key.as_str(), what });
        }
        Ok(batch)
    }

    /// Returns the call of one id: the plain one, unless the id has a mark, tags or dependencies.
    fn call_of_one(
        &self,
        many: &Many,
        text: &Text,
        plain: &Arc<Call>,
        key: &Key,
        params: &Params,
    ) -> Result<Arc<Call>> {
        if plain.nested {
            scope::tags(self.tags_of_params(params));
        }
        let (tags, follows) = (self.tags_of(&many.single, params)?, self.follows(text, None, params));
        plain.note_types(key);
        if tags.is_empty() && follows.is_none() && *key.mark() == plain.mark {
            return Ok(Arc::clone(plain));
        }
        Ok(Arc::new(Call { mark: key.mark().clone(), tags, follows, ..(**plain).clone() }))
    }

    async fn fetch_batch(&self, batch: &Batch) -> Vec<Result<Answer>> {
        let pipeline = &self.inner.pipeline;
        if self.options.stale.is_zero() {
            return pipeline.fetch_many(&batch.items, &batch.source).await;
        }
        let looked = pipeline.look_at(&batch.items).await;
        if looked.is_whole() {
            return looked.answers();
        }
        let (misses, all_there) = pipeline.misses(looked, true);
        let (gather, owned, batch) = (Arc::clone(&misses.gather), Arc::clone(pipeline), batch.clone());
        // A task of its own can go on after stale copies were served.
        let mut task = Attempt::spawn(async move {
            owned.drive(&batch.items, misses, &batch.source).await;
            Ok(())
        });
        let ended = matches!(select(all_there, pin!(task.outcome())).await, Either::Right(_));
        task.goes_on = !ended;
        noted(gather.answers())
    }

    /// Reads the rows of one id. If they can't be read, they are asked for again, as for a single
    /// call.
    async fn decode_one<T: DeserializeOwned>(&self, batch: &Batch, place: usize, answer: Answer) -> Result<Option<T>> {
        let Some(Item { key, call }) = batch.items.get(place) else { return Err(Error::Shutdown) };
        let decode = |rows: &[u8]| of_one_id(rows, self.inner.rows);
        self.inner.pipeline.decoded(key, call, answer, decode, || batch.source.one(place)).await?
    }
}

/// Returns the name of an id's entry in its batch: ids of one name share an item.
fn name<'a>((id, Item { key, call }): &'a (Value, Item)) -> Cow<'a, str> {
    match key.bypass() {
        None => call.flight(key.as_str()),
        // Another id may have the same key.
        Some(_) => format!("{key} {id:?}").into(),
    }
}

/// The entries of one call.
#[derive(Clone)]
struct Batch {
    /// The item of each id: ids that are asked for twice share one.
    places: Vec<usize>,
    items: Vec<Item>,
    source: Queries,
}
