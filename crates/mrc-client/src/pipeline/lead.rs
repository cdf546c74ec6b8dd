//! One caller of this process leads, claims the key and computes; the others follow. Both may
//! bypass the cache.

use bytes::Bytes;
use mrc_core::{Bypass, Event};
use mrc_store::{ClaimMode, StoreError};
use tokio::time::Instant;

use super::Pipeline;
use super::claim::{Asks, Waited};
use super::flight::{FLIGHTS, Follower, Leader, Seat};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::mode::Mode;
use crate::settings::OnError;

impl Pipeline {
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

    /// Bypasses the cache within the call's deadline. In [`Mode::ReadOnly`] nothing is computed.
    pub(super) async fn only_compute<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: Bypass<'_>,
        compute: C,
    ) -> Result<Answer> {
        if call.mode == Mode::ReadOnly {
            return Err(Error::Missed { key: key.to_owned() });
        }
        self.in_time(key, call, call.ends(), self.bypass(key, call, &why, compute)).await
    }

    /// Computes the value without the cache, for this caller alone.
    pub(super) async fn bypass<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: &Bypass<'_>,
        compute: C,
    ) -> Result<Answer> {
        self.events.emit(&Event::Bypassed { key, why: why.clone() });
        self.computed(key, call, compute).await.map(Made::unstored)
    }

    /// Computes the value without the cache. Of the callers of this process that bypass it for the
    /// same key, one leads, and the others take its value.
    pub(super) async fn bypass_together<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: &Bypass<'_>,
        compute: C,
    ) -> Result<Answer> {
        for _ in 0..FLIGHTS {
            match self.flights.join(&call.flight(key), call.options.deadline) {
                Seat::Leader(leader) => {
                    self.events.emit(&Event::Bypassed { key, why: why.clone() });
                    return self.compute_for_followers(key, call, leader, compute).await;
                }
                Seat::Follower(follower) => {
                    // The leader may have hit the cache, which this caller bypasses: try again.
                    let outcome = self.follow(key, call, follower).await;
                    if let Some(outcome) = outcome.filter(|outcome| !outcome.as_ref().is_ok_and(Answer::is_hit)) {
                        return outcome.map(Answer::followed);
                    }
                }
            }
        }
        self.bypass(key, call, why, compute).await
    }

    /// Computes the value without the cache, for this caller and those that joined before the
    /// computation began. Later callers wait for the next flight: no store says whether this value
    /// is invalidated.
    pub(super) async fn compute_for_followers<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        mut leader: Leader<'_>,
        compute: C,
    ) -> Result<Answer> {
        let _ = call.wait(leader.turn()).await;
        leader.begin_read();
        leader.close();
        let outcome = self.computed(key, call, compute).await.map(Made::unstored);
        leader.land(outcome.clone(), false);
        outcome
    }

    /// Emits that the cache failed. Returns the error if the call must end with it.
    pub(super) fn store_failed(&self, key: &str, call: &Call, command: &'static str, error: StoreError) -> Result<()> {
        match call.options.on_error {
            OnError::Degrade => self.emit_store_failed(key, command, &error),
            OnError::Fail => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) fn emit_store_failed(&self, key: &str, command: &'static str, error: &StoreError) {
        let error = error.to_string();
        self.events.emit(&Event::Bypassed { key, why: Bypass::StoreFailed { command, error: &error } });
    }
}
