//! The one path from a key to its value: queries, functions and macros all go through it.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key, Tag};
use mrc_store::{ClaimMode, Found, StoreError};
use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::call::{Call, Compute, Made, OnError};
use crate::check::{Wrong, WrongTypes};
use crate::claim::{Asks, Claims, Held, Waited};
use crate::deadline::traced;
use crate::error::Error;
use crate::events::Events;
use crate::flight::{Flights, Follower, Leader, Seat, Without};
use crate::refresh::Refreshes;
use crate::scope::{self, Carried, Mode, noted};
use crate::store::Store;

/// After so many flights whose values were not for this caller, it computes by itself.
const FLIGHTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) store: Store,
    pub(crate) claims: Claims,
    pub(crate) flights: Flights,
    pub(crate) refreshes: Refreshes,
    pub(crate) wrong_types: WrongTypes,
    pub(crate) events: Arc<Events>,
    /// Larger values are neither stored nor taken.
    pub(crate) max_value: usize,
}

impl Pipeline {
    pub(crate) fn new(
        store: Store,
        claims: Claims,
        events: Arc<Events>,
        max_value: usize,
        without: Without,
    ) -> Arc<Self> {
        let (flights, refreshes) = (Flights::new(without), Refreshes::new());
        Arc::new(Self { store, claims, flights, refreshes, wrong_types: WrongTypes::new(), events, max_value })
    }

    /// The value of `key`: from the cache, or computed by one caller for all and stored.
    pub(crate) async fn fetch<C: Compute>(
        self: &Arc<Self>,
        key: &Key,
        call: &Call,
        compute: C,
    ) -> Result<Answer, Error> {
        if key.bypass().is_some() || call.nested || call.mode != Mode::Normal {
            let answer = Box::pin(self.fetch_in_scope(key, call, compute)).await?;
            scope::inherit(answer.tags());
            return Ok(noted(answer));
        }
        let key = key.as_str();
        // The one await of a hit, and as flat as can be: the compiler lays the futures of a call chain out one inside the other, and has a
        // limit for how deep. What isn't a hit goes on in boxes, step by step, or cached functions that call each other would need a large stack.
        let looked = match self.store.shared().patience() {
            patience if patience <= call.options.deadline => self.store.get(key).await,
            // Half of the time is left for the database.
            _ => in_time_of_store(call.began + call.options.deadline / 2, self.store.shared().get(key)).await,
        };
        let missed = match looked.map(|found| found.map(|found| self.value_of(found, call))) {
            Ok(Some(Ok(value))) => {
                let answer = Answer::cached(value);
                self.hit(key, &answer, call.began);
                if call.options.early_refresh.is_zero() || !self.refreshes.is_due(key, call.began) {
                    return Ok(noted(answer));
                }
                return Ok(noted(Box::pin(self.refresh(key, call, answer, compute)).await));
            }
            Ok(Some(Err(wrong))) => Ok(Some(wrong)),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        Box::pin(traced(Box::pin(self.miss(key, call, missed, compute)))).await.map(noted)
    }

    /// The same for a caller that wants more than the value, or less than the cache.
    async fn fetch_in_scope<C: Compute>(self: &Arc<Self>, key: &Key, call: &Call, compute: C) -> Result<Answer, Error> {
        let (ends, name) = (call.ends(), key.as_str());
        if let Some(ambiguity) = key.bypass() {
            if call.mode == Mode::ReadOnly {
                return Err(Error::Missed { key: name.to_owned() });
            }
            let why = Bypass::Ambiguous(ambiguity);
            return self.in_time(name, call, ends, self.bypass(name, call, &why, compute)).await;
        }
        // A function that calls itself with the same arguments would wait for itself.
        let reentrant = call.nested && scope::is_computing(self.store.id(), name);
        match call.mode {
            Mode::Off => return self.in_time(name, call, ends, self.bypass(name, call, &Bypass::Mode, compute)).await,
            Mode::Refresh if reentrant => {
                return self.in_time(name, call, ends, self.bypass(name, call, &Bypass::Reentrant, compute)).await;
            }
            Mode::Refresh => {
                return self.in_time(name, call, ends, Box::pin(self.compute_in_place(name, call, compute))).await;
            }
            Mode::Normal | Mode::ReadOnly | Mode::Peek => {}
        }
        let looked = in_time_of_store(call.began + call.options.deadline / 2, self.look(name, call)).await;
        match (looked, call.mode) {
            (Ok(Some(answer)), mode) => {
                self.hit(name, &answer, call.began);
                let refreshes = mode == Mode::Normal && !call.options.early_refresh.is_zero();
                if !refreshes || !self.refreshes.is_due(name, call.began) {
                    return Ok(answer);
                }
                Ok(Box::pin(self.refresh(name, call, answer, compute)).await)
            }
            (_, Mode::Normal) if reentrant => {
                self.in_time(name, call, ends, self.bypass(name, call, &Bypass::Reentrant, compute)).await
            }
            (looked, Mode::Normal) => traced(Box::pin(self.miss(name, call, looked.map(|_| None), compute))).await,
            (Err(error), _) => {
                self.away(name, call, "get", error)?;
                self.without_storing(name, call, ends, compute).await
            }
            (Ok(None), _) => self.without_storing(name, call, ends, compute).await,
        }
    }

    /// The value for a caller that may take from the cache, and not store.
    async fn without_storing<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        ends: Instant,
        compute: C,
    ) -> Result<Answer, Error> {
        if call.mode == Mode::ReadOnly {
            return Err(Error::Missed { key: key.to_owned() });
        }
        self.in_time(key, call, ends, self.bypass(key, call, &Bypass::Mode, compute)).await
    }

    pub(crate) fn hit(&self, key: &str, answer: &Answer, began: Instant) {
        self.events.emit(&Event::Hit { key, bytes: answer.as_bytes().len(), took: began.elapsed() });
    }

    /// The value that the cache has, with its tags where they are wanted. One that isn't this call's goes.
    pub(crate) async fn look(&self, key: &str, call: &Call) -> Result<Option<Answer>, StoreError> {
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

    /// An entry that was found, with its tags.
    pub(crate) fn found(
        &self,
        found: Found,
        call: &Call,
        answer: impl FnOnce(Bytes) -> Answer,
    ) -> Result<Answer, Wrong> {
        let value = self.value_of(found.value, call)?;
        Ok(answer(value).tagged(Carried::found(self.store.id(), found.tags)))
    }

    /// One attempt after the other, until a flight has an outcome for this caller. `looked` says how the first look ended.
    pub(crate) async fn attempt<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        mut looked: Result<(), StoreError>,
        compute: C,
    ) -> Result<Answer, Error> {
        for _ in 0..FLIGHTS {
            if let Err(error) = looked {
                if call.options.on_error == OnError::Fail {
                    return Err(error.into());
                }
                let error = error.to_string();
                return self.detour(key, call, &Bypass::StoreFailed { command: "get", error: &error }, compute).await;
            }
            match self.flights.join(&call.flight(key), call.options.deadline) {
                Seat::Leader(leader) => return Box::pin(self.lead(key, call, leader, compute)).await,
                Seat::Follower(follower) => {
                    if let Some(outcome) = self.follow(key, call, follower).await {
                        return outcome.map(Answer::followed);
                    }
                }
            }
            looked = match self.look(key, call).await {
                Ok(Some(answer)) => {
                    self.hit(key, &answer, call.began);
                    return Ok(answer);
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.detour(key, call, &Bypass::WaitedTooLong, compute).await
    }

    /// Claims the key, computes its value, fills it in, and hands it to the followers.
    async fn lead<C: Compute>(&self, key: &str, call: &Call, leader: Leader<'_>, compute: C) -> Result<Answer, Error> {
        // A claim may return a value: that is a read too.
        let read = || leader.begin_read();
        let claim = match self.claim(key, call, &asks::<C>(call, ClaimMode::Fill), read).await {
            Waited::Hit { value, waited } => {
                self.events.emit(&Event::Followed { key, waited });
                return self.lead_to_hit(key, call, value, leader, compute).await;
            }
            Waited::Granted(claim) => claim,
            Waited::TooLong => {
                self.events.emit(&Event::Bypassed { key, why: Bypass::WaitedTooLong });
                return self.read_alone(key, call, leader, compute).await;
            }
            Waited::Failed(error) => {
                self.away(key, call, "claim", error)?;
                return self.read_alone(key, call, leader, compute).await;
            }
        };
        self.events.emit(&Event::Miss { key });

        leader.begin_read();
        let outcome = self.computed(key, call, compute).await;
        // Whoever comes from now on may come after an invalidation that the fill can't see any more.
        leader.close();
        let (outcome, accepted) = self.settle(key, call, claim, outcome).await;
        leader.land(outcome.clone(), accepted);
        outcome
    }

    /// Claims the key, or waits for another process's value. One that isn't this call's goes, and the key is claimed again, once.
    async fn claim(&self, key: &str, call: &Call, asks: &Asks, looks: impl Fn()) -> Waited {
        for attempts_left in [1, 0] {
            let wrong = match self.claims.claim(self.store.shared(), key, asks, &looks).await {
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

    /// Another process has filled the key: the value is for the followers as well.
    async fn lead_to_hit<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        value: Bytes,
        leader: Leader<'_>,
        compute: C,
    ) -> Result<Answer, Error> {
        let mut answer = Some(Answer::cached(value));
        if call.nested {
            // A claim's answer has no tags.
            leader.begin_read();
            answer = self.look(key, call).await.ok().flatten();
        }
        let Some(answer) = answer else { return self.read_alone(key, call, leader, compute).await };
        leader.land(Ok(answer.clone()), false);
        Ok(answer.followed())
    }

    /// The outcome of another caller's flight. Returns `None` if it isn't for this caller, or doesn't come in time.
    async fn follow(&self, key: &str, call: &Call, follower: Follower) -> Option<Result<Answer, Error>> {
        let began = Instant::now();
        let outcome = call.wait(follower.outcome()).await??;
        if let Ok(answer) = &outcome
            && (call.accepts(answer.as_bytes()).is_err() || (call.nested && answer.tags().is_none()))
        {
            return None;
        }
        self.events.emit(&Event::Followed { key, waited: began.elapsed() });
        Some(outcome)
    }

    /// Goes round the cache, together with the other callers of this process that do.
    pub(crate) async fn detour<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: &Bypass<'_>,
        compute: C,
    ) -> Result<Answer, Error> {
        for _ in 0..FLIGHTS {
            match self.flights.join(&call.flight(key), call.options.deadline) {
                Seat::Leader(leader) => {
                    self.events.emit(&Event::Bypassed { key, why: why.clone() });
                    return self.read_alone(key, call, leader, compute).await;
                }
                Seat::Follower(follower) => {
                    // This caller bypasses the cache, so a hit of the leader's isn't for it.
                    let outcome = self.follow(key, call, follower).await;
                    if let Some(outcome) = outcome.filter(|outcome| !outcome.as_ref().is_ok_and(Answer::is_hit)) {
                        return outcome.map(Answer::followed);
                    }
                }
            }
        }
        self.bypass(key, call, why, compute).await
    }

    /// Computes the value without the cache, once for all who came before the computation began. Whoever comes later waits for the next.
    async fn read_alone<C: Compute>(
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

    /// Computes the value and leaves the cache alone.
    pub(crate) async fn bypass<C: Compute>(
        &self,
        key: &str,
        call: &Call,
        why: &Bypass<'_>,
        compute: C,
    ) -> Result<Answer, Error> {
        self.events.emit(&Event::Bypassed { key, why: why.clone() });
        self.computed(key, call, compute).await.map(unstored)
    }

    /// Computes the value and puts it in the place of what the cache has.
    async fn compute_in_place<C: Compute>(&self, key: &str, call: &Call, compute: C) -> Result<Answer, Error> {
        let asks = asks::<C>(call, ClaimMode::Refresh);
        let why = match self.claims.claim(self.store.shared(), key, &asks, || {}).await {
            Waited::Granted(claim) => {
                self.events.emit(&Event::Miss { key });
                let outcome = self.computed(key, call, compute).await;
                return self.settle(key, call, claim, outcome).await.0;
            }
            Waited::Failed(error) => {
                self.away(key, call, "claim", error)?;
                return self.computed(key, call, compute).await.map(unstored);
            }
            Waited::Hit { .. } | Waited::TooLong => Bypass::WaitedTooLong,
        };
        self.bypass(key, call, &why, compute).await
    }

    pub(crate) async fn computed<C: Compute>(&self, key: &str, call: &Call, compute: C) -> Result<Made, Error> {
        let began = Instant::now();
        let outcome = compute.run(self.store.id(), key).await;
        let took = began.elapsed();
        self.refreshes.computed(key, took);
        match outcome {
            Ok(mut made) => {
                self.events.emit(&Event::Computed { key, took });
                made.said.tags.add(&Carried::of(call.tags.iter().cloned()));
                Ok(made)
            }
            Err(error) => {
                self.events.emit(&Event::Failed { key, took, error: &error.to_string() });
                Err(error)
            }
        }
    }

    /// Ends a claim by what came of its computation. Says whether the store accepted a value.
    pub(crate) async fn settle(
        &self,
        key: &str,
        call: &Call,
        claim: Held,
        outcome: Result<Made, Error>,
    ) -> (Result<Answer, Error>, bool) {
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

    /// Stores what was computed. Says whether the store accepted it.
    pub(crate) async fn fill(&self, key: &str, call: &Call, claim: Held, made: Made) -> (Answer, bool) {
        let Made { value, said } = made;
        let tags = said.tags.at(self.store.id(), claim.moment());
        let (lost, bad) = (said.tags.is_lost(), tags.check().err());
        let answer = Answer::computed(value.clone());
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
        let life = call.life(&said, tags);
        let (ttl, bytes) = (life.ttl, value.len());
        let tags: Vec<Tag> = life.tags.iter().map(|(tag, _)| tag.clone()).collect();
        let accepted = match claim.fill(call.mark.put_behind(value), life).await {
            Ok(true) => {
                self.refreshes.filled(key, call, ttl);
                self.events.emit(&Event::Filled { key, ttl, bytes, tags: &tags });
                true
            }
            Ok(false) => {
                self.events.emit(&Event::Refused { key });
                false
            }
            Err(error) => {
                self.went_round(key, "fill", &error);
                false
            }
        };
        (answer, accepted)
    }

    /// Takes a value that can't be used out of the cache, and its claim and its copy with it; unless the caller only reads.
    pub(crate) async fn discard(&self, key: &str, mode: Mode, wrong: &str) -> Result<(), StoreError> {
        self.events.emit(&Event::BadValue { key, error: wrong });
        self.remove(key, mode).await
    }

    /// Takes a value that isn't the call's out of the cache, as [`discard`](Self::discard) does. One of other types isn't a bad one.
    pub(crate) async fn reject(&self, key: &str, mode: Mode, wrong: &Wrong) -> Result<(), StoreError> {
        match wrong {
            Wrong::OtherTypes => self.remove(key, mode).await,
            wrong => self.discard(key, mode, &wrong.to_string()).await,
        }
    }

    async fn remove(&self, key: &str, mode: Mode) -> Result<(), StoreError> {
        if !mode.stores() {
            return Ok(());
        }
        self.store.shared().remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.map(drop)
    }

    /// The cache failed: the call goes round it, or ends.
    pub(crate) fn away(&self, key: &str, call: &Call, command: &'static str, error: StoreError) -> Result<(), Error> {
        match call.options.on_error {
            OnError::Degrade => self.went_round(key, command, &error),
            OnError::Fail => return Err(error.into()),
        }
        Ok(())
    }

    fn went_round(&self, key: &str, command: &'static str, error: &StoreError) {
        let error = error.to_string();
        self.events.emit(&Event::Bypassed { key, why: Bypass::StoreFailed { command, error: &error } });
    }
}

/// What a call asks of a claim.
pub(crate) fn asks<C: Compute>(call: &Call, mode: ClaimMode) -> Asks {
    Asks { mode, copy: call.has_copy(), tags: C::TAGS || !call.tags.is_empty() }
}

/// The answer of a computation whose value isn't stored.
fn unstored(made: Made) -> Answer {
    Answer::computed(made.value).tagged(made.said.tags)
}

/// A look at a store that may take longer than the call.
async fn in_time_of_store<T>(
    ends: Instant,
    look: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let limit = ends.saturating_duration_since(Instant::now());
    timeout_at(ends, look).await.unwrap_or(Err(StoreError::Timeout(limit)))
}
