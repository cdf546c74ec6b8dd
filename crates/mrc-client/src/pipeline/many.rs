//! A batch: one look at the store for all entries, then the path of a single call for each miss.
//!
//! The misses run side by side in one task. Whenever none of them can go on, their claims are sent
//! at once, their fills too, and one read of the source returns the values of all that lead.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use mrc_core::Key;
use mrc_store::StoreError;
use quick_cache::DefaultHashBuilder;
use tokio::sync::oneshot;
use tokio::task::unconstrained;

use super::check::Wrong;
use super::gather::{AskedRead, Gather};
use super::{Pipeline, in_time_of_store};
use crate::answer::Answer;
use crate::call::{Call, InBatch};
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::frame;
use crate::inherited::StoreId;
use crate::mode::Mode;

/// The source of a batch's values.
pub(crate) trait Source {
    /// Whether the computation may tag its entries while it runs.
    const TAGS: bool;

    /// Returns the computation of one value, for a task that outlives the batch. Returns `None` if
    /// it borrows from the batch's caller.
    fn detached(&self, at: usize) -> Option<BoxFuture<'static, Result<Made>>>;

    /// Returns the largest number of values of one read, at least 1.
    fn most(&self) -> usize;

    /// Reads the values at these places, and returns them in this order. Each may have its own
    /// failure.
    fn read(&self, store: StoreId, places: &[usize]) -> impl Future<Output = Result<Vec<Result<Made>>>>;
}

/// An entry of a batch. Others of the batch may have its key, if their params have other types.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) key: Key,
    pub(crate) call: Arc<Call>,
}

/// Returns the place of each entry among those with different names.
pub(crate) fn places<'a>(names: impl ExactSizeIterator<Item = Cow<'a, str>>) -> Vec<usize> {
    let mut known = HashMap::with_capacity_and_hasher(names.len(), DefaultHashBuilder::default());
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        let next = known.len();
        places.push(*known.entry(name).or_insert(next));
    }
    places
}

/// The hits of a batch, and the steps of the entries that have no answer yet.
pub(crate) struct Looked {
    answers: Vec<Option<Result<Answer>>>,
    steps: Vec<(usize, Step)>,
}

/// The step of an entry without an answer.
enum Step {
    Miss(Result<Option<Wrong>, StoreError>),
    /// Returns the hit, and may have it recomputed.
    Refresh(Answer),
    /// Takes the whole path of a nested call, or of one with a mode.
    Whole,
}

/// The entries of a batch that have no answer yet.
pub(crate) struct Misses {
    pub(crate) gather: Arc<Gather>,
    steps: Vec<(usize, Step)>,
}

impl Pipeline {
    /// Returns the value of each item, like [`fetch`](Self::fetch), in their order.
    pub(crate) async fn fetch_many<S: Source>(self: &Arc<Self>, items: &[Item], source: &S) -> Vec<Result<Answer>> {
        let looked = self.look_at(items).await;
        if looked.is_whole() {
            return looked.answers();
        }
        let (misses, _) = self.misses(looked, false);
        let gather = Arc::clone(&misses.gather);
        Box::pin(self.drive(items, misses, source)).await;
        noted(gather.answers())
    }

    /// Looks at the store once for all items.
    pub(crate) async fn look_at(self: &Arc<Self>, items: &[Item]) -> Looked {
        let mut looked = Looked { answers: vec![None; items.len()], steps: Vec::new() };
        let (mut places, mut keys) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for (at, Item { key, call }) in items.iter().enumerate() {
            if key.bypass().is_some() || call.nested || call.mode != Mode::Normal {
                looked.steps.push((at, Step::Whole));
            } else {
                places.push((at, call));
                keys.push(key.as_str());
            }
        }
        let found = match places.first() {
            Some((_, call)) => self.get_many(&keys, call).await,
            None => Vec::new(),
        };
        for (((at, call), key), found) in places.into_iter().zip(keys).zip(found) {
            let step = match found.map(|found| found.map(|found| self.value_of(found, call))) {
                Ok(Some(Ok(value))) => {
                    let answer = Answer::cached(value);
                    self.hit(key, &answer, call.began);
                    if !self.is_refresh_due(key, call) {
                        if let Some(place) = looked.answers.get_mut(at) {
                            *place = Some(Ok(answer));
                        }
                        continue;
                    }
                    Step::Refresh(answer)
                }
                Ok(Some(Err(wrong))) => Step::Miss(Ok(Some(wrong))),
                Ok(None) => Step::Miss(Ok(None)),
                Err(error) => Step::Miss(Err(error)),
            };
            looked.steps.push((at, step));
        }
        looked
    }

    async fn get_many(&self, keys: &[&str], call: &Call) -> Vec<Result<Option<Bytes>, StoreError>> {
        let store = self.store.shared();
        if store.patience() <= call.options.deadline {
            return store.get_many(keys).await;
        }
        let look = async { Ok(store.get_many(keys).await) };
        match in_time_of_store(call.began + call.options.deadline / 2, look).await {
            Ok(found) => found,
            Err(_) => keys.iter().map(|_| Err(StoreError::Timeout(call.options.deadline / 2))).collect(),
        }
    }

    /// Returns the misses of a batch, and the sign that each entry has its answer. `goes_on`:
    /// whether they are driven after that.
    pub(crate) fn misses(&self, looked: Looked, goes_on: bool) -> (Misses, oneshot::Receiver<()>) {
        let (gather, all_there) = Gather::new(self.store.shared(), looked.answers, goes_on);
        (Misses { gather, steps: looked.steps }, all_there)
    }

    /// Drives the misses until each has ended.
    pub(crate) async fn drive<S: Source>(self: &Arc<Self>, items: &[Item], misses: Misses, source: &S) {
        let Misses { gather, steps } = misses;
        let gather = &gather;
        let with_items = steps.into_iter().filter_map(|(at, step)| Some((at, step, items.get(at)?)));
        let mut entries: FuturesUnordered<_> =
            with_items.map(|(at, step, item)| self.entry(gather, at, item, step, source)).collect();
        let mut sent = FuturesUnordered::new();
        let work = poll_fn(|cx| {
            loop {
                while let Poll::Ready(Some(())) = entries.poll_next_unpin(cx) {}
                if entries.is_empty() {
                    return Poll::Ready(());
                }
                // No entry can go on: send what all of them wait for.
                let queue = gather.take();
                let idle = queue.claims.is_empty() && queue.fills.is_empty() && queue.reads.is_empty();
                if !queue.claims.is_empty() {
                    sent.push(gather.claim(queue.claims).left_future().left_future());
                }
                if !queue.fills.is_empty() {
                    sent.push(gather.fill(queue.fills).right_future().left_future());
                }
                let mut reads = queue.reads;
                while !reads.is_empty() {
                    let later = reads.split_off(source.most().clamp(1, reads.len()));
                    sent.push(read(self.store.id(), source, reads).right_future());
                    reads = later;
                }
                match sent.poll_next_unpin(cx) {
                    Poll::Ready(Some(())) => {}
                    _ if idle => return Poll::Pending,
                    _ => {}
                }
            }
        });
        // Tokio's budget would stop a part of the entries, and split what is sent.
        unconstrained(work).await;
    }

    async fn entry<S: Source>(self: &Arc<Self>, gather: &Arc<Gather>, at: usize, item: &Item, step: Step, source: &S) {
        let key = item.key.as_str();
        let call = &Call { batch: Some(InBatch { gather: Arc::clone(gather), at }), ..(*item.call).clone() };
        let compute = Gathered { gather, at, source };
        let outcome = match step {
            Step::Miss(looked) => self.miss(key, call, looked, compute).await,
            Step::Refresh(answer) => Ok(self.refresh(key, call, answer, compute).await),
            Step::Whole => self.fetch_in_scope(&item.key, call, compute).await,
        };
        if outcome.is_err() {
            frame::inherit(Some(&call.tags_of_failure()));
        }
        gather.answer(at, outcome);
    }
}

impl Looked {
    /// Returns whether each entry has its answer.
    pub(crate) fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn answers(self) -> Vec<Result<Answer>> {
        noted(self.answers.into_iter().map(|answer| answer.unwrap_or(Err(Error::Shutdown))).collect())
    }
}

async fn read<S: Source>(store: StoreId, source: &S, asked: Vec<AskedRead>) {
    let places: Vec<usize> = asked.iter().map(|(at, _)| *at).collect();
    let values = source.read(store, &places).await.unwrap_or_else(|error| vec![Err(error); places.len()]);
    for ((_, reply), made) in asked.into_iter().zip(values) {
        // An entry whose deadline has passed needs no value.
        let _ = reply.send(made);
    }
}

/// Returns the answers of a batch to its own caller, whose entry inherits their tags.
pub(crate) fn noted(answers: Vec<Result<Answer>>) -> Vec<Result<Answer>> {
    answers.iter().flatten().for_each(|answer| frame::inherit(answer.tags()));
    if let Some(last) = answers.iter().flatten().last() {
        frame::answered(last.source());
    }
    answers
}

/// A value that is read with others of its batch.
struct Gathered<'a, S> {
    gather: &'a Arc<Gather>,
    at: usize,
    source: &'a S,
}

impl<S: Source> Compute for Gathered<'_, S> {
    const TAGS: bool = S::TAGS;

    async fn run(self, _: StoreId, _: &str) -> Result<Made> {
        self.gather.read(self.at).await
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        self.source.detached(self.at)
    }
}
