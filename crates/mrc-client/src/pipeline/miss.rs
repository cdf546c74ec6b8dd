//! A miss: one caller of this process leads, claims the key and computes; the others follow. It has
//! a deadline, and the stale copy for a computation that fails or takes too long.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::{Bypass, Event};
use mrc_store::{ClaimMode, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use tracing::field::Empty;

use super::Pipeline;
use super::check::Wrong;
use super::claim::{Asks, Waited};
use super::flight::{FLIGHTS, Follower, Leader, Seat};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Detached};
use crate::error::{Error, Result};
use crate::scope;
use crate::settings::OnError;

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

    /// Joins flights until one has an outcome for this caller. `looked`: the first look's outcome.
    pub(super) async fn attempt<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        mut looked: Result<(), StoreError>,
        compute: C,
    ) -> Result<Answer> {
        for _ in 0..FLIGHTS {
            if let Err(error) = looked {
                if call.options.on_error == OnError::Fail {
                    return Err(error.into());
                }
                let error = error.to_string();
                let why = Bypass::StoreFailed { command: "get", error: &error };
                return self.bypass_together(key, call, &why, compute).await;
            }
            match self.flights.join(&call.flight(key), call.options.deadline) {
                Seat::Leader(leader) => return Box::pin(self.lead(key, call, leader, compute)).await,
                Seat::Follower(follower) => {
                    if let Some(outcome) = self.follow(key, call, follower).await {
                        return outcome.map(Answer::followed);
                    }
                }
            }
            // The leader's value wasn't for this caller, but the cache may have a newer one.
            looked = match self.look(key, call).await {
                Ok(Some(answer)) => {
                    self.hit(key, &answer, call.began);
                    return Ok(answer);
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.bypass_together(key, call, &Bypass::WaitedTooLong, compute).await
    }

    /// Claims the key, computes its value, fills the entry, and hands the value to the followers.
    async fn lead<C: Compute>(&self, key: &str, call: &Call, leader: Leader<'_>, compute: C) -> Result<Answer> {
        let asks = self.asks(key, call, ClaimMode::Fill, C::TAGS).await;
        // A claim may return a value, so each try counts as a read for the followers.
        let read = || leader.begin_read();
        let claim = match self.claim(key, call, &asks, read).await {
            Waited::Hit { value, waited } => {
                self.events.emit(&Event::Followed { key, waited });
                return self.lead_to_hit(key, call, value, leader, compute).await;
            }
            Waited::Granted(claim) => claim,
            Waited::TooLong => {
                self.events.emit(&Event::Bypassed { key, why: Bypass::WaitedTooLong });
                return self.compute_for_followers(key, call, leader, compute).await;
            }
            Waited::Failed(error) => {
                self.store_failed(key, call, "claim", error)?;
                return self.compute_for_followers(key, call, leader, compute).await;
            }
        };
        self.events.emit(&Event::Miss { key });

        leader.begin_read();
        let outcome = self.computed(key, call, compute).await;
        // Close before the fill: a later caller may follow an invalidation that the fill misses.
        leader.close();
        let (outcome, accepted) = self.settle(key, call, claim, outcome).await;
        leader.land(outcome.clone(), accepted);
        outcome
    }

    /// Claims the key, or waits for another process's value. Removes a value that isn't this
    /// call's, and claims the key once more.
    async fn claim(&self, key: &str, call: &Call, asks: &Asks, looks: impl Fn()) -> Waited {
        for attempts_left in [1, 0] {
            let wrong = match self.claims.claim(&self.way(call), key, asks, &looks).await {
                Waited::Hit { value, waited } => match self.value_of(value, call) {
                    Ok(value) => return Waited::Hit { value, waited },
                    Err(wrong) => wrong,
                },
                other => return other,
            };
            match self.reject(key, call.mode, &wrong).await {
                Ok(()) if attempts_left > 0 => {}
                Ok(()) => break,
                Err(error) => return Waited::Failed(error),
            }
        }
        Waited::TooLong
    }

    /// Hands the value that another process filled to the followers as well.
    async fn lead_to_hit<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        value: Bytes,
        leader: Leader<'_>,
        compute: C,
    ) -> Result<Answer> {
        let mut answer = Some(Answer::cached(value));
        if call.nested {
            // The answer to a claim has no tags, so a second look fetches them.
            leader.begin_read();
            answer = self.look(key, call).await.ok().flatten();
        }
        let Some(answer) = answer else { return self.compute_for_followers(key, call, leader, compute).await };
        // Not a fill of ours: only followers that joined before this read may take the value.
        leader.land(Ok(answer.clone()), false);
        Ok(answer.followed())
    }

    /// Waits for another caller's flight. Returns `None` if its outcome isn't for us, or is late.
    pub(super) async fn follow(&self, key: &str, call: &Call, follower: Follower) -> Option<Result<Answer>> {
        let began = Instant::now();
        let outcome = call.wait(follower.outcome()).await??;
        if let Ok(answer) = &outcome
            // A nested caller needs the entry's tags.
            && (call.accepts(answer.as_bytes()).is_err() || (call.nested && answer.tags().is_none()))
        {
            return None;
        }
        self.events.emit(&Event::Followed { key, waited: began.elapsed() });
        Some(outcome)
    }
}

/// A task that ends with its caller, unless `goes_on` is set.
pub(crate) struct Attempt<T> {
    handle: JoinHandle<Result<T>>,
    pub(crate) goes_on: bool,
}

impl<T: Send + 'static> Attempt<T> {
    pub(crate) fn spawn(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self { handle: tokio::spawn(scope::carried(work.in_current_span())), goes_on: false }
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
