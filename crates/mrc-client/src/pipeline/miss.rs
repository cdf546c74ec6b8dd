//! A miss: its deadline, and the stale copy for a computation that fails or takes too long.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::Event;
use mrc_store::StoreError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use tracing::field::Empty;

use super::Pipeline;
use super::check::Wrong;
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Detached};
use crate::error::{Error, Result};
use crate::frame;

/// The longest time that a deadline reserves for a look at the stale copy.
const RESERVE: Duration = Duration::from_millis(500);

impl Pipeline {
    /// Computes a missing or wrong value, or returns the stale copy. Runs in a span of its own.
    pub(super) async fn miss<C: Compute>(
        self: &Arc<Self>,
        key: &str,
        call: &Call,
        looked: Result<Option<Wrong>, StoreError>,
        compute: C,
    ) -> Result<Answer> {
        let span = tracing::debug_span!(target: "mrc", "miss", mrc.outcome = Empty);
        let outcome = Box::pin(self.computed_or_stale(key, call, looked, compute)).instrument(span.clone()).await;
        span.record("mrc.outcome", outcome.as_ref().map_or("failed", |answer| answer.source().name()));
        outcome
    }

    async fn computed_or_stale<C: Compute>(
        self: &Arc<Self>,
        key: &str,
        call: &Call,
        looked: Result<Option<Wrong>, StoreError>,
        compute: C,
    ) -> Result<Answer> {
        let ends = call.ends();
        let looked = match looked {
            Ok(None) => Ok(()),
            Ok(Some(wrong)) => {
                let gone = timeout_at(ends, self.reject(key, call.mode, &wrong)).await;
                gone.unwrap_or(Err(StoreError::Timeout(call.options.deadline)))
            }
            Err(error) => Err(error),
        };
        // Without the cache there are no stale copies either.
        if !call.has_copy() || looked.is_err() {
            return self.in_time(key, call, ends, Box::pin(self.attempt(key, call, looked, compute))).await;
        }
        let early = ends - RESERVE.min(call.options.deadline / 4);
        let why = format!("no answer within {:?}", call.options.stale_after);
        // `stale_after` counts from the flight's start: the database had that time.
        let good_enough = || self.flights.began(&call.flight(key)).unwrap_or(call.began) + call.options.stale_after;
        let detached = if call.batch.is_none() { compute.detached() } else { None };
        let outcome = match detached {
            None if call.batch.as_ref().is_some_and(|batch| batch.gather.goes_on) => {
                let mut attempt = pin!(self.in_time(key, call, ends, self.attempt(key, call, looked, compute)));
                match timeout_at(good_enough(), &mut attempt).await {
                    Ok(outcome) => outcome,
                    Err(_) => match (self.stale(key, call, &why).await, &call.batch) {
                        (Some(stale), Some(batch)) => {
                            // The caller has its answer. The call itself goes on.
                            batch.gather.answer(batch.at, Ok(stale));
                            return attempt.await;
                        }
                        _ => self.in_time(key, call, early, attempt).await,
                    },
                }
            }
            None => self.in_time(key, call, early, Box::pin(self.attempt(key, call, looked, compute))).await,
            Some(compute) => {
                let compute = Detached(compute);
                let (pipeline, name, owned) = (Arc::clone(self), key.to_owned(), call.clone());
                // A task of its own can go on after the stale copy was served.
                let mut task = Attempt::spawn(async move {
                    let attempt = pipeline.attempt(&name, &owned, looked, compute);
                    pipeline.in_time(&name, &owned, ends, attempt).await
                });
                match timeout_at(good_enough(), task.outcome()).await {
                    Ok(outcome) => outcome,
                    Err(_) => match self.stale(key, call, &why).await {
                        Some(stale) => {
                            // A leader goes on and fills the entry. A follower needn't.
                            task.goes_on = !self.flights.is_led_by_another(&call.flight(key), task.handle.id());
                            return Ok(stale);
                        }
                        None => self.in_time(key, call, early, task.outcome()).await,
                    },
                }
            }
        };
        match outcome {
            Err(error) if error.may_pass() => self.stale(key, call, &error.to_string()).await.ok_or(error),
            outcome => outcome,
        }
    }

    /// Returns the outcome of `work`, or an error at the deadline. An endless call has none.
    pub(crate) async fn in_time<T>(
        &self,
        key: &str,
        call: &Call,
        ends: Instant,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if call.options.endless {
            return work.await;
        }
        timeout_at(ends, work).await.unwrap_or_else(|_| {
            let limit = call.options.deadline;
            self.events.emit(&Event::DeadlinePassed { key, limit });
            Err(Error::Deadline { limit })
        })
    }

    /// Returns the last value that was not invalidated. Returns `None` if there is no copy, or a
    /// wrong one, which stays until a fill replaces it.
    async fn stale(&self, key: &str, call: &Call, error: &str) -> Option<Answer> {
        let copy = timeout_at(call.ends(), self.store.shared().stale(key)).await;
        match self.found(copy.ok()?.ok()??, call, Answer::stale) {
            Ok(answer) => {
                self.events.emit(&Event::Stale { key, error });
                Some(answer)
            }
            Err(Wrong::OtherTypes) => None,
            Err(wrong) => {
                self.events.emit(&Event::BadValue { key, error: &wrong.to_string() });
                None
            }
        }
    }
}

/// A task that ends with its caller, unless `goes_on` is set.
pub(crate) struct Attempt<T> {
    handle: JoinHandle<Result<T>>,
    pub(crate) goes_on: bool,
}

impl<T: Send + 'static> Attempt<T> {
    pub(crate) fn spawn(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self { handle: tokio::spawn(frame::carried(work.in_current_span())), goes_on: false }
    }

    pub(crate) async fn outcome(&mut self) -> Result<T> {
        match (&mut self.handle).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                // The caller panics as if it had computed the value itself.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Shutdown),
            },
        }
    }
}

impl<T> Drop for Attempt<T> {
    fn drop(&mut self) {
        if !self.goes_on {
            self.handle.abort();
        }
    }
}
