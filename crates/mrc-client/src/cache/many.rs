//! Many entries of one function, read at once.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cache, Spec};
use crate::call::Options;
use crate::client::Many;
use crate::compute::{Made, Run};
use crate::error::{Error, Result};
use crate::frame::{self, Frame};
use crate::inherited::StoreId;
use crate::pipeline::many::{Item, Source as BatchSource, places};
use crate::source::Source;
use mrc_store::lock;

impl Cache {
    /// Returns the values of many ids, from the cache or from one call of the function, which gets
    /// the missing ids and returns their values. Its errors aren't cached.
    ///
    /// Each id has its own entry: that of [`get_or_try`](Self::get_or_try) with the same spec, also
    /// an id without a value. Duplicate ids are asked for once. The function gets at most
    /// [`Many::MOST`] ids; for more it is called several times at once. What it does for its entry
    /// by [`scope`](crate::scope) counts for each entry of its call.
    ///
    /// # Errors
    /// Those of [`get_or_try`](Self::get_or_try), of the first id that has one.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use mrc_store::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mrc_client::Error> {
    /// use mrc_client::{Cache, Error, Spec};
    ///
    /// let cache = Cache::builder(MemoryStore::new()).namespace("shop").build()?;
    /// let spec = |id: &u64| Spec::of("price").param("id", id).ttl(60).tag(format!("product:{id}"));
    /// // One request for all missing ids.
    /// let of_missing = async |ids: Vec<u64>| {
    ///     Ok::<_, Error>(ids.into_iter().map(|id| (id, id as f64 * 1.5)).collect::<HashMap<_, _>>())
    /// };
    /// assert_eq!(cache.get_many([1, 2, 3], spec, of_missing).await?[&2], 3.0);
    /// # Ok(()) }
    /// ```
    pub async fn get_many<Id, T, E, F, Fut>(
        &self,
        ids: impl IntoIterator<Item = Id>,
        spec: impl Fn(&Id) -> Spec,
        function: F,
    ) -> Result<HashMap<Id, T>, E>
    where
        Id: Clone + Eq + Hash,
        T: Serialize + DeserializeOwned,
        E: From<Error> + fmt::Display,
        F: Fn(Vec<Id>) -> Fut,
        Fut: Future<Output = Result<HashMap<Id, T>, E>>,
    {
        let prepare = |id: Id| self.prepare(spec(&id)).map(|(key, call)| (id, Item { key, call: Arc::new(call) }));
        let asked = ids.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        let places = places(asked.iter().map(|(_, Item { key, .. })| key.as_str().into()));
        let (mut all, mut unique, mut items) = (Vec::with_capacity(asked.len()), Vec::new(), Vec::new());
        for ((id, item), place) in asked.into_iter().zip(places) {
            if place == items.len() {
                items.push(item);
                unique.push(id.clone());
            }
            all.push((id, place));
        }
        // The source has no part of the type `E`: a future with it could not be sent to a task.
        let (codec, own, ids, function) =
            (self.inner.config.codec, Mutex::new(Own { values: HashMap::new(), failed: None }), &unique, &function);
        let values = |places: Vec<usize>| {
            let own = &own;
            async move {
                let of_places = || places.iter().filter_map(|at| Some((*at, ids.get(*at)?)));
                match function(of_places().map(|(_, id)| id.clone()).collect()).await {
                    Ok(mut values) => {
                        let each = of_places().map(|(at, id)| (at, values.remove(id))).collect::<Vec<_>>();
                        let encoded = each.iter().map(|(_, value)| codec.encode(value)).collect();
                        lock(own).values.extend(each);
                        Ok(encoded)
                    }
                    Err(error) => {
                        let told = Error::function(error.to_string());
                        lock(own).failed = Some(error);
                        Err(told)
                    }
                }
            }
        };
        let keys = items.iter().map(|item| item.key.as_str().into()).collect();
        let pipeline = &self.inner.pipeline;
        let answers = pipeline.fetch_many(&items, &Functions { keys, values: &values }).await;

        let (mut found, mut again, mut past) = (HashMap::with_capacity(all.len()), Vec::new(), false);
        for (id, place) in all {
            let (Some(answer), Some(item)) = (answers.get(place), items.get(place)) else { continue };
            let alone = async { values(vec![place]).await?.pop().unwrap_or(Err(Error::Shutdown)) };
            let decode = |value: &[u8]| codec.decode::<Option<T>>(value);
            // A value that can't be read is computed alone, as for a single call.
            let read = async { pipeline.decoded(&item.key, &item.call, answer.clone()?, decode, || Run(alone)).await };
            let error = match read.await {
                Ok(value) => {
                    found.extend(value.map(|value| (id, value)));
                    continue;
                }
                Err(error) => error,
            };
            let Own { failed, values } = &mut *lock(&own);
            if let Some(own) = failed.take() {
                return Err(own);
            }
            match (error, values.remove(&place)) {
                // It can't be written, or read back: its caller gets it all the same.
                (Error::Encode(_) | Error::Decode { .. }, Some(value)) => {
                    found.extend(value.map(|value| (id, value)));
                    past = true;
                }
                // Another caller's function failed: ours may not.
                (Error::Function(_) | Error::Encode(_) | Error::Decode { .. }, _) => again.push(id),
                (error, _) => return Err(error.into()),
            }
        }
        for ids in again.chunks(Many::MOST) {
            let Some(Item { key, call }) = items.first() else { continue };
            let work = async { Ok(function(ids.to_vec()).await) };
            found.extend(pipeline.in_time(key.as_str(), call, call.ends(), work).await??);
            past = true;
        }
        if past {
            // Their tags are unknown: no entry that reads them is stored.
            frame::lose_tags();
            frame::answered(Source::Computed);
        }
        Ok(found)
    }

    /// Returns the same for functions without a deadline, which then limits waits for others alone.
    pub(crate) fn endless(&self) -> Self {
        self.with(Options { endless: true, ..self.options })
    }
}

/// The outcomes of a call's own function.
struct Own<T, E> {
    /// The value of each place, if the id has one.
    values: HashMap<usize, Option<T>>,
    failed: Option<E>,
}

/// A function of many ids, as the source of their entries.
struct Functions<F> {
    keys: Vec<Box<str>>,
    /// Returns the encoded values of the ids at these places.
    values: F,
}

impl<F, Fut> BatchSource for Functions<F>
where
    F: Fn(Vec<usize>) -> Fut,
    Fut: Future<Output = Result<Vec<Result<Bytes>>>>,
{
    const TAGS: bool = true;

    fn detached(&self, _: usize) -> Option<BoxFuture<'static, Result<Made>>> {
        None
    }

    fn most(&self) -> usize {
        Many::MOST
    }

    async fn read(&self, store: StoreId, places: &[usize]) -> Result<Vec<Result<Made>>> {
        let frame = Frame::new(store, places.iter().filter_map(|at| Some(&**self.keys.get(*at)?)));
        let values = frame.run((self.values)(places.to_vec())).await?;
        let said = frame.said();
        Ok(values.into_iter().map(|value| value.map(|value| Made { value, said: said.clone() })).collect())
    }
}
