//! Bypass: computes a value without the cache.

use mrc_core::{Bypass, Event};
use mrc_store::StoreError;

use super::Pipeline;
use super::flight::{FLIGHTS, Leader, Seat};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Made};
use crate::error::Error;
use crate::mode::Mode;
use crate::settings::OnError;

/// How a bypass treats other callers of this process that bypass the cache for the same key.
pub(super) enum Others<'a> {
    /// Each computes its own value.
    Apart,
    /// One caller leads, and the others take its value.
    Together,
    /// This caller leads a flight already.
    Follow(Leader<'a>),
}

impl Pipeline {
    /// Bypasses the cache within the call's deadline. In [`Mode::ReadOnly`] nothing is computed.
    pub(super) async fn only_compute<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: Bypass<'_>,
        compute: C,
    ) -> Result<Answer, Error> {
        if call.mode == Mode::ReadOnly {
            return Err(Error::Missed { key: key.to_owned() });
        }
        self.in_time(key, call, call.ends(), self.bypass(key, call, &why, Others::Apart, compute)).await
    }

    pub(super) async fn bypass<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: &Bypass<'_>,
        others: Others<'_>,
        compute: C,
    ) -> Result<Answer, Error> {
        let emit = || self.events.emit(&Event::Bypassed { key, why: why.clone() });
        let flights = match others {
            Others::Apart => 0,
            Others::Together => FLIGHTS,
            Others::Follow(leader) => {
                emit();
                return self.compute_for_followers(key, call, leader, compute).await;
            }
        };
        for _ in 0..flights {
            match self.flights.join(&call.flight(key), call.options.deadline) {
                Seat::Leader(leader) => {
                    emit();
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
        emit();
        self.computed(key, call, compute).await.map(unstored)
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
    ) -> Result<Answer, Error> {
        let _ = call.wait(leader.turn()).await;
        leader.begin_read();
        leader.close();
        let outcome = self.computed(key, call, compute).await.map(unstored);
        leader.land(outcome.clone(), false);
        outcome
    }

    /// Emits that the cache failed. Returns the error if the call must end with it.
    pub(super) fn store_failed(
        &self,
        key: &str,
        call: &Call,
        command: &'static str,
        error: StoreError,
    ) -> Result<(), Error> {
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

/// Returns the answer of a computation that isn't stored.
pub(super) fn unstored(made: Made) -> Answer {
    Answer::computed(made.value).tagged(made.said.tags)
}
