//! Many entries of one function, read at once.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cache, Spec};
use crate::answer::Answer;
use crate::client::Many;
use crate::codec::Codec;
use crate::compute::{Made, Run};
use crate::error::Error;
use crate::frame::{self, Frame};
use crate::inherited::StoreId;
use crate::pipeline::many::{Item, Source as BatchSource};
use crate::source::Source;

impl Cache {
    /// Returns the values of many ids, from the cache or from one call of the function, which gets
    /// the missing ids and returns their values. Its errors aren't cached.
    ///
    /// Each id has its own entry, whose key and tags `spec` makes. It is the entry of
    /// [`get_or_try`](Self::get_or_try) with the same spec and value. An id without a value is an
    /// entry too: the function isn't asked for it again. Duplicate ids are asked for once. The
    /// function gets at most [`Many::MOST`] ids; for more it is called several times at once. What
    /// it does for its entry by [`scope`](crate::scope) counts for each entry of its call.
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
    /// let prices: HashMap<u64, f64> = cache
    ///     .get_many([1, 2, 3], spec, |ids| async move {
    ///         // One request for all missing ids.
    ///         Ok::<_, Error>(ids.into_iter().map(|id| (id, id as f64 * 1.5)).collect())
    ///     })
    ///     .await?;
    /// assert_eq!(prices[&2], 3.0);
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
        let (mut unique, mut items, mut known) = (Vec::new(), Vec::new(), HashMap::new());
        for id in ids {
            let (key, call) = self.prepare(spec(&id))?;
            if known.insert(key.as_str().to_owned(), ()).is_none() {
                items.push(Item { key, call: Arc::new(call) });
                unique.push(id);
            }
        }
        // The source has no part of the type `E`: a future with it could not be sent to a task.
        let (codec, failed, ids, function) = (self.inner.config.codec, Mutex::new(None), &unique, &function);
        let values = |places: Vec<usize>| {
            let failed = &failed;
            async move {
                let asked: Vec<Id> = places.into_iter().filter_map(|at| ids.get(at)).cloned().collect();
                match function(asked.clone()).await {
                    Ok(values) => encoded(codec, &asked, &values),
                    Err(error) => {
                        let told = Error::function(error.to_string());
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        Err(told)
                    }
                }
            }
        };
        let keys = items.iter().map(|item| item.key.as_str().into()).collect();
        let answers = self.inner.pipeline.fetch_many(&items, &Functions { keys, values: &values }).await;

        let (mut found, mut again) = (HashMap::with_capacity(answers.len()), Vec::new());
        for (at, answer) in answers.into_iter().enumerate() {
            let (Some(id), Some(item)) = (ids.get(at), items.get(at)) else { continue };
            let alone = async { values(vec![at]).await?.pop().ok_or(Error::Shutdown) };
            match self.decode_one(item, answer, alone).await {
                Ok(value) => found.extend(value.map(|value| (id.clone(), value))),
                Err(error) => match (failed.lock().unwrap_or_else(PoisonError::into_inner).take(), error) {
                    (Some(own), _) => return Err(own),
                    // Another caller's function failed: ours may not.
                    (None, Error::Function(_)) => again.push(id.clone()),
                    (None, error) => return Err(error.into()),
                },
            }
        }
        if let (Some(item), false) = (items.first(), again.is_empty()) {
            let work = async { Ok(function(again).await) };
            found.extend(self.inner.pipeline.in_time(item.key.as_str(), &item.call, item.call.ends(), work).await??);
            // Their tags are unknown: no entry that reads them is stored.
            frame::lose_tags();
            frame::answered(Source::Computed);
        }
        Ok(found)
    }

    /// Reads the value of one id. If it can't be read, it is computed alone, as for a single call.
    async fn decode_one<T: DeserializeOwned>(
        &self,
        item: &Item,
        answer: Result<Answer, Error>,
        alone: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Option<T>, Error> {
        let (answer, codec) = (answer?, self.inner.config.codec);
        match codec.decode(answer.as_bytes()) {
            Err(unfit) if answer.source() != Source::Computed => {
                let instead = self.inner.pipeline.instead(&item.key, &item.call, &unfit, Run(alone));
                Ok(codec.decode(Box::pin(instead).await?.noted().as_bytes())?)
            }
            decoded => Ok(decoded?),
        }
    }
}

/// Returns the encoded value of each id: `null` for an id without one.
fn encoded<Id: Eq + Hash, T: Serialize>(
    codec: Codec,
    ids: &[Id],
    values: &HashMap<Id, T>,
) -> Result<Vec<Bytes>, Error> {
    let encode = |id| match values.get(id) {
        Some(value) => codec.encode(value),
        None => codec.encode(&None::<T>),
    };
    ids.iter().map(encode).collect()
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
    Fut: Future<Output = Result<Vec<Bytes>, Error>>,
{
    const TAGS: bool = true;

    fn detached(&self, _: usize) -> Option<BoxFuture<'static, Result<Made, Error>>> {
        None
    }

    fn most(&self) -> usize {
        Many::MOST
    }

    async fn read(&self, store: StoreId, places: &[usize]) -> Result<Vec<Made>, Error> {
        let frame = Frame::new(store, places.iter().filter_map(|at| Some(&**self.keys.get(*at)?)));
        let values = frame.run((self.values)(places.to_vec())).await?;
        let said = frame.said();
        Ok(values.into_iter().map(|value| Made { value, said: said.clone() }).collect())
    }
}
