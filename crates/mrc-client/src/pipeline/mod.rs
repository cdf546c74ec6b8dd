//! The one path from a key to its value, for queries, functions and macros.
//!
//! `fetch` reads top to bottom, and a hit ends on this page. Each step of a miss has its own file:
//!
//! | file | step |
//! |---|---|
//! | `miss` | the deadline, and the stale copy that replaces a failure |
//! | `lead` | one caller of the process leads and claims the key, the others follow, or bypass the cache |
//! | `fill` | computes the value, and stores it under the claim |
//! | `refresh`, `schedule` | recomputes a value in use before it expires |
//! | `plain` | reads or stores a value without a computation; removes a value that isn't the call's |
//! | `function` | runs a caller's function through all of this |
//! | `many`, `gather` | a batch: the steps of many entries, whose commands are sent at once |
//! | `flight`, `claim`, `check` | the tools: one leader a process, one filler a fleet, the check of a found value |

mod check;
pub(crate) mod claim;
mod fill;
pub(crate) mod flight;
pub(crate) mod function;
pub(crate) mod gather;
mod lead;
pub(crate) mod many;
pub(crate) mod miss;
mod plain;
mod refresh;
mod schedule;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key};
use mrc_store::{ClaimMode, Found, StoreError};
use tokio::time::{Instant, timeout_at};

use self::check::{Wrong, WrongTypes};
use self::claim::{Asks, Claims};
use self::flight::{Flights, Without};
use self::gather::Way;
use self::schedule::Schedule;
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::Compute;
use crate::error::Result;
use crate::events::Events;
use crate::follow::Follow;
use crate::frame;
use crate::inherited::Carried;
use crate::mode::Mode;
use crate::store::Store;

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) store: Store,
    claims: Claims,
    flights: Flights,
    schedule: Schedule,
    wrong_types: WrongTypes,
    pub(crate) events: Arc<Events>,
    /// Whether a follower keeps entries right, and how long they live while none runs.
    pub(crate) follow: Option<Arc<Follow>>,
    /// The largest value that is stored or taken, in bytes.
    max_value: usize,
}

impl Pipeline {
    pub(crate) fn new(
        store: Store,
        claims: Claims,
        events: Arc<Events>,
        max_value: usize,
        follow: Option<Arc<Follow>>,
        without: Without,
    ) -> Arc<Self> {
        let (flights, schedule) = (Flights::new(without), Schedule::new());
        Arc::new(Self { store, claims, flights, schedule, wrong_types: WrongTypes::new(), events, follow, max_value })
    }

    /// Returns the value of `key`, from the cache or computed by one caller for all, and stored.
    pub(crate) async fn fetch<C: Compute>(self: &Arc<Self>, key: &Key, call: &Call, compute: C) -> Result<Answer> {
        if key.bypass().is_some() || call.nested || call.mode != Mode::Normal {
            let outcome = Box::pin(self.fetch_in_scope(key, call, compute)).await;
            inherit(call, &outcome);
            return outcome.map(Answer::noted);
        }
        let key = key.as_str();
        // The one await of a hit. All other futures here are boxed: the compiler nests the futures
        // of a call chain, so cached functions that call each other would need a large stack.
        let looked = match self.store.shared().patience() {
            // The store's own time-out ends this look: a second timer costs more than the check.
            patience if patience <= call.options.deadline => self.store.get(key).await,
            // Half of the time is left for the database.
            _ => in_time_of_store(call.began + call.options.deadline / 2, self.store.shared().get(key)).await,
        };
        let missed = match looked.map(|found| found.map(|found| self.value_of(found, call))) {
            Ok(Some(Ok(value))) => {
                let answer = Answer::cached(value);
                self.hit(key, &answer, call.began);
                if self.is_refresh_due(key, call) {
                    return Ok(Box::pin(self.refresh(key, call, answer, compute)).await.noted());
                }
                return Ok(answer.noted());
            }
            Ok(Some(Err(wrong))) => Ok(Some(wrong)),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        Box::pin(self.miss(key, call, missed, compute)).await.map(Answer::noted)
    }

    /// Does the same for a nested call, which also wants the entry's tags, and for a call whose
    /// mode or key rules out a part of the cache.
    async fn fetch_in_scope<C: Compute>(self: &Arc<Self>, key: &Key, call: &Call, compute: C) -> Result<Answer> {
        let name = key.as_str();
        if let Some(ambiguity) = key.bypass() {
            return self.only_compute(name, call, Bypass::Ambiguous(ambiguity), compute).await;
        }
        // A function that calls itself with the same arguments would wait for itself.
        let reentrant = call.nested && frame::is_computing(self.store.id(), name);
        match call.mode {
            Mode::Off => return self.only_compute(name, call, Bypass::Mode, compute).await,
            Mode::Refresh if reentrant => return self.only_compute(name, call, Bypass::Reentrant, compute).await,
            Mode::Refresh => {
                let computed = Box::pin(self.compute_in_place(name, call, compute));
                return self.in_time(name, call, call.ends(), computed).await;
            }
            Mode::Normal | Mode::ReadOnly | Mode::Peek => {}
        }
        let looked = in_time_of_store(call.began + call.options.deadline / 2, self.look(name, call)).await;
        match (looked, call.mode) {
            (Ok(Some(answer)), mode) => {
                self.hit(name, &answer, call.began);
                if mode == Mode::Normal && self.is_refresh_due(name, call) {
                    return Ok(Box::pin(self.refresh(name, call, answer, compute)).await);
                }
                Ok(answer)
            }
            (_, Mode::Normal) if reentrant => self.only_compute(name, call, Bypass::Reentrant, compute).await,
            (looked, Mode::Normal) => Box::pin(self.miss(name, call, looked.map(|_| None), compute)).await,
            (Err(error), _) => {
                self.store_failed(name, call, "get", error)?;
                self.only_compute(name, call, Bypass::Mode, compute).await
            }
            (Ok(None), _) => self.only_compute(name, call, Bypass::Mode, compute).await,
        }
    }

    /// Returns the terms of the call's claim. `tags`: the computation may tag its entry.
    ///
    /// Before a claim the follower has to know the dependencies of the call's answer.
    async fn asks(&self, key: &str, call: &Call, mode: ClaimMode, tags: bool) -> Asks {
        if let Some(follows) = &call.follows {
            Box::pin(follows.ready(key, self.store.id())).await;
        }
        Asks { mode, copy: call.has_copy(), tags: tags || !call.tags.is_empty() || call.follows.is_some() }
    }

    /// Returns the tags that the entry has before its computation adds some.
    async fn tags_of(&self, key: &str, call: &Call) -> Carried {
        let mut tags = Carried::of(call.tags.iter().cloned());
        if let Some(follows) = &call.follows {
            tags.add(&Box::pin(follows.tags(key, self.store.id())).await);
        }
        tags
    }

    fn way(&self, call: &Call) -> Way {
        match &call.batch {
            Some(batch) => Way::Together(Arc::clone(&batch.gather)),
            None => Way::Alone(Arc::clone(self.store.shared())),
        }
    }

    fn hit(&self, key: &str, answer: &Answer, began: Instant) {
        self.events.emit(&Event::Hit { key, bytes: answer.as_bytes().len(), took: began.elapsed() });
    }

    /// Returns the cached value, with tags for a nested call. Removes a value that isn't this
    /// call's.
    async fn look(&self, key: &str, call: &Call) -> Result<Option<Answer>, StoreError> {
        let found = if call.nested {
            self.store.shared().look(key).await?.map(|found| self.found(found, call, Answer::cached))
        } else {
            self.store.shared().get(key).await?.map(|found| self.value_of(found, call).map(Answer::cached))
        };
        match found.transpose() {
            Ok(answer) => Ok(answer),
            Err(wrong) => {
                self.reject(key, call.mode, &wrong).await?;
                Ok(None)
            }
        }
    }

    fn found(&self, found: Found, call: &Call, answer: impl FnOnce(Bytes) -> Answer) -> Result<Answer, Wrong> {
        let value = self.value_of(found.value, call)?;
        Ok(answer(value).tagged(Carried::found(self.store.id(), found.tags)))
    }

    fn value_of(&self, found: Bytes, call: &Call) -> Result<Bytes, Wrong> {
        check::value_of(found, call, self.max_value)
    }
}

/// Every tag of an entry that a function reads must invalidate the function's entry too.
fn inherit(call: &Call, outcome: &Result<Answer>) {
    match outcome {
        Ok(answer) => frame::inherit(answer.tags()),
        Err(_) => frame::inherit(Some(&call.tags_of_failure())),
    }
}

/// Limits the time of a look at a store that may take longer than the call.
async fn in_time_of_store<T>(
    ends: Instant,
    look: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let limit = ends.saturating_duration_since(Instant::now());
    timeout_at(ends, look).await.unwrap_or(Err(StoreError::Timeout(limit)))
}
