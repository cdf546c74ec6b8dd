//! Early refresh: a value that is in use is computed anew shortly before its life ends, so that nobody misses it.
//!
//! A hit is one GET and tells nothing of the value's age. So each process remembers, for the keys that it hit lately, when it is to look
//! next. A look asks the store what is left of the value's life, in the background. If that is more than a gap drawn at random, the next look
//! is due when the gap begins; else the value is claimed for a refresh, and of all processes one gets the claim and computes.
//! The claim names what was left, so that a process whose look is older than another's fill comes too late.
//!
//! The gap is the probabilistic early expiration of XFetch (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede
//! Prevention, VLDB 2015), `-δ ln(random)` with δ the time that a computation takes, but drawn once a look instead of once a hit, and held
//! between a quarter of the configured window and the whole of it: a value that is hit in that last quarter is refreshed for certain.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::Event;
use mrc_store::{Claim, ClaimMode};
use tokio::time::Instant;

use super::Pipeline;
use super::claim::Asks;
use super::schedule::{Watched, gap};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Detached};

impl Pipeline {
    /// Whether a key that was hit is to be looked at, or refreshed, by this call.
    pub(super) fn is_refresh_due(&self, key: &str, call: &Call) -> bool {
        !call.options.early_refresh.is_zero() && self.schedule.is_due(key, call.began)
    }

    /// Answers with the value that was hit, and sees to it that it is computed anew before its life ends.
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
        let (pipeline, name, call) = (Arc::clone(self), key.to_owned(), call.clone());
        let detached = compute.detached();
        tokio::spawn(async move {
            let Some(left) = pipeline.left_to_refresh(&name, &call, &watched).await else { return };
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
                // Another process is at it, or it failed. There is time for some more attempts.
                pipeline.schedule.look_later(&name, watched, left / 4, Duration::ZERO, &call);
            }
        });
        answer
    }

    /// A function that borrows from its caller is computed by its caller, while all others go on hitting the value.
    async fn refresh_here<C: Compute>(&self, key: &str, call: &Call, answer: Answer, compute: C) -> Answer {
        // Only functions are ever wanted.
        let Some(left) = self.schedule.want(key, None) else { return answer };
        let work = async { Ok(self.compute_anew(key, call, left, compute).await) };
        match self.in_time(key, call, Instant::now() + call.options.deadline, work).await {
            Ok(Some(newer)) => newer,
            _ => answer,
        }
    }

    /// What is left of a value's life, if that is little. Otherwise the time of the next look is set.
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

    /// Claims the key for a refresh, computes its value and stores it. Returns `None` if somebody else does or did, or if it failed: then the
    /// value stays.
    async fn compute_anew<C: Compute>(&self, key: &str, call: &Call, left: Duration, compute: C) -> Option<Answer> {
        let asks = Asks::new::<C>(call, ClaimMode::Renew { left });
        let (claimed, claim) = self.claims.try_claim(self.store.shared(), key, &asks).await;
        let Ok(Claim::Granted) = claimed else {
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
