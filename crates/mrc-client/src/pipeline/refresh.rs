//! Early refresh: a value in use is recomputed shortly before it expires, so that nobody misses it.
//!
//! A hit is one GET, which doesn't return the remaining TTL. So each process remembers when to look
//! next at the keys that it hit lately. A look asks the store for the remaining TTL, in the
//! background. If more than a random gap is left, the next look is due when the gap begins. Else
//! the process claims the key for a refresh: one process gets the claim, and computes. The claim
//! names the TTL that the look saw. So a process whose look is older than another's fill comes too
//! late.
//!
//! The gap is the probabilistic early expiration of XFetch (Vattani, Chierichetti, Lowenstein:
//! Optimal Probabilistic Cache Stampede Prevention, VLDB 2015): `-δ ln(random)`, with δ the time of
//! a computation. Here it is drawn once a look, not once a hit, and held between a quarter of the
//! configured window and the whole window. So a hit in the last quarter always refreshes the value.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::Event;
use mrc_store::{Claim, ClaimMode};
use tokio::time::Instant;

use super::Pipeline;
use super::schedule::{Watched, gap};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Detached};

impl Pipeline {
    /// Returns whether this call must look at, or refresh, a key that it hit.
    pub(super) fn is_refresh_due(&self, key: &str, call: &Call) -> bool {
        !call.options.early_refresh.is_zero() && self.schedule.is_due(key, call.began)
    }

    /// Returns the value that was hit, and has it recomputed before it expires.
    pub(super) async fn refresh<C: Compute>(
        self: &Arc<Self>,
        key: &str,
        call: &Call,
        answer: Answer,
        compute: C,
    ) -> Answer {
        let Some(watched) = self.schedule.take_look(key, self.claims.lease) else {
            return self.refresh_here(key, call, answer, compute).await;
        };
        // The task may outlive the batch of the call.
        let call = Call { batch: None, ..call.clone() };
        let (pipeline, name) = (Arc::clone(self), key.to_owned());
        let detached = compute.detached();
        tokio::spawn(async move {
            let Some(left) = pipeline.left_to_refresh(&name, &call, &watched).await else { return };
            // A function that borrows from its caller can't run here: its next caller runs it.
            let Some(compute) = detached else {
                pipeline.schedule.want(&name, Some(left));
                return;
            };
            let work = async {
                let _turn = pipeline.schedule.at_once.try_acquire().ok()?;
                pipeline.compute_anew(&name, &call, left, Detached(compute)).await
            };
            let ends = Instant::now() + call.options.deadline;
            if !matches!(pipeline.in_time(&name, &call, ends, async { Ok(work.await) }).await, Ok(Some(_))) {
                // Another process refreshes it, or this one failed. There is time to retry.
                pipeline.schedule.look_later(&name, watched, left / 4, Duration::ZERO, &call);
            }
        });
        answer
    }

    /// Computes a function that borrows from its caller in this call, while others hit the value.
    async fn refresh_here<C: Compute>(&self, key: &str, call: &Call, answer: Answer, compute: C) -> Answer {
        // Only functions are ever marked as wanted.
        let Some(left) = self.schedule.want(key, None) else { return answer };
        let work = async { Ok(self.compute_anew(key, call, left, compute).await) };
        match self.in_time(key, call, Instant::now() + call.options.deadline, work).await {
            Ok(Some(newer)) => newer,
            _ => answer,
        }
    }

    /// Returns the remaining TTL if a refresh is due. Else returns `None`, and sets the next look.
    async fn left_to_refresh(&self, key: &str, call: &Call, watched: &Watched) -> Option<Duration> {
        let left = self.store.shared().ttl(key).await.ok().flatten();
        let gap = gap(call, watched);
        if let Some(left) = left
            && left <= gap
        {
            return Some(left);
        }
        self.schedule.look_later(key, *watched, left.unwrap_or_default(), gap, call);
        None
    }

    /// Claims the key for a refresh, computes its value and stores it. Returns `None` if another
    /// process refreshes it or has done so, or after a failure: then the value stays.
    async fn compute_anew<C: Compute>(&self, key: &str, call: &Call, left: Duration, compute: C) -> Option<Answer> {
        let asks = self.asks(key, call, ClaimMode::Renew { left }, C::TAGS).await;
        let (claimed, claim) = self.claims.try_claim(&self.way(call), key, &asks).await;
        let Ok(Claim::Granted) = claimed else {
            // After an error the claim may stand at the store: dropping it releases it.
            if claimed.is_ok() {
                claim.forget();
            }
            return None;
        };
        self.events.emit(&Event::Refreshing { key, left });
        let outcome = self.computed(key, call, compute).await;
        self.settle(key, call, claim, outcome).await.0.ok()
    }
}
