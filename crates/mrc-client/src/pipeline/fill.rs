//! Computes a value, and stores it under its claim.

use mrc_core::depends::SchemeName;
use mrc_core::{Bypass, Event, Tag};
use mrc_store::ClaimMode;
use tokio::time::Instant;

use super::Pipeline;
use super::claim::{Held, Waited};
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::{Compute, Made};
use crate::error::Result;
use crate::inherited::Carried;

impl Pipeline {
    pub(super) async fn compute_in_place<C: Compute>(&self, key: &str, call: &Call, compute: C) -> Result<Answer> {
        let asks = self.asks(key, call, ClaimMode::Refresh, C::TAGS).await;
        let why = match self.claims.claim(&self.way(call), key, &asks, || {}).await {
            Waited::Granted(claim) => {
                self.events.emit(&Event::Miss { key });
                let outcome = self.computed(key, call, compute).await;
                return self.settle(key, call, claim, outcome).await.0;
            }
            Waited::Failed(error) => {
                self.store_failed(key, call, "claim", error)?;
                return self.computed(key, call, compute).await.map(Made::unstored);
            }
            Waited::Hit { .. } | Waited::TooLong => Bypass::WaitedTooLong,
        };
        self.bypass(key, call, &why, compute).await
    }

    pub(super) async fn computed<C: Compute>(&self, key: &str, call: &Call, compute: C) -> Result<Made> {
        let began = Instant::now();
        let outcome = compute.run(self.store.id(), key).await;
        let took = began.elapsed();
        self.schedule.computed(key, took);
        match outcome {
            Ok(mut made) => {
                self.events.emit(&Event::Computed { key, took });
                made.said.tags.add(&self.tags_of(key, call).await);
                Ok(made)
            }
            Err(error) => {
                self.events.emit(&Event::Failed { key, took, error: &error.to_string() });
                Err(error)
            }
        }
    }

    /// Fills or releases the claim. Returns the answer, and whether the store accepted the value.
    pub(super) async fn settle(
        &self,
        key: &str,
        call: &Call,
        claim: Held,
        outcome: Result<Made>,
    ) -> (Result<Answer>, bool) {
        match outcome {
            Ok(made) => {
                let (answer, accepted) = self.fill(key, call, claim, made).await;
                (Ok(answer), accepted)
            }
            Err(error) => {
                claim.release().await;
                (Err(error), false)
            }
        }
    }

    /// Stores the computed value. Returns the answer, and whether the store accepted the value.
    pub(super) async fn fill(&self, key: &str, call: &Call, claim: Held, made: Made) -> (Answer, bool) {
        let Made { value, said } = made;
        // Inherited tags keep their own moments: the claim's would miss an invalidation under way.
        let tags = said.tags.at(self.store.id(), claim.moment);
        let (lost, bad) = (said.tags.lost, tags.check().err());
        let answer = Answer::computed(value.clone());
        // An outer entry inherits these tags even if this entry isn't stored.
        let answer = answer.tagged(Carried::found(self.store.id(), (!lost).then(|| tags.clone())));
        let unwanted = match &bad {
            Some(error) => Some(Bypass::BadTags(error)),
            None if said.skipped => Some(Bypass::Skipped),
            None if lost => Some(Bypass::TagsLost),
            None if value.len() > self.max_value => {
                Some(Bypass::TooLarge { bytes: value.len(), limit: self.max_value })
            }
            None => None,
        };
        if let Some(why) = unwanted {
            self.events.emit(&Event::Bypassed { key, why });
            claim.release().await;
            return (answer, false);
        }
        let mut life = call.life(&said, tags);
        if let Some(follow) = &self.follow
            && life.tags.iter().any(|(tag, _)| SchemeName::is_tag(tag.as_str()))
            && let Some(longest) = follow.longest_ttl().await
        {
            life.ttl = life.ttl.min(longest);
        }
        let (ttl, bytes) = (life.ttl, value.len());
        let tags: Vec<Tag> = life.tags.iter().map(|(tag, _)| tag.clone()).collect();
        let accepted = match claim.fill(call.mark.put_behind(value), life).await {
            Ok(true) => {
                self.schedule.filled(key, call, ttl);
                self.events.emit(&Event::Filled { key, ttl, bytes, tags: &tags });
                true
            }
            Ok(false) => {
                if let Some(follows) = &call.follows {
                    follows.forget();
                }
                self.events.emit(&Event::Refused { key });
                false
            }
            Err(error) => {
                self.emit_store_failed(key, "fill", &error);
                false
            }
        };
        (answer, accepted)
    }
}
